/* transfer_copy.c - the rows of the tables into the target, page by page (transfer.c says why so).
 */
#include "transfer_priv.h"

#include <maildesk/base/fault.h>

#include <stdlib.h>
#include <string.h>

enum {
	BATCH_BYTES = 4 << 20, /* no further row after that */
	BATCH_ROWS = 512,
};

struct batch {
	const struct transfer_table *t;
	bool links; /* the second walk: only rows with a reference to their own table */
	struct arena arena;
	struct db_arg *values; /* row after row */
	size_t rows;
	struct transfer_summing *sum; /* of the source; NULL: not wanted now */
};

static int refuse_nul(const struct batch *b, const struct db_arg *row, size_t column,
		      struct md_err *err)
{
	const struct db_arg *key = &row[b->t->keys[0]];
	bool number = key->kind == DB_KIND_INT;

	return md_fail(err, MD_INPUT, 0,
		       "%s, key %.*s%lld: its %s has a NUL character, which not every database can "
		       "hold",
		       b->t->name, number ? 0 : (int)key->n, number ? "" : (const char *)key->bytes,
		       (long long)key->integer, b->t->columns[column]);
}

static int keep_row(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct batch *b = ctx;
	const struct transfer_table *t = b->t;
	struct db_arg *to = b->values + b->rows * n;

	int rc = b->sum ? transfer_sum_row(b->sum, row, n, err) : MD_OK;

	if (rc != MD_OK)
		return rc;
	if (b->links && row[t->self].kind == DB_KIND_NULL)
		return MD_OK;
	for (size_t i = 0; i < n; i++) {
		to[i] = row[i];
		if (row[i].kind == DB_KIND_TEXT && memchr(row[i].bytes, '\0', row[i].n))
			return refuse_nul(b, row, i, err);
		if (row[i].kind == DB_KIND_TEXT || row[i].kind == DB_KIND_BLOB)
			to[i].bytes = arena_strndup(&b->arena, row[i].bytes, row[i].n);
	}
	if (b->arena.failed)
		return md_fail(err, MD_NOMEM, 0, "a row of %s: out of memory", t->name);
	if (!b->links && t->self < n)
		to[t->self] = (struct db_arg){ .kind = DB_KIND_NULL };
	b->rows++;
	return b->rows == BATCH_ROWS || b->arena.used >= BATCH_BYTES ? TRANSFER_ENOUGH : MD_OK;
}

static void insert_rows(struct buf *sql, const struct batch *b, size_t rows)
{
	const struct transfer_table *t = b->t;

	buf_addf(sql, "INSERT INTO %s (", t->name);
	transfer_add_columns(sql, t, NULL, t->n);
	buf_adds(sql, ") VALUES ");
	for (size_t i = 0; i < rows * t->n; i++)
		buf_addf(sql, "%s$%zu%s",
			 i % t->n ? ", "
			 : i      ? ", ("
				  : "(",
			 i + 1, i % t->n == t->n - 1 ? ")" : "");
	if (b->links) {
		buf_adds(sql, " ON CONFLICT (");
		transfer_add_columns(sql, t, t->keys, t->n_keys);
		buf_addf(sql, ") DO UPDATE SET %s = excluded.%s", t->columns[t->self],
			 t->columns[t->self]);
	}
}

/* In few sizes of statement, so that a connection knows them already. */
static int write_batch(struct db_conn *c, void *ctx, struct md_err *err)
{
	static const size_t sizes[] = { 64, 8, 1 };
	const struct batch *b = ctx;
	size_t done = 0;

	for (size_t i = 0; i < MD_COUNT(sizes); i++) {
		md_auto(buf_done) struct buf sql = BUF_INIT(TRANSFER_TEXT_MAX);

		insert_rows(&sql, b, sizes[i]);
		if (sql.status != MD_OK)
			return md_fail(err, MD_NOMEM, 0, "move: out of memory");
		for (; b->rows - done >= sizes[i]; done += sizes[i]) {
			struct db_args args = { b->values + done * b->t->n, sizes[i] * b->t->n };
			int rc = db_values(c, buf_str(&sql), args, NULL, NULL, err);

			if (rc != MD_OK)
				return rc;
		}
	}
	return MD_OK;
}

/* A page from the source, and into the target; *ret_rows is 0 at the end. */
static int copy_page(struct transfer *m, struct batch *b, struct transfer_cursor *at,
		     int64_t *ret_rows, struct md_err *err)
{
	int rc;

	b->rows = 0;
	arena_reset(&b->arena);
	rc = transfer_page(&m->from, at, keep_row, b, ret_rows, err);
	if (rc == MD_OK && b->rows)
		rc = db_txn(m->to, write_batch, b, err);
	fault_point("transfer_page");
	return rc == MD_OK ? MD_OK : md_wrap(err, rc, "copying %s", b->t->name);
}

static int walk_table(struct transfer *m, const struct transfer_table *t, bool links,
		      struct transfer_cursor *at, struct transfer_summing *sum, struct md_err *err)
{
	struct batch b = { .t = t, .links = links, .arena = ARENA_INIT(SIZE_MAX / 2), .sum = sum };
	int64_t rows = 0;
	int rc;

	b.values = md_calloc(BATCH_ROWS * t->n, sizeof *b.values);
	if (!b.values)
		return md_fail(err, MD_NOMEM, 0, "move: out of memory");
	do {
		rc = copy_page(m, &b, at, &rows, err);
		if (rc == MD_OK && rows)
			transfer_tell_rows(t, links ? 0 : rows, m);
	} while (rc == MD_OK && rows);
	arena_done(&b.arena);
	free(b.values);
	return rc;
}

static int keep_end(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct transfer_cursor *at = ctx;
	struct db_arg whole[TRANSFER_COLUMNS_MAX];

	for (size_t i = 0; i < n; i++)
		whole[at->t->keys[i]] = row[i];
	return transfer_cursor_move(at, whole, err);
}

/* The cursor behind the last row that is there. */
static int find_end(struct db *to, struct transfer_cursor *at, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(TRANSFER_TEXT_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	const struct transfer_table *t = at->t;
	int rc = db_read(to, &c, err);

	buf_adds(&sql, "SELECT ");
	transfer_add_columns(&sql, t, t->keys, t->n_keys);
	buf_addf(&sql, " FROM %s ORDER BY ", t->name);
	for (size_t i = 0; i < t->n_keys; i++)
		buf_addf(&sql, "%s%s DESC", i ? ", " : "", t->columns[t->keys[i]]);
	buf_adds(&sql, " LIMIT 1");
	if (sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "move: out of memory");
	return rc == MD_OK ? db_values(c, buf_str(&sql), DB_NONE, keep_end, at, err) : rc;
}

static int copy_table(struct transfer *m, const struct transfer_table *t,
		      struct transfer_summing *sum, struct md_err *err)
{
	md_auto(transfer_cursor_done) struct transfer_cursor at = TRANSFER_CURSOR(t);
	md_auto(transfer_cursor_done) struct transfer_cursor again = TRANSFER_CURSOR(t);
	int rc = find_end(m->to, &at, err);

	if (rc == MD_OK)
		rc = walk_table(m, t, false, &at, sum, err);
	if (rc == MD_OK && t->self < t->n)
		rc = walk_table(m, t, true, &again, NULL, err);
	return rc;
}

static int copy_and_sum(struct transfer *m, const struct transfer_table *t,
			struct transfer_sum *ret, struct md_err *err)
{
	struct transfer_summing sum;
	int rc = transfer_sum_begin(&sum, err);

	if (rc == MD_OK)
		rc = copy_table(m, t, &sum, err);
	transfer_sum_end(&sum, t->name, ret);
	return rc;
}

int transfer_copy_tables(struct transfer *m, struct transfer_sum *sums, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < m->n && rc == MD_OK; i++)
		rc = m->from.snapshot ? copy_and_sum(m, &m->tables[i], &sums[i], err)
				      : copy_table(m, &m->tables[i], NULL, err);
	return rc;
}

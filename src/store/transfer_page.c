/* transfer_page.c - pages are short statements of their own and not one long one: PostgreSQL ends a
 * statement after some seconds (db_pg_link.c), and an open one would keep SQLite's log growing.
 *
 * Rows of one table can have 2 KiB or 256. A page is half as long as the one before when that was
 * large, and twice as long when it was small. */
#include "transfer_page.h"

#include <string.h>

enum {
	PAGE_ROWS = 500,
	PAGE_ROWS_LEAST = 16,
	PAGE_BYTES = 2 << 20,
};

void transfer_cursor_done(struct transfer_cursor *at)
{
	arena_done(&at->arena);
}

int transfer_cursor_move(struct transfer_cursor *at, const struct db_arg *row, struct md_err *err)
{
	arena_reset(&at->arena);
	for (size_t i = 0; i < at->t->n_keys; i++) {
		struct db_arg *key = &at->keys[i];

		*key = row[at->t->keys[i]];
		if (key->kind == DB_KIND_TEXT)
			key->bytes = arena_strndup(&at->arena, key->bytes, key->n);
		if (key->kind == DB_KIND_TEXT && !key->bytes)
			return md_fail(err, MD_NOMEM, 0, "a key of %s: out of memory", at->t->name);
	}
	at->begun = true;
	return MD_OK;
}

void transfer_add_columns(struct buf *sql, const struct transfer_table *t, const size_t *which,
			  size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(sql, "%s%s", i ? ", " : "", t->columns[which ? which[i] : i]);
}

static void select_page(struct buf *sql, const struct transfer_cursor *at)
{
	const struct transfer_table *t = at->t;

	buf_adds(sql, "SELECT ");
	transfer_add_columns(sql, t, NULL, t->n);
	buf_addf(sql, " FROM %s", t->name);
	if (at->begun) {
		buf_adds(sql, " WHERE (");
		transfer_add_columns(sql, t, t->keys, t->n_keys);
		buf_adds(sql, ") > (");
		for (size_t i = 0; i < t->n_keys; i++)
			buf_addf(sql, "%s$%zu", i ? ", " : "", i + 1);
		buf_adds(sql, ")");
	}
	buf_adds(sql, " ORDER BY ");
	transfer_add_columns(sql, t, t->keys, t->n_keys);
	buf_addf(sql, " LIMIT $%zu", at->begun ? t->n_keys + 1 : 1);
}

struct page {
	struct transfer_cursor *at;
	db_values_fn fn;
	void *ctx;
	int64_t rows;
	size_t bytes;
};

static int64_t first_limit(const struct transfer_table *t)
{
	return t->has_blob ? PAGE_ROWS_LEAST : PAGE_ROWS;
}

static int64_t next_limit(const struct page *p, int64_t limit)
{
	if (p->bytes > PAGE_BYTES)
		return limit / 2 > PAGE_ROWS_LEAST ? limit / 2 : PAGE_ROWS_LEAST;
	if (p->bytes < PAGE_BYTES / 2)
		return limit * 2 < PAGE_ROWS ? limit * 2 : PAGE_ROWS;
	return limit;
}

static int page_row(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct page *p = ctx;
	int rc = p->fn(row, n, p->ctx, err), moved;

	if (rc != MD_OK && rc != TRANSFER_ENOUGH)
		return rc;
	p->rows++;
	for (size_t i = 0; i < n; i++)
		p->bytes += row[i].n;
	moved = transfer_cursor_move(p->at, row, err);
	return moved == MD_OK ? rc : moved;
}

int transfer_page(const struct transfer_side *side, struct transfer_cursor *at, db_values_fn fn,
		  void *ctx, int64_t *ret_rows, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(TRANSFER_TEXT_MAX);
	md_auto(db_read_done_p) struct db_conn *own = NULL;
	/* The row that moves the cursor must not change what the statement is still bound to. */
	struct transfer_cursor from = *at;
	struct page p = { at, fn, ctx, 0, 0 };
	struct db_arg args[TRANSFER_KEYS_MAX + 1];
	size_t n = from.begun ? at->t->n_keys : 0;
	int rc = MD_OK;

	select_page(&sql, at);
	if (sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "a page of %s: out of memory", at->t->name);
	memcpy(args, from.keys, sizeof from.keys);
	args[n] = DB_INT(from.limit ? from.limit : first_limit(at->t));
	at->arena = (struct arena)ARENA_INIT(from.arena.max);
	if (!side->snapshot)
		rc = db_read(side->db, &own, err);
	if (rc == MD_OK)
		rc = db_values(own ? own : side->snapshot, buf_str(&sql),
			       (struct db_args){ args, n + 1 }, page_row, &p, err);
	if (p.rows == 0) {
		*at = from; /* keys and all */
	} else {
		transfer_cursor_done(&from);
	}
	if (rc != MD_OK && rc != TRANSFER_ENOUGH)
		return md_wrap(err, rc, "reading %s", at->t->name);
	at->limit = next_limit(&p, args[n].integer);
	*ret_rows = p.rows;
	return MD_OK;
}

/* transfer.c - a desk moves to another database.
 *
 * The tables are those of schema.sql, in its order, so a row comes after the rows it refers to. The
 * one exception, a reference to another row of the same table, is left out at first and filled in
 * by a second walk. Rows go in key order and in pages, a page a transaction: what was copied is
 * what lies up to the largest key in the target, and an interrupted move goes on behind it without
 * a record of its own. The target's table "transfer" says whose move it is, from the first
 * transaction to the last; the last one comes after all tables were compared.
 *
 * Rows go by 64 in a statement: a round trip for each would be most of the time on PostgreSQL.
 *
 * A source that is at work is read in one read transaction, once: checksums are taken of what was
 * read, and the transaction is over before the target is compared with them. */
#include <maildesk/store/transfer.h>

#include "db_driver.h"
#include "transfer_sums.h"
#include "transfer_way.h"

#include <maildesk/base/embed.h>
#include <maildesk/base/fault.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/schema.h>
#include <maildesk/store/settings.h>

#include <stdlib.h>
#include <string.h>

enum {
	BATCH_BYTES = 4 << 20, /* no further row after that */
	BATCH_ROWS = 512,
	ORIGIN_BYTES = 64, /* of what names a desk */
	BUSY_MS = 60000,   /* a move is in no hurry */
	LEASES_BYTES = 64 << 20,
};

struct transfer {
	struct transfer_side from;
	struct db *to;
	const struct transfer_way *way;
	struct transfer_table *tables;
	size_t n;
	char origin[SHA256_HEX]; /* of the source */
	int64_t now_ms;
	struct transfer_progress progress;
	transfer_tell tell;
	void *ctx;
};

/* Tables of a database, and not of the desk in it: the target makes its own search index. */
static const char *const stay[] = { "commits", "search_queue" };

static bool stays(const struct transfer_table *t)
{
	for (size_t i = 0; i < MD_COUNT(stay); i++)
		if (strcmp(t->name, stay[i]) == 0)
			return true;
	return false;
}

int transfer_tables(struct arena *a, struct transfer_table **ret, size_t *ret_n, struct md_err *err)
{
	const struct embed_file *schema = embed_find("schema.sql");
	struct transfer_table *all;
	size_t n, moved = 0;
	int rc;

	if (!schema)
		return md_fail(err, MD_BROKEN, 0, "schema.sql is not in the program");
	rc = transfer_plan(schema->data, a, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (!stays(&all[i]))
			all[moved++] = all[i];
	*ret = all;
	*ret_n = moved;
	return MD_OK;
}

static void tell_rows(const struct transfer_table *t, int64_t rows, void *ctx)
{
	struct transfer *m = ctx;

	m->progress.table = t->name;
	m->progress.rows += rows;
	m->progress.fresh += rows;
	m->tell(&m->progress, m->ctx);
}

/* ---- small questions ---- */

struct integer {
	bool found;
	int64_t v;
};

static int keep_integer(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	(void)n;
	(void)err;
	*(struct integer *)ctx = (struct integer){ true, row[0].integer };
	return MD_OK;
}

static int ask(struct db_conn *c, const char *sql, const char *table, struct integer *ret,
	       struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TRANSFER_TEXT_MAX);

	buf_addf(&text, "%s%s LIMIT 1", sql, table);
	if (text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "move: out of memory");
	*ret = (struct integer){ 0 };
	return db_values(c, buf_str(&text), DB_NONE, keep_integer, ret, err);
}

/* Only the progress depends on it: 0 where a server has no time to count. */
static int64_t count_rows(const struct transfer_side *side, const struct transfer *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n; i++) {
		md_auto(db_read_done_p) struct db_conn *own = NULL;
		struct integer rows;

		if ((!side->snapshot && db_read(side->db, &own, NULL) != MD_OK) ||
		    ask(own ? own : side->snapshot, "SELECT COUNT(*) FROM ", m->tables[i].name,
			&rows, NULL) != MD_OK)
			return 0;
		sum += rows.v;
	}
	return sum;
}

/* ---- source and target ---- */

/* The desk's own secret names it, whatever its database is called; hashed, as it is one. A desk
 * that has never run has none, and its moves can't be told apart. Of a backup its time is a part.
 */
static int name_origin(struct transfer *m, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	uint8_t id[ORIGIN_BYTES + sizeof(int64_t)];
	size_t n = 0;
	int rc = db_read(m->from.db, &c, err);

	if (rc == MD_OK)
		rc = setting_get(c, "desk_id", id, ORIGIN_BYTES, &n, err);
	if (m->way->from_backup) {
		memcpy(id + n, &m->way->made_ms, sizeof m->way->made_ms);
		n += sizeof m->way->made_ms;
	}
	if (rc == MD_OK || rc == MD_NOTFOUND)
		sha256_hex(id, n, m->origin);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

/* A daemon on another machine holds a lease, whatever locks there are on this one. */
static int check_idle(struct transfer *m, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(LEASES_BYTES);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct lease *leases;
	size_t n = 0;
	int rc = db_read(m->from.db, &c, err);

	if (rc == MD_OK)
		rc = lease_list(c, &a, &leases, &n, err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		if (leases[i].left_ms > 0)
			rc = md_fail(err, MD_AGAIN, 0,
				     "a daemon works on this desk (it holds the lease \"%.100s\"): "
				     "stop it; after a crash wait %lld s",
				     leases[i].name, (long long)(leases[i].left_ms + 999) / 1000);
	return rc;
}

static int check_source(struct transfer *m, struct md_err *err)
{
	enum schema_state state;
	int rc = schema_look(m->from.db, &state, err);

	if (rc == MD_OK && state == SCHEMA_NONE)
		rc = md_fail(err, MD_REFUSED, 0,
			     "there is no desk in it: correct the setting `database`");
	else if (rc == MD_OK && state == SCHEMA_OLDER)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it was made by an older maildesk: start the desk once, so that it is "
			     "brought up to date");
	else if (rc == MD_OK && (state == SCHEMA_BACKUP) != m->way->from_backup)
		rc = md_fail(err, MD_REFUSED, 0,
			     m->way->from_backup ? "it is no backup: name a file that `maildesk "
						   "backup` made"
						 : "it is a backup: `maildesk restore` makes a "
						   "desk of it");
	else if (rc == MD_OK && state == SCHEMA_TARGET)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it is itself the target of a move that was interrupted: finish that "
			     "first");
	if (rc == MD_OK && !m->way->online && !m->way->from_backup)
		rc = check_idle(m, err);
	return rc == MD_OK ? name_origin(m, err) : md_wrap(err, rc, "the source");
}

static int check_empty(struct db_conn *c, const struct transfer *m, struct md_err *err)
{
	struct integer found;

	for (size_t i = 0; i < m->n; i++) {
		int rc = ask(c, "SELECT 1 FROM ", m->tables[i].name, &found, err);

		if (rc != MD_OK)
			return rc;
		if (found.found)
			return md_fail(
				err, MD_REFUSED, 0,
				"it has a desk already (its table \"%s\" is not empty): name "
				"an empty database",
				m->tables[i].name);
	}
	return MD_OK;
}

static int mark_target(struct db_conn *c, void *ctx, struct md_err *err)
{
	static const char mark[] = "CREATE TABLE transfer (origin TEXT PRIMARY KEY,"
				   " begun_at {INT} NOT NULL) {STRICT}";
	const struct transfer *m = ctx;
	int rc = check_empty(c, m, err);

	if (rc == MD_OK)
		rc = db_script(c, mark, err);
	if (rc != MD_OK)
		return rc;
	return db_values(c, "INSERT INTO transfer (origin, begun_at) VALUES ($1, $2)",
			 DB_ARGS(DB_TEXT(m->origin), DB_INT(m->now_ms)), NULL, NULL, err);
}

static int check_mark(const struct transfer *m, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct integer found = { 0 };
	int rc = db_read(m->to, &c, err);

	if (rc == MD_OK)
		rc = db_values(c, "SELECT 1 FROM transfer WHERE origin = $1",
			       DB_ARGS(DB_TEXT(m->origin)), keep_integer, &found, err);
	if (rc == MD_OK && !found.found)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it is the unfinished target of another desk's move: name an empty "
			     "database");
	return rc;
}

static int prepare_target(struct transfer *m, bool *ret_resumed, struct md_err *err)
{
	enum schema_state state;
	int rc = schema_look(m->to, &state, err);

	*ret_resumed = rc == MD_OK && state == SCHEMA_TARGET;
	if (rc == MD_OK && state == SCHEMA_OLDER)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it has a desk of an older maildesk: name an empty database");
	else if (rc == MD_OK && state == SCHEMA_BACKUP)
		rc = md_fail(err, MD_REFUSED, 0, "it is a backup: name an empty database");
	else if (*ret_resumed)
		rc = check_mark(m, err);
	if (rc == MD_OK && state == SCHEMA_NONE)
		rc = schema_ensure(m->to, err);
	if (rc == MD_OK && !*ret_resumed)
		rc = db_txn(m->to, mark_target, m, err);
	return rc == MD_OK ? MD_OK : md_wrap(err, rc, "the target");
}

/* ---- copying a table ---- */

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
			tell_rows(t, links ? 0 : rows, m);
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

static int copy_tables(struct transfer *m, struct transfer_sum *sums, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < m->n && rc == MD_OK; i++)
		rc = m->from.snapshot ? copy_and_sum(m, &m->tables[i], &sums[i], err)
				      : copy_table(m, &m->tables[i], NULL, err);
	return rc;
}

/* ---- the end ---- */

/* Ids go on behind the last one that was ever given, not behind the last row. */
static int copy_last_ids(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct transfer *m = ctx;
	md_auto(db_read_done_p) struct db_conn *own = NULL;
	struct db_conn *from = m->from.snapshot;
	int rc = from ? MD_OK : db_read(m->from.db, &own, err);

	from = from ? from : own;
	for (size_t i = 0; i < m->n && rc == MD_OK; i++) {
		int64_t id = 0;

		if (!m->tables[i].has_id)
			continue;
		rc = from->db->driver->last_id(from->link, m->tables[i].name, &id, err);
		if (rc == MD_OK && id > 0)
			rc = c->db->driver->set_last_id(c->link, m->tables[i].name, id, err);
	}
	return rc;
}

static int compare_tables(struct transfer *m, struct transfer_sum *sums, struct md_err *err)
{
	int rc = MD_OK;

	m->progress =
		(struct transfer_progress){ .phase = TRANSFER_VERIFY,
					    .total = (1 + !m->way->online) * m->progress.rows };
	for (size_t i = 0; i < m->n && rc == MD_OK; i++) {
		struct transfer_sum there;

		if (!m->way->online)
			rc = transfer_sum_table(m->from.db, &m->tables[i], tell_rows, m, &sums[i],
						err);
		if (rc == MD_OK)
			rc = transfer_sum_table(m->to, &m->tables[i], tell_rows, m, &there, err);
		if (rc == MD_OK &&
		    (there.rows != sums[i].rows || strcmp(there.sha256, sums[i].sha256) != 0))
			rc = md_fail(
				err, MD_CONFLICT, 0,
				"table %s is not the same on both sides (%lld and %lld rows): "
				"one of them was changed since the move began; empty the target "
				"and start again",
				m->tables[i].name, (long long)sums[i].rows, (long long)there.rows);
	}
	return rc;
}

struct ending {
	struct transfer *m;
	const struct transfer_sum *sums;
};

static int end_it(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct ending *e = ctx;
	const struct transfer_way *way = e->m->way;
	int rc = way->end ? way->end(c, e->sums, e->m->n, way->ctx, err) : MD_OK;

	return rc == MD_OK ? db_script(c, "DROP TABLE transfer", err) : rc;
}

static int copy(struct transfer *m, bool resumed, struct transfer_sum *sums, struct md_err *err)
{
	const struct transfer_side to = { m->to, NULL };
	int rc;

	m->progress.phase = TRANSFER_COPY;
	m->progress.total = count_rows(&m->from, m);
	m->progress.rows = resumed ? count_rows(&to, m) : 0;
	rc = copy_tables(m, sums, err);
	return rc == MD_OK ? db_txn(m->to, copy_last_ids, m, err) : rc;
}

static int move(struct transfer *m, struct transfer_sum *sums, struct md_err *err)
{
	struct ending ending = { m, sums };
	bool resumed = false;
	int rc = check_source(m, err);

	if (rc == MD_OK)
		rc = prepare_target(m, &resumed, err);
	if (rc == MD_OK && m->way->online)
		rc = db_read(m->from.db, &m->from.snapshot, err);
	if (rc == MD_OK)
		rc = copy(m, resumed, sums, err);
	db_read_done(m->from.snapshot);
	m->from.snapshot = NULL;
	if (rc == MD_OK)
		rc = compare_tables(m, sums, err);
	fault_point("transfer_end");
	return rc == MD_OK ? db_txn(m->to, end_it, &ending, err) : rc;
}

int transfer_along(const struct transfer_way *way, struct db *from, struct db *to, int64_t now_ms,
		   transfer_tell tell, void *ctx, struct arena *arena,
		   struct transfer_sum **ret_sums, size_t *ret_n, struct md_err *err)
{
	struct transfer m = { .from = { from, NULL },
			      .to = to,
			      .way = way,
			      .now_ms = now_ms,
			      .tell = tell,
			      .ctx = ctx };
	struct transfer_sum *sums;
	int rc = transfer_tables(arena, &m.tables, &m.n, err);

	if (rc != MD_OK)
		return rc;
	sums = arena_array(arena, m.n, sizeof *sums);
	if (!sums)
		return md_fail(err, MD_NOMEM, 0, "move: out of memory");
	db_set_busy_ms(from, BUSY_MS);
	db_set_busy_ms(to, BUSY_MS);
	rc = move(&m, sums, err);
	if (rc == MD_OK) {
		*ret_sums = sums;
		*ret_n = m.n;
	}
	return rc;
}

int transfer_run(struct db *from, struct db *to, int64_t now_ms, transfer_tell tell, void *ctx,
		 struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		 struct md_err *err)
{
	static const struct transfer_way move = { 0 };

	return transfer_along(&move, from, to, now_ms, tell, ctx, arena, ret_sums, ret_n, err);
}

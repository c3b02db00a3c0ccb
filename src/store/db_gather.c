/* db_gather.c - rows nobody waits for, written together.
 *
 * Where the database is a server each statement costs a round trip, ten times what the row itself
 * does. So db_insert() keeps rows back in memory, by table, and many of them become one statement.
 * To the caller it looks as if they were there:
 *
 * - Before a statement runs, the kept rows of each table it names are written, with the rows of
 *   other tables that those refer to; if it writes, also the rows it could refer to. schema.sql
 *   says what refers to what (db_tables.h), and its order is the order of writing.
 * - A savepoint that nothing was written in needs no word to the server: undoing it drops rows from
 *   memory. The first write in it makes it a real one. Rows written in it that are older than it
 *   are kept until it ends well: undone, they wait again.
 * - A row that the database rejects is rejected late, and not in the part it came from. The whole
 *   transaction is then undone and runs again with each row written at once (db_txn() does it), so
 *   whoever prepared for a failure meets it where it was prepared for. That is rare, and costs no
 *   more than it did.
 *
 * An engine without round trips has no insert_rows(): there a row is written at once, always.
 *
 * Ids are given before the row is there. From a server they come in blocks, one at first, so that a
 * desk with little to do has no gaps in its numbers. What is left of a block is lost with the end
 * of the transaction: used later, it would put what is said last before what others said meanwhile.
 * SQLite has one writer: it counts on from the last. */
#include "db_conn.h"

#include <stdlib.h>
#include <string.h>

enum {
	GATHER_BYTES = 1 << 20,   /* then all is written, at the next chance */
	ROW_BYTES_MAX = 64 << 10, /* a larger one gains nothing from company */
	IDS_GROWTH = 2,
};

static int no_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "database rows: out of memory");
}

/* A failure that comes late, and would come from where it belongs if rows were written at once. */
static void note_failure(struct db_gather *g, int rc)
{
	g->failed |= g->on && rc != MD_OK && rc != MD_AGAIN && rc != MD_NOMEM;
}

/* ---- a transaction's rows ---- */

/* Nothing waits, and no part could bring a row back. */
static void forget_rows(struct db_gather *g)
{
	for (int t = 0; t < DB_TABLES_MAX; t++)
		g->batches[t].n = g->batches[t].sent = 0;
	g->pending = 0;
	g->bytes = 0;
	arena_reset(&g->arena);
}

void db_gather_begin(struct db_conn *c, bool on)
{
	struct db_gather *g = &c->gather;

	g->on = on && c->db->driver->insert_rows;
	g->failed = false;
	g->part = NULL;
	g->arena.max = SIZE_MAX / 2;
	forget_rows(g);
	for (int t = 0; t < DB_TABLES_MAX; t++) {
		g->ids[t].n = g->ids[t].at = 0;
		g->ids[t].next = 1;
	}
}

void db_gather_done(struct db_conn *c)
{
	for (int t = 0; t < DB_TABLES_MAX; t++)
		free(c->gather.batches[t].rows);
	arena_done(&c->gather.arena);
}

static size_t bytes_of(struct db_args args)
{
	size_t n = args.n * sizeof *args.v;

	for (size_t i = 0; i < args.n; i++)
		n += args.v[i].n;
	return n;
}

static int keep(struct db_gather *g, int table, const struct db_sql *sql, struct db_args args,
		struct md_err *err)
{
	struct db_batch *b = &g->batches[table];
	struct db_arg *v = arena_copy(&g->arena, args.v, args.n * sizeof *v);

	if (!v)
		return no_memory(err);
	for (size_t i = 0; i < args.n; i++)
		if (v[i].bytes && !(v[i].bytes = arena_strndup(&g->arena, v[i].bytes, v[i].n)))
			return no_memory(err);
	if (b->n == b->room) {
		size_t room = b->room ? 2 * b->room : 16;
		struct db_row *rows = md_realloc(b->rows, room * sizeof *rows);

		if (!rows)
			return no_memory(err);
		b->rows = rows;
		b->room = room;
	}
	b->rows[b->n++] = (struct db_row){ sql, v, args.n };
	g->pending |= (db_set)1 << table;
	return MD_OK;
}

/* In a part nothing would be gained: its rows are kept to its end anyhow. */
static int flush_if_many(struct db_conn *c, struct md_err *err)
{
	const struct db_gather *g = &c->gather;

	return g->bytes > GATHER_BYTES && !g->part ? db_gather_flush(c, err) : MD_OK;
}

int db_insert(struct db_conn *c, const struct db_sql *sql, struct db_args args, struct md_err *err)
{
	struct db_gather *g = &c->gather;
	size_t bytes = bytes_of(args);
	int table = g->on ? db_table_of_insert(sql->text) : -1, rc;

	if (table < 0 || bytes > ROW_BYTES_MAX) {
		rc = db_exec(c, sql, args, NULL, err);
		note_failure(g, rc);
		return rc;
	}
	if (c->doomed != MD_OK)
		return md_fail(err, c->doomed, 0, "the database has given this transaction up");
	g->bytes += bytes;
	rc = keep(g, table, sql, args, err);
	return rc == MD_OK ? flush_if_many(c, err) : rc;
}

bool db_keeps_rows(const struct db_conn *c)
{
	return c->gather.on;
}

/* ---- parts ---- */

DB_SQL(sql_part_begin, "SAVEPOINT part");
DB_SQL(sql_part_undo, "ROLLBACK TO SAVEPOINT part");
DB_SQL(sql_part_end, "RELEASE SAVEPOINT part");

static int tell(struct db_conn *c, const struct db_sql *sql, struct md_err *err)
{
	bool was = c->gather.writing;
	int rc;

	c->gather.writing = true;
	rc = db_exec(c, sql, DB_NONE, NULL, err);
	c->gather.writing = was;
	return rc;
}

static int make_real(struct db_conn *c, struct db_part *p, struct md_err *err)
{
	int rc = MD_OK;

	if (!p || p->is_real)
		return MD_OK;
	rc = make_real(c, p->outer, err);
	if (rc == MD_OK)
		rc = tell(c, &sql_part_begin, err);
	p->is_real = rc == MD_OK;
	return rc;
}

/* Rows of the part are dropped, older ones that it wrote wait again. */
static void restore(struct db_gather *g, const struct db_part *p)
{
	g->pending = 0;
	for (int t = 0; t < DB_TABLES_MAX; t++) {
		g->batches[t].n = p->n[t];
		g->batches[t].sent = p->sent[t];
		if (p->n[t] > p->sent[t])
			g->pending |= (db_set)1 << t;
	}
}

/* What another transaction spoiled is spoiled as a whole; what no savepoint can undo is done again
 * with real ones. */
static int undo(struct db_conn *c, const struct db_part *p, int why)
{
	int rc;

	if (c->gather.failed)
		return why;
	if (c->doomed != MD_OK &&
	    (c->doomed == MD_AGAIN || !p->is_real || !c->db->driver->can_undo_part(c->link))) {
		note_failure(&c->gather, c->doomed);
		return why;
	}
	restore(&c->gather, p);
	if (!p->is_real)
		return why;
	c->doomed = MD_OK;
	rc = tell(c, &sql_part_undo, NULL);
	if (rc == MD_OK)
		rc = tell(c, &sql_part_end, NULL);
	/* What could not be undone must not be committed. */
	if (rc != MD_OK)
		c->doomed = rc;
	return why;
}

int db_savepoint(struct db_conn *c, db_txn_fn fn, void *ctx, struct md_err *err)
{
	struct db_gather *g = &c->gather;
	struct db_part p = { .outer = g->part, .is_real = !g->on };
	int rc = g->on ? MD_OK : tell(c, &sql_part_begin, err);

	if (rc != MD_OK)
		return rc;
	for (int t = 0; t < DB_TABLES_MAX; t++) {
		p.n[t] = g->batches[t].n;
		p.sent[t] = g->batches[t].sent;
	}
	g->part = &p;
	rc = fn(c, ctx, err);
	g->part = p.outer;
	if (rc != MD_OK)
		return undo(c, &p, rc);
	if (p.is_real)
		rc = tell(c, &sql_part_end, err);
	if (!g->part && !g->pending)
		forget_rows(g);
	return rc == MD_OK ? flush_if_many(c, err) : rc;
}

/* ---- writing ---- */

static int write_table(struct db_conn *c, int table, struct md_err *err)
{
	struct db_batch *b = &c->gather.batches[table];

	while (b->sent < b->n) {
		const struct db_sql *sql = b->rows[b->sent].sql;
		size_t n = 1;
		int rc;

		while (b->sent + n < b->n && b->rows[b->sent + n].sql == sql)
			n++;
		rc = n == 1 ? db_exec(c, sql,
				      (struct db_args){ b->rows[b->sent].v, b->rows[b->sent].n },
				      NULL, err)
			    : db_exec_rows(c, sql, b->rows + b->sent, n, err);
		if (rc != MD_OK)
			return rc;
		b->sent += n;
	}
	c->gather.pending &= ~((db_set)1 << table);
	return MD_OK;
}

/* Those of `which` that have rows waiting, and the rows these refer to before them. */
static int flush(struct db_conn *c, db_set which, struct md_err *err)
{
	struct db_gather *g = &c->gather;
	db_set needed = 0;
	int rc = make_real(c, g->part, err);

	for (int t = 0; t < DB_TABLES_MAX; t++)
		if (which & g->pending & (db_set)1 << t)
			needed |= db_tables_needed(t);
	g->writing = true;
	for (int t = 0; t < DB_TABLES_MAX && rc == MD_OK; t++)
		if (needed & g->pending & (db_set)1 << t)
			rc = write_table(c, t, err);
	g->writing = false;
	note_failure(g, rc);
	if (rc == MD_OK && !g->part && !g->pending)
		forget_rows(g);
	return rc;
}

int db_gather_flush(struct db_conn *c, struct md_err *err)
{
	return c->gather.pending ? flush(c, c->gather.pending, err) : MD_OK;
}

int db_gather_before(struct db_conn *c, const char *sql, struct md_err *err)
{
	struct db_gather *g = &c->gather;
	int rc = MD_OK;

	if (!g->on || g->writing || (!g->pending && !g->part))
		return MD_OK;
	if (!db_only_reads(sql))
		rc = make_real(c, g->part, err);
	if (rc == MD_OK && g->pending) {
		db_set touched = db_tables_of(sql) & g->pending;

		rc = touched ? flush(c, touched, err) : MD_OK;
	}
	return rc;
}

/* ---- ids ---- */

static int take_more(struct db_conn *c, struct db_ids *ids, const char *table, struct md_err *err)
{
	const struct db_driver *d = c->db->driver;
	int64_t last = 0;
	int rc;

	if (d->take_ids) {
		rc = d->take_ids(c->link, table, ids->v, ids->next, err);
		ids->n = rc == MD_OK ? ids->next : 0;
		if (ids->next < DB_IDS_MAX)
			ids->next *= IDS_GROWTH;
	} else {
		/* the only writer: they go on from there */
		rc = ids->n ? MD_OK : d->last_id(c->link, table, &last, err);
		last = ids->n ? ids->v[ids->n - 1] : last;
		ids->n = rc == MD_OK ? DB_IDS_MAX : 0;
		for (size_t i = 0; i < ids->n; i++)
			ids->v[i] = ++last;
	}
	ids->at = 0;
	return rc;
}

int db_new_id(struct db_conn *c, const char *table, int64_t *ret, struct md_err *err)
{
	struct db_ids *ids = &c->gather.ids[db_table(table, strlen(table))];
	int rc = MD_OK;

	if (c->doomed != MD_OK)
		return md_fail(err, c->doomed, 0, "the database has given this transaction up");
	if (ids->at >= ids->n)
		rc = take_more(c, ids, table, err);
	if (rc != MD_OK)
		return db_engine_failed(c, rc);
	*ret = ids->v[ids->at++];
	return MD_OK;
}

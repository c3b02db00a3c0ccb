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
#include "db_driver.h"
#include "transfer_priv.h"

#include <maildesk/base/embed.h>
#include <maildesk/base/fault.h>
#include <maildesk/store/audit.h>

#include <string.h>

enum { BUSY_MS = 60000 }; /* a move is in no hurry */

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

void transfer_tell_rows(const struct transfer_table *t, int64_t rows, void *ctx)
{
	struct transfer *m = ctx;

	m->progress.table = t->name;
	m->progress.rows += rows;
	m->progress.fresh += rows;
	m->tell(&m->progress, m->ctx);
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
			rc = transfer_sum_table(m->from.db, &m->tables[i], transfer_tell_rows, m,
						&sums[i], err);
		if (rc == MD_OK)
			rc = transfer_sum_table(m->to, &m->tables[i], transfer_tell_rows, m, &there,
						err);
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
	m->progress.total = transfer_count_rows(&m->from, m);
	m->progress.rows = resumed ? transfer_count_rows(&to, m) : 0;
	rc = transfer_copy_tables(m, sums, err);
	return rc == MD_OK ? db_txn(m->to, copy_last_ids, m, err) : rc;
}

static int move(struct transfer *m, struct transfer_sum *sums, struct md_err *err)
{
	struct ending ending = { m, sums };
	bool resumed = false;
	int rc = transfer_check_source(m, err);

	if (rc == MD_OK)
		rc = transfer_prepare_target(m, &resumed, err);
	db_set_lazy(m->to, true);
	if (rc == MD_OK && m->way->online)
		rc = db_read(m->from.db, &m->from.snapshot, err);
	if (rc == MD_OK)
		rc = copy(m, resumed, sums, err);
	db_read_done(m->from.snapshot);
	m->from.snapshot = NULL;
	if (rc == MD_OK)
		rc = compare_tables(m, sums, err);
	fault_point("transfer_end");
	db_set_lazy(m->to, false); /* the last transaction makes sure of all */
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

static int note_move(struct db_conn *c, const struct transfer_sum *sums, size_t n, void *ctx,
		     struct md_err *err)
{
	const struct audit_row row = { .daemon = AUDIT_CLI,
				       .at = *(const int64_t *)ctx,
				       .source = "cli",
				       .action = "desk.migrate" };

	(void)sums, (void)n;
	return audit_add(c, &row, err);
}

int transfer_run(struct db *from, struct db *to, int64_t now_ms, transfer_tell tell, void *ctx,
		 struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		 struct md_err *err)
{
	const struct transfer_way way = { .end = note_move, .ctx = &now_ms };

	return transfer_along(&way, from, to, now_ms, tell, ctx, arena, ret_sums, ret_n, err);
}

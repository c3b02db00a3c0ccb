#include <maildesk/store/gauges.h>

enum { STATES_MAX = 10 };

static const struct db_col outbox_cols[] = {
	{ DB_COL_TEXT, offsetof(struct gauge_outbox, state) },
	{ DB_COL_INT, offsetof(struct gauge_outbox, n) },
	{ DB_COL_INT, offsetof(struct gauge_outbox, oldest_at) },
};
static const struct db_map outbox_map = DB_MAP(gauge_outbox, outbox_cols);

DB_SQL(sql_outbox, "SELECT o.state, COUNT(*), MIN(o.created_at) FROM outbox o"
		   " WHERE o.state IN ('queued', 'retry', 'sending') GROUP BY o.state");
DB_SQL(sql_timer, "SELECT t.due_at FROM timers t ORDER BY t.due_at, t.id LIMIT 1");
DB_SQL(sql_search, "SELECT COUNT(*) FROM search_queue q");
DB_SQL(sql_quarantine, "SELECT COUNT(*) FROM quarantine q");

int gauges_get(struct db_conn *c, struct arena *a, struct gauges *ret, struct md_err *err)
{
	struct gauges g = { 0 };
	int rc = db_all(c, &sql_outbox, DB_NONE, &outbox_map, STATES_MAX, a, &g.outbox, &g.n_outbox,
			err);

	if (rc == MD_OK)
		rc = db_int(c, &sql_timer, DB_NONE, &g.timers_due, err);
	if (rc == MD_OK || rc == MD_NOTFOUND)
		rc = db_int(c, &sql_search, DB_NONE, &g.search_wait, err);
	if (rc == MD_OK)
		rc = db_int(c, &sql_quarantine, DB_NONE, &g.quarantine, err);
	if (rc == MD_OK)
		*ret = g;
	return rc;
}

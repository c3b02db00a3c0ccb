#include <maildesk/store/gauges.h>

DB_SQL(sql_timer, "SELECT t.due_at FROM timers t ORDER BY t.due_at, t.id LIMIT 1");
DB_SQL(sql_search, "SELECT COUNT(*) FROM search_queue q");
DB_SQL(sql_quarantine, "SELECT COUNT(*) FROM quarantine q");

int gauges_get(struct db_conn *c, struct arena *a, struct gauges *ret, struct md_err *err)
{
	struct gauges g = { 0 };
	int rc = outbox_depths(c, a, &g.outbox, &g.n_outbox, err);

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

#include <maildesk/store/dashboard.h>

enum { GROUPS_MAX = 1000 };

#define ALIVE "t.deleted_at IS NULL AND t.merged_into IS NULL"
#define UNRESOLVED "t.resolved_at IS NULL AND " ALIVE

static const struct db_col status_cols[] = {
	{ DB_COL_TEXT, offsetof(struct dashboard_status, status) },
	{ DB_COL_INT, offsetof(struct dashboard_status, n) },
};
static const struct db_map status_map = DB_MAP(dashboard_status, status_cols);
static const struct db_col key_cols[] = {
	{ DB_COL_INT, offsetof(struct dashboard_key, key) },
	{ DB_COL_INT, offsetof(struct dashboard_key, n) },
};
static const struct db_map key_map = DB_MAP(dashboard_key, key_cols);
static const struct db_col person_cols[] = {
	{ DB_COL_INT, offsetof(struct dashboard_key, key) },
	{ DB_COL_INT, offsetof(struct dashboard_key, n) },
	{ DB_COL_TEXT, offsetof(struct dashboard_key, name) },
};
static const struct db_map person_map = DB_MAP(dashboard_key, person_cols);

DB_SQL(sql_by_status, "SELECT t.status, COUNT(*) FROM tickets t WHERE " ALIVE
		      " GROUP BY t.status ORDER BY t.status");
DB_SQL(sql_by_priority, "SELECT t.priority, COUNT(*) FROM tickets t WHERE " UNRESOLVED
			" GROUP BY t.priority ORDER BY t.priority");
/* Grouped as tickets_unresolved is ordered: by assignee alone SQLite would read all tickets there
 * ever were, in the order of tickets_by_assignee. */
DB_SQL(sql_by_assignee,
       "SELECT n.assignee_id, n.tickets, u.name FROM (SELECT p.assignee_id,"
       " CAST(SUM(p.tickets) AS BIGINT) AS tickets FROM"
       " (SELECT t.priority, t.assignee_id, COUNT(*) AS tickets FROM tickets t WHERE " UNRESOLVED
       " GROUP BY t.priority, t.assignee_id) p GROUP BY p.assignee_id) n"
       " LEFT JOIN users u ON u.id = n.assignee_id ORDER BY n.tickets DESC, n.assignee_id");
/* Grouped for the same reason. */
DB_SQL(sql_overdue,
       "SELECT CAST(COALESCE(SUM(p.late), 0) AS BIGINT) FROM (SELECT t.priority,"
       " COUNT(CASE WHEN t.deadline_at < $1 THEN 1 END) AS late FROM tickets t WHERE " UNRESOLVED
       " GROUP BY t.priority) p");
DB_SQL(sql_breached, "SELECT COUNT(*) FROM tickets t WHERE " UNRESOLVED
		     " AND EXISTS (SELECT 1 FROM clocks k WHERE k.ticket_id = t.id"
		     " AND k.breached_at IS NOT NULL)");
DB_SQL(sql_created, "SELECT (t.created_at + $1) / 86400000, COUNT(*) FROM tickets t"
		    " WHERE t.created_at >= $2 AND " ALIVE
		    " GROUP BY (t.created_at + $1) / 86400000 ORDER BY 1");
DB_SQL(sql_resolved, "SELECT (t.resolved_at + $1) / 86400000, COUNT(*) FROM tickets t"
		     " WHERE t.resolved_at >= $2 AND " ALIVE
		     " GROUP BY (t.resolved_at + $1) / 86400000 ORDER BY 1");
DB_SQL(sql_first_response, "SELECT t.first_response_at - t.created_at FROM tickets t"
			   " WHERE t.created_at >= $1 AND t.first_response_at IS NOT NULL"
			   " AND " ALIVE " ORDER BY t.created_at DESC LIMIT $2");
DB_SQL(sql_resolution,
       "SELECT t.resolved_at - t.created_at FROM tickets t"
       " WHERE t.resolved_at >= $1 AND " ALIVE " ORDER BY t.resolved_at DESC LIMIT $2");

int dashboard_counts(struct db_conn *c, int64_t now_ms, struct arena *a, struct dashboard *d,
		     struct md_err *err)
{
	int rc = db_all(c, &sql_by_status, DB_NONE, &status_map, GROUPS_MAX, a, &d->by_status,
			&d->n_status, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_by_priority, DB_NONE, &key_map, GROUPS_MAX, a, &d->by_priority,
			    &d->n_priority, err);
	if (rc == MD_OK)
		rc = db_all(c, &sql_by_assignee, DB_NONE, &person_map, GROUPS_MAX, a,
			    &d->by_assignee, &d->n_assignee, err);
	if (rc == MD_OK)
		rc = db_int(c, &sql_overdue, DB_ARGS(DB_INT(now_ms)), &d->overdue, err);
	if (rc == MD_OK)
		rc = db_int(c, &sql_breached, DB_NONE, &d->breached, err);
	return rc;
}

static int get_days(struct db_conn *c, int64_t since_ms, int64_t offset_ms, struct arena *a,
		    struct dashboard *d, struct md_err *err)
{
	int rc = db_all(c, &sql_created, DB_ARGS(DB_INT(offset_ms), DB_INT(since_ms)), &key_map,
			GROUPS_MAX, a, &d->created_by_day, &d->n_created, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_resolved, DB_ARGS(DB_INT(offset_ms), DB_INT(since_ms)),
			    &key_map, GROUPS_MAX, a, &d->resolved_by_day, &d->n_resolved, err);
	return rc;
}

int dashboard_get(struct db_conn *c, int64_t now_ms, int64_t since_ms, int64_t offset_ms,
		  struct arena *a, struct dashboard *ret, struct md_err *err)
{
	const struct db_arg sample[] = { DB_INT(since_ms), DB_INT(DASHBOARD_SAMPLE) };
	const struct db_args args = { sample, 2 };
	struct dashboard d = { 0 };
	int rc = dashboard_counts(c, now_ms, a, &d, err);

	if (rc == MD_OK)
		rc = get_days(c, since_ms, offset_ms, a, &d, err);
	if (rc == MD_OK)
		rc = db_all(c, &sql_first_response, args, &db_map_int, DASHBOARD_SAMPLE, a,
			    &d.first_response_ms, &d.n_first_response, err);
	if (rc == MD_OK)
		rc = db_all(c, &sql_resolution, args, &db_map_int, DASHBOARD_SAMPLE, a,
			    &d.resolution_ms, &d.n_resolution, err);
	for (size_t i = 0; rc == MD_OK && i < d.n_assignee; i++)
		if (d.by_assignee[i].key == 0)
			d.unassigned = d.by_assignee[i].n;
	if (rc == MD_OK)
		*ret = d;
	return rc;
}

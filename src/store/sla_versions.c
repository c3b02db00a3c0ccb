#include <maildesk/store/sla_versions.h>

static const struct db_col version_cols[] = {
	{ DB_COL_INT, offsetof(struct sla_version_row, id) },
	{ DB_COL_INT, offsetof(struct sla_version_row, since_at) },
	{ DB_COL_TEXT, offsetof(struct sla_version_row, definition) },
};
static const struct db_map version_map = DB_MAP(sla_version_row, version_cols);

DB_SQL(sql_add, "INSERT INTO sla_versions (id, since_at, definition) VALUES ($1, $2, $3)");
DB_SQL(sql_list, "SELECT v.id, v.since_at, v.definition FROM sla_versions v ORDER BY v.id DESC"
		 " LIMIT $1");
/* By the index clocks_live. */
DB_SQL(sql_stragglers, "SELECT k.ticket_id FROM clocks k WHERE k.state IN ('running', 'paused')"
		       " AND k.sla_version < $1 ORDER BY k.sla_version, k.ticket_id LIMIT $2");

DB_SQL(sql_mark, "UPDATE clocks SET sla_version = $1 WHERE ticket_id = $2 AND sla_version < $1"
		 " AND state IN ('running', 'paused')");

int sla_version_add(struct db_conn *c, const char *definition, int64_t since_ms, int64_t *ret_id,
		    struct md_err *err)
{
	int rc = db_new_id(c, "sla_versions", ret_id, err);

	return rc == MD_OK
		       ? db_insert(c, &sql_add,
				   DB_ARGS(DB_INT(*ret_id), DB_INT(since_ms), DB_TEXT(definition)),
				   err)
		       : rc;
}

int sla_version_list(struct db_conn *c, size_t limit, struct arena *a, struct sla_version_row **ret,
		     size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT((int64_t)limit)), &version_map, limit, a, ret,
		      ret_n, err);
}

int sla_version_stragglers(struct db_conn *c, int64_t version, size_t limit, struct arena *a,
			   int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_stragglers, DB_ARGS(DB_INT(version), DB_INT((int64_t)limit)),
		      &db_map_int, limit, a, ret, ret_n, err);
}

int sla_version_mark(struct db_conn *c, int64_t ticket, int64_t version, struct md_err *err)
{
	return db_exec(c, &sql_mark, DB_ARGS(DB_INT(version), DB_INT(ticket)), NULL, err);
}

#include <maildesk/store/leases.h>

#include <string.h>

enum { LEASES_MAX = 100000 };

/* An end further away than any lease is long: the database's clock was put back. */
#define IS_FREE(longest) "(leases.held_until <= {NOW} OR leases.held_until > {NOW} + " longest ")"

DB_SQL(sql_take, "INSERT INTO leases (name, holder, fence, held_until)"
		 " VALUES ($1, $2, 1, {NOW} + $3) ON CONFLICT (name) DO UPDATE"
		 " SET fence = leases.fence"
		 " + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END,"
		 " holder = excluded.holder, held_until = excluded.held_until"
		 " WHERE leases.holder = excluded.holder OR " IS_FREE("$4") " RETURNING fence");
DB_SQL(sql_renew, "UPDATE leases SET held_until = {NOW} + $1 WHERE holder = $2 AND held_until > 0");
DB_SQL(sql_check, "SELECT l.fence FROM leases l WHERE l.name = $1 AND l.holder = $2"
		  " AND l.fence = $3");
DB_SQL(sql_release, "UPDATE leases SET held_until = 0 WHERE name = $1 AND holder = $2");
DB_SQL(sql_release_all, "UPDATE leases SET held_until = 0 WHERE holder = $1");
DB_SQL(sql_list, "SELECT leases.name, leases.holder, leases.fence,"
		 " CASE WHEN " IS_FREE("$1") " THEN 0 ELSE leases.held_until - {NOW} END"
					     " FROM leases ORDER BY leases.name");
DB_SQL(sql_forget, "DELETE FROM leases WHERE substr(name, 1, $1) = $2 AND held_until < {NOW} - $3");
DB_SQL(sql_now, "SELECT {NOW}");

static const struct db_col lease_cols[] = {
	{ DB_COL_TEXT, offsetof(struct lease, name) },
	{ DB_COL_TEXT, offsetof(struct lease, holder) },
	{ DB_COL_INT, offsetof(struct lease, fence) },
	{ DB_COL_INT, offsetof(struct lease, left_ms) },
};
static const struct db_map lease_map = DB_MAP(lease, lease_cols);

int lease_take(struct db_conn *c, const char *name, const char *holder, int64_t ttl_ms,
	       int64_t *ret_fence, struct md_err *err)
{
	int rc = db_int(c, &sql_take,
			DB_ARGS(DB_TEXT(name), DB_TEXT(holder), DB_INT(ttl_ms),
				DB_INT(LEASE_MAX_MS)),
			ret_fence, err);

	return rc == MD_NOTFOUND ? md_fail(err, MD_CONFLICT, 0, "%s: another has it", name) : rc;
}

int lease_renew(struct db_conn *c, const char *holder, int64_t ttl_ms, struct md_err *err)
{
	return db_exec(c, &sql_renew, DB_ARGS(DB_INT(ttl_ms), DB_TEXT(holder)), NULL, err);
}

int lease_check(struct db_conn *c, const char *name, const char *holder, int64_t fence,
		struct md_err *err)
{
	int64_t found;
	int rc = db_int(c, &sql_check, DB_ARGS(DB_TEXT(name), DB_TEXT(holder), DB_INT(fence)),
			&found, err);

	return rc == MD_NOTFOUND ? md_fail(err, MD_CONFLICT, 0, "%s: another has taken it", name)
				 : rc;
}

int lease_release(struct db_conn *c, const char *name, const char *holder, struct md_err *err)
{
	return db_exec(c, &sql_release, DB_ARGS(DB_TEXT(name), DB_TEXT(holder)), NULL, err);
}

int lease_release_all(struct db_conn *c, const char *holder, struct md_err *err)
{
	return db_exec(c, &sql_release_all, DB_ARGS(DB_TEXT(holder)), NULL, err);
}

int lease_list(struct db_conn *c, struct arena *a, struct lease **ret, size_t *ret_n,
	       struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(LEASE_MAX_MS)), &lease_map, LEASES_MAX, a, ret,
		      ret_n, err);
}

int lease_forget(struct db_conn *c, const char *prefix, struct md_err *err)
{
	return db_exec(c, &sql_forget,
		       DB_ARGS(DB_INT((int64_t)strlen(prefix)), DB_TEXT(prefix),
			       DB_INT(LEASE_MAX_MS)),
		       NULL, err);
}

int lease_now(struct db_conn *c, int64_t *ret_ms, struct md_err *err)
{
	return db_int(c, &sql_now, DB_NONE, ret_ms, err);
}

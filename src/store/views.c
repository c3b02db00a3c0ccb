#include <maildesk/store/views.h>

enum { VIEWS_MAX = 1000, VIEWERS_MAX = 200 };

#define VIEW_COLUMNS "v.id, v.user_id, v.name, v.query, v.shared FROM saved_views v"
static const struct db_col view_cols[] = {
	{ DB_COL_INT, offsetof(struct saved_view, id) },
	{ DB_COL_INT, offsetof(struct saved_view, user_id) },
	{ DB_COL_TEXT, offsetof(struct saved_view, name) },
	{ DB_COL_TEXT, offsetof(struct saved_view, query) },
	{ DB_COL_BOOL, offsetof(struct saved_view, shared) },
};
static const struct db_map view_map = DB_MAP(saved_view, view_cols);
static const struct db_col viewing_cols[] = {
	{ DB_COL_INT, offsetof(struct viewing, user) },
	{ DB_COL_INT, offsetof(struct viewing, until_at) },
	{ DB_COL_TEXT, offsetof(struct viewing, name) },
	{ DB_COL_TEXT, offsetof(struct viewing, role) },
};
static const struct db_map viewing_map = DB_MAP(viewing, viewing_cols);

DB_SQL(sql_list, "SELECT " VIEW_COLUMNS " WHERE v.user_id = $1 OR v.shared = 1"
		 " ORDER BY v.name, v.id");
DB_SQL(sql_get, "SELECT " VIEW_COLUMNS " WHERE v.id = $1 AND (v.user_id = $2 OR v.shared = 1)");
DB_SQL(sql_taken, "SELECT COUNT(*) FROM saved_views WHERE user_id = $1 AND name = $2 AND id <> $3");
DB_SQL(sql_add, "INSERT INTO saved_views (user_id, name, query, shared) VALUES ($1, $2, $3, $4)"
		" RETURNING id");
DB_SQL(sql_save, "UPDATE saved_views SET name = $1, query = $2, shared = $3 WHERE id = $4");
DB_SQL(sql_remove, "DELETE FROM saved_views WHERE id = $1");
DB_SQL(sql_told, "SELECT g.told_at FROM viewing g WHERE g.ticket_id = $1 AND g.user_id = $2 AND "
		 "g.until_at > $3");
DB_SQL(sql_put,
       "INSERT INTO viewing (ticket_id, user_id, until_at, told_at) VALUES ($1, $2, $3, $4)"
       " ON CONFLICT (ticket_id, user_id) DO UPDATE SET until_at = excluded.until_at,"
       " told_at = excluded.told_at");
DB_SQL(sql_viewing, "SELECT g.user_id, g.until_at, u.name, u.role FROM viewing g"
		    " JOIN users u ON u.id = g.user_id WHERE g.ticket_id = $1 AND g.until_at > $2"
		    " ORDER BY g.user_id");
DB_SQL(sql_purge, "DELETE FROM viewing WHERE until_at <= $1");

int saved_view_list(struct db_conn *c, int64_t user, struct arena *a, struct saved_view **ret,
		    size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(user)), &view_map, VIEWS_MAX, a, ret, ret_n,
		      err);
}

int saved_view_get(struct db_conn *c, int64_t id, int64_t user, struct arena *a,
		   struct saved_view *ret, struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id), DB_INT(user)), &view_map, a, ret, err);
}

int saved_view_save(struct db_conn *c, struct saved_view *v, struct md_err *err)
{
	int64_t n;
	int rc = db_int(c, &sql_taken, DB_ARGS(DB_INT(v->user_id), DB_TEXT(v->name), DB_INT(v->id)),
			&n, err);

	if (rc == MD_OK && n)
		return md_fail(err, MD_CONFLICT, 0, "there is a view \"%s\"; the name is taken",
			       v->name);
	if (rc != MD_OK)
		return rc;
	if (!v->id)
		return db_int(c, &sql_add,
			      DB_ARGS(DB_INT(v->user_id), DB_TEXT(v->name), DB_TEXT(v->query),
				      DB_INT(v->shared)),
			      &v->id, err);
	return db_exec(c, &sql_save,
		       DB_ARGS(DB_TEXT(v->name), DB_TEXT(v->query), DB_INT(v->shared),
			       DB_INT(v->id)),
		       NULL, err);
}

int saved_view_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	return db_exec(c, &sql_remove, DB_ARGS(DB_INT(id)), NULL, err);
}

int viewing_told(struct db_conn *c, int64_t ticket, int64_t user, int64_t now_ms,
		 int64_t *ret_told_at, struct md_err *err)
{
	int rc = db_int(c, &sql_told, DB_ARGS(DB_INT(ticket), DB_INT(user), DB_INT(now_ms)),
			ret_told_at, err);

	if (rc == MD_NOTFOUND)
		*ret_told_at = 0;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int viewing_put(struct db_conn *c, int64_t ticket, int64_t user, int64_t until_ms, int64_t told_ms,
		struct md_err *err)
{
	return db_exec(c, &sql_put,
		       DB_ARGS(DB_INT(ticket), DB_INT(user), DB_INT(until_ms), DB_INT(told_ms)),
		       NULL, err);
}

int viewing_list(struct db_conn *c, int64_t ticket, int64_t now_ms, struct arena *a,
		 struct viewing **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_viewing, DB_ARGS(DB_INT(ticket), DB_INT(now_ms)), &viewing_map,
		      VIEWERS_MAX, a, ret, ret_n, err);
}

int viewing_purge(struct db_conn *c, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_purge, DB_ARGS(DB_INT(now_ms)), NULL, err);
}

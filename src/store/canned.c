#include <maildesk/store/canned.h>

enum { LIST_MAX = 1000 };

#define CANNED_COLUMNS "id, name, body, commands, tags FROM canned_replies"
static const struct db_col canned_cols[] = {
	{ DB_COL_INT, offsetof(struct canned, id) },
	{ DB_COL_TEXT, offsetof(struct canned, name) },
	{ DB_COL_TEXT, offsetof(struct canned, body) },
	{ DB_COL_TEXT, offsetof(struct canned, commands) },
	{ DB_COL_TEXT, offsetof(struct canned, tags) },
};
static const struct db_map canned_map = DB_MAP(canned, canned_cols);

DB_SQL(sql_add, "INSERT INTO canned_replies (name, body, commands, tags) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT DO NOTHING RETURNING id");
DB_SQL(sql_taken, "SELECT COUNT(*) FROM canned_replies WHERE name = $1 AND id <> $2");
DB_SQL(sql_save, "UPDATE canned_replies SET name = $1, body = $2, commands = $3, tags = $4"
		 " WHERE id = $5");
DB_SQL(sql_remove, "DELETE FROM canned_replies WHERE id = $1");
DB_SQL(sql_get, "SELECT " CANNED_COLUMNS " WHERE id = $1");
DB_SQL(sql_by_name, "SELECT " CANNED_COLUMNS " WHERE name = $1");
DB_SQL(sql_list, "SELECT " CANNED_COLUMNS " ORDER BY name");

static int name_taken(const struct canned *r, struct md_err *err)
{
	return md_fail(err, MD_CONFLICT, 0, "there is a canned reply \"%s\"", r->name);
}

int canned_add(struct db_conn *c, const struct canned *r, int64_t *ret_id, struct md_err *err)
{
	int rc = db_int(c, &sql_add,
			DB_ARGS(DB_TEXT(r->name), DB_TEXT(r->body), DB_TEXT(r->commands),
				DB_TEXT(r->tags)),
			ret_id, err);

	return rc == MD_NOTFOUND ? name_taken(r, err) : rc;
}

int canned_save(struct db_conn *c, const struct canned *r, struct md_err *err)
{
	int64_t n = 0;
	int rc = db_int(c, &sql_taken, DB_ARGS(DB_TEXT(r->name), DB_INT(r->id)), &n, err);

	if (rc == MD_OK && n)
		return name_taken(r, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_save,
			     DB_ARGS(DB_TEXT(r->name), DB_TEXT(r->body), DB_TEXT(r->commands),
				     DB_TEXT(r->tags), DB_INT(r->id)),
			     &n, err);
	if (rc == MD_OK && n == 0)
		return md_fail(err, MD_NOTFOUND, 0, "no such canned reply");
	return rc;
}

int canned_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	int64_t n = 0;
	int rc = db_exec(c, &sql_remove, DB_ARGS(DB_INT(id)), &n, err);

	return rc == MD_OK && n == 0 ? md_fail(err, MD_NOTFOUND, 0, "no such canned reply") : rc;
}

int canned_get(struct db_conn *c, int64_t id, struct arena *a, struct canned *ret,
	       struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &canned_map, a, ret, err);
}

int canned_by_name(struct db_conn *c, const char *name, struct arena *a, struct canned *ret,
		   struct md_err *err)
{
	return db_one(c, &sql_by_name, DB_ARGS(DB_TEXT(name)), &canned_map, a, ret, err);
}

int canned_list(struct db_conn *c, struct arena *a, struct canned **ret, size_t *ret_n,
		struct md_err *err)
{
	return db_all(c, &sql_list, DB_NONE, &canned_map, LIST_MAX, a, ret, ret_n, err);
}

#include <maildesk/store/api_keys.h>

enum { KEYS_MAX = 10000 };

#define KEY_COLUMNS                                                                     \
	"k.id, k.user_id, k.name, k.scopes, k.created_at, k.expires_at, k.last_used_at" \
	" FROM api_keys k"
static const struct db_col key_cols[] = {
	{ DB_COL_INT, offsetof(struct api_key, id) },
	{ DB_COL_INT, offsetof(struct api_key, user_id) },
	{ DB_COL_TEXT, offsetof(struct api_key, name) },
	{ DB_COL_TEXT, offsetof(struct api_key, scopes) },
	{ DB_COL_INT, offsetof(struct api_key, created_at) },
	{ DB_COL_INT, offsetof(struct api_key, expires_at) },
	{ DB_COL_INT, offsetof(struct api_key, last_used_at) },
};
static const struct db_map key_map = DB_MAP(api_key, key_cols);

DB_SQL(sql_add, "INSERT INTO api_keys (user_id, name, key_hash, scopes, created_at, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) RETURNING id");
DB_SQL(sql_find, "SELECT " KEY_COLUMNS " WHERE k.key_hash = $1");
DB_SQL(sql_get, "SELECT " KEY_COLUMNS " WHERE k.id = $1");
DB_SQL(sql_save, "UPDATE api_keys SET name = $1, scopes = $2, expires_at = $3 WHERE id = $4");
DB_SQL(sql_list, "SELECT " KEY_COLUMNS " ORDER BY k.id");
DB_SQL(sql_remove, "DELETE FROM api_keys WHERE id = $1");
DB_SQL(sql_is_good, "SELECT k.id FROM api_keys k WHERE k.id = $1"
		    " AND (k.expires_at IS NULL OR k.expires_at > $2)");
DB_SQL(sql_used, "UPDATE api_keys SET last_used_at = $1 WHERE id = $2");

int api_key_add(struct db_conn *c, const struct api_key *k, const char *hash, int64_t *ret_id,
		struct md_err *err)
{
	return db_int(c, &sql_add,
		      DB_ARGS(DB_INT(k->user_id), DB_TEXT(k->name), DB_TEXT(hash),
			      DB_TEXT(k->scopes), DB_INT(k->created_at), DB_ID(k->expires_at)),
		      ret_id, err);
}

int api_key_find(struct db_conn *c, const char *hash, struct arena *a, struct api_key *ret,
		 struct md_err *err)
{
	return db_one(c, &sql_find, DB_ARGS(DB_TEXT(hash)), &key_map, a, ret, err);
}

int api_key_get(struct db_conn *c, int64_t id, struct arena *a, struct api_key *ret,
		struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &key_map, a, ret, err);
}

int api_key_save(struct db_conn *c, const struct api_key *k, struct md_err *err)
{
	return db_exec(c, &sql_save,
		       DB_ARGS(DB_TEXT(k->name), DB_TEXT(k->scopes), DB_ID(k->expires_at),
			       DB_INT(k->id)),
		       NULL, err);
}

int api_key_list(struct db_conn *c, struct arena *a, struct api_key **ret, size_t *ret_n,
		 struct md_err *err)
{
	return db_all(c, &sql_list, DB_NONE, &key_map, KEYS_MAX, a, ret, ret_n, err);
}

int api_key_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_remove, DB_ARGS(DB_INT(id)), &changed, err);

	return rc == MD_OK && changed == 0 ? md_fail(err, MD_NOTFOUND, 0, "no such key") : rc;
}

int api_key_is_good(struct db_conn *c, int64_t id, int64_t now_ms, bool *ret, struct md_err *err)
{
	int64_t found;
	int rc = db_int(c, &sql_is_good, DB_ARGS(DB_INT(id), DB_INT(now_ms)), &found, err);

	*ret = rc == MD_OK;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int api_key_used(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_used, DB_ARGS(DB_INT(now_ms), DB_INT(id)), NULL, err);
}

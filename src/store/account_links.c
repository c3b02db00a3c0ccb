#include <maildesk/store/account_links.h>

#include "query.h"

enum { KEPT_MS = 86400000 };

static const struct db_col link_cols[] = {
	{ DB_COL_INT, offsetof(struct account_link, id) },
	{ DB_COL_TEXT, offsetof(struct account_link, kind) },
	{ DB_COL_TEXT, offsetof(struct account_link, email) },
	{ DB_COL_INT, offsetof(struct account_link, user_id) },
	{ DB_COL_TEXT, offsetof(struct account_link, name) },
	{ DB_COL_TEXT, offsetof(struct account_link, locale) },
	{ DB_COL_TEXT, offsetof(struct account_link, password_hash) },
	{ DB_COL_TEXT, offsetof(struct account_link, token_hash) },
	{ DB_COL_INT, offsetof(struct account_link, created_at) },
	{ DB_COL_INT, offsetof(struct account_link, expires_at) },
	{ DB_COL_INT, offsetof(struct account_link, used_at) },
};
static const struct db_map link_map = DB_MAP(account_link, link_cols);

DB_SQL(sql_purge, "DELETE FROM account_links WHERE expires_at < $1");
DB_SQL(sql_add,
       "INSERT INTO account_links (kind, email, user_id, name, locale, password_hash, token_hash,"
       " created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
DB_SQL(sql_count, QUERY_COUNT_BEGIN " FROM account_links l WHERE l.email = $1"
				    " AND l.created_at > $2" QUERY_COUNT_END);
DB_SQL(sql_find, "SELECT l.id, l.kind, l.email, l.user_id, l.name, l.locale, l.password_hash,"
		 " l.token_hash, l.created_at, l.expires_at, l.used_at FROM account_links l"
		 " WHERE l.token_hash = $1 AND l.kind = $2");
DB_SQL(sql_use, "UPDATE account_links SET used_at = $1 WHERE id = $2 AND used_at IS NULL");
DB_SQL(sql_end_user,
       "UPDATE account_links SET used_at = $1 WHERE user_id = $2 AND used_at IS NULL");

int account_link_add(struct db_conn *c, const struct account_link *l, struct md_err *err)
{
	int rc = db_exec(c, &sql_purge, DB_ARGS(DB_INT(l->created_at - KEPT_MS)), NULL, err);

	return rc == MD_OK ? db_exec(c, &sql_add,
				     DB_ARGS(DB_TEXT(l->kind), DB_TEXT(l->email), DB_ID(l->user_id),
					     DB_TEXT(l->name), DB_TEXT(l->locale),
					     DB_TEXT(l->password_hash), DB_TEXT(l->token_hash),
					     DB_INT(l->created_at), DB_INT(l->expires_at)),
				     NULL, err)
			   : rc;
}

int account_link_count(struct db_conn *c, const char *email, int64_t since_ms, int64_t *ret,
		       struct md_err *err)
{
	return db_int(c, &sql_count, DB_ARGS(DB_TEXT(email), DB_INT(since_ms)), ret, err);
}

int account_link_find(struct db_conn *c, const char *kind, const char *token_hash, struct arena *a,
		      struct account_link *ret, struct md_err *err)
{
	return db_one(c, &sql_find, DB_ARGS(DB_TEXT(token_hash), DB_TEXT(kind)), &link_map, a, ret,
		      err);
}

int account_link_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_use, DB_ARGS(DB_INT(now_ms), DB_INT(id)), &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "the link was used before");
	return rc;
}

int account_link_end_user(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_end_user, DB_ARGS(DB_INT(now_ms), DB_INT(user)), NULL, err);
}

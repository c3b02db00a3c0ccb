#include <maildesk/store/sessions.h>

static const struct db_col session_cols[] = {
	{ DB_COL_INT, offsetof(struct session_row, id) },
	{ DB_COL_INT, offsetof(struct session_row, user_id) },
	{ DB_COL_TEXT, offsetof(struct session_row, family) },
	{ DB_COL_TEXT, offsetof(struct session_row, token_hash) },
	{ DB_COL_TEXT, offsetof(struct session_row, user_agent) },
	{ DB_COL_INT, offsetof(struct session_row, created_at) },
	{ DB_COL_INT, offsetof(struct session_row, expires_at) },
	{ DB_COL_INT, offsetof(struct session_row, used_at) },
	{ DB_COL_INT, offsetof(struct session_row, revoked_at) },
};
static const struct db_map session_map = DB_MAP(session_row, session_cols);

DB_SQL(sql_add, "INSERT INTO refresh_tokens (user_id, family, token_hash, user_agent,"
		" created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)");
DB_SQL(sql_purge, "DELETE FROM refresh_tokens WHERE user_id = $1 AND expires_at < $2");
DB_SQL(sql_list, "SELECT s.family, MIN(s.user_agent), MIN(s.created_at), MAX(s.created_at),"
		 " MAX(s.expires_at) FROM refresh_tokens s WHERE s.user_id = $1"
		 " GROUP BY s.family HAVING MAX(s.revoked_at) IS NULL AND MAX(s.expires_at) > $2"
		 " ORDER BY MAX(s.created_at) DESC, s.family");
DB_SQL(sql_end_own, "UPDATE refresh_tokens SET revoked_at = $1"
		    " WHERE user_id = $2 AND family = $3 AND revoked_at IS NULL");
DB_SQL(sql_end_others, "UPDATE refresh_tokens SET revoked_at = $1"
		       " WHERE user_id = $2 AND family <> $3 AND revoked_at IS NULL");
DB_SQL(sql_find,
       "SELECT s.id, s.user_id, s.family, s.token_hash, s.user_agent, s.created_at, s.expires_at,"
       " s.used_at, s.revoked_at FROM refresh_tokens s WHERE s.token_hash = $1");
DB_SQL(sql_use, "UPDATE refresh_tokens SET used_at = $1"
		" WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL");
DB_SQL(sql_end_family, "UPDATE refresh_tokens SET revoked_at = $1"
		       " WHERE family = $2 AND revoked_at IS NULL");
DB_SQL(sql_end_user, "UPDATE refresh_tokens SET revoked_at = $1"
		     " WHERE user_id = $2 AND revoked_at IS NULL");

int session_add(struct db_conn *c, const struct session_row *s, struct md_err *err)
{
	int rc = db_exec(c, &sql_purge, DB_ARGS(DB_INT(s->user_id), DB_INT(s->created_at)), NULL,
			 err);

	return rc == MD_OK ? db_exec(c, &sql_add,
				     DB_ARGS(DB_INT(s->user_id), DB_TEXT(s->family),
					     DB_TEXT(s->token_hash), DB_TEXT(s->user_agent),
					     DB_INT(s->created_at), DB_INT(s->expires_at)),
				     NULL, err)
			   : rc;
}

int session_find(struct db_conn *c, const char *token_hash, struct arena *a,
		 struct session_row *ret, struct md_err *err)
{
	return db_one(c, &sql_find, DB_ARGS(DB_TEXT(token_hash)), &session_map, a, ret, err);
}

int session_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_use, DB_ARGS(DB_INT(now_ms), DB_INT(id)), &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "the token was used or revoked before");
	return rc;
}

int session_end_family(struct db_conn *c, const char *family, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_end_family, DB_ARGS(DB_INT(now_ms), DB_TEXT(family)), NULL, err);
}

int session_end_user(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_end_user, DB_ARGS(DB_INT(now_ms), DB_INT(user)), NULL, err);
}

static const struct db_col summary_cols[] = {
	{ DB_COL_TEXT, offsetof(struct session_summary, family) },
	{ DB_COL_TEXT, offsetof(struct session_summary, user_agent) },
	{ DB_COL_INT, offsetof(struct session_summary, created_at) },
	{ DB_COL_INT, offsetof(struct session_summary, last_used_at) },
	{ DB_COL_INT, offsetof(struct session_summary, expires_at) },
};
static const struct db_map summary_map = DB_MAP(session_summary, summary_cols);
enum { SESSIONS_MAX = 1000 };

int session_list(struct db_conn *c, int64_t user, int64_t now_ms, struct arena *a,
		 struct session_summary **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(user), DB_INT(now_ms)), &summary_map,
		      SESSIONS_MAX, a, ret, ret_n, err);
}

int session_end_own(struct db_conn *c, int64_t user, const char *family, int64_t now_ms,
		    struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_end_own, DB_ARGS(DB_INT(now_ms), DB_INT(user), DB_TEXT(family)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "no such session");
	return rc;
}

int session_end_others(struct db_conn *c, int64_t user, const char *family, int64_t now_ms,
		       struct md_err *err)
{
	return db_exec(c, &sql_end_others, DB_ARGS(DB_INT(now_ms), DB_INT(user), DB_TEXT(family)),
		       NULL, err);
}

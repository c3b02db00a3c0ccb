#include <maildesk/store/kept.h>

static const struct db_col kept_cols[] = {
	{ DB_COL_BLOB, offsetof(struct kept_answer, body_mac) },
	{ DB_COL_INT, offsetof(struct kept_answer, made_id) },
	{ DB_COL_BLOB, offsetof(struct kept_answer, answer) },
};
static const struct db_map kept_map = DB_MAP(kept_answer, kept_cols);

/* An old row nobody purged yet is written over. */
DB_SQL(sql_begin, "INSERT INTO kept_answers (request, body_mac, kept_at) VALUES ($1, $2, $3)"
		  " ON CONFLICT (request) DO UPDATE SET body_mac = excluded.body_mac,"
		  " kept_at = excluded.kept_at, made_id = NULL, answer = NULL"
		  " WHERE kept_answers.kept_at <= $4");
DB_SQL(sql_made, "UPDATE kept_answers SET made_id = $1 WHERE request = $2");
DB_SQL(sql_put, "INSERT INTO kept_answers (request, body_mac, answer, kept_at)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (request) DO UPDATE SET"
		" body_mac = excluded.body_mac, answer = excluded.answer");
DB_SQL(sql_get, "SELECT body_mac, made_id, answer FROM kept_answers"
		" WHERE request = $1 AND kept_at > $2");
DB_SQL(sql_purge, "DELETE FROM kept_answers WHERE kept_at <= $1");

int kept_begin(struct db_conn *c, const char *request, const void *body_mac, size_t n,
	       int64_t now_ms, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_begin,
			 DB_ARGS(DB_TEXT(request), DB_BLOB(body_mac, n), DB_INT(now_ms),
				 DB_INT(now_ms - KEPT_MS)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "this request was made already");
	return rc;
}

int kept_made(struct db_conn *c, const char *request, int64_t made_id, struct md_err *err)
{
	return db_exec(c, &sql_made, DB_ARGS(DB_INT(made_id), DB_TEXT(request)), NULL, err);
}

int kept_answer_put(struct db_conn *c, const char *request, const struct kept_answer *k,
		    int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_put,
		       DB_ARGS(DB_TEXT(request), DB_BLOB(k->body_mac.v, k->body_mac.n),
			       DB_BLOB(k->answer.v, k->answer.n), DB_INT(now_ms)),
		       NULL, err);
}

int kept_answer_get(struct db_conn *c, const char *request, int64_t now_ms, struct arena *a,
		    struct kept_answer *ret, struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_TEXT(request), DB_INT(now_ms - KEPT_MS)), &kept_map,
		      a, ret, err);
}

int kept_purge(struct db_conn *c, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_purge, DB_ARGS(DB_INT(now_ms - KEPT_MS)), NULL, err);
}

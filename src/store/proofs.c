#include <maildesk/store/proofs.h>

#include "query.h"

/* ---- signed addresses ---- */

static const struct db_col spent_cols[] = {
	{ DB_COL_TEXT, offsetof(struct spent_token, token) },
	{ DB_COL_INT, offsetof(struct spent_token, ran_at) },
	{ DB_COL_INT, offsetof(struct spent_token, dead_at) },
};
static const struct db_map spent_map = DB_MAP(spent_token, spent_cols);

DB_SQL(sql_spent_get, "SELECT s.token, s.ran_at, s.dead_at FROM spent_tokens s WHERE s.token = $1");
DB_SQL(sql_spent_ran, "INSERT INTO spent_tokens (token, ran_at) VALUES ($1, $2)"
		      " ON CONFLICT (token) DO UPDATE SET ran_at = excluded.ran_at");
DB_SQL(sql_spent_dead, "INSERT INTO spent_tokens (token, dead_at) VALUES ($1, $2)"
		       " ON CONFLICT (token) DO UPDATE SET dead_at = excluded.dead_at");

int spent_token_get(struct db_conn *c, const char *token, struct arena *a, struct spent_token *ret,
		    struct md_err *err)
{
	return db_one(c, &sql_spent_get, DB_ARGS(DB_TEXT(token)), &spent_map, a, ret, err);
}

int spent_token_put(struct db_conn *c, const char *token, bool dead, int64_t now_ms,
		    struct md_err *err)
{
	return db_exec(c, dead ? &sql_spent_dead : &sql_spent_ran,
		       DB_ARGS(DB_TEXT(token), DB_INT(now_ms)), NULL, err);
}

/* ---- confirmations ---- */

#define CONFIRMATION_COLUMNS                                                                 \
	"f.id, f.message_id, f.ticket_id, f.comment_id, f.user_id, f.mail_id, f.expires_at," \
	" f.used_at FROM confirmations f"
static const struct db_col confirmation_cols[] = {
	{ DB_COL_INT, offsetof(struct confirmation, id) },
	{ DB_COL_INT, offsetof(struct confirmation, message_id) },
	{ DB_COL_INT, offsetof(struct confirmation, ticket_id) },
	{ DB_COL_INT, offsetof(struct confirmation, comment_id) },
	{ DB_COL_INT, offsetof(struct confirmation, user_id) },
	{ DB_COL_TEXT, offsetof(struct confirmation, mail_id) },
	{ DB_COL_INT, offsetof(struct confirmation, expires_at) },
	{ DB_COL_INT, offsetof(struct confirmation, used_at) },
};
static const struct db_map confirmation_map = DB_MAP(confirmation, confirmation_cols);

DB_SQL(sql_confirmation_add,
       "INSERT INTO confirmations (message_id, ticket_id, comment_id, user_id, expires_at)"
       " VALUES ($1, $2, $3, $4, $5) RETURNING id");
DB_SQL(sql_confirmation_set_mail, "UPDATE confirmations SET mail_id = $1 WHERE id = $2");
DB_SQL(sql_confirmation_get, "SELECT " CONFIRMATION_COLUMNS " WHERE f.id = $1");
DB_SQL(sql_confirmation_by_mail, "SELECT " CONFIRMATION_COLUMNS " WHERE f.mail_id = $1");
DB_SQL(sql_confirmation_use,
       "UPDATE confirmations SET used_at = $1 WHERE id = $2 AND used_at IS NULL");

int confirmation_add(struct db_conn *c, const struct confirmation *f, int64_t *ret_id,
		     struct md_err *err)
{
	return db_int(c, &sql_confirmation_add,
		      DB_ARGS(DB_INT(f->message_id), DB_INT(f->ticket_id), DB_ID(f->comment_id),
			      DB_INT(f->user_id), DB_INT(f->expires_at)),
		      ret_id, err);
}

int confirmation_set_mail(struct db_conn *c, int64_t id, const char *mail_id, struct md_err *err)
{
	return db_exec(c, &sql_confirmation_set_mail, DB_ARGS(DB_TEXT(mail_id), DB_INT(id)), NULL,
		       err);
}

int confirmation_get(struct db_conn *c, int64_t id, struct arena *a, struct confirmation *ret,
		     struct md_err *err)
{
	return db_one(c, &sql_confirmation_get, DB_ARGS(DB_INT(id)), &confirmation_map, a, ret,
		      err);
}

int confirmation_by_mail(struct db_conn *c, const char *mail_id, struct arena *a,
			 struct confirmation *ret, struct md_err *err)
{
	return db_one(c, &sql_confirmation_by_mail, DB_ARGS(DB_TEXT(mail_id)), &confirmation_map, a,
		      ret, err);
}

int confirmation_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_confirmation_use, DB_ARGS(DB_INT(now_ms), DB_INT(id)), &changed,
			 err);

	return rc == MD_OK && changed == 0 ? md_fail(err, MD_CONFLICT, 0, "confirmed before") : rc;
}

/* ---- deliveries ---- */

DB_SQL(sql_delivery_add, "INSERT INTO delivery_events (address, kind, status, diagnostic,"
			 " message_id, original, at) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_delivery_soft, "SELECT COUNT(*) FROM delivery_events e WHERE e.address = $1"
			  " AND e.at >= $2 AND e.kind = 'bounce' AND e.status LIKE '4%'");

int delivery_event_add(struct db_conn *c, const struct delivery_event *e, struct md_err *err)
{
	return db_exec(c, &sql_delivery_add,
		       DB_ARGS(DB_TEXT(e->address), DB_TEXT(e->kind), DB_TEXT(e->status),
			       DB_TEXT(e->diagnostic), DB_INT(e->message_id), DB_TEXT(e->original),
			       DB_INT(e->at)),
		       NULL, err);
}

int delivery_count_soft(struct db_conn *c, const char *address, int64_t since_ms, int64_t *ret,
			struct md_err *err)
{
	return db_int(c, &sql_delivery_soft, DB_ARGS(DB_TEXT(address), DB_INT(since_ms)), ret, err);
}

/* ---- silences ---- */

DB_SQL(sql_silence_until, "SELECT s.until_at FROM silences s WHERE s.name = $1");
DB_SQL(sql_silence_put, "INSERT INTO silences (name, until_at) VALUES ($1, $2)"
			" ON CONFLICT (name) DO UPDATE SET until_at = excluded.until_at");

int silence_until(struct db_conn *c, const char *name, int64_t *ret_ms, struct md_err *err)
{
	int rc = db_int(c, &sql_silence_until, DB_ARGS(DB_TEXT(name)), ret_ms, err);

	if (rc != MD_NOTFOUND)
		return rc;
	*ret_ms = 0;
	return MD_OK;
}

int silence_put(struct db_conn *c, const char *name, int64_t until_ms, struct md_err *err)
{
	return db_exec(c, &sql_silence_put, DB_ARGS(DB_TEXT(name), DB_INT(until_ms)), NULL, err);
}

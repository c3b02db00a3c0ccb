#include <maildesk/store/otp.h>

enum { FACTORS_MAX = 10000 };

static const struct db_col otp_cols[] = {
	{ DB_COL_INT, offsetof(struct otp_row, user_id) },
	{ DB_COL_BLOB, offsetof(struct otp_row, secret) },
	{ DB_COL_INT, offsetof(struct otp_row, confirmed_at) },
	{ DB_COL_INT, offsetof(struct otp_row, last_step) },
};
static const struct db_map otp_map = DB_MAP(otp_row, otp_cols);

DB_SQL(sql_get, "SELECT o.user_id, o.secret, o.confirmed_at, o.last_step FROM user_otp o"
		" WHERE o.user_id = $1");
DB_SQL(sql_offer, "INSERT INTO user_otp (user_id, secret) VALUES ($1, $2)"
		  " ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0"
		  " WHERE user_otp.confirmed_at IS NULL");
DB_SQL(sql_confirm, "UPDATE user_otp SET confirmed_at = $1 WHERE user_id = $2");
DB_SQL(sql_spend, "UPDATE user_otp SET last_step = $1 WHERE user_id = $2 AND last_step < $1");
DB_SQL(sql_of_length, "SELECT o.user_id, o.secret, o.confirmed_at, o.last_step FROM user_otp o"
		      " WHERE length(o.secret) = $1 ORDER BY o.user_id");
DB_SQL(sql_replace, "UPDATE user_otp SET secret = $1 WHERE user_id = $2");
DB_SQL(sql_remove, "DELETE FROM user_otp WHERE user_id = $1");
DB_SQL(sql_remove_codes, "DELETE FROM recovery_codes WHERE user_id = $1");
DB_SQL(sql_add_code, "INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)");
DB_SQL(sql_spend_code, "UPDATE recovery_codes SET used_at = $1"
		       " WHERE user_id = $2 AND code_hash = $3 AND used_at IS NULL");

/* An UPDATE that has to find its row; else `code`. */
static int must_change(struct db_conn *c, const struct db_sql *sql, struct db_args args,
		       enum md_code code, const char *why, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, sql, args, &changed, err);

	return rc == MD_OK && changed == 0 ? md_fail(err, code, 0, "%s", why) : rc;
}

int otp_get(struct db_conn *c, int64_t user, struct arena *a, struct otp_row *ret,
	    struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(user)), &otp_map, a, ret, err);
}

int otp_offer(struct db_conn *c, int64_t user, const void *secret, size_t n, struct md_err *err)
{
	int rc = must_change(c, &sql_offer, DB_ARGS(DB_INT(user), DB_BLOB(secret, n)), MD_CONFLICT,
			     "there is a second factor already; remove it first", err);

	return rc == MD_OK ? db_exec(c, &sql_remove_codes, DB_ARGS(DB_INT(user)), NULL, err) : rc;
}

int otp_confirm(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_confirm, DB_ARGS(DB_INT(now_ms), DB_INT(user)), NULL, err);
}

int otp_spend(struct db_conn *c, int64_t user, int64_t step, struct md_err *err)
{
	return must_change(c, &sql_spend, DB_ARGS(DB_INT(step), DB_INT(user)), MD_CONFLICT,
			   "the code was used before", err);
}

int otp_remove(struct db_conn *c, int64_t user, struct md_err *err)
{
	int rc = db_exec(c, &sql_remove_codes, DB_ARGS(DB_INT(user)), NULL, err);

	return rc == MD_OK ? db_exec(c, &sql_remove, DB_ARGS(DB_INT(user)), NULL, err) : rc;
}

int otp_of_length(struct db_conn *c, size_t bytes, struct arena *a, struct otp_row **ret,
		  size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_of_length, DB_ARGS(DB_INT((int64_t)bytes)), &otp_map, FACTORS_MAX, a,
		      ret, ret_n, err);
}

int otp_replace(struct db_conn *c, int64_t user, const void *secret, size_t n, struct md_err *err)
{
	return db_exec(c, &sql_replace, DB_ARGS(DB_BLOB(secret, n), DB_INT(user)), NULL, err);
}

int recovery_code_add(struct db_conn *c, int64_t user, const char *hash, struct md_err *err)
{
	return db_exec(c, &sql_add_code, DB_ARGS(DB_INT(user), DB_TEXT(hash)), NULL, err);
}

int recovery_code_spend(struct db_conn *c, int64_t user, const char *hash, int64_t now_ms,
			struct md_err *err)
{
	return must_change(c, &sql_spend_code, DB_ARGS(DB_INT(now_ms), DB_INT(user), DB_TEXT(hash)),
			   MD_NOTFOUND, "no such recovery code", err);
}

#include <maildesk/store/mailboxes.h>

#include "query.h"

DB_SQL(sql_make, "INSERT INTO mailboxes (name) VALUES ($1) ON CONFLICT (name) DO NOTHING");
DB_SQL(sql_by_name, "SELECT b.id FROM mailboxes b WHERE b.name = $1");
DB_SQL(sql_get, "SELECT b.id, b.name, b.uidvalidity, b.last_uid, b.import_below FROM mailboxes b"
		" WHERE b.id = $1");
DB_SQL(sql_reset, "UPDATE mailboxes SET uidvalidity = $1, last_uid = $2, import_below = $3"
		  " WHERE id = $4");
DB_SQL(sql_forget, "DELETE FROM mailbox_uids WHERE mailbox_id = $1 AND uidvalidity <> $2");
DB_SQL(sql_advance, "UPDATE mailboxes SET last_uid = $1"
		    " WHERE id = $2 AND uidvalidity = $3 AND last_uid < $1");

static const struct db_col mailbox_cols[] = {
	{ DB_COL_INT, offsetof(struct mailbox_row, id) },
	{ DB_COL_TEXT, offsetof(struct mailbox_row, name) },
	{ DB_COL_INT, offsetof(struct mailbox_row, uidvalidity) },
	{ DB_COL_INT, offsetof(struct mailbox_row, last_uid) },
	{ DB_COL_INT, offsetof(struct mailbox_row, import_below) },
};
static const struct db_map mailbox_map = DB_MAP(mailbox_row, mailbox_cols);

int mailbox_ensure(struct db_conn *c, const char *name, int64_t *ret_id, struct md_err *err)
{
	int rc = db_int(c, &sql_by_name, DB_ARGS(DB_TEXT(name)), ret_id, err);

	if (rc != MD_NOTFOUND)
		return rc;
	rc = db_exec(c, &sql_make, DB_ARGS(DB_TEXT(name)), NULL, err);
	if (rc == MD_OK)
		rc = db_int(c, &sql_by_name, DB_ARGS(DB_TEXT(name)), ret_id, err);
	return rc;
}

int mailbox_get(struct db_conn *c, int64_t id, struct arena *a, struct mailbox_row *ret,
		struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &mailbox_map, a, ret, err);
}

int mailbox_reset(struct db_conn *c, int64_t id, int64_t uidvalidity, int64_t last_uid,
		  int64_t import_below, struct md_err *err)
{
	int rc = db_exec(c, &sql_reset,
			 DB_ARGS(DB_INT(uidvalidity), DB_INT(last_uid), DB_INT(import_below),
				 DB_INT(id)),
			 NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_forget, DB_ARGS(DB_INT(id), DB_INT(uidvalidity)), NULL, err);
	return rc;
}

int mailbox_advance(struct db_conn *c, int64_t id, int64_t uidvalidity, int64_t uid,
		    struct md_err *err)
{
	return db_exec(c, &sql_advance, DB_ARGS(DB_INT(uid), DB_INT(id), DB_INT(uidvalidity)), NULL,
		       err);
}

/* ---- orders ---- */

enum { ORDERS_MAX = 10000 };

static const struct db_col order_cols[] = {
	{ DB_COL_INT, offsetof(struct mailbox_order, mailbox) },
	{ DB_COL_BOOL, offsetof(struct mailbox_order, paused) },
	{ DB_COL_INT, offsetof(struct mailbox_order, polled_at) },
};
static const struct db_map order_map = DB_MAP(mailbox_order, order_cols);
DB_SQL(sql_orders, "SELECT o.mailbox_id, o.paused, o.polled_at FROM mailbox_orders o"
		   " ORDER BY o.mailbox_id");
DB_SQL(sql_pause, "INSERT INTO mailbox_orders (mailbox_id, paused) VALUES ($1, $2)"
		  " ON CONFLICT (mailbox_id) DO UPDATE SET paused = excluded.paused");
DB_SQL(sql_poll, "INSERT INTO mailbox_orders (mailbox_id, paused, polled_at) VALUES ($1, 0, $2)"
		 " ON CONFLICT (mailbox_id) DO UPDATE SET polled_at = excluded.polled_at"
		 " WHERE mailbox_orders.paused = 0");

int mailbox_orders(struct db_conn *c, struct arena *a, struct mailbox_order **ret, size_t *ret_n,
		   struct md_err *err)
{
	return db_all(c, &sql_orders, DB_NONE, &order_map, ORDERS_MAX, a, ret, ret_n, err);
}

int mailbox_pause(struct db_conn *c, int64_t id, bool paused, struct md_err *err)
{
	db_notify(c, DB_TOPIC_LEASES);
	return db_exec(c, &sql_pause, DB_ARGS(DB_INT(id), DB_INT(paused)), NULL, err);
}

int mailbox_poll(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	int64_t changed;
	int rc;

	db_notify(c, DB_TOPIC_LEASES);
	rc = db_exec(c, &sql_poll, DB_ARGS(DB_INT(id), DB_INT(now_ms)), &changed, err);
	return rc == MD_OK && !changed
		       ? md_fail(err, MD_CONFLICT, 0, "it is paused; resume it first")
		       : rc;
}

/* ---- mails under way ---- */

DB_SQL(sql_attempt,
       "INSERT INTO mailbox_uids (mailbox_id, uidvalidity, uid, attempts) VALUES ($1, $2, $3, 1)"
       " ON CONFLICT (mailbox_id, uidvalidity, uid) DO UPDATE"
       " SET attempts = mailbox_uids.attempts + 1 - mailbox_uids.done RETURNING attempts, done");
DB_SQL(sql_first_attempt, "INSERT INTO mailbox_uids (mailbox_id, uidvalidity, uid, attempts)"
			  " VALUES ($1, $2, $3, $4)");
DB_SQL(sql_set_attempts, "UPDATE mailbox_uids SET attempts = $1"
			 " WHERE mailbox_id = $2 AND uidvalidity = $3 AND uid = $4");
DB_SQL(sql_done, "INSERT INTO mailbox_uids (mailbox_id, uidvalidity, uid, done)"
		 " VALUES ($1, $2, $3, $4)"
		 " ON CONFLICT (mailbox_id, uidvalidity, uid) DO UPDATE SET done = 1");
DB_SQL(sql_unmarked, "SELECT x.uid FROM mailbox_uids x WHERE x.mailbox_id = $1"
		     " AND x.uidvalidity = $2 AND x.done = 1 ORDER BY x.uid LIMIT $3");

struct attempt {
	int64_t attempts;
	bool done;
};
static const struct db_col attempt_cols[] = {
	{ DB_COL_INT, offsetof(struct attempt, attempts) },
	{ DB_COL_BOOL, offsetof(struct attempt, done) },
};
static const struct db_map attempt_map = DB_MAP(attempt, attempt_cols);

int uid_attempt(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
		int64_t *ret_attempts, bool *ret_done, struct md_err *err)
{
	struct attempt at;
	int rc = db_one(c, &sql_attempt, DB_ARGS(DB_INT(mailbox), DB_INT(uidvalidity), DB_INT(uid)),
			&attempt_map, NULL, &at, err);

	if (rc == MD_OK) {
		*ret_attempts = at.attempts;
		*ret_done = at.done;
	}
	return rc;
}

static const struct db_col tried_cols[] = {
	{ DB_COL_INT, offsetof(struct uid_row, uid) },
	{ DB_COL_INT, offsetof(struct uid_row, attempts) },
	{ DB_COL_BOOL, offsetof(struct uid_row, done) },
};
static const struct db_map tried_map = DB_MAP(uid_row, tried_cols);

int uid_tried(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, const int64_t *uids,
	      size_t n, struct arena *a, struct uid_row **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(n, err);

	*ret_n = 0;
	if (rc != MD_OK || n == 0)
		return rc;
	query_add_arg(&q,
		      "SELECT x.uid, x.attempts, x.done FROM mailbox_uids x WHERE x.mailbox_id = ?",
		      DB_INT(mailbox));
	query_add_arg(&q, " AND x.uidvalidity = ?", DB_INT(uidvalidity));
	query_add_ints(&q, " AND x.uid IN ", uids, n);
	return query_all(&q, c, &tried_map, n, a, ret, ret_n, err);
}

int uid_first_attempt(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
		      struct md_err *err)
{
	return db_insert(c, &sql_first_attempt,
			 DB_ARGS(DB_INT(mailbox), DB_INT(uidvalidity), DB_INT(uid), DB_INT(1)),
			 err);
}

int uid_set_attempts(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
		     int64_t attempts, struct md_err *err)
{
	return db_exec(c, &sql_set_attempts,
		       DB_ARGS(DB_INT(attempts), DB_INT(mailbox), DB_INT(uidvalidity), DB_INT(uid)),
		       NULL, err);
}

int uid_done(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
	     struct md_err *err)
{
	return db_insert(c, &sql_done,
			 DB_ARGS(DB_INT(mailbox), DB_INT(uidvalidity), DB_INT(uid), DB_INT(1)),
			 err);
}

static int forget_some(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, const int64_t *uids,
		       size_t n, struct arena *a, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int64_t *none;

	query_add_arg(&q, "DELETE FROM mailbox_uids WHERE done = 1 AND mailbox_id = ?",
		      DB_INT(mailbox));
	query_add_arg(&q, " AND uidvalidity = ?", DB_INT(uidvalidity));
	query_add_ints(&q, " AND uid IN ", uids, n);
	return query_all(&q, c, &db_map_int, 1, a, &none, &n, err);
}

int uid_marked(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, const int64_t *uids,
	       size_t n, struct arena *a, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t at = 0; at < n && rc == MD_OK; at += QUERY_LIST_MAX)
		rc = forget_some(c, mailbox, uidvalidity, uids + at,
				 n - at < QUERY_LIST_MAX ? n - at : QUERY_LIST_MAX, a, err);
	return rc;
}

int uid_unmarked(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, size_t limit,
		 struct arena *a, int64_t **ret_uids, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_unmarked,
		      DB_ARGS(DB_INT(mailbox), DB_INT(uidvalidity), DB_INT((int64_t)limit)),
		      &db_map_int, limit, a, ret_uids, ret_n, err);
}

/* restore.c - a desk out of a backup: a move (transfer.c), and what has to change in a desk that
 * wakes up some time later than it went to sleep. */
#include <maildesk/store/backup.h>

#include "db_driver.h"
#include "transfer_page.h"
#include "transfer_way.h"

#include <maildesk/store/audit.h>
#include <maildesk/store/schema.h>

/* Who is told why a mail waits: shown where its last answer would be. */
#define HELD_WHY "held: the desk was restored from a backup, it may have been sent since"

DB_SQL(sql_hold, "UPDATE outbox SET state = 'held', holder = NULL, last_reply = $1"
		 " WHERE state IN ('queued', 'retry', 'sending')");
DB_SQL(sql_end_leases, "DELETE FROM leases");
DB_SQL(sql_end_sessions, "UPDATE refresh_tokens SET revoked_at = $1"
			 " WHERE revoked_at IS NULL AND expires_at > $1");
DB_SQL(sql_end_links, "UPDATE account_links SET used_at = $1"
		      " WHERE used_at IS NULL AND expires_at > $1");
/* What was due has been sent since, or nobody was there to send it: it is of another day. */
DB_SQL(sql_end_digests, "DELETE FROM digest_items WHERE due_at <= $1");
DB_SQL(sql_api_keys, "SELECT COUNT(*) FROM api_keys WHERE expires_at IS NULL OR expires_at > $1");
DB_SQL(sql_recent_tickets, "SELECT COUNT(*) FROM tickets WHERE created_at > $1");
DB_SQL(sql_recent_users, "SELECT COUNT(*) FROM users WHERE created_at > $1");

enum { GAP_LEAST = 100, RECENT_DAYS = 30, DAY_S = 86400 };

struct restoring {
	const struct backup *b;
	int64_t now_ms;
	struct restored *ret;
};

/* What was made since has ids that nobody may get now: twice as many as there would be at the pace
 * of the last month, and some more. */
static int leave_gap(struct db_conn *c, const struct restoring *r, const char *table,
		     const struct db_sql *recent, int64_t *ret_last, struct md_err *err)
{
	const int64_t month_ms = (int64_t)RECENT_DAYS * DAY_S * 1000;
	int64_t last = 0, n = 0, since = r->now_ms - r->b->made_at;
	int rc = db_int(c, recent, DB_ARGS(DB_INT(r->b->made_at - month_ms)), &n, err);

	if (rc == MD_OK)
		rc = c->db->driver->last_id(c->link, table, &last, err);
	if (rc != MD_OK)
		return rc;
	*ret_last = last + GAP_LEAST;
	if (since > 0)
		*ret_last += (int64_t)(2.0 * (double)n * (double)since / (double)month_ms);
	return c->db->driver->set_last_id(c->link, table, *ret_last, err);
}

static int wake_up(struct db_conn *c, const struct transfer_sum *sums, size_t n, void *ctx,
		   struct md_err *err)
{
	const struct restoring *r = ctx;
	const struct db_args now = DB_ARGS(DB_INT(r->now_ms));
	struct restored *ret = r->ret;
	int64_t last_user = 0;
	int rc = db_exec(c, &sql_hold, DB_ARGS(DB_TEXT(HELD_WHY)), &ret->held, err);

	(void)sums, (void)n;
	if (rc == MD_OK)
		rc = db_exec(c, &sql_end_leases, DB_NONE, NULL, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_end_sessions, now, &ret->sessions, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_end_links, now, NULL, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_end_digests, now, NULL, err);
	if (rc == MD_OK)
		rc = db_int(c, &sql_api_keys, now, &ret->api_keys, err);
	if (rc == MD_OK)
		rc = leave_gap(c, r, "users", &sql_recent_users, &last_user, err);
	if (rc == MD_OK)
		rc = leave_gap(c, r, "tickets", &sql_recent_tickets, &ret->ticket, err);
	ret->ticket++;
	return rc == MD_OK ? audit_add(c,
				       &(struct audit_row){ .daemon = AUDIT_CLI,
							    .at = r->now_ms,
							    .source = "cli",
							    .action = "desk.restore" },
				       err)
			   : rc;
}

static int forget_sums(struct db_conn *c, void *ctx, struct md_err *err)
{
	(void)ctx;
	return db_script(c, "DROP TABLE backup; DROP TABLE backup_sums", err);
}

static int mark_again(struct db_conn *c, void *ctx, struct md_err *err)
{
	(void)ctx;
	return db_script(c, "CREATE TABLE backup (made_at {INT} NOT NULL) {STRICT}", err);
}

int backup_advance(struct backup *b, struct md_err *err)
{
	int rc = db_txn(b->db, forget_sums, NULL, err);

	if (rc == MD_OK)
		rc = schema_ensure(b->db, err);
	if (rc == MD_OK)
		rc = db_txn(b->db, mark_again, NULL, err);
	b->is_older = b->is_older && rc != MD_OK;
	return rc;
}

int backup_restore(struct backup *b, struct db *to, int64_t now_ms, transfer_tell tell, void *ctx,
		   struct arena *arena, struct restored *ret, struct md_err *err)
{
	struct restored done = { 0 };
	struct restoring r = { b, now_ms, &done };
	const struct transfer_way way = {
		.from_backup = true, .made_ms = b->made_at, .end = wake_up, .ctx = &r
	};
	struct transfer_sum *sums;
	size_t n;
	int rc = transfer_along(&way, b->db, to, now_ms, tell, ctx, arena, &sums, &n, err);

	if (rc == MD_OK)
		*ret = done;
	return rc;
}

#include <maildesk/store/webhooks.h>

#include "query.h"

#include <string.h>

#define WEBHOOK_COLUMNS \
	"w.id, w.url, w.events, w.secret, w.active, w.created_by, w.created_at FROM webhooks w"
static const struct db_col webhook_cols[] = {
	{ DB_COL_INT, offsetof(struct webhook, id) },
	{ DB_COL_TEXT, offsetof(struct webhook, url) },
	{ DB_COL_TEXT, offsetof(struct webhook, events) },
	{ DB_COL_TEXT, offsetof(struct webhook, secret) },
	{ DB_COL_BOOL, offsetof(struct webhook, active) },
	{ DB_COL_INT, offsetof(struct webhook, created_by) },
	{ DB_COL_INT, offsetof(struct webhook, created_at) },
};
static const struct db_map webhook_map = DB_MAP(webhook, webhook_cols);

#define DELIVERY_COLUMNS                                                                \
	"d.id, d.webhook_id, d.event_id, d.type, d.ticket_id, d.comment_id, d.version," \
	" d.actor_id, d.at, u.name, u.role, d.state, d.attempts, d.next_at, d.status,"  \
	" d.reply, d.body, d.created_at, d.done_at, w.url, w.secret"                    \
	" FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id"             \
	" LEFT JOIN users u ON u.id = d.actor_id"
static const struct db_col delivery_cols[] = {
	{ DB_COL_INT, offsetof(struct webhook_delivery, id) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, webhook) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, event.id) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, event.type) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, event.ticket) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, event.comment) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, event.version) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, event.actor) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, event.at) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, event.actor_name) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, event.actor_role) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, state) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, attempts) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, next_at) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, status) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, reply) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, body) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, created_at) },
	{ DB_COL_INT, offsetof(struct webhook_delivery, done_at) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, url) },
	{ DB_COL_TEXT, offsetof(struct webhook_delivery, secret) },
};
static const struct db_map delivery_map = DB_MAP(webhook_delivery, delivery_cols);

/* As in the index webhook_deliveries_due. */
#define WAITING(d) d ".state IN ('queued', 'retry', 'sending')"

DB_SQL(sql_list, "SELECT " WEBHOOK_COLUMNS " ORDER BY w.id LIMIT $1");
DB_SQL(sql_get, "SELECT " WEBHOOK_COLUMNS " WHERE w.id = $1");
DB_SQL(sql_count, "SELECT COUNT(*) FROM webhooks");
DB_SQL(sql_add, "INSERT INTO webhooks (url, events, secret, active, created_by, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) RETURNING id");
DB_SQL(sql_save,
       "UPDATE webhooks SET url = $1, events = $2, secret = $3, active = $4 WHERE id = $5");
DB_SQL(sql_switched_off,
       "UPDATE webhook_deliveries SET state = 'failed', reply = 'switched off', done_at = $1,"
       " holder = NULL WHERE webhook_id = $2 AND " WAITING("webhook_deliveries"));
DB_SQL(sql_remove_calls, "DELETE FROM webhook_deliveries WHERE webhook_id = $1");
DB_SQL(sql_remove, "DELETE FROM webhooks WHERE id = $1");
DB_SQL(sql_queue, "INSERT INTO webhook_deliveries (webhook_id, event_id, type, ticket_id,"
		  " comment_id, version, actor_id, at, state, next_at, created_at)"
		  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $9)");
DB_SQL(sql_due, "SELECT w.id FROM webhooks w WHERE w.active = 1 AND EXISTS (SELECT 1"
		" FROM webhook_deliveries d WHERE d.webhook_id = w.id AND " WAITING(
			"d") " AND d.next_at <= $1) ORDER BY w.id");
DB_SQL(sql_claim,
       "WITH due AS MATERIALIZED (SELECT d.id FROM webhook_deliveries d"
       " WHERE d.webhook_id = $1 AND " WAITING(
	       "d") " AND d.next_at <= $2"
		    " ORDER BY d.next_at, d.id LIMIT $3 {SKIP})"
		    " UPDATE webhook_deliveries SET state = 'sending', attempts = attempts + 1,"
		    " next_at = $4, holder = $5 WHERE id IN (SELECT due.id FROM due) RETURNING id");
DB_SQL(sql_finish, "UPDATE webhook_deliveries SET state = $1, status = $2, reply = $3,"
		   " body = $4, next_at = $5, done_at = $6, holder = NULL"
		   " WHERE id = $7 AND holder = $8 AND state = 'sending'");
DB_SQL(sql_release, "UPDATE webhook_deliveries SET state = 'retry', next_at = $1, holder = NULL"
		    " WHERE state = 'sending' AND holder = $2");
DB_SQL(sql_page, "SELECT " DELIVERY_COLUMNS " WHERE d.webhook_id = $1 AND d.id < $2"
		 " ORDER BY d.id DESC LIMIT $3 OFFSET $4");
DB_SQL(sql_delivery, "SELECT " DELIVERY_COLUMNS " WHERE d.id = $1");
DB_SQL(sql_total, QUERY_COUNT_BEGIN " FROM webhook_deliveries d"
				    " WHERE d.webhook_id = $1" QUERY_COUNT_END);
DB_SQL(sql_purge, "DELETE FROM webhook_deliveries WHERE done_at < $1");

int webhook_list(struct db_conn *c, struct arena *a, struct webhook **ret, size_t *ret_n,
		 struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(WEBHOOKS_MAX)), &webhook_map, WEBHOOKS_MAX, a,
		      ret, ret_n, err);
}

int webhook_get(struct db_conn *c, int64_t id, struct arena *a, struct webhook *ret,
		struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &webhook_map, a, ret, err);
}

static int add(struct db_conn *c, struct webhook *w, struct md_err *err)
{
	int64_t n = 0;
	int rc = db_int(c, &sql_count, DB_NONE, &n, err);

	if (rc == MD_OK && n >= WEBHOOKS_MAX)
		return md_fail(err, MD_CONFLICT, 0, "there are %d webhooks; remove one first",
			       WEBHOOKS_MAX);
	if (rc == MD_OK)
		rc = db_int(c, &sql_add,
			    DB_ARGS(DB_TEXT(w->url), DB_TEXT(w->events), DB_TEXT(w->secret),
				    DB_INT(w->active), DB_ID(w->created_by), DB_INT(w->created_at)),
			    &w->id, err);
	return rc;
}

int webhook_save(struct db_conn *c, struct webhook *w, int64_t now_ms, struct md_err *err)
{
	int rc;

	if (!w->id)
		return add(c, w, err);
	rc = db_exec(c, &sql_save,
		     DB_ARGS(DB_TEXT(w->url), DB_TEXT(w->events), DB_TEXT(w->secret),
			     DB_INT(w->active), DB_INT(w->id)),
		     NULL, err);
	if (rc == MD_OK && !w->active)
		rc = db_exec(c, &sql_switched_off, DB_ARGS(DB_INT(now_ms), DB_INT(w->id)), NULL,
			     err);
	return rc;
}

int webhook_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	int64_t n = 0;
	int rc = db_exec(c, &sql_remove_calls, DB_ARGS(DB_INT(id)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_remove, DB_ARGS(DB_INT(id)), &n, err);
	return rc == MD_OK && n == 0 ? md_fail(err, MD_NOTFOUND, 0, "no such webhook") : rc;
}

int webhook_queue(struct db_conn *c, int64_t webhook, const struct event *e, int64_t now_ms,
		  struct md_err *err)
{
	return db_insert(c, &sql_queue,
			 DB_ARGS(DB_INT(webhook), DB_ID(e->id), DB_TEXT(e->type), DB_ID(e->ticket),
				 DB_ID(e->comment), DB_ID(e->version), DB_ID(e->actor),
				 DB_INT(e->at), DB_INT(now_ms)),
			 err);
}

int webhook_due(struct db_conn *c, int64_t now_ms, struct arena *a, int64_t **ret, size_t *ret_n,
		struct md_err *err)
{
	return db_all(c, &sql_due, DB_ARGS(DB_INT(now_ms)), &db_map_int, WEBHOOKS_MAX, a, ret,
		      ret_n, err);
}

int webhook_claim(struct db_conn *c, int64_t webhook, const char *holder, int64_t now_ms,
		  int64_t lease_until, size_t limit, struct arena *a, struct webhook_delivery **ret,
		  size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int64_t *ids;
	size_t n;
	int rc = db_all(c, &sql_claim,
			DB_ARGS(DB_INT(webhook), DB_INT(now_ms), DB_INT((int64_t)limit),
				DB_INT(lease_until), DB_TEXT(holder)),
			&db_map_int, limit, a, &ids, &n, err);

	*ret_n = 0;
	if (rc != MD_OK || n == 0)
		return rc;
	query_add_ints(&q, "SELECT " DELIVERY_COLUMNS " WHERE d.id IN ", ids, n);
	query_add(&q, " ORDER BY d.id");
	return query_all(&q, c, &delivery_map, n, a, ret, ret_n, err);
}

int webhook_finish(struct db_conn *c, const struct webhook_delivery *d, const char *holder,
		   struct md_err *err)
{
	return db_exec(c, &sql_finish,
		       DB_ARGS(DB_TEXT(d->state), DB_ID(d->status), DB_TEXT(d->reply),
			       DB_TEXT(d->body), DB_INT(d->next_at), DB_ID(d->done_at),
			       DB_INT(d->id), DB_TEXT(holder)),
		       NULL, err);
}

int webhook_release(struct db_conn *c, const char *holder, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_release, DB_ARGS(DB_INT(now_ms), DB_TEXT(holder)), NULL, err);
}

int webhook_deliveries(struct db_conn *c, int64_t webhook, int64_t behind, int64_t offset,
		       int64_t limit, struct arena *a, struct webhook_delivery **ret, size_t *ret_n,
		       int64_t *ret_total, struct md_err *err)
{
	int rc = db_all(c, &sql_page,
			DB_ARGS(DB_INT(webhook), DB_INT(behind ? behind : INT64_MAX), DB_INT(limit),
				DB_INT(offset)),
			&delivery_map, (size_t)limit, a, ret, ret_n, err);

	return rc == MD_OK ? db_int(c, &sql_total, DB_ARGS(DB_INT(webhook)), ret_total, err) : rc;
}

int webhook_delivery_get(struct db_conn *c, int64_t id, struct arena *a,
			 struct webhook_delivery *ret, struct md_err *err)
{
	return db_one(c, &sql_delivery, DB_ARGS(DB_INT(id)), &delivery_map, a, ret, err);
}

int webhook_purge(struct db_conn *c, int64_t before_ms, struct md_err *err)
{
	return db_exec(c, &sql_purge, DB_ARGS(DB_INT(before_ms)), NULL, err);
}

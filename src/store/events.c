#include <maildesk/store/events.h>

#include "query.h"

#include <maildesk/store/leases.h>
#include <maildesk/store/webhooks.h>

#include <string.h>

enum { QUEUE_PAGE = 256, SEATS_MAX = 100000, BATCH_BYTES = 4 << 20 };
#define LEASE "events"

#define EVENT_COLUMNS \
	"e.id, e.type, e.ticket_id, e.comment_id, e.version, e.actor_id, e.is_internal, e.at"
#define EVENT_COLS                                                                                 \
	{ DB_COL_INT, offsetof(struct event, id) }, { DB_COL_TEXT, offsetof(struct event, type) }, \
		{ DB_COL_INT, offsetof(struct event, ticket) },                                    \
		{ DB_COL_INT, offsetof(struct event, comment) },                                   \
		{ DB_COL_INT, offsetof(struct event, version) },                                   \
		{ DB_COL_INT, offsetof(struct event, actor) },                                     \
		{ DB_COL_BOOL, offsetof(struct event, is_internal) },                              \
	{                                                                                          \
		DB_COL_INT, offsetof(struct event, at)                                             \
	}
static const struct db_col queued_cols[] = { EVENT_COLS };
static const struct db_map queued_map = DB_MAP(event, queued_cols);
static const struct db_col event_cols[] = {
	EVENT_COLS,
	{ DB_COL_TEXT, offsetof(struct event, actor_name) },
	{ DB_COL_TEXT, offsetof(struct event, actor_role) },
	{ DB_COL_INT, offsetof(struct event, requester) },
	{ DB_COL_INT, offsetof(struct event, assignee) },
	{ DB_COL_INT, offsetof(struct event, organisation) },
	{ DB_COL_BOOL, offsetof(struct event, is_deleted) },
};
static const struct db_map event_map = DB_MAP(event, event_cols);
static const struct db_col seat_cols[] = {
	{ DB_COL_INT, offsetof(struct event_seat, ticket) },
	{ DB_COL_INT, offsetof(struct event_seat, user) },
};
static const struct db_map seat_map = DB_MAP(event_seat, seat_cols);

DB_SQL(sql_queue, "INSERT INTO event_queue (type, ticket_id, comment_id, version, actor_id,"
		  " is_internal, at) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_add, "INSERT INTO events (id, type, ticket_id, comment_id, version, actor_id,"
		" is_internal, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_queued, "SELECT " EVENT_COLUMNS " FROM event_queue e ORDER BY e.id LIMIT $1");
DB_SQL(sql_last, "SELECT e.id FROM events e ORDER BY e.id DESC LIMIT 1");
DB_SQL(sql_first, "SELECT e.id FROM events e ORDER BY e.id LIMIT 1");
DB_SQL(sql_is_there, "SELECT e.id FROM events e WHERE e.id = $1");
DB_SQL(sql_list, "SELECT " EVENT_COLUMNS ", u.name, u.role, t.requester_id, t.assignee_id,"
		 " t.organisation_id, CASE WHEN t.deleted_at IS NULL THEN 0 ELSE 1 END"
		 " FROM events e LEFT JOIN users u ON u.id = e.actor_id"
		 " LEFT JOIN tickets t ON t.id = e.ticket_id"
		 " WHERE e.id > $1 ORDER BY e.id LIMIT $2");
DB_SQL(sql_purge, "DELETE FROM events WHERE id <= (SELECT MAX(o.id) FROM events o WHERE o.at < $1)"
		  " AND id < (SELECT MAX(l.id) FROM events l)");

int event_add(struct db_conn *c, const struct event *e, struct md_err *err)
{
	db_notify(c, DB_TOPIC_EVENTS);
	return db_insert(c, &sql_queue,
			 DB_ARGS(DB_TEXT(e->type), DB_INT(e->ticket), DB_ID(e->comment),
				 DB_ID(e->version), DB_ID(e->actor), DB_INT(e->is_internal),
				 DB_INT(e->at)),
			 err);
}

/* ---- numbers ---- */

struct numbering {
	struct event_worker *worker;
	struct event *queued;
	size_t n;
	struct arena arena; /* of one run of the transaction */
	struct webhook *webhooks;
	size_t n_webhooks;
};

static int lead(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct event_worker *w = ctx;

	return lease_take(c, LEASE, w->holder, w->lease_ms, &w->fence, err);
}

static int forget_queued(struct db_conn *c, const struct numbering *b, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	int64_t ids[QUEUE_PAGE], *none;
	size_t n;

	for (size_t i = 0; i < b->n; i++)
		ids[i] = b->queued[i].id;
	query_add_ints(&q, "DELETE FROM event_queue WHERE id IN ", ids, b->n);
	return query_all(&q, c, &db_map_int, 1, &a, &none, &n, err);
}

/* Is `type` one of the words? */
static bool is_wanted(const char *words, const char *type)
{
	for (size_t n; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == strlen(type) && memcmp(words, type, n) == 0)
			return true;
	}
	return false;
}

static int add_numbered(struct db_conn *c, const struct numbering *b, struct event e,
			struct md_err *err)
{
	int rc = db_new_id(c, "events", &e.id, err);

	if (rc == MD_OK)
		rc = db_insert(c, &sql_add,
			       DB_ARGS(DB_INT(e.id), DB_TEXT(e.type), DB_INT(e.ticket),
				       DB_ID(e.comment), DB_ID(e.version), DB_ID(e.actor),
				       DB_INT(e.is_internal), DB_INT(e.at)),
			       err);
	for (size_t i = 0; i < b->n_webhooks && rc == MD_OK; i++)
		if (b->webhooks[i].active && is_wanted(b->webhooks[i].events, e.type))
			rc = webhook_queue(c, b->webhooks[i].id, &e, e.at, err);
	return rc;
}

/* The row of the lease is locked from here to the commit: whoever takes it next gives higher
 * numbers, and none before these can be seen. The same fence as when the queue was read: nobody
 * else has numbered any of it meanwhile. */
static int write_numbers(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct numbering *b = ctx;
	int64_t fence;
	int rc = lease_take(c, LEASE, b->worker->holder, b->worker->lease_ms, &fence, err);

	if (rc == MD_OK && fence != b->worker->fence)
		return md_fail(err, MD_CONFLICT, 0, "another has numbered events meanwhile");
	db_notify(c, DB_TOPIC_EVENTS);
	arena_reset(&b->arena);
	if (rc == MD_OK)
		rc = webhook_list(c, &b->arena, &b->webhooks, &b->n_webhooks, err);
	for (size_t i = 0; i < b->n && rc == MD_OK; i++)
		rc = add_numbered(c, b, b->queued[i], err);
	return rc == MD_OK ? forget_queued(c, b, err) : rc;
}

static int read_queue(struct db *db, struct arena *a, struct numbering *b, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(db, &c, err);

	return rc == MD_OK ? db_all(c, &sql_queued, DB_ARGS(DB_INT(QUEUE_PAGE)), &queued_map,
				    QUEUE_PAGE, a, &b->queued, &b->n, err)
			   : rc;
}

int event_number(struct db *db, struct event_worker *w, size_t *ret_n, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(BATCH_BYTES);
	struct numbering b = { .worker = w, .arena = ARENA_INIT(BATCH_BYTES) };
	int rc = read_queue(db, &a, &b, err);

	*ret_n = 0;
	/* What was read before the lease was held, another may have numbered. */
	if (rc == MD_OK && b.n && !w->fence) {
		rc = db_txn(db, lead, w, err);
		if (rc == MD_OK)
			rc = read_queue(db, &a, &b, err);
	}
	if (rc == MD_OK && b.n)
		rc = db_txn(db, write_numbers, &b, err);
	if (rc == MD_CONFLICT)
		w->fence = 0;
	if (rc == MD_OK)
		*ret_n = b.n;
	arena_done(&b.arena);
	return rc;
}

static int leave(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct event_worker *w = ctx;

	return lease_release(c, LEASE, w->holder, err);
}

int event_leave(struct db *db, struct event_worker *w, struct md_err *err)
{
	return w->fence ? db_txn(db, leave, w, err) : MD_OK;
}

/* ---- reading ---- */

/* 0 without a row */
static int one_id(struct db_conn *c, const struct db_sql *sql, struct db_args args, int64_t *ret,
		  struct md_err *err)
{
	int rc = db_int(c, sql, args, ret, err);

	if (rc == MD_NOTFOUND)
		*ret = 0;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int event_last(struct db_conn *c, int64_t *ret, struct md_err *err)
{
	return one_id(c, &sql_last, DB_NONE, ret, err);
}

/* The last is never forgotten: with no row there was none, and 0 is where one is before the first,
 * as long as that is there. */
int event_is_known(struct db_conn *c, int64_t id, bool *ret, struct md_err *err)
{
	int64_t found = 0;
	int rc = id ? one_id(c, &sql_is_there, DB_ARGS(DB_INT(id)), &found, err)
		    : one_id(c, &sql_first, DB_NONE, &found, err);

	*ret = id ? found == id : found <= 1;
	return rc;
}

int event_list(struct db_conn *c, int64_t after, struct arena *a, struct event **ret, size_t *ret_n,
	       struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(after), DB_INT(EVENT_PAGE)), &event_map,
		      EVENT_PAGE, a, ret, ret_n, err);
}

int event_seats(struct db_conn *c, const struct event *e, size_t n, struct arena *a,
		struct event_seat **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int64_t tickets[EVENT_PAGE];
	size_t k = 0;

	for (size_t i = 0; i < n && k < EVENT_PAGE; i++)
		if (i == 0 || e[i].ticket != e[i - 1].ticket)
			tickets[k++] = e[i].ticket;
	*ret_n = 0;
	if (k == 0)
		return MD_OK;
	query_add_ints(&q,
		       "SELECT p.ticket_id, p.user_id FROM ticket_participants p"
		       " WHERE p.pending = 0 AND p.ticket_id IN ",
		       tickets, k);
	query_add(&q, " ORDER BY p.ticket_id, p.user_id");
	return query_all(&q, c, &seat_map, SEATS_MAX, a, ret, ret_n, err);
}

int event_purge(struct db_conn *c, int64_t before_ms, struct md_err *err)
{
	return db_exec(c, &sql_purge, DB_ARGS(DB_INT(before_ms)), NULL, err);
}

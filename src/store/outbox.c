/* outbox.c - the queue of mails to send.
 *
 * A row may be claimed when it is due and no older row of the same ticket and recipient is still to
 * be sent: a mail never overtakes the one before it. The predicate of a row still to be sent is
 * written the same everywhere, because it is also the one of the index outbox_due. */
#include <maildesk/store/outbox.h>

#include "query.h"

#include <string.h>

#define WAITING(o) o ".state IN ('queued', 'retry', 'sending')"
#define IS_NEXT_OF_ITS_PAIR                                                               \
	" AND NOT EXISTS (SELECT 1 FROM outbox older WHERE older.ticket_id = o.ticket_id" \
	" AND older.recipient = o.recipient AND older.id < o.id AND " WAITING("older") ")"

#define OUTBOX_COLUMNS                                                                        \
	"o.id, o.message_id, o.ticket_id, o.user_id, o.event, o.smtp, o.sender, o.recipient," \
	" o.state, o.data, o.attempts, o.next_at, o.last_reply, o.created_at, o.done_at, "    \
	"m.blob_id,"                                                                          \
	" m.message_id, m.subject FROM outbox o JOIN messages m ON m.id = o.message_id"
static const struct db_col outbox_cols[] = {
	{ DB_COL_INT, offsetof(struct outbox_row, id) },
	{ DB_COL_INT, offsetof(struct outbox_row, message_id) },
	{ DB_COL_INT, offsetof(struct outbox_row, ticket_id) },
	{ DB_COL_INT, offsetof(struct outbox_row, user_id) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, event) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, smtp) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, sender) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, recipient) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, state) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, data) },
	{ DB_COL_INT, offsetof(struct outbox_row, attempts) },
	{ DB_COL_INT, offsetof(struct outbox_row, next_at) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, last_reply) },
	{ DB_COL_INT, offsetof(struct outbox_row, created_at) },
	{ DB_COL_INT, offsetof(struct outbox_row, done_at) },
	{ DB_COL_INT, offsetof(struct outbox_row, blob_id) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, mail_id) },
	{ DB_COL_TEXT, offsetof(struct outbox_row, subject) },
};
static const struct db_map outbox_map = DB_MAP(outbox_row, outbox_cols);

DB_SQL(sql_add, "INSERT INTO outbox (id, message_id, ticket_id, user_id, event, smtp, sender,"
		" recipient, state, data, next_at, created_at, subject_key, answers)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
/* Materialized: a plan that ran the inner part for each outer row would claim more than $3. */
DB_SQL(sql_claim,
       "WITH due AS MATERIALIZED (SELECT o.id FROM outbox o WHERE " WAITING(
	       "o") " AND o.next_at <= $1 AND (CAST($2 AS TEXT) IS NULL OR o.smtp = "
		    "$2)" IS_NEXT_OF_ITS_PAIR " ORDER BY o.next_at, o.id LIMIT $3 {SKIP})"
		    " UPDATE outbox SET state = 'sending', attempts = attempts + 1, "
		    "next_at = $4, holder = $5"
		    " WHERE id IN (SELECT due.id FROM due) RETURNING id");
DB_SQL(sql_freeze, "UPDATE messages SET blob_id = $1, size = $2, head = $3"
		   " WHERE blob_id IS NULL"
		   " AND id = (SELECT o.message_id FROM outbox o WHERE o.id = $4)");
DB_SQL(sql_release, "UPDATE outbox SET state = 'retry', next_at = $1, holder = NULL WHERE " WAITING(
			    "outbox") " AND state = 'sending' AND holder = $2");
DB_SQL(sql_finish,
       "UPDATE outbox SET state = $1, last_reply = $2, next_at = $3, done_at = $4, holder = NULL"
       " WHERE id = $5 AND holder = $6 AND state = 'sending'");
DB_SQL(sql_hand_over,
       "UPDATE outbox SET smtp = $1, next_at = CASE state WHEN 'retry' THEN $2 ELSE next_at END"
       " WHERE " WAITING("outbox") " AND smtp = $3 AND ($4 = 0 OR EXISTS (SELECT 1 FROM tickets t"
				   " WHERE t.id = outbox.ticket_id AND t.mailbox_id = $4))");
static const struct db_col depth_cols[] = {
	{ DB_COL_TEXT, offsetof(struct outbox_depth, state) },
	{ DB_COL_INT, offsetof(struct outbox_depth, n) },
	{ DB_COL_INT, offsetof(struct outbox_depth, oldest_at) },
};
static const struct db_map depth_map = DB_MAP(outbox_depth, depth_cols);
DB_SQL(sql_depths, "SELECT o.state, COUNT(*), MIN(o.created_at) FROM outbox o WHERE " WAITING(
			   "o") " GROUP BY o.state ORDER BY o.state");
DB_SQL(sql_next_due,
       "SELECT o.next_at FROM outbox o WHERE " WAITING(
	       "o") " AND (CAST($1 AS TEXT) IS NULL OR o.smtp = $1)" IS_NEXT_OF_ITS_PAIR
		    " ORDER BY o.next_at, o.id LIMIT 1");
DB_SQL(sql_accounts, "SELECT DISTINCT o.smtp FROM outbox o WHERE " WAITING("o"));
DB_SQL(sql_get, "SELECT " OUTBOX_COLUMNS " WHERE o.id = $1");
#define ABOUT_COMMENT(o, ticket, comment)                                         \
	o ".ticket_id = " ticket " AND " o ".message_id IN (SELECT about.id FROM" \
	  " messages about WHERE about.ticket_id = " ticket " AND about.comment_id = " comment ")"
DB_SQL(sql_cancel_comment,
       "UPDATE outbox SET state = 'cancelled', done_at = $1 WHERE " ABOUT_COMMENT(
	       "outbox", "$2", "$3") " AND state IN ('queued', 'retry', 'held')");
DB_SQL(sql_of_comment,
       "SELECT " OUTBOX_COLUMNS " WHERE " ABOUT_COMMENT(
	       "o", "$1",
	       "$2") " AND o.state IN ('queued', 'held') AND m.blob_id IS NULL ORDER BY o.id");
DB_SQL(sql_set_data, "UPDATE outbox SET data = $1 WHERE id = $2");
DB_SQL(sql_wake, "UPDATE outbox SET next_at = $1 WHERE " WAITING(
			 "outbox") " AND state = 'retry' AND smtp = $2"
				   " AND next_at > $1 AND SUBSTR(last_reply, 1, 1) <> '4'");
/* The row stays: it tells whom its message went to, and what their server said. */
DB_SQL(sql_expire, "UPDATE outbox SET data = '' WHERE id IN (SELECT o.id FROM outbox o WHERE"
		   " o.state IN ('sent', 'cancelled') AND o.data <> '' AND o.done_at < $1"
		   " ORDER BY o.done_at LIMIT $2)");
DB_SQL(sql_retry, "UPDATE outbox SET state = 'queued', attempts = 0, next_at = $1, done_at = NULL"
		  " WHERE id = $2 AND (state IN ('failed', 'retry', 'held')"
		  " OR (state = 'queued' AND next_at > $1))");
DB_SQL(sql_cancel, "UPDATE outbox SET state = 'cancelled', done_at = $1"
		   " WHERE id = $2 AND state IN ('queued', 'retry', 'held')");
DB_SQL(sql_count_to,
       QUERY_COUNT_BEGIN " FROM outbox o WHERE o.recipient = $1"
			 " AND o.created_at >= $2"
			 " AND (CAST($3 AS TEXT) IS NULL AND o.event <> 'public_reply'"
			 " OR o.event = $3)" QUERY_COUNT_END);

DB_SQL(sql_count_subject, QUERY_COUNT_BEGIN " FROM outbox o WHERE o.recipient = $1"
					    " AND o.created_at >= $2"
					    " AND o.subject_key = $3" QUERY_COUNT_END);
DB_SQL(sql_count_to_address, QUERY_COUNT_BEGIN " FROM outbox o WHERE o.recipient = $1"
					       " AND o.created_at >= $2"
					       " AND o.answers = 1" QUERY_COUNT_END);
DB_SQL(sql_count_on_ticket, QUERY_COUNT_BEGIN " FROM outbox o WHERE o.ticket_id = $1"
					      " AND o.created_at >= $2"
					      " AND o.answers = 1" QUERY_COUNT_END);
DB_SQL(sql_count_automatic, "SELECT COUNT(*) FROM (SELECT 1 FROM outbox o"
			    " WHERE o.subject_key IS NOT NULL AND o.created_at >= $1"
			    " LIMIT $2) AS counted");
DB_SQL(sql_of_message, "SELECT " OUTBOX_COLUMNS " WHERE o.message_id = $1");

int outbox_add(struct db_conn *c, const struct outbox_row *o, int64_t *ret_id, struct md_err *err)
{
	int64_t id;
	int rc = db_new_id(c, "outbox", &id, err);

	db_notify(c, DB_TOPIC_OUTBOX);
	if (rc == MD_OK)
		rc = db_insert(c, &sql_add,
			       DB_ARGS(DB_INT(id), DB_INT(o->message_id), DB_ID(o->ticket_id),
				       DB_ID(o->user_id), DB_TEXT(o->event), DB_TEXT(o->smtp),
				       DB_TEXT(o->sender), DB_TEXT(o->recipient), DB_TEXT(o->state),
				       DB_TEXT(o->data), DB_INT(o->next_at), DB_INT(o->created_at),
				       DB_TEXT(o->subject_key), DB_INT(o->answers)),
			       err);
	if (rc == MD_OK)
		*ret_id = id;
	return rc;
}

int outbox_claim(struct db_conn *c, const char *smtp, const char *holder, int64_t now_ms,
		 int64_t lease_until, size_t limit, struct arena *a, struct outbox_row **ret,
		 size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int64_t *ids;
	size_t n;
	int rc;

	if (limit > QUERY_LIST_MAX)
		limit = QUERY_LIST_MAX;
	rc = db_all(c, &sql_claim,
		    DB_ARGS(DB_INT(now_ms), DB_TEXT(smtp), DB_INT((int64_t)limit),
			    DB_INT(lease_until), DB_TEXT(holder)),
		    &db_map_int, limit, a, &ids, &n, err);
	if (rc != MD_OK)
		return rc;
	if (n == 0) {
		*ret_n = 0;
		return MD_OK;
	}
	query_add_ints(&q, "SELECT " OUTBOX_COLUMNS " WHERE o.id IN ", ids, n);
	query_add(&q, " ORDER BY o.id");
	return query_all(&q, c, &outbox_map, n, a, ret, ret_n, err);
}

int outbox_freeze(struct db_conn *c, int64_t id, int64_t blob_id, int64_t size, const char *head,
		  struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_freeze,
			 DB_ARGS(DB_INT(blob_id), DB_INT(size), DB_TEXT(head), DB_INT(id)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "mail %lld was rendered before", (long long)id);
	return rc;
}

int outbox_release(struct db_conn *c, const char *holder, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_release, DB_ARGS(DB_INT(now_ms), DB_TEXT(holder)), NULL, err);
}

int outbox_finish(struct db_conn *c, int64_t id, const char *holder, const char *state,
		  const char *reply, int64_t next_at, int64_t now_ms, struct md_err *err)
{
	bool again = strcmp(state, "retry") == 0;
	int64_t changed;
	int rc = db_exec(c, &sql_finish,
			 DB_ARGS(DB_TEXT(state), DB_TEXT(reply), DB_INT(again ? next_at : now_ms),
				 DB_ID(again ? 0 : now_ms), DB_INT(id), DB_TEXT(holder)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "mail %lld was taken over by another sender",
			     (long long)id);
	return rc;
}

int outbox_next_due(struct db_conn *c, const char *smtp, int64_t *ret_ms, struct md_err *err)
{
	return db_int(c, &sql_next_due, DB_ARGS(DB_TEXT(smtp)), ret_ms, err);
}

struct name {
	const char *text;
};
static const struct db_col name_cols[] = { { DB_COL_TEXT, offsetof(struct name, text) } };
static const struct db_map name_map = DB_MAP(name, name_cols);
_Static_assert(sizeof(struct name) == sizeof(const char *), "rows are the array of rec_strs");

int outbox_accounts(struct db_conn *c, size_t limit, struct arena *a, struct rec_strs *ret,
		    struct md_err *err)
{
	return db_all(c, &sql_accounts, DB_NONE, &name_map, limit, a, &ret->v, &ret->n, err);
}

int outbox_hand_over(struct db_conn *c, const char *from, const char *to, int64_t mailbox,
		     int64_t now_ms, int64_t *ret_n, struct md_err *err)
{
	return db_exec(c, &sql_hand_over,
		       DB_ARGS(DB_TEXT(to), DB_INT(now_ms), DB_TEXT(from), DB_INT(mailbox)), ret_n,
		       err);
}

int outbox_get(struct db_conn *c, int64_t id, struct arena *a, struct outbox_row *ret,
	       struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &outbox_map, a, ret, err);
}

const char *const outbox_states[] = { "queued", "sending", "sent",      "retry",
				      "failed", "held",    "cancelled", NULL };

static void add_filter(struct query *q, const struct outbox_filter *f)
{
	query_add(q, " WHERE o.data <> ''");
	if (f->states.n)
		query_add_texts(q, " AND o.state IN ", f->states.v, f->states.n);
	if (f->ticket.n)
		query_add_ints(q, " AND o.ticket_id IN ", f->ticket.v, f->ticket.n);
	if (f->recipient.n)
		query_add_texts(q, " AND o.recipient IN ", f->recipient.v, f->recipient.n);
}

static int count(struct db_conn *c, const struct outbox_filter *f, struct arena *a, int64_t *ret,
		 struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int64_t *rows;
	size_t n;
	int rc;

	query_add(&q, QUERY_COUNT_BEGIN " FROM outbox o");
	add_filter(&q, f);
	query_add(&q, QUERY_COUNT_END);
	rc = query_all(&q, c, &db_map_int, 1, a, &rows, &n, err);
	if (rc == MD_OK)
		*ret = n ? rows[0] : 0;
	return rc;
}

int outbox_list(struct db_conn *c, const struct outbox_filter *f, struct arena *a,
		struct outbox_row **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = count(c, f, a, ret_total, err);

	query_add(&q, "SELECT " OUTBOX_COLUMNS);
	add_filter(&q, f);
	if (f->behind)
		query_add_arg(&q, " AND o.id < ?", DB_INT(f->behind));
	query_add_arg(&q, " ORDER BY o.id DESC LIMIT ?", DB_INT(f->limit));
	query_add_arg(&q, " OFFSET ?", DB_INT(f->offset));
	return rc == MD_OK ? query_all(&q, c, &outbox_map, (size_t)f->limit, a, ret, ret_n, err)
			   : rc;
}

static int admin_change(struct db_conn *c, const struct db_sql *sql, int64_t id, int64_t now_ms,
			struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, sql, DB_ARGS(DB_INT(now_ms), DB_INT(id)), &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "mail %lld is not in a state for that",
			     (long long)id);
	return rc;
}

int outbox_retry(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	db_notify(c, DB_TOPIC_OUTBOX);
	return admin_change(c, &sql_retry, id, now_ms, err);
}

int outbox_cancel(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err)
{
	return admin_change(c, &sql_cancel, id, now_ms, err);
}

int outbox_wake(struct db_conn *c, const char *smtp, int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_wake, DB_ARGS(DB_INT(now_ms), DB_TEXT(smtp)), NULL, err);
}

int outbox_cancel_comment(struct db_conn *c, int64_t ticket, int64_t comment, int64_t now_ms,
			  struct md_err *err)
{
	return db_exec(c, &sql_cancel_comment,
		       DB_ARGS(DB_INT(now_ms), DB_INT(ticket), DB_INT(comment)), NULL, err);
}

int outbox_of_comment(struct db_conn *c, int64_t ticket, int64_t comment, struct arena *a,
		      struct outbox_row **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_of_comment, DB_ARGS(DB_INT(ticket), DB_INT(comment)), &outbox_map,
		      QUERY_LIST_MAX, a, ret, ret_n, err);
}

int outbox_set_data(struct db_conn *c, int64_t id, const char *data, struct md_err *err)
{
	return db_exec(c, &sql_set_data, DB_ARGS(DB_TEXT(data), DB_INT(id)), NULL, err);
}

int outbox_expire(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err)
{
	return db_exec(c, &sql_expire, DB_ARGS(DB_INT(before_ms), DB_INT(OUTBOX_EXPIRE_MAX)), ret_n,
		       err);
}

int outbox_count_to(struct db_conn *c, const char *recipient, const char *event, int64_t since_ms,
		    int64_t *ret, struct md_err *err)
{
	return db_int(c, &sql_count_to,
		      DB_ARGS(DB_TEXT(recipient), DB_INT(since_ms), DB_TEXT(event)), ret, err);
}

int outbox_count_subject(struct db_conn *c, const char *recipient, const char *subject_key,
			 int64_t since_ms, int64_t *ret, struct md_err *err)
{
	return db_int(c, &sql_count_subject,
		      DB_ARGS(DB_TEXT(recipient), DB_INT(since_ms), DB_TEXT(subject_key)), ret,
		      err);
}

int outbox_count_answers(struct db_conn *c, const char *recipient, int64_t ticket, int64_t since_ms,
			 int64_t *ret, struct md_err *err)
{
	return recipient ? db_int(c, &sql_count_to_address,
				  DB_ARGS(DB_TEXT(recipient), DB_INT(since_ms)), ret, err)
			 : db_int(c, &sql_count_on_ticket,
				  DB_ARGS(DB_INT(ticket), DB_INT(since_ms)), ret, err);
}

int outbox_count_automatic(struct db_conn *c, int64_t since_ms, int64_t most, int64_t *ret,
			   struct md_err *err)
{
	return db_int(c, &sql_count_automatic, DB_ARGS(DB_INT(since_ms), DB_INT(most)), ret, err);
}

int outbox_depths(struct db_conn *c, struct arena *a, struct outbox_depth **ret, size_t *ret_n,
		  struct md_err *err)
{
	enum { STATES_MAX = 10 };

	return db_all(c, &sql_depths, DB_NONE, &depth_map, STATES_MAX, a, ret, ret_n, err);
}

int outbox_of_message(struct db_conn *c, int64_t message, struct arena *a, struct outbox_row *ret,
		      struct md_err *err)
{
	return db_one(c, &sql_of_message, DB_ARGS(DB_INT(message)), &outbox_map, a, ret, err);
}

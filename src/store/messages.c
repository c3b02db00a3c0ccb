/* messages.c - mails and what was decided about them. Attachments and thread ids: threads.c. */
#include <maildesk/store/messages.h>

#include "message_columns.h"
#include "query.h"

#include <string.h>

/* Copies of a mail that came again are rows too. */
enum { KNOWN_MAX = 100000 };

#define MESSAGE_ROW MESSAGE_COLUMNS " FROM messages m"
static const struct db_col message_cols[] = { MESSAGE_MAP_COLUMNS(struct message_row, ) };
static const struct db_map message_map = DB_MAP(message_row, message_cols);

struct mail_id {
	const char *text;
};
static const struct db_col mail_id_cols[] = { { DB_COL_TEXT, offsetof(struct mail_id, text) } };
static const struct db_map mail_id_map = DB_MAP(mail_id, mail_id_cols);
_Static_assert(sizeof(struct mail_id) == sizeof(const char *), "rows are the array of rec_strs");

#define MESSAGE_INSERT                                                                       \
	"INSERT INTO messages (id, direction, mailbox_id, ticket_id, message_id, identity, " \
	"subject,"                                                                           \
	" from_address, from_name, kind, trust, size, date_at, blob_id, created_at,"         \
	" comment_id, head)"                                                                 \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
DB_SQL(sql_insert, MESSAGE_INSERT);
DB_SQL(sql_insert_new, MESSAGE_INSERT " ON CONFLICT (message_id, identity) DO NOTHING");
DB_SQL(sql_get, "SELECT " MESSAGE_ROW " WHERE m.id = $1");
/* By messages_by_message_id. In a table that has just been made PostgreSQL holds every index for
 * equally good, takes the one of incoming mails and reads all of it: so the direction is no
 * condition that an index could be chosen by, and neither is the order. */
DB_SQL(sql_find, "SELECT " MESSAGE_ROW " WHERE m.identity = $1 AND m.message_id = $2"
		 " AND m.direction || '' = 'in'");
DB_SQL(sql_received, "SELECT " MESSAGE_ROW " WHERE m.message_id = $1"
		     " AND m.direction || '' = 'in' AND m.identity IS NOT NULL"
		     " ORDER BY m.id + 0 DESC LIMIT 1");
DB_SQL(sql_next_in, "SELECT " MESSAGE_ROW " WHERE m.id > $1 AND m.direction || '' = 'in'"
		    " ORDER BY m.id LIMIT 1");
DB_SQL(sql_count_from,
       QUERY_COUNT_BEGIN " FROM messages m WHERE m.from_address = $1"
			 " AND m.created_at >= $2 AND m.direction = 'in'" QUERY_COUNT_END);
DB_SQL(sql_thread, "SELECT newest.message_id FROM (SELECT m.id, m.message_id FROM messages m"
		   " WHERE m.ticket_id = $1 AND m.id < $2 AND m.message_id IS NOT NULL"
		   " AND ((m.direction = 'in' AND m.from_address = $3) OR EXISTS"
		   " (SELECT 1 FROM outbox o WHERE o.message_id = m.id AND o.recipient = $3)"
		   " OR lower(m.head) LIKE $4 ESCAPE '\\')"
		   " ORDER BY m.id DESC LIMIT $5) AS newest ORDER BY newest.id");
DB_SQL(sql_set_ticket, "UPDATE messages SET ticket_id = $1, trust = $2 WHERE id = $3");

int message_insert_as(struct db_conn *c, const struct message_row *m, int64_t id,
		      struct md_err *err)
{
	const struct db_args row =
		DB_ARGS(DB_INT(id), DB_TEXT(m->direction), DB_ID(m->mailbox_id),
			DB_ID(m->ticket_id), DB_TEXT(m->message_id), DB_TEXT(m->identity),
			DB_TEXT(m->subject), DB_TEXT(m->from_address), DB_TEXT(m->from_name),
			DB_TEXT(m->kind), DB_INT(m->trust), DB_INT(m->size), DB_ID(m->date_at),
			DB_ID(m->blob_id), DB_INT(m->created_at), DB_ID(m->comment_id),
			DB_TEXT(m->head));
	int64_t changed;
	int rc;

	if (db_keeps_rows(c))
		return db_insert(c, &sql_insert, row, err);
	rc = db_exec(c, &sql_insert_new, row, &changed, err);
	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "this mail is stored already");
	return rc;
}

int message_new_id(struct db_conn *c, int64_t *ret, struct md_err *err)
{
	return db_new_id(c, "messages", ret, err);
}

int message_insert(struct db_conn *c, const struct message_row *m, int64_t *ret_id,
		   struct md_err *err)
{
	int64_t id = 0;
	int rc = message_new_id(c, &id, err);

	if (rc == MD_OK)
		rc = message_insert_as(c, m, id, err);
	if (rc == MD_OK)
		*ret_id = id;
	return rc;
}

int message_get(struct db_conn *c, int64_t id, struct arena *a, struct message_row *ret,
		struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &message_map, a, ret, err);
}

int message_find(struct db_conn *c, const char *identity, const char *message_id, struct arena *a,
		 struct message_row *ret, struct md_err *err)
{
	return db_one(c, &sql_find, DB_ARGS(DB_TEXT(identity), DB_TEXT(message_id)), &message_map,
		      a, ret, err);
}

int message_known(struct db_conn *c, const struct rec_strs *ids, struct arena *a,
		  struct rec_strs *ret, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(ids->n, err);

	ret->n = 0;
	if (rc != MD_OK || ids->n == 0)
		return rc;
	query_add_texts(&q, "SELECT m.message_id FROM messages m WHERE m.message_id IN ", ids->v,
			ids->n);
	return query_all(&q, c, &mail_id_map, KNOWN_MAX, a, &ret->v, &ret->n, err);
}

int message_received(struct db_conn *c, const char *message_id, struct arena *a,
		     struct message_row *ret, struct md_err *err)
{
	return db_one(c, &sql_received, DB_ARGS(DB_TEXT(message_id)), &message_map, a, ret, err);
}

int message_next_in(struct db_conn *c, int64_t after, struct arena *a, struct message_row *ret,
		    struct md_err *err)
{
	return db_one(c, &sql_next_in, DB_ARGS(DB_INT(after)), &message_map, a, ret, err);
}

int message_set_ticket(struct db_conn *c, int64_t message, int64_t ticket, int64_t trust,
		       struct md_err *err)
{
	return db_exec(c, &sql_set_ticket, DB_ARGS(DB_ID(ticket), DB_INT(trust), DB_INT(message)),
		       NULL, err);
}

int message_count_from(struct db_conn *c, const char *address, int64_t since_ms, int64_t *ret,
		       struct md_err *err)
{
	return db_int(c, &sql_count_from, DB_ARGS(DB_TEXT(address), DB_INT(since_ms)), ret, err);
}

/* The address among those of `head`: of a copy that a sender gave them, or of our mail whose row is
 * no longer in the outbox. */
static void put_pattern(struct buf *out, const char *address)
{
	buf_adds(out, "%\"");
	for (; *address; address++)
		buf_addf(out, strchr("%_\\", *address) ? "\\%c" : "%c", *address);
	buf_adds(out, "\"%");
}

int message_thread(struct db_conn *c, int64_t ticket, const char *address, int64_t before,
		   size_t limit, struct arena *a, struct rec_strs *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf pattern = BUF_INIT(2000);

	put_pattern(&pattern, address);
	return db_all(c, &sql_thread,
		      DB_ARGS(DB_INT(ticket), DB_INT(before), DB_TEXT(address),
			      DB_TEXT(buf_str(&pattern)), DB_INT((int64_t)limit)),
		      &mail_id_map, limit, a, &ret->v, &ret->n, err);
}

/* ---- decisions ---- */

static const struct db_col decision_cols[] = {
	{ DB_COL_INT, offsetof(struct decision, message_id) },
	{ DB_COL_TEXT, offsetof(struct decision, outcome) },
	{ DB_COL_TEXT, offsetof(struct decision, cause) },
	{ DB_COL_INT, offsetof(struct decision, ticket_id) },
	{ DB_COL_INT, offsetof(struct decision, comment_id) },
	{ DB_COL_TEXT, offsetof(struct decision, auth) },
	{ DB_COL_TEXT, offsetof(struct decision, rules) },
	{ DB_COL_TEXT, offsetof(struct decision, commands) },
	{ DB_COL_TEXT, offsetof(struct decision, sla) },
	{ DB_COL_INT, offsetof(struct decision, at) },
};
static const struct db_map decision_map = DB_MAP(decision, decision_cols);

DB_SQL(sql_decision_put,
       "INSERT INTO decisions (message_id, outcome, cause, ticket_id, comment_id, auth, rules,"
       " commands, sla, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
       " ON CONFLICT (message_id) DO UPDATE SET outcome = excluded.outcome, cause = excluded.cause,"
       " ticket_id = excluded.ticket_id, comment_id = excluded.comment_id, auth = excluded.auth,"
       " rules = excluded.rules, commands = excluded.commands, sla = excluded.sla,"
       " at = excluded.at");
DB_SQL(sql_decision_get, "SELECT d.message_id, d.outcome, d.cause, d.ticket_id, d.comment_id,"
			 " d.auth, d.rules, d.commands, d.sla, d.at FROM decisions d"
			 " WHERE d.message_id = $1");

int decision_put(struct db_conn *c, const struct decision *d, struct md_err *err)
{
	return db_insert(c, &sql_decision_put,
			 DB_ARGS(DB_INT(d->message_id), DB_TEXT(d->outcome), DB_TEXT(d->cause),
				 DB_ID(d->ticket_id), DB_ID(d->comment_id), DB_TEXT(d->auth),
				 DB_TEXT(d->rules), DB_TEXT(d->commands),
				 DB_TEXT(d->sla ? d->sla : "[]"), DB_INT(d->at)),
			 err);
}

int decision_get(struct db_conn *c, int64_t message, struct arena *a, struct decision *ret,
		 struct md_err *err)
{
	return db_one(c, &sql_decision_get, DB_ARGS(DB_INT(message)), &decision_map, a, ret, err);
}

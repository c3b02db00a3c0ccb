/* purge.c - tickets that go, wholly or but for their figures, and mails that became nothing.
 *
 * Mails of such a ticket stay rows with their identity: a mailbox that is read again from its start
 * brings none of them back. A test compares the statements with the tables that refer to tickets.
 */
#include <maildesk/store/privacy.h>
#include <maildesk/store/search.h>
#include <maildesk/store/users.h>

#define ERASED "'[erased]'"
#define ITS_COMMENTS "(SELECT k.id FROM comments k WHERE k.ticket_id = $1)"
#define ITS_MESSAGES "(SELECT m.id FROM messages m WHERE m.ticket_id = $1)"
#define CUSTOMERS "(SELECT u.id FROM users u WHERE u.role = 'customer')"
#define EMPTY_MAIL \
	"blob_id = NULL, head = NULL, subject = NULL, from_address = NULL, from_name = NULL"

/* $1 is the ticket. */
DB_SQL(sql_confirmations,
       "DELETE FROM confirmations WHERE ticket_id = $1 OR comment_id IN " ITS_COMMENTS);
DB_SQL(sql_timers, "DELETE FROM timers WHERE ticket_id = $1");
DB_SQL(sql_clocks, "DELETE FROM clocks WHERE ticket_id = $1");
DB_SQL(sql_tags, "DELETE FROM ticket_tags WHERE ticket_id = $1");
DB_SQL(sql_participants, "DELETE FROM ticket_participants WHERE ticket_id = $1");
DB_SQL(sql_came, "UPDATE ticket_participants SET origin_id = NULL WHERE origin_id = $1");
DB_SQL(sql_links, "DELETE FROM ticket_links WHERE ticket_id = $1 OR other_id = $1");
DB_SQL(sql_history, "DELETE FROM ticket_history WHERE ticket_id = $1");
DB_SQL(sql_files, "DELETE FROM attachments WHERE comment_id IN " ITS_COMMENTS
		  " OR message_id IN " ITS_MESSAGES);
DB_SQL(sql_bytes, "UPDATE blobs SET put_at = 0 WHERE id IN (SELECT m.blob_id FROM messages m"
		  " WHERE m.ticket_id = $1)");
DB_SQL(sql_quarantine, "DELETE FROM quarantine WHERE message_id IN " ITS_MESSAGES);
DB_SQL(sql_outbox, "DELETE FROM outbox WHERE ticket_id = $1");
DB_SQL(sql_digests, "DELETE FROM digest_items WHERE ticket_id = $1");
DB_SQL(sql_comments, "DELETE FROM comments WHERE ticket_id = $1");
DB_SQL(sql_said, "UPDATE comments SET origin_id = NULL WHERE origin_id = $1");
DB_SQL(sql_decisions, "UPDATE decisions SET rules = '[]', commands = '[]', ticket_id = NULL,"
		      " comment_id = NULL WHERE message_id IN " ITS_MESSAGES);
DB_SQL(sql_messages, "UPDATE messages SET ticket_id = NULL, comment_id = NULL, " EMPTY_MAIL
		     " WHERE ticket_id = $1");
DB_SQL(sql_moved, "UPDATE messages SET origin_id = NULL WHERE origin_id = $1");
DB_SQL(sql_threads, "DELETE FROM thread_ids WHERE ticket_id = $1");
DB_SQL(sql_ticket, "DELETE FROM tickets WHERE id = $1");
/* What was folded into it goes the same way. $2 is now. */
DB_SQL(sql_merged, "UPDATE tickets SET merged_into = NULL, deleted_at = COALESCE(deleted_at, $2)"
		   " WHERE merged_into = $1");

static const struct db_sql *const goes[] = {
	&sql_confirmations, &sql_timers,   &sql_clocks,    &sql_tags,    &sql_participants,
	&sql_came,          &sql_links,    &sql_files,     &sql_bytes,   &sql_quarantine,
	&sql_outbox,        &sql_digests,  &sql_decisions, &sql_history, &sql_comments,
	&sql_said,          &sql_messages, &sql_moved,     &sql_threads,
};

static int run(struct db_conn *c, const struct db_sql *const *all, size_t n, int64_t ticket,
	       struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = db_exec(c, all[i], DB_ARGS(DB_INT(ticket)), NULL, err);
	return rc;
}

int ticket_purge(struct db_conn *c, int64_t ticket, int64_t now_ms, struct md_err *err)
{
	int rc = search_queue_ticket(c, ticket, err);

	if (rc == MD_OK)
		rc = run(c, goes, MD_COUNT(goes), ticket, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_merged, DB_ARGS(DB_INT(ticket), DB_INT(now_ms)), NULL, err);
	return rc == MD_OK ? db_exec(c, &sql_ticket, DB_ARGS(DB_INT(ticket)), NULL, err) : rc;
}

/* ---- but for its figures ---- */

DB_SQL(sql_empty_comments,
       "UPDATE comments SET body = " ERASED ", body_full = NULL, body_html = NULL, author_id ="
       " CASE WHEN author_id IN " CUSTOMERS " THEN NULL ELSE author_id END WHERE ticket_id = $1");
DB_SQL(sql_empty_history,
       "UPDATE ticket_history SET actor_id = CASE WHEN actor_id IN " CUSTOMERS
       " THEN NULL ELSE actor_id END, old_value = CASE WHEN action IN ('status', 'priority')"
       " THEN old_value ELSE NULL END, new_value = CASE WHEN action IN ('status', 'priority')"
       " THEN new_value ELSE NULL END WHERE ticket_id = $1");
DB_SQL(sql_empty_messages, "UPDATE messages SET " EMPTY_MAIL " WHERE ticket_id = $1");
DB_SQL(sql_empty_outbox, "DELETE FROM outbox WHERE ticket_id = $1");
DB_SQL(sql_empty_decisions, "UPDATE decisions SET rules = '[]', commands = '[]'"
			    " WHERE message_id IN " ITS_MESSAGES);
DB_SQL(sql_empty_ticket,
       "UPDATE tickets SET title = " ERASED ", requester_id = $2, organisation_id = NULL,"
       " created_by = CASE WHEN created_by IN " CUSTOMERS " THEN NULL ELSE created_by END,"
       " alias = NULL, fields = NULL, anonymised_at = $3, version = version + 1 WHERE id = $1");

static const struct db_sql *const empties[] = {
	&sql_confirmations,  &sql_files,         &sql_bytes,        &sql_quarantine,
	&sql_empty_comments, &sql_empty_history, &sql_empty_outbox, &sql_empty_decisions,
	&sql_empty_messages, &sql_participants,
};

/* Whoever asked. */
static int nobody(struct db_conn *c, int64_t now_ms, struct arena *a, int64_t *ret,
		  struct md_err *err)
{
	static const char address[] = "erased@erased.invalid";
	struct user u;
	int rc = user_by_address(c, address, a, &u, err);

	if (rc == MD_NOTFOUND) {
		u = (struct user){ .name = "Erased user",
				   .email = address,
				   .role = "customer",
				   .created_at = now_ms };
		rc = user_add(c, &u, &u.id, err);
		u.disabled_at = now_ms;
		if (rc == MD_OK)
			rc = user_save(c, &u, err);
	}
	*ret = u.id;
	return rc;
}

int ticket_anonymise(struct db_conn *c, int64_t ticket, int64_t now_ms, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(64 << 10);
	int64_t requester;
	int rc = nobody(c, now_ms, &a, &requester, err);

	if (rc == MD_OK)
		rc = run(c, empties, MD_COUNT(empties), ticket, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_empty_ticket,
			     DB_ARGS(DB_INT(ticket), DB_INT(requester), DB_INT(now_ms)), NULL, err);
	return rc == MD_OK ? search_queue_ticket(c, ticket, err) : rc;
}

/* ---- what has been kept long enough ---- */

DB_SQL(sql_deleted, "SELECT t.id FROM tickets t WHERE t.deleted_at < $1 ORDER BY t.id LIMIT $2");
/* In status $1 since before $2. What is not resolved is alive while somebody writes on it. When a
 * ticket got there is in its history, or, of one that was imported, in its times. */
#define AGED                                                                                    \
	"SELECT t.id FROM tickets t WHERE t.status = $1 AND t.created_at < $2"                  \
	" AND t.anonymised_at IS NULL AND t.deleted_at IS NULL AND t.merged_into IS NULL"       \
	" AND COALESCE(t.closed_at, (SELECT MAX(h.at) FROM ticket_history h"                    \
	" WHERE h.ticket_id = t.id AND h.action = 'status'), t.resolved_at, t.created_at) < $2" \
	" AND (t.resolved_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM comments k"               \
	" WHERE k.ticket_id = t.id AND k.created_at >= $2))"
DB_SQL(sql_aged, AGED " ORDER BY t.id LIMIT $3");
DB_SQL(sql_is_aged, AGED " AND t.id = $3");
#define DISCARDED                                                              \
	" WHERE blob_id IS NOT NULL AND ticket_id IS NULL AND created_at < $1" \
	" AND id IN (SELECT d.message_id FROM decisions d WHERE d.outcome = 'discarded')"
DB_SQL(sql_discarded, "UPDATE messages SET blob_id = NULL" DISCARDED);
DB_SQL(sql_count_discarded, "SELECT COUNT(*) FROM messages" DISCARDED);

static int list(struct db_conn *c, const struct db_sql *sql, int64_t before, size_t limit,
		struct arena *a, int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, sql, DB_ARGS(DB_INT(before), DB_INT((int64_t)limit)), &db_map_int, limit,
		      a, ret, ret_n, err);
}

int purge_deleted_tickets(struct db_conn *c, int64_t deleted_before, size_t limit, struct arena *a,
			  int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return list(c, &sql_deleted, deleted_before, limit, a, ret, ret_n, err);
}

int purge_aged_tickets(struct db_conn *c, const char *status, int64_t before, size_t limit,
		       struct arena *a, int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_aged,
		      DB_ARGS(DB_TEXT(status), DB_INT(before), DB_INT((int64_t)limit)), &db_map_int,
		      limit, a, ret, ret_n, err);
}

int purge_is_aged(struct db_conn *c, int64_t ticket, const char *status, int64_t before, bool *ret,
		  struct md_err *err)
{
	int64_t id;
	int rc = db_int(c, &sql_is_aged, DB_ARGS(DB_TEXT(status), DB_INT(before), DB_INT(ticket)),
			&id, err);

	*ret = rc == MD_OK;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int purge_discarded(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err)
{
	return db_exec(c, &sql_discarded, DB_ARGS(DB_INT(before_ms)), ret_n, err);
}

int purge_discarded_count(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err)
{
	return db_int(c, &sql_count_discarded, DB_ARGS(DB_INT(before_ms)), ret_n, err);
}

/* erase.c - a person is forgotten, statement after statement; order counts: what is theirs is found
 * by their comments and addresses, so these go last. */
#include <maildesk/store/privacy.h>
#include <maildesk/store/search.h>
#include <maildesk/store/users.h>

#include <stdio.h>

enum { TICKETS_MAX = 100000, NAME_ROOM = 80 };

#define ERASED "'[erased]'"
#define ADDRESSES "(SELECT a.address FROM user_addresses a WHERE a.user_id = $1)"
#define COMMENTS "(SELECT k.id FROM comments k WHERE k.author_id = $1)"
#define MAILS                                                             \
	"(SELECT k.message_id FROM comments k WHERE k.author_id = $1"     \
	" AND k.message_id IS NOT NULL UNION SELECT i.id FROM messages i" \
	" WHERE i.direction = 'in' AND i.from_address IN " ADDRESSES ")"
/* Tickets of theirs, and those that they take part in. */
#define OWN_TICKETS "(SELECT t.id FROM tickets t WHERE t.requester_id = $1)"
#define TICKETS                                                               \
	"(SELECT p.ticket_id FROM ticket_participants p WHERE p.user_id = $1" \
	" UNION SELECT k.ticket_id FROM comments k WHERE k.author_id = $1)"
/* Mails of ours that repeat their words, or went to them. */
#define SENT                                                                    \
	"(SELECT s.id FROM messages s WHERE s.direction = 'out'"                \
	" AND (s.comment_id IN " COMMENTS " OR s.ticket_id IN " OWN_TICKETS ")" \
	" UNION SELECT o.message_id FROM outbox o WHERE o.user_id = $1)"

/* $1 is the user alone. */
DB_SQL(sql_deleted_texts, "UPDATE ticket_history SET old_value = NULL, new_value = NULL"
			  " WHERE action IN ('comment_edited', 'comment_deleted')"
			  " AND (actor_id = $1 OR old_value IN (SELECT k.body FROM comments k"
			  " WHERE k.author_id = $1))");
DB_SQL(sql_own_titles, "UPDATE ticket_history SET old_value = NULL, new_value = NULL"
		       " WHERE action IN ('created', 'title') AND ticket_id IN " OWN_TICKETS);
DB_SQL(sql_files, "DELETE FROM attachments WHERE uploader_id = $1 OR comment_id IN " COMMENTS
		  " OR message_id IN " MAILS);
DB_SQL(sql_bytes, "UPDATE blobs SET put_at = 0 WHERE id IN (SELECT m.blob_id FROM messages m"
		  " WHERE m.id IN " MAILS " OR m.id IN " SENT ")");
DB_SQL(sql_decisions,
       "UPDATE decisions SET rules = '[]', commands = '[]' WHERE message_id IN " MAILS);
DB_SQL(sql_quarantine, "DELETE FROM quarantine WHERE message_id IN " MAILS);
DB_SQL(sql_sent,
       "UPDATE messages SET blob_id = NULL, head = NULL, subject = NULL WHERE id IN " SENT);
DB_SQL(sql_mails, "UPDATE messages SET blob_id = NULL, head = NULL, subject = NULL,"
		  " from_address = NULL, from_name = NULL WHERE id IN " MAILS);
DB_SQL(sql_silences, "DELETE FROM silences WHERE name IN " ADDRESSES);
DB_SQL(sql_blocked, "DELETE FROM blocked_senders WHERE sender IN " ADDRESSES);
DB_SQL(sql_confirmations, "DELETE FROM confirmations WHERE user_id = $1");
DB_SQL(sql_digests, "DELETE FROM digest_items WHERE user_id = $1");
DB_SQL(sql_told, "UPDATE digest_items SET actor_id = NULL, detail = NULL WHERE actor_id = $1"
		 " OR detail IN " ADDRESSES);
DB_SQL(sql_sessions, "DELETE FROM refresh_tokens WHERE user_id = $1");
DB_SQL(sql_links, "DELETE FROM account_links WHERE user_id = $1 OR email IN " ADDRESSES);
DB_SQL(sql_factors, "DELETE FROM user_otp WHERE user_id = $1");
DB_SQL(sql_codes, "DELETE FROM recovery_codes WHERE user_id = $1");
DB_SQL(sql_keys, "DELETE FROM api_keys WHERE user_id = $1");
DB_SQL(sql_views, "DELETE FROM saved_views WHERE user_id = $1");
DB_SQL(sql_calls, "UPDATE webhook_deliveries SET body = NULL WHERE actor_id = $1");
DB_SQL(sql_hooks, "UPDATE webhooks SET created_by = NULL WHERE created_by = $1");
DB_SQL(sql_turns, "UPDATE teams SET last_assigned_id = NULL WHERE last_assigned_id = $1");
DB_SQL(sql_teams, "DELETE FROM team_members WHERE user_id = $1");
DB_SQL(sql_comments, "UPDATE comments SET body = " ERASED ", body_full = NULL, body_html = NULL"
		     " WHERE author_id = $1");
DB_SQL(sql_tickets, "UPDATE tickets SET title = " ERASED ", alias = NULL, version = version + 1,"
		    " organisation_id = NULL WHERE requester_id = $1");
/* $2 is what they are called from now on, $3 the address. */
DB_SQL(sql_events, "UPDATE delivery_events SET address = $2, diagnostic = NULL"
		   " WHERE address IN " ADDRESSES);
DB_SQL(sql_cancel, "UPDATE outbox SET state = 'cancelled', done_at = $2"
		   " WHERE state IN ('queued', 'retry', 'held') AND message_id IN " SENT);
DB_SQL(sql_outbox, "UPDATE outbox SET data = '{}', subject_key = NULL,"
		   " recipient = CASE WHEN user_id = $1 THEN $2 ELSE recipient END"
		   " WHERE message_id IN " SENT);
DB_SQL(sql_named_new, "UPDATE ticket_history SET new_value = $2 WHERE ticket_id IN " TICKETS
		      " AND new_value IN ($3, $4)");
DB_SQL(sql_named_old, "UPDATE ticket_history SET old_value = $2 WHERE ticket_id IN " TICKETS
		      " AND old_value IN ($3, $4)");
DB_SQL(sql_heads, "UPDATE messages SET head = REPLACE(head, $2, $3) WHERE head IS NOT NULL"
		  " AND ticket_id IN " TICKETS);
DB_SQL(sql_forget_addresses, "DELETE FROM user_addresses WHERE user_id = $1");
DB_SQL(sql_add_address, "INSERT INTO user_addresses (address, user_id) VALUES ($1, $2)");
DB_SQL(sql_user, "UPDATE users SET name = $1, email = $2, folded = $3, password_hash = NULL,"
		 " locale = NULL, timezone = NULL, organisation_id = NULL, signature = NULL,"
		 " away_until = NULL, undeliverable_at = NULL, epoch = epoch + 1,"
		 " disabled_at = COALESCE(disabled_at, $4), erased_at = $4 WHERE id = $5");
DB_SQL(sql_their_tickets,
       "SELECT x.id FROM tickets x WHERE x.id IN " TICKETS " OR x.requester_id = $1 ORDER BY x.id");

static const struct db_sql *const first[] = {
	&sql_deleted_texts, &sql_own_titles, &sql_bytes,   &sql_files,         &sql_decisions,
	&sql_quarantine,    &sql_silences,   &sql_blocked, &sql_confirmations, &sql_links,
	&sql_factors,       &sql_codes,      &sql_digests, &sql_told,          &sql_keys,
	&sql_sessions,      &sql_views,      &sql_hooks,   &sql_calls,         &sql_turns,
	&sql_teams,
};
static const struct db_sql *const last[] = { &sql_sent, &sql_mails, &sql_comments, &sql_tickets };

struct erasing {
	struct db_conn *c;
	int64_t user, now_ms;
	char name[NAME_ROOM], email[NAME_ROOM], folded[2 * NAME_ROOM];
	struct user before;
	struct rec_strs addresses;
};

static int run(struct erasing *e, const struct db_sql *const *all, size_t n, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = db_exec(e->c, all[i], DB_ARGS(DB_INT(e->user)), NULL, err);
	return rc;
}

/* Where others' rows name them. */
static int forget_names(struct erasing *e, struct arena *a, struct md_err *err)
{
	const struct db_args called = DB_ARGS(DB_INT(e->user), DB_TEXT(e->name),
					      DB_TEXT(e->before.name), DB_TEXT(e->before.email));
	int rc = db_exec(e->c, &sql_named_new, called, NULL, err);

	if (rc == MD_OK)
		rc = db_exec(e->c, &sql_named_old, called, NULL, err);
	for (size_t i = 0; i < e->addresses.n && rc == MD_OK; i++)
		rc = db_exec(e->c, &sql_heads,
			     DB_ARGS(DB_INT(e->user),
				     DB_TEXT(arena_printf(a, "\"%s\"", e->addresses.v[i])),
				     DB_TEXT(arena_printf(a, "\"%s\"", e->email))),
			     NULL, err);
	if (rc == MD_OK)
		rc = db_exec(e->c, &sql_events, DB_ARGS(DB_INT(e->user), DB_TEXT(e->email)), NULL,
			     err);
	return rc;
}

static int forget_mails(struct erasing *e, struct md_err *err)
{
	int rc = db_exec(e->c, &sql_cancel, DB_ARGS(DB_INT(e->user), DB_INT(e->now_ms)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(e->c, &sql_outbox, DB_ARGS(DB_INT(e->user), DB_TEXT(e->email)), NULL,
			     err);
	return rc == MD_OK ? run(e, last, MD_COUNT(last), err) : rc;
}

static int forget_user(struct erasing *e, struct md_err *err)
{
	int rc = db_exec(e->c, &sql_forget_addresses, DB_ARGS(DB_INT(e->user)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(e->c, &sql_add_address, DB_ARGS(DB_TEXT(e->email), DB_INT(e->user)),
			     NULL, err);
	if (rc == MD_OK)
		rc = db_exec(e->c, &sql_user,
			     DB_ARGS(DB_TEXT(e->name), DB_TEXT(e->email), DB_TEXT(e->folded),
				     DB_INT(e->now_ms), DB_INT(e->user)),
			     NULL, err);
	return rc;
}

int person_erase(struct db_conn *c, int64_t user, int64_t now_ms, struct arena *a,
		 struct md_err *err)
{
	struct erasing e = { .c = c, .user = user, .now_ms = now_ms };
	int64_t *tickets;
	size_t n = 0;
	int rc = user_get(c, user, a, &e.before, err);

	snprintf(e.name, sizeof e.name, "Erased user %lld", (long long)user);
	snprintf(e.email, sizeof e.email, "erased-%lld@erased.invalid", (long long)user);
	snprintf(e.folded, sizeof e.folded, "erased user %lld\n%s", (long long)user, e.email);
	if (rc == MD_OK)
		rc = user_addresses(c, user, a, &e.addresses, err);
	if (rc == MD_OK)
		rc = db_all(c, &sql_their_tickets, DB_ARGS(DB_INT(user)), &db_map_int, TICKETS_MAX,
			    a, &tickets, &n, err);
	if (rc == MD_OK)
		rc = run(&e, first, MD_COUNT(first), err);
	if (rc == MD_OK)
		rc = forget_names(&e, a, err);
	if (rc == MD_OK)
		rc = forget_mails(&e, err);
	if (rc == MD_OK)
		rc = forget_user(&e, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = search_queue_ticket(c, tickets[i], err);
	return rc;
}

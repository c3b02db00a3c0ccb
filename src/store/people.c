/* people.c - addresses of people, two that are one, and what is theirs. */
#include <maildesk/base/utf8.h>
#include <maildesk/store/privacy.h>

#include <stdio.h>
#include <string.h>

enum { FOLDED_MAX = 4096 };

/* ---- addresses ---- */

DB_SQL(sql_owner, "SELECT a.user_id FROM user_addresses a WHERE a.address = $1");
DB_SQL(sql_add, "INSERT INTO user_addresses (address, user_id) VALUES ($1, $2)");
DB_SQL(sql_drop_email, "DELETE FROM user_addresses WHERE user_id = $1 AND address ="
		       " (SELECT u.email FROM users u WHERE u.id = $1)");
DB_SQL(sql_set_email, "UPDATE users SET email = $1 WHERE id = $2");
DB_SQL(sql_is_first, "SELECT u.id FROM users u WHERE u.id = $1 AND u.email = $2");
DB_SQL(sql_remove, "DELETE FROM user_addresses WHERE user_id = $1 AND address = $2");

static int fold(struct buf *out, const char *address, struct md_err *err)
{
	utf8_fold(out, address, strlen(address));
	return out->status == MD_OK ? MD_OK : md_fail(err, MD_INPUT, 0, "address too long");
}

int person_address_add(struct db_conn *c, int64_t user, const char *address, struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(FOLDED_MAX);
	int64_t owner;
	int rc = fold(&folded, address, err);

	if (rc != MD_OK)
		return rc;
	rc = db_int(c, &sql_owner, DB_ARGS(DB_TEXT(buf_str(&folded))), &owner, err);
	if (rc == MD_OK)
		return md_fail(err, MD_CONFLICT, 0, "the address is user %lld's", (long long)owner);
	if (rc != MD_NOTFOUND)
		return rc;
	return db_exec(c, &sql_add, DB_ARGS(DB_TEXT(buf_str(&folded)), DB_INT(user)), NULL, err);
}

int person_email_set(struct db_conn *c, int64_t user, const char *address, struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(FOLDED_MAX);
	int64_t owner = 0;
	int rc = fold(&folded, address, err);

	if (rc == MD_OK)
		rc = db_int(c, &sql_owner, DB_ARGS(DB_TEXT(buf_str(&folded))), &owner, err);
	if (rc == MD_OK && owner != user)
		return md_fail(err, MD_CONFLICT, 0, "the address is user %lld's", (long long)owner);
	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	rc = db_exec(c, &sql_drop_email, DB_ARGS(DB_INT(user)), NULL, err);
	/* it may have been theirs, as another address or as this one */
	if (rc == MD_OK)
		rc = db_exec(c, &sql_remove, DB_ARGS(DB_INT(user), DB_TEXT(buf_str(&folded))), NULL,
			     err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_add, DB_ARGS(DB_TEXT(buf_str(&folded)), DB_INT(user)), NULL,
			     err);
	return rc == MD_OK ? db_exec(c, &sql_set_email,
				     DB_ARGS(DB_TEXT(buf_str(&folded)), DB_INT(user)), NULL, err)
			   : rc;
}

int person_address_remove(struct db_conn *c, int64_t user, const char *address, struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(FOLDED_MAX);
	int64_t id, changed;
	int rc = fold(&folded, address, err);

	if (rc == MD_OK)
		rc = db_int(c, &sql_is_first, DB_ARGS(DB_INT(user), DB_TEXT(buf_str(&folded))), &id,
			    err);
	if (rc == MD_OK)
		return md_fail(err, MD_CONFLICT, 0, "it is the address they are known by");
	if (rc == MD_NOTFOUND)
		rc = db_exec(c, &sql_remove, DB_ARGS(DB_INT(user), DB_TEXT(buf_str(&folded))),
			     &changed, err);
	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "no such address of theirs");
	return rc;
}

/* ---- merging: $1 is who goes, $2 who stays ---- */

DB_SQL(sql_requester,
       "UPDATE tickets SET requester_id = $2, version = version + 1, organisation_id ="
       " (SELECT u.organisation_id FROM users u WHERE u.id = $2)"
       " WHERE requester_id = $1");
DB_SQL(sql_creator, "UPDATE tickets SET created_by = $2 WHERE created_by = $1");
DB_SQL(sql_assignee, "UPDATE tickets SET assignee_id = $2, version = version + 1"
		     " WHERE assignee_id = $1");
DB_SQL(sql_comments, "UPDATE comments SET author_id = $2 WHERE author_id = $1");
DB_SQL(sql_history, "UPDATE ticket_history SET actor_id = $2 WHERE actor_id = $1");
/* Where both take part the one who stays does so as the stronger of the two. */
DB_SQL(sql_stronger, "UPDATE ticket_participants SET role = 'requester', pending = 0"
		     " WHERE user_id = $2 AND ticket_id IN (SELECT p.ticket_id"
		     " FROM ticket_participants p WHERE p.user_id = $1 AND p.role = 'requester')");
DB_SQL(sql_both, "DELETE FROM ticket_participants WHERE user_id = $1 AND ticket_id IN"
		 " (SELECT p.ticket_id FROM ticket_participants p WHERE p.user_id = $2)");
DB_SQL(sql_participants, "UPDATE ticket_participants SET user_id = $2 WHERE user_id = $1");
DB_SQL(sql_uploads, "UPDATE attachments SET uploader_id = $2 WHERE uploader_id = $1");
DB_SQL(sql_outbox, "UPDATE outbox SET user_id = $2 WHERE user_id = $1");
DB_SQL(sql_digests, "UPDATE digest_items SET user_id = $2 WHERE user_id = $1");
DB_SQL(sql_told, "UPDATE digest_items SET actor_id = $2 WHERE actor_id = $1");
DB_SQL(sql_confirmations, "UPDATE confirmations SET user_id = $2 WHERE user_id = $1");
DB_SQL(sql_blocked, "UPDATE blocked_senders SET created_by = $2 WHERE created_by = $1");
DB_SQL(sql_same_views, "DELETE FROM saved_views WHERE user_id = $1 AND name IN"
		       " (SELECT v.name FROM saved_views v WHERE v.user_id = $2)");
DB_SQL(sql_views, "UPDATE saved_views SET user_id = $2 WHERE user_id = $1");
DB_SQL(sql_hooks, "UPDATE webhooks SET created_by = $2 WHERE created_by = $1");
DB_SQL(sql_addresses, "UPDATE user_addresses SET user_id = $2 WHERE user_id = $1");
/* $1 the user */
DB_SQL(sql_sessions, "DELETE FROM refresh_tokens WHERE user_id = $1");
DB_SQL(sql_links, "DELETE FROM account_links WHERE user_id = $1");
DB_SQL(sql_factors, "DELETE FROM user_otp WHERE user_id = $1");
DB_SQL(sql_codes, "DELETE FROM recovery_codes WHERE user_id = $1");
DB_SQL(sql_keys, "DELETE FROM api_keys WHERE user_id = $1");
DB_SQL(sql_teams, "DELETE FROM team_members WHERE user_id = $1");
DB_SQL(sql_turns, "UPDATE teams SET last_assigned_id = NULL WHERE last_assigned_id = $1");
DB_SQL(sql_empty, "UPDATE users SET email = $1, folded = $1, password_hash = NULL,"
		  " epoch = epoch + 1, disabled_at = COALESCE(disabled_at, $2) WHERE id = $3");

static const struct db_sql *const moves[] = {
	&sql_requester, &sql_creator, &sql_assignee,      &sql_comments, &sql_history,
	&sql_stronger,  &sql_both,    &sql_participants,  &sql_uploads,  &sql_outbox,
	&sql_digests,   &sql_told,    &sql_confirmations, &sql_blocked,  &sql_same_views,
	&sql_views,     &sql_hooks,   &sql_addresses,
};
static const struct db_sql *const drops[] = { &sql_sessions, &sql_links, &sql_factors, &sql_codes,
					      &sql_keys,     &sql_teams, &sql_turns };

int person_merge(struct db_conn *c, int64_t from, int64_t into, int64_t now_ms, struct md_err *err)
{
	char email[80];
	int64_t changed = 0;
	int rc = MD_OK;

	for (size_t i = 0; i < MD_COUNT(moves) && rc == MD_OK; i++)
		rc = db_exec(c, moves[i], DB_ARGS(DB_INT(from), DB_INT(into)), NULL, err);
	for (size_t i = 0; i < MD_COUNT(drops) && rc == MD_OK; i++)
		rc = db_exec(c, drops[i], DB_ARGS(DB_INT(from)), NULL, err);
	snprintf(email, sizeof email, "merged-%lld@merged.invalid", (long long)from);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_empty, DB_ARGS(DB_TEXT(email), DB_INT(now_ms), DB_INT(from)),
			     &changed, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_add, DB_ARGS(DB_TEXT(email), DB_INT(from)), NULL, err);
	return rc == MD_OK && changed == 0 ? md_fail(err, MD_NOTFOUND, 0, "no such user") : rc;
}

/* ---- what is theirs ---- */

DB_SQL(sql_their_tickets, "SELECT t.id FROM tickets t WHERE t.id > $1 AND t.requester_id = $2"
			  " ORDER BY t.id LIMIT $3");
DB_SQL(sql_their_comments, "SELECT m.id FROM comments m WHERE m.id > $1 AND m.author_id = $2"
			   " AND m.deleted_at IS NULL ORDER BY m.id LIMIT $3");
DB_SQL(sql_their_messages,
       "SELECT m.id FROM messages m WHERE m.id > $1 AND (m.id IN (SELECT k.message_id"
       " FROM comments k WHERE k.author_id = $2) OR (m.direction = 'in' AND m.from_address IN"
       " (SELECT a.address FROM user_addresses a WHERE a.user_id = $2))"
       " OR m.id IN (SELECT o.message_id FROM outbox o WHERE o.user_id = $2))"
       " ORDER BY m.id LIMIT $3");

static int list(struct db_conn *c, const struct db_sql *sql, int64_t user, int64_t after,
		size_t limit, struct arena *a, int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, sql, DB_ARGS(DB_INT(after), DB_INT(user), DB_INT((int64_t)limit)),
		      &db_map_int, limit, a, ret, ret_n, err);
}

int person_tickets(struct db_conn *c, int64_t user, int64_t after, size_t limit, struct arena *a,
		   int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return list(c, &sql_their_tickets, user, after, limit, a, ret, ret_n, err);
}

int person_comments(struct db_conn *c, int64_t user, int64_t after, size_t limit, struct arena *a,
		    int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return list(c, &sql_their_comments, user, after, limit, a, ret, ret_n, err);
}

int person_messages(struct db_conn *c, int64_t user, int64_t after, size_t limit, struct arena *a,
		    int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return list(c, &sql_their_messages, user, after, limit, a, ret, ret_n, err);
}

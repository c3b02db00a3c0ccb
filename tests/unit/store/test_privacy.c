/* What is kept only for a while, and what refers to what goes. Erasing people is tested on a whole
 * desk (integration/test_privacy.py). */
#include "store_test.h"

#include <maildesk/store/blobs.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/privacy.h>

#include <sqlite3.h>

#define DAY INT64_C(86400000)

struct scene {
	int64_t ann, agent, ticket, comment, mail, sent;
	struct ticket row;
};

static void add_mails(struct db_conn *c, struct scene *s)
{
	struct message_row m = { .direction = "in",
				 .ticket_id = s->ticket,
				 .message_id = "in@x",
				 .identity = "abc",
				 .subject = "Secret",
				 .from_address = "ann@x",
				 .head = "\"to\":[\"ann@x\"]",
				 .kind = "normal",
				 .size = 1,
				 .created_at = 1 };
	struct outbox_row o = { .ticket_id = s->ticket,
				.user_id = s->ann,
				.event = "e",
				.smtp = "s",
				.sender = "d@x",
				.recipient = "ann@x",
				.state = "queued",
				.data = "{}",
				.created_at = 1 };
	int64_t id;

	OK(message_insert(c, &m, &s->mail, &err));
	m.direction = "out";
	m.message_id = "out@x";
	m.identity = NULL;
	OK(message_insert(c, &m, &s->sent, &err));
	o.message_id = s->sent;
	OK(outbox_add(c, &o, &id, &err));
	OK(thread_add(c, "in@x", s->ticket, &err));
}

/* A ticket with one row of each kind. */
static void set_scene(struct db_conn *c, struct arena *a, struct scene *s)
{
	const struct attachment at = {
		.filename = "f", .content_type = "text/plain", .sha256 = "00", .encoding = "base64"
	};
	struct history h = {
		.action = "created", .new_value = "Secret", .source = "mail", .at = 1
	};
	struct comment m = { .channel = "mail", .body = "Secret", .created_at = 1 };
	int64_t other;

	s->ann = a_user(c, "ann@x", "customer");
	s->agent = a_user(c, "bob@x", "agent");
	s->ticket = a_ticket(c, s->ann, "Secret");
	other = a_ticket(c, s->ann, "Another");
	add_mails(c, s);
	m.ticket_id = h.ticket_id = s->ticket;
	m.author_id = h.actor_id = s->ann;
	m.message_id = s->mail;
	OK(comment_insert(c, &m, &s->comment, &err));
	OK(attachment_insert(c, s->mail, s->comment, &at, &err));
	OK(history_add(c, &h, &err));
	OK(participant_put(c, s->ticket, s->ann, "requester", 1, &err));
	OK(ticket_tag_add(c, s->ticket, "t", &err));
	OK(ticket_link_add(c, s->ticket, "relates", other, &err));
	OK(ticket_link_add(c, other, "blocks", s->ticket, &err));
	OK(ticket_get(c, s->ticket, a, &s->row, &err));
}

TXN_TEST(a_purged_ticket_leaves_only_the_mark_of_its_mails)
{
	struct attachment_row *files;
	struct ticket_link *links;
	struct message_row m;
	struct scene s;
	struct ticket t;
	size_t n;

	set_scene(c, a, &s);
	OK(ticket_purge(c, s.ticket, 5000, &err));
	assert_int_equal(ticket_get(c, s.ticket, a, &t, &err), MD_NOTFOUND);
	assert_int_equal(comment_get(c, s.comment, a, &(struct comment){ 0 }, &err), MD_NOTFOUND);
	OK(attachment_list_of(c, &s.mail, 1, a, &files, &n, &err));
	assert_int_equal(n, 0);
	OK(message_find(c, "abc", "in@x", a, &m, &err)); /* it is not taken in again */
	assert_int_equal(m.ticket_id, 0);
	assert_null(m.subject);
	assert_null(m.head);
	assert_null(m.from_address);
	OK(ticket_link_list(c, s.ticket + 1, a, &links, &n, &err));
	assert_int_equal(n, 0);
}

TXN_TEST(an_anonymised_ticket_keeps_its_figures)
{
	struct history *rows;
	struct comment m;
	struct ticket t;
	struct scene s;
	int64_t total, *ids;
	size_t n;

	set_scene(c, a, &s);
	s.row.closed_at = 3000;
	s.row.status = "closed";
	OK(ticket_save(c, &s.row, &err));
	OK(purge_aged_tickets(c, "closed", 3000, 10, a, &ids, &n, &err));
	assert_int_equal(n, 0);
	OK(purge_aged_tickets(c, "closed", 3001, 10, a, &ids, &n, &err));
	assert_int_equal(n, 1);
	OK(ticket_anonymise(c, ids[0], 5000, &err));
	OK(purge_aged_tickets(c, "closed", 3001, 10, a, &ids, &n, &err));
	assert_int_equal(n, 0); /* once is enough */
	OK(ticket_get(c, s.ticket, a, &t, &err));
	assert_string_equal(t.title, "[erased]");
	assert_string_equal(t.status, "closed");
	assert_int_equal(t.closed_at, 3000);
	assert_int_not_equal(t.requester_id, s.ann);
	OK(comment_get(c, s.comment, a, &m, &err));
	assert_string_equal(m.body, "[erased]");
	assert_int_equal(m.author_id, 0);
	OK(history_list(c, s.ticket, false, 0, 0, 10, a, &rows, &n, &total, &err));
	assert_int_equal(n, 1);
	assert_null(rows[0].new_value);
	assert_int_equal(rows[0].actor_id, 0);
}

/* A ticket of that status; times of 0 are not set. */
struct aged {
	const char *status;
	int64_t created, moved, resolved, closed, written; /* moved: in its history */
	int64_t since;                                     /* it is one of those before then + 1 */
};

static int64_t put_aged(struct db_conn *c, const struct aged *g, int64_t who)
{
	struct history h = { .action = "status", .source = "api", .trust = -1, .at = g->moved };
	struct comment m = { .channel = "mail", .body = "x", .created_at = g->written };
	struct ticket t = { .title = "x",
			    .status = g->status,
			    .requester_id = who,
			    .channel = "mail",
			    .created_at = g->created,
			    .updated_at = 9000,
			    .resolved_at = g->resolved,
			    .closed_at = g->closed };
	int64_t id;

	OK(ticket_insert(c, &t, &t.id, &err));
	m.ticket_id = h.ticket_id = t.id;
	h.new_value = g->status;
	if (g->written)
		OK(comment_insert(c, &m, &id, &err));
	if (g->moved) {
		OK(history_add(c, &h, &err));
		h.action = "priority"; /* of no interest, however late */
		h.at = 9000;
		OK(history_add(c, &h, &err));
	}
	return t.id;
}

TXN_TEST(the_age_of_a_ticket_counts_from_its_status)
{
	static const struct aged all[] = {
		{ "closed", 100, 300, 200, 300, 400, .since = 300 },
		{ "closed", 100, 0, 200, 300, 400, .since = 300 },   /* imported */
		{ "resolved", 100, 250, 200, 0, 400, .since = 250 }, /* by a second resolved one */
		{ "resolved", 100, 0, 200, 0, 400, .since = 200 },   /* imported */
		{ "pending", 100, 300, 0, 0, 200, .since = 300 },
		{ "pending", 100, 300, 0, 0, 500, .since = 500 }, /* somebody wrote */
		{ "open", 100, 0, 0, 0, 0, .since = 100 },
		{ "open", 100, 0, 0, 0, 100, .since = 100 },
	};
	int64_t who = a_user(c, "ann@x", "customer");

	for (size_t i = 0; i < MD_COUNT(all); i++) {
		const struct aged *g = &all[i];
		int64_t *ids, id = put_aged(c, g, who);
		bool is;
		size_t n;

		OK(purge_aged_tickets(c, g->status, g->since, 10, a, &ids, &n, &err));
		assert_int_equal(n, 0);
		OK(purge_is_aged(c, id, g->status, g->since, &is, &err));
		assert_false(is);
		OK(purge_aged_tickets(c, g->status, g->since + 1, 10, a, &ids, &n, &err));
		assert_int_equal(n, 1);
		assert_int_equal(ids[0], id);
		OK(purge_is_aged(c, id, g->status, g->since + 1, &is, &err));
		assert_true(is);
		OK(purge_is_aged(c, id, "reopened", g->since + 1, &is, &err));
		assert_false(is);
		OK(ticket_purge(c, id, 1000, &err));
	}
}

TXN_TEST(deleted_tickets_and_what_was_folded_into_them_go_after_their_time)
{
	struct scene s;
	struct ticket other;
	int64_t *ids;
	size_t n;

	set_scene(c, a, &s);
	OK(ticket_get(c, s.ticket + 1, a, &other, &err));
	other.merged_into = s.ticket;
	OK(ticket_save(c, &other, &err));
	s.row.deleted_at = 10 * DAY;
	OK(ticket_save(c, &s.row, &err));
	OK(purge_deleted_tickets(c, 10 * DAY, 10, a, &ids, &n, &err));
	assert_int_equal(n, 0);
	OK(purge_deleted_tickets(c, 10 * DAY + 1, 10, a, &ids, &n, &err));
	assert_int_equal(n, 1);
	OK(ticket_purge(c, ids[0], 20 * DAY, &err));
	OK(purge_deleted_tickets(c, 20 * DAY + 1, 10, a, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], other.id);
	OK(ticket_purge(c, ids[0], 20 * DAY, &err));
}

static int discard(struct db_conn *c, int64_t message, struct md_err *e)
{
	const struct decision d = { .message_id = message,
				    .outcome = "discarded",
				    .auth = "none",
				    .rules = "[]",
				    .commands = "[]",
				    .at = 1 };

	return decision_put(c, &d, e);
}

TXN_TEST(uploads_and_discarded_mails_go)
{
	struct upload u = { .content_type = "text/plain", .sha256 = "00", .size = 3, .at = 100 };
	struct message_row m = { .direction = "in",
				 .message_id = "d@x",
				 .identity = "d",
				 .kind = "normal",
				 .size = 1,
				 .created_at = 100 };
	struct blob blob;
	struct scene s;
	int64_t kept, waits, n;

	set_scene(c, a, &s);
	OK(blob_prepare("abc", 3, &blob, &err));
	OK(blob_put(c, &blob, &u.blob_id, &err));
	blob_done(&blob);
	u.uploader_id = s.ann;
	OK(upload_add(c, &u, &kept, &err));
	OK(upload_add(c, &u, &waits, &err));
	OK(upload_waiting(c, s.ann, &n, &err));
	assert_int_equal(n, 6);
	assert_int_equal(upload_attach(c, kept, s.agent, s.comment, &err), MD_NOTFOUND);
	OK(upload_attach(c, kept, s.ann, s.comment, &err));
	assert_int_equal(upload_attach(c, kept, s.ann, s.comment, &err), MD_NOTFOUND);
	OK(upload_purge(c, 100, &n, &err));
	assert_int_equal(n, 0);
	OK(upload_expired(c, 101, &n, &err));
	assert_int_equal(n, 1);
	OK(upload_purge(c, 101, &n, &err));
	assert_int_equal(n, 1);

	m.blob_id = u.blob_id;
	OK(message_insert(c, &m, &m.id, &err));
	OK(discard(c, m.id, &err));
	OK(purge_discarded_count(c, 100, &n, &err));
	assert_int_equal(n, 0);
	OK(purge_discarded(c, 101, &n, &err));
	assert_int_equal(n, 1);
	OK(message_get(c, m.id, a, &m, &err));
	assert_int_equal(m.blob_id, 0);
}

/* A table that is new refers to tickets or people: purge.c, erase.c and people.c must know it. */
static void whatever_refers_to_tickets_and_people_is_known(void **state)
{
	static const char *const known[] = {
		"account_links.user_id",
		"user_otp.user_id",
		"recovery_codes.user_id",
		"api_keys.user_id",
		"attachments.uploader_id",
		"blocked_senders.created_by",
		"clocks.ticket_id",
		"comments.author_id",
		"comments.origin_id",
		"comments.ticket_id",
		"confirmations.ticket_id",
		"digest_items.actor_id",
		"digest_items.ticket_id",
		"digest_items.user_id",
		"confirmations.user_id",
		"messages.origin_id",
		"messages.ticket_id",
		"outbox.ticket_id",
		"outbox.user_id",
		"refresh_tokens.user_id",
		"saved_views.user_id",
		"webhooks.created_by",
		"team_members.user_id",
		"teams.last_assigned_id",
		"thread_ids.ticket_id",
		"ticket_history.actor_id",
		"ticket_history.ticket_id",
		"ticket_links.other_id",
		"ticket_links.ticket_id",
		"ticket_participants.origin_id",
		"ticket_participants.ticket_id",
		"ticket_participants.user_id",
		"ticket_tags.ticket_id",
		"tickets.assignee_id",
		"tickets.created_by",
		"tickets.merged_into",
		"tickets.requester_id",
		"timers.ticket_id",
		"user_addresses.user_id",
	};
	struct fixture *f = *state;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	SQLITE_ONLY();
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db,
				   "SELECT s.name || '.' || k.\"from\" FROM sqlite_schema s,"
				   " pragma_foreign_key_list(s.name) k WHERE s.type = 'table'"
				   " AND k.\"table\" IN ('tickets', 'users')",
				   -1, &st, NULL),
		SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *column = (const char *)sqlite3_column_text(st, 0);
		bool found = false;

		for (size_t i = 0; i < MD_COUNT(known); i++)
			found = found || strcmp(known[i], column) == 0;
		if (!found)
			fail_msg("purge.c, erase.c and people.c do not know of %s", column);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_purged_ticket_leaves_only_the_mark_of_its_mails),
		TEST(an_anonymised_ticket_keeps_its_figures),
		TEST(the_age_of_a_ticket_counts_from_its_status),
		TEST(deleted_tickets_and_what_was_folded_into_them_go_after_their_time),
		TEST(uploads_and_discarded_mails_go),
		TEST(whatever_refers_to_tickets_and_people_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

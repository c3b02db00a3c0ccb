#include "store_test.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/random.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>
#include <maildesk/store/outbox.h>

#include <fcntl.h>

static int64_t a_message(struct db_conn *c, const char *direction, int64_t ticket, const char *id,
			 const char *from)
{
	struct message_row m = { .direction = direction,
				 .ticket_id = ticket,
				 .message_id = id,
				 .identity = *direction == 'i' ? id : NULL,
				 .from_address = from,
				 .kind = "normal",
				 .size = 1,
				 .created_at = 1 };
	int64_t row = 0;

	OK(message_insert(c, &m, &row, &err));
	return row;
}

/* ---- messages ---- */

static int store_twice(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct message_row m = { .direction = "in",
				       .message_id = "m1@x",
				       .identity = "abc",
				       .kind = "normal",
				       .size = 1,
				       .created_at = 1 };
	int64_t id;
	int rc = message_insert(c, &m, &id, e);

	(void)ctx;
	return rc == MD_OK ? message_insert(c, &m, &id, e) : rc;
}

static void a_mail_is_stored_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_txn(f->db, store_twice, NULL, &err), MD_CONFLICT);
}

TXN_TEST(a_mail_comes_back_and_is_known_again)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1"), box, id,
		again;
	struct message_row m = { .direction = "in",
				 .message_id = "m1@x",
				 .identity = "abc",
				 .subject = "Hi",
				 .from_address = "ann@x",
				 .from_name = "Ann",
				 .kind = "normal",
				 .trust = 2,
				 .size = 1234,
				 .date_at = 55,
				 .created_at = 66 },
			   got;

	OK(mailbox_ensure(c, "support", &box, &err));
	m.mailbox_id = box;
	assert_int_equal(message_find(c, "abc", "m1@x", a, &got, &err), MD_NOTFOUND);
	OK(message_insert(c, &m, &id, &err));
	OK(message_find(c, "abc", "m1@x", a, &got, &err));
	assert_int_equal(got.id, id);
	assert_string_equal(got.direction, "in");
	assert_int_equal(got.mailbox_id, box);
	assert_int_equal(got.ticket_id, 0);
	assert_string_equal(got.subject, "Hi");
	assert_string_equal(got.from_address, "ann@x");
	assert_string_equal(got.from_name, "Ann");
	assert_string_equal(got.kind, "normal");
	assert_int_equal(got.trust, 2);
	assert_int_equal(got.size, 1234);
	assert_int_equal(got.date_at, 55);
	assert_int_equal(got.blob_id, 0);
	assert_int_equal(got.created_at, 66);
	/* another content under the same Message-ID is another mail */
	m.identity = "def";
	OK(message_insert(c, &m, &again, &err));
	assert_int_equal(message_find(c, "def", "m2@x", a, &got, &err), MD_NOTFOUND);

	OK(message_set_ticket(c, id, ticket, 1, &err));
	OK(message_get(c, id, a, &got, &err));
	assert_int_equal(got.ticket_id, ticket);
	OK(message_set_ticket(c, id, 0, 1, &err));
	OK(message_get(c, id, a, &got, &err));
	assert_int_equal(got.ticket_id, 0);
}

static int64_t a_mail_out(struct db_conn *c, int64_t ticket, const char *mail_id, const char *to,
			  int64_t next_at)
{
	struct outbox_row o = { .message_id = a_message(c, "out", ticket, mail_id, "desk@x"),
				.ticket_id = ticket,
				.event = "public_reply",
				.smtp = "main",
				.sender = "desk@x",
				.recipient = to,
				.state = "queued",
				.data = "{\"a\":1}",
				.next_at = next_at,
				.created_at = 100 };
	int64_t id = 0;

	OK(outbox_add(c, &o, &id, &err));
	return id;
}

static void assert_ids(const struct rec_strs *got, const char *want)
{
	char text[200] = "";

	for (size_t i = 0; i < got->n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, got->v[i]);
	}
	assert_string_equal(text, want);
}

TXN_TEST(an_address_has_its_own_thread)
{
	int64_t ann = a_user(c, "ann@x", "customer"), one = a_ticket(c, ann, "1"),
		two = a_ticket(c, ann, "2"), last;
	struct rec_strs ids;

	a_message(c, "in", one, "m1", "ann@x");
	a_mail_out(c, one, "m2", "ann@x", 1);
	a_mail_out(c, one, "m3", "bob@x", 1);
	a_message(c, "in", one, "m4", "bob@x");
	a_message(c, "in", two, "m5", "ann@x");
	last = a_message(c, "in", one, "m6", "ann@x");
	OK(message_thread(c, one, "ann@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "m1 m2 m6");
	OK(message_thread(c, one, "ann@x", last, 10, a, &ids, &err));
	assert_ids(&ids, "m1 m2");
	OK(message_thread(c, one, "ann@x", last + 1, 2, a, &ids, &err));
	assert_ids(&ids, "m2 m6");
	OK(message_thread(c, one, "bob@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "m3 m4");
	OK(message_thread(c, two, "bob@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "");
}

/* Whom a sender gave a copy has it, and what we sent is theirs when the outbox has long forgotten.
 */
TXN_TEST(a_thread_is_known_by_its_copies)
{
	int64_t ann = a_user(c, "ann@x", "customer"), one = a_ticket(c, ann, "1"), last;
	struct message_row m = { .direction = "in",
				 .ticket_id = one,
				 .message_id = "m1",
				 .from_address = "ann@x",
				 .kind = "normal",
				 .created_at = 1,
				 .head = "{\"in_reply_to\":[\"m0\"],\"to\":[\"d@x\"],"
					 "\"cc\":[\"Bob_b@X\"]}" };
	struct rec_strs ids;

	OK(message_insert(c, &m, &last, &err));
	m.direction = "out";
	m.message_id = "m2";
	m.from_address = "d@x";
	m.head = "{\"references\":[\"m1\"],\"to\":[\"bob_b@x\"]}";
	OK(message_insert(c, &m, &last, &err));
	OK(message_thread(c, one, "bob_b@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "m1 m2");
	OK(message_thread(c, one, "bob_b@x", last, 10, a, &ids, &err));
	assert_ids(&ids, "m1");
	OK(message_thread(c, one, "b_b@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "");
	OK(message_thread(c, one, "bobXb@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "");
	OK(message_thread(c, one, "ann@x", last + 1, 10, a, &ids, &err));
	assert_ids(&ids, "m1");
}

TXN_TEST(thread_ids_belong_to_the_first_who_claims_them)
{
	int64_t ann = a_user(c, "ann@x", "customer"), one = a_ticket(c, ann, "1"),
		two = a_ticket(c, ann, "2");
	const char *ids[] = { "c@x", "unknown@x", "a@x", "b@x", "a@x" };
	struct rec_strs strs = { MD_COUNT(ids), ids };
	struct thread_hit *hits;
	size_t n;

	OK(thread_add(c, "a@x", one, &err));
	OK(thread_add(c, "b@x", two, &err));
	OK(thread_add(c, "c@x", two, &err));
	OK(thread_add(c, "a@x", two, &err));
	OK(thread_find(c, &strs, a, &hits, &n, &err));
	assert_int_equal(n, 4);
	assert_string_equal(hits[0].message_id, "c@x");
	assert_string_equal(hits[1].message_id, "a@x");
	assert_int_equal(hits[1].ticket_id, one);
	assert_string_equal(hits[2].message_id, "b@x");
	assert_int_equal(hits[2].ticket_id, two);
	assert_string_equal(hits[3].message_id, "a@x");
	strs.n = 0;
	OK(thread_find(c, &strs, a, &hits, &n, &err));
	assert_int_equal(n, 0);
}

TXN_TEST(attachments_of_a_ticket_come_by_comment)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1"),
		message = a_message(c, "in", ticket, "m1", "ann@x");
	struct comment m = { .ticket_id = ticket, .channel = "mail", .body = "x", .created_at = 1 };
	struct attachment at = { .filename = "a.pdf",
				 .content_type = "application/pdf",
				 .size = 9,
				 .sha256 = "feed",
				 .content_id = "c1",
				 .is_inline = true,
				 .offset = 100,
				 .length = 12,
				 .encoding = "base64" };
	struct attachment_row *list;
	int64_t first, second;
	size_t n;

	OK(comment_insert(c, &m, &first, &err));
	OK(comment_insert(c, &m, &second, &err));
	OK(attachment_insert(c, message, second, &at, &err));
	at.filename = NULL;
	OK(attachment_insert(c, message, first, &at, &err));
	OK(attachment_insert(c, message, 0, &at, &err)); /* of a quarantined mail */
	OK(attachment_list(c, ticket, a, &list, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].comment_id, first);
	assert_null(list[0].filename);
	assert_int_equal(list[1].comment_id, second);
	assert_int_equal(list[1].message_id, message);
	assert_string_equal(list[1].filename, "a.pdf");
	assert_string_equal(list[1].content_type, "application/pdf");
	assert_int_equal(list[1].size, 9);
	assert_string_equal(list[1].sha256, "feed");
	assert_string_equal(list[1].content_id, "c1");
	assert_true(list[1].is_inline);
	assert_int_equal(list[1].raw_offset, 100);
	assert_int_equal(list[1].raw_length, 12);
	assert_string_equal(list[1].encoding, "base64");
}

TXN_TEST(decisions_are_replaced_and_quarantine_is_newest_first)
{
	int64_t ids[] = { a_message(c, "in", 0, "m1", "x"), a_message(c, "in", 0, "m2", "x") };
	struct decision d = { .message_id = ids[0],
			      .outcome = "quarantine",
			      .cause = "loop",
			      .auth = "none",
			      .rules = "[]",
			      .commands = "[]",
			      .at = 5 },
			got;
	struct quarantine_row *list;
	int64_t total;
	size_t n;

	OK(decision_put(c, &d, &err));
	d.outcome = "ticket";
	d.cause = NULL;
	d.ticket_id = 3;
	d.comment_id = 4;
	d.auth = "pass";
	d.rules = "[1]";
	d.commands = "[2]";
	d.at = 6;
	OK(decision_put(c, &d, &err));
	OK(decision_get(c, ids[0], a, &got, &err));
	assert_string_equal(got.outcome, "ticket");
	assert_null(got.cause);
	assert_int_equal(got.ticket_id, 3);
	assert_int_equal(got.comment_id, 4);
	assert_string_equal(got.auth, "pass");
	assert_string_equal(got.rules, "[1]");
	assert_string_equal(got.commands, "[2]");
	assert_int_equal(got.at, 6);
	assert_int_equal(decision_get(c, ids[1], a, &got, &err), MD_NOTFOUND);

	OK(quarantine_add(c, ids[0], "loop", NULL, 5, &err));
	OK(quarantine_add(c, ids[1], "malformed", "why", 6, &err));
	OK(quarantine_add(c, ids[1], "again", NULL, 7, &err)); /* the first cause stays */
	OK(quarantine_list(c, 0, 0, 10, a, &list, &n, &total, &err));
	assert_int_equal(n, 2);
	assert_int_equal(total, 2);
	assert_int_equal(list[0].message_id, ids[1]);
	assert_string_equal(list[0].cause, "malformed");
	assert_string_equal(list[0].detail, "why");
	assert_int_equal(list[0].created_at, 6);
	assert_string_equal(list[1].cause, "loop");
	OK(quarantine_list(c, 0, 1, 10, a, &list, &n, &total, &err));
	assert_int_equal(n, 1);
}

/* ---- mailboxes ---- */

TXN_TEST(the_cursor_of_a_mailbox_only_goes_forward)
{
	struct mailbox_row m;
	int64_t id, same, other;

	OK(mailbox_ensure(c, "support", &id, &err));
	OK(mailbox_ensure(c, "support", &same, &err));
	OK(mailbox_ensure(c, "sales", &other, &err));
	assert_int_equal(id, same);
	assert_int_not_equal(id, other);
	OK(mailbox_get(c, id, a, &m, &err));
	assert_string_equal(m.name, "support");
	assert_int_equal(m.uidvalidity, 0);

	OK(mailbox_reset(c, id, 7, 100, 50, &err));
	OK(mailbox_advance(c, id, 7, 120, &err));
	OK(mailbox_advance(c, id, 7, 110, &err));
	OK(mailbox_advance(c, id, 6, 500, &err)); /* of an old UIDVALIDITY */
	OK(mailbox_get(c, id, a, &m, &err));
	assert_int_equal(m.uidvalidity, 7);
	assert_int_equal(m.last_uid, 120);
	assert_int_equal(m.import_below, 50);
	assert_int_equal(mailbox_get(c, 99, a, &m, &err), MD_NOTFOUND);
}

static void assert_attempt(struct db_conn *c, int64_t box, int64_t validity, int64_t uid,
			   int64_t want, bool want_done)
{
	int64_t attempts = -1;
	bool done = !want_done;

	OK(uid_attempt(c, box, validity, uid, &attempts, &done, &err));
	assert_int_equal(attempts, want);
	assert_int_equal(done, want_done);
}

TXN_TEST(a_mail_is_under_way_from_attempt_to_mark)
{
	int64_t box, other, *uids;
	size_t n;

	OK(mailbox_ensure(c, "support", &box, &err));
	OK(mailbox_ensure(c, "sales", &other, &err));
	assert_attempt(c, box, 7, 1, 1, false);
	assert_attempt(c, box, 7, 1, 2, false);
	assert_attempt(c, box, 8, 1, 1, false);
	assert_attempt(c, other, 7, 1, 1, false);
	OK(uid_set_attempts(c, box, 7, 1, 0, &err));
	assert_attempt(c, box, 7, 1, 1, false);
	OK(uid_marked(c, box, 7, (int64_t[]){ 1 }, 1, a, &err)); /* not stored yet: stays */
	OK(uid_done(c, box, 7, 1, &err));
	assert_attempt(c, box, 7, 1, 1, true); /* and is not counted any more */
	OK(uid_done(c, box, 7, 9, &err));
	OK(uid_done(c, box, 7, 4, &err));
	assert_attempt(c, box, 7, 5, 1, false);

	OK(uid_unmarked(c, box, 7, 10, a, &uids, &n, &err));
	assert_int_equal(n, 3);
	assert_true(uids[0] == 1 && uids[1] == 4 && uids[2] == 9);
	OK(uid_unmarked(c, box, 7, 2, a, &uids, &n, &err));
	assert_int_equal(n, 2);
	OK(uid_marked(c, box, 7, (int64_t[]){ 4 }, 1, a, &err));
	OK(uid_unmarked(c, box, 7, 10, a, &uids, &n, &err));
	assert_int_equal(n, 2);

	OK(mailbox_reset(c, box, 8, 0, 0, &err));
	OK(uid_unmarked(c, box, 7, 10, a, &uids, &n, &err));
	assert_int_equal(n, 0);
	assert_attempt(c, box, 8, 1, 2, false); /* of the new one: kept */
	assert_attempt(c, other, 7, 1, 2, false);
}

/* ---- outbox ---- */

static void assert_claim(struct db_conn *c, struct arena *a, const char *holder, int64_t now,
			 size_t limit, const char *want)
{
	struct outbox_row *got;
	char text[200] = "";
	size_t n;

	OK(outbox_claim(c, NULL, holder, now, now + 60, limit, a, &got, &n, &err));
	for (size_t i = 0; i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, got[i].mail_id);
		assert_string_equal(got[i].state, "sending");
		assert_int_equal(got[i].next_at, now + 60);
	}
	assert_string_equal(text, want);
}

TXN_TEST(a_mail_never_overtakes_the_one_before_it)
{
	int64_t ann = a_user(c, "ann@x", "customer"), one = a_ticket(c, ann, "1"),
		two = a_ticket(c, ann, "2");
	int64_t a1 = a_mail_out(c, one, "a1", "ann@x", 10),
		a2 = a_mail_out(c, one, "a2", "ann@x", 5),
		b1 = a_mail_out(c, one, "b1", "bob@x", 10), next;

	a_mail_out(c, one, "a3", "ann@x", 5);
	a_mail_out(c, two, "t2", "ann@x", 12);
	a_mail_out(c, 0, "n1", "ann@x", 11); /* without a ticket: no order */
	a_mail_out(c, 0, "n2", "ann@x", 11);

	assert_claim(c, a, "me", 9, 10, "");
	OK(outbox_next_due(c, NULL, &next, &err));
	assert_int_equal(next, 10); /* a2 is due, but not its turn */
	assert_claim(c, a, "me", 11, 1, "a1");
	assert_claim(c, a, "me", 11, 10, "b1 n1 n2");
	assert_claim(c, a, "me", 12, 10, "t2");
	OK(outbox_next_due(c, NULL, &next, &err));
	assert_int_equal(next, 71); /* the leases end */

	/* sent, retry, failed and cancelled of the one before */
	OK(outbox_finish(c, a1, "me", "retry", "451 later", 500, 13, &err));
	assert_claim(c, a, "me", 14, 10, "");
	assert_claim(c, a, "me", 500, 1, "b1"); /* its lease is over */
	OK(outbox_finish(c, b1, "me", "sent", "250 ok", 0, 501, &err));
	assert_claim(c, a, "me", 502, 1, "n1");
	assert_claim(c, a, "me", 502, 10, "a1 t2 n2");
	OK(outbox_finish(c, a1, "me", "failed", "550 no", 0, 503, &err));
	assert_claim(c, a, "me", 504, 10, "a2");
	OK(outbox_finish(c, a2, "me", "sent", "250 ok", 0, 505, &err));
	assert_claim(c, a, "me", 506, 10, "a3");
}

TXN_TEST(an_expired_lease_lets_another_take_over)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1");
	int64_t id = a_mail_out(c, ticket, "m", "ann@x", 10);
	struct outbox_row got;

	assert_claim(c, a, "me", 10, 5, "m");
	assert_claim(c, a, "you", 69, 5, "");
	assert_claim(c, a, "you", 70, 5, "m");
	assert_int_equal(outbox_finish(c, id, "me", "sent", "250", 0, 71, &err), MD_CONFLICT);
	OK(outbox_finish(c, id, "you", "sent", "250 queued as 7", 0, 72, &err));
	assert_int_equal(outbox_finish(c, id, "you", "sent", "250", 0, 73, &err), MD_CONFLICT);
	OK(outbox_get(c, id, a, &got, &err));
	assert_string_equal(got.state, "sent");
	assert_int_equal(got.attempts, 2);
	assert_string_equal(got.last_reply, "250 queued as 7");
	assert_int_equal(got.done_at, 72);
}

TXN_TEST(what_an_earlier_life_claimed_is_released)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1"), next;

	a_mail_out(c, ticket, "m1", "ann@x", 10);
	a_mail_out(c, ticket, "m2", "bob@x", 10);
	assert_claim(c, a, "me", 10, 1, "m1");
	assert_claim(c, a, "you", 10, 1, "m2");
	OK(outbox_release(c, "me", 20, &err));
	OK(outbox_next_due(c, NULL, &next, &err));
	assert_int_equal(next, 20);
	assert_claim(c, a, "me", 20, 5, "m1");
}

TXN_TEST(an_outbox_row_comes_back_and_is_frozen_once)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1"), blob, total;
	int64_t id = a_mail_out(c, ticket, "m1", "ann@x", 10);
	md_auto(blob_done) struct blob b = { 0 };
	struct outbox_row got, *list;
	struct message_row m;
	size_t n;

	OK(outbox_get(c, id, a, &got, &err));
	assert_int_equal(got.ticket_id, ticket);
	assert_int_equal(got.user_id, 0);
	assert_string_equal(got.event, "public_reply");
	assert_string_equal(got.smtp, "main");
	assert_string_equal(got.sender, "desk@x");
	assert_string_equal(got.recipient, "ann@x");
	assert_string_equal(got.state, "queued");
	assert_string_equal(got.data, "{\"a\":1}");
	assert_int_equal(got.attempts, 0);
	assert_int_equal(got.next_at, 10);
	assert_int_equal(got.created_at, 100);
	assert_int_equal(got.done_at, 0);
	assert_int_equal(got.blob_id, 0);
	assert_string_equal(got.mail_id, "m1");

	OK(blob_prepare("hello", 5, &b, &err));
	OK(blob_put(c, &b, &blob, &err));
	OK(outbox_freeze(c, id, blob, 5, "\"to\":[]", &err));
	assert_int_equal(outbox_freeze(c, id, blob, 5, "\"to\":[]", &err), MD_CONFLICT);
	OK(outbox_get(c, id, a, &got, &err));
	assert_int_equal(got.blob_id, blob);
	OK(message_get(c, got.message_id, a, &m, &err));
	assert_int_equal(m.size, 5);

	a_mail_out(c, ticket, "m2", "bob@x", 11);
	OK(outbox_list(c, &(struct outbox_filter){ .limit = 10 }, a, &list, &n, &total, &err));
	assert_int_equal(n, 2);
	assert_int_equal(total, 2);
	assert_string_equal(list[0].mail_id, "m2");
	assert_int_equal(outbox_get(c, 99, a, &got, &err), MD_NOTFOUND);
}

DB_SQL(sql_end, "UPDATE outbox SET state = $1, done_at = 100 WHERE id = $2");

TXN_TEST(what_was_sent_is_shown_for_a_while)
{
	static const char *const states[] = { "sent", "cancelled", "failed", "queued" };
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1"), n, total;
	struct outbox_row *list;
	size_t left;
	char name[3] = "m1";

	(void)a;
	for (size_t i = 0; i < MD_COUNT(states); i++, name[1]++) {
		int64_t id = a_mail_out(c, ticket, name, "ann@x", 1);

		OK(db_exec(c, &sql_end, DB_ARGS(DB_TEXT(states[i]), DB_INT(id)), NULL, &err));
	}
	OK(outbox_expire(c, 100, &n, &err));
	assert_int_equal(n, 0);
	OK(outbox_expire(c, 101, &n, &err));
	assert_int_equal(n, 2);
	OK(outbox_list(c, &(struct outbox_filter){ .limit = 10 }, a, &list, &left, &total, &err));
	assert_int_equal(left, 2);
	assert_string_equal(list[0].state, "queued");
	assert_string_equal(list[1].state, "failed");
}

/* What an admin may do in each state. */
static const struct {
	const char *state;
	bool retry, cancel;
} admin_cases[] = {
	{ "queued", true, true },      { "sending", false, false }, { "sent", false, false },
	{ "retry", true, true },       { "failed", true, false },   { "held", true, true },
	{ "cancelled", false, false },
};

TXN_TEST(admins_retry_and_cancel)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ticket = a_ticket(c, ann, "1");
	struct outbox_row o = { .ticket_id = ticket,
				.event = "e",
				.smtp = "s",
				.sender = "d@x",
				.recipient = "ann@x",
				.data = "{}",
				.next_at = 900,
				.created_at = 1 };
	struct outbox_row got;
	char name[8] = "a";
	int64_t id;

	for (size_t i = 0; i < 2 * MD_COUNT(admin_cases); i++, name[0]++) {
		bool retry = i % 2 == 0;
		bool may = retry ? admin_cases[i / 2].retry : admin_cases[i / 2].cancel;

		o.message_id = a_message(c, "out", ticket, name, "d@x");
		o.state = admin_cases[i / 2].state;
		OK(outbox_add(c, &o, &id, &err));
		assert_int_equal(retry ? outbox_retry(c, id, 50, &err)
				       : outbox_cancel(c, id, 50, &err),
				 may ? MD_OK : MD_CONFLICT);
		OK(outbox_get(c, id, a, &got, &err));
		assert_string_equal(got.state, !may ? o.state : retry ? "queued" : "cancelled");
		assert_int_equal(got.next_at, may && retry ? 50 : 900);
		assert_int_equal(got.done_at, may && !retry ? 50 : 0);
	}
}

TXN_TEST(automatic_mails_to_an_address_are_counted)
{
	static const struct {
		const char *to, *event;
	} mails[] = { { "ann@x", "created" },
		      { "ann@x", "transcript" },
		      { "ann@x", "public_reply" }, /* a person's words */
		      { "bob@x", "created" } };
	int64_t n, id;

	(void)a;
	for (size_t i = 0; i < MD_COUNT(mails); i++) {
		char name[20];
		struct outbox_row o = { .event = mails[i].event,
					.smtp = "main",
					.sender = "desk@x",
					.recipient = mails[i].to,
					.state = "queued",
					.data = "{}",
					.next_at = 1,
					.created_at = 100 };

		snprintf(name, sizeof name, "m%zu", i);
		o.message_id = a_message(c, "out", 0, name, "desk@x");
		OK(outbox_add(c, &o, &id, &err));
	}
	OK(outbox_count_to(c, "ann@x", NULL, 100, &n, &err));
	assert_int_equal(n, 2);
	OK(outbox_count_to(c, "ann@x", "created", 100, &n, &err));
	assert_int_equal(n, 1);
	OK(outbox_count_to(c, "ann@x", "unverified", 100, &n, &err));
	assert_int_equal(n, 0);
	OK(outbox_count_to(c, "ann@x", NULL, 101, &n, &err));
	assert_int_equal(n, 0);
}

/* ---- blobs ---- */

/* Bytes that compress (a text) or do not (a fixed pseudo-random stream). */
static uint8_t *some_bytes(size_t n, bool noise)
{
	uint8_t *bytes = md_malloc(n);
	struct random r = random_seeded(n);

	assert_non_null(bytes);
	if (noise)
		random_fill(&r, bytes, n);
	for (size_t i = 0; i < n && !noise; i++)
		bytes[i] = (uint8_t) "maildesk keeps mail. "[(i + i / 1000) % 21];
	return bytes;
}

static const struct blob_case {
	size_t n;
	bool noise, is_packed;
} blob_cases[] = {
	{ 0, false, false },
	{ 1, false, false },
	{ 20, true, false },
	{ 5000, false, true },
	{ 5000, true, false },
	{ 256 << 10, true, false },
	{ (256 << 10) + 1, true, false },
	{ 3 << 20, false, true },
	{ (3 << 20) + 7, true, false },
};

static void check_blob(struct db_conn *c, const struct blob *b, const uint8_t *bytes,
		       const struct blob_case *k)
{
	md_auto(md_free_p) uint8_t *back = NULL;
	char sha[SHA256_HEX];
	int64_t id, again;
	size_t n = 99;

	sha256_hex(bytes, k->n, sha);
	assert_string_equal(b->sha256, sha);
	assert_int_equal(b->size, k->n);
	assert_string_equal(b->encoding, k->is_packed ? "zstd" : "identity");
	assert_true(b->n <= k->n);
	OK(blob_put(c, b, &id, &err));
	OK(blob_put(c, b, &again, &err));
	assert_int_equal(id, again);
	OK(blob_get(c, id, &back, &n, &err));
	assert_int_equal(n, k->n);
	assert_memory_equal(back, bytes, n);
}

TXN_TEST(blobs_come_back_whole)
{
	(void)a;
	for (size_t i = 0; i < MD_COUNT(blob_cases); i++) {
		md_auto(md_free_p) uint8_t *bytes =
			some_bytes(blob_cases[i].n, blob_cases[i].noise);
		md_auto(blob_done) struct blob b = { 0 };

		OK(blob_prepare(bytes, blob_cases[i].n, &b, &err));
		check_blob(c, &b, bytes, &blob_cases[i]);
	}
}

static int temporary_file(const void *bytes, size_t n)
{
	char path[] = "/tmp/maildesk-store-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	for (size_t at = 0; at < n;) {
		ssize_t w = write(fd, (const char *)bytes + at, n - at);

		assert_true(w > 0);
		at += (size_t)w;
	}
	return fd;
}

TXN_TEST(blobs_of_files_come_back_whole)
{
	(void)a;
	for (size_t i = 0; i < MD_COUNT(blob_cases); i++) {
		size_t n = blob_cases[i].n;
		md_auto(md_free_p) uint8_t *bytes = some_bytes(n, blob_cases[i].noise);
		md_auto(md_close_p) int fd = temporary_file(bytes, n);
		md_auto(blob_done) struct blob b = { 0 };

		OK(blob_prepare_fd(fd, (int64_t)n, &b, &err));
		check_blob(c, &b, bytes, &blob_cases[i]);
		assert_int_equal(blob_prepare_fd(fd, (int64_t)n + 1, &b, &err), MD_BROKEN);
	}
}

DB_SQL(sql_damage, "UPDATE blobs SET bytes = $2, size = $3 WHERE id = $1");
DB_SQL(sql_lose_chunks, "DELETE FROM blob_chunks WHERE blob_id = $1");

TXN_TEST(a_damaged_blob_is_noticed)
{
	md_auto(md_free_p) uint8_t *bytes = some_bytes(600000, true);
	md_auto(blob_done) struct blob small = { 0 }, large = { 0 };
	uint8_t *back = NULL;
	int64_t id, big;
	size_t n;

	(void)a;
	OK(blob_prepare(bytes, 100, &small, &err));
	OK(blob_put(c, &small, &id, &err));
	OK(db_exec(c, &sql_damage, DB_ARGS(DB_INT(id), DB_BLOB(bytes + 1, 100), DB_INT(100)), NULL,
		   &err));
	assert_int_equal(blob_get(c, id, &back, &n, &err), MD_BROKEN);
	OK(db_exec(c, &sql_damage, DB_ARGS(DB_INT(id), DB_BLOB(bytes, 101), DB_INT(100)), NULL,
		   &err));
	assert_int_equal(blob_get(c, id, &back, &n, &err), MD_BROKEN);
	OK(blob_prepare(bytes, 600000, &large, &err));
	OK(blob_put(c, &large, &big, &err));
	OK(db_exec(c, &sql_lose_chunks, DB_ARGS(DB_INT(big)), NULL, &err));
	assert_int_equal(blob_get(c, big, &back, &n, &err), MD_BROKEN);
	assert_int_equal(blob_get(c, 999, &back, &n, &err), MD_NOTFOUND);
	assert_null(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mail_is_stored_once),
		TEST(a_mail_comes_back_and_is_known_again),
		TEST(an_address_has_its_own_thread),
		TEST(a_thread_is_known_by_its_copies),
		TEST(thread_ids_belong_to_the_first_who_claims_them),
		TEST(attachments_of_a_ticket_come_by_comment),
		TEST(decisions_are_replaced_and_quarantine_is_newest_first),
		TEST(the_cursor_of_a_mailbox_only_goes_forward),
		TEST(a_mail_is_under_way_from_attempt_to_mark),
		TEST(a_mail_never_overtakes_the_one_before_it),
		TEST(an_expired_lease_lets_another_take_over),
		TEST(what_an_earlier_life_claimed_is_released),
		TEST(an_outbox_row_comes_back_and_is_frozen_once),
		TEST(admins_retry_and_cancel),
		TEST(what_was_sent_is_shown_for_a_while),
		TEST(automatic_mails_to_an_address_are_counted),
		TEST(blobs_come_back_whole),
		TEST(blobs_of_files_come_back_whole),
		TEST(a_damaged_blob_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

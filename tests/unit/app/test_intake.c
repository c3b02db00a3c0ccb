/* One mail in, everything it leaves behind: ticket, comment, history, mails, decision, cursor. */
#include "desk_fixture.h"

#include <maildesk/store/mailboxes.h>

#define EVE "eve@stranger.test"
#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ANNA "anna@desk.test"
#define BOB "bob@desk.test"

/* Ways to say which ticket is meant. */
enum way { BY_ADDRESS, BY_IN_REPLY_TO, BY_REFERENCES, BY_MARKER, BY_SUBJECT, BY_OWN_ID };

/* A ticket of Carol's by mail, its acknowledgement sent. */
static int64_t carols_ticket(struct fixture *f)
{
	struct intake_result r = TAKE(f, .from = "Carol <" CAROL ">", .subject = "Printer on fire",
				      .body = "It burns.\n", .id = "first@carol.test");

	OUTCOME(r, "ticket_created");
	send_all(f);
	return r.ticket;
}

/* A mail that means a ticket by what was last sent to Carol on it. */
static struct mail about(struct fixture *f, int64_t ticket, enum way way, struct mail m)
{
	const char *id = rows(f,
			      "SELECT m.message_id FROM outbox o JOIN messages m ON m.id = "
			      "o.message_id WHERE o.ticket_id = %lld AND o.recipient = '" CAROL
			      "' ORDER BY o.id DESC LIMIT 1",
			      (long long)ticket);

	switch (way) {
	case BY_ADDRESS:
		m.to = mail_data(f, CAROL, "mail.reply_to");
		break;
	case BY_IN_REPLY_TO:
		m.reply_to = id;
		break;
	case BY_REFERENCES:
		m.headers = arena_printf(&f->arena, "References: <x@y.test> <%s>\n%s", id,
					 m.headers ? m.headers : "");
		break;
	case BY_MARKER:
		m.body = arena_printf(&f->arena, "%s\n> %s\n", m.body ? m.body : "Hello.",
				      mail_data(f, CAROL, "body_token"));
		break;
	case BY_SUBJECT:
		m.subject =
			arena_printf(&f->arena, "Re: [#%lld] Printer on fire", (long long)ticket);
		break;
	case BY_OWN_ID:
		m.reply_to = "first@carol.test";
		break;
	}
	return m;
}
#define ABOUT(f, ticket, way, ...) about((f), (ticket), (way), (struct mail){ __VA_ARGS__ })

/* The mail system's report on a mail of ours. */
static const char *bounce_of(struct fixture *f, const char *id, const char *recipient,
			     const char *action, const char *status)
{
	return arena_printf(
		&f->arena,
		"Return-Path: <>\nReceived: from x by mx.desk.test; Mon, 2 Mar 2026 "
		"09:00:00 +0000\nFrom: MAILER-DAEMON@mx.test\nTo: support@desk.test\n"
		"Subject: Undelivered\nMessage-ID: <dsn%lld@mx.test>\n"
		"MIME-Version: 1.0\nContent-Type: multipart/report; "
		"report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\n"
		"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
		"Final-Recipient: rfc822; %s\nAction: %s\nStatus: %s\n"
		"Diagnostic-Code: smtp; 550 no such user\n--b\n"
		"Content-Type: text/rfc822-headers\n\nMessage-ID: <%s>\n--b--\n",
		(long long)++f->serial, recipient, action, status, id);
}

static int fixture_cursor(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct fixture *f = ctx;

	return mailbox_reset(c, f->support, 1, 0, 0, e);
}

static int fixture_disable(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	struct user u;
	int rc = user_get(c, *(int64_t *)ctx, &a, &u, e);

	u.disabled_at = fixture_now;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

static const char *status_of(struct fixture *f, int64_t ticket)
{
	return rows(f, "SELECT status FROM tickets WHERE id = %lld", (long long)ticket);
}

/* The newest comment: "public" or "internal", what holds it, its text. */
static const char *last_comment(struct fixture *f)
{
	return rows(f, "SELECT CASE is_internal WHEN 1 THEN 'internal ' ELSE 'public ' END ||"
		       " coalesce(held, 'free') || ': ' || body FROM comments ORDER BY id DESC"
		       " LIMIT 1");
}

/* ---- a new mail ---- */

static void new_mail_of_a_stranger(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = "Eve Example <Eve@stranger.test>", .subject = "Help me",
		     .body = "It is broken.\n", .id = "one@eve.test");

	OUTCOME(r, "ticket_created");
	ROWS(f, "Help me open 1 mail 1",
	     "SELECT title || ' ' || status || ' ' || priority || ' ' || channel || ' ' || version"
	     " FROM tickets");
	ROWS(f, "Eve Example eve@stranger.test customer",
	     "SELECT u.name || ' ' || u.email || ' ' || u.role FROM tickets t JOIN users u ON"
	     " u.id = t.requester_id");
	assert_string_equal(last_comment(f), "public free: It is broken.");
	ROWS(f, "created " EVE "\ncreated_agent " ANNA "\ncreated_agent " BOB, QUEUED);
	ROWS(f, "created|Help me|mail|0|1",
	     "SELECT action || '|' || new_value || '|' || source || '|' || trust || '|' || "
	     "is_public"
	     " FROM ticket_history");
	ROWS(f, "requester", "SELECT role FROM ticket_participants");
	ROWS(f, "1|0|normal",
	     "SELECT ticket_id || '|' || trust || '|' || kind FROM messages"
	     " WHERE direction = 'in'");
	ROWS(f, "ticket_created|1|1|none",
	     "SELECT outcome || '|' || ticket_id || '|' || comment_id || '|' || auth FROM "
	     "decisions");
	ROWS(f, "none\ntrust", "SELECT j.value ->> 'rule' FROM decisions, json_each(rules) j");
	ROWS(f, "1|1", "SELECT uidvalidity || '|' || done FROM mailbox_uids WHERE uid = 1");
	ROWS(f, "1", "SELECT count(*) FROM thread_ids WHERE message_id = 'one@eve.test'");
}

static void new_mail_of_known_people(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = CAROL, .subject = "A", .auth = "pass");
	ROWS(f, "created " CAROL "\ncreated_agent " ANNA "\ncreated_agent " BOB, QUEUED);
	ROWS(f, "2", "SELECT trust FROM messages WHERE direction = 'in'");
	ROWS(f, "5", "SELECT count(*) FROM users");
	send_all(f);
	/* an agent's own ticket: the acknowledgement, and the other agent */
	TAKE(f, .from = ANNA, .subject = "B", .auth = "pass");
	ROWS(f, "created " ANNA "\ncreated_agent " BOB, QUEUED);
}

static void every_mail_spends_its_uid(void **state)
{
	struct fixture *f = *state;

	OK(db_txn(f->desk->db, fixture_cursor, f, &err));
	TAKE(f, .from = CAROL, .subject = "A", .id = "a@x.test");
	ROWS(f, "1", "SELECT count(*) FROM mailbox_uids WHERE done = 1");
	TAKE(f, .from = CAROL, .subject = "A", .id = "a@x.test"); /* a duplicate */
	ROWS(f, "2", "SELECT count(*) FROM mailbox_uids WHERE done = 1");
	TAKE(f, .from = "support@desk.test", .subject = "loop");
	ROWS(f, "3", "SELECT count(*) FROM mailbox_uids WHERE done = 1");
	TAKE(f, .from = CAROL, .cause = "parser_crashed");
	ROWS(f, "4", "SELECT count(*) FROM mailbox_uids WHERE done = 1");
}

static void titles_are_clean(void **state)
{
	struct fixture *f = *state;
	char x[1000];
	const struct {
		const char *subject, *title;
	} cases[] = {
		{ NULL, "(no subject)" },
		{ "", "(no subject)" },
		{ "=?utf-8?q?a=0D=0ABcc:_x@y.test?=", "a Bcc: x@y.test" },
		{ "=?utf-8?q?a=E2=80=AEcba=E2=80=AC?=", "acba" },
		{ "=?utf-8?q?bell=07_tab=09end?=", "bell tab end" },
	};

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct intake_result r = TAKE(f, .from = CAROL, .subject = cases[i].subject);

		ROWS(f, cases[i].title, "SELECT title FROM tickets WHERE id = %lld",
		     (long long)r.ticket);
	}
	memset(x, 'x', sizeof x);
	memcpy(x, "=?utf-8?q?=C3=A4?=", 18);
	x[18] = ' ';
	x[900] = '\0';
	TAKE(f, .from = CAROL, .subject = x);
	ROWS(f, "500", "SELECT length(title) FROM tickets ORDER BY id DESC LIMIT 1");
	ROWS(f, "1", "SELECT max(length(subject)) > 800 FROM messages");
}

/* ---- replies ---- */

static void replies_find_their_ticket(void **state)
{
	static const struct {
		enum way way;
		const char *from, *auth, *outcome, *comment;
		bool same_ticket;
	} cases[] = {
		{ BY_ADDRESS, CAROL, NULL, "comment_added", "public free: Hi", true },
		{ BY_IN_REPLY_TO, CAROL, NULL, "comment_added", "public free: Hi", true },
		{ BY_REFERENCES, CAROL, NULL, "comment_added", "public free: Hi", true },
		{ BY_OWN_ID, CAROL, NULL, "comment_added", "public free: Hi", true },
		{ BY_MARKER, CAROL, NULL, "comment_added", "public free: Hi", true },
		{ BY_SUBJECT, CAROL, NULL, "comment_added", "public free: Hi", true },
		{ BY_SUBJECT, ANNA, "pass", "comment_added", "public free: Hi", true },
		{ BY_SUBJECT, ANNA, NULL, "comment_added", "internal unverified: Hi", true },
		/* whoever takes no part: held, and with the bare tag a ticket of their own */
		{ BY_ADDRESS, EVE, NULL, "comment_added", "internal not_participant: Hi", true },
		{ BY_IN_REPLY_TO, EVE, NULL, "comment_added", "internal not_participant: Hi",
		  true },
		{ BY_REFERENCES, DAVE, "pass", "comment_added", "internal not_participant: Hi",
		  true },
		{ BY_MARKER, EVE, NULL, "comment_added", "internal not_participant: Hi", true },
		{ BY_OWN_ID, EVE, NULL, "comment_added", "internal not_participant: Hi", true },
		{ BY_SUBJECT, EVE, NULL, "ticket_created", "public free: Hi", false },
		{ BY_SUBJECT, DAVE, "pass", "ticket_created", "public free: Hi", false },
		/* a From that is proven false speaks for nobody */
		{ BY_ADDRESS, CAROL, "fail", "comment_added", "internal unverified: Hi", true },
	};

	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int64_t ticket;
		struct intake_result r;

		if (i) {
			fixture_close(f);
			fixture_open(f, "");
		}
		ticket = carols_ticket(f);
		r = take(f, ABOUT(f, ticket, cases[i].way, .from = cases[i].from,
				  .auth = cases[i].auth, .subject = "Re: x", .body = "Hi\n"));
		if (strcmp(r.outcome, cases[i].outcome) != 0 ||
		    (r.ticket == ticket) != cases[i].same_ticket ||
		    strcmp(last_comment(f), cases[i].comment) != 0)
			fail_msg("case %zu: %s, ticket %lld, %s", i, r.outcome, (long long)r.ticket,
				 last_comment(f));
		if (!cases[i].same_ticket)
			ROWS(f, "relates 1", "SELECT type || ' ' || other_id FROM ticket_links");
	}
}

static void held_mail_reaches_no_customer(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);

	OK(assign_rc(f, f->bob, ticket, f->bob));
	send_all(f);
	take(f, ABOUT(f, ticket, BY_ADDRESS, .from = EVE, .body = "let me in\n"));
	ROWS(f, "internal_note " BOB, QUEUED);
	ROWS(f, "0",
	     "SELECT count(*) FROM ticket_participants p JOIN users u ON u.id = p.user_id"
	     " WHERE u.email = '" EVE "' AND p.pending = 0");
	ROWS(f, EVE,
	     "SELECT u.email FROM ticket_participants p JOIN users u ON u.id = p.user_id"
	     " WHERE p.pending = 1");
	ROWS(f, "in_progress", "SELECT status FROM tickets");
}

static void wrong_tags_are_quarantined(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);
	struct mail m = ABOUT(f, ticket, BY_ADDRESS, .from = CAROL);
	char *to = arena_strdup(&f->arena, m.to), *at = strchr(to, '@');

	at[-1] = at[-1] == 'a' ? 'b' : 'a';
	at[-9] = at[-9] == 'a' ? 'b' : 'a';
	m.to = to;
	OUTCOME(take(f, m), "quarantined");
	ROWS(f, "bad_signature", "SELECT cause FROM quarantine");
	ROWS(f, "1", "SELECT count(*) FROM comments");
	ROWS(f, "", QUEUED);
}

static void tokens_of_two_tickets_prove_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t one, two;
	const char *to;

	OK(assign_rc(f, f->anna, one = create(f, f->carol, f->carol, "One"), f->anna));
	OK(comment_rc(f, f->carol, one, "Hello?", false));
	to = mail_data(f, ANNA, "mail.reply_to");
	OK(assign_rc(f, f->anna, two = create(f, f->carol, f->carol, "Two"), f->anna));
	OK(comment_rc(f, f->carol, two, "Hello?", false));
	to = arena_printf(&f->arena, "%s, %s", to, mail_data(f, ANNA, "mail.reply_to"));
	TAKE(f, .from = ANNA, .to = to, .subject = "Re: both [resolve]", .body = "Hi\n");
	ROWS(f, "in_progress\nin_progress", "SELECT status FROM tickets WHERE id <= 2 ORDER BY id");
	ROWS(f, "1", "SELECT trust FROM messages WHERE direction = 'in'");
}

/* ---- the same mail again ---- */

static void duplicates_do_nothing(void **state)
{
	struct fixture *f = *state;
	struct mail m = { .from = CAROL, .subject = "Help", .id = "dup@x.test" };
	struct intake_result first = take(f, m), r;
	const char *before = rows(f, "SELECT count(*) FROM outbox");

	r = take(f, m);
	OUTCOME(r, "duplicate");
	assert_int_equal(r.ticket, first.ticket);
	ROWS(f, "created", "SELECT action FROM ticket_history");
	/* another mailbox: it is noted; other trace fields do not make it another mail */
	m.mailbox = f->sales;
	m.to = "support@desk.test";
	m.headers = "Delivered-To: sales@desk.test\n";
	r = take(f, m);
	OUTCOME(r, "duplicate");
	ROWS(f, "created -\nduplicate sales",
	     "SELECT action || ' ' || CASE action WHEN 'created' THEN '-' ELSE new_value END"
	     " FROM ticket_history ORDER BY id");
	ROWS(f, before, "SELECT count(*) FROM outbox");
	/* the one at another mailbox has its decision, and only the first a place on the ticket */
	ROWS(f, "ticket_created 1\nduplicate 1",
	     "SELECT outcome || ' ' || ticket_id FROM decisions ORDER BY message_id");
	ROWS(f, "1", "SELECT count(*) FROM messages WHERE ticket_id = 1 AND direction = 'in'");
	/* the same id with other words is another mail */
	m.headers = NULL;
	m.body = "Something else.\n";
	OUTCOME(take(f, m), "ticket_created");
}

static void a_mail_without_id_gets_one(void **state)
{
	struct fixture *f = *state;

	OUTCOME(TAKE(f, .from = CAROL, .subject = "A", .id = ""), "ticket_created");
	OUTCOME(TAKE(f, .from = CAROL, .subject = "A", .id = ""), "duplicate");
	OUTCOME(TAKE(f, .from = CAROL, .subject = "B", .id = ""), "ticket_created");
	ROWS(f, "2",
	     "SELECT count(DISTINCT message_id) FROM messages WHERE direction = 'in'"
	     " AND message_id LIKE '%%@message-id.invalid'");
}

static void siblings_of_an_unseen_ancestor_meet(void **state)
{
	struct fixture *f = *state;
	struct intake_result one = TAKE(f, .from = CAROL, .subject = "Re: x",
					.headers = "References: <root@elsewhere.test>\n"),
			     two = TAKE(f, .from = CAROL, .subject = "Re: y",
					.reply_to = "root@elsewhere.test");

	OUTCOME(two, "comment_added");
	assert_int_equal(one.ticket, two.ticket);
}

/* ---- trust ---- */

static void agents_below_level_two_are_held(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);

	take(f, ABOUT(f, ticket, BY_SUBJECT, .from = ANNA, .body = "#resolve\nAll done.\n"));
	assert_string_equal(last_comment(f), "internal unverified: #resolve\nAll done.");
	assert_string_equal(status_of(f, ticket), "open");
	ROWS(f, "confirmation " ANNA, QUEUED);
	ROWS(f, "0",
	     "SELECT count(*) FROM outbox WHERE event = 'confirmation'"
	     " AND data LIKE '%%All done%%'");
	/* one notice an hour, however many mails */
	take(f, ABOUT(f, ticket, BY_SUBJECT, .from = ANNA, .body = "Again.\n"));
	ROWS(f, "1", "SELECT count(*) FROM outbox WHERE event = 'confirmation'");
	fixture_now += HOUR + 1;
	take(f, ABOUT(f, ticket, BY_SUBJECT, .from = ANNA, .body = "And again.\n"));
	ROWS(f, "2", "SELECT count(*) FROM outbox WHERE event = 'confirmation'");
	ROWS(f, "0",
	     "SELECT count(*) FROM outbox WHERE event <> 'confirmation' AND state = 'queued'");
}

static void results_count_above_our_hop_only(void **state)
{
	static const char *const received = "Received: from x by mx.desk.test; Mon, 2 Mar 2026 "
					    "09:00:00 +0000\n";
	static const char *const pass = "Authentication-Results: mx.desk.test; dmarc=pass "
					"header.from=desk.test\n";
	static const char *const fail = "Authentication-Results: mx.desk.test; dmarc=fail "
					"header.from=desk.test\n";
	static const char *const foreign = "Authentication-Results: mx.desk.test.evil; dmarc=pass "
					   "header.from=desk.test\n";
	const struct {
		const char *above, *below;
		int level;
		const char *auth;
	} cases[] = {
		{ pass, "", 2, "pass" },   { "", pass, 1, "none" }, { fail, "", 0, "fail" },
		{ pass, fail, 2, "pass" }, { "", fail, 1, "none" }, { foreign, "", 1, "none" },
		{ fail, pass, 0, "fail" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases) + 1; i++) {
		bool both = i == MD_COUNT(cases);
		const char *raw = arena_printf(&f->arena,
					       "%s%s%s%sFrom: " ANNA
					       "\nTo: support@desk.test\nSubject: t\n\nx%zu\n",
					       both ? pass : cases[i].above, both ? fail : "",
					       received, both ? "" : cases[i].below, i);
		struct intake_result r = TAKE(f, .raw = raw);

		if (both) /* they contradict each other */
			ROWS(f, "1 none",
			     "SELECT trust || ' ' || auth FROM messages JOIN decisions ON id = "
			     "decisions.message_id WHERE id = %lld",
			     (long long)r.message);
		else
			ROWS(f, arena_printf(&f->arena, "%d %s", cases[i].level, cases[i].auth),
			     "SELECT trust || ' ' || auth FROM messages JOIN decisions ON id = "
			     "decisions.message_id WHERE id = %lld",
			     (long long)r.message);
	}
}

static void signed_addresses_prove_without_authserv(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Broken");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(comment_rc(f, f->carol, ticket, "Hello?", false));
	/* Anna's own signed address runs commands */
	TAKE(f, .from = ANNA, .to = mail_data(f, ANNA, "mail.reply_to"),
	     .subject = "Re: x [resolve]", .body = "Fixed.\n");
	assert_string_equal(status_of(f, ticket), "resolved");
	assert_string_equal(last_comment(f), "public free: Fixed.");
	/* Carol's, used with Anna's name, proves nothing */
	TAKE(f, .from = ANNA, .to = mail_data(f, CAROL, "mail.reply_to"),
	     .subject = "Re: x [close]", .body = "Over.\n");
	assert_string_equal(status_of(f, ticket), "resolved");
	assert_string_equal(last_comment(f), "internal unverified: Over.");
}

static void on_fail_quarantine(void **state)
{
	struct fixture *f = *state;

	OUTCOME(TAKE(f, .from = CAROL, .auth = "fail"), "quarantined");
	ROWS(f, "auth_failed", "SELECT cause FROM quarantine");
	OUTCOME(TAKE(f, .from = CAROL, .auth = "pass"), "ticket_created");
}

static void unknown_sender_quarantine(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	OUTCOME(TAKE(f, .from = EVE), "quarantined");
	ROWS(f, "unknown_sender", "SELECT cause FROM quarantine");
	ROWS(f, "5", "SELECT count(*) FROM users");
	ticket = carols_ticket(f);
	/* what the mail system says of our own mail is not a sender's */
	OUTCOME(TAKE(f, .from = "MAILER-DAEMON@mx.test",
		     .raw = bounce_of(f, mail_data(f, CAROL, "mail.message_id"), CAROL, "failed",
				      "5.1.1")),
		"delivery_event");
	(void)ticket;
}

static void several_senders_are_nobody(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = ANNA ", " BOB, .subject = "x [prio=high]", .auth = "pass");

	OUTCOME(r, "ticket_created");
	ROWS(f, "0", "SELECT trust FROM messages WHERE direction = 'in'");
	ROWS(f, "1", "SELECT priority FROM tickets");
	ROWS(f, ANNA, "SELECT email FROM users u JOIN tickets t ON t.requester_id = u.id");
}

static void a_contact_form_lends_no_trust(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = "form@shop.test", .subject = "Order [prio=critical]",
		     .auth = "pass", .headers = "Reply-To: " ANNA "\n");

	OUTCOME(r, "ticket_created");
	ROWS(f, ANNA, "SELECT email FROM users u JOIN tickets t ON t.requester_id = u.id");
	ROWS(f, "1", "SELECT priority FROM tickets");
	ROWS(f, "1", "SELECT trust FROM messages WHERE direction = 'in'");
	send_all(f);
	TAKE(f, .from = "form@shop.test", .subject = "Hello", .headers = "Reply-To: " EVE "\n");
	ROWS(f, "created " EVE "\ncreated_agent " ANNA "\ncreated_agent " BOB, QUEUED);
}

static void disabled_agents_are_strangers(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);

	OK(db_txn(f->desk->db, fixture_disable, &f->anna, &err));
	take(f, ABOUT(f, ticket, BY_OWN_ID, .from = ANNA, .auth = "pass",
		      .subject = "Re: x [close]", .body = "Bye.\n"));
	assert_string_equal(status_of(f, ticket), "open");
	assert_string_equal(last_comment(f), "internal not_participant: Bye.");
}

/* ---- what an answer does ---- */

static void answers_move_tickets(void **state)
{
	const struct {
		const char *moves[4];
		int64_t assignee, wait_ms;
		const char *status;
		bool is_new;
	} cases[] = {
		{ { "in_progress", "pending" }, 0, 0, "in_progress", false },
		{ { "in_progress", "resolved" }, 0, 0, "reopened", false },
		{ { "in_progress", "resolved" }, 1, 0, "in_progress", false },
		{ { "closed" }, 0, 14 * DAY, "reopened", false },
		{ { "closed" }, 1, 14 * DAY, "in_progress", false },
		{ { "closed" }, 0, 14 * DAY + 1, "closed", true },
		{ { "in_progress" }, 0, 0, "in_progress", false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct intake_result first = TAKE(f, .from = CAROL, .subject = "x"), r;
		const char *id = mail_data(f, CAROL, "mail.message_id");

		for (size_t k = 0; cases[i].moves[k]; k++)
			OK(move_rc(f, f->anna, first.ticket, cases[i].moves[k]));
		if (cases[i].assignee)
			OK(assign_rc(f, f->anna, first.ticket, f->bob));
		fixture_now += cases[i].wait_ms;
		r = TAKE(f, .from = CAROL, .subject = "Re: x", .reply_to = id);
		assert_string_equal(status_of(f, first.ticket), cases[i].status);
		assert_int_equal(r.ticket != first.ticket, cases[i].is_new);
		if (cases[i].is_new)
			ROWS(f, arena_printf(&f->arena, "relates %lld", (long long)first.ticket),
			     "SELECT type || ' ' || other_id FROM ticket_links WHERE ticket_id = "
			     "%lld",
			     (long long)r.ticket);
	}
}

static void automatic_mail_changes_nothing(void **state)
{
	static const char *const robots[] = {
		"Auto-Submitted: auto-replied\n",  "Return-Path: <>\n",  "Precedence: bulk\n",
		"X-Auto-Response-Suppress: All\n", "X-Autoreply: yes\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(robots); i++) {
		struct intake_result first = TAKE(f, .from = CAROL, .subject = "x"), r;
		const char *id = mail_data(f, CAROL, "mail.message_id");

		OK(move_rc(f, f->anna, first.ticket, "in_progress"));
		OK(move_rc(f, f->anna, first.ticket, "resolved"));
		send_all(f);
		r = TAKE(f, .from = CAROL, .subject = "Re: x", .reply_to = id, .headers = robots[i],
			 .body = "I am away.\n");
		OUTCOME(r, "comment_added");
		assert_string_equal(status_of(f, first.ticket), "resolved");
		assert_string_equal(last_comment(f), "internal free: I am away.");
		ROWS(f, "", QUEUED);
		/* of no known ticket: one for agents, no answer, not even to an agent's robot */
		r = TAKE(f, .from = i % 2 ? EVE : ANNA, .subject = "Away", .headers = robots[i],
			 .auth = i % 2 ? NULL : "pass");
		OUTCOME(r, "ticket_created");
		ROWS(f, i % 2 ? "created_agent " ANNA "\ncreated_agent " BOB : "created_agent " BOB,
		     QUEUED);
		send_all(f);
	}
	OUTCOME(TAKE(f, .from = EVE, .subject = "News", .headers = "List-Id: <news.list.test>\n"),
		"ticket_created");
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE recipient = '" EVE "'");
	OUTCOME(TAKE(f, .from = "no-reply@shop.test", .subject = "News"), "ticket_created");
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE recipient LIKE 'no-reply@%%'");
}

static void bounces_are_delivery_events(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);
	const char *id = mail_data(f, CAROL, "mail.message_id");
	struct intake_result r;

	r = TAKE(f, .raw = bounce_of(f, id, CAROL, "delayed", "4.4.1"));
	OUTCOME(r, "delivery_event");
	ROWS(f, "0", "SELECT count(*) FROM users WHERE undeliverable_at IS NOT NULL");
	/* somebody else's address in a report on Carol's mail marks nobody */
	r = TAKE(f, .raw = bounce_of(f, id, ANNA, "failed", "5.1.1"));
	OUTCOME(r, "delivery_event");
	ROWS(f, "0", "SELECT count(*) FROM users WHERE undeliverable_at IS NOT NULL");
	r = TAKE(f, .raw = bounce_of(f, id, CAROL, "failed", "5.1.1"));
	OUTCOME(r, "delivery_event");
	assert_int_equal(r.ticket, ticket);
	ROWS(f, CAROL, "SELECT email FROM users WHERE undeliverable_at IS NOT NULL");
	ROWS(f, "1", "SELECT count(*) FROM tickets");
	ROWS(f, "1", "SELECT count(*) FROM comments");
	/* nobody has it yet, so all agents hear of it, and the customer does not */
	ROWS(f,
	     "undelivered admin@desk.test\nundelivered anna@desk.test\nundelivered bob@desk.test",
	     QUEUED);
	assert_string_equal(mail_data(f, ANNA, "undelivered.reply"), "550 no such user");
	ROWS(f, CAROL " bounce 5.1.1 550 no such user|0",
	     "SELECT old_value || ' ' || new_value || '|' || is_public FROM ticket_history"
	     " WHERE action = 'delivery' ORDER BY id DESC LIMIT 1");
	OUTCOME(TAKE(f, .raw = bounce_of(f, "unknown@desk.test", CAROL, "failed", "5.1.1")),
		"quarantined");
	ROWS(f, "bounce_unknown", "SELECT cause FROM quarantine");
	/* a person who writes again can be reached again */
	take(f, ABOUT(f, ticket, BY_ADDRESS, .from = CAROL,
		      .headers = "Auto-Submitted: auto-replied\n"));
	ROWS(f, "1", "SELECT count(*) FROM users WHERE undeliverable_at IS NOT NULL");
	take(f, ABOUT(f, ticket, BY_ADDRESS, .from = CAROL));
	ROWS(f, "0", "SELECT count(*) FROM users WHERE undeliverable_at IS NOT NULL");
}

/* ---- what is kept away ---- */

static void quarantine_causes(void **state)
{
	struct fixture *f = *state;
	const struct {
		struct mail m;
		const char *cause;
	} cases[] = {
		{ { .from = "support@desk.test" }, "loop" },
		{ { .from = "Shop <shop+x@desk.test>" }, "loop" },
		{ { .from = CAROL,
		    .headers = arena_printf(&f->arena, "X-Maildesk-Loop: %s\n", f->desk->id) },
		  "loop" },
		{ { .from = CAROL,
		    .headers = arena_printf(&f->arena,
					    "X-Maildesk-Loop: another\nX-Maildesk-Loop: %s\n",
					    f->desk->id) },
		  "loop" },
		{ { .from = "nobody at all" }, "malformed" },
		{ { .raw = "Subject: no sender\n\nx\n" }, "malformed" },
		{ { .raw = "" }, "malformed" },
		{ { .from = CAROL, .cause = "parser_crashed" }, "parser_crashed" },
		{ { .from = CAROL, .cause = "parser_timed_out" }, "parser_timed_out" },
		{ { .from = CAROL, .cause = "database_rejected" }, "database_rejected" },
	};

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct intake_result r = take(f, cases[i].m);

		OUTCOME(r, "quarantined");
		assert_string_equal(r.cause, cases[i].cause);
		ROWS(f, cases[i].cause, "SELECT cause FROM quarantine WHERE message_id = %lld",
		     (long long)r.message);
		ROWS(f, arena_printf(&f->arena, "quarantined %s", cases[i].cause),
		     "SELECT outcome || ' ' || cause FROM decisions WHERE message_id = %lld",
		     (long long)r.message);
		ROWS(f, "1",
		     "SELECT count(*) FROM messages WHERE id = %lld AND blob_id IS NOT NULL",
		     (long long)r.message);
	}
	ROWS(f, "0", "SELECT count(*) FROM tickets");
	ROWS(f, "0", "SELECT count(*) FROM outbox");
	/* another desk's loop header is no loop of ours, but no person's mail either */
	OUTCOME(TAKE(f, .from = CAROL, .headers = "X-Maildesk-Loop: another\n"), "ticket_created");
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE recipient = '" CAROL "'");
}

static void bombs_are_quarantined(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf raw = BUF_INIT(64 << 20);

	buf_adds(&raw, "From: " CAROL "\nMIME-Version: 1.0\n");
	for (int i = 0; i < 300; i++)
		buf_addf(&raw, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	OUTCOME(TAKE(f, .raw = buf_str(&raw)), "quarantined");
	ROWS(f, "malformed " CAROL,
	     "SELECT q.cause || ' ' || m.from_address FROM quarantine q JOIN messages m"
	     " ON m.id = q.message_id");
}

static void large_mails_say_so(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = CAROL, .subject = "Film", .too_large = true,
		     .raw = "From: " CAROL "\nTo: support@desk.test\nSubject: Film\n"
			    "Message-ID: <big@x.test>\n\n");

	OUTCOME(r, "ticket_created");
	ROWS(f, "1", "SELECT body LIKE '%%larger than this desk takes in%%' FROM comments");
	ROWS(f, "created " CAROL "\ncreated_agent " ANNA "\ncreated_agent " BOB, QUEUED);
	assert_non_null(strstr(rendered(f, newest_to(f, CAROL)), "larger than we can accept"));
	/* an answer, too */
	r = TAKE(f, .from = DAVE, .auth = "pass", .subject = "Photo");
	send_all(f);
	TAKE(f, .from = DAVE, .auth = "pass", .too_large = true,
	     .raw = "From: " DAVE "\nTo: support@desk.test\nSubject: Re: [#2] Photo\n"
		    "Message-ID: <bigger@x.test>\n\n");
	ROWS(f, "created " DAVE, QUEUED); /* the letter */
	assert_non_null(strstr(rendered(f, newest_to(f, DAVE)), "larger than we can accept"));
	/* but neither those who take no part in it, nor machines */
	send_all(f);
	TAKE(f, .from = EVE, .too_large = true,
	     .raw = "From: " EVE "\nTo: support@desk.test\nSubject: x\n"
		    "In-Reply-To: <bigger@x.test>\nMessage-ID: <big2@x.test>\n\n");
	TAKE(f, .from = DAVE, .too_large = true,
	     .raw = "From: " DAVE "\nTo: support@desk.test\nSubject: x\nAuto-Submitted: "
		    "auto-replied\nIn-Reply-To: <bigger@x.test>\nMessage-ID: <big3@x.test>\n\n");
	ROWS(f, "", QUEUED);
}

static void large_mails_say_so_in_the_mailboxes_language(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = CAROL, .too_large = true,
	     .raw = "From: " CAROL "\nTo: support@desk.test\nSubject: Film\n"
		    "Message-ID: <big@x.test>\n\n");
	ROWS(f, "1", "SELECT body LIKE '%%Sie liegt noch im Postfach.' FROM comments");
}

/* They have the mail already, and it is about them: they may answer and are answered. */
static void people_with_a_copy_take_part(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = CAROL, .to = "support@desk.test, Dave <" DAVE ">",
		     .subject = "Ours", .body = "See below.", .id = "both@carol.test",
		     .headers = "Cc: new@person.test, support+x@desk.test, " CAROL "\n");

	OUTCOME(r, "ticket_created");
	ROWS(f, "cc " DAVE "\ncc new@person.test\nrequester " CAROL,
	     "SELECT p.role || ' ' || u.email FROM ticket_participants p JOIN users u"
	     " ON u.id = p.user_id ORDER BY p.role, u.email");
	r = TAKE(f, .from = DAVE, .subject = "Re: Ours", .reply_to = "both@carol.test",
		 .body = "Me too.");
	OUTCOME(r, "comment_added");
	assert_string_equal(last_comment(f), "public free: Me too.");
}

static void robots_bring_nobody_along(void **state)
{
	struct fixture *f = *state;

	OUTCOME(TAKE(f, .from = "robot@shop.test", .to = "support@desk.test, " DAVE,
		     .subject = "Your order", .headers = "Auto-Submitted: auto-generated\n"),
		"ticket_created");
	ROWS(f, "1", "SELECT count(*) FROM ticket_participants");
}

/* Whatever one mail holds, it is that mail's matter: it is taken or kept, and the next one is
 * served. */
static void endless_commands_stop_nobody(void **state)
{
	struct fixture *f = *state;
	size_t n = 1100000;
	char *body = arena_alloc(&f->arena, n + 20);

	memcpy(body, "#assign ", 8);
	memset(body + 8, '&', n);
	memcpy(body + 8 + n, "\nhello\n", 8);
	OUTCOME(TAKE(f, .from = CAROL, .auth = "pass", .subject = "x", .body = body),
		"ticket_created");
	OUTCOME(TAKE(f, .from = ANNA, .auth = "pass", .subject = "x", .body = body),
		"ticket_created");
	ROWS(f, "1", "SELECT max(length(commands)) < 2000 FROM decisions");
	assert_non_null(strstr(rendered(f, newest_to(f, ANNA)), "REFUSED"));
}

static void a_list_that_is_ours_is_answered(void **state)
{
	struct fixture *f = *state;

	OUTCOME(TAKE(f, .from = CAROL, .subject = "Ours",
		     .headers = "List-Id: Help <help.desk.test>\n"),
		"ticket_created");
	OUTCOME(TAKE(f, .from = DAVE, .subject = "Another", .headers = "List-Id: <other.test>\n"),
		"ticket_created");
	ROWS(f, CAROL, "SELECT recipient FROM outbox WHERE event = 'created'");
}

static void a_flood_is_held_and_an_import_is_none(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++)
		TAKE(f, .from = EVE, .subject = "again", .import = true);
	for (int i = 0; i < 3; i++) /* those imported do count, but are not held */
		TAKE(f, .from = CAROL, .subject = "mine");
	OUTCOME(TAKE(f, .from = CAROL, .subject = "mine"), "quarantined");
	ROWS(f, "flood", "SELECT cause FROM quarantine");
	OUTCOME(TAKE(f, .from = DAVE, .subject = "another's"), "ticket_created");
	fixture_now += 3600001;
	OUTCOME(TAKE(f, .from = CAROL, .subject = "later"), "ticket_created");
}

/* A body at the reader's limit is one mail's matter, not the end of the mailbox. */
static void huge_texts_are_taken(void **state)
{
	struct fixture *f = *state;
	size_t n = 5 << 20;
	char *body = arena_alloc(&f->arena, n + 1);
	struct intake_result r;

	for (size_t i = 0; i < n; i++)
		body[i] = i % 60 == 59 ? '\n' : i % 3 ? '"' : 'a';
	r = TAKE(f, .from = CAROL, .subject = "x", .body = body);
	OUTCOME(r, "ticket_created");
	ROWS(f, "1", "SELECT length(body) > 4000000 FROM comments");
	ROWS(f, "1", "SELECT max(length(data)) < 1000000 FROM outbox");
	for (int64_t id = 1; id <= 3; id++)
		assert_non_null(strstr(rendered(f, id), "Subject: "));
}

static void imports_are_silent(void **state)
{
	struct fixture *f = *state;
	struct intake_result r = TAKE(f, .from = CAROL, .subject = "Old", .import = true);

	OUTCOME(r, "ticket_created");
	ROWS(f, "0", "SELECT count(*) FROM timers"); /* nor will it be late one day */
	r = TAKE(f, .from = ANNA, .auth = "pass",
		 .subject = arena_printf(&f->arena, "[#%lld] Old [take; prio=high; nonsense]",
					 (long long)r.ticket),
		 .import = true);
	OUTCOME(r, "comment_added");
	ROWS(f, "0", "SELECT count(*) FROM outbox");
	ROWS(f, "0", "SELECT count(*) FROM timers");
}

/* ---- commands ---- */

struct command_case {
	const char *from, *subject, *body; /* of a mail on Carol's ticket, which is open */
	const char *ticket;                /* "status priority assignee tags" after it */
	const char *comment;               /* newest one, NULL: the first */
	const char *mails;
};
#define TICKET_STATE                                                                               \
	"SELECT t.status || ' ' || t.priority || ' ' || coalesce(u.name, '-') || coalesce(' ' || " \
	"("                                                                                        \
	"SELECT group_concat(g.name, ',') FROM ticket_tags k JOIN tags g ON g.id = k.tag_id WHERE" \
	" k.ticket_id = t.id), '') FROM tickets t LEFT JOIN users u ON u.id = t.assignee_id WHERE" \
	" t.id = %lld"

static void commands_of_mails(void **state)
{
	static const struct command_case cases[] = {
		{ ANNA, "Re: x [take]", "", "in_progress 1 Anna", NULL, "" },
		{ ANNA, "Re: x #take #prio high #tag +fire -water", "Hi\n",
		  "in_progress 2 Anna fire", "public free: Hi", "public_reply " CAROL },
		{ ANNA, "Re: x [take; resolve]", "Done.\n", "resolved 1 Anna", "public free: Done.",
		  "public_reply " CAROL },
		{ ANNA, "Re: x [take; resolve]", "", "resolved 1 Anna", NULL,
		  "status_changed " CAROL },
		{ ANNA, "Re: x", "#assign bob\n#prio low\n\nBob looks into it.\n",
		  "in_progress 0 Bob", "public free: Bob looks into it.",
		  "assigned " BOB "\npublic_reply " BOB "\npublic_reply " CAROL },
		{ ANNA, "Re: x", "#note secret words\nand more\n", "open 1 -",
		  "internal free: secret words\nand more", "" },
		{ ANNA, "Re: x [note]", "secret\n", "open 1 -", "internal free: secret", "" },
		{ ANNA, "Re: x", "#take\n#stop\n#resolve is what I'd say\n", "in_progress 1 Anna",
		  "public free: #resolve is what I'd say", "public_reply " CAROL },
		/* all or nothing */
		{ ANNA, "Re: x [prio=high; resolve]", "Text\n", "open 1 -", "internal free: Text",
		  "transcript " ANNA },
		{ ANNA, "Re: x [prio=high; prio=blue]", "Text\n", "open 1 -", "internal free: Text",
		  "transcript " ANNA },
		{ ANNA, "Re: x", "#take\n#frobnicate\nText\n", "open 1 -",
		  "internal free: #take\n#frobnicate\nText", "transcript " ANNA },
		{ ANNA, "Re: x", "#take\n#frobnicate\n", "open 1 -", NULL, "transcript " ANNA },
		{ ANNA, "Re: x", "#prio high\n#resolve\n", "open 1 -", NULL, "transcript " ANNA },
		{ ANNA, "Re: x [assign=zoe]", "", "open 1 -", NULL, "transcript " ANNA },
		{ ANNA, "Re: x [assign=carol]", "", "open 1 -", NULL, "transcript " ANNA },
		{ ANNA, "Re: x [open]", "", "open 1 -", NULL, "transcript " ANNA },
		/* loose: unknown words of a subject are left there, and the sender is told */
		{ ANNA, "Re: x [take; frobnicate]", "Hi\n", "in_progress 1 Anna", "public free: Hi",
		  "public_reply " CAROL "\ntranscript " ANNA },
		{ ANNA, "Re: x [urgent]", "Hi\n", "open 1 -", "public free: Hi",
		  "public_reply " CAROL "\ntranscript " ANNA },
		{ ANNA, "Re: x [urgent]", "", "open 1 -", NULL, "transcript " ANNA },
		{ CAROL, "Re: x [urgent]", "Hi\n", "open 1 -", "public free: Hi", "" },
		/* customers */
		{ CAROL, "Re: x [close]", "Thanks!\n", "closed 1 -", "public free: Thanks!", "" },
		{ CAROL, "Re: x", "#close\n", "closed 1 -", NULL, "" },
		{ CAROL, "Re: x [take]", "Mine!\n", "open 1 -", "public free: Mine!",
		  "transcript " CAROL },
		{ CAROL, "Re: x [reopen]", "Well\n", "open 1 -", "public free: Well",
		  "transcript " CAROL },
		{ CAROL, "Re: x", "#hashtag of mine\n", "open 1 -", "public free: #hashtag of mine",
		  "" },
		{ CAROL, "Re: x", "#1 is the best\n", "open 1 -", "public free: #1 is the best",
		  "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct intake_result first = TAKE(f, .from = CAROL, .subject = "x",
						  .body = "first\n"),
				     r;
		const char *id = mail_data(f, CAROL, "mail.message_id");
		const char *after, *comment;

		send_all(f);
		r = TAKE(f, .from = cases[i].from, .subject = cases[i].subject,
			 .body = cases[i].body, .reply_to = id, .auth = "pass");
		after = rows(f, TICKET_STATE, (long long)first.ticket);
		comment = last_comment(f);
		if (r.ticket != first.ticket || strcmp(after, cases[i].ticket) != 0 ||
		    strcmp(comment, cases[i].comment ? cases[i].comment : "public free: first") !=
			    0 ||
		    strcmp(rows(f, QUEUED), cases[i].mails) != 0)
			fail_msg("%s / %s: ticket %s; comment %s; mails %s", cases[i].subject,
				 cases[i].body, after, comment, rows(f, QUEUED));
		OUTCOME(r, cases[i].comment ? "comment_added" : "commands_run");
		send_all(f);
		fixture_now += DAY; /* caps */
	}
}

static void commands_in_a_new_mail(void **state)
{
	struct fixture *f = *state;
	struct intake_result r = TAKE(f, .from = ANNA, .auth = "pass",
				      .subject = "Order paper [take; prio=high; tag=+office]",
				      .body = "#category supplies\n\nWe are out of it.\n");

	ROWS(f, "in_progress 2 Anna office", TICKET_STATE, (long long)r.ticket);
	ROWS(f, "Order paper|supplies", "SELECT title || '|' || category FROM tickets");
	assert_string_equal(last_comment(f), "public free: We are out of it.");
	/* refused: the ticket is there all the same, with the whole text */
	r = TAKE(f, .from = ANNA, .auth = "pass", .subject = "More paper [resolve]", .body = "x\n");
	OUTCOME(r, "ticket_created");
	ROWS(f, "open 1 -", TICKET_STATE, (long long)r.ticket);
	ROWS(f, "1", "SELECT count(*) FROM outbox WHERE event = 'transcript'");
	/* strangers command nothing */
	r = TAKE(f, .from = EVE, .auth = "pass", .subject = "Hi [prio=critical]");
	ROWS(f, "open 1 -", TICKET_STATE, (long long)r.ticket);
}

static void decisions_tell_of_commands(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);
	struct intake_result r;

	r = take(f, ABOUT(f, ticket, BY_OWN_ID, .from = ANNA, .auth = "pass",
			  .subject = "Re: x [take; tag=+a; tag=-b]", .body = "Hi\n"));
	ROWS(f, "take|1|done\ntag=+a|1|done\ntag=-b|1|done",
	     "SELECT (j.value ->> 'line') || '|' || (j.value ->> 'ok') || '|' ||"
	     " (j.value ->> 'reason')"
	     " FROM decisions, json_each(commands) j WHERE message_id = %lld",
	     (long long)r.message);
	ROWS(f, "comment_added pass",
	     "SELECT outcome || ' ' || auth FROM decisions WHERE message_id = %lld",
	     (long long)r.message);
	ROWS(f, "assignee mail 2\nstatus mail 2\ntag_added mail 2",
	     "SELECT action || ' ' || source || ' ' || trust FROM ticket_history WHERE message_id ="
	     " %lld AND action <> 'commented' ORDER BY id",
	     (long long)r.message);
	r = take(f, ABOUT(f, ticket, BY_OWN_ID, .from = BOB, .auth = "pass",
			  .subject = "Re: x [prio=low; reopen; close]"));
	ROWS(f,
	     "prio=low|0|not done, because another was refused\nreopen|0|no way from in_progress "
	     "to reopened; allowed: pending, "
	     "resolved",
	     "SELECT (j.value ->> 'line') || '|' || (j.value ->> 'ok') || '|' ||"
	     " (j.value ->> 'reason')"
	     " FROM decisions, json_each(commands) j WHERE message_id = %lld",
	     (long long)r.message);
}

/* "Re: x [close]" in an answer to the mail that closed it is an echo, not a wish. */
static void an_echoed_subject_runs_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = carols_ticket(f);

	take(f, ABOUT(f, ticket, BY_OWN_ID, .from = ANNA, .auth = "pass", .id = "cmd@anna.test",
		      .subject = "x [take; prio=high]"));
	OK(change_rc(f, f->anna, ticket, PRIORITY(0)));
	OK(assign_rc(f, f->anna, ticket, 0));
	TAKE(f, .from = BOB, .auth = "pass", .reply_to = "cmd@anna.test",
	     .subject = "Re: x [take; prio=high]", .body = "I saw it.\n");
	ROWS(f, "in_progress 0 -", TICKET_STATE, (long long)ticket);
	assert_string_equal(last_comment(f), "public free: I saw it.");
	/* another block, or the same in a mail of its own, runs */
	TAKE(f, .from = BOB, .auth = "pass", .reply_to = "cmd@anna.test",
	     .subject = "Re: x [take; prio=critical]", .body = "Mine.\n");
	ROWS(f, "in_progress 3 Bob", TICKET_STATE, (long long)ticket);
	take(f, ABOUT(f, ticket, BY_OWN_ID, .from = ANNA, .auth = "pass",
		      .subject = "x [take; prio=high]"));
	ROWS(f, "in_progress 2 Anna", TICKET_STATE, (long long)ticket);
}

/* A title in brackets comes back with every answer. */
static void words_of_a_title_are_no_commands(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = CAROL, .subject = "Printer [urgent]", .body = "It burns.\n");
	send_all(f);
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Re: [#1] Printer [urgent]",
	     .body = "Hi\n");
	ROWS(f, "public_reply " CAROL, QUEUED);
}

/* ---- attachments ---- */

static void attachments_hang_on_their_comment(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .raw = "From: " CAROL "\nTo: support@desk.test\nSubject: Picture\n"
			       "Message-ID: <pic@x.test>\nMIME-Version: 1.0\n"
			       "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
			       "Content-Type: text/plain\n\nSee.\n--b\n"
			       "Content-Type: application/pdf; name=\"../a.pdf\"\n"
			       "Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n--b--\n");

	ROWS(f,
	     arena_printf(&f->arena, "a.pdf application/pdf 9 %lld %lld", (long long)r.message,
			  (long long)r.comment),
	     "SELECT filename || ' ' || content_type || ' ' || size || ' ' || message_id || ' ' || "
	     "comment_id"
	     " FROM attachments");
	/* a mail of an attachment alone is a comment */
	r = TAKE(f, .raw = "From: " CAROL "\nTo: support@desk.test\nSubject: [#1] Picture\n"
			   "In-Reply-To: <pic@x.test>\nMIME-Version: 1.0\n"
			   "Content-Type: application/pdf\nContent-Disposition: attachment\n"
			   "Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n");
	OUTCOME(r, "comment_added");
	ROWS(f, "2", "SELECT count(*) FROM attachments");
	ROWS(f, "1", "SELECT count(*) FROM attachments WHERE comment_id = %lld",
	     (long long)r.comment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(new_mail_of_a_stranger, ""),
		DESK_TEST(new_mail_of_known_people, ""),
		DESK_TEST(every_mail_spends_its_uid, ""),
		DESK_TEST(titles_are_clean, ""),
		DESK_TEST(replies_find_their_ticket, ""),
		DESK_TEST(held_mail_reaches_no_customer, ""),
		DESK_TEST(wrong_tags_are_quarantined, ""),
		DESK_TEST(tokens_of_two_tickets_prove_nothing, NO_AUTHSERV),
		DESK_TEST(duplicates_do_nothing, ""),
		DESK_TEST(a_mail_without_id_gets_one, ""),
		DESK_TEST(siblings_of_an_unseen_ancestor_meet, ""),
		DESK_TEST(agents_below_level_two_are_held, ""),
		DESK_TEST(results_count_above_our_hop_only, ""),
		DESK_TEST(signed_addresses_prove_without_authserv, NO_AUTHSERV),
		DESK_TEST(on_fail_quarantine, "trust { on_fail = quarantine }\n"),
		DESK_TEST(unknown_sender_quarantine, "trust { unknown_sender = quarantine }\n"),
		DESK_TEST(several_senders_are_nobody, ""),
		DESK_TEST(a_contact_form_lends_no_trust,
			  "mailbox \"support\" { contact_form_senders = {\"form@shop.test\"} }\n"),
		DESK_TEST(disabled_agents_are_strangers, ""),
		DESK_TEST(answers_move_tickets, "limits { auto_per_address_hour = 0 }\n"),
		DESK_TEST(automatic_mail_changes_nothing, ""),
		DESK_TEST(bounces_are_delivery_events, ""),
		DESK_TEST(quarantine_causes, ""),
		DESK_TEST(bombs_are_quarantined, ""),
		DESK_TEST(large_mails_say_so, ""),
		DESK_TEST(large_mails_say_so_in_the_mailboxes_language,
			  "mailbox \"support\" { locale = de }\n"),
		DESK_TEST(people_with_a_copy_take_part, ""),
		DESK_TEST(robots_bring_nobody_along, ""),
		DESK_TEST(endless_commands_stop_nobody, ""),
		DESK_TEST(a_list_that_is_ours_is_answered,
			  "mailbox support { own_lists = {help.desk.test} }\n"),
		DESK_TEST(a_flood_is_held_and_an_import_is_none,
			  "limits { inbound_per_sender_hour = 3 }\n"),
		DESK_TEST(huge_texts_are_taken, ""),
		DESK_TEST(imports_are_silent,
			  "sla \"s\" { first_response { medium = 1h high = 1h } }\n"),
		DESK_TEST(commands_of_mails, ""),
		DESK_TEST(commands_in_a_new_mail, ""),
		DESK_TEST(decisions_tell_of_commands, ""),
		DESK_TEST(an_echoed_subject_runs_nothing, ""),
		DESK_TEST(words_of_a_title_are_no_commands, ""),
		DESK_TEST(attachments_hang_on_their_comment, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Proofs are used up, confirmations are asked for and answered, and mail does not go round. */
#include "desk_fixture.h"

#include <maildesk/desk/harvest.h>

#define EVE "eve@stranger.test"
#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ANNA "anna@desk.test"
#define BOB "bob@desk.test"

static const char *status_of(struct fixture *f, int64_t ticket)
{
	return rows(f, "SELECT status FROM tickets WHERE id = %lld", (long long)ticket);
}

static const char *last_comment(struct fixture *f)
{
	return rows(f, "SELECT CASE is_internal WHEN 1 THEN 'internal ' ELSE 'public ' END ||"
		       " coalesce(held, 'free') || ': ' || body FROM comments WHERE deleted_at IS"
		       " NULL ORDER BY id DESC LIMIT 1");
}

static int64_t trust_of(struct fixture *f, struct intake_result r)
{
	return NUM(f, "SELECT trust FROM messages WHERE id = %lld", (long long)r.message);
}

/* A ticket of Carol's that Anna works on, and the address Anna was given for it. */
static const char *annas_address(struct fixture *f, int64_t *ret_ticket)
{
	*ret_ticket = create(f, f->carol, f->carol, "Broken");
	OK(assign_rc(f, f->anna, *ret_ticket, f->anna));
	OK(comment_rc(f, f->carol, *ret_ticket, "Hello?", false));
	return mail_data(f, ANNA, "mail.reply_to");
}

/* ---- tokens ---- */

static void commands_of_a_token_run_once(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *to = annas_address(f, &ticket);

	TAKE(f, .from = ANNA, .to = to, .subject = "Re: x [prio=high]", .body = "One.\n");
	assert_string_equal(last_comment(f), "public free: One.");
	ROWS(f, "2", "SELECT priority FROM tickets");
	/* its words are believed still */
	assert_int_equal(trust_of(f, TAKE(f, .from = ANNA, .to = to, .subject = "Re: x",
					  .body = "Two.\n")),
			 2);
	assert_string_equal(last_comment(f), "public free: Two.");
	send_all(f);
	TAKE(f, .from = ANNA, .to = to, .subject = "Re: x [prio=low]", .body = "Three.\n");
	ROWS(f, "2", "SELECT priority FROM tickets");
	assert_string_equal(last_comment(f), "internal unverified: Three.");
	ROWS(f, "confirmation " ANNA, QUEUED);
	/* and are run when she confirms */
	TAKE(f, .from = ANNA, .to = mail_data(f, ANNA, "mail.reply_to"), .subject = "Re: y");
	ROWS(f, "0", "SELECT priority FROM tickets");
	assert_string_equal(last_comment(f), "public free: Three.");
}

static void a_token_that_others_saw_is_dead(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *to = annas_address(f, &ticket);

	TAKE(f, .from = ANNA, .to = to, .subject = "Re: x", .body = "One.\n",
	     .headers = "Cc: " DAVE "\n");
	assert_int_equal(trust_of(f, TAKE(f, .from = ANNA, .to = to, .subject = "Re: x [resolve]",
					  .body = "Two.\n")),
			 1);
	assert_string_equal(last_comment(f), "internal unverified: Two.");
	assert_string_equal(status_of(f, ticket), "in_progress");
}

static void tokens_die_with_their_ticket_and_user(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *to = annas_address(f, &ticket);
	struct intake_result r;

	OK(move_rc(f, f->anna, ticket, "resolved"));
	OK(move_rc(f, f->anna, ticket, "closed"));
	/* of a matter that is closed: a token of Carol's, then one of 13 days */
	fixture_now += 13 * DAY;
	r = TAKE(f, .from = ANNA, .to = to, .subject = "late", .body = "In time.\n");
	assert_int_equal(r.ticket, ticket);
	assert_int_equal(trust_of(f, r), 2);
	fixture_now += 2 * DAY;
	r = TAKE(f, .from = ANNA, .to = to, .subject = "late", .body = "Too late.\n");
	assert_int_equal(trust_of(f, r), 1);
	ROWS(f, "1",
	     "SELECT rules LIKE '%%expired token ignored%%' FROM decisions WHERE message_id"
	     " = %lld",
	     (long long)r.message);
}

static int raise_user(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	struct user u;
	int rc = user_get(c, *(int64_t *)ctx, &a, &u, e);

	u.epoch++;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

static int raise_ticket(struct db_conn *c, void *ctx, struct md_err *e)
{
	return ticket_raise_epoch(c, *(int64_t *)ctx, e);
}

static void an_epoch_ends_all_tokens(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *to = annas_address(f, &ticket);

	for (int i = 0; i < 2; i++) {
		OK(db_txn(f->desk->db, i ? raise_ticket : raise_user, i ? &ticket : &f->anna,
			  &err));
		assert_int_equal(trust_of(f, TAKE(f, .from = ANNA, .to = to, .subject = "Re: x")),
				 1);
		OK(comment_rc(f, f->carol, ticket, "Hello?", false));
		to = mail_data(f, ANNA, "mail.reply_to");
		assert_int_equal(trust_of(f, TAKE(f, .from = ANNA, .to = to, .subject = "Re: x")),
				 2);
	}
}

static void both_proofs_make_level_three(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *to = annas_address(f, &ticket);

	assert_int_equal(trust_of(f,
				  TAKE(f, .from = ANNA, .to = to, .subject = "a", .auth = "pass")),
			 3);
	assert_int_equal(trust_of(f,
				  TAKE(f, .from = BOB, .to = to, .subject = "b", .auth = "pass")),
			 2);
	assert_int_equal(trust_of(f, TAKE(f, .from = ANNA, .to = to, .subject = "c [prio=high]",
					  .auth = "pass")),
			 3);
	/* used up, the address proves no more; the server still does */
	assert_int_equal(trust_of(f,
				  TAKE(f, .from = ANNA, .to = to, .subject = "d", .auth = "pass")),
			 2);
}

/* A spoilt address is kept apart; whoever of the staff it names as its sender is told, once. */
static void a_spoilt_address_is_told_of(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	char *to = arena_strdup(&f->arena, annas_address(f, &ticket));

	send_all(f);
	for (int at = -9; at < 0; at += 8)
		strchr(to, '@')[at] = strchr(to, '@')[at] == 'a' ? 'b' : 'a';
	for (int i = 0; i < 2; i++)
		OUTCOME(TAKE(f, .from = ANNA, .to = to, .subject = "secret words",
			     .body = "#resolve\n"),
			"quarantined");
	ROWS(f, "unverified " ANNA, QUEUED);
	assert_null(strstr(rendered(f, newest_to(f, ANNA)), "secret words"));
	send_all(f);
	OUTCOME(TAKE(f, .from = CAROL, .to = to), "quarantined");
	ROWS(f, "", QUEUED);
}

/* ---- confirmations ---- */

static void a_held_mail_is_confirmed_once(void **state)
{
	struct fixture *f = *state;
	int64_t ticket, held;
	const char *code;
	struct intake_result r;

	(void)annas_address(f, &ticket);
	r = TAKE(f, .from = ANNA, .subject = "[#1] Broken [resolve]", .body = "All done.\n");
	held = r.comment;
	assert_string_equal(last_comment(f), "internal unverified: All done.");
	code = mail_data(f, ANNA, "mail.reply_to");
	ROWS(f, "1",
	     "SELECT json_extract(data, '$.mail.reply_to') LIKE 'support+c.%%@desk.test'"
	     " FROM outbox WHERE event = 'confirmation'");
	ROWS(f, "#resolve #reply",
	     "SELECT (SELECT group_concat(value ->> 'line', ' ') FROM json_each(data, '$.lines'))"
	     " FROM outbox WHERE event = 'confirmation'");
	assert_null(strstr(rendered(f, newest_to(f, ANNA)), "All done"));
	send_all(f);
	/* neither another person, nor a machine, nor a failing result */
	TAKE(f, .from = BOB, .to = code);
	TAKE(f, .from = CAROL, .to = code);
	TAKE(f, .from = ANNA, .to = code, .headers = "Auto-Submitted: auto-replied\n");
	assert_string_equal(status_of(f, ticket), "in_progress");
	send_all(f);
	r = TAKE(f, .from = ANNA, .to = code, .subject = "Re: confirm", .body = "Yes.\n");
	OUTCOME(r, "comment_added");
	assert_int_equal(r.ticket, ticket);
	assert_string_equal(status_of(f, ticket), "resolved");
	assert_string_equal(last_comment(f), "public free: All done.");
	ROWS(f, "public_reply " CAROL, QUEUED);
	ROWS(f, "3",
	     "SELECT trust FROM ticket_history WHERE action = 'status'"
	     " AND new_value = 'resolved'");
	ROWS(f, "0", "SELECT count(*) FROM comments WHERE body LIKE '%%Yes%%'");
	ROWS(f, "1", "SELECT deleted_at IS NOT NULL FROM comments WHERE id = %lld",
	     (long long)held);
	send_all(f);
	/* a second answer says nothing */
	OK(move_rc(f, f->carol, ticket, "reopened"));
	send_all(f);
	TAKE(f, .from = ANNA, .to = code, .subject = "Re: confirm", .body = "Yes!\n");
	assert_string_equal(status_of(f, ticket), "in_progress");
	ROWS(f, "", QUEUED);
}

/* There are no words that were held, only what the subject asked for. */
static void a_mail_of_commands_alone_is_confirmed(void **state)
{
	struct fixture *f = *state;
	int64_t ticket, other;
	const char *code;
	struct intake_result r;

	ticket = create(f, f->carol, f->carol, "Broken");
	other = create(f, f->carol, f->carol, "Still broken");
	r = TAKE(f, .from = ANNA, .auth = "pass", .subject = "[#1] Broken [merge #2]", .body = "");
	OUTCOME(r, "commands_run");
	assert_int_equal(r.comment, 0);
	ROWS(f, "0", "SELECT count(*) FROM tickets WHERE merged_into IS NOT NULL");
	code = mail_data(f, ANNA, "mail.reply_to");
	send_all(f);
	r = TAKE(f, .from = ANNA, .to = code, .subject = "Re: confirm", .body = "Yes.\n");
	OUTCOME(r, "commands_run");
	ROWS(f, "1", "SELECT merged_into = %lld FROM tickets WHERE id = %lld", (long long)other,
	     (long long)ticket);
}

static void an_hour_is_given_to_confirm(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *code;

	(void)annas_address(f, &ticket);
	TAKE(f, .from = ANNA, .subject = "[#1] Broken [resolve]", .body = "Done.\n");
	code = mail_data(f, ANNA, "mail.reply_to");
	send_all(f);
	fixture_now += HOUR + 1;
	TAKE(f, .from = ANNA, .to = code, .subject = "Re: confirm");
	assert_string_equal(status_of(f, ticket), "in_progress");
	ROWS(f, "confirmation_expired " ANNA, QUEUED);
	send_all(f);
	TAKE(f, .from = ANNA, .to = code, .subject = "Re: confirm", .body = "again\n");
	ROWS(f, "", QUEUED);
}

/* Neither plus-addressing nor a server that checks: the answer's In-Reply-To is the code. */
static void without_plus_addressing_commands_are_confirmed(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *asked;

	assert_string_equal(annas_address(f, &ticket), "support@desk.test");
	TAKE(f, .from = ANNA, .reply_to = mail_data(f, ANNA, "mail.message_id"), .subject = "Re: x",
	     .body = "#resolve\nDone.\n");
	assert_string_equal(last_comment(f), "internal unverified: #resolve\nDone.");
	asked = mail_data(f, ANNA, "mail.message_id");
	TAKE(f, .from = BOB, .reply_to = asked);
	assert_string_equal(status_of(f, ticket), "in_progress");
	TAKE(f, .from = ANNA, .reply_to = asked, .subject = "Re: confirm");
	assert_string_equal(status_of(f, ticket), "resolved");
	assert_string_equal(last_comment(f), "public free: Done.");
}

/* ---- who joins ---- */

static void later_copies_join_or_wait(void **state)
{
	static const struct {
		const char *from, *auth, *expect;
	} cases[] = {
		{ CAROL, "pass", "carol@customer.test 0\neve@stranger.test 0" },
		{ CAROL, NULL, "carol@customer.test 0\neve@stranger.test 1" },
		{ ANNA, "pass", "carol@customer.test 0\neve@stranger.test 0" },
		{ ANNA, NULL, "carol@customer.test 0\neve@stranger.test 1" },
		{ DAVE, "pass", "carol@customer.test 0\ndave@customer.test 1" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int64_t ticket = create(f, f->carol, f->carol, "Copies");
		const char *id = mail_data(f, CAROL, "mail.message_id");

		TAKE(f, .from = cases[i].from, .auth = cases[i].auth, .subject = "Re: Copies",
		     .reply_to = id, .headers = "Cc: " EVE "\n", .body = "Look, Eve.\n");
		ROWS(f, cases[i].expect,
		     "SELECT u.email || ' ' || p.pending FROM ticket_participants p JOIN users u"
		     " ON u.id = p.user_id WHERE p.ticket_id = %lld AND u.email <> 'anna@desk.test'"
		     " ORDER BY u.email",
		     (long long)ticket);
		send_all(f);
		/* nobody who waits is told anything */
		OK(comment_rc(f, f->bob, ticket, "An answer.", false));
		ROWS(f, strstr(cases[i].expect, "eve@stranger.test 0") ? "1" : "0",
		     "SELECT count(*) FROM outbox WHERE state = 'queued' AND recipient = '" EVE
		     "'");
		send_all(f);
	}
}

/* ---- on behalf ---- */

#define FORWARDED                                                                            \
	"---------- Forwarded message ---------\nFrom: Eve Example <" EVE                    \
	">\nDate: Mon, 2 Mar 2026 at 08:00\nSubject: My printer [close]\nTo: <" ANNA ">\n\n" \
	"It burns.\n\nEve\n"

static void an_agents_forward_is_the_customers(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = ANNA, .auth = "pass", .subject = "Fwd: My printer [close]",
		     .body = "#prio high\nShe called, too.\n\n" FORWARDED);

	OUTCOME(r, "ticket_created");
	ROWS(f, EVE " My printer [close] open 2",
	     "SELECT u.email || ' ' || t.title || ' ' || t.status || ' ' || t.priority"
	     " FROM tickets t JOIN users u ON u.id = t.requester_id");
	ROWS(f, "0: It burns.\n\nEve\n1: She called, too.",
	     "SELECT is_internal || ': ' || body FROM comments ORDER BY id");
	ROWS(f, "1",
	     "SELECT count(*) FROM outbox WHERE event = 'created' AND recipient = '" EVE "'");
	/* or whoever's the agent says; the other one hears nothing of it */
	send_all(f);
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Fwd: x",
	     .body = "#requester " CAROL "\n\n" FORWARDED);
	ROWS(f, CAROL,
	     "SELECT u.email FROM tickets t JOIN users u ON u.id = t.requester_id"
	     " ORDER BY t.id DESC LIMIT 1");
	ROWS(f, "created " CAROL "\ncreated_agent " BOB, QUEUED);
	ROWS(f, "0",
	     "SELECT count(*) FROM ticket_participants p JOIN users u ON u.id = p.user_id"
	     " WHERE u.email = '" EVE "' AND p.ticket_id = (SELECT max(id) FROM tickets)");
	/* of whom nothing is proven, and of customers: their own */
	TAKE(f, .from = ANNA, .subject = "Fwd: x", .body = FORWARDED);
	ROWS(f, ANNA,
	     "SELECT u.email FROM tickets t JOIN users u ON u.id = t.requester_id"
	     " ORDER BY t.id DESC LIMIT 1");
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Fwd: y", .body = FORWARDED);
	ROWS(f, CAROL,
	     "SELECT u.email FROM tickets t JOIN users u ON u.id = t.requester_id"
	     " ORDER BY t.id DESC LIMIT 1");
}

static void planted_subjects_command_nothing(void **state)
{
	struct fixture *f = *state;
	struct intake_result r = TAKE(f, .from = EVE, .subject = "Help [close]");
	const char *id = mail_data(f, ANNA, "mail.message_id");

	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Re: [#1] Help [close]", .reply_to = id,
	     .body = "We look at it.\n");
	assert_string_equal(status_of(f, r.ticket), "open");
	assert_string_equal(last_comment(f), "public free: We look at it.");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Re: [#1] Help [prio=low]",
	     .reply_to = id);
	ROWS(f, "0", "SELECT priority FROM tickets");
}

static void answers_come_from_the_alias(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = CAROL, .auth = "pass", .to = "billing@desk.test", .subject = "Bill");
	assert_string_equal(mail_data(f, CAROL, "mail.from"), "billing@desk.test");
	assert_int_equal(strncmp(mail_data(f, CAROL, "mail.reply_to"), "billing+", 8), 0);
	OUTCOME(TAKE(f, .from = CAROL, .to = mail_data(f, CAROL, "mail.reply_to"),
		     .subject = "more"),
		"comment_added");
	TAKE(f, .from = CAROL, .auth = "pass", .to = "help@desk.test", .subject = "Help");
	assert_string_equal(mail_data(f, CAROL, "mail.from"), "support@desk.test");
}

/* ---- secrets of others ---- */

static void codes_are_recognised(void **state)
{
	static const struct {
		const char *subject, *text;
		bool secret;
	} mails[] = {
		{ "Your verification code", "Your code is 123456.\n", true },
		{ "Sign in to Slack", "Use 123-456 to sign in.\n", true },
		{ NULL, "Ihr Best\u00e4tigungscode lautet: 4711\n", true },
		{ "Anmeldung", "Ihr Code: 12345678\n", true },
		{ "Tu c\u00f3digo de verificaci\u00f3n", "98765\n", true },
		{ "Votre code de v\u00e9rification", "Il est 123 456.\n", true },
		{ "Confirm your email",
		  "Click https://app.test/confirm?token=a8f5f167f44f4964e6c998dee827110c\n", true },
		{ "Passwort zur\u00fccksetzen", "https://x.test/r/a8f5f167f44f4964e6c998\n", true },
		{ "Connectez-vous", "<https://x.test/m/A8F5f167F44f4964e6c998>\n", true },
		{ "Restablecer su contrase\u00f1a", "https://x.test/r/a8f5f167f44f4964e6c9\n",
		  true },
		{ "Order 12345 was shipped", "Thank you for order 12345.\n", false },
		{ "Verify your order", "Please look at the items.\n", false },
		{ "Out of office", "I am back on 2026-03-09, call 4711.\n", false },
		{ "Newsletter", "https://x.test/a8f5f167f44f4964e6c998dee827110c\n", false },
		{ NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(mails); i++)
		if (harvest_is_secret(mails[i].subject, mails[i].text) != mails[i].secret)
			fail_msg("mail %zu: %s", i, mails[i].subject);
}

static void secrets_are_for_agents(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = "no-reply@service.test", .subject = "Your verification code",
		     .body = "Your code is 123456.\n");

	OUTCOME(r, "ticket_created");
	assert_string_equal(last_comment(f), "internal free: Your code is 123456.");
	ROWS(f, "created_agent " ANNA "\ncreated_agent " BOB, QUEUED);
	TAKE(f, .from = CAROL, .subject = "My verification code", .body = "It is 123456.\n");
	assert_string_equal(last_comment(f), "public free: It is 123456.");
}

/* ---- bounces ---- */

static const char *bounce_to(struct fixture *f, const char *to, const char *status)
{
	return arena_printf(&f->arena,
			    "Return-Path: <>\nReceived: from x by mx.desk.test; Mon, 2 Mar 2026"
			    " 09:00:00 +0000\nFrom: MAILER-DAEMON@mx.test\nTo: %s\n"
			    "Subject: Undelivered\nMessage-ID: <b%lld@mx.test>\nMIME-Version: 1.0\n"
			    "Content-Type: multipart/report; report-type=delivery-status; "
			    "boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: "
			    "message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
			    "Final-Recipient: rfc822; " CAROL "\nAction: failed\nStatus: %s\n\n"
			    "--b--\n",
			    to, (long long)++f->serial, status);
}

static bool is_marked(struct fixture *f)
{
	return NUM(f, "SELECT undeliverable_at IS NOT NULL FROM users WHERE email = '" CAROL "'");
}

static void bounces_come_to_the_envelope(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Broken");
	const char *envelope = rows(f, "SELECT sender FROM outbox WHERE recipient = '" CAROL
				       "' ORDER BY id DESC LIMIT 1");

	assert_int_equal(strncmp(envelope, "support+b.", 10), 0);
	/* three soft ones within three days */
	for (int i = 0; i < 3; i++) {
		assert_false(is_marked(f));
		OUTCOME(TAKE(f, .from = "x", .raw = bounce_to(f, envelope, "4.2.2")),
			"delivery_event");
		fixture_now += i == 1 ? DAY : HOUR;
	}
	assert_true(is_marked(f));
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Here again");
	assert_false(is_marked(f));
	OUTCOME(TAKE(f, .from = "x", .raw = bounce_to(f, envelope, "5.1.1")), "delivery_event");
	assert_true(is_marked(f));
	assert_string_equal(status_of(f, ticket), "open");
	/* without the signed address nobody can say so */
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "And again");
	OUTCOME(TAKE(f, .from = "x", .raw = bounce_to(f, "support@desk.test", "5.1.1")),
		"quarantined");
	assert_false(is_marked(f));
	/* a person's mail there is a machine's */
	OUTCOME(TAKE(f, .from = CAROL, .auth = "pass", .to = envelope, .subject = "Re: [close]"),
		"comment_added");
	assert_string_equal(status_of(f, ticket), "open");
}

/* Without an address of its own the Message-ID is what a report is known by. */
static void bounces_come_by_their_message_id(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Broken");
	const char *report = bounce_to(f, "support@desk.test", "5.1.1");
	struct intake_result r;

	ROWS(f, "support@desk.test", "SELECT DISTINCT sender FROM outbox");
	report = arena_printf(
		&f->arena,
		"%.*s--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <%s>\n\n--b--\n",
		(int)(strstr(report, "--b--") - report), report,
		mail_data(f, CAROL, "mail.message_id"));
	r = TAKE(f, .from = "x", .raw = report);
	OUTCOME(r, "delivery_event");
	assert_int_equal(r.ticket, ticket);
	assert_true(is_marked(f));
}

/* ---- loops ---- */

enum { ROBOTS = 10000, BATCH = 500 };

struct robots {
	struct fixture *f;
	const char *to;
	int from;
};

/* As many in one transaction as a mailbox with a backlog takes. */
static int take_robots(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct robots *r = ctx;
	int rc = MD_OK;

	for (int i = r->from; i < r->from + BATCH && rc == MD_OK; i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		md_auto(arena_done) struct arena scratch = ARENA_INIT(96 << 20);
		md_auto(blob_done) struct blob blob = { 0 };
		struct message m;
		struct fixture_take t = { .desk = r->f->desk };
		const char *raw = arena_printf(
			&a,
			"Received: from x by mx.desk.test; Mon, 2 Mar 2026 09:00:00 +0000\n"
			"From: %s\nTo: %s\nSubject: %s\nMessage-ID: <robot%d@x.test>\n%s\nAway.\n",
			i % 2 ? CAROL : EVE, i % 3 ? r->to : "support@desk.test",
			i % 5 ? "Automatic reply: Holidays" : "Away [close]", i,
			i % 7 ? "Auto-Submitted: auto-replied\n"
			      : "X-Auto-Response-Suppress: All\n");

		OK(message_read((const uint8_t *)raw, strlen(raw), &a, &m, &err));
		OK(blob_prepare(raw, strlen(raw), &blob, &err));
		t.mail = (struct intake_mail){ .mailbox = r->f->support,
					       .size = (int64_t)strlen(raw),
					       .message = &m,
					       .blob = &blob };
		rc = intake_take(r->f->desk, c, &scratch, &t.mail, &t.result, e);
	}
	return rc;
}

static void ten_thousand_robots_get_no_answer(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Holidays");
	struct robots r = { .f = f, .to = mail_data(f, CAROL, "mail.reply_to") };

	OK(assign_rc(f, f->anna, ticket, f->anna));
	send_all(f);
	for (; r.from < ROBOTS; r.from += BATCH)
		OK(db_txn(f->desk->db, take_robots, &r, &err));
	ROWS(f, "10000", "SELECT count(*) FROM messages WHERE direction = 'in'");
	ROWS(f, "0",
	     "SELECT count(*) FROM outbox WHERE state = 'queued' AND recipient NOT LIKE"
	     " '%%@desk.test'");
	assert_string_equal(status_of(f, ticket), "in_progress");
}

/* Another desk answers every mail of ours with one of its own, as a new matter, and marks none of
 * them as automatic. */
static size_t exchanged(struct fixture *f, const char *subject, const char *headers)
{
	size_t sent = 0;

	TAKE(f, .from = "help@other.test", .subject = subject);
	for (int hour = 0; hour < 24 * 6; hour++) {
		const char *said =
			rows(f, "SELECT m.subject FROM outbox o JOIN messages m ON m.id ="
				" o.message_id WHERE o.state = 'queued' AND o.recipient ="
				" 'help@other.test'");

		send_all(f);
		if (*said) {
			sent++;
			TAKE(f, .from = "help@other.test", .headers = headers,
			     .subject = arena_printf(&f->arena, "Re: [OTHER-%d] %s", hour, said));
		}
		fixture_now += HOUR / 6;
	}
	return sent;
}

static void two_desks_fall_silent(void **state)
{
	struct fixture *f = *state;
	size_t sent = exchanged(f, "Wired", NULL);

	assert_true(sent >= 1 && sent <= 4); /* with as many of theirs: 8 in all */
	fixture_now += 2 * DAY;
	assert_true(exchanged(f, "Marked", "X-Maildesk-Loop: another-desk\n") <= 2);
}

/* A robot that makes a new subject each time. */
static void ping_pong_ends_in_silence(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 12; i++)
		TAKE(f, .from = "bot@other.test",
		     .subject = arena_printf(&f->arena, "Re: matter %c", 'a' + i));
	ROWS(f, "4", "SELECT count(*) FROM outbox WHERE recipient = 'bot@other.test'");
	ROWS(f, "1", "SELECT count(*) FROM silences WHERE name = 'bot@other.test'");
	ROWS(f, "8", "SELECT count(*) FROM ticket_history WHERE action = 'not_sent'");
	fixture_now += 23 * HOUR;
	TAKE(f, .from = "bot@other.test", .subject = "Quite new");
	ROWS(f, "4", "SELECT count(*) FROM outbox WHERE recipient = 'bot@other.test'");
	fixture_now += 2 * HOUR;
	TAKE(f, .from = "bot@other.test", .subject = "Quite new again");
	ROWS(f, "5", "SELECT count(*) FROM outbox WHERE recipient = 'bot@other.test'");
}

static void one_subject_is_answered_twice(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = CAROL, .subject = "Where is it");
	TAKE(f, .from = CAROL, .subject = "where is it");
	TAKE(f, .from = CAROL, .subject = "AW: [X-12] Where is it");
	TAKE(f, .from = CAROL, .subject = "Something else");
	ROWS(f, "Where is it\nwhere is it\nSomething else",
	     "SELECT m.subject FROM outbox o JOIN messages m ON m.id = o.message_id"
	     " WHERE o.recipient = '" CAROL "' ORDER BY o.id");
	ROWS(f, CAROL " cap",
	     "SELECT old_value || ' ' || new_value FROM ticket_history WHERE action = 'not_sent'");
}

static void each_mailbox_may_have_its_ticket(void **state)
{
	struct fixture *f = *state;
	struct mail m = { .from = CAROL,
			  .to = "support@desk.test, sales@desk.test",
			  .subject = "Both",
			  .id = "both@x.test",
			  .headers = "References: <root@x.test>\n" };
	int64_t first = take(f, m).ticket, second;

	m.mailbox = f->sales;
	second = take(f, m).ticket;
	assert_int_not_equal(first, second);
	ROWS(f, "support\nsales",
	     "SELECT m.name FROM tickets t JOIN mailboxes m ON m.id ="
	     " t.mailbox_id ORDER BY t.id");
	OUTCOME(take(f, m), "duplicate");
	/* an answer is one comment, wherever it is read */
	m = (struct mail){ .from = CAROL,
			   .subject = "Re: Both",
			   .reply_to = "both@x.test",
			   .id = "answer@x.test" };
	assert_int_equal(take(f, m).ticket, first);
	m.mailbox = f->sales;
	m.to = "support@desk.test";
	OUTCOME(take(f, m), "duplicate");
	ROWS(f, "3", "SELECT count(*) FROM comments");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		DESK_TEST(commands_of_a_token_run_once, NO_AUTHSERV),
		DESK_TEST(a_token_that_others_saw_is_dead, NO_AUTHSERV),
		DESK_TEST(tokens_die_with_their_ticket_and_user, NO_AUTHSERV),
		DESK_TEST(an_epoch_ends_all_tokens, NO_AUTHSERV),
		DESK_TEST(both_proofs_make_level_three, ""),
		DESK_TEST(a_spoilt_address_is_told_of, NO_AUTHSERV),
		DESK_TEST(a_held_mail_is_confirmed_once, ""),
		DESK_TEST(a_mail_of_commands_alone_is_confirmed, ""),
		DESK_TEST(an_hour_is_given_to_confirm, ""),
		DESK_TEST(without_plus_addressing_commands_are_confirmed,
			  NO_AUTHSERV "mailbox support { plus_addressing = false }\n"),
		DESK_TEST(later_copies_join_or_wait, "limits { auto_per_address_hour = 0 }\n"),
		DESK_TEST(an_agents_forward_is_the_customers, ""),
		DESK_TEST(planted_subjects_command_nothing, ""),
		DESK_TEST(answers_come_from_the_alias,
			  "mailbox support { aliases = {help@desk.test, billing@desk.test}"
			  " send_as = {billing@desk.test} }\n"),
		cmocka_unit_test(codes_are_recognised),
		DESK_TEST(secrets_are_for_agents, ""),
		DESK_TEST(bounces_come_to_the_envelope, ""),
		DESK_TEST(bounces_come_by_their_message_id, "mailbox support { verp = false }\n"),
		DESK_TEST(ten_thousand_robots_get_no_answer,
			  "limits { inbound_per_sender_hour = 0 }\n"),
		DESK_TEST(two_desks_fall_silent, ""),
		DESK_TEST(each_mailbox_may_have_its_ticket, "desk { cross_post = each }\n"),
		DESK_TEST(ping_pong_ends_in_silence, ""),
		DESK_TEST(one_subject_is_answered_twice, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

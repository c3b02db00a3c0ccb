/* From frozen rows to the bytes that go out: threads, ids, what is automatic, no way out of a
 * header. */
#include "desk_fixture.h"

#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ANNA "anna@desk.test"
#define BOB "bob@desk.test"

/* A header field of a mail, unfolded; "-" when there is none. */
static const char *field(struct fixture *f, const char *mail, const char *name)
{
	const char *head_end = strstr(mail, "\r\n\r\n");
	char *start = arena_printf(&f->arena, "\r\n%.*s\r\n", (int)(head_end - mail), mail), *at,
	     *to;
	const char *key = arena_printf(&f->arena, "\r\n%s:", name);

	at = strstr(start, key);
	if (!at)
		return "-";
	at += strlen(key);
	for (to = at; !(to[0] == '\r' && to[2] != ' ' && to[2] != '\t'); to++)
		;
	*to = '\0';
	for (to = at; (to = strstr(to, "\r\n")) != NULL;)
		memmove(to, to + 2, strlen(to + 2) + 1);
	return at + 1; /* the space, or the fold */
}
#define FIELD(f, mail, name, value) assert_string_equal(field((f), (mail), (name)), value)

static const char *newest(struct fixture *f, const char *to)
{
	return rendered(f, newest_to(f, to));
}

/* ---- threads ---- */

static void mails_continue_their_readers_thread(void **state)
{
	struct fixture *f = *state;
	const char *ack, *reply, *to_anna;

	TAKE(f, .from = "Carol <Carol@Customer.test>", .subject = "Help", .id = "c1@customer.test");
	ack = mail_data(f, CAROL, "mail.message_id");
	FIELD(f, newest(f, CAROL), "In-Reply-To", "<c1@customer.test>");
	FIELD(f, newest(f, CAROL), "References", "<c1@customer.test>");
	to_anna = mail_data(f, ANNA, "mail.message_id");
	FIELD(f, newest(f, ANNA), "References", "-"); /* it has seen nothing yet */
	send_all(f);
	TAKE(f, .from = ANNA, .auth = "pass", .id = "a1@desk.test", .reply_to = to_anna,
	     .subject = "Re: Help [take]", .body = "Which one?\n");
	reply = mail_data(f, CAROL, "mail.message_id");
	FIELD(f, newest(f, CAROL), "In-Reply-To", arena_printf(&f->arena, "<%s>", ack));
	FIELD(f, newest(f, CAROL), "References",
	      arena_printf(&f->arena, "<c1@customer.test> <%s>", ack));
	send_all(f);
	TAKE(f, .from = CAROL, .id = "c2@customer.test", .reply_to = reply, .body = "That.\n");
	FIELD(f, newest(f, ANNA), "In-Reply-To", "<a1@desk.test>");
	FIELD(f, newest(f, ANNA), "References",
	      arena_printf(&f->arena, "<%s> <a1@desk.test>", to_anna));
}

/* The ids of what others got are no business of this reader; Dave has a copy of Carol's mail. */
static void references_hold_only_what_the_reader_knows(void **state)
{
	struct fixture *f = *state;
	const char *ids;
	int64_t ticket, n;

	TAKE(f, .from = CAROL, .subject = "Help", .to = "support@desk.test, " DAVE);
	ticket = NUM(f, "SELECT max(id) FROM tickets");
	for (int i = 0; i < 3; i++) {
		OK(comment_rc(f, f->anna, ticket, "To Carol.", false));
		OK(comment_rc(f, f->anna, ticket, "A note.", true));
		OK(assign_rc(f, f->anna, ticket, i % 2 ? 0 : f->bob));
		send_all(f);
	}
	n = NUM(f, "SELECT count(*) FROM outbox");
	for (int64_t id = 1; id <= n; id++) {
		const char *mail = rendered(f, id);

		ids = rows(f,
			   "SELECT '<' || m.message_id || '>' FROM messages m LEFT JOIN outbox o ON"
			   " o.message_id = m.id JOIN outbox me ON me.id = %lld WHERE"
			   " m.id < me.message_id AND (o.recipient = me.recipient OR"
			   " (m.direction = 'in' AND (m.from_address = me.recipient OR"
			   " me.recipient = '" DAVE "'))) ORDER BY m.id",
			   (long long)id);
		if (*ids)
			FIELD(f, mail, "References",
			      rows(f, "SELECT replace('%s', char(10), ' ')", ids));
		else
			FIELD(f, mail, "References", "-");
	}
}

static void threads_are_cut_to_the_newest(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");
	const char *references;
	size_t n = 0;

	for (int i = 0; i < 40; i++)
		OK(comment_rc(f, f->anna, ticket, "Again.", false));
	references = field(f, newest(f, CAROL), "References");
	for (const char *p = references; (p = strchr(p, '<')) != NULL; p++)
		n++;
	assert_int_equal(n, 20);
}

/* ---- headers ---- */

static void headers_say_what_the_mail_is(void **state)
{
	struct fixture *f = *state;
	const char *mail;
	int64_t ticket;

	TAKE(f, .from = CAROL, .subject = "Help", .mailbox = f->sales, .to = "shop@desk.test");
	ticket = 1;
	mail = newest(f, CAROL);
	FIELD(f, mail, "Auto-Submitted", "auto-replied");
	FIELD(f, mail, "X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply");
	FIELD(f, mail, "X-Maildesk-Loop", f->desk->id);
	FIELD(f, mail, "From", "Example Support <sales@desk.test>");
	FIELD(f, mail, "Subject", "[#1] Help");
	FIELD(f, mail, "MIME-Version", "1.0");
	FIELD(f, mail, "Date", "Mon, 02 Mar 2026 09:00:00 +0000");
	assert_int_equal(strncmp(field(f, mail, "Reply-To"), "Example Support <sales+", 22), 0);
	assert_int_equal(strncmp(field(f, mail, "Message-ID"), "<md.", 4), 0);
	assert_non_null(strstr(field(f, mail, "Content-Type"), "multipart/alternative"));
	FIELD(f, newest(f, ANNA), "Auto-Submitted", "auto-generated");
	/* an agent's own words are a person's */
	OK(comment_rc(f, f->anna, ticket, "Dear Carol", false));
	mail = newest(f, CAROL);
	FIELD(f, mail, "Auto-Submitted", "-");
	FIELD(f, mail, "From", "\"Anna (Example Support)\" <sales@desk.test>");
	/* a customer's, passed on by the desk, are not the desk's to sign as a person */
	OK(assign_rc(f, f->bob, ticket, f->bob));
	OK(comment_rc(f, f->carol, ticket, "Dear Anna", false));
	mail = newest(f, BOB);
	FIELD(f, mail, "Auto-Submitted", "auto-generated");
	FIELD(f, mail, "From", "Example Support <sales@desk.test>");
	OK(move_rc(f, f->bob, ticket, "resolved"));
	FIELD(f, newest(f, CAROL), "Auto-Submitted", "auto-generated");
	FIELD(f, newest(f, CAROL), "Subject", "[#1] Help");
}

/* Customers may leave a ticket by a click of their mail program; agents have other ways. */
static void customers_may_leave(void **state)
{
	struct fixture *f = *state;
	struct token t = { 0 };
	const char *mail, *list;
	int64_t ticket;

	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Help");
	ticket = NUM(f, "SELECT max(id) FROM tickets");
	mail = newest(f, CAROL);
	list = field(f, mail, "List-Unsubscribe");
	assert_int_equal(strncmp(list, "<https://help.test/u/", 21), 0);
	list = arena_strndup(&f->arena, list + 21, strcspn(list + 21, ">"));
	assert_int_equal(token_read_word(f->desk->token_keys, TOKEN_MUTE, list,
					 token_day(fixture_now), &t),
			 TOKEN_VALID);
	assert_int_equal(t.ticket, ticket);
	assert_int_equal(t.user, f->carol);
	list = strchr(field(f, mail, "List-Unsubscribe"), ',');
	assert_int_equal(strncmp(list, ", <mailto:support+", 18), 0);
	assert_non_null(strstr(list, "@desk.test?subject=%5B%231%5D%20%5Bmute%5D>"));
	FIELD(f, mail, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
	FIELD(f, newest(f, ANNA), "List-Unsubscribe", "-");
	OK(comment_rc(f, f->anna, ticket, "Dear Carol", false));
	assert_string_not_equal(field(f, newest(f, CAROL), "List-Unsubscribe"), "-");
}

/* Without a place to click, by mail alone; what cannot stand in a header is left out. */
static void a_mail_is_the_other_way_to_leave(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Help");
	mail = newest(f, CAROL);
	FIELD(f, mail, "List-Unsubscribe", "-");
	FIELD(f, mail, "List-Unsubscribe-Post", "-");
}

static void agents_names_are_shown_as_configured(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(comment_rc(f, f->anna, ticket, "Dear Carol", false));
	FIELD(f, newest(f, CAROL), "From", "\"Anna | Example Support, Anna\" <support@desk.test>");
	OK(assign_rc(f, f->bob, ticket, f->anna));
	FIELD(f, newest(f, ANNA), "From", "Example Support <support@desk.test>");
}

/* Windows hands no address beyond some 2,000 characters to a mail program, and a reader of the text
 * part sees all of it. */
static void links_stay_short_whatever_the_title(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf title = BUF_INIT(2000);
	int64_t ticket, n;

	for (int i = 0; i < 500; i++)
		buf_adds(&title, i % 50 == 49 ? " " : "\xe6\xbc\xa2");
	ticket = create(f, f->carol, f->carol, buf_str(&title));
	OK(assign_rc(f, f->bob, ticket, f->anna));
	n = NUM(f, "SELECT max(length(value ->> 'href')) FROM outbox, json_each(data, '$.actions')"
		   " WHERE recipient = '" ANNA "'");
	assert_in_range(n, 100, 400);
	/* no character is cut in two, and the command is still there */
	ROWS(f, "0",
	     "SELECT count(*) FROM outbox, json_each(data, '$.actions') WHERE value ->> 'href' NOT"
	     " LIKE '%%subject=Re%%3A%%20%%5B%%231%%5D%%20%%E6%%BC%%A2%%E6%%BC%%A2...%%20%%5B%%' ");
	/* short ones stand there whole */
	ticket = create(f, f->carol, f->carol, "Printer on fire");
	OK(assign_rc(f, f->bob, ticket, f->anna));
	assert_non_null(strstr(mail_data(f, ANNA, "actions[0].href"),
			       "%20Printer%20on%20fire%20%5Bpending%5D"));
}

static void every_event_renders(void **state)
{
	static const char *const events[] = { "created",       "created_agent", "public_reply",
					      "internal_note", "assigned",      "status_changed",
					      "sla_warning",   "sla_breach",    "transcript",
					      "confirmation" };
	struct fixture *f = *state;
	int64_t ticket, n;

	TAKE(f, .from = "J\xc3\xb6rg <j@x.test>", .auth = "pass",
	     .subject = "Gr\xc3\xbc\xc3\x9f\x65");
	ticket = 1;
	OK(assign_rc(f, f->anna, ticket, f->bob));
	OK(comment_rc(f, f->anna, ticket, "<b>&amp; \xe2\x82\xac", false));
	OK(comment_rc(f, f->anna, ticket, "note", true));
	tick(f, MONDAY_9 + DAY);
	OK(move_rc(f, f->bob, ticket, "resolved"));
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "[#1] x [prio=blue]");
	TAKE(f, .from = ANNA, .subject = "[#1] x");
	n = NUM(f, "SELECT count(*) FROM outbox");
	for (size_t i = 0; i < MD_COUNT(events); i++)
		ROWS(f, "1", "SELECT count(*) > 0 FROM outbox WHERE event = '%s'", events[i]);
	for (int64_t id = 1; id <= n; id++) {
		const char *mail = rendered(f, id);
		md_auto(arena_done) struct arena a = ARENA_INIT(32 << 20);
		struct message m;

		OK(message_read((const uint8_t *)mail, strlen(mail), &a, &m, &err));
		assert_int_equal(m.defects.n, 0);
		assert_int_equal(m.from.n, 1);
		assert_int_equal(m.to.n, 1);
		assert_non_null(m.date);
		assert_true(strlen(m.text) > 20);
		assert_non_null(strstr(m.text, rows(f,
						    "SELECT json_extract(data, '$.body_token') FROM"
						    " outbox WHERE id = %lld",
						    (long long)id)));
		assert_int_equal(m.markers.n, 1);
		assert_int_equal(strncmp(m.subject, "[#1] ", 5), 0);
		assert_null(strstr(m.text, "{{"));
		if (strstr(m.text, "<b>&amp;"))
			assert_non_null(strstr(m.html, "&lt;b&gt;&amp;amp; \xe2\x82\xac"));
	}
}

/* The parts of the newest mail to that person, as they are read. */
static struct message read_newest(struct fixture *f, const char *to)
{
	const char *mail = newest(f, to);
	struct message m;

	OK(message_read((const uint8_t *)mail, strlen(mail), &f->arena, &m, &err));
	return m;
}

static int approve(struct work *w, void *arg, struct md_err *e)
{
	return work_approve(w, *(int64_t *)arg, e);
}

/* What is typed at the desk is CommonMark, and its reader sees what it means; a mail's text is
 * text. */
static void what_is_typed_here_is_markdown(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x"), held;
	struct message m;

	OK(comment_rc(f, f->anna, ticket, "Switch it **off**.\n\n1. Wait.\n2. Press <Enter>",
		      false));
	m = read_newest(f, CAROL);
	assert_non_null(strstr(m.html, "<strong>off</strong>"));
	assert_non_null(strstr(m.html, "&lt;Enter&gt;</li>"));
	assert_non_null(strstr(m.text, "Switch it **off**.\n")); /* the text part */
	OK(assign_rc(f, f->bob, ticket, f->bob));
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Re: [#1] x", .body = "It is **off**.\n");
	m = read_newest(f, CAROL);
	assert_non_null(strstr(m.html, ">It is **off**.</p>"));
	/* held, and let through at the desk: a mail still */
	TAKE(f, .from = DAVE, .auth = "pass", .reply_to = mail_data(f, CAROL, "mail.message_id"),
	     .subject = "Re: x", .body = "Mine is **on**.\n");
	held = NUM(f, "SELECT id FROM comments WHERE held IS NOT NULL");
	OK(step(f, f->anna, ticket, approve, &held));
	assert_non_null(strstr(read_newest(f, CAROL).html, ">Mine is **on**.</p>"));
}

static int sign_as(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct fixture *f = ctx;
	struct user u;
	int rc = user_get(c, f->anna, &f->arena, &u, e);

	u.signature = "Anna <Smith>\nRoom *12*";
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

/* Below an agent's answer stands the agent's signature, or the mailbox's; as text, and below
 * nothing else. */
static void answers_are_signed(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");
	struct message m;

	assert_null(strstr(newest(f, CAROL), "Your <support>")); /* the desk's own words */
	OK(assign_rc(f, f->bob, ticket, f->bob));
	OK(db_txn(f->desk->db, sign_as, f, &err));
	OK(comment_rc(f, f->anna, ticket, "It is off.", false));
	m = read_newest(f, CAROL);
	assert_non_null(strstr(m.text, "It is off.\n\nAnna <Smith>\nRoom *12*\n\n"));
	assert_non_null(strstr(m.html, "Anna &lt;Smith&gt;<br>\nRoom *12*"));
	assert_null(strstr(m.text, "Your <support>"));
	OK(comment_rc(f, f->bob, ticket, "So it is.", false));
	m = read_newest(f, CAROL);
	assert_non_null(strstr(m.text, "So it is.\n\nYour <support>\n\n"));
	assert_non_null(strstr(m.html, "Your &lt;support&gt;"));
	OK(comment_rc(f, f->carol, ticket, "Yes.", false));
	assert_null(strstr(read_newest(f, BOB).text, "Your <support>"));
	OK(comment_rc(f, f->anna, ticket, "A note.", true));
	assert_null(strstr(read_newest(f, BOB).text, "Smith"));
	/* it is no part of the comment */
	ROWS(f, "0", "SELECT count(*) FROM comments WHERE body LIKE '%%Smith%%'");
}

static void transcripts_name_every_line(void **state)
{
	struct fixture *f = *state;
	md_auto(arena_done) struct arena a = ARENA_INIT(32 << 20);
	struct message m;
	const char *mail;

	create(f, f->carol, f->carol, "x");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "[#1] x [prio=high; resolve; take]",
	     .body = "Text\n");
	mail = newest(f, ANNA);
	OK(message_read((const uint8_t *)mail, strlen(mail), &a, &m, &err));
	assert_non_null(strstr(m.text, "prio=high"));
	assert_non_null(strstr(m.text, "REFUSED  resolve: take it first, [take; resolve]"));
	assert_non_null(
		strstr(m.text, "no way from open to resolved; allowed: in_progress, closed"));
	assert_null(strstr(m.text, "Text"));
	/* nothing was done, and nothing is said to have been done */
	assert_non_null(
		strstr(m.text, "REFUSED  prio=high: not done, because another was refused"));
	assert_non_null(strstr(m.text, "Status: open\nPriority: medium\n"));
}

/* ---- nothing breaks out of its header ---- */

static void headers_cannot_be_broken(void **state)
{
	static const char *const evil[] = {
		"x\r\nBcc: victim@x.test",
		"x\nBcc: victim@x.test",
		"x\rBcc: victim@x.test",
		"x\r\n\r\nbody",
		"x\xe2\x80\xa8 Bcc: victim@x.test",
		"\"x\" <victim@x.test>, y",
		"x\\\"\r\n Bcc: victim@x.test",
		"=?utf-8?q?x=0D=0ABcc:_victim@x.test?=",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(evil); i++) {
		struct user agent = { .name = evil[i],
				      .role = "agent",
				      .created_at = 1,
				      .email = arena_printf(&f->arena, "agent%zu@desk.test", i) };
		struct user who = { .name = evil[i],
				    .role = "customer",
				    .created_at = 1,
				    .email = arena_printf(&f->arena, "who%zu@x.test", i) };
		int64_t ticket, n;

		OK(db_txn(f->desk->db, fixture_add_user, &agent, &err));
		OK(db_txn(f->desk->db, fixture_add_user, &who, &err));
		ticket = create(f, who.id, who.id, evil[i]);
		OK(comment_rc(f, agent.id, ticket, evil[i], false));
		OK(change_rc(f, agent.id, ticket,
			     CHANGE(.title = arena_printf(&f->arena, "y%s", evil[i]))));
		OK(assign_rc(f, agent.id, ticket, agent.id));
		OK(move_rc(f, agent.id, ticket, "resolved"));
		n = NUM(f, "SELECT count(*) FROM outbox WHERE ticket_id = %lld", (long long)ticket);
		assert_true(n >= 3);
		for (int64_t id = newest_to(f, who.email) - n + 1; id <= newest_to(f, who.email);
		     id++) {
			md_auto(arena_done) struct arena a = ARENA_INIT(32 << 20);
			const char *mail = rendered(f, id);
			struct message m;

			FIELD(f, mail, "Bcc", "-");
			OK(message_read((const uint8_t *)mail, strlen(mail), &a, &m, &err));
			assert_int_equal(m.to.n, 1);
			assert_int_equal(m.cc.n, 0);
			assert_int_equal(m.from.n, 1);
			assert_string_equal(((const struct mail_address *)m.to.v)->address,
					    rows(f, "SELECT recipient FROM outbox WHERE id = %lld",
						 (long long)id));
		}
	}
	/* and by mail */
	TAKE(f, .from = "=?utf-8?q?Eve=0D=0ABcc:_victim@x.test?= <eve@x.test>", .auth = "pass",
	     .subject = "=?utf-8?q?Hi=0D=0ABcc:_victim@x.test?=");
	FIELD(f, newest(f, "eve@x.test"), "Bcc", "-");
	FIELD(f, newest(f, ANNA), "Bcc", "-");
}

/* What is frozen does not change with the ticket. */
static void a_frozen_mail_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Old title"), id = newest_to(f, CAROL);

	OK(change_rc(f, f->anna, ticket, CHANGE(.title = "New title")));
	assert_non_null(strstr(rendered(f, id), "Old title"));
	assert_null(strstr(rendered(f, id), "New title"));
}

/* ---- large ones ---- */

/* Lines that make as much HTML as any: 40 tabs stay tabs, of which each is 14 characters. */
static void add_indented(struct buf *out)
{
	for (int i = 0; i < 40; i++)
		buf_addc(out, '\t');
	buf_adds(out, "a\n\n");
}

/* As much HTML as the text of a comment can make. */
static void the_largest_text_has_its_html(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf body = BUF_INIT(256 << 10);
	int64_t ticket = create(f, f->carol, f->carol, "x");
	const char *mail;

	while (body.len + 50 < body.max)
		add_indented(&body);
	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(comment_rc(f, f->carol, ticket, buf_str(&body), false));
	mail = newest(f, ANNA);
	assert_non_null(strstr(field(f, mail, "Content-Type"), "multipart/alternative"));
}

/* What was asked for is in the text. */
static void html_beyond_its_limit_is_left_out(void **state)
{
	enum { COMMENTS = 5, TICKETS = 20 };
	struct fixture *f = *state;
	md_auto(buf_done) struct buf body = BUF_INIT(4000), asked = BUF_INIT(TICKETS * 100);
	const char *mail;

	while (body.len + 50 < body.max)
		add_indented(&body);
	for (int i = 0; i < TICKETS; i++) {
		int64_t ticket = create(f, f->carol, f->carol, "x");

		for (int k = 0; k < COMMENTS; k++)
			OK(comment_rc(f, f->carol, ticket, buf_str(&body), false));
		buf_addf(&asked, "#show #%lld\n", (long long)ticket);
	}
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "x", .body = buf_str(&asked));
	mail = newest(f, ANNA);
	FIELD(f, mail, "Content-Type", "text/plain; charset=utf-8");
	assert_non_null(strstr(mail, "[#20]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(mails_continue_their_readers_thread, ""),
		DESK_TEST(references_hold_only_what_the_reader_knows, ""),
		DESK_TEST(threads_are_cut_to_the_newest, ""),
		DESK_TEST(headers_say_what_the_mail_is, ""),
		DESK_TEST(customers_may_leave, "desk { url = \"https://help.test\" }\n"),
		DESK_TEST(a_mail_is_the_other_way_to_leave,
			  "desk { url = \"https://h\xc3\xa4lfe.test\" }\n"),
		DESK_TEST(links_stay_short_whatever_the_title, ""),
		DESK_TEST(agents_names_are_shown_as_configured,
			  "desk { from_format = \"{agent} | {desk}, {agent}\" }\n"),
		DESK_TEST(every_event_renders, "sla \"s\" { first_response { medium = 4h } "
					       "resolution { medium = 4h } }\n"),
		DESK_TEST(what_is_typed_here_is_markdown, ""),
		DESK_TEST(answers_are_signed,
			  "mailbox \"support\" { signature = \"Your <support>\" }\n"),
		DESK_TEST(transcripts_name_every_line, ""),
		DESK_TEST(headers_cannot_be_broken, "limits { auto_per_address_hour = 0 }\n"),
		DESK_TEST(a_frozen_mail_stays_as_it_was, ""),
		DESK_TEST(the_largest_text_has_its_html, ""),
		DESK_TEST(html_beyond_its_limit_is_left_out, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

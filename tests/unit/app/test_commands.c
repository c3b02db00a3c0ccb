/* The command language from a mail to its effect: every verb, several tickets, questions and their
 * answers, canned replies, links to tap. */
#include "desk_fixture.h"

#include <maildesk/store/canned.h>
#include <maildesk/store/teams.h>

#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ANNA "anna@desk.test"
#define BOB "bob@desk.test"

static int add_canned(struct db_conn *c, void *ctx, struct md_err *e)
{
	int64_t id;

	return canned_add(c, ctx, &id, e);
}

static void canned(struct fixture *f, const char *name, const char *body, const char *commands)
{
	struct canned r = { .name = name, .body = body, .commands = commands, .tags = "canned" };

	OK(db_txn(f->desk->db, add_canned, &r, &err));
}

/* #1 is Carol's and Anna's, #2 is Dave's and nobody's; Anna was written to. */
static void two_tickets(struct fixture *f)
{
	create(f, f->carol, f->carol, "Printer on fire");
	create(f, f->dave, f->dave, "Power is gone");
	OK(assign_rc(f, f->bob, 1, f->anna));
	canned(f, "thanks", "Thank you, {{requester.name}}.\n\n{{agent.name}}\n", "#priority low");
}

/* A mail of Anna's: proven by her mail system, at level 3 by a signed address, too. */
static struct intake_result from_anna(struct fixture *f, int level, const char *subject,
				      const char *body)
{
	struct mail m = { .from = ANNA, .auth = "pass", .subject = subject, .body = body };
	const char *to = mail_data(f, ANNA, "mail.reply_to");

	if (level == 3)
		m.to = to;
	send_all(f);
	return take(f, m);
}

/* "line | reason" of each line of the newest decision, "ok " or "no " before it. */
static const char *lines(struct fixture *f)
{
	return rows(f, "SELECT CASE j.value ->> 'ok' WHEN 1 THEN 'ok ' ELSE 'no ' END || "
		       "(j.value ->> 'line') || ' | ' || (j.value ->> 'reason') FROM decisions d, "
		       "json_each(d.commands) j WHERE d.message_id = (SELECT max(message_id) FROM "
		       "decisions)");
}

static const char *newest_mail(struct fixture *f, const char *recipient)
{
	return rendered(f, newest_to(f, recipient));
}

#define HAS(text, part)                                                 \
	do {                                                            \
		const char *has_text = (text);                          \
		if (!strstr(has_text, part))                            \
			fail_msg("no \"%s\" in: %s", (part), has_text); \
	} while (0)
#define LACKS(text, part)                                            \
	do {                                                         \
		const char *has_text = (text);                       \
		if (strstr(has_text, part))                          \
			fail_msg("\"%s\" in: %s", (part), has_text); \
	} while (0)

/* ---- every verb ---- */

/* What must have happened before the example of a verb can be done, and what it did. */
static const struct verb_case {
	const char *verb, *before, *sql, *expected;
} verbs[] = {
	{ "start", "#status open", NULL, NULL }, /* done by itself when assigned: see below */
	{ "pending", NULL, "SELECT status FROM tickets WHERE id = 1", "pending" },
	{ "resolve", NULL, "SELECT status FROM tickets WHERE id = 1", "resolved" },
	{ "close", "#resolve", "SELECT status FROM tickets WHERE id = 1", "closed" },
	{ "reopen", "#resolve", "SELECT status FROM tickets WHERE id = 1", "in_progress" },
	{ "status", "#pending", "SELECT status FROM tickets WHERE id = 1", "in_progress" },
	{ "assign", NULL,
	  "SELECT u.email FROM tickets t JOIN users u ON u.id = t.assignee_id WHERE t.id = 1",
	  BOB },
	{ "take", "#drop",
	  "SELECT u.email FROM tickets t JOIN users u ON u.id = t.assignee_id WHERE t.id = 1",
	  ANNA },
	{ "drop", NULL, "SELECT assignee_id FROM tickets WHERE id = 1", "-" },
	{ "priority", NULL, "SELECT priority FROM tickets WHERE id = 1", "2" },
	{ "tag", "#tag +printer",
	  "SELECT name FROM tags JOIN ticket_tags ON tag_id = id WHERE ticket_id = 1", "hardware" },
	{ "category", NULL, "SELECT category FROM tickets WHERE id = 1", "hardware" },
	{ "title", NULL, "SELECT title FROM tickets WHERE id = 1", "Printer in room 12 on fire" },
	{ "due", NULL, "SELECT due_at FROM tickets WHERE id = 1", "1803891600000" },
	{ "snooze", NULL, "SELECT snoozed_until FROM tickets WHERE id = 1", "1772528400000" },
	{ "time", "#time 15m", "SELECT time_spent_ms FROM tickets WHERE id = 1", "6300000" },
	{ "note", NULL, "SELECT body FROM comments WHERE is_internal = 1", "Seen by the vendor" },
	{ "reply", NULL, "SELECT max(id) || body FROM comments WHERE ticket_id = 1",
	  "3It works again." },
	{ "canned", NULL, "SELECT max(id) || body FROM comments WHERE ticket_id = 1",
	  "3Thank you, Carol.\n\nAnna" },
	{ "cc", NULL, "SELECT user_id FROM ticket_participants WHERE ticket_id = 1 AND role = 'cc'",
	  "5" },
	{ "watch", NULL,
	  "SELECT user_id FROM ticket_participants WHERE ticket_id = 1 AND role = 'watcher'", "2" },
	{ "unwatch", "#watch",
	  "SELECT count(*) FROM ticket_participants WHERE ticket_id = 1 AND role = 'watcher'",
	  "0" },
	{ "mute", "#watch",
	  "SELECT muted FROM ticket_participants WHERE ticket_id = 1 AND user_id = 2", "1" },
	{ "unmute", "#watch\n#mute",
	  "SELECT muted FROM ticket_participants WHERE ticket_id = 1 AND user_id = 2", "0" },
	{ "requester", NULL, "SELECT requester_id FROM tickets WHERE id = 1", "5" },
	{ "merge", NULL, "SELECT merged_into FROM tickets WHERE id = 1", "2" },
	{ "unmerge", "#on 2\n#merge #1", "SELECT merged_into FROM tickets WHERE id = 2", "-" },
	{ "link", NULL, "SELECT type || ticket_id || other_id FROM ticket_links", "duplicates12" },
	{ "split", "#reply Another matter", "SELECT title FROM tickets WHERE id = 3", NULL },
	{ "spam", NULL, "SELECT deleted_at > 0 FROM tickets WHERE id = 1", "1" },
	{ "delete", NULL, NULL, NULL }, /* agents may not: below */
	{ "undo", "#priority critical", "SELECT priority FROM tickets WHERE id = 1", "1" },
	{ "help", NULL, "SELECT count(*) FROM outbox WHERE event = 'transcript'", "1" },
	{ "list", NULL, "SELECT count(*) FROM outbox WHERE event = 'transcript'", "1" },
	{ "show", NULL, "SELECT count(*) FROM outbox WHERE event = 'transcript'", "1" },
	{ "search", NULL, "SELECT count(*) FROM outbox WHERE event = 'transcript'", "1" },
	{ "on", NULL, NULL, NULL }, /* below */
	{ "stop", NULL, NULL, NULL },
};

static void every_verb_does_what_its_row_says(void **state)
{
	struct fixture *f = *state;

	for (const struct command_row *row = command_rows; row->name; row++) {
		const struct verb_case *v = verbs;

		while (v < verbs + MD_COUNT(verbs) && strcmp(v->verb, row->name) != 0)
			v++;
		if (!row->example)
			continue;
		if (v == verbs + MD_COUNT(verbs))
			fail_msg("no case for %s", row->name);
		if (!v->sql)
			continue;
		fixture_close(f);
		fixture_open(f, "");
		two_tickets(f);
		if (v->before)
			from_anna(f, 3, "[#1]", v->before);
		fixture_now += MINUTE;
		from_anna(f, 3, "Re: [#1] Printer on fire",
			  arena_printf(&f->arena, "%s\n", row->example));
		if (strncmp(lines(f), "ok ", 3) != 0)
			fail_msg("%s: %s", row->example, lines(f));
		if (v->expected && strcmp(rows(f, "%s", v->sql), v->expected) != 0)
			fail_msg("%s: %s", row->example, rows(f, "%s", v->sql));
		if (!command_is_query(row))
			ROWS(f, "0",
			     "SELECT count(*) FROM ticket_history WHERE source = 'mail' AND "
			     "(message_id IS NULL OR trust IS NULL)");
	}
}

static void the_manuals_examples_run(void **state)
{
	struct fixture *f = *state;

	for (const struct command_example *e = command_examples; e->subject; e++) {
		fixture_close(f);
		fixture_open(f, "");
		two_tickets(f);
		OK(assign_rc(f, f->bob, 2, f->bob));
		from_anna(f, 3, e->subject, e->text);
		if (strstr(lines(f), "no ") == lines(f) || !*lines(f))
			fail_msg("%s: %s", e->about, lines(f));
	}
}

/* ---- several tickets ---- */

static void bulk_is_level_three(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	OUTCOME(from_anna(f, 2, "[#1 #2] Power is back [priority=high]", "Hello all\n"),
		"comment_added");
	HAS(lines(f), "no #1 | this mail does not prove well enough");
	ROWS(f, "1\n1", "SELECT priority FROM tickets");
	ROWS(f, "Hello all 1", "SELECT body || ' ' || is_internal FROM comments WHERE id = 3");
	/* unless she says that it was her */
	ROWS(f, "confirmation " ANNA, QUEUED);
	TAKE(f, .from = ANNA, .auth = "pass", .to = mail_data(f, ANNA, "mail.reply_to"),
	     .subject = "Re: x", .body = "Yes.\n");
	HAS(lines(f), "ok #2: priority=high | done");
	ROWS(f, "2\n2", "SELECT priority FROM tickets");
	ROWS(f, "Hello all 0",
	     "SELECT body || ' ' || is_internal FROM comments WHERE deleted_at IS NULL AND id > 2");
	/* so also where no ticket was named but these */
	from_anna(f, 2, "x", "#on 2 1\n#priority low\n");
	ROWS(f, "confirmation " ANNA, QUEUED);
	ROWS(f, "2\n2", "SELECT priority FROM tickets");
}

static void bulk_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	OUTCOME(from_anna(f, 3, "[#1 #2] Power is back [priority=high; resolve]", ""),
		"commands_run");
	HAS(lines(f), "no #1: priority=high | not done, because another was refused\n"
		      "no #1: resolve | not done, because another was refused\n"
		      "no #2: priority=high | not done, because another was refused\n"
		      "no #2: resolve | ");
	ROWS(f, "1\n1", "SELECT priority FROM tickets");
	OK(comment_rc(f, f->carol, 1, "And?", false));
	OUTCOME(from_anna(f, 3, "Power is back", "#on 2 1\n#take\n#priority high\n"),
		"commands_run");
	ROWS(f, "2 2\n2 2", "SELECT priority || ' ' || assignee_id FROM tickets");
	ROWS(f, "2", "SELECT count(*) FROM tickets");
	OK(comment_rc(f, f->carol, 1, "And?", false));
	from_anna(f, 3, "x", "#on 1 99\n#priority low\n");
	HAS(lines(f), "no #99 | no such ticket");
	ROWS(f, "2\n2", "SELECT priority FROM tickets");
}

static void a_text_goes_to_the_ticket_named(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	/* a signed address names its ticket; without one it is the first of those named */
	OUTCOME(TAKE(f, .from = ANNA, .auth = "pass", .subject = "Power is back",
		     .body = "#on 2\n#priority high\nIt was the fuse.\n"),
		"comment_added");
	ROWS(f, "2 It was the fuse.", "SELECT ticket_id || ' ' || body FROM comments WHERE id = 3");
	ROWS(f, "2", "SELECT count(*) FROM tickets");
}

static void two_tags_link(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	OUTCOME(from_anna(f, 2, "[#1 #2] The same fuse", "See both.\n"), "comment_added");
	ROWS(f, "See both.", "SELECT body FROM comments WHERE ticket_id = 1 AND id > 2");
	ROWS(f, "relates12", "SELECT type || ticket_id || other_id FROM ticket_links");
}

static void one_ticket_by_on_is_no_bulk(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	OUTCOME(from_anna(f, 2, "x", "#on 2\n#take\n"), "commands_run");
	ROWS(f, "2", "SELECT assignee_id FROM tickets WHERE id = 2");
}

/* ---- refusals ---- */

static void level_three_verbs_are_refused_at_two(void **state)
{
	static const char *const commands[] = { "#merge #2", "#spam", ("#requester " DAVE) };
	struct fixture *f = *state;

	two_tickets(f);
	for (size_t i = 0; i < MD_COUNT(commands); i++) {
		from_anna(f, 2, "Re: [#1] x",
			  arena_printf(&f->arena, "#priority critical\n%s\n", commands[i]));
		HAS(lines(f), "this mail does not prove well enough");
		ROWS(f, "1 4 - -",
		     "SELECT priority || ' ' || requester_id || ' ' || coalesce(merged_into, '-')"
		     " || ' ' || coalesce(deleted_at, '-') FROM tickets WHERE id = 1");
	}
}

static int delete_it(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_delete(w, e);
}

/* What a subject names that is not there, or not theirs, gets one answer, and the new ticket that
 * the mail may open gets nothing of what was meant for it. */
static void commands_for_a_missing_ticket_do_nothing(void **state)
{
	static const struct {
		const char *from, *subject, *body, *outcome, *line, *tickets;
	} cases[] = {
		{ ANNA, "Re: [#99] x [take]", "", "commands_run", "no #99 | no such ticket", "" },
		{ ANNA, "Re: [#99] x", "#take\n", "commands_run", "no #99 | no such ticket", "" },
		{ ANNA, "Re: [#99] x", "#take\nText\n", "ticket_created", "no #99 | no such ticket",
		  "open -" },
		{ ANNA, "Re: [#3] x", "#take\n", "commands_run", "no #3 | no such ticket", "" },
		{ ANNA, "Re: [#99] x", "#help\n", "commands_run", "ok #help | done", "" },
		{ ANNA, "Fwd: [#99] x", "#take\nText\n", "ticket_created", "ok #take | done",
		  "in_progress Anna" },
		{ CAROL, "Re: [#2] x", "#close\n", "commands_run", "no #2 | no such ticket", "" },
		{ CAROL, "Re: [#99] x", "#close\n", "commands_run", "no #99 | no such ticket", "" },
		{ CAROL, "Re: [#2] x", "#close\nText\n", "ticket_created", "no #2 | no such ticket",
		  "open -" },
		{ CAROL, "Re: [#2] x [close]", "Text\n", "ticket_created", "no #2 | no such ticket",
		  "open -" },
	};
	struct fixture *f = *state;
	int64_t last = 3;

	two_tickets(f);
	create(f, f->carol, f->carol, "Deleted");
	OK(step(f, f->admin, 3, delete_it, NULL));
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct intake_result r = TAKE(f, .from = cases[i].from, .auth = "pass",
					      .subject = cases[i].subject, .body = cases[i].body);

		if (strcmp(r.outcome, cases[i].outcome) != 0)
			fail_msg("%s / %s: %s", cases[i].subject, cases[i].body, r.outcome);
		assert_string_equal(lines(f), cases[i].line);
		ROWS(f, cases[i].tickets,
		     "SELECT status || ' ' || coalesce(u.name, '-') FROM tickets t LEFT JOIN users "
		     "u "
		     "ON u.id = t.assignee_id WHERE t.id > %lld",
		     (long long)last);
		last = NUM(f, "SELECT max(id) FROM tickets");
		if (cases[i].line[0] == 'n')
			HAS(rows(f, QUEUED), "transcript");
		send_all(f);
		fixture_now += DAY;
	}
	ROWS(f, "in_progress open", "SELECT group_concat(status, ' ') FROM tickets WHERE id < 3");
}

static void customers_command_little(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	send_all(f);
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Re: [#1] x",
	     .body = "#assign bob\nPlease.\n");
	HAS(lines(f), "no #assign bob | not allowed to you");
	ROWS(f, "#assign bob\nPlease.", "SELECT body FROM comments WHERE id = 3");
	HAS(rows(f, QUEUED), "transcript " CAROL);
	send_all(f);
	/* "#note" of theirs is no note, and loses no text */
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Re: [#1] x", .body = "#note it burns\n");
	ROWS(f, "#note it burns 0", "SELECT body || ' ' || is_internal FROM comments WHERE id = 4");
	/* what they may not see is like what does not exist */
	send_all(f);
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Re: [#1] x", .body = "#show 2\n");
	HAS(lines(f), "no #show 2 | no such ticket");
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Re: [#1] x", .body = "#show 99\n");
	HAS(lines(f), "no #show 99 | no such ticket");
	/* what is no command is text */
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Re: [#1] x", .body = "#on Monday\n");
	ROWS(f, "#on Monday", "SELECT body FROM comments ORDER BY id DESC LIMIT 1");
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "Re: [#1] x", .body = "#close\n");
	HAS(lines(f), "no #close | ");
	ROWS(f, "0", "SELECT count(*) FROM ticket_links");
}

static void agents_unknown_words_stop_everything(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	from_anna(f, 2, "Re: [#1] x", "#priority high\n#frob\nHello Carol\n");
	HAS(lines(f), "no #frob | no such command");
	ROWS(f, "#priority high\n#frob\nHello Carol 1",
	     "SELECT body || ' ' || is_internal FROM comments WHERE id = 3");
	ROWS(f, "1", "SELECT priority FROM tickets WHERE id = 1");
	ROWS(f, "transcript " ANNA, QUEUED);
}

/* ---- questions ---- */

static void questions_make_no_ticket(void **state)
{
	static const char *const bodies[] = { "#help\n",      "#list\n",    "#show 1\n",
					      "#list mine\n", "#show 99\n", "#show x\n" };
	struct fixture *f = *state;

	two_tickets(f);
	for (size_t i = 0; i < MD_COUNT(bodies); i++) {
		send_all(f);
		OUTCOME(TAKE(f, .from = ANNA, .auth = "pass", .subject = "My day",
			     .body = bodies[i]),
			"commands_run");
		ROWS(f, "transcript " ANNA, QUEUED);
		ROWS(f, "- -",
		     "SELECT coalesce(ticket_id, '-') || ' ' || coalesce(comment_id, '-') FROM"
		     " decisions ORDER BY message_id DESC LIMIT 1");
	}
	ROWS(f, "2", "SELECT count(*) FROM tickets");
	/* with a text, an attachment or an order it is a ticket */
	OUTCOME(TAKE(f, .from = ANNA, .auth = "pass", .subject = "x", .body = "#list\nHello\n"),
		"ticket_created");
	OUTCOME(TAKE(f, .from = ANNA, .auth = "pass", .subject = "x [take]", .body = ""),
		"ticket_created");
	/* of an agent who is not proven nothing is answered */
	send_all(f);
	TAKE(f, .from = ANNA, .subject = "x", .body = "#list\n");
	LACKS(rows(f, QUEUED), "transcript");
}

static void a_list_is_a_table(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	two_tickets(f);
	OK(change_rc(f, f->bob, 2, CHANGE(.title = "A <b>bold</b> title")));
	fixture_now += 3 * HOUR;
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "My day [list]", .body = "",
	     .id = "asked@mua.test");
	mail = newest_mail(f, ANNA);
	HAS(mail, "Subject: Re: My day\r\n");
	HAS(mail, "In-Reply-To: <asked@mua.test>");
	HAS(mail, "#1      in_progress  medium    3h           Printer on fire");
	HAS(mail, "#2      open         medium    3h           A <b>bold</b> title");
	HAS(mail, "A &lt;b&gt;bold&lt;/b&gt; title");
	HAS(mail, "Auto-Submitted: auto-generated");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "[list mine]", .body = "");
	mail = newest_mail(f, ANNA);
	HAS(mail, "Printer on fire");
	LACKS(mail, "bold");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "[list unassigned]", .body = "");
	mail = newest_mail(f, ANNA);
	HAS(mail, "bold");
	LACKS(mail, "Printer");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "[list overdue]", .body = "");
	HAS(newest_mail(f, ANNA), "No tickets.");
	/* customers see their own */
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "[list]", .body = "");
	mail = newest_mail(f, CAROL);
	HAS(mail, "Printer on fire");
	LACKS(mail, "bold");
}

static void two_answers_are_two_mails(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	send_all(f);
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "a", .body = "#list\n");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "b", .body = "#list\n");
	ROWS(f, "2",
	     "SELECT count(DISTINCT m.message_id) FROM outbox o JOIN messages m ON m.id ="
	     " o.message_id WHERE o.event = 'transcript'");
	/* an answer to it is about no ticket */
	OUTCOME(TAKE(f, .from = ANNA, .auth = "pass", .to = mail_data(f, ANNA, "mail.reply_to"),
		     .subject = "Re: b", .body = "#list mine\n"),
		"commands_run");
}

static void show_tells_what_one_may_read(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	two_tickets(f);
	OK(comment_rc(f, f->anna, 1, "Only for us", true));
	OK(comment_rc(f, f->anna, 1, "On my way", false));
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Re: [#1] x",
	     .body = "#tag +hot\n#show\n");
	mail = newest_mail(f, ANNA);
	HAS(mail, "Only for us");
	HAS(mail, "internal note");
	HAS(mail, "On my way");
	HAS(mail, "Tags: hot");
	HAS(mail, "\n[#1] ");
	LACKS(mail, "[#1]  "); /* one blank */
	LACKS(mail, "earlier comments");
	HAS(mail, "Monday, 2 March 2026");
	HAS(mail, "done     #tag +hot");
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "x", .body = "#show 1\n");
	mail = newest_mail(f, CAROL);
	HAS(mail, "On my way");
	LACKS(mail, "Only for us");
}

/* Of a mail that may be forged, numbers; of one that is proven, the whole line. */
static void a_question_says_which_tickets(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	two_tickets(f);
	TAKE(f, .from = ANNA, .subject = "Re: [#1] x", .body = "#merge #2\n#title Evil\n");
	mail = newest_mail(f, ANNA);
	HAS(mail, "    #merge #2");
	HAS(mail, "    #title");
	LACKS(mail, "Evil");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "[#1 #2] x [prio=high]", .body = "");
	mail = newest_mail(f, ANNA);
	HAS(mail, "    #on #1 #2");
	HAS(mail, "    prio=3Dhigh"); /* quoted-printable */
}

static void refusals_name_what_was_not_done(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "Re: [#1] x",
	     .body = "#take\n#frobnicate\n");
	HAS(lines(f), "no #take | not done, because another was refused");
	HAS(lines(f), "no #frobnicate | no such command");
}

static void help_is_in_the_readers_language(void **state)
{
	struct fixture *f = *state;
	md_auto(arena_done) struct arena a = ARENA_INIT(32 << 20);
	struct message m;
	const char *mail;

	TAKE(f, .from = ANNA, .auth = "pass", .subject = "x", .body = "#help\n");
	mail = newest_mail(f, ANNA);
	OK(message_read((const uint8_t *)mail, strlen(mail), &a, &m, &err));
	assert_non_null(strstr(m.text, "\n    Das Ticket selbst übernehmen.\n"));
	assert_non_null(strstr(m.html, "Das Ticket selbst übernehmen."));
	assert_null(strstr(m.text, "Assign the ticket"));
}

static void help_shows_what_one_may(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	TAKE(f, .from = ANNA, .auth = "pass", .subject = "x", .body = "#help\n");
	mail = newest_mail(f, ANNA);
	for (const struct command_row *row = command_rows; row->name; row++)
		if (row->verb != VERB_DELETE && row->verb != VERB_LIST && row->verb != VERB_LINK &&
		    row->verb != VERB_SNOOZE) /* long ones are folded */
			HAS(mail, row->usage);
	TAKE(f, .from = CAROL, .auth = "pass", .subject = "x", .body = "#help\n");
	mail = newest_mail(f, CAROL);
	HAS(mail, "close");
	LACKS(mail, "assign NAME");
	LACKS(mail, "merge #N");
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "x", .body = "#help take\n");
	mail = newest_mail(f, ANNA);
	HAS(mail, "Assign the ticket to yourself.");
	LACKS(mail, "priority low");
}

static void transcripts_are_as_configured(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	from_anna(f, 2, "Re: [#1] x", "#priority high\n");
	ROWS(f, "transcript " ANNA, QUEUED);
	HAS(newest_mail(f, ANNA), "Priority: high");
}

/* What the desk keeps is English, what it says is the reader's. */
static void reasons_are_in_the_readers_language(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	from_anna(f, 2, "Re: [#1] x", "#category none\n#frob\nHello Carol\n");
	HAS(lines(f), "no #frob | no such command");
	HAS(newest_mail(f, ANNA), "#frob: Diesen Befehl gibt es nicht.");
	from_anna(f, 2, "Re: [#1] x", "#tag +x\n#reopen\n");
	HAS(lines(f), "no #reopen | no way from ");
	HAS(newest_mail(f, ANNA), "hrt kein Weg zu reopened; ");
	HAS(newest_mail(f, ANNA), "weil ein anderer Befehl abgelehnt wurde");
}

static void no_transcript_but_of_questions(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	from_anna(f, 2, "Re: [#1] x", "#frob\n");
	ROWS(f, "", QUEUED);
	from_anna(f, 2, "Re: [#1] x", "#show\n");
	ROWS(f, "transcript " ANNA, QUEUED);
}

/* ---- canned replies ---- */

static void canned_replies_bring_commands(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	canned(f, "wrong", "x", "#priority urgent");
	canned(f, "nested", "x", "#canned thanks");
	from_anna(f, 2, "Re: [#1] x", "#canned thanks\nHello,\n");
	ROWS(f, "Hello,\n\nThank you, Carol.\n\nAnna", "SELECT body FROM comments WHERE id = 3");
	ROWS(f, "0 canned",
	     "SELECT t.priority || ' ' || g.name FROM tickets t JOIN ticket_tags x ON x.ticket_id ="
	     " t.id JOIN tags g ON g.id = x.tag_id WHERE t.id = 1");
	HAS(rows(f, QUEUED), "public_reply " CAROL);
	from_anna(f, 2, "Re: [#1] x", "#canned nothing\n");
	HAS(lines(f), "no canned reply is called \"nothing\"");
	from_anna(f, 2, "Re: [#1] x", "#canned wrong\n");
	HAS(lines(f), "#priority urgent: the priority is one of");
	from_anna(f, 2, "Re: [#1] x", "#canned nested\n");
	HAS(lines(f), "canned is nothing for a canned reply");
	from_anna(f, 2, "Re: [#1] x", "#note\n#canned thanks\n");
	ROWS(f, "0",
	     "SELECT count(*) FROM comments WHERE is_internal = 1 AND body LIKE '#%%'"
	     " AND id < 4");
}

/* ---- fields and teams ---- */

static int add_team(struct db_conn *c, void *ctx, struct md_err *e)
{
	int64_t id;

	return team_add(c, ctx, &id, e);
}

static void fields_and_teams_of_the_desk(void **state)
{
	struct fixture *f = *state;

	two_tickets(f);
	OK(db_txn(f->desk->db, add_team, (void *)(uintptr_t) "Network", &err));
	from_anna(f, 2, "Re: [#1] x", "#room 12 b\n#assign network\n");
	ROWS(f, "{\"room\":\"12 b\"} Network -",
	     "SELECT t.fields || ' ' || m.name || ' ' || coalesce(t.assignee_id, '-') FROM tickets "
	     "t"
	     " JOIN teams m ON m.id = t.team_id");
	from_anna(f, 2, "Re: [#1] x", "#assign nobody\n");
	HAS(lines(f), "no agent or team is called \"nobody\"");
}

/* ---- links ---- */

static const char *verbs_of(struct fixture *f, const char *recipient)
{
	return rows(f,
		    "SELECT coalesce(group_concat(j.value ->> 'verb', ' '), '') FROM outbox o, "
		    "json_each(o.data, '$.actions') j WHERE o.id = %lld",
		    (long long)newest_to(f, recipient));
}

static void links_offer_what_is_allowed(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	create(f, f->carol, f->carol, "Printer & \"fire\"");
	assert_string_equal(verbs_of(f, BOB), "take start close note");
	assert_string_equal(verbs_of(f, CAROL), "");
	OK(assign_rc(f, f->bob, 1, f->anna));
	assert_string_equal(verbs_of(f, ANNA), "pending resolve note");
	mail = newest_mail(f, ANNA);
	HAS(mail, "Resolve <mailto:support%2B");
	HAS(mail, "?subject=3DRe%3A");
}

static void a_tap_and_send_is_enough(void **state)
{
	struct fixture *f = *state;
	const char *href, *to, *at;
	md_auto(buf_done) struct buf subject = BUF_INIT(1000);
	unsigned c;

	create(f, f->carol, f->carol, "Printer & fire");
	href = rows(
		f,
		"SELECT j.value ->> 'href' FROM outbox o, json_each(o.data, '$.actions') j WHERE"
		" o.id = %lld AND j.value ->> 'verb' = 'take'",
		(long long)newest_to(f, ANNA));
	at = strstr(href, "%2B");
	assert_non_null(at);
	to = arena_printf(&f->arena, "support+%.*s", (int)strcspn(at + 3, "?"), at + 3);
	for (const char *s = strstr(href, "subject=") + 8; *s; s++) {
		if (*s == '%' && sscanf(s + 1, "%2x", &c) == 1) {
			buf_addc(&subject, (char)c);
			s += 2;
		} else {
			buf_addc(&subject, *s);
		}
	}
	assert_string_equal(buf_str(&subject), "Re: [#1] Printer & fire [take]");
	OUTCOME(TAKE(f, .from = ANNA, .to = to, .subject = buf_str(&subject), .body = "\n"),
		"commands_run");
	ROWS(f, "2", "SELECT assignee_id FROM tickets");
}

/* ---- the same again ---- */

static void a_mail_resent_by_hand_runs(void **state)
{
	struct fixture *f = *state;
	struct mail m = { .from = ANNA,
			  .auth = "pass",
			  .subject = "Re: [#1] x [tag=+a]",
			  .body = "",
			  .id = "once@mua.test" };

	two_tickets(f);
	OUTCOME(take(f, m), "commands_run");
	OUTCOME(take(f, m), "duplicate");
	m.id = "twice@mua.test";
	OUTCOME(take(f, m), "commands_run");
	HAS(lines(f), "ok tag=+a");
	/* brought back by an answer: nothing runs, and it is a comment */
	m = (struct mail){ .from = ANNA,
			   .auth = "pass",
			   .subject = "Re: [#1] x [tag=+a]",
			   .body = "More of it\n",
			   .reply_to = "twice@mua.test" };
	OUTCOME(take(f, m), "comment_added");
	assert_string_equal(lines(f), "");
}

/* Two mails of one subject an hour are a bound for what a machine could go on about. */
static void each_mail_of_commands_is_answered(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Broken");

	for (int i = 1; i <= 4; i++) {
		TAKE(f, .from = CAROL, .subject = "Re: [#1] Broken [assign=me]", .auth = "pass");
		assert_int_equal(NUM(f, "SELECT count(*) FROM outbox WHERE event = 'transcript'"),
				 i);
	}
	/* but not who only says to be her */
	TAKE(f, .from = CAROL, .subject = "Re: [#1] Broken [assign=me]");
	assert_int_equal(NUM(f, "SELECT count(*) FROM outbox WHERE event = 'transcript'"), 4);
	assert_int_equal(ticket, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(every_verb_does_what_its_row_says, ""),
		DESK_TEST(the_manuals_examples_run, ""),
		DESK_TEST(bulk_is_level_three, ""),
		DESK_TEST(bulk_is_all_or_nothing, ""),
		DESK_TEST(a_text_goes_to_the_ticket_named, ""),
		DESK_TEST(two_tags_link, ""),
		DESK_TEST(one_ticket_by_on_is_no_bulk, ""),
		DESK_TEST(level_three_verbs_are_refused_at_two, ""),
		DESK_TEST(commands_for_a_missing_ticket_do_nothing, ""),
		DESK_TEST(customers_command_little, ""),
		DESK_TEST(agents_unknown_words_stop_everything, ""),
		DESK_TEST(questions_make_no_ticket, ""),
		DESK_TEST(a_list_is_a_table, ""),
		DESK_TEST(two_answers_are_two_mails, ""),
		DESK_TEST(a_question_says_which_tickets, ""),
		DESK_TEST(refusals_name_what_was_not_done, ""),
		DESK_TEST(show_tells_what_one_may_read, ""),
		DESK_TEST(help_is_in_the_readers_language, "desk { locale = de }\n"),
		DESK_TEST(help_shows_what_one_may, ""),
		DESK_TEST(each_mail_of_commands_is_answered, ""),
		DESK_TEST(transcripts_are_as_configured, "desk { transcript = always }\n"),
		DESK_TEST(reasons_are_in_the_readers_language, "desk { locale = de }\n"),
		DESK_TEST(no_transcript_but_of_questions, "desk { transcript = never }\n"),
		DESK_TEST(canned_replies_bring_commands, ""),
		DESK_TEST(fields_and_teams_of_the_desk, "field \"room\" { type = text }\n"),
		DESK_TEST(links_offer_what_is_allowed, ""),
		DESK_TEST(a_tap_and_send_is_enough, NO_AUTHSERV),
		DESK_TEST(a_mail_resent_by_hand_runs, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/command.h>
#include <maildesk/desk/command_words.h>
#include <string.h>

/* What was understood, as one line: "resolve; tag(+a -b)! assign: reason ~ foo". Commands are
 * joined by
 * ";", refusals follow "!", leftovers "~". */
static void show(const struct command_list *list, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct command *c = &list->commands[i];

		buf_addf(out, "%s%s", i ? "; " : "", c->row->name);
		if (c->words.n) {
			for (size_t w = 0; w < c->words.n; w++)
				buf_addf(out, "%c%s", w ? ' ' : '(', c->words.v[w]);
			buf_addc(out, ')');
		} else if (c->row->argument != ARGUMENT_NONE && *c->args) {
			buf_addf(out, "(%s)", c->args);
		}
	}
	for (size_t i = 0; i < list->refusal_count; i++)
		buf_addf(out, " ! %s: %s", list->refusals[i].line, list->refusals[i].reason);
	for (size_t i = 0; i < list->leftover_count; i++)
		buf_addf(out, " ~ %s", list->leftovers[i].line);
}

enum { LOOSE = SUBJECT_LOOSE, STRICT = SUBJECT_STRICT, OFF = SUBJECT_OFF };
enum { AGENT = 1, CUSTOMER = 0 };

static const struct subject_case {
	int mode, staff;
	const char *subject, *understood, *rest, *block;
} subjects[] = {
	{ LOOSE, AGENT, "Re: [#412] Printer on fire [resolve; tag=+hardware]",
	  "resolve; tag(+hardware)", "Re: [#412] Printer on fire", "[resolve; tag=+hardware]" },
	{ LOOSE, AGENT, "Re: [#412] Printer on fire #resolve #tag +hardware",
	  "resolve; tag(+hardware)", "Re: [#412] Printer on fire", "#resolve #tag +hardware" },
	{ LOOSE, CUSTOMER, "Re: [#412] Printer on fire [close]", "close",
	  "Re: [#412] Printer on fire", "[close]" },
	{ LOOSE, AGENT, "Fire [ #take ;; PRIO = High ; ]", "take; priority(high)", "Fire",
	  "[#take; PRIO = High]" },
	{ LOOSE, AGENT, "#take", "take", "", "#take" },
	{ LOOSE, AGENT, "[assign anna.b@desk.test]", "assign(anna.b@desk.test)", "",
	  "[assign anna.b@desk.test]" },
	/* the ticket's tag is no command, in whatever form */
	{ LOOSE, AGENT, "Re: [#412]", "", "Re: [#412]", "" },
	{ STRICT, AGENT, "Re: Printer [#412]", "", "Re: Printer [#412]", "" },
	{ STRICT, AGENT, "Re: Printer [#1 #2 #3]", "", "Re: Printer [#1 #2 #3]", "" },
	{ STRICT, AGENT, "Bug #12 and # that", "", "Bug #12 and # that", "" },
	/* loose leaves what it does not know, and says so */
	{ LOOSE, AGENT, "Help [urgent]", " ~ urgent", "Help [urgent]", "" },
	{ LOOSE, AGENT, "Help [urgent; take]", "take ~ urgent", "Help [urgent]", "[take]" },
	{ LOOSE, AGENT, "Learning #python #take now", " ~ #python ~ #take now",
	  "Learning #python #take now", "" },
	{ LOOSE, AGENT, "Learning #python #take", "take ~ #python", "Learning #python", "#take" },
	{ LOOSE, CUSTOMER, "Please #close the door", " ~ #close the door", "Please #close the door",
	  "" },
	{ LOOSE, AGENT, "Mail [a [take]", "take", "Mail [a", "[take]" },
	{ LOOSE, AGENT, "Mail take]", "", "Mail take]", "" },
	{ LOOSE, AGENT, "Mail []", "", "Mail []", "" },
	/* [stop] ends nothing here */
	{ LOOSE, AGENT, "Please [stop]", " ~ stop", "Please [stop]", "" },
	/* C#, #C++, a#take are words */
	{ STRICT, AGENT, "About C# and #C++ and a#take", "", "About C# and #C++ and a#take", "" },
	/* strict */
	{ STRICT, AGENT, "Help [urgent; take]", "take ! urgent: no such command", "Help",
	  "[urgent; take]" },
	{ STRICT, AGENT, "Help #close it", " ! #close it: close takes no argument", "Help",
	  "#close it" },
	{ STRICT, CUSTOMER, "Help [urgent]", " ~ urgent", "Help [urgent]", "" },
	{ OFF, AGENT, "Help [take]", "", "Help [take]", "" },
	{ OFF, AGENT, "Help #take", "", "Help #take", "" },
	/* arguments are wrong in any mode: they tried to command */
	{ LOOSE, AGENT, "Help [priority=urgent]",
	  " ! priority=urgent: the priority is one of low, medium, high, critical", "Help",
	  "[priority=urgent]" },
	{ LOOSE, AGENT, "Help #assign",
	  " ! #assign: something is missing: assign "
	  "NAME|ADDRESS|TEAM|me|none",
	  "Help", "#assign" },
	{ LOOSE, AGENT, "Help [tag=+]", " ! tag=+: a tag has a name: +NAME or -NAME", "Help",
	  "[tag=+]" },
	{ LOOSE, AGENT, "  Gr\xc3\xbc\xc3\x9f\x65\xc2\xa0#tag\xc2\xa0+\xc3\xa4  ", "tag(+\xc3\xa4)",
	  "Gr\xc3\xbc\xc3\x9f\x65", "#tag\xc2\xa0+\xc3\xa4" },
	{ LOOSE, AGENT, NULL, "", "", "" },
};

static struct command_list parse(struct arena *a, const char *subject, const char *text, int mode,
				 int staff)
{
	struct command_input in = { subject, text, "[#%d]", (enum command_subjects)mode,
				    staff,   { 0 } };
	struct command_list list;

	assert_int_equal(command_parse(&in, a, &list, NULL), MD_OK);
	return list;
}

static void test_subject(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(subjects); i++) {
		const struct subject_case *c = &subjects[i];
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);
		md_auto(buf_done) struct buf shown = BUF_INIT(10000);
		struct command_list list = parse(&a, c->subject, "", c->mode, c->staff);

		show(&list, &shown);
		assert_string_equal(buf_str(&shown), c->understood);
		assert_string_equal(list.subject, c->rest);
		assert_string_equal(list.subject_block, c->block);
		for (size_t k = 0; k < list.count; k++)
			assert_true(list.commands[k].in_subject);
	}
}

static void test_own_tag_format(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(100000);
	struct command_input in = { "Printer [T412]", "", "[T%d]", SUBJECT_STRICT, true, { 0 } };
	struct command_list list;

	(void)state;
	assert_int_equal(command_parse(&in, &a, &list, NULL), MD_OK);
	assert_int_equal(list.refusal_count, 0);
	in.tag_format = "[#%d]";
	assert_int_equal(command_parse(&in, &a, &list, NULL), MD_OK);
	assert_int_equal(list.refusal_count, 1);
}

static const struct body_case {
	int staff;
	const char *text, *understood, *rest;
	enum command_comment comment;
} bodies[] = {
	{ AGENT, "#take\n#priority high\nHello Carol,\n\nit burns.\n", "take; priority(high)",
	  "Hello Carol,\n\nit burns.", COMMENT_BY_DEFAULT },
	{ AGENT, "\n \n#resolve", "resolve", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#resolve\r\n#tag +a -b, c\r\n", "resolve; tag(+a -b +c)", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#Take\n\n#resolve\n", "take; resolve", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#take\r\n \r\n#note He is angry.\n\nBe kind.\n", "take; note",
	  "He is angry.\n\nBe kind.", COMMENT_NOTE },
	{ AGENT, "#take\n\nHello\n\n#resolve\n", "take", "Hello\n\n#resolve", COMMENT_BY_DEFAULT },
	{ AGENT, "Hello\n#take\n", "", "Hello\n#take", COMMENT_BY_DEFAULT },
	{ AGENT, " #take\n", "", " #take", COMMENT_BY_DEFAULT },
	{ AGENT, "> #take\n", "", "> #take", COMMENT_BY_DEFAULT },
	{ AGENT, "#take\n#123 is a double\n", "take", "#123 is a double", COMMENT_BY_DEFAULT },
	{ AGENT, "#take\n# Heading\n#drop\n", "take", "# Heading\n#drop", COMMENT_BY_DEFAULT },
	{ AGENT, "#take\n#stop\n#resolve is what you type\n", "take", "#resolve is what you type",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#frobnicate now\n#take\nHi\n", "take ! #frobnicate now: no such command", "Hi",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#close the door\n", " ! #close the door: close takes no argument", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#stop it\nHi", " ! #stop it: stop takes no argument", "Hi", COMMENT_BY_DEFAULT },
	{ AGENT, "#status in_progress\n#owner bob\n#hold\n#done\n#solved\n#drop\n",
	  "status(in_progress); assign(bob); pending; resolve; resolve; drop", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#title Printer =  still on fire\n#category hardware\nx",
	  "title(Printer =  still on fire); category(hardware)", "x", COMMENT_BY_DEFAULT },
	/* a note swallows its line and the rest */
	{ AGENT, "#take\n#note seen by Bob\n#resolve\nmore\n", "take; note",
	  "seen by Bob\n#resolve\nmore", COMMENT_NOTE },
	{ AGENT, "#note\n\nonly for us\n", "note", "only for us", COMMENT_NOTE },
	{ AGENT, "#reply\nDear Carol\n", "reply", "Dear Carol", COMMENT_REPLY },
	{ AGENT, "#note\n", "note ! note: there is no text for it", "", COMMENT_NOTE },
	/* customers write words that begin with # */
	{ CUSTOMER, "#frobnicate now\n#close\n", "", "#frobnicate now\n#close",
	  COMMENT_BY_DEFAULT },
	{ CUSTOMER, "#close\n#frobnicate now\n", "close", "#frobnicate now", COMMENT_BY_DEFAULT },
	{ CUSTOMER, "#close the door\n", "", "#close the door", COMMENT_BY_DEFAULT },
	/* agents' verbs are understood; policy refuses them */
	{ CUSTOMER, "#assign bob\nThanks", "assign(bob)", "Thanks", COMMENT_BY_DEFAULT },
	{ AGENT, "#tag\xc2\xa0+vip\xe3\x80\x80\nx", "tag(+vip)", "x", COMMENT_BY_DEFAULT },
	{ AGENT, "#tag=+vip\nx", "tag(+vip)", "x", COMMENT_BY_DEFAULT },
	{ AGENT, "#tag ,\n", " ! #tag ,: which tags? +NAME or -NAME", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#gr\xc3\xb6\xc3\x9f\x65 3\n", " ! #gr\xc3\xb6\xc3\x9f\x65 3: no such command", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#take!\n", "", "#take!", COMMENT_BY_DEFAULT },
	/* the other verbs */
	{ AGENT, "#merge #12\n#link blocks 7\n#link #8\n#split 3\n#unmerge\n",
	  "merge(#12); link(blocks 7); link(#8); split(3); unmerge", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#cc a@x.test, <b@y.test>\n#requester c@z.test\nx",
	  "cc(a@x.test b@y.test); requester(c@z.test)", "x", COMMENT_BY_DEFAULT },
	{ AGENT,
	  "#cc \"Two\" <two@x.test>\n#cc \"D, E; \\\"F\" <d@x.test>, Carol M\xc3\xbcller "
	  "<c@x.test> "
	  "e@x.test <f@x.test> < g@x.test >\n#requester Bob <b@x.test>\n",
	  "cc(two@x.test); cc(d@x.test c@x.test e@x.test f@x.test g@x.test); requester(b@x.test)",
	  "", COMMENT_BY_DEFAULT },
	{ AGENT, "#cc Carol, <c@x.test>\n",
	  " ! #cc Carol, <c@x.test>: \"Carol\" is no mail address", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#cc \"Two\"\n", " ! #cc \"Two\": \"\"Two\"\" is no mail address", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#cc \"Two <two@x.test>\n",
	  " ! #cc \"Two <two@x.test>: \"\"Two <two@x.test>\" is no mail address", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#cc Two <>\n", " ! #cc Two <>: \"\" is no mail address", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#cc ,\n", " ! #cc ,: something is missing: cc ADDRESS...", "",
	  COMMENT_BY_DEFAULT },
	/* what is written below a note's first line stays as it is */
	{ AGENT, "#note In short\n\n  The long of it.\n\nBye\n\n", "note",
	  "In short\n\n  The long of it.\n\nBye", COMMENT_NOTE },
	{ AGENT, "#note\n\nAll of it\n", "note", "All of it", COMMENT_NOTE },
	{ AGENT, "#note In short\n\n\n", "note", "In short", COMMENT_NOTE },
	{ AGENT, "#snooze until tomorrow\n#due none\n#snooze for 3d\n#time 1h30m\n",
	  "snooze(tomorrow); due(none); snooze(3d); time(1h30m)", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#help\n#help #tag\n#list\n#list status:open\n#show\n#show 3\n",
	  "help; help(tag); list; list(status:open); show; show(3)", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#on 1 #2, 2\n#take\nx", "take", "x", COMMENT_BY_DEFAULT },
	{ AGENT, "#canned thanks\n#reply\n", "canned(thanks); reply", "", COMMENT_REPLY },
	{ AGENT, "#merge\n", " ! #merge: something is missing: merge #N", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#merge 1 2\n", " ! #merge 1 2: one number only", "", COMMENT_BY_DEFAULT },
	{ AGENT, "#merge x\n", " ! #merge x: numbers of tickets only: merge #N", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#cc Carol\n", " ! #cc Carol: \"Carol\" is no mail address", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#snooze whenever\n",
	  " ! #snooze whenever: a time is written like 2027-03-01, 2027-03-01 14:00, tomorrow, "
	  "friday, 3d or 4h",
	  "", COMMENT_BY_DEFAULT },
	{ AGENT, "#time long\n", " ! #time long: a time is written like 15m, 1h30m or 2d", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#help frob\n", " ! #help frob: there is no command \"frob\"", "",
	  COMMENT_BY_DEFAULT },
	{ AGENT, "#take\n#on 1 2\n", "take ! #on 1 2: on comes first, before other commands", "",
	  COMMENT_BY_DEFAULT },
	{ CUSTOMER, "#on Monday it broke\n", "", "#on Monday it broke", COMMENT_BY_DEFAULT },
	{ CUSTOMER, "#show me\n", "", "#show me", COMMENT_BY_DEFAULT },
	{ AGENT, "   indented\ntext  ", "", "   indented\ntext", COMMENT_BY_DEFAULT },
	{ AGENT, "", "", "", COMMENT_BY_DEFAULT },
	{ AGENT, NULL, "", "", COMMENT_BY_DEFAULT },
};

static void test_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(bodies); i++) {
		const struct body_case *c = &bodies[i];
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);
		md_auto(buf_done) struct buf shown = BUF_INIT(10000);
		struct command_list list = parse(&a, "x", c->text, SUBJECT_LOOSE, c->staff);

		show(&list, &shown);
		assert_string_equal(buf_str(&shown), c->understood);
		assert_string_equal(list.body, c->rest);
		assert_int_equal(list.comment, c->comment);
	}
}

static void test_subject_and_body(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(100000);
	struct command_list list =
		parse(&a, "Re: x [take; note=call her]", "#resolve\nback\n", SUBJECT_LOOSE, AGENT);

	(void)state;
	assert_int_equal(list.count, 3);
	assert_string_equal(list.commands[0].args, "me");
	assert_string_equal(list.commands[0].line, "take");
	assert_int_equal(list.commands[2].row->verb, VERB_STATUS);
	assert_string_equal(list.commands[2].line, "#resolve");
	assert_false(list.commands[2].in_subject);
	assert_int_equal(list.comment, COMMENT_NOTE);
	assert_string_equal(list.body, "call her\nback");

	list = parse(&a, "Re: x [note]", "#reply no\n", SUBJECT_LOOSE, AGENT);
	assert_int_equal(list.refusal_count, 1);
	assert_string_equal(list.refusals[0].reason, "one mail is one note or one reply");
}

static void test_limits(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1000000);
	md_auto(buf_done) struct buf text = BUF_INIT(100000);
	struct command_list list;

	(void)state;
	for (int i = 0; i < COMMAND_MAX; i++)
		buf_adds(&text, "#take\n");
	list = parse(&a, "", buf_str(&text), SUBJECT_LOOSE, AGENT);
	assert_int_equal(list.count, COMMAND_MAX);
	assert_int_equal(list.refusal_count, 0);
	buf_adds(&text, "#take\n");
	list = parse(&a, "", buf_str(&text), SUBJECT_LOOSE, AGENT);
	assert_int_equal(list.refusal_count, 1);
	assert_string_equal(list.refusals[0].reason, "more than 50 commands in one mail");

	/* in a box as well, and nothing else is wrong with the rest */
	assert_int_equal(command_parse_box(&(struct command_input){ .text = buf_str(&text),
								    .tag_format = "[#%d]" },
					   &a, &list, NULL),
			 MD_OK);
	assert_int_equal(list.refusal_count, 1);

	/* unknown ones count too, and a mail full of them in every place breaks nothing */
	buf_reset(&text);
	for (int i = 0; i < 2000; i++)
		buf_addf(&text, "#nonsense%d\n", i);
	for (int mode = 0; mode < SUBJECT_COUNT; mode++) {
		char *subject = arena_strdup(&a, buf_str(&text));

		for (char *c = subject; *c; c++)
			*c = *c == '\n' ? ' ' : *c;
		list = parse(&a, subject, buf_str(&text), mode, AGENT);
		assert_int_equal(list.count, 0);
		assert_true(list.refusal_count >= 1 && list.refusal_count <= COMMAND_MAX + 2);
	}

	buf_reset(&text);
	buf_adds(&text, "#category ");
	for (int i = 0; i < COMMAND_TAG_MAX; i++)
		buf_adds(&text, "\xc3\xa4");
	assert_int_equal(parse(&a, "", buf_str(&text), SUBJECT_LOOSE, AGENT).refusal_count, 0);
	buf_adds(&text, "x");
	assert_int_equal(parse(&a, "", buf_str(&text), SUBJECT_LOOSE, AGENT).refusal_count, 1);
}

static void test_no_memory(void **state)
{
	struct command_input in = {
		"Re: x [take; tag=+a]", "#note hello\nthere", "[#%d]", SUBJECT_LOOSE, true, { 0 }
	};
	int failed = 0;

	(void)state;
	for (long nth = 1;; nth++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);
		struct command_list list;
		int rc;

		md_alloc_fail(nth, 0);
		rc = command_parse(&in, &a, &list, NULL);
		md_alloc_fail(0, 0);
		if (rc == MD_OK) {
			assert_int_equal(list.count, 3);
			break;
		}
		assert_int_equal(rc, MD_NOMEM);
		failed++;
	}
	assert_true(failed > 0);
}

static void test_ticket_tag(void **state)
{
	static const struct {
		const char *subject, *format;
		int64_t ticket;
	} cases[] = {
		{ "Re: [#412] Printer", "[#%d]", 412 },
		{ "Printer [#7] [#8]", "[#%d]", 7 },
		{ "Printer [#0] [#8]", "[#%d]", 8 },
		{ "Printer [#412", "[#%d]", 0 },
		{ "Printer [# 412]", "[#%d]", 0 },
		{ "Printer [#-4]", "[#%d]", 0 },
		{ "Printer [resolve]", "[#%d]", 0 },
		{ "Printer [#resolve]", "[#%d]", 0 },
		{ "Printer [[#12]]", "[#%d]", 12 },
		{ "Re: [#999999999999999999] x", "[#%d]", 999999999999999999 },
		{ "Re: [#9999999999999999999] x", "[#%d]", 0 },
		{ "re: ticket-12 x", "Ticket-%d", 12 },
		{ "x (case 12)", "(Case %d)", 12 },
		{ "", "[#%d]", 0 },
		{ NULL, "[#%d]", 0 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		assert_int_equal(command_ticket_tag(cases[i].subject, cases[i].format),
				 cases[i].ticket);
}

static void test_tag_format(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(10000);

	(void)state;
	assert_true(command_tag_format_valid("[#%d]"));
	assert_true(command_tag_format_valid("#%d"));
	assert_false(command_tag_format_valid("%d"));
	assert_false(command_tag_format_valid("[#%s]"));
	assert_false(command_tag_format_valid("[%d %d]"));
	assert_false(command_tag_format_valid("[#%d%]"));
	assert_false(command_tag_format_valid("[#%d\r\n]"));
	assert_false(command_tag_format_valid("[#]"));
	assert_string_equal(command_tag_subject(&a, "[#%d]", 412, "Printer"), "[#412] Printer");
	assert_string_equal(command_tag_subject(&a, "[#%d]", 412, "Re: [#412] x"), "Re: [#412] x");
	assert_string_equal(command_tag_subject(&a, "[#%d]", 41, "Re: [#412] x"),
			    "[#41] Re: [#412] x");
}

static void test_tickets(void **state)
{
	static const struct {
		const char *subject, *text;
		size_t n;
		int64_t last;
	} cases[] = {
		{ "[#1 #2 #3] x [close]", "", 3, 3 },
		{ "[#1, #2] x", "", 2, 2 },
		{ "Re: [#1 #1 #2]", "", 2, 2 },
		{ "[#1] x", "", 0, 0 },
		{ "[#1 2] x", "", 0, 0 },
		{ "[#1 #2", "", 0, 0 },
		{ "x", "#on 4 5\n#take", 2, 5 },
		{ "x", "#on 4\n#take", 1, 4 },
		{ "x", "Hi\n#on 4 5", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);
		struct command_list list =
			parse(&a, cases[i].subject, cases[i].text, SUBJECT_LOOSE, AGENT);

		assert_int_equal(list.ticket_count, cases[i].n);
		if (list.ticket_count)
			assert_int_equal(list.tickets[list.ticket_count - 1], cases[i].last);
	}
	assert_int_equal(command_ticket_tag("Re: [#7 #8] x", "[#%d]"), 7);
}

static void test_fields(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(100000);
	const char *names[] = { "Room" };
	struct command_input in = {
		"x", "#room 12 b\n", "[#%d]", SUBJECT_LOOSE, true, { 1, names }
	};
	struct command_list list;

	(void)state;
	assert_int_equal(command_parse(&in, &a, &list, NULL), MD_OK);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.commands[0].row->verb, VERB_FIELD);
	assert_string_equal(list.commands[0].key, "Room");
	assert_string_equal(list.commands[0].args, "12 b");
}

static void test_box(void **state)
{
	static const struct {
		const char *text, *understood;
	} cases[] = {
		{ "#take\n#priority high", "take; priority(high)" },
		{ " [take; priority=high] ", "take; priority(high)" },
		{ "#note hello\nthere", "note" },
		{ "[frob]", " ! frob: no such command" },
		{ "hello", " ! hello: no command: write #VERB" },
		{ "#take\nhello", "take ! hello: no command: write #VERB" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);
		md_auto(buf_done) struct buf shown = BUF_INIT(10000);
		const struct command_input in = { .text = cases[i].text, .tag_format = "[#%d]" };
		struct command_list list;

		assert_int_equal(command_parse_box(&in, &a, &list, NULL), MD_OK);
		show(&list, &shown);
		assert_string_equal(buf_str(&shown), cases[i].understood);
	}
}

/* Each verb in each language of letters, each in words of its own. */
static void test_words(void **state)
{
	static const char *const locales[] = { "de", "es", "fr" };

	(void)state;
	for (const struct command_row *row = command_rows; row->name; row++)
		for (size_t i = 0; i < MD_COUNT(locales); i++) {
			const char *help = command_help(row->name, locales[i]);

			assert_non_null(help);
			assert_string_not_equal(help, row->help);
			assert_int_equal(help[strlen(help) - 1], '.');
			assert_true(utf8_valid(help, strlen(help)));
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(help, command_help(row->name, locales[k]));
		}
	assert_null(command_help("take", "en"));
	assert_null(command_help("asset", "de"));
}

/* Each example of the table is that command, and nothing is wrong with it. */
static void test_examples(void **state)
{
	(void)state;
	for (const struct command_row *row = command_rows; row->name; row++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);
		struct command_list list;

		if (!row->example || row->verb == VERB_ON || row->verb == VERB_STOP)
			continue;
		list = parse(&a, "x", row->example, SUBJECT_LOOSE, AGENT);
		assert_int_equal(list.refusal_count, 0);
		assert_int_equal(list.count, 1);
		assert_ptr_equal(list.commands[0].row, row);
	}
	for (const struct command_example *e = command_examples; e->subject; e++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(100000);

		assert_int_equal(
			parse(&a, e->subject, e->text, SUBJECT_STRICT, AGENT).refusal_count, 0);
	}
}

static void test_table(void **state)
{
	(void)state;
	assert_null(command_find("res", 3));
	assert_null(command_find("resolved", 8));
	assert_null(command_find("done solved", 11));
	assert_string_equal(command_find("SOLVED", 6)->name, "resolve");
	for (const struct command_row *row = command_rows; row->name; row++) {
		assert_ptr_equal(command_find(row->name, strlen(row->name)), row);
		assert_true(!row->preset || row->argument == ARGUMENT_NONE);
		assert_int_equal(strncmp(row->usage, row->name, strlen(row->name)), 0);
	}
	for (int m = 0; m < SUBJECT_COUNT; m++)
		assert_int_equal(command_subjects_from_name(
					 command_subjects_name((enum command_subjects)m)),
				 m);
	assert_int_equal(command_subjects_from_name("lose"), SUBJECT_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subject),    cmocka_unit_test(test_own_tag_format),
		cmocka_unit_test(test_body),       cmocka_unit_test(test_subject_and_body),
		cmocka_unit_test(test_limits),     cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_ticket_tag), cmocka_unit_test(test_tag_format),
		cmocka_unit_test(test_table),      cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_fields),     cmocka_unit_test(test_box),
		cmocka_unit_test(test_words),      cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/route.h>
#include <string.h>

enum { DAY = 86400 * 1000, WINDOW = 14 * DAY };
#define NOW (int64_t)1795132800000

/* The sender, as to the ticket of a hit */
enum { STRANGER, MEMBER, STAFF };

static struct route_ticket ticket(int64_t id, int sender)
{
	return (struct route_ticket){ .id = id,
				      .sender_on_ticket = sender != STRANGER,
				      .sender_is_staff = sender == STAFF,
				      .can_reopen = true };
}

#define HIT(r, tok, number, sender)                                                        \
	{                                                                                  \
		.rule = (r), .via = "via", .token = (tok), .has_ticket = true, .ticket = { \
			.id = (number),                                                    \
			.sender_on_ticket = (sender) != STRANGER,                          \
			.sender_is_staff = (sender) == STAFF,                              \
			.can_reopen = true                                                 \
		}                                                                          \
	}
#define ADDRESS(number, sender) HIT(RULE_ADDRESS, TOKEN_VALID, number, sender)
#define REFERENCE(number, sender) HIT(RULE_REFERENCE, TOKEN_NONE, number, sender)
#define MARKER(number, sender) HIT(RULE_MARKER, TOKEN_VALID, number, sender)
#define SUBJECT(number, sender) HIT(RULE_SUBJECT, TOKEN_NONE, number, sender)
#define DEAD(r, tok)                                       \
	{                                                  \
		.rule = (r), .via = "dead", .token = (tok) \
	}
#define BAD_ADDRESS DEAD(RULE_ADDRESS, TOKEN_BAD)

static const struct {
	const char *name;
	struct route_hit hits[4];
	size_t n;
	enum message_kind kind;
	bool is_forward;
	enum route_outcome outcome;
	int64_t ticket;
	enum route_rule rule;
	const char *evidence; /* part of it, or the cause of a quarantine */
} cases[] = {
	/* clang-format off */
	{ "nothing", { { .via = NULL } },
	  0, KIND_NORMAL, false, ROUTE_NEW, 0, RULE_NONE, "nothing in it" },
	{ "address", { ADDRESS(1, MEMBER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT, 1, RULE_ADDRESS, "via names #1" },
	{ "reference", { REFERENCE(2, MEMBER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "via names #2" },
	{ "marker", { MARKER(3, MEMBER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT, 3, RULE_MARKER, "" },
	{ "subject", { SUBJECT(4, MEMBER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT, 4, RULE_SUBJECT, "" },
	/* the order of the rules, whatever the order of the hits */
	{ "address first", { SUBJECT(4, MEMBER), REFERENCE(2, MEMBER), ADDRESS(1, MEMBER) },
	  3, KIND_NORMAL, false, ROUTE_COMMENT, 1, RULE_ADDRESS, "" },
	{ "then references", { SUBJECT(4, MEMBER), MARKER(3, MEMBER), REFERENCE(2, MEMBER) },
	  3, KIND_NORMAL, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "" },
	{ "then markers", { SUBJECT(4, MEMBER), MARKER(3, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 3, RULE_MARKER, "" },
	{ "first reference wins", { REFERENCE(2, MEMBER), REFERENCE(5, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "" },
	{ "unknown references are skipped", { DEAD(RULE_REFERENCE, TOKEN_NONE), REFERENCE(5, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 5, RULE_REFERENCE, "" },
	{ "no such ticket", { DEAD(RULE_SUBJECT, TOKEN_NONE) },
	  1, KIND_NORMAL, false, ROUTE_NEW, 0, RULE_NONE, "nothing in it" },
	/* strangers */
	{ "stranger by address", { ADDRESS(1, STRANGER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT_HELD, 1, RULE_ADDRESS, "takes no part" },
	{ "stranger by reference", { REFERENCE(1, STRANGER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT_HELD, 1, RULE_REFERENCE, "takes no part" },
	{ "stranger by marker", { MARKER(1, STRANGER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT_HELD, 1, RULE_MARKER, "takes no part" },
	{ "stranger by subject", { SUBJECT(1, STRANGER) },
	  1, KIND_NORMAL, false, ROUTE_NEW_LINKED, 1, RULE_SUBJECT, "takes no part" },
	{ "agent by subject", { SUBJECT(1, STAFF) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT, 1, RULE_SUBJECT, "" },
	/* tokens */
	{ "bad address", { BAD_ADDRESS },
	  1, KIND_NORMAL, false, ROUTE_QUARANTINE, 0, RULE_ADDRESS, "bad_signature" },
	{ "bad address beats all", { ADDRESS(1, STAFF), REFERENCE(1, STAFF), BAD_ADDRESS },
	  3, KIND_NORMAL, false, ROUTE_QUARANTINE, 0, RULE_ADDRESS, "bad_signature" },
	{ "bad marker is noted", { DEAD(RULE_MARKER, TOKEN_BAD), SUBJECT(4, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 4, RULE_SUBJECT, "marker with a bad signature ignored" },
	{ "bad md. id is noted", { HIT(RULE_REFERENCE, TOKEN_BAD, 9, MEMBER) },
	  1, KIND_NORMAL, false, ROUTE_NEW, 0, RULE_NONE, "reference with a bad signature ignored" },
	{ "expired address", { DEAD(RULE_ADDRESS, TOKEN_EXPIRED), REFERENCE(2, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "expired token ignored" },
	{ "known id with an expired token", { HIT(RULE_REFERENCE, TOKEN_EXPIRED, 2, MEMBER) },
	  1, KIND_NORMAL, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "" },
	{ "tokens disagree", { ADDRESS(1, MEMBER), MARKER(3, MEMBER), REFERENCE(2, MEMBER) },
	  3, KIND_NORMAL, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "tokens of different tickets" },
	{ "two addresses disagree", { ADDRESS(1, MEMBER), ADDRESS(3, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_NEW, 0, RULE_NONE, "tokens of different tickets" },
	{ "tokens agree", { ADDRESS(1, MEMBER), MARKER(1, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 1, RULE_ADDRESS, "" },
	{ "token of a ticket that is gone", { DEAD(RULE_ADDRESS, TOKEN_VALID), MARKER(3, MEMBER) },
	  2, KIND_NORMAL, false, ROUTE_COMMENT, 3, RULE_MARKER, "" },
	/* forwards */
	{ "forward", { REFERENCE(2, STAFF), SUBJECT(2, STAFF) },
	  2, KIND_NORMAL, true, ROUTE_NEW, 0, RULE_FORWARD, "forward" },
	{ "forward with our marker", { REFERENCE(2, MEMBER), MARKER(2, MEMBER) },
	  2, KIND_NORMAL, true, ROUTE_COMMENT, 2, RULE_REFERENCE, "" },
	{ "forward with a bad marker", { REFERENCE(2, MEMBER), DEAD(RULE_MARKER, TOKEN_BAD) },
	  2, KIND_NORMAL, true, ROUTE_NEW, 0, RULE_FORWARD, "bad signature ignored" },
	{ "forward to a signed address", { ADDRESS(2, MEMBER) },
	  1, KIND_NORMAL, true, ROUTE_COMMENT, 2, RULE_ADDRESS, "" },
	/* what the mail system sends */
	{ "bounce", { REFERENCE(2, STRANGER) },
	  1, KIND_BOUNCE, false, ROUTE_DELIVERY_EVENT, 2, RULE_REFERENCE, "" },
	{ "bounce of nothing", { { .via = NULL } },
	  0, KIND_BOUNCE, false, ROUTE_QUARANTINE, 0, RULE_NONE, "bounce_unknown" },
	{ "delay of nothing", { { .via = NULL } },
	  0, KIND_DELAY, false, ROUTE_QUARANTINE, 0, RULE_NONE, "bounce_unknown" },
	{ "receipt of nothing", { { .via = NULL } },
	  0, KIND_RECEIPT, false, ROUTE_QUARANTINE, 0, RULE_NONE, "bounce_unknown" },
	{ "bounce with a number only", { SUBJECT(2, STAFF) },
	  1, KIND_BOUNCE, false, ROUTE_QUARANTINE, 0, RULE_NONE, "bounce_unknown" },
	{ "bounce that looks like a forward", { REFERENCE(2, STRANGER) },
	  1, KIND_BOUNCE, true, ROUTE_DELIVERY_EVENT, 2, RULE_REFERENCE, "" },
	{ "auto-reply", { REFERENCE(2, MEMBER) },
	  1, KIND_AUTO_REPLY, false, ROUTE_COMMENT, 2, RULE_REFERENCE, "" },
	{ "auto-reply to nothing", { { .via = NULL } },
	  0, KIND_AUTO_REPLY, false, ROUTE_NEW, 0, RULE_NONE, "" },
	/* clang-format on */
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(10000);
		struct route_input in = { .hits = cases[i].hits,
					  .hit_count = cases[i].n,
					  .kind = cases[i].kind,
					  .is_forward = cases[i].is_forward,
					  .now_ms = NOW,
					  .reopen_window_ms = WINDOW };
		struct route_decision d;

		assert_int_equal(route_decide(&in, &a, &d, NULL), MD_OK);
		if (d.outcome != cases[i].outcome || d.ticket != cases[i].ticket ||
		    d.rule != cases[i].rule)
			fail_msg("%s: outcome %d, ticket %d, rule %s", cases[i].name, d.outcome,
				 (int)d.ticket, route_rule_name(d.rule));
		assert_int_equal(d.cause != NULL, d.outcome == ROUTE_QUARANTINE);
		if (!strstr(d.cause ? d.cause : evidence_text(&d.evidence, &a), cases[i].evidence))
			fail_msg("%s: %s", cases[i].name, evidence_text(&d.evidence, &a));
		assert_true(*evidence_text(&d.evidence, &a));
		if (d.ticket)
			assert_int_equal(cases[i].hits[d.hit].ticket.id, d.ticket);
	}
}

static void test_closed_tickets(void **state)
{
	static const struct {
		const char *name;
		int64_t ago_ms;
		bool can_reopen;
		int sender;
		enum message_kind kind;
		enum route_outcome outcome;
	} closed[] = {
		{ "in the window", WINDOW, true, MEMBER, KIND_NORMAL, ROUTE_COMMENT },
		{ "after it", WINDOW + 1, true, MEMBER, KIND_NORMAL, ROUTE_NEW_LINKED },
		{ "no way out", 0, false, MEMBER, KIND_NORMAL, ROUTE_NEW_LINKED },
		{ "agent", WINDOW + 1, true, STAFF, KIND_NORMAL, ROUTE_COMMENT },
		{ "agent, no way out", WINDOW + 1, false, STAFF, KIND_NORMAL, ROUTE_COMMENT },
		{ "out of office", WINDOW + 1, true, MEMBER, KIND_AUTO_REPLY, ROUTE_COMMENT },
		{ "bounce", WINDOW + 1, true, MEMBER, KIND_BOUNCE, ROUTE_DELIVERY_EVENT },
		{ "stranger", WINDOW, true, STRANGER, KIND_NORMAL, ROUTE_COMMENT_HELD },
		{ "late stranger", WINDOW + 1, true, STRANGER, KIND_NORMAL, ROUTE_NEW_LINKED },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(closed); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(10000);
		struct route_hit hit = { .rule = RULE_REFERENCE,
					 .via = "id",
					 .has_ticket = true,
					 .ticket = ticket(5, closed[i].sender) };
		struct route_input in = { .hits = &hit,
					  .hit_count = 1,
					  .kind = closed[i].kind,
					  .now_ms = NOW,
					  .reopen_window_ms = WINDOW };
		struct route_decision d;

		hit.ticket.is_closed = true;
		hit.ticket.closed_at_ms = NOW - closed[i].ago_ms;
		hit.ticket.can_reopen = closed[i].can_reopen;
		assert_int_equal(route_decide(&in, &a, &d, NULL), MD_OK);
		if (d.outcome != closed[i].outcome)
			fail_msg("%s: %d", closed[i].name, d.outcome);
		assert_int_equal(d.ticket, 5);
	}
}

static void test_merged_and_long(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(10000), tiny = ARENA_INIT(1);
	char via[400];
	struct route_hit hit = { .rule = RULE_SUBJECT,
				 .via = "[#10]",
				 .has_ticket = true,
				 .ticket = ticket(12, MEMBER) };
	struct route_input in = { .hits = &hit, .hit_count = 1, .now_ms = NOW };
	struct route_decision d;

	(void)state;
	hit.ticket.merged_from = 10;
	assert_int_equal(route_decide(&in, &a, &d, NULL), MD_OK);
	assert_int_equal(d.ticket, 12);
	assert_string_equal(evidence_text(&d.evidence, &a), "[#10] names #10, merged into #12");

	memset(via, 'x', sizeof via);
	via[399] = '\0';
	hit.via = via;
	assert_int_equal(route_decide(&in, &a, &d, NULL), MD_OK);
	assert_true(strlen(evidence_text(&d.evidence, &a)) < 200);
	assert_int_equal(route_decide(&in, &tiny, &d, NULL), MD_NOMEM);
}

static const char *own_list[] = { "support@desk.test", "sales@desk.test" };
static const struct rec_strs own = { 2, own_list };

static void test_screen(void **state)
{
	static const struct {
		const char *from, *loop_ids[2], *cause;
		bool unreadable, bomb;
	} screened[] = {
		{ "carol@customer.test", { NULL }, NULL, false, false },
		{ "carol@customer.test", { "uuid-2" }, NULL, false, false },
		{ "carol@customer.test", { "UUID-1" }, NULL, false, false },
		{ "carol@customer.test", { "uuid-1" }, "loop", false, false },
		{ "carol@customer.test", { "uuid-2", "uuid-1" }, "loop", false, false },
		{ "support@desk.test", { NULL }, "loop", false, false },
		{ "SALES+x@desk.test", { NULL }, "loop", false, false },
		{ "carol@customer.test", { NULL }, "malformed", true, false },
		{ "@@@", { NULL }, "malformed", false, false },
		{ "carol", { NULL }, "malformed", false, false },
		{ "\"a b\"@customer.test", { NULL }, NULL, false, false },
		{ "carol@customer.test", { NULL }, "malformed", false, true },
		{ "carol@customer.test", { "uuid-1" }, "malformed", false, true },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(screened); i++) {
		struct mail_address from = { NULL, screened[i].from };
		struct message m = { .from = { 1, &from },
				     .loop_ids = { 0, (const char **)screened[i].loop_ids },
				     .from_readable = !screened[i].unreadable,
				     .bomb = screened[i].bomb };
		enum evidence_code evidence = EVIDENCE_NONE;
		const char *cause;

		while (m.loop_ids.n < 2 && m.loop_ids.v[m.loop_ids.n])
			m.loop_ids.n++;
		cause = route_screen(&m, &own, "uuid-1", &evidence);

		if (screened[i].cause) {
			assert_string_equal(cause, screened[i].cause);
			assert_int_not_equal(evidence, EVIDENCE_NONE);
		} else {
			assert_null(cause);
			assert_int_equal(evidence, EVIDENCE_NONE);
		}
	}
}

static void test_may_answer(void **state)
{
	(void)state;
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		struct mail_address from = { NULL, "carol@customer.test" };
		struct message m = { .from = { 1, &from }, .from_readable = true, .kind = kind };

		assert_int_equal(route_may_answer(&m, &own), kind == KIND_NORMAL);
		m.no_answer = true;
		assert_false(route_may_answer(&m, &own));
		m.no_answer = false;
		from.address = "support+abc@desk.test";
		assert_false(route_may_answer(&m, &own));
		m.from.n = 0;
		assert_false(route_may_answer(&m, &own));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),           cmocka_unit_test(test_closed_tickets),
		cmocka_unit_test(test_merged_and_long), cmocka_unit_test(test_screen),
		cmocka_unit_test(test_may_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

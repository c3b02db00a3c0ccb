/* Inbound rules: which mail they match, what they do then, and what a pattern may cost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/rule.h>
#include <string.h>

static struct arena arena = ARENA_INIT(8 << 20);
static struct md_err err;
static int64_t tick_ms;

static int64_t frozen(const struct clock *c)
{
	(void)c;
	return 1000;
}
static int64_t ticking(const struct clock *c)
{
	(void)c;
	return tick_ms += 10;
}
static const struct clock still = { frozen, frozen }, fast = { ticking, ticking };

static struct mail_address from[] = { { "Nagios", "nagios@mon.test" } };
static struct mail_address to[] = { { NULL, "support@desk.test" } };
static struct attachment files[] = { { .filename = "invoice.PDF" } };
static struct mail_field fields[] = { { "X-Monitor", "host down" } };
static const struct message mail = {
	.subject = "PROBLEM: disk full",
	.from = { 1, from },
	.to = { 1, to },
	.text = "Host: db1\nState: CRITICAL\n",
	.attachments = { 1, files },
	.fields = { 1, fields },
	.kind = KIND_AUTO_REPLY,
};

static struct rule_outcome apply(const struct rule *rules, size_t n, const struct clock *clock)
{
	md_auto(rules_free_p) struct rules *r = NULL;
	const struct rule_input in = { .message = &mail, .size = 5000, .trust = 1 };
	struct rule_outcome out;

	arena_reset(&arena);
	assert_int_equal(rules_compile(rules, n, &r, &err), MD_OK);
	assert_int_equal(rules_apply(r, &in, clock, &arena, &out, &err), MD_OK);
	return out;
}

static void a_match_looks_at_what_it_names(void **state)
{
	static const struct {
		struct rule_pair match;
		const char *evidence; /* NULL: no match */
	} cases[] = {
		{ { "from", "nagios@" }, "from: nagios@" },
		{ { "from", "^NAGIOS <" }, "from: Nagios <" },
		{ { "from", "^nagios@" }, NULL },
		{ { "to", "support@desk\\.test" }, "to: support@desk.test" },
		{ { "cc", "." }, NULL },
		{ { "subject", "^problem:" }, "subject: PROBLEM:" },
		{ { "body", "^State: (CRIT|WARN)" }, "body: State: CRIT" },
		{ { "body", "db2" }, NULL },
		{ { "attachment", "\\.pdf$" }, "attachment: .PDF" },
		{ { "kind", "^auto_reply$" }, "kind: auto_reply" },
		{ { "trust", "[01]" }, "trust: 1" },
		{ { "size", "> 4k" }, "size: 5000" },
		{ { "size", "<4k" }, NULL },
		{ { "size", "> 1G" }, NULL },
		{ { "x-monitor", "down" }, "x-monitor: down" },
		{ { "X-Other", ""
			       "." },
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const struct rule rule = { .title = "r",
					   .matches = &cases[i].match,
					   .n_matches = 1 };
		struct rule_outcome out = apply(&rule, 1, &still);

		assert_int_equal(out.n_hits, cases[i].evidence != NULL);
		if (out.n_hits)
			assert_string_equal(out.hits[0].evidence, cases[i].evidence);
	}
}

static void all_matches_of_a_rule_must_fit(void **state)
{
	const struct rule_pair both[] = { { "from", "nagios" }, { "body", "CRITICAL" } };
	const struct rule_pair one[] = { { "from", "nagios" }, { "body", "recovered" } };
	const struct rule rules[] = {
		{ .title = "both", .matches = both, .n_matches = 2 },
		{ .title = "one", .matches = one, .n_matches = 2 },
	};
	struct rule_outcome out = apply(rules, 2, &still);

	(void)state;
	assert_int_equal(out.n_hits, 1);
	assert_string_equal(out.hits[0].rule->title, "both");
	assert_string_equal(out.hits[0].evidence, "from: Nagios; body: CRITICAL");
}

static void what_keeps_a_mail_away_is_the_last_rule(void **state)
{
	const struct rule_pair any = { "from", "." };
	const struct rule rules[] = {
		{ .title = "a", .matches = &any, .n_matches = 1, .action = RULE_TAG },
		{ .title = "b", .matches = &any, .n_matches = 1, .action = RULE_DISCARD },
		{ .title = "c", .matches = &any, .n_matches = 1, .action = RULE_QUARANTINE },
	};
	struct rule_outcome out = apply(rules, 3, &still);

	(void)state;
	assert_int_equal(out.n_hits, 2);
	assert_true(out.discard);
	assert_false(out.quarantine);
}

/* A stranger's text must not hold up the desk: the rule counts as not matched, and is named. */
static void a_pattern_that_runs_away_is_stopped(void **state)
{
	static char text[4000];
	static const struct rule_pair slow = { "body", "^(([a-z])+.)+[0-9]([a-z])+$" };
	const struct rule rules[] = {
		{ .title = "slow", .matches = &slow, .n_matches = 1, .action = RULE_DISCARD },
	};
	md_auto(rules_free_p) struct rules *r = NULL;
	struct message m = mail;
	const struct rule_input in = { .message = &m };
	struct rule_outcome out;

	(void)state;
	memset(text, 'a', sizeof text - 1);
	m.text = text;
	tick_ms = 0;
	arena_reset(&arena);
	assert_int_equal(rules_compile(rules, 1, &r, &err), MD_OK);
	assert_int_equal(rules_apply(r, &in, &fast, &arena, &out, &err), MD_OK);
	assert_int_equal(out.n_hits, 1);
	assert_false(out.hits[0].matched);
	assert_false(out.discard);
	assert_string_equal(out.hits[0].evidence, "match \"body\" took too long");
	/* Without the clock PCRE2's own limits end it. */
	assert_int_equal(rules_apply(r, &in, &still, &arena, &out, &err), MD_OK);
	assert_false(out.discard);
	assert_string_equal(out.hits[0].evidence, "match \"body\" took too many steps");
}

static void what_cannot_be_compiled_is_named(void **state)
{
	static const struct {
		struct rule_pair match;
		const char *message;
	} cases[] = {
		{ { "from", "(" },
		  "rule \"r\": match \"from\": at character 2: missing closing "
		  "parenthesis" },
		{ { "size", "big" }, "rule \"r\": match \"size\": allowed: \"> 10M\" or \"< 1k\"" },
		{ { "size", "> 1T" },
		  "rule \"r\": match \"size\": allowed: \"> 10M\" or \"< 1k\"" },
		{ { "body", "" },
		  "rule \"r\": match \"body\": a pattern has 1 to 4096 characters" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const struct rule rule = { .title = "r",
					   .matches = &cases[i].match,
					   .n_matches = 1 };
		struct rules *r = NULL;

		assert_int_equal(rules_compile(&rule, 1, &r, &err), MD_INPUT);
		assert_string_equal(err.text, cases[i].message);
	}
}

static void header_fields_that_are_looked_at_are_known(void **state)
{
	const struct rule_pair matches[] = { { "from", "." }, { "X-Monitor", "." } };
	const struct rule rule = { .title = "r", .matches = matches, .n_matches = 2 };
	md_auto(rules_free_p) struct rules *r = NULL;

	(void)state;
	assert_int_equal(rules_compile(&rule, 1, &r, &err), MD_OK);
	assert_int_equal(rules_fields(r)->n, 1);
	assert_string_equal(rules_fields(r)->v[0], "X-Monitor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_match_looks_at_what_it_names),
		cmocka_unit_test(all_matches_of_a_rule_must_fit),
		cmocka_unit_test(what_keeps_a_mail_away_is_the_last_rule),
		cmocka_unit_test(a_pattern_that_runs_away_is_stopped),
		cmocka_unit_test(what_cannot_be_compiled_is_named),
		cmocka_unit_test(header_fields_that_are_looked_at_are_known),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	arena_done(&arena);
	return rc;
}

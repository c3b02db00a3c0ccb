#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/trust.h>
#include <string.h>

#define US "mx.desk.test"
#define FROM "customer.test"

static const char *const from_d[] = { FROM }, *const other_d[] = { "evil.test", "test" };
#define DKIM(list)                                                         \
	{                                                                  \
		.n = MD_COUNT(list), .v = (const char **)(uintptr_t)(list) \
	}

/* The fields: who says it, how many Received stand above, dmarc, its header.from, dkim */
static const struct auth_field pass = { US, 0, NULL, "pass", FROM, { 0 } };
static const struct auth_field fail_ = { US, 0, NULL, "fail", FROM, { 0 } };
static const struct auth_field none = { US, 0, NULL, "none", FROM, { 0 } };
static const struct auth_field loud = { US, 0, NULL, "PASS", "Customer.Test", { 0 } };
static const struct auth_field spf_only = { US, 0, "pass", NULL, NULL, { 0 } };
static const struct auth_field spf_fail = { US, 0, "fail", NULL, NULL, { 0 } };
static const struct auth_field no_from = { US, 0, NULL, "pass", NULL, { 0 } };
static const struct auth_field other_from = { US, 0, NULL, "pass", "evil.test", { 0 } };
static const struct auth_field guess = { US, 0, NULL, "bestguesspass", FROM, { 0 } };
static const struct auth_field foreign = { "mx.evil.test", 0, NULL, "pass", FROM, { 0 } };
static const struct auth_field longer = { US ".evil.test", 0, NULL, "pass", FROM, { 0 } };
static const struct auth_field upper = { "MX.desk.test", 0, NULL, "pass", FROM, { 0 } };
static const struct auth_field no_id = { NULL, 0, NULL, "pass", FROM, { 0 } };
static const struct auth_field below = { US, 1, NULL, "pass", FROM, { 0 } };
static const struct auth_field below_fail = { US, 1, NULL, "fail", FROM, { 0 } };
static const struct auth_field dkim = { US, 0, NULL, NULL, NULL, DKIM(from_d) };
static const struct auth_field dkim_other = { US, 0, NULL, "none", NULL, DKIM(other_d) };
static const struct auth_field dkim_but_fail = { US, 0, NULL, "fail", FROM, DKIM(from_d) };

enum { KNOWN = 7, SOMEBODY = 8 };

static const struct {
	const char *name;
	const struct auth_field *fields[3];
	int64_t from_user, proof_user;
	const char *authserv_id;
	int64_t hops, received;
	bool not_plain;
	int level;
	enum trust_auth auth;
	const char *evidence; /* part of it */
} cases[] = {
	/* with Authentication-Results */
	{ "pass", { &pass }, KNOWN, 0, US, 1, 1, 0, 2, AUTH_PASS, "dmarc=pass header.from=" FROM },
	{ "pass of a newcomer", { &pass }, 0, 0, US, 1, 1, 0, 2, AUTH_PASS, "dmarc=pass" },
	{ "case", { &loud }, KNOWN, 0, US, 1, 1, 0, 2, AUTH_PASS, "dmarc=pass" },
	{ "fail", { &fail_ }, KNOWN, 0, US, 1, 1, 0, 0, AUTH_FAIL, "dmarc=fail" },
	{ "fail and token", { &fail_ }, KNOWN, KNOWN, US, 1, 1, 0, 0, AUTH_FAIL, "dmarc=fail" },
	{ "dmarc=none", { &none }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no passing result" },
	{ "no field", { 0 }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no result of " US },
	{ "newcomer", { 0 }, 0, 0, US, 1, 1, 0, 0, AUTH_NONE, "nobody we know" },
	{ "token alone", { 0 }, KNOWN, KNOWN, US, 1, 1, 0, 1, AUTH_NONE, "no result" },
	{ "both", { &pass }, KNOWN, KNOWN, US, 1, 1, 0, 3, AUTH_PASS, "dmarc=pass" },
	{ "spf is of the envelope", { &spf_only }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "" },
	{ "spf breaks on the way", { &spf_fail }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "" },
	{ "pass of no From", { &no_from }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no passing" },
	{ "another From", { &other_from }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no passing" },
	{ "a guess", { &guess }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no passing" },
	/* whose field it is */
	{ "foreign id", { &foreign }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no result of " US },
	{ "longer id", { &longer }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no result" },
	{ "id in capitals", { &upper }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no result" },
	{ "no id", { &no_id }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no result" },
	{ "ours beside a foreign one",
	  { &foreign, &pass },
	  KNOWN,
	  0,
	  US,
	  1,
	  1,
	  0,
	  2,
	  AUTH_PASS,
	  "" },
	/* where it stands */
	{ "below our hop", { &below }, KNOWN, 0, US, 1, 3, 0, 1, AUTH_NONE, "below our own hops" },
	{ "forged below a fail", { &fail_, &below }, KNOWN, 0, US, 1, 3, 0, 0, AUTH_FAIL, "" },
	{ "forged fail below", { &pass, &below_fail }, KNOWN, 0, US, 1, 3, 0, 2, AUTH_PASS, "" },
	{ "two hops", { &below }, KNOWN, 0, US, 2, 3, 0, 2, AUTH_PASS, "" },
	{ "fewer hops than ours", { &pass }, KNOWN, 0, US, 2, 1, 0, 1, AUTH_NONE, "below" },
	{ "no hop at all", { &pass }, KNOWN, 0, US, 1, 0, 0, 1, AUTH_NONE, "below" },
	/* contradictions */
	{ "pass, fail", { &pass, &fail_ }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "contradict" },
	{ "fail, pass", { &fail_, &pass }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "contradict" },
	{ "pass, none", { &pass, &none }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "contradict" },
	{ "two Froms", { &pass, &other_from }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "contradict" },
	{ "contradiction spoils dkim",
	  { &dkim, &pass, &fail_ },
	  KNOWN,
	  0,
	  US,
	  1,
	  1,
	  0,
	  1,
	  AUTH_NONE,
	  "contradict" },
	{ "twice the same", { &pass, &pass }, KNOWN, 0, US, 1, 1, 0, 2, AUTH_PASS, "" },
	{ "one field a method", { &spf_only, &pass }, KNOWN, 0, US, 1, 1, 0, 2, AUTH_PASS, "" },
	/* dkim */
	{ "dkim", { &dkim }, KNOWN, 0, US, 1, 1, 0, 2, AUTH_PASS, "dkim=pass header.d=" FROM },
	{ "dkim, dmarc=none", { &dkim, &none }, KNOWN, 0, US, 1, 1, 0, 2, AUTH_PASS, "dkim=pass" },
	{ "dkim of others", { &dkim_other }, KNOWN, 0, US, 1, 1, 0, 1, AUTH_NONE, "no passing" },
	{ "dkim, dmarc=fail", { &dkim_but_fail }, KNOWN, 0, US, 1, 1, 0, 0, AUTH_FAIL, "" },
	/* without Authentication-Results */
	{ "token", { 0 }, KNOWN, KNOWN, NULL, 1, 1, 0, 2, AUTH_NONE, "signed reply address" },
	{ "token, empty id", { 0 }, KNOWN, KNOWN, "", 1, 1, 0, 2, AUTH_NONE, "signed reply" },
	{ "token of somebody else",
	  { 0 },
	  KNOWN,
	  SOMEBODY,
	  NULL,
	  1,
	  1,
	  0,
	  1,
	  AUTH_NONE,
	  "issued to somebody else" },
	{ "token, stranger", { 0 }, 0, KNOWN, NULL, 1, 1, 0, 0, AUTH_NONE, "nobody we know" },
	{ "nothing", { 0 }, KNOWN, 0, NULL, 1, 1, 0, 1, AUTH_NONE, "no proof" },
	{ "nobody", { 0 }, 0, 0, NULL, 1, 1, 0, 0, AUTH_NONE, "no proof" },
	{ "fields are not looked at", { &pass }, KNOWN, 0, NULL, 1, 1, 0, 1, AUTH_NONE, "" },
	{ "nor a fail", { &fail_ }, KNOWN, 0, NULL, 1, 1, 0, 1, AUTH_NONE, "" },
	/* a From with tricks */
	{ "not plain", { &pass }, KNOWN, KNOWN, US, 1, 1, 1, 0, AUTH_NONE, "not exactly one" },
	{ "not plain, token", { 0 }, KNOWN, KNOWN, NULL, 1, 1, 1, 0, AUTH_NONE, "not exactly one" },
};

static void test_levels(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(10000);
		struct mail_address from = { NULL, "carol@" FROM };
		struct auth_field fields[3];
		struct message m = { .from = { 1, &from },
				     .received_count = cases[i].received,
				     .from_is_plain = !cases[i].not_plain };
		struct trust_input in = {
			.message = &m,
			.config = { cases[i].authserv_id, cases[i].hops, false },
			.from_user = cases[i].from_user,
			.proof_user = cases[i].proof_user,
		};
		struct trust t;

		m.auth_fields.v = fields;
		while (m.auth_fields.n < 3 && cases[i].fields[m.auth_fields.n]) {
			fields[m.auth_fields.n] = *cases[i].fields[m.auth_fields.n];
			m.auth_fields.n++;
		}
		t = trust_assess(&in);
		if (t.level != cases[i].level || t.auth != cases[i].auth ||
		    !strstr(evidence_text(&t.evidence, &a), cases[i].evidence))
			fail_msg("%s: level %d, auth %s, %s", cases[i].name, t.level,
				 trust_auth_name(t.auth), evidence_text(&t.evidence, &a));
		assert_int_equal(t.flagged, cases[i].not_plain || t.auth == AUTH_FAIL);
	}
}

static void test_alignment(void **state)
{
	static const struct {
		const char *from, *signer;
		int level;
	} pairs[] = {
		{ "a@desk.example", "desk.example", 2 },
		{ "a@sales.desk.example", "desk.example", 2 },
		{ "a@xdesk.example", "desk.example", 1 },
		{ "a@desk.example", "sales.desk.example", 1 },
		{ "a@desk.example", "example", 1 },
		{ "a@desk.example", "", 1 },
		{ "a@DESK.example", "desk.EXAMPLE", 2 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(pairs); i++) {
		const char *signers[] = { pairs[i].signer };
		struct mail_address from = { NULL, pairs[i].from };
		struct auth_field field = { .authserv_id = US,
					    .dkim_pass_domains = { 1, signers } };
		struct message m = { .from = { 1, &from },
				     .auth_fields = { 1, &field },
				     .received_count = 1,
				     .from_is_plain = true };
		struct trust_input in = { .message = &m,
					  .config = { US, 1, false },
					  .from_user = KNOWN };
		struct trust t = trust_assess(&in);

		assert_int_equal(t.level, pairs[i].level);
	}
}

/* Servers that write their field below their own Received, and those that name themselves "-". */
static void test_positions(void **state)
{
	static const struct {
		const char *id, *field_id;
		int64_t above, received;
		bool below;
		int level;
	} rows[] = {
		{ US, US, 1, 3, true, 2 },   { US, US, 0, 3, true, 2 },  { US, US, 2, 3, true, 1 },
		{ US, US, 1, 3, false, 1 },  { US, US, 1, 0, true, 1 },  { "-", "", 1, 3, true, 2 },
		{ "-", US, 1, 3, true, 1 },  { "-", "", 2, 3, true, 1 }, { US, "", 1, 3, true, 1 },
		{ "-", "-", 1, 3, true, 2 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(10000);
		struct mail_address from = { NULL, "carol@" FROM };
		struct auth_field field = { rows[i].field_id, rows[i].above, NULL,
					    "pass",           FROM,          { 0 } };
		struct message m = { .from = { 1, &from },
				     .auth_fields = { 1, &field },
				     .received_count = rows[i].received,
				     .from_is_plain = true };
		struct trust_input in = { .message = &m,
					  .config = { rows[i].id, 1, rows[i].below },
					  .from_user = KNOWN };
		struct trust t = trust_assess(&in);

		if (t.level != rows[i].level)
			fail_msg("position %zu: level %d, %s", i, t.level,
				 evidence_text(&t.evidence, &a));
	}
}

static void test_a_trick_beats_every_proof(void **state)
{
	struct mail_address from = { NULL, "carol@" FROM };
	struct auth_field field = pass;
	struct message m = { .from = { 1, &from },
			     .auth_fields = { 1, &field },
			     .received_count = 1,
			     .from_is_plain = true };
	struct trust_input in = { .message = &m,
				  .config = { US, 1, false },
				  .from_user = KNOWN,
				  .proof_user = KNOWN,
				  .trick = EVIDENCE_OTHER_SENDER };
	struct trust t = trust_assess(&in);

	(void)state;
	assert_int_equal(t.level, 0);
	assert_true(t.flagged);
	assert_int_equal(t.evidence.n, 1);
	assert_int_equal(t.evidence.facts[0].code, EVIDENCE_OTHER_SENDER);
}

/* The words are for people, names and values for those who tell it in another language. */
static void test_evidence_has_names(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(10000), tiny = ARENA_INIT(1);
	struct evidence e = evidence_of(EVIDENCE_NAMES, "[#10]");

	(void)state;
	e.facts[0].values[1] = "10";
	evidence_add(&e, EVIDENCE_MERGED, "12", NULL);
	evidence_add(&e, EVIDENCE_BAD_IGNORED, "marker", NULL);
	assert_string_equal(
		evidence_text(&e, &a),
		"[#10] names #10, merged into #12; marker with a bad signature ignored");
	assert_null(evidence_text(&e, &tiny));
	for (int code = EVIDENCE_NONE + 1; code < EVIDENCE_COUNT; code++) {
		struct evidence one = evidence_of((enum evidence_code)code, NULL);

		assert_non_null(evidence_name((enum evidence_code)code));
		assert_true(*evidence_text(&one, &a));
	}
	for (int i = 0; i < 2 * EVIDENCE_FACTS; i++)
		evidence_add(&e, EVIDENCE_NO_PROOF, NULL, NULL);
	assert_int_equal(e.n, EVIDENCE_FACTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_a_trick_beats_every_proof),
		cmocka_unit_test(test_evidence_has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

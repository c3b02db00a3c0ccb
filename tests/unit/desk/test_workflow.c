#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/workflow.h>
#include <string.h>

/* The tables of the specification, written down a second time: who may go from where to where.
 * r requester, p participant, a assignee, g agent, m admin */
struct listed {
	const char *from, *to, *who;
};
static const struct listed helpdesk_listing[] = {
	{ "open", "in_progress", "gm" },    { "open", "closed", "gmr" },
	{ "in_progress", "pending", "gm" }, { "in_progress", "resolved", "gm" },
	{ "pending", "in_progress", "gm" }, { "pending", "resolved", "gm" },
	{ "resolved", "closed", "gmr" },    { "resolved", "reopened", "gmp" },
	{ "closed", "reopened", "gmr" },    { "reopened", "in_progress", "gm" },
};
static const struct listed strict_listing[] = {
	{ "open", "in_progress", "a" },
	{ "in_progress", "resolved", "a" },
	{ "resolved", "closed", "rm" },
	{ "resolved", "in_progress", "r" },
};
static const struct {
	char letter;
	unsigned bit;
} people[] = { { 'r', WHO_REQUESTER }, { 'p', WHO_PARTICIPANT }, { 'a', WHO_ASSIGNEE },
	       { 'g', WHO_AGENT },     { 'm', WHO_ADMIN },       { 'c', WHO_CUSTOMER },
	       { 's', WHO_STRANGER } };

static void compare(const char *name, const struct listed *listing, size_t n)
{
	const struct workflow *wf = workflow_find(name);
	size_t allowed = 0;

	assert_non_null(wf);
	for (size_t f = 0; f < wf->status_count; f++)
		for (size_t t = 0; t < wf->status_count; t++)
			for (size_t p = 0; p < MD_COUNT(people); p++) {
				const char *from = wf->statuses[f].name, *to = wf->statuses[t].name;
				int expected = MD_INPUT;

				for (size_t i = 0; i < n; i++)
					if (!strcmp(listing[i].from, from) &&
					    !strcmp(listing[i].to, to))
						expected = strchr(listing[i].who, people[p].letter)
								   ? MD_OK
								   : MD_REFUSED;
				assert_int_equal(workflow_move(wf, from, to, people[p].bit, true,
							       NULL),
						 expected);
				allowed += expected == MD_OK;
			}
	assert_true(allowed > 0);
}

static void test_every_pair(void **state)
{
	(void)state;
	compare("helpdesk", helpdesk_listing, MD_COUNT(helpdesk_listing));
	compare("strict", strict_listing, MD_COUNT(strict_listing));
	assert_null(workflow_find("kanban"));
}

static void test_by_itself(void **state)
{
	static const struct {
		const char *workflow, *from;
		enum workflow_trigger trigger;
		bool has_assignee;
		const char *to;
	} cases[] = {
		{ "helpdesk", "open", TRIGGER_ASSIGNED, true, "in_progress" },
		{ "helpdesk", "open", TRIGGER_ASSIGNED, false, NULL },
		{ "helpdesk", "reopened", TRIGGER_ASSIGNED, true, "in_progress" },
		{ "helpdesk", "pending", TRIGGER_ASSIGNED, true, NULL },
		{ "helpdesk", "pending", TRIGGER_CUSTOMER_REPLY, false, "in_progress" },
		{ "helpdesk", "resolved", TRIGGER_CUSTOMER_REPLY, true, "reopened" },
		{ "helpdesk", "closed", TRIGGER_CUSTOMER_REPLY, true, "reopened" },
		{ "helpdesk", "open", TRIGGER_CUSTOMER_REPLY, true, NULL },
		{ "helpdesk", "in_progress", TRIGGER_CUSTOMER_REPLY, true, NULL },
		{ "helpdesk", "resolved", TRIGGER_AUTO_CLOSE, true, "closed" },
		{ "helpdesk", "open", TRIGGER_AUTO_CLOSE, true, NULL },
		{ "helpdesk", "pending", TRIGGER_PENDING_CLOSE, true, "resolved" },
		{ "strict", "open", TRIGGER_ASSIGNED, true, NULL },
		{ "strict", "resolved", TRIGGER_CUSTOMER_REPLY, true, NULL },
		{ "strict", "resolved", TRIGGER_AUTO_CLOSE, true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const char *to = workflow_by_itself(workflow_find(cases[i].workflow), cases[i].from,
						    cases[i].trigger, cases[i].has_assignee);

		if (cases[i].to)
			assert_string_equal(to, cases[i].to);
		else
			assert_null(to);
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *workflow, *word, *status;
	} cases[] = {
		{ "helpdesk", "open", "open" },
		{ "helpdesk", "start", "in_progress" },
		{ "helpdesk", "hold", "pending" },
		{ "helpdesk", "PENDING", "pending" },
		{ "helpdesk", "resolve", "resolved" },
		{ "helpdesk", "done", "resolved" },
		{ "helpdesk", "solved", "resolved" },
		{ "helpdesk", "close", "closed" },
		{ "helpdesk", "reopen", "reopened" },
		{ "helpdesk", "in_progress", "in_progress" },
		{ "helpdesk", "resolved", "resolved" },
		{ "helpdesk", "frobnicate", NULL },
		{ "strict", "reopen", "in_progress" },
		{ "strict", "pending", NULL },
		{ "strict", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const char *to = workflow_target(workflow_find(cases[i].workflow), cases[i].word);

		if (cases[i].status)
			assert_string_equal(to, cases[i].status);
		else
			assert_null(to);
	}
}

static void test_refusals_name_what_is_allowed(void **state)
{
	const struct workflow *wf = workflow_find("helpdesk");
	const char *allowed[8];
	struct md_err err;

	(void)state;
	assert_int_equal(workflow_move(wf, "open", "resolved", WHO_AGENT, false, &err), MD_INPUT);
	assert_string_equal(err.text, "no way from open to resolved; allowed: in_progress, closed");
	assert_int_equal(workflow_move(wf, "open", "in_progress", WHO_REQUESTER, false, &err),
			 MD_REFUSED);
	assert_string_equal(err.text, "open to in_progress is not for you; allowed: closed");
	assert_int_equal(workflow_move(workflow_find("strict"), "closed", "open", WHO_ADMIN, false,
				       &err),
			 MD_INPUT);
	assert_string_equal(err.text, "no way from closed to open; allowed: nothing");
	assert_int_equal(workflow_allowed(wf, "resolved",
					  WHO_CUSTOMER | WHO_REQUESTER | WHO_PARTICIPANT, false,
					  allowed, 8),
			 2);
	assert_string_equal(allowed[0], "closed");
	assert_string_equal(allowed[1], "reopened");
	assert_int_equal(workflow_allowed(wf, "open", WHO_AGENT, false, allowed, 1), 1);
}

static void test_guard(void **state)
{
	static const struct workflow_status statuses[] = { { "open", PHASE_ACTIVE, false },
							   { "done", PHASE_CLOSED, true } };
	static const struct workflow_edge edges[] = { { "open", "done", WHO_AGENT,
							TRIGGER_AUTO_CLOSE, GUARD_HAS_ASSIGNEE } };
	static const struct workflow wf = { "own", statuses, 2, edges, 1, NULL };
	const char *allowed[2];
	struct md_err err;

	(void)state;
	assert_int_equal(workflow_check(&wf, NULL), MD_OK);
	assert_int_equal(workflow_move(&wf, "open", "done", WHO_AGENT, true, NULL), MD_OK);
	assert_int_equal(workflow_move(&wf, "open", "done", WHO_AGENT, false, &err), MD_INPUT);
	assert_string_equal(err.text, "open to done needs an assignee; allowed: nothing");
	assert_int_equal(workflow_allowed(&wf, "open", WHO_AGENT, false, allowed, 2), 0);
	assert_null(workflow_by_itself(&wf, "open", TRIGGER_AUTO_CLOSE, false));
	assert_string_equal(workflow_by_itself(&wf, "open", TRIGGER_AUTO_CLOSE, true), "done");
}

#define STATUS(n, final)               \
	{                              \
		n, PHASE_ACTIVE, final \
	}
#define EDGE(f, t)                             \
	{                                      \
		f, t, WHO_AGENT, 0, GUARD_NONE \
	}

static void test_check(void **state)
{
	static const struct {
		struct workflow_status statuses[4];
		size_t status_count;
		struct workflow_edge edges[4];
		size_t edge_count;
		const char *fault;
	} cases[] = {
		{ { STATUS("a", 0), STATUS("b", 1) }, 2, { EDGE("a", "b") }, 1, NULL },
		{ { STATUS("a", 0), STATUS("b", 0) },
		  2,
		  { EDGE("a", "b") },
		  1,
		  "workflow w: nothing leads out of b, which is not final" },
		{ { STATUS("a", 0), STATUS("b", 1), STATUS("c", 0) },
		  3,
		  { EDGE("a", "b"), EDGE("c", "b") },
		  2,
		  "workflow w: nothing leads to c" },
		/* an island that reaches itself only */
		{ { STATUS("a", 0), STATUS("b", 1), STATUS("c", 0), STATUS("d", 0) },
		  4,
		  { EDGE("a", "b"), EDGE("c", "d"), EDGE("d", "c") },
		  3,
		  "workflow w: nothing leads to c" },
		/* edges in an order that needs several sweeps */
		{ { STATUS("a", 0), STATUS("b", 0), STATUS("c", 0), STATUS("d", 1) },
		  4,
		  { EDGE("c", "d"), EDGE("b", "c"), EDGE("a", "b") },
		  3,
		  NULL },
		{ { STATUS("a", 0), STATUS("b", 1) },
		  2,
		  { EDGE("a", "b"), EDGE("a", "z") },
		  2,
		  "workflow w: no state is called z" },
		{ { STATUS("a", 0), STATUS("b", 1) },
		  2,
		  { EDGE("a", "b"), EDGE("a", "b") },
		  2,
		  "workflow w: a to b stands there twice" },
		{ { STATUS("a", 0), STATUS("a", 1) },
		  2,
		  { EDGE("a", "a") },
		  1,
		  "workflow w: state a stands there twice" },
		{ { STATUS("a", 0) }, 1, { EDGE("a", "a") }, 1, "workflow w: a leads to itself" },
		{ { STATUS("a", 0) },
		  0,
		  { EDGE("a", "a") },
		  0,
		  "workflow w: between 1 and 64 states are needed" },
	};

	(void)state;
	assert_int_equal(workflow_check(workflow_find("helpdesk"), NULL), MD_OK);
	assert_int_equal(workflow_check(workflow_find("strict"), NULL), MD_OK);
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct workflow wf = { "w",
				       cases[i].statuses,
				       cases[i].status_count,
				       cases[i].edges,
				       cases[i].edge_count,
				       NULL };
		struct md_err err = { .text = "" };
		int rc = workflow_check(&wf, &err);

		assert_int_equal(rc, cases[i].fault ? MD_INPUT : MD_OK);
		if (cases[i].fault)
			assert_string_equal(err.text, cases[i].fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_by_itself),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refusals_name_what_is_allowed),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

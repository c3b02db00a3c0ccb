#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/desk/sla.h>
#include <string.h>

#define HOUR INT64_C(3600000)
/* Instants of these tests are hours of a round-the-clock calendar; T0 is a Monday, 00:00 UTC. */
#define T0 (INT64_C(20514) * 24 * HOUR)

static const struct sla_terms day_terms = {
	.target_ms = 10 * HOUR, .calendar = &calendar_24x7, .warnings = 2, .warn = { 75, 90 }
};

static struct sla_clock started(const struct sla_terms *terms)
{
	struct sla_clock k = { 0 };

	assert_true(sla_apply(&k, SLA_START, terms, T0));
	return k;
}

static void start_lays_due(void **state)
{
	struct sla_clock k = started(&day_terms);

	(void)state;
	assert_int_equal(k.state, SLA_RUNNING);
	assert_int_equal(k.started_ms, T0);
	assert_int_equal(k.due_ms, T0 + 10 * HOUR);
	assert_int_equal(k.breached_ms, SLA_NEVER);
	assert_int_equal(sla_used(&k, &day_terms, T0 + 3 * HOUR), 3 * HOUR);
}

static void met_at_due_and_breached_after(void **state)
{
	static const struct {
		int64_t at;
		enum sla_state state;
		int64_t breached;
	} cases[] = {
		{ 10 * HOUR - 1, SLA_MET, SLA_NEVER },
		{ 10 * HOUR, SLA_MET, SLA_NEVER },
		{ 10 * HOUR + 1, SLA_BREACHED, T0 + 10 * HOUR },
		{ 99 * HOUR, SLA_BREACHED, T0 + 10 * HOUR },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct sla_clock k = started(&day_terms);

		assert_true(sla_apply(&k, SLA_STOP, &day_terms, T0 + cases[i].at));
		assert_int_equal(k.state, cases[i].state);
		assert_int_equal(k.breached_ms, cases[i].breached);
		assert_int_equal(k.used_ms, cases[i].at);
		assert_int_equal(k.due_ms, T0 + 10 * HOUR);
	}
}

static void pause_keeps_the_rest(void **state)
{
	struct sla_clock k = started(&day_terms);
	struct sla_event e;

	(void)state;
	assert_true(sla_apply(&k, SLA_PAUSE, &day_terms, T0 + 4 * HOUR));
	assert_int_equal(k.due_ms, SLA_NEVER);
	assert_int_equal(sla_used(&k, &day_terms, T0 + 50 * HOUR), 4 * HOUR);
	assert_false(sla_next(&k, &day_terms, &e));
	assert_true(sla_apply(&k, SLA_RESUME, &day_terms, T0 + 50 * HOUR));
	assert_int_equal(k.due_ms, T0 + 56 * HOUR);
	assert_true(sla_apply(&k, SLA_STOP, &day_terms, T0 + 56 * HOUR));
	assert_int_equal(k.state, SLA_MET);
	assert_int_equal(k.used_ms, 10 * HOUR);
}

static void stopped_while_paused(void **state)
{
	struct sla_clock k = started(&day_terms);

	(void)state;
	sla_apply(&k, SLA_PAUSE, &day_terms, T0 + 10 * HOUR);
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 500 * HOUR);
	assert_int_equal(k.state, SLA_MET);
	assert_int_equal(k.due_ms, SLA_NEVER);

	k = started(&day_terms);
	sla_apply(&k, SLA_PAUSE, &day_terms, T0 + 11 * HOUR);
	assert_int_equal(k.state, SLA_PAUSED);
	assert_int_equal(k.breached_ms, T0 + 10 * HOUR);
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 500 * HOUR);
	assert_int_equal(k.state, SLA_BREACHED);
}

static void reopened_goes_on_with_the_rest(void **state)
{
	struct sla_clock k = started(&day_terms);

	(void)state;
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 4 * HOUR);
	assert_true(sla_apply(&k, SLA_REOPEN, &day_terms, T0 + 100 * HOUR));
	assert_int_equal(k.state, SLA_RUNNING);
	assert_int_equal(k.due_ms, T0 + 106 * HOUR);
	assert_int_equal(k.started_ms, T0);
}

static void renewed_is_a_new_cycle(void **state)
{
	struct sla_clock k = started(&day_terms);

	(void)state;
	assert_false(
		sla_apply(&k, SLA_RENEW, &day_terms, T0 + HOUR)); /* the oldest message counts */
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 11 * HOUR);
	assert_true(sla_apply(&k, SLA_RENEW, &day_terms, T0 + 20 * HOUR));
	assert_int_equal(k.state, SLA_RUNNING);
	assert_int_equal(k.started_ms, T0 + 20 * HOUR);
	assert_int_equal(k.used_ms, 0);
	assert_int_equal(k.breached_ms, SLA_NEVER);
	assert_int_equal(k.told, 0);
}

/* Which actions change a clock in which state; listed apart from the table in the code. */
static void every_action_in_every_state(void **state)
{
	static const char *const rows[] = {
		/* action, then absent running paused met breached */
		[SLA_KEEP] = "-----",  [SLA_START] = "x----",  [SLA_RENEW] = "x--xx",
		[SLA_PAUSE] = "-x---", [SLA_RESUME] = "--x--", [SLA_REOPEN] = "--xxx",
		[SLA_STOP] = "-xx--",  [SLA_CYCLE] = "xxxxx",
	};

	(void)state;
	for (size_t action = 0; action < MD_COUNT(rows); action++)
		for (size_t s = 0; s < SLA_STATE_COUNT; s++) {
			struct sla_clock k = { .state = (enum sla_state)s }, before = k;
			bool changed = sla_apply(&k, (enum sla_action)action, &day_terms, T0);

			assert_int_equal(changed, rows[action][s] == 'x');
			assert_int_equal(sla_begins_cycle(&before, (enum sla_action)action),
					 changed && s != SLA_ABSENT &&
						 (action == SLA_RENEW || action == SLA_CYCLE));
			assert_int_equal(changed, memcmp(&k, &before, sizeof k) != 0);
		}
}

static void change_of_target(void **state)
{
	static const struct {
		int64_t at, target, due, breached;
	} cases[] = {
		{ 3, 20, 20, 0 },   /* more time */
		{ 3, 4, 4, 0 },     /* less, something is left */
		{ 5, 5, 5, 5 },     /* nothing is left: due and breached at the change */
		{ 5, 2, 5, 5 },     /* never back-dated */
		{ 12, 20, 20, 10 }, /* a breach stays */
		{ 12, 5, 12, 10 },  /* and is not moved */
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct sla_clock k = started(&day_terms);
		struct sla_terms terms = day_terms;

		terms.target_ms = cases[i].target * HOUR;
		sla_change(&k, &day_terms, &terms, T0 + cases[i].at * HOUR);
		assert_int_equal(k.state, SLA_RUNNING);
		assert_int_equal(k.used_ms, cases[i].at * HOUR);
		assert_int_equal(k.due_ms, T0 + cases[i].due * HOUR);
		assert_int_equal(k.breached_ms,
				 cases[i].breached ? T0 + cases[i].breached * HOUR : SLA_NEVER);
	}
}

static void change_while_paused_or_stopped(void **state)
{
	struct sla_clock k = started(&day_terms), before;
	struct sla_terms short_terms = day_terms;
	struct sla_event e;

	(void)state;
	short_terms.target_ms = 2 * HOUR;
	sla_apply(&k, SLA_PAUSE, &day_terms, T0 + 4 * HOUR);
	sla_change(&k, &day_terms, &short_terms, T0 + 6 * HOUR);
	assert_int_equal(k.state, SLA_PAUSED);
	assert_int_equal(k.used_ms, 4 * HOUR);
	assert_int_equal(k.due_ms, SLA_NEVER);
	assert_int_equal(k.breached_ms, T0 + 6 * HOUR);
	k.told = 90;
	assert_true(sla_take(&k, &short_terms, T0 + 6 * HOUR, &e));
	assert_int_equal(e.percent, SLA_TOLD_BREACH);

	k = started(&day_terms);
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 4 * HOUR);
	before = k;
	sla_change(&k, &day_terms, &short_terms, T0 + 6 * HOUR);
	assert_memory_equal(&k, &before, sizeof k);
}

static void change_of_calendar(void **state)
{
	static const char *const morning[] = { "08:00-12:00" };
	md_auto(calendar_done) struct calendar office = { 0 };
	struct sla_terms terms = day_terms;
	struct sla_clock k = started(&day_terms);

	(void)state;
	for (int day = 0; day < 5; day++)
		calendar_set_hours(&office,
				   (const char *const[]){ "mon", "tue", "wed", "thu", "fri" }[day],
				   morning, 1, NULL);
	terms.calendar = &office;
	/* 3 h by the old one, then 4 on Monday and 3 on Tuesday by the new one */
	sla_change(&k, &day_terms, &terms, T0 + 3 * HOUR);
	assert_int_equal(k.due_ms, T0 + (24 + 11) * HOUR);
	assert_int_equal(sla_used(&k, &terms, T0 + 20 * HOUR), 7 * HOUR);
	sla_change(&k, &terms, &day_terms, T0 + 20 * HOUR);
	assert_int_equal(k.due_ms, T0 + 23 * HOUR);
}

static void told_once_and_in_order(void **state)
{
	struct sla_clock k = started(&day_terms);
	struct sla_event e;

	(void)state;
	assert_true(sla_next(&k, &day_terms, &e));
	assert_int_equal(e.percent, 75);
	assert_int_equal(e.at_ms, T0 + 7 * HOUR + HOUR / 2);
	assert_false(sla_take(&k, &day_terms, e.at_ms - 1, &e));
	assert_true(sla_take(&k, &day_terms, T0 + 7 * HOUR + HOUR / 2, &e));
	assert_false(sla_take(&k, &day_terms, T0 + 7 * HOUR + HOUR / 2, &e));
	/* late: both at once, each once */
	assert_true(sla_take(&k, &day_terms, T0 + 20 * HOUR, &e));
	assert_int_equal(e.percent, 90);
	assert_int_equal(e.at_ms, T0 + 9 * HOUR);
	assert_true(sla_take(&k, &day_terms, T0 + 20 * HOUR, &e));
	assert_int_equal(e.percent, SLA_TOLD_BREACH);
	assert_int_equal(e.at_ms, T0 + 10 * HOUR + 1);
	assert_int_equal(k.breached_ms, T0 + 10 * HOUR);
	assert_false(sla_take(&k, &day_terms, T0 + 20 * HOUR, &e));
	assert_false(sla_next(&k, &day_terms, &e));
	/* still nothing after a stop and a reopening */
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 21 * HOUR);
	sla_apply(&k, SLA_REOPEN, &day_terms, T0 + 22 * HOUR);
	assert_false(sla_next(&k, &day_terms, &e));
}

static void at_due_nothing_is_breached_yet(void **state)
{
	struct sla_clock k = started(&day_terms);
	struct sla_event e;

	(void)state;
	k.told = 90;
	assert_false(sla_take(&k, &day_terms, T0 + 10 * HOUR, &e));
	assert_true(sla_take(&k, &day_terms, T0 + 10 * HOUR + 1, &e));
}

/* A reply that comes late, but before the timer was looked at. */
static void breach_found_by_stop_is_told(void **state)
{
	struct sla_clock k = started(&day_terms);
	struct sla_event e;

	(void)state;
	k.told = 75;
	sla_apply(&k, SLA_STOP, &day_terms, T0 + 11 * HOUR);
	assert_true(sla_take(&k, &day_terms, T0 + 11 * HOUR, &e));
	assert_int_equal(e.percent, SLA_TOLD_BREACH);
	assert_int_equal(e.at_ms, T0 + 10 * HOUR);
	assert_false(sla_take(&k, &day_terms, T0 + 11 * HOUR, &e));
}

static void warnings_move_with_pause_and_change(void **state)
{
	struct sla_clock k = started(&day_terms);
	struct sla_terms terms = day_terms;
	struct sla_event e;

	(void)state;
	sla_apply(&k, SLA_PAUSE, &day_terms, T0 + 7 * HOUR);
	sla_apply(&k, SLA_RESUME, &day_terms, T0 + 17 * HOUR);
	assert_true(sla_next(&k, &day_terms, &e));
	assert_int_equal(e.at_ms, T0 + 17 * HOUR + HOUR / 2);
	terms.target_ms = 9 * HOUR; /* 75% lies behind us: at the change, not before */
	sla_change(&k, &day_terms, &terms, T0 + 17 * HOUR);
	assert_true(sla_next(&k, &terms, &e));
	assert_int_equal(e.percent, 75);
	assert_int_equal(e.at_ms, T0 + 17 * HOUR);
}

static void warning_is_rounded_up(void **state)
{
	struct sla_terms terms = {
		.target_ms = 10, .calendar = &calendar_24x7, .warnings = 1, .warn = { 33 }
	};
	struct sla_clock k = started(&terms);
	struct sla_event e;

	(void)state;
	assert_true(sla_next(&k, &terms, &e));
	assert_int_equal(e.at_ms, T0 + 4);
}

static void never_due(void **state)
{
	static const struct calendar closed = { 0 };
	struct sla_terms terms = {
		.target_ms = HOUR, .calendar = &closed, .warnings = 1, .warn = { 75 }
	};
	struct sla_clock k = started(&terms);
	struct sla_event e;

	(void)state;
	assert_int_equal(k.due_ms, SLA_NEVER);
	assert_false(sla_next(&k, &terms, &e));
	sla_apply(&k, SLA_STOP, &terms, T0 + 10000 * HOUR);
	assert_int_equal(k.state, SLA_MET);
}

/* A clock that jumped back costs nothing and breaks nothing. */
static void time_going_backwards(void **state)
{
	struct sla_clock k = started(&day_terms);

	(void)state;
	sla_apply(&k, SLA_PAUSE, &day_terms, T0 - 5 * HOUR);
	assert_int_equal(k.used_ms, 0);
	sla_apply(&k, SLA_RESUME, &day_terms, T0 - 4 * HOUR);
	assert_int_equal(k.due_ms, T0 + 10 * HOUR);
}

static void actions_of_happenings(void **state)
{
	static const struct {
		enum sla_happening what;
		const char *status;
		enum sla_action
			expect[SLA_METRIC_COUNT]; /* first, next response, update, resolution */
	} cases[] = {
		{ SLA_CREATED_BY_CUSTOMER, "open", { SLA_START, SLA_START, SLA_START, SLA_START } },
		{ SLA_CREATED_BY_AGENT, "open", { SLA_KEEP, SLA_KEEP, SLA_START, SLA_START } },
		{ SLA_CUSTOMER_MESSAGE, "open", { SLA_START, SLA_RENEW, SLA_KEEP, SLA_KEEP } },
		{ SLA_AGENT_REPLY, "in_progress", { SLA_STOP, SLA_STOP, SLA_CYCLE, SLA_KEEP } },
		{ SLA_AGENT_REPLY, "resolved", { SLA_STOP, SLA_STOP, SLA_CYCLE, SLA_KEEP } },
		{ SLA_AGENT_REPLY, "closed", { SLA_STOP, SLA_STOP, SLA_KEEP, SLA_KEEP } },
		{ SLA_RESTARTED, "reopened", { SLA_RESUME, SLA_RESUME, SLA_CYCLE, SLA_CYCLE } },
		{ SLA_STATUS_CHANGED,
		  "in_progress",
		  { SLA_RESUME, SLA_RESUME, SLA_REOPEN, SLA_REOPEN } },
		{ SLA_STATUS_CHANGED,
		  "reopened",
		  { SLA_RESUME, SLA_RESUME, SLA_REOPEN, SLA_REOPEN } },
		{ SLA_STATUS_CHANGED, "resolved", { SLA_PAUSE, SLA_PAUSE, SLA_PAUSE, SLA_PAUSE } },
		{ SLA_STATUS_CHANGED, "closed", { SLA_PAUSE, SLA_PAUSE, SLA_STOP, SLA_STOP } },
		{ SLA_STATUS_CHANGED, "pending", { SLA_RESUME, SLA_RESUME, SLA_PAUSE, SLA_PAUSE } },
	};
	static const struct workflow_status statuses[] = {
		{ "open", PHASE_ACTIVE, false },       { "in_progress", PHASE_ACTIVE, false },
		{ "pending", PHASE_WAITING, false },   { "reopened", PHASE_ACTIVE, false },
		{ "resolved", PHASE_RESOLVED, false }, { "closed", PHASE_CLOSED, false },
	};
	const struct rec_strs none = { 0 };
	const struct rec_strs pending = { 1, (const char *[]){ "pending" } };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		for (size_t m = 0; m < SLA_METRIC_COUNT; m++) {
			const struct workflow_status *s = statuses;

			while (strcmp(s->name, cases[i].status) != 0)
				s++;
			assert_int_equal(sla_action((enum sla_metric)m, cases[i].what, s,
						    m == SLA_RESOLUTION || m == SLA_UPDATE
							    ? &pending
							    : &none),
					 cases[i].expect[m]);
		}
	/* what waits need not pause, and what pauses need not wait */
	assert_int_equal(sla_action(SLA_RESOLUTION, SLA_STATUS_CHANGED, &statuses[2], &none),
			 SLA_REOPEN);
}

#define LIST(...)                                                                    \
	{                                                                            \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *), \
		.v = (const char *[])                                                \
		{                                                                    \
			__VA_ARGS__                                                  \
		}                                                                    \
	}

static void first_policy_that_matches(void **state)
{
	const struct sla_policy policies[] = {
		{ .name = "vip",
		  .match = { [SLA_BY_TAG] = LIST("vip", "gold"),
			     [SLA_BY_MAILBOX] = LIST("support") } },
		{ .name = "urgent", .match = { [SLA_BY_PRIORITY] = LIST("critical") } },
		{ .name = "support", .match = { [SLA_BY_MAILBOX] = LIST("support") } },
	};
	const struct {
		struct rec_strs ticket[SLA_FIELD_COUNT];
		const char *expect;
	} cases[] = {
		{ { [SLA_BY_MAILBOX] = LIST("support"), [SLA_BY_TAG] = LIST("red", "gold") },
		  "vip" },
		{ { [SLA_BY_MAILBOX] = LIST("sales"), [SLA_BY_TAG] = LIST("vip") }, NULL },
		{ { [SLA_BY_MAILBOX] = LIST("support"), [SLA_BY_PRIORITY] = LIST("critical") },
		  "urgent" },
		{ { [SLA_BY_MAILBOX] = LIST("support") }, "support" },
		{ { [SLA_BY_MAILBOX] = LIST("sales") }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const struct sla_policy *p = sla_policy_find(policies, 3, cases[i].ticket);

		if (!cases[i].expect)
			assert_null(p);
		else
			assert_string_equal(p->name, cases[i].expect);
	}
}

static void terms_of_a_policy(void **state)
{
	const struct sla_policy p = {
		.goal = { [SLA_RESOLUTION] = { .target_ms = { 0, 5, 3, 1 },
					       .calendar = &calendar_24x7,
					       .warnings = 1,
					       .warn = { 50 } } },
	};
	struct sla_terms t;

	(void)state;
	assert_false(sla_policy_terms(&p, SLA_RESOLUTION, 0, &t));
	assert_false(sla_policy_terms(&p, SLA_FIRST_RESPONSE, 1, &t));
	assert_false(sla_policy_terms(&p, SLA_RESOLUTION, 4, &t));
	assert_true(sla_policy_terms(&p, SLA_RESOLUTION, 3, &t));
	assert_int_equal(t.target_ms, 1);
	assert_ptr_equal(t.calendar, &calendar_24x7);
	assert_int_equal(t.warnings, 1);
	assert_int_equal(t.warn[0], 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_lays_due),
		cmocka_unit_test(met_at_due_and_breached_after),
		cmocka_unit_test(pause_keeps_the_rest),
		cmocka_unit_test(stopped_while_paused),
		cmocka_unit_test(reopened_goes_on_with_the_rest),
		cmocka_unit_test(renewed_is_a_new_cycle),
		cmocka_unit_test(every_action_in_every_state),
		cmocka_unit_test(change_of_target),
		cmocka_unit_test(change_while_paused_or_stopped),
		cmocka_unit_test(change_of_calendar),
		cmocka_unit_test(told_once_and_in_order),
		cmocka_unit_test(at_due_nothing_is_breached_yet),
		cmocka_unit_test(breach_found_by_stop_is_told),
		cmocka_unit_test(warnings_move_with_pause_and_change),
		cmocka_unit_test(warning_is_rounded_up),
		cmocka_unit_test(never_due),
		cmocka_unit_test(time_going_backwards),
		cmocka_unit_test(actions_of_happenings),
		cmocka_unit_test(first_policy_that_matches),
		cmocka_unit_test(terms_of_a_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

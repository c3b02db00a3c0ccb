#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/desk/escalation.h>
#include <stdio.h>
#include <string.h>

/* Times are hours since T0, a Monday, 00:00 UTC. */
#define HOUR INT64_C(3600000)
#define T0 (INT64_C(20514) * 24 * HOUR)
#define AT(hours) (T0 + (int64_t)((hours)*3600) * 1000)

static const struct sla_terms all_day = { .target_ms = 10 * HOUR, .calendar = &calendar_24x7 };
static struct calendar office; /* Mondays and Tuesdays, 09:00 to 17:00 */

static const struct escalation_steps ladder = {
	1, { { SLA_RESOLUTION, .after_ms = 0, .every_ms = 2 * HOUR, .times = 3 } }
};

static struct sla_clock started(const struct sla_terms *terms, double hours)
{
	struct sla_clock k = { 0 };

	sla_apply(&k, SLA_START, terms, AT(hours));
	return k;
}

/* "step first-last done; ..." of what is taken now */
static const char *take(struct sla_clock *k, const struct sla_terms *terms,
			const struct escalation_steps *steps, int64_t now_ms)
{
	static char text[400];
	struct escalation_taken t[ESCALATION_STEPS];
	size_t n = escalation_take(k, terms, steps, SLA_RESOLUTION, now_ms, t), len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%zu %d-%d %s",
					i ? "; " : "", t[i].step, t[i].first, t[i].last,
					t[i].is_done ? "done" : "missed");
	return text;
}
#define TAKE(k, terms, steps, now, text) assert_string_equal(take(k, terms, steps, now), text)

static int64_t next(const struct sla_clock *k, const struct sla_terms *terms,
		    const struct escalation_steps *steps)
{
	int64_t at;

	return escalation_next(k, terms, steps, SLA_RESOLUTION, &at) ? at : -1;
}

static void each_rung_once(void **state)
{
	struct sla_clock k = started(&all_day, 0);

	(void)state;
	assert_int_equal(next(&k, &all_day, &ladder), AT(10) + 1);
	TAKE(&k, &all_day, &ladder, AT(10), "");
	TAKE(&k, &all_day, &ladder, AT(10) + 1, "0 1-1 done");
	TAKE(&k, &all_day, &ladder, AT(11), "");
	assert_int_equal(next(&k, &all_day, &ladder), AT(12));
	TAKE(&k, &all_day, &ladder, AT(12) - 1, "");
	TAKE(&k, &all_day, &ladder, AT(12), "0 2-2 done");
	TAKE(&k, &all_day, &ladder, AT(14), "0 3-3 done");
	assert_int_equal(next(&k, &all_day, &ladder), -1);
	TAKE(&k, &all_day, &ladder, AT(1000), "");
}

static void only_the_latest_after_a_long_time(void **state)
{
	static const struct escalation_steps several = {
		4,
		{ { SLA_RESOLUTION, .after_ms = 0, .every_ms = 2 * HOUR, .times = 3 },
		  { SLA_UPDATE, .after_ms = 0, .times = 1 },
		  { SLA_RESOLUTION, .after_ms = 4 * HOUR, .times = 1 },
		  { SLA_RESOLUTION, .after_ms = 40 * HOUR, .every_ms = HOUR, .times = 100 } }
	};
	struct sla_clock k = started(&all_day, 0);

	(void)state;
	TAKE(&k, &all_day, &several, AT(13), "0 1-2 done");
	/* two at the same instant are both the latest */
	TAKE(&k, &all_day, &several, AT(20), "0 3-3 done; 2 1-1 done");
	k = started(&all_day, 0);
	TAKE(&k, &all_day, &several, AT(500), "0 1-3 missed; 2 1-1 missed; 3 1-100 done");
	assert_int_equal(next(&k, &all_day, &several), -1);
}

static void clocks_that_do_not_run(void **state)
{
	struct sla_clock k = { 0 };

	(void)state;
	TAKE(&k, &all_day, &ladder, AT(500), "");
	k = started(&all_day, 0);
	sla_apply(&k, SLA_STOP, &all_day, AT(11));
	TAKE(&k, &all_day, &ladder, AT(500), "");
	/* a pause moves what is to come */
	k = started(&all_day, 0);
	TAKE(&k, &all_day, &ladder, AT(11), "0 1-1 done");
	sla_apply(&k, SLA_PAUSE, &all_day, AT(11));
	assert_int_equal(next(&k, &all_day, &ladder), -1);
	TAKE(&k, &all_day, &ladder, AT(50), "");
	sla_apply(&k, SLA_RESUME, &all_day, AT(50));
	assert_int_equal(next(&k, &all_day, &ladder), AT(51));
	TAKE(&k, &all_day, &ladder, AT(51), "0 2-2 done");
}

static void open_time_and_real_time(void **state)
{
	const struct sla_terms terms = { .target_ms = 7 * HOUR, .calendar = &office };
	const struct escalation_steps both = {
		2,
		{ { SLA_RESOLUTION, .after_ms = HOUR, .every_ms = 2 * HOUR, .times = 2 },
		  { SLA_RESOLUTION, .after_ms = HOUR, .every_ms = 2 * HOUR, .times = 2,
		    .real = true } }
	};
	struct sla_clock k = started(&terms, 9); /* due Monday 16:00 */

	(void)state;
	TAKE(&k, &terms, &both, AT(17), "0 1-1 done; 1 1-1 done");
	assert_int_equal(next(&k, &terms, &both), AT(19));
	TAKE(&k, &terms, &both, AT(19), "1 2-2 done");
	assert_int_equal(next(&k, &terms, &both), AT(24 + 11));
	TAKE(&k, &terms, &both, AT(24 + 11), "0 2-2 done");
}

static void another_target(void **state)
{
	struct sla_terms longer = all_day, shorter = all_day;
	struct sla_clock k = started(&all_day, 0);

	(void)state;
	longer.target_ms = 20 * HOUR;
	shorter.target_ms = 2 * HOUR;
	/* nothing is left: due is the moment of the change, and no rung is older than that */
	sla_change(&k, &all_day, &shorter, AT(7));
	assert_int_equal(next(&k, &shorter, &ladder), AT(7) + 1);
	TAKE(&k, &shorter, &ladder, AT(8), "0 1-1 done");
	/* once late, a shorter target moves nothing */
	k = started(&all_day, 0);
	TAKE(&k, &all_day, &ladder, AT(11), "0 1-1 done");
	sla_change(&k, &all_day, &shorter, AT(11));
	assert_int_equal(next(&k, &shorter, &ladder), AT(12));
	/* a longer one does */
	sla_change(&k, &shorter, &longer, AT(11));
	assert_int_equal(next(&k, &longer, &ladder), AT(22));
}

static int setup(void **state)
{
	const char *hours[] = { "09:00-17:00" };

	(void)state;
	return calendar_set_hours(&office, "mon", hours, 1, NULL) ||
	       calendar_set_hours(&office, "tue", hours, 1, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rung_once),
		cmocka_unit_test(only_the_latest_after_a_long_time),
		cmocka_unit_test(clocks_that_do_not_run),
		cmocka_unit_test(open_time_and_real_time),
		cmocka_unit_test(another_target),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

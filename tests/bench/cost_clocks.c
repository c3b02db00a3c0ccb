/* What service levels cost: a clock laid, asked for its next timer and for what is used, paused,
 *gone on with another target and stopped, by office hours in Berlin; and a warning that is told,
 *out of so many timers that wait.
 *
 *	cost_clocks TIMERS	prints {"clocks_per_second", "fire_us": among TIMERS,
 *				"fire_few_us": among a thousand} */
#include "../unit/app/desk_fixture.h"

#include <maildesk/app/zone.h>
#include <maildesk/desk/sla.h>

#include <sqlite3.h>
#include <time.h>

enum { CLOCKS = 20000, TICKETS = 300, FEW = 1000 };

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double clocks_per_second(void)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri" };
	static const char *const windows[] = { "09:00-12:30", "13:15-17:00" };
	md_auto(calendar_done) struct calendar office = { 0 };
	struct sla_terms terms = {
		.target_ms = 24 * HOUR, .calendar = &office, .warnings = 2, .warn = { 75, 90 }
	};
	struct sla_terms longer = terms;
	int64_t sum = 0;
	double begun;

	OK(zone_load("Europe/Berlin", &office, &err));
	for (size_t i = 0; i < MD_COUNT(days); i++)
		OK(calendar_set_hours(&office, days[i], windows, 2, &err));
	OK(calendar_add_holiday(&office, "2026-04-03", &err));
	OK(calendar_add_holiday(&office, "2026-04-06", &err));
	longer.target_ms = 40 * HOUR;
	begun = cpu_us();
	for (int i = 0; i < CLOCKS; i++) {
		int64_t t = MONDAY_9 + i * (int64_t)1234567;
		struct sla_clock k = { 0 };
		struct sla_event e;

		sla_apply(&k, SLA_START, &terms, t);
		sum += sla_next(&k, &terms, &e) ? e.at_ms : 0;
		sla_apply(&k, SLA_PAUSE, &terms, t + 5 * HOUR);
		sla_apply(&k, SLA_RESUME, &terms, t + 3 * DAY);
		sla_change(&k, &terms, &longer, t + 4 * DAY);
		sum += sla_used(&k, &longer, t + 5 * DAY);
		sla_apply(&k, SLA_STOP, &longer, t + 6 * DAY);
		sum += k.due_ms;
	}
	assert_true(sum != 0);
	return CLOCKS / (cpu_us() - begun) * 1e6;
}

/* So many timers for years to come. */
static void fill(struct fixture *f, long long timers)
{
	const char *sql = arena_printf(
		&f->arena,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
		" INSERT INTO timers (due_at, kind, ticket_id) SELECT %lld + i * 7919 %% 1000003 * "
		"1000,"
		" 'auto_close', 1 FROM n",
		timers, (long long)(MONDAY_9 + 3000 * DAY));
	char path[200], *why = NULL;
	sqlite3 *db = NULL;

	snprintf(path, sizeof path, "%s/desk.db", f->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

/* One warning after the other is due, each of another ticket. */
static double fire_us(long long timers)
{
	struct fixture f;
	int64_t due[TICKETS];
	double spent = 0, begun;

	fixture_open(&f, "sla \"s\" { resolution { medium = 400h } warn = {50} }\n"
			 "limits { auto_desk_hour = 0 }\n");
	for (int i = 0; i < TICKETS; i++) {
		fixture_now += MINUTE;
		due[i] = fixture_now + 200 * HOUR;
		create(&f, f.carol, f.carol, "Printer on fire");
	}
	fixture_now = due[0] - 1;
	fill(&f, timers);
	for (int i = 0; i < TICKETS; i++) {
		begun = cpu_us();
		if (tick(&f, due[i]) != 1)
			fail_msg("other timers were due");
		spent += cpu_us() - begun;
	}
	fixture_close(&f);
	return spent / TICKETS;
}

int main(int argc, char **argv)
{
	long long timers = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
	double few;

	if (timers < FEW) {
		fputs("usage: cost_clocks TIMERS\n", stderr);
		return 64;
	}
	few = fire_us(FEW);
	printf("{\"clocks_per_second\": %.0f, \"fire_us\": %.1f, \"fire_few_us\": %.1f}\n",
	       clocks_per_second(), fire_us(timers), few);
	return 0;
}

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/when.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MONDAY_10 INT64_C(1772445600000) /* 2026-03-02T10:00:00Z */

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: none */
	} cases[] = {
		{ "15m", 15 * MINUTE },
		{ "1h30m", 90 * MINUTE },
		{ "1h 30m", 90 * MINUTE },
		{ "1w2d", 9 * DAY },
		{ "3D", 3 * DAY },
		{ "-15m", -15 * MINUTE },
		{ "", -1 },
		{ "-", -1 },
		{ "15", -1 },
		{ "m", -1 },
		{ "30m1h", -1 },
		{ "1h1h", -1 },
		{ "15 minutes", -1 },
		{ "9999999m", -1 },
		{ "99999d", -1 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int64_t ms = -1;

		if (when_duration(cases[i].text, &ms) != (cases[i].ms != -1) || ms != cases[i].ms)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
	}
}

static void instants(void **state)
{
	static const struct {
		const char *text, *at; /* NULL: none */
	} cases[] = {
		{ "3d", "2026-03-05T10:00:00Z" },
		{ "4h", "2026-03-02T14:00:00Z" },
		{ "today 18:30", "2026-03-02T18:30:00Z" },
		{ "tomorrow", "2026-03-03T09:00:00Z" },
		{ "Friday", "2026-03-06T09:00:00Z" },
		{ "fri 14:00", "2026-03-06T14:00:00Z" },
		{ "monday", "2026-03-09T09:00:00Z" },
		{ "sun", "2026-03-08T09:00:00Z" },
		{ "2027-03-01", "2027-03-01T09:00:00Z" },
		{ "2027-03-01 14:05", "2027-03-01T14:05:00Z" },
		{ "2027-03-01T14:05", "2027-03-01T14:05:00Z" },
		{ "2027-03-01T14:05:00+01:00", "2027-03-01T13:05:00Z" },
		{ "2027-02-29", NULL },
		{ "2027-3-1", NULL },
		{ "2027-03-01 24:00", NULL },
		{ "2027-03-01 14", NULL },
		{ "tomorrowish", NULL },
		{ "fridays", NULL },
		{ "next week", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		char text[TIME_TEXT_MAX];
		int64_t ms;
		bool is = when_instant(cases[i].text, NULL, MONDAY_10, &ms);

		if (is != (cases[i].at != NULL))
			fail_msg("%s: %d", cases[i].text, is);
		if (is)
			assert_string_equal(time_format(ms, 0, text), cases[i].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(instants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

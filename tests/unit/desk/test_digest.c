#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tzif.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/digest.h>

static void full_hours_and_mornings(void **state)
{
	static const struct {
		const char *zone, *now, *hourly, *daily;
	} cases[] = {
		{ "UTC", "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", "2026-03-03T08:00:00Z" },
		{ "UTC", "2026-03-02T07:59:59Z", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z" },
		{ "UTC", "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", "2026-03-03T08:00:00Z" },
		{ "Europe/Berlin", "2026-03-02T06:30:00Z", "2026-03-02T07:00:00Z",
		  "2026-03-02T07:00:00Z" },
		{ "America/New_York", "2026-03-02T12:30:00Z", "2026-03-02T13:00:00Z",
		  "2026-03-02T13:00:00Z" },
		/* full hours that are no full hours of UTC */
		{ "Asia/Kolkata", "2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z",
		  "2026-03-03T02:30:00Z" },
		{ "Asia/Kathmandu", "2026-03-02T09:00:00Z", "2026-03-02T09:15:00Z",
		  "2026-03-03T02:15:00Z" },
		/* an hour that does not exist, one that comes twice: half of one, too */
		{ "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z",
		  "2026-03-29T06:00:00Z" },
		{ "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z",
		  "2026-10-25T07:00:00Z" },
		{ "Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-04T15:30:00Z",
		  "2026-04-04T21:30:00Z" },
		{ "Australia/Lord_Howe", "2026-10-03T15:10:00Z", "2026-10-03T16:00:00Z",
		  "2026-10-03T21:00:00Z" },
		/* the day that Samoa did not have */
		{ "Pacific/Apia", "2011-12-30T09:30:00Z", "2011-12-30T10:00:00Z",
		  "2011-12-30T18:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		uint8_t bytes[TZIF_MAX];
		md_auto(tz_free_p) struct tz *tz = NULL;
		int64_t now, hourly, daily;
		struct md_err err = { 0 };

		assert_int_equal(tz_parse(bytes, tzif_system(cases[i].zone, bytes), &tz, &err),
				 MD_OK);
		assert_int_equal(time_parse(cases[i].now, &now), MD_OK);
		assert_int_equal(time_parse(cases[i].hourly, &hourly), MD_OK);
		assert_int_equal(time_parse(cases[i].daily, &daily), MD_OK);
		if (digest_due(DIGEST_HOURLY, tz, now) != hourly ||
		    digest_due(DIGEST_OFF, tz, now) != hourly)
			fail_msg("%s %s: %+lld min", cases[i].zone, cases[i].now,
				 (long long)(digest_due(DIGEST_HOURLY, tz, now) - hourly) / 60000);
		if (digest_due(DIGEST_DAILY, tz, now) != daily)
			fail_msg("%s %s daily: %+lld min", cases[i].zone, cases[i].now,
				 (long long)(digest_due(DIGEST_DAILY, tz, now) - daily) / 60000);
	}
}

static void names(void **state)
{
	(void)state;
	assert_int_equal(digest_from_name("hourly"), DIGEST_HOURLY);
	assert_int_equal(digest_from_name("daily"), DIGEST_DAILY);
	assert_int_equal(digest_from_name("weekly"), DIGEST_OFF);
	assert_int_equal(digest_from_name(NULL), DIGEST_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_hours_and_mornings),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

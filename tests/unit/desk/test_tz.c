#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/desk/tz.h>

#include "tzif.h"

static int64_t seconds(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(text, &ms), MD_OK);
	return ms / 1000;
}

/* A copy of exact size, so that the sanitizer sees a read past the end. */
static int parse_exact(const uint8_t *bytes, size_t n, struct tz **ret)
{
	uint8_t *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, bytes, n);
	rc = tz_parse(copy, n, ret, NULL);
	free(copy);
	return rc;
}

/* Independent values, from another implementation of RFC 8536 on the same zones. */
static const char *const noons[] = { "1900-01-01T12:00:00Z", "1950-07-01T12:00:00Z",
				     "2011-12-30T12:00:00Z", "2026-01-15T12:00:00Z",
				     "2026-07-15T12:00:00Z", "2050-01-15T12:00:00Z",
				     "2099-07-15T12:00:00Z" };
static const struct {
	const char *zone;
	int offset[7];
} zones[] = {
	{ "Europe/Berlin", { 3600, 3600, 3600, 3600, 7200, 3600, 7200 } },
	{ "Europe/London", { 0, 3600, 0, 0, 3600, 0, 3600 } },
	{ "Europe/Dublin", { -1521, 3600, 0, 0, 3600, 0, 3600 } },
	{ "America/New_York", { -18000, -14400, -18000, -18000, -14400, -18000, -14400 } },
	{ "America/St_Johns", { -12652, -9000, -12600, -12600, -9000, -12600, -9000 } },
	{ "America/Santiago", { -16965, -14400, -10800, -10800, -14400, -10800, -14400 } },
	{ "America/Sao_Paulo", { -11188, -10800, -7200, -10800, -10800, -10800, -10800 } },
	{ "Africa/Casablanca", { -1820, 3600, 0, 3600, 3600, 3600, 3600 } },
	{ "Asia/Kolkata", { 19270, 19800, 19800, 19800, 19800, 19800, 19800 } },
	{ "Asia/Kathmandu", { 20476, 19800, 20700, 20700, 20700, 20700, 20700 } },
	{ "Australia/Lord_Howe", { 36000, 36000, 39600, 39600, 37800, 39600, 37800 } },
	{ "Pacific/Chatham", { 44100, 45900, 49500, 49500, 45900, 49500, 45900 } },
	{ "Pacific/Apia", { -41216, -39600, 50400, 46800, 46800, 46800, 46800 } },
};

static void offsets_of_real_zones(void **state)
{
	static uint8_t bytes[TZIF_MAX];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(zones); i++) {
		md_auto(tz_free_p) struct tz *tz = NULL;
		size_t n = tzif_system(zones[i].zone, bytes);

		assert_int_equal(parse_exact(bytes, n, &tz), MD_OK);
		for (size_t j = 0; j < MD_COUNT(noons); j++)
			if (tz_offset(tz, seconds(noons[j]), NULL) != zones[i].offset[j])
				fail_msg("%s at %s: %d, not %d", zones[i].zone, noons[j],
					 tz_offset(tz, seconds(noons[j]), NULL),
					 zones[i].offset[j]);
	}
}

/* Before the year's first change, the two changes and what follows them. */
static const struct {
	const char *footer;
	int before;
	const char *first;
	int summer;
	const char *second;
	int after;
} footers[] = {
	{ "EST5EDT,M3.2.0,M11.1.0", -18000, "2028-03-12T07:00:00Z", -14400, "2028-11-05T06:00:00Z",
	  -18000 },
	{ "EST5EDT,M3.2.0,M11.1.0", -18000, "2400-03-12T07:00:00Z", -14400, "2400-11-05T06:00:00Z",
	  -18000 },
	/* summer is standard time, winter is one hour less */
	{ "IST-1GMT0,M10.5.0,M3.5.0/1", 0, "2027-03-28T01:00:00Z", 3600, "2027-10-31T01:00:00Z",
	  0 },
	/* times before midnight of the day named, quoted names */
	{ "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", -10800, "2027-03-28T01:00:00Z", -7200,
	  "2027-10-31T01:00:00Z", -10800 },
	/* the southern half: summer over new year */
	{ "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", 49500, "2028-04-01T14:00:00Z", 45900,
	  "2028-09-23T14:00:00Z", 49500 },
	/* J60 is 1 March in leap years too, 59 is 29 February then */
	{ "AAA4BBB,J60,J300", -14400, "2027-03-01T06:00:00Z", -10800, "2027-10-27T05:00:00Z",
	  -14400 },
	{ "AAA4BBB,J60,J300", -14400, "2028-03-01T06:00:00Z", -10800, "2028-10-27T05:00:00Z",
	  -14400 },
	{ "AAA4BBB3:30,59/0,300/26", -14400, "2028-02-29T04:00:00Z", -12600, "2028-10-28T05:30:00Z",
	  -14400 },
	{ "EET-2EEST,M3.4.4/50,M10.4.4/50", 7200, "2027-03-27T00:00:00Z", 10800,
	  "2027-10-29T23:00:00Z", 7200 },
};

static struct tz *from_footer(const char *footer)
{
	static uint8_t bytes[TZIF_MAX];
	struct tz *tz = NULL;

	if (parse_exact(bytes, tzif_footer(footer, bytes), &tz) != MD_OK)
		return NULL;
	return tz;
}

static void footer_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(footers); i++) {
		md_auto(tz_free_p) struct tz *tz = from_footer(footers[i].footer);
		int64_t first = seconds(footers[i].first), second = seconds(footers[i].second);
		int64_t until;

		assert_non_null(tz);
		assert_int_equal(tz_offset(tz, first - 1, &until), footers[i].before);
		assert_int_equal(until, first);
		assert_int_equal(tz_offset(tz, first, &until), footers[i].summer);
		assert_int_equal(until, second);
		assert_int_equal(tz_offset(tz, second - 1, NULL), footers[i].summer);
		assert_int_equal(tz_offset(tz, second, NULL), footers[i].after);
	}
}

static void footer_without_changes(void **state)
{
	md_auto(tz_free_p) struct tz *fixed = from_footer("<+0545>-5:45");
	md_auto(tz_free_p) struct tz *always_summer = from_footer("XXX3EDT4,0/0,J365/23");
	int64_t until;

	(void)state;
	assert_int_equal(tz_offset(fixed, 0, &until), 20700);
	assert_true(until == TZ_FOREVER);
	for (int64_t t = seconds("2027-12-30T00:00:00Z"); t < seconds("2028-01-03T00:00:00Z");
	     t += 900)
		assert_int_equal(tz_offset(always_summer, t, NULL), -14400);
}

static void bad_footers(void **state)
{
	static const char *const bad[] = {
		"X",
		"EST",
		"EST25",
		"EST5EDT",
		"<EST5",
		"EST5EDT,",
		"EST5EDT,M3.2.0",
		"EST5EDT,M0.2.0,M11.1.0",
		"EST5:60",
		"EST5EDT,M3.6.0,M11.1.0",
		"EST5EDT,M3.2.7,M11.1.0",
		"EST5EDT,J0,J5",
		"EST5EDT,366,5",
		"EST5EDT,M3.2.0/168,M11.1.0",
		"EST5EDT,M3.2.0,M11.1.0x",
		",M3.2.0,M11.1.0",
		"EST5EDT,M3,M4",
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(bad); i++) {
		md_auto(tz_free_p) struct tz *tz = from_footer(bad[i]);

		if (tz)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void utc_without_zone(void **state)
{
	int64_t until;

	(void)state;
	assert_int_equal(tz_offset(NULL, 12345, &until), 0);
	assert_true(until == TZ_FOREVER);
}

static void cut_short_is_refused(void **state)
{
	static uint8_t bytes[TZIF_MAX];
	size_t n = tzif_system("Europe/Berlin", bytes);

	(void)state;
	assert_true(n > 100);
	for (size_t i = 0; i < n; i++) {
		struct tz *tz = NULL;

		if (parse_exact(bytes, i, &tz) != MD_INPUT)
			fail_msg("accepted when cut to %zu of %zu bytes", i, n);
	}
}

/* Nothing to compare with: the sanitizers watch, and the cuts of the time line must go forward. */
static void damaged_bytes_do_no_harm(void **state)
{
	static uint8_t bytes[TZIF_MAX];
	size_t n = tzif_system("Africa/Casablanca", bytes);
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		md_auto(tz_free_p) struct tz *tz = NULL;
		size_t at;
		uint8_t old;

		random = random * 1664525 + 1013904223;
		at = round % 4 ? (random >> 8) % n : (random >> 8) % 90;
		old = bytes[at];
		bytes[at] = (uint8_t)(random >> 3);
		if (parse_exact(bytes, n, &tz) == MD_OK) {
			int64_t until = INT64_C(-10000000000);

			for (int i = 0; i < 300 && until < TZ_FOREVER; i++) {
				int64_t t = until;

				tz_offset(tz, t, &until);
				assert_true(until > t);
			}
		}
		bytes[at] = old;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_of_real_zones),    cmocka_unit_test(footer_rules),
		cmocka_unit_test(footer_without_changes),   cmocka_unit_test(bad_footers),
		cmocka_unit_test(utc_without_zone),         cmocka_unit_test(cut_short_is_refused),
		cmocka_unit_test(damaged_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

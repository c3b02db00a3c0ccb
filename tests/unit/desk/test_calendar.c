#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/desk/calendar.h>

#include "tzif.h"

#define MINUTE_MS INT64_C(60000)
static const char *const weekdays[7] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int64_t ms(const char *text)
{
	int64_t value = 0;

	assert_int_equal(time_parse(text, &value), MD_OK);
	return value;
}

static void set_zone(struct calendar *c, const char *zone)
{
	static uint8_t bytes[TZIF_MAX];
	size_t n = tzif_system(zone, bytes);
	struct md_err err = { 0 };

	if (calendar_set_zone(c, bytes, n, &err) != MD_OK)
		fail_msg("%s: %s", zone, err.text);
}

/* "09:00-12:00 13:00-17:00" on the weekdays first..last */
static int set_hours(struct calendar *c, int first, int last, const char *windows)
{
	char text[200];
	const char *list[30];
	size_t n = 0;
	int rc = MD_OK;

	snprintf(text, sizeof text, "%s", windows);
	for (char *save, *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		list[n++] = w;
	for (int day = first; day <= last && rc == MD_OK; day++)
		rc = calendar_set_hours(c, weekdays[day], list, n, NULL);
	return rc;
}

static const char *due(const struct calendar *c, const char *start, int64_t minutes)
{
	static char text[TIME_TEXT_MAX];
	int64_t at;

	if (!calendar_add(c, ms(start), minutes * MINUTE_MS, &at))
		return "none";
	/* The other direction agrees: all of the target is used at due, not a bit more. */
	assert_int_equal(calendar_used(c, ms(start), at), minutes * MINUTE_MS);
	return time_format(at, 0, text);
}

/* Weekly hours on both sides of midnight and of the usual changes of the clock; the values come
 * from an independent program that steps through the minutes. */
static const struct {
	const char *zone, *start;
	int minutes;
	const char *due;
} zones[] = {
	{ "Europe/Berlin", "2026-03-28T18:29:00Z", 508, "2026-03-30T10:13:00Z" },
	{ "Europe/Berlin", "2026-10-24T17:16:00Z", 298, "2026-10-26T00:28:00Z" },
	{ "Europe/Berlin", "2051-03-25T22:46:00Z", 1297, "2051-03-28T13:23:00Z" },
	{ "Europe/London", "2026-03-28T14:04:00Z", 318, "2026-03-30T02:03:00Z" },
	{ "Europe/London", "2026-10-24T15:21:00Z", 639, "2026-10-26T13:09:00Z" },
	{ "Europe/Dublin", "2026-03-28T22:49:00Z", 692, "2026-03-30T14:02:00Z" },
	{ "Europe/Dublin", "2026-10-24T22:28:00Z", 1328, "2026-10-27T14:21:00Z" },
	{ "America/New_York", "2026-03-08T02:12:00Z", 1491, "2026-03-11T05:21:00Z" },
	{ "America/New_York", "2026-10-31T18:18:00Z", 1393, "2026-11-03T19:58:00Z" },
	{ "America/New_York", "2051-11-04T19:01:00Z", 1012, "2051-11-07T07:52:00Z" },
	{ "America/St_Johns", "2026-03-08T04:10:00Z", 652, "2026-03-09T18:07:00Z" },
	{ "America/St_Johns", "2026-11-01T03:13:00Z", 1340, "2026-11-03T18:35:00Z" },
	{ "America/Santiago", "2026-04-04T16:47:00Z", 441, "2026-04-06T13:21:00Z" },
	{ "America/Santiago", "2026-09-05T17:16:00Z", 831, "2026-09-07T19:51:00Z" },
	{ "America/Sao_Paulo", "2026-03-28T14:16:00Z", 584, "2026-03-30T15:44:00Z" },
	{ "Africa/Casablanca", "2026-02-14T15:40:00Z", 328, "2026-02-16T01:58:00Z" },
	{ "Africa/Casablanca", "2026-03-21T15:23:00Z", 322, "2026-03-23T08:07:00Z" },
	{ "Asia/Kolkata", "2026-03-28T16:43:00Z", 843, "2026-03-30T19:03:00Z" },
	{ "Asia/Kathmandu", "2026-03-28T16:16:00Z", 940, "2026-03-30T20:25:00Z" },
	{ "Australia/Lord_Howe", "2026-04-04T00:27:00Z", 568, "2026-04-06T01:28:00Z" },
	{ "Australia/Lord_Howe", "2026-10-03T03:05:00Z", 699, "2026-10-05T04:09:00Z" },
	{ "Australia/Lord_Howe", "2051-09-30T09:53:00Z", 1275, "2051-10-03T03:00:00Z" },
	{ "Pacific/Chatham", "2026-04-04T04:34:00Z", 903, "2026-04-06T12:48:00Z" },
	{ "Pacific/Chatham", "2026-09-26T00:34:00Z", 1119, "2026-09-28T21:09:00Z" },
	{ "Pacific/Apia", "2026-03-28T15:16:00Z", 1056, "2026-03-30T23:06:00Z" },
};

static void due_in_many_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(zones); i++) {
		md_auto(calendar_done) struct calendar c = { 0 };

		set_zone(&c, zones[i].zone);
		set_hours(&c, 0, 4, "00:30-03:15 09:00-17:00");
		set_hours(&c, 5, 6, "01:30-02:45 23:00-24:00");
		assert_string_equal(due(&c, zones[i].start, zones[i].minutes), zones[i].due);
	}
}

static void office(struct calendar *c)
{
	static const char *const morning[] = { "09:00-12:00" };

	set_zone(c, "Europe/Berlin");
	set_hours(c, 0, 4, "09:00-12:00 13:00-17:00");
	assert_int_equal(calendar_add_holiday(c, "2026-05-01", NULL), MD_OK);
	assert_int_equal(calendar_add_holiday(c, "2026-04-03", NULL), MD_OK);
	assert_int_equal(calendar_add_special(c, "2026-12-24", morning, 1, NULL), MD_OK);
	assert_int_equal(calendar_add_special(c, "2026-12-31", NULL, 0, NULL), MD_OK);
}

static void due_in_office_hours(void **state)
{
	static const struct {
		const char *why, *start;
		int minutes;
		const char *due;
	} cases[] = {
		{ "same morning", "2026-03-02T08:00:00Z", 60, "2026-03-02T09:00:00Z" },
		{ "over lunch", "2026-03-02T10:30:00Z", 60, "2026-03-02T12:30:00Z" },
		{ "at noon, not after lunch", "2026-03-02T08:00:00Z", 180, "2026-03-02T11:00:00Z" },
		{ "at closing time, not next morning", "2026-03-02T15:00:00Z", 60,
		  "2026-03-02T16:00:00Z" },
		{ "one minute more is next morning", "2026-03-02T15:00:00Z", 61,
		  "2026-03-03T08:01:00Z" },
		{ "from the night", "2026-03-02T02:00:00Z", 1, "2026-03-02T08:01:00Z" },
		{ "from closing time", "2026-03-02T16:00:00Z", 1, "2026-03-03T08:01:00Z" },
		{ "weekend", "2026-03-06T15:30:00Z", 60, "2026-03-09T08:30:00Z" },
		{ "no target", "2026-03-07T12:00:00Z", 0, "2026-03-07T12:00:00Z" },
		{ "Good Friday", "2026-04-02T14:30:00Z", 60, "2026-04-06T07:30:00Z" },
		{ "short day", "2026-12-24T08:00:00Z", 181, "2026-12-25T08:01:00Z" },
		{ "special day without hours", "2026-12-30T15:59:00Z", 2, "2027-01-01T08:01:00Z" },
		{ "months away", "2026-06-01T07:00:00Z", 60 * 7 * 100, "2026-10-16T15:00:00Z" },
	};
	md_auto(calendar_done) struct calendar c = { 0 };

	(void)state;
	office(&c);
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const char *got = due(&c, cases[i].start, cases[i].minutes);

		if (strcmp(got, cases[i].due) != 0)
			fail_msg("%s: %s, not %s", cases[i].why, got, cases[i].due);
	}
}

static void changes_of_the_clock(void **state)
{
	static const struct {
		const char *why, *hours, *start;
		int minutes;
		const char *due;
	} cases[] = {
		{ "gap never occurs", "02:30-06:00", "2026-03-28T05:00:00Z", 200,
		  "2026-03-30T00:50:00Z" },
		{ "fold counts twice", "02:00-03:00", "2026-10-24T22:00:00Z", 120,
		  "2026-10-25T02:00:00Z" },
		{ "window reopens in the fold", "00:00-02:30", "2026-10-25T00:10:00Z", 60,
		  "2026-10-25T23:10:00Z" },
		{ "25 hours", "00:00-24:00", "2026-10-24T22:00:00Z", 25 * 60,
		  "2026-10-25T23:00:00Z" },
		{ "23 hours", "00:00-24:00", "2026-03-28T23:00:00Z", 23 * 60,
		  "2026-03-29T22:00:00Z" },
		{ "nothing but the gap, each day but one", "02:00-03:00", "2026-03-29T00:00:00Z", 1,
		  "2026-03-30T00:01:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(calendar_done) struct calendar c = { 0 };
		const char *got;

		set_zone(&c, "Europe/Berlin");
		set_hours(&c, 0, 6, cases[i].hours);
		got = due(&c, cases[i].start, cases[i].minutes);
		if (strcmp(got, cases[i].due) != 0)
			fail_msg("%s: %s, not %s", cases[i].why, got, cases[i].due);
	}
}

/* Samoa went from 29 to 31 December 2011; Friday the 30th has no instant. */
static void date_that_never_was(void **state)
{
	md_auto(calendar_done) struct calendar c = { 0 };

	(void)state;
	set_zone(&c, "Pacific/Apia");
	set_hours(&c, 4, 4, "00:00-24:00");
	set_hours(&c, 5, 5, "00:00-01:00");
	assert_string_equal(due(&c, "2011-12-30T08:00:00Z", 60), "2011-12-30T11:00:00Z");
}

static void never_open(void **state)
{
	md_auto(calendar_done) struct calendar c = { 0 };
	static const char *const hour[] = { "12:00-13:00" };

	(void)state;
	assert_string_equal(due(&c, "2026-01-01T00:00:00Z", 1), "none");
	assert_int_equal(calendar_add_special(&c, "2027-01-30", hour, 1, NULL), MD_OK);
	assert_string_equal(due(&c, "2026-01-01T00:00:00Z", 60), "2027-01-30T13:00:00Z");
	assert_string_equal(due(&c, "2026-01-01T00:00:00Z", 61), "none");
	assert_string_equal(due(&c, "2025-12-01T00:00:00Z", 1), "none");
}

static void always_open(void **state)
{
	int64_t at;

	(void)state;
	assert_string_equal(due(&calendar_24x7, "2026-03-29T00:59:00Z", 60 * 24 * 365),
			    "2027-03-29T00:59:00Z");
	assert_true(calendar_add(&calendar_24x7, 12345, 678, &at));
	assert_int_equal(at, 13023);
	/* A target beyond all calendars ends, too. */
	assert_false(calendar_add(&calendar_24x7, 0, INT64_MAX / 4, &at));
}

static void used_time(void **state)
{
	md_auto(calendar_done) struct calendar c = { 0 };
	int64_t opening = ms("2026-03-02T08:00:00Z");

	(void)state;
	office(&c);
	assert_int_equal(calendar_used(&c, opening, opening), 0);
	assert_int_equal(calendar_used(&c, opening, opening - 5), 0);
	assert_int_equal(calendar_used(&c, opening - 1, opening), 0);
	assert_int_equal(calendar_used(&c, opening - 1, opening + 1), 1);
	assert_int_equal(calendar_used(&c, opening, ms("2026-03-09T08:00:00Z")), 35 * 3600000);
	assert_int_equal(calendar_used(&c, opening, ms("2027-03-02T08:00:00Z")),
			 (261 - 2 - 1) * 7 * INT64_C(3600000) - 4 * 3600000);
}

static void stretches_and_reasons(void **state)
{
	static const struct {
		const char *to, *why;
	} expect[] = {
		{ "2026-04-02T15:00:00Z", "open" },
		{ "2026-04-02T22:00:00Z", "outside hours" },
		{ "2026-04-03T22:00:00Z", "closed: 2026-04-03" },
		{ "2026-04-06T07:00:00Z", "outside hours" },
		{ "2026-04-06T10:00:00Z", "open" },
		{ "2026-04-06T10:30:00Z", "outside hours" },
	};
	md_auto(calendar_done) struct calendar c = { 0 };
	int64_t at = ms("2026-04-02T14:00:00Z"), end = ms("2026-04-06T10:30:00Z");
	struct calendar_stretch s;
	char why[CALENDAR_WHY_MAX];
	size_t i = 0;

	(void)state;
	office(&c);
	for (; calendar_stretch(&c, at, end, &s); at = s.to_ms, i++) {
		assert_true(i < MD_COUNT(expect));
		assert_int_equal(s.from_ms, at);
		assert_int_equal(s.to_ms, ms(expect[i].to));
		assert_string_equal(calendar_why(&s, why), expect[i].why);
	}
	assert_int_equal(i, MD_COUNT(expect));
	/* a holiday that has a name is told by it */
	calendar_name_holiday(&c, "2026-04-03", "Good\nFriday");
	calendar_name_holiday(&c, "2026-04-04", "No holiday");
	assert_true(calendar_stretch(&c, ms("2026-04-02T22:00:00Z"), end, &s));
	assert_string_equal(calendar_why(&s, why), "closed: Good Friday");
	assert_int_equal(s.to_ms, ms("2026-04-03T22:00:00Z"));
	/* midnight does not cut what goes on */
	assert_true(calendar_stretch(&calendar_24x7, 0, INT64_C(864000000), &s));
	assert_int_equal(s.to_ms, INT64_C(864000000));
}

static void bad_input(void **state)
{
	static const char *const windows[] = {
		"",
		"9:00-17:00",
		"09:00",
		"09:00-17:00x",
		"09:60-10:00",
		"09:00-24:01",
		"25:00-26:00",
		"17:00-09:00",
		"09.00-17:00",
		"09:00 17:00",
	};
	static const char *const overlaps[] = {
		"09:00-12:00 11:59-13:00", "13:00-15:00 09:00-13:01", "09:00-12:00 09:00-12:00",
		"09:00-17:00 10:00-11:00", "10:00-11:00 09:00-17:00"
	};
	static const char *const dates[] = { "",         "2026-13-01",  "2026-02-29",
					     "26-01-01", "2026-01-01T", "2026/01/01" };
	md_auto(calendar_done) struct calendar c = { 0 };
	struct md_err err;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(windows); i++)
		if (calendar_set_hours(&c, "mon", &windows[i], 1, NULL) != MD_INPUT)
			fail_msg("accepted: %s", windows[i]);
	for (size_t i = 0; i < MD_COUNT(overlaps); i++)
		if (set_hours(&c, 0, 0, overlaps[i]) != MD_INPUT)
			fail_msg("accepted: %s", overlaps[i]);
	for (size_t i = 0; i < MD_COUNT(dates); i++)
		if (calendar_add_holiday(&c, dates[i], NULL) != MD_INPUT)
			fail_msg("accepted: %s", dates[i]);
	assert_int_equal(calendar_set_hours(&c, "monday", NULL, 0, &err), MD_INPUT);
	assert_string_equal(err.text, "\"monday\" is no weekday; allowed are mon to sun");
	assert_int_equal(calendar_set_hours(&c, "tue", &windows[7], 1, &err), MD_INPUT);
	assert_string_equal(err.text, "tue: window \"17:00-09:00\" ends before it starts");
	assert_string_equal(due(&c, "2026-01-01T00:00:00Z", 1), "none");
}

static void windows_that_are_fine(void **state)
{
	static const char *const fine[] = { "09:00-09:00", "09:00-12:00 12:00-24:00",
					    "13:00-14:00 08:00-13:00 10:00-10:00", "00:00-24:00" };
	md_auto(calendar_done) struct calendar c = { 0 };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(fine); i++)
		assert_int_equal(set_hours(&c, 0, 0, fine[i]), MD_OK);
}

static void special_is_stronger_than_holiday(void **state)
{
	static const char *const hour[] = { "12:00-13:00" };

	(void)state;
	for (int holiday_first = 0; holiday_first < 2; holiday_first++) {
		md_auto(calendar_done) struct calendar c = { 0 };

		if (holiday_first)
			calendar_add_holiday(&c, "2026-05-01", NULL);
		calendar_add_special(&c, "2026-05-01", hour, 1, NULL);
		calendar_add_holiday(&c, "2026-05-01", NULL);
		assert_string_equal(due(&c, "2026-05-01T00:00:00Z", 60), "2026-05-01T13:00:00Z");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(due_in_many_zones),
		cmocka_unit_test(due_in_office_hours),
		cmocka_unit_test(changes_of_the_clock),
		cmocka_unit_test(date_that_never_was),
		cmocka_unit_test(never_open),
		cmocka_unit_test(always_open),
		cmocka_unit_test(used_time),
		cmocka_unit_test(stretches_and_reasons),
		cmocka_unit_test(bad_input),
		cmocka_unit_test(windows_that_are_fine),
		cmocka_unit_test(special_is_stronger_than_holiday),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

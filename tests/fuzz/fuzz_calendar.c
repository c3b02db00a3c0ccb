/* Opening hours in any zone: an instant reached is reached exactly, and a walk over the time line
 * adds up to it. The input is WINDOWS NUL HOLIDAY NUL START and TARGET (8 bytes each) TZIF. */
#include "fuzz.h"

#include <maildesk/desk/calendar.h>

#define YEAR_MS (INT64_C(366) * 86400 * 1000)

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static bool build(struct calendar *c, struct span windows, struct span holiday)
{
	char text[7][16], date[16];

	for (size_t i = 0; i < MD_COUNT(days); i++) {
		struct span w;
		const char *list[1] = { text[i] };

		if (!span_split(&windows, ' ', &w) || w.n >= sizeof text[i])
			break;
		memcpy(text[i], w.p, w.n);
		text[i][w.n] = '\0';
		if (calendar_set_hours(c, days[i], list, 1, NULL) != MD_OK)
			return false;
	}
	if (holiday.n < sizeof date) {
		memcpy(date, holiday.p, holiday.n);
		date[holiday.n] = '\0';
		calendar_add_holiday(c, date, NULL);
	}
	return true;
}

static int64_t walk(const struct calendar *c, int64_t from, int64_t to)
{
	struct calendar_stretch s;
	int64_t open = 0;
	char why[CALENDAR_WHY_MAX];

	while (calendar_stretch(c, from, to, &s)) {
		check(s.from_ms == from && s.to_ms > from && s.to_ms <= to);
		check(strlen(calendar_why(&s, why)) < sizeof why);
		open += s.why == CALENDAR_OPEN ? s.to_ms - s.from_ms : 0;
		from = s.to_ms;
	}
	return open;
}

static void check_zone(const struct tz *tz, int64_t t)
{
	for (int i = 0; i < 50; i++) {
		int64_t until;
		int32_t offset = tz_offset(tz, t, &until);

		check(until > t && offset > -200000 && offset < 200000);
		check(tz_offset(tz, until - 1, NULL) == offset);
		if (until >= TZ_FOREVER)
			return;
		t = until;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(calendar_done) struct calendar c = { 0 };
	struct span rest = { (const char *)data, n };
	struct span windows = take_part(&rest), holiday = take_part(&rest);
	int64_t start, target, due;

	if (rest.n < 16 || !build(&c, windows, holiday))
		return 0;
	memcpy(&start, rest.p, 8);
	memcpy(&target, rest.p + 8, 8);
	rest = span_from(rest, 16);
	if (calendar_set_zone(&c, rest.p, rest.n, NULL) == MD_OK)
		check_zone(c.tz, start % (INT64_C(1) << 36));
	start %= 100 * YEAR_MS;
	target %= YEAR_MS / 10;
	if (!calendar_add(&c, start, target, &due))
		return 0;
	check(due >= start && (target <= 0) == (due == start));
	if (target > 0) {
		check(calendar_used(&c, start, due) == target);
		check(calendar_used(&c, start, due - 1) == target - 1);
	}
	if (due - start < YEAR_MS)
		check(walk(&c, start, due) == calendar_used(&c, start, due));
	return 0;
}

#include <maildesk/desk/when.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };
#define DAY_MS (INT64_C(24) * HOUR_MS)
#define MOST_MS (INT64_C(3653) * DAY_MS)

enum { WEEK = 7, EPOCH_WEEKDAY = 3 /* 1970-01-01 was a Thursday, Monday being 0 */ };

bool when_duration(const char *text, int64_t *ret_ms)
{
	static const struct {
		char name;
		int64_t ms;
	} units[] = {
		{ 'w', WEEK * DAY_MS }, { 'd', DAY_MS }, { 'h', HOUR_MS }, { 'm', MINUTE_MS }
	};
	bool minus = *text == '-';
	int64_t sum = 0;
	size_t unit = 0;

	text += minus;
	if (!*text)
		return false;
	/* each unit once, the large ones first */
	for (; *text; text += strspn(text, " ")) {
		size_t digits = strspn(text, "0123456789");
		int64_t n = 0;

		if (digits == 0 || digits > 6)
			return false;
		for (size_t i = 0; i < digits; i++)
			n = n * 10 + (text[i] - '0');
		text += digits;
		while (unit < MD_COUNT(units) && (*text | 0x20) != units[unit].name)
			unit++;
		if (unit == MD_COUNT(units))
			return false;
		sum += n * units[unit++].ms;
		text++;
	}
	if (sum > MOST_MS)
		return false;
	*ret_ms = minus ? -sum : sum;
	return true;
}

static bool is_word(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(*text, word, n) != 0 || ((*text)[n] && (*text)[n] != ' '))
		return false;
	*text += n;
	return true;
}

/* The local day meant by the beginning of the text, which moves behind it. */
static bool read_day(const char **text, int64_t today, int64_t *ret_day)
{
	static const char *const days[WEEK][2] = {
		{ "mon", "monday" },   { "tue", "tuesday" }, { "wed", "wednesday" },
		{ "thu", "thursday" }, { "fri", "friday" },  { "sat", "saturday" },
		{ "sun", "sunday" },
	};
	char iso[sizeof "2027-03-01T00:00:00Z"];
	int64_t ms;

	for (int64_t i = 0; i < WEEK; i++)
		if (is_word(text, days[i][0]) || is_word(text, days[i][1])) {
			int64_t ahead = (i - (today + EPOCH_WEEKDAY) % WEEK + WEEK) % WEEK;

			*ret_day = today + (ahead ? ahead : WEEK);
			return true;
		}
	*ret_day = today;
	if (is_word(text, "today"))
		return true;
	*ret_day = today + 1;
	if (is_word(text, "tomorrow"))
		return true;
	if (strspn(*text, "0123456789-") != strlen("2027-03-01"))
		return false;
	snprintf(iso, sizeof iso, "%.10sT00:00:00Z", *text);
	if (time_parse(iso, &ms) != MD_OK)
		return false;
	*text += strlen("2027-03-01");
	*ret_day = ms / DAY_MS;
	return ms >= 0;
}

/* Nothing, or " 14:00": milliseconds after midnight. */
static bool read_time(const char *text, int64_t *ret_ms)
{
	int hour, minute, n = 0;

	*ret_ms = 9 * HOUR_MS;
	if (!*text)
		return true;
	if ((*text != ' ' && *text != 'T') || strspn(text + 1, "0123456789:") != strlen(text + 1) ||
	    sscanf(text + 1, "%2d:%2d%n", &hour, &minute, &n) != 2 || text[1 + n] || hour > 23 ||
	    minute > 59)
		return false;
	*ret_ms = hour * HOUR_MS + minute * MINUTE_MS;
	return true;
}

bool when_instant(const char *text, const struct tz *tz, int64_t now_ms, int64_t *ret_ms)
{
	int64_t now_s = now_ms / SECOND_MS, day, time, local_s;

	if (time_parse(text, ret_ms) == MD_OK)
		return true;
	if (when_duration(text, &time)) {
		*ret_ms = now_ms + time;
		return true;
	}
	if (!read_day(&text, (now_s + tz_offset(tz, now_s, NULL)) * SECOND_MS / DAY_MS, &day) ||
	    !read_time(text, &time))
		return false;
	local_s = (day * DAY_MS + time) / SECOND_MS;
	/* the offset is that of the day meant, which may not be today's */
	now_s = local_s - tz_offset(tz, local_s, NULL);
	*ret_ms = (local_s - tz_offset(tz, now_s, NULL)) * SECOND_MS;
	return true;
}

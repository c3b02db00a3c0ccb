#include <maildesk/base/clock.h>
#include <maildesk/base/err.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS_PER_DAY = 86400000 };

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_MONOTONIC);
}

const struct clock clock_system = { system_wall, system_mono };

/* Both conversions count from 1 March of year 0, so that the leap day ends a year. */
int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

/* Lists are full of instants: this is a tenth of what printf needs. */
static char *put_digits(char *at, int value, int digits, char then)
{
	for (int i = digits; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	at[digits] = then;
	return at + digits + 1;
}

const char *time_format(int64_t ms, int with_ms, char out[TIME_TEXT_MAX])
{
	const int64_t lowest = days_from_civil(0, 1, 1) * MS_PER_DAY;
	const int64_t highest = days_from_civil(10000, 1, 1) * MS_PER_DAY - 1;
	int64_t days, year, rest;
	int month, day;
	char *at;

	ms = ms < lowest ? lowest : ms > highest ? highest : ms;
	days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
	rest = ms - days * MS_PER_DAY;
	civil_from_days(days, &year, &month, &day);
	at = put_digits(out, (int)year, 4, '-');
	at = put_digits(at, month, 2, '-');
	at = put_digits(at, day, 2, 'T');
	at = put_digits(at, (int)(rest / 3600000), 2, ':');
	at = put_digits(at, (int)(rest / 60000 % 60), 2, ':');
	at = put_digits(at, (int)(rest / 1000 % 60), 2, with_ms || rest % 1000 ? '.' : 'Z');
	if (at[-1] == '.')
		at = put_digits(at, (int)(rest % 1000), 3, 'Z');
	*at = '\0';
	return out;
}

/* Exactly `digits` digits at *s; moves on. */
static bool take_number(const char **s, int digits, int low, int high, int *ret)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		value = value * 10 + (**s - '0');
	}
	*ret = value;
	return value >= low && value <= high;
}

static bool take_char(const char **s, const char *any_of)
{
	if (**s == '\0' || !strchr(any_of, **s))
		return false;
	(*s)++;
	return true;
}

int time_parse(const char *text, int64_t *ret_ms)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *s = text;
	int year, month, day, hour, minute, second, ms = 0, scale = 100, off_h = 0, off_m = 0;
	int sign = 0, leap;

	if (!take_number(&s, 4, 0, 9999, &year) || !take_char(&s, "-") ||
	    !take_number(&s, 2, 1, 12, &month) || !take_char(&s, "-") ||
	    !take_number(&s, 2, 1, 31, &day) || !take_char(&s, "Tt ") ||
	    !take_number(&s, 2, 0, 23, &hour) || !take_char(&s, ":") ||
	    !take_number(&s, 2, 0, 59, &minute) || !take_char(&s, ":") ||
	    !take_number(&s, 2, 0, 60, &second))
		return MD_INPUT;
	leap = month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	if (day > month_days[month - 1] + leap)
		return MD_INPUT;
	if (take_char(&s, ".")) {
		if (*s < '0' || *s > '9')
			return MD_INPUT;
		for (; *s >= '0' && *s <= '9'; s++, scale /= 10)
			ms += (*s - '0') * scale;
	}
	if (!take_char(&s, "Zz")) {
		sign = *s == '+' ? 1 : -1;
		if (!take_char(&s, "+-") || !take_number(&s, 2, 0, 23, &off_h) ||
		    !take_char(&s, ":") || !take_number(&s, 2, 0, 59, &off_m))
			return MD_INPUT;
	}
	if (*s)
		return MD_INPUT;
	*ret_ms = ((days_from_civil(year, month, day) * 24 + hour - sign * off_h) * 60 + minute -
		   sign * off_m) *
			  60000 +
		  second * 1000 + ms;
	return MD_OK;
}

int duration_parse(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 },       { "s", 1000 },      { "m", 60000 },      { "h", 3600000 },
		      { "d", 86400000 }, { "w", 604800000 }, { "y", 31536000000 } };
	int64_t n = 0;
	const char *s = text;

	if (*s < '0' || *s > '9')
		return MD_INPUT;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n))
			return MD_INPUT;
	if (*s == '\0' && n == 0) {
		*ret_ms = 0;
		return MD_OK;
	}
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(s, units[i].unit) == 0) {
			if (__builtin_mul_overflow(n, units[i].ms, &n))
				return MD_INPUT;
			*ret_ms = n;
			return MD_OK;
		}
	return MD_INPUT;
}

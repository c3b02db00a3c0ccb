#include <maildesk/mail/date.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>

#include <string.h>

struct parts {
	int64_t year;
	int month, day, hour, minute, second, zone_minutes;
	bool has_day, has_year, has_time, has_zone, pm, am;
};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

static const struct {
	const char *name;
	int minutes;
} zones[] = {
	{ "ut", 0 },      { "gmt", 0 },    { "utc", 0 },    { "z", 0 },      { "wet", 0 },
	{ "bst", 60 },    { "cet", 60 },   { "met", 60 },   { "west", 60 },  { "cest", 120 },
	{ "mest", 120 },  { "eet", 120 },  { "eest", 180 }, { "msk", 180 },  { "ist", 330 },
	{ "jst", 540 },   { "kst", 540 },  { "aest", 600 }, { "aedt", 660 }, { "nzst", 720 },
	{ "nzdt", 780 },  { "est", -300 }, { "edt", -240 }, { "cst", -360 }, { "cdt", -300 },
	{ "mst", -420 },  { "mdt", -360 }, { "pst", -480 }, { "pdt", -420 }, { "akst", -540 },
	{ "akdt", -480 }, { "hst", -600 }, { "hkt", 480 },
};

/* Takes a word, a number or one other byte off *rest; comments are skipped. */
static struct span token(struct span *rest)
{
	struct span t;
	size_t n = 0;

	for (int depth = 0; rest->n; *rest = span_from(*rest, 1)) {
		char c = *rest->p;

		if (c == '(')
			depth++;
		else if (c == ')')
			depth -= depth > 0;
		else if (depth == 0 && !ascii_space(c) && c != ',')
			break;
	}
	while (n < rest->n && ascii_digit(rest->p[n]))
		n++;
	if (n == 0)
		while (n < rest->n && ascii_lower(rest->p[n]) >= 'a' &&
		       ascii_lower(rest->p[n]) <= 'z')
			n++;
	t = span_sub(*rest, 0, n ? n : 1);
	*rest = span_from(*rest, t.n);
	return t;
}

static int64_t number(struct span t)
{
	int64_t v = 0;

	for (size_t i = 0; i < t.n && i < 9 && ascii_digit(t.p[i]); i++)
		v = v * 10 + (t.p[i] - '0');
	return v;
}

/* "GMT+01:00" names no zone but what it is off. */
static void word(struct parts *d, struct span t, struct span rest)
{
	for (int m = 0; m < 12 && t.n >= 3; m++)
		if (span_same(span_sub(t, 0, 3), (struct span){ months + 3 * m, 3 }) && !d->month) {
			d->month = m + 1;
			return;
		}
	d->pm = d->pm || span_is(t, "pm");
	d->am = d->am || span_is(t, "am");
	for (size_t i = 0; i < MD_COUNT(zones) && d->has_time; i++)
		if (span_is(t, zones[i].name) && !d->has_zone &&
		    !(rest.n > 1 && (*rest.p == '+' || *rest.p == '-') && ascii_digit(rest.p[1]))) {
			d->zone_minutes = zones[i].minutes;
			d->has_zone = true;
		}
}

static void zone(struct parts *d, char sign, struct span *rest)
{
	struct span t = token(rest);
	int64_t v = number(t), minutes;

	if (!t.n || !ascii_digit(*t.p) || d->has_zone)
		return;
	if (t.n <= 2) {
		minutes = v * 60;
		if (rest->n && *rest->p == ':') { /* +01:00 */
			token(rest);
			minutes += number(token(rest));
		}
	} else {
		minutes = v / 100 * 60 + v % 100;
	}
	if (minutes > 24 * 60)
		minutes = 0;
	d->zone_minutes = (int)(sign == '-' ? -minutes : minutes);
	d->has_zone = true;
}

static void clock_time(struct parts *d, int64_t hour, struct span *rest)
{
	d->hour = (int)hour;
	token(rest);
	d->minute = (int)number(token(rest));
	if (rest->n && (*rest->p == ':' || *rest->p == '.')) {
		token(rest);
		d->second = (int)number(token(rest));
	}
	if (rest->n > 1 && *rest->p == '.' && ascii_digit(rest->p[1])) { /* fraction */
		token(rest);
		token(rest);
	}
	d->has_time = true;
}

static void amount(struct parts *d, struct span t, struct span *rest)
{
	int64_t v = number(t);

	if (rest->n && (*rest->p == ':' || (*rest->p == '.' && d->has_year)) && !d->has_time) {
		clock_time(d, v, rest);
	} else if (t.n == 4 && !d->has_year) {
		d->year = v;
		d->has_year = true;
	} else if (!d->has_day && d->has_year && !d->month && v >= 1 && v <= 12) {
		d->month = (int)v; /* 2024-05-06 */
	} else if (!d->has_day && v >= 1 && v <= 31) {
		d->day = (int)v;
		d->has_day = true;
	} else if (!d->has_year && d->has_day && t.n <= 3) {
		d->year = v + (t.n == 3 ? 1900 : v < 50 ? 2000 : 1900); /* RFC 5322 4.3 */
		d->has_year = true;
	} else if (!d->month && d->has_day && v >= 1 && v <= 12) {
		d->month = (int)v;
	}
}

bool date_read(struct span value, int64_t *ret_ms)
{
	struct parts d = { 0 };
	struct span rest = span_sub(span_trim(value), 0, 200);
	int64_t ms;

	while (rest.n) {
		struct span t = token(&rest);

		if (!t.n)
			break;
		if (ascii_digit(*t.p))
			amount(&d, t, &rest);
		else if ((*t.p == '+' || *t.p == '-') && d.has_time)
			zone(&d, *t.p, &rest);
		else
			word(&d, t, rest);
	}
	if (!d.has_day || !d.month || !d.has_year || d.hour > 24 || d.minute > 59 || d.second > 61)
		return false;
	if (d.pm && d.hour < 12)
		d.hour += 12;
	if (d.am && d.hour == 12)
		d.hour = 0;
	ms = days_from_civil(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 +
	     (d.second > 59 ? 59 : d.second) - (int64_t)d.zone_minutes * 60;
	*ret_ms = ms * 1000;
	return true;
}

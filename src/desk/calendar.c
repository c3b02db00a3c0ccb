/* The time line is cut where the zone's offset changes and at each local midnight. Within such a
 * segment wall clock and UTC run in step and one date's windows hold, so the rule for a single
 * instant (calendar.h) becomes a comparison of ranges: gaps, folds, dates that happen twice or not
 * at all need no case of their own. A due date months away costs one segment a day. */
#include <maildesk/desk/calendar.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define LAST_MS INT64_C(253402300799999) /* the end of year 9999, the last we can write */

#define ALL_DAY                                   \
	{                                         \
		.n = 1, .window = { { 0, 1440 } } \
	}
const struct calendar calendar_24x7 = {
	.week = { ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY },
};

void calendar_done(struct calendar *c)
{
	tz_free(c->tz);
	free(c->date);
	*c = (struct calendar){ 0 };
}

/* ---- building ---- */

int calendar_set_zone(struct calendar *c, const void *tzif, size_t n, struct md_err *err)
{
	struct tz *tz;
	int rc = tz_parse(tzif, n, &tz, err);

	if (rc != MD_OK)
		return rc;
	tz_free(c->tz);
	c->tz = tz;
	return MD_OK;
}

static bool two_digits(const char *s, int high, int *ret)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*ret = (s[0] - '0') * 10 + (s[1] - '0');
	return *ret <= high;
}

/* "HH:MM" at s[0..5) */
static bool read_minute(const char *s, uint16_t *ret)
{
	int hour, minute;

	if (!two_digits(s, 24, &hour) || s[2] != ':' || !two_digits(s + 3, 59, &minute) ||
	    (hour == 24 && minute != 0))
		return false;
	*ret = (uint16_t)(hour * 60 + minute);
	return true;
}

static int add_window(struct calendar_hours *h, const char *text, struct md_err *err)
{
	uint16_t from, to;
	size_t i = h->n;

	if (strlen(text) != 11 || !read_minute(text, &from) || text[5] != '-' ||
	    !read_minute(text + 6, &to))
		return md_fail(err, MD_INPUT, 0, "\"%.40s\" is no window like \"09:00-17:00\"",
			       text);
	if (to < from)
		return md_fail(err, MD_INPUT, 0, "window \"%s\" ends before it starts", text);
	if (to == from)
		return MD_OK;
	if (h->n == CALENDAR_WINDOWS)
		return md_fail(err, MD_INPUT, 0, "more than %d windows in a day", CALENDAR_WINDOWS);
	for (; i > 0 && h->window[i - 1].from > from; i--)
		h->window[i] = h->window[i - 1];
	h->window[i].from = from;
	h->window[i].to = to;
	h->n++;
	if ((i > 0 && h->window[i - 1].to > from) || (i + 1 < h->n && h->window[i + 1].from < to))
		return md_fail(err, MD_INPUT, 0, "window \"%s\" overlaps another", text);
	return MD_OK;
}

static int read_windows(const char *const *windows, size_t n, struct calendar_hours *ret,
			struct md_err *err)
{
	struct calendar_hours h = { 0 };

	for (size_t i = 0; i < n; i++) {
		int rc = add_window(&h, windows[i], err);

		if (rc != MD_OK)
			return rc;
	}
	*ret = h;
	return MD_OK;
}

int calendar_set_hours(struct calendar *c, const char *weekday, const char *const *windows,
		       size_t n, struct md_err *err)
{
	static const char *const names[7] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (size_t i = 0; i < 7; i++)
		if (strcmp(weekday, names[i]) == 0) {
			int rc = read_windows(windows, n, &c->week[i], err);

			return rc == MD_OK ? MD_OK : md_wrap(err, rc, "%s", weekday);
		}
	return md_fail(err, MD_INPUT, 0, "\"%.40s\" is no weekday; allowed are mon to sun",
		       weekday);
}

/* Index of the first date not before `day`. */
static size_t date_index(const struct calendar *c, int64_t day)
{
	size_t low = 0, high = c->dates;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->date[mid].day < day)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int put_date(struct calendar *c, const struct calendar_date *d, struct md_err *err)
{
	size_t i = date_index(c, d->day);
	struct calendar_date *more;

	if (i < c->dates && c->date[i].day == d->day) {
		if (d->special)
			c->date[i] = *d;
		return MD_OK;
	}
	if (c->dates == CALENDAR_DATES)
		return md_fail(err, MD_INPUT, 0, "more than %d dates in a calendar",
			       CALENDAR_DATES);
	more = md_realloc(c->date, (c->dates + 1) * sizeof *more);
	if (!more)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	c->date = more;
	memmove(more + i + 1, more + i, (c->dates - i) * sizeof *more);
	more[i] = *d;
	c->dates++;
	return MD_OK;
}

static int read_date(const char *text, int64_t *ret_day, struct md_err *err)
{
	char instant[TIME_TEXT_MAX];
	int64_t ms;

	if (strlen(text) == 10) {
		snprintf(instant, sizeof instant, "%sT00:00:00Z", text);
		if (time_parse(instant, &ms) == MD_OK) {
			*ret_day = ms >= 0 ? ms / DAY_MS : -(-ms / DAY_MS);
			return MD_OK;
		}
	}
	return md_fail(err, MD_INPUT, 0, "\"%.40s\" is no date like \"2026-12-25\"", text);
}

int calendar_add_holiday(struct calendar *c, const char *date, struct md_err *err)
{
	struct calendar_date d = { 0 };
	int rc = read_date(date, &d.day, err);

	return rc == MD_OK ? put_date(c, &d, err) : rc;
}

void calendar_name_holiday(struct calendar *c, const char *date, const char *name)
{
	md_auto(buf_done) struct buf line = BUF_INIT(1 << 16);
	int64_t day;
	size_t i;

	if (read_date(date, &day, NULL) != MD_OK || (i = date_index(c, day)) == c->dates ||
	    c->date[i].day != day)
		return;
	utf8_clean_line(&line, name, strlen(name));
	snprintf(c->date[i].name, sizeof c->date[i].name, "%.*s",
		 (int)utf8_cut(buf_str(&line), line.len, sizeof c->date[i].name - 1),
		 buf_str(&line));
}

int calendar_add_special(struct calendar *c, const char *date, const char *const *windows, size_t n,
			 struct md_err *err)
{
	struct calendar_date d = { .special = true };
	int rc = read_date(date, &d.day, err);

	if (rc != MD_OK)
		return rc;
	rc = read_windows(windows, n, &d.hours, err);
	return rc == MD_OK ? put_date(c, &d, err) : md_wrap(err, rc, "%s", date);
}

/* ---- reading ---- */

struct segment {
	int64_t end_ms;      /* next midnight or change of the offset */
	int64_t midnight_ms; /* where 00:00 of this date lies at this offset */
	int64_t day;
	const struct calendar_hours *hours;
	const char *name; /* of that date; NULL: none */
	bool closed;      /* by a date of the calendar, not by the weekly hours */
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void segment_at(const struct calendar *c, int64_t t_ms, struct segment *ret)
{
	int64_t until, next_midnight;
	int64_t offset_ms = (int64_t)tz_offset(c->tz, floor_div(t_ms, 1000), &until) * 1000;
	int64_t day = floor_div(t_ms + offset_ms, DAY_MS);
	int64_t weekday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
	size_t i = date_index(c, day);

	ret->day = day;
	ret->midnight_ms = day * DAY_MS - offset_ms;
	next_midnight = ret->midnight_ms + DAY_MS;
	ret->end_ms = next_midnight;
	if (until < TZ_FOREVER && until * 1000 < next_midnight)
		ret->end_ms = until * 1000;
	if (i < c->dates && c->date[i].day == day) {
		ret->hours = &c->date[i].hours;
		ret->closed = ret->hours->n == 0;
		ret->name = c->date[i].name[0] ? c->date[i].name : NULL;
	} else {
		ret->hours = &c->week[weekday < 0 ? weekday + 7 : weekday];
		ret->closed = false;
		ret->name = NULL;
	}
}

/* From t_ms, which lies in the segment, to where open and closed change or the segment ends. */
static bool segment_open(const struct segment *g, int64_t t_ms, int64_t *ret_to_ms)
{
	*ret_to_ms = g->end_ms;
	for (size_t i = 0; i < g->hours->n; i++) {
		int64_t from = g->midnight_ms + g->hours->window[i].from * MINUTE_MS;
		int64_t to = g->midnight_ms + g->hours->window[i].to * MINUTE_MS;

		if (t_ms < to) {
			int64_t edge = t_ms < from ? from : to;

			if (edge < g->end_ms)
				*ret_to_ms = edge;
			return t_ms >= from;
		}
	}
	return false;
}

bool calendar_add(const struct calendar *c, int64_t start_ms, int64_t target_ms,
		  int64_t *ret_due_ms)
{
	struct segment g = { .end_ms = INT64_MIN };
	int64_t give_up_ms = start_ms + CALENDAR_HORIZON * DAY_MS;
	int64_t t = start_ms, to, rest = target_ms;

	if (target_ms <= 0) {
		*ret_due_ms = start_ms;
		return true;
	}
	for (; t <= give_up_ms && t <= LAST_MS; t = to) {
		if (t >= g.end_ms)
			segment_at(c, t, &g);
		if (!segment_open(&g, t, &to))
			continue;
		if (rest <= to - t) {
			*ret_due_ms = t + rest;
			return true;
		}
		rest -= to - t;
		give_up_ms = to + CALENDAR_HORIZON * DAY_MS;
	}
	return false;
}

int64_t calendar_used(const struct calendar *c, int64_t from_ms, int64_t to_ms)
{
	struct segment g = { .end_ms = INT64_MIN };
	int64_t used = 0, to;

	for (int64_t t = from_ms; t < to_ms; t = to) {
		bool open;

		if (t >= g.end_ms)
			segment_at(c, t, &g);
		open = segment_open(&g, t, &to);
		if (to > to_ms)
			to = to_ms;
		if (open)
			used += to - t;
	}
	return used;
}

bool calendar_stretch(const struct calendar *c, int64_t from_ms, int64_t end_ms,
		      struct calendar_stretch *ret)
{
	struct segment g = { .end_ms = INT64_MIN };
	struct calendar_stretch s = { .from_ms = from_ms, .to_ms = from_ms };

	while (s.to_ms < end_ms) {
		enum calendar_why why = CALENDAR_OPEN;
		int64_t to, day = 0;

		if (s.to_ms >= g.end_ms)
			segment_at(c, s.to_ms, &g);
		if (!segment_open(&g, s.to_ms, &to)) {
			why = g.closed ? CALENDAR_CLOSED : CALENDAR_OUTSIDE;
			day = g.closed ? g.day : 0;
		}
		if (s.to_ms > from_ms && (why != s.why || day != s.day))
			break;
		s.why = why;
		s.day = day;
		s.name = day ? g.name : NULL;
		s.to_ms = to < end_ms ? to : end_ms;
	}
	if (s.to_ms == from_ms)
		return false;
	*ret = s;
	return true;
}

const char *calendar_why(const struct calendar_stretch *s, char out[CALENDAR_WHY_MAX])
{
	static const char *const texts[] = { "open", "outside hours", "closed: " };
	char instant[TIME_TEXT_MAX] = "";

	if (s->why == CALENDAR_CLOSED && s->name) {
		snprintf(out, CALENDAR_WHY_MAX, "%s%s", texts[s->why], s->name);
		return out;
	}
	if (s->why == CALENDAR_CLOSED)
		time_format(s->day * DAY_MS, 0, instant);
	snprintf(out, CALENDAR_WHY_MAX, "%s%.10s", texts[s->why], instant);
	return out;
}

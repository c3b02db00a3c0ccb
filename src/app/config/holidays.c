/* libical reads and repeats; a date goes in as text, as from the configuration. */
#include <maildesk/app/holidays.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/io.h>
#include <maildesk/base/mem.h>

#include <errno.h>
#include <fcntl.h>
#include <libical/ical.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX_BYTES = 4 << 20, FIRST_YEAR = 1970, LAST_YEAR = 2099, DAYS_MAX = 366 };

MD_DEFINE_AUTO(icalcomponent *, icalcomponent_free)

struct adding {
	struct calendar *calendar;
	const char *name;
	int days; /* of each occurrence */
	int rc;
	struct md_err *err;
};

static struct icaltimetype day_of(int year, int month, int day)
{
	struct icaltimetype t = icaltime_null_time();

	t.year = year;
	t.month = month;
	t.day = day;
	t.is_date = 1;
	return t;
}

static void add_days(struct adding *to, struct icaltimetype first)
{
	for (int i = 0; i < to->days && to->rc == MD_OK; i++) {
		struct icaltimetype t = first;
		char date[32];

		icaltime_adjust(&t, i, 0, 0, 0);
		if (t.year < FIRST_YEAR || t.year > LAST_YEAR)
			continue;
		snprintf(date, sizeof date, "%04d-%02d-%02d", t.year, t.month, t.day);
		to->rc = calendar_add_holiday(to->calendar, date, to->err);
		if (to->rc == MD_OK && to->name)
			calendar_name_holiday(to->calendar, date, to->name);
	}
}

static void add_occurrence(icalcomponent *event, struct icaltime_span *span, void *ctx)
{
	(void)event;
	add_days(ctx,
		 icaltime_from_timet_with_zone(span->start, 1, icaltimezone_get_utc_timezone()));
}

/* End is the day after the last; without one it is a single day. */
static int days_of(icalcomponent *event, struct icaltimetype start)
{
	struct icaltimetype end = icalcomponent_get_dtend(event);
	int days;

	if (icaltime_is_null_time(end) || !end.is_date)
		return 1;
	days = icaltime_day_of_year(end) - icaltime_day_of_year(start);
	for (int year = start.year; year < end.year && days <= DAYS_MAX; year++)
		days += icaltime_days_in_year(year);
	return days < 1 ? 1 : days > DAYS_MAX ? DAYS_MAX : days;
}

static int add_event(icalcomponent *event, struct calendar *calendar, size_t *skipped,
		     struct md_err *err)
{
	struct icaltimetype start = icalcomponent_get_dtstart(event);
	struct adding to = { .calendar = calendar,
			     .name = icalcomponent_get_summary(event),
			     .rc = MD_OK,
			     .err = err };

	if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED)
		return MD_OK;
	if (!icaltime_is_valid_time(start) || icaltime_is_null_time(start) || !start.is_date) {
		++*skipped;
		return MD_OK;
	}
	to.days = days_of(event, start);
	icalcomponent_foreach_recurrence(event, day_of(FIRST_YEAR, 1, 1), day_of(LAST_YEAR, 12, 31),
					 add_occurrence, &to);
	return to.rc;
}

static int read_file(const char *path, struct buf *out, struct md_err *err)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int why = fd < 0 ? errno : io_read_all(fd, SIZE_MAX, out);

	if (why == EFBIG)
		return md_fail(err, MD_INPUT, 0, "%s: allowed: up to 4 MB", path);
	if (why != 0)
		return md_fail(err, why == ENOMEM ? MD_NOMEM : MD_BROKEN, why, "%s: %s", path,
			       strerror(why));
	return MD_OK;
}

int holidays_load(const char *path, struct calendar *calendar, size_t *ret_skipped,
		  struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(FILE_MAX_BYTES);
	md_auto(icalcomponent_free_p) icalcomponent *all = NULL;
	int rc = read_file(path, &text, err);

	*ret_skipped = 0;
	if (rc != MD_OK)
		return rc;
	icalerror_set_errors_are_fatal(0);
	all = icalparser_parse_string(buf_str(&text));
	if (!all || icalcomponent_isa(all) != ICAL_VCALENDAR_COMPONENT)
		return md_fail(err, MD_INPUT, 0,
			       "%s: no iCalendar file: BEGIN:VCALENDAR is missing", path);
	if (icalcomponent_count_errors(all) > 0)
		return md_fail(err, MD_INPUT, 0, "%s: %d lines are no iCalendar", path,
			       icalcomponent_count_errors(all));
	for (icalcomponent *e = icalcomponent_get_first_component(all, ICAL_VEVENT_COMPONENT);
	     e && rc == MD_OK; e = icalcomponent_get_next_component(all, ICAL_VEVENT_COMPONENT))
		rc = add_event(e, calendar, ret_skipped, err);
	return rc == MD_OK ? rc : md_wrap(err, rc, "%s", path);
}

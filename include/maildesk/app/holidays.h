/* holidays.h - closed dates from an iCalendar file (RFC 5545). */
#ifndef MAILDESK_APP_HOLIDAYS_H
#define MAILDESK_APP_HOLIDAYS_H

#include <maildesk/base/err.h>
#include <maildesk/desk/calendar.h>

/* Add the whole days of its events to the calendar, by name, with all repetitions from 1970 to
 * 2099. Events with a time of day are no holidays: they are counted in *ret_skipped.
 * Expected codes: MD_INPUT (no iCalendar; too many dates), MD_BROKEN (not readable), MD_NOMEM. */
int holidays_load(const char *path, struct calendar *calendar, size_t *ret_skipped,
		  struct md_err *err);

#endif

/* zone.h - time zones of this system, by their IANA names. */
#ifndef MAILDESK_APP_ZONE_H
#define MAILDESK_APP_ZONE_H

#include <maildesk/base/err.h>
#include <maildesk/desk/calendar.h>

/* Give the calendar the zone named ("Europe/Berlin"), read from /usr/share/zoneinfo. Names have
 * letters, digits and "_+-/" only and lead nowhere else.
 * Expected codes: MD_NOTFOUND (no such zone), MD_INPUT (no zone data), MD_BROKEN. */
int zone_load(const char *name, struct calendar *calendar, struct md_err *err);

#endif

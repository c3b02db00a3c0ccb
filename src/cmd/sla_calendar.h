/* sla_calendar.h - the calendar of an SLA scenario, for `maildesk sla`. */
#ifndef MAILDESK_CMD_SLA_CALENDAR_H
#define MAILDESK_CMD_SLA_CALENDAR_H

#include <maildesk/base/json.h>
#include <maildesk/desk/calendar.h>

/* "24x7", or {"timezone", "hours", "holidays", "special"}. MD_INPUT says what is wrong with it;
 * *ret is the caller's, to be ended by calendar_done(). */
int sla_read_calendar(json_t *j, struct calendar *ret, struct md_err *err);

#endif

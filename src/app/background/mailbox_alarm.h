/* mailbox_alarm.h - admins hear of a mailbox that was not well for desk.alarm_after: once, and
 * again only after it was well. */
#ifndef MAILDESK_APP_MAILBOX_ALARM_H
#define MAILDESK_APP_MAILBOX_ALARM_H

#include <maildesk/app/desk.h>

/* Look at all of them; of one thread. */
void mailbox_alarms(struct desk *d);

#endif

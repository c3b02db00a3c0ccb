/* timers.h - the thread that sleeps until the next timer row is due and acts on it. */
#ifndef MAILDESK_APP_TIMERS_H
#define MAILDESK_APP_TIMERS_H

#include <maildesk/app/desk.h>

struct timers;

int timers_start(struct desk *d, struct timers **ret, struct md_err *err);
void timers_stop(struct timers *t);

#endif

/* timers.h - the thread that sleeps until the next timer row is due and acts on it. */
#ifndef MAILDESK_APP_TIMERS_H
#define MAILDESK_APP_TIMERS_H

#include <maildesk/app/desk.h>

struct timers;

/* Without the thread: each round is asked for. */
int timers_new(struct desk *d, struct timers **ret, struct md_err *err);
/* Fire what is due now. MD_AGAIN: some could not, and stay due. */
int timers_round(struct timers *t, size_t *ret_fired, struct md_err *err);
int timers_start(struct desk *d, struct timers **ret, struct md_err *err);
void timers_stop(struct timers *t);

#endif

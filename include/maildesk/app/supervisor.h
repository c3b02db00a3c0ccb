/* supervisor.h - the thread that tells systemd how the daemon does: a line of status, and signs of
 * life for its watchdog as long as no part of the desk is stuck. Nobody listens: no thread. */
#ifndef MAILDESK_APP_SUPERVISOR_H
#define MAILDESK_APP_SUPERVISOR_H

#include <maildesk/app/desk.h>

struct supervisor;

/* *ret is NULL where nobody listens; the other functions bear that. */
int supervisor_start(struct desk *d, struct supervisor **ret, struct md_err *err);
/* From now on it looks at `d` and no longer at the one before. */
void supervisor_watch(struct supervisor *s, struct desk *d);
void supervisor_stop(struct supervisor *s);

#endif

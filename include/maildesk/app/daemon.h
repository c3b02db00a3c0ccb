/* daemon.h - all threads of `maildesk serve`, started and stopped in order. */
#ifndef MAILDESK_APP_DAEMON_H
#define MAILDESK_APP_DAEMON_H

#include <maildesk/app/desk.h>

struct daemon;

/* Waits for the lock on state_dir while another daemon has it (a standby), then starts everything.
 * `stop_fd` becomes readable when it should give up waiting: MD_REFUSED then. */
int daemon_start(struct desk *d, int stop_fd, struct daemon **ret, struct md_err *err);
/* The reverse order: no new requests, no new mail, the work in hand to its end. */
void daemon_stop(struct daemon *daemon);

#endif

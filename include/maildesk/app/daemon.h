/* daemon.h - all threads of `maildesk serve`: started, moved to a new configuration, stopped. */
#ifndef MAILDESK_APP_DAEMON_H
#define MAILDESK_APP_DAEMON_H

#include <maildesk/app/desk.h>

struct daemon;

/* Opens the desk, waits for the lock on state_dir while another daemon has it (a standby), then
 * starts everything. `stop_fd` becomes readable when it should give up waiting: MD_CONFLICT then.
 * Of the configuration it is the owner once it has started, not before. */
int daemon_start(struct config **config, int stop_fd, struct daemon **ret, struct md_err *err);
/* Where its API listens. */
const char *daemon_listening(const struct daemon *daemon);
const struct config *daemon_config(const struct daemon *daemon);

/* The configuration is read anew. One without errors takes the place of the old one as a whole: the
 * work in hand is finished by the old desk, what comes next is the new one's; who connects
 * meanwhile waits for it. Otherwise the old one stays and the log, the status and health say why.
 * MD_OK in both cases; else nothing runs any more and the daemon has to be stopped. */
int daemon_reload(struct daemon *daemon, struct md_err *err);

/* No new requests, no new mail, the work in hand to its end. */
void daemon_stop(struct daemon *daemon);

/* What a standby is to be when it gets its turn: *config, or the one that the file has now. */
void daemon_reload_standby(struct config **config);

#endif

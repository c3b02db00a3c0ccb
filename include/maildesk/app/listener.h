/* listener.h - the thread that hears what other daemons of the desk did, and wakes who has to act.
 *
 * Each of these looks by itself at least every LOOK_MS: a hint may be lost, and on SQLite other
 * processes (`ingest`) cannot give one. */
#ifndef MAILDESK_APP_LISTENER_H
#define MAILDESK_APP_LISTENER_H

#include <maildesk/app/desk.h>

enum { LOOK_MS = 1000 };

struct listener;

/* *ret is NULL where the database has nothing to tell. */
int listener_start(struct desk *d, struct listener **ret, struct md_err *err);
void listener_stop(struct listener *l);

#endif

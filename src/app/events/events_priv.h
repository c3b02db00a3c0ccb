/* events_priv.h - who watches, for the thread that tells them: events.c is that thread,
 * events_tell.c writes what they may see, events_beat.c looks again who they are. */
#ifndef MAILDESK_APP_EVENTS_PRIV_H
#define MAILDESK_APP_EVENTS_PRIV_H

#include <maildesk/app/events.h>

#include <pthread.h>
#include <stdatomic.h>

enum { EVENTS_PAGE_BYTES = 8 << 20 }; /* read at a time */

struct viewer {
	struct viewer *next;
	struct http_stream *stream; /* NULL: it is over */
	struct policy_actor actor;
	int64_t organisation, epoch, session, key;
	int64_t position;
	int64_t beat_at_ms; /* monotonic */
	bool full;          /* until it has taken what waits for it */
};

struct events {
	struct desk *d;
	pthread_t thread;
	bool has_thread;
	atomic_bool stopping, drained;
	struct event_worker worker;
	pthread_mutex_t lock;
	int64_t settled_minute;
	struct viewer *viewers; /* under lock; taken out by the thread alone */
};

/* Under lock: their stream is over; the thread takes them out by events_sweep_out(). */
void viewer_leave(struct viewer *v);
/* The thread alone, without lock. */
void events_sweep_out(struct events *e);

/* Each viewer, what comes after their position, as far as there is room in their stream. */
int events_tell_all(struct events *e, struct md_err *err);
/* Heartbeats that are due, to those whose session or key is still good; the others leave. */
int events_beat_all(struct events *e, struct md_err *err);

#endif

/* events.h - what happens on the desk, live: a thread numbers what was committed (store/events.h)
 * and tells whoever watches and may see it.
 *
 * A viewer has a position, the number of the last event that was written or passed over, and a
 * stream. What is told is read from the database by position, for all viewers of one position
 * together; who reads slowly or comes back later is told the same way, and costs memory for
 * EVENTS_WAITING_MAX bytes and no more. Who may see what is asked of policy.h as the event is told,
 * with the ticket as it is then; who the viewers are is looked up again with each heartbeat. */
#ifndef MAILDESK_APP_EVENTS_H
#define MAILDESK_APP_EVENTS_H

#include <maildesk/app/work.h>
#include <maildesk/net/http.h>
#include <maildesk/store/events.h>

enum { EVENTS_VIEWERS_MAX = 600, EVENTS_CUSTOMER_MAX = 20, EVENTS_WAITING_MAX = 64 << 10 };

struct events;
int events_start(struct desk *d, struct events **ret, struct md_err *err);
/* After the streams were ended by the server's end. */
void events_stop(struct events *e);
MD_DEFINE_AUTO(struct events *, events_stop)

/* May that person watch once more, by the limits above? */
bool events_have_room(struct events *e, const struct work_by *by);
/* The room() of a viewer's stream; `ctx` is the struct events. */
void events_wake(void *ctx);
/* Tell that person, by that stream (which is taken over), what comes after `position`, as long as
 * their session, or the API key, is good. */
int events_add(struct events *e, const struct work_by *by, int64_t session, int64_t key,
	       int64_t position, struct http_stream *stream, struct md_err *err);

/* {type, ticket, comment?, version, at, actor} */
void event_show(struct buf *out, const struct event *e);

#endif

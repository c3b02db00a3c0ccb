/* events.h - what happened, for those who watch: live clients and webhooks.
 *
 * Whatever changes a ticket adds a row to a queue in its own transaction. After the commit one
 * daemon at a time, by the lease "events", moves the rows to where they are read, and gives them
 * their numbers: an event is never seen before one of a lower number, whatever the order in which
 * transactions end. Rows hold ids alone. */
#ifndef MAILDESK_STORE_EVENTS_H
#define MAILDESK_STORE_EVENTS_H

#include <maildesk/store/db.h>

struct event {
	int64_t id;
	const char *type; /* "ticket.created" */
	int64_t ticket;
	int64_t comment;  /* 0: it is about none */
	int64_t version;  /* of the ticket after it; 0: not known */
	int64_t actor;    /* user; 0: the desk itself */
	bool is_internal; /* for agents alone */
	int64_t at;
	/* of event_list(), as things are now */
	const char *actor_name, *actor_role;
	int64_t requester, assignee, organisation; /* of the ticket; requester 0: it is gone */
	bool is_deleted;
};

/* In the transaction that does it. */
int event_add(struct db_conn *c, const struct event *e, struct md_err *err);

struct event_worker { /* of one thread */
	const char *holder;
	int64_t lease_ms;
	int64_t fence; /* 0: it does not hold the lease */
};
/* Number some of what waits. *ret_n: how many there were; 0: none. MD_CONFLICT: another daemon does
 * it. */
int event_number(struct db *db, struct event_worker *w, size_t *ret_n, struct md_err *err);
/* Give the lease back. */
int event_leave(struct db *db, struct event_worker *w, struct md_err *err);

/* The number of the last one; 0: there was none. */
int event_last(struct db_conn *c, int64_t *ret, struct md_err *err);
/* Can everything after that number still be told? Of one that was never given: no. */
int event_is_known(struct db_conn *c, int64_t id, bool *ret, struct md_err *err);
/* Those after `after`, in order, at most EVENT_PAGE. */
enum { EVENT_PAGE = 200 };
int event_list(struct db_conn *c, int64_t after, struct arena *a, struct event **ret, size_t *ret_n,
	       struct md_err *err);
/* Who takes part in the tickets of these events, by ticket. */
struct event_seat {
	int64_t ticket, user;
};
int event_seats(struct db_conn *c, const struct event *e, size_t n, struct arena *a,
		struct event_seat **ret, size_t *ret_n, struct md_err *err);
/* Forget those of before; never the last one, whose number is where the next begins. */
int event_purge(struct db_conn *c, int64_t before_ms, struct md_err *err);

#endif

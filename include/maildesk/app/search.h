/* search.h - finding tickets and comments by words and filters (desk/searchtext.h has the language
 * of queries), and the thread that keeps the index behind it.
 *
 * Whoever asks finds what they may see and nothing else. The index follows a commit within a
 * second. Ranking looks at the newest SEARCH_DEPTH titles and comments that match. */
#ifndef MAILDESK_APP_SEARCH_H
#define MAILDESK_APP_SEARCH_H

#include <maildesk/app/work.h>
#include <maildesk/base/arena.h>
#include <maildesk/store/search.h>

struct search_item {
	int64_t ticket, comment; /* comment 0: the ticket itself, by title or description */
	const char *title;       /* of the ticket */
	const char *snippet;     /* HTML-escaped, what matched in <mark>; one line */
	double score;
};

/* A page of what `text` finds, best first. `total` is exact up to 1,000 and 1,001 means more. A
 * query without words gives the tickets its filters let through, newest change first. */
int search_run(const struct work_by *by, struct db_conn *c, const char *text, int64_t offset,
	       int64_t limit, struct arena *a, struct search_item **ret, size_t *ret_n,
	       int64_t *ret_total, struct md_err *err);

/* The same query as a filter for ticket_list(): adds to what `f` says already; visible_to is set
 * for the actor. What it points to lives in `a`. */
int search_tickets(const struct work_by *by, struct db_conn *c, const char *text, struct arena *a,
		   struct ticket_filter *f, struct md_err *err);

/* The indexer: sleeps until desk_wake(DESK_INDEXER), or looks each LOOK_MS. */
struct indexer;
int indexer_start(struct desk *d, struct indexer **ret, struct md_err *err);
void indexer_stop(struct indexer *x);

#endif

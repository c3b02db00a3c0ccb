/* search.h - the index of words behind tickets and comments, and questions to it.
 *
 * What changes a title or a comment puts a row into the queue, in its own transaction and nothing
 * more; search_work() takes them from there into the index. A document is a comment with the names
 * of its attachments (and the title of its ticket, so that "printer toner" finds the toner that a
 * comment on the printer's ticket is about), or a title alone. What may be seen of them is asked of
 * the tables at the time of the question, so the index never shows what was deleted or hidden. */
#ifndef MAILDESK_STORE_SEARCH_H
#define MAILDESK_STORE_SEARCH_H

#include <maildesk/desk/searchquery.h>
#include <maildesk/store/db.h>
#include <maildesk/store/tickets.h>

/* Documents that are ranked: the newest so many titles, and comments, of those that match. */
enum { SEARCH_DEPTH = 1000 };

/* ---- the queue; comment_insert(), comment_save() and attachment_insert() use it themselves ----
 */

int search_queue_comment(struct db_conn *c, int64_t comment, struct md_err *err);
/* Its title changed, or its comments came from elsewhere or are about to go. */
int search_queue_ticket(struct db_conn *c, int64_t ticket, struct md_err *err);
/* Empty the index and queue all there is. */
int search_rebuild(struct db *db, struct md_err *err);
/* The same if the desk has comments and neither index nor queue: after a move from elsewhere. */
int search_ensure(struct db *db, struct md_err *err);
/* Comments that wait; roughly, where many do. */
int search_waiting(struct db_conn *c, int64_t *ret, struct md_err *err);

/* ---- the index ---- */

struct search_worker {
	const char *holder; /* of the lease (leases.h) */
	int64_t fence;      /* 0 at first */
};
/* Take some from the queue into the index, the newest first. *ret_done rows of the queue; 0:
 * nothing waits. MD_CONFLICT: another worker is at it. */
int search_work(struct db *db, struct search_worker *w, size_t *ret_done, struct md_err *err);
/* Let others do it. */
int search_leave(struct db *db, struct search_worker *w, struct md_err *err);

/* ---- questions ---- */

struct search_hit {
	int64_t ticket;
	int64_t comment; /* 0: the ticket, by its title or its first comment */
	int64_t text;    /* the comment to show something of; 0: only the title matched */
	double score;
};
/* What has all terms of `q` (at least one), of the tickets that `f` lets through, best first, the
 * newer one of equals. *ret_more: there is more than what was looked at. */
int search_find(struct db_conn *c, const struct search_query *q, const struct ticket_filter *f,
		struct arena *a, struct search_hit **ret, size_t *ret_n, bool *ret_more,
		struct md_err *err);

struct search_text {
	int64_t id;
	const char *text;
};
/* Titles of tickets; bodies of comments; by id. */
int search_titles(struct db_conn *c, const int64_t *tickets, size_t n, struct arena *a,
		  struct search_text **ret, size_t *ret_n, struct md_err *err);
int search_bodies(struct db_conn *c, const int64_t *comments, size_t n, struct arena *a,
		  struct search_text **ret, size_t *ret_n, struct md_err *err);

#endif

/* search_private.h - what lists of tickets and searches share; private to src/store. */
#ifndef MAILDESK_STORE_SEARCH_PRIVATE_H
#define MAILDESK_STORE_SEARCH_PRIVATE_H

#include "query.h"

#include <maildesk/store/search.h>

/* Of a comment m: is it the description of its ticket? What was merged in is not. */
#define SEARCH_IS_FIRST                                                             \
	"CASE WHEN m.origin_id IS NOT NULL OR EXISTS (SELECT 1 FROM comments x"     \
	" WHERE x.ticket_id = m.ticket_id AND x.id < m.id AND x.origin_id IS NULL)" \
	" THEN 0 ELSE 1 END"

/* " AND ..." of tickets t, all but the words */
void ticket_filter_add(struct query *q, const struct ticket_filter *f);

/* The words as the engine wants them; arguments of queries point to it. */
struct search_matches {
	struct buf titles, comments;
};
enum { SEARCH_MATCH_MAX = 256 << 10 };
#define SEARCH_MATCHES_INIT                                                                  \
	{                                                                                    \
		.titles = BUF_INIT(SEARCH_MATCH_MAX), .comments = BUF_INIT(SEARCH_MATCH_MAX) \
	}
void search_write_matches(struct db_conn *c, const struct search_query *words,
			  struct search_matches *m);
void search_matches_done(struct search_matches *m); /* fits md_auto */
/* " AND t.id IN (...)": those with the words of the filter */
void search_add_tickets(struct query *q, const struct search_matches *m,
			const struct ticket_filter *f);

#endif

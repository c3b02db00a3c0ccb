/* searchquery.h - the language of searches, what a match is worth, and how it is shown.
 *
 *	printer "paper jam" inv* status:open,pending tag:urgent created:2026-01-01..2026-02-01
 *
 * Words and "phrases" must all be there; `wor*` (two characters or more) is a beginning; what holds
 * several words ("ABC-123", an address) is a phrase. Filters: status, priority (lists with commas),
 * assignee, requester (id, me, none, address), tag, mailbox, created, updated (a day, a..b, >, <,
 * >=, <=; days of UTC), overdue (yes, no). Whatever is no filter is words: no query is wrong. */
#ifndef MAILDESK_DESK_SEARCHQUERY_H
#define MAILDESK_DESK_SEARCHQUERY_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/record.h>
#include <maildesk/desk/workflow.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEARCH_TERMS_MAX = 16, SEARCH_PHRASE_MAX = 32, SEARCH_LIST_MAX = 16 };

struct search_term {
	struct search_word {
		const char *s; /* as searchtext.h makes them, with an end */
		size_t n;
	} * words;
	size_t n;
	bool prefix; /* the last word is a beginning */
};
struct search_query {
	struct search_term terms[SEARCH_TERMS_MAX]; /* further ones are ignored */
	size_t n;
	/* n = 0, NULL, 0, SEARCH_EITHER: any */
	const char *status[SEARCH_LIST_MAX];
	size_t n_status;
	int64_t priority[4];
	size_t n_priority;
	const char *assignee, *requester, *tag, *mailbox;
	int64_t created_from, created_before, updated_from, updated_before;
	enum { SEARCH_EITHER, SEARCH_YES, SEARCH_NO } overdue;
};

/* Statuses are those of `workflow`. MD_NOMEM is all that can go wrong. */
int search_parse(const char *text, const struct workflow *workflow, struct arena *a,
		 struct search_query *ret, struct md_err *err);

/* What a document is worth that an index gave for this query: words of its title and its body as
 * documents of searchtext.h. More for the title, for what occurs often in little. */
double search_score(const struct search_query *q, const char *title, double title_weight,
		    const char *body);

/* Some 200 bytes of the text around what matched, in <mark>; HTML-escaped, one line. The beginning
 * of the text when nothing of it matched. */
void search_snippet(struct buf *out, const struct search_query *q, const char *text, size_t n);

#endif

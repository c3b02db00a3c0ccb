/* search_match.c - one query, as each engine writes it. Words hold letters and digits only, so
 * quotes need no escape; the body's place in a vector begins where no phrase reaches it from the
 * title. */
#include "db_driver.h"

#include <maildesk/desk/searchtext.h>

#include <string.h>

static void put_terms(struct buf *out, const struct search_query *q, const char *between,
		      const char *weight,
		      void (*put)(struct buf *out, const struct search_term *t, const char *weight))
{
	for (size_t k = 0; k < q->n; k++) {
		buf_adds(out, k ? between : "(");
		put(out, &q->terms[k], weight);
	}
	buf_adds(out, ")");
}

/* ---- FTS5: ("a b" AND "c" *) AND {body} : ("a b" OR "c" *) ---- */

static void put_fts5(struct buf *out, const struct search_term *t, const char *weight)
{
	(void)weight;
	for (size_t i = 0; i < t->n; i++) {
		buf_addc(out, i ? ' ' : '"');
		buf_add(out, t->words[i].s, t->words[i].n);
	}
	buf_adds(out, t->prefix ? "\" *" : "\"");
}

void search_match_fts5(struct buf *out, const struct search_query *q, bool in_body)
{
	if (in_body && q->n == 1) {
		buf_adds(out, "{body} : ");
		in_body = false;
	}
	put_terms(out, q, " AND ", NULL, put_fts5);
	if (in_body) {
		buf_adds(out, " AND {body} : ");
		put_terms(out, q, " OR ", NULL, put_fts5);
	}
}

/* ---- tsquery: (('a' <-> 'b') & 'c':*) & (('a':D <-> 'b':D) | 'c':*D) ---- */

static void put_tsquery(struct buf *out, const struct search_term *t, const char *weight)
{
	for (size_t i = 0; i < t->n; i++) {
		bool prefix = t->prefix && i + 1 == t->n;

		buf_adds(out, i ? " <-> '" : "('");
		buf_add(out, t->words[i].s, t->words[i].n);
		buf_adds(out, "'");
		if (prefix || *weight)
			buf_addf(out, ":%s%s", prefix ? "*" : "", weight);
	}
	buf_adds(out, ")");
}

void search_match_tsquery(struct buf *out, const struct search_query *q, bool in_body)
{
	put_terms(out, q, " & ", "", put_tsquery);
	if (in_body) {
		buf_adds(out, " & ");
		put_terms(out, q, " | ", "D", put_tsquery);
	}
}

/* ---- tsvector: a:1A b:2A c:5 ---- */

static size_t put_places(struct buf *out, const char *words, size_t place, const char *weight)
{
	for (const char *at = words; *at; place++) {
		size_t n = strcspn(at, " ");

		if (n != strlen(SEARCHTEXT_GAP) || memcmp(at, SEARCHTEXT_GAP, n) != 0) {
			buf_addc(out, ' ');
			buf_add(out, at, n);
			buf_addf(out, ":%zu%s", place, weight);
		}
		at += n + (at[n] == ' ');
	}
	return place;
}

void search_put_tsvector(struct buf *out, const char *title, const char *body)
{
	size_t place = put_places(out, title, 1, "A");

	put_places(out, body, place + 1, "");
}

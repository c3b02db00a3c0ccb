/* searchrank.c - matches counted, weighed and shown.
 *
 * One matcher serves both: for each term a set of bits says how many of its words the last words
 * of the text were, so phrases are found in one walk whatever they repeat. */
#include <maildesk/desk/searchquery.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/err.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/searchtext.h>

#include <string.h>

struct matcher {
	const struct search_query *q;
	uint32_t at[SEARCH_TERMS_MAX];
};

static bool is_word(const struct search_term *t, size_t i, const char *s, size_t n)
{
	const struct search_word *w = &t->words[i];

	if (t->prefix && i + 1 == t->n)
		return n >= w->n && memcmp(s, w->s, w->n) == 0;
	return n == w->n && memcmp(s, w->s, n) == 0;
}

/* The next word of the text. A bit for each term that ends with it. */
static unsigned match(struct matcher *m, const char *s, size_t n)
{
	unsigned ended = 0;

	for (size_t k = 0; k < m->q->n; k++) {
		const struct search_term *t = &m->q->terms[k];
		uint32_t maybe = m->at[k] << 1 | 1, now = 0;

		for (size_t i = 0; i < t->n; i++)
			if (maybe & UINT32_C(1) << i && is_word(t, i, s, n))
				now |= UINT32_C(1) << i;
		m->at[k] = now;
		if (now & UINT32_C(1) << (t->n - 1))
			ended |= 1U << k;
	}
	return ended;
}

/* ---- worth ---- */

struct counts {
	double times[SEARCH_TERMS_MAX], words;
};

static void count(const struct search_query *q, const char *document, struct counts *ret)
{
	struct matcher m = { .q = q };

	*ret = (struct counts){ 0 };
	for (const char *at = document; *at;) {
		const char *end = strchr(at, ' ');
		size_t n = end ? (size_t)(end - at) : strlen(at);
		unsigned ended = match(&m, at, n);

		ret->words++;
		for (size_t k = 0; ended; k++, ended >>= 1)
			ret->times[k] += ended & 1;
		at += n + (end != NULL);
	}
}

/* Okapi's saturation: the tenth occurrence says little, and less in a long text. */
static double weight(double times, double words, double usual)
{
	return times * 2.2 / (times + 1.2 * (0.25 + 0.75 * words / usual));
}

double search_score(const struct search_query *q, const char *title, double title_weight,
		    const char *body)
{
	struct counts in_title, in_body;
	double sum = 0;

	if (q->n == 0)
		return 0;
	count(q, title, &in_title);
	count(q, body, &in_body);
	for (size_t k = 0; k < q->n; k++)
		sum += title_weight * weight(in_title.times[k], in_title.words, 8) +
		       weight(in_body.times[k], in_body.words, 150);
	return sum / (double)q->n;
}

/* ---- snippets ---- */

enum { HITS_MAX = 64, AHEAD = 50, LENGTH = 220, WALK_MAX = 200000 };

struct hit {
	size_t from, to;
	unsigned terms;
};

/* Words that matched, in order. */
static size_t find_hits(const struct search_query *q, const char *text, size_t n, struct hit *hits)
{
	size_t froms[SEARCH_PHRASE_MAX], tos[SEARCH_PHRASE_MAX], i = 0, n_hits = 0, k;
	struct matcher m = { .q = q };
	struct searchtext it;
	struct searchtext_word w;

	searchtext_begin(&it, text, n < WALK_MAX ? n : WALK_MAX);
	for (; n_hits < HITS_MAX && searchtext_next(&it, &w); i++) {
		unsigned ended = match(&m, w.s, w.n);

		froms[i % SEARCH_PHRASE_MAX] = w.from;
		tos[i % SEARCH_PHRASE_MAX] = w.to;
		for (k = 0; k < q->n && n_hits < HITS_MAX; k++) {
			size_t first = i + 1 - q->terms[k].n;

			if (!(ended & 1U << k))
				continue;
			hits[n_hits++] = (struct hit){ froms[first % SEARCH_PHRASE_MAX],
						       tos[i % SEARCH_PHRASE_MAX], 1U << k };
		}
	}
	return n_hits;
}

/* From where most of the terms are seen at once. */
static size_t best_start(const struct hit *hits, size_t n)
{
	size_t best = 0;
	int most = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned seen = 0;

		for (size_t j = i; j < n && hits[j].from < hits[i].from + LENGTH - AHEAD; j++)
			seen |= hits[j].terms;
		if (__builtin_popcount(seen) > most) {
			most = __builtin_popcount(seen);
			best = hits[i].from;
		}
	}
	return best;
}

/* HTML, one line: blanks become one. */
static void add_text(struct buf *out, const char *s, size_t n)
{
	md_auto(buf_done) struct buf line = BUF_INIT(4 * LENGTH);
	static const char special[] = "&<>\"'";
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

	utf8_clean_line(&line, s, n);
	if (n && strchr(" \t\r\n", s[0]) && out->len && out->data[out->len - 1] != ' ')
		buf_addc(out, ' ');
	for (size_t i = 0; i < line.len; i++) {
		const char *at = strchr(special, line.data[i]);

		if (at && *at)
			buf_adds(out, entities[at - special]);
		else
			buf_addc(out, line.data[i]);
	}
	if (n > 1 && line.len && strchr(" \t\r\n", s[n - 1]))
		buf_addc(out, ' ');
	if (line.status != MD_OK)
		out->status = line.status;
}

/* A place at or before `at` where a word begins, and not far before. */
static size_t word_before(const char *text, size_t at)
{
	size_t from = at > AHEAD ? at - AHEAD : 0, start;

	if (from == 0)
		return 0;
	start = from;
	while (start < at && !strchr(" \t\r\n", text[start]))
		start++;
	start += start < at;
	if (start < at)
		return start;
	while (from < at && ((unsigned char)text[from] & 0xc0) == 0x80)
		from++;
	return from;
}

void search_snippet(struct buf *out, const struct search_query *q, const char *text, size_t n)
{
	struct hit hits[HITS_MAX];
	size_t n_hits = find_hits(q, text, n, hits);
	size_t at = word_before(text, best_start(hits, n_hits)), end;

	end = at + utf8_cut(text + at, n - at, LENGTH);
	if (at > 0)
		buf_adds(out, "…");
	for (size_t i = 0; i < n_hits; i++) {
		size_t from = hits[i].from < at ? at : hits[i].from;

		if (hits[i].from >= end || hits[i].to > end || hits[i].to <= at)
			continue;
		if (hits[i].from > at)
			add_text(out, text + at, hits[i].from - at);
		buf_adds(out, "<mark>");
		add_text(out, text + from, hits[i].to - from);
		buf_adds(out, "</mark>");
		at = hits[i].to;
	}
	add_text(out, text + at, end - at);
	if (end < n)
		buf_adds(out, "…");
}

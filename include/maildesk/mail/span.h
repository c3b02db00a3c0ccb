/* span.h - a piece of somebody else's bytes, and the few questions mail readers ask about it.
 *
 * Mail is read in place: a span borrows, is not NUL-terminated and may hold any byte. Comparisons
 * ignore the case of ASCII letters, as RFC 5322 and 2045 want, and know no locale. */
#ifndef MAILDESK_MAIL_SPAN_H
#define MAILDESK_MAIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

static inline bool ascii_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline char ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}
static inline bool ascii_alnum(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}
int hex_digit(char c); /* 0..15, or -1 */

struct span span_of(const char *s); /* "" for NULL */
/* Clipped to s. */
static inline struct span span_sub(struct span s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct span){ s.n ? s.p + from : s.p, to - from };
}
static inline struct span span_from(struct span s, size_t from)
{
	return span_sub(s, from, s.n);
}
struct span span_trim(struct span s); /* without ASCII white space at both ends */
struct span span_trim_end(struct span s);

bool span_same(struct span a, struct span b);
/* Tables of names and prefixes are tried row by row: most rows end at the first byte. */
static inline bool span_differs_at_once(struct span s, const char *text)
{
	return s.n && *text && ascii_lower(*s.p) != ascii_lower(*text);
}
static inline bool span_is(struct span s, const char *text)
{
	return !span_differs_at_once(s, text) && span_same(s, span_of(text));
}
bool span_starts_in_full(struct span s, const char *text);
static inline bool span_starts(struct span s, const char *text)
{
	return !span_differs_at_once(s, text) && span_starts_in_full(s, text);
}
bool span_ends(struct span s, const char *text);
/* Where `text` stands in s, or s.n when it does not. */
size_t span_find(struct span s, const char *text);
static inline bool span_has(struct span s, const char *text)
{
	return span_find(s, text) < s.n;
}
/* Whether any of n words (two bytes at least) stands in s; one pass over s for all of them. */
bool span_has_any(struct span s, const char *const *words, size_t n);
/* The same where the words are looked for again and again: found by their first two bytes. */
enum { SPAN_PAIRS = 1024, SPAN_WORDS_MAX = 255 };
struct span_index {
	const char *const *words;        /* borrowed */
	unsigned char first[SPAN_PAIRS]; /* by a hash of the pair: number of a word, from 1 */
	unsigned char next[SPAN_WORDS_MAX + 1]; /* another one of the same; 0: none */
};
void span_index(struct span_index *x, const char *const *words, size_t n);
bool span_has_indexed(struct span s, const struct span_index *x);
bool span_starts_indexed(struct span s, const struct span_index *x); /* with any of them */
/* Position of the first byte c, or s.n. Case-sensitive. */
static inline size_t span_chr(struct span s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

/* Takes the next line (ended by LF or CRLF, which is not part of it) off *rest; false at the end.
 */
bool span_line(struct span *rest, struct span *ret_line);
/* Takes what stands before the first byte `sep` (or all) off *rest, trimmed; false at the end. */
bool span_split(struct span *rest, char sep, struct span *ret_item);

#endif

/* span.h - a piece of somebody else's bytes, and the few questions mail readers ask about it.
 *
 * Mail is read in place: a span borrows, is not NUL-terminated and may hold any byte. Comparisons
 * ignore the case of ASCII letters, as RFC 5322 and 2045 want, and know no locale. */
#ifndef MAILDESK_MAIL_SPAN_H
#define MAILDESK_MAIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *p;
	size_t n;
};

struct span span_of(const char *s);                          /* "" for NULL */
struct span span_sub(struct span s, size_t from, size_t to); /* clipped to s */
static inline struct span span_from(struct span s, size_t from)
{
	return span_sub(s, from, s.n);
}
struct span span_trim(struct span s); /* without ASCII white space at both ends */
struct span span_trim_end(struct span s);

bool span_is(struct span s, const char *text);
bool span_same(struct span a, struct span b);
bool span_starts(struct span s, const char *text);
bool span_ends(struct span s, const char *text);
/* Where `text` stands in s, or s.n when it does not. */
size_t span_find(struct span s, const char *text);
static inline bool span_has(struct span s, const char *text)
{
	return span_find(s, text) < s.n;
}
/* Whether any of n words (two bytes at least) stands in s; one pass over s for all of them. */
bool span_has_any(struct span s, const char *const *words, size_t n);
/* Position of the first byte c, or s.n. Case-sensitive. */
size_t span_chr(struct span s, char c);

/* Takes the next line (ended by LF or CRLF, which is not part of it) off *rest; false at the end.
 */
bool span_line(struct span *rest, struct span *ret_line);
/* Takes what stands before the first byte `sep` (or all) off *rest, trimmed; false at the end. */
bool span_split(struct span *rest, char sep, struct span *ret_item);

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

#endif

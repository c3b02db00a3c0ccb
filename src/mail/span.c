#include <maildesk/mail/span.h>

#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span span_of(const char *s)
{
	return (struct span){ s ? s : "", s ? strlen(s) : 0 };
}

struct span span_sub(struct span s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct span){ s.n ? s.p + from : s.p, to - from };
}

struct span span_trim_end(struct span s)
{
	while (s.n && ascii_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct span span_trim(struct span s)
{
	while (s.n && ascii_space(*s.p)) {
		s.p++;
		s.n--;
	}
	return span_trim_end(s);
}

static bool same_bytes(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool span_same(struct span a, struct span b)
{
	return a.n == b.n && same_bytes(a.p, b.p, a.n);
}

bool span_is(struct span s, const char *text)
{
	return span_same(s, span_of(text));
}

bool span_starts(struct span s, const char *text)
{
	size_t n;

	/* Tables of prefixes are tried row by row: most rows end here. */
	if (s.n && *text && ascii_lower(*s.p) != ascii_lower(*text))
		return false;
	n = strlen(text);
	return s.n >= n && same_bytes(s.p, text, n);
}

bool span_ends(struct span s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && same_bytes(s.p + s.n - n, text, n);
}

size_t span_find(struct span s, const char *text)
{
	size_t n = strlen(text);
	char first = ascii_lower(*text);

	for (size_t i = 0; n && i + n <= s.n; i++)
		if (ascii_lower(s.p[i]) == first && same_bytes(s.p + i, text, n))
			return i;
	return s.n;
}

/* Of the first two bytes, without case. */
static inline unsigned pair_key(const char *p)
{
	return ((unsigned char)ascii_lower(p[0]) * 37u + (unsigned char)ascii_lower(p[1])) & 1023u;
}

bool span_has_any(struct span s, const char *const *words, size_t n)
{
	uint64_t pairs[1024 / 64] = { 0 };

	for (size_t k = 0; k < n; k++)
		pairs[pair_key(words[k]) / 64] |= UINT64_C(1) << pair_key(words[k]) % 64;
	for (size_t i = 0; i + 1 < s.n; i++) {
		unsigned key = pair_key(s.p + i);

		if (!(pairs[key / 64] >> key % 64 & 1))
			continue;
		for (size_t k = 0; k < n; k++)
			if (span_starts(span_from(s, i), words[k]))
				return true;
	}
	return false;
}

size_t span_chr(struct span s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

bool span_line(struct span *rest, struct span *ret_line)
{
	size_t at;

	if (!rest->n)
		return false;
	at = span_chr(*rest, '\n');
	*ret_line = (struct span){ rest->p, at };
	if (at && rest->p[at - 1] == '\r')
		ret_line->n--;
	*rest = span_from(*rest, at + 1);
	return true;
}

bool span_split(struct span *rest, char sep, struct span *ret_item)
{
	size_t at;

	if (!rest->n)
		return false;
	at = span_chr(*rest, sep);
	*ret_item = span_trim(span_sub(*rest, 0, at));
	*rest = span_from(*rest, at + 1);
	return true;
}

int hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

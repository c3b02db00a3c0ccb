#include <maildesk/mail/span.h>

#include <assert.h>
#include <string.h>

struct span span_of(const char *s)
{
	return (struct span){ s ? s : "", s ? strlen(s) : 0 };
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

bool span_starts_in_full(struct span s, const char *text)
{
	size_t n = strlen(text);

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

/* Of two bytes in lower case. */
static inline unsigned pair_key(char a, char b)
{
	return ((unsigned char)a * 37u + (unsigned char)b) % SPAN_PAIRS;
}

void span_index(struct span_index *x, const char *const *words, size_t n)
{
	assert(n <= SPAN_WORDS_MAX);
	*x = (struct span_index){ .words = words };
	for (size_t k = 0; k < n; k++) {
		unsigned key = pair_key(ascii_lower(words[k][0]), ascii_lower(words[k][1]));

		x->next[k + 1] = x->first[key];
		x->first[key] = (unsigned char)(k + 1);
	}
}

static inline bool is_word(struct span s, const struct span_index *x, char a, char b)
{
	for (unsigned k = x->first[pair_key(a, b)]; k; k = x->next[k])
		if (span_starts(s, x->words[k - 1]))
			return true;
	return false;
}

bool span_starts_indexed(struct span s, const struct span_index *x)
{
	return s.n >= 2 && is_word(s, x, ascii_lower(s.p[0]), ascii_lower(s.p[1]));
}

bool span_has_indexed(struct span s, const struct span_index *x)
{
	char a = s.n ? ascii_lower(*s.p) : '\0', b;

	for (size_t i = 0; i + 1 < s.n; i++, a = b) {
		b = ascii_lower(s.p[i + 1]);
		if (is_word(span_from(s, i), x, a, b))
			return true;
	}
	return false;
}

bool span_has_any(struct span s, const char *const *words, size_t n)
{
	struct span_index x;

	span_index(&x, words, n);
	return span_has_indexed(s, &x);
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

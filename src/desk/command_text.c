/* Pieces of text, as the parser of commands looks at them. */
#include "command_priv.h"

#include <string.h>

size_t slice_blank(struct slice s)
{
	if (s.n >= 1 && (s.at[0] == ' ' || s.at[0] == '\t' || s.at[0] == '\r'))
		return 1;
	if (s.n >= 2 && memcmp(s.at, "\xc2\xa0", 2) == 0)
		return 2;
	if (s.n >= 3 && memcmp(s.at, "\xe3\x80\x80", 3) == 0)
		return 3;
	return 0;
}

struct slice slice_skip(struct slice s, size_t n)
{
	return (struct slice){ s.at + n, s.n - n };
}

struct slice slice_trim(struct slice s)
{
	for (size_t n; (n = slice_blank(s)) > 0;)
		s = slice_skip(s, n);
	for (;;) {
		if (s.n >= 1 && slice_blank(slice_skip(s, s.n - 1)) == 1)
			s.n -= 1;
		else if (s.n >= 2 && slice_blank(slice_skip(s, s.n - 2)) == 2)
			s.n -= 2;
		else if (s.n >= 3 && slice_blank(slice_skip(s, s.n - 3)) == 3)
			s.n -= 3;
		else
			return s;
	}
}

struct slice slice_without_blank_lines(struct slice s)
{
	struct slice line = s;

	for (;;) {
		size_t n = slice_blank(line);

		if (n == 0 && line.n && line.at[0] == '\n')
			s = slice_skip(line, n = 1);
		if (n == 0)
			break;
		line = slice_skip(line, n);
	}
	if (line.n == 0)
		return line;
	while (s.n && strchr(" \t\r\n", s.at[s.n - 1]))
		s.n--;
	return s;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool slice_split_verb(struct slice s, struct slice *ret_word, struct slice *ret_args)
{
	size_t n = 0;

	while (n < s.n && !slice_blank(slice_skip(s, n)) &&
	       (is_letter(s.at[n]) || (n && (is_digit(s.at[n]) || strchr("_-", s.at[n])))))
		n++;
	if (n == 0 || (n < s.n && s.at[n] != '=' && !slice_blank(slice_skip(s, n))))
		return false;
	*ret_word = (struct slice){ s.at, n };
	*ret_args = slice_trim(slice_skip(s, n));
	if (ret_args->n && ret_args->at[0] == '=')
		*ret_args = slice_trim(slice_skip(*ret_args, 1));
	return true;
}

const char *slice_copy(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.n + 1), *to = out;

	if (!out)
		return "";
	while (s.n) {
		size_t n = slice_blank(s);

		*to++ = n ? ' ' : s.at[0];
		s = slice_skip(s, n ? n : 1);
	}
	return out;
}

int64_t command_next_number(const char **at)
{
	const char *s = *at + (**at == '#');
	size_t n = strspn(s, "0123456789");
	int64_t value = 0;

	if (n == 0 || n > 18 || (s[n] && !strchr(" ,]", s[n])))
		return 0;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (s[i] - '0');
	*at = s + n + strspn(s + n, " ,");
	return value;
}

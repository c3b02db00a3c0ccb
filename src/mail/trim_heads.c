/* Lines that head a quote: "On DATE, NAME wrote:" and their kin, broken anywhere. */
#include "trim_lines.h"

#include <maildesk/base/mem.h>

#include <string.h>

enum { HEADER_LINES = 6, HEADER_BYTES = 500 }; /* of one "On ... wrote:" */

/* Marks of writing direction (U+200E, U+200F, U+202A..U+202E), which Hebrew and Arabic clients put
 * around names, addresses and whole lines. */
static bool is_direction(const char *p)
{
	return p[0] == '\xe2' && p[1] == '\x80' &&
	       (p[2] == '\x8e' || p[2] == '\x8f' || (p[2] >= '\xaa' && p[2] <= '\xae'));
}

static struct span undirected(struct span s)
{
	s = span_trim(s);
	while (s.n >= 3 && is_direction(s.p))
		s = span_trim(span_from(s, 3));
	while (s.n >= 3 && is_direction(s.p + s.n - 3))
		s = span_trim_end(span_sub(s, 0, s.n - 3));
	return s;
}

/* "*From:*", "  From:" */
struct span trim_undressed(struct span line)
{
	line = undirected(line);
	while (line.n && (*line.p == '*' || *line.p == '_' || *line.p == '|'))
		line = span_trim(span_from(line, 1));
	while (line.n && (line.p[line.n - 1] == '*' || line.p[line.n - 1] == '_'))
		line = span_trim_end(span_sub(line, 0, line.n - 1));
	return line;
}

bool trim_ends_in_colon(struct span s)
{
	s = undirected(s);
	while (s.n && (s.p[s.n - 1] == '*' || s.p[s.n - 1] == '>' || s.p[s.n - 1] == '_'))
		s = span_trim_end(span_sub(s, 0, s.n - 1));
	return span_ends(s, ":") || span_ends(s, "\xef\xbc\x9a");
}

static bool has_digit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_digit(s.p[i]))
			return true;
	return false;
}

bool trim_has_time(struct span s)
{
	for (size_t i = 1; i + 2 < s.n; i++)
		if (s.p[i] == ':' && ascii_digit(s.p[i - 1]) && ascii_digit(s.p[i + 1]) &&
		    ascii_digit(s.p[i + 2]))
			return true;
	return false;
}

static bool has_year(struct span s)
{
	for (size_t i = 0; i + 3 < s.n; i++)
		if ((span_starts(span_from(s, i), "20") || span_starts(span_from(s, i), "19")) &&
		    ascii_digit(s.p[i + 2]) && ascii_digit(s.p[i + 3]))
			return true;
	return false;
}

/* "... user@host:" */
static bool ends_in_address(struct span s)
{
	size_t from = s.n;

	while (from && !ascii_space(s.p[from - 1]))
		from--;
	return span_chr(span_from(s, from), '@') < s.n - from;
}

/* Whether the joined lines, which end in a colon, say who wrote when. */
static bool is_header(struct span all, bool one_line)
{
	bool dated = has_digit(all), addressed = span_chr(all, '@') < all.n;

	/* "2026年11月20日 10:00 Name <user@host>:" says it without a verb. */
	if (addressed && trim_has_time(all) &&
	    (span_chr(all, '<') < all.n || (has_year(all) && ends_in_address(all))))
		return true;
	for (size_t i = 0; (dated || addressed) && trim_quote_headers[i].verb; i++)
		if (span_has(all, trim_quote_headers[i].verb) &&
		    (!*trim_quote_headers[i].start ||
		     span_starts(all, trim_quote_headers[i].start) || addressed ||
		     (one_line && (trim_has_time(all) || has_year(all)))))
			return true;
	return false;
}

/* How many lines from `at` on are one "On ... wrote:", or 0. Clients break it anywhere, some with
 * an empty line in between; then its first line must have a date. */
size_t trim_quote_header_lines(const struct trim_lines *l, size_t at)
{
	struct span first = trim_undressed(l->v[at].text), all = first;
	bool begins = span_starts_indexed(first, &l->index.headers), dated = has_digit(first);

	for (size_t n = 1; n <= HEADER_LINES && at + n <= l->n; n++) {
		struct span last = l->v[at + n - 1].text;

		/* A line that begins like none goes on in one more line only, and says when. */
		if (n > 1 && !begins &&
		    (n > 2 || !dated || *last.p == '>' ||
		     span_starts_indexed(trim_undressed(last), &l->index.headers)))
			return 0;
		all.n = (size_t)(last.p + last.n - all.p);
		if (all.n > HEADER_BYTES)
			return 0;
		if (span_trim(last).n == 0 && !(begins && dated && n < HEADER_LINES))
			return 0;
		if (trim_ends_in_colon(all) && span_trim(last).n)
			return is_header(all, n == 1) ? n : 0;
		if (n > 1 && *last.p == '>')
			return 0;
	}
	return 0;
}

/* "2026/11/20 Name <user@host>": nothing but a date and an address. */
static bool is_date_and_address(struct span line)
{
	return line.n > 12 && ascii_digit(line.p[0]) && ascii_digit(line.p[3]) &&
	       (line.p[4] == '/' || line.p[4] == '-') && span_ends(line, ">") &&
	       span_chr(line, '@') < line.n;
}

/* "Name via Forum wrote:": a colon and a word for writing. */
static bool says_wrote(struct span line)
{
	if (!trim_ends_in_colon(line))
		return false;
	for (size_t i = 0; trim_quote_headers[i].verb; i++)
		if (span_has(line, trim_quote_headers[i].verb))
			return true;
	return false;
}

/* The line right above a quote needs less to be its header. */
bool trim_heads_quote(const struct trim_lines *l, size_t at)
{
	struct span line = span_trim(l->v[at].text);
	size_t next = at + 1;

	if (line.n > 200)
		return false;
	if (is_date_and_address(line))
		return true;
	while (next < l->n && next < at + 3 && l->v[next].class == TRIM_EMPTY)
		next++;
	if (next == l->n || l->v[next].class != TRIM_QUOTE)
		return false;
	if (says_wrote(line))
		return true;
	return ascii_digit(*line.p) && ((span_ends(line, ">") && span_chr(line, '@') < line.n) ||
					(trim_ends_in_colon(line) && trim_has_time(line)));
}

/* "---- On DATE, NAME wrote ----" */
bool trim_is_dashed_header(struct span line)
{
	struct span inner = line;

	while (inner.n && (*inner.p == '-' || *inner.p == ' '))
		inner = span_from(inner, 1);
	while (inner.n && (inner.p[inner.n - 1] == '-' || inner.p[inner.n - 1] == ' '))
		inner.n--;
	if (inner.n + 6 > line.n || inner.n > HEADER_BYTES)
		return false;
	for (size_t i = 0; trim_quote_headers[i].verb; i++)
		if (*trim_quote_headers[i].start &&
		    span_starts(inner, trim_quote_headers[i].start) &&
		    span_ends(inner, trim_quote_headers[i].verb))
			return true;
	return false;
}

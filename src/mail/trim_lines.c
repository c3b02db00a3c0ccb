/* How lines are told apart; the words are in trim_tables.c. */
#include "trim_lines.h"

#include "trim_tables.h"

#include <maildesk/base/mem.h>
#include <maildesk/mail/trim.h>

#include <string.h>

enum { HEADER_LINES = 6, HEADER_BYTES = 500 }; /* of one "On ... wrote:" */

/* "*From:*", "  From:" */
struct span trim_undressed(struct span line)
{
	line = span_trim(line);
	while (line.n && (*line.p == '*' || *line.p == '_' || *line.p == '|'))
		line = span_trim(span_from(line, 1));
	while (line.n && (line.p[line.n - 1] == '*' || line.p[line.n - 1] == '_'))
		line = span_trim_end(span_sub(line, 0, line.n - 1));
	return line;
}

/* Length of the colon s begins with (also a wide one, or "*:" and nbsp before it), or 0. */
static size_t colon_at(struct span s)
{
	size_t i = 0;

	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '*'))
		i++;
	if (span_starts(span_from(s, i), "\xc2\xa0"))
		i += 2;
	if (i < s.n && s.p[i] == ':')
		return i + 1;
	return span_starts(span_from(s, i), "\xef\xbc\x9a") ? i + 3 : 0;
}

static unsigned label_of(struct span line)
{
	struct span near;

	line = trim_undressed(line);
	near = span_sub(line, 0, 40);
	if (span_chr(near, ':') == near.n && !span_has(near, "\xef\xbc\x9a"))
		return 0;
	for (size_t i = 0; trim_labels[i].text; i++)
		if (span_starts(line, trim_labels[i].text) &&
		    colon_at(span_from(line, strlen(trim_labels[i].text))))
			return trim_labels[i].label;
	return 0;
}

/* Three kinds of labels in the next lines, who or when among them: the head of an old mail. */
static bool block_begins(const struct trim_lines *l, size_t at)
{
	unsigned seen = label_of(l->v[at].text), lines = 0;

	if (!(seen & (LABEL_FROM | LABEL_SENT | LABEL_SUBJECT)))
		return false;
	for (size_t i = at + 1; i < l->n && lines < 7; i++) {
		if (span_trim(l->v[i].text).n == 0)
			continue;
		lines++;
		seen |= label_of(l->v[i].text);
	}
	return (seen & LABEL_FROM) && __builtin_popcount(seen) >= 3;
}

static bool ends_in_colon(struct span s)
{
	s = span_trim_end(s);
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

static bool has_time(struct span s)
{
	for (size_t i = 1; i + 2 < s.n; i++)
		if (s.p[i] == ':' && ascii_digit(s.p[i - 1]) && ascii_digit(s.p[i + 1]) &&
		    ascii_digit(s.p[i + 2]))
			return true;
	return false;
}

static bool starts_header(struct span first)
{
	for (size_t i = 0; trim_quote_headers[i].verb; i++)
		if (*trim_quote_headers[i].start && span_starts(first, trim_quote_headers[i].start))
			return true;
	return false;
}

/* Whether the joined lines, which end in a colon, say who wrote when. */
static bool is_header(struct span all, bool one_line)
{
	bool dated = has_digit(all), addressed = span_chr(all, '@') < all.n;

	/* "2026年11月20日 10:00 Name <user@host>:" says it without a verb. */
	if (addressed && has_time(all) && span_chr(all, '<') < all.n)
		return true;
	for (size_t i = 0; (dated || addressed) && trim_quote_headers[i].verb; i++)
		if (span_has(all, trim_quote_headers[i].verb) &&
		    (!*trim_quote_headers[i].start ||
		     span_starts(all, trim_quote_headers[i].start) || addressed || one_line))
			return true;
	return false;
}

/* How many lines from `at` on are one "On ... wrote:", or 0. Clients break it anywhere, some with
 * an empty line in between; then its first line must have a date. */
static size_t quote_header(const struct trim_lines *l, size_t at)
{
	struct span first = trim_undressed(l->v[at].text), all = first;
	bool begins = starts_header(first), dated = has_digit(first);

	for (size_t n = 1; n <= HEADER_LINES && at + n <= l->n; n++) {
		struct span last = l->v[at + n - 1].text;

		/* A line that begins like none goes on in one more line only, and says when. */
		if (n > 1 && !begins &&
		    (n > 2 || !dated || *last.p == '>' || starts_header(trim_undressed(last))))
			return 0;
		all.n = (size_t)(last.p + last.n - all.p);
		if (all.n > HEADER_BYTES)
			return 0;
		if (span_trim(last).n == 0 && !(begins && dated && n < HEADER_LINES))
			return 0;
		if (ends_in_colon(all) && span_trim(last).n)
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
	if (!ends_in_colon(line))
		return false;
	for (size_t i = 0; trim_quote_headers[i].verb; i++)
		if (span_has(line, trim_quote_headers[i].verb))
			return true;
	return false;
}

/* The line right above a quote needs less to be its header. */
static bool heads_quote(const struct trim_lines *l, size_t at)
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
					(ends_in_colon(line) && has_time(line)));
}

/* A rule with "From:" below it, or with the name of a mailing list. */
static bool rule_ends_mail(const struct trim_lines *l, size_t at)
{
	size_t next = at + 1;

	while (next < l->n && next < at + 3 && l->v[next].class == TRIM_EMPTY)
		next++;
	return next < l->n && (label_of(l->v[next].text) == LABEL_FROM ||
			       span_ends(span_trim_end(l->v[next].text), "mailing list"));
}

static bool between_dashes(struct span line)
{
	line = trim_undressed(line);
	return line.n > 8 && (span_starts(line, "--") || span_starts(line, "__") ||
			      span_starts(line, "==") || span_starts(line, "##"));
}

unsigned trim_line_label(struct span line, struct span *ret_value)
{
	unsigned label = label_of(line);
	size_t at, wide;

	line = trim_undressed(line);
	at = span_chr(line, ':');
	wide = span_find(line, "\xef\xbc\x9a");
	*ret_value = label ? trim_undressed(span_from(line, wide < at ? wide + 3 : at + 1)) : line;
	return label;
}

bool trim_line_is_forward(struct span line)
{
	line = span_trim(line);
	if (line.n > 120 || !(between_dashes(line) || ends_in_colon(line)))
		return false;
	return span_has_any(line, trim_forwards.v, trim_forwards.n);
}

/* Long marks that stand for dashes, and Mailbird's sign. */
static const char *const wide_marks[] = { "\xe2\x80\x94", "\xe2\x80\x93", "\xe2\x80\x95",
					  "\xe1\x90\xa7" };

static bool is_rule(struct span line)
{
	size_t marks = 0, step;

	for (size_t i = 0; i < line.n; i += step) {
		step = 1;
		for (size_t k = 0; k < MD_COUNT(wide_marks); k++)
			if (span_starts(span_from(line, i), wide_marks[k]))
				step = 3;
		if (step == 3 || (strchr("-_=*#~+", line.p[i]) && line.p[i]))
			marks += step > 1 ? 2 : 1;
		else if (!ascii_space(line.p[i]))
			return false;
	}
	return marks > 1;
}

/* "---- On DATE, NAME wrote ----" */
static bool is_dashed_header(struct span line)
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

static enum trim_class simple_class(struct span line)
{
	struct span bare = span_trim(line);

	if (bare.n == 0)
		return TRIM_EMPTY;
	if (bare.n < 200 && span_has_any(bare, trim_above.v, trim_above.n))
		return TRIM_MARKER;
	if (*bare.p == '>')
		return TRIM_QUOTE;
	if ((bare.n == 2 && bare.p[0] == '-' && bare.p[1] == '-') ||
	    span_is(bare, "-----BEGIN PGP SIGNATURE-----"))
		return TRIM_SIGNATURE;
	if (is_rule(bare))
		return TRIM_RULE;
	if (bare.n <= 120 && between_dashes(bare) &&
	    span_has_any(bare, trim_originals.v, trim_originals.n))
		return TRIM_OLD;
	if (trim_line_is_forward(bare) || is_dashed_header(bare))
		return TRIM_OLD;
	if (!trim_is_device(bare))
		return TRIM_TEXT;
	return span_has_any(bare, trim_device_words.v, trim_device_words.n) ? TRIM_DEVICE
									    : TRIM_PROGRAM;
}

/* What only the neighbours tell. */
static void refine(struct trim_lines *l, size_t at)
{
	struct trim_line *line = &l->v[at];
	size_t lines;

	if (line->class == TRIM_RULE && rule_ends_mail(l, at))
		line->class = TRIM_OLD;
	if (line->class != TRIM_TEXT)
		return;
	if (block_begins(l, at) ||
	    (at + 1 < l->n && line->text.n <= 120 && between_dashes(span_trim(line->text)) &&
	     block_begins(l, at + 1))) { /* also with a title between dashes, in any language */
		line->class = TRIM_OLD;
	} else if (heads_quote(l, at)) {
		line->class = TRIM_HEADER;
	} else if (trim_is_dash_name(l, at)) {
		line->class = TRIM_SIGNATURE;
	} else if (at && l->v[at - 1].class == TRIM_QUOTE &&
		   (span_starts(span_trim(line->text), "(http") ||
		    span_starts(span_trim(line->text), "<http"))) {
		line->class = TRIM_QUOTE; /* a link that was broken off its line */
	} else if (trim_is_disclaimer(l, at)) {
		line->class = TRIM_DEVICE;
	} else {
		for (lines = quote_header(l, at); lines > 0; lines--)
			l->v[at + lines - 1].class = TRIM_HEADER;
	}
}

/* The elements of HTML know better than the words, where the text came from it. */
static void apply_marks(struct trim_lines *l, const char *text, const struct html_marks *marks)
{
	static const enum trim_class classes[] = {
		[HTML_MARK_QUOTE] = TRIM_QUOTE,
		[HTML_MARK_REST] = TRIM_OLD,
		[HTML_MARK_SIGNATURE] = TRIM_SIGNATURE,
	};
	size_t k = 0;

	for (size_t i = 0; i < l->n && k < marks->n; i++) {
		size_t at = (size_t)(l->v[i].text.p - text);

		while (k < marks->n && at >= marks->v[k].to)
			k++;
		if (k < marks->n && at >= marks->v[k].from && l->v[i].class != TRIM_EMPTY &&
		    l->v[i].class != TRIM_OLD)
			l->v[i].class = classes[marks->v[k].mark];
	}
}

bool trim_lines_read(struct arena *a, struct span text, const struct html_marks *marks,
		     struct trim_lines *ret)
{
	struct span rest = text, line;
	size_t n = 0;

	while (n < TRIM_LINES_MAX && span_line(&rest, &line))
		n++;
	*ret = (struct trim_lines){ .v = arena_array(a, n, sizeof *ret->v) };
	if (!ret->v)
		return false;
	for (rest = text; ret->n < n && span_line(&rest, &line); ret->n++) {
		ret->v[ret->n].text = line;
		ret->v[ret->n].class = simple_class(line);
	}
	if (marks)
		apply_marks(ret, text.p, marks);
	for (size_t i = 0; i < n; i++)
		refine(ret, i);
	return true;
}

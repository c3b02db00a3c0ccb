/* How lines are told apart; the words are in trim_tables.c. */
#include "trim_lines.h"

#include <maildesk/base/mem.h>
#include <maildesk/mail/trim.h>

#include <string.h>

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

/* Three kinds of labels in the next lines, who among them: the head of an old mail. A form in the
 * first mail of a conversation looks like that, but has no subject or tells nothing "to" anybody.
 */
static bool block_begins(const struct trim_lines *l, size_t at)
{
	const unsigned for_sure = LABEL_TO | LABEL_SUBJECT;
	unsigned seen = label_of(l->v[at].text), lines = 0;

	if (!(seen & (LABEL_FROM | LABEL_SENT | LABEL_SUBJECT)))
		return false;
	for (size_t i = at + 1; i < l->n && lines < 7; i++) {
		if (span_trim(l->v[i].text).n == 0)
			continue;
		lines++;
		seen |= label_of(l->v[i].text);
	}
	return (seen & LABEL_FROM) && __builtin_popcount(seen) >= 3 &&
	       !(l->first && (seen & for_sure) != for_sure);
}

/* "NAME ---DATE TIME---how it began": Notes, above the fields of the old mail. */
static bool is_notes_header(const struct trim_lines *l, size_t at)
{
	struct span line = l->v[at].text, inner;
	const char *dashes = memmem(line.p, line.n, "---", 3);
	size_t next = at + 1;

	if (!dashes)
		return false;
	inner = span_from(line, (size_t)(dashes - line.p) + 3);
	if (!inner.n || !ascii_digit(*inner.p) ||
	    !trim_has_time(span_sub(inner, 0, span_find(inner, "---"))))
		return false;
	while (next < l->n && next < at + 4 && !label_of(l->v[next].text))
		next++;
	return next < l->n && block_begins(l, next);
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
	if (line.n > 120 || !(between_dashes(line) || trim_ends_in_colon(line)))
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

/* ">>> NAME DATE TIME >>>" */
static bool is_groupwise_header(struct span line)
{
	return line.n > 16 && span_starts(line, ">>> ") && span_ends(line, ">>>") &&
	       trim_has_time(line);
}

static enum trim_class simple_class(const struct trim_lines *l, struct span line)
{
	struct span bare = span_trim(line);

	if (bare.n == 0)
		return TRIM_EMPTY;
	if (bare.n < 200 && span_has_indexed(bare, &l->index.above))
		return TRIM_MARKER;
	if (*bare.p == '>')
		return is_groupwise_header(bare) ? TRIM_OLD : TRIM_QUOTE;
	if ((bare.n == 2 && bare.p[0] == '-' && bare.p[1] == '-') ||
	    span_is(bare, "-----BEGIN PGP SIGNATURE-----"))
		return TRIM_SIGNATURE;
	if (is_rule(bare))
		return TRIM_RULE;
	if (bare.n <= 120 && between_dashes(bare) &&
	    span_has_any(bare, trim_originals.v, trim_originals.n))
		return TRIM_OLD;
	if (trim_line_is_forward(bare) || trim_is_dashed_header(bare))
		return TRIM_OLD;
	if (!trim_is_device(l, bare))
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
	if (block_begins(l, at) || is_notes_header(l, at) ||
	    (at + 1 < l->n && line->text.n <= 120 && between_dashes(span_trim(line->text)) &&
	     block_begins(l, at + 1))) { /* also with a title between dashes, in any language */
		line->class = TRIM_OLD;
	} else if (trim_heads_quote(l, at)) {
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
		for (lines = trim_quote_header_lines(l, at); lines > 0; lines--)
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

static void make_index(struct trim_index *x)
{
	size_t n = 0;

	span_index(&x->above, trim_above.v, trim_above.n);
	span_index(&x->devices, trim_devices.v, trim_devices.n);
	for (size_t i = 0; trim_quote_headers[i].verb; i++)
		if (*trim_quote_headers[i].start)
			x->starts[n++] = trim_quote_headers[i].start;
	span_index(&x->headers, x->starts, n);
	for (size_t i = 0; i < trim_disclaimers.n; i++)
		x->ones[i] = trim_disclaimers.v[i].one;
	span_index(&x->notices, x->ones, trim_disclaimers.n);
}

bool trim_lines_read(struct arena *a, struct span text, const struct html_marks *marks, bool first,
		     struct trim_lines *ret)
{
	struct span rest = text, line;
	size_t n = 0;

	while (n < TRIM_LINES_MAX && span_line(&rest, &line))
		n++;
	*ret = (struct trim_lines){ .v = arena_array(a, n, sizeof *ret->v), .first = first };
	if (!ret->v)
		return false;
	make_index(&ret->index);
	for (rest = text; ret->n < n && span_line(&rest, &line); ret->n++) {
		ret->v[ret->n].text = line;
		ret->v[ret->n].class = simple_class(ret, line);
	}
	if (marks)
		apply_marks(ret, text.p, marks);
	for (size_t i = 0; i < n; i++)
		refine(ret, i);
	return true;
}

/* Each line gets a class (trim_lines.c); the decision then looks at classes only:
 *
 *	text | reply marker, quote header, block of old headers, quoted lines | signature
 *
 * Everything below the first point where old mail begins goes, unless the person wrote between
 * the quoted lines: then all of it stays but the quote at the end. */
#include <maildesk/mail/trim.h>

#include "trim_lines.h"
#include "trim_tables.h"

#include <maildesk/base/mem.h>

#include <string.h>

enum { TAG_MAX = 40 };

struct range {
	size_t from, to;
};

static bool has(const struct trim_lines *l, size_t from, size_t to, enum trim_class class)
{
	for (size_t i = from; i < to; i++)
		if (l->v[i].class == class)
			return true;
	return false;
}

static size_t skip(const struct trim_lines *l, size_t from, size_t to, enum trim_class class)
{
	while (from < to && l->v[from].class == class)
		from++;
	return from;
}

static size_t find(const struct trim_lines *l, size_t from, size_t to, enum trim_class class)
{
	while (from < to && l->v[from].class != class)
		from++;
	return from;
}

/* Where old mail begins that ends the reply, or r.to. */
static size_t first_cut(const struct trim_lines *l, struct range r)
{
	for (size_t i = find(l, r.from, r.to, TRIM_TEXT); i < r.to; i++) {
		size_t next;

		if (l->v[i].class == TRIM_OLD)
			return i;
		if (l->v[i].class != TRIM_HEADER)
			continue;
		next = i;
		while (next < r.to &&
		       (l->v[next].class == TRIM_HEADER || l->v[next].class == TRIM_EMPTY))
			next++;
		/* Old mail without quote marks, or quoted to the end. */
		if (next == r.to || l->v[next].class != TRIM_QUOTE ||
		    !has(l, next, r.to, TRIM_TEXT))
			return i;
	}
	return r.to;
}

/* Without what is no text at the end; quotes stay when what stood below them was cut already. */
static size_t cut_tail(const struct trim_lines *l, struct range r, bool quotes_stay)
{
	while (r.to > r.from) {
		enum trim_class last = l->v[r.to - 1].class;

		if (last == TRIM_TEXT || last == TRIM_OLD || (quotes_stay && last == TRIM_QUOTE))
			break;
		r.to--;
	}
	return r.to;
}

/* Behind "-----BEGIN PGP SIGNED MESSAGE-----" and its "Hash:" line. */
static size_t skip_armor(const struct trim_lines *l, struct range r)
{
	size_t i = r.from;

	if (i < r.to && span_is(span_trim(l->v[i].text), "-----BEGIN PGP SIGNED MESSAGE-----"))
		i = skip(l, find(l, i, r.to, TRIM_EMPTY), r.to, TRIM_EMPTY);
	return i < r.to ? i : r.from;
}

/* The quote stands above, the reply below it. */
static size_t bottom_start(const struct trim_lines *l, struct range r)
{
	size_t i = r.from, text;

	while (i < r.to && (l->v[i].class == TRIM_EMPTY || l->v[i].class == TRIM_HEADER))
		i++;
	if (i == r.to || l->v[i].class != TRIM_QUOTE)
		return r.from;
	text = find(l, i, r.to, TRIM_TEXT);
	/* More quotes below the first answer: it stands between them, keep all. */
	return text < r.to && !has(l, text, r.to, TRIM_QUOTE) ? text : r.from;
}

static size_t cut_signature(const struct trim_lines *l, struct range r)
{
	for (size_t i = find(l, r.from, r.to, TRIM_TEXT); i < r.to; i++) {
		if (l->v[i].class == TRIM_SIGNATURE)
			return i;
		if (l->v[i].class == TRIM_DEVICE && !has(l, i, r.to, TRIM_QUOTE))
			return i;
	}
	return r.to;
}

/* The sender's whole name alone at the end. A part of it may be an answer ("Who? - Anna"). */
static size_t cut_name(const struct trim_lines *l, struct range r, const char *sender)
{
	size_t last = r.to - 1;
	struct span line, name = span_of(sender);

	if (r.to < r.from + 3 || span_chr(span_trim(name), ' ') >= name.n)
		return r.to;
	line = span_trim(l->v[last].text);
	while (line.n && strchr("-.,*_", line.p[line.n - 1]))
		line.n--;
	while (line.n && strchr("-*_ ", *line.p))
		line = span_from(line, 1);
	return l->v[last - 1].class == TRIM_EMPTY && span_same(line, span_trim(name)) ? last : r.to;
}

struct span trim_reply(struct arena *a, struct span text)
{
	return trim_reply_hinted(a, text, &(struct trim_hints){ 0 });
}

struct span trim_reply_hinted(struct arena *a, struct span text, const struct trim_hints *hints)
{
	struct trim_lines l;
	struct range r;
	size_t marker, cut;
	bool below;

	if (!trim_lines_read(a, text, hints->marks, hints->first, &l) || l.n == 0)
		return text;
	r = (struct range){ skip(&l, 0, l.n, TRIM_EMPTY), l.n };
	r.from = skip_armor(&l, r);
	marker = find(&l, r.from, r.to, TRIM_MARKER);
	if (marker < r.to && has(&l, r.from, marker, TRIM_TEXT))
		r.to = marker;
	cut = first_cut(&l, r);
	below = cut < r.to;
	r.to = cut;
	r.to = cut_tail(&l, r, below);
	r.from = bottom_start(&l, r);
	r.to = cut_signature(&l, r);
	r.to = cut_tail(&l, r, below);
	if (hints->sender)
		r.to = cut_name(&l, r, hints->sender);
	r.to = cut_tail(&l, r, below);
	if (r.to <= r.from)
		return text;
	if (r.to == l.n) /* more lines than were looked at stay as they are */
		return span_from(text, (size_t)(l.v[r.from].text.p - text.p));
	text = span_sub(text, (size_t)(l.v[r.from].text.p - text.p),
			(size_t)(l.v[r.to - 1].text.p + l.v[r.to - 1].text.n - text.p));
	return span_trim_end(text);
}

void trim_markers(struct arena *a, struct span text, struct rec_strs *ret)
{
	const char *hit;

	*ret = (struct rec_strs){ .v = arena_array(a, TRIM_MARKERS_MAX, sizeof *ret->v) };
	while (ret->v && ret->n < TRIM_MARKERS_MAX && text.n &&
	       (hit = memmem(text.p, text.n, "[md:", 4)) != NULL) {
		struct span token = span_from(text, (size_t)(hit - text.p) + 4);
		bool known = false;
		size_t n = 0;

		while (n < token.n && n < TRIM_TOKEN_MAX &&
		       ((token.p[n] >= 'a' && token.p[n] <= 'z') ||
			(token.p[n] >= '2' && token.p[n] <= '7') || token.p[n] == '.'))
			n++;
		text = span_from(token, n);
		if (n == 0 || !text.n || *text.p != ']')
			continue;
		token.n = n;
		for (size_t i = 0; i < ret->n; i++)
			known = known || span_same(token, span_of(ret->v[i]));
		if (!known && (ret->v[ret->n] = arena_strndup(a, token.p, n)) != NULL)
			ret->n++;
	}
}

/* The length of the word (or words) that a subject begins with, before a colon of either width or a
 * bracket, and that colon; 0 when it begins with none of them. */
static size_t prefix_length(struct span subject, const struct trim_words *words)
{
	struct span word = subject;

	if (word.n && *word.p == '[')
		word = span_from(word, 1);
	for (size_t i = 0; i < words->n; i++) {
		struct span rest;

		if (!span_starts(word, words->v[i]))
			continue;
		rest = span_from(word, strlen(words->v[i]));
		while (rest.n && (*rest.p == ' ' || ascii_digit(*rest.p) || *rest.p == '[' ||
				  *rest.p == ']' || *rest.p == '(' || *rest.p == ')'))
			rest = span_from(rest, 1); /* "RE[2]:" */
		if (span_starts(rest, ":"))
			return (size_t)(rest.p - subject.p) + 1;
		if (span_starts(rest, "\xef\xbc\x9a"))
			return (size_t)(rest.p - subject.p) + 3;
	}
	return 0;
}

static bool has_prefix(struct span subject, const struct trim_words *words)
{
	return prefix_length(subject, words) > 0;
}

/* "[#12]", "[ACME-7]": a tag that some desk put there. */
static size_t tag_length(struct span s)
{
	bool digits = false;
	size_t i = 1;

	if (!s.n || *s.p != '[')
		return 0;
	for (; i < s.n && i < TAG_MAX && s.p[i] != ']'; i++)
		digits = digits || ascii_digit(s.p[i]);
	return digits && i < s.n && s.p[i] == ']' ? i + 1 : 0;
}

const char *trim_subject(const char *subject)
{
	struct span s = span_trim(span_of(subject));
	size_t n;

	do {
		n = tag_length(s);
		n = n ? n : prefix_length(s, &trim_reply_prefixes);
		n = n ? n : prefix_length(s, &trim_forward_prefixes);
		s = span_from(s, n);
		while (s.n && *s.p == ' ')
			s = span_from(s, 1);
	} while (n);
	return s.p;
}

bool trim_is_reply(const char *subject)
{
	return has_prefix(span_trim(span_of(subject)), &trim_reply_prefixes);
}

bool trim_is_forward(struct span subject, struct span text)
{
	struct span line;

	subject = span_trim(subject);
	if (has_prefix(subject, &trim_forward_prefixes))
		return true;
	if (has_prefix(subject, &trim_reply_prefixes))
		return false;
	for (int i = 0; i < 200 && span_line(&text, &line); i++)
		if (line.n && *line.p != '>' && trim_line_is_forward(line))
			return true;
	return false;
}

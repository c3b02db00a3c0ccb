/* Parameters of Content-Type and Content-Disposition: RFC 2045 5.1 with the continuations and
 * charsets of RFC 2231, and what clients send instead: encoded words in quotes, unquoted blanks,
 * raw 8-bit bytes, missing quotes at the end. */
#include <maildesk/mail/header.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>

#include <string.h>

enum { PIECES_MAX = 200 };

/* One "name*3*=value" as it stands. */
struct piece {
	struct span name;
	int index;     /* -1: no continuation */
	bool extended; /* percent-encoded, the first one with charset'language' */
	bool used;
	struct span value; /* quotes and backslashes removed */
};

static const char *lower(struct arena *a, struct span s)
{
	char *out = arena_strndup(a, s.p, s.n);

	for (size_t i = 0; out && i < s.n; i++)
		out[i] = out[i] > 0 ? ascii_lower(out[i]) : '?'; /* 8-bit bytes: no name has them */
	return out ? out : "";
}

/* A backslash before anything else is a Windows path. */
static bool escapes(struct span s, size_t i)
{
	return s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\');
}

/* Takes a quoted string (s begins behind the quote) into the arena; returns what it used. */
static size_t quoted(struct arena *a, struct span s, struct span *ret)
{
	size_t i = 0, n = 0, end = 0;
	char *out;

	while (end < s.n && s.p[end] != '"')
		end += 1 + escapes(s, end);
	out = arena_alloc(a, end + 1); /* no more: many short ones may follow each other */
	for (; out && i < end; i++) {
		i += escapes(s, i);
		out[n++] = s.p[i];
	}
	*ret = out ? (struct span){ out, n } : span_of("");
	return i < s.n ? i + 1 : i;
}

static void piece_name(struct span name, struct piece *p)
{
	size_t star = span_chr(name, '*');

	p->index = -1;
	p->extended = false;
	p->name = span_sub(name, 0, star);
	if (star == name.n)
		return;
	name = span_from(name, star + 1);
	if (name.n && ascii_digit(*name.p)) {
		p->index = 0;
		while (name.n && ascii_digit(*name.p) && p->index < PIECES_MAX) {
			p->index = p->index * 10 + (*name.p - '0');
			name = span_from(name, 1);
		}
		p->extended = name.n > 0;
	} else {
		p->extended = true;
	}
}

/* Takes the next parameter off *rest. */
static bool piece_next(struct arena *a, struct span *rest, struct piece *p)
{
	size_t end = 0;

	*p = (struct piece){ .index = -1 };
	while (rest->n && (ascii_space(*rest->p) || *rest->p == ';'))
		*rest = span_from(*rest, 1);
	if (!rest->n)
		return false;
	while (end < rest->n && rest->p[end] != '=' && rest->p[end] != ';')
		end++;
	piece_name(span_trim(span_sub(*rest, 0, end)), p);
	*rest = span_from(*rest, end);
	if (!rest->n || *rest->p == ';')
		return true;
	*rest = span_trim(span_from(*rest, 1));
	if (rest->n && *rest->p == '"') {
		*rest = span_from(*rest, 1);
		*rest = span_from(*rest, quoted(a, *rest, &p->value));
		*rest = span_from(*rest, span_chr(*rest, ';'));
		return true;
	}
	end = span_chr(*rest, ';');
	p->value = span_trim(span_sub(*rest, 0, end));
	*rest = span_from(*rest, end);
	return true;
}

static void percent_decode(struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi = s.p[i] == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;

		buf_addc(out, (char)(lo >= 0 ? hi << 4 | lo : s.p[i]));
		i += lo >= 0 ? 2 : 0;
	}
}

static struct span charset_of(struct span *value)
{
	size_t q1 = span_chr(*value, '\''), q2;
	struct span charset;

	if (q1 == value->n)
		return span_of("");
	q2 = q1 + 1 + span_chr(span_from(*value, q1 + 1), '\'');
	if (q2 >= value->n)
		return span_of("");
	charset = span_sub(*value, 0, q1);
	*value = span_from(*value, q2 + 1);
	return charset;
}

static struct piece *piece_find(struct piece *v, size_t n, struct span name, int index)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].used && v[i].index == index && span_same(v[i].name, name))
			return &v[i];
	return NULL;
}

/* All pieces of the parameter that v[at] is the first of. */
static const char *join(struct arena *a, struct piece *v, size_t n, struct piece *first)
{
	md_auto(buf_done) struct buf bytes = BUF_INIT(1 << 20);
	md_auto(buf_done) struct buf text = BUF_INIT(4 << 20);
	md_auto(buf_done) struct buf clean = BUF_INIT(4 << 20);
	struct span charset = span_of("");
	bool extended = first->extended;

	if (first->extended)
		charset = charset_of(&first->value);
	for (struct piece *p = first; p; p = piece_find(v, n, first->name, p->index + 1)) {
		p->used = true;
		if (p->extended)
			percent_decode(p->value, &bytes);
		else
			buf_add(&bytes, p->value.p, p->value.n);
		if (p->index < 0)
			break;
	}
	if (extended)
		charset_to_utf8(charset, (struct span){ buf_str(&bytes), bytes.len }, &text);
	else
		header_decode_words((struct span){ buf_str(&bytes), bytes.len }, &text);
	utf8_clean_line(&clean, buf_str(&text), text.len);
	return arena_strndup(a, buf_str(&clean), clean.len);
}

/* Where the value ends: at the semicolon, or at the blank that somebody put instead. */
static size_t value_end(struct span s)
{
	size_t end = span_chr(s, ';'), blank = 0;

	while (blank < end && !ascii_space(s.p[blank]))
		blank++;
	return span_chr(span_sub(s, blank, end), '=') < end - blank ? blank : end;
}

void header_params_read(struct arena *a, struct span value, struct header_params *ret)
{
	struct span rest = header_unfold(a, value);
	size_t end = value_end(rest), n = 0;
	struct piece v[PIECES_MAX];

	*ret = (struct header_params){ .value = lower(a, span_trim(span_sub(rest, 0, end))) };
	rest = span_from(rest, end);
	while (n < PIECES_MAX && piece_next(a, &rest, &v[n]))
		n++;
	ret->v = arena_array(a, n, sizeof *ret->v);
	for (size_t i = 0; ret->v && i < n; i++) {
		struct piece *first = &v[i];

		if (first->used || !first->name.n)
			continue;
		/* name* says it better than name; name*0 begins a continued one. */
		if (first->index >= 0 && !(first = piece_find(v, n, first->name, 0)))
			first = &v[i];
		ret->v[ret->n].name = lower(a, first->name);
		ret->v[ret->n].extended = first->extended;
		ret->v[ret->n++].value = join(a, v, n, first);
	}
}

const char *header_param(const struct header_params *p, const char *name)
{
	const char *plain = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, name) != 0 || !p->v[i].value)
			continue;
		if (p->v[i].extended)
			return p->v[i].value;
		plain = plain ? plain : p->v[i].value;
	}
	return plain;
}

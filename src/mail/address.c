/* One pass over the field, no recursion: an entry collects a phrase, comments and an angle address
 * and is judged when it ends. Encoded words are taken whole before commas count, because some
 * clients leave a comma inside. */
#include <maildesk/mail/address.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/header.h>

#include <string.h>

struct entry {
	struct buf phrase;  /* words and quoted strings, still encoded */
	struct buf comment; /* content of the comments outside of <> */
	struct buf angle;
	bool has_angle, quoted;
};

struct reader {
	struct arena *arena;
	struct rec_list *list;
	struct entry e;
	struct buf waiting; /* a phrase before an unquoted comma: "Support, Team <x@y>" */
	unsigned odd;
	size_t found;
	bool open_quote, open_comment; /* one without end was seen: later ones have none either */
};

static struct span content(const struct buf *b)
{
	return (struct span){ buf_str(b), b->len };
}

const char *address_clean(struct arena *a, struct span spec)
{
	md_auto(buf_done) struct buf text = BUF_INIT(spec.n * 4 + 16);
	md_auto(buf_done) struct buf out = BUF_INIT(spec.n * 4 + 16);
	size_t at = SIZE_MAX;

	spec = span_trim(spec);
	header_decode_words(spec, &text);
	if (span_starts(content(&text), "mailto:"))
		spec = span_from(content(&text), 7);
	else
		spec = content(&text);
	utf8_clean_line(&out, spec.p, spec.n);
	spec = content(&out);
	buf_reset(&text);
	for (size_t i = 0; i < spec.n; i++)
		if (!ascii_space(spec.p[i]) && !strchr("<>", spec.p[i]))
			buf_addc(&text, spec.p[i]);
	spec = content(&text);
	/* 'x@y', "x@y" and [x@y]: quotes around the whole */
	while (spec.n > 2 &&
	       (((*spec.p == '\'' || *spec.p == '"') && spec.p[spec.n - 1] == *spec.p) ||
		(*spec.p == '[' && spec.p[spec.n - 1] == ']')))
		spec = span_sub(spec, 1, spec.n - 1);
	while (spec.n && strchr(".,;", spec.p[spec.n - 1]))
		spec.n--;
	if (!spec.n)
		return NULL;
	buf_reset(&out);
	for (size_t i = 0; i < spec.n; i++)
		if (spec.p[i] == '@')
			at = i;
	if (at == SIZE_MAX)
		at = spec.n;
	buf_add(&out, spec.p, at);
	utf8_fold(&out, spec.p + at, spec.n - at);
	return arena_strndup(a, buf_str(&out), out.len);
}

/* An '@', or one of its full-width and small forms. */
static bool shows_address(const char *name)
{
	return name &&
	       (strchr(name, '@') || strstr(name, "\xef\xbc\xa0") || strstr(name, "\xef\xb9\xab"));
}

static bool has_tricks(struct span s)
{
	uint32_t cp;

	for (size_t i = 0, len; i < s.n; i += len ? len : 1) {
		len = utf8_decode(s.p + i, s.n - i, &cp);
		if (!len || utf8_is_bidi_or_invisible(cp) || utf8_is_control(cp))
			return true;
	}
	return false;
}

static const char *name_of(struct reader *r, struct span raw)
{
	md_auto(buf_done) struct buf decoded = BUF_INIT(raw.n * 4 + 64);
	md_auto(buf_done) struct buf clean = BUF_INIT(raw.n * 4 + 64);
	struct span s;

	header_decode_words(raw, &decoded);
	if (has_tricks(content(&decoded)))
		r->odd |= ADDRESS_ODD_NAME;
	utf8_clean_line(&clean, buf_str(&decoded), decoded.len);
	s = span_trim(content(&clean));
	while (s.n > 1 && (*s.p == '"' || *s.p == '\'') && s.p[s.n - 1] == *s.p)
		s = span_trim(span_sub(s, 1, s.n - 1));
	return s.n ? arena_strndup(r->arena, s.p, s.n) : NULL;
}

static void add(struct reader *r, const char *name, const char *address)
{
	struct mail_address *v = r->list->v;

	if (!address || r->list->n >= ADDRESS_LIST_MAX)
		return;
	/* The room is the next power of two: a list may be continued by another field. */
	if ((r->list->n & (r->list->n - 1)) == 0) {
		v = arena_array(r->arena, r->list->n ? r->list->n * 2 : 1, sizeof *v);
		if (!v)
			return;
		if (r->list->n)
			memcpy(v, r->list->v, r->list->n * sizeof *v);
		r->list->v = v;
	}
	v[r->list->n++] = (struct mail_address){ name, address };
	r->found++;
}

/* The word with an '@' in a phrase that is not followed by <>; the rest is the name. */
static bool spec_in_phrase(struct span phrase, struct span *ret_spec, struct span *ret_rest)
{
	size_t at = span_chr(phrase, '@'), from = at, to = at;

	if (at == phrase.n)
		return false;
	while (from && !ascii_space(phrase.p[from - 1]))
		from--;
	while (to < phrase.n && !ascii_space(phrase.p[to]))
		to++;
	/* "user @ host": blanks around the sign */
	if (from == at)
		from = 0;
	if (to == at + 1)
		to = phrase.n;
	*ret_spec = span_sub(phrase, from, to);
	*ret_rest = from ? span_trim(span_sub(phrase, 0, from)) : span_trim(span_from(phrase, to));
	return true;
}

static bool spec_is_plain(const char *address)
{
	const char *at = address ? strrchr(address, '@') : NULL;

	if (!at || at == address || !at[1] || strchr(address, '@') != at)
		return false;
	for (const char *p = address; *p; p++)
		if (strchr("\"\\()<>,;: []", *p) || (unsigned char)*p < 0x21 || *p == 0x7f)
			return false;
	return true;
}

/* An address that does not stand there as it is. */
static bool is_disguised(struct span spec)
{
	return span_has(spec, "=?") || has_tricks(spec);
}

static void entry_angle(struct reader *r, struct span phrase, struct span comment)
{
	struct span spec = content(&r->e.angle), ignore;
	const char *name = name_of(r, phrase.n ? phrase : comment);
	const char *address;
	size_t colon = span_chr(spec, ':');

	/* "<@relay:user@host>" (RFC 5322 4.4) */
	if (colon < spec.n && spec.n && *spec.p == '@')
		spec = span_from(spec, colon + 1);
	address = address_clean(r->arena, spec);
	if (!address || is_disguised(spec))
		r->odd |= ADDRESS_ODD_SPEC;
	if (!address && spec_in_phrase(phrase, &spec, &ignore)) {
		address = address_clean(r->arena, spec);
		name = name_of(r, ignore);
	}
	/* A name that is only the address again says nothing and hides nothing. */
	if (shows_address(name) && !(address && span_same(span_of(name), span_of(address))))
		r->odd |= ADDRESS_ODD_NAME;
	add(r, name, address);
}

/* Name and address in one encoded word, which RFC 2047 forbids: shown, and odd. */
static bool entry_encoded(struct reader *r, struct span phrase)
{
	md_auto(buf_done) struct buf decoded = BUF_INIT(phrase.n * 4 + 64);
	struct span s;
	size_t open;

	header_decode_words(phrase, &decoded);
	s = span_trim(content(&decoded));
	open = span_chr(s, '<');
	if (!span_ends(s, ">") || span_chr(span_from(s, open), '@') == s.n - open)
		return false;
	add(r, name_of(r, span_trim(span_sub(s, 0, open))),
	    address_clean(r->arena, span_sub(s, open + 1, s.n - 1)));
	return true;
}

static void entry_bare(struct reader *r, struct span phrase, struct span comment)
{
	struct span spec, rest;

	if (spec_in_phrase(phrase, &spec, &rest)) {
		if (rest.n)
			r->odd |= ADDRESS_ODD_SYNTAX;
		if (is_disguised(spec))
			r->odd |= ADDRESS_ODD_SPEC;
		if (span_chr(span_from(phrase, span_chr(phrase, '@') + 1), '@') <
		    span_from(phrase, span_chr(phrase, '@') + 1).n)
			r->odd |= ADDRESS_ODD_COUNT;
		add(r, name_of(r, rest.n ? rest : comment), address_clean(r->arena, spec));
		return;
	}
	r->odd |= ADDRESS_ODD_SPEC;
	if (span_starts(phrase, "=?") && entry_encoded(r, phrase))
		return;
	if (span_chr(phrase, ' ') == phrase.n && !span_starts(phrase, "=?") && !r->e.quoted)
		add(r, name_of(r, comment), address_clean(r->arena, phrase));
	else
		add(r, name_of(r, phrase), "");
}

static void entry_end(struct reader *r, char by)
{
	struct span phrase = span_trim(content(&r->e.phrase));
	struct span comment = span_trim(content(&r->e.comment));

	if (r->e.has_angle && r->waiting.len) {
		buf_adds(&r->waiting, ", ");
		buf_add(&r->waiting, phrase.p, phrase.n);
		phrase = content(&r->waiting);
		r->odd |= ADDRESS_ODD_SYNTAX;
	}
	if (r->e.has_angle) {
		entry_angle(r, phrase, comment);
	} else if (phrase.n && by == ',' && span_chr(phrase, '@') == phrase.n) {
		if (r->waiting.len)
			buf_adds(&r->waiting, ", ");
		buf_add(&r->waiting, phrase.p, phrase.n);
		buf_reset(&r->e.phrase);
		buf_reset(&r->e.comment);
		return;
	} else if (phrase.n) {
		entry_bare(r, phrase, comment);
	} else if (comment.n) {
		r->odd |= ADDRESS_ODD_SYNTAX;
	}
	buf_reset(&r->waiting);
	buf_reset(&r->e.phrase);
	buf_reset(&r->e.comment);
	buf_reset(&r->e.angle);
	r->e.has_angle = r->e.quoted = false;
}

/* A quoted string; without its end the quote is a letter like others. */
static struct span take_quoted(struct reader *r, struct span s)
{
	size_t i = 1;
	bool local;

	while (i < s.n && s.p[i] != '"')
		i += s.p[i] == '\\' ? 2 : 1;
	if (i >= s.n) {
		r->open_quote = true;
		r->odd |= ADDRESS_ODD_SYNTAX;
		return span_from(s, 1);
	}
	local = i + 1 < s.n && s.p[i + 1] == '@';
	for (size_t k = 1; k < i; k++) {
		if (s.p[k] == '\\' && k + 1 < i)
			k++;
		if (!local || !ascii_space(s.p[k])) /* as address_clean() has it */
			buf_addc(&r->e.phrase, s.p[k]);
	}
	/* "local part"@host is an address, not a name. */
	if (i + 1 < s.n && s.p[i + 1] != '@')
		buf_addc(&r->e.phrase, ' ');
	else if (i + 1 < s.n)
		r->odd |= ADDRESS_ODD_SPEC;
	r->e.quoted = true;
	return span_from(s, i + 1);
}

static struct span take_comment(struct reader *r, struct span s)
{
	size_t depth = 0, i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			break;
	}
	if (i >= s.n) {
		r->open_comment = true;
		r->odd |= ADDRESS_ODD_SYNTAX;
		return span_from(s, 1);
	}
	if (r->e.comment.len)
		buf_addc(&r->e.comment, ' ');
	for (size_t k = 1; k < i; k++) {
		if (s.p[k] == '\\' && k + 1 < i)
			k++;
		buf_addc(&r->e.comment, s.p[k]);
	}
	return span_from(s, i + 1);
}

static struct span take_angle(struct reader *r, struct span s)
{
	size_t end = 1;

	while (end < s.n && s.p[end] != '>' && s.p[end] != '<')
		end++;
	if (end == s.n || s.p[end] == '<') {
		r->odd |= ADDRESS_ODD_SYNTAX;
		end = end == s.n ? 1 + span_chr(span_from(s, 1), ',') : end;
	}
	if (r->e.has_angle && r->e.angle.len) {
		r->odd |= ADDRESS_ODD_COUNT;
		entry_end(r, '<');
	}
	r->e.has_angle = true;
	buf_add(&r->e.angle, s.p + 1, end - 1);
	return span_from(s, end < s.n && s.p[end] == '>' ? end + 1 : end);
}

/* "Friends: a@b, c@d;" - the word before the colon names a group. */
static struct span take_colon(struct reader *r, struct span s)
{
	struct span phrase = span_trim(content(&r->e.phrase));

	if (r->e.has_angle || span_chr(phrase, '@') < phrase.n || span_is(phrase, "mailto")) {
		buf_addc(&r->e.phrase, ':');
	} else {
		r->odd |= ADDRESS_ODD_GROUP;
		buf_reset(&r->e.phrase);
		buf_reset(&r->e.comment);
		buf_reset(&r->waiting);
		r->e.quoted = false;
	}
	return span_from(s, 1);
}

unsigned address_list_read(struct arena *a, struct span value, struct rec_list *list)
{
	struct span s = header_unfold(a, value);
	struct reader r = { .arena = a, .list = list };
	size_t word;

	r.e.phrase.max = r.e.comment.max = r.e.angle.max = r.waiting.max = 2 * s.n + 16;
	while (s.n) {
		char c = *s.p;

		if (c == '"' && !r.open_quote) {
			s = take_quoted(&r, s);
		} else if (c == '(' && !r.open_comment) {
			s = take_comment(&r, s);
		} else if (c == '<') {
			s = take_angle(&r, s);
		} else if (c == ':') {
			s = take_colon(&r, s);
		} else if (c == ',' || c == ';') {
			entry_end(&r, c);
			s = span_from(s, 1);
			if (!span_trim(s).n)
				r.odd |= ADDRESS_ODD_SYNTAX;
		} else if (c == '=' && (word = header_word_length(s)) > 0) {
			buf_add(&r.e.phrase, s.p, word);
			s = span_from(s, word);
		} else {
			if (c == '>' || c == '[')
				r.odd |= ADDRESS_ODD_SYNTAX;
			if (c != '>' || !r.e.has_angle) /* "<<x@y>>" */
				buf_addc(&r.e.phrase, c);
			s = span_from(s, 1);
		}
	}
	entry_end(&r, '\0');
	if (r.waiting.len) {
		buf_add(&r.e.phrase, r.waiting.data, r.waiting.len);
		buf_reset(&r.waiting);
		entry_end(&r, '\0');
	}
	buf_done(&r.e.phrase);
	buf_done(&r.e.comment);
	buf_done(&r.e.angle);
	buf_done(&r.waiting);
	if (r.found != 1)
		r.odd |= ADDRESS_ODD_COUNT;
	for (size_t i = list->n - r.found; i < list->n; i++)
		if (!spec_is_plain(((struct mail_address *)list->v)[i].address))
			r.odd |= ADDRESS_ODD_SPEC;
	return r.odd;
}

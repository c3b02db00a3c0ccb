/* Blocks end at an empty line, or at a line that cannot be a field unless fields go on behind it:
 * junk of mail stores and broken programs is passed over. */
#include <maildesk/mail/header.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>

#include <string.h>

/* ---- blocks and fields ---- */

/* Length of the field name a line begins with, 0 for a line that is no field. */
static size_t field_name(struct span line)
{
	size_t i = 0, n;

	while (i < line.n && line.p[i] > ' ' && line.p[i] < 0x7f && line.p[i] != ':')
		i++;
	n = i;
	while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	if (n == 0 || i == line.n || line.p[i] != ':')
		return 0;
	return span_starts(line, "--") ? 0 : n; /* no boundary line is a field */
}

static bool folded(struct span line)
{
	return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* Whether a header goes on behind a line that is no field: one of the next lines is one again,
 * before an empty line. */
static bool field_follows(struct span rest)
{
	struct span line;

	for (int i = 0; i < 4 && span_line(&rest, &line) && span_trim(line).n; i++)
		if (field_name(line) > 0 || (i == 0 && folded(line)))
			return true;
	return false;
}

static bool first_field_near(struct span rest)
{
	struct span line;

	for (int i = 0; i < 8 && span_line(&rest, &line); i++)
		if (field_name(line))
			return true;
	return false;
}

/* Behind a line of blanks: an empty one that got blanks on its way would end the header. */
static bool header_goes_on(struct span rest)
{
	struct span line;

	return span_line(&rest, &line) && span_trim(line).n &&
	       (folded(line) || field_name(line) > 0);
}

void header_split(struct span raw, enum header_place place, struct span *ret_head,
		  struct span *ret_body, bool *ret_junk)
{
	struct span rest = raw, line;
	bool any = false, blank = true; /* only empty lines so far */
	size_t at = 0;

	*ret_junk = false;
	for (; span_line(&rest, &line); at = (size_t)(rest.p - raw.p)) {
		if (field_name(line)) {
			any = true;
			continue;
		}
		if (any && folded(line) && (span_trim(line).n || header_goes_on(rest)))
			continue;
		blank = blank && span_trim(line).n == 0;
		if (span_trim(line).n == 0 &&
		    !(place == HEADER_TOP && !any && blank && first_field_near(rest))) {
			*ret_head = span_sub(raw, 0, at);
			*ret_body = rest;
			return;
		}
		if (place == HEADER_TOP && !any &&
		    (at == 0 ? first_field_near(rest) : field_follows(rest))) {
			*ret_junk = *ret_junk ||
				    !(span_starts(line, "From ") || span_starts(line, ">From "));
			continue;
		}
		*ret_junk = true;
		if (place == HEADER_TOP && any && field_follows(rest))
			continue;
		*ret_head = span_sub(raw, 0, at);
		*ret_body = span_from(raw, at);
		return;
	}
	*ret_head = raw;
	*ret_body = span_from(raw, raw.n);
}

void header_read(struct arena *a, struct span head, size_t max, struct header *ret)
{
	struct span rest = head, line;
	size_t count = 0;

	while (count < max && span_line(&rest, &line))
		count += field_name(line) > 0;
	*ret = (struct header){ .v = arena_array(a, count, sizeof *ret->v) };
	rest = head;
	while (ret->v && span_line(&rest, &line)) {
		size_t name = field_name(line);
		struct header_field *f = ret->n ? &ret->v[ret->n - 1] : NULL;

		if (name && ret->n < count) {
			size_t colon = span_chr(line, ':');

			f = &ret->v[ret->n++];
			f->name = span_sub(line, 0, name);
			f->value = span_from(line, colon + 1);
			f->all = line;
		} else if (f && folded(line)) {
			f->value.n = (size_t)(line.p + line.n - f->value.p);
		} else if (name) {
			return; /* beyond the limit */
		} else {
			continue;
		}
		f->all.n = (size_t)(rest.p - f->all.p);
	}
}

const struct header_field *header_find(const struct header *h, const char *name, size_t index)
{
	for (size_t i = 0; i < h->n; i++)
		if (span_is(h->v[i].name, name) && index-- == 0)
			return &h->v[i];
	return NULL;
}

struct span header_value(const struct header *h, const char *name)
{
	const struct header_field *f = header_find(h, name, 0);

	return f ? span_trim(f->value) : span_of("");
}

/* Encoded words stay: raw bytes in them are in the charset that they name. */
static void value_to_utf8(struct span value, struct span charset, struct buf *out)
{
	while (value.n) {
		size_t word = header_word_length(value), plain = 0;

		buf_add(out, value.p, word);
		value = span_from(value, word);
		while (plain < value.n && header_word_length(span_from(value, plain)) == 0)
			plain += plain + 1 < value.n && value.p[plain] != '='
					 ? 1 + span_chr(span_from(value, plain + 1), '=')
					 : 1;
		charset_to_utf8(charset, span_sub(value, 0, plain), out);
		value = span_from(value, plain);
	}
}

void header_to_utf8(struct arena *a, struct header *h, struct span charset)
{
	for (size_t i = 0; i < h->n; i++) {
		struct span *value = &h->v[i].value;
		md_auto(buf_done) struct buf utf8 = BUF_INIT(value->n * 4 + 16);
		char *kept;

		if (utf8_valid(value->p, value->n))
			continue;
		value_to_utf8(*value, charset, &utf8);
		kept = arena_strndup(a, buf_str(&utf8), utf8.len);
		if (kept)
			*value = (struct span){ kept, utf8.len };
	}
}

struct span header_unfold(struct arena *a, struct span value)
{
	struct span in = span_trim(value);
	char *out;
	size_t n = 0;

	if (span_chr(in, '\n') == in.n && span_chr(in, '\r') == in.n)
		return in;
	out = arena_alloc(a, in.n + 1);
	for (size_t i = 0; out && i < in.n; i++) {
		if (in.p[i] != '\r' && in.p[i] != '\n') {
			out[n++] = in.p[i];
			continue;
		}
		while (i + 1 < in.n && ascii_space(in.p[i + 1]))
			i++;
		out[n++] = ' ';
	}
	return out ? (struct span){ out, n } : span_of("");
}

const char *header_text(struct arena *a, struct span value)
{
	md_auto(buf_done) struct buf decoded = BUF_INIT(value.n * 4 + 64);
	md_auto(buf_done) struct buf clean = BUF_INIT(value.n * 4 + 64);

	header_decode_words(header_unfold(a, value), &decoded);
	utf8_clean_line(&clean, buf_str(&decoded), decoded.len);
	return arena_strndup(a, buf_str(&clean), clean.len);
}

/* The block is that behind "---- Forwarded message ----", or the first one at all: lines of known
 * labels (trim_tables.c), each with its value behind it or on the lines below, up to a line that is
 * empty behind the last label. Quote marks before the lines do not count. */
#include <maildesk/mail/forward.h>

#include "trim_lines.h"
#include "trim_tables.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/address.h>

#include <string.h>

enum { LOOK_LINES = 2000, BLOCK_LINES = 20, VALUE_MAX = 2000 };

static struct span unquoted(struct span line)
{
	while (line.n && (*line.p == '>' || *line.p == ' '))
		line = span_from(line, 1);
	return span_trim(line);
}

/* Fields of one block, each the first of its kind. */
struct block {
	struct span from, sent, subject;
	unsigned seen;
};

static struct span *field_of(struct block *b, unsigned label)
{
	return label == LABEL_FROM      ? &b->from
	       : label == LABEL_SENT    ? &b->sent
	       : label == LABEL_SUBJECT ? &b->subject
					: NULL;
}

/* The block that *text begins with; *text is then what follows it. */
static struct block block_read(struct span *text)
{
	struct block b = { 0 };
	struct span line, value, *last = NULL, rest = *text;

	for (int i = 0; i < BLOCK_LINES && span_line(&rest, &line); i++) {
		unsigned label = trim_line_label(unquoted(line), &value);

		line = unquoted(line);
		if (label && !(b.seen & label)) {
			last = field_of(&b, label);
			if (last)
				*last = value;
		} else if (label) {
			last = NULL;
		} else if (!line.n && __builtin_popcount(b.seen) >= 3) {
			break; /* clients that put every field into a paragraph end here too */
		} else if (line.n && last && (size_t)(line.p + line.n - last->p) < VALUE_MAX) {
			/* a folded value, or one below its label */
			if (last->n)
				last->n = (size_t)(line.p + line.n - last->p);
			else
				*last = line;
		}
		b.seen |= label;
		if (label)
			*text = rest;
	}
	return b;
}

static const char *one_line(struct arena *a, struct span value)
{
	md_auto(buf_done) struct buf out = BUF_INIT(VALUE_MAX * 4);

	utf8_clean_line(&out, value.p, value.n);
	return out.len ? arena_strndup(a, buf_str(&out), out.len) : NULL;
}

/* "Anna [mailto:anna@x.example]" and "Anna <mailto:anna@x.example>": Outlook's ways. */
static void sender(struct arena *a, struct span value, struct mail_address *ret)
{
	md_auto(buf_done) struct buf plain = BUF_INIT(VALUE_MAX * 2);
	size_t mailto = span_find(value, "mailto:"), open = mailto;
	struct rec_list list = { 0 };

	while (open && value.p[open - 1] != '[' && value.p[open - 1] != '<' &&
	       value.p[open - 1] != '(')
		open--;
	if (mailto < value.n && open) {
		struct span name = span_trim(span_sub(value, 0, open - 1));
		struct span spec = span_from(value, mailto + 7);
		size_t n = 0;

		while (n < spec.n && !ascii_space(spec.p[n]) && spec.p[n] != ']' &&
		       spec.p[n] != '>' && spec.p[n] != ')')
			n++;
		buf_add(&plain, name.p, span_chr(name, '<'));
		buf_adds(&plain, " <");
		buf_add(&plain, spec.p, n);
		buf_addc(&plain, '>');
		value = (struct span){ buf_str(&plain), plain.len };
	}
	address_list_read(a, value, &list);
	if (!list.n)
		return;
	*ret = *(struct mail_address *)list.v;
	if (!span_has(span_of(ret->address), "@")) {
		ret->name = ret->name ? ret->name : one_line(a, value);
		ret->address = NULL;
	}
}

/* "---- Forwarded message ----", or a rule of dashes and the like. */
static bool is_separator(struct span line)
{
	line = unquoted(line);
	for (size_t i = 0; i < line.n; i++)
		if (!strchr("-_=* ", line.p[i]))
			return trim_line_is_forward(line) || strchr("-_=", *line.p);
	return true;
}

void forward_read(struct arena *a, struct span text, struct forward *ret)
{
	struct span rest = text, line, value;
	size_t above = 0; /* up to the last line that says something, but for the separator */

	*ret = (struct forward){ 0 };
	for (int i = 0; i < LOOK_LINES; i++) {
		struct span here = rest;
		struct block b;

		if (!span_line(&rest, &line))
			return;
		if (!(trim_line_label(unquoted(line), &value) &
		      (LABEL_FROM | LABEL_SENT | LABEL_SUBJECT))) {
			if (span_trim(line).n && !is_separator(line))
				above = (size_t)(line.p + line.n - text.p);
			continue;
		}
		rest = here;
		b = block_read(&rest);
		if (!(b.seen & LABEL_FROM) || __builtin_popcount(b.seen) < 3) {
			rest = here;
			(void)span_line(&rest, &line);
			above = (size_t)(line.p + line.n - text.p);
			continue;
		}
		ret->above = above;
		ret->below = (size_t)(rest.p - text.p);
		if (b.from.n)
			sender(a, b.from, &ret->from);
		ret->date = one_line(a, b.sent);
		ret->subject = one_line(a, b.subject);
		return;
	}
}

/* A report is a list of addresses, each at the start of a line and followed by what happened to it,
 * then the mail that comes back. Mailers differ in words, which stand in bounce_tables.c. */
#include "bounce_text.h"

#include "bounce_tables.h"

#include <maildesk/base/mem.h>
#include <maildesk/mail/address.h>

#include <string.h>

enum { REPORT_MAX = 128 << 10 }; /* no mailer says more */

struct span bounce_without_copy(struct span text)
{
	struct span rest, line;

	text = span_sub(text, 0, REPORT_MAX);
	rest = text;

	while (span_line(&rest, &line)) {
		struct span bare = line;

		while (bare.n &&
		       (ascii_space(*bare.p) || *bare.p == '-' || *bare.p == '*' || *bare.p == '='))
			bare = span_from(bare, 1);
		for (size_t i = 0; i < bounce_copies.n; i++)
			if (span_starts(bare, bounce_copies.v[i]))
				return span_sub(text, 0, (size_t)(line.p - text.p));
	}
	return text;
}

/* ---- codes ---- */

static size_t digits(struct span s, size_t from)
{
	size_t n = 0;

	while (from + n < s.n && ascii_digit(s.p[from + n]))
		n++;
	return n;
}

size_t bounce_status_at(struct span s, size_t at)
{
	size_t subject, detail, end;

	if (at + 4 >= s.n || !(s.p[at] == '2' || s.p[at] == '4' || s.p[at] == '5') ||
	    s.p[at + 1] != '.' || (at && (ascii_alnum(s.p[at - 1]) || s.p[at - 1] == '.')))
		return 0;
	subject = digits(s, at + 2);
	if (subject < 1 || subject > 3 || at + 2 + subject >= s.n || s.p[at + 2 + subject] != '.')
		return 0;
	detail = digits(s, at + 3 + subject);
	end = at + 3 + subject + detail;
	if (detail < 1 || detail > 3 ||
	    (end + 1 < s.n && s.p[end] == '.' && ascii_digit(s.p[end + 1])))
		return 0;
	return end - at;
}

const char *bounce_status_in(struct arena *a, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t n = ascii_digit(s.p[i]) ? bounce_status_at(s, i) : 0;

		if (n)
			return arena_strndup(a, s.p + i, n);
	}
	return NULL;
}

/* An SMTP reply code stands for its class where no enhanced code does. */
const char *bounce_status_by_reply(struct span s)
{
	for (size_t i = 0; i + 2 < s.n; i++) {
		if ((s.p[i] != '4' && s.p[i] != '5') || s.p[i + 1] < '0' || s.p[i + 1] > '7' ||
		    !ascii_digit(s.p[i + 2]))
			continue;
		if (i && (ascii_alnum(s.p[i - 1]) || strchr(".-@[", s.p[i - 1])))
			continue;
		if (i + 3 < s.n && !strchr(" -\n:,.;)\"'>", s.p[i + 3]))
			continue;
		if (i + 4 < s.n && s.p[i + 3] == '.' && ascii_digit(s.p[i + 4]))
			continue;
		return s.p[i] == '4' ? "4.0.0" : "5.0.0";
	}
	return NULL;
}

/* The code that a stretch of the report gives, NULL when it gives none. */
static const char *status_of(struct arena *a, struct span s)
{
	const char *status = bounce_status_in(a, s);

	return status ? status : bounce_status_by_reply(s);
}

/* ---- addresses ---- */

static bool address_byte(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80 ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* A mark of Chinese or Japanese text, or a full-width letter, stands before `to`: no part of an
 * address, though they write none of their marks with a blank behind. */
static bool ends_wide(struct span s, size_t floor, size_t to)
{
	if (to < floor + 3)
		return false;
	return memcmp(s.p + to - 3, "\xe3\x80", 2) == 0 ||
	       memcmp(s.p + to - 3, "\xef\xbc", 2) == 0 || memcmp(s.p + to - 3, "\xef\xbd", 2) == 0;
}

/* The address whose '@' stands at `sign`; empty when none does. */
static struct span address_around(struct span s, size_t floor, size_t sign)
{
	size_t from = sign, to = sign + 1;

	if (sign >= s.n)
		return span_of("");
	while (from > floor && address_byte(s.p[from - 1]) && !ends_wide(s, floor, from))
		from--;
	while (to < s.n && (ascii_alnum(s.p[to]) || s.p[to] == '-' || s.p[to] == '.'))
		to++;
	while (to > sign && s.p[to - 1] == '.')
		to--;
	if (from == sign || to < sign + 4 ||
	    span_chr(span_sub(s, sign + 1, to), '.') >= to - sign - 1)
		return span_of("");
	return span_sub(s, from, to);
}

/* The address a line begins with, behind brackets, quotes and the like. */
static struct span leading_address(struct span line)
{
	size_t at = 0;
	struct span found;

	while (at < line.n && (ascii_space(line.p[at]) || strchr("<\"'*-([", line.p[at])))
		at++;
	if (span_starts(span_from(line, at), "mailto:"))
		at += 7;
	found = address_around(line, at, at + span_chr(span_sub(line, at, at + 200), '@'));
	return found.n && found.p == line.p + at ? found : span_of("");
}

static struct span led_address(struct span text)
{
	for (size_t i = 0; i < bounce_leads.n; i++) {
		struct span rest = text;
		size_t at;

		for (int tries = 0;
		     tries < 20 && (at = span_find(rest, bounce_leads.v[i])) < rest.n; tries++) {
			struct span near, found;
			size_t sign;

			rest = span_from(rest, at + strlen(bounce_leads.v[i]));
			near = span_sub(rest, 0, 120);
			sign = span_chr(near, '@');
			if (sign == near.n)
				continue;
			found = address_around(near, 0, sign);
			if (found.n && found.p - near.p < 40)
				return found;
		}
	}
	return span_of("");
}

struct failed {
	struct arena *arena;
	struct bounce *v;
	size_t *n;
	struct rec_list own; /* to whom the report was sent: not who failed */
	const char *action;
	struct span head; /* of the report, above the first address */
};

static struct bounce *known(struct failed *f, const char *address)
{
	for (size_t i = 0; i < *f->n; i++)
		if (f->v[i].recipient && span_same(span_of(f->v[i].recipient), span_of(address)))
			return &f->v[i];
	return NULL;
}

static bool is_own(const struct failed *f, const char *address)
{
	const struct mail_address *v = f->own.v;

	for (size_t i = 0; i < f->own.n; i++)
		if (span_same(span_of(v[i].address), span_of(address)))
			return true;
	return false;
}

/* What stands about one address; a code that says nothing gives way to one that does. */
static void note(struct failed *f, struct span address, struct span about, bool may_add)
{
	const char *clean = address_clean(f->arena, address), *status;
	struct bounce *b = clean ? known(f, clean) : NULL;

	if (!clean || (!b && (!may_add || is_own(f, clean) || *f->n >= BOUNCE_RECIPIENTS_MAX)))
		return;
	if (!b) {
		b = &f->v[(*f->n)++];
		*b = (struct bounce){ .recipient = clean, .action = f->action };
	}
	if (b->status && !span_ends(span_of(b->status), ".0.0"))
		return;
	status = status_of(f->arena, about);
	if (status &&
	    (!b->status || (status[0] == b->status[0] && !span_ends(span_of(status), ".0.0"))))
		b->status = status;
}

/* What stands behind one address; `*bare` counts those before it that stand alone on their lines,
 * one below the other, and share it. */
static void section(struct failed *f, struct span address, struct span about, bool may_add,
		    size_t *bare)
{
	size_t before = *f->n;
	const char *status;

	note(f, address, about, may_add);
	if (about.n < address.n + 8) {
		*bare += *f->n - before;
		return;
	}
	status = *bare ? status_of(f->arena, about) : NULL;
	for (; *bare > 0; --*bare)
		if (!f->v[before - *bare].status)
			f->v[before - *bare].status = status;
}

/* Sections: from a line that begins with an address to the next one. */
static void sections(struct failed *f, struct span report, bool may_add)
{
	struct span rest = report, line, open = span_of("");
	const char *from = report.p;
	size_t bare = 0;

	while (span_line(&rest, &line)) {
		struct span address = leading_address(line);

		if (!address.n)
			continue;
		if (open.n)
			section(f, open, (struct span){ from, (size_t)(line.p - from) }, may_add,
				&bare);
		else
			f->head.n = (size_t)(line.p - report.p);
		open = address;
		from = line.p;
	}
	if (open.n)
		section(f, open, (struct span){ from, (size_t)(report.p + report.n - from) },
			may_add, &bare);
}

/* The recipients of the mail that came back, when the report itself names nobody. */
static void from_copy(struct failed *f, const struct mime_tree *t, struct span copy)
{
	struct rec_list to = { 0 };
	size_t at = span_find(copy, "\nto:");
	const struct mail_address *v;

	for (size_t i = 1; i < t->n && !to.n; i++)
		if (strcmp(t->v[i].type, "message/rfc822") == 0 ||
		    strcmp(t->v[i].type, "text/rfc822-headers") == 0) {
			struct span head, body;
			struct header h;
			bool junk;

			header_split(span_sub(t->v[i].body, 0, 65536), HEADER_TOP, &head, &body,
				     &junk);
			header_read(f->arena, head, 200, &h);
			address_list_read(f->arena, header_value(&h, "To"), &to);
		}
	if (!to.n && at < copy.n)
		address_list_read(f->arena,
				  span_sub(copy, at + 4,
					   at + 4 + span_chr(span_from(copy, at + 4), '\n')),
				  &to);
	v = to.v;
	for (size_t i = 0; i < to.n && i < 5; i++)
		if (strchr(v[i].address, '@'))
			note(f, span_of(v[i].address), span_of(""), true);
}

/* The only address that the report names, in whatever words. */
static void lone_address(struct failed *f, struct span report)
{
	const char *found = NULL;

	for (int i = 0; i < 100; i++) {
		size_t sign = span_chr(report, '@');
		struct span address = address_around(report, 0, sign);
		const char *clean = address.n ? address_clean(f->arena, address) : NULL;

		if (sign == report.n)
			break;
		report = span_from(report, sign + 1);
		if (!clean || is_own(f, clean) || (found && strcmp(found, clean) == 0))
			continue;
		if (found)
			return;
		found = clean;
	}
	if (found)
		note(f, span_of(found), span_of(""), true);
}

static void failed_recipients_field(struct failed *f, const struct header *h)
{
	const struct header_field *field;
	struct rec_list list = { 0 };
	const struct mail_address *v;

	for (size_t i = 0; (field = header_find(h, "X-Failed-Recipients", i)) != NULL && i < 20;
	     i++)
		address_list_read(f->arena, field->value, &list);
	v = list.v;
	for (size_t i = 0; i < list.n; i++)
		note(f, span_of(v[i].address), span_of(""), true);
}

/* A status field that says only "failed" gives way to the code of the session's transcript. */
static void finer_status(struct arena *a, struct span report, struct bounce *b)
{
	const char *finer;

	if (!b->status || !span_ends(span_of(b->status), ".0.0"))
		return;
	while ((finer = bounce_status_in(a, report)) != NULL) {
		if (*finer == *b->status && !span_ends(span_of(finer), ".0.0")) {
			b->status = finer;
			return;
		}
		report = span_from(report, span_find(report, finer) + strlen(finer));
	}
}

static bool is_delay(const char *subject, struct span report)
{
	return bounce_subject_says(subject, &bounce_delays) ||
	       (bounce_says(report, &bounce_delays) && !bounce_says(report, &bounce_finals));
}

static bool has_status(const struct bounce *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].status)
			return true;
	return false;
}

void bounce_text_read(struct arena *a, const struct mime_tree *t, const char *subject,
		      struct span text, struct bounce *v, size_t *n)
{
	struct span report = bounce_without_copy(text), address;
	bool standard = *n > 0, delayed = is_delay(subject, report);
	struct failed f = { a, v, n, { 0 }, delayed ? "delayed" : "failed", report };
	const char *fallback;

	address_list_read(a, header_value(&t->v[0].header, "To"), &f.own);
	failed_recipients_field(&f, &t->v[0].header);
	sections(&f, report, *n == 0);
	if (!*n && (address = led_address(report)).n)
		note(&f, address, report, true);
	if (!*n)
		from_copy(&f, t, span_from(text, report.n));
	if (!*n)
		lone_address(&f, report);
	if (standard && *n == 1)
		finer_status(a, report, v);
	if (standard)
		return;
	if (!*n) /* somebody failed, nobody says who */
		v[(*n)++] = (struct bounce){ .action = f.action };
	/* A code among the lines of one recipient is not another's. */
	fallback =
		status_of(a, *n > 1 && f.head.n < report.n && has_status(v, *n) ? f.head : report);
	if (!fallback) /* who reports a failure without a code has given up */
		fallback = delayed ? "4.0.0" : "5.0.0";
	for (size_t i = 0; i < *n; i++)
		if (!v[i].status)
			v[i].status = fallback;
}

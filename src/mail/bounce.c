/* First the machine-readable part (RFC 3464, or JSON: bounce_json.c); where there is none, the
 * evidence tables of bounce_text.c decide whether a mail is a bounce, and the text is searched for
 * the address and the code. */
#include <maildesk/mail/bounce.h>

#include "bounce_json.h"
#include "bounce_text.h"

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/address.h>
#include <maildesk/mail/body.h>

#include <string.h>

/* ---- what was returned ---- */

static const char *id_in(struct arena *a, struct span head)
{
	struct header h;
	struct rec_strs ids = { 0 };

	header_read(a, head, 200, &h);
	address_ids_read(a, header_value(&h, "Message-ID"), &ids);
	return ids.n ? ids.v[0] : NULL;
}

/* Of the mail that came back, attached whole or as headers. */
static const char *id_of_part(struct arena *a, const struct mime_tree *t)
{
	for (size_t i = 1; i < t->n; i++) {
		const struct mime_part *p = &t->v[i];
		struct span head, body;
		const char *id;
		bool junk;

		if (strncmp(p->type, "message/rfc822", 14) != 0 &&
		    strcmp(p->type, "text/rfc822-headers") != 0 &&
		    strcmp(p->type, "message/global") != 0 &&
		    strcmp(p->type, "message/global-headers") != 0)
			continue;
		header_split(p->body, HEADER_TOP, &head, &body, &junk);
		if ((id = id_in(a, span_sub(head, 0, 256 << 10))) != NULL)
			return id;
	}
	return NULL;
}

/* A line of the text that begins with that label, indented or quoted. */
static const char *id_of_line(struct arena *a, struct span text, const char *label)
{
	size_t at;

	for (int i = 0; i < 20 && (at = span_find(text, label)) < text.n; i++) {
		struct rec_strs ids = { 0 };
		size_t from = at;

		while (from && (text.p[from - 1] == ' ' || text.p[from - 1] == '\t' ||
				text.p[from - 1] == '>'))
			from--;
		at += strlen(label);
		if (from == 0 || text.p[from - 1] == '\n')
			address_ids_read(a, span_sub(text, at, at + 400), &ids);
		text = span_from(text, at);
		if (ids.n)
			return ids.v[0];
	}
	return NULL;
}

/* What the report says of it by itself: Gmail's field among those of the status part, or the mail
 * that it answers. */
static const char *id_of_report(struct arena *a, const struct mime_tree *t)
{
	static const char *const fields[] = { "X-Original-Message-ID", "In-Reply-To",
					      "References" };
	struct rec_strs ids = { 0 };
	const char *id = NULL;

	for (size_t i = 0; i < t->n && !id; i++)
		if (strcmp(t->v[i].type, "message/delivery-status") == 0)
			id = id_of_line(a, span_sub(t->v[i].body, 0, 64 << 10),
					"X-Original-Message-ID:");
	for (size_t i = 0; i < MD_COUNT(fields) && !id; i++) {
		address_ids_read(a, header_value(&t->v[0].header, fields[i]), &ids);
		id = ids.n ? ids.v[ids.n - 1] : NULL;
	}
	return id;
}

/* The Message-ID of the mail that the report is about. */
static const char *original_id(struct arena *a, const struct mime_tree *t, struct span text)
{
	const char *id = id_of_part(a, t);

	id = id ? id : id_of_line(a, text, "message-id:");
	return id ? id : id_of_report(a, t);
}

/* ---- RFC 3464 ---- */

/* "rfc822; user@host" */
static const char *typed_address(struct arena *a, struct span value)
{
	size_t semi = span_chr(value, ';');
	struct rec_list list = { 0 };

	value = span_trim(semi < value.n ? span_from(value, semi + 1) : value);
	if (!value.n)
		return NULL;
	address_list_read(a, value, &list);
	if (list.n && *((struct mail_address *)list.v)[0].address)
		return ((struct mail_address *)list.v)[0].address;
	return NULL;
}

static const char *lower(struct arena *a, struct span s)
{
	size_t n = 0;
	char *out;

	while (n < s.n && (ascii_alnum(s.p[n]) || s.p[n] == '-'))
		n++;
	out = n ? arena_strndup(a, s.p, n) : NULL;
	for (char *p = out; p && *p; p++)
		*p = ascii_lower(*p);
	return out;
}

static const char *recipient_of(struct arena *a, const struct header *h)
{
	static const char *const names[] = { "Original-Recipient", "Final-Recipient",
					     "X-Actual-Recipient" };
	const char *final = typed_address(a, header_value(h, "Final-Recipient"));

	if (final && strchr(final, '@'))
		return final;
	for (size_t i = 0; i < MD_COUNT(names); i++) {
		const char *address = typed_address(a, header_value(h, names[i]));

		if (address && strchr(address, '@'))
			return address;
	}
	return final;
}

/* What RFC 3464 knows; whatever else a mailer calls it, the mail did not arrive. */
static const char *action_of(struct arena *a, const struct header *h)
{
	static const char *const known[] = { "failed", "delayed", "delivered", "relayed",
					     "expanded" };
	const char *action = lower(a, header_value(h, "Action"));

	for (size_t i = 0; action && i < MD_COUNT(known); i++)
		if (strcmp(action, known[i]) == 0)
			return known[i];
	return action ? "failed" : NULL;
}

/* For a block without Status: the reply code, else what the action implies. */
static const char *status_without_field(struct span diagnostic, const char *action)
{
	const char *by_reply = bounce_status_by_reply(diagnostic);

	if (by_reply)
		return by_reply;
	if (action && strcmp(action, "failed") == 0)
		return "5.0.0";
	return action && strcmp(action, "delayed") == 0 ? "4.0.0" : NULL;
}

static bool recipient_block(struct arena *a, const struct header *h, struct bounce *b)
{
	struct span diagnostic = header_unfold(a, header_value(h, "Diagnostic-Code"));

	if (!header_find(h, "Final-Recipient", 0) && !header_find(h, "Original-Recipient", 0) &&
	    !header_find(h, "Action", 0))
		return false;
	b->recipient = recipient_of(a, h);
	b->action = action_of(a, h);
	b->status = bounce_status_in(a, header_value(h, "Status"));
	if (diagnostic.n) {
		size_t semi = span_chr(diagnostic, ';');
		const char *finer = bounce_status_in(a, diagnostic);

		b->diagnostic = header_text(a, semi < diagnostic.n && semi < 20
						       ? span_from(diagnostic, semi + 1)
						       : diagnostic);
		/* The remote server's own code says more than what our side made of it. */
		if (finer && !span_ends(span_of(finer), ".0.0"))
			b->status = finer;
	}
	if (!b->status)
		b->status = status_without_field(diagnostic, b->action);
	return true;
}

/* One recipient a block; where the empty lines got lost, a repeated field begins the next. */
static void recipients(struct arena *a, const struct header *h, struct bounce *v, size_t *n)
{
	size_t from = 0;

	for (size_t i = 1; i <= h->n && *n < BOUNCE_RECIPIENTS_MAX; i++) {
		struct header block = { i - from, h->v + from };

		if (i < h->n && !(span_is(h->v[i].name, "Final-Recipient") &&
				  header_find(&block, "Final-Recipient", 0)))
			continue;
		*n += recipient_block(a, &block, &v[*n]);
		from = i;
	}
}

/* Blocks of fields with empty lines between them; what is no field is passed over. */
static void status_blocks(struct arena *a, struct span rest, struct bounce *v, size_t *n)
{
	struct span head, body, line;
	bool junk;

	while (rest.n && *n < BOUNCE_RECIPIENTS_MAX) {
		struct header h;

		while (rest.n && ascii_space(*rest.p))
			rest = span_from(rest, 1);
		header_split(rest, HEADER_PART, &head, &body, &junk);
		if (head.n) {
			header_read(a, head, 100, &h);
			recipients(a, &h, v, n);
			rest = body;
		} else {
			span_line(&rest, &line);
		}
	}
}

static bool is_status_type(const char *type)
{
	return strcmp(type, "message/delivery-status") == 0 ||
	       strcmp(type, "message/global-delivery-status") == 0;
}

/* The parts made for it, else such fields in the text of a report that was taken apart. A person
 * who passes a report on or pastes one has not sent it. */
static void standard_report(struct arena *a, const struct mime_tree *t,
			    const struct bounce_sender *sender, struct span text, struct bounce *v,
			    size_t *n, struct bounce_report *ret)
{
	for (size_t i = 0; i < t->n; i++) {
		md_auto(buf_done) struct buf part = BUF_INIT(BODY_TEXT_MAX);

		if (!is_status_type(t->v[i].type) ||
		    (i > 0 && sender->passed_on && !sender->daemon))
			continue;
		body_part_text(&t->v[i], &part);
		status_blocks(a, (struct span){ buf_str(&part), part.len }, v, n);
		ret->standard = true;
		ret->evidence = "message/delivery-status";
	}
	if (ret->standard || !sender->reports || !span_has(text, "\nFinal-Recipient:"))
		return;
	status_blocks(a, text, v, n);
	if (*n) {
		ret->standard = true;
		ret->evidence = "Final-Recipient in the text";
	}
}

static bool report_type(const struct mime_tree *t)
{
	const char *type = header_param(&t->v[0].content_type, "report-type");

	return type && span_is(span_of(type), "delivery-status");
}

void bounce_read(struct arena *a, const struct mime_tree *t, const char *subject, const char *from,
		 struct span text, struct bounce_report *ret)
{
	struct bounce *v = arena_array(a, BOUNCE_RECIPIENTS_MAX, sizeof *v);
	struct bounce_sender sender;
	const char *id;
	size_t n = 0;

	*ret = (struct bounce_report){ 0 };
	if (!v)
		return;
	sender = bounce_sender_read(t, subject, from);
	if (bounce_json_read(a, from, text, v, &n, ret)) {
		ret->list = (struct rec_list){ n, v };
		return;
	}
	standard_report(a, t, &sender, text, v, &n, ret);
	if (!ret->evidence && report_type(t))
		ret->evidence = "report-type=delivery-status";
	if (!ret->evidence)
		ret->evidence = bounce_text_evidence(t, subject, &sender, text);
	if (!ret->evidence)
		return;
	bounce_text_read(a, t, subject, text, v, &n);
	id = original_id(a, t, text);
	for (size_t i = 0; i < n; i++)
		v[i].original_message_id = id;
	ret->list = (struct rec_list){ n, v };
}

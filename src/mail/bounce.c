/* First the machine-readable part; where there is none, the evidence table below decides whether a
 * mail is a bounce, and the text is searched for the address and the code. */
#include <maildesk/mail/bounce.h>

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

/* The Message-ID of the mail that came back, attached whole, as headers or as text. */
static const char *original_id(struct arena *a, const struct mime_tree *t, struct span text)
{
	size_t at;

	for (size_t i = 1; i < t->n; i++) {
		const struct mime_part *p = &t->v[i];
		struct span head, body;
		const char *id;
		bool junk;

		if (strncmp(p->type, "message/rfc822", 14) != 0 &&
		    strcmp(p->type, "text/rfc822-headers") != 0 &&
		    strcmp(p->type, "message/global") != 0)
			continue;
		header_split(p->body, HEADER_TOP, &head, &body, &junk);
		if ((id = id_in(a, span_sub(head, 0, 256 << 10))) != NULL)
			return id;
	}
	for (int i = 0; i < 10 && (at = span_find(text, "\nmessage-id:")) < text.n; i++) {
		struct rec_strs ids = { 0 };

		address_ids_read(a, span_sub(text, at + 12, at + 12 + 400), &ids);
		text = span_from(text, at + 12);
		if (ids.n)
			return ids.v[0];
	}
	return NULL;
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

/* The first "c.s.d" (class 2, 4 or 5) in s: offset in *ret_at, length returned; 0 for none. */
static size_t status_in(struct span s, size_t *ret_at)
{
	for (size_t i = 0; i + 4 < s.n; i++) {
		size_t n = 2, digits = 0;

		if (!(s.p[i] == '2' || s.p[i] == '4' || s.p[i] == '5') || s.p[i + 1] != '.' ||
		    (i && (ascii_alnum(s.p[i - 1]) || s.p[i - 1] == '.')))
			continue;
		while (i + n < s.n && ascii_digit(s.p[i + n]) && digits < 3)
			n++, digits++;
		if (digits == 0 || i + n >= s.n || s.p[i + n] != '.')
			continue;
		for (n++, digits = 0; i + n < s.n && ascii_digit(s.p[i + n]) && digits < 4;
		     digits++)
			n++;
		if (digits == 0 || digits > 3 ||
		    (i + n + 1 < s.n && s.p[i + n] == '.' && ascii_digit(s.p[i + n + 1])))
			continue;
		*ret_at = i;
		return n;
	}
	return 0;
}

static const char *status_of(struct arena *a, struct span s)
{
	size_t at, n = status_in(s, &at);

	return n ? arena_strndup(a, s.p + at, n) : NULL;
}

/* An SMTP reply code stands for its class where no enhanced code does. */
static const char *status_by_reply(struct span s)
{
	for (size_t i = 0; i + 2 < s.n; i++) {
		bool starts = i == 0 || !(ascii_alnum(s.p[i - 1]) || s.p[i - 1] == '.' ||
					  s.p[i - 1] == '-' || s.p[i - 1] == ':');
		bool ends = i + 3 == s.n || s.p[i + 3] == ' ' || s.p[i + 3] == '-' ||
			    s.p[i + 3] == '\n' || s.p[i + 3] == ':' || s.p[i + 3] == ',';

		if (starts && ends && (s.p[i] == '4' || s.p[i] == '5') && s.p[i + 1] >= '0' &&
		    s.p[i + 1] <= '5' && ascii_digit(s.p[i + 2]))
			return s.p[i] == '4' ? "4.0.0" : "5.0.0";
	}
	return NULL;
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

static bool recipient_block(struct arena *a, const struct header *h, struct bounce *b)
{
	struct span diagnostic = header_unfold(a, header_value(h, "Diagnostic-Code"));

	if (!header_find(h, "Final-Recipient", 0) && !header_find(h, "Original-Recipient", 0) &&
	    !header_find(h, "Action", 0))
		return false;
	b->recipient = recipient_of(a, h);
	b->action = lower(a, header_value(h, "Action"));
	b->status = status_of(a, header_value(h, "Status"));
	if (diagnostic.n) {
		size_t semi = span_chr(diagnostic, ';');
		const char *finer = status_of(a, diagnostic);

		b->diagnostic = header_text(a, semi < diagnostic.n && semi < 20
						       ? span_from(diagnostic, semi + 1)
						       : diagnostic);
		/* "5.0.0" says nothing; the remote server's own code does. */
		if (finer && (!b->status || span_ends(span_of(b->status), ".0.0")))
			b->status = finer;
	}
	return true;
}

/* Blocks of fields with empty lines between them; the first one is about the message. */
static void status_part(struct arena *a, const struct mime_part *p, struct bounce *v, size_t *n)
{
	md_auto(buf_done) struct buf text = BUF_INIT(BODY_TEXT_MAX);
	struct span rest, head, body;
	bool junk;

	body_part_text(p, &text);
	rest = (struct span){ buf_str(&text), text.len };
	while (rest.n && *n < BOUNCE_RECIPIENTS_MAX) {
		struct header h;

		while (rest.n && ascii_space(*rest.p))
			rest = span_from(rest, 1);
		header_split(rest, HEADER_PART, &head, &body, &junk);
		if (head.n) {
			header_read(a, head, 100, &h);
			*n += recipient_block(a, &h, &v[*n]);
			rest = body;
		} else { /* no field: over this line */
			struct span line;

			span_line(&rest, &line);
		}
	}
}

/* ---- what mailers write instead ---- */

static const char *const bounce_subjects[] = {
	"undeliver",
	"delivery status notification",
	"delivery failure",
	"delivery failed",
	"failure notice",
	"mail delivery failed",
	"mail delivery system",
	"returned mail",
	"mail system error",
	"mail could not be delivered",
	"could not send message",
	"delivery error",
	"delivery problem",
	"non-delivery",
	"nondeliverable",
	"message not delivered",
	"mail failure",
	"rejected mail",
	"returning message to sender",
	"unzustellbar",
	"mail delivery failure",
	"delivery has failed",
	"undelivered",
	"returned to sender",
	"error sending message",
	"message status - undeliverable",
	"no se puede entregar",
	"non remis",
	"mancata consegna",
	"deliver mail failed",
	"delivery report",
	"failed mail",
	"user unknown",
	"warning: could not send",
};

static const char *const bounce_senders[] = {
	"mailer-daemon", "postmaster",   "mail-daemon",  "mailerdaemon", "mdaemon",
	"mail delivery", "maildelivery", "mail-deliver", "<>",
};

/* Only words that say that a mail did not arrive. */
static const char *const bounce_texts[] = {
	"could not be delivered",
	"couldn't be delivered",
	"cannot be delivered",
	"was not delivered",
	"undeliverable",
	"delivery to the following recipient",
	"unable to deliver",
	"wasn't able to deliver",
	"not able to deliver",
	"delivery failed",
	"delivery has failed",
	"user unknown",
	"unknown user",
	"no such user",
	"mailbox unavailable",
	"permanent fatal errors",
	"permanent error",
	"recipient address rejected",
	"mailbox full",
	"quota exceeded",
	"over quota",
	"does not exist",
	"failed recipient",
	"failed addresses",
	"not listed in",
	"message was rejected",
	"host unknown",
	"konnte nicht zugestellt",
	"could not deliver",
	"delivery error",
	"no mailbox",
	"mail is returned",
	"returned to sender",
	"undelivered message",
	"following address",
	"unrouteable",
	"did not reach",
};

static bool any_of(struct span s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_has(s, words[i]))
			return true;
	return false;
}

static bool address_byte(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80 ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* The next address in s at or behind *at. */
static struct span next_address(struct span s, size_t *at)
{
	while (*at < s.n) {
		size_t sign = *at + span_chr(span_from(s, *at), '@'), from = sign, to = sign + 1;

		if (sign >= s.n)
			break;
		while (from > *at && address_byte(s.p[from - 1]))
			from--;
		while (to < s.n && (ascii_alnum(s.p[to]) || s.p[to] == '-' || s.p[to] == '.'))
			to++;
		*at = to;
		while (to > sign && s.p[to - 1] == '.')
			to--;
		if (from < sign && to > sign + 3 &&
		    span_chr(span_sub(s, sign + 1, to), '.') < to - sign - 1)
			return span_sub(s, from, to);
	}
	*at = s.n;
	return span_of("");
}

static void add_failed(struct arena *a, struct span address, struct bounce *v, size_t *n)
{
	const char *clean = address_clean(a, address);

	for (size_t i = 0; i < *n; i++)
		if (clean && v[i].recipient && span_same(span_of(v[i].recipient), span_of(clean)))
			return;
	if (clean && *n < BOUNCE_RECIPIENTS_MAX)
		v[(*n)++] = (struct bounce){ .recipient = clean, .action = "failed" };
}

/* Lines behind which the mailer quotes the mail it gives back. */
static const char *const copies[] = {
	"--- below this line is a copy",
	"this is a copy of",
	"original message",
	"------ this is a copy",
	"returned message",
	"unsent message",
	"message header",
	"received: ",
	"return-path:",
	"original message headers",
	"forwarded message",
	"message follows",
	"headers follow",
};

static struct span without_copy(struct span text)
{
	struct span rest = text, line;

	while (span_line(&rest, &line)) {
		struct span bare = span_trim(line);

		for (size_t i = 0; i < MD_COUNT(copies); i++)
			if (span_starts(bare, copies[i]) ||
			    (span_starts(bare, "--") && span_has(bare, copies[i])))
				return span_sub(text, 0, (size_t)(line.p - text.p));
	}
	return text;
}

/* One address a line in the report itself, with the code that stands nearest below it. */
static void text_report(struct arena *a, struct span text, struct bounce *v, size_t *n)
{
	struct span report = without_copy(text), reason;
	size_t at = 0, status_at, status_len;

	while (*n < 20) {
		struct span address = next_address(report, &at);

		if (!address.n)
			break;
		if (span_starts(address, "postmaster@") || span_starts(address, "mailer-daemon@") ||
		    span_starts(address, "abuse@"))
			continue;
		add_failed(a, address, v, n);
		if (*n == 1)
			break;
	}
	reason = report;
	status_len = status_in(reason, &status_at);
	for (size_t i = 0; i < *n; i++) {
		if (!v[i].status && status_len)
			v[i].status = arena_strndup(a, reason.p + status_at, status_len);
		if (!v[i].status)
			v[i].status = status_by_reply(reason);
		if (!v[i].status)
			v[i].status = "5.0.0";
	}
}

static void failed_recipients_field(struct arena *a, const struct header *h, struct bounce *v,
				    size_t *n)
{
	struct rec_list list = { 0 };
	const struct header_field *f;

	for (size_t i = 0; (f = header_find(h, "X-Failed-Recipients", i)) != NULL; i++)
		address_list_read(a, f->value, &list);
	for (size_t i = 0; i < list.n; i++)
		add_failed(a, span_of(((struct mail_address *)list.v)[i].address), v, n);
}

static const char *text_evidence(const struct mime_tree *t, const char *subject, const char *from,
				 struct span text)
{
	const struct header *h = &t->v[0].header;
	struct span path = header_value(h, "Return-Path");
	bool null_path = span_is(path, "<>");
	bool daemon = any_of(span_of(from), bounce_senders, MD_COUNT(bounce_senders)) ||
		      any_of(header_value(h, "From"), bounce_senders, MD_COUNT(bounce_senders));
	bool titled = any_of(span_of(subject), bounce_subjects, MD_COUNT(bounce_subjects));
	bool says = any_of(without_copy(text), bounce_texts, MD_COUNT(bounce_texts));

	if (header_find(h, "X-Failed-Recipients", 0))
		return "X-Failed-Recipients";
	if (daemon && titled && (says || text.n == 0))
		return "sender and subject of a mailer";
	if (daemon && says)
		return "sender and text of a mailer";
	if (null_path && (titled || says) && !span_starts(span_of(subject), "re:"))
		return "null Return-Path and text of a mailer";
	return NULL;
}

void bounce_read(struct arena *a, const struct mime_tree *t, const char *subject, const char *from,
		 struct span text, struct bounce_report *ret)
{
	struct bounce *v = arena_array(a, BOUNCE_RECIPIENTS_MAX, sizeof *v);
	const char *id;
	size_t n = 0;

	*ret = (struct bounce_report){ 0 };
	if (!v)
		return;
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].type, "message/delivery-status") == 0 ||
		    strcmp(t->v[i].type, "message/global-delivery-status") == 0) {
			status_part(a, &t->v[i], v, &n);
			ret->standard = true;
			ret->evidence = "message/delivery-status";
		}
	if (!ret->standard) {
		ret->evidence = text_evidence(t, subject, from, text);
		if (!ret->evidence)
			return;
		failed_recipients_field(a, &t->v[0].header, v, &n);
		text_report(a, text, v, &n);
	}
	id = original_id(a, t, text);
	for (size_t i = 0; i < n; i++)
		v[i].original_message_id = id;
	ret->list = (struct rec_list){ n, v };
}

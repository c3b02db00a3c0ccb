/* Amazon SES tells of bounces and complaints by SNS: a JSON object as the text of a mail, on its
 * own or as a string in SNS's envelope. The reports are shaped alike; what each kind is called and
 * where its recipients stand is one row of the table. */
#include "bounce_json.h"

#include <maildesk/base/json.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <string.h>

enum { JSON_MAX = 256 << 10, JSON_DEPTH = 16, ENVELOPES = 2 };

static const struct report_kind {
	const char *type, *object, *recipients, *action, *status;
	bool complaint;
} kinds[] = {
	{ "Bounce", "bounce", "bouncedRecipients", "failed", "5.0.0", false },
	{ "Complaint", "complaint", "complainedRecipients", NULL, NULL, true },
	{ "DeliveryDelay", "deliveryDelay", "delayedRecipients", "delayed", "4.0.0", false },
	{ "Delivery", "delivery", "recipients", "delivered", "2.0.0", false },
};

/* The object that `text` begins with, up to the brace that closes it: a footer may follow. */
static struct span object_in(struct span text)
{
	int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		if (quoted && text.p[i] == '\\')
			i++;
		else if (text.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && text.p[i] == '{')
			depth++;
		else if (!quoted && text.p[i] == '}' && --depth == 0)
			return span_sub(text, 0, i + 1);
	}
	return span_of("");
}

/* Lines too long for SMTP were broken on the way: "!\n " by sendmail, else a bare line end. */
static void unbroken(struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '!' && i + 2 < s.n && s.p[i + 1] == '\n' && s.p[i + 2] == ' ')
			i += 2;
		else if (s.p[i] != '\n' && s.p[i] != '\t')
			buf_addc(out, s.p[i]);
	}
}

/* The report itself, taken out of its envelope. */
static json_t *report_of(struct span text)
{
	md_auto(buf_done) struct buf flat = BUF_INIT(JSON_MAX);
	json_t *j = NULL;

	text = span_trim(text);
	if (!text.n || *text.p != '{')
		return NULL;
	unbroken(object_in(span_sub(text, 0, JSON_MAX - 16)), &flat);
	for (int i = 0; i < ENVELOPES; i++) {
		json_t *outer = j;
		const char *inner = json_get_string(outer, "Message");

		if (outer && !inner)
			break;
		j = NULL;
		if (!inner)
			json_read(buf_str(&flat), flat.len, JSON_DEPTH, &j, NULL);
		else
			json_read(inner, strlen(inner), JSON_DEPTH, &j, NULL);
		json_decref(outer);
		if (!j)
			return NULL;
	}
	return j;
}

static const struct report_kind *kind_of(const json_t *j)
{
	const char *type = json_get_string(j, "notificationType");

	if (!type)
		type = json_get_string(j, "eventType");
	for (size_t i = 0; type && i < MD_COUNT(kinds); i++)
		if (strcmp(type, kinds[i].type) == 0 && json_object_get(j, kinds[i].object))
			return &kinds[i];
	return NULL;
}

static const char *kept(struct arena *a, const char *s)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(JSON_MAX * 4);

	if (!s)
		return NULL;
	utf8_clean_line(&clean, s, strlen(s));
	return arena_strndup(a, buf_str(&clean), clean.len);
}

static void recipient(struct arena *a, const struct report_kind *kind, const json_t *who,
		      const char *fallback, struct bounce *b)
{
	const char *address =
		json_is_string(who) ? json_string_value(who) : json_get_string(who, "emailAddress");
	const char *action = json_get_string(who, "action");
	const char *status = json_get_string(who, "status");
	const char *why = json_get_string(who, "diagnosticCode");
	size_t semi = span_chr(span_of(why), ';');

	if (why && why[semi])
		why = span_trim(span_from(span_of(why), semi + 1)).p;
	*b = (struct bounce){ kept(a, address), kept(a, action ? action : kind->action),
			      kept(a, status ? status : fallback), kept(a, why), NULL };
}

static const char *original_id(struct arena *a, const json_t *mail)
{
	const char *id = json_get_string(json_object_get(mail, "commonHeaders"), "messageId");
	struct span s = span_trim(span_of(id));

	if (s.n > 2 && *s.p == '<' && s.p[s.n - 1] == '>')
		s = span_sub(s, 1, s.n - 1);
	id = s.n ? arena_strndup(a, s.p, s.n) : NULL;
	return kept(a, id);
}

bool bounce_json_read(struct arena *a, const char *from, struct span text, struct bounce *v,
		      size_t *n, struct bounce_report *ret)
{
	md_auto(json_decref_p) json_t *j = NULL;
	const struct report_kind *kind;
	const json_t *object, *who;
	const char *status, *type;
	size_t i;

	if (!span_ends(span_of(from), "amazonaws.com") &&
	    !span_ends(span_of(from), "amazonses.com"))
		return false;
	j = report_of(text);
	kind = kind_of(j);
	if (!kind)
		return false;
	object = json_object_get(j, kind->object);
	type = json_get_string(object, "bounceType");
	status = type && strcmp(type, "Transient") == 0 ? "4.0.0" : kind->status;
	json_array_foreach(json_object_get(object, kind->recipients), i,
			   who) if (*n < BOUNCE_RECIPIENTS_MAX && !kind->complaint)
	{
		recipient(a, kind, who, status, &v[*n]);
		v[(*n)++].original_message_id = original_id(a, json_object_get(j, "mail"));
	}
	ret->complaint = kind->complaint;
	ret->evidence = arena_printf(a, "notificationType: %s", kind->type);
	return true;
}

/* An evidence table, first row that holds: our own loop mark, reports (complaints, receipts,
 * bounces), calendar answers, header fields of automatic mail, subjects of vacation notes, lists.
 * What says something about a person's mail comes last: to miss a robot is better than to hide a
 * person. The fields and words are in kind_tables.c. */
#include <maildesk/mail/kind.h>

#include "kind_tables.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/body.h>
#include <maildesk/mail/trim.h>

#include <string.h>

enum { NAME_MAX_BYTES = 64, SUBJECT_MAX = 400, CALENDAR_LOOK = 8192 };

/* "Fwd: ..." or "Re: ...": a person's; the parts of a report in it are enclosed ones. */
static bool passed_on(const struct mime_tree *t, const char *subject)
{
	return strcmp(t->v[0].type, "multipart/report") != 0 &&
	       (trim_is_reply(subject) || trim_is_forward(span_of(subject), span_of("")));
}

static bool has_part(const struct mime_tree *t, const char *type)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].type, type) == 0)
			return true;
	return false;
}

static const char *report_type(const struct mime_tree *t)
{
	const char *v = header_param(&t->v[0].content_type, "report-type");

	return v && strcmp(t->v[0].type, "multipart/report") == 0 ? v : "";
}

/* A report of that kind: by its type, or by the part that the kind is made for. */
static bool is_report(const struct mime_tree *t, const char *part, const char *type, bool enclosed)
{
	return span_is(span_of(report_type(t)), type) || (!enclosed && has_part(t, part));
}

/* METHOD:REPLY, or COUNTER for another time proposed; the part's own parameter goes first. */
static bool answers_invitation(const struct mime_part *p)
{
	const char *method = header_param(&p->content_type, "method");
	md_auto(buf_done) struct buf text = BUF_INIT(CALENDAR_LOOK);
	struct mime_part top = *p;

	if (method)
		return span_is(span_of(method), "reply") || span_is(span_of(method), "counter");
	top.body = span_sub(p->body, 0, CALENDAR_LOOK);
	body_part_text(&top, &text);
	return span_has(span_of(buf_str(&text)), "\nMETHOD:REPLY") ||
	       span_has(span_of(buf_str(&text)), "\nMETHOD:COUNTER");
}

static bool calendar_reply(const struct mime_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].type, "text/calendar") == 0 && answers_invitation(&t->v[i]))
			return true;
	return false;
}

static bool holds(struct span value, const char *want)
{
	if (*want == '!')
		return !span_starts(value, want + 1);
	return *want == '*' ? span_has(value, want + 1) : span_starts(value, want);
}

static const char *field_evidence(struct arena *a, const struct header_field *f)
{
	const char *text = header_text(a, span_sub(f->value, 0, 100));

	return arena_printf(a, "%.*s: %s", (int)f->name.n, f->name.p, text ? text : "");
}

/* The first rule that holds, its kind in *ret and "Name: value" as evidence. */
static bool by_fields(struct arena *a, const struct header *h, const struct kind_fields *rules,
		      enum message_kind *ret, const char **ret_evidence)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct header_field *f;

		for (size_t k = 0; (f = header_find(h, rules->v[i].name, k)) != NULL; k++) {
			if (!holds(span_trim(f->value), rules->v[i].value))
				continue;
			*ret = rules->v[i].kind;
			*ret_evidence = field_evidence(a, f);
			return true;
		}
	}
	return false;
}

/* A field of some vendor whose name says it, unless its value denies it. */
static bool says_auto(const struct header_field *f)
{
	static const char *const denials[] = { "no", "false", "none", "off", "0" };
	struct span value = span_trim(f->value);
	char name[NAME_MAX_BYTES];
	size_t n = 0;

	if (!span_starts(f->name, "X-") || f->name.n >= sizeof name)
		return false;
	for (size_t i = 0; i < f->name.n; i++)
		if (f->name.p[i] != '-')
			name[n++] = f->name.p[i];
	if (!span_has_any((struct span){ name, n }, kind_auto_names.v, kind_auto_names.n) ||
	    span_has((struct span){ name, n }, "suppress"))
		return false;
	for (size_t i = 0; i < MD_COUNT(denials); i++)
		if (span_is(value, denials[i]))
			return false;
	return true;
}

static bool by_names(struct arena *a, const struct header *h, const char **ret_evidence)
{
	for (size_t i = 0; i < h->n; i++)
		if (says_auto(&h->v[i])) {
			*ret_evidence = field_evidence(a, &h->v[i]);
			return true;
		}
	return false;
}

/* ": ", "] ", or the end; also what other prefixes follow ("Out of office Re: ..."). */
static bool closes(struct span rest)
{
	static const char *const ends[] = { ":", "]", ")", "：", "】", "」", "］", "re:" };

	rest = span_trim(rest);
	for (size_t i = 0; i < MD_COUNT(ends); i++)
		if (span_starts(rest, ends[i]))
			return true;
	return rest.n == 0 || span_starts(rest, "\xc2\xa0:");
}

static struct span without_bracket(struct span title)
{
	static const char *const open[] = { "[", "(", "【", "「", "［" };

	for (size_t i = 0; i < MD_COUNT(open); i++)
		if (span_starts(title, open[i]))
			return span_trim(span_from(title, strlen(open[i])));
	return title;
}

static bool by_subject(struct arena *a, const struct header *h, const char *subject,
		       const char **ret_evidence)
{
	bool answers = header_find(h, "In-Reply-To", 0) || header_find(h, "References", 0);
	md_auto(buf_done) struct buf folded = BUF_INIT(SUBJECT_MAX * 2);
	struct span title = span_sub(span_of(subject), 0, SUBJECT_MAX);

	utf8_fold(&folded, title.p, title.n);
	title = without_bracket(span_trim(span_of(buf_str(&folded))));
	for (size_t i = 0; i < kind_auto_subjects.n; i++) {
		const struct kind_subject *s = &kind_auto_subjects.v[i];

		if (!span_starts(title, s->words) || (s->end == SUBJECT_ANSWER && !answers) ||
		    (s->end != SUBJECT_OPEN && !closes(span_from(title, strlen(s->words)))))
			continue;
		*ret_evidence = arena_printf(a, "Subject: %s", s->words);
		return true;
	}
	*ret_evidence = "Subject: AUTO: and an absence";
	return subject && strncmp(subject, "AUTO:", 5) == 0 &&
	       span_has_any(title, kind_absences.v, kind_absences.n);
}

static enum message_kind dsn_kind(const struct rec_list *list)
{
	const struct bounce *v = list->v;
	bool failed = false, delayed = false, delivered = false;

	for (size_t i = 0; i < list->n; i++) {
		const char *action = v[i].action ? v[i].action : "failed";

		if (strcmp(action, "delayed") == 0)
			delayed = true;
		else if (strcmp(action, "delivered") == 0 || strcmp(action, "relayed") == 0 ||
			 strcmp(action, "expanded") == 0)
			delivered = true;
		else
			failed = true;
	}
	return failed || !(delayed || delivered) ? KIND_BOUNCE
	       : delayed                         ? KIND_DELAY
						 : KIND_RECEIPT;
}

enum message_kind kind_decide(struct arena *a, const struct mime_tree *t, const char *subject,
			      const struct bounce_report *bounce, const char **ret_evidence)
{
	const struct header *h = &t->v[0].header;
	enum message_kind kind = KIND_NORMAL;
	bool enclosed = passed_on(t, subject);

	if (by_fields(a, h, &kind_early_fields, &kind, ret_evidence))
		return kind;
	*ret_evidence = "message/feedback-report";
	if (is_report(t, "message/feedback-report", "feedback-report", enclosed))
		return KIND_ABUSE_REPORT;
	*ret_evidence = "complaint about an attached message";
	if (span_starts(span_of(subject), "complaint about message from") &&
	    has_part(t, "message/rfc822"))
		return KIND_ABUSE_REPORT; /* Outlook.com's junk mail reports */
	*ret_evidence = bounce->evidence;
	if (bounce->complaint)
		return KIND_ABUSE_REPORT;
	*ret_evidence = "message/disposition-notification";
	if (is_report(t, "message/disposition-notification", "disposition-notification", enclosed))
		return KIND_RECEIPT;
	*ret_evidence = bounce->evidence;
	if (bounce->evidence)
		return dsn_kind(&bounce->list);
	*ret_evidence = "text/calendar with METHOD:REPLY";
	if (!trim_is_forward(span_of(subject), span_of("")) && calendar_reply(t))
		return KIND_CALENDAR_REPLY;
	if (by_fields(a, h, &kind_auto_fields, &kind, ret_evidence))
		return kind;
	if (by_names(a, h, ret_evidence) || by_subject(a, h, subject, ret_evidence))
		return KIND_AUTO_REPLY;
	*ret_evidence = "multipart/report of another kind";
	if (*report_type(t))
		return KIND_AUTO_REPLY;
	if (by_fields(a, h, &kind_late_fields, &kind, ret_evidence))
		return kind;
	*ret_evidence = "nothing automatic found";
	return KIND_NORMAL;
}

/* What forbids an answer; the same notation as above. */
static const struct kind_field silent_fields[] = {
	{ "Auto-Submitted", "!no", KIND_COUNT },
	{ "X-Auto-Response-Suppress", "!none", KIND_COUNT },
	{ "Precedence", "bulk", KIND_COUNT },
	{ "Precedence", "junk", KIND_COUNT },
	{ "Precedence", "list", KIND_COUNT },
	{ "Precedence", "auto", KIND_COUNT },
	{ "List-Id", "", KIND_COUNT },
	{ "List-Unsubscribe", "", KIND_COUNT },
	{ "X-Autoreply", "!no", KIND_COUNT },
	{ "X-Autorespond", "", KIND_COUNT },
	{ "X-Loop", "", KIND_COUNT },
	{ "X-Maildesk-Loop", "", KIND_COUNT },
};

static const char *const silent_senders[] = {
	"noreply",      "no-reply",      "no_reply",   "donotreply",      "do-not-reply",
	"do_not_reply", "mailer-daemon", "postmaster", "nicht-antworten", "ne-pas-repondre",
	"bounce@",      "bounces",       "listserv",   "majordomo",       "owner-",
	"nobody@",      "autoresponder", "auto-reply",
};

bool kind_no_answer(const struct header *h, const char *from)
{
	struct span path = header_value(h, "Return-Path"), local = span_of(from);

	if (header_find(h, "Return-Path", 0) && (path.n == 0 || span_is(path, "<>")))
		return true;
	for (size_t i = 0; i < MD_COUNT(silent_fields); i++) {
		const struct header_field *f = header_find(h, silent_fields[i].name, 0);

		if (f && holds(span_trim(f->value), silent_fields[i].value))
			return true;
	}
	for (size_t i = 0; i < MD_COUNT(silent_senders); i++)
		if (span_starts(local, silent_senders[i]))
			return true;
	return !from || !*from;
}

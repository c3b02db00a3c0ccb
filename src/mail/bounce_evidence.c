/* Whether a mail is a report although no part of it says so: by who sent it first, and by the words
 * of bounce_tables.c then. What a person may have written counts for nothing. */
#include "bounce_tables.h"
#include "bounce_text.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/trim.h>

#include <string.h>

enum { SUBJECT_MAX = 400 };

bool bounce_says(struct span text, const struct bounce_words *words)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(text.n * 2 + 16);

	utf8_fold(&folded, text.p, text.n);
	return span_has_any((struct span){ buf_str(&folded), folded.len }, words->v, words->n);
}

bool bounce_subject_says(const char *subject, const struct bounce_words *words)
{
	return bounce_says(span_sub(span_of(subject), 0, SUBJECT_MAX), words);
}

static bool begins(struct span s, const struct bounce_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (span_starts(s, words->v[i]))
			return true;
	return false;
}

/* "Mail Delivery System <...>", "... (Mail Delivery System)" */
static bool named_mailer(struct span sender)
{
	size_t open = span_chr(sender, '(');

	sender = span_trim(sender);
	if (sender.n && *sender.p == '"')
		sender = span_from(sender, 1);
	return begins(sender, &bounce_names) || begins(span_from(sender, open + 1), &bounce_names);
}

struct bounce_sender bounce_sender_read(const struct mime_tree *t, const char *subject,
					const char *from)
{
	const struct header *h = &t->v[0].header;
	struct span address = span_of(from), path = span_trim(header_value(h, "Return-Path"));
	struct span sender = header_value(h, "From");
	struct bounce_sender s = { .daemon = begins(address, &bounce_daemons) };

	s.mailer = s.daemon || begins(address, &bounce_roles) || named_mailer(sender) ||
		   span_has(sender, "<>");
	s.robot = begins(address, &bounce_robots);
	s.null_path =
		span_is(path, "<>") &&
		(s.mailer ||
		 !(span_starts(span_trim(header_value(h, "Auto-Submitted")), "auto-replied") ||
		   header_find(h, "X-Autoreply", 0) || header_find(h, "X-Autorespond", 0)));
	s.passed_on = strcmp(t->v[0].type, "multipart/report") != 0 &&
		      (trim_is_reply(subject) || trim_is_forward(span_of(subject), span_of("")));
	/* James answers with "Re:" and the subject of what it gives back. */
	s.reports = s.passed_on ? s.mailer && s.null_path : s.mailer || s.robot || s.null_path;
	return s;
}

static bool is_titled(const char *subject)
{
	return bounce_subject_says(subject, &bounce_subjects) ||
	       bounce_subject_says(subject, &bounce_delays);
}

/* "Undeliverable: ...", not "Alert: delivery failure rate". */
static bool is_titled_first(const char *subject)
{
	return begins(span_of(subject), &bounce_subjects);
}

/* An enhanced status code of failure and an address: a report in whatever language. */
static bool is_coded(struct span report)
{
	for (size_t i = 0; i < report.n; i++)
		if (report.p[i] != '2' && ascii_digit(report.p[i]) && bounce_status_at(report, i))
			return span_chr(report, '@') < report.n;
	return false;
}

const char *bounce_text_evidence(const struct mime_tree *t, const char *subject,
				 const struct bounce_sender *s, struct span text)
{
	struct span report;
	bool titled;

	if (header_find(&t->v[0].header, "X-Failed-Recipients", 0))
		return "X-Failed-Recipients";
	if (!s->reports)
		return NULL;
	if (s->daemon)
		return "From: MAILER-DAEMON";
	titled = is_titled(subject);
	if (s->mailer && titled)
		return "sender and subject of a mailer";
	report = bounce_without_copy(text);
	if (s->null_path && is_coded(report))
		return "null Return-Path and a status code";
	if (s->robot && !s->mailer && !s->null_path)
		return is_titled_first(subject) && is_coded(report)
			       ? "robot's subject and a status code"
			       : NULL;
	/* A shop's delivery fails as well, and a postmaster writes of such things, but they give no
	 * mail back and no address. */
	if (report.n == text.n && span_chr(report, '@') == report.n)
		return NULL;
	if (s->mailer &&
	    (bounce_says(report, &bounce_texts) || bounce_says(report, &bounce_delays)))
		return "sender and text of a mailer";
	return s->null_path && (titled || bounce_says(report, &bounce_texts))
		       ? "null Return-Path and words of a mailer"
		       : NULL;
}

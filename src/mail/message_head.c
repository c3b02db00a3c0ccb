/* The top header: who, to whom, when, what about, in answer to what. */
#include "message_priv.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>
#include <maildesk/mail/address.h>
#include <maildesk/mail/alike.h>
#include <maildesk/mail/authres.h>
#include <maildesk/mail/date.h>
#include <maildesk/mail/kind.h>

#include <string.h>

enum { DELIVERED_MAX = 100, LOOPS_MAX = 20 };

void message_defect(struct reading *r, const char *what)
{
	if (r->m->defects.v && r->m->defects.n < MESSAGE_DEFECTS_MAX)
		r->m->defects.v[r->m->defects.n++] = what;
}

const struct mail_address *message_first(const struct rec_list *list)
{
	return list->n ? list->v : NULL;
}

static void addresses(struct reading *r, const char *name, struct rec_list *list)
{
	for (size_t i = 0; i < r->header.n; i++)
		if (span_is(r->header.v[i].name, name))
			address_list_read(r->arena, r->header.v[i].value, list);
}

/* "From user@host Mon Jan ..." of an mbox. */
static void mbox_sender(struct reading *r)
{
	struct span rest = r->head, line, word;

	if (!span_line(&rest, &line) || !span_starts(line, "From "))
		return;
	word = span_trim(span_from(line, 5));
	word.n = span_chr(word, ' ');
	if (span_chr(word, '@') < word.n)
		address_list_read(r->arena, word, &r->m->from);
}

static void senders(struct reading *r)
{
	static const char *const last_resort[] = { "Reply-To", "Sender" };
	struct message *m = r->m;
	const struct header_field *f = header_find(&r->header, "From", 0);
	bool several = header_find(&r->header, "From", 1) != NULL;
	struct rec_list one = { 0 };
	unsigned odd = f ? address_list_read(r->arena, f->value, &one) : 0;

	m->from_is_plain = f && odd == 0 && one.n == 1 && !several &&
			   !alike_is_disguised(((struct mail_address *)one.v)->address);
	addresses(r, "From", &m->from);
	/* What follows is shown as the sender; it makes nobody one. */
	for (size_t i = 0; i < m->from.n; i++)
		m->from_readable = m->from_readable ||
				   strchr(((struct mail_address *)m->from.v)[i].address, '@');
	if (several)
		message_defect(r, "several From fields");
	if (!m->from.n) {
		message_defect(r, f ? "unreadable From" : "no From");
		for (size_t i = 0; i < MD_COUNT(last_resort) && !m->from.n; i++)
			addresses(r, last_resort[i], &m->from);
	}
	if (!m->from.n)
		mbox_sender(r);
	if (!m->from.n)
		addresses(r, "Return-Path", &m->from);
}

static void delivered(struct reading *r)
{
	static const char *const names[] = { "Delivered-To", "X-Original-To", "Envelope-To" };
	struct rec_list list = { 0 };
	struct rec_strs *to = &r->m->delivered_to;

	for (size_t i = 0; i < MD_COUNT(names); i++)
		addresses(r, names[i], &list);
	to->v = arena_array(r->arena, DELIVERED_MAX, sizeof *to->v);
	for (size_t i = 0; to->v && i < list.n && to->n < DELIVERED_MAX; i++)
		if (*((struct mail_address *)list.v)[i].address)
			to->v[to->n++] = ((struct mail_address *)list.v)[i].address;
}

/* A mail that went through several desks bears the mark of each. */
static void loops(struct reading *r)
{
	struct rec_strs *to = &r->m->loop_ids;
	const struct header_field *f = header_find(&r->header, "X-Maildesk-Loop", 0);

	to->v = f ? arena_array(r->arena, LOOPS_MAX, sizeof *to->v) : NULL;
	for (; f && to->v && to->n < LOOPS_MAX;
	     f = header_find(&r->header, "X-Maildesk-Loop", to->n))
		to->v[to->n++] = header_text(r->arena, f->value);
}

static void ids(struct reading *r)
{
	static const char *const names[] = { "In-Reply-To", "References" };
	struct rec_strs own = { 0 }, *lists[] = { &r->m->in_reply_to, &r->m->references };

	address_ids_read(r->arena, header_value(&r->header, "Message-ID"), &own);
	if (own.n)
		r->m->message_id = own.v[0];
	else if (header_find(&r->header, "Message-ID", 0))
		message_defect(r, "unusable Message-ID");
	for (size_t i = 0; i < MD_COUNT(names); i++) {
		const struct header_field *f = header_find(&r->header, names[i], 0);

		if (f)
			address_ids_read(r->arena, f->value, lists[i]);
	}
}

static void date(struct reading *r)
{
	const struct header_field *f = header_find(&r->header, "Date", 0);
	char text[TIME_TEXT_MAX];
	int64_t ms;

	if (!f)
		return;
	if (date_read(header_unfold(r->arena, f->value), &ms))
		r->m->date = arena_strdup(r->arena, time_format(ms, 0, text));
	else
		message_defect(r, "unreadable Date");
}

/* "A list of ours <list.example.org>" (RFC 2919) */
static const char *list_id(struct reading *r)
{
	struct span id = header_unfold(r->arena, header_value(&r->header, "List-Id"));
	size_t open = span_chr(id, '<');
	char *clean;

	if (open < id.n)
		id = span_sub(id, open + 1, open + 1 + span_chr(span_from(id, open + 1), '>'));
	if (!id.n)
		return NULL;
	clean = (char *)(uintptr_t)header_text(r->arena, id); /* ours alone */
	for (char *p = clean; p && *p; p++)
		*p = ascii_lower(*p);
	return clean;
}

/* "X-Spam-Flag: YES", "X-Spam-Status: Yes, score=..."; how many hops above it, counted from 1. */
static int64_t spam_hop(const struct reading *r)
{
	int64_t hop = 1;

	for (size_t i = 0; i < r->header.n; i++) {
		const struct header_field *f = &r->header.v[i];

		if (span_is(f->name, "Received"))
			hop++;
		else if ((span_is(f->name, "X-Spam-Flag") || span_is(f->name, "X-Spam-Status")) &&
			 span_starts(span_trim(f->value), "yes"))
			return hop;
	}
	return 0;
}

void message_read_head(struct reading *r)
{
	struct message *m = r->m;
	const struct header_field *f;

	ids(r);
	date(r);
	f = header_find(&r->header, "Subject", 0);
	m->subject = f ? header_text(r->arena, f->value) : NULL;
	senders(r);
	addresses(r, "Reply-To", &m->reply_to);
	addresses(r, "Sender", &m->sender);
	addresses(r, "To", &m->to);
	addresses(r, "Cc", &m->cc);
	delivered(r);
	authres_read(r->arena, &r->header, &m->auth_fields, &m->auth);
	for (size_t i = 0; i < r->header.n; i++)
		m->received_count += span_is(r->header.v[i].name, "Received");
	loops(r);
	m->spam_hop = spam_hop(r);
	m->list_id = list_id(r);
	m->no_answer =
		kind_no_answer(&r->header, m->from.n ? message_first(&m->from)->address : NULL);
}

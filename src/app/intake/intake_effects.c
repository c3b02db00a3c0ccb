/* What a mail does to the desk: its rows, and a ticket, a comment or an answer with them. intake.c
 * has decided which. */
#include <maildesk/app/mail_head.h>
#include <maildesk/app/work_base.h>
#include <maildesk/desk/words.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>

#include "intake_priv.h"

#include <string.h>

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- rows ---- */

int intake_store_message(struct intake *in, int64_t ticket, struct md_err *err)
{
	md_auto(buf_done) struct buf head_text = BUF_INIT(MAIL_HEAD_MAX);
	const struct message *m = in->m;
	struct mail_head head;
	struct message_row row = {
		.direction = "in",
		.mailbox_id = in->mail->mailbox,
		.ticket_id = ticket,
		.message_id = in->message_id,
		.identity = in->identity,
		.subject = m ? m->subject : NULL,
		.from_address = in->f.sender,
		.from_name = in->f.sender_name,
		.kind = m ? message_kind_name((enum message_kind)m->kind) : "normal",
		.trust = in->f.trust.level,
		.size = in->mail->size,
		.created_at = in->by.now_ms,
	};
	int rc;

	if (in->mail->released || in->stored)
		return ticket ? message_set_ticket(in->c, in->result.message, ticket,
						   in->f.trust.level, err)
			      : MD_OK;
	if (m && m->date)
		(void)time_parse(m->date, &row.date_at); /* a date that is none is no date */
	if (m && mail_head_of(m, in->a, &head) != MD_OK)
		return out_of_memory(err);
	if (m)
		mail_head_write(&head, &head_text);
	row.head = head_text.len && head_text.status == MD_OK ? head_text.data : NULL;
	rc = blob_put(in->c, in->mail->blob, &row.blob_id, err);
	return rc == MD_OK ? message_insert_as(in->c, &row, in->result.message, err) : rc;
}

static int store_mail(void *mail, int64_t ticket, struct md_err *err)
{
	return intake_store_message(mail, ticket, err);
}

/* From now on a reply to any of these ids is a reply to this ticket. */
static int claim_ids(struct intake *in, int64_t ticket, struct md_err *err)
{
	const struct rec_strs *lists[] = { &in->m->in_reply_to, &in->m->references };
	int rc = thread_add(in->c, in->message_id, ticket, err);

	for (size_t l = 0; l < MD_COUNT(lists); l++)
		for (size_t i = 0; i < lists[l]->n && i < INTAKE_HITS_MAX && rc == MD_OK; i++)
			if (strncmp(lists[l]->v[i], "md.", 3) != 0)
				rc = thread_add(in->c, lists[l]->v[i], ticket, err);
	return rc;
}

static int add_attachments(struct intake *in, int64_t comment, struct md_err *err)
{
	const struct attachment *all = in->m->attachments.v;
	int rc = MD_OK;

	for (size_t i = 0; i < in->m->attachments.n && rc == MD_OK; i++)
		rc = attachment_insert(in->c, in->result.message, comment, &all[i], err);
	return rc;
}

/* ---- outcomes ---- */

int intake_quarantine(struct intake *in, const char *cause, const char *detail, struct md_err *err)
{
	int rc = intake_store_message(in, 0, err);

	in->result.outcome = "quarantined";
	in->result.cause = cause;
	return rc != MD_OK ? rc
			   : quarantine_add(in->c, in->result.message, cause, detail, in->by.now_ms,
					    err);
}

static bool may_echo(const struct intake *in, bool was_known)
{
	const char *rule = in->d->config->desk.echo_subject;
	int needed = was_known ? TRUST_CLAIMED : TRUST_VERIFIED;

	return strcmp(rule, "always") == 0 ||
	       (strcmp(rule, "verified") == 0 && in->f.trust.level >= needed);
}

/* Run one thing so that a refusal leaves no trace; the text is then filed without it. */
static int try_with_commands(struct intake *in, db_txn_fn fn, struct md_err *err)
{
	struct md_err why = { 0 };
	int rc;

	if (!intake_has_commands(in))
		return fn(in->c, in, err); /* there is nothing to be filed without */
	rc = db_savepoint(in->c, fn, in, &why);
	if (in->commands &&
	    (rc == MD_INPUT || rc == MD_REFUSED || rc == MD_CONFLICT || rc == MD_NOTFOUND) &&
	    in->n_lines) {
		in->refused = true;
		/* They may do it, if only it is them: then they are asked. */
		in->confirm = rc == MD_REFUSED && why.native == WORK_LEVEL &&
			      in->f.trust.level < TRUST_CONFIRMED;
		why = (struct md_err){ 0 };
		rc = db_savepoint(in->c, fn, in, &why);
	}
	if (rc != MD_OK && err)
		*err = why;
	return rc;
}

static const char *body_full(const struct intake *in, const char *body)
{
	return strcmp(in->m->text, body) == 0 ? NULL : in->m->text;
}

/* In the place of its text, in the language of the mailbox. */
static const char *body_of(const struct intake *in, const char *body)
{
	const char *locale = in->f.mailbox->conf->locale;

	return in->mail->too_large ? words_too_large(words_choose(&locale, 1)) : body;
}

static int open_ticket(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct intake *in = ctx;
	bool commands = in->commands && !in->refused;
	struct work_ticket t = {
		.title = commands ? in->list.subject : in->m->subject,
		.body = intake_body(in, NULL),
		.requester = in->requester ? in->requester : in->by.user.id,
		.priority = work_priority_from_name(in->f.mailbox->conf->priority),
		.mailbox = in->mail->mailbox,
		.echo = may_echo(in, in->by.user.created_at != in->by.now_ms),
		.too_large = in->mail->too_large,
		.store_mail = store_mail,
		.mail = in,
	};
	struct work w;
	int64_t answer;
	int rc;

	t.body_full = body_full(in, t.body);
	t.body_html = in->m->safe_html;
	t.is_internal = intake_is_secret(in);
	intake_set_forwarded(in, &t);
	intake_rules_before(in, &t);
	t.body = body_of(in, t.body);
	rc = intake_copied(in, &t.cc, &t.n_cc, err);
	if (rc == MD_OK)
		rc = work_create(&in->by, c, in->a, &t, &w, &in->result.comment, err);
	if (rc == MD_OK)
		rc = intake_rules_after(in, &w, err);
	if (rc == MD_OK)
		rc = intake_run_commands(in, &w, err);
	if (rc == MD_OK && w.canned)
		rc = work_comment(&w, &(struct work_comment){ .body = w.canned }, &answer, err);
	if (rc == MD_OK)
		rc = intake_opened(in, &w, err);
	if (rc == MD_OK)
		rc = work_save(&w, err);
	if (rc == MD_OK)
		rc = add_attachments(in, in->result.comment, err);
	if (rc == MD_OK)
		rc = claim_ids(in, w.ticket.id, err);
	if (rc == MD_OK && in->route.outcome == ROUTE_NEW_LINKED)
		rc = ticket_link_add(c, w.ticket.id, "relates", in->route.ticket, err);
	if (rc != MD_OK)
		return rc;
	memcpy(in->sla_effects, w.sla_effects, sizeof in->sla_effects);
	in->result.ticket = w.ticket.id;
	in->result.outcome = "ticket_created";
	return rc;
}

/* Commands that were refused stay in an agent's text; without any other the transcript has them. */
static bool refused_alone(const struct intake *in)
{
	return in->commands && in->refused && !in->confirm && in->f.is_staff &&
	       in->list.body[0] == '\0';
}

/* The text of a reply: public, or for agents alone because of who wrote it or how. */
static int file_comment(struct intake *in, struct work *w, const char *held, struct md_err *err)
{
	bool is_note = in->commands && !in->refused && in->list.comment == COMMENT_NOTE;
	struct work_comment m = {
		.body = intake_body(in, w->canned),
		.is_internal =
			held || in->f.automatic || is_note || (in->refused && in->f.is_staff),
		.held = held,
	};
	int rc;

	if (!m.body)
		return out_of_memory(err);
	m.body_full = body_full(in, m.body);
	m.body_html = in->m->safe_html;
	m.body = body_of(in, m.body);
	if (in->m->attachments.n == 0 && (in->n_lines || in->list.count) &&
	    (m.body[0] == '\0' || refused_alone(in)))
		return MD_OK; /* a mail of commands alone says nothing */
	rc = work_comment(w, &m, &in->result.comment, err);
	if (rc == MD_OK)
		rc = add_attachments(in, in->result.comment, err);
	return rc;
}

/* Whoever writes on a ticket is told, too, that their mail was not taken in. */
static int tell_too_large(const struct intake *in, struct work *w, struct md_err *err)
{
	w->echo = may_echo(in, true);
	w->too_large = true;
	w->touched = true; /* another version, another Message-ID */
	return work_event(w, "too_large", 0, NULL, err);
}

static int add_comment(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct intake *in = ctx;
	enum policy_hold hold = HOLD_NONE;
	struct work w;
	bool ends;
	int rc = work_load(&in->by, c, in->a, in->route.ticket, &w, err);

	if (rc == MD_OK)
		rc = intake_store_message(in, w.ticket.id, err);
	if (rc != MD_OK)
		return rc;
	in->result.comment = 0;
	if (in->route.outcome == ROUTE_COMMENT_HELD)
		hold = HOLD_NOT_PARTICIPANT;
	else if (!in->f.automatic)
		hold = in->confirm ? HOLD_UNVERIFIED : policy_hold(&in->by.actor, &w.facts);
	/* A text is filed before its ticket goes away. */
	ends = hold == HOLD_NONE && intake_ends_ticket(in);
	if (ends)
		rc = file_comment(in, &w, NULL, err);
	if (rc == MD_OK && hold == HOLD_NONE)
		rc = intake_run_commands(in, &w, err);
	if (rc == MD_OK && !ends)
		rc = file_comment(in, &w, policy_hold_name(hold), err);
	if (rc == MD_OK)
		rc = intake_join(in, &w, hold, err);
	if (rc == MD_OK && in->mail->too_large && hold == HOLD_NONE && !in->f.automatic)
		rc = tell_too_large(in, &w, err);
	if (rc == MD_OK && hold == HOLD_UNVERIFIED && (in->f.is_staff || in->confirm))
		rc = intake_ask_confirmation(in, &w, in->result.comment, err);
	if (rc == MD_OK)
		rc = work_save(&w, err);
	if (rc == MD_OK)
		rc = claim_ids(in, w.ticket.id, err);
	memcpy(in->sla_effects, w.sla_effects, sizeof in->sla_effects);
	in->result.ticket = w.ticket.id;
	in->result.outcome = in->result.comment ? "comment_added" : "commands_run";
	return rc;
}

int intake_add_comment(struct intake *in, struct md_err *err)
{
	return try_with_commands(in, add_comment, err);
}

/* Questions, or commands for tickets that they name: there is nothing to make a ticket of. */
static int answer_alone(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct intake *in = ctx;
	struct work w;
	int rc;

	work_none(&in->by, c, in->a, &w);
	w.ticket.mailbox_id = in->mail->mailbox;
	w.ticket.title = in->list.subject; /* for the answer's */
	rc = intake_store_message(in, 0, err);
	if (rc == MD_OK)
		rc = intake_run_commands(in, &w, err);
	in->result.outcome = "commands_run";
	return rc == MD_OK ? work_save(&w, err) : rc;
}

int intake_file(struct intake *in, struct md_err *err)
{
	if (intake_only_asks(in))
		return try_with_commands(in, answer_alone, err);
	return try_with_commands(in,
				 in->route.outcome == ROUTE_COMMENT ||
						 in->route.outcome == ROUTE_COMMENT_HELD
					 ? add_comment
					 : open_ticket,
				 err);
}

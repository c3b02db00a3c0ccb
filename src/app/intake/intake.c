/* From facts to an effect: screen, route, trust, commands, and one of five outcomes.
 *
 *	screen	our own mail coming back, bombs		-> quarantine
 *	route	which ticket (desk/route.h)		-> new ticket, comment, held comment,
 *							   delivery event, quarantine
 *	hold	how well the sender is proven		-> a comment that agents see first
 *	run	commands of those who may give them	-> changes, or a transcript saying why not
 *
 * Whatever happens, the mail has a message row with its raw bytes and a decision that says why. */
#include <maildesk/mail/trim.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>

#include "intake_priv.h"
#include <maildesk/app/mail_head.h>
#include <maildesk/app/work_base.h>

#include <stdio.h>
#include <stdlib.h>
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

static int quarantine(struct intake *in, const char *cause, const char *detail, struct md_err *err)
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

static int too_large_note(const struct intake *in, const char **ret_body, struct md_err *err)
{
	if (!in->mail->too_large)
		return MD_OK;
	*ret_body = arena_printf(in->a,
				 "This mail of %lld bytes is larger than this desk takes in. "
				 "It is still in the mailbox.",
				 (long long)in->mail->size);
	return *ret_body ? MD_OK : out_of_memory(err);
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
	rc = too_large_note(in, &t.body, err);
	if (rc == MD_OK)
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
	rc = too_large_note(in, &m.body, err);
	if (rc == MD_OK && in->m->attachments.n == 0 && (in->n_lines || in->list.count) &&
	    (m.body[0] == '\0' || refused_alone(in)))
		return MD_OK; /* a mail of commands alone says nothing */
	if (rc == MD_OK)
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

/* Is it to be kept away from tickets, and why? What a person released is not. */
static int find_cause(struct intake *in, const char **ret_cause, const char **ret_detail,
		      struct md_err *err)
{
	bool flood = false;
	int rc = intake_screen(in, ret_cause, ret_detail, err);

	if (rc != MD_OK || *ret_cause || in->mail->released)
		return rc;
	rc = intake_is_flood(in, &flood, err);
	if (rc != MD_OK)
		return rc;
	*ret_detail = in->f.sender;
	if (flood)
		*ret_cause = "flood";
	else if (!in->f.user.id && strcmp(in->d->config->trust.unknown_sender, "quarantine") == 0)
		*ret_cause = "unknown_sender";
	return MD_OK;
}

static int act(struct intake *in, struct md_err *err)
{
	const char *cause, *detail = NULL;
	bool done = false;
	int rc;

	if (in->route.outcome == ROUTE_QUARANTINE) {
		rc = quarantine(in, in->route.cause, in->route.evidence, err);
		return rc == MD_OK ? intake_tell_tampered(in, err) : rc;
	}
	if (in->f.trust.auth == AUTH_FAIL && !in->mail->released &&
	    strcmp(in->d->config->trust.on_fail, "quarantine") == 0)
		return quarantine(in, "auth_failed", in->f.trust.evidence, err);
	if (in->route.outcome == ROUTE_DELIVERY_EVENT)
		return intake_note_delivery(in, err);
	rc = find_cause(in, &cause, &detail, err);
	if (rc != MD_OK || cause)
		return rc != MD_OK ? rc : quarantine(in, cause, detail, err);
	if (in->rules.discard && !in->mail->released) {
		in->result.outcome = "discarded";
		return intake_store_message(in, 0, err);
	}
	rc = intake_ensure_sender(in, err);
	if (rc == MD_OK)
		rc = intake_find_requester(in, err);
	if (rc == MD_OK)
		rc = intake_confirm(in, &done, err);
	if (rc == MD_OK && !done)
		rc = intake_parse_commands(in, err);
	if (rc != MD_OK || done)
		return rc;
	if (intake_only_asks(in))
		return try_with_commands(in, answer_alone, err);
	return try_with_commands(in,
				 in->route.outcome == ROUTE_COMMENT ||
						 in->route.outcome == ROUTE_COMMENT_HELD
					 ? add_comment
					 : open_ticket,
				 err);
}

/* ---- deciding ---- */

static int find_route(struct intake *in, struct md_err *err)
{
	const struct route_input input = {
		.hits = in->f.hits,
		.hit_count = in->f.n_hits,
		.kind = (enum message_kind)in->m->kind,
		.is_forward = in->m->is_forward,
		.now_ms = in->by.now_ms,
		.reopen_window_ms = in->d->config->desk.reopen_window_ms,
	};

	return route_decide(&input, in->a, &in->route, err);
}

/* A person let it out of quarantine: what brought it there counts no more, and it proves little. A
 * tampered token is as good as none. */
static int decide_released(struct intake *in, struct md_err *err)
{
	struct intake_facts *f = &in->f;
	size_t kept = 0;
	int rc;

	if (!f->sender)
		return md_fail(err, MD_INPUT, 0,
			       "it names no sender who could be answered: delete it, or write a "
			       "ticket for it");
	for (size_t i = 0; i < f->n_hits; i++)
		if (f->hits[i].token != TOKEN_BAD)
			f->hits[kept++] = f->hits[i];
	f->n_hits = kept;
	if (f->trust.level > TRUST_CLAIMED)
		f->trust.level = TRUST_CLAIMED;
	rc = find_route(in, err);
	if (rc == MD_OK && in->route.outcome == ROUTE_QUARANTINE)
		in->route = (struct route_decision){ .outcome = ROUTE_NEW,
						     .rule = RULE_NONE,
						     .evidence = "released from quarantine" };
	return rc;
}

static int decide(struct intake *in, struct md_err *err)
{
	const struct desk *d = in->d;
	const char *evidence = NULL;
	const char *cause = route_screen(in->m, &d->own, d->id, &evidence);
	int rc;

	rc = intake_facts(in->d, in->c, in->a, in->mail, in->by.now_ms, &in->f, err);
	if (rc != MD_OK)
		return rc;
	if (in->mail->released)
		return decide_released(in, err);
	if (cause) {
		in->route = (struct route_decision){ .outcome = ROUTE_QUARANTINE,
						     .rule = RULE_SCREEN,
						     .cause = cause,
						     .evidence = evidence };
		return MD_OK;
	}
	rc = find_route(in, err);
	if (rc == MD_OK && in->cross_posted)
		in->route =
			(struct route_decision){ .outcome = ROUTE_NEW,
						 .rule = RULE_NONE,
						 .evidence = "each mailbox has its own ticket" };
	return rc;
}

static void set_actor(struct intake *in)
{
	in->by.actor = (struct policy_actor){ .user = in->f.user.id,
					      .role = ROLE_CUSTOMER,
					      .level = in->f.trust.level,
					      .source = SOURCE_MAIL };
	in->by.mail = in->m;
	in->by.silent = in->mail->import;
	in->by.automatic = in->f.automatic;
	in->by.is_answer = in->f.n_hits > 0 || (in->m->subject && trim_is_reply(in->m->subject));
	in->by.no_answer = !in->f.by_own_list && !route_may_answer(in->m, &in->d->own);
}

static int take_new(struct intake *in, struct md_err *err)
{
	int rc = in->m ? decide(in, err) : MD_OK;

	if (rc != MD_OK)
		return rc;
	if (in->m)
		set_actor(in);
	if (in->mail->released)
		in->result.message = in->mail->released;
	else
		rc = message_new_id(in->c, &in->result.message, err);
	in->by.message = in->result.message;
	if (rc == MD_OK)
		rc = in->m ? act(in, err) : quarantine(in, in->mail->cause, in->mail->detail, err);
	in->result.plain =
		in->result.ticket && !in->n_lines && in->route.outcome != ROUTE_DELIVERY_EVENT;
	if (rc == MD_OK && in->m)
		rc = intake_spend_token(in, err);
	if (rc == MD_OK)
		rc = intake_write_decision(in, err);
	return rc;
}

/* Where each mailbox has its own ticket, what opened one at another mailbox is new here: then
 * MD_NOTFOUND, and its identity is that of this mailbox. */
static int find_cross_post(struct intake *in, struct message_row *first, struct md_err *err)
{
	struct decision d;
	int rc;

	if (strcmp(in->d->config->desk.cross_post, "each") != 0 ||
	    first->mailbox_id == in->mail->mailbox)
		return MD_OK;
	rc = decision_get(in->c, first->id, in->a, &d, err);
	if (rc != MD_OK || strcmp(d.outcome, "ticket_created") != 0)
		return rc == MD_NOTFOUND ? MD_OK : rc;
	in->identity = arena_printf(in->a, "%s.%lld", in->identity, (long long)in->mail->mailbox);
	if (!in->identity)
		return out_of_memory(err);
	in->cross_posted = true;
	return message_find(in->c, in->identity, in->message_id, in->a, first, err);
}

static int take(struct desk *d, struct db_conn *c, struct arena *a, const struct intake_mail *mail,
		struct intake_result *ret, struct md_err *err)
{
	struct intake in = { .d = d, .c = c, .a = a, .mail = mail, .m = mail->message };
	struct message_row first;
	int rc;

	in.identity = in.m ? in.m->identity : mail->blob->sha256;

	in.by = (struct work_by){ .desk = d, .channel = "mail", .now_ms = clock_wall(d->clock) };
	in.message_id = in.m && in.m->message_id
				? in.m->message_id
				: arena_printf(a, "%.40s@message-id.invalid", in.identity);
	if (!in.message_id)
		return out_of_memory(err);
	rc = mail->released || mail->fresh
		     ? MD_NOTFOUND
		     : message_find(c, in.identity, in.message_id, a, &first, err);
	if (rc == MD_OK)
		rc = find_cross_post(&in, &first, err);
	if (rc == MD_OK)
		rc = intake_note_duplicate(&in, &first, err);
	else if (rc == MD_NOTFOUND)
		rc = take_new(&in, err);
	if (rc == MD_OK && mail->uid) /* it is spent, whatever the mail became */
		rc = uid_done(c, mail->mailbox, mail->uidvalidity, mail->uid, err);
	if (rc == MD_OK)
		*ret = in.result;
	return rc;
}

struct taking {
	struct desk *d;
	struct arena *a;
	struct intake_mail mail;
	struct intake_result result;
};

static int take_part(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct taking *t = ctx;

	arena_reset(t->a);
	return take(t->d, c, t->a, &t->mail, &t->result, err);
}

bool intake_is_its_own(int rc)
{
	return rc != MD_OK && rc != MD_AGAIN && rc != MD_BROKEN && rc != MD_UNKNOWN;
}

int intake_take(struct desk *d, struct db_conn *c, struct arena *a, const struct intake_mail *mail,
		struct intake_result *ret, struct md_err *err)
{
	struct taking t = { .d = d, .a = a, .mail = *mail };
	struct md_err why = { 0 };
	int rc = mail->hopeful ? take_part(c, &t, &why) : db_savepoint(c, take_part, &t, &why);

	/* What fails for a reason of the mail's own, be it only its size, would fail for ever: it
	 * is kept for a person, and those behind it go on. Out of memory in earnest fails again
	 * here. */
	if (intake_is_its_own(rc) && !mail->hopeful && !mail->cause && !mail->released) {
		t.mail.message = NULL;
		t.mail.cause = "database_rejected";
		t.mail.detail = why.text;
		rc = db_savepoint(c, take_part, &t, err);
	} else if (rc != MD_OK && err) {
		*err = why;
	}
	if (rc == MD_OK)
		*ret = t.result;
	return rc;
}

/* One-time confirmations: a mail that proves too little for what it wants is held, and its sender
 * is asked by a mail to the address they are registered with. Answering that one, from that
 * address, within an hour, is the missing proof; then the held mail runs as if it had come with it.
 *
 * Nothing of the answer itself is used. Whoever answers second, or is not the one who was asked,
 * has said nothing; who answers too late is told so. */
#include <maildesk/store/messages.h>
#include <maildesk/store/proofs.h>

#include "intake_priv.h"
#include <maildesk/app/work_base.h>

#include <string.h>

enum { HOUR_MS = 3600000, LINE_MAX_BYTES = 2000 };

/* ---- asking ---- */

/* A command as it is asked about. Words of a mail that may be forged are not sent on: then its verb
 * and the tickets it is about have to do. */
static const char *asked_line(const struct intake *in, const struct command *cmd)
{
	md_auto(buf_done) struct buf line = BUF_INIT(LINE_MAX_BYTES);

	if (in->f.trust.level >= TRUST_VERIFIED)
		return cmd->line;
	buf_addf(&line, "#%s", cmd->row->name);
	for (size_t i = 0; i < cmd->number_count; i++)
		buf_addf(&line, " #%lld", (long long)cmd->numbers[i]);
	return arena_strdup(in->a, buf_str(&line));
}

/* Of several tickets, which. */
static const char *asked_tickets(const struct intake *in, const struct command_list *list)
{
	md_auto(buf_done) struct buf line = BUF_INIT(LINE_MAX_BYTES);

	buf_adds(&line, "#on");
	for (size_t i = 0; i < list->ticket_count; i++)
		buf_addf(&line, " #%lld", (long long)list->tickets[i]);
	return arena_strdup(in->a, buf_str(&line));
}

static int describe_held(struct intake *in, struct work *w, struct md_err *err)
{
	const struct command_input input = intake_command_input(in);
	struct command_list list;
	int rc = command_parse(&input, in->a, &list, err);

	if (rc != MD_OK)
		return rc;
	w->n_lines = 0;
	w->lines = arena_array(in->a, list.count + 2, sizeof *w->lines);
	if (w->lines && list.ticket_count > 1)
		w->lines[w->n_lines++] = (struct work_line){ .line = asked_tickets(in, &list) };
	for (size_t i = 0; w->lines && i < list.count; i++)
		w->lines[w->n_lines++] =
			(struct work_line){ .line = asked_line(in, &list.commands[i]) };
	if (w->lines && list.body[0] && list.comment == COMMENT_BY_DEFAULT)
		w->lines[w->n_lines++] = (struct work_line){ .line = "#reply" };
	return w->lines && !in->a->failed ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int ask_confirmation(struct work *w, int64_t comment, struct md_err *err)
{
	const struct confirmation f = { .message_id = w->by->message,
					.ticket_id = w->ticket.id,
					.comment_id = comment,
					.user_id = w->by->user.id,
					.expires_at = w->by->now_ms + HOUR_MS };
	int64_t id = 0;
	int rc = confirmation_add(w->c, &f, &id, err);

	w->touched = true; /* another version, another Message-ID */
	if (rc == MD_OK)
		rc = work_event(w, "confirmation", 0, NULL, err);
	if (rc == MD_OK)
		w->events[w->n_events - 1].confirmation = id;
	return rc;
}

int intake_ask_confirmation(struct intake *in, struct work *w, int64_t comment, struct md_err *err)
{
	int rc = describe_held(in, w, err);

	return rc == MD_OK ? ask_confirmation(w, comment, err) : rc;
}

/* ---- answering ---- */

/* The held mail again, as much of it as its comment has kept. */
struct held {
	struct intake in;
	struct message m;
	struct intake_mail mail;
	struct message_row row;
	struct comment comment;
};

static int load_held(struct intake *in, const struct confirmation *f, struct held *h,
		     struct md_err *err)
{
	int rc = message_get(in->c, f->message_id, in->a, &h->row, err);

	h->comment = (struct comment){ .body = "" };
	if (rc == MD_OK && f->comment_id) /* a mail of commands alone has none */
		rc = comment_get(in->c, f->comment_id, in->a, &h->comment, err);
	if (rc != MD_OK)
		return rc;
	h->m = (struct message){ .message_id = h->row.message_id,
				 .subject = h->row.subject,
				 .text = h->comment.body_full ? h->comment.body_full
							      : h->comment.body,
				 .reply_text = h->comment.body,
				 .from_is_plain = true,
				 .from_readable = true };
	h->mail = (struct intake_mail){ .mailbox = h->row.mailbox_id, .message = &h->m };
	h->in = (struct intake){ .d = in->d,
				 .c = in->c,
				 .a = in->a,
				 .m = &h->m,
				 .mail = &h->mail,
				 .f = in->f,
				 .by = in->by,
				 .message_id = h->row.message_id,
				 .stored = true };
	h->in.f.m = &h->m;
	h->in.f.n_hits = 0;
	h->in.f.proof = (struct token){ 0 };
	h->in.f.proof_ran = false;
	h->in.f.trust.level = TRUST_CONFIRMED;
	h->in.f.trust.evidence = evidence_of(EVIDENCE_CONFIRMED, NULL);
	h->in.by.actor.level = TRUST_CONFIRMED;
	h->in.by.mail = &h->m;
	h->in.by.message = h->in.result.message = f->message_id;
	h->in.route = (struct route_decision){ .outcome = ROUTE_COMMENT, .ticket = f->ticket_id };
	return MD_OK;
}

/* What was held is filed anew; its first form goes, its files move. */
static int replace_comment(struct held *h, struct md_err *err)
{
	struct intake *in = &h->in;
	struct comment old = h->comment;
	int rc = MD_OK;

	if (!old.held)
		return MD_OK; /* it opened the ticket and stays */
	if (in->result.comment)
		rc = attachment_move(in->c, old.id, in->result.comment, err);
	old.deleted_at = in->by.now_ms;
	return rc == MD_OK ? comment_save(in->c, &old, err) : rc;
}

static int run_held(struct held *h, struct md_err *err)
{
	struct intake *in = &h->in;
	int rc = intake_parse_commands(in, err);

	/* Without words of its own, or with those that opened the ticket, only its commands run. */
	if (rc == MD_OK && !h->comment.held) {
		in->list.body = "";
		h->m.reply_text = "";
	}
	if (rc == MD_OK)
		rc = intake_add_comment(in, err);
	return rc == MD_OK ? replace_comment(h, err) : rc;
}

static int tell_expired(struct intake *in, int64_t ticket, struct md_err *err)
{
	struct work w;
	int rc = work_load(&in->by, in->c, in->a, ticket, &w, err);

	w.touched = true;
	if (rc == MD_OK)
		rc = work_event(&w, "confirmation_expired", 0, NULL, err);
	return rc == MD_OK ? work_save(&w, err) : rc;
}

/* Only the registered address of whoever was asked answers; a machine's answer is none. */
static bool may_answer(const struct intake *in, const struct confirmation *f)
{
	return in->f.user.id == f->user_id && !in->f.user.disabled_at && in->f.sender &&
	       strcmp(in->f.sender, in->f.user.email) == 0 && !in->f.automatic &&
	       in->f.trust.level >= TRUST_CLAIMED && !in->mail->released;
}

int intake_confirm(struct intake *in, bool *ret_done, struct md_err *err)
{
	struct confirmation f;
	struct held h;
	int rc = in->f.confirmation ? confirmation_get(in->c, in->f.confirmation, in->a, &f, err)
				    : MD_NOTFOUND;

	*ret_done = false;
	if (rc == MD_NOTFOUND || (rc == MD_OK && !may_answer(in, &f)))
		return MD_OK;
	if (rc != MD_OK)
		return rc;
	*ret_done = true;
	in->route.rule = RULE_ADDRESS;
	in->result.ticket = f.ticket_id;
	in->result.outcome = "commands_run";
	if (rc == MD_OK)
		rc = intake_store_message(in, f.ticket_id, err);
	if (rc != MD_OK || f.used_at) {
		in->route.evidence = evidence_of(EVIDENCE_CONFIRMED_BEFORE, NULL);
		return rc;
	}
	rc = confirmation_use(in->c, f.id, in->by.now_ms, err);
	if (rc == MD_OK && in->by.now_ms > f.expires_at) {
		in->route.evidence = evidence_of(EVIDENCE_CONFIRM_LATE, NULL);
		return tell_expired(in, f.ticket_id, err);
	}
	in->route.evidence = evidence_of(EVIDENCE_CONFIRMS,
					 arena_printf(in->a, "%lld", (long long)f.message_id));
	if (rc == MD_OK)
		rc = load_held(in, &f, &h, err);
	if (rc == MD_OK)
		rc = run_held(&h, err);
	if (rc != MD_OK)
		return rc;
	in->lines = h.in.lines;
	in->n_lines = h.in.n_lines;
	memcpy(in->sla_effects, h.in.sla_effects, sizeof in->sla_effects);
	in->result.comment = h.in.result.comment;
	in->result.outcome = h.in.result.outcome;
	return MD_OK;
}

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

#include "intake_priv.h"

#include <string.h>

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
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
		rc = intake_quarantine(in, in->route.cause,
				       evidence_text(&in->route.evidence, in->a), err);
		return rc == MD_OK ? intake_tell_tampered(in, err) : rc;
	}
	if (in->f.trust.auth == AUTH_FAIL && !in->mail->released &&
	    strcmp(in->d->config->trust.on_fail, "quarantine") == 0)
		return intake_quarantine(in, "auth_failed",
					 evidence_text(&in->f.trust.evidence, in->a), err);
	if (in->route.outcome == ROUTE_DELIVERY_EVENT)
		return intake_note_delivery(in, err);
	rc = find_cause(in, &cause, &detail, err);
	if (rc != MD_OK || cause)
		return rc != MD_OK ? rc : intake_quarantine(in, cause, detail, err);
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
	return intake_file(in, err);
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
		in->route =
			(struct route_decision){ .outcome = ROUTE_NEW,
						 .rule = RULE_NONE,
						 .evidence = evidence_of(EVIDENCE_RELEASED, NULL) };
	return rc;
}

static int decide(struct intake *in, struct md_err *err)
{
	const struct desk *d = in->d;
	enum evidence_code evidence = EVIDENCE_NONE;
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
						     .evidence = evidence_of(evidence, NULL) };
		return MD_OK;
	}
	rc = find_route(in, err);
	if (rc == MD_OK && in->cross_posted)
		in->route = (struct route_decision){ .outcome = ROUTE_NEW,
						     .rule = RULE_NONE,
						     .evidence = evidence_of(EVIDENCE_CROSS_POSTED,
									     NULL) };
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
		rc = in->m ? act(in, err)
			   : intake_quarantine(in, in->mail->cause, in->mail->detail, err);
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

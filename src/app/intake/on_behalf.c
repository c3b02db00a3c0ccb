/* Tickets that are not simply their sender's: a customer's mail that an agent passes on is the
 * customer's; a code that another service sent is for agents' eyes; and what a ticket remembers of
 * how it came. */
#include <maildesk/base/utf8.h>
#include <maildesk/desk/harvest.h>
#include <maildesk/mail/compose.h>
#include <maildesk/mail/trim.h>

#include "intake_priv.h"
#include <maildesk/app/work_base.h>

#include <string.h>

/* Agents pass on what customers wrote to them; customers do not speak for others. */
static bool is_passed_on(const struct intake *in)
{
	const char *from = in->m->forwarded_from.address;

	return in->m->is_forward && in->f.is_staff && in->f.trust.level >= TRUST_VERIFIED &&
	       in->route.outcome == ROUTE_NEW && from && mail_address_valid(from) &&
	       !token_is_own_address(from, &in->d->own);
}

int intake_find_requester(struct intake *in, struct md_err *err)
{
	struct user u;
	int rc;

	if (!is_passed_on(in))
		return MD_OK;
	rc = intake_ensure_user(in, in->m->forwarded_from.address, in->m->forwarded_from.name, &u,
				err);
	/* A colleague's mail is the agent's own matter. */
	if (rc == MD_OK && strcmp(u.role, "customer") == 0)
		in->requester = u.id;
	return rc;
}

/* The old mail without the marks of a quote around it. */
static const char *forwarded_text(const struct intake *in)
{
	const char *text = in->m->text + in->m->forwarded_below;
	md_auto(buf_done) struct buf out = BUF_INIT(strlen(text) + 1);

	text += strspn(text, "\n");
	if (*text != '>')
		return text;
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		size_t skip = line[0] != '>' ? 0 : line[1] == ' ' ? 2 : 1;

		buf_add(&out, line + (skip < n ? skip : n), n - (skip < n ? skip : n));
		buf_addc(&out, '\n');
		line += n + (line[n] == '\n');
	}
	return arena_strdup(in->a, buf_str(&out));
}

void intake_set_forwarded(const struct intake *in, struct work_ticket *t)
{
	if (!in->requester)
		return;
	t->title = in->m->forwarded_subject && in->m->forwarded_subject[0]
			   ? in->m->forwarded_subject
			   : trim_subject(t->title ? t->title : "");
	t->body = forwarded_text(in);
	t->body_full = NULL; /* what the agent wrote above it is not the customer's to read */
	t->body_html = NULL;
	t->echo = true; /* an agent knows whom it is about */
}

bool intake_is_secret(const struct intake *in)
{
	return in->route.outcome != ROUTE_COMMENT && (in->m->no_answer || in->f.automatic) &&
	       harvest_is_secret(in->m->subject, in->m->text);
}

/* What the agent wrote above the mail they passed on. */
static int note_own_words(struct intake *in, struct work *w, struct md_err *err)
{
	bool commands = in->commands && !in->refused;
	const char *words = commands ? in->list.body : in->m->text;
	size_t n = strlen(words), above = (size_t)in->m->forwarded_above;
	struct work_comment note = { .is_internal = true };
	int64_t id;

	/* The new text of a forward is what stands above it; when there is nothing, all of it. */
	if (above == 0)
		return MD_OK;
	note.body = arena_strndup(in->a, words, commands || n < above ? n : above);
	if (!note.body)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return note.body[0] ? work_comment(w, &note, &id, err) : MD_OK;
}

/* The address of the mailbox that the mail was sent to, when it is not the main one and answers may
 * come from it. */
static int remember_alias(struct intake *in, struct work *w, struct md_err *err)
{
	const struct conf_mailbox *conf = in->f.mailbox->conf;
	const struct rec_list *lists[] = { &in->m->to, &in->m->cc };

	for (size_t l = 0; l < MD_COUNT(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			const struct mail_address *to = lists[l]->v;

			for (size_t k = 0; k < conf->send_as.n; k++)
				if (token_same_mailbox(to[i].address, conf->send_as.v[k])) {
					w->ticket.alias = conf->send_as.v[k];
					return ticket_set_alias(in->c, w->ticket.id,
								w->ticket.alias, err);
				}
		}
	return MD_OK;
}

int intake_opened(struct intake *in, struct work *w, struct md_err *err)
{
	bool unproven = in->f.is_staff && !in->f.automatic && in->f.trust.level < TRUST_VERIFIED;
	int rc = remember_alias(in, w, err);

	if (rc == MD_OK && in->requester)
		rc = note_own_words(in, w, err);
	if (rc == MD_OK && in->f.trust.flagged)
		rc = work_history(w, "flagged", NULL, evidence_text(&in->f.trust.evidence, in->a),
				  false, err);
	if (rc == MD_OK && (in->confirm || unproven))
		rc = intake_ask_confirmation(in, w, in->result.comment, err);
	return rc;
}

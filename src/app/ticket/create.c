/* A new ticket with its first comment, whoever opens it. */
#include <maildesk/store/teams.h>

#include <maildesk/desk/words.h>

#include "ticket_priv.h"

#include <string.h>

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* Whoever opens a ticket for themselves alone is known: no need to ask who takes part. */
static int know_requester(struct work *w, struct md_err *err)
{
	const struct user *u = &w->by->user;

	w->participants = arena_array(w->arena, 1, sizeof *w->participants);
	if (!w->participants)
		return out_of_memory(err);
	w->participants[w->n_participants++] = (struct participant){
		.user_id = u->id,
		.role = "requester",
		.since_at = w->by->now_ms,
		.name = u->name,
		.email = u->email,
		.user_role = u->role,
		.locale = u->locale,
		.timezone = u->timezone,
		.epoch = u->epoch,
		.digest = u->digest,
		.disabled = u->disabled_at != 0,
		.undeliverable = u->undeliverable_at != 0,
	};
	return MD_OK;
}

static int insert_people(struct work *w, const struct work_ticket *t, struct md_err *err)
{
	int rc = participant_add(w->c, w->ticket.id, t->requester, "requester", w->by->now_ms, err);

	for (size_t i = 0; i < t->n_cc && rc == MD_OK; i++)
		if (t->cc[i] != t->requester)
			rc = participant_add(w->c, w->ticket.id, t->cc[i], "cc", w->by->now_ms,
					     err);
	if (rc == MD_OK && t->n_cc == 0 && t->requester == w->by->user.id)
		return know_requester(w, err);
	if (rc == MD_OK)
		rc = participant_list(w->c, w->ticket.id, w->arena, &w->participants,
				      &w->n_participants, err);
	return rc;
}

/* The description: the ticket's first comment, which is no reply to anybody. */
static int insert_description(struct work *w, const struct work_ticket *t, int64_t *ret_comment,
			      struct md_err *err)
{
	struct comment m = {
		.ticket_id = w->ticket.id,
		.author_id = w->by->user.id,
		.message_id = w->by->message,
		.is_internal = t->is_internal,
		.channel = w->by->channel,
		.body = t->body ? t->body : "",
		.body_full = t->body_full,
		.body_html = t->body_html,
		.created_at = w->by->now_ms,
	};

	return comment_insert(w->c, &m, ret_comment, err);
}

static int start_ticket(struct work *w, const struct work_ticket *t, int64_t *ret_comment,
			struct md_err *err)
{
	int rc = ticket_insert(w->c, &w->ticket, &w->ticket.id, err);

	if (rc == MD_OK && t->store_mail)
		rc = t->store_mail(t->mail, w->ticket.id, err);
	if (rc == MD_OK)
		rc = insert_people(w, t, err);
	if (rc == MD_OK)
		rc = insert_description(w, t, ret_comment, err);
	if (rc == MD_OK)
		rc = work_history(w, "created", NULL, w->ticket.title, true, err);
	if (rc == MD_OK)
		rc = work_event(w, "created", *ret_comment, t->body, err);
	return rc;
}

/* Of the mailbox, if there is one of that name. */
static int give_to_team(struct work *w, const char *name, struct md_err *err)
{
	struct team team;
	int rc = team_by_name(w->c, name, w->arena, &team, err);

	if (rc == MD_NOTFOUND)
		return MD_OK;
	return rc == MD_OK ? work_set_team(w, team.id, err) : rc;
}

int work_create(const struct work_by *by, struct db_conn *c, struct arena *a,
		const struct work_ticket *t, struct work *ret, int64_t *ret_comment,
		struct md_err *err)
{
	const struct desk_mailbox *mailbox = desk_mailbox(by->desk, t->mailbox);
	struct work w = { .by = by,
			  .c = c,
			  .arena = a,
			  .created = true,
			  .echo = t->echo,
			  .too_large = t->too_large };
	struct work_change more = WORK_CHANGE_NONE;
	struct user requester = by->user;
	int rc;

	if (policy_may(&by->actor, ACTION_CREATE_TICKET, NULL) != POLICY_YES ||
	    (t->requester != by->user.id &&
	     policy_may(&by->actor, ACTION_CREATE_FOR_OTHERS, NULL) != POLICY_YES))
		return work_refuse(err, MD_REFUSED, WORK_FORBIDDEN,
				   "not allowed to open a ticket for somebody else");
	rc = t->requester == by->user.id ? MD_OK : user_get(c, t->requester, a, &requester, err);
	if (rc != MD_OK)
		return rc;
	w.ticket = (struct ticket){
		.title = work_clean_title(a, t->title),
		.status = by->desk->workflow->statuses[0].name,
		.priority = t->priority,
		.category = t->category && t->category[0] ? t->category : NULL,
		.requester_id = t->requester,
		.created_by = by->user.id,
		.organisation_id = requester.organisation_id,
		.mailbox_id = t->mailbox,
		.channel = by->channel,
		.created_at = by->now_ms,
		.updated_at = by->now_ms,
		.version = 1,
	};
	if (!w.ticket.title)
		return out_of_memory(err);
	if (!w.ticket.title[0])
		w.ticket.title = words_no_subject(
			words_choose((const char *[]){ mailbox ? mailbox->conf->locale
							       : by->desk->config->desk.locale },
				     1));
	w.mailbox = mailbox ? mailbox->conf->title : NULL;
	if (t->category)
		rc = work_check_category(&w, t->category, err);
	if (rc == MD_OK)
		rc = start_ticket(&w, t, ret_comment, err);
	if (rc != MD_OK)
		return rc;
	w.before = w.ticket;
	work_see(&w);
	more.set_assignee = t->assignee != 0;
	more.assignee = t->assignee;
	more.add_tags = t->tags;
	more.opens = true;
	rc = work_change(&w, &more, err);
	if (rc == MD_OK && mailbox && *mailbox->conf->team)
		rc = give_to_team(&w, mailbox->conf->team, err);
	if (rc == MD_OK)
		rc = work_assign_by_desk(&w, err);
	if (rc == MD_OK)
		*ret = w;
	return rc;
}

/* What is said on a ticket, and what follows from who said it. */
#include "ticket_priv.h"

#include <maildesk/store/outbox.h>

#include <string.h>

/* Who wrote in public, for clocks and timestamps; what a robot wrote counts for nothing. */
int work_note_author(struct work *w, struct md_err *err)
{
	int64_t now_ms = w->happened_ms ? w->happened_ms : w->by->now_ms;
	const char *to;
	int rc;

	if (w->by->automatic)
		return MD_OK;
	/* An agent who asked is the one who waits. */
	if ((w->who & WHO_STAFF) && !(w->who & WHO_REQUESTER)) {
		w->agent_replied = true;
		if (!w->ticket.first_response_at)
			w->ticket.first_response_at = now_ms;
		return w->by->desk->config->desk.take_by_reply && !w->ticket.assignee_id
			       ? work_set_assignee(w, w->by->user.id, false, err)
			       : MD_OK;
	}
	w->customer_wrote = true;
	if (w->ticket.snoozed_until && (rc = work_wake(w, err)) != MD_OK)
		return rc;
	/* "[close] Thank you!": where the writer put it, it stays. */
	if (strcmp(w->ticket.status, w->before.status) != 0)
		return MD_OK;
	if (w->ticket.closed_at &&
	    now_ms - w->ticket.closed_at > w->by->desk->config->desk.reopen_window_ms)
		return MD_OK;
	to = workflow_by_itself(w->by->desk->workflow, w->ticket.status, TRIGGER_CUSTOMER_REPLY,
				w->ticket.assignee_id != 0);
	return to ? work_move(w, to, err) : MD_OK;
}

int work_comment(struct work *w, const struct work_comment *m, int64_t *ret_comment,
		 struct md_err *err)
{
	bool is_public = !m->is_internal;
	struct comment row = {
		/* Said while merging: it goes where everything went. */
		.ticket_id = w->ticket.merged_into ? w->ticket.merged_into : w->ticket.id,
		.origin_id = w->ticket.merged_into ? w->ticket.id : 0,
		.author_id = w->by->user.id,
		.message_id = w->by->message,
		.is_internal = m->is_internal,
		.held = m->held,
		.channel = w->by->channel,
		.body = m->body,
		.body_full = m->body_full,
		.body_html = m->body_html,
		.created_at = w->by->now_ms,
	};
	int rc = MD_OK;

	/* What is held, or written by a robot, is filed by the desk and seen by agents alone. */
	if (!m->held && !w->by->automatic)
		rc = work_ask(w, is_public ? ACTION_COMMENT_PUBLIC : ACTION_COMMENT_INTERNAL, err);
	if (rc == MD_OK && (w->before.merged_into || w->before.deleted_at))
		rc = work_refuse(err, MD_CONFLICT, WORK_READ_ONLY,
				 "this ticket was merged or deleted");
	if (rc == MD_OK)
		rc = comment_insert(w->c, &row, ret_comment, err);
	if (rc == MD_OK)
		rc = work_history(w, "commented", NULL,
				  m->held     ? m->held
				  : is_public ? "public"
					      : "internal",
				  is_public, err);
	if (rc == MD_OK)
		rc = work_announce(w, "comment.created", *ret_comment, !is_public || m->held, err);
	if (rc == MD_OK && !w->by->automatic)
		rc = work_event(w, is_public ? "public_reply" : "internal_note", *ret_comment,
				m->body, err);
	if (rc == MD_OK && is_public)
		rc = work_note_author(w, err);
	w->touched = true;
	return rc;
}

/* A comment of a ticket that the actor may see, for changing it. */
static int find_comment(struct work *w, int64_t comment, enum policy_action action,
			struct comment *ret, struct md_err *err)
{
	int rc = comment_get(w->c, comment, w->arena, ret, err);

	if (rc == MD_NOTFOUND ||
	    (rc == MD_OK && (ret->deleted_at || ret->ticket_id != w->ticket.id)))
		return work_refuse(err, MD_NOTFOUND, WORK_INVISIBLE, "no such comment");
	if (rc != MD_OK)
		return rc;
	if (ret->is_internal && work_ask(w, ACTION_READ_INTERNAL, NULL) != MD_OK)
		return work_refuse(err, MD_NOTFOUND, WORK_INVISIBLE, "no such comment");
	w->facts.is_author = ret->author_id && ret->author_id == w->by->user.id;
	rc = work_ask(w, action, err);
	w->facts.is_author = false;
	return rc;
}

int work_comment_edit(struct work *w, int64_t comment, const char *body, struct md_err *err)
{
	struct comment m;
	int rc = find_comment(w, comment, ACTION_EDIT_COMMENT, &m, err);

	/* The old text is for agents only, whoever may read the comment. */
	if (rc == MD_OK)
		rc = work_history(w, "comment_edited", m.body, body, false, err);
	if (rc != MD_OK)
		return rc;
	m.body = body;
	m.body_full = NULL;
	m.body_html = NULL;
	m.edited_at = w->by->now_ms;
	w->touched = true;
	rc = work_outbox_edit(w, comment, body, err);
	if (rc == MD_OK)
		rc = work_announce(w, "comment.updated", comment, m.is_internal, err);
	return rc == MD_OK ? comment_save(w->c, &m, err) : rc;
}

int work_comment_delete(struct work *w, int64_t comment, struct md_err *err)
{
	struct comment m;
	int rc = find_comment(w, comment, ACTION_DELETE_COMMENT, &m, err);

	if (rc == MD_OK)
		rc = work_history(w, "comment_deleted", m.body, NULL, false, err);
	if (rc != MD_OK)
		return rc;
	m.deleted_at = w->by->now_ms;
	w->touched = true;
	rc = outbox_cancel_comment(w->c, w->ticket.id, comment, w->by->now_ms, err);
	if (rc == MD_OK)
		rc = work_announce(w, "comment.deleted", comment, m.is_internal, err);
	return rc == MD_OK ? comment_save(w->c, &m, err) : rc;
}

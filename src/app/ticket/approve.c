/* What was held is let through: as if it had been public when it came, seen by those who are on the
 * ticket now. The author does it, in a piece of work of their own; the approver only lets them. */
#include <maildesk/desk/command.h>
#include <maildesk/store/messages.h>

#include "ticket_priv.h"

#include <string.h>

/* What an agent's mail was: its commands are not run any more, and not the customer's to read, and
 * what was meant as a note stays one. It is read by the configuration of today, like all that
 * becomes of it; where something is no command, or none any more, it stays as it is, and a note, as
 * it would have been when it came. */
static int take_as_meant(struct work *w, struct comment *m, struct md_err *err)
{
	const struct desk *d = w->by->desk;
	struct command_input input = {
		.text = m->body,
		.tag_format = d->config->desk.subject_tag,
		.mode = command_subjects_from_name(d->config->desk.subject_commands),
		.is_staff = true,
		.fields = work_field_names(d, w->arena),
	};
	struct message_row mail = { 0 };
	struct command_list list;
	int rc = MD_OK;

	m->is_internal = false;
	if (!m->message_id || !m->author_role || strcmp(m->author_role, "customer") == 0)
		return MD_OK;
	rc = message_get(w->c, m->message_id, w->arena, &mail, err);
	input.subject = mail.subject;
	if (rc == MD_OK)
		rc = command_parse(&input, w->arena, &list, err);
	if (rc != MD_OK)
		return rc;
	m->is_internal =
		list.comment == COMMENT_NOTE || list.refusal_count || (m->body[0] && !list.body[0]);
	if (!list.refusal_count && list.body[0] && strcmp(list.body, m->body) != 0) {
		m->body_full = m->body_full ? m->body_full : m->body;
		m->body = list.body;
	}
	return MD_OK;
}

/* The author's part: status, clocks by the time of the comment, mails. */
static int let_through(struct work *w, const struct comment *m, struct md_err *err)
{
	struct work_by by = {
		.desk = w->by->desk,
		.actor = { .user = m->author_id, .level = 3, .source = SOURCE_MAIL },
		.channel = m->channel,
		.now_ms = w->by->now_ms,
		.message = m->message_id,
	};
	struct work a;
	int rc = user_get(w->c, m->author_id, w->arena, &by.user, err);

	if (rc != MD_OK)
		return rc;
	/* Who left the desk speaks for it no more. */
	if (by.user.disabled_at)
		by.user.role = "customer";
	by.actor.role = role_from_name(by.user.role);
	rc = work_load(&by, w->c, w->arena, w->ticket.id, &a, err);
	if (rc != MD_OK)
		return rc;
	a.happened_ms = m->created_at;
	a.touched = true;
	rc = work_event(&a, m->is_internal ? "internal_note" : "public_reply", m->id, m->body, err);
	if (rc == MD_OK)
		a.events[a.n_events - 1].markdown = strcmp(m->channel, "mail") != 0;
	if (rc == MD_OK && !m->is_internal)
		rc = work_note_author(&a, err);
	return rc == MD_OK ? work_save(&a, err) : rc;
}

int work_approve(struct work *w, int64_t comment, struct md_err *err)
{
	struct comment m;
	int rc = work_ask(w, ACTION_APPROVE_COMMENT, err);

	if (rc == MD_OK)
		rc = comment_get(w->c, comment, w->arena, &m, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && (m.deleted_at || m.ticket_id != w->ticket.id)))
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "this ticket has no such comment");
	if (rc == MD_OK && !m.held)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "this comment is not held");
	if (rc == MD_OK)
		rc = take_as_meant(w, &m, err);
	if (rc == MD_OK)
		rc = work_record(w,
				 &(struct work_fact){ .action = "comment_approved",
						      .old_value = m.held,
						      .new_value =
							      m.is_internal ? "internal" : "public",
						      .new_number = comment },
				 err);
	if (rc != MD_OK)
		return rc;
	m.held = NULL;
	w->touched = true;
	rc = comment_save(w->c, &m, err);
	if (rc == MD_OK)
		rc = work_announce(w, "comment.updated", comment, m.is_internal, err);
	if (rc == MD_OK)
		rc = work_again(w, err);
	if (rc == MD_OK && m.author_id)
		rc = let_through(w, &m, err);
	return rc == MD_OK ? work_again(w, err) : rc;
}

int work_approve_person(struct work *w, int64_t user, struct md_err *err)
{
	struct participant *all = NULL;
	struct comment *held = NULL;
	struct user u;
	bool waits = false, joined = false;
	size_t n = 0, n_held = 0;
	int rc = work_ask(w, ACTION_APPROVE_COMMENT, err);

	if (rc == MD_OK)
		rc = participant_list_all(w->c, w->ticket.id, w->arena, &all, &n, err);
	for (size_t i = 0; i < n; i++) {
		waits |= all[i].user_id == user && all[i].pending;
		joined |= all[i].user_id == user && !all[i].pending;
	}
	if (rc == MD_OK)
		rc = comment_held_by(w->c, w->ticket.id, user, w->arena, &held, &n_held, err);
	if (rc == MD_OK && !waits && !n_held)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "nothing of theirs waits on this ticket");
	if (rc == MD_OK && !joined)
		rc = user_get(w->c, user, w->arena, &u, err);
	if (rc == MD_OK && !joined)
		rc = work_join(w, &u, "cc", err);
	for (size_t i = 0; i < n_held && rc == MD_OK; i++)
		rc = work_approve(w, held[i].id, err);
	return rc;
}

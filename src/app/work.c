/* The unit of work: what is loaded, what may be done to it, what saving it means.
 *
 * A step changes w->ticket in memory and writes history and comments as it goes; work_save() writes
 * the ticket row (which fails if somebody else changed it), settles the clocks and queues the
 * mails. All of it is one transaction of the caller's, so a refusal half-way is undone by rolling
 * back. */
#include <maildesk/app/work.h>
#include <maildesk/base/utf8.h>

#include "work_priv.h"

#include <string.h>

enum { TITLE_CHARS = 500, TITLE_BYTES = 4 * TITLE_CHARS };

int work_refuse(struct md_err *err, enum md_code code, enum work_refusal why, const char *text)
{
	return md_fail(err, code, (int)why, "%s", text);
}

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* What policy and workflow look at; asked again whenever the ticket changed. */
static void see(struct work *w)
{
	const struct policy_actor *actor = &w->by->actor;

	w->facts = (struct policy_ticket){
		.requester = w->ticket.requester_id,
		.assignee = w->ticket.assignee_id,
		.is_new = strcmp(w->ticket.status, w->by->desk->workflow->statuses[0].name) == 0,
		.open_desk = strcmp(w->by->desk->config->desk.visibility, "open") == 0,
	};
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == actor->user)
			w->facts.is_participant = true;
	w->who = policy_who(actor, &w->facts);
}

int work_ask(struct work *w, enum policy_action action, struct md_err *err)
{
	switch (policy_may(&w->by->actor, action, &w->facts)) {
	case POLICY_YES:
		return MD_OK;
	case POLICY_LEVEL:
		return work_refuse(err, MD_REFUSED, WORK_LEVEL,
				   "this mail does not prove well enough who sent it");
	case POLICY_NO:
		return work_refuse(err, MD_REFUSED, WORK_FORBIDDEN, "not allowed to you");
	case POLICY_INVISIBLE:
		break;
	}
	return work_refuse(err, MD_NOTFOUND, WORK_INVISIBLE, "no such ticket");
}

int work_event(struct work *w, const char *event, int64_t comment, const char *body,
	       struct md_err *err)
{
	if (w->n_events == WORK_EVENTS_MAX)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "too many changes in one step");
	w->events[w->n_events++] =
		(struct work_event){ .event = event, .comment = comment, .body = body };
	return MD_OK;
}

int work_history(struct work *w, const char *action, const char *old_value, const char *new_value,
		 bool is_public, struct md_err *err)
{
	const struct work_by *by = w->by;
	struct history h = {
		.ticket_id = w->ticket.id,
		.actor_id = by->user.id,
		.action = action,
		.old_value = old_value,
		.new_value = new_value,
		.source = source_name(by->actor.source),
		.trust = by->actor.source == SOURCE_MAIL ? by->actor.level : -1,
		.message_id = by->message,
		.is_public = is_public,
		.at = by->now_ms,
	};

	return history_add(w->c, &h, err);
}

/* ---- loading ---- */

int work_load(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
	      struct work *ret, struct md_err *err)
{
	struct work w = { .by = by, .c = c, .arena = a };
	const struct desk_mailbox *mailbox;
	int rc = ticket_get(c, ticket, a, &w.ticket, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && w.ticket.deleted_at))
		return work_refuse(err, MD_NOTFOUND, WORK_INVISIBLE, "no such ticket");
	if (rc == MD_OK)
		rc = participant_list(c, ticket, a, &w.participants, &w.n_participants, err);
	if (rc != MD_OK)
		return rc;
	w.before = w.ticket;
	mailbox = desk_mailbox(by->desk, w.ticket.mailbox_id);
	w.mailbox = mailbox ? mailbox->conf->title : NULL;
	see(&w);
	*ret = w;
	return MD_OK;
}

int work_open(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
	      struct work *ret, struct md_err *err)
{
	struct work w;
	int rc = work_load(by, c, a, ticket, &w, err);

	if (rc == MD_OK)
		rc = work_ask(&w, ACTION_READ_TICKET, err);
	if (rc == MD_OK)
		*ret = w;
	return rc;
}

/* ---- a new ticket ---- */

const char *work_clean_title(struct arena *a, const char *title)
{
	md_auto(buf_done) struct buf line = BUF_INIT(1 << 20);
	size_t n = 0, chars = 0;
	uint32_t cp;

	utf8_clean_line(&line, title ? title : "", title ? strlen(title) : 0);
	if (line.len == 0)
		return "";
	while (n < line.len && chars < TITLE_CHARS) {
		n += utf8_decode(line.data + n, line.len - n, &cp);
		chars++;
	}
	return arena_strndup(a, line.data, n);
}

static int insert_people(struct work *w, const struct work_ticket *t, struct md_err *err)
{
	int rc = participant_put(w->c, w->ticket.id, t->requester, "requester", w->by->now_ms, err);

	for (size_t i = 0; i < t->n_cc && rc == MD_OK; i++)
		if (t->cc[i] != t->requester)
			rc = participant_put(w->c, w->ticket.id, t->cc[i], "cc", w->by->now_ms,
					     err);
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
		.channel = w->by->channel,
		.body = t->body ? t->body : "",
		.body_full = t->body_full,
		.created_at = w->by->now_ms,
	};

	return comment_insert(w->c, &m, ret_comment, err);
}

static int start_ticket(struct work *w, const struct work_ticket *t, int64_t *ret_comment,
			struct md_err *err)
{
	int rc = ticket_insert(w->c, &w->ticket, &w->ticket.id, err);

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

int work_create(const struct work_by *by, struct db_conn *c, struct arena *a,
		const struct work_ticket *t, struct work *ret, int64_t *ret_comment,
		struct md_err *err)
{
	const struct desk_mailbox *mailbox = desk_mailbox(by->desk, t->mailbox);
	struct work w = { .by = by, .c = c, .arena = a, .created = true, .echo = t->echo };
	struct work_change more = WORK_CHANGE_NONE;
	int rc;

	if (policy_may(&by->actor, ACTION_CREATE_TICKET, NULL) != POLICY_YES ||
	    (t->requester != by->user.id &&
	     policy_may(&by->actor, ACTION_CREATE_FOR_OTHERS, NULL) != POLICY_YES))
		return work_refuse(err, MD_REFUSED, WORK_FORBIDDEN,
				   "not allowed to open a ticket for somebody else");
	w.ticket = (struct ticket){
		.title = work_clean_title(a, t->title),
		.status = by->desk->workflow->statuses[0].name,
		.priority = t->priority,
		.category = t->category,
		.requester_id = t->requester,
		.created_by = by->user.id,
		.mailbox_id = t->mailbox,
		.channel = by->channel,
		.created_at = by->now_ms,
		.updated_at = by->now_ms,
		.version = 1,
	};
	if (!w.ticket.title)
		return out_of_memory(err);
	if (!w.ticket.title[0])
		w.ticket.title = "(no subject)";
	w.mailbox = mailbox ? mailbox->conf->title : NULL;
	rc = start_ticket(&w, t, ret_comment, err);
	if (rc != MD_OK)
		return rc;
	w.before = w.ticket;
	see(&w);
	more.set_assignee = t->assignee != 0;
	more.assignee = t->assignee;
	more.add_tags = t->tags;
	rc = work_change(&w, &more, err);
	if (rc == MD_OK)
		*ret = w;
	return rc;
}

/* ---- comments ---- */

/* Who wrote in public, for clocks and timestamps; what a robot wrote counts for nothing. */
static int note_author(struct work *w, struct md_err *err)
{
	const char *to;

	if (w->by->automatic)
		return MD_OK;
	/* An agent who asked is the one who waits. */
	if ((w->who & WHO_STAFF) && !(w->who & WHO_REQUESTER)) {
		w->agent_replied = true;
		if (!w->ticket.first_response_at)
			w->ticket.first_response_at = w->by->now_ms;
		return MD_OK;
	}
	w->customer_wrote = true;
	/* "[close] Thank you!": where the writer put it, it stays. */
	if (strcmp(w->ticket.status, w->before.status) != 0)
		return MD_OK;
	if (w->ticket.closed_at &&
	    w->by->now_ms - w->ticket.closed_at > w->by->desk->config->desk.reopen_window_ms)
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
		.ticket_id = w->ticket.id,
		.author_id = w->by->user.id,
		.message_id = w->by->message,
		.is_internal = m->is_internal,
		.held = m->held,
		.channel = w->by->channel,
		.body = m->body,
		.body_full = m->body_full,
		.created_at = w->by->now_ms,
	};
	int rc = MD_OK;

	/* What is held, or written by a robot, is filed by the desk and seen by agents alone. */
	if (!m->held && !w->by->automatic)
		rc = work_ask(w, is_public ? ACTION_COMMENT_PUBLIC : ACTION_COMMENT_INTERNAL, err);
	if (rc == MD_OK && w->ticket.merged_into)
		rc = work_refuse(err, MD_CONFLICT, WORK_BAD_VALUE, "this ticket was merged");
	if (rc == MD_OK)
		rc = comment_insert(w->c, &row, ret_comment, err);
	if (rc == MD_OK)
		rc = work_history(w, "commented", NULL,
				  m->held     ? m->held
				  : is_public ? "public"
					      : "internal",
				  is_public, err);
	if (rc == MD_OK && !w->by->automatic)
		rc = work_event(w, is_public ? "public_reply" : "internal_note", *ret_comment,
				m->body, err);
	if (rc == MD_OK && is_public)
		rc = note_author(w, err);
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
	m.edited_at = w->by->now_ms;
	w->touched = true;
	return comment_save(w->c, &m, err);
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
	return comment_save(w->c, &m, err);
}

int work_participant(struct work *w, int64_t user, const char *role, struct md_err *err)
{
	int rc = work_ask(w, ACTION_ADD_PARTICIPANT, err);

	for (size_t i = 0; i < w->n_participants && rc == MD_OK; i++)
		if (w->participants[i].user_id == user)
			return MD_OK;
	if (rc == MD_OK)
		rc = participant_put(w->c, w->ticket.id, user, role, w->by->now_ms, err);
	if (rc == MD_OK)
		rc = participant_list(w->c, w->ticket.id, w->arena, &w->participants,
				      &w->n_participants, err);
	if (rc == MD_OK)
		rc = work_history(w, "participant_added", NULL, role, true, err);
	return rc;
}

/* ---- saving ---- */

int work_save(struct work *w, struct md_err *err)
{
	bool changed = memcmp(&w->ticket, &w->before, sizeof w->ticket) != 0 || w->touched;
	int rc = MD_OK;

	if (changed) {
		w->ticket.updated_at = w->by->now_ms;
		rc = ticket_save(w->c, &w->ticket, err);
		w->ticket.version++;
	}
	if (rc == MD_OK)
		rc = work_settle_clocks(w, err);
	if (rc == MD_OK)
		rc = work_queue_notices(w, err);
	return rc;
}

void work_done(struct desk *d)
{
	desk_wake(d, DESK_SENDER);
	desk_wake(d, DESK_TIMERS);
}

/* The unit of work: what is loaded, what may be done to it, what saving it means.
 *
 * A step changes w->ticket in memory and writes history and comments as it goes; work_save() writes
 * the ticket row (which fails if somebody else changed it), settles the clocks and queues the
 * mails. All of it is one transaction of the caller's, so a refusal half-way is undone by rolling
 * back. */
#include <maildesk/app/work.h>
#include <maildesk/base/utf8.h>

#include <maildesk/app/work_base.h>

#include <string.h>

enum { TITLE_CHARS = 500 };

static const char *const priority_names[CONF_PRIORITIES] = { "low", "medium", "high", "critical" };

const char *work_priority_name(int64_t priority)
{
	return priority_names[priority];
}

int64_t work_priority_from_name(const char *name)
{
	for (int i = 0; i < CONF_PRIORITIES; i++)
		if (strcmp(priority_names[i], name) == 0)
			return i;
	return -1;
}

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

int work_refuse(struct md_err *err, enum md_code code, enum work_refusal why, const char *text)
{
	return md_fail(err, code, (int)why, "%s", text);
}

void work_see(struct work *w)
{
	const struct policy_actor *actor = &w->by->actor;

	w->facts = (struct policy_ticket){
		.requester = w->ticket.requester_id,
		.assignee = w->ticket.assignee_id,
		.is_new = strcmp(w->ticket.status, w->by->desk->workflow->statuses[0].name) == 0,
		.open_desk = strcmp(w->by->desk->config->desk.visibility, "open") == 0,
		.is_shared = w->by->desk->config->desk.organisation_shared &&
			     w->by->user.organisation_id &&
			     w->by->user.organisation_id == w->ticket.organisation_id,
	};
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == actor->user)
			w->facts.is_participant = true;
	w->who = policy_who(actor, &w->facts);
}

/* A ticket that was merged or deleted before this step is read, and taken back, but not written. */
static int check_writable(const struct work *w, enum policy_action action, struct md_err *err)
{
	const struct ticket *t = &w->before;

	if ((!t->merged_into && !t->deleted_at) || action == ACTION_READ_TICKET ||
	    action == ACTION_READ_INTERNAL)
		return MD_OK;
	if (t->deleted_at)
		return work_refuse(err, MD_CONFLICT, WORK_READ_ONLY,
				   "this ticket is deleted; allowed: restore");
	return md_fail(err, MD_CONFLICT, WORK_READ_ONLY,
		       "this ticket was merged into #%lld; allowed: unmerge",
		       (long long)t->merged_into);
}

int work_ask_frozen(struct work *w, enum policy_action action, struct md_err *err)
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

int work_ask(struct work *w, enum policy_action action, struct md_err *err)
{
	int rc = work_ask_frozen(w, action, err);

	return rc == MD_OK ? check_writable(w, action, err) : rc;
}

int work_event(struct work *w, const char *event, int64_t comment, const char *body,
	       struct md_err *err)
{
	if (w->n_events == WORK_EVENTS_MAX)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "too many changes in one step");
	w->events[w->n_events++] =
		(struct work_event){ .event = event,
				     .comment = comment,
				     .body = body,
				     .markdown = strcmp(w->by->channel, "mail") != 0 };
	return MD_OK;
}

int work_record(struct work *w, const struct work_fact *fact, struct md_err *err)
{
	const struct work_by *by = w->by;
	struct history h = {
		.ticket_id = w->ticket.id,
		.actor_id = fact->by_itself ? 0 : by->user.id,
		.action = fact->action,
		.old_value = fact->old_value,
		.new_value = fact->new_value,
		.old_number = fact->old_number,
		.new_number = fact->new_number,
		.version = w->before.version,
		.source = source_name(by->actor.source),
		.trust = by->actor.source == SOURCE_MAIL ? by->actor.level : -1,
		.message_id = by->message,
		.is_public = fact->is_public,
		.at = by->now_ms,
	};

	return history_add(w->c, &h, err);
}

int work_history(struct work *w, const char *action, const char *old_value, const char *new_value,
		 bool is_public, struct md_err *err)
{
	return work_record(w,
			   &(struct work_fact){ .action = action,
						.old_value = old_value,
						.new_value = new_value,
						.is_public = is_public },
			   err);
}

/* ---- loading ---- */

int work_load_people(struct work *w, struct md_err *err)
{
	return participant_list(w->c, w->ticket.id, w->arena, &w->participants, &w->n_participants,
				err);
}

int work_other(struct work *w, int64_t id, struct work *ret, struct md_err *err)
{
	int rc = work_open(w->by, w->c, w->arena, id, ret, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && ret->ticket.deleted_at))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "there is no ticket #%lld",
			       (long long)id);
	return rc;
}

/* Written where it is wanted: with room for all its events it is too large to be copied about. */
static void work_begin(const struct work_by *by, struct db_conn *c, struct arena *a,
		       const struct ticket *t, struct work *ret)
{
	const struct desk_mailbox *mailbox = desk_mailbox(by->desk, t->mailbox_id);

	*ret = (struct work){ .by = by, .c = c, .arena = a, .ticket = *t, .before = *t };
	ret->mailbox = mailbox ? mailbox->conf->title : NULL;
}

static int no_ticket(struct md_err *err)
{
	return work_refuse(err, MD_NOTFOUND, WORK_INVISIBLE, "no such ticket");
}

/* Deleted ones are there for admins alone. */
static bool is_gone(const struct work_by *by, const struct ticket *t)
{
	return t->deleted_at && (by->actor.role != ROLE_ADMIN || !by->user.id);
}

int work_load(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
	      struct work *ret, struct md_err *err)
{
	struct ticket t;
	int rc = ticket_get(c, ticket, a, &t, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && is_gone(by, &t)))
		return no_ticket(err);
	if (rc != MD_OK)
		return rc;
	work_begin(by, c, a, &t, ret);
	rc = work_load_people(ret, err);
	if (rc == MD_OK)
		work_see(ret);
	return rc;
}

int work_open(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
	      struct work *ret, struct md_err *err)
{
	int rc = work_load(by, c, a, ticket, ret, err);

	return rc == MD_OK ? work_ask(ret, ACTION_READ_TICKET, err) : rc;
}

int work_open_row(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
		  struct ticket_row *ret_row, struct participants *ret_people, struct work *ret,
		  struct md_err *err)
{
	int rc = ticket_row_get(c, ticket, a, ret_row, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && is_gone(by, &ret_row->t)))
		return no_ticket(err);
	if (rc == MD_OK)
		rc = participant_list_all(c, ticket, a, &ret_people->v, &ret_people->n, err);
	if (rc != MD_OK)
		return rc;
	work_begin(by, c, a, &ret_row->t, ret);
	ret->participants = arena_array(a, ret_people->n, sizeof *ret->participants);
	if (!ret->participants)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < ret_people->n; i++)
		if (!ret_people->v[i].pending)
			ret->participants[ret->n_participants++] = ret_people->v[i];
	work_see(ret);
	return work_ask(ret, ACTION_READ_TICKET, err);
}

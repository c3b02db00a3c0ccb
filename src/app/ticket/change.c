/* Fields and status of a ticket: the one place where they change. */
#include "ticket_priv.h"

#include <maildesk/base/utf8.h>
#include <maildesk/store/tags.h>

#include <string.h>

enum { TAGS_MAX = 100 };

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* ---- status ---- */

static int schedule_kind(struct work *w, const char *kind, int64_t due_ms, bool wanted,
			 struct md_err *err)
{
	struct timer_row t = { .due_at = due_ms, .kind = kind, .ticket_id = w->ticket.id };
	int rc = timer_drop_kind(w->c, w->ticket.id, kind, err);

	return rc == MD_OK && wanted ? timer_add(w->c, &t, err) : rc;
}

/* Where the ticket goes by itself when its customer says no more; NULL: it stays. */
static const char *pending_end(const struct work *w)
{
	if (w->by->desk->config->desk.pending_close_ms == 0)
		return NULL;
	return workflow_by_itself(w->by->desk->workflow, w->ticket.status, TRIGGER_PENDING_CLOSE,
				  w->ticket.assignee_id != 0);
}

/* Moves to come: so long after it was resolved, or after the last word on one that waits for its
 * customer, of which a reminder comes first; none while it is merged or deleted. */
int work_schedule_moves(struct work *w, struct md_err *err)
{
	const struct workflow_status *status =
		workflow_status(w->by->desk->workflow, w->ticket.status);
	const struct conf_desk *desk = &w->by->desk->config->desk;
	bool alive = !w->ticket.merged_into && !w->ticket.deleted_at;
	int rc = schedule_kind(w, "auto_close", w->ticket.resolved_at + desk->auto_close_ms,
			       alive && status && status->phase == PHASE_RESOLVED &&
				       desk->auto_close_ms > 0,
			       err);

	if (rc != MD_OK || desk->pending_close_ms == 0)
		return rc;
	rc = schedule_kind(w, "pending_close", 0, false, err);
	if (rc == MD_OK)
		rc = schedule_kind(w, "pending_reminder",
				   w->by->now_ms + desk->pending_close_ms / 2,
				   alive && pending_end(w), err);
	return rc;
}

/* The other half of the time begins with the reminder: nobody gets both at once, however long the
 * daemon was down. */
static int remind(struct work *w, struct md_err *err)
{
	int64_t all_ms = w->by->desk->config->desk.pending_close_ms;
	int rc = schedule_kind(w, "pending_close", w->by->now_ms + all_ms - all_ms / 2, true, err);

	w->touched = true;
	if (rc == MD_OK)
		rc = work_history(w, "reminded", NULL, NULL, false, err);
	return rc == MD_OK ? work_event(w, "reminder", 0, NULL, err) : rc;
}

static int enter(struct work *w, const char *to, struct md_err *err)
{
	const struct workflow_status *status = workflow_status(w->by->desk->workflow, to);
	struct work_fact fact = { .action = "status",
				  .old_value = w->ticket.status,
				  .new_value = status->name,
				  /* when it got there, for the way back */
				  .old_number = w->ticket.resolved_at,
				  .new_number = w->ticket.closed_at,
				  .is_public = true };
	bool done = status->phase == PHASE_RESOLVED || status->phase == PHASE_CLOSED;
	int rc;

	w->ticket.status = status->name;
	if (done) {
		if (!w->ticket.resolved_at)
			w->ticket.resolved_at = w->by->now_ms;
	} else {
		w->ticket.resolved_at = 0;
	}
	w->ticket.closed_at = status->phase == PHASE_CLOSED ? w->by->now_ms : 0;
	rc = work_schedule_moves(w, err);
	if (rc == MD_OK)
		rc = work_record(w, &fact, err);
	if (rc == MD_OK && done)
		rc = work_wake(w, err);
	if (rc == MD_OK)
		rc = work_event(w, "status_changed", 0, NULL, err);
	return rc;
}

/* An assigned ticket moves on by itself, as far as the workflow says. */
static int follow_assignee(struct work *w, struct md_err *err)
{
	const struct workflow *wf = w->by->desk->workflow;
	int rc = MD_OK;

	for (size_t steps = 0; steps < wf->status_count && rc == MD_OK; steps++) {
		bool assigned = w->ticket.assignee_id != 0;
		const char *to =
			workflow_by_itself(wf, w->ticket.status, TRIGGER_ASSIGNED, assigned);

		if (!to)
			break;
		rc = enter(w, to, err);
	}
	return rc;
}

int work_move(struct work *w, const char *to, struct md_err *err)
{
	int rc = enter(w, to, err);

	return rc == MD_OK ? follow_assignee(w, err) : rc;
}

static int change_status(struct work *w, const char *to, struct md_err *err)
{
	int rc;

	if (strcmp(w->ticket.status, to) == 0)
		return MD_OK;
	rc = work_ask(w, ACTION_MOVE_STATUS, err);
	if (rc == MD_OK)
		rc = workflow_move(w->by->desk->workflow, w->ticket.status, to, w->who,
				   w->ticket.assignee_id != 0, err);
	else
		return rc;
	if (rc != MD_OK) {
		if (err)
			err->native = rc == MD_REFUSED ? WORK_FORBIDDEN : WORK_NO_TRANSITION;
		return rc;
	}
	return work_move(w, to, err);
}

struct rec_strs work_allowed(const struct work *w)
{
	const struct workflow *wf = w->by->desk->workflow;
	struct rec_strs all = { 0 };

	if (policy_may(&w->by->actor, ACTION_MOVE_STATUS, &w->facts) != POLICY_YES)
		return all;
	all.v = arena_array(w->arena, wf->status_count, sizeof *all.v);
	if (all.v)
		all.n = workflow_allowed(wf, w->ticket.status, w->who, w->ticket.assignee_id != 0,
					 all.v, wf->status_count);
	return all;
}

/* ---- fields ---- */

static int change_assignee(struct work *w, int64_t to, struct md_err *err)
{
	int rc = work_ask(w, ACTION_ASSIGN, err);

	return rc == MD_OK ? work_set_assignee(w, to, false, err) : rc;
}

int work_set_assignee(struct work *w, int64_t to, bool by_itself, struct md_err *err)
{
	struct user old = { 0 }, user = { 0 };
	struct work_fact fact = { .action = "assignee",
				  .old_number = w->ticket.assignee_id,
				  .new_number = to,
				  .is_public = true,
				  .by_itself = by_itself };
	int rc = MD_OK;

	if (w->ticket.assignee_id == to)
		return MD_OK;
	if (w->ticket.assignee_id)
		rc = user_get(w->c, w->ticket.assignee_id, w->arena, &old, err);
	if (rc == MD_OK && to)
		rc = user_get(w->c, to, w->arena, &user, err);
	if (rc == MD_NOTFOUND ||
	    (rc == MD_OK && to && (user.disabled_at || strcmp(user.role, "customer") == 0)))
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "assignee: only an active agent or admin can be assigned");
	if (rc != MD_OK)
		return rc;
	w->ticket.assignee_id = to;
	w->facts.assignee = to;
	w->who = policy_who(&w->by->actor, &w->facts);
	fact.old_value = old.name;
	fact.new_value = user.name;
	rc = work_record(w, &fact, err);
	if (rc == MD_OK && to)
		rc = work_event(w, "assigned", 0, NULL, err);
	return rc == MD_OK ? follow_assignee(w, err) : rc;
}

static int change_priority(struct work *w, int64_t to, struct md_err *err)
{
	int rc = work_ask(w, ACTION_SET_PRIORITY, err);

	if (rc != MD_OK || w->ticket.priority == to)
		return rc;
	rc = work_history(w, "priority", work_priority_name(w->ticket.priority),
			  work_priority_name(to), true, err);
	w->ticket.priority = to;
	return rc;
}

static int change_text(struct work *w, const char **field, const char *name,
		       enum policy_action action, const char *to, struct md_err *err)
{
	int rc = work_ask(w, action, err);

	if (rc != MD_OK || same(*field, to))
		return rc;
	rc = work_history(w, name, *field, to, action == ACTION_EDIT_TEXT, err);
	*field = to;
	return rc;
}

static int change_title(struct work *w, const char *to, struct md_err *err)
{
	to = work_clean_title(w->arena, to);
	if (!to)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (!to[0])
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "a title has at least one character");
	return change_text(w, &w->ticket.title, "title", ACTION_EDIT_TEXT, to, err);
}

static bool has_tag(const struct tag *tags, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tags[i].name, name) == 0)
			return true;
	return false;
}

static bool has_name(const struct rec_strs *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return true;
	return false;
}

static int add_tags(struct work *w, const struct tag *now, size_t n, const struct rec_strs *names,
		    struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < names->n && rc == MD_OK; i++) {
		if (has_tag(now, n, names->v[i]))
			continue;
		rc = ticket_tag_add(w->c, w->ticket.id, names->v[i], err);
		if (rc == MD_OK)
			rc = work_history(w, "tag_added", NULL, names->v[i], false, err);
		w->touched = w->retagged = true;
	}
	return rc;
}

static int remove_tags(struct work *w, const struct tag *now, size_t n,
		       const struct work_change *ch, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		bool goes = has_name(&ch->remove_tags, now[i].name) ||
			    (ch->set_tags && !has_name(&ch->tags, now[i].name));

		if (!goes)
			continue;
		rc = ticket_tag_remove(w->c, w->ticket.id, now[i].name, err);
		if (rc == MD_OK)
			rc = work_history(w, "tag_removed", now[i].name, NULL, false, err);
		w->touched = w->retagged = true;
	}
	return rc;
}

static int check_tags(const struct rec_strs *names, struct md_err *err)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];
		size_t n = strlen(name), chars = utf8_length(name, n);

		if (n == 0 || chars > COMMAND_TAG_MAX || name[strcspn(name, ",\n\t")])
			return md_fail(err, MD_INPUT, WORK_BAD_VALUE,
				       "tags: a tag is a word of 1 to %d characters without commas",
				       COMMAND_TAG_MAX);
	}
	return MD_OK;
}

/* Who may not make tags may give those there are to a ticket of theirs. */
static int ask_tags(struct work *w, const struct work_change *ch, struct md_err *err)
{
	struct tag_row *all;
	size_t n;
	int rc = work_ask(w, ACTION_TAG, err);

	if (rc != MD_REFUSED || !ch->opens)
		return rc;
	rc = tag_list(w->c, w->arena, &all, &n, err);
	for (size_t i = 0; i < ch->add_tags.n && rc == MD_OK; i++) {
		size_t k = 0;

		while (k < n && strcmp(all[k].name, ch->add_tags.v[i]) != 0)
			k++;
		if (k == n)
			rc = md_fail(err, MD_INPUT, WORK_BAD_VALUE,
				     "tags.%zu: there is no tag of that name", i);
	}
	return rc;
}

static int change_tags(struct work *w, const struct work_change *ch, struct md_err *err)
{
	struct tag *now = NULL;
	size_t n = 0;
	int rc = ask_tags(w, ch, err);

	if (rc == MD_OK)
		rc = check_tags(&ch->add_tags, err);
	if (rc == MD_OK && ch->set_tags)
		rc = check_tags(&ch->tags, err);
	if (rc == MD_OK)
		rc = ticket_tags_of(w->c, &w->ticket.id, 1, w->arena, &now, &n, err);
	if (rc == MD_OK)
		rc = add_tags(w, now, n, &ch->add_tags, err);
	if (rc == MD_OK && ch->set_tags)
		rc = add_tags(w, now, n, &ch->tags, err);
	if (rc == MD_OK)
		rc = remove_tags(w, now, n, ch, err);
	if (rc == MD_OK)
		rc = ticket_tags_of(w->c, &w->ticket.id, 1, w->arena, &now, &n, err);
	if (rc == MD_OK && n > TAGS_MAX)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "tags: a ticket has at most %d tags",
			       TAGS_MAX);
	return rc;
}

int work_change(struct work *w, const struct work_change *ch, struct md_err *err)
{
	int rc = MD_OK;

	if (ch->title)
		rc = change_title(w, ch->title, err);
	if (rc == MD_OK && ch->category)
		rc = work_check_category(w, ch->category, err);
	if (rc == MD_OK && ch->category)
		rc = change_text(w, &w->ticket.category, "category", ACTION_EDIT_FIELDS,
				 ch->category[0] ? ch->category : NULL, err);
	if (rc == MD_OK && ch->priority >= 0)
		rc = change_priority(w, ch->priority, err);
	if (rc == MD_OK && (ch->add_tags.n || ch->remove_tags.n || ch->set_tags))
		rc = change_tags(w, ch, err);
	if (rc == MD_OK)
		rc = work_change_fields(w, ch, err);
	if (rc == MD_OK && ch->set_assignee)
		rc = change_assignee(w, ch->assignee, err);
	else if (rc == MD_OK && ch->set_team)
		rc = work_assign_by_desk(w, err);
	if (rc == MD_OK && ch->status)
		rc = change_status(w, ch->status, err);
	return rc;
}

static int fire_snooze(struct work *w, struct md_err *err)
{
	return w->ticket.snoozed_until <= w->by->now_ms ? work_wake(w, err) : MD_OK;
}

static int fire_auto_close(struct work *w, struct md_err *err)
{
	const char *to = workflow_by_itself(w->by->desk->workflow, w->ticket.status,
					    TRIGGER_AUTO_CLOSE, w->ticket.assignee_id != 0);

	return to ? work_move(w, to, err) : MD_OK;
}

static int fire_reminder(struct work *w, struct md_err *err)
{
	return pending_end(w) ? remind(w, err) : MD_OK;
}

static int fire_pending_close(struct work *w, struct md_err *err)
{
	const char *to = pending_end(w);

	return to ? work_move(w, to, err) : MD_OK;
}

int work_fire(struct work *w, const char *kind, struct md_err *err)
{
	/* others only make the clocks settle, which tell what is due */
	static const struct {
		const char *kind;
		int (*fire)(struct work *w, struct md_err *err);
	} kinds[] = {
		{ "snooze", fire_snooze },
		{ "auto_close", fire_auto_close },
		{ "pending_reminder", fire_reminder },
		{ "pending_close", fire_pending_close },
		{ "escalation", work_escalate },
	};

	for (size_t i = 0; i < MD_COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].fire(w, err);
	return MD_OK;
}

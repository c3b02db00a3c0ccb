/* Taking back what one's last mail with commands did to a ticket.
 *
 * The history is the record: its rows say what a step changed, with the ids and instants behind the
 * names. They are walked from the last to the first and each is turned round, so that what a step
 * led to by itself goes before what led to it. Each row must find its field as it left it: then the
 * whole step is as if it had not been, else nothing is done. */
#include <maildesk/base/json.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/teams.h>

#include "ticket_priv.h"

#include <string.h>

enum { WITHIN_MS = 24 * 3600 * 1000 };

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static int conflict(const char *what, struct md_err *err)
{
	return md_fail(err, MD_CONFLICT, WORK_BAD_VALUE, "%s was changed since: nothing is undone",
		       what);
}

/* The row that says the opposite. */
static int record_back(struct work *w, const struct history *h, struct md_err *err)
{
	return work_record(w,
			   &(struct work_fact){ .action = h->action,
						.old_value = h->new_value,
						.new_value = h->old_value,
						.old_number = h->new_number,
						.new_number = h->old_number,
						.is_public = h->is_public },
			   err);
}

/* ---- one row turned round ---- */

typedef int (*undo_fn)(struct work *w, const struct history *h, struct md_err *err);

static int undo_status(struct work *w, const struct history *h, struct md_err *err)
{
	const struct workflow_status *to = workflow_status(w->by->desk->workflow, h->old_value);
	struct work_fact back = { .action = "status",
				  .old_value = h->new_value,
				  .old_number = w->ticket.resolved_at,
				  .new_number = w->ticket.closed_at,
				  .is_public = true };
	int rc;

	if (!to || !same(w->ticket.status, h->new_value))
		return conflict("status", err);
	back.new_value = w->ticket.status = to->name;
	w->ticket.resolved_at = h->old_number;
	w->ticket.closed_at = h->new_number;
	rc = work_schedule_moves(w, err);
	return rc == MD_OK ? work_record(w, &back, err) : rc;
}

static int undo_priority(struct work *w, const struct history *h, struct md_err *err)
{
	if (!same(work_priority_name(w->ticket.priority), h->new_value))
		return conflict("priority", err);
	w->ticket.priority = work_priority_from_name(h->old_value);
	return record_back(w, h, err);
}

static int undo_text(struct work *w, const char **field, const struct history *h,
		     struct md_err *err)
{
	if (!same(*field, h->new_value))
		return conflict(h->action, err);
	*field = h->old_value;
	return record_back(w, h, err);
}

static int undo_title(struct work *w, const struct history *h, struct md_err *err)
{
	return undo_text(w, &w->ticket.title, h, err);
}

static int undo_category(struct work *w, const struct history *h, struct md_err *err)
{
	return undo_text(w, &w->ticket.category, h, err);
}

static int undo_number(struct work *w, int64_t *field, const struct history *h, struct md_err *err)
{
	if (*field != h->new_number)
		return conflict(h->action, err);
	*field = h->old_number;
	return record_back(w, h, err);
}

static int undo_assignee(struct work *w, const struct history *h, struct md_err *err)
{
	int rc = undo_number(w, &w->ticket.assignee_id, h, err);

	work_see(w);
	return rc == MD_OK && h->old_number ? work_event(w, "assigned", 0, NULL, err) : rc;
}

static int undo_team(struct work *w, const struct history *h, struct md_err *err)
{
	struct team team;
	int rc = h->old_number ? team_get(w->c, h->old_number, w->arena, &team, err) : MD_OK;

	return rc == MD_NOTFOUND ? conflict("team", err)
	       : rc == MD_OK     ? undo_number(w, &w->ticket.team_id, h, err)
				 : rc;
}

static int undo_due(struct work *w, const struct history *h, struct md_err *err)
{
	return undo_number(w, &w->ticket.due_at, h, err);
}

static int undo_time(struct work *w, const struct history *h, struct md_err *err)
{
	return undo_number(w, &w->ticket.time_spent_ms, h, err);
}

/* One that would have ended by now has. */
static int undo_snooze(struct work *w, const struct history *h, struct md_err *err)
{
	if (w->ticket.snoozed_until != h->new_number)
		return conflict("snooze", err);
	return work_set_snooze(w, h->old_number > w->by->now_ms ? h->old_number : 0, err);
}

static int undo_requester(struct work *w, const struct history *h, struct md_err *err)
{
	if (w->ticket.requester_id != h->new_number)
		return conflict("requester", err);
	return work_set_requester(w, h->old_number, err);
}

static int undo_tag(struct work *w, const struct history *h, struct md_err *err)
{
	const char *name = h->new_value ? h->new_value : h->old_value;
	struct tag *tags;
	bool there = false;
	size_t n;
	int rc = ticket_tags_of(w->c, &w->ticket.id, 1, w->arena, &tags, &n, err);

	for (size_t i = 0; rc == MD_OK && i < n; i++)
		there |= strcmp(tags[i].name, name) == 0;
	if (rc == MD_OK && there != (h->new_value != NULL))
		return conflict("tag", err);
	if (rc == MD_OK)
		rc = there ? ticket_tag_remove(w->c, w->ticket.id, name, err)
			   : ticket_tag_add(w->c, w->ticket.id, name, err);
	w->touched = true;
	return rc == MD_OK ? work_history(w, there ? "tag_removed" : "tag_added",
					  there ? name : NULL, there ? NULL : name, false, err)
			   : rc;
}

static int undo_field(struct work *w, const struct history *h, struct md_err *err)
{
	const char *name = strchr(h->action, ':') + 1;
	md_auto(json_decref_p) json_t *all = NULL;
	int rc = w->ticket.fields
			 ? json_read(w->ticket.fields, strlen(w->ticket.fields), 2, &all, err)
			 : MD_OK;

	if (rc == MD_OK && !same(all ? json_get_string(all, name) : NULL, h->new_value))
		return conflict(name, err);
	return rc == MD_OK ? work_set_field(w, name, h->old_value ? h->old_value : "", err) : rc;
}

static int undo_link(struct work *w, const struct history *h, struct md_err *err)
{
	bool added = h->new_value != NULL;
	const char *text = added ? h->new_value : h->old_value;
	const char *type = arena_strndup(w->arena, text, strcspn(text, " "));

	if (!type)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return work_link(w, type, added ? h->new_number : h->old_number, !added, err);
}

static int undo_join(struct work *w, const struct history *h, struct md_err *err)
{
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == h->new_number &&
		    strcmp(w->participants[i].role, "requester") != 0)
			return work_leave(w, &w->participants[i], err);
	return conflict("participants", err);
}

static int undo_leave(struct work *w, const struct history *h, struct md_err *err)
{
	struct user u;
	int rc;

	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == h->old_number)
			return conflict("participants", err);
	rc = user_get(w->c, h->old_number, w->arena, &u, err);
	if (rc == MD_OK)
		rc = work_join(w, &u, (h->new_number & 3) == 2 ? "watcher" : "cc", err);
	if (rc == MD_OK && h->new_number & 4)
		rc = participant_mute(w->c, w->ticket.id, u.id, true, err);
	return rc == MD_OK ? work_load_people(w, err) : rc;
}

static int undo_mute(struct work *w, const struct history *h, struct md_err *err)
{
	return work_mute(w, strcmp(h->action, "unmuted") == 0, err);
}

static int undo_merged(struct work *w, const struct history *h, struct md_err *err)
{
	if (w->ticket.merged_into != h->new_number)
		return conflict("the merge", err);
	return work_unmerge(w, err);
}

static int undo_merged_from(struct work *w, const struct history *h, struct md_err *err)
{
	struct work other;
	int rc = work_again(w, err);

	if (rc == MD_OK)
		rc = work_load(w->by, w->c, w->arena, h->new_number, &other, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && other.ticket.merged_into != w->ticket.id))
		return conflict("the merge", err);
	if (rc == MD_OK)
		rc = work_unmerge(&other, err);
	if (rc == MD_OK)
		rc = work_save(&other, err);
	return rc == MD_OK ? work_again(w, err) : rc;
}

static const char no_way_back[] = "not taken back by undo";

static int refuse(struct work *w, const struct history *h, struct md_err *err)
{
	(void)w;
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "\"%s\" is %s", h->action, no_way_back);
}

static const struct {
	const char *action; /* a ':' at its end: and what follows */
	undo_fn fn;
} ways_back[] = {
	{ "status", undo_status },
	{ "assignee", undo_assignee },
	{ "priority", undo_priority },
	{ "title", undo_title },
	{ "category", undo_category },
	{ "tag_added", undo_tag },
	{ "tag_removed", undo_tag },
	{ "team", undo_team },
	{ "requester", undo_requester },
	{ "due", undo_due },
	{ "snoozed", undo_snooze },
	{ "time_spent", undo_time },
	{ "field:", undo_field },
	{ "link_added", undo_link },
	{ "link_removed", undo_link },
	{ "participant_added", undo_join },
	{ "participant_removed", undo_leave },
	{ "muted", undo_mute },
	{ "unmuted", undo_mute },
	{ "merged", undo_merged },
	{ "merged_from", undo_merged_from },
	{ "unmerged", refuse },
	{ "unmerged_from", refuse },
	{ "split", refuse },
	{ "deleted", refuse },
	{ "spam", refuse },
	{ "restored", refuse },
};

/* NULL: nothing that anybody commands, like a comment. */
static undo_fn way_back(const char *action)
{
	for (size_t i = 0; i < MD_COUNT(ways_back); i++) {
		const char *name = ways_back[i].action;
		size_t n = strlen(name);

		if (name[n - 1] == ':' ? strncmp(name, action, n) == 0 : strcmp(name, action) == 0)
			return ways_back[i].fn;
	}
	return NULL;
}

/* ---- which step ---- */

static bool one_step(const struct history *a, const struct history *b)
{
	return a->message_id == b->message_id &&
	       (a->message_id || (a->version == b->version && a->at == b->at));
}

/* Did the mail carry commands that were run? Its text alone may move a ticket too. */
static int has_commands(struct work *w, int64_t message, bool *ret, struct md_err *err)
{
	md_auto(json_decref_p) json_t *lines = NULL;
	struct decision d;
	int rc = decision_get(w->c, message, w->arena, &d, err);

	*ret = false;
	if (rc == MD_NOTFOUND)
		return MD_OK;
	if (rc == MD_OK)
		rc = json_read(d.commands, strlen(d.commands), 4, &lines, err);
	for (size_t i = 0; rc == MD_OK && i < json_array_size(lines); i++)
		*ret |= json_is_true(json_object_get(json_array_get(lines, i), "ok"));
	return rc;
}

/* Could this row be of the step that is meant? */
static int is_meant(struct work *w, const struct history *h, bool *ret, struct md_err *err)
{
	bool by_mail = w->by->actor.source == SOURCE_MAIL;
	const struct history now = { .message_id = w->by->message,
				     .version = w->before.version,
				     .at = w->by->now_ms };

	*ret = false;
	if (one_step(h, &now) || (strcmp(h->source, "mail") == 0) != by_mail ||
	    (!way_back(h->action) && strcmp(h->action, "undone") != 0))
		return MD_OK;
	*ret = true;
	/* an undo has commands, whatever else */
	return by_mail && strcmp(h->action, "undone") != 0 && h->message_id
		       ? has_commands(w, h->message_id, ret, err)
		       : MD_OK;
}

static int find_step(struct work *w, const struct history *rows, size_t n, size_t *ret_first,
		     struct md_err *err)
{
	bool meant = false;
	size_t i = 0;
	int rc = MD_OK;

	for (; i < n; i++) {
		rc = is_meant(w, &rows[i], &meant, err);
		if (rc != MD_OK || meant)
			break;
	}
	if (rc != MD_OK)
		return rc;
	if (i == n)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "there is nothing of yours to undo on this ticket within 24 "
				   "hours");
	for (size_t k = i; k < n; k++)
		if (one_step(&rows[k], &rows[i]) && strcmp(rows[k].action, "undone") == 0)
			return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
					   "what you did last is undone already");
	*ret_first = i;
	return MD_OK;
}

int work_undo(struct work *w, struct md_err *err)
{
	struct history *rows = NULL;
	size_t n = 0, first = 0;
	int rc = work_ask_frozen(w, ACTION_UNDO, err);

	if (rc == MD_OK)
		rc = history_of_actor(w->c, w->ticket.id, w->by->user.id, w->by->now_ms - WITHIN_MS,
				      w->arena, &rows, &n, err);
	if (rc == MD_OK)
		rc = find_step(w, rows, n, &first, err);
	if (rc == MD_OK && w->before.merged_into && strcmp(rows[first].action, "merged") != 0)
		return work_ask(w, ACTION_EDIT_FIELDS, err); /* says why not */
	for (size_t i = first; rc == MD_OK && i < n; i++) {
		undo_fn back = way_back(rows[i].action);

		if (back && one_step(&rows[i], &rows[first]))
			rc = back(w, &rows[i], err);
	}
	w->touched = true;
	return rc == MD_OK ? work_record(w,
					 &(struct work_fact){ .action = "undone",
							      .new_number = rows[first].id },
					 err)
			   : rc;
}

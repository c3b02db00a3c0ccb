/* What is done to a ticket that is more than a field: links, deletion, people, splitting. */
#include <maildesk/base/utf8.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>

#include "ticket_priv.h"

#include <stdio.h>
#include <string.h>

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int bad_value(struct md_err *err, const char *why)
{
	return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, why);
}

/* ---- links ---- */

static const char *const link_types[] = { "relates", "duplicates", "blocks", "parent" };

static const char *link_type(const char *name, struct md_err *err)
{
	for (size_t i = 0; i < MD_COUNT(link_types); i++)
		if (strcmp(link_types[i], name) == 0)
			return link_types[i];
	md_fail(err, MD_INPUT, WORK_BAD_VALUE,
		"no link \"%.40s\"; allowed: relates, duplicates, blocks, parent", name);
	return NULL;
}

/* Is it linked so already, from here or from there? */
static int find_link(struct work *w, const char *type, int64_t other, bool *ret_from, bool *ret_to,
		     struct md_err *err)
{
	struct ticket_link *links;
	size_t n;
	int rc = ticket_link_list(w->c, w->ticket.id, w->arena, &links, &n, err);

	*ret_from = *ret_to = false;
	for (size_t i = 0; rc == MD_OK && i < n; i++) {
		if (strcmp(links[i].type, type) != 0)
			continue;
		*ret_from |= links[i].ticket_id == w->ticket.id && links[i].other_id == other;
		*ret_to |= links[i].ticket_id == other && links[i].other_id == w->ticket.id;
	}
	return rc;
}

int work_link(struct work *w, const char *type, int64_t other, bool on, struct md_err *err)
{
	struct work o;
	struct work_fact fact = { .action = on ? "link_added" : "link_removed" };
	bool from, to;
	int rc = work_ask(w, ACTION_LINK, err);

	type = rc == MD_OK ? link_type(type, err) : type;
	if (rc != MD_OK || !type)
		return rc != MD_OK ? rc : MD_INPUT;
	if (other == w->ticket.id)
		return bad_value(err, "a ticket is not linked to itself");
	rc = work_other(w, other, &o, err);
	if (rc == MD_OK)
		rc = find_link(w, type, other, &from, &to, err);
	if (rc != MD_OK || (on && (from || (to && strcmp(type, "relates") == 0))))
		return rc;
	if (on && to)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE,
			       "#%lld is linked so to this one already: %s", (long long)other,
			       type);
	if (!on && !from && !(to && strcmp(type, "relates") == 0))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "there is no link \"%s #%lld\"", type,
			       (long long)other);
	rc = on     ? ticket_link_add(w->c, w->ticket.id, type, other, err)
	     : from ? ticket_link_remove(w->c, w->ticket.id, type, other, err)
		    : ticket_link_remove(w->c, other, type, w->ticket.id, err);
	if (rc != MD_OK)
		return rc;
	*(on ? &fact.new_value : &fact.old_value) =
		arena_printf(w->arena, "%s #%lld", type, (long long)other);
	*(on ? &fact.new_number : &fact.old_number) = other;
	w->touched = true;
	return work_record(w, &fact, err);
}

/* ---- deleting ---- */

static int put_away(struct work *w, const char *action, int64_t number, struct md_err *err)
{
	int rc;

	w->ticket.deleted_at = w->by->now_ms;
	rc = work_schedule_moves(w, err);
	return rc == MD_OK
		       ? work_record(w,
				     &(struct work_fact){ .action = action, .new_number = number },
				     err)
		       : rc;
}

int work_delete(struct work *w, struct md_err *err)
{
	int rc = work_ask(w, ACTION_DELETE_TICKET, err);

	return rc == MD_OK ? put_away(w, "deleted", 0, err) : rc;
}

int work_restore(struct work *w, struct md_err *err)
{
	int rc = work_ask_frozen(w, ACTION_RESTORE_TICKET, err);

	if (rc != MD_OK)
		return rc;
	if (!w->ticket.deleted_at)
		return bad_value(err, "this ticket is not deleted");
	w->ticket.deleted_at = 0;
	rc = work_schedule_moves(w, err);
	if (rc == MD_OK)
		rc = quarantine_remove_ticket(w->c, w->ticket.id, err);
	return rc == MD_OK ? work_history(w, "restored", NULL, NULL, false, err) : rc;
}

int work_spam(struct work *w, struct md_err *err)
{
	struct user requester;
	struct comment first = { 0 };
	int64_t id = 0, blocked = 0;
	int rc = work_ask(w, ACTION_SPAM, err);

	if (rc == MD_OK)
		rc = user_get(w->c, w->ticket.requester_id, w->arena, &requester, err);
	if (rc == MD_OK && strcmp(requester.role, "customer") != 0)
		return bad_value(err, "only what a customer asked for can be spam");
	if (rc == MD_OK)
		rc = blocked_add(w->c, requester.email, w->by->user.id, w->by->now_ms, &blocked,
				 err);
	if (rc == MD_OK)
		rc = comment_first(w->c, w->ticket.id, &id, err);
	if (rc == MD_OK && id)
		rc = comment_get(w->c, id, w->arena, &first, err);
	if (rc == MD_OK && first.message_id)
		rc = quarantine_add(w->c, first.message_id, "spam", requester.email, w->by->now_ms,
				    err);
	return rc == MD_OK ? put_away(w, "spam", blocked, err) : rc;
}

/* ---- people ---- */

static const struct participant *myself(const struct work *w, int64_t user)
{
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == user)
			return &w->participants[i];
	return NULL;
}

int work_join(struct work *w, const struct user *u, const char *role, struct md_err *err)
{
	int rc = participant_put(w->c, w->ticket.id, u->id, role, w->by->now_ms, err);

	if (rc == MD_OK)
		rc = work_load_people(w, err);
	w->touched = true;
	if (rc != MD_OK)
		return rc;
	work_see(w);
	return work_record(w,
			   &(struct work_fact){ .action = "participant_added",
						.new_value = u->name,
						.new_number = u->id,
						.is_public = true },
			   err);
}

int work_participant(struct work *w, int64_t user, const char *role, struct md_err *err)
{
	struct user u;
	int rc = work_ask(w, ACTION_ADD_PARTICIPANT, err);

	if (rc != MD_OK || myself(w, user))
		return rc;
	if (strcmp(role, "cc") != 0 && strcmp(role, "watcher") != 0)
		return bad_value(err, "a participant is cc or watcher");
	rc = user_get(w->c, user, w->arena, &u, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && u.disabled_at))
		return bad_value(err, "only an active user can take part");
	return rc == MD_OK ? work_join(w, &u, role, err) : rc;
}

/* What undo puts back: 1 cc, 2 watcher; 4 more when muted. */
static int64_t part_number(const struct participant *p)
{
	return (strcmp(p->role, "watcher") == 0 ? 2 : 1) + (p->muted ? 4 : 0);
}

int work_leave(struct work *w, const struct participant *p, struct md_err *err)
{
	struct work_fact fact = { .action = "participant_removed",
				  .old_value = p->name,
				  .old_number = p->user_id,
				  .new_number = part_number(p),
				  .is_public = true };
	int rc = participant_remove(w->c, w->ticket.id, p->user_id, err);

	/* The addresses they were given for it are worth nothing from now on. */
	if (rc == MD_OK)
		rc = ticket_raise_epoch(w->c, w->ticket.id, err);
	w->ticket.epoch++;

	if (rc == MD_OK)
		rc = work_record(w, &fact, err);
	if (rc == MD_OK)
		rc = work_load_people(w, err);
	w->touched = true;
	if (rc == MD_OK)
		work_see(w);
	return rc;
}

int work_participant_remove(struct work *w, int64_t user, struct md_err *err)
{
	struct participant *all;
	size_t n = 0, i = 0;
	int rc =
		work_ask(w, user == w->by->user.id ? ACTION_WATCH : ACTION_REMOVE_PARTICIPANT, err);

	if (rc == MD_OK)
		rc = participant_list_all(w->c, w->ticket.id, w->arena, &all, &n, err);
	while (rc == MD_OK && i < n && all[i].user_id != user)
		i++;
	if (rc != MD_OK)
		return rc;
	if (i == n)
		return bad_value(err, "they take no part in this ticket");
	if (strcmp(all[i].role, "requester") == 0)
		return bad_value(err, "the requester stays; name another one first");
	return work_leave(w, &all[i], err);
}

int work_mute(struct work *w, bool on, struct md_err *err)
{
	const struct participant *p = myself(w, w->by->user.id);
	int rc = work_ask(w, ACTION_WATCH, err);

	if (rc != MD_OK || (p ? p->muted == on : !on))
		return rc;
	if (!p)
		rc = work_join(w, &w->by->user, "watcher", err);
	if (rc == MD_OK)
		rc = participant_mute(w->c, w->ticket.id, w->by->user.id, on, err);
	if (rc == MD_OK)
		rc = work_load_people(w, err);
	w->touched = true;
	return rc == MD_OK ? work_history(w, on ? "muted" : "unmuted", NULL, NULL, false, err) : rc;
}

/* Who is on the ticket for another reason than watching it stays, and hears no more of it. */
int work_watch(struct work *w, bool on, struct md_err *err)
{
	const struct participant *p = myself(w, w->by->user.id);
	int rc = work_ask(w, ACTION_WATCH, err);

	if (rc != MD_OK)
		return rc;
	if (on)
		return p ? work_mute(w, false, err) : work_join(w, &w->by->user, "watcher", err);
	if (p && strcmp(p->role, "watcher") == 0)
		return work_leave(w, p, err);
	return p ? work_mute(w, true, err) : MD_OK;
}

/* ---- splitting ---- */

static int check_split(struct work *w, int64_t comment, struct comment *ret, struct md_err *err)
{
	int64_t first = 0;
	int rc = work_ask(w, ACTION_LINK, err);

	if (rc == MD_OK)
		rc = comment_get(w->c, comment, w->arena, ret, err);
	if (rc == MD_NOTFOUND ||
	    (rc == MD_OK && (ret->deleted_at || ret->ticket_id != w->ticket.id)))
		return bad_value(err, "this ticket has no such comment");
	if (rc == MD_OK && (ret->is_internal || ret->held))
		return bad_value(err, "only a public comment can become a ticket");
	if (rc == MD_OK)
		rc = comment_first(w->c, w->ticket.id, &first, err);
	if (rc == MD_OK && first == comment)
		return bad_value(err, "the description stays; allowed: the comments after it");
	return rc;
}

static int insert_split(struct work *n, const struct work *w, const struct comment *m,
			struct md_err *err)
{
	int64_t now_ms = w->by->now_ms, author = m->author_id;
	int rc = ticket_insert(n->c, &n->ticket, &n->ticket.id, err);

	if (rc == MD_OK)
		rc = participant_put(n->c, n->ticket.id, n->ticket.requester_id, "requester",
				     now_ms, err);
	/* Whoever wrote it goes on knowing what becomes of it. */
	if (rc == MD_OK && author && author != n->ticket.requester_id && myself(w, author))
		rc = participant_put(n->c, n->ticket.id, author, "cc", now_ms, err);
	if (rc == MD_OK)
		rc = ticket_comment_move(n->c, m->id, n->ticket.id, err);
	if (rc == MD_OK)
		rc = work_load_people(n, err);
	if (rc == MD_OK)
		rc = work_record(n,
				 &(struct work_fact){
					 .action = "created",
					 .old_value = arena_printf(n->arena, "split from #%lld",
								   (long long)w->ticket.id),
					 .new_value = n->ticket.title,
					 .new_number = w->ticket.id,
					 .is_public = true },
				 err);
	if (rc != MD_OK)
		return rc;
	n->before = n->ticket;
	work_see(n);
	return work_save(n, err);
}

int work_split(struct work *w, int64_t comment, int64_t *ret_ticket, struct md_err *err)
{
	struct work n = {
		.by = w->by, .c = w->c, .arena = w->arena, .mailbox = w->mailbox, .created = true
	};
	struct comment m;
	int rc = check_split(w, comment, &m, err);

	if (rc != MD_OK)
		return rc;
	n.ticket = (struct ticket){
		.title = w->ticket.title,
		.status = w->by->desk->workflow->statuses[0].name,
		.priority = w->ticket.priority,
		.category = w->ticket.category,
		.requester_id = w->ticket.requester_id,
		.created_by = w->by->user.id,
		.team_id = w->ticket.team_id,
		.organisation_id = w->ticket.organisation_id,
		.mailbox_id = w->ticket.mailbox_id,
		.channel = w->by->channel,
		.created_at = w->by->now_ms,
		.updated_at = w->by->now_ms,
		.version = 1,
	};
	rc = insert_split(&n, w, &m, err);
	if (rc == MD_OK)
		rc = work_link(w, "relates", n.ticket.id, true, err);
	if (rc == MD_OK)
		rc = work_record(w,
				 &(struct work_fact){ .action = "split",
						      .new_value =
							      arena_printf(w->arena, "#%lld",
									   (long long)n.ticket.id),
						      .old_number = comment,
						      .new_number = n.ticket.id },
				 err);
	if (w->arena->failed)
		return out_of_memory(err);
	w->touched = true;
	if (rc == MD_OK)
		*ret_ticket = n.ticket.id;
	return rc;
}

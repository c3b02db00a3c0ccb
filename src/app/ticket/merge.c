/* Two tickets become one, and two again.
 *
 * The merged one keeps its row, its history and its participants and is read-only; what was said
 * on it lies with the survivor until it is taken out again (store/merges.c). Mails to it are led on
 * by route and token (facts.c follows merged_into). */
#include "ticket_priv.h"

/* Both know of it. */
static int tell_both(struct work *w, struct work *into, const char *here, const char *there,
		     struct md_err *err)
{
	const char *to = arena_printf(w->arena, "#%lld", (long long)into->ticket.id);
	const char *from = arena_printf(w->arena, "#%lld", (long long)w->ticket.id);
	int rc;

	if (!to || !from)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = work_record(w,
			 &(struct work_fact){
				 .action = here, .new_value = to, .new_number = into->ticket.id },
			 err);
	if (rc == MD_OK)
		rc = work_record(into,
				 &(struct work_fact){ .action = there,
						      .new_value = from,
						      .new_number = w->ticket.id },
				 err);
	w->touched = into->touched = true;
	return rc;
}

/* Into one that was merged: what is allowed is the end of its chain, which may be this ticket. */
static int refuse_merged(struct work *w, int64_t into, struct work *o, struct md_err *err)
{
	int rc = MD_OK;

	while (rc == MD_OK && o->ticket.merged_into && o->ticket.merged_into != w->ticket.id)
		rc = work_other(w, o->ticket.merged_into, o, err);
	if (rc != MD_OK)
		return rc;
	if (o->ticket.merged_into)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE,
			       "#%lld was merged into this ticket already", (long long)into);
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "#%lld was merged itself; allowed: #%lld",
		       (long long)into, (long long)o->ticket.id);
}

int work_merge(struct work *w, int64_t into, struct md_err *err)
{
	struct work o;
	int rc = work_ask(w, ACTION_MERGE, err);

	if (rc == MD_OK && w->ticket.merged_into)
		return work_refuse(err, MD_CONFLICT, WORK_READ_ONLY, "this ticket was merged");
	if (rc == MD_OK && into == w->ticket.id)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "a ticket is not merged into itself");
	if (rc == MD_OK)
		rc = work_other(w, into, &o, err);
	if (rc == MD_OK && o.ticket.merged_into)
		return refuse_merged(w, into, &o, err);
	if (rc == MD_OK)
		rc = work_ask(&o, ACTION_MERGE, err);
	if (rc == MD_OK)
		rc = work_wake(w, err);
	if (rc == MD_OK)
		rc = tell_both(w, &o, "merged", "merged_from", err);
	if (rc != MD_OK)
		return rc;
	w->ticket.merged_into = into;
	rc = work_schedule_moves(w, err);
	if (rc == MD_OK)
		rc = ticket_contents_merge(w->c, w->ticket.id, into, w->by->now_ms, err);
	if (rc == MD_OK)
		rc = work_event(w, "merged", 0, NULL, err);
	return rc == MD_OK ? work_save(&o, err) : rc;
}

int work_unmerge(struct work *w, struct md_err *err)
{
	int64_t into = w->ticket.merged_into;
	struct work o;
	int rc = work_ask_frozen(w, ACTION_LINK, err);

	if (rc == MD_OK && !into)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "this ticket is not merged");
	if (rc == MD_OK && w->ticket.deleted_at)
		return work_refuse(err, MD_CONFLICT, WORK_READ_ONLY,
				   "this ticket is deleted; allowed: restore");
	/* the survivor may have been merged on, or deleted: it is told all the same */
	if (rc == MD_OK)
		rc = work_load(w->by, w->c, w->arena, into, &o, err);
	if (rc == MD_NOTFOUND)
		return work_refuse(err, MD_CONFLICT, WORK_READ_ONLY,
				   "the ticket it was merged into is deleted; allowed: restore");
	if (rc == MD_OK)
		rc = tell_both(w, &o, "unmerged", "unmerged_from", err);
	if (rc != MD_OK)
		return rc;
	w->ticket.merged_into = 0;
	rc = ticket_contents_unmerge(w->c, w->ticket.id, into, w->by->now_ms, w->arena, err);
	if (rc == MD_OK)
		rc = work_schedule_moves(w, err);
	return rc == MD_OK ? work_save(&o, err) : rc;
}

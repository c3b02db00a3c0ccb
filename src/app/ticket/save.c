/* The end of a piece of work: ticket row, clocks and mails, in the transaction that did the rest.
 */
#include "ticket_priv.h"

#include <maildesk/app/notify.h>
#include <maildesk/store/events.h>
#include <maildesk/store/search.h>

#include <string.h>

static int announce(struct work *w, const char *type, int64_t comment, bool is_internal,
		    int64_t version, struct md_err *err)
{
	const struct event e = {
		.type = type,
		.ticket = w->ticket.id,
		.comment = comment,
		.version = version,
		.actor = w->by->user.id,
		.is_internal = is_internal,
		.at = w->by->now_ms,
	};

	return event_add(w->c, &e, err);
}

int work_announce(struct work *w, const char *type, int64_t comment, bool is_internal,
		  struct md_err *err)
{
	/* What is said with the opening of a ticket is told with it; said while merging, it is the
	 * survivor's, and told with that. */
	if (w->created || w->ticket.merged_into)
		return MD_OK;
	w->announced = true;
	return announce(w, type, comment, is_internal, w->ticket.version + 1, err);
}

int work_announce_sla(struct work *w, const char *type, struct md_err *err)
{
	return announce(w, type, 0, true, w->ticket.version, err);
}

/* `differs`: more than that something was said. */
static int announce_change(struct work *w, bool differs, struct md_err *err)
{
	const char *type = w->created                                     ? "ticket.created"
			   : w->ticket.deleted_at == w->before.deleted_at ? "ticket.updated"
			   : w->ticket.deleted_at                         ? "ticket.deleted"
									  : "ticket.restored";

	if (!w->created && !differs && w->announced)
		return MD_OK;
	return announce(w, type, 0, false, w->ticket.version, err);
}

int work_save(struct work *w, struct md_err *err)
{
	bool differs = memcmp(&w->ticket, &w->before, sizeof w->ticket) != 0;
	bool changed = differs || (w->touched && !w->created);
	int rc = MD_OK;

	if (!w->ticket.id)
		return work_queue_notices(w, err);
	if (changed) {
		w->ticket.updated_at = w->by->now_ms;
		rc = ticket_save(w->c, &w->ticket, err);
		w->ticket.version++;
	}
	if (rc == MD_OK && changed && !w->created && strcmp(w->ticket.title, w->before.title) != 0)
		rc = search_queue_ticket(w->c, w->ticket.id, err);
	/* a word on one that waits for its customer: the waiting begins anew */
	if (rc == MD_OK && (w->customer_wrote || w->agent_replied) && !w->created &&
	    strcmp(w->ticket.status, w->before.status) == 0)
		rc = work_schedule_moves(w, err);
	if (rc == MD_OK)
		rc = work_settle_clocks(w, err);
	if (rc == MD_OK && (changed || w->created))
		rc = announce_change(w, differs, err);
	if (rc == MD_OK)
		rc = work_queue_notices(w, err);
	return rc;
}

int work_again(struct work *w, struct md_err *err)
{
	struct work now;
	int rc = work_save(w, err);

	if (rc == MD_OK)
		rc = work_load(w->by, w->c, w->arena, w->ticket.id, &now, err);
	if (rc != MD_OK)
		return rc;
	now.lines = w->lines;
	now.n_lines = w->n_lines;
	now.answers = w->answers;
	now.canned = w->canned;
	now.echo = w->echo;
	now.too_large = w->too_large;
	memcpy(now.sla_effects, w->sla_effects, sizeof now.sla_effects);
	*w = now;
	return MD_OK;
}

void work_done(struct desk *d)
{
	desk_wake(d, DESK_SENDER);
	desk_wake(d, DESK_TIMERS);
	desk_wake(d, DESK_INDEXER);
	desk_wake(d, DESK_EVENTS);
}

/* The end of a piece of work: ticket row, clocks and mails, in the transaction that did the rest.
 */
#include "work_priv.h"

#include <maildesk/store/search.h>

#include <string.h>

int work_save(struct work *w, struct md_err *err)
{
	bool changed = memcmp(&w->ticket, &w->before, sizeof w->ticket) != 0 ||
		       (w->touched && !w->created);
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
}

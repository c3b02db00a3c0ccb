/* SLA clocks of a ticket: rows on one side, the pure clocks of desk/sla.h on the other.
 *
 * Settling is the same whether a person did something or a timer fired: what is due is told, what
 * happened is applied, and one timer per clock says when to look again. So a timer that fires late,
 * or after somebody else's step, finds nothing left to do. */
#include <maildesk/base/mem.h>

#include "work_priv.h"

#include <string.h>

struct live_clock {
	struct clock_row row; /* id 0: none yet */
	struct sla_clock k;
	struct sla_terms before, terms;
	bool has_before, has_terms;
};

static enum sla_metric metric_of(const char *name)
{
	int m = 0;

	while (m < SLA_METRIC_COUNT && strcmp(sla_metric_names[m], name) != 0)
		m++;
	return (enum sla_metric)m;
}

static enum sla_state state_of(const char *name)
{
	int s = 0;

	while (s < SLA_STATE_COUNT && strcmp(sla_state_names[s], name) != 0)
		s++;
	return (enum sla_state)s;
}

static const struct sla_policy *policy_named(const struct desk *d, const char *name)
{
	for (size_t i = 0; i < d->n_policies; i++)
		if (strcmp(d->policies[i].name, name) == 0)
			return &d->policies[i];
	return NULL;
}

/* The policy for the ticket as it is now. */
static int choose_policy(struct work *w, const struct sla_policy **ret, struct md_err *err)
{
	const struct desk *d = w->by->desk;
	const char *priority = work_priority_name(w->ticket.priority);
	const char *category = w->ticket.category ? w->ticket.category : "";
	struct rec_strs of_ticket[SLA_FIELD_COUNT] = { { 0 } };
	struct tag *tags = NULL;
	size_t n = 0;
	int rc = ticket_tags_of(w->c, &w->ticket.id, 1, w->arena, &tags, &n, err);

	if (rc != MD_OK)
		return rc;
	if (w->mailbox)
		of_ticket[SLA_BY_MAILBOX] = (struct rec_strs){ 1, &w->mailbox };
	of_ticket[SLA_BY_PRIORITY] = (struct rec_strs){ 1, &priority };
	of_ticket[SLA_BY_CATEGORY] = (struct rec_strs){ 1, &category };
	of_ticket[SLA_BY_TAG].v = arena_array(w->arena, n, sizeof(char *));
	if (!of_ticket[SLA_BY_TAG].v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		of_ticket[SLA_BY_TAG].v[of_ticket[SLA_BY_TAG].n++] = tags[i].name;
	*ret = sla_policy_find(d->policies, d->n_policies, of_ticket);
	return MD_OK;
}

static void revive(struct work *w, const struct clock_row *row, struct live_clock *live)
{
	const struct sla_policy *p = policy_named(w->by->desk, row->policy);

	live->row = *row;
	live->k = (struct sla_clock){
		.state = state_of(row->state),
		.started_ms = row->started_at,
		.since_ms = row->since_at,
		.used_ms = row->used_ms,
		.due_ms = row->due_at,
		.breached_ms = row->breached_at,
		.told = (uint8_t)row->told,
	};
	live->has_before = p && sla_policy_terms(p, metric_of(row->metric), (int)w->before.priority,
						 &live->before);
}

/* Tell what time alone has brought about. */
static int tell_due(struct work *w, enum sla_metric metric, struct live_clock *live,
		    struct md_err *err)
{
	struct sla_event e;
	int rc = MD_OK;

	while (rc == MD_OK && live->has_before &&
	       sla_take(&live->k, &live->before, w->by->now_ms, &e)) {
		bool breach = e.percent == SLA_TOLD_BREACH;

		rc = work_event(w, breach ? "sla_breach" : "sla_warning", 0, NULL, err);
		if (rc != MD_OK)
			break;
		w->events[w->n_events - 1].metric = sla_metric_names[metric];
		w->events[w->n_events - 1].percent = breach ? 0 : e.percent;
		w->events[w->n_events - 1].due_at = live->k.due_ms;
		rc = work_history(w, breach ? "sla_breach" : "sla_warning", NULL,
				  sla_metric_names[metric], false, err);
	}
	return rc;
}

/* Nobody waits for a ticket that is merged or deleted; one that snoozes still waits for an answer.
 */
static bool is_held(const struct ticket *t, enum sla_metric metric)
{
	return t->merged_into || t->deleted_at ||
	       (t->snoozed_until && metric != SLA_FIRST_RESPONSE && metric != SLA_NEXT_RESPONSE);
}

static void apply(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		  struct live_clock *live)
{
	const struct rec_strs *pauses = &p->goal[metric].pauses;
	const struct workflow_status *status =
		workflow_status(w->by->desk->workflow, w->ticket.status);
	bool by_staff = w->who & WHO_STAFF;
	int64_t at_ms = w->happened_ms ? w->happened_ms : w->by->now_ms;
	const struct {
		bool happened;
		enum sla_happening what;
	} steps[] = {
		{ w->created, by_staff && !(w->who & WHO_REQUESTER) ? SLA_CREATED_BY_AGENT
								    : SLA_CREATED_BY_CUSTOMER },
		{ w->customer_wrote, SLA_CUSTOMER_MESSAGE },
		{ w->agent_replied, SLA_AGENT_REPLY },
		/* a clock that has a target again goes on as the status says */
		{ strcmp(w->ticket.status, w->before.status) != 0 ||
			  (live->row.id && !live->has_before) ||
			  is_held(&w->ticket, metric) != is_held(&w->before, metric),
		  SLA_STATUS_CHANGED },
	};

	/* An answer that was held came in time, whatever was told meanwhile. */
	if (w->agent_replied && metric != SLA_RESOLUTION && live->k.breached_ms > at_ms)
		live->k.breached_ms = SLA_NEVER;
	for (size_t i = 0; i < MD_COUNT(steps); i++)
		if (steps[i].happened)
			sla_apply(&live->k, sla_action(metric, steps[i].what, status, pauses),
				  &live->terms, at_ms);
	if (is_held(&w->ticket, metric))
		sla_apply(&live->k, SLA_PAUSE, &live->terms, w->by->now_ms);
}

static bool same_terms(const struct sla_terms *a, const struct sla_terms *b)
{
	return a->target_ms == b->target_ms && a->calendar == b->calendar;
}

/* One timer a clock: the next thing to be told. */
static int schedule(struct work *w, const struct live_clock *live, bool is_new, struct md_err *err)
{
	struct timer_row t = { .ticket_id = w->ticket.id, .clock_id = live->row.id };
	struct sla_event e;
	int rc = is_new ? MD_OK : timer_drop_clock(w->c, live->row.id, err);

	if (rc != MD_OK || !sla_next(&live->k, &live->terms, &e))
		return rc;
	t.due_at = e.at_ms;
	t.kind = e.percent == SLA_TOLD_BREACH ? "sla_breach" : "sla_warning";
	t.argument = e.percent;
	return timer_add(w->c, &t, err);
}

static int save_clock(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		      struct live_clock *live, struct md_err *err)
{
	struct clock_row *row = &live->row;
	bool is_new = !row->id;
	int rc;

	row->ticket_id = w->ticket.id;
	row->metric = sla_metric_names[metric];
	row->cycle = 1;
	row->policy = p->name;
	row->state = sla_state_names[live->k.state];
	row->started_at = live->k.started_ms;
	row->since_at = live->k.since_ms;
	row->target_ms = live->terms.target_ms;
	row->used_ms = live->k.used_ms;
	row->due_at = live->k.due_ms;
	row->breached_at = live->k.breached_ms;
	row->told = live->k.told;
	rc = is_new ? clock_insert(w->c, row, &row->id, err) : clock_save(w->c, row, err);
	return rc == MD_OK ? schedule(w, live, is_new, err) : rc;
}

static bool is_over(const struct sla_clock *k)
{
	return k->state == SLA_MET || k->state == SLA_BREACHED;
}

static int settle(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		  struct live_clock *live, struct md_err *err)
{
	bool was_over = is_over(&live->k);
	int rc = tell_due(w, metric, live, err);

	if (rc != MD_OK)
		return rc;
	live->has_terms = p && sla_policy_terms(p, metric, (int)w->ticket.priority, &live->terms);
	if (!live->has_terms) {
		/* No target any more: a clock that runs waits, should it get one again. */
		if (!live->row.id || was_over || !live->has_before)
			return MD_OK;
		live->terms = live->before;
		p = policy_named(w->by->desk, live->row.policy);
		sla_apply(&live->k, SLA_PAUSE, &live->terms, w->by->now_ms);
		return save_clock(w, metric, p, live, err);
	}
	if (live->row.id && live->has_before && !same_terms(&live->before, &live->terms))
		sla_change(&live->k, &live->before, &live->terms, w->by->now_ms);
	apply(w, metric, p, live);
	if (live->k.state == SLA_ABSENT || (was_over && is_over(&live->k)))
		return MD_OK;
	return save_clock(w, metric, p, live, err);
}

int work_settle_clocks(struct work *w, struct md_err *err)
{
	const struct sla_policy *p = NULL;
	struct live_clock live[SLA_METRIC_COUNT] = { 0 };
	struct clock_row *rows = NULL;
	size_t n = 0;
	int rc;

	/* What a robot opened waits for nobody's answer; what was imported is never late. */
	if (w->by->desk->n_policies == 0 || w->by->silent || (w->created && w->by->automatic))
		return MD_OK;
	rc = choose_policy(w, &p, err);
	if (rc == MD_OK && !w->created)
		rc = clock_list(w->c, w->ticket.id, w->arena, &rows, &n, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		if (metric_of(rows[i].metric) < SLA_METRIC_COUNT)
			revive(w, &rows[i], &live[metric_of(rows[i].metric)]);
	for (int m = 0; m < SLA_METRIC_COUNT && rc == MD_OK; m++)
		rc = settle(w, (enum sla_metric)m, p, &live[m], err);
	return rc;
}

/* SLA clocks of a ticket: rows on one side, the pure clocks of desk/sla.h on the other.
 *
 * Settling is the same whether a person did something or a timer fired: what is due is told, what
 * happened is applied, and one timer per clock says when to look again. So a timer that fires late,
 * or after somebody else's step, finds nothing left to do. */
#include <maildesk/base/mem.h>

#include <maildesk/store/teams.h>

#include "ticket_priv.h"

#include <string.h>

static enum sla_metric metric_of(const char *name) /* SLA_METRIC_COUNT: none of that name */
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

static const struct sla_policy *sla_policy_named(const struct sla_policy *all, size_t n,
						 const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

const struct sla_policy *work_policy(const struct desk *d, const char *name)
{
	return sla_policy_named(d->policies, d->n_policies, name);
}

/* The policy for the ticket as it is now. */
static int choose_policy(struct work *w, const struct sla_policy **ret, struct md_err *err)
{
	const struct desk *d = w->by->desk;
	const char *priority = work_priority_name(w->ticket.priority);
	const char *category = w->ticket.category ? w->ticket.category : "";
	struct rec_strs of_ticket[SLA_FIELD_COUNT] = { { 0 } };
	struct organisation of = { 0 };
	struct tag *tags = NULL;
	size_t n = 0;
	int rc = ticket_tags_of(w->c, &w->ticket.id, 1, w->arena, &tags, &n, err);

	if (rc == MD_OK && w->ticket.organisation_id)
		rc = organisation_get(w->c, w->ticket.organisation_id, w->arena, &of, err);
	if (rc != MD_OK)
		return rc;
	if (of.name)
		of_ticket[SLA_BY_ORGANISATION] = (struct rec_strs){ 1, &of.name };
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
	const struct desk *d = w->by->desk;
	const struct sla_version *v = desk_sla_before(d, row->sla_version, &live->changed_ms);
	const struct sla_policy *p = v ? sla_policy_named(v->policies, v->n_policies, row->policy)
				       : work_policy(d, row->policy);

	live->is_older = v != NULL;
	live->row = *row;
	live->k = (struct sla_clock){
		.state = state_of(row->state),
		.started_ms = row->started_at,
		.since_ms = row->since_at,
		.used_ms = row->used_ms,
		.due_ms = row->due_at,
		.breached_ms = row->breached_at,
		.told = (uint8_t)row->told,
		.limit_ms = row->limit_ms,
		.escalated = row->escalated,
	};
	live->has_before = p && sla_policy_terms(p, metric_of(row->metric), (int)w->before.priority,
						 &live->before);
	/* the configuration may have another one since */
	if (live->has_before)
		live->before.target_ms = row->target_ms;
}

/* Tell what time alone has brought about until then. */
static int tell_due(struct work *w, enum sla_metric metric, struct live_clock *live, int64_t at_ms,
		    struct md_err *err)
{
	struct sla_event e;
	int rc = MD_OK;

	if (atomic_load(&w->by->desk->clock_doubted))
		return MD_OK;
	while (rc == MD_OK && live->has_before && sla_take(&live->k, &live->before, at_ms, &e)) {
		bool breach = e.percent == SLA_TOLD_BREACH;

		rc = work_event(w, breach ? "sla_breach" : "sla_warning", 0, NULL, err);
		if (rc == MD_OK)
			rc = work_announce_sla(w, breach ? "sla.breached" : "sla.warning", err);
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

const char *work_clock_why(const struct desk *d, const struct ticket *t, const struct sla_policy *p,
			   enum sla_metric metric, struct arena *a)
{
	const struct workflow_status *status = workflow_status(d->workflow, t->status);
	struct sla_terms terms;

	if (t->deleted_at)
		return "paused: deleted";
	if (t->merged_into)
		return "paused: merged";
	if (!p || !sla_policy_terms(p, metric, (int)t->priority, &terms))
		return "paused: no target";
	if (sla_action(metric, SLA_STATUS_CHANGED, status, &p->goal[metric].pauses) == SLA_PAUSE)
		return arena_printf(a, "paused: %s", t->status);
	return t->snoozed_until ? "paused: snoozed" : "paused";
}

/* Why a clock of that ticket does not run. */
static const char *why_paused(const struct work *w, const struct ticket *t, enum sla_metric metric,
			      const struct live_clock *live)
{
	const struct sla_policy *p = work_policy(w->by->desk, live->row.policy);

	return work_clock_why(w->by->desk, t, p, metric, w->arena);
}

const char *work_calendar_title(const struct desk *d, const struct calendar *c)
{
	for (size_t i = 0; i < d->config->n_calendars; i++)
		if (&d->calendars[i] == c)
			return d->config->calendars[i].title;
	for (size_t v = 0; v < d->n_sla_versions; v++)
		for (size_t i = 0; i < d->sla_versions[v].n_calendars; i++)
			if (&d->sla_versions[v].calendars[i] == c)
				return d->sla_versions[v].titles[i];
	return "24x7";
}

/* Write down what the clock did until it was settled just now. */
static void note_stretch(struct work *w, enum sla_metric metric, struct live_clock *live,
			 const struct sla_clock *was, const struct sla_terms *terms)
{
	bool ran = was->state == SLA_RUNNING;

	if (was->state == SLA_ABSENT || live->k.since_ms <= was->since_ms ||
	    live->n_stretches == MD_COUNT(live->stretches))
		return;
	live->stretches[live->n_stretches++] = (struct clock_stretch){
		.to_at = live->k.since_ms,
		.used_ms = live->k.used_ms,
		.state = sla_state_names[was->state],
		.why = ran                        ? NULL
		       : was->state == SLA_PAUSED ? why_paused(w, &w->before, metric, live)
						  : "stopped",
		.calendar = work_calendar_title(w->by->desk, terms->calendar),
		.target_ms = terms->target_ms,
	};
}

static bool act(struct work *w, enum sla_metric metric, struct live_clock *live,
		enum sla_action action, int64_t at_ms)
{
	struct sla_clock was = live->k;

	if (!sla_apply(&live->k, action, &live->terms, at_ms))
		return false;
	note_stretch(w, metric, live, &was, &live->terms);
	return true;
}

/* The timers of a clock: the next thing to be told, and the next to be done. */
static int schedule(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		    const struct live_clock *live, bool is_new, struct md_err *err)
{
	const struct escalation_steps *steps = &w->by->desk->escalations[p - w->by->desk->policies];
	struct timer_row t = { .ticket_id = w->ticket.id, .clock_id = live->row.id };
	struct sla_event e;
	int rc = is_new ? MD_OK : timer_drop_clock(w->c, live->row.id, err);

	if (rc == MD_OK && sla_next(&live->k, &live->terms, &e)) {
		t.due_at = e.at_ms;
		t.kind = e.percent == SLA_TOLD_BREACH ? "sla_breach" : "sla_warning";
		t.argument = e.percent;
		rc = timer_add(w->c, &t, err);
	}
	if (rc == MD_OK && escalation_next(&live->k, &live->terms, steps, metric, &t.due_at)) {
		t.kind = "escalation";
		t.argument = 0;
		rc = timer_add(w->c, &t, err);
	}
	return rc;
}

/* For the decision of a mail: what it did to the clock. */
static void note_effect(struct work *w, enum sla_metric metric, const struct live_clock *live)
{
	static const char *const effects[SLA_STATE_COUNT] = { [SLA_RUNNING] = "started",
							      [SLA_PAUSED] = "paused",
							      [SLA_MET] = "met",
							      [SLA_BREACHED] = "breached" };
	const char *before = live->row.id ? live->row.state : "";

	if (strcmp(before, sla_state_names[live->k.state]) != 0)
		w->sla_effects[metric] =
			live->k.state == SLA_RUNNING && strcmp(before, "paused") == 0
				? "resumed"
				: effects[live->k.state];
}

static int save_clock(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		      struct live_clock *live, struct md_err *err)
{
	struct clock_row *row = &live->row;
	bool is_new = !row->id;
	int rc;

	row->ticket_id = w->ticket.id;
	row->metric = sla_metric_names[metric];
	row->cycle = row->cycle ? row->cycle : 1;
	row->policy = p ? p->name : row->policy;
	row->sla_version = w->by->desk->sla_version;
	note_effect(w, metric, live);
	row->state = sla_state_names[live->k.state];
	row->started_at = live->k.started_ms;
	row->since_at = live->k.since_ms;
	row->target_ms = live->terms.target_ms;
	row->used_ms = live->k.used_ms;
	row->due_at = live->k.due_ms;
	row->breached_at = live->k.breached_ms;
	row->told = live->k.told;
	row->limit_ms = live->k.limit_ms;
	row->escalated = live->k.escalated;
	rc = is_new ? clock_insert(w->c, row, &row->id, err) : clock_save(w->c, row, err);
	for (size_t i = 0; i < live->n_stretches && rc == MD_OK; i++) {
		live->stretches[i].clock_id = row->id;
		rc = clock_stretch_add(w->c, &live->stretches[i], err);
	}
	live->n_stretches = 0;
	if (rc != MD_OK || !p)
		return rc == MD_OK ? timer_drop_clock(w->c, row->id, err) : rc;
	return schedule(w, metric, p, live, is_new, err);
}

/* The present cycle goes into the ledger; the next one is another row. */
static int end_cycle(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		     struct live_clock *live, int64_t at_ms, struct md_err *err)
{
	int64_t cycle = live->row.cycle;
	int rc = MD_OK;

	/* one that stopped before is written already, with the terms it had */
	if (act(w, metric, live, SLA_STOP, at_ms))
		rc = save_clock(w, metric, p, live, err);
	live->k = (struct sla_clock){ .state = SLA_ABSENT };
	live->row = (struct clock_row){ .cycle = cycle + 1, .policy = p->name };
	return rc;
}

/* What is done to the clock because of what happened to the ticket. */
static int happen(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		  struct live_clock *live, enum sla_happening what, int64_t at_ms,
		  struct md_err *err)
{
	const struct rec_strs *pauses = &p->goal[metric].pauses;
	const struct workflow_status *status =
		workflow_status(w->by->desk->workflow, w->ticket.status);
	enum sla_action action = sla_action(metric, what, status, pauses);
	int rc = MD_OK;

	if (sla_begins_cycle(&live->k, action)) {
		rc = end_cycle(w, metric, p, live, at_ms, err);
		action = SLA_START;
	}
	if (live->k.state != SLA_ABSENT) {
		act(w, metric, live, action, at_ms);
		return rc;
	}
	if (act(w, metric, live, action, at_ms))
		act(w, metric, live, sla_action(metric, SLA_STATUS_CHANGED, status, pauses), at_ms);
	return rc;
}

static bool is_done(const struct work *w, const char *name)
{
	const struct workflow_status *s = workflow_status(w->by->desk->workflow, name);

	return s && (s->phase == PHASE_RESOLVED || s->phase == PHASE_CLOSED);
}

/* A ticket that has a target only now, since somebody gave it another priority, category, tag or
 * requester: its clocks begin with that. */
static bool starts_late(const struct work *w, enum sla_metric metric, const struct live_clock *live)
{
	bool another = w->retagged || w->ticket.priority != w->before.priority ||
		       w->ticket.organisation_id != w->before.organisation_id ||
		       strcmp(w->ticket.category ? w->ticket.category : "",
			      w->before.category ? w->before.category : "") != 0;

	if (w->created || live->k.state != SLA_ABSENT || !another || is_done(w, w->ticket.status))
		return false;
	return metric == SLA_UPDATE || metric == SLA_RESOLUTION ||
	       (!w->ticket.first_response_at && w->ticket.created_by == w->ticket.requester_id);
}

static int apply(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		 struct live_clock *live, struct md_err *err)
{
	bool by_staff = (w->who & WHO_STAFF) && !(w->who & WHO_REQUESTER);
	bool again = p->restarts && is_done(w, w->before.status) && !is_done(w, w->ticket.status);
	int64_t at_ms = w->happened_ms ? w->happened_ms : w->by->now_ms;
	const struct {
		bool happened;
		enum sla_happening what;
	} steps[] = {
		{ w->created, by_staff ? SLA_CREATED_BY_AGENT : SLA_CREATED_BY_CUSTOMER },
		{ starts_late(w, metric, live), SLA_CREATED_BY_CUSTOMER },
		{ w->customer_wrote, SLA_CUSTOMER_MESSAGE },
		{ w->agent_replied, SLA_AGENT_REPLY },
		{ again, SLA_RESTARTED },
		/* a clock that has a target again goes on as the status says */
		{ strcmp(w->ticket.status, w->before.status) != 0 ||
			  (live->row.id && (!live->has_before || live->is_older)) ||
			  is_held(&w->ticket, metric) != is_held(&w->before, metric),
		  SLA_STATUS_CHANGED },
	};
	int rc = MD_OK;

	/* An answer that was held came in time, whatever was told meanwhile. */
	if (w->agent_replied && metric != SLA_RESOLUTION && live->k.breached_ms > at_ms)
		live->k.breached_ms = SLA_NEVER;
	for (size_t i = 0; i < MD_COUNT(steps) && rc == MD_OK; i++)
		if (steps[i].happened)
			rc = happen(w, metric, p, live, steps[i].what, at_ms, err);
	if (is_held(&w->ticket, metric))
		act(w, metric, live, SLA_PAUSE, w->by->now_ms);
	return rc;
}

static bool same_terms(const struct sla_terms *a, const struct sla_terms *b)
{
	return a->target_ms == b->target_ms && a->calendar == b->calendar;
}

static bool is_over(const struct sla_clock *k)
{
	return k->state == SLA_MET || k->state == SLA_BREACHED;
}

/* No target any more: a clock that runs waits, should it get one again. */
static int lose_target(struct work *w, enum sla_metric metric, struct live_clock *live,
		       int64_t at_ms, struct md_err *err)
{
	if (!live->row.id || is_over(&live->k) || !live->has_before)
		return MD_OK;
	live->terms = live->before;
	act(w, metric, live, SLA_PAUSE, at_ms);
	return save_clock(w, metric, work_policy(w->by->desk, live->row.policy), live, err);
}

/* The terms it has now, instead of those it ran by until now. */
static void take_terms(struct work *w, enum sla_metric metric, struct live_clock *live,
		       int64_t at_ms)
{
	struct sla_clock was = live->k;

	if (!live->row.id)
		return;
	if (!live->has_before) { /* it had none meanwhile, and stood still */
		live->before = live->terms;
		live->before.target_ms = live->row.target_ms;
	}
	if (same_terms(&live->before, &live->terms))
		return;
	sla_change(&live->k, &live->before, &live->terms, at_ms);
	note_stretch(w, metric, live, &was, &live->before);
}

static int settle(struct work *w, enum sla_metric metric, const struct sla_policy *p,
		  struct live_clock *live, struct md_err *err)
{
	bool was_over = is_over(&live->k);
	int64_t now = w->by->now_ms, until = live->is_older ? live->changed_ms : now;
	int rc = tell_due(w, metric, live, until, err);

	if (rc != MD_OK)
		return rc;
	live->has_terms = p && sla_policy_terms(p, metric, (int)w->ticket.priority, &live->terms);
	if (!live->has_terms)
		return lose_target(w, metric, live, until, err);
	take_terms(w, metric, live, until);
	if (live->is_older) { /* and by the new terms up to now */
		live->before = live->terms;
		live->has_before = true;
		rc = tell_due(w, metric, live, now, err);
	}
	if (rc == MD_OK)
		rc = apply(w, metric, p, live, err);
	if (rc != MD_OK || live->k.state == SLA_ABSENT ||
	    (live->row.id && was_over && is_over(&live->k)))
		return rc;
	/* one that had stopped meets its new target now that it runs again */
	if (live->row.id && was_over)
		sla_change(&live->k, &live->terms, &live->terms, live->k.since_ms);
	return save_clock(w, metric, p, live, err);
}

int work_load_clocks(struct work *w, struct live_clock live[SLA_METRIC_COUNT], struct md_err *err)
{
	struct clock_row *rows = NULL;
	size_t n = 0;
	int rc = clock_list(w->c, w->ticket.id, w->arena, &rows, &n, err);

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		if (metric_of(rows[i].metric) < SLA_METRIC_COUNT)
			revive(w, &rows[i], &live[metric_of(rows[i].metric)]);
	return rc;
}

int work_settle_clocks(struct work *w, struct md_err *err)
{
	const struct sla_policy *p = NULL;
	struct live_clock live[SLA_METRIC_COUNT] = { 0 };
	int rc;

	/* What a robot opened waits for nobody's answer; what was imported is never late. */
	if (w->by->desk->n_policies == 0 || w->by->silent || (w->created && w->by->automatic))
		return MD_OK;
	rc = choose_policy(w, &p, err);
	if (rc == MD_OK && !w->created)
		rc = work_load_clocks(w, live, err);
	for (int m = 0; m < SLA_METRIC_COUNT && rc == MD_OK; m++)
		rc = settle(w, (enum sla_metric)m, p, &live[m], err);
	return rc;
}

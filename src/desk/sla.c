#include <maildesk/desk/sla.h>

#include <string.h>

const char *const sla_metric_names[SLA_METRIC_COUNT] = {
	[SLA_FIRST_RESPONSE] = "first_response",
	[SLA_NEXT_RESPONSE] = "next_response",
	[SLA_UPDATE] = "update",
	[SLA_RESOLUTION] = "resolution",
};

const char *const sla_state_names[SLA_STATE_COUNT] = {
	[SLA_ABSENT] = "absent", [SLA_RUNNING] = "running",   [SLA_PAUSED] = "paused",
	[SLA_MET] = "met",       [SLA_BREACHED] = "breached",
};

/* ---- one clock ---- */

int64_t sla_used(const struct sla_clock *k, const struct sla_terms *terms, int64_t now_ms)
{
	if (k->state != SLA_RUNNING)
		return k->used_ms;
	return k->used_ms + calendar_used(terms->calendar, k->since_ms, now_ms);
}

/* Bring used, since and breached up to now; due is the caller's to lay anew. */
static int64_t settle(struct sla_clock *k, const struct sla_terms *terms, int64_t now_ms)
{
	if (now_ms < k->since_ms)
		now_ms = k->since_ms;
	k->used_ms = sla_used(k, terms, now_ms);
	k->since_ms = now_ms;
	if (k->breached_ms == SLA_NEVER && k->due_ms != SLA_NEVER && now_ms > k->due_ms)
		k->breached_ms = k->due_ms;
	return now_ms;
}

static void run(struct sla_clock *k, const struct sla_terms *terms)
{
	k->state = SLA_RUNNING;
	if (!calendar_add(terms->calendar, k->since_ms, terms->target_ms - k->used_ms, &k->due_ms))
		k->due_ms = SLA_NEVER;
}

static void start(struct sla_clock *k, const struct sla_terms *terms, int64_t now_ms)
{
	*k = (struct sla_clock){ .started_ms = now_ms,
				 .since_ms = now_ms,
				 .due_ms = SLA_NEVER,
				 .breached_ms = SLA_NEVER,
				 .limit_ms = terms->target_ms };
	run(k, terms);
}

/* Which states an action applies to. */
static const bool fits[][SLA_STATE_COUNT] = {
	[SLA_KEEP] = { false },
	[SLA_START] = { [SLA_ABSENT] = true },
	[SLA_RENEW] = { [SLA_ABSENT] = true, [SLA_MET] = true, [SLA_BREACHED] = true },
	[SLA_CYCLE] = { true, true, true, true, true },
	[SLA_PAUSE] = { [SLA_RUNNING] = true },
	[SLA_RESUME] = { [SLA_PAUSED] = true },
	[SLA_REOPEN] = { [SLA_PAUSED] = true, [SLA_MET] = true, [SLA_BREACHED] = true },
	[SLA_STOP] = { [SLA_RUNNING] = true, [SLA_PAUSED] = true },
};

bool sla_apply(struct sla_clock *k, enum sla_action action, const struct sla_terms *terms,
	       int64_t now_ms)
{
	if (!fits[action][k->state])
		return false;
	if (action == SLA_START || action == SLA_RENEW || action == SLA_CYCLE) {
		start(k, terms, now_ms);
		return true;
	}
	settle(k, terms, now_ms);
	switch (action) {
	case SLA_PAUSE:
		k->state = SLA_PAUSED;
		k->due_ms = SLA_NEVER;
		break;
	case SLA_STOP:
		k->state = k->breached_ms == SLA_NEVER ? SLA_MET : SLA_BREACHED;
		break;
	default:
		run(k, terms);
	}
	return true;
}

bool sla_begins_cycle(const struct sla_clock *k, enum sla_action action)
{
	return (action == SLA_RENEW || action == SLA_CYCLE) && k->state != SLA_ABSENT &&
	       fits[action][k->state];
}

void sla_change(struct sla_clock *k, const struct sla_terms *before, const struct sla_terms *terms,
		int64_t now_ms)
{
	if (k->state != SLA_RUNNING && k->state != SLA_PAUSED)
		return;
	now_ms = settle(k, before, now_ms);
	if (k->limit_ms > k->used_ms)
		k->limit_ms = k->used_ms;
	if (k->limit_ms < terms->target_ms)
		k->limit_ms = terms->target_ms;
	if (k->state == SLA_RUNNING)
		run(k, terms);
	if (terms->target_ms <= k->used_ms && k->breached_ms == SLA_NEVER)
		k->breached_ms = now_ms;
}

/* The first warning not told yet. */
static bool next_warning(const struct sla_clock *k, const struct sla_terms *terms,
			 struct sla_event *ret)
{
	int64_t rest;
	size_t i = 0;

	while (i < terms->warnings && terms->warn[i] <= k->told)
		i++;
	if (i == terms->warnings || (k->state != SLA_RUNNING && k->state != SLA_PAUSED))
		return false;
	ret->percent = terms->warn[i];
	/* rounded up: the first instant at which that much is used */
	rest = (terms->target_ms * terms->warn[i] + 99) / 100 - k->used_ms;
	if (k->state == SLA_RUNNING || rest <= 0)
		return calendar_add(terms->calendar, k->since_ms, rest, &ret->at_ms);
	return false;
}

bool sla_next(const struct sla_clock *k, const struct sla_terms *terms, struct sla_event *ret)
{
	struct sla_event breach = { .at_ms = SLA_NEVER, .percent = SLA_TOLD_BREACH };
	struct sla_event warning;

	if (k->state == SLA_ABSENT || k->told == SLA_TOLD_BREACH)
		return false;
	if (k->breached_ms != SLA_NEVER)
		breach.at_ms = k->breached_ms;
	else if (k->state == SLA_RUNNING && k->due_ms != SLA_NEVER)
		breach.at_ms = k->due_ms + 1;
	if (next_warning(k, terms, &warning) &&
	    (breach.at_ms == SLA_NEVER || warning.at_ms <= breach.at_ms)) {
		*ret = warning;
		return true;
	}
	*ret = breach;
	return breach.at_ms != SLA_NEVER;
}

bool sla_take(struct sla_clock *k, const struct sla_terms *terms, int64_t now_ms,
	      struct sla_event *ret)
{
	struct sla_event e;

	if (!sla_next(k, terms, &e) || e.at_ms > now_ms)
		return false;
	if (e.percent == SLA_TOLD_BREACH && k->breached_ms == SLA_NEVER)
		k->breached_ms = k->due_ms;
	k->told = e.percent;
	*ret = e;
	return true;
}

/* ---- what happens to a ticket ---- */

static const enum sla_action actions[SLA_HAPPENING_COUNT][SLA_METRIC_COUNT] = {
	[SLA_CREATED_BY_CUSTOMER] = { SLA_START, SLA_START, SLA_START, SLA_START },
	/* nobody waits for an answer yet */
	[SLA_CREATED_BY_AGENT] = { SLA_KEEP, SLA_KEEP, SLA_START, SLA_START },
	[SLA_CUSTOMER_MESSAGE] = { SLA_START, SLA_RENEW, SLA_KEEP, SLA_KEEP },
	[SLA_AGENT_REPLY] = { SLA_STOP, SLA_STOP, SLA_CYCLE, SLA_KEEP },
	[SLA_RESTARTED] = { SLA_RESUME, SLA_RESUME, SLA_CYCLE, SLA_CYCLE },
};

/* By the phase of the new status; PHASE_WAITING stands for every status in the pause list. A
 * response that never came is not met by closing: its clock waits for a reopening. */
static const enum sla_action phase_actions[][SLA_METRIC_COUNT] = {
	[PHASE_ACTIVE] = { SLA_RESUME, SLA_RESUME, SLA_REOPEN, SLA_REOPEN },
	[PHASE_WAITING] = { SLA_PAUSE, SLA_PAUSE, SLA_PAUSE, SLA_PAUSE },
	[PHASE_RESOLVED] = { SLA_PAUSE, SLA_PAUSE, SLA_PAUSE, SLA_PAUSE },
	[PHASE_CLOSED] = { SLA_PAUSE, SLA_PAUSE, SLA_STOP, SLA_STOP },
};

static bool has(const struct rec_strs *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

enum sla_action sla_action(enum sla_metric metric, enum sla_happening what,
			   const struct workflow_status *status, const struct rec_strs *pauses)
{
	enum workflow_phase phase = status->phase;

	/* nobody counts the silence of a ticket that is closed */
	if (what == SLA_AGENT_REPLY && metric == SLA_UPDATE && phase == PHASE_CLOSED)
		return SLA_KEEP;
	if (what != SLA_STATUS_CHANGED)
		return actions[what][metric];
	if (phase == PHASE_ACTIVE || phase == PHASE_WAITING)
		phase = has(pauses, status->name) ? PHASE_WAITING : PHASE_ACTIVE;
	return phase_actions[phase][metric];
}

/* ---- policies ---- */

static bool share_value(const struct rec_strs *a, const struct rec_strs *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (has(b, a->v[i]))
			return true;
	return false;
}

static bool policy_matches(const struct sla_policy *p, const struct rec_strs *ticket)
{
	for (size_t f = 0; f < SLA_FIELD_COUNT; f++)
		if (p->match[f].n > 0 && !share_value(&p->match[f], &ticket[f]))
			return false;
	return true;
}

const struct sla_policy *sla_policy_find(const struct sla_policy *policies, size_t n,
					 const struct rec_strs ticket[SLA_FIELD_COUNT])
{
	for (size_t i = 0; i < n; i++)
		if (policy_matches(&policies[i], ticket))
			return &policies[i];
	return NULL;
}

bool sla_policy_terms(const struct sla_policy *p, enum sla_metric metric, int priority,
		      struct sla_terms *ret)
{
	const struct sla_goal *g = &p->goal[metric];

	if (priority < 0 || priority >= SLA_PRIORITIES || g->target_ms[priority] == 0)
		return false;
	*ret = (struct sla_terms){ .target_ms = g->target_ms[priority],
				   .calendar = g->calendar,
				   .warnings = g->warnings };
	memcpy(ret->warn, g->warn, sizeof ret->warn);
	return true;
}

/* What is done about clocks that are over their due time (desk/escalation.h).
 *
 * What is due is taken off the clock first and written down; then come the actions. So whatever
 * they change, and whichever policy fits the ticket afterwards, none leads back into its own step.
 * An action that cannot be done (nobody of that address) is told in the history and stops nothing:
 * the others are done all the same. */
#include <maildesk/store/teams.h>

#include "ticket_priv.h"

#include <string.h>

enum { TOP_PRIORITY = CONF_PRIORITIES - 1 };

/* Closed ones have no clock that runs; of one whose assignee muted it nothing is wanted. */
static bool is_muted(const struct work *w)
{
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == w->ticket.assignee_id && w->participants[i].muted)
			return true;
	return false;
}

/* "first" of one that is taken once, else "first 2/3", or "first 1-2/3". */
static const char *name_of(struct work *w, const struct conf_escalation *e, int from, int to)
{
	if (e->times == 1)
		return e->title;
	return from == to ? arena_printf(w->arena, "%s %d/%lld", e->title, to, (long long)e->times)
			  : arena_printf(w->arena, "%s %d-%d/%lld", e->title, from, to,
					 (long long)e->times);
}

/* ---- actions ---- */

static int raise_priority(struct work *w, const char *to, struct md_err *err)
{
	struct work_change ch = WORK_CHANGE_NONE;

	if (!*to)
		return MD_OK;
	ch.priority = strcmp(to, "up") == 0 ? w->ticket.priority + 1 : work_priority_from_name(to);
	if (ch.priority <= w->ticket.priority || ch.priority > TOP_PRIORITY)
		return MD_OK;
	return work_change(w, &ch, err);
}

static int assign(struct work *w, const char *to, struct md_err *err)
{
	struct user user;
	struct team team;
	int rc;

	if (!*to)
		return MD_OK;
	if (strchr(to, '@')) {
		rc = user_by_address(w->c, to, w->arena, &user, err);
		if (rc == MD_NOTFOUND)
			return md_fail(err, rc, 0, "no user has the address %s", to);
		return rc == MD_OK ? work_set_assignee(w, user.id, true, err) : rc;
	}
	rc = team_by_name(w->c, to, w->arena, &team, err);
	if (rc == MD_NOTFOUND)
		return md_fail(err, rc, 0, "there is no team %s", to);
	if (rc == MD_OK)
		rc = work_set_team(w, team.id, err);
	return rc == MD_OK ? work_assign_by_desk(w, err) : rc;
}

static int add_tags(struct work *w, const struct conf_strs *tags, struct md_err *err)
{
	struct work_change ch = WORK_CHANGE_NONE;

	ch.add_tags = (struct rec_strs){ tags->n, tags->v };
	return tags->n ? work_change(w, &ch, err) : MD_OK;
}

static int add_note(struct work *w, const char *text, struct md_err *err)
{
	const struct work_comment note = { .body = text, .is_internal = true };
	int64_t id;

	return *text ? work_comment(w, &note, &id, err) : MD_OK;
}

/* Whom to tell; 0: nobody. */
static int tell(struct work *w, const struct conf_escalation *e, const struct live_clock *live,
		size_t step, struct md_err *err)
{
	unsigned roles = 0;
	int rc;

	for (size_t i = 0; i < e->notify.n; i++)
		for (const struct conf_word *word = conf_audiences; word->name; word++)
			if (strcmp(word->name, e->notify.v[i]) == 0)
				roles |= word->value;
	if (!roles && !e->tells_default)
		return MD_OK;
	rc = work_event(w, "escalated", 0, NULL, err);
	if (rc != MD_OK)
		return rc;
	w->events[w->n_events - 1].metric = live->row.metric;
	w->events[w->n_events - 1].due_at = live->k.due_ms;
	w->events[w->n_events - 1].step = step + 1;
	w->events[w->n_events - 1].audience = roles;
	return MD_OK;
}

/* What cannot be done is a line of history. */
static int survive(struct work *w, int rc, const char *name, struct md_err *err)
{
	if (rc != MD_NOTFOUND && rc != MD_INPUT && rc != MD_REFUSED && rc != MD_CONFLICT)
		return rc;
	return work_history(w, "escalation_failed", name,
			    err ? arena_strdup(w->arena, err->text) : NULL, false, err);
}

static int do_step(struct work *w, const struct conf_escalation *e, const struct live_clock *live,
		   const struct escalation_taken *t, struct md_err *err)
{
	const char *name = name_of(w, e, t->last, t->last);
	int rc = work_history(w, "escalated", live->row.metric, name, false, err);

	w->touched = true;
	if (rc == MD_OK)
		rc = survive(w, raise_priority(w, e->priority, err), name, err);
	if (rc == MD_OK)
		rc = survive(w, assign(w, e->assign, err), name, err);
	if (rc == MD_OK)
		rc = survive(w, add_tags(w, &e->tags, err), name, err);
	if (rc == MD_OK)
		rc = survive(w, add_note(w, e->note, err), name, err);
	if (rc == MD_OK && e->webhook)
		rc = work_announce_sla(w, "sla.escalated", err);
	return rc == MD_OK ? tell(w, e, live, t->step, err) : rc;
}

/* ---- steps ---- */

static int skip(struct work *w, const struct conf_escalation *e, const struct live_clock *live,
		int from, int to, struct md_err *err)
{
	w->touched = true;
	return work_history(w, "escalation_skipped", live->row.metric, name_of(w, e, from, to),
			    false, err);
}

static int escalate(struct work *w, const struct sla_policy *p, enum sla_metric metric,
		    struct live_clock *live, struct md_err *err)
{
	const struct desk *d = w->by->desk;
	const struct conf_escalation *steps = d->config->slas[p - d->policies].escalations;
	struct escalation_taken taken[ESCALATION_STEPS];
	size_t n = escalation_take(&live->k, &live->before, &d->escalations[p - d->policies],
				   metric, w->by->now_ms, taken);
	int rc = MD_OK;

	if (n == 0)
		return MD_OK;
	live->row.escalated = live->k.escalated;
	rc = clock_save(w->c, &live->row, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		const struct conf_escalation *e = &steps[taken[i].step];
		bool is_done = taken[i].is_done && !is_muted(w);
		int missed = taken[i].last - is_done;

		if (missed >= taken[i].first)
			rc = skip(w, e, live, taken[i].first, missed, err);
		if (rc == MD_OK && is_done)
			rc = do_step(w, e, live, &taken[i], err);
	}
	return rc;
}

int work_escalate(struct work *w, struct md_err *err)
{
	struct live_clock live[SLA_METRIC_COUNT] = { 0 };
	int rc = work_load_clocks(w, live, err);

	for (int m = 0; m < SLA_METRIC_COUNT && rc == MD_OK; m++) {
		const struct sla_policy *p =
			live[m].has_before ? work_policy(w->by->desk, live[m].row.policy) : NULL;

		if (p)
			rc = escalate(w, p, (enum sla_metric)m, &live[m], err);
	}
	return rc;
}

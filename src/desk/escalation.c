#include <maildesk/desk/escalation.h>

enum { BITS = 8, MASK = 0xff };

static int taken(const struct sla_clock *k, size_t step)
{
	return (int)((uint64_t)k->escalated >> (step * BITS) & MASK);
}

static void set_taken(struct sla_clock *k, size_t step, int times)
{
	uint64_t all = (uint64_t)k->escalated & ~((uint64_t)MASK << (step * BITS));

	k->escalated = (int64_t)(all | (uint64_t)times << (step * BITS));
}

/* When the clock went over its limit, or will. */
static bool over_at(const struct sla_clock *k, const struct sla_terms *terms, int64_t *ret_ms)
{
	if (k->used_ms >= k->limit_ms && k->breached_ms != SLA_NEVER) {
		*ret_ms = k->breached_ms;
		return true;
	}
	return calendar_add(terms->calendar, k->since_ms, k->limit_ms - k->used_ms, ret_ms);
}

/* When rung n (from 0) of a ladder is due. */
static bool rung_at(const struct sla_clock *k, const struct sla_terms *terms,
		    const struct escalation_step *s, int n, int64_t *ret_ms)
{
	int64_t offset = s->after_ms + n * s->every_ms;

	if (k->state != SLA_RUNNING || n >= s->times)
		return false;
	if (!s->real && offset > 0)
		return calendar_add(terms->calendar, k->since_ms, k->limit_ms - k->used_ms + offset,
				    ret_ms);
	if (!over_at(k, terms, ret_ms))
		return false;
	*ret_ms += offset > 0 ? offset : 1;
	return true;
}

bool escalation_next(const struct sla_clock *k, const struct sla_terms *terms,
		     const struct escalation_steps *steps, enum sla_metric metric,
		     int64_t *ret_at_ms)
{
	bool found = false;
	int64_t at;

	for (size_t i = 0; i < steps->n; i++) {
		if (steps->v[i].metric != metric ||
		    !rung_at(k, terms, &steps->v[i], taken(k, i), &at) ||
		    (found && at >= *ret_at_ms))
			continue;
		*ret_at_ms = at;
		found = true;
	}
	return found;
}

size_t escalation_take(struct sla_clock *k, const struct sla_terms *terms,
		       const struct escalation_steps *steps, enum sla_metric metric, int64_t now_ms,
		       struct escalation_taken ret[ESCALATION_STEPS])
{
	int64_t latest = INT64_MIN, at;
	size_t n = 0;

	for (size_t i = 0; i < steps->n; i++) {
		struct escalation_taken t = { .step = i, .first = taken(k, i) + 1 };
		int rung = taken(k, i);

		while (steps->v[i].metric == metric && rung_at(k, terms, &steps->v[i], rung, &at) &&
		       at <= now_ms) {
			t.last = ++rung;
			t.at_ms = at;
		}
		if (t.last == 0)
			continue;
		latest = t.at_ms > latest ? t.at_ms : latest;
		ret[n++] = t;
	}
	for (size_t i = 0; i < n; i++) {
		ret[i].is_done = ret[i].at_ms == latest;
		set_taken(k, ret[i].step, ret[i].last);
	}
	return n;
}

/* escalation.h - what is done about a clock that is over its due time, step by step.
 *
 * A policy has up to ESCALATION_STEPS ladders; each of them is taken first `after` the due time and
 * then `times` - 1 times more, `every` so long. How often each was taken is kept in the clock
 * (eight bits a ladder), so it is taken once, whoever asks how often, and whatever its own actions
 * change. A policy that takes over goes on where the other one stood.
 *
 * Times count as the clock does, in open time and without pauses, or by the wall clock. Nothing is
 * taken of a clock that does not run. The rung at 0 is taken with the breach, at the first instant
 * after due. */
#ifndef MAILDESK_DESK_ESCALATION_H
#define MAILDESK_DESK_ESCALATION_H

#include <maildesk/desk/sla.h>

enum { ESCALATION_STEPS = 8, ESCALATION_TIMES = 100 };

struct escalation_step {
	enum sla_metric metric;
	int64_t after_ms, every_ms;
	int times; /* 1..ESCALATION_TIMES */
	bool real; /* after and every are of the wall clock */
};
struct escalation_steps {
	size_t n;
	struct escalation_step v[ESCALATION_STEPS];
};

/* When something is to be done next. False: never, as things stand. */
bool escalation_next(const struct sla_clock *k, const struct sla_terms *terms,
		     const struct escalation_steps *steps, enum sla_metric metric,
		     int64_t *ret_at_ms);

struct escalation_taken {
	size_t step;
	int first, last; /* the rungs it stands for, from 1: all but the last were missed */
	bool is_done;    /* false: the last was missed, too, since a later one is due */
	int64_t at_ms;   /* when the last was due */
};
/* Take all rungs that are due off the clock. Only the latest of them is to be done; with several at
 * that same instant, each of these. Returns how many ladders moved. */
size_t escalation_take(struct sla_clock *k, const struct sla_terms *terms,
		       const struct escalation_steps *steps, enum sla_metric metric, int64_t now_ms,
		       struct escalation_taken ret[ESCALATION_STEPS]);

#endif

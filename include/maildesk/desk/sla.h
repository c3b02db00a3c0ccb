/* sla.h - SLA clocks as values, and what runs them.
 *
 * A clock counts open time of a calendar towards a target. Every change settles it: the time used
 * until then is added up by the calendar valid until then, and `due` is laid anew from the rest.
 * So a clock is one row; nothing has to be replayed.
 *
 *	sla_take()	first, until false, at each wake-up and before each change: whom to tell
 *	sla_apply()	then, with the action that sla_action() gives for what happened
 *	sla_change()	when the policy, the priority or the calendar gave the clock other terms
 *	sla_next()	last: when to wake up
 *
 * Instants and durations are milliseconds. Met is stopped at or before due; breached from the first
 * instant after it. A breach stays, and is told once; so is each warning. */
#ifndef MAILDESK_DESK_SLA_H
#define MAILDESK_DESK_SLA_H

#include <maildesk/base/record.h>
#include <maildesk/desk/calendar.h>
#include <maildesk/desk/workflow.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLA_NEVER INT64_C(0) /* no such instant; NULL in the database */

enum sla_metric {
	SLA_FIRST_RESPONSE, /* creation to the first public reply of an agent */
	SLA_NEXT_RESPONSE,  /* oldest unanswered message of a customer to a public reply */
	SLA_UPDATE,         /* the longest silence towards the customer of an open ticket */
	SLA_RESOLUTION,     /* creation to resolved or closed */
	SLA_METRIC_COUNT
};
extern const char *const sla_metric_names[SLA_METRIC_COUNT]; /* "first_response", ... */

/* ---- one clock ---- */

enum sla_state { SLA_ABSENT, SLA_RUNNING, SLA_PAUSED, SLA_MET, SLA_BREACHED, SLA_STATE_COUNT };
extern const char *const sla_state_names[SLA_STATE_COUNT]; /* "absent", "running", ... */

enum { SLA_WARNINGS = 8, SLA_TOLD_BREACH = 101 };

/* What a clock runs by. */
struct sla_terms {
	int64_t target_ms;
	const struct calendar *calendar;
	size_t warnings;
	uint8_t warn[SLA_WARNINGS]; /* percent of the target, 1..100, ascending */
};

struct sla_clock {
	enum sla_state state; /* zeroed: SLA_ABSENT. MET and BREACHED are stopped clocks */
	int64_t started_ms;
	int64_t since_ms;    /* the last settlement; of no matter unless running */
	int64_t used_ms;     /* open time from started_ms to since_ms, pauses left out */
	int64_t due_ms;      /* SLA_NEVER while paused or when the calendar never gets there */
	int64_t breached_ms; /* SLA_NEVER if not; also set on running and paused clocks */
	int64_t limit_ms;    /* used time at due: the target, or what a change found used already */
	int64_t escalated;   /* of escalation.h: how often each step was taken */
	uint8_t told;        /* percent of the last warning told, SLA_TOLD_BREACH, or 0 */
};

enum sla_action {
	SLA_KEEP,
	SLA_START, /* only a clock that is absent */
	SLA_RENEW, /* also a stopped one: a new cycle */
	SLA_CYCLE, /* whatever its state: the present cycle ends here and a new one begins */
	SLA_PAUSE,
	SLA_RESUME, /* only a paused one */
	SLA_REOPEN, /* also a stopped one, which goes on with the rest */
	SLA_STOP
};
/* An action that does not fit the clock's state changes nothing. True if the clock changed.
 * `now_ms` must not lie before the clock's since_ms; it is taken as since_ms if it does. */
bool sla_apply(struct sla_clock *k, enum sla_action action, const struct sla_terms *terms,
	       int64_t now_ms);
/* Will that action begin another cycle? Who keeps the ledger then stops the clock, writes it down,
 * and starts one of the next cycle from a zeroed struct. */
bool sla_begins_cycle(const struct sla_clock *k, enum sla_action action);

/* From now on `terms` instead of `before`: keeps the time used. If nothing is left, due is now and
 * the clock, unless breached before, is breached now. */
void sla_change(struct sla_clock *k, const struct sla_terms *before, const struct sla_terms *terms,
		int64_t now_ms);

/* Open time used until now_ms. */
int64_t sla_used(const struct sla_clock *k, const struct sla_terms *terms, int64_t now_ms);

struct sla_event {
	int64_t at_ms;   /* a breach to come: the first instant after due; else breached_ms */
	uint8_t percent; /* of the warning; SLA_TOLD_BREACH for a breach */
};
/* The earliest thing still to be told. False if there is none as things stand. */
bool sla_next(const struct sla_clock *k, const struct sla_terms *terms, struct sla_event *ret);
/* Take it off the clock if it is not later than now_ms, recording a breach. */
bool sla_take(struct sla_clock *k, const struct sla_terms *terms, int64_t now_ms,
	      struct sla_event *ret);

/* ---- what happens to a ticket ---- */

enum sla_happening {
	SLA_CREATED_BY_CUSTOMER,
	SLA_CREATED_BY_AGENT, /* on behalf of a customer */
	SLA_CUSTOMER_MESSAGE, /* a public one, written by a person */
	SLA_AGENT_REPLY,      /* likewise */
	SLA_STATUS_CHANGED,
	SLA_RESTARTED, /* what was resolved or closed is open again, and the policy begins anew */
	SLA_HAPPENING_COUNT
};
/* Automatic mail, bounces and internal notes are no happenings: they start and stop nothing. A
 * clock that any other happening started is then told of the status, too (SLA_STATUS_CHANGED): it
 * may be one that pauses.
 * `status` is the ticket's after the happening, `pauses` the names of those that pause this metric
 * besides the resolved ones. One step with a reply and a change of status is two calls, in this
 * order. */
enum sla_action sla_action(enum sla_metric metric, enum sla_happening what,
			   const struct workflow_status *status, const struct rec_strs *pauses);

/* ---- policies ---- */

enum sla_field {
	SLA_BY_MAILBOX,
	SLA_BY_PRIORITY,
	SLA_BY_CATEGORY,
	SLA_BY_TAG,
	SLA_BY_ORGANISATION,
	SLA_FIELD_COUNT
};
enum { SLA_PRIORITIES = 4 }; /* low, medium, high, critical */

struct sla_goal {
	int64_t target_ms[SLA_PRIORITIES]; /* 0: no target, no clock */
	const struct calendar *calendar;
	struct rec_strs pauses;
	size_t warnings;
	uint8_t warn[SLA_WARNINGS];
};
struct sla_policy {
	const char *name;
	struct rec_strs match[SLA_FIELD_COUNT]; /* empty: any */
	struct sla_goal goal[SLA_METRIC_COUNT];
	bool restarts; /* reopening begins update and resolution anew */
};
/* The first policy each of whose non-empty lists shares a value with the ticket's list for that
 * field; NULL if none. */
const struct sla_policy *sla_policy_find(const struct sla_policy *policies, size_t n,
					 const struct rec_strs ticket[SLA_FIELD_COUNT]);
/* The terms for a priority (0 = low). False if the policy sets no target. */
bool sla_policy_terms(const struct sla_policy *p, enum sla_metric metric, int priority,
		      struct sla_terms *ret);

#endif

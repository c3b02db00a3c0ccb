/* clocks.h - rows of SLA clocks and of timers. */
#ifndef MAILDESK_STORE_CLOCKS_H
#define MAILDESK_STORE_CLOCKS_H

#include <maildesk/store/db.h>

struct clock_row {
	int64_t id, ticket_id;
	const char *metric, *policy, *state;
	int64_t cycle, started_at, target_ms, since_at, used_ms;
	int64_t due_at, breached_at; /* 0: none */
	int64_t told, limit_ms, escalated;
	int64_t sla_version; /* that it was settled by; 0: of before there were any */
};
int clock_insert(struct db_conn *c, const struct clock_row *k, int64_t *ret_id, struct md_err *err);
enum { CLOCK_LEDGER_MAX = 4000 }; /* of a ticket */
/* Writes all but id, ticket_id, metric, cycle, started_at. */
int clock_save(struct db_conn *c, const struct clock_row *k, struct md_err *err);
/* The newest cycle of each metric. */
int clock_list(struct db_conn *c, int64_t ticket, struct arena *a, struct clock_row **ret,
	       size_t *ret_n, struct md_err *err);
/* The same for several tickets in one query, by ticket. */
int clock_list_of(struct db_conn *c, const int64_t *tickets, size_t n, struct arena *a,
		  struct clock_row **ret, size_t *ret_n, struct md_err *err);
int clock_get(struct db_conn *c, int64_t id, struct arena *a, struct clock_row *ret,
	      struct md_err *err);

/* All cycles of a ticket, in the order of their beginning. */
int clock_ledger(struct db_conn *c, int64_t ticket, struct arena *a, struct clock_row **ret,
		 size_t *ret_n, struct md_err *err);

/* What a clock did from the end of the last stretch, or its start, to the end of this one. */
struct clock_stretch {
	int64_t clock_id, to_at, used_ms;
	const char *state, *why, *calendar; /* why: NULL for one that ran */
	int64_t target_ms;
};
int clock_stretch_add(struct db_conn *c, const struct clock_stretch *s, struct md_err *err);
/* In their order. */
int clock_stretches(struct db_conn *c, int64_t clock, struct arena *a, struct clock_stretch **ret,
		    size_t *ret_n, struct md_err *err);

struct timer_row {
	int64_t id, due_at;
	const char *kind; /* "sla_warning", "sla_breach", "escalation", "auto_close", ... */
	int64_t ticket_id, clock_id, argument;
};
int timer_add(struct db_conn *c, const struct timer_row *t, struct md_err *err);
/* Drop it, to act on it in this transaction. MD_NOTFOUND: somebody else did, or is about to. */
int timer_take(struct db_conn *c, int64_t id, struct md_err *err);
/* All of a clock; all of a kind on a ticket. */
int timer_drop_clock(struct db_conn *c, int64_t clock, struct md_err *err);
int timer_drop_kind(struct db_conn *c, int64_t ticket, const char *kind, struct md_err *err);
/* MD_NOTFOUND when none waits. */
int timer_next_due(struct db_conn *c, int64_t *ret_ms, struct md_err *err);
/* Due ones, earliest first; the caller takes each in the transaction that acts on it. */
int timer_due(struct db_conn *c, int64_t now_ms, size_t limit, struct arena *a,
	      struct timer_row **ret, size_t *ret_n, struct md_err *err);

#endif

/* reports.h - what happened in a period, counted. Tickets that are deleted or merged do not count.
 *
 * A report is grouped by a period of the calendar, then its rows are of quarters of an hour (`key`,
 * since 1970), because the engines know no time zones; or by something tickets have. */
#ifndef MAILDESK_STORE_REPORTS_H
#define MAILDESK_STORE_REPORTS_H

#include <maildesk/store/db.h>

enum report_group {
	REPORT_TIME, /* quarters of an hour, from the time of what is counted */
	REPORT_ALL,  /* one row */
	REPORT_AGENT,
	REPORT_TEAM,
	REPORT_MAILBOX,
	REPORT_PRIORITY,
	REPORT_STATUS,
	REPORT_CHANNEL,
	REPORT_CATEGORY,
	REPORT_ORGANISATION,
	REPORT_POLICY, /* of service levels; report_sla() alone */
};
enum { REPORT_QUARTER_MS = 900000 };

struct report_range {
	int64_t from_ms, to_ms; /* the latter exclusive */
};

struct report_row {
	int64_t key;        /* of the group: an id, a priority, a quarter; 0: none */
	const char *name;   /* of the group, where it has one */
	const char *metric; /* report_sla() */
	union {
		int64_t values[3];
		struct {
			int64_t created, resolved;
		} volume;
		struct {
			int64_t met, breached,
				running; /* of clocks of tickets made in the period */
		} sla;
		struct {
			int64_t assigned, resolved, replies;
		} agent;
	};
};
/* Rows are in the arena, by key. */
int report_volume(struct db_conn *c, const struct report_range *r, enum report_group group,
		  struct arena *a, struct report_row **ret, size_t *ret_n, struct md_err *err);
/* The same for n periods, one from each of n + 1 bounds to the next: counted in an index alone.
 * `key` is where it begins. */
int report_periods(struct db_conn *c, const int64_t *bounds, size_t n, struct arena *a,
		   struct report_row **ret, struct md_err *err);
int report_sla(struct db_conn *c, const struct report_range *r, enum report_group group,
	       struct arena *a, struct report_row **ret, size_t *ret_n, struct md_err *err);
int report_agents(struct db_conn *c, const struct report_range *r, struct arena *a,
		  struct report_row **ret, size_t *ret_n, struct md_err *err);

/* How long it took, by assignee; nearest rank, ms. */
struct report_times {
	int64_t agent, n, p50, p90;
};
/* First responses of tickets made in the period, or resolutions in it. */
int report_times(struct db_conn *c, const struct report_range *r, bool resolution, struct arena *a,
		 struct report_times **ret, size_t *ret_n, struct md_err *err);

#endif

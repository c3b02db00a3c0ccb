/* dashboard.h - the figures of a whole desk, each one query along an index.
 *
 * Closed tickets are counted in an index alone; everything else looks at those that are not
 * resolved, or at the newest of a period. */
#ifndef MAILDESK_STORE_DASHBOARD_H
#define MAILDESK_STORE_DASHBOARD_H

#include <maildesk/store/db.h>

enum { DASHBOARD_SAMPLE = 10000 }; /* tickets that percentiles are made of, the newest */

struct dashboard_status {
	const char *status;
	int64_t n;
};
struct dashboard_key {
	int64_t key, n;   /* a priority; an assignee (0: none); a day since 1970 */
	const char *name; /* of the assignee */
};
struct dashboard {
	struct dashboard_status *by_status; /* all tickets; the others only unresolved ones */
	struct dashboard_key *by_priority, *by_assignee;
	size_t n_status, n_priority, n_assignee;
	int64_t unassigned, overdue, breached;
	struct dashboard_key *created_by_day, *resolved_by_day; /* since `since_ms`, in order */
	size_t n_created, n_resolved;
	int64_t *first_response_ms, *resolution_ms; /* of tickets created, resolved since then */
	size_t n_first_response, n_resolution;
};

/* Without periods: statuses, priorities, assignees, overdue, breached. */
int dashboard_counts(struct db_conn *c, int64_t now_ms, struct arena *a, struct dashboard *ret,
		     struct md_err *err);
/* Days begin `offset_ms` after those of UTC. */
int dashboard_get(struct db_conn *c, int64_t now_ms, int64_t since_ms, int64_t offset_ms,
		  struct arena *a, struct dashboard *ret, struct md_err *err);

#endif

/* workflow.h - which status may follow which, who may do it, and what happens by itself.
 *
 * A workflow is a table. Two are built in (`helpdesk`, `strict`); one read from the configuration
 * has the same form and passes workflow_check() first. Nothing changes the status of a ticket
 * except along an edge of its workflow: the table is final for everybody, admins too. */
#ifndef MAILDESK_DESK_WORKFLOW_H
#define MAILDESK_DESK_WORKFLOW_H

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <stdbool.h>
#include <stddef.h>

/* What somebody is to a ticket; a person is mostly several of these. policy_who() tells. */
enum who {
	WHO_REQUESTER = 1 << 0,
	WHO_PARTICIPANT = 1 << 1, /* requester, cc, watcher, assignee */
	WHO_ASSIGNEE = 1 << 2,
	WHO_AGENT = 1 << 3,
	WHO_ADMIN = 1 << 4,
	WHO_CUSTOMER = 1 << 5, /* any signed-in customer, on the ticket or not */
	WHO_STRANGER = 1 << 6, /* nobody we know */
	WHO_AUTHOR = 1 << 7,   /* wrote the comment in question */

	WHO_STAFF = WHO_AGENT | WHO_ADMIN,
	WHO_ON_TICKET =
		WHO_PARTICIPANT | WHO_STAFF, /* agents and admins count as on every ticket */
	WHO_SIGNED_IN = WHO_STAFF | WHO_CUSTOMER,
};

/* What moves a ticket without anybody asking for it. */
enum workflow_trigger {
	/* The ticket has an assignee: asked after every assignment and after every change of
	 * status of an assigned ticket. */
	TRIGGER_ASSIGNED = 1 << 0,
	/* A customer on the ticket wrote. Leaving a closed ticket this way also needs
	 * `reopen_window` (route.h). */
	TRIGGER_CUSTOMER_REPLY = 1 << 1,
	TRIGGER_AUTO_CLOSE = 1 << 2,    /* `auto_close` after it was resolved */
	TRIGGER_PENDING_CLOSE = 1 << 3, /* `pending_close` after the last word to the customer */
};

/* What a status means to clocks and timestamps, whatever it is called. */
enum workflow_phase {
	PHASE_ACTIVE,
	PHASE_WAITING,  /* for the customer: pauses clocks where the SLA says so */
	PHASE_RESOLVED, /* sets resolved_at; leaving it for an active one clears it */
	PHASE_CLOSED,   /* sets resolved_at, if unset, and closed_at */
};

enum workflow_guard { GUARD_NONE, GUARD_HAS_ASSIGNEE };

struct workflow_status {
	const char *name;
	enum workflow_phase phase;
	bool is_final; /* may be without a way out */
};
struct workflow_edge {
	const char *from, *to;
	unsigned who;       /* enum who, or-ed; 0: only by itself */
	unsigned by_itself; /* enum workflow_trigger, or-ed */
	enum workflow_guard guard;
};
struct workflow {
	const char *name;
	const struct workflow_status *statuses; /* statuses[0] is that of every new ticket */
	size_t status_count;
	const struct workflow_edge *edges;
	size_t edge_count;
	const char *const *verbs; /* of the edges, for commands; NULL: the common ones serve */
};

/* "helpdesk", "strict"; NULL for another name. */
const struct workflow *workflow_find(const char *name);

/* Refuses (MD_INPUT, the first fault in err) a table with an edge to or from an unknown status, two
 * edges for one pair, a doubled name, a status that cannot be reached from the first one, or one
 * without a way out that is not final. */
int workflow_check(const struct workflow *wf, struct md_err *err);

/* A status by its name; NULL when the workflow has none. Names in results are the table's own. */
const struct workflow_status *workflow_status(const struct workflow *wf, const char *name);

/* The status meant by a word of a command: a status name, a verb of an edge, or a common verb
 * (open, start, pending, hold, resolve, done, solved, close, reopen). Case-insensitive. NULL when
 * it means none here. */
const char *workflow_target(const struct workflow *wf, const char *word);

/* May somebody who is `who` to the ticket move it? `has_assignee` serves the guards.
 * MD_OK; MD_INPUT: there is no such edge, or its guard does not hold; MD_REFUSED: there is one, but
 * not for them. In both cases err names what is allowed ("no way from open to resolved; allowed:
 * in_progress, closed"). Staying where one is, is no edge: callers that accept it look first. */
int workflow_move(const struct workflow *wf, const char *from, const char *to, unsigned who,
		  bool has_assignee, struct md_err *err);

/* Where they may move it, in the table's order, never `from` itself. Writes up to `max` names and
 * returns how many. max = status_count always suffices. */
size_t workflow_allowed(const struct workflow *wf, const char *from, unsigned who,
			bool has_assignee, const char **out, size_t max);

/* Where the ticket goes when that happens; NULL: it stays. The caller asks again, with
 * TRIGGER_ASSIGNED, after a move (a reopened ticket that has an assignee is in progress). */
const char *workflow_by_itself(const struct workflow *wf, const char *from,
			       enum workflow_trigger trigger, bool has_assignee);

#endif

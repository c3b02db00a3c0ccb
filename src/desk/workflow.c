#include <maildesk/desk/workflow.h>
#include <maildesk/base/mem.h>

#include <assert.h>
#include <string.h>
#include <strings.h>

enum { STATUSES_MAX = 64 }; /* more states than a desk can tell apart; bounds the check */

static const struct workflow_status helpdesk_statuses[] = {
	{ "open", PHASE_ACTIVE, false },        { "pending", PHASE_WAITING, false },
	{ "in_progress", PHASE_ACTIVE, false }, { "resolved", PHASE_RESOLVED, false },
	{ "closed", PHASE_CLOSED, false },      { "reopened", PHASE_ACTIVE, false },
};

/* clang-format off */
static const struct workflow_edge helpdesk_edges[] = {
	{ "open",        "in_progress", WHO_STAFF,                 TRIGGER_ASSIGNED, GUARD_NONE },
	{ "open",        "closed",      WHO_STAFF | WHO_REQUESTER, 0, GUARD_NONE },
	{ "in_progress", "pending",     WHO_STAFF,                 0, GUARD_NONE },
	{ "in_progress", "resolved",    WHO_STAFF,                 0, GUARD_NONE },
	{ "pending",     "in_progress", WHO_STAFF,                 TRIGGER_CUSTOMER_REPLY, GUARD_NONE },
	{ "pending",     "resolved",    WHO_STAFF,                 TRIGGER_PENDING_CLOSE, GUARD_NONE },
	{ "resolved",    "closed",      WHO_STAFF | WHO_REQUESTER, TRIGGER_AUTO_CLOSE, GUARD_NONE },
	{ "resolved",    "reopened",    WHO_ON_TICKET,             TRIGGER_CUSTOMER_REPLY, GUARD_NONE },
	{ "closed",      "reopened",    WHO_STAFF | WHO_REQUESTER, TRIGGER_CUSTOMER_REPLY, GUARD_NONE },
	{ "reopened",    "in_progress", WHO_STAFF,                 TRIGGER_ASSIGNED, GUARD_NONE },
};

static const struct workflow_status strict_statuses[] = {
	{ "open", PHASE_ACTIVE, false },
	{ "in_progress", PHASE_ACTIVE, false },
	{ "resolved", PHASE_RESOLVED, false },
	{ "closed", PHASE_CLOSED, true },
};
static const struct workflow_edge strict_edges[] = {
	{ "open",        "in_progress", WHO_ASSIGNEE,              0, GUARD_NONE },
	{ "in_progress", "resolved",    WHO_ASSIGNEE,              0, GUARD_NONE },
	{ "resolved",    "closed",      WHO_REQUESTER | WHO_ADMIN, 0, GUARD_NONE },
	{ "resolved",    "in_progress", WHO_REQUESTER,             0, GUARD_NONE },
};

/* What the verbs mean, best meaning first: a workflow need not have every status. */
static const struct {
	const char *word, *status;
} targets[] = {
	{ "start",  "in_progress" },
	{ "hold",   "pending" },
	{ "resolve", "resolved" },
	{ "done",   "resolved" },
	{ "solved", "resolved" },
	{ "close",  "closed" },
	{ "reopen", "reopened" },
	{ "reopen", "in_progress" }, /* strict sends a resolved ticket back to work */
};
/* clang-format on */

#define WORKFLOW(title)                                                             \
	{                                                                           \
		.name = #title, .statuses = title##_statuses,                       \
		.status_count = MD_COUNT(title##_statuses), .edges = title##_edges, \
		.edge_count = MD_COUNT(title##_edges)                               \
	}
static const struct workflow workflows[] = { WORKFLOW(helpdesk), WORKFLOW(strict) };

const struct workflow *workflow_find(const char *name)
{
	for (size_t i = 0; i < MD_COUNT(workflows); i++)
		if (strcmp(workflows[i].name, name) == 0)
			return &workflows[i];
	return NULL;
}

const struct workflow_status *workflow_status(const struct workflow *wf, const char *name)
{
	for (size_t i = 0; i < wf->status_count; i++)
		if (strcmp(wf->statuses[i].name, name) == 0)
			return &wf->statuses[i];
	return NULL;
}

const char *workflow_target(const struct workflow *wf, const char *word)
{
	for (size_t i = 0; i < wf->status_count; i++)
		if (strcasecmp(wf->statuses[i].name, word) == 0)
			return wf->statuses[i].name;
	for (size_t i = 0; wf->verbs && i < wf->edge_count; i++)
		if (strcasecmp(wf->verbs[i], word) == 0)
			return wf->edges[i].to;
	for (size_t i = 0; i < MD_COUNT(targets); i++) {
		const struct workflow_status *status = workflow_status(wf, targets[i].status);

		if (status && strcasecmp(targets[i].word, word) == 0)
			return status->name;
	}
	return NULL;
}

static const struct workflow_edge *find_edge(const struct workflow *wf, const char *from,
					     const char *to)
{
	for (size_t i = 0; i < wf->edge_count; i++)
		if (strcmp(wf->edges[i].from, from) == 0 && strcmp(wf->edges[i].to, to) == 0)
			return &wf->edges[i];
	return NULL;
}

static bool guard_holds(const struct workflow_edge *edge, bool has_assignee)
{
	return edge->guard != GUARD_HAS_ASSIGNEE || has_assignee;
}

size_t workflow_allowed(const struct workflow *wf, const char *from, unsigned who,
			bool has_assignee, const char **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < wf->edge_count && n < max; i++) {
		const struct workflow_edge *edge = &wf->edges[i];

		if (strcmp(edge->from, from) == 0 && (edge->who & who) &&
		    guard_holds(edge, has_assignee))
			out[n++] = edge->to;
	}
	return n;
}

/* "in_progress, closed", or "nothing" */
static void list_allowed(const struct workflow *wf, const char *from, unsigned who,
			 bool has_assignee, struct buf *out)
{
	const char *allowed[STATUSES_MAX];
	size_t n = workflow_allowed(wf, from, who, has_assignee, allowed, STATUSES_MAX);

	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s", i ? ", " : "", allowed[i]);
	if (!n)
		buf_adds(out, "nothing");
}

int workflow_move(const struct workflow *wf, const char *from, const char *to, unsigned who,
		  bool has_assignee, struct md_err *err)
{
	const struct workflow_edge *edge = find_edge(wf, from, to);
	md_auto(buf_done) struct buf allowed = BUF_INIT(256);

	if (edge && (edge->who & who) && guard_holds(edge, has_assignee))
		return MD_OK;
	list_allowed(wf, from, who, has_assignee, &allowed);
	if (!edge)
		return md_fail(err, MD_INPUT, 0, "no way from %s to %s; allowed: %s", from, to,
			       buf_str(&allowed));
	if (!(edge->who & who))
		return md_fail(err, MD_REFUSED, 0, "%s to %s is not for you; allowed: %s", from, to,
			       buf_str(&allowed));
	return md_fail(err, MD_INPUT, 0, "%s to %s needs an assignee; allowed: %s", from, to,
		       buf_str(&allowed));
}

const char *workflow_by_itself(const struct workflow *wf, const char *from,
			       enum workflow_trigger trigger, bool has_assignee)
{
	if (trigger == TRIGGER_ASSIGNED && !has_assignee)
		return NULL;
	for (size_t i = 0; i < wf->edge_count; i++) {
		const struct workflow_edge *edge = &wf->edges[i];

		if (strcmp(edge->from, from) == 0 && (edge->by_itself & trigger) &&
		    guard_holds(edge, has_assignee))
			return edge->to;
	}
	return NULL;
}

static int check_names(const struct workflow *wf, struct md_err *err)
{
	if (wf->status_count == 0 || wf->status_count > STATUSES_MAX)
		return md_fail(err, MD_INPUT, 0, "workflow %s: between 1 and %d states are needed",
			       wf->name, STATUSES_MAX);
	for (size_t i = 0; i < wf->status_count; i++)
		if (workflow_status(wf, wf->statuses[i].name) != &wf->statuses[i])
			return md_fail(err, MD_INPUT, 0, "workflow %s: state %s stands there twice",
				       wf->name, wf->statuses[i].name);
	return MD_OK;
}

static int check_edges(const struct workflow *wf, struct md_err *err)
{
	for (size_t i = 0; i < wf->edge_count; i++) {
		const struct workflow_edge *edge = &wf->edges[i];
		const char *unknown = !workflow_status(wf, edge->from) ? edge->from
				      : !workflow_status(wf, edge->to) ? edge->to
								       : NULL;

		if (unknown)
			return md_fail(err, MD_INPUT, 0, "workflow %s: no state is called %s",
				       wf->name, unknown);
		if (strcmp(edge->from, edge->to) == 0)
			return md_fail(err, MD_INPUT, 0, "workflow %s: %s leads to itself",
				       wf->name, edge->from);
		if (find_edge(wf, edge->from, edge->to) != edge)
			return md_fail(err, MD_INPUT, 0, "workflow %s: %s to %s stands there twice",
				       wf->name, edge->from, edge->to);
	}
	return MD_OK;
}

int workflow_check(const struct workflow *wf, struct md_err *err)
{
	bool reached[STATUSES_MAX] = { true }, leaves[STATUSES_MAX] = { false };
	int rc = check_names(wf, err);

	if (rc == MD_OK)
		rc = check_edges(wf, err);
	if (rc != MD_OK)
		return rc;

	/* A path has at most status_count - 1 edges, so that many sweeps reach everything. */
	for (size_t sweep = 0; sweep < wf->status_count; sweep++) {
		for (size_t i = 0; i < wf->edge_count; i++) {
			size_t from =
				(size_t)(workflow_status(wf, wf->edges[i].from) - wf->statuses);
			size_t to = (size_t)(workflow_status(wf, wf->edges[i].to) - wf->statuses);

			reached[to] |= reached[from];
			leaves[from] = true;
		}
	}
	for (size_t i = 0; i < wf->status_count; i++) {
		if (!reached[i])
			return md_fail(err, MD_INPUT, 0, "workflow %s: nothing leads to %s",
				       wf->name, wf->statuses[i].name);
		if (!leaves[i] && !wf->statuses[i].is_final)
			return md_fail(err, MD_INPUT, 0,
				       "workflow %s: nothing leads out of %s, which is not final",
				       wf->name, wf->statuses[i].name);
	}
	return MD_OK;
}

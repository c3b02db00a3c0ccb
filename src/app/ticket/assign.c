/* The desk itself finds an assignee for a ticket of a team: in turn, or who has fewest. */
#include <maildesk/store/teams.h>

#include "ticket_priv.h"

#include <string.h>

/* Members who are here, in place. */
static size_t present(const struct work *w, struct user *users, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (users[i].away_until <= w->by->now_ms)
			users[kept++] = users[i];
	return kept;
}

/* The one behind whoever had the last one; users come by id. */
static int64_t in_turn(const struct user *users, size_t n, int64_t last)
{
	for (size_t i = 0; i < n; i++)
		if (users[i].id > last)
			return users[i].id;
	return users[0].id;
}

/* Of those with equally few the one whose turn it is. */
static int least_loaded(struct work *w, const struct user *users, size_t n, int64_t last,
			int64_t *ret, struct md_err *err)
{
	const struct workflow *wf = w->by->desk->workflow;
	int64_t *ids = arena_array(w->arena, n, sizeof *ids), *loads, least = INT64_MAX;
	struct user *equal = arena_array(w->arena, n, sizeof *equal);
	const char **open = arena_array(w->arena, wf->status_count, sizeof *open);
	size_t n_open = 0, n_equal = 0;
	int rc;

	if (!ids || !equal || !open)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		ids[i] = users[i].id;
	for (size_t i = 0; i < wf->status_count; i++)
		if (wf->statuses[i].phase == PHASE_ACTIVE || wf->statuses[i].phase == PHASE_WAITING)
			open[n_open++] = wf->statuses[i].name;
	rc = team_load(w->c, ids, n, open, n_open, w->arena, &loads, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		least = loads[i] < least ? loads[i] : least;
	for (size_t i = 0; i < n; i++)
		if (loads[i] == least)
			equal[n_equal++] = users[i];
	*ret = in_turn(equal, n_equal, last);
	return MD_OK;
}

int work_assign_by_team(struct work *w, struct md_err *err)
{
	const struct conf_team *mode;
	struct team team;
	struct user *users;
	int64_t chosen = 0;
	size_t n;
	int rc;

	if (w->ticket.assignee_id || !w->ticket.team_id)
		return MD_OK;
	rc = team_get(w->c, w->ticket.team_id, w->arena, &team, err);
	if (rc != MD_OK)
		return rc;
	mode = config_team(w->by->desk->config, team.name);
	if (!mode || strcmp(mode->assign, "manual") == 0)
		return MD_OK;
	rc = team_members(w->c, team.id, w->arena, &users, &n, err);
	if (rc == MD_OK)
		n = present(w, users, n);
	if (rc != MD_OK || n == 0)
		return rc; /* nobody is here: it waits for a person's hand */
	if (strcmp(mode->assign, "least_loaded") == 0)
		rc = least_loaded(w, users, n, team.last_assigned_id, &chosen, err);
	else
		chosen = in_turn(users, n, team.last_assigned_id);
	if (rc == MD_OK)
		rc = team_set_turn(w->c, team.id, chosen, err);
	return rc == MD_OK ? work_set_assignee(w, chosen, true, err) : rc;
}

/* The desk itself finds an assignee, in turn or who has fewest: of the ticket's team, or of all
 * agents where it has none. Whose turn comes next is kept with the team, or with the desk. */
#include <maildesk/store/settings.h>
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

/* Who may be chosen. */
struct crew {
	int64_t team; /* 0: all agents */
	const char *mode;
	struct user *users;
	size_t n;
	int64_t last; /* whom the desk chose before */
};

static const char turn_setting[] = "assign.last";

static int crew_of_team(struct work *w, struct crew *ret, struct md_err *err)
{
	const struct conf_team *own;
	struct team team;
	int rc = team_get(w->c, w->ticket.team_id, w->arena, &team, err);

	if (rc != MD_OK)
		return rc;
	own = config_team(w->by->desk->config, team.name);
	ret->team = team.id;
	ret->last = team.last_assigned_id;
	ret->mode = own ? own->assign : ret->mode;
	return team_members(w->c, team.id, w->arena, &ret->users, &ret->n, err);
}

static int crew_of_desk(struct work *w, struct crew *ret, struct md_err *err)
{
	size_t n;
	int rc = setting_get(w->c, turn_setting, &ret->last, sizeof ret->last, &n, err);

	return rc == MD_OK || rc == MD_NOTFOUND
		       ? user_agents(w->c, false, w->arena, &ret->users, &ret->n, err)
		       : rc;
}

static int keep_turn(struct work *w, const struct crew *crew, int64_t chosen, struct md_err *err)
{
	return crew->team ? team_set_turn(w->c, crew->team, chosen, err)
			  : setting_put(w->c, turn_setting, &chosen, sizeof chosen, err);
}

int work_assign_by_desk(struct work *w, struct md_err *err)
{
	struct crew crew = { .mode = w->by->desk->config->desk.assign };
	int64_t chosen = 0;
	bool by_load;
	int rc;

	if (w->ticket.assignee_id)
		return MD_OK;
	rc = w->ticket.team_id ? crew_of_team(w, &crew, err) : MD_OK;
	by_load = strcmp(crew.mode, "least_loaded") == 0;
	if (rc != MD_OK || (!by_load && strcmp(crew.mode, "round_robin") != 0))
		return rc;
	if (!crew.team)
		rc = crew_of_desk(w, &crew, err);
	if (rc == MD_OK)
		crew.n = present(w, crew.users, crew.n);
	if (rc != MD_OK || crew.n == 0)
		return rc; /* nobody is here: it waits for a person's hand */
	if (by_load)
		rc = least_loaded(w, crew.users, crew.n, crew.last, &chosen, err);
	else
		chosen = in_turn(crew.users, crew.n, crew.last);
	if (rc == MD_OK)
		rc = keep_turn(w, &crew, chosen, err);
	return rc == MD_OK ? work_set_assignee(w, chosen, true, err) : rc;
}

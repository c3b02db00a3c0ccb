/* Commands about people: "assign ann", cc, watch, mute, requester. */
#include <maildesk/base/utf8.h>
#include <maildesk/store/teams.h>

#include "execute_priv.h"

#include <string.h>

/* The word as a whole, or with `prefix` its beginning. */
static bool folded_equal(const char *a, const char *b, bool prefix)
{
	md_auto(buf_done) struct buf fa = BUF_INIT(4096);
	md_auto(buf_done) struct buf fb = BUF_INIT(4096);

	utf8_fold(&fa, a, strlen(a));
	utf8_fold(&fb, b, strlen(b));
	if (prefix && fa.len >= fb.len)
		return memcmp(buf_str(&fa), buf_str(&fb), fb.len) == 0;
	return fa.len == fb.len && strcmp(buf_str(&fa), buf_str(&fb)) == 0;
}

/* Who or what "assign" may mean, and how well the word fits: 2 the address or the whole name, 1 how
 * the name begins. Only the best fits count, and there must be one. */
struct candidates {
	const char *word;
	struct buf names;
	int best;
	size_t hits;
	int64_t user, team; /* of the last hit */
};

static void consider(struct candidates *c, int64_t user, int64_t team, const char *name,
		     const char *email)
{
	bool whole = (email && folded_equal(email, c->word, false)) ||
		     folded_equal(name, c->word, false);
	int fit = whole ? 2 : folded_equal(name, c->word, true) ? 1 : 0;

	if (fit == 0 || fit < c->best)
		return;
	if (fit > c->best) {
		c->hits = 0;
		buf_reset(&c->names);
	}
	c->best = fit;
	c->user = user;
	c->team = team;
	buf_adds(&c->names, c->hits++ ? ", " : "");
	if (email)
		buf_addf(&c->names, "%s <%s>", name, email);
	else
		buf_addf(&c->names, "the team %s", name);
}

static int find_assignee(struct step *s, struct candidates *c, struct md_err *err)
{
	struct work *w = s->w;
	struct user *staff = NULL;
	struct team *teams = NULL;
	size_t n = 0, n_teams = 0;
	int rc = user_agents(w->c, true, w->arena, &staff, &n, err);

	if (rc == MD_OK)
		rc = team_list(w->c, w->arena, &teams, &n_teams, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		consider(c, staff[i].id, 0, staff[i].name, staff[i].email);
	for (size_t i = 0; i < n_teams; i++)
		consider(c, 0, teams[i].id, teams[i].name, NULL);
	if (c->hits > 1)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "\"%s\" could be %s: use the address",
			       c->word, buf_str(&c->names));
	if (c->hits == 0)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "no agent or team is called \"%s\"",
			       c->word);
	s->result = arena_printf(w->arena, "to %s", buf_str(&c->names));
	return MD_OK;
}

int execute_assign(struct step *s, struct md_err *err)
{
	const char *word = s->cmd->args;
	struct candidates c = { .word = word, .names = BUF_INIT(4096) };
	struct work_change nobody = WORK_CHANGE_NONE;
	int rc = MD_OK;

	nobody.set_assignee = true;
	s->changes = true;
	s->ch.set_assignee = true;
	if (folded_equal("me", word, false)) {
		s->ch.assignee = s->w->by->user.id;
	} else if (!folded_equal("none", word, false)) {
		rc = find_assignee(s, &c, err);
		/* what goes to a team is nobody's until somebody of it has it */
		if (rc == MD_OK && c.team && s->w->ticket.assignee_id)
			rc = work_change(s->w, &nobody, err);
		s->ch.set_assignee = c.team == 0;
		s->ch.assignee = c.user;
		s->ch.set_team = c.team != 0;
		s->ch.team = c.team;
	}
	buf_done(&c.names);
	return rc;
}

/* The user of an address, made a customer if there is none. */
static int find_person(struct work *w, const char *address, int64_t *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(4096);
	struct user u;
	int rc;

	if (token_is_own_address(address, &w->by->desk->own))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s is an address of this desk",
			       address);
	utf8_fold(&folded, address, strlen(address));
	rc = user_by_address(w->c, buf_str(&folded), w->arena, &u, err);
	if (rc == MD_OK)
		*ret = u.id;
	if (rc != MD_NOTFOUND)
		return rc;
	u = (struct user){ .email = buf_str(&folded),
			   .name = arena_strndup(w->arena, address, strcspn(address, "@")),
			   .role = "customer",
			   .created_at = w->by->now_ms };
	if (!u.name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return user_add(w->c, &u, ret, err);
}

int execute_cc(struct step *s, struct md_err *err)
{
	const struct rec_strs *to = &s->cmd->words;
	int rc = MD_OK;

	for (size_t i = 0; i < to->n && rc == MD_OK; i++) {
		int64_t user = 0;

		rc = find_person(s->w, to->v[i], &user, err);
		if (rc == MD_OK)
			rc = work_participant(s->w, user, "cc", err);
	}
	return rc;
}

int execute_watch(struct step *s, struct md_err *err)
{
	return work_watch(s->w, strcmp(s->cmd->args, "on") == 0, err);
}

int execute_mute(struct step *s, struct md_err *err)
{
	return work_mute(s->w, strcmp(s->cmd->args, "on") == 0, err);
}

int execute_requester(struct step *s, struct md_err *err)
{
	s->changes = true;
	return find_person(s->w, s->cmd->words.v[0], &s->ch.requester, err);
}

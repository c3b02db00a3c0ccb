/* bearer_run.c - a server's thread: what the rows of its accounts say is told, and what is about to
 * expire is renewed (bearer_renew.c). */
#include "bearer_priv.h"

#include <stdio.h>
#include <time.h>

/* ---- the row ---- */

static int look(struct bearer *b, const struct account *a, struct view *v, struct md_err *err)
{
	struct db_conn *c = NULL;
	int rc = db_read(b->d->db, &c, err);

	if (rc == MD_OK) {
		rc = bearer_load(c, a, v, err);
		db_read_done(c);
	}
	return rc;
}

/* Is there a token that is not known here yet? */
static int take_token(struct bearer *b, struct account *a, const struct view *v, struct md_err *err)
{
	char *access = NULL;
	int rc;

	if (a->looked && a->version == v->g.version)
		return MD_OK;
	if (v->g.access.n && v->g.expires_at > v->now) {
		rc = bearer_unseal(b, &v->g.access, &access, err);
		if (rc != MD_OK && rc != MD_INPUT)
			return rc;
	}
	a->looked = true;
	a->version = v->g.version;
	if (access)
		bearer_publish(b, a, access, v->g.expires_at - v->now);
	return MD_OK;
}

/* ---- one account, now and then ---- */

static void explain(const struct account *a, const struct oauth_grant *g, char out[DESK_TEXT_MAX])
{
	const char *said = g->error ? g->error : "nothing was asked yet";

	if (bearer_by_secret(a->conf) || (g->refused && g->refused != OAUTH_GRANT) ||
	    (g->refresh.n && !g->refused))
		snprintf(out, DESK_TEXT_MAX, "%s", said);
	else if (!g->version)
		snprintf(out, DESK_TEXT_MAX,
			 "nobody has signed in as %.80s yet: run `maildesk oauth login %.60s`",
			 a->login, a->name);
	else if (g->refused)
		snprintf(out, DESK_TEXT_MAX, "run `maildesk oauth login %.60s`: %s", a->name, said);
	else
		snprintf(out, DESK_TEXT_MAX,
			 "run `maildesk oauth login %.60s`: the sign-in is over, and its server "
			 "gave "
			 "no refresh token (offline_access in scope?)",
			 a->name);
}

struct wants {
	bool bad;    /* a mail server has refused it */
	bool usable; /* there is a token that is good */
	bool stale;  /* there should be a new one */
	bool now;    /* and it may be asked for */
};

static struct wants judge(struct bearer *b, struct account *a, const struct view *v)
{
	const struct oauth_grant *g = &v->g;
	struct wants w = { .usable = g->access.n && g->expires_at > v->now };
	bool again;

	pthread_mutex_lock(&b->lock);
	w.bad = a->bad;
	again = bearer_mono(b) >= a->again_ms;
	w.usable &= !w.bad && a->access;
	pthread_mutex_unlock(&b->lock);
	w.stale = !w.usable || g->renew_at <= v->now;
	w.now = w.stale && (bearer_by_secret(a->conf) || g->refresh.n) && (!w.bad || again) &&
		(g->retry_at <= v->now || !a->tried) && a->next_ms <= bearer_mono(b);
	return w;
}

/* True: to be looked at again at once. */
static bool step(struct bearer *b, struct account *a)
{
	struct view v = { .arena = ARENA_INIT(BEARER_ROW_ARENA) };
	struct md_err err = { 0 };
	char text[DESK_TEXT_MAX];
	struct wants w;
	bool changed = false;
	int rc = look(b, a, &v, &err);

	if (rc == MD_OK)
		rc = take_token(b, a, &v, &err);
	if (rc == MD_OK) {
		w = judge(b, a, &v);
		if (w.now)
			changed = bearer_renew(b, a, &v);
		if (!w.usable && !changed && !(w.bad && !v.g.error)) {
			bool person = v.g.refused || (!bearer_by_secret(a->conf) && !v.g.refresh.n);

			explain(a, &v.g, text);
			bearer_trouble(b, a, person ? MD_REFUSED : MD_AGAIN, text);
		}
	} else if (!a->looked) { /* else what was known goes on being true */
		bearer_trouble(b, a, MD_AGAIN, err.text);
	}
	arena_done(&v.arena);
	return changed;
}

static void wait_a_moment(struct bearer *b)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += BEARER_LOOK_MS / 1000;
	pthread_mutex_lock(&b->lock);
	if (!atomic_load(&b->stopping))
		pthread_cond_timedwait(&b->wake, &b->lock, &until);
	pthread_mutex_unlock(&b->lock);
}

void *bearer_run(void *arg)
{
	struct server *s = arg;
	struct bearer *b = s->b;

	while (!atomic_load(&b->stopping)) {
		bool again = false;

		for (size_t i = 0; i < b->n_accounts && !atomic_load(&b->stopping); i++)
			if (b->accounts[i].conf == s->conf) {
				b->accounts[i].worker = &s->worker;
				desk_worker_busy(&s->worker);
				again |= step(b, &b->accounts[i]);
			}
		desk_worker_idle(&s->worker);
		if (!again)
			wait_a_moment(b);
	}
	return NULL;
}

/* events_beat.c - heartbeats, and whether those who watch still may: with each, who they are is
 * looked up again, once for all viewers by one session or key. */
#include "events_priv.h"

#include <maildesk/store/api_keys.h>

#include <stdio.h>

struct pass { /* of all viewers by one session or key */
	int64_t user, epoch, session, key;
	bool good;
	struct policy_actor actor;
	int64_t organisation;
};

static bool is_of(const struct pass *p, const struct viewer *v)
{
	return p->user == v->actor.user && p->epoch == v->epoch && p->session == v->session &&
	       p->key == v->key;
}

static struct pass *find_pass(struct pass *all, size_t n, const struct viewer *v)
{
	for (size_t i = 0; i < n; i++)
		if (is_of(&all[i], v))
			return &all[i];
	return NULL;
}

/* Those whose time has come. */
static int collect(struct events *e, int64_t now_ms, struct arena *a, struct pass **ret,
		   size_t *ret_n, struct md_err *err)
{
	struct pass *all = arena_array(a, EVENTS_VIEWERS_MAX, sizeof *all);
	size_t n = 0;

	if (!all)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	pthread_mutex_lock(&e->lock);
	for (const struct viewer *v = e->viewers; v && n < EVENTS_VIEWERS_MAX; v = v->next)
		if (v->stream && v->beat_at_ms <= now_ms && !find_pass(all, n, v))
			all[n++] = (struct pass){ .user = v->actor.user,
						  .epoch = v->epoch,
						  .session = v->session,
						  .key = v->key,
						  .actor = v->actor };
	pthread_mutex_unlock(&e->lock);
	*ret = all;
	*ret_n = n;
	return MD_OK;
}

static int check_pass(struct events *e, struct db_conn *c, struct arena *a, struct pass *p,
		      struct md_err *err)
{
	struct user u;
	bool key_is_good = true;
	int rc = user_get_in_session(c, p->user, arena_printf(a, "%lld", (long long)p->session), a,
				     &u, err);

	if (rc == MD_OK && p->key)
		rc = api_key_is_good(c, p->key, clock_wall(e->d->clock), &key_is_good, err);
	if (rc == MD_NOTFOUND)
		return MD_OK;
	if (rc != MD_OK)
		return rc;
	/* A key acts as its maker, whatever passwords were changed. */
	p->good = key_is_good && !u.disabled_at && (p->key || u.epoch == p->epoch);
	p->actor.role = role_from_name(u.role);
	p->organisation = u.organisation_id;
	return MD_OK;
}

static int check_passes(struct events *e, struct arena *a, struct pass *all, size_t n,
			struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = n ? db_read(e->d->db, &c, err) : MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = check_pass(e, c, a, &all[i], err);
	return rc;
}

/* The number goes with it: what they may not see is not looked at again when they come back. */
static void beat(struct viewer *v, int64_t next_ms)
{
	char text[48];
	int n = v->full ? snprintf(text, sizeof text, ":\n\n")
			: snprintf(text, sizeof text, ":\nid: %lld\n\n", (long long)v->position);

	v->beat_at_ms = next_ms;
	if (http_stream_write(v->stream, text, (size_t)n) == MD_NOTFOUND)
		viewer_leave(v);
}

int events_beat_all(struct events *e, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(EVENTS_PAGE_BYTES);
	int64_t now_ms = clock_mono(e->d->clock);
	struct pass *all = NULL;
	size_t n = 0;
	int rc = collect(e, now_ms, &a, &all, &n, err);

	if (rc == MD_OK)
		rc = check_passes(e, &a, all, n, err);
	if (rc != MD_OK)
		return rc;
	pthread_mutex_lock(&e->lock);
	for (struct viewer *v = e->viewers; v; v = v->next) {
		const struct pass *p =
			v->stream && v->beat_at_ms <= now_ms ? find_pass(all, n, v) : NULL;

		if (!p)
			continue;
		if (!p->good) {
			viewer_leave(v);
			continue;
		}
		v->actor = p->actor;
		v->organisation = p->organisation;
		beat(v, now_ms + e->d->config->http.heartbeat_ms);
	}
	pthread_mutex_unlock(&e->lock);
	events_sweep_out(e);
	return MD_OK;
}

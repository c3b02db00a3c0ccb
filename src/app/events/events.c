#include <maildesk/app/audit.h>
#include <maildesk/base/log.h>

#include "events_priv.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 500,   /* what other daemons do is looked for at least so often */
	GATHER_MS = 50,  /* then some more has come together: each batch is a transaction */
	PAUSE_MS = 1000, /* after a failure */
	LEASE_MS = 5000, /* of who gives the numbers */
};

/* ---- who is there ---- */

void viewer_leave(struct viewer *v)
{
	http_stream_end(md_take(v->stream));
}

static bool is_room(const struct events *e, const struct work_by *by)
{
	size_t all = 0, theirs = 0;

	for (const struct viewer *v = e->viewers; v; v = v->next) {
		all += v->stream != NULL;
		theirs += v->stream && v->actor.user == by->user.id;
	}
	return all < EVENTS_VIEWERS_MAX &&
	       (by->actor.role != ROLE_CUSTOMER || theirs < EVENTS_CUSTOMER_MAX);
}

bool events_have_room(struct events *e, const struct work_by *by)
{
	bool room;

	pthread_mutex_lock(&e->lock);
	room = is_room(e, by);
	/* Who hung up would be noticed with the next heartbeat. */
	for (struct viewer *v = room ? NULL : e->viewers; v; v = v->next)
		if (v->stream && !http_stream_is_read(v->stream))
			viewer_leave(v);
	room = room || is_room(e, by);
	pthread_mutex_unlock(&e->lock);
	return room;
}

void events_wake(void *ctx)
{
	struct events *e = ctx;

	atomic_store(&e->drained, true);
	desk_wake(e->d, DESK_EVENTS);
}

int events_add(struct events *e, const struct work_by *by, int64_t session, int64_t key,
	       int64_t position, struct http_stream *stream, struct md_err *err)
{
	struct viewer *v = md_calloc(1, sizeof *v);

	if (!v) {
		http_stream_end(stream);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	*v = (struct viewer){
		.stream = stream,
		.actor = by->actor,
		.organisation = by->user.organisation_id,
		.epoch = by->user.epoch,
		.session = session,
		.key = key,
		.position = position,
		.beat_at_ms = clock_mono(e->d->clock) + e->d->config->http.heartbeat_ms,
	};
	pthread_mutex_lock(&e->lock);
	v->next = e->viewers;
	e->viewers = v;
	pthread_mutex_unlock(&e->lock);
	desk_wake(e->d, DESK_EVENTS);
	return MD_OK;
}

void events_sweep_out(struct events *e)
{
	pthread_mutex_lock(&e->lock);
	for (struct viewer **at = &e->viewers; *at;) {
		struct viewer *v = *at;

		if (v->stream) {
			at = &v->next;
			continue;
		}
		*at = v->next;
		free(v);
	}
	pthread_mutex_unlock(&e->lock);
}

/* ---- the thread ---- */

static int until_beat(struct events *e)
{
	int64_t now_ms = clock_mono(e->d->clock), next = now_ms + LOOK_MS;

	pthread_mutex_lock(&e->lock);
	for (const struct viewer *v = e->viewers; v; v = v->next)
		if (v->beat_at_ms < next)
			next = v->beat_at_ms;
	pthread_mutex_unlock(&e->lock);
	return next > now_ms ? (int)(next - now_ms) : 0;
}

/* *ret_any: there was something. */
static int number(struct events *e, bool *ret_any, struct md_err *err)
{
	size_t n = 1;
	int rc = MD_OK;

	*ret_any = false;
	while (rc == MD_OK && n && !atomic_load(&e->stopping)) {
		rc = event_number(e->d->db, &e->worker, &n, err);
		*ret_any = *ret_any || (rc == MD_OK && n);
	}
	if (*ret_any)
		desk_wake(e->d, DESK_WEBHOOKS);
	return rc == MD_CONFLICT ? MD_OK : rc;
}

static void sleep_whole(struct events *e, int ms)
{
	int64_t now = clock_mono(e->d->clock), until = now + ms;

	while (now < until && !atomic_load(&e->stopping)) {
		desk_sleep(e->d, DESK_EVENTS, (int)(until - now));
		now = clock_mono(e->d->clock);
	}
}

/* Rows of the audit log that are counted by the minute: each minute. */
static int settle_audit(struct events *e, struct md_err *err)
{
	int64_t minute = clock_wall(e->d->clock) / 60000;

	if (minute == e->settled_minute)
		return MD_OK;
	e->settled_minute = minute;
	return audit_settle(e->d, err);
}

static void *run(void *arg)
{
	struct events *e = arg;

	while (!atomic_load(&e->stopping)) {
		struct md_err err = { 0 };
		bool any;
		int rc;

		desk_busy(e->d, DESK_EVENTS);
		rc = number(e, &any, &err);

		if (rc == MD_OK)
			rc = events_tell_all(e, &err);
		if (rc == MD_OK)
			rc = events_beat_all(e, &err);
		if (rc == MD_OK)
			rc = settle_audit(e, &err);
		if (rc != MD_OK)
			log_error(NULL, "events wait: %s", err.text);
		if (rc != MD_OK || any)
			sleep_whole(e, rc != MD_OK ? PAUSE_MS : GATHER_MS);
		else
			desk_sleep(e->d, DESK_EVENTS, until_beat(e));
	}
	desk_idle(e->d, DESK_EVENTS);
	return NULL;
}

int events_start(struct desk *d, struct events **ret, struct md_err *err)
{
	md_auto(events_stop_p) struct events *e = md_calloc(1, sizeof *e);
	int rc;

	if (!e)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	e->d = d;
	e->worker.holder = d->instance;
	e->worker.lease_ms =
		d->config->desk.lease_ms < LEASE_MS ? d->config->desk.lease_ms : LEASE_MS;
	pthread_mutex_init(&e->lock, NULL);
	rc = pthread_create(&e->thread, NULL, run, e);
	if (rc != 0)
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	pthread_setname_np(e->thread, "events");
	e->has_thread = true;
	*ret = md_take(e);
	return MD_OK;
}

void events_stop(struct events *e)
{
	struct md_err err = { 0 };

	if (!e)
		return;
	if (e->has_thread) {
		atomic_store(&e->stopping, true);
		desk_wake(e->d, DESK_EVENTS);
		pthread_join(e->thread, NULL);
		if (event_leave(e->d->db, &e->worker, &err) != MD_OK)
			log_warn(NULL, "the lease of events is not given back: %s", err.text);
	}
	for (struct viewer *v = e->viewers; v; v = v->next)
		viewer_leave(v);
	events_sweep_out(e);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

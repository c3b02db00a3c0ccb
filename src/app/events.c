#include <maildesk/app/audit.h>
#include <maildesk/app/events.h>
#include <maildesk/base/log.h>
#include <maildesk/store/api_keys.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 500,   /* what other daemons do is looked for at least so often */
	GATHER_MS = 50,  /* then some more has come together: each batch is a transaction */
	PAUSE_MS = 1000, /* after a failure */
	LEASE_MS = 5000, /* of who gives the numbers */
	TEXT_MAX = 2048, /* of an event */
	PAGE_BYTES = 8 << 20,
};

struct viewer {
	struct viewer *next;
	struct http_stream *stream; /* NULL: it is over */
	struct policy_actor actor;
	int64_t organisation, epoch, session, key;
	int64_t position;
	int64_t beat_at_ms; /* monotonic */
	bool full;          /* until it has taken what waits for it */
};

struct events {
	struct desk *d;
	pthread_t thread;
	bool has_thread;
	atomic_bool stopping, drained;
	struct event_worker worker;
	pthread_mutex_t lock;
	int64_t settled_minute;
	struct viewer *viewers; /* under lock; taken out by the thread alone */
};

/* ---- as text ---- */

static void add_text(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, ",\"%s\":", key);
	json_write_string(out, text, text ? strlen(text) : 0);
}

void event_show(struct buf *out, const struct event *e)
{
	char at[TIME_TEXT_MAX];

	buf_addf(out, "{\"type\":\"%s\"", e->type);
	if (e->ticket)
		buf_addf(out, ",\"ticket\":%lld", (long long)e->ticket);
	else
		buf_adds(out, ",\"ticket\":null"); /* a test of a webhook */
	if (e->comment)
		buf_addf(out, ",\"comment\":%lld", (long long)e->comment);
	if (e->version)
		buf_addf(out, ",\"version\":%lld", (long long)e->version);
	else
		buf_adds(out, ",\"version\":null");
	add_text(out, "at", time_format(e->at, 1, at));
	if (e->actor && e->actor_name) {
		buf_addf(out, ",\"actor\":{\"id\":%lld", (long long)e->actor);
		add_text(out, "name", e->actor_name);
		add_text(out, "role", e->actor_role);
		buf_adds(out, "}}");
	} else {
		buf_adds(out, ",\"actor\":null}");
	}
}

/* ---- who is there ---- */

static void leave(struct viewer *v)
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
			leave(v);
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

static void sweep_out(struct events *e)
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

/* ---- telling ---- */

struct page {
	struct event *events;
	struct event_seat *seats; /* by ticket */
	size_t n, n_seats;
};

static bool is_seated(const struct page *p, int64_t ticket, int64_t user)
{
	size_t low = 0, high = p->n_seats;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct event_seat *s = &p->seats[mid];

		if (s->ticket == ticket && s->user == user)
			return true;
		if (s->ticket < ticket || (s->ticket == ticket && s->user < user))
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static bool may_see(const struct events *e, const struct page *p, const struct event *event,
		    const struct viewer *v)
{
	const struct conf_desk *desk = &e->d->config->desk;
	const struct policy_ticket facts = {
		.requester = event->requester,
		.assignee = event->assignee,
		.is_participant = is_seated(p, event->ticket, v->actor.user),
		.open_desk = strcmp(desk->visibility, "open") == 0,
		.is_shared = desk->organisation_shared && v->organisation &&
			     v->organisation == event->organisation,
	};

	/* What is deleted is there for admins alone; that it is gone is for all who saw it. */
	if (v->actor.role != ROLE_ADMIN &&
	    (!event->requester ||
	     (event->is_deleted && strcmp(event->type, "ticket.deleted") != 0)))
		return false;
	return policy_may(&v->actor, event->is_internal ? ACTION_READ_INTERNAL : ACTION_READ_TICKET,
			  &facts) == POLICY_YES;
}

static int write_event(struct viewer *v, const struct event *event)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);

	buf_addf(&text, "id: %lld\nevent: %s\ndata: ", (long long)event->id, event->type);
	event_show(&text, event);
	buf_adds(&text, "\n\n");
	return text.status == MD_OK ? http_stream_write(v->stream, text.data, text.len) : MD_OK;
}

/* As far as there is room. */
static void tell(const struct events *e, const struct page *p, struct viewer *v)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct event *event = &p->events[i];
		int rc = MD_OK;

		if (event->id <= v->position)
			continue;
		if (may_see(e, p, event, v))
			rc = write_event(v, event);
		if (rc == MD_AGAIN) {
			v->full = true;
			return;
		}
		if (rc != MD_OK) {
			leave(v);
			return;
		}
		v->position = event->id;
	}
}

static int read_page(struct events *e, int64_t after, struct arena *a, struct page *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(e->d->db, &c, err);

	if (rc == MD_OK)
		rc = event_list(c, after, a, &ret->events, &ret->n, err);
	return rc == MD_OK ? event_seats(c, ret->events, ret->n, a, &ret->seats, &ret->n_seats, err)
			   : rc;
}

/* Where who is furthest behind and has room stands. False: nobody is there. */
static bool lowest(struct events *e, bool drained, int64_t *ret)
{
	bool any = false;

	pthread_mutex_lock(&e->lock);
	for (struct viewer *v = e->viewers; v; v = v->next) {
		if (drained)
			v->full = false;
		if (!v->stream || v->full)
			continue;
		if (!any || v->position < *ret)
			*ret = v->position;
		any = true;
	}
	pthread_mutex_unlock(&e->lock);
	return any;
}

static int tell_all(struct events *e, struct md_err *err)
{
	bool drained = atomic_exchange(&e->drained, false);
	int64_t after = 0;

	while (lowest(e, drained, &after) && !atomic_load(&e->stopping)) {
		md_auto(arena_done) struct arena a = ARENA_INIT(PAGE_BYTES);
		struct page p = { 0 };
		int rc = read_page(e, after, &a, &p, err);

		drained = false;
		if (rc != MD_OK || p.n == 0)
			return rc;
		pthread_mutex_lock(&e->lock);
		for (struct viewer *v = e->viewers; v; v = v->next)
			if (v->stream && !v->full)
				tell(e, &p, v);
		pthread_mutex_unlock(&e->lock);
	}
	return MD_OK;
}

/* ---- heartbeats, and whether they still may ---- */

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
		leave(v);
}

static int beat_all(struct events *e, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(PAGE_BYTES);
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
			leave(v);
			continue;
		}
		v->actor = p->actor;
		v->organisation = p->organisation;
		beat(v, now_ms + e->d->config->http.heartbeat_ms);
	}
	pthread_mutex_unlock(&e->lock);
	sweep_out(e);
	return MD_OK;
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
			rc = tell_all(e, &err);
		if (rc == MD_OK)
			rc = beat_all(e, &err);
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
		leave(v);
	sweep_out(e);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

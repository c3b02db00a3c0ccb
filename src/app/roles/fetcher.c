/* One loop, a few workers. The loop alone uses the channel to the desk and parks the sessions that
 * wait (IDLE descriptors, timers); workers run the blocking steps. A session goes from the loop to
 * a worker and back through two queues:
 *
 *	parked --descriptor, timer, frame--> queue --worker: session_step()--> done --> parked
 *
 * Threads are added as long as sessions wait for one: a dead host holds its worker for a whole
 * time-out. Not more than half of them may open connections, so that dead hosts leave the others to
 * those who get on. */
#include <maildesk/app/fetcher.h>

#include "fetch_private.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/log.h>
#include <maildesk/net/role.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	WORKERS_MAX = 16,
	CONNECTING_MAX = WORKERS_MAX / 2,
	STACK_BYTES = 1 << 20,
	EVENTS = 64,
	DESK_BEHIND_BYTES = 4 << 20, /* unsent frames at which no more mail is fetched */
};

struct queue {
	struct session *first, **end;
};

static struct {
	/* the loop's */
	struct channel *desk;
	int epoll, done_event;
	struct session **sessions;
	size_t n_sessions, cap_sessions;
	int64_t next_timer_ms; /* no parked session's timer is before it */
	bool resolver_seen;    /* resolv.conf could be read */
	/* shared, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct queue ready, connecting, done;
	int n_workers, n_idle, n_connecting;
} fetch = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

static int64_t now_ms(void)
{
	return clock_mono(&clock_system);
}

/* Out of memory, or a peer that breaks the protocol: the desk starts a new one. */
static _Noreturn void give_up(const char *what, const struct md_err *err)
{
	log_error(NULL, "%s: %s", what, err ? err->text : strerror(errno));
	_exit(1);
}

static void push(struct queue *q, struct session *s)
{
	s->next = NULL;
	*q->end = s;
	q->end = &s->next;
}

static struct session *pop(struct queue *q)
{
	struct session *s = q->first;

	if (s) {
		q->first = s->next;
		if (!q->first)
			q->end = &q->first;
	}
	return s;
}

/* ---- workers ---- */

/* Called with the lock. */
static struct session *next_job(bool *ret_connects)
{
	struct session *s = pop(&fetch.ready);

	*ret_connects = false;
	if (!s && fetch.n_connecting < CONNECTING_MAX) {
		s = pop(&fetch.connecting);
		*ret_connects = s != NULL;
	}
	return s;
}

static void *run_worker(void *arg)
{
	const uint64_t one = 1;

	(void)arg;
	pthread_mutex_lock(&fetch.lock);
	for (;;) {
		struct session *s;
		bool connects, first;

		while (!(s = next_job(&connects))) {
			fetch.n_idle++;
			pthread_cond_wait(&fetch.work, &fetch.lock);
			fetch.n_idle--;
		}
		fetch.n_connecting += connects;
		pthread_mutex_unlock(&fetch.lock);

		session_step(s);

		pthread_mutex_lock(&fetch.lock);
		fetch.n_connecting -= connects;
		first = !fetch.done.first;
		push(&fetch.done, s);
		if (first)
			(void)!write(fetch.done_event, &one, sizeof one);
	}
	return NULL;
}

/* Called with the lock. */
static void add_worker(void)
{
	pthread_attr_t attr;
	pthread_t t;

	if (fetch.n_idle || fetch.n_workers == WORKERS_MAX)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &attr, run_worker, NULL) == 0)
		fetch.n_workers++;
	else if (!fetch.n_workers)
		give_up("thread", NULL);
	pthread_attr_destroy(&attr);
}

/* ---- parking ---- */

static bool holds_something(const struct given *g)
{
	return g->settings || g->drop || g->cursor || g->poll || g->stored.n;
}

/* From the loop to the workers. */
static void dispatch(struct session *s)
{
	s->on_time = now_ms() >= s->timer_ms;
	s->due = false;
	s->given = s->inbox;
	s->inbox = (struct given){ 0 };
	s->at = AT_WORKERS;
	pthread_mutex_lock(&fetch.lock);
	push(session_connects(s) ? &fetch.connecting : &fetch.ready, s);
	add_worker();
	pthread_cond_signal(&fetch.work);
	pthread_mutex_unlock(&fetch.lock);
}

static void watch(struct session *s, int fd)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = s };

	/* the number may be known from before, or belong to a new socket */
	if (epoll_ctl(fetch.epoll, EPOLL_CTL_MOD, fd, &e) != 0 &&
	    epoll_ctl(fetch.epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		give_up("epoll", NULL);
}

/* Sent when the loop comes round: a batch of mails in a few calls. */
static void put_frame(struct outgoing *o)
{
	static const struct rec *const recs[] = {
		[FRAME_SELECTED] = &frame_selected_rec,
		[FRAME_MAIL] = &frame_mail_rec,
		[FRAME_MARKED] = &frame_uids_rec,
		[FRAME_STATE] = &frame_state_rec,
	};
	struct md_err err;
	int rc = channel_put(fetch.desk, o->type, recs[o->type], &o->selected, o->fd, &err);

	if (rc == MD_REFUSED)
		_exit(0); /* the desk is gone */
	if (rc != MD_OK)
		give_up("desk", &err);
	outgoing_free(o);
}

static void make_due(struct session *s)
{
	s->due = true;
	fetch.next_timer_ms = 0;
}

/* The jail knows files, not names: once resolv.conf was replaced, only a new process can read it.
 */
static void check_resolver(void)
{
	md_auto(md_close_p) int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		fetch.resolver_seen = true;
	} else if (fetch.resolver_seen && errno == EACCES) {
		log_notice(NULL, "resolv.conf was replaced: starting afresh");
		_exit(1);
	}
}

/* From the workers back to the loop. */
static void take_back(struct session *s)
{
	struct outgoing *o;

	s->at = AT_LOOP;
	if (s->failures)
		check_resolver();
	while ((o = s->out)) {
		s->out = o->next;
		put_frame(o);
	}
	s->out_end = &s->out;
	s->timer_ms = s->wish.timer_ms;
	if (s->wish.again || holds_something(&s->inbox)) {
		make_due(s);
		return;
	}
	if (s->timer_ms < fetch.next_timer_ms)
		fetch.next_timer_ms = s->timer_ms;
	if (s->wish.fd >= 0)
		watch(s, s->wish.fd);
}

static void take_all_back(void)
{
	struct session *s;
	uint64_t n;

	(void)!read(fetch.done_event, &n, sizeof n);
	for (;;) {
		pthread_mutex_lock(&fetch.lock);
		s = pop(&fetch.done);
		pthread_mutex_unlock(&fetch.lock);
		if (!s)
			break;
		take_back(s);
	}
}

static void run_timers(void)
{
	int64_t now = now_ms(), next = INT64_MAX;

	if (now < fetch.next_timer_ms || channel_pending(fetch.desk) > DESK_BEHIND_BYTES)
		return;
	for (size_t i = 0; i < fetch.n_sessions; i++) {
		struct session *s = fetch.sessions[i];

		if (s->at != AT_LOOP)
			continue;
		if (s->due || s->timer_ms <= now)
			dispatch(s);
		else if (s->timer_ms < next)
			next = s->timer_ms;
	}
	fetch.next_timer_ms = next;
}

/* ---- the desk ---- */

static struct session *find_session(int64_t id)
{
	for (size_t i = 0; i < fetch.n_sessions; i++) {
		if (fetch.sessions[i]->id == id)
			return fetch.sessions[i];
	}
	return NULL;
}

static struct session *add_session(int64_t id)
{
	struct session *s = session_new(id);

	if (fetch.n_sessions == fetch.cap_sessions) {
		size_t cap = fetch.cap_sessions ? 2 * fetch.cap_sessions : 16;
		struct session **more = md_realloc(fetch.sessions, cap * sizeof *more);

		if (!more)
			give_up("mailboxes", NULL);
		fetch.sessions = more;
		fetch.cap_sessions = cap;
	}
	if (!s)
		give_up("mailboxes", NULL);
	fetch.sessions[fetch.n_sessions++] = s;
	return s;
}

static void take_mailbox(const struct frame *f)
{
	struct md_err err;
	struct settings *set = settings_new(f, &err);
	struct session *s;

	if (!set)
		give_up("desk", &err);
	s = find_session(set->box.id);
	if (!s)
		s = add_session(set->box.id);
	settings_free(s->inbox.settings);
	s->inbox.settings = set;
	if (s->at == AT_LOOP)
		dispatch(s);
}

static void add_uids(struct uids *u, const struct rec_list *list)
{
	const struct frame_uid *v = list->v;

	for (size_t i = 0; i < list->n; i++) {
		if (uids_add(u, (uint32_t)v[i].uid) != MD_OK)
			give_up("desk", NULL);
	}
}

static void take_uids(const struct frame *f)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(8 << 20);
	struct frame_uids u;
	struct session *s;
	struct md_err err;

	if (rec_unpack(&frame_uids_rec, f->bytes, f->n, &arena, &u, &err) != MD_OK)
		give_up("desk", &err);
	s = find_session(u.mailbox);
	if (!s)
		return;
	if (f->type == FRAME_CURSOR) {
		s->inbox.cursor = true;
		s->inbox.cursor_uidvalidity = u.uidvalidity;
		s->inbox.cursor_last = u.last_uid;
		s->inbox.owed.n = 0;
		add_uids(&s->inbox.owed, &u.uids);
	} else if (f->type == FRAME_STORED) {
		if (s->inbox.stored_uidvalidity != u.uidvalidity)
			s->inbox.stored.n = 0; /* those are of a folder that is no more */
		s->inbox.stored_uidvalidity = u.uidvalidity;
		add_uids(&s->inbox.stored, &u.uids);
	} else if (f->type == FRAME_DROP) {
		given_done(&s->inbox); /* nothing said before it matters any more */
		s->inbox.drop = true;
	} else {
		s->inbox.poll = true;
	}
	if (s->at == AT_LOOP)
		dispatch(s);
}

static void hear_desk(void)
{
	struct frame f;
	struct md_err err;
	int rc;

	while ((rc = channel_receive(fetch.desk, &f, &err)) == MD_OK) {
		if (f.type == FRAME_MAILBOX)
			take_mailbox(&f);
		else if (f.type == FRAME_CURSOR || f.type == FRAME_STORED || f.type == FRAME_POLL ||
			 f.type == FRAME_DROP)
			take_uids(&f);
		else
			give_up("desk sends an unknown frame", NULL);
		if (f.fd >= 0)
			close(f.fd);
	}
	if (rc == MD_REFUSED)
		_exit(0);
	if (rc != MD_AGAIN)
		give_up("desk", &err);
}

/* ---- the loop ---- */

static void add_source(int fd, void *tag, uint32_t events, int op)
{
	struct epoll_event e = { .events = events, .data.ptr = tag };

	if (epoll_ctl(fetch.epoll, op, fd, &e) != 0)
		give_up("epoll", NULL);
}

static void prepare(void)
{
	struct md_err err;

	fetch.ready.end = &fetch.ready.first;
	fetch.connecting.end = &fetch.connecting.first;
	fetch.done.end = &fetch.done.first;
	fetch.next_timer_ms = INT64_MAX;
	if (channel_new(ROLE_SOCKET_FD, &fetch.desk, &err) != MD_OK)
		give_up("desk", &err);
	fetch.epoll = epoll_create1(EPOLL_CLOEXEC);
	fetch.done_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fetch.epoll < 0 || fetch.done_event < 0)
		give_up("epoll", NULL);
	add_source(channel_fd(fetch.desk), &fetch.desk, EPOLLIN, EPOLL_CTL_ADD);
	add_source(fetch.done_event, &fetch.done, EPOLLIN, EPOLL_CTL_ADD);
}

static int wait_ms(void)
{
	int64_t left = fetch.next_timer_ms == INT64_MAX ? -1 : fetch.next_timer_ms - now_ms();

	if (channel_pending(fetch.desk) > DESK_BEHIND_BYTES || fetch.next_timer_ms == INT64_MAX)
		return -1; /* until the desk has read, or something happens */
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void handle(const struct epoll_event *e)
{
	struct session *s = e->data.ptr;

	if (e->data.ptr == &fetch.done) {
		take_all_back();
	} else if (e->data.ptr == &fetch.desk) {
		hear_desk();
	} else if (s->at == AT_LOOP) {
		make_due(s); /* run_timers() holds it back while the desk is behind */
	}
}

static _Noreturn void loop(void)
{
	bool writing = false;

	for (;;) {
		struct epoll_event events[EVENTS];
		struct md_err err;
		int n;

		run_timers();
		if (channel_flush(fetch.desk, &err) != MD_OK)
			_exit(0);
		if (writing != (channel_pending(fetch.desk) > 0)) {
			writing = !writing;
			add_source(channel_fd(fetch.desk), &fetch.desk,
				   writing ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
		}
		n = epoll_wait(fetch.epoll, events, EVENTS, wait_ms());
		if (n < 0 && errno != EINTR)
			give_up("epoll", NULL);
		for (int i = 0; i < n; i++)
			handle(&events[i]);
	}
}

int role_fetch_main(void)
{
	const struct role_jail jail = { .network = true, .spool = true };
	char missing[200];
	struct md_err err;

	log_init("fetch", LOG_AUTO, LOG_INFO);
	mallopt(M_ARENA_MAX, 2); /* threads wait most of the time; their memory need not */
	if (role_jail_enter(&jail, missing, sizeof missing, &err) != MD_OK)
		give_up("jail", &err);
	if (missing[0])
		log_warn(NULL, "this kernel lacks %s", missing);
	prepare();
	check_resolver();
	loop();
}

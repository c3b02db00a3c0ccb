#include <maildesk/app/listener.h>
#include <maildesk/base/log.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_MS = 1000 };

struct listener {
	struct desk *d;
	pthread_t thread;
	atomic_bool stopping;
	struct db_listener *db; /* NULL: the connection is lost */
};

static const enum desk_part parts[DB_TOPICS] = {
	[DB_TOPIC_OUTBOX] = DESK_SENDER,    [DB_TOPIC_TIMERS] = DESK_TIMERS,
	[DB_TOPIC_LEASES] = DESK_MAILBOXES, [DB_TOPIC_SEARCH] = DESK_INDEXER,
	[DB_TOPIC_EVENTS] = DESK_EVENTS,
};

static void wake(struct listener *l, unsigned topics)
{
	for (int i = 0; i < DB_TOPICS; i++)
		if (topics & 1U << i)
			desk_wake(l->d, parts[i]);
}

static void hear(struct listener *l)
{
	struct md_err err = { 0 };
	unsigned topics = 0;

	if (db_hear(l->db, &topics, &err) != MD_OK) {
		log_warn(NULL, "other daemons are not heard for a while: %s", err.text);
		db_listener_close(md_take(l->db));
	}
	wake(l, topics);
}

static void sleep_for(struct listener *l, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = l->d->wake_fd[DESK_LISTENER], .events = POLLIN },
				 { .fd = l->db ? db_listener_fd(l->db) : -1, .events = POLLIN } };

	desk_idle(l->d, DESK_LISTENER);
	(void)poll(fds, MD_COUNT(fds), timeout_ms);
	desk_busy(l->d, DESK_LISTENER);
}

static void *run(void *arg)
{
	struct listener *l = arg;

	while (!atomic_load(&l->stopping)) {
		sleep_for(l, l->db ? -1 : RETRY_MS);
		if (atomic_load(&l->stopping))
			break;
		if (l->db)
			hear(l);
		else if (db_listen(l->d->db, &l->db, NULL) == MD_OK)
			wake(l, ~0U); /* whatever was told meanwhile */
	}
	desk_idle(l->d, DESK_LISTENER);
	return NULL;
}

int listener_start(struct desk *d, struct listener **ret, struct md_err *err)
{
	md_auto(db_listener_close_p) struct db_listener *db = NULL;
	struct listener *l;
	int rc = db_listen(d->db, &db, err);

	*ret = NULL;
	if (rc != MD_OK || !db)
		return rc;
	l = md_calloc(1, sizeof *l);
	if (!l)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	l->d = d;
	l->db = db;
	rc = pthread_create(&l->thread, NULL, run, l);
	if (rc != 0) {
		free(l);
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	}
	(void)md_take(db);
	*ret = l;
	return MD_OK;
}

void listener_stop(struct listener *l)
{
	if (!l)
		return;
	atomic_store(&l->stopping, true);
	desk_wake(l->d, DESK_LISTENER);
	pthread_join(l->thread, NULL);
	db_listener_close(l->db);
	free(l);
}

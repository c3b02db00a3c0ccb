/* The thread behind the search index. One daemon of a desk does it, by a lease: the others find the
 * queue in somebody's hands and look again later. After a batch it lets some more come together:
 * each is a transaction, and the index likes few large ones. */
#include <maildesk/app/search.h>
#include <maildesk/base/log.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 500, GATHER_MS = 150, PAUSE_MS = 1000 };

struct indexer {
	struct desk *d;
	pthread_t thread;
	atomic_bool stopping;
	struct search_worker worker;
	bool ensured;
};

static void sleep_whole(struct indexer *x, int ms)
{
	int64_t now = clock_mono(x->d->clock), until = now + ms;

	while (now < until && !atomic_load(&x->stopping)) {
		desk_sleep(x->d, DESK_INDEXER, (int)(until - now));
		now = clock_mono(x->d->clock);
	}
}

/* *ret_any: there was something. */
static int work(struct indexer *x, bool *ret_any, struct md_err *err)
{
	size_t done = 1;
	int rc = x->ensured ? MD_OK : search_ensure(x->d->db, err);

	x->ensured = x->ensured || rc == MD_OK;
	*ret_any = false;
	while (rc == MD_OK && done && !atomic_load(&x->stopping)) {
		desk_busy(x->d, DESK_INDEXER);
		rc = search_work(x->d->db, &x->worker, &done, err);
		*ret_any = *ret_any || done;
	}
	return rc;
}

static void *run(void *arg)
{
	struct indexer *x = arg;
	bool had_any = false;

	while (!atomic_load(&x->stopping)) {
		struct md_err err = { 0 };
		bool any = false;
		int rc = work(x, &any, &err);

		if (rc != MD_OK && rc != MD_CONFLICT)
			log_error(NULL, "the search index waits: %s", err.text);
		if (rc != MD_OK)
			sleep_whole(x, PAUSE_MS);
		else if (any)
			sleep_whole(x, GATHER_MS);
		else {
			if (had_any)
				db_slim(x->d->db); /* behind all else, it fills caches last */
			desk_sleep(x->d, DESK_INDEXER, LOOK_MS);
		}
		had_any = any;
	}
	desk_idle(x->d, DESK_INDEXER);
	return NULL;
}

int indexer_start(struct desk *d, struct indexer **ret, struct md_err *err)
{
	struct indexer *x = md_calloc(1, sizeof *x);
	int rc;

	if (!x)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	x->d = d;
	x->worker.holder = d->instance;
	rc = pthread_create(&x->thread, NULL, run, x);
	if (rc != 0) {
		free(x);
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	}
	pthread_setname_np(x->thread, "indexer"); /* the benchmark tells its work from the rest */
	*ret = x;
	return MD_OK;
}

void indexer_stop(struct indexer *x)
{
	struct md_err err = { 0 };

	if (!x)
		return;
	atomic_store(&x->stopping, true);
	desk_wake(x->d, DESK_INDEXER);
	pthread_join(x->thread, NULL);
	if (search_leave(x->d->db, &x->worker, &err) != MD_OK)
		log_warn(NULL, "the search index is not given back: %s", err.text);
	free(x);
}

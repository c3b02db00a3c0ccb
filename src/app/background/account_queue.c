/* Requests for mails about accounts, done one after the other behind the answers to them. */
#include <maildesk/app/account.h>
#include <maildesk/app/work.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>

#include <stdlib.h>
#include <string.h>

enum { KEY_WAIT_MS = 5000, WAITING_MAX = 1000, ARENA_MAX = 1 << 20 };

struct asked {
	struct asked *next;
	struct account_request request; /* its texts are our copies */
};

struct account_queue {
	struct desk *desk;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct desk_worker worker;
	struct asked *first, **last;
	size_t n;
	bool stopping;
};

static void forget(struct asked *a)
{
	const char *texts[] = { a->request.email, a->request.name, a->request.locale,
				a->request.password_hash };

	for (size_t i = 0; i < MD_COUNT(texts); i++)
		free((void *)(uintptr_t)texts[i]);
	free(a);
}

/* ---- the thread ---- */

struct asking {
	struct desk *desk;
	const struct account_request *request;
	struct arena arena;
};

static int ask_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct asking *a = ctx;

	arena_reset(&a->arena);
	fault_point("account_asked");
	return account_ask(a->desk, c, &a->arena, a->request, clock_wall(a->desk->clock), err);
}

static void serve(struct desk *d, const struct account_request *r)
{
	struct asking a = { .desk = d, .request = r, .arena = ARENA_INIT(ARENA_MAX) };
	struct md_err err = { 0 };

	/* Waited for here and not inside the transaction, which would keep all writers waiting. */
	if (vault_wait(d->vault, KEY_WAIT_MS, &err) == MD_OK &&
	    db_txn(d->db, ask_in_txn, &a, &err) == MD_OK)
		work_done(d);
	else
		log_error(NULL, "a mail about an account could not be sent: %s", err.text);
	arena_done(&a.arena);
}

/* NULL: the end. */
static struct asked *next(struct account_queue *q)
{
	struct asked *a;

	pthread_mutex_lock(&q->lock);
	while (!q->first && !q->stopping)
		pthread_cond_wait(&q->changed, &q->lock);
	a = q->first;
	if (a) {
		q->first = a->next;
		if (!q->first)
			q->last = &q->first;
		q->n--;
	}
	pthread_mutex_unlock(&q->lock);
	return a;
}

static void *run(void *arg)
{
	struct account_queue *q = arg;

	for (struct asked *a; (a = next(q)); forget(a)) {
		desk_worker_busy(&q->worker);
		serve(q->desk, &a->request);
		desk_worker_idle(&q->worker);
	}
	return NULL;
}

/* ---- from outside ---- */

static bool copy(const char *from, const char **to)
{
	*to = from ? md_strdup(from) : NULL;
	return !from || *to;
}

int account_queue_add(struct account_queue *q, const struct account_request *r, struct md_err *err)
{
	struct asked *a = md_calloc(1, sizeof *a);
	bool full;

	if (!a)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	a->request.kind = r->kind;
	if (!copy(r->email, &a->request.email) || !copy(r->name, &a->request.name) ||
	    !copy(r->locale, &a->request.locale) ||
	    !copy(r->password_hash, &a->request.password_hash)) {
		forget(a);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	pthread_mutex_lock(&q->lock);
	full = q->n == WAITING_MAX;
	if (!full) {
		*q->last = a;
		q->last = &a->next;
		q->n++;
		pthread_cond_signal(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	if (full)
		forget(a);
	return full ? md_fail(err, MD_AGAIN, 0, "too many mails about accounts wait") : MD_OK;
}

int account_queue_start(struct desk *d, struct account_queue **ret, struct md_err *err)
{
	struct account_queue *q = md_calloc(1, sizeof *q);
	int rc;

	if (!q)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	q->desk = d;
	q->last = &q->first;
	q->worker.name = "account mails";
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	rc = pthread_create(&q->thread, NULL, run, q);
	if (rc != 0) {
		pthread_cond_destroy(&q->changed);
		pthread_mutex_destroy(&q->lock);
		free(q);
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	}
	desk_hire(d, &q->worker);
	*ret = q;
	return MD_OK;
}

void account_queue_stop(struct account_queue *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	desk_dismiss(q->desk, &q->worker);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

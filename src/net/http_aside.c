/* Requests that may take long, run aside: what waits (all that is no GET, for the database's one
 * writer, or a password's hash) or reads through a whole desk (HTTP_SLOW). Their worker
 * would keep all its other connections waiting. So it suspends the connection, a thread of these
 * few dispatches the request and resumes the connection, and the worker sends the answer.
 *
 * Thus there need not be more workers than cores: of more, each waits for a turn of the scheduler
 * (some milliseconds) with all of its connections. Measured with 64 connections on 2 cores, lists:
 * p99 with 4 workers 13 ms, with 2 workers 7 ms, at the same rate.
 *
 * Whoever stops the server ends this first: what is queued is still run, and what comes then is
 * run by the workers, for libmicrohttpd does not stop while a connection is suspended. */
#include "http_private.h"

#include <errno.h>
#include <string.h>

static struct http_exchange *next_of(struct http_server *s)
{
	struct http_aside *a = &s->aside;
	struct http_exchange *ex;

	pthread_mutex_lock(&a->lock);
	while (!a->first && !a->stopping)
		pthread_cond_wait(&a->some, &a->lock);
	ex = a->first;
	if (ex)
		a->first = ex->behind;
	if (!a->first)
		a->last = NULL;
	pthread_mutex_unlock(&a->lock);
	return ex;
}

static void *run(void *arg)
{
	struct http_server *s = arg;
	unsigned number = s->n_workers + atomic_fetch_add(&s->aside.numbers, 1);
	struct http_exchange *ex;

	pthread_setname_np(pthread_self(), "http-aside");
	while ((ex = next_of(s))) {
		http_tell_works(s, number, true);
		http_dispatch(ex);
		http_tell_works(s, number, false);
		/* Its worker has it from here on. */
		ex->dispatched = true;
		MHD_resume_connection(ex->con);
	}
	return NULL;
}

bool http_put_aside(struct http_exchange *ex)
{
	struct http_aside *a = &ex->server->aside;
	bool taken;

	pthread_mutex_lock(&a->lock);
	taken = !a->stopping && a->n_threads;
	if (taken) {
		MHD_suspend_connection(ex->con); /* before anybody can resume it */
		ex->behind = NULL;
		if (a->last)
			a->last->behind = ex;
		else
			a->first = ex;
		a->last = ex;
		pthread_cond_signal(&a->some);
	}
	pthread_mutex_unlock(&a->lock);
	return taken;
}

void http_aside_init(struct http_aside *a)
{
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->some, NULL);
}

int http_aside_start(struct http_server *s, struct md_err *err)
{
	struct http_aside *a = &s->aside;
	pthread_attr_t attr;
	int rc = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, HTTP_STACK_BYTES);
	while (rc == 0 && a->n_threads < HTTP_ASIDES)
		if ((rc = pthread_create(&a->threads[a->n_threads], &attr, run, s)) == 0)
			a->n_threads++;
	pthread_attr_destroy(&attr);
	return rc == 0 ? MD_OK
		       : md_fail(err, MD_BROKEN, rc, "http: cannot start a thread: %s",
				 strerror(rc));
}

void http_aside_stop(struct http_aside *a)
{
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_broadcast(&a->some);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->n_threads; i++)
		pthread_join(a->threads[i], NULL);
}

void http_aside_done(struct http_aside *a)
{
	pthread_cond_destroy(&a->some);
	pthread_mutex_destroy(&a->lock);
}

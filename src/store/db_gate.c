#include "db_gate.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

struct db_gate_waiter {
	struct db_gate_waiter *next;
	pthread_cond_t turn;
	pthread_t thread;
	bool has_it;
};

void db_gate_init(struct db_gate *g)
{
	*g = (struct db_gate){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

void db_gate_done(struct db_gate *g)
{
	pthread_mutex_destroy(&g->lock);
}

static void append(struct db_gate *g, struct db_gate_waiter *w)
{
	if (g->last)
		g->last->next = w;
	else
		g->first = w;
	g->last = w;
}

static void withdraw(struct db_gate *g, struct db_gate_waiter *w)
{
	struct db_gate_waiter *before = NULL;

	for (struct db_gate_waiter *at = g->first; at != w; at = at->next)
		before = at;
	if (before)
		before->next = w->next;
	else
		g->first = w->next;
	if (g->last == w)
		g->last = before;
}

static bool wait_for_turn(struct db_gate *g, int64_t until_ms)
{
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	struct db_gate_waiter self = { .thread = pthread_self() };
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&self.turn, &attr);
	pthread_condattr_destroy(&attr);

	append(g, &self);
	while (!self.has_it && pthread_cond_timedwait(&self.turn, &g->lock, &until) != ETIMEDOUT)
		;
	if (!self.has_it)
		withdraw(g, &self);
	pthread_cond_destroy(&self.turn);
	return self.has_it;
}

bool db_gate_enter(struct db_gate *g, int64_t until_ms)
{
	bool entered = true;

	pthread_mutex_lock(&g->lock);
	assert(!g->taken || !pthread_equal(g->owner, pthread_self()));
	if (g->taken) {
		entered = wait_for_turn(g, until_ms);
	} else {
		g->taken = true;
		g->owner = pthread_self();
	}
	pthread_mutex_unlock(&g->lock);
	return entered;
}

void db_gate_leave(struct db_gate *g)
{
	struct db_gate_waiter *next;

	pthread_mutex_lock(&g->lock);
	next = g->first;
	if (next) {
		/* Stays taken: nobody can slip in before the one who was woken. */
		g->first = next->next;
		if (!g->first)
			g->last = NULL;
		g->owner = next->thread;
		next->has_it = true;
		pthread_cond_signal(&next->turn);
	} else {
		g->taken = false;
	}
	pthread_mutex_unlock(&g->lock);
}

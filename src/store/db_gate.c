#include "db_gate.h"

#include <errno.h>
#include <time.h>

struct db_gate_waiter {
	struct db_gate_waiter *next;
	pthread_cond_t turn;
	int places;
	bool has_them;
};

void db_gate_init(struct db_gate *g, int places)
{
	*g = (struct db_gate){ .lock = PTHREAD_MUTEX_INITIALIZER, .free_places = places };
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

/* The places are given away here, so nobody can slip in before those who are woken. */
static void let_in(struct db_gate *g)
{
	struct db_gate_waiter *w;

	while ((w = g->first) && w->places <= g->free_places) {
		g->free_places -= w->places;
		withdraw(g, w);
		w->has_them = true;
		pthread_cond_signal(&w->turn);
	}
}

static bool wait_for_turn(struct db_gate *g, int places, int64_t until_ms)
{
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	struct db_gate_waiter self = { .places = places };
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&self.turn, &attr);
	pthread_condattr_destroy(&attr);

	append(g, &self);
	while (!self.has_them && pthread_cond_timedwait(&self.turn, &g->lock, &until) != ETIMEDOUT)
		;
	if (!self.has_them) {
		withdraw(g, &self);
		let_in(g); /* those behind may need less */
	}
	pthread_cond_destroy(&self.turn);
	return self.has_them;
}

bool db_gate_enter(struct db_gate *g, int places, int64_t until_ms)
{
	bool entered = true;

	pthread_mutex_lock(&g->lock);
	if (g->first || g->free_places < places)
		entered = wait_for_turn(g, places, until_ms);
	else
		g->free_places -= places;
	pthread_mutex_unlock(&g->lock);
	return entered;
}

void db_gate_leave(struct db_gate *g, int places)
{
	pthread_mutex_lock(&g->lock);
	g->free_places += places;
	let_in(g);
	pthread_mutex_unlock(&g->lock);
}

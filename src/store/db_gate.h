/* db_gate.h - whose turn it is: first come, first served, with a deadline.
 *
 * A plain mutex lets the thread that just released it take it again at once, so a busy intake would
 * starve the others. Here the one who leaves hands over to the one who has waited longest. The gate
 * has places; who needs several at once is not overtaken by those who need one. */
#ifndef MAILDESK_STORE_DB_GATE_H
#define MAILDESK_STORE_DB_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct db_gate_waiter;
struct db_gate {
	pthread_mutex_t lock;
	struct db_gate_waiter *first, *last;
	int free_places;
};
void db_gate_init(struct db_gate *g, int places);
void db_gate_done(struct db_gate *g);
/* `until_ms` on the monotonic clock. False when it passed. */
bool db_gate_enter(struct db_gate *g, int places, int64_t until_ms);
void db_gate_leave(struct db_gate *g, int places);

#endif

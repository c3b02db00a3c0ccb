/* gauges.h - what waits in the desk, for those who watch it: each along an index of what waits. */
#ifndef MAILDESK_STORE_GAUGES_H
#define MAILDESK_STORE_GAUGES_H

#include <maildesk/store/outbox.h>

struct gauges {
	struct outbox_depth *outbox; /* of those that are still to be sent */
	size_t n_outbox;
	int64_t timers_due;  /* instant of the next; 0: none */
	int64_t search_wait; /* rows the index does not have yet */
	int64_t quarantine;
};

int gauges_get(struct db_conn *c, struct arena *a, struct gauges *ret, struct md_err *err);

#endif

/* import_rt.h - tickets of a Request Tracker (its REST 2 interface) as lines of maildesk-export(7).
 * The lines go to a folder first, so that an import can be interrupted and run again. */
#ifndef MAILDESK_CMD_IMPORT_RT_H
#define MAILDESK_CMD_IMPORT_RT_H

#include <maildesk/net/rest.h>
#include <maildesk/store/port.h>

#include <stdio.h>

struct rt {
	struct rest *rest;
	const char *query; /* TicketSQL; NULL: all */
	int folder;
	FILE *lines;
	int64_t last;           /* ticket that is whole in `lines` */
	json_t *users, *queues; /* name or id: address, name */
	bool out_of_memory;
};

/* Ask for a ticket and all that is on it, and write it. One that may not be read is left out. */
int rt_ticket(struct rt *rt, int64_t id, struct md_err *err);

/* RT writes numbers as texts too. */
int64_t rt_number(const json_t *v);

/* One more line; takes the reference. NULL, or no room to write it, is rt->out_of_memory. */
void rt_put(struct rt *rt, json_t *line);
/* A file beside the lines, once for each content; `path` is what lines call it. MD_BROKEN. */
int rt_put_file(struct rt *rt, const struct buf *bytes, const char *sha256,
		char path[PORT_PATH_MAX], struct md_err *err);

#endif

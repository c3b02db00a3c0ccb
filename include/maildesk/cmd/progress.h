/* progress.h - long work, as people and programs see it: a bar on a terminal, lines otherwise, JSON
 * objects with --json. */
#ifndef MAILDESK_CMD_PROGRESS_H
#define MAILDESK_CMD_PROGRESS_H

#include <maildesk/base/json.h>
#include <maildesk/store/transfer.h>

struct progress {
	bool json, terminal;
	int64_t begun_ms, shown_ms, each_ms;
	const char *phase; /* the last that was told of */
};
/* The bar goes to standard error, JSON to standard output. */
struct progress progress_start(bool json);
/* `done` of `total` (0: not known) things called `what`, `fresh` of them by this call; not told
 * more often than can be read. */
void progress_tell(struct progress *p, const char *phase, const char *what, const char *unit,
		   int64_t done, int64_t total, int64_t fresh);
/* The bar is no more: before a result, or before an error (`broken`), which needs a line of its
 * own. */
void progress_end(struct progress *p, bool broken);
/* A transfer_tell, ctx is the struct progress. */
void progress_transfer(const struct transfer_progress *t, void *ctx);

/* One line of JSON on standard output; takes the reference. */
void put_json(json_t *j);

#endif

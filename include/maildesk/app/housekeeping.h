/* housekeeping.h - what is kept only for a while: deleted tickets, others where `retention`
 * says so, bytes of discarded mails, uploads that nothing took. */
#ifndef MAILDESK_APP_HOUSEKEEPING_H
#define MAILDESK_APP_HOUSEKEEPING_H

#include <maildesk/app/config.h>
#include <maildesk/store/db.h>

struct housekeeping {
	int64_t deleted;   /* tickets removed: they were deleted 30 days ago */
	int64_t retained;  /* tickets removed or anonymised by `retention` */
	int64_t *by_rule;  /* how many by each of its statuses; the caller's, or NULL */
	int64_t discarded; /* mails whose bytes went */
	int64_t uploads;
	bool more; /* there is more to do than was done at once */
};
enum { HOUSEKEEPING_BATCH = 100 };

/* Do what is due, a batch of each kind; each ticket in a transaction of its own. With `dry_run`
 * nothing is changed and all of it is counted. Numbers are added to what `ret` has. */
int housekeeping_run(struct db *db, const struct config *config, int64_t now_ms, bool dry_run,
		     struct housekeeping *ret, struct md_err *err);

#endif

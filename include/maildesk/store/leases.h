/* leases.h - who does what, among the daemons of one desk.
 *
 * A lease has a name, a holder and an end, in the time of the database: daemons need no common
 * clock. Its fence grows with every change of holder, so one that was stopped for long and goes on
 * can tell, inside the transaction that writes, that it was replaced meanwhile. A lease that has
 * run out but that nobody took is still its holder's. */
#ifndef MAILDESK_STORE_LEASES_H
#define MAILDESK_STORE_LEASES_H

#include <maildesk/store/db.h>

enum { LEASE_MAX_MS = 3600 * 1000 };

/* Take or prolong it, until ttl_ms (at most LEASE_MAX_MS) from now. MD_CONFLICT: another has it. */
int lease_take(struct db_conn *c, const char *name, const char *holder, int64_t ttl_ms,
	       int64_t *ret_fence, struct md_err *err);
/* Prolong all that the holder has not given back. */
int lease_renew(struct db_conn *c, const char *holder, int64_t ttl_ms, struct md_err *err);
/* MD_CONFLICT when another has taken it since lease_take() gave this fence. */
int lease_check(struct db_conn *c, const char *name, const char *holder, int64_t fence,
		struct md_err *err);
/* Give it back: anybody may take it at once. No failure when it was lost before. */
int lease_release(struct db_conn *c, const char *name, const char *holder, struct md_err *err);
/* All of the holder's. */
int lease_release_all(struct db_conn *c, const char *holder, struct md_err *err);

struct lease {
	const char *name, *holder;
	int64_t fence, left_ms; /* below 1: free for anybody */
};
/* All there are, by name. */
int lease_list(struct db_conn *c, struct arena *a, struct lease **ret, size_t *ret_n,
	       struct md_err *err);
/* Names that end with their holder are of no use when it is gone: drop those of this prefix that
 * nobody has held for LEASE_MAX_MS. */
int lease_forget(struct db_conn *c, const char *prefix, struct md_err *err);

/* The database's clock. */
int lease_now(struct db_conn *c, int64_t *ret_ms, struct md_err *err);

#endif

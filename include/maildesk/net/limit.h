/* limit.h - token buckets in memory: so many a minute for each key.
 *
 * A bucket holds a minute's worth and fills steadily. The table is of fixed size; when a place is
 * wanted the fullest bucket near it is forgotten, so a flood of keys frees no one who is in debt.
 * Safe from any thread. */
#ifndef MAILDESK_NET_LIMIT_H
#define MAILDESK_NET_LIMIT_H

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limiter;
struct limit_state { /* for RateLimit-Limit, -Remaining, -Reset and Retry-After */
	int64_t limit, remaining;
	int64_t reset_s; /* until the bucket is full */
	int64_t retry_s; /* until the next one is allowed; 0 when it is now */
};

int limiter_new(struct limiter **ret, struct md_err *err);
void limiter_free(struct limiter *l);
MD_DEFINE_AUTO(struct limiter *, limiter_free)

/* Take one of `per_minute` (> 0) for that key at that instant of a monotonic clock. False: none is
 * left, and none was taken. */
bool limiter_take(struct limiter *l, const char *key, size_t n, int64_t per_minute, int64_t mono_ms,
		  struct limit_state *ret);

#endif

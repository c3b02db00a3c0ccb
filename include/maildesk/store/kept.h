/* kept.h - what requests with an Idempotency-Key came to, for the next time they are asked. The
 * answers are bytes here: who keeps them has sealed them (app/api/retry.c). */
#ifndef MAILDESK_STORE_KEPT_H
#define MAILDESK_STORE_KEPT_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

enum { KEPT_MS = 24 * 3600 * 1000 };

struct kept_answer {
	struct rec_bytes body_mac; /* of the request */
	int64_t made_id;           /* what it made; 0: nothing, or nothing to name */
	struct rec_bytes answer;   /* n is 0: its effect is there, its answer is not */
};

/* In the transaction of the request's effect, before it: the request has its effect now.
 * MD_CONFLICT: it has had it in the last KEPT_MS. */
int kept_begin(struct db_conn *c, const char *request, const void *body_mac, size_t n,
	       int64_t now_ms, struct md_err *err);
/* In the same, after it. */
int kept_made(struct db_conn *c, const char *request, int64_t made_id, struct md_err *err);
int kept_answer_put(struct db_conn *c, const char *request, const struct kept_answer *k,
		    int64_t now_ms, struct md_err *err);
/* MD_NOTFOUND: nothing of the last KEPT_MS. */
int kept_answer_get(struct db_conn *c, const char *request, int64_t now_ms, struct arena *a,
		    struct kept_answer *ret, struct md_err *err);
/* Those that no request gets any more. */
int kept_purge(struct db_conn *c, int64_t now_ms, struct md_err *err);

#endif

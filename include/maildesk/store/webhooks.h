/* webhooks.h - who is called when something happens, and what became of each call.
 *
 * A call is a row from the moment its event gets its number, in the same transaction; it is claimed
 * with a lease, like a mail of the outbox. */
#ifndef MAILDESK_STORE_WEBHOOKS_H
#define MAILDESK_STORE_WEBHOOKS_H

#include <maildesk/store/events.h>

enum { WEBHOOKS_MAX = 100 };

struct webhook {
	int64_t id;
	const char *url, *events; /* names, parted by spaces */
	const char *secret;       /* sealed */
	bool active;
	int64_t created_by, created_at;
};
/* All, by id. */
int webhook_list(struct db_conn *c, struct arena *a, struct webhook **ret, size_t *ret_n,
		 struct md_err *err);
/* MD_NOTFOUND. */
int webhook_get(struct db_conn *c, int64_t id, struct arena *a, struct webhook *ret,
		struct md_err *err);
/* With id 0 it is made. MD_CONFLICT: there are WEBHOOKS_MAX. What waits for one that is switched
 * off fails. */
int webhook_save(struct db_conn *c, struct webhook *w, int64_t now_ms, struct md_err *err);
/* With all calls of it. MD_NOTFOUND. */
int webhook_remove(struct db_conn *c, int64_t id, struct md_err *err);

struct webhook_delivery {
	int64_t id, webhook;
	struct event event; /* id 0: a test */
	const char *state;  /* "queued", "sending", "retry", "delivered", "failed" */
	int64_t attempts, next_at, status;
	const char *reply, *body; /* NULL before the first attempt */
	int64_t created_at, done_at;
	const char *url, *secret; /* of the webhook */
};
/* A call of that webhook, due now. */
int webhook_queue(struct db_conn *c, int64_t webhook, const struct event *e, int64_t now_ms,
		  struct md_err *err);
/* Active webhooks that have something to be sent now. */
int webhook_due(struct db_conn *c, int64_t now_ms, struct arena *a, int64_t **ret, size_t *ret_n,
		struct md_err *err);
/* Take up to `limit` due ones of that webhook, the oldest first: attempts + 1. */
int webhook_claim(struct db_conn *c, int64_t webhook, const char *holder, int64_t now_ms,
		  int64_t lease_until, size_t limit, struct arena *a, struct webhook_delivery **ret,
		  size_t *ret_n, struct md_err *err);
/* End an attempt, if `holder` still has it. */
int webhook_finish(struct db_conn *c, const struct webhook_delivery *d, const char *holder,
		   struct md_err *err);
/* What `holder` had claimed in an earlier life is due at once. */
int webhook_release(struct db_conn *c, const char *holder, int64_t now_ms, struct md_err *err);
/* Newest first. */
int webhook_deliveries(struct db_conn *c, int64_t webhook, int64_t behind, int64_t offset,
		       int64_t limit, struct arena *a, struct webhook_delivery **ret, size_t *ret_n,
		       int64_t *ret_total, struct md_err *err);
int webhook_delivery_get(struct db_conn *c, int64_t id, struct arena *a,
			 struct webhook_delivery *ret, struct md_err *err);
/* Forget those that ended before. */
int webhook_purge(struct db_conn *c, int64_t before_ms, struct md_err *err);

#endif

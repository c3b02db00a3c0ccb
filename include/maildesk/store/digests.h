/* digests.h - what people will be told together, at the full hour (app/digest.h). */
#ifndef MAILDESK_STORE_DIGESTS_H
#define MAILDESK_STORE_DIGESTS_H

#include <maildesk/store/db.h>

struct digest_item {
	int64_t id, user_id, ticket_id;
	int64_t comment_id, actor_id; /* 0: none, the desk itself */
	const char *event;            /* the letter it would have been: "public_reply", ... */
	const char *detail;           /* of an undelivered mail, its address; NULL: none */
	int64_t due_at, created_at;
	const char *actor_name; /* filled by take */
};

/* In the transaction that causes it; `id` and `actor_name` are not read. */
int digest_add(struct db_conn *c, const struct digest_item *i, struct md_err *err);
/* When what waits for a user already is due, if that is to come. MD_NOTFOUND. */
int digest_waiting(struct db_conn *c, int64_t user, int64_t now_ms, int64_t *ret_due_ms,
		   struct md_err *err);
/* When the first is due. MD_NOTFOUND when nothing waits. */
int digest_next_due(struct db_conn *c, int64_t *ret_ms, struct md_err *err);
/* Whose are due, the first `limit` of them. */
int digest_due_users(struct db_conn *c, int64_t now_ms, size_t limit, struct arena *a,
		     int64_t **ret, size_t *ret_n, struct md_err *err);
/* Take what is due for a user, the oldest first, up to `limit`: the rows are gone with this
 * transaction. None when another daemon is at it. */
int digest_take(struct db_conn *c, int64_t user, int64_t now_ms, size_t limit, struct arena *a,
		struct digest_item **ret, size_t *ret_n, struct md_err *err);
/* All that waits for a user is due then: they want it otherwise from now on. */
int digest_move(struct db_conn *c, int64_t user, int64_t due_ms, struct md_err *err);
/* Mails about tickets queued for that address since then, but for answers to their own; at most
 * `most` are counted. */
int digest_count_single(struct db_conn *c, const char *recipient, int64_t since_ms, int64_t most,
			int64_t *ret, struct md_err *err);

#endif

/* outbox.h - frozen mails to send, claimed with a lease (mail-out.md, "Outbox").
 *
 * Order is kept for each (ticket, recipient): a row is claimable when no older row of the same pair
 * is queued, sending or due for a retry; a failed or cancelled one releases the next. */
#ifndef MAILDESK_STORE_OUTBOX_H
#define MAILDESK_STORE_OUTBOX_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

struct outbox_row {
	int64_t id, message_id, ticket_id, user_id;
	const char *event, *smtp, *sender, *recipient, *state;
	const char *data; /* JSON the template is filled with */
	int64_t attempts, next_at;
	const char *last_reply;
	int64_t created_at, done_at;
	int64_t blob_id;         /* filled by get, list and claim */
	const char *subject_key; /* of an automatic mail to a customer; only for outbox_add() */
	bool answers;            /* caused by an answer to us; likewise */
	const char *mail_id, *subject; /* Message-ID and subject; likewise */
};
/* Inserts message_id, ticket_id, user_id, event, smtp, sender, recipient, state, data, next_at,
 * subject_key, answers, created_at. */
int outbox_add(struct db_conn *c, const struct outbox_row *o, int64_t *ret_id, struct md_err *err);
/* Take up to `limit` due rows of an account (NULL: of all): state sending, attempts + 1, next_at =
 * lease end, holder set. Rows of expired leases are due again. */
int outbox_claim(struct db_conn *c, const char *smtp, const char *holder, int64_t now_ms,
		 int64_t lease_until, size_t limit, struct arena *a, struct outbox_row **ret,
		 size_t *ret_n, struct md_err *err);
/* Keep the rendered mail: the message of the row gets this blob. Done once, before the first try.
 */
int outbox_freeze(struct db_conn *c, int64_t id, int64_t blob_id, int64_t size, const char *head,
		  struct md_err *err);
/* What `holder` had claimed in an earlier life is due at once. */
int outbox_release(struct db_conn *c, const char *holder, int64_t now_ms, struct md_err *err);
/* End an attempt, if `holder` still has it (MD_CONFLICT otherwise): state "sent", "failed" or
 * "retry" (then next_at). */
int outbox_finish(struct db_conn *c, int64_t id, const char *holder, const char *state,
		  const char *reply, int64_t next_at, int64_t now_ms, struct md_err *err);
/* What is still to be sent, by state. */
struct outbox_depth {
	const char *state; /* queued, retry, sending */
	int64_t n, oldest_at;
};
int outbox_depths(struct db_conn *c, struct arena *a, struct outbox_depth **ret, size_t *ret_n,
		  struct md_err *err);
/* The accounts by which something waits to be sent. */
int outbox_accounts(struct db_conn *c, size_t limit, struct arena *a, struct rec_strs *ret,
		    struct md_err *err);
/* What waits for the account `from` waits for `to` from now on, and is due: of the tickets of that
 * mailbox, or (0) all. */
int outbox_hand_over(struct db_conn *c, const char *from, const char *to, int64_t mailbox,
		     int64_t now_ms, int64_t *ret_n, struct md_err *err);
/* When the next row of an account (NULL: of any) may be claimed. MD_NOTFOUND when nothing waits. */
int outbox_next_due(struct db_conn *c, const char *smtp, int64_t *ret_ms, struct md_err *err);
int outbox_get(struct db_conn *c, int64_t id, struct arena *a, struct outbox_row *ret,
	       struct md_err *err);
struct outbox_filter {
	struct rec_strs states; /* n 0: all */
	struct rec_ints ticket;
	struct rec_strs recipient;
	int64_t behind; /* only what follows this row of the list; 0: all */
	int64_t offset, limit;
};
/* Newest first. */
int outbox_list(struct db_conn *c, const struct outbox_filter *f, struct arena *a,
		struct outbox_row **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err);
/* The words of state. */
extern const char *const outbox_states[];
/* Retry (failed, retry, held, or queued for later -> queued now) and cancel. MD_CONFLICT in another
 * state. */
int outbox_retry(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);
int outbox_cancel(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);
/* Mails that wait for another try because that server could not be reached, or did not let us in,
 * are due now; not those it had an answer of its own (4xx) to. */
int outbox_wake(struct db_conn *c, const char *smtp, int64_t now_ms, struct md_err *err);
/* What waits to be sent about a comment is not sent, now that it is gone. */
int outbox_cancel_comment(struct db_conn *c, int64_t ticket, int64_t comment, int64_t now_ms,
			  struct md_err *err);
/* Mails about a comment that nobody has tried to send yet, nor made ready; and new data for one. */
int outbox_of_comment(struct db_conn *c, int64_t ticket, int64_t comment, struct arena *a,
		      struct outbox_row **ret, size_t *ret_n, struct md_err *err);
int outbox_set_data(struct db_conn *c, int64_t id, const char *data, struct md_err *err);
/* No more list those sent or cancelled before then, OUTBOX_EXPIRE_MAX at a time. */
enum { OUTBOX_EXPIRE_MAX = 1000 };
int outbox_expire(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err);
/* Mails queued to this address since then, for the caps: of one event, or (NULL) all but public
 * replies. */
int outbox_count_to(struct db_conn *c, const char *recipient, const char *event, int64_t since_ms,
		    int64_t *ret, struct md_err *err);
/* Those of one subject_key; those that an answer caused, to an address or (NULL) on a ticket. */
int outbox_count_subject(struct db_conn *c, const char *recipient, const char *subject_key,
			 int64_t since_ms, int64_t *ret, struct md_err *err);
int outbox_count_answers(struct db_conn *c, const char *recipient, int64_t ticket, int64_t since_ms,
			 int64_t *ret, struct md_err *err);
/* Automatic ones to customers, up to `most`. */
int outbox_count_automatic(struct db_conn *c, int64_t since_ms, int64_t most, int64_t *ret,
			   struct md_err *err);
/* The mail of ours with that row of messages: whom it went to. MD_NOTFOUND. */
int outbox_of_message(struct db_conn *c, int64_t message, struct arena *a, struct outbox_row *ret,
		      struct md_err *err);

#endif

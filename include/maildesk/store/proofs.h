/* proofs.h - what proves a sender, used up: signed reply addresses and one-time confirmations
 * (trust-and-commands.md), and what keeps mail from going round. */
#ifndef MAILDESK_STORE_PROOFS_H
#define MAILDESK_STORE_PROOFS_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

struct spent_token {
	const char *token; /* its payload */
	int64_t ran_at, dead_at;
};
/* MD_NOTFOUND: it is as good as new. */
int spent_token_get(struct db_conn *c, const char *token, struct arena *a, struct spent_token *ret,
		    struct md_err *err);
/* Its commands were run; or (`dead`) others have seen it. */
int spent_token_put(struct db_conn *c, const char *token, bool dead, int64_t now_ms,
		    struct md_err *err);

struct confirmation {
	int64_t id, message_id, ticket_id, comment_id, user_id;
	const char *mail_id; /* Message-ID of the mail that asks */
	int64_t expires_at, used_at;
};
/* Inserts message_id, ticket_id, comment_id, user_id, expires_at. */
int confirmation_add(struct db_conn *c, const struct confirmation *f, int64_t *ret_id,
		     struct md_err *err);
int confirmation_set_mail(struct db_conn *c, int64_t id, const char *mail_id, struct md_err *err);
int confirmation_get(struct db_conn *c, int64_t id, struct arena *a, struct confirmation *ret,
		     struct md_err *err);
int confirmation_by_mail(struct db_conn *c, const char *mail_id, struct arena *a,
			 struct confirmation *ret, struct md_err *err);
/* MD_CONFLICT when it was used before. */
int confirmation_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);

struct delivery_event {
	const char *address, *kind, *status, *diagnostic;
	int64_t message_id;
	const char *original;
	int64_t at;
};
int delivery_event_add(struct db_conn *c, const struct delivery_event *e, struct md_err *err);
/* How many bounces with a status 4.x.x came since then. */
int delivery_count_soft(struct db_conn *c, const char *address, int64_t since_ms, int64_t *ret,
			struct md_err *err);

/* Until when nothing automatic goes to that address, or is said on that ticket; 0: never. */
int silence_until(struct db_conn *c, const char *name, int64_t *ret_ms, struct md_err *err);
int silence_put(struct db_conn *c, const char *name, int64_t until_ms, struct md_err *err);

#endif

/* account.h - mails about accounts: one-time links by which somebody proves that an address is
 * theirs.
 *
 * Who asks is a stranger and learns nothing: neither from an answer nor from the time it takes
 * whether an address is known. So handlers hand requests to a queue and answer at once; its thread
 * finds out whether there is anything to send. A link goes to the person's own address, and at most
 * three an hour to one address. */
#ifndef MAILDESK_APP_ACCOUNT_H
#define MAILDESK_APP_ACCOUNT_H

#include <maildesk/app/desk.h>
#include <maildesk/base/json.h>
#include <maildesk/store/users.h>

enum account_kind {
	ACCOUNT_VERIFY, /* makes a customer of who registers; who is known gets ACCOUNT_RESET */
	ACCOUNT_RESET,  /* sets a password */
	ACCOUNT_LINK,   /* signs in */
	ACCOUNT_KINDS
};
const char *account_kind_name(enum account_kind kind); /* as in account_links.kind */

/* Is it a mail with such a link? Then all that shows the link is kept sealed. */
bool account_is_event(const char *event);
/* The frozen data of such a mail gets its link_url back. MD_AGAIN: the key is not there (vault.h).
 */
int account_open_link(struct vault *v, json_t *data, struct md_err *err);

struct account_request {
	enum account_kind kind;
	const char *email;
	/* of ACCOUNT_VERIFY; name and locale may be NULL */
	const char *name, *locale, *password_hash;
};
/* In a transaction: queue the mail there is to send for that request, if any. */
int account_ask(struct desk *d, struct db_conn *c, struct arena *a, const struct account_request *r,
		int64_t now_ms, struct md_err *err);
/* Likewise a link to set a password, to a user just added by an admin. */
int account_invite(struct desk *d, struct db_conn *c, struct arena *a, const struct user *u,
		   int64_t now_ms, struct md_err *err);

/* A new password or role, or being disabled: no session, access token or link of theirs is good any
 * more. Raises the epoch in `u`, which the caller saves. */
int account_end_all(struct db_conn *c, struct user *u, int64_t now_ms, struct md_err *err);

struct account_queue;
int account_queue_start(struct desk *d, struct account_queue **ret, struct md_err *err);
/* Copies the request. MD_AGAIN when too many wait. */
int account_queue_add(struct account_queue *q, const struct account_request *r, struct md_err *err);
/* Ends when nothing waits any more. */
void account_queue_stop(struct account_queue *q);

#endif

/* account_links.h - the one-time links of mails about accounts: only hashes of their tokens. */
#ifndef MAILDESK_STORE_ACCOUNT_LINKS_H
#define MAILDESK_STORE_ACCOUNT_LINKS_H

#include <maildesk/store/db.h>

struct account_link {
	int64_t id;
	const char *kind; /* "verify", "reset", "link" */
	const char *email;
	int64_t user_id; /* 0: somebody new, made of the next three */
	const char *name, *locale, *password_hash;
	const char *token_hash;
	int64_t created_at, expires_at, used_at;
};
/* Removes those that ended a day ago, too. */
int account_link_add(struct db_conn *c, const struct account_link *l, struct md_err *err);
/* Those made for that address since then. */
int account_link_count(struct db_conn *c, const char *email, int64_t since_ms, int64_t *ret,
		       struct md_err *err);
/* The link of that token, whatever became of it. MD_NOTFOUND. */
int account_link_find(struct db_conn *c, const char *kind, const char *token_hash, struct arena *a,
		      struct account_link *ret, struct md_err *err);
/* Mark as used, once: MD_CONFLICT when it was before. */
int account_link_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);
/* No link of that user is good any more. */
int account_link_end_user(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err);

#endif

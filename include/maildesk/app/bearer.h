/* bearer.h - the access tokens that this desk's mail accounts sign in with, always fresh.
 *
 * A thread for each token server in use renews what is about to expire: one daemon at a time (by a
 * lease), whose answer is committed before anybody gets the new token, because with it the refresh
 * token before may be good for nothing. All others read it from the database. Sections `mailbox`
 * and `smtp` with the same oauth section and user share one sign-in. */
#ifndef MAILDESK_APP_BEARER_H
#define MAILDESK_APP_BEARER_H

#include <maildesk/app/config.h>
#include <maildesk/net/oauth.h>

struct desk;
struct bearer;

/* For the sections of the configuration; nothing is asked yet. *ret is NULL when none needs it. */
int bearer_new(struct desk *d, struct bearer **ret, struct md_err *err);
void bearer_free(struct bearer *b);
/* Threads. All functions from here on bear NULL. */
int bearer_start(struct bearer *b, struct md_err *err);
void bearer_stop(struct bearer *b);

/* From any thread; `login`: user of the section. Appended to `out`, to be wiped; *ret_serial names
 * the token. MD_AGAIN: there is none for now. MD_REFUSED: nor will there be until a person acts.
 * err->text says in up to DESK_TEXT_MAX bytes what to do; err->native is 0, or, when all that is
 * known is that a mail server has refused the last one, how many it has refused in a row. */
int bearer_token(struct bearer *b, const char *section, const char *login, struct buf *out,
		 int64_t *ret_serial, struct md_err *err);
/* What a mail server made of that token. A refused one is renewed: the first at once, later ones
 * more and more slowly, so that no account is locked. */
void bearer_refused(struct bearer *b, const char *section, const char *login, int64_t serial);
void bearer_accepted(struct bearer *b, const char *section, const char *login);
/* Grows whenever bearer_token() would say something new; then DESK_MAILBOXES and DESK_SENDER are
 * woken. */
int64_t bearer_changes(const struct bearer *b);

/* How the desk asks that server. `stop` may be NULL. */
struct oauth_client bearer_client(const struct conf_oauth *conf, const atomic_bool *stop);
/* Somebody has signed in: keep what came of it, instead of whatever there was. */
int bearer_keep_login(struct desk *d, const struct conf_oauth *conf, const char *login,
		      const struct oauth_tokens *tokens, struct md_err *err);

#endif

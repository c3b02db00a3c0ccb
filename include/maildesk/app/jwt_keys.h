/* jwt_keys.h - the keys of access tokens, kept in the database (sealed) for all daemons of a desk.
 * They are changed every 30 days by whichever daemon signs first then; what the key before signed
 * is taken as long, so nobody has to sign in again for it. */
#ifndef MAILDESK_APP_JWT_KEYS_H
#define MAILDESK_APP_JWT_KEYS_H

#include <maildesk/app/desk.h>

/* Those to sign with now, made or changed when it is time. */
int jwt_keys_current(struct desk *d, int64_t now_ms, struct jwt_keys *ret, struct md_err *err);
/* After a theft: another key, and none before it is good any more. Daemons that run see it when
 * somebody comes with a token of it, or when they are started next. */
int jwt_keys_renew(struct db_conn *c, struct desk *d, int64_t now_ms, struct md_err *err);
/* jwt_check() with them; another daemon's new key is looked for, once a second at most. */
int jwt_keys_check(struct desk *d, const char *token, int64_t now_ms, struct jwt_claims *ret,
		   struct md_err *err);

#endif

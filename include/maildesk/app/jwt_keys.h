/* jwt_keys.h - the keys of access tokens, kept in the database (sealed) for all daemons of a desk.
 * They are changed every 30 days by whichever daemon signs first then; what the key before signed
 * is taken as long, so nobody has to sign in again for it. */
#ifndef MAILDESK_APP_JWT_KEYS_H
#define MAILDESK_APP_JWT_KEYS_H

#include <maildesk/app/desk.h>

/* Those to sign with now, made or changed when it is time; to be wiped. */
int jwt_keys_current(struct desk *d, int64_t now_ms, struct jwt_keys *ret, struct md_err *err);
void jwt_keys_wipe(struct jwt_keys *keys); /* fits md_auto */
/* After a theft: another key, and none before it is good any more. */
int jwt_keys_renew(struct db_conn *c, struct desk *d, int64_t now_ms, struct md_err *err);
/* Take over those that another daemon or `maildesk token rotate` made; to be called now and then.
 * Cheap when there are none. */
int jwt_keys_look(struct desk *d, struct md_err *err);
/* jwt_check() with them; for a token of another key it looks at once, once a second at most. */
int jwt_keys_check(struct desk *d, const char *token, int64_t now_ms, struct jwt_claims *ret,
		   struct md_err *err);

#endif

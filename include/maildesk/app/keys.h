/* keys.h - the keys that sign reply addresses, Message-IDs and markers (desk/token.h), as they are
 * kept in the database (sealed: key_setting.h): for all daemons of a desk the same.
 *
 * There are three. One signs; what the one before it signed is still accepted; and the next one is
 * there already, so that a daemon which was started before a rotation knows the key that others
 * sign with after it. */
#ifndef MAILDESK_APP_KEYS_H
#define MAILDESK_APP_KEYS_H

#include <maildesk/app/vault.h>
#include <maildesk/base/random.h>
#include <maildesk/desk/token.h>
#include <maildesk/store/db.h>

/* The keys of the desk, made on first use, or when nobody can open them any more. Runs its own
 * transaction. MD_AGAIN: the vault's key is not there yet. */
int keys_load(struct db *db, struct vault *vault, struct random *random, int64_t now_ms,
	      struct token_keys *ret, struct md_err *err);
/* The next key signs from now on. MD_REFUSED when the last rotation was less than TOKEN_ROUTE_DAYS
 * ago: answers to mails signed before it would come in as tampered. `all` makes every key anew
 * whatever is on its way: after a theft. Daemons see it when they are started next. */
int keys_rotate(struct db_conn *c, struct vault *vault, struct random *random, int64_t now_ms,
		bool all, struct token_keys *ret, struct md_err *err);

#endif

/* keys.h - the keys that sign reply addresses, Message-IDs and markers (desk/token.h), as they are
 * kept in the database (sealed: key_setting.h): for all daemons of a desk the same.
 *
 * There are three. One signs; what the one before it signed is still accepted; and the next one is
 * there already, so that a daemon which was started before a rotation knows the key that others
 * sign with after it.
 *
 * Daemons that run look for others once a second (keys_look), so none goes on with keys that were
 * rotated or replaced elsewhere. */
#ifndef MAILDESK_APP_KEYS_H
#define MAILDESK_APP_KEYS_H

#include <maildesk/app/desk.h>

/* The keys of the desk into d->token_keys, made on first use, or when nobody can open them any
 * more. Runs its own transaction. MD_AGAIN: the vault's key is not there yet. */
int keys_load(struct desk *d, struct md_err *err);
/* Those that another daemon or `maildesk token rotate` made since then. Cheap when there are none;
 * of one thread, while others read d->token_keys: what they were given stays as it is until
 * keys_forget(). */
int keys_look(struct desk *d, struct md_err *err);
void keys_forget(struct desk *d);
/* The next key signs from now on. MD_REFUSED when the last rotation was less than TOKEN_ROUTE_DAYS
 * ago: answers to mails signed before it would come in as tampered. `all` makes every key anew
 * whatever is on its way: after a theft. */
int keys_rotate(struct db_conn *c, struct vault *vault, struct random *random, int64_t now_ms,
		bool all, struct token_keys *ret, struct md_err *err);

#endif

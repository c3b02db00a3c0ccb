/* desk_keys.h - the keys that secrets are sealed with (app/vault.h): each once for every daemon, in
 * an envelope that only this daemon can open. */
#ifndef MAILDESK_STORE_DESK_KEYS_H
#define MAILDESK_STORE_DESK_KEYS_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

struct desk_key_row {
	int64_t key_id;            /* grows; the highest one seals */
	const char *holder;        /* the daemon's public key */
	struct rec_bytes envelope; /* empty: the daemon asks for it */
};
/* All there are, the newest key first. */
int desk_keys_all(struct db_conn *c, struct arena *a, struct desk_key_row **ret, size_t *ret_n,
		  struct md_err *err);
/* Without an envelope: ask, unless the holder has it or asked before. */
int desk_key_put(struct db_conn *c, const struct desk_key_row *row, struct md_err *err);
/* All of one desk into another that has none: its daemons open there what they open here. */
int desk_keys_copy(struct db_conn *from, struct db_conn *to, struct arena *a, struct md_err *err);

#endif

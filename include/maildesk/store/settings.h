/* settings.h - what belongs to the desk and not to a machine: its uuid and secret keys. */
#ifndef MAILDESK_STORE_SETTINGS_H
#define MAILDESK_STORE_SETTINGS_H

#include <maildesk/base/random.h>
#include <maildesk/store/db.h>

/* Bytes of a setting into `out` (`room` bytes). MD_NOTFOUND. */
int setting_get(struct db_conn *c, const char *name, void *out, size_t room, size_t *ret_n,
		struct md_err *err);
int setting_put(struct db_conn *c, const char *name, const void *bytes, size_t n,
		struct md_err *err);
/* All settings of one desk into another that has none of them. */
int setting_copy(struct db_conn *from, struct db_conn *to, struct arena *a, struct md_err *err);
/* The secret of that name, made from `random` on first use, the same for every daemon of the desk.
 * Runs its own transaction. */
int setting_secret(struct db *db, const char *name, struct random *random, void *out, size_t n,
		   struct md_err *err);

#endif

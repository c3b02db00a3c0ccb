/* key_setting.h - keys of the desk in the table `settings`: what tells one from another and since
 * when it signs stands in clear, the keys themselves are sealed (vault.h). A copy of the database
 * without a daemon's desk.key signs nothing.
 *
 * The builds before December 2026 had everything in clear; who reads that writes it back sealed. */
#ifndef MAILDESK_APP_KEY_SETTING_H
#define MAILDESK_APP_KEY_SETTING_H

#include <maildesk/app/vault.h>
#include <maildesk/store/db.h>

struct key_setting {
	const char *name;               /* and the purpose it is sealed for */
	size_t n_head, n_keys, n_clear; /* bytes: of each part; of all as it was in clear */
};
enum { KEY_SETTING_MAX = 256 };
enum key_state {
	KEYS_SEALED, /* head and keys are read */
	KEYS_CLEAR,  /* n_clear bytes are in `keys` */
	KEYS_LOST,   /* the head is read; nobody can open the keys any more */
};

/* Into `head` and `keys` (KEY_SETTING_MAX bytes each; the latter to be wiped by the caller).
 * MD_NOTFOUND: there are none yet. MD_AGAIN: the vault's key is still with another daemon. */
int key_setting_get(struct db_conn *c, struct vault *v, const struct key_setting *s, uint8_t *head,
		    uint8_t *keys, enum key_state *ret, struct md_err *err);
int key_setting_put(struct db_conn *c, struct vault *v, const struct key_setting *s,
		    const uint8_t *head, const uint8_t *keys, struct md_err *err);
/* A key without a head: read, made on first use or when it is lost, sealed when it was in clear.
 * Runs its own transaction. */
int key_setting_secret(struct db *db, struct vault *v, const struct key_setting *s,
		       struct random *random, uint8_t *ret, struct md_err *err);

#endif

/* vault_priv.h - what the files of vault.h share. */
#ifndef MAILDESK_APP_VAULT_PRIV_H
#define MAILDESK_APP_VAULT_PRIV_H

#include <maildesk/app/vault.h>

#include <sodium.h>

enum { VAULT_SECRET = crypto_box_SECRETKEYBYTES };

/* desk.key of that folder, made when there is none; the caller wipes it. MD_BROKEN: it cannot be
 * read or made, others may read it, or it is damaged; err says what to do. */
int vault_load_secret(const char *state_dir, struct random *random, uint8_t ret[VAULT_SECRET],
		      struct md_err *err);

#endif

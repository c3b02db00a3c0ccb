/* vault.h - secrets at rest: refresh tokens, second factors, links that sign in, the keys that sign
 * access tokens and reply addresses.
 *
 * They are sealed (XChaCha20-Poly1305) with the desk's key, which stands nowhere in clear. Every
 * daemon has a secret of its own, STATE_DIR/desk.key; the database has the desk's key once for each
 * daemon, in an envelope that only this secret opens (libsodium's sealed box). So a copy of the
 * database (a dump, a replica, a backup) shows nobody a secret, and daemons still share nothing but
 * the database: one that joins asks by a row without envelope, and any that has the key answers
 * within about a second. Who can write to the database can ask as well; what is kept out are
 * readers.
 *
 * A daemon that finds no other alive makes a new key, and with it a lease "vault:INSTANCE", so that
 * one that starts at the same moment waits for its answer; what was sealed with an old one can be
 * opened by those who have that, and by nobody when all their state_dirs are gone: people sign in
 * anew
 * (`maildesk oauth login`, recovery codes), and reply addresses of before count as expired. Keep
 * desk.key with the backups, apart from them. */
#ifndef MAILDESK_APP_VAULT_H
#define MAILDESK_APP_VAULT_H

#include <maildesk/base/buf.h>
#include <maildesk/base/random.h>
#include <maildesk/store/db.h>

struct vault;

/* `instance`: this daemon among those of the desk (leases). MD_BROKEN: the file cannot be used. */
int vault_new(struct db *db, const char *state_dir, const char *instance, struct random *random,
	      struct vault **ret, struct md_err *err);
/* desk.key of a folder, without making one: MD_NOTFOUND. MD_BROKEN: no daemon would start with it.
 */
int vault_try_key(const char *state_dir, struct md_err *err);
void vault_free(struct vault *v);
MD_DEFINE_AUTO(struct vault *, vault_free)

/* Give the key to who asks for it, and look for the answer to one's own question. Cheap when there
 * is neither; to be called now and then. */
int vault_look(struct vault *v, struct md_err *err);
/* The same until the key is there, for so long at most. MD_AGAIN: it is not. */
int vault_wait(struct vault *v, int most_ms, struct md_err *err);
/* Is the key there that seals? What was sealed with an older one may still not open. */
bool vault_is_ready(struct vault *v);

enum { VAULT_OVERHEAD = 1 + 4 + 24 + 16 }; /* bytes that sealing adds */
/* From any thread. `purpose` is bound to what is sealed: it cannot be opened as something else.
 * Appended to `out`, which should be wiped after vault_unseal(). MD_AGAIN: the key is not there
 * (yet). MD_INPUT: these bytes were not sealed for that purpose. */
int vault_seal(struct vault *v, const char *purpose, const void *bytes, size_t n, struct buf *out,
	       struct md_err *err);
int vault_unseal(struct vault *v, const char *purpose, const void *bytes, size_t n, struct buf *out,
		 struct md_err *err);
/* Both as text (base64url, no padding). */
int vault_seal_text(struct vault *v, const char *purpose, const char *text, struct buf *out,
		    struct md_err *err);
int vault_unseal_text(struct vault *v, const char *purpose, const char *sealed, struct buf *out,
		      struct md_err *err);

#endif

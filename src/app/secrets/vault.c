/* What is sealed: version (1 octet), id of the key (4), nonce (24), ciphertext and tag (16). */
#include "vault_priv.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/log.h>
#include <maildesk/store/desk_keys.h>
#include <maildesk/store/leases.h>

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	VERSION = 1,
	ID_BYTES = 4,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	KEY = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	HEAD = 1 + ID_BYTES + NONCE,
	ENVELOPE = KEY + crypto_box_SEALBYTES,
	HOLDER_HEX = 2 * crypto_box_PUBLICKEYBYTES + 1,
	RING_MAX = 16, /* the newest ones; another is made only when a state_dir was lost */
	SECRET_MAX = 64 << 20,
	LOOK_ARENA = 8 << 20,
	WAIT_STEP_MS = 50,
};
_Static_assert(VAULT_OVERHEAD == HEAD + TAG, "as told in the header");

struct key {
	int64_t id;
	uint8_t bytes[KEY];
};

struct vault {
	struct db *db;
	struct random *random;
	const char *instance;
	uint8_t own_secret[crypto_box_SECRETKEYBYTES], own_public[crypto_box_PUBLICKEYBYTES];
	char holder[HOLDER_HEX];
	pthread_mutex_t lock;
	struct key ring[RING_MAX]; /* those it can open, the newest first; under lock */
	size_t n_ring;
	int64_t newest; /* id of the desk's newest key, had or not; under lock */
};

/* ---- the desk's keys ---- */

static int load_own(struct vault *v, const char *state_dir, struct md_err *err)
{
	md_auto(buf_done) struct buf hex = BUF_INIT(HOLDER_HEX);
	int rc = vault_load_secret(state_dir, v->random, v->own_secret, err);

	if (rc != MD_OK)
		return rc;
	crypto_scalarmult_base(v->own_public, v->own_secret);
	hex_encode(&hex, v->own_public, sizeof v->own_public);
	snprintf(v->holder, sizeof v->holder, "%s", buf_str(&hex));
	return MD_OK;
}

struct looking {
	struct vault *v;
	struct arena arena;
	struct desk_key_row *rows;
	size_t n;
	struct key ring[RING_MAX];
	size_t n_ring;
	int64_t newest;
	bool changed; /* something is to be written */
};

static const struct key *find_key(const struct key *ring, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ring[i].id == id)
			return &ring[i];
	return NULL;
}

/* Open the envelopes that are for this daemon; see who else asks. */
static int look(struct db_conn *c, struct looking *l, struct md_err *err)
{
	struct vault *v = l->v;
	int rc;

	arena_reset(&l->arena);
	l->n_ring = 0;
	l->changed = false;
	rc = desk_keys_all(c, &l->arena, &l->rows, &l->n, err);
	if (rc != MD_OK)
		return rc;
	l->newest = l->n ? l->rows[0].key_id : 0;
	for (size_t i = 0; i < l->n && l->n_ring < RING_MAX; i++) {
		const struct desk_key_row *row = &l->rows[i];
		struct key *k = &l->ring[l->n_ring];

		if (strcmp(row->holder, v->holder) != 0 || row->envelope.n != ENVELOPE)
			continue;
		k->id = row->key_id;
		if (crypto_box_seal_open(k->bytes, row->envelope.v, ENVELOPE, v->own_public,
					 v->own_secret) == 0)
			l->n_ring++;
	}
	for (size_t i = 0; i < l->n; i++)
		l->changed |= !l->rows[i].envelope.n && strcmp(l->rows[i].holder, v->holder) != 0 &&
			      find_key(l->ring, l->n_ring, l->rows[i].key_id);
	l->changed |= !l->n || !find_key(l->ring, l->n_ring, l->newest);
	return MD_OK;
}

static int put_envelope(struct db_conn *c, const struct key *k, const char *holder,
			struct md_err *err)
{
	uint8_t envelope[ENVELOPE], public[crypto_box_PUBLICKEYBYTES];
	const struct desk_key_row row = { k->id, holder, { sizeof envelope, envelope } };
	size_t n;

	if (sodium_hex2bin(public, sizeof public, holder, strlen(holder), NULL, &n, NULL) != 0 ||
	    n != sizeof public || crypto_box_seal(envelope, k->bytes, KEY, public) != 0)
		return MD_OK; /* no daemon's: it can have no answer */
	return desk_key_put(c, &row, err);
}

static const char daemon_prefix[] = "daemon:", maker_prefix[] = "vault:";
enum { MAKER_MS = 10000 };

static bool begins_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Is a daemon there that could answer, or one that made a key and is about to be there? */
static int others_live(struct db_conn *c, struct looking *l, bool *ret, struct md_err *err)
{
	struct lease *leases;
	size_t n;
	int rc = lease_list(c, &l->arena, &leases, &n, err);

	*ret = false;
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		*ret |= leases[i].left_ms > 0 &&
			(begins_with(leases[i].name, daemon_prefix) ||
			 begins_with(leases[i].name, maker_prefix)) &&
			strcmp(leases[i].holder, l->v->instance) != 0;
	return rc;
}

/* The first key, or one in place of that whose holders are gone. Of two daemons that start together
 * the second sees the first one's key sooner than its "daemon:" lease. */
static int make_key(struct db_conn *c, struct looking *l, struct md_err *err)
{
	struct key *k;
	int64_t fence;
	int rc;

	if (l->n_ring == RING_MAX)
		l->n_ring--;
	memmove(l->ring + 1, l->ring, l->n_ring * sizeof *l->ring);
	k = &l->ring[0];
	k->id = ++l->newest;
	random_fill(l->v->random, k->bytes, sizeof k->bytes);
	l->n_ring++;
	rc = put_envelope(c, k, l->v->holder, err);
	if (rc == MD_OK)
		rc = lease_take(c, arena_printf(&l->arena, "%s%s", maker_prefix, l->v->instance),
				l->v->instance, MAKER_MS, &fence, err);
	return rc;
}

static int ask(struct db_conn *c, struct looking *l, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < l->n && rc == MD_OK; i++)
		if ((i == 0 || l->rows[i].key_id != l->rows[i - 1].key_id) &&
		    !find_key(l->ring, l->n_ring, l->rows[i].key_id))
			rc = desk_key_put(c,
					  &(struct desk_key_row){
						  l->rows[i].key_id, l->v->holder, { 0 } },
					  err);
	return rc;
}

static int settle(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct looking *l = ctx;
	bool live = false;
	int rc = look(c, l, err);

	for (size_t i = 0; i < l->n && rc == MD_OK; i++) {
		const struct key *k = find_key(l->ring, l->n_ring, l->rows[i].key_id);

		if (k && !l->rows[i].envelope.n)
			rc = put_envelope(c, k, l->rows[i].holder, err);
	}
	if (rc != MD_OK || (l->n && find_key(l->ring, l->n_ring, l->newest)))
		return rc;
	if (l->n)
		rc = others_live(c, l, &live, err);
	if (rc == MD_OK)
		rc = ask(c, l, err);
	return rc == MD_OK && !live ? make_key(c, l, err) : rc;
}

static int look_first(struct looking *l, struct md_err *err)
{
	struct db_conn *c = NULL;
	int rc = db_read(l->v->db, &c, err);

	if (rc == MD_OK) {
		rc = look(c, l, err);
		db_read_done(c);
	}
	return rc;
}

int vault_look(struct vault *v, struct md_err *err)
{
	struct looking l = { .v = v, .arena = ARENA_INIT(LOOK_ARENA) };
	int rc = look_first(&l, err);
	int64_t had;

	if (rc == MD_OK && l.changed)
		rc = db_txn(v->db, settle, &l, err);
	if (rc == MD_OK) {
		pthread_mutex_lock(&v->lock);
		had = v->newest;
		memcpy(v->ring, l.ring, sizeof v->ring);
		v->n_ring = l.n_ring;
		v->newest = l.newest;
		pthread_mutex_unlock(&v->lock);
		if (l.newest > 1 && had != l.newest && l.n && l.rows[0].key_id != l.newest)
			log_error(
				NULL,
				"the key that secrets were sealed with is not in this state_dir, "
				"and "
				"no other daemon lives that has it: a new one is used; second "
				"factors and OAuth sign-ins from before do not work here, people "
				"sign in anew, and signed reply addresses of before prove nobody");
	}
	sodium_memzero(l.ring, sizeof l.ring);
	arena_done(&l.arena);
	return rc;
}

bool vault_is_ready(struct vault *v)
{
	bool ready;

	pthread_mutex_lock(&v->lock);
	ready = find_key(v->ring, v->n_ring, v->newest) != NULL;
	pthread_mutex_unlock(&v->lock);
	return ready;
}

static int not_there(struct md_err *err)
{
	return md_fail(err, MD_AGAIN, 0,
		       "the key of secrets at rest is with another daemon of this desk, which has "
		       "not handed it over yet");
}

int vault_wait(struct vault *v, int most_ms, struct md_err *err)
{
	int64_t end = clock_mono(&clock_system) + most_ms;
	int rc = MD_OK;

	while (rc == MD_OK && !vault_is_ready(v)) {
		if (clock_mono(&clock_system) >= end)
			return not_there(err);
		(void)poll(NULL, 0, WAIT_STEP_MS);
		rc = vault_look(v, err);
	}
	return rc;
}

int vault_new(struct db *db, const char *state_dir, const char *instance, struct random *random,
	      struct vault **ret, struct md_err *err)
{
	md_auto(vault_free_p) struct vault *v = md_calloc(1, sizeof *v);
	int rc;

	if (!v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	v->db = db;
	v->random = random;
	v->instance = instance;
	pthread_mutex_init(&v->lock, NULL);
	rc = load_own(v, state_dir, err);
	if (rc == MD_OK)
		rc = vault_look(v, err);
	if (rc == MD_OK)
		*ret = md_take(v);
	return rc;
}

void vault_free(struct vault *v)
{
	if (!v)
		return;
	pthread_mutex_destroy(&v->lock);
	sodium_memzero(v, sizeof *v);
	free(v);
}

/* ---- sealing ---- */

/* Key 0: the one that seals. */
static int take_key(struct vault *v, int64_t id, struct key *ret, struct md_err *err)
{
	const struct key *k;

	pthread_mutex_lock(&v->lock);
	k = find_key(v->ring, v->n_ring, id ? id : v->newest);
	if (k)
		*ret = *k;
	pthread_mutex_unlock(&v->lock);
	return k ? MD_OK : not_there(err);
}

int vault_seal(struct vault *v, const char *purpose, const void *bytes, size_t n, struct buf *out,
	       struct md_err *err)
{
	struct key k;
	unsigned long long made;
	uint8_t *to;
	int rc = take_key(v, 0, &k, err);

	if (rc != MD_OK)
		return rc;
	to = (uint8_t *)buf_reserve(out, n + VAULT_OVERHEAD);
	if (!to) {
		sodium_memzero(&k, sizeof k);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	*to = VERSION;
	for (int i = 0; i < ID_BYTES; i++)
		to[1 + i] = (uint8_t)(k.id >> (8 * (ID_BYTES - 1 - i)));
	random_fill(v->random, to + 1 + ID_BYTES, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(to + HEAD, &made, bytes, n,
						   (const uint8_t *)purpose, strlen(purpose), NULL,
						   to + 1 + ID_BYTES, k.bytes);
	out->len += n + VAULT_OVERHEAD;
	sodium_memzero(&k, sizeof k);
	return MD_OK;
}

int vault_unseal(struct vault *v, const char *purpose, const void *bytes, size_t n, struct buf *out,
		 struct md_err *err)
{
	const uint8_t *from = bytes;
	unsigned long long made = 0;
	int64_t id = 0;
	struct key k;
	uint8_t *to;
	int rc;

	if (n < VAULT_OVERHEAD || n > SECRET_MAX || *from != VERSION)
		return md_fail(err, MD_INPUT, 0, "not sealed");
	for (int i = 0; i < ID_BYTES; i++)
		id = id << 8 | from[1 + i];
	if (id == 0)
		return md_fail(err, MD_INPUT, 0, "not sealed");
	rc = take_key(v, id, &k, err);
	if (rc != MD_OK)
		return rc;
	to = (uint8_t *)buf_reserve(out, n - VAULT_OVERHEAD);
	if (!to)
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	else if (crypto_aead_xchacha20poly1305_ietf_decrypt(to, &made, NULL, from + HEAD, n - HEAD,
							    (const uint8_t *)purpose,
							    strlen(purpose), from + 1 + ID_BYTES,
							    k.bytes) != 0)
		rc = md_fail(err, MD_INPUT, 0, "a sealed secret was changed, or is another's");
	sodium_memzero(&k, sizeof k);
	if (rc != MD_OK)
		return rc;
	out->len += made;
	out->data[out->len] = '\0';
	return MD_OK;
}

int vault_seal_text(struct vault *v, const char *purpose, const char *text, struct buf *out,
		    struct md_err *err)
{
	md_auto(buf_done) struct buf sealed = BUF_INIT(SECRET_MAX);
	int rc = vault_seal(v, purpose, text, strlen(text), &sealed, err);

	if (rc != MD_OK)
		return rc;
	base64url_encode(out, sealed.data, sealed.len);
	return out->status == MD_OK ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

int vault_unseal_text(struct vault *v, const char *purpose, const char *sealed, struct buf *out,
		      struct md_err *err)
{
	size_t n = strlen(sealed), len = 0;
	md_auto(md_free_p) uint8_t *bytes = md_malloc(n + 1);

	if (!bytes)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (base64url_decode(sealed, n, bytes, n, &len) != MD_OK)
		return md_fail(err, MD_INPUT, 0, "not sealed");
	return vault_unseal(v, purpose, bytes, len, out, err);
}

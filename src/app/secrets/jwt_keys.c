/* The setting "jwt_keys" (key_setting.h): since when the current key signs (8 octets) and the ids
 * of the current and the previous one (4 each); their keys. */
#include <maildesk/app/jwt_keys.h>
#include <maildesk/app/key_setting.h>

#include <sodium.h>
#include <string.h>

enum { TIME_BYTES = 8, ID_BYTES = 4, KEY_COUNT = 2, LOOK_MS = 1000 };
static const struct key_setting setting = {
	.name = "jwt_keys",
	.n_head = TIME_BYTES + KEY_COUNT * ID_BYTES,
	.n_keys = KEY_COUNT * JWT_KEY_BYTES,
	.n_clear = TIME_BYTES + KEY_COUNT * (ID_BYTES + JWT_KEY_BYTES),
};
static const int64_t GOOD_MS = 30 * INT64_C(86400000);

struct ring {
	struct vault *vault;
	struct random *random;
	int64_t now_ms, since_ms;
	struct jwt_keys keys;
	enum key_state state; /* as they were read */
};

static void wipe(struct ring *r)
{
	sodium_memzero(r, sizeof *r);
}

void jwt_keys_wipe(struct jwt_keys *keys)
{
	sodium_memzero(keys, sizeof *keys);
}

static uint8_t *put_number(uint8_t *out, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*out++ = (uint8_t)(v >> 8 * (n - 1 - i));
	return out;
}

static uint64_t get_number(const uint8_t **in, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | *(*in)++;
	return v;
}

static int save(struct db_conn *c, const struct ring *r, struct md_err *err)
{
	const struct jwt_key *all[] = { &r->keys.current, &r->keys.previous };
	uint8_t head[KEY_SETTING_MAX], keys[KEY_SETTING_MAX];
	uint8_t *out = put_number(head, (uint64_t)r->since_ms, TIME_BYTES);
	int rc;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		out = put_number(out, all[i]->id, ID_BYTES);
		memcpy(keys + i * JWT_KEY_BYTES, all[i]->bytes, JWT_KEY_BYTES);
	}
	rc = key_setting_put(c, r->vault, &setting, head, keys, err);
	sodium_memzero(keys, sizeof keys);
	return rc;
}

static void read_clear(const uint8_t *in, struct ring *r)
{
	struct jwt_key *all[] = { &r->keys.current, &r->keys.previous };

	r->since_ms = (int64_t)get_number(&in, TIME_BYTES);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		all[i]->id = (uint32_t)get_number(&in, ID_BYTES);
		memcpy(all[i]->bytes, in, JWT_KEY_BYTES);
		in += JWT_KEY_BYTES;
	}
}

static void read_sealed(const uint8_t *in, const uint8_t *keys, struct ring *r)
{
	struct jwt_key *all[] = { &r->keys.current, &r->keys.previous };

	r->since_ms = (int64_t)get_number(&in, TIME_BYTES);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		all[i]->id = (uint32_t)get_number(&in, ID_BYTES);
		memcpy(all[i]->bytes, keys + i * JWT_KEY_BYTES, JWT_KEY_BYTES);
	}
}

/* Of lost keys the id stays, so that no token of theirs is mistaken for one of a new key. */
static int load(struct db_conn *c, struct ring *r, struct md_err *err)
{
	uint8_t head[KEY_SETTING_MAX], keys[KEY_SETTING_MAX] = { 0 };
	int rc = key_setting_get(c, r->vault, &setting, head, keys, &r->state, err);

	r->keys = (struct jwt_keys){ 0 };
	if (rc == MD_OK && r->state == KEYS_CLEAR)
		read_clear(keys, r);
	else if (rc == MD_OK)
		read_sealed(head, keys, r);
	sodium_memzero(keys, sizeof keys);
	return rc;
}

static int make_next(struct db_conn *c, struct ring *r, bool keep_current, struct md_err *err)
{
	r->keys.previous = keep_current ? r->keys.current : (struct jwt_key){ 0 };
	r->since_ms = r->now_ms;
	r->keys.current.id++;
	random_fill(r->random, r->keys.current.bytes, JWT_KEY_BYTES);
	return save(c, r, err);
}

static int keep_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ring *r = ctx;
	int rc = load(c, r, err);

	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	if (rc == MD_NOTFOUND || r->state == KEYS_LOST)
		return make_next(c, r, false, err);
	if (r->now_ms >= r->since_ms + GOOD_MS)
		return make_next(c, r, true, err);
	return r->state == KEYS_CLEAR ? save(c, r, err) : MD_OK;
}

int jwt_keys_renew(struct db_conn *c, struct desk *d, int64_t now_ms, struct md_err *err)
{
	md_auto(wipe) struct ring r = { .vault = d->vault, .random = d->random, .now_ms = now_ms };
	int rc = load(c, &r, err);

	return rc == MD_OK || rc == MD_NOTFOUND ? make_next(c, &r, false, err) : rc;
}

static void keep(struct desk *d, const struct ring *r)
{
	pthread_mutex_lock(&d->lock);
	if (sodium_memcmp(&d->jwt, &r->keys, sizeof d->jwt) != 0) {
		d->jwt = r->keys;
		memset(d->jwt_known, 0, sizeof d->jwt_known); /* by keys that may be gone */
	}
	d->jwt_since_ms = r->since_ms;
	pthread_mutex_unlock(&d->lock);
}

static int64_t copy_keys(struct desk *d, struct jwt_keys *ret)
{
	int64_t since_ms;

	pthread_mutex_lock(&d->lock);
	*ret = d->jwt;
	since_ms = d->jwt_since_ms;
	pthread_mutex_unlock(&d->lock);
	return since_ms;
}

int jwt_keys_current(struct desk *d, int64_t now_ms, struct jwt_keys *ret, struct md_err *err)
{
	md_auto(wipe) struct ring r = { .vault = d->vault, .random = d->random, .now_ms = now_ms };
	int64_t since_ms = copy_keys(d, ret);
	int rc;

	if (ret->current.id && now_ms < since_ms + GOOD_MS)
		return MD_OK;
	rc = db_txn(d->db, keep_in_txn, &r, err);
	if (rc != MD_OK)
		return rc;
	keep(d, &r);
	*ret = r.keys;
	return MD_OK;
}

/* Whether it is time to look again; strangers' tokens must not make us ask the database for each.
 */
static bool may_look(struct desk *d)
{
	int64_t now = clock_mono(d->clock);
	bool may;

	pthread_mutex_lock(&d->lock);
	may = !d->jwt_read_ms || now >= d->jwt_read_ms + LOOK_MS;
	if (may)
		d->jwt_read_ms = now;
	pthread_mutex_unlock(&d->lock);
	return may;
}

/* Lost ones are not taken over: who signs next makes new ones. */
int jwt_keys_look(struct desk *d, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(wipe) struct ring r = { .vault = d->vault };
	int rc = db_read(d->db, &c, err);

	if (rc == MD_OK)
		rc = load(c, &r, err);
	if (rc == MD_OK && r.state != KEYS_LOST)
		keep(d, &r);
	return rc;
}

static int check(struct desk *d, const char *token, size_t n, int64_t now_ms,
		 struct jwt_claims *ret, struct jwt_keys *keys, struct md_err *err)
{
	int rc;

	copy_keys(d, keys);
	rc = jwt_check(keys, token, n, now_ms, ret, err);
	if (rc != MD_REFUSED || err->native != JWT_OTHER_HEADER || !may_look(d))
		return rc;
	rc = jwt_keys_look(d, err);
	if (rc != MD_OK)
		return rc;
	copy_keys(d, keys);
	return jwt_check(keys, token, n, now_ms, ret, err);
}

/* Its hash tells nothing of a token, so it need not be compared in constant time. */
static bool is_known(struct desk *d, const uint8_t hash[JWT_HASH], int64_t now_ms,
		     struct jwt_claims *ret)
{
	const struct jwt_known *k = &d->jwt_known[hash[0] % JWT_KNOWN];
	bool yes;

	pthread_mutex_lock(&d->lock);
	yes = k->claims.sub && memcmp(k->hash, hash, JWT_HASH) == 0 &&
	      now_ms < k->claims.exp_s * 1000;
	if (yes)
		*ret = k->claims;
	pthread_mutex_unlock(&d->lock);
	return yes;
}

/* As long as the keys are those that it was verified with. */
static void remember(struct desk *d, const uint8_t hash[JWT_HASH], const struct jwt_claims *c,
		     const struct jwt_keys *keys)
{
	struct jwt_known *k = &d->jwt_known[hash[0] % JWT_KNOWN];

	pthread_mutex_lock(&d->lock);
	if (sodium_memcmp(&d->jwt, keys, sizeof *keys) == 0) {
		memcpy(k->hash, hash, JWT_HASH);
		k->claims = *c;
	}
	pthread_mutex_unlock(&d->lock);
}

int jwt_keys_check(struct desk *d, const char *token, int64_t now_ms, struct jwt_claims *ret,
		   struct md_err *err)
{
	size_t n = strlen(token);
	uint8_t hash[JWT_HASH];
	md_auto(jwt_keys_wipe) struct jwt_keys keys = { 0 };
	int rc;

	if (n > JWT_MAX)
		return check(d, token, n, now_ms, ret, &keys, err);
	crypto_generichash(hash, sizeof hash, (const unsigned char *)token, n, NULL, 0);
	if (is_known(d, hash, now_ms, ret))
		return MD_OK;
	rc = check(d, token, n, now_ms, ret, &keys, err);
	if (rc == MD_OK)
		remember(d, hash, ret, &keys);
	return rc;
}

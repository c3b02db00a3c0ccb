/* The setting "jwt_keys": since when the current key signs (8 octets), then id (4) and key of the
 * current and the previous one. */
#include <maildesk/app/jwt_keys.h>
#include <maildesk/store/settings.h>

#include <string.h>

enum { TIME_BYTES = 8, ID_BYTES = 4, LOOK_MS = 1000 };
enum { SIZE = TIME_BYTES + 2 * (ID_BYTES + JWT_KEY_BYTES) };
static const int64_t GOOD_MS = 30 * INT64_C(86400000);
static const char name[] = "jwt_keys";

struct ring {
	struct random *random;
	int64_t now_ms, since_ms;
	struct jwt_keys keys;
};

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
	const struct jwt_key *keys[] = { &r->keys.current, &r->keys.previous };
	uint8_t bytes[SIZE], *out = put_number(bytes, (uint64_t)r->since_ms, TIME_BYTES);
	int rc;

	for (size_t i = 0; i < MD_COUNT(keys); i++) {
		out = put_number(out, keys[i]->id, ID_BYTES);
		memcpy(out, keys[i]->bytes, JWT_KEY_BYTES);
		out += JWT_KEY_BYTES;
	}
	rc = setting_put(c, name, bytes, sizeof bytes, err);
	explicit_bzero(bytes, sizeof bytes);
	return rc;
}

static int load(struct db_conn *c, struct ring *r, struct md_err *err)
{
	struct jwt_key *keys[] = { &r->keys.current, &r->keys.previous };
	uint8_t bytes[SIZE];
	const uint8_t *in = bytes;
	size_t n = 0;
	int rc = setting_get(c, name, bytes, sizeof bytes, &n, err);

	if (rc != MD_OK)
		return rc;
	if (n != SIZE)
		return md_fail(err, MD_BROKEN, 0, "setting %s has %zu bytes, expected %d", name, n,
			       SIZE);
	r->since_ms = (int64_t)get_number(&in, TIME_BYTES);
	for (size_t i = 0; i < MD_COUNT(keys); i++) {
		keys[i]->id = (uint32_t)get_number(&in, ID_BYTES);
		memcpy(keys[i]->bytes, in, JWT_KEY_BYTES);
		in += JWT_KEY_BYTES;
	}
	explicit_bzero(bytes, sizeof bytes);
	return MD_OK;
}

static int keep_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ring *r = ctx;
	int rc;

	r->keys = (struct jwt_keys){ 0 };
	rc = load(c, r, err);
	if (rc != MD_NOTFOUND && (rc != MD_OK || r->now_ms < r->since_ms + GOOD_MS))
		return rc;
	r->since_ms = r->now_ms;
	r->keys.previous = r->keys.current;
	r->keys.current.id++;
	random_fill(r->random, r->keys.current.bytes, JWT_KEY_BYTES);
	return save(c, r, err);
}

static int renew_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ring *r = ctx;
	int rc;

	r->keys = (struct jwt_keys){ 0 };
	rc = load(c, r, err);
	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	r->since_ms = r->now_ms;
	r->keys.previous = (struct jwt_key){ 0 };
	r->keys.current.id++;
	random_fill(r->random, r->keys.current.bytes, JWT_KEY_BYTES);
	return save(c, r, err);
}

int jwt_keys_renew(struct db *db, struct random *random, int64_t now_ms, struct md_err *err)
{
	struct ring r = { .random = random, .now_ms = now_ms };
	int rc = db_txn(db, renew_in_txn, &r, err);

	explicit_bzero(&r.keys, sizeof r.keys);
	return rc;
}

static void keep(struct desk *d, const struct ring *r)
{
	pthread_mutex_lock(&d->lock);
	d->jwt = r->keys;
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
	struct ring r = { .random = d->random, .now_ms = now_ms };
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

static int look(struct desk *d, struct jwt_keys *ret, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct ring r = { 0 };
	int rc = db_read(d->db, &c, err);

	if (rc == MD_OK)
		rc = load(c, &r, err);
	if (rc != MD_OK)
		return rc;
	keep(d, &r);
	*ret = r.keys;
	return MD_OK;
}

int jwt_keys_check(struct desk *d, const char *token, int64_t now_ms, struct jwt_claims *ret,
		   struct md_err *err)
{
	struct jwt_keys keys;
	int rc;

	copy_keys(d, &keys);
	rc = jwt_check(&keys, token, strlen(token), now_ms, ret, err);
	if (rc != MD_REFUSED || err->native != JWT_OTHER_HEADER || !may_look(d))
		return rc;
	rc = look(d, &keys, err);
	return rc == MD_OK ? jwt_check(&keys, token, strlen(token), now_ms, ret, err) : rc;
}

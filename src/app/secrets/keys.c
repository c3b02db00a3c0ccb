/* The setting "token_keys": day (2 octets) since when the current key signs, then three times id
 * and key: current, previous (id 0: none yet), next. */
#include <maildesk/app/keys.h>
#include <maildesk/store/settings.h>

#include <string.h>

enum { DAY_BYTES = 2, KEY_COUNT = 3, SIZE = DAY_BYTES + KEY_COUNT * (1 + TOKEN_KEY_BYTES) };
static const char name[] = "token_keys";

struct keys {
	struct random *random;
	int64_t today;
	bool all;
	int64_t since; /* day */
	struct token_keys set;
};

static void pack(const struct keys *k, uint8_t out[SIZE])
{
	const struct token_key *keys[] = { &k->set.current, &k->set.previous, &k->set.next };

	*out++ = (uint8_t)(k->since >> 8);
	*out++ = (uint8_t)(k->since & 0xff);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		*out++ = (uint8_t)keys[i]->id;
		memcpy(out, keys[i]->bytes, TOKEN_KEY_BYTES);
		out += TOKEN_KEY_BYTES;
	}
}

static void unpack(const uint8_t *in, struct keys *k)
{
	struct token_key *keys[] = { &k->set.current, &k->set.previous, &k->set.next };

	k->since = in[0] << 8 | in[1];
	in += DAY_BYTES;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		keys[i]->id = *in++;
		memcpy(keys[i]->bytes, in, TOKEN_KEY_BYTES);
		in += TOKEN_KEY_BYTES;
	}
}

static struct token_key new_key(const struct keys *k, int after)
{
	struct token_key key = { .id = after % TOKEN_KEY_ID_MAX + 1 };

	random_fill(k->random, key.bytes, sizeof key.bytes);
	return key;
}

static int save(struct db_conn *c, const struct keys *k, struct md_err *err)
{
	uint8_t bytes[SIZE];
	int rc;

	pack(k, bytes);
	rc = setting_put(c, name, bytes, sizeof bytes, err);
	explicit_bzero(bytes, sizeof bytes);
	return rc;
}

/* All of them new, with ids behind `after`. */
static int start_anew(struct db_conn *c, struct keys *k, int after, struct md_err *err)
{
	k->since = k->today;
	k->set.current = new_key(k, after);
	k->set.previous = (struct token_key){ 0 };
	k->set.next = new_key(k, k->set.current.id);
	return save(c, k, err);
}

static int load(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct keys *k = ctx;
	uint8_t bytes[SIZE];
	size_t n = 0;
	int rc = setting_get(c, name, bytes, sizeof bytes, &n, err);

	if (rc == MD_NOTFOUND)
		return start_anew(c, k, 0, err);
	if (rc == MD_OK && n != SIZE)
		return md_fail(err, MD_BROKEN, 0, "setting %s has %zu bytes, expected %d", name, n,
			       SIZE);
	if (rc == MD_OK)
		unpack(bytes, k);
	explicit_bzero(bytes, sizeof bytes);
	return rc;
}

static int rotate(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct keys *k = ctx;
	int rc = load(c, k, err);

	if (rc != MD_OK)
		return rc;
	if (k->all)
		return start_anew(c, k, k->set.next.id, err);
	if (k->set.previous.id && k->today - k->since < TOKEN_ROUTE_DAYS)
		return md_fail(err, MD_REFUSED, 0,
			       "the key was changed %lld days ago: answers to mails from before "
			       "that, up to %d days old, would count as tampered; wait, or make "
			       "all keys anew with --all",
			       (long long)(k->today - k->since), TOKEN_ROUTE_DAYS);
	k->since = k->today;
	k->set.previous = k->set.current;
	k->set.current = k->set.next;
	k->set.next = new_key(k, k->set.current.id);
	return save(c, k, err);
}

int keys_load(struct db *db, struct random *random, int64_t now_ms, struct token_keys *ret,
	      struct md_err *err)
{
	struct keys k = { .random = random, .today = token_day(now_ms) };
	struct token_key *keys[] = { &ret->current, &ret->previous, &ret->next };
	int rc = db_txn(db, load, &k, err);

	if (rc == MD_OK)
		*ret = k.set;
	for (size_t i = 0; rc == MD_OK && i < KEY_COUNT; i++)
		token_key_prepare(keys[i]);
	return rc;
}

int keys_rotate(struct db *db, struct random *random, int64_t now_ms, bool all,
		struct token_keys *ret, struct md_err *err)
{
	struct keys k = { .random = random, .today = token_day(now_ms), .all = all };
	int rc = db_txn(db, rotate, &k, err);

	if (rc == MD_OK)
		*ret = k.set;
	return rc;
}

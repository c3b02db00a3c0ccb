/* The setting "token_keys" (key_setting.h): day (2 octets) since when the current key signs, ids of
 * the current, the previous (0: none yet) and the next one, and of one that was lost (0: none); the
 * keys of the three. */
#include <maildesk/app/key_setting.h>
#include <maildesk/app/keys.h>
#include <maildesk/base/log.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_BYTES = 2, KEY_COUNT = 3, ALL_KEYS = KEY_COUNT * TOKEN_KEY_BYTES };
static const struct key_setting setting = {
	.name = "token_keys",
	.n_head = DAY_BYTES + KEY_COUNT + 1,
	.n_keys = ALL_KEYS,
	.n_clear = DAY_BYTES + KEY_COUNT + ALL_KEYS,
};

struct keys {
	struct vault *vault;
	struct random *random;
	int64_t today;
	int64_t since; /* day */
	struct token_keys set;
};

static void wipe(struct keys *k)
{
	sodium_memzero(k, sizeof *k);
}

static struct token_key new_key(const struct keys *k, int after)
{
	struct token_key key = { .id = after % TOKEN_KEY_ID_MAX + 1 };

	random_fill(k->random, key.bytes, sizeof key.bytes);
	return key;
}

static int save(struct db_conn *c, const struct keys *k, struct md_err *err)
{
	const struct token_key *all[] = { &k->set.current, &k->set.previous, &k->set.next };
	uint8_t head[KEY_SETTING_MAX] = { (uint8_t)(k->since >> 8), (uint8_t)(k->since & 0xff) };
	uint8_t keys[KEY_SETTING_MAX];
	int rc;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		head[DAY_BYTES + i] = (uint8_t)all[i]->id;
		memcpy(keys + i * TOKEN_KEY_BYTES, all[i]->bytes, TOKEN_KEY_BYTES);
	}
	head[DAY_BYTES + KEY_COUNT] = (uint8_t)k->set.lost;
	rc = key_setting_put(c, k->vault, &setting, head, keys, err);
	sodium_memzero(keys, sizeof keys);
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

static void read_clear(const uint8_t *in, struct keys *k)
{
	struct token_key *all[] = { &k->set.current, &k->set.previous, &k->set.next };

	k->since = in[0] << 8 | in[1];
	in += DAY_BYTES;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		all[i]->id = *in++;
		memcpy(all[i]->bytes, in, TOKEN_KEY_BYTES);
		in += TOKEN_KEY_BYTES;
	}
}

static void read_sealed(const uint8_t *head, const uint8_t *keys, struct keys *k)
{
	struct token_key *all[] = { &k->set.current, &k->set.previous, &k->set.next };

	k->since = head[0] << 8 | head[1];
	for (size_t i = 0; i < KEY_COUNT; i++) {
		all[i]->id = head[DAY_BYTES + i];
		memcpy(all[i]->bytes, keys + i * TOKEN_KEY_BYTES, TOKEN_KEY_BYTES);
	}
	k->set.lost = head[DAY_BYTES + KEY_COUNT];
}

/* Keys that nobody can open any more are replaced: what they signed cannot be told from what others
 * made up, and is nobody's fault. It may happen again while mails from before the first time are on
 * their way. */
static int replace_lost(struct db_conn *c, struct keys *k, struct md_err *err)
{
	if (!k->set.lost)
		k->set.lost = k->set.current.id;
	return start_anew(c, k, k->set.next.id, err);
}

static int get(struct db_conn *c, struct keys *k, enum key_state *ret, struct md_err *err)
{
	uint8_t head[KEY_SETTING_MAX], keys[KEY_SETTING_MAX] = { 0 };
	int rc = key_setting_get(c, k->vault, &setting, head, keys, ret, err);

	k->set = (struct token_keys){ 0 };
	if (rc == MD_OK && *ret == KEYS_CLEAR)
		read_clear(keys, k);
	else if (rc == MD_OK)
		read_sealed(head, keys, k);
	sodium_memzero(keys, sizeof keys);
	return rc;
}

static int load(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct keys *k = ctx;
	enum key_state state;
	int rc = get(c, k, &state, err);

	if (rc == MD_NOTFOUND)
		return start_anew(c, k, 0, err);
	if (rc != MD_OK || state == KEYS_SEALED)
		return rc;
	return state == KEYS_LOST ? replace_lost(c, k, err) : save(c, k, err);
}

int keys_rotate(struct db_conn *c, struct vault *vault, struct random *random, int64_t now_ms,
		bool all, struct token_keys *ret, struct md_err *err)
{
	md_auto(wipe) struct keys k = { .vault = vault,
					.random = random,
					.today = token_day(now_ms) };
	int rc = load(c, &k, err);

	if (rc == MD_OK && all) {
		k.set.lost = 0;
		rc = start_anew(c, &k, k.set.next.id, err);
	} else if (rc == MD_OK) {
		if (k.set.previous.id && k.today - k.since < TOKEN_ROUTE_DAYS)
			return md_fail(err, MD_REFUSED, 0,
				       "the key was changed %lld days ago: answers to mails from "
				       "before that, up to %d days old, would count as tampered; "
				       "wait, or make all keys anew with --all",
				       (long long)(k.today - k.since), TOKEN_ROUTE_DAYS);
		if (k.set.previous.id) /* so were those that were lost before it */
			k.set.lost = 0;
		k.since = k.today;
		k.set.previous = k.set.current;
		k.set.current = k.set.next;
		k.set.next = new_key(&k, k.set.current.id);
		rc = save(c, &k, err);
	}
	if (rc == MD_OK)
		*ret = k.set;
	return rc;
}

/* ---- those of a daemon ---- */

/* One set after another: who was given one reads on in it. */
struct known {
	struct token_keys keys;
	struct known *older;
};

static int publish(struct desk *d, const struct token_keys *set, struct md_err *err)
{
	struct known *new = md_calloc(1, sizeof *new);
	struct token_key *keys[KEY_COUNT];

	if (!new)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	new->keys = *set;
	new->older = (struct known *)d->token_keys;
	keys[0] = &new->keys.current;
	keys[1] = &new->keys.previous;
	keys[2] = &new->keys.next;
	for (size_t i = 0; i < KEY_COUNT; i++)
		token_key_prepare(keys[i]);
	d->token_keys = &new->keys;
	return MD_OK;
}

void keys_forget(struct desk *d)
{
	struct known *known = (struct known *)d->token_keys, *older;

	d->token_keys = NULL;
	for (; known; known = older) {
		older = known->older;
		sodium_memzero(known, sizeof *known);
		free(known);
	}
}

int keys_load(struct desk *d, struct md_err *err)
{
	md_auto(wipe) struct keys k = { .vault = d->vault,
					.random = d->random,
					.today = token_day(clock_wall(d->clock)) };
	int rc = db_txn(d->db, load, &k, err);

	return rc == MD_OK ? publish(d, &k.set, err) : rc;
}

/* A key never changes, only which ones there are. */
static bool are_those(const struct token_keys *a, const struct token_keys *b)
{
	return a->current.id == b->current.id && a->previous.id == b->previous.id &&
	       a->next.id == b->next.id && a->lost == b->lost;
}

int keys_look(struct desk *d, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(wipe) struct keys k = { .vault = d->vault };
	enum key_state state;
	int rc = db_read(d->db, &c, err);

	if (rc != MD_OK)
		return rc;
	rc = get(c, &k, &state, err);
	if (rc != MD_OK || state != KEYS_SEALED || are_those(&k.set, d->token_keys))
		return rc;
	rc = publish(d, &k.set, err);
	if (rc == MD_OK)
		log_info(NULL, "key %d signs reply addresses now", k.set.current.id);
	return rc;
}

/* The generic cell rate algorithm: a bucket is one instant, when it will be full again. So a place
 * of the table is a key's hash and that instant, and the fullest bucket is the one with the
 * earliest instant. The hash is keyed (SipHash): nobody can aim at another's place. */
#include <maildesk/net/limit.h>

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { SETS = 4096, WAYS = 8 };
static const int64_t WINDOW_US = 60 * INT64_C(1000000);

struct bucket {
	uint64_t hash;
	int64_t full_us;
};
struct limiter {
	unsigned char key[crypto_shorthash_KEYBYTES];
	pthread_mutex_t lock;
	struct bucket buckets[SETS][WAYS];
};

int limiter_new(struct limiter **ret, struct md_err *err)
{
	struct limiter *l;

	if (sodium_init() < 0)
		return md_fail(err, MD_BROKEN, 0, "libsodium cannot start");
	/* Large enough to be mapped: pages nobody asks for cost nothing. */
	l = md_calloc(1, sizeof *l);
	if (!l)
		return md_fail(err, MD_NOMEM, 0, "rate limits: out of memory");
	crypto_shorthash_keygen(l->key);
	pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return MD_OK;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct bucket *find(struct limiter *l, uint64_t hash)
{
	struct bucket *set = l->buckets[hash % SETS], *fullest = set;

	for (struct bucket *b = set; b < set + WAYS; b++) {
		if (b->hash == hash)
			return b;
		if (b->full_us < fullest->full_us)
			fullest = b;
	}
	*fullest = (struct bucket){ .hash = hash };
	return fullest;
}

bool limiter_take(struct limiter *l, const char *key, size_t n, int64_t per_minute, int64_t mono_ms,
		  struct limit_state *ret)
{
	int64_t now = mono_ms * 1000, each = WINDOW_US / per_minute, debt;
	uint64_t hash;
	struct bucket *b;
	bool yes;

	if (each < 1)
		each = 1;
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)key, n, l->key);
	pthread_mutex_lock(&l->lock);
	b = find(l, hash);
	if (b->full_us < now)
		b->full_us = now;
	yes = b->full_us + each - now <= each * per_minute;
	if (yes)
		b->full_us += each;
	debt = b->full_us - now;
	pthread_mutex_unlock(&l->lock);

	ret->limit = per_minute;
	ret->remaining = (each * per_minute - debt) / each;
	ret->reset_s = (debt + 999999) / 1000000;
	ret->retry_s = 0;
	if (!yes) {
		ret->retry_s = (debt + each - each * per_minute + 999999) / 1000000;
		if (ret->retry_s < 1)
			ret->retry_s = 1;
	}
	return yes;
}

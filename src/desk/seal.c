#include <maildesk/desk/seal.h>

#include <sodium.h>
#include <string.h>

enum { NONCE = crypto_secretbox_NONCEBYTES, TAG = crypto_secretbox_MACBYTES };
_Static_assert(SEAL_KEY_BYTES == crypto_secretbox_KEYBYTES, "a key of secretbox");
_Static_assert(SEAL_KEY_BYTES == crypto_generichash_KEYBYTES, "a key of BLAKE2b");

/* Each part behind its length: "ab" "c" is not "a" "bc". */
static void add(crypto_generichash_state *h, const void *bytes, size_t n)
{
	uint64_t length = n;

	crypto_generichash_update(h, (const unsigned char *)&length, sizeof length);
	if (n)
		crypto_generichash_update(h, bytes, n);
}

static void derive(const unsigned char *root, const char *what, uint8_t *ret, size_t n)
{
	crypto_generichash(ret, n, (const unsigned char *)what, strlen(what), root, SEAL_KEY_BYTES);
}

int seal_of(const char *const *words, size_t n, struct seal *ret, struct md_err *err)
{
	crypto_generichash_state h;
	unsigned char root[SEAL_KEY_BYTES], name[SEAL_KEY_BYTES];

	if (sodium_init() < 0)
		return md_fail(err, MD_BROKEN, 0, "libsodium cannot start");
	crypto_generichash_init(&h, NULL, 0, sizeof root);
	for (size_t i = 0; i < n; i++)
		add(&h, words[i], strlen(words[i]));
	crypto_generichash_final(&h, root, sizeof root);
	derive(root, "name", name, sizeof name);
	derive(root, "seal", ret->key, sizeof ret->key);
	derive(root, "mac", ret->mac_key, sizeof ret->mac_key);
	sodium_bin2hex(ret->name, sizeof ret->name, name, sizeof name);
	sodium_memzero(root, sizeof root);
	return MD_OK;
}

void seal_mac(const struct seal *s, const struct rec_bytes *parts, size_t n,
	      uint8_t ret[SEAL_KEY_BYTES])
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, s->mac_key, sizeof s->mac_key, SEAL_KEY_BYTES);
	for (size_t i = 0; i < n; i++)
		add(&h, parts[i].v, parts[i].n);
	crypto_generichash_final(&h, ret, SEAL_KEY_BYTES);
}

bool seal_same(const uint8_t *a, const uint8_t *b)
{
	return sodium_memcmp(a, b, SEAL_KEY_BYTES) == 0;
}

void seal_close(const struct seal *s, struct random *random, const void *bytes, size_t n,
		struct buf *out)
{
	unsigned char *to = (unsigned char *)buf_reserve(out, NONCE + TAG + n);

	if (!to)
		return;
	random_fill(random, to, NONCE);
	crypto_secretbox_easy(to + NONCE, bytes, n, to, s->key);
	out->len += NONCE + TAG + n;
}

int seal_open(const struct seal *s, const void *bytes, size_t n, struct buf *out,
	      struct md_err *err)
{
	const unsigned char *from = bytes;
	unsigned char *to;

	if (n < NONCE + TAG)
		return md_fail(err, MD_INPUT, 0, "sealed bytes are cut short");
	to = (unsigned char *)buf_reserve(out, n);
	if (!to)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (crypto_secretbox_open_easy(to, from + NONCE, n - NONCE, from, s->key) != 0)
		return md_fail(err, MD_INPUT, 0, "these bytes were sealed by another word");
	out->len += n - NONCE - TAG;
	out->data[out->len] = '\0';
	return MD_OK;
}

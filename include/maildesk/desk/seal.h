/* seal.h - bytes that only who names a secret word again can read. The word is not kept: a stolen
 * database gives away neither what was asked nor what was answered. As good as the word is hard to
 * guess (BLAKE2b, XSalsa20-Poly1305). */
#ifndef MAILDESK_DESK_SEAL_H
#define MAILDESK_DESK_SEAL_H

#include <maildesk/base/buf.h>
#include <maildesk/base/random.h>
#include <maildesk/base/record.h>

enum { SEAL_KEY_BYTES = 32, SEAL_NAME_MAX = 65 };

struct seal {
	char name[SEAL_NAME_MAX]; /* hexadecimal: where to find it; says nothing about the rest */
	uint8_t key[SEAL_KEY_BYTES], mac_key[SEAL_KEY_BYTES];
};
/* The seal of these words, of which one is the secret. MD_BROKEN: libsodium does not start. */
int seal_of(const char *const *words, size_t n, struct seal *ret, struct md_err *err);
/* A number for bytes that cannot be tried without the seal. */
void seal_mac(const struct seal *s, const struct rec_bytes *parts, size_t n,
	      uint8_t ret[SEAL_KEY_BYTES]);
bool seal_same(const uint8_t *a, const uint8_t *b); /* SEAL_KEY_BYTES; in constant time */
void seal_close(const struct seal *s, struct random *random, const void *bytes, size_t n,
		struct buf *out);
/* MD_INPUT: closed by another, or not whole. */
int seal_open(const struct seal *s, const void *bytes, size_t n, struct buf *out,
	      struct md_err *err);

#endif

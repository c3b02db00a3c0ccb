#include <maildesk/base/codec.h>
#include <maildesk/base/err.h>

#include <gnutls/crypto.h>
#include <stdbool.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_encode(struct buf *out, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++) {
		buf_addc(out, hex_digits[p[i] >> 4]);
		buf_addc(out, hex_digits[p[i] & 15]);
	}
}

/* Digits of `width` bits each, most significant first; the last one filled up with zero bits. */
static void encode_bits(struct buf *out, const uint8_t *p, size_t n, unsigned width,
			const char *digits)
{
	uint32_t acc = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		acc = (acc << 8 | p[i]) & 0xffff;
		for (bits += 8; bits >= width; bits -= width)
			buf_addc(out, digits[(acc >> (bits - width)) & ((1u << width) - 1)]);
	}
	if (bits)
		buf_addc(out, digits[(acc << (width - bits)) & ((1u << width) - 1)]);
}

static int decode_bits(const char *text, size_t n, unsigned width, const char *digits, bool fold,
		       uint8_t *out, size_t room, size_t *ret_len)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		const char *d;

		if (fold && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		d = c ? strchr(digits, c) : NULL;
		if (!d)
			return MD_INPUT;
		acc = (acc << width | (uint32_t)(d - digits)) & 0xffff;
		bits += width;
		if (bits >= 8) {
			if (len == room)
				return MD_INPUT;
			bits -= 8;
			out[len++] = (uint8_t)(acc >> bits);
		}
	}
	/* One text for one value: leftover bits must be zero and fewer than a digit. */
	if (bits >= width || (acc & ((1u << bits) - 1)))
		return MD_INPUT;
	*ret_len = len;
	return MD_OK;
}

void base32_encode(struct buf *out, const void *bytes, size_t n)
{
	encode_bits(out, bytes, n, 5, base32_digits);
}

int base32_decode(const char *text, size_t n, void *out, size_t room, size_t *ret_len)
{
	return decode_bits(text, n, 5, base32_digits, true, out, room, ret_len);
}

void base64_encode(struct buf *out, const void *bytes, size_t n)
{
	encode_bits(out, bytes, n, 6, base64_digits);
	if (n % 3)
		buf_add(out, "==", 3 - n % 3);
}

void base64url_encode(struct buf *out, const void *bytes, size_t n)
{
	encode_bits(out, bytes, n, 6, base64url_digits);
}

int base64url_decode(const char *text, size_t n, void *out, size_t room, size_t *ret_len)
{
	return decode_bits(text, n, 6, base64url_digits, false, out, room, ret_len);
}

void sha256(const void *bytes, size_t n, uint8_t out[SHA256_BYTES])
{
	gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, n, out);
}

void sha256_hex(const void *bytes, size_t n, char out[SHA256_HEX])
{
	uint8_t raw[SHA256_BYTES];

	sha256(bytes, n, raw);
	for (size_t i = 0; i < sizeof raw; i++) {
		out[2 * i] = hex_digits[raw[i] >> 4];
		out[2 * i + 1] = hex_digits[raw[i] & 15];
	}
	out[SHA256_HEX - 1] = '\0';
}

struct sha256 *sha256_new(void)
{
	gnutls_hash_hd_t h;

	return gnutls_hash_init(&h, GNUTLS_DIG_SHA256) == 0 ? (struct sha256 *)h : NULL;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t n)
{
	gnutls_hash((gnutls_hash_hd_t)h, bytes, n);
}

void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES])
{
	gnutls_hash_deinit((gnutls_hash_hd_t)h, out);
}

#include <maildesk/desk/totp.h>

#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { SHA1_BYTES = 20, MODULUS = 1000000, SECRET_TEXT_MAX = 200 };

int totp_code(const uint8_t *secret, size_t n, int64_t step, char ret[TOTP_DIGITS + 1],
	      struct md_err *err)
{
	uint8_t counter[8], mac[SHA1_BYTES];
	uint32_t cut = 0;
	size_t at;

	for (size_t i = 0; i < sizeof counter; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA1, secret, n, counter, sizeof counter, mac) < 0)
		return md_fail(err, MD_BROKEN, 0, "SHA-1 is not to be had here");
	at = mac[SHA1_BYTES - 1] & 0x0f; /* RFC 4226 5.3 */
	for (size_t i = 0; i < 4; i++)
		cut = cut << 8 | mac[at + i];
	snprintf(ret, TOTP_DIGITS + 1, "%06u", (cut & 0x7fffffff) % MODULUS);
	return MD_OK;
}

int totp_check(const uint8_t *secret, size_t n, const char *code, int64_t now_ms, int64_t spent,
	       int64_t *ret_step, struct md_err *err)
{
	int64_t now = now_ms / 1000 / TOTP_STEP_S;
	char right[TOTP_DIGITS + 1];

	if (strlen(code) != TOTP_DIGITS)
		return md_fail(err, MD_REFUSED, 0, "a code has %d digits", TOTP_DIGITS);
	for (int64_t step = now - 1; step <= now + 1; step++) {
		int rc = totp_code(secret, n, step, right, err);

		if (rc != MD_OK)
			return rc;
		if (step > spent && sodium_memcmp(right, code, TOTP_DIGITS) == 0) {
			*ret_step = step;
			return MD_OK;
		}
	}
	return md_fail(err, MD_REFUSED, 0, "the code is not right (any more)");
}

void totp_secret_text(struct buf *out, const uint8_t *secret, size_t n)
{
	size_t from = out->len;

	base32_encode(out, secret, n);
	for (size_t i = from; i < out->len; i++)
		if (out->data[i] >= 'a' && out->data[i] <= 'z')
			out->data[i] = (char)(out->data[i] - 'a' + 'A');
}

static void add_escaped(struct buf *out, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@";

	for (; *s; s++)
		buf_addf(out, strchr(plain, *s) ? "%c" : "%%%02X", (unsigned char)*s);
}

void totp_uri(struct buf *out, const char *issuer, const char *account, const uint8_t *secret,
	      size_t n)
{
	buf_adds(out, "otpauth://totp/");
	add_escaped(out, issuer);
	buf_addc(out, ':');
	add_escaped(out, account);
	buf_adds(out, "?secret=");
	totp_secret_text(out, secret, n);
	buf_adds(out, "&issuer=");
	add_escaped(out, issuer);
	buf_addf(out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP_S);
}

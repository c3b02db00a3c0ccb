/* codec.h - bytes as text and back: hex, base32 (RFC 4648, lower case, no padding), base64 and
 * base64url (RFC 4648 sections 4 and 5), and SHA-256. */
#ifndef MAILDESK_BASE_CODEC_H
#define MAILDESK_BASE_CODEC_H

#include <maildesk/base/buf.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

void hex_encode(struct buf *out, const void *bytes, size_t n);
void base32_encode(struct buf *out, const void *bytes, size_t n);
/* Case-insensitive. MD_OK, or MD_INPUT for a foreign character, leftover bits or no room. */
int base32_decode(const char *text, size_t n, void *out, size_t room, size_t *ret_len);
void base64_encode(struct buf *out, const void *bytes, size_t n);
void base64url_encode(struct buf *out, const void *bytes, size_t n); /* no padding */
/* Strict, no padding. MD_OK or MD_INPUT. */
int base64url_decode(const char *text, size_t n, void *out, size_t room, size_t *ret_len);

void sha256(const void *bytes, size_t n, uint8_t out[SHA256_BYTES]);
void sha256_hex(const void *bytes, size_t n, char out[SHA256_HEX]);

struct sha256;                   /* one hash over many pieces */
struct sha256 *sha256_new(void); /* NULL when out of memory */
void sha256_add(struct sha256 *h, const void *bytes, size_t n);
void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES]); /* frees h */

#endif

/* jwt.h - the access tokens of the HTTP API: HS256 (RFC 7515, 7519), one header a key, nothing to
 * choose.
 *
 * The header is compared as text, so neither "none" nor another algorithm nor a token made for
 * another purpose is ever parsed. Revocation is by `ver` and `sid`, which the caller compares with
 * the user's row. */
#ifndef MAILDESK_DESK_JWT_H
#define MAILDESK_DESK_JWT_H

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/desk/policy.h>
#include <stdbool.h>
#include <stdint.h>

enum { JWT_OTHER_HEADER = 1 };
enum { JWT_KEY_BYTES = 32, JWT_JTI_MAX = 64, JWT_MAX = 1024 };

struct jwt_claims {
	int64_t sub;               /* user */
	enum role role;            /* as it was at sign-in */
	int64_t ver;               /* the user's token version */
	int64_t sid;               /* the family of refresh tokens (session) it came from */
	int64_t iat_s, exp_s;      /* seconds since 1970, as RFC 7519 has them */
	char jti[JWT_JTI_MAX + 1]; /* letters, digits, - and _ */
	bool in_console;           /* the refresh token is in a cookie: the console */
};

struct jwt_key {
	uint32_t id; /* `kid` of the header; 0: no key */
	uint8_t bytes[JWT_KEY_BYTES];
};
/* `current` signs; what `previous` signed is still taken. */
struct jwt_keys {
	struct jwt_key current, previous;
};

/* Append the token. MD_OK; MD_INPUT for claims that jwt_check() would not take. */
int jwt_make(const struct jwt_key *key, const struct jwt_claims *claims, struct buf *out,
	     struct md_err *err);
/* MD_OK; MD_REFUSED for everything else, expired ones too (native JWT_OTHER_HEADER: it may be of
 * a key not known here), with a text that says why for the log
 * and nothing of the token. The signature is checked first, in constant time. */
int jwt_check(const struct jwt_keys *keys, const char *token, size_t n, int64_t now_ms,
	      struct jwt_claims *ret, struct md_err *err);

#endif

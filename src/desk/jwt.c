#include <maildesk/desk/jwt.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/json.h>
#include <maildesk/base/mem.h>

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

enum { HEADER_MAX = 128, KDF_ACCESS = 1 };

_Static_assert(crypto_auth_hmacsha256_KEYBYTES == JWT_KEY_BYTES, "key size");

_Static_assert(crypto_kdf_KEYBYTES == JWT_KEY_BYTES, "key size");

/* The only header of that key (RFC 9068), and the dot behind it. Returns its length. */
static size_t write_header(const struct jwt_key *key, struct buf *out)
{
	md_auto(buf_done) struct buf json = BUF_INIT(HEADER_MAX);
	size_t from = out->len;

	buf_addf(&json, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%" PRIu32 "\"}", key->id);
	if (json.status != MD_OK)
		out->status = json.status;
	base64url_encode(out, buf_str(&json), json.len);
	buf_addc(out, '.');
	return out->len - from;
}

/* Access tokens are signed with a key of their own: no other kind of token can ever be one. */
static void sign(const struct jwt_key *key, const char *text, size_t n,
		 uint8_t ret[crypto_auth_hmacsha256_BYTES])
{
	uint8_t derived[crypto_auth_hmacsha256_KEYBYTES];

	crypto_kdf_derive_from_key(derived, sizeof derived, KDF_ACCESS, "mdaccess", key->bytes);
	crypto_auth_hmacsha256(ret, (const unsigned char *)text, n, derived);
	sodium_memzero(derived, sizeof derived);
}

static bool jti_valid(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= JWT_JTI_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

int jwt_make(const struct jwt_key *key, const struct jwt_claims *c, struct buf *out,
	     struct md_err *err)
{
	md_auto(buf_done) struct buf body = BUF_INIT(JWT_MAX), signed_part = BUF_INIT(JWT_MAX);
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	if (c->sub <= 0 || c->role >= ROLE_COUNT || c->role == ROLE_ANONYMOUS ||
	    c->exp_s <= c->iat_s || !jti_valid(c->jti))
		return md_fail(err, MD_INPUT, 0, "claims of no access token");
	buf_addf(&body,
		 "{\"sub\":%" PRId64 ",\"role\":\"%s\",\"ver\":%" PRId64 ",\"sid\":%" PRId64
		 ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"jti\":\"%s\"%s}",
		 c->sub, role_name(c->role), c->ver, c->sid, c->iat_s, c->exp_s, c->jti,
		 c->in_console ? ",\"console\":true" : "");
	write_header(key, &signed_part);
	base64url_encode(&signed_part, body.data, body.len);
	if (body.status != MD_OK || signed_part.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "no memory for an access token");
	sign(key, signed_part.data, signed_part.len, mac);
	buf_add(out, signed_part.data, signed_part.len);
	buf_addc(out, '.');
	base64url_encode(out, mac, sizeof mac);
	return out->status == MD_OK
		       ? MD_OK
		       : md_fail(err, (enum md_code)out->status, 0, "no room for an access token");
}

static bool read_int(const json_t *j, const char *name, int64_t *ret)
{
	const json_t *v = json_object_get(j, name);

	*ret = json_integer_value(v);
	return json_is_integer(v);
}

/* Only what we signed gets here, so this need not be clever, only strict. */
static bool read_claims(const json_t *j, struct jwt_claims *c)
{
	const char *role = json_get_string(j, "role"), *jti = json_get_string(j, "jti");

	if (!role || !jti || !jti_valid(jti) || !read_int(j, "sub", &c->sub) ||
	    !read_int(j, "ver", &c->ver) || !read_int(j, "sid", &c->sid) ||
	    !read_int(j, "iat", &c->iat_s) || !read_int(j, "exp", &c->exp_s))
		return false;
	c->role = role_from_name(role);
	memcpy(c->jti, jti, strlen(jti) + 1);
	c->in_console = json_is_true(json_object_get(j, "console"));
	return c->sub > 0 && c->role != ROLE_COUNT && c->role != ROLE_ANONYMOUS;
}

/* The key whose header the token begins with; NULL: none of ours. */
static const struct jwt_key *key_of(const struct jwt_keys *keys, const char *token, size_t n,
				    size_t *ret_head)
{
	const struct jwt_key *all[] = { &keys->current, &keys->previous };

	for (size_t i = 0; i < MD_COUNT(all); i++) {
		md_auto(buf_done) struct buf header = BUF_INIT(2 * HEADER_MAX);

		if (!all[i]->id)
			continue;
		*ret_head = write_header(all[i], &header);
		if (header.status == MD_OK && n > *ret_head &&
		    memcmp(token, header.data, *ret_head) == 0)
			return all[i];
	}
	return NULL;
}

int jwt_check(const struct jwt_keys *keys, const char *token, size_t n, int64_t now_ms,
	      struct jwt_claims *ret, struct md_err *err)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES], given[crypto_auth_hmacsha256_BYTES];
	md_auto(json_decref_p) json_t *j = NULL;
	struct jwt_claims claims = { 0 };
	const char *dot = n <= JWT_MAX ? memrchr(token, '.', n) : NULL;
	size_t head = 0, signed_n = dot ? (size_t)(dot - token) : 0, len;
	char body[JWT_MAX];

	const struct jwt_key *key = key_of(keys, token, signed_n, &head);

	if (!key)
		return md_fail(err, MD_REFUSED, JWT_OTHER_HEADER,
			       "not an access token of this server");
	if (base64url_decode(dot + 1, n - signed_n - 1, given, sizeof given, &len) != MD_OK ||
	    len != sizeof given)
		return md_fail(err, MD_REFUSED, 0, "the access token has no signature");
	sign(key, token, signed_n, mac);
	if (sodium_memcmp(mac, given, sizeof mac) != 0)
		return md_fail(err, MD_REFUSED, 0, "the access token is not signed with our key");
	if (base64url_decode(token + head, signed_n - head, body, sizeof body, &len) != MD_OK ||
	    json_read(body, len, 1, &j, NULL) != MD_OK || !read_claims(j, &claims))
		return md_fail(err, MD_REFUSED, 0, "the access token lacks claims");
	if (now_ms >= claims.exp_s * 1000)
		return md_fail(err, MD_REFUSED, 0, "the access token has expired");
	*ret = claims;
	return MD_OK;
}

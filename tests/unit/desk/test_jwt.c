#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/jwt.h>
#include <sodium.h>
#include <string.h>

#define NOW_S 1795132800
static const struct jwt_keys keys = { { 7, "0123456789abcdef0123456789abcde" },
				      { 6, "the one before it, still accepte" } };
/* same id, another key */
static const struct jwt_keys other_keys = { { 7, "0123456789abcdef0123456789abcdE" }, { 0 } };
static const struct jwt_claims sample = { .sub = 7,
					  .role = ROLE_AGENT,
					  .ver = 3,
					  .sid = 12,
					  .iat_s = NOW_S,
					  .exp_s = NOW_S + 900,
					  .jti = "Ab-_09" };

static int check_at(const char *token, int64_t now_s)
{
	struct jwt_claims c;

	return jwt_check(&keys, token, strlen(token), now_s * 1000, &c, NULL);
}

/* header.body of any text, signed right: only the checks behind the signature can refuse it */
static void sign(struct buf *out, const char *header, const char *body, size_t mac_bytes)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES], derived[crypto_auth_hmacsha256_KEYBYTES];

	crypto_kdf_derive_from_key(derived, sizeof derived, 1, "mdaccess", keys.current.bytes);
	base64url_encode(out, header, strlen(header));
	buf_addc(out, '.');
	base64url_encode(out, body, strlen(body));
	crypto_auth_hmacsha256(mac, (const unsigned char *)out->data, out->len, derived);
	buf_addc(out, '.');
	base64url_encode(out, mac, mac_bytes);
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"7\"}"
#define BODY                                                                     \
	"{\"sub\":7,\"role\":\"agent\",\"ver\":3,\"sid\":12,\"iat\":1795132800," \
	"\"exp\":1795133700,\"jti\":\"a\"}"

static void test_there_and_back(void **state)
{
	md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);
	struct jwt_claims c;

	(void)state;
	assert_int_equal(jwt_make(&keys.current, &sample, &t, NULL), MD_OK);
	assert_int_equal(jwt_check(&keys, t.data, t.len, NOW_S * 1000ll, &c, NULL), MD_OK);
	assert_int_equal(c.sub, 7);
	assert_int_equal(c.role, ROLE_AGENT);
	assert_int_equal(c.ver, 3);
	assert_int_equal(c.sid, 12);
	assert_int_equal(c.iat_s, NOW_S);
	assert_int_equal(c.exp_s, NOW_S + 900);
	assert_string_equal(c.jti, "Ab-_09");
	assert_false(c.in_console);
}

static void test_of_the_console(void **state)
{
	md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);
	struct jwt_claims c = sample;

	(void)state;
	c.in_console = true;
	assert_int_equal(jwt_make(&keys.current, &c, &t, NULL), MD_OK);
	c.in_console = false;
	assert_int_equal(jwt_check(&keys, t.data, t.len, NOW_S * 1000ll, &c, NULL), MD_OK);
	assert_true(c.in_console);
}

static void test_foreign_tokens(void **state)
{
	static const struct {
		const char *header, *body;
		int rc;
	} tokens[] = {
		{ HEADER, BODY, MD_OK },
		{ "{\"alg\":\"none\",\"typ\":\"at+jwt\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"none\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"HS256\",\"typ\":\"rt+jwt\",\"kid\":\"7\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"6\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"0\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"HS512\",\"typ\":\"at+jwt\"}", BODY, MD_REFUSED },
		{ "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", BODY, MD_REFUSED },
		{ "{\"typ\":\"at+jwt\",\"alg\":\"HS256\"}", BODY, MD_REFUSED },
		{ HEADER " ", BODY, MD_REFUSED },
		{ HEADER, "", MD_REFUSED },
		{ HEADER, "{}", MD_REFUSED },
		{ HEADER, "[7]", MD_REFUSED },
		{ HEADER, BODY "x", MD_REFUSED },
		{ HEADER,
		  "{\"sub\":7,\"role\":\"agent\",\"ver\":3,\"sid\":12,\"iat\":1,\"jti\":\"a\"}",
		  MD_REFUSED },
		{ HEADER,
		  "{\"sub\":7,\"role\":\"root\",\"ver\":3,\"sid\":12,\"iat\":1,\"exp\":1795133700,"
		  "\"jti\":\"a\"}",
		  MD_REFUSED },
		{ HEADER,
		  "{\"sub\":\"7\",\"role\":\"agent\",\"ver\":3,\"sid\":12,\"iat\":1,\"exp\":"
		  "1795133700,"
		  "\"jti\":\"a\"}",
		  MD_REFUSED },
		{ HEADER,
		  "{\"sub\":7,\"sub\":8,\"role\":\"agent\",\"ver\":3,\"sid\":12,\"iat\":1,"
		  "\"exp\":1795133700,\"jti\":\"a\"}",
		  MD_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(tokens); i++) {
		md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);

		sign(&t, tokens[i].header, tokens[i].body, crypto_auth_hmacsha256_BYTES);
		assert_int_equal(check_at(buf_str(&t), NOW_S), tokens[i].rc);
		/* the same without a signature */
		buf_cut(&t, (size_t)(strrchr(t.data, '.') - t.data));
		assert_int_equal(check_at(t.data, NOW_S), MD_REFUSED);
		buf_addc(&t, '.');
		assert_int_equal(check_at(t.data, NOW_S), MD_REFUSED);
	}
}

static void test_rotation(void **state)
{
	const struct jwt_keys next = { { 8, "the next one of the desk's keys" }, keys.current };
	const struct jwt_keys later = { { 9, "the one behind it, of the desk" }, next.current };
	md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);
	struct jwt_claims c;

	(void)state;
	jwt_make(&keys.current, &sample, &t, NULL);
	assert_int_equal(jwt_check(&next, t.data, t.len, NOW_S * 1000ll, &c, NULL), MD_OK);
	assert_int_equal(jwt_check(&later, t.data, t.len, NOW_S * 1000ll, &c, NULL), MD_REFUSED);
}

static void test_time(void **state)
{
	md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);

	(void)state;
	jwt_make(&keys.current, &sample, &t, NULL);
	assert_int_equal(check_at(t.data, NOW_S + 899), MD_OK);
	assert_int_equal(check_at(t.data, NOW_S + 900), MD_REFUSED);
	assert_int_equal(check_at(t.data, NOW_S + 1000000), MD_REFUSED);
}

static void test_every_change(void **state)
{
	md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX), longer = BUF_INIT(2 * JWT_MAX);
	struct jwt_claims c;

	(void)state;
	jwt_make(&keys.current, &sample, &t, NULL);
	assert_int_equal(jwt_check(&other_keys, t.data, t.len, NOW_S * 1000ll, &c, NULL),
			 MD_REFUSED);
	for (size_t i = 0; i < t.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			t.data[i] = (char)(t.data[i] ^ 1 << bit);
			assert_int_equal(jwt_check(&keys, t.data, t.len, NOW_S * 1000ll, &c, NULL),
					 MD_REFUSED);
			t.data[i] = (char)(t.data[i] ^ 1 << bit);
		}
		/* cut anywhere */
		assert_int_equal(jwt_check(&keys, t.data, i, NOW_S * 1000ll, &c, NULL), MD_REFUSED);
	}
	for (const char *junk = "A=. .A"; *junk; junk++) {
		buf_reset(&longer);
		buf_add(&longer, t.data, t.len);
		buf_addc(&longer, *junk);
		assert_int_equal(check_at(longer.data, NOW_S), MD_REFUSED);
	}
	while (longer.len <= JWT_MAX)
		buf_add(&longer, t.data, t.len);
	assert_int_equal(check_at(longer.data, NOW_S), MD_REFUSED);
}

static void test_short_signature(void **state)
{
	md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);

	(void)state;
	sign(&t, HEADER, BODY, 16);
	assert_int_equal(check_at(buf_str(&t), NOW_S), MD_REFUSED);
}

static void test_claims_that_make_no_sense(void **state)
{
	struct jwt_claims bad[6];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(bad); i++)
		bad[i] = sample;
	bad[0].sub = 0;
	bad[1].role = ROLE_ANONYMOUS;
	bad[2].exp_s = bad[2].iat_s;
	bad[3].jti[0] = '\0';
	bad[4].jti[0] = '"';
	memset(bad[5].jti, 'a', JWT_JTI_MAX);
	for (size_t i = 0; i < MD_COUNT(bad); i++) {
		md_auto(buf_done) struct buf t = BUF_INIT(JWT_MAX);

		assert_int_equal(jwt_make(&keys.current, &bad[i], &t, NULL),
				 i == 5 ? MD_OK : MD_INPUT);
		assert_int_equal(t.len > 0, i == 5);
		if (i == 5)
			assert_int_equal(check_at(t.data, NOW_S), MD_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_of_the_console),
		cmocka_unit_test(test_foreign_tokens),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_every_change),
		cmocka_unit_test(test_short_signature),
		cmocka_unit_test(test_claims_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

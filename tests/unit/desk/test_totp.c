#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/totp.h>

#include <string.h>

static const uint8_t *const secret = (const uint8_t *)"12345678901234567890";

/* RFC 6238, appendix B, the last six digits. */
static void codes_of_the_rfc(void **state)
{
	static const struct {
		int64_t at_s;
		const char *code;
	} cases[] = {
		{ 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
		{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
	};
	char code[TOTP_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		assert_int_equal(totp_code(secret, 20, cases[i].at_s / 30, code, NULL), MD_OK);
		assert_string_equal(code, cases[i].code);
	}
}

static void one_step_off_is_right_and_once(void **state)
{
	const int64_t now_ms = INT64_C(1111111111000), now = now_ms / 30000;
	int64_t step;
	char code[TOTP_DIGITS + 1];

	(void)state;
	for (int64_t off = -3; off <= 3; off++) {
		bool right = off >= -1 && off <= 1;

		assert_int_equal(totp_code(secret, 20, now + off, code, NULL), MD_OK);
		assert_int_equal(totp_check(secret, 20, code, now_ms, 0, &step, NULL),
				 right ? MD_OK : MD_REFUSED);
		if (!right)
			continue;
		assert_int_equal(step, now + off);
		/* spent: it, and what is older */
		assert_int_equal(totp_check(secret, 20, code, now_ms, step, &step, NULL),
				 MD_REFUSED);
		assert_int_equal(totp_check(secret, 20, code, now_ms, step - 1, &step, NULL),
				 MD_OK);
	}
	assert_int_equal(totp_check(secret, 20, "", now_ms, 0, &step, NULL), MD_REFUSED);
	assert_int_equal(totp_check(secret, 20, "0504711", now_ms, 0, &step, NULL), MD_REFUSED);
	assert_int_equal(totp_check(secret, 20, "05047", now_ms, 0, &step, NULL), MD_REFUSED);
	assert_int_equal(totp_check(secret, 20, "050472", now_ms, 0, &step, NULL), MD_REFUSED);
}

static void the_uri_breaks_out_of_nothing(void **state)
{
	md_auto(buf_done) struct buf uri = BUF_INIT(1000);

	(void)state;
	totp_uri(&uri, "A & B: ü", "c+d@x.test", secret, 20);
	assert_string_equal(buf_str(&uri),
			    "otpauth://totp/A%20%26%20B%3A%20%C3%BC:c%2Bd@x.test"
			    "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
			    "&issuer=A%20%26%20B%3A%20%C3%BC&algorithm=SHA1&digits=6&period=30");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_of_the_rfc),
		cmocka_unit_test(one_step_off_is_right_and_once),
		cmocka_unit_test(the_uri_breaks_out_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

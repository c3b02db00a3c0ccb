#include <maildesk/desk/password.h>

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_hash_verifies_its_password_only(void **state)
{
	char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(password_hash("correct horse", hash, NULL), MD_OK);
	assert_int_equal(password_hash("correct horse", again, NULL), MD_OK);
	assert_string_not_equal(hash, again);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_true(password_verify(hash, "correct horse"));
	assert_false(password_verify(hash, "correct horsf"));
	assert_false(password_verify(hash, ""));
	assert_false(password_verify("no hash", "correct horse"));
}

static void without_a_hash_nothing_verifies(void **state)
{
	(void)state;
	assert_false(password_verify(NULL, "correct horse"));
}

static void length_counts_in_octets(void **state)
{
	char hash[PASSWORD_HASH_MAX], text[PASSWORD_MAX + 2];
	struct md_err err;

	(void)state;
	assert_int_equal(password_hash("123456789", hash, &err), MD_INPUT);
	assert_string_equal(err.text, "a password has 10 to 1024 characters");
	assert_int_equal(password_hash("1234567890", hash, NULL), MD_OK);
	assert_int_equal(password_hash("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", hash, NULL),
			 MD_OK);
	memset(text, 'x', sizeof text);
	text[PASSWORD_MAX] = '\0';
	assert_int_equal(password_check(text, NULL), MD_OK);
	text[PASSWORD_MAX] = 'x';
	text[PASSWORD_MAX + 1] = '\0';
	assert_int_equal(password_check(text, NULL), MD_INPUT);
	assert_false(password_verify(hash, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_verifies_its_password_only),
		cmocka_unit_test(without_a_hash_nothing_verifies),
		cmocka_unit_test(length_counts_in_octets),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

#include <maildesk/base/mem.h>
#include <maildesk/desk/seal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct seal seal(const char *a, const char *b)
{
	const char *words[] = { a, b };
	struct seal s;

	assert_int_equal(seal_of(words, 2, &s, NULL), MD_OK);
	return s;
}

static void each_list_of_words_is_another_seal(void **state)
{
	struct seal a = seal("ab", "c"), again = seal("ab", "c"), other = seal("a", "bc");

	(void)state;
	assert_memory_equal(&a, &again, sizeof a);
	assert_string_not_equal(a.name, other.name);
	assert_memory_not_equal(a.key, other.key, sizeof a.key);
	assert_memory_not_equal(a.key, a.mac_key, sizeof a.key);
}

static void parts_are_told_apart(void **state)
{
	struct seal s = seal("1", "2"), t = seal("1", "3");
	const struct rec_bytes ab_c[] = { { 2, (const uint8_t *)"ab" },
					  { 1, (const uint8_t *)"c" } };
	const struct rec_bytes a_bc[] = { { 1, (const uint8_t *)"a" },
					  { 2, (const uint8_t *)"bc" } };
	uint8_t one[SEAL_KEY_BYTES], two[SEAL_KEY_BYTES];

	(void)state;
	seal_mac(&s, ab_c, 2, one);
	seal_mac(&s, ab_c, 2, two);
	assert_true(seal_same(one, two));
	seal_mac(&s, a_bc, 2, two);
	assert_false(seal_same(one, two));
	seal_mac(&t, ab_c, 2, two);
	assert_false(seal_same(one, two));
}

static void only_its_word_opens_it(void **state)
{
	static const char text[] = "what was answered";
	struct seal s = seal("1", "2"), other = seal("1", "3");
	md_auto(buf_done) struct buf sealed = BUF_INIT(1000), plain = BUF_INIT(1000);
	struct random r = random_seeded(1);

	(void)state;
	seal_close(&s, &r, text, sizeof text, &sealed);
	assert_int_equal(sealed.status, MD_OK);
	assert_null(memmem(sealed.data, sealed.len, "answered", 8));
	assert_int_equal(seal_open(&other, sealed.data, sealed.len, &plain, NULL), MD_INPUT);
	assert_int_equal(seal_open(&s, sealed.data, sealed.len, &plain, NULL), MD_OK);
	assert_string_equal(plain.data, text);
	for (size_t n = 0; n < sealed.len; n++)
		assert_int_equal(seal_open(&s, sealed.data, n, &plain, NULL), MD_INPUT);
	sealed.data[sealed.len - 1] ^= 1;
	assert_int_equal(seal_open(&s, sealed.data, sealed.len, &plain, NULL), MD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_list_of_words_is_another_seal),
		cmocka_unit_test(parts_are_told_apart),
		cmocka_unit_test(only_its_word_opens_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

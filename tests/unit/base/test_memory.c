/* buf, arena, err: limits hold, errors stick, nothing leaks (run under ASan in CI). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <stdlib.h>
#include <string.h>

static void a_buffer_keeps_what_is_added(void **state)
{
	md_auto(buf_done) struct buf b = BUF_INIT(1000);

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_adds(&b, "ab");
	buf_adds(&b, NULL);
	buf_addc(&b, 'c');
	buf_addf(&b, "%d-%s", 42, "x");
	buf_add(&b, "\0z", 2);
	assert_int_equal(b.status, MD_OK);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.data, "abc42-x\0z", 10);
	buf_cut(&b, 3);
	assert_string_equal(buf_str(&b), "abc");
}

static void a_buffer_formats_more_than_fits_its_first_guess(void **state)
{
	md_auto(buf_done) struct buf b = BUF_INIT(2000);
	char long_text[1001];

	(void)state;
	memset(long_text, 'y', 1000);
	long_text[1000] = '\0';
	buf_addf(&b, "<%s>", long_text);
	assert_int_equal(b.len, 1002);
	assert_int_equal(b.data[1001], '>');
}

static void the_ceiling_of_a_buffer_holds_and_sticks(void **state)
{
	md_auto(buf_done) struct buf b = BUF_INIT(5);

	(void)state;
	buf_adds(&b, "12345");
	assert_int_equal(b.status, MD_OK);
	buf_addc(&b, '6');
	assert_int_equal(b.status, MD_INPUT);
	buf_adds(&b, "");
	assert_int_equal(b.status, MD_INPUT);
	assert_int_equal(b.len, 5);
	assert_null(buf_steal(&b));
	buf_reset(&b);
	buf_adds(&b, "ok");
	assert_int_equal(b.status, MD_OK);
}

static void stealing_leaves_an_empty_buffer(void **state)
{
	md_auto(buf_done) struct buf b = BUF_INIT(100);
	md_auto(md_free_p) char *empty = buf_steal(&b);
	md_auto(md_free_p) char *text = NULL;

	(void)state;
	assert_string_equal(empty, "");
	buf_adds(&b, "mine");
	text = buf_steal(&b);
	assert_string_equal(text, "mine");
	assert_int_equal(b.len, 0);
}

static void building_survives_every_failed_allocation(void **state)
{
	int built = 0;

	(void)state;
	for (long n = 1; !built; n++) {
		struct buf b = BUF_INIT(4096);

		md_alloc_fail(n, 0);
		for (int i = 0; i < 100; i++)
			buf_addf(&b, "line %d\n", i);
		md_alloc_fail(0, 0);
		built = b.status == MD_OK;
		assert_true(built || b.status == MD_NOMEM);
		buf_done(&b);
		assert_in_range(n, 1, 50);
	}
}

static void an_arena_gives_zeroed_memory_up_to_its_ceiling(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(100000);
	char *big;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char *p = arena_alloc(&a, 33);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (int k = 0; k < 33; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, 33);
	}
	big = arena_alloc(&a, 50000);
	assert_non_null(big);
	assert_false(a.failed);
	assert_null(arena_alloc(&a, 50000));
	assert_true(a.failed);
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	arena_reset(&a);
	assert_false(a.failed);
	assert_string_equal(arena_printf(&a, "%s=%d", "n", 7), "n=7");
	assert_string_equal(arena_strndup(&a, "hello", 4), "hell");
	assert_null(arena_strdup(&a, NULL));
}

static void context_goes_in_front_of_a_failure(void **state)
{
	struct md_err err = { 0 };
	char long_name[2 * sizeof err.text] = "";

	(void)state;
	assert_int_equal(md_fail(&err, MD_AGAIN, 111, "no answer from %s", "mx"), MD_AGAIN);
	assert_int_equal(md_wrap(&err, MD_AGAIN, "mailbox %s", "support"), MD_AGAIN);
	assert_string_equal(err.text, "mailbox support: no answer from mx");
	assert_int_equal(err.native, 111);
	/* a value may be cut in the middle of a character, by its own width or by the end */
	md_fail(&err, MD_INPUT, 0, "no \"%.4s\"", "\xc3\xa9x\xc3\xa9");
	assert_string_equal(err.text, "no \"\xc3\xa9x?\"");
	memset(long_name, 0xff, sizeof long_name - 1);
	md_fail(&err, MD_INPUT, 0, "%s", long_name);
	assert_true(utf8_valid(err.text, strlen(err.text)));
	assert_int_equal(md_fail(NULL, MD_BROKEN, 0, "nobody listens"), MD_BROKEN);
	for (int i = 0; i < 100; i++)
		md_wrap(&err, MD_AGAIN, "a long way up");
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_keeps_what_is_added),
		cmocka_unit_test(a_buffer_formats_more_than_fits_its_first_guess),
		cmocka_unit_test(the_ceiling_of_a_buffer_holds_and_sticks),
		cmocka_unit_test(stealing_leaves_an_empty_buffer),
		cmocka_unit_test(building_survives_every_failed_allocation),
		cmocka_unit_test(an_arena_gives_zeroed_memory_up_to_its_ceiling),
		cmocka_unit_test(context_goes_in_front_of_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

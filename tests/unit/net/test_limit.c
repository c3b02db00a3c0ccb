#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/net/limit.h>

#include <stdio.h>
#include <string.h>

static struct limiter *l;
static struct limit_state at;

static int setup(void **state)
{
	(void)state;
	return limiter_new(&l, NULL);
}

static int teardown(void **state)
{
	(void)state;
	limiter_free(l);
	return 0;
}

static bool take(const char *key, int64_t per_minute, int64_t ms)
{
	return limiter_take(l, key, strlen(key), per_minute, ms, &at);
}

static void a_bucket_holds_a_minute_and_fills_steadily(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_true(take("a", 6, 1000));
		assert_int_equal(at.limit, 6);
		assert_int_equal(at.remaining, 5 - i);
		assert_int_equal(at.reset_s, 10 * (i + 1));
		assert_int_equal(at.retry_s, 0);
	}
	assert_false(take("a", 6, 1000));
	assert_int_equal(at.retry_s, 10);
	/* asking in vain costs nothing */
	assert_false(take("a", 6, 10999));
	assert_int_equal(at.retry_s, 1);
	assert_true(take("a", 6, 11000));
	assert_false(take("a", 6, 11000));
	/* after a minute's rest it is full, and not fuller */
	for (int i = 0; i < 6; i++)
		assert_true(take("a", 6, 1000000));
	assert_false(take("a", 6, 1000000));
}

static void keys_have_buckets_of_their_own(void **state)
{
	(void)state;
	assert_true(take("a", 1, 0));
	assert_false(take("a", 1, 0));
	assert_true(take("b", 1, 0));
	assert_true(take("", 1, 0));
	assert_false(take("", 1, 0));
}

static void large_limits_are_exact(void **state)
{
	int64_t taken = 0;

	(void)state;
	while (taken < 2000000 && take("a", 600000, 0))
		taken++;
	assert_int_equal(taken, 600000);
	assert_true(take("c", INT64_MAX / 4, 0));
}

static void a_flood_of_keys_forgives_no_debt(void **state)
{
	char key[32];

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)take("deep in debt", 100, 0);
	for (int i = 0; i < 200000; i++) {
		snprintf(key, sizeof key, "key %d", i);
		assert_true(take(key, 100, 0));
	}
	assert_false(take("deep in debt", 100, 0));
}

int main(void)
{
#define LIMIT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		LIMIT_TEST(a_bucket_holds_a_minute_and_fills_steadily),
		LIMIT_TEST(keys_have_buckets_of_their_own),
		LIMIT_TEST(large_limits_are_exact),
		LIMIT_TEST(a_flood_of_keys_forgives_no_debt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

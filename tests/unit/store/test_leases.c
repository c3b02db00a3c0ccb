/* Leases: one holder at a time, a fence that grows with each change, by the database's clock. */
#include "store_test.h"

#include <maildesk/base/clock.h>
#include <maildesk/store/leases.h>

enum { LONG_MS = 60000 };

static int64_t take(struct db_conn *c, const char *name, const char *holder, int64_t ttl_ms)
{
	int64_t fence = 0;

	OK(lease_take(c, name, holder, ttl_ms, &fence, &err));
	return fence;
}
static int take_rc(struct db_conn *c, const char *name, const char *holder)
{
	int64_t fence = -1;
	int rc = lease_take(c, name, holder, LONG_MS, &fence, &err);

	assert_true(rc == MD_OK || fence == -1);
	return rc;
}

TXN_TEST(one_holder_at_a_time)
{
	(void)a;
	assert_int_equal(take(c, "box", "me", LONG_MS), 1);
	assert_int_equal(take(c, "box", "me", LONG_MS), 1); /* prolonged */
	assert_int_equal(take_rc(c, "box", "you"), MD_CONFLICT);
	OK(lease_check(c, "box", "me", 1, &err));
	assert_int_equal(lease_check(c, "box", "me", 2, &err), MD_CONFLICT);
	assert_int_equal(lease_check(c, "box", "you", 1, &err), MD_CONFLICT);
	assert_int_equal(lease_check(c, "other", "me", 1, &err), MD_CONFLICT);
	assert_int_equal(take(c, "other", "you", LONG_MS), 1);
}

TXN_TEST(what_has_run_out_is_taken_over)
{
	(void)a;
	assert_int_equal(take(c, "box", "me", 0), 1);
	OK(lease_check(c, "box", "me", 1, &err)); /* nobody wanted it */
	assert_int_equal(take(c, "box", "you", LONG_MS), 2);
	assert_int_equal(lease_check(c, "box", "me", 1, &err), MD_CONFLICT);
	assert_int_equal(take_rc(c, "box", "me"), MD_CONFLICT);
	OK(lease_release(c, "box", "me", &err)); /* not its own any more */
	OK(lease_check(c, "box", "you", 2, &err));
	assert_int_equal(take_rc(c, "box", "me"), MD_CONFLICT);
	assert_int_equal(take(c, "box", "you", 0), 2);
	assert_int_equal(take(c, "box", "me", LONG_MS), 3);
}

TXN_TEST(what_is_given_back_is_free_at_once)
{
	(void)a;
	take(c, "box", "me", LONG_MS);
	take(c, "chest", "me", LONG_MS);
	take(c, "jar", "me", LONG_MS);
	OK(lease_release(c, "box", "me", &err));
	OK(lease_renew(c, "me", LONG_MS, &err)); /* no claim on what was given back */
	assert_int_equal(take(c, "box", "you", LONG_MS), 2);
	assert_int_equal(take_rc(c, "chest", "you"), MD_CONFLICT);
	OK(lease_release_all(c, "me", &err));
	assert_int_equal(take(c, "chest", "you", LONG_MS), 2);
	assert_int_equal(take(c, "jar", "you", LONG_MS), 2);
	OK(lease_check(c, "box", "you", 2, &err));
}

TXN_TEST(renewing_prolongs_ones_own)
{
	struct lease *l;
	size_t n;

	take(c, "box", "me", 0);
	take(c, "chest", "you", 0);
	OK(lease_renew(c, "me", LONG_MS, &err));
	OK(lease_list(c, a, &l, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(l[0].name, "box");
	assert_string_equal(l[0].holder, "me");
	assert_int_equal(l[0].fence, 1);
	assert_in_range(l[0].left_ms, LONG_MS - 5000, LONG_MS);
	assert_string_equal(l[1].name, "chest");
	assert_int_equal(l[1].left_ms, 0);
}

DB_SQL(sql_far, "UPDATE leases SET held_until = held_until + $1");

/* The machine's clock was a year ahead when it was taken. */
TXN_TEST(a_clock_put_back_blocks_nobody)
{
	struct lease *l;
	size_t n;

	take(c, "box", "me", LONG_MS);
	OK(db_exec(c, &sql_far, DB_ARGS(DB_INT(INT64_C(31536000000))), NULL, &err));
	OK(lease_list(c, a, &l, &n, &err));
	assert_int_equal(l[0].left_ms, 0);
	assert_int_equal(take(c, "box", "you", LONG_MS), 2);
}

TXN_TEST(daemons_long_gone_are_forgotten)
{
	struct lease *l;
	size_t n;

	take(c, "daemon:old", "old", LONG_MS);
	take(c, "mailbox:old", "old", LONG_MS);
	OK(db_exec(c, &sql_far, DB_ARGS(DB_INT(-2 * (int64_t)LEASE_MAX_MS)), NULL, &err));
	take(c, "daemon:gone", "gone", 0);
	take(c, "daemon:new", "new", LONG_MS);
	OK(lease_forget(c, "daemon:", &err));
	OK(lease_list(c, a, &l, &n, &err));
	assert_int_equal(n, 3);
	assert_string_equal(l[0].name, "daemon:gone");
	assert_string_equal(l[1].name, "daemon:new");
	assert_string_equal(l[2].name, "mailbox:old");
}

TXN_TEST(the_database_has_a_clock)
{
	int64_t now = 0, ours = clock_wall(&clock_system);

	(void)a;
	OK(lease_now(c, &now, &err));
	assert_in_range(now, ours - 10000, ours + 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_holder_at_a_time),
		TEST(what_has_run_out_is_taken_over),
		TEST(what_is_given_back_is_free_at_once),
		TEST(renewing_prolongs_ones_own),
		TEST(a_clock_put_back_blocks_nobody),
		TEST(daemons_long_gone_are_forgotten),
		TEST(the_database_has_a_clock),
	};

	return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}

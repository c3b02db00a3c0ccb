/* Rows of the audit log hang together, and it shows when they do not. */
#include "store_test.h"

#include <maildesk/store/audit.h>

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	return audit_add(c, ctx, e);
}

static void add(struct fixture *f, const char *daemon, const char *action, int64_t about)
{
	struct audit_row row = { .daemon = daemon,
				 .at = 1000,
				 .actor = 3,
				 .source = "api",
				 .action = action,
				 .about = "user",
				 .about_id = about,
				 .detail = "role; role=agent" };

	OK(db_txn(f->db, add_in_txn, &row, &err));
}

static int count_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	return audit_count(c, ctx, e);
}

static void refuse(struct fixture *f, const char *account, int64_t minute)
{
	struct audit_row row = { .daemon = "a",
				 .at = minute * 60000,
				 .source = "api",
				 .action = "sign_in.refused",
				 .account = account,
				 .network = "n",
				 .minute = minute };

	OK(db_txn(f->db, count_in_txn, &row, &err));
}

static int64_t minute_now;
static int seal_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return audit_seal(c, "a", minute_now, e);
}

static void seal(struct fixture *f, int64_t minute)
{
	minute_now = minute;
	OK(db_txn(f->db, seal_in_txn, NULL, &err));
}

static struct audit_chain *verify(struct fixture *f, size_t *n)
{
	struct audit_chain *all;

	OK(audit_verify(f->db, &f->arena, &all, n, &err));
	return all;
}

static struct audit_row *list(struct fixture *f, struct audit_filter filter, size_t *n)
{
	struct audit_row *rows;
	struct db_conn *c;
	int64_t total;

	filter.limit = 100;
	OK(db_read(f->db, &c, &err));
	OK(audit_list(c, &filter, &f->arena, &rows, n, &total, &err));
	db_read_done(c);
	assert_int_equal(total, *n);
	return rows;
}

static const char *x[] = { "x" };
static const struct rec_strs of_x = { 1, x };

static int spoil_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	return db_script(c, *(const char **)ctx, e);
}

static void spoil(struct fixture *f, const char *sql)
{
	OK(db_txn(f->db, spoil_in_txn, &sql, &err));
}

static void chains_are_each_daemons_own(void **state)
{
	struct fixture *f = *state;
	struct audit_chain *all;
	size_t n;

	verify(f, &n);
	assert_int_equal(n, 0);
	for (int i = 1; i <= 3; i++) {
		add(f, "a", "user.add", i);
		add(f, "b", "user.add", i);
	}
	all = verify(f, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(all[i].rows, 3);
		assert_int_equal(all[i].broken_seq, 0);
	}
	assert_string_not_equal(all[0].hash, all[1].hash);
}

static void every_change_shows(void **state)
{
	static const struct {
		const char *sql;
		int64_t broken; /* seq of the first row that is wrong */
	} cases[] = {
		{ "UPDATE audit_log SET actor_id = 4 WHERE seq = 2", 2 },
		{ "UPDATE audit_log SET actor_id = NULL WHERE seq = 2", 2 },
		{ "UPDATE audit_log SET at = at + 1 WHERE seq = 1", 1 },
		{ "UPDATE audit_log SET action = 'user.ad' WHERE seq = 3", 3 },
		{ "UPDATE audit_log SET detail = NULL WHERE seq = 3", 3 },
		{ "UPDATE audit_log SET count = 2 WHERE seq = 3", 3 },
		{ "UPDATE audit_log SET hash = 'x' WHERE seq = 4", 4 },
		{ "DELETE FROM audit_log WHERE seq = 1", 2 },
		{ "DELETE FROM audit_log WHERE seq = 3", 4 },
		{ "UPDATE audit_log SET seq = 9 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE "
		  "seq"
		  " = 3; UPDATE audit_log SET seq = 3 WHERE seq = 9",
		  3 },
		{ "INSERT INTO audit_log (daemon, seq, at, source, action, count, hash) VALUES"
		  " ('a', 5, 1, 'api', 'user.add', 1, 'y')",
		  5 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct audit_chain *all;
		size_t n;

		spoil(f, "DELETE FROM audit_log");
		for (int k = 1; k <= 4; k++)
			add(f, "a", "user.add", k);
		assert_int_equal(verify(f, &n)->broken_seq, 0);
		spoil(f, cases[i].sql);
		all = verify(f, &n);
		if (all[0].broken_seq != cases[i].broken)
			fail_msg("%s: %lld", cases[i].sql, (long long)all[0].broken_seq);
	}
}

static void refusals_are_counted_by_the_minute(void **state)
{
	struct fixture *f = *state;
	struct audit_row *rows;
	struct audit_chain *all;
	size_t n;

	for (int i = 0; i < 3; i++)
		refuse(f, "x", 100);
	refuse(f, "y", 100);
	add(f, "a", "user.add", 1);
	refuse(f, "x", 101);
	rows = list(f, (struct audit_filter){ .account = of_x }, &n);
	assert_int_equal(n, 2);
	assert_int_equal(rows[1].count, 3);
	assert_null(rows[1].hash);
	all = verify(f, &n);
	assert_int_equal(all[0].rows, 1);
	assert_int_equal(all[0].open, 3);
	seal(f, 101);
	seal(f, 101);
	all = verify(f, &n);
	assert_int_equal(all[0].rows, 3);
	assert_int_equal(all[0].open, 1);
	assert_int_equal(all[0].broken_seq, 0);
	rows = list(f, (struct audit_filter){ .account = of_x }, &n);
	assert_int_equal(rows[1].count, 3);
	assert_non_null(rows[1].hash);
	refuse(f, "x", 100); /* a clock that was put back: another row */
	rows = list(f, (struct audit_filter){ .account = of_x }, &n);
	assert_int_equal(n, 3);
	spoil(f, "UPDATE audit_log SET count = 1 WHERE count = 3");
	assert_int_not_equal(verify(f, &n)->broken_seq, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chains_are_each_daemons_own),
		TEST(every_change_shows),
		TEST(refusals_are_counted_by_the_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Events get their numbers after the commit, from one daemon at a time. */
#include "store_test.h"

#include <maildesk/store/events.h>
#include <maildesk/store/leases.h>

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct event event = { .type = "ticket.updated",
				     .ticket = *(int64_t *)ctx,
				     .version = 2,
				     .at = *(int64_t *)ctx * 10 };

	return event_add(c, &event, e);
}

static void add(struct fixture *f, int64_t ticket)
{
	OK(db_txn(f->db, add_in_txn, &ticket, &err));
}

static size_t number(struct fixture *f, struct event_worker *w)
{
	size_t n;

	OK(event_number(f->db, w, &n, &err));
	return n;
}

static struct event *list(struct fixture *f, int64_t after, size_t *n)
{
	struct db_conn *c;
	struct event *all;

	OK(db_read(f->db, &c, &err));
	OK(event_list(c, after, &f->arena, &all, n, &err));
	db_read_done(c);
	return all;
}

static bool is_known(struct fixture *f, int64_t id)
{
	struct db_conn *c;
	bool known;

	OK(db_read(f->db, &c, &err));
	OK(event_is_known(c, id, &known, &err));
	db_read_done(c);
	return known;
}

static void numbers_grow_and_each_is_given_once(void **state)
{
	struct fixture *f = *state;
	struct event_worker w = { .holder = "a", .lease_ms = 5000 };
	struct event *all;
	size_t n;

	assert_int_equal(number(f, &w), 0);
	assert_true(is_known(f, 0));
	for (int64_t ticket = 1; ticket <= 3; ticket++)
		add(f, ticket);
	assert_int_equal(number(f, &w), 3);
	assert_int_equal(number(f, &w), 0);
	add(f, 4);
	assert_int_equal(number(f, &w), 1);
	all = list(f, 0, &n);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(all[i].ticket, i + 1);
		assert_true(i == 0 || all[i].id > all[i - 1].id);
		assert_true(is_known(f, all[i].id));
	}
	list(f, all[1].id, &n);
	assert_int_equal(n, 2);
	assert_true(is_known(f, 0));
	assert_false(is_known(f, all[3].id + 1));
}

static void more_than_a_batch_is_numbered_in_order(void **state)
{
	struct fixture *f = *state;
	struct event_worker w = { .holder = "a", .lease_ms = 5000 };
	int64_t after = 0, expected = 1;
	size_t n, told = 0;

	for (int64_t ticket = 1; ticket <= 300; ticket++)
		add(f, ticket);
	while (number(f, &w))
		;
	do {
		struct event *all = list(f, after, &n);

		for (size_t i = 0; i < n; i++, told++)
			assert_int_equal(all[i].ticket, expected++);
		if (n)
			after = all[n - 1].id;
	} while (n);
	assert_int_equal(told, 300);
}

static void one_holder_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct event_worker a = { .holder = "a", .lease_ms = 5000 },
			    b = { .holder = "b", .lease_ms = 5000 };
	size_t n;

	add(f, 1);
	assert_int_equal(number(f, &a), 1);
	add(f, 2);
	assert_int_equal(event_number(f->db, &b, &n, &err), MD_CONFLICT);
	OK(event_leave(f->db, &a, &err));
	assert_int_equal(number(f, &b), 1);
	/* It was stopped for long: what it knows of the queue is old. */
	add(f, 3);
	OK(event_leave(f->db, &b, &err));
	assert_int_equal(event_number(f->db, &a, &n, &err), MD_CONFLICT);
	list(f, 0, &n);
	assert_int_equal(n, 2);
	assert_int_equal(number(f, &a), 1);
	list(f, 0, &n);
	assert_int_equal(n, 3);
}

static int purge(struct db_conn *c, void *ctx, struct md_err *e)
{
	return event_purge(c, *(int64_t *)ctx, e);
}

static void the_last_is_never_forgotten(void **state)
{
	struct fixture *f = *state;
	struct event_worker w = { .holder = "a", .lease_ms = 5000 };
	int64_t before = 25, far = 1000;
	struct event *all;
	size_t n;

	for (int64_t ticket = 1; ticket <= 4; ticket++)
		add(f, ticket);
	number(f, &w);
	all = list(f, 0, &n);
	OK(db_txn(f->db, purge, &before, &err));
	list(f, 0, &n);
	assert_int_equal(n, 2);
	assert_false(is_known(f, 0));
	assert_false(is_known(f, all[1].id));
	assert_true(is_known(f, all[2].id));
	OK(db_txn(f->db, purge, &far, &err));
	list(f, 0, &n);
	assert_int_equal(n, 1);
	assert_true(is_known(f, all[3].id));
	add(f, 5);
	number(f, &w);
	list(f, all[3].id, &n);
	assert_int_equal(n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_grow_and_each_is_given_once),
		TEST(more_than_a_batch_is_numbered_in_order),
		TEST(one_holder_at_a_time),
		TEST(the_last_is_never_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows that are kept back: written before they are looked for, undone with their part, and blamed
 * on whoever brought them. */
#include "store_test.h"

#include <maildesk/store/comments.h>
#include <maildesk/store/messages.h>

DB_SQL(sql_history, "SELECT COUNT(*) FROM ticket_history WHERE ticket_id = $1");

/* What happened in a transaction that may have run twice. */
struct story {
	int64_t user, ticket, seen;
	int runs, kept_runs, refused;
};

static int add(struct db_conn *c, int64_t ticket, const char *source, struct md_err *e)
{
	const struct history h = {
		.ticket_id = ticket, .action = "tag", .source = source, .trust = -1, .at = 1
	};

	return history_add(c, &h, e);
}

static int open_one(struct db_conn *c, struct story *s, struct md_err *e)
{
	const struct ticket t = { .title = "T",
				  .status = "new",
				  .requester_id = s->user,
				  .channel = "api",
				  .created_at = 1,
				  .updated_at = 1 };

	s->runs++;
	s->kept_runs += db_keeps_rows(c);
	return ticket_insert(c, &t, &s->ticket, e);
}

static int make_person(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct user u = { .name = "Ann", .email = "ann@x", .role = "customer", .created_at = 1 };

	return user_add(c, &u, ctx, e);
}

static int64_t a_person(struct fixture *f)
{
	int64_t id = 0;

	OK(db_txn(f->db, make_person, &id, &err));
	return id;
}

static int good_part(struct db_conn *c, void *ctx, struct md_err *e)
{
	return add(c, ((struct story *)ctx)->ticket, "mail", e);
}

static int given_up_part(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct story *s = ctx;
	int rc = add(c, s->ticket, "mail", e);

	if (rc == MD_OK)
		rc = add(c, s->ticket, "mail", e);
	return rc == MD_OK ? md_fail(e, MD_REFUSED, 0, "changed my mind") : rc;
}

/* The same, after all rows were looked for, so that they are with the server. */
static int seen_part(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct story *s = ctx;
	int rc = add(c, s->ticket, "mail", e);

	if (rc == MD_OK)
		rc = db_int(c, &sql_history, DB_ARGS(DB_INT(s->ticket)), &s->seen, e);
	return rc == MD_OK ? md_fail(e, MD_REFUSED, 0, "changed my mind") : rc;
}

static int bad_part(struct db_conn *c, void *ctx, struct md_err *e)
{
	return add(c, ((struct story *)ctx)->ticket, "rumour", e);
}

static int parts(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct story *s = ctx;
	int rc = open_one(c, s, e);

	if (rc == MD_OK)
		rc = db_savepoint(c, good_part, s, e);
	if (rc == MD_OK && db_savepoint(c, given_up_part, s, e) != MD_REFUSED)
		rc = MD_BROKEN;
	if (rc == MD_OK && db_savepoint(c, seen_part, s, e) != MD_REFUSED)
		rc = MD_BROKEN;
	return rc == MD_OK ? db_savepoint(c, good_part, s, e) : rc;
}

static int64_t rows_of(struct fixture *f, int64_t ticket)
{
	struct db_conn *c;
	int64_t n = -1;

	OK(db_read(f->db, &c, &err));
	OK(db_int(c, &sql_history, DB_ARGS(DB_INT(ticket)), &n, &err));
	db_read_done(c);
	return n;
}

static void a_part_takes_its_rows_along(void **state)
{
	struct fixture *f = *state;
	struct story s = { .user = a_person(f) };

	OK(db_txn(f->db, parts, &s, &err));
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.seen, 2); /* of the good part, and its own */
	assert_int_equal(rows_of(f, s.ticket), 2);
}

static int one_bad(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct story *s = ctx;
	int rc = open_one(c, s, e);

	if (rc == MD_OK)
		rc = db_savepoint(c, good_part, s, e);
	if (rc == MD_OK) {
		rc = db_savepoint(c, bad_part, s, e);
		s->refused += rc == MD_CONFLICT;
		rc = rc == MD_CONFLICT ? MD_OK : rc;
	}
	return rc == MD_OK ? db_savepoint(c, good_part, s, e) : rc;
}

static void a_bad_row_costs_its_part_alone(void **state)
{
	struct fixture *f = *state;
	struct story s = { .user = a_person(f) };

	OK(db_txn(f->db, one_bad, &s, &err));
	assert_int_equal(s.runs, 1 + s.kept_runs); /* again, with rows written at once */
	assert_int_equal(s.refused, 1);
	assert_int_equal(rows_of(f, s.ticket), 2);
}

static int only_bad(struct db_conn *c, void *ctx, struct md_err *e)
{
	int rc = open_one(c, ctx, e);

	return rc == MD_OK ? bad_part(c, ctx, e) : rc;
}

static void a_bad_row_fails_its_transaction(void **state)
{
	struct fixture *f = *state;
	struct story s = { .user = a_person(f) };

	assert_int_equal(db_txn(f->db, only_bad, &s, &err), MD_CONFLICT);
	assert_int_equal(rows_of(f, s.ticket), 0);
}

enum { MANY = 5000 };

static int many(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct story *s = ctx;
	int rc = open_one(c, s, e);

	for (int i = 0; i < MANY && rc == MD_OK; i++)
		rc = db_savepoint(c, good_part, s, e);
	return rc;
}

static void many_rows_are_all_written(void **state)
{
	struct fixture *f = *state;
	struct story s = { .user = a_person(f) };

	OK(db_txn(f->db, many, &s, &err));
	assert_int_equal(s.runs, 1);
	assert_int_equal(rows_of(f, s.ticket), MANY);
}

static void tables_know_what_they_need(void **state)
{
	int tickets = db_table("tickets", 7), comments = db_table("comments", 8);
	db_set both = (db_set)1 << tickets | (db_set)1 << comments;

	(void)state;
	assert_true(tickets >= 0 && tickets < comments);
	assert_int_equal(db_table("ticket", 6), -1);
	assert_true((db_tables_needed(comments) & both) == both);
	assert_true(db_tables_needed(tickets) & (db_set)1 << db_table("users", 5));
	assert_true(db_tables_of("SELECT m.id FROM comments m") == (db_set)1 << comments);
	assert_true(db_tables_of("UPDATE comments SET body = $1") & (db_set)1 << tickets);
	assert_int_equal(db_table_of_insert("INSERT INTO tickets (id) VALUES ($1)"), tickets);
	assert_int_equal(db_table_of_insert("UPDATE tickets SET id = $1"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_takes_its_rows_along),     TEST(a_bad_row_costs_its_part_alone),
		TEST(a_bad_row_fails_its_transaction), TEST(many_rows_are_all_written),
		TEST(tables_know_what_they_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

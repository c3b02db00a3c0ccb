/* Allocations fail once, and from then on: ours and SQLite's alike. Whatever happens, a
 * transaction is there whole or not at all, and the next one works. */
#include "../../lite_memory.h"
#include "store_test.h"

#include <maildesk/base/random.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/clocks.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>

DB_SQL(sql_rows, "SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM user_addresses)"
		 " + (SELECT COUNT(*) FROM tickets) + (SELECT COUNT(*) FROM messages)"
		 " + (SELECT COUNT(*) FROM comments) + (SELECT COUNT(*) FROM ticket_history)"
		 " + (SELECT COUNT(*) FROM thread_ids) + (SELECT COUNT(*) FROM blobs)"
		 " + (SELECT COUNT(*) FROM blob_chunks) + (SELECT COUNT(*) FROM outbox)"
		 " + (SELECT COUNT(*) FROM clocks) + (SELECT COUNT(*) FROM timers)"
		 " + (SELECT COUNT(*) FROM decisions) + (SELECT COUNT(*) FROM mailbox_uids)");
enum { ROWS_OF_INTAKE = 16 };
/* Each allocation in turn takes half a minute; a prime stride meets every kind in two seconds. */
enum { STRIDE = 17, IN_A_ROW = 5 };
/* A server allocates for itself: there are fewer on our side. */
static long stride(void)
{
	return on_postgres() ? 2 : STRIDE;
}

static uint8_t content[600 << 10]; /* of the mail */

static int share_the_allocator(void **state)
{
	struct random r = random_seeded(1);

	(void)state;
	random_fill(&r, content, sizeof content); /* three chunks, as it is */
	return lite_share_the_allocator();
}

/* ---- what a mail does to the database ---- */

static int intake_ticket(struct db_conn *c, int64_t user, int64_t message, struct arena *a,
			 struct md_err *e)
{
	struct ticket t = { .title = "x",
			    .status = "open",
			    .priority = 1,
			    .requester_id = user,
			    .channel = "mail",
			    .created_at = 1,
			    .updated_at = 1 };
	struct clock_row k = { .metric = "resolution",
			       .policy = "p",
			       .state = "running",
			       .cycle = 1,
			       .started_at = 1,
			       .target_ms = 2,
			       .since_at = 1,
			       .due_at = 3 };
	struct timer_row timer = { .kind = "sla_breach", .due_at = 3 };
	struct comment m = {
		.channel = "mail", .body = "b", .created_at = 1, .message_id = message
	};
	struct history h = { .action = "created", .source = "mail", .at = 1 };
	struct decision d = { .message_id = message,
			      .outcome = "ticket",
			      .auth = "none",
			      .rules = "[]",
			      .commands = "[]",
			      .at = 1 };
	struct ticket_filter f = { .limit = 10 };
	struct ticket_row *rows;
	int64_t total;
	size_t n;
	int rc = ticket_insert(c, &t, &t.id, e);

	m.ticket_id = h.ticket_id = k.ticket_id = timer.ticket_id = d.ticket_id = t.id;
	if (rc == MD_OK)
		rc = comment_insert(c, &m, &d.comment_id, e);
	if (rc == MD_OK)
		rc = history_add(c, &h, e);
	if (rc == MD_OK)
		rc = thread_add(c, "m1@x", t.id, e);
	if (rc == MD_OK)
		rc = clock_insert(c, &k, &timer.clock_id, e);
	if (rc == MD_OK)
		rc = timer_add(c, &timer, e);
	if (rc == MD_OK)
		rc = decision_put(c, &d, e);
	if (rc == MD_OK)
		rc = ticket_list(c, &f, a, &rows, &n, &total, e);
	return rc;
}

static int intake_answer(struct db_conn *c, int64_t user, struct md_err *e)
{
	struct message_row m = {
		.direction = "out", .message_id = "m2@x", .kind = "normal", .created_at = 1
	};
	struct outbox_row o = { .user_id = user,
				.event = "created",
				.smtp = "s",
				.sender = "d@x",
				.recipient = "ann@x",
				.state = "queued",
				.data = "{}",
				.created_at = 1 };
	int rc = message_insert(c, &m, &o.message_id, e);

	return rc == MD_OK ? outbox_add(c, &o, &o.id, e) : rc;
}

static int intake_mail(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct user u = { .name = "Ann", .email = "ann@x", .role = "customer", .created_at = 1 };
	struct message_row m = { .direction = "in",
				 .message_id = "m1@x",
				 .identity = "i",
				 .kind = "normal",
				 .created_at = 1 };
	int64_t box, attempts;
	bool done;
	int rc = mailbox_ensure(c, "support", &box, e);

	if (rc == MD_OK)
		rc = uid_attempt(c, box, 7, 1, &attempts, &done, e);
	if (rc == MD_OK)
		rc = user_add(c, &u, &u.id, e);
	if (rc == MD_OK)
		rc = blob_put(c, ctx, &m.blob_id, e);
	if (rc == MD_OK)
		rc = message_insert(c, &m, &m.id, e);
	if (rc == MD_OK)
		rc = intake_ticket(c, u.id, m.id, &a, e);
	if (rc == MD_OK)
		rc = intake_answer(c, u.id, e);
	if (rc == MD_OK)
		rc = uid_done(c, box, 7, 1, e);
	return rc;
}

static int64_t rows_now(struct db *db)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n = -1;

	OK(db_read(db, &c, &err));
	OK(db_int(c, &sql_rows, DB_NONE, &n, &err));
	return n;
}

static int attempt(struct fixture *f)
{
	md_auto(blob_done) struct blob b = { 0 };
	int rc = blob_prepare(content, sizeof content, &b, &err);

	return rc == MD_OK ? db_txn(f->db, intake_mail, &b, &err) : rc;
}

/* A new connection each time: preparing statements takes memory too. */
static void reopen(struct fixture *f)
{
	db_close(f->db);
	OK(db_open(f->where, &f->db, &err));
}

/* Some failures hurt nobody (a cache that did not grow), so it takes a row of successes to know
 * that the n-th allocation was never made. */
static void fail_each(int for_good)
{
	struct fixture f;
	int passed = 0, failed = 0;

	fixture_open(&f, true);
	for (long n = 1; passed < IN_A_ROW; n += stride()) {
		int rc;

		assert_in_range(n, 1, 20000); /* an end is in sight */
		reopen(&f);
		md_alloc_fail(n, for_good);
		rc = attempt(&f);
		md_alloc_fail(0, 0);
		assert_true(rc == MD_OK || rc == MD_NOMEM || rc == MD_BROKEN);
		assert_int_equal(rows_now(f.db), rc == MD_OK ? ROWS_OF_INTAKE : 0);
		if (rc == MD_OK) {
			fixture_close(&f);
			fixture_open(&f, true);
			passed++;
		} else {
			passed = 0;
			failed++;
		}
	}
	assert_true(failed > 20);
	OK(attempt(&f));
	fixture_close(&f);
}

static void no_half_change_when_an_allocation_fails(void **state)
{
	(void)state;
	fail_each(0);
}

static void no_half_change_when_memory_runs_out(void **state)
{
	(void)state;
	fail_each(1);
}

static void opening_survives_every_failed_allocation(void **state)
{
	struct fixture f;
	bool passed = false;

	(void)state;
	fixture_open(&f, false);
	for (long n = 1; !passed; n += stride()) {
		struct db *db = NULL;
		int rc;

		assert_in_range(n, 1, 50000);
		md_alloc_fail(n, 1);
		rc = db_open(f.where, &db, &err);
		if (rc == MD_OK)
			rc = schema_ensure(db, &err);
		md_alloc_fail(0, 0);
		passed = rc == MD_OK;
		db_close(db);
	}
	OK(db_open(f.where, &f.db, &err));
	assert_int_equal(rows_now(f.db), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_half_change_when_an_allocation_fails),
		cmocka_unit_test(no_half_change_when_memory_runs_out),
		cmocka_unit_test(opening_survives_every_failed_allocation),
	};

	return cmocka_run_group_tests(tests, share_the_allocator, NULL);
}

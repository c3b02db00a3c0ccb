/* Orphans: content that nothing refers to goes, what is referred to or young stays, and whoever
 * takes an orphan up at the very moment of its removal has it. */
#include "store_test.h"

#include <maildesk/base/codec.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/messages.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

DB_SQL(sql_age, "UPDATE blobs SET put_at = put_at - 86400001 WHERE sha256 = $1");
DB_SQL(sql_id_of, "SELECT id FROM blobs WHERE sha256 = $1");
DB_SQL(sql_forget, "DELETE FROM messages WHERE id = $1");
DB_SQL(sql_blobs, "SELECT COUNT(*) FROM blobs");
DB_SQL(sql_chunks, "SELECT COUNT(*) FROM blob_chunks");

static int64_t number(struct db *db, const struct db_sql *sql)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n = -1;

	OK(db_read(db, &c, &err));
	OK(db_int(c, sql, DB_NONE, &n, &err));
	return n;
}

/* Text of no redundancy, so that it is as long when stored. */
static struct blob make_blob(const char *name, size_t n)
{
	struct blob b;
	uint8_t *bytes = malloc(n);
	uint32_t x = 1;

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	memcpy(bytes, name, strlen(name));
	OK(blob_prepare(bytes, n, &b, &err));
	free(bytes);
	return b;
}

static int64_t refer(struct db_conn *c, int64_t blob_id)
{
	struct message_row m = {
		.direction = "in", .kind = "human", .size = 1, .blob_id = blob_id, .created_at = 1
	};
	int64_t id = 0;

	OK(message_insert(c, &m, &id, &err));
	return id;
}

/* ---- what goes and what stays ---- */

static struct blob referred, orphan, young, taken_up;

TXN_TEST(put_four)
{
	int64_t id;

	(void)a;
	OK(blob_put(c, &referred, &id, &err));
	refer(c, id);
	OK(blob_put(c, &orphan, &id, &err));
	OK(blob_put(c, &young, &id, &err));
	OK(blob_put(c, &taken_up, &id, &err));
	OK(db_exec(c, &sql_age, DB_ARGS(DB_TEXT(referred.sha256)), NULL, &err));
	OK(db_exec(c, &sql_age, DB_ARGS(DB_TEXT(orphan.sha256)), NULL, &err));
	OK(db_exec(c, &sql_age, DB_ARGS(DB_TEXT(taken_up.sha256)), NULL, &err));
	OK(blob_put(c, &taken_up, &id, &err)); /* whoever put it again may still refer to it */
}

static bool has(struct db *db, const struct blob *b)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t id;

	OK(db_read(db, &c, &err));
	return db_int(c, &sql_id_of, DB_ARGS(DB_TEXT(b->sha256)), &id, &err) == MD_OK;
}

static void only_old_orphans_go(void **state)
{
	struct fixture *f = *state;
	int64_t cursor = 0, removed = 0;

	referred = make_blob("referred", 1000);
	orphan = make_blob("orphan", 600 << 10); /* of three pieces */
	young = make_blob("young", 1000);
	taken_up = make_blob("taken up", 1000);
	put_four(state);
	assert_int_equal(number(f->db, &sql_chunks), 2);
	OK(blob_collect(f->db, &cursor, &removed, &err));
	assert_int_equal(removed, 1);
	assert_int_equal(cursor, 0);
	assert_false(has(f->db, &orphan));
	assert_int_equal(number(f->db, &sql_chunks), 0);
	assert_true(has(f->db, &referred) && has(f->db, &young) && has(f->db, &taken_up));
	OK(blob_collect(f->db, &cursor, &removed, &err));
	assert_int_equal(removed, 0);
	blob_done(&referred);
	blob_done(&orphan);
	blob_done(&young);
	blob_done(&taken_up);
}

/* ---- pages ---- */

enum { MANY = 2 * BLOB_PAGE + 10 };

TXN_TEST(put_many)
{
	(void)a;
	for (int i = 0; i < MANY; i++) {
		char name[32];
		struct blob b;
		int64_t id;

		snprintf(name, sizeof name, "%d", i);
		OK(blob_prepare(name, strlen(name), &b, &err));
		OK(blob_put(c, &b, &id, &err));
		OK(db_exec(c, &sql_age, DB_ARGS(DB_TEXT(b.sha256)), NULL, &err));
		blob_done(&b);
	}
}

static void a_page_at_a_time(void **state)
{
	struct fixture *f = *state;
	int64_t cursor = 0, removed = 0;

	put_many(state);
	OK(blob_collect(f->db, &cursor, &removed, &err));
	assert_int_equal(removed, BLOB_PAGE);
	assert_int_equal(cursor, BLOB_PAGE);
	OK(blob_collect(f->db, &cursor, &removed, &err));
	assert_int_equal(removed, BLOB_PAGE);
	OK(blob_collect(f->db, &cursor, &removed, &err));
	assert_int_equal(removed, MANY - 2 * BLOB_PAGE);
	assert_int_equal(cursor, 0);
	assert_int_equal(number(f->db, &sql_blobs), 0);
}

/* ---- the same content at the same moment ---- */

enum { ROUNDS = 300 };

struct race {
	struct fixture *f;
	struct blob blob;
	int64_t message;
	atomic_llong collected;
	atomic_bool over;
};

static int take_up(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct race *r = ctx;
	struct message_row m = { .direction = "in", .kind = "human", .size = 1, .created_at = 1 };
	int rc = blob_put(c, &r->blob, &m.blob_id, e);

	return rc == MD_OK ? message_insert(c, &m, &r->message, e) : rc;
}

static int leave(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct race *r = ctx;
	int rc = db_exec(c, &sql_forget, DB_ARGS(DB_INT(r->message)), NULL, e);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_age, DB_ARGS(DB_TEXT(r->blob.sha256)), NULL, e);
	return rc;
}

static void *collect(void *arg)
{
	struct race *r = arg;

	while (!atomic_load(&r->over)) {
		int64_t cursor = 0, removed = 0;

		if (blob_collect(r->f->db, &cursor, &removed, NULL) == MD_OK)
			r->collected += removed;
	}
	return NULL;
}

static void check_content(struct race *r)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	md_auto(md_free_p) uint8_t *bytes = NULL;
	struct message_row m;
	size_t n;

	OK(db_read(r->f->db, &c, &err));
	OK(message_get(c, r->message, &a, &m, &err));
	OK(blob_get(c, m.blob_id, &bytes, &n, &err));
	assert_int_equal(n, r->blob.size);
}

static void a_mail_with_the_content_of_an_orphan_has_it(void **state)
{
	struct race r = { .f = *state, .blob = make_blob("raced for", 300 << 10) };
	pthread_t threads[2];

	db_set_busy_ms(r.f->db, 60000);
	for (size_t i = 0; i < MD_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, collect, &r), 0);
	for (int i = 0; i < ROUNDS || !r.collected; i++) {
		OK(db_txn(r.f->db, take_up, &r, &err));
		check_content(&r);
		OK(db_txn(r.f->db, leave, &r, &err));
	}
	atomic_store(&r.over, true);
	for (size_t i = 0; i < MD_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	print_message("%lld of %d removed\n", (long long)atomic_load(&r.collected), ROUNDS);
	blob_done(&r.blob);
}

/* ---- the statement knows all that refers to blobs ---- */

static void whatever_refers_to_blobs_is_asked(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int others = 0;

	SQLITE_ONLY();
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT s.name, k.\"from\" FROM sqlite_schema s,"
					    " pragma_foreign_key_list(s.name) k"
					    " WHERE s.type = 'table' AND k.\"table\" = 'blobs'"
					    " AND s.name <> 'blob_chunks'",
					    -1, &st, NULL),
			 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(st, 0);
		const char *column = (const char *)sqlite3_column_text(st, 1);

		if ((strcmp(table, "messages") != 0 && strcmp(table, "attachments") != 0) ||
		    strcmp(column, "blob_id") != 0)
			fail_msg("blob_collect.c does not know of %s.%s", table, column);
		others++;
	}
	assert_int_equal(others, 2);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_old_orphans_go),
		TEST(a_page_at_a_time),
		TEST(a_mail_with_the_content_of_an_orphan_has_it),
		TEST(whatever_refers_to_blobs_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

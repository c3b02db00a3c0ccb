#include "store_test.h"

#include "../../../src/store/db_driver.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/record.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

DB_SQL(sql_add, "INSERT INTO pairs (name, n) VALUES ($1, $2)");
DB_SQL(sql_add_child, "INSERT INTO children (pair) VALUES ($1)");
DB_SQL(sql_set, "UPDATE pairs SET n = $2 WHERE name = $1");
DB_SQL(sql_get, "SELECT n FROM pairs WHERE name = $1");
DB_SQL(sql_rows, "SELECT COUNT(*) FROM pairs");
DB_SQL(sql_sum, "SELECT CAST(SUM(n) AS {INT}) FROM pairs");
DB_SQL(sql_names, "SELECT name FROM pairs ORDER BY name");
DB_SQL(sql_drop, "DROP TABLE pairs");
DB_SQL(sql_values,
       "SELECT CAST($1 AS {INT}), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS {BLOB}),"
       " CAST($5 AS {BLOB})");
DB_SQL(sql_swapped, "SELECT CAST($2 AS {INT}) - CAST($1 AS {INT})");
/* Ends the whole transaction on SQLite; on PostgreSQL a plain one does that. */
#define ROLLBACK_CONFLICT "INSERT OR ROLLBACK INTO pairs (name, n) VALUES ('first', 0)"
#define BUSY "DO 'BEGIN RAISE EXCEPTION USING ERRCODE = 40001; END'"
DB_SQL(sql_add_blob, "INSERT INTO blobs (sha256, size, encoding, put_at, bytes)"
		     " VALUES ($1, 0, 'identity', 0, $2)");

static int make_tables(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_script(c,
			 "CREATE TABLE pairs (id {ID}, name TEXT UNIQUE, n {INT} NOT NULL CHECK (n "
			 ">= 0)) {STRICT};"
			 "CREATE TABLE children (pair {INT} REFERENCES pairs (id)) {STRICT};",
			 e);
}

static int setup_pairs(void **state)
{
	setup(state);
	OK(db_txn(((struct fixture *)*state)->db, make_tables, NULL, &err));
	return 0;
}
#define PAIRS_TEST(name) cmocka_unit_test_setup_teardown(name, setup_pairs, teardown)

static int add(struct db_conn *c, const char *name, int64_t n, struct md_err *e)
{
	return db_exec(c, &sql_add, DB_ARGS(DB_TEXT(name), DB_INT(n)), NULL, e);
}

static int64_t count_rows(struct db *db)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n = -1;

	OK(db_read(db, &c, &err));
	OK(db_int(c, &sql_rows, DB_NONE, &n, &err));
	return n;
}

/* ---- values and rows ---- */

struct five {
	int64_t i;
	const char *text, *none;
	struct rec_bytes blob, empty;
};
static const struct db_col five_cols[] = {
	{ DB_COL_INT, offsetof(struct five, i) },      { DB_COL_TEXT, offsetof(struct five, text) },
	{ DB_COL_TEXT, offsetof(struct five, none) },  { DB_COL_BLOB, offsetof(struct five, blob) },
	{ DB_COL_BLOB, offsetof(struct five, empty) },
};
static const struct db_map five_map = DB_MAP(five, five_cols);

static void values_come_back_as_they_went(void **state)
{
	static const int64_t integers[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
	static const char bytes[] = { 'a', 0, (char)0xff, 0 };
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct five v;

	OK(db_read(f->db, &c, &err));
	for (size_t i = 0; i < MD_COUNT(integers); i++) {
		OK(db_one(c, &sql_values,
			  DB_ARGS(DB_INT(integers[i]), DB_TEXT(""), DB_TEXT(NULL),
				  DB_BLOB(bytes, sizeof bytes), DB_BLOB("", 0)),
			  &five_map, &f->arena, &v, &err));
		assert_true(v.i == integers[i]);
		assert_string_equal(v.text, "");
		assert_null(v.none);
		assert_int_equal(v.blob.n, sizeof bytes);
		assert_memory_equal(v.blob.v, bytes, sizeof bytes);
		assert_int_equal(v.empty.n, 0);
		assert_non_null(v.empty.v);
	}
}

static void arguments_go_by_name_and_number(void **state)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct fixture *f = *state;
	int64_t n = 99;

	OK(db_read(f->db, &c, &err));
	OK(db_int(c, &sql_swapped, DB_ARGS(DB_INT(3), DB_INT(10)), &n, &err));
	assert_int_equal(n, 7);
	assert_int_equal(db_int(c, &sql_swapped, DB_ARGS(DB_INT(3)), &n, &err), MD_BROKEN);
	assert_int_equal(db_int(c, &sql_swapped, DB_ARGS(DB_INT(3), DB_INT(3), DB_INT(3)), &n,
				&err),
			 MD_BROKEN);
	assert_int_equal(n, 7);
}

static void lists_stop_at_their_limit(void **state)
{
	static const struct {
		size_t limit, want;
	} cases[] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 3 } };
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct fixture *f = *state;
	int64_t *rows;
	size_t n;

	OK(db_read(f->db, &c, &err));
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		OK(db_query(c, "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", DB_NONE,
			    &db_map_int, cases[i].limit, &f->arena, &rows, &n, &err));
		assert_int_equal(n, cases[i].want);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(rows[k], k + 1);
	}
}

TXN_TEST(no_row_is_not_found)
{
	int64_t n = 5;

	(void)a;
	assert_int_equal(db_int(c, &sql_get, DB_ARGS(DB_TEXT("nobody")), &n, &err), MD_NOTFOUND);
	assert_int_equal(n, 5);
}

TXN_TEST(constraints_are_conflicts)
{
	(void)a;
	OK(add(c, "one", 1, &err));
	FAILS(MD_CONFLICT, c, add(c, "one", 2, &err));
	FAILS(MD_CONFLICT, c, add(c, "two", -1, &err));
	FAILS(MD_CONFLICT, c,
	      db_exec(c, &sql_add, DB_ARGS(DB_TEXT("three"), DB_ID(0)), NULL, &err));
	FAILS(MD_CONFLICT, c, db_exec(c, &sql_add_child, DB_ARGS(DB_INT(12345)), NULL, &err));
	assert_int_equal(err.code, MD_CONFLICT);
	/* a text is no integer: STRICT says so, or the type does */
	FAILS(on_postgres() ? MD_INPUT : MD_CONFLICT, c,
	      db_exec(c, &sql_add, DB_ARGS(DB_TEXT("four"), DB_TEXT("x")), NULL, &err));
}

/* ---- transactions ---- */

static int add_then_fail(struct db_conn *c, void *ctx, struct md_err *e)
{
	OK(add(c, "part", 1, e));
	return *(int *)ctx;
}

static void a_failed_transaction_leaves_nothing(void **state)
{
	static const int codes[] = { MD_NOTFOUND, MD_CONFLICT, MD_INPUT,
				     MD_REFUSED,  MD_NOMEM,    MD_BROKEN };
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(codes); i++) {
		int code = codes[i];

		assert_int_equal(db_txn(f->db, add_then_fail, &code, &err), code);
		assert_int_equal(count_rows(f->db), 0);
	}
}

static int part_with_a_part(struct db_conn *c, void *ctx, struct md_err *e)
{
	int passes = MD_OK;
	int rc;

	(void)ctx;
	rc = db_exec(c, &sql_add, DB_ARGS(DB_TEXT("inner"), DB_INT(1)), NULL, e);
	if (rc == MD_OK)
		rc = db_savepoint(c, add_then_fail, &passes, e);
	return rc == MD_OK ? MD_REFUSED : rc;
}

static int outer_parts(struct db_conn *c, void *ctx, struct md_err *e)
{
	int fails = MD_REFUSED;

	(void)ctx;
	OK(add(c, "before", 1, e));
	assert_int_equal(db_savepoint(c, add_then_fail, &fails, e), MD_REFUSED);
	assert_int_equal(db_savepoint(c, part_with_a_part, NULL, e), MD_REFUSED);
	OK(add(c, "after", 1, e));
	return MD_OK;
}

static void a_part_is_undone_alone(void **state)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct fixture *f = *state;
	struct {
		const char *name;
	} * names;
	static const struct db_col cols[] = { { DB_COL_TEXT, 0 } };
	static const struct db_map map = { sizeof(char *), cols, 1 };
	size_t n;

	OK(db_txn(f->db, outer_parts, NULL, &err));
	OK(db_read(f->db, &c, &err));
	OK(db_all(c, &sql_names, DB_NONE, &map, 10, &f->arena, &names, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(names[0].name, "after");
	assert_string_equal(names[1].name, "before");
}

static int run_text(struct db_conn *c, const char *sql, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	int64_t *rows;
	size_t n;

	return db_query(c, sql, DB_NONE, &db_map_int, 1, &a, &rows, &n, e);
}

/* The engine has rolled back by itself; without db.c's care "later" would be committed alone. */
static int go_on_regardless(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	OK(add(c, "first", 1, e));
	assert_int_equal(on_postgres() ? add(c, "first", 0, e) : run_text(c, ROLLBACK_CONFLICT, e),
			 MD_CONFLICT);
	assert_int_equal(add(c, "later", 1, e), MD_CONFLICT);
	return MD_OK;
}

static void nothing_is_committed_after_the_engine_gave_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_txn(f->db, go_on_regardless, NULL, &err), MD_CONFLICT);
	assert_int_equal(count_rows(f->db), 0);
	/* and the connection is as good as before */
	OK(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err));
	assert_int_equal(count_rows(f->db), 1);
}

static int drop_while_reading(void *row, void *ctx, struct md_err *e)
{
	(void)row;
	return db_exec(ctx, &sql_drop, DB_NONE, NULL, e);
}

struct runs {
	int n, busy;
};

static int busy_at_first(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct runs *runs = ctx;

	runs->n++;
	OK(add(c, "again", runs->n, e));
	if (runs->n <= runs->busy)
		return on_postgres() ? run_text(c, BUSY, e)
				     : db_each(c, &sql_rows, DB_NONE, &db_map_int,
					       drop_while_reading, c, e);
	return MD_OK;
}

static void busy_runs_the_whole_transaction_again(void **state)
{
	struct fixture *f = *state;
	struct runs runs = { .busy = 3 };

	OK(db_txn(f->db, busy_at_first, &runs, &err));
	assert_int_equal(runs.n, 4);
	assert_int_equal(count_rows(f->db), 1);
}

static void busy_ends_at_the_limit(void **state)
{
	struct fixture *f = *state;
	struct runs runs = { .busy = 1000000 };
	int64_t start = clock_mono(&clock_system);

	db_set_busy_ms(f->db, 100);
	assert_int_equal(db_txn(f->db, busy_at_first, &runs, &err), MD_AGAIN);
	assert_in_range(clock_mono(&clock_system) - start, 100, 3000);
	assert_true(runs.n > 2);
	assert_int_equal(count_rows(f->db), 0);
}

static int not_the_databases_fault(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)c;
	++*(int *)ctx;
	return md_fail(e, MD_AGAIN, 0, "the network");
}

static void only_a_busy_database_is_tried_again(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	assert_int_equal(db_txn(f->db, not_the_databases_fault, &n, &err), MD_AGAIN);
	assert_int_equal(n, 1);
}

/* ---- several connections ---- */

static void readers_see_what_was_committed_and_one_state(void **state)
{
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *old = NULL;
	int64_t n;

	OK(db_read(f->db, &old, &err));
	OK(db_int(old, &sql_rows, DB_NONE, &n, &err));
	assert_int_equal(n, 0);
	OK(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err));
	OK(db_int(old, &sql_rows, DB_NONE, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(count_rows(f->db), 1);
}

static void a_shared_reader_is_open_until_each_is_done(void **state)
{
	struct fixture *f = *state;
	struct db_conn *c;
	int64_t n;

	OK(db_read(f->db, &c, &err));
	OK(db_int(c, &sql_rows, DB_NONE, &n, &err));
	assert_ptr_equal(db_read_share(c), c);
	OK(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err));
	db_read_done(c);
	OK(db_int(c, &sql_rows, DB_NONE, &n, &err));
	assert_int_equal(n, 0); /* still the state it began with */
	db_read_done(c);
	assert_int_equal(count_rows(f->db), 1);
}

static void readers_cannot_write(void **state)
{
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;

	OK(db_read(f->db, &c, &err));
	assert_int_equal(add(c, "x", 1, &err), MD_BROKEN);
}

/* Another process: holds the write lock until a byte comes, then commits a row. */
struct holder {
	int tell, wait;
};
static int hold(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct holder *h = ctx;
	char byte = 'h';
	int rc = add(c, "theirs", 1, e);

	if (write(h->tell, &byte, 1) != 1 || read(h->wait, &byte, 1) != 1)
		return MD_BROKEN;
	return rc;
}
static void hold_the_lock(const char *where, int tell, int wait)
{
	struct holder h = { tell, wait };
	struct db *db;

	if (db_open(where, &db, NULL) != MD_OK || db_txn(db, hold, &h, NULL) != MD_OK)
		_exit(1);
	_exit(0);
}

static pid_t start_holder(struct fixture *f, int *ret_release)
{
	int told[2], release[2];
	pid_t pid;
	char byte;

	/* SQLite's connections must not be carried into a child. */
	db_close(f->db);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	assert_int_equal(pipe2(release, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		hold_the_lock(f->where, told[1], release[0]);
	close(told[1]);
	close(release[0]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	OK(db_open(f->where, &f->db, &err));
	*ret_release = release[1];
	return pid;
}

static void another_process_is_waited_for(void **state)
{
	struct fixture *f = *state;
	int release, status, passes = MD_OK;
	pid_t pid;

	SQLITE_ONLY(); /* elsewhere two may write at once; see test_postgres.c */
	pid = start_holder(f, &release);
	db_set_busy_ms(f->db, 100);
	assert_int_equal(db_txn(f->db, add_then_fail, &passes, &err), MD_AGAIN);
	assert_int_equal(count_rows(f->db), 0); /* reading goes on */

	db_set_busy_ms(f->db, 20000);
	assert_int_equal(write(release, "r", 1), 1);
	close(release);
	OK(db_txn(f->db, add_then_fail, &passes, &err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_rows(f->db), 2);
}

static void a_killed_process_leaves_no_part(void **state)
{
	struct fixture *f = *state;
	int release, status;
	pid_t pid = start_holder(f, &release);

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(release);
	OK(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err));
	assert_int_equal(count_rows(f->db), 1);
}

/* ---- threads: two accounts whose sum never changes ---- */

enum { WRITERS = 3, READERS = 2, MOVES = 60 };

static int move_one(struct db_conn *c, void *ctx, struct md_err *e)
{
	int64_t left, right;
	int rc = db_int(c, &sql_get, DB_ARGS(DB_TEXT("left")), &left, e);

	(void)ctx;
	if (rc == MD_OK)
		rc = db_int(c, &sql_get, DB_ARGS(DB_TEXT("right")), &right, e);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_set, DB_ARGS(DB_TEXT("left"), DB_INT(left - 1)), NULL, e);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_set, DB_ARGS(DB_TEXT("right"), DB_INT(right + 1)), NULL, e);
	return rc;
}

struct worker {
	pthread_t thread;
	struct db *db;
	int failures;
};

static void *move_many(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < MOVES; i++)
		w->failures += db_txn(w->db, move_one, NULL, NULL) != MD_OK;
	return NULL;
}

static void *watch_the_sum(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < MOVES; i++) {
		md_auto(db_read_done_p) struct db_conn *c = NULL;
		int64_t left = 0, right = 0;

		w->failures +=
			db_read(w->db, &c, NULL) != MD_OK ||
			db_int(c, &sql_get, DB_ARGS(DB_TEXT("left")), &left, NULL) != MD_OK ||
			db_int(c, &sql_get, DB_ARGS(DB_TEXT("right")), &right, NULL) != MD_OK ||
			left + right != WRITERS * MOVES;
	}
	return NULL;
}

static int add_accounts(struct db_conn *c, void *ctx, struct md_err *e)
{
	int rc = add(c, "left", WRITERS * MOVES, e);

	(void)ctx;
	return rc == MD_OK ? add(c, "right", 0, e) : rc;
}

static void threads_take_turns(void **state)
{
	struct fixture *f = *state;
	struct worker workers[WRITERS + READERS] = { 0 };
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t left;

	db_set_busy_ms(f->db, 60000);
	OK(db_txn(f->db, add_accounts, NULL, &err));
	for (int i = 0; i < WRITERS + READERS; i++) {
		workers[i].db = f->db;
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						i < WRITERS ? move_many : watch_the_sum,
						&workers[i]),
				 0);
	}
	for (int i = 0; i < WRITERS + READERS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	OK(db_read(f->db, &c, &err));
	OK(db_int(c, &sql_get, DB_ARGS(DB_TEXT("left")), &left, &err));
	assert_int_equal(left, 0);
	OK(db_int(c, &sql_sum, DB_NONE, &left, &err));
	assert_int_equal(left, WRITERS * MOVES);
}

/* One thread sits in its transaction until the other one has been turned away. */
struct turn {
	struct db *db;
	int inside[2], leave[2];
};
static int sit(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct turn *t = ctx;
	char byte = 's';

	(void)c;
	(void)e;
	return write(t->inside[1], &byte, 1) == 1 && read(t->leave[0], &byte, 1) == 1 ? MD_OK
										      : MD_BROKEN;
}
static void *sit_inside(void *arg)
{
	struct turn *t = arg;

	return (void *)(intptr_t)db_txn(t->db, sit, t, NULL);
}

static void the_wait_for_a_thread_has_the_limit_too(void **state)
{
	struct fixture *f = *state;
	struct turn t = { .db = f->db };
	pthread_t thread;
	void *rc;
	char byte;

	SQLITE_ONLY();
	assert_int_equal(pipe2(t.inside, O_CLOEXEC), 0);
	assert_int_equal(pipe2(t.leave, O_CLOEXEC), 0);
	db_set_busy_ms(f->db, 100);
	assert_int_equal(pthread_create(&thread, NULL, sit_inside, &t), 0);
	assert_int_equal(read(t.inside[0], &byte, 1), 1);
	assert_int_equal(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err), MD_AGAIN);
	assert_int_equal(write(t.leave[1], "l", 1), 1);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, MD_OK);
	OK(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err));
	for (int i = 0; i < 2; i++) {
		close(t.inside[i]);
		close(t.leave[i]);
	}
}

/* ---- the file ---- */

static void only_the_owner_may_read_the_files(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct fixture *f = *state;
	struct stat st;
	char path[128];

	SQLITE_ONLY();
	umask(0);
	OK(db_txn(f->db, add_then_fail, &(int){ MD_OK }, &err));
	for (size_t i = 0; i < MD_COUNT(suffixes); i++) {
		snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static int set_page_limit(struct db_conn *c, void *ctx, struct md_err *e)
{
	return run_text(c,
			*(bool *)ctx ? "PRAGMA max_page_count = 150"
				     : "PRAGMA max_page_count = 1000000000",
			e);
}

static int add_a_megabyte(struct db_conn *c, void *ctx, struct md_err *e)
{
	static char megabyte[1 << 20];
	int rc = add(c, "small", 1, e);

	(void)ctx;
	return rc == MD_OK
		       ? db_exec(c, &sql_add_blob,
				 DB_ARGS(DB_TEXT("x"), DB_BLOB(megabyte, sizeof megabyte)), NULL, e)
		       : rc;
}

static void a_full_disk_is_told_apart_and_survived(void **state)
{
	struct fixture *f = *state;

	SQLITE_ONLY();
	OK(db_txn(f->db, set_page_limit, &(bool){ true }, &err));
	assert_int_equal(db_txn(f->db, add_a_megabyte, NULL, &err), MD_BROKEN);
	assert_int_equal(err.native, DB_NATIVE_FULL);
	assert_non_null(strstr(err.text, "free space"));
	assert_int_equal(count_rows(f->db), 0);
	OK(db_txn(f->db, set_page_limit, &(bool){ false }, &err));
	OK(db_txn(f->db, add_a_megabyte, NULL, &err));
	assert_int_equal(count_rows(f->db), 1);
}

static int add_64_kib(struct db_conn *c, void *ctx, struct md_err *e)
{
	static char bytes[64 << 10];
	char name[24];

	snprintf(name, sizeof name, "%d", ++*(int *)ctx);
	return db_exec(c, &sql_add_blob, DB_ARGS(DB_TEXT(name), DB_BLOB(bytes, sizeof bytes)), NULL,
		       e);
}

static off_t wal_size(const struct fixture *f)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof path, "%s-wal", f->path);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void the_wal_does_not_grow_without_bound(void **state)
{
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int n = 0, mb = 40;
	int64_t rows;

	SQLITE_ONLY();
	for (int i = 0; i < mb * 1024 / 64; i++)
		OK(db_txn(f->db, add_64_kib, &n, &err));
	assert_in_range(wal_size(f), 1, 20 << 20);

	/* An open read holds it, and lets go. */
	OK(db_read(f->db, &c, &err));
	OK(db_int(c, &sql_rows, DB_NONE, &rows, &err));
	for (int i = 0; i < mb * 1024 / 64; i++)
		OK(db_txn(f->db, add_64_kib, &n, &err));
	assert_true(wal_size(f) > 36 << 20);
	db_read_done(md_take(c));
	for (int i = 0; i < mb * 1024 / 64; i++)
		OK(db_txn(f->db, add_64_kib, &n, &err));
	assert_in_range(wal_size(f), 1, 24 << 20);
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void a_file_that_is_no_database_is_refused_untouched(void **state)
{
	static const char text[] =
		"this is a letter and not a database, whatever its name may say; "
		"it is long enough to look like one at first sight, too.\n"
		"0123456789012345678901234567890123456789012345678901234567890\n";
	struct fixture *f = *state;
	char back[sizeof text] = "";
	FILE *in;

	SQLITE_ONLY();
	write_file(f->path, text);
	assert_int_equal(db_open(f->where, &f->db, &err), MD_BROKEN);
	assert_non_null(strstr(err.text, "restore the last backup"));
	in = fopen(f->path, "r");
	assert_non_null(in);
	assert_int_equal(fread(back, 1, sizeof back, in), sizeof text - 1);
	fclose(in);
	assert_string_equal(back, text);
}

/* Beyond the first page, which holds the schema: where the rows are. */
static void spoil(const char *path)
{
	static char garbage[64 << 10];
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	off_t end;

	assert_true(fd >= 0);
	memset(garbage, 0xa5, sizeof garbage);
	end = lseek(fd, 0, SEEK_END);
	assert_true(end > 3 * (off_t)sizeof garbage);
	for (off_t at = end - 3 * (off_t)sizeof garbage; at < end; at += (off_t)sizeof garbage)
		assert_int_equal(pwrite(fd, garbage, sizeof garbage, at), sizeof garbage);
	close(fd);
}

DB_SQL(sql_all_blobs, "SELECT COUNT(*) FROM blobs WHERE bytes = $1");

static void a_damaged_page_is_told_with_the_way_out(void **state)
{
	static const char zeros[64 << 10]; /* what add_64_kib() wrote */
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n;

	SQLITE_ONLY();
	for (int i = 0, name = 0; i < 5; i++)
		OK(db_txn(f->db, add_64_kib, &name, &err));
	db_close(f->db);
	f->db = NULL;
	spoil(f->path);
	OK(db_open(f->where, &f->db, &err));
	OK(db_read(f->db, &c, &err));
	assert_int_equal(db_int(c, &sql_all_blobs, DB_ARGS(DB_BLOB(zeros, sizeof zeros)), &n, &err),
			 MD_BROKEN);
	assert_non_null(strstr(err.text, "restore the last backup"));
}

static void bad_addresses_are_refused(void **state)
{
	static const struct {
		const char *where;
		int want;
	} cases[] = {
		{ "", MD_INPUT },
		{ "desk.db", MD_INPUT },
		{ "oracle:desk", MD_INPUT },
		{ "sqlite", MD_INPUT },
		{ "sqlite:", MD_INPUT },
		{ "sqlite::memory:", MD_INPUT },
		{ "sqlite:/nonexistent/folder/desk.db", MD_BROKEN },
		{ "sqlite:/", MD_BROKEN },
		{ "postgres:", MD_INPUT },
		{ "postgres:desk", MD_INPUT },
		{ "postgres:hots=x", MD_INPUT },
		{ "postgres:host=/nonexistent", MD_AGAIN },
		{ "postgres:postgresql://127.0.0.1:1/desk", MD_AGAIN },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct db *db = NULL;

		assert_int_equal(db_open(cases[i].where, &db, &err), cases[i].want);
		assert_null(db);
	}
}

static void tokens_are_replaced(void **state)
{
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{ "", "" },
		{ "SELECT 1", "SELECT 1" },
		{ "x {INT}", "x INTEGER" },
		{ "{BLOB}{STRICT}{SKIP}{INT}", "BLOBSTRICTINTEGER" },
		{ "id {ID},", "id INTEGER PRIMARY KEY AUTOINCREMENT," },
		{ "JSON: [{rule, {INT}", "JSON: [{rule, INTEGER" },
		{ "{", "{" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(md_free_p) char *got = db_expand(&db_sqlite, cases[i].sql);

		assert_string_equal(got, cases[i].want);
	}
}

/* ---- telling others ---- */

static int tell(struct db_conn *c, void *ctx, struct md_err *e)
{
	const int *rc = ctx;

	(void)e;
	db_notify(c, DB_TOPIC_TIMERS);
	db_notify(c, DB_TOPIC_LEASES);
	return *rc;
}

static void what_is_told_is_heard_after_the_commit(void **state)
{
	struct fixture *f = *state;
	md_auto(db_listener_close_p) struct db_listener *l = NULL;
	struct pollfd p = { .events = POLLIN };
	unsigned topics = 0, all = 0;
	int rc;

	OK(db_listen(f->db, &l, &err));
	if (!on_postgres()) {
		assert_null(l);
		OK(db_txn(f->db, tell, &(int){ MD_OK }, &err)); /* to nobody */
		return;
	}
	p.fd = db_listener_fd(l);
	OK(db_hear(l, &topics, &err));
	assert_int_equal(topics, 0);
	assert_int_equal(db_txn(f->db, tell, &(int){ MD_REFUSED }, &err), MD_REFUSED);
	assert_int_equal(poll(&p, 1, 100), 0);
	OK(db_txn(f->db, tell, &(int){ MD_OK }, &err));
	while (all != (1U << DB_TOPIC_TIMERS | 1U << DB_TOPIC_LEASES)) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		OK(db_hear(l, &topics, &err));
		all |= topics;
	}
	OK(db_hear(l, &topics, &err));
	assert_int_equal(topics, 0);
	pg_do(f, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		 " WHERE query LIKE 'LISTEN%' AND state = 'idle'");
	do /* the server says good-bye before it hangs up */
		assert_int_equal(poll(&p, 1, 10000), 1);
	while ((rc = db_hear(l, &topics, &err)) == MD_OK);
	assert_int_equal(rc, MD_AGAIN);
}

/* ---- a file that is locked for a moment, as by who recovers it after a crash ---- */

static void *unlock_soon(void *db)
{
	nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	return NULL;
}

static void a_file_locked_for_a_moment_is_opened(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	sqlite3 *other;

	SQLITE_ONLY();
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "CREATE TABLE t (n INTEGER); BEGIN EXCLUSIVE", NULL,
				      NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(pthread_create(&thread, NULL, unlock_soon, other), 0);
	OK(db_open(f->where, &f->db, &err));
	pthread_join(thread, NULL);
	sqlite3_close(other);
}

static int64_t count_above(struct fixture *f, int64_t low)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n = -1;

	OK(db_read(f->db, &c, &err));
	OK(db_count(c, "SELECT COUNT(*) FROM (SELECT 1 FROM pairs WHERE n > $1) AS counted",
		    DB_ARGS(DB_INT(low)), &f->arena, &n, &err));
	return n;
}

static int add_number(struct db_conn *c, void *ctx, struct md_err *e)
{
	const int64_t *n = ctx;
	char name[24];

	snprintf(name, sizeof name, "number %lld", (long long)*n);
	return add(c, name, *n, e);
}

static void what_was_counted_is_counted_anew_after_each_commit(void **state)
{
	struct fixture *f = *state;

	for (int64_t i = 1; i <= 40; i++) { /* more than are remembered */
		OK(db_txn(f->db, add_number, &i, &err));
		for (int again = 0; again < 2; again++) {
			assert_int_equal(count_above(f, 0), i);
			assert_int_equal(count_above(f, i - 1), 1);
			assert_int_equal(count_above(f, i), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_locked_for_a_moment_is_opened,
						setup_without_schema, teardown),
		TEST(what_is_told_is_heard_after_the_commit),
		TEST(values_come_back_as_they_went),
		TEST(arguments_go_by_name_and_number),
		TEST(lists_stop_at_their_limit),
		PAIRS_TEST(no_row_is_not_found),
		PAIRS_TEST(what_was_counted_is_counted_anew_after_each_commit),
		PAIRS_TEST(constraints_are_conflicts),
		PAIRS_TEST(a_failed_transaction_leaves_nothing),
		PAIRS_TEST(a_part_is_undone_alone),
		PAIRS_TEST(nothing_is_committed_after_the_engine_gave_up),
		PAIRS_TEST(busy_runs_the_whole_transaction_again),
		PAIRS_TEST(busy_ends_at_the_limit),
		PAIRS_TEST(only_a_busy_database_is_tried_again),
		PAIRS_TEST(readers_see_what_was_committed_and_one_state),
		PAIRS_TEST(a_shared_reader_is_open_until_each_is_done),
		PAIRS_TEST(readers_cannot_write),
		PAIRS_TEST(another_process_is_waited_for),
		PAIRS_TEST(a_killed_process_leaves_no_part),
		PAIRS_TEST(threads_take_turns),
		PAIRS_TEST(the_wait_for_a_thread_has_the_limit_too),
		PAIRS_TEST(only_the_owner_may_read_the_files),
		PAIRS_TEST(a_full_disk_is_told_apart_and_survived),
		PAIRS_TEST(the_wal_does_not_grow_without_bound),
		cmocka_unit_test_setup_teardown(a_file_that_is_no_database_is_refused_untouched,
						setup_without_schema, teardown),
		TEST(a_damaged_page_is_told_with_the_way_out),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(tokens_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

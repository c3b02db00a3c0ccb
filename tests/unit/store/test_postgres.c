/* What only a server can do to us: sessions ended and the whole cluster killed in the middle of
 * transactions, two writers at once, refusals. Skipped without $MAILDESK_TEST_DB. */
#include "store_test.h"

#include "../../../src/store/db_driver.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/random.h>
#include <maildesk/base/record.h>
#include <maildesk/store/blobs.h>

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

DB_SQL(sql_add, "INSERT INTO ledger (writer, n) VALUES ($1, $2)");
DB_SQL(sql_count_up, "UPDATE counters SET n = n + 1 WHERE writer = $1");
DB_SQL(sql_take_number, "SELECT n FROM counters WHERE writer = 0");
DB_SQL(sql_put_number, "UPDATE counters SET n = $1 WHERE writer = 0");
DB_SQL(sql_rows, "SELECT COUNT(*) FROM ledger");
DB_SQL(sql_of_writer, "SELECT COUNT(*) FROM ledger WHERE writer = $1");
DB_SQL(sql_distinct, "SELECT COUNT(*) FROM (SELECT DISTINCT writer, n FROM ledger) AS d");
DB_SQL(sql_counter, "SELECT n FROM counters WHERE writer = $1");

/* Against hanging alone: a crashed server reads its log again, on a busy machine for minutes. */
enum { WRITERS = 4, PATIENCE_MS = 600000 };

static const char tables[] =
	"CREATE TABLE ledger (id {ID}, writer {INT} NOT NULL, n {INT} NOT NULL) {STRICT};"
	"CREATE TABLE counters (writer {INT} PRIMARY KEY, n {INT} NOT NULL) {STRICT};"
	"INSERT INTO counters VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0)";

static int make_tables(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_script(c, tables, e);
}

static int setup_ledger(void **state)
{
	static struct fixture f;

	*state = &f;
	f = (struct fixture){ 0 };
	if (!on_postgres())
		return 0;
	fixture_open(&f, true);
	OK(db_txn(f.db, make_tables, NULL, &err));
	return 0;
}
static int teardown_ledger(void **state)
{
	if (on_postgres())
		fixture_close(*state);
	return 0;
}

static int64_t number(struct db *db, const struct db_sql *sql, struct db_args args)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n = -1;

	OK(db_read(db, &c, &err));
	OK(db_int(c, sql, args, &n, &err));
	return n;
}

/* ---- the ledger: each transaction leaves one row and one count, or nothing ---- */

struct writer {
	pthread_t thread;
	struct db *db;
	int64_t id, done, runs;
	struct md_err wrong; /* what no transaction may end with */
	bool shared;         /* all of them count one counter, by reading it first */
	atomic_bool *stop;
};

struct entry {
	struct writer *w;
	int64_t n;
};

static int count_shared(struct db_conn *c, struct md_err *e)
{
	int64_t n;
	int rc = db_int(c, &sql_take_number, DB_NONE, &n, e);

	return rc == MD_OK ? db_exec(c, &sql_put_number, DB_ARGS(DB_INT(n + 1)), NULL, e) : rc;
}

static int write_entry(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct entry *entry = ctx;
	int rc = db_exec(c, &sql_add, DB_ARGS(DB_INT(entry->w->id), DB_INT(entry->n)), NULL, e);

	entry->w->runs++;
	if (rc == MD_OK && entry->w->shared)
		rc = count_shared(c, e);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_count_up, DB_ARGS(DB_INT(entry->w->id)), NULL, e);
	return rc;
}

static void *write_until_told(void *arg)
{
	struct writer *w = arg;

	for (int64_t n = 1; !atomic_load(w->stop); n++) {
		struct entry entry = { w, n };
		struct md_err why = { 0 };
		int rc = db_txn(w->db, write_entry, &entry, &why);

		w->done += rc == MD_OK;
		if (rc != MD_OK)
			w->wrong = why;
	}
	return NULL;
}

static void start_writers(struct fixture *f, struct writer *w, bool shared, atomic_bool *stop)
{
	for (int i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .db = f->db, .id = i + 1, .shared = shared, .stop = stop };
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_until_told, &w[i]), 0);
	}
}

/* What db_txn() said is what is there, no row twice, no half. */
static void end_writers(struct fixture *f, struct writer *w, bool shared, atomic_bool *stop)
{
	int64_t done = 0, runs = 0;

	atomic_store(stop, true);
	for (int i = 0; i < WRITERS; i++) /* a test that fails must leave none behind */
		pthread_join(w[i].thread, NULL);
	for (int i = 0; i < WRITERS; i++) {
		done += w[i].done;
		runs += w[i].runs;
		if (w[i].wrong.code != MD_OK)
			fail_msg("%s: %s", md_code_name(w[i].wrong.code), w[i].wrong.text);
		assert_int_equal(number(f->db, &sql_of_writer, DB_ARGS(DB_INT(w[i].id))),
				 w[i].done);
		assert_int_equal(number(f->db, &sql_counter, DB_ARGS(DB_INT(w[i].id))), w[i].done);
	}
	assert_int_equal(number(f->db, &sql_rows, DB_NONE), done);
	assert_int_equal(number(f->db, &sql_distinct, DB_NONE), done);
	if (shared)
		assert_int_equal(number(f->db, &sql_counter, DB_ARGS(DB_INT(0))), done);
	assert_true(done > 0);
	print_message("%lld transactions, %lld runs\n", (long long)done, (long long)runs);
}

static void wait_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static void writers_that_meet_lose_nothing(void **state)
{
	struct fixture *f = *state;
	struct writer w[WRITERS];
	atomic_bool stop = false;

	POSTGRES_ONLY();
	db_set_busy_ms(f->db, PATIENCE_MS);
	start_writers(f, w, true, &stop);
	while (number(f->db, &sql_counter, DB_ARGS(DB_INT(0))) < 200)
		wait_ms(5);
	end_writers(f, w, true, &stop);
}

static void ended_sessions_leave_no_half_and_no_double(void **state)
{
	static const char kill_all[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				       " WHERE application_name = 'maildesk'";
	struct fixture *f = *state;
	struct writer w[WRITERS];
	atomic_bool stop = false;

	POSTGRES_ONLY();
	db_set_busy_ms(f->db, PATIENCE_MS);
	start_writers(f, w, false, &stop);
	for (int i = 0; i < 40; i++) {
		wait_ms(25);
		pg_do(f, kill_all);
	}
	end_writers(f, w, false, &stop);
}

/* A backend that dies takes all sessions with it and the server recovers. */
static void a_crashing_server_leaves_no_half_and_no_double(void **state)
{
	const char *cluster = getenv("MAILDESK_TEST_CLUSTER");
	struct fixture *f = *state;
	struct writer w[WRITERS];
	atomic_bool stop = false;
	char command[400];
	int status = 0;

	if (!on_postgres() || !cluster)
		skip();
	db_set_busy_ms(f->db, PATIENCE_MS);
	start_writers(f, w, false, &stop);
	snprintf(command, sizeof command,
		 "tests/sandbox/postgres stop --kill %s && tests/sandbox/postgres start %s "
		 ">/dev/null",
		 cluster, cluster);
	for (int i = 0; i < 3 && status == 0; i++) {
		wait_ms(300);
		status = system(command);
	}
	end_writers(f, w, false, &stop);
	assert_int_equal(status, 0);
}

/* ---- a commit nobody answered: the statement that ends the session is part of it ---- */

static const char dying_commit[] =
	"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
	" 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
	"CREATE CONSTRAINT TRIGGER die AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED"
	" FOR EACH ROW WHEN (NEW.n = 1) EXECUTE FUNCTION die()";

static int write_until_it_lives(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct entry *entry = ctx;
	int64_t n = ++entry->n;

	return db_exec(c, &sql_add, DB_ARGS(DB_INT(entry->w->id), DB_INT(n)), NULL, e);
}

static void a_commit_that_was_not_done_is_done_again(void **state)
{
	struct fixture *f = *state;
	struct writer w = { .id = 1 };
	struct entry entry = { &w, 0 };

	POSTGRES_ONLY();
	pg_do(f, dying_commit);
	OK(db_txn(f->db, write_until_it_lives, &entry, &err));
	assert_int_equal(entry.n, 2); /* the first run died in its commit */
	assert_int_equal(number(f->db, &sql_rows, DB_NONE), 1);
}

static struct db_link *a_link(struct fixture *f)
{
	struct db_link *l = NULL;

	OK(db_postgres.connect(f->where + strlen("postgres:"), DB_USE_WRITE, 1000, &l, &err));
	return l;
}

static void the_fate_of_a_commit_is_known_to_others(void **state)
{
	struct fixture *f = *state;
	struct db_link *l, *other;
	enum db_fate fate;

	POSTGRES_ONLY();
	l = a_link(f);
	other = a_link(f);
	OK(db_postgres.begin(l, DB_USE_WRITE, &err));
	OK(db_postgres.commit(l, &err));
	OK(db_postgres.fate(other, l, &fate, &err));
	assert_int_equal(fate, DB_FATE_DONE);

	/* Its next one hangs: it is ended, and then known not to be done. */
	OK(db_postgres.begin(l, DB_USE_WRITE, &err));
	OK(db_postgres.fate(other, l, &fate, &err));
	assert_int_equal(fate, DB_FATE_OPEN);
	assert_int_equal(db_postgres.commit(l, &err), MD_UNKNOWN);
	do
		OK(db_postgres.fate(other, l, &fate, &err));
	while (fate == DB_FATE_OPEN);
	assert_int_equal(fate, DB_FATE_NOT_DONE);
	db_postgres.disconnect(l);
	db_postgres.disconnect(other);
}

/* ---- locks ---- */

static int count_one_up(struct db_conn *c, void *ctx, struct md_err *e)
{
	return db_exec(c, &sql_count_up, DB_ARGS(DB_INT(*(int *)ctx)), NULL, e);
}

static void a_row_another_holds_is_waited_for(void **state)
{
	struct fixture *f = *state;
	int64_t start;
	int one = 1, two = 2;

	POSTGRES_ONLY();
	pg_do(f, "BEGIN; UPDATE counters SET n = 100 WHERE writer = 1");
	db_set_busy_ms(f->db, 200);
	start = clock_mono(&clock_system);
	assert_int_equal(db_txn(f->db, count_one_up, &one, &err), MD_AGAIN);
	assert_in_range(clock_mono(&clock_system) - start, 200, 5000);
	OK(db_txn(f->db, count_one_up, &two, &err)); /* others go on */
	pg_do(f, "COMMIT");
	OK(db_txn(f->db, count_one_up, &one, &err));
	assert_int_equal(number(f->db, &sql_counter, DB_ARGS(DB_INT(1))), 101);
}

/* ---- what the server says, and what it means ---- */

static const struct {
	const char *state;
	int code, native;
} states[] = {
	{ "40001", MD_AGAIN, 0 },    { "40P01", MD_AGAIN, 0 },
	{ "55P03", MD_AGAIN, 0 },    { "57014", MD_AGAIN, 0 },
	{ "57P01", MD_AGAIN, 0 },    { "53200", MD_AGAIN, 0 },
	{ "23505", MD_CONFLICT, 0 }, { "23514", MD_CONFLICT, 0 },
	{ "22021", MD_INPUT, 0 },    { "54000", MD_INPUT, 0 },
	{ "42501", MD_REFUSED, 0 },  { "53100", MD_BROKEN, DB_NATIVE_FULL },
	{ "XX001", MD_BROKEN, 0 },   { "42P01", MD_BROKEN, 0 },
};

static int raise_state(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	char sql[128];
	int64_t *rows;
	size_t n;

	snprintf(sql, sizeof sql, "DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''%s''; END'",
		 (const char *)ctx);
	return db_query(c, sql, DB_NONE, &db_map_int, 1, &a, &rows, &n, e);
}

static void states_say_what_can_be_done(void **state)
{
	struct fixture *f = *state;

	POSTGRES_ONLY();
	db_set_busy_ms(f->db, 0);
	for (size_t i = 0; i < MD_COUNT(states); i++) {
		assert_int_equal(db_txn(f->db, raise_state, (void *)(uintptr_t)states[i].state,
					&err),
				 states[i].code);
		assert_int_equal(err.native, states[i].native);
	}
}

static void open_refused(const char *where, int code, const char *way_out)
{
	struct db *db = NULL;

	assert_int_equal(db_open(where, &db, &err), code);
	if (!strstr(err.text, way_out))
		fail_msg("%s: no \"%s\" in: %s", where, way_out, err.text);
}

static void servers_that_do_not_fit_are_refused(void **state)
{
	struct fixture *f = *state;
	const char *base = getenv("MAILDESK_TEST_DB");
	char where[500], name[64], sql[200];

	POSTGRES_ONLY();
	snprintf(where, sizeof where, "%s dbname=nowhere", base);
	open_refused(where, MD_REFUSED, "CREATE DATABASE");
	snprintf(where, sizeof where, "%s user=nobody_at_all", base);
	open_refused(where, MD_REFUSED, "check user");
	snprintf(where, sizeof where, "%s host=127.0.0.1", base);
	open_refused(where, MD_REFUSED, "passfile");
	snprintf(where, sizeof where, "%s host=127.0.0.1 password=wrong-one", base);
	open_refused(where, MD_REFUSED, "passfile");
	assert_null(strstr(err.text, "wrong-one"));
	snprintf(where, sizeof where, "%s options='-csearch_path=not_there'", base);
	open_refused(where, MD_REFUSED, "search_path");

	snprintf(name, sizeof name, "latin_%s", f->schema);
	snprintf(sql, sizeof sql,
		 "CREATE DATABASE %s TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'", name);
	pg_do(f, sql);
	snprintf(where, sizeof where, "%s dbname=%s", base, name);
	open_refused(where, MD_REFUSED, "not UTF8");
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", name);
	pg_do(f, sql);

	snprintf(sql, sizeof sql,
		 "CREATE DATABASE %s TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'", name);
	pg_do(f, sql);
	open_refused(where, MD_REFUSED, "sorts");
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", name);
	pg_do(f, sql);
}

static void a_role_without_rights_is_refused_untouched(void **state)
{
	struct fixture *f = *state;
	char sql[200], where[500];
	struct db *db = NULL;

	POSTGRES_ONLY();
	snprintf(sql, sizeof sql,
		 "CREATE ROLE %s LOGIN;"
		 " GRANT USAGE ON SCHEMA %s TO %s",
		 f->schema, f->schema, f->schema);
	pg_do(f, sql);
	snprintf(where, sizeof where, "%s user=%s", f->where, f->schema);
	OK(db_open(where, &db, &err));
	assert_int_equal(schema_ensure(db, &err), MD_REFUSED);
	assert_non_null(strstr(err.text, "owner"));
	db_close(db);
	snprintf(sql, sizeof sql, "DROP OWNED BY %s; DROP ROLE %s", f->schema, f->schema);
	pg_do(f, sql);
}

/* ---- large content ---- */

enum { LARGE = 50 << 20 };

static int put_blob(struct db_conn *c, void *ctx, struct md_err *e)
{
	int64_t id;

	return blob_put(c, ctx, &id, e);
}

/* A sanitizer keeps what was freed: nothing to be seen then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_SHOWS 0
#elif defined(__has_feature)
#define MEMORY_SHOWS (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define MEMORY_SHOWS 1
#endif

static long peak_kib(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return MEMORY_SHOWS ? r.ru_maxrss : 0;
}

static void a_large_blob_needs_little_memory_beside_itself(void **state)
{
	struct fixture *f = *state;
	struct random r = random_seeded(1);
	struct blob b = { 0 };
	uint8_t *bytes, *back;
	long before;
	size_t n;

	POSTGRES_ONLY();
	bytes = malloc(LARGE);
	assert_non_null(bytes);
	random_fill(&r, bytes, LARGE);
	OK(blob_prepare(bytes, LARGE, &b, &err));
	before = peak_kib();
	OK(db_txn(f->db, put_blob, &b, &err));
	assert_in_range(peak_kib() - before, 0, 8 << 10);
	blob_done(&b);
	malloc_trim(0);
	{
		md_auto(db_read_done_p) struct db_conn *c = NULL;

		OK(db_read(f->db, &c, &err));
		before = peak_kib();
		OK(blob_get(c, 1, &back, &n, &err));
		assert_in_range(peak_kib() - before, 0, 8 << 10);
	}
	assert_int_equal(n, LARGE);
	assert_memory_equal(back, bytes, LARGE);
	free(back);
	free(bytes);
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, setup_ledger, teardown_ledger)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEDGER_TEST(writers_that_meet_lose_nothing),
		LEDGER_TEST(ended_sessions_leave_no_half_and_no_double),
		LEDGER_TEST(a_crashing_server_leaves_no_half_and_no_double),
		LEDGER_TEST(a_commit_that_was_not_done_is_done_again),
		LEDGER_TEST(the_fate_of_a_commit_is_known_to_others),
		LEDGER_TEST(a_row_another_holds_is_waited_for),
		LEDGER_TEST(states_say_what_can_be_done),
		LEDGER_TEST(servers_that_do_not_fit_are_refused),
		cmocka_unit_test_setup_teardown(a_role_without_rights_is_refused_untouched,
						setup_without_schema, teardown),
		cmocka_unit_test_setup_teardown(a_large_blob_needs_little_memory_beside_itself,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

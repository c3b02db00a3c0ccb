#include "store_test.h"

#include "../../../src/store/db_driver.h"
#include "../../../src/store/schema_steps.h"

#include <maildesk/base/embed.h>

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* The schemas there were, kept for good: what older desks have. */
static const char *const old_schemas[] = { "tests/data/schema/1.sql", "tests/data/schema/2.sql" };

static char *read_file(const char *path, size_t *ret_n)
{
	FILE *in = fopen(path, "r");
	char *text = md_calloc(1, 1 << 20);

	if (!in)
		fail_msg("%s is missing: run this from the root of the tree", path);
	*ret_n = fread(text, 1, (1 << 20) - 1, in);
	fclose(in);
	return text;
}

/* ---- comparing two databases by their SQL, without comments and layout ---- */

static void normalise(const char *sql, struct buf *out)
{
	bool gap = false;

	while (*sql) {
		if (strncmp(sql, "--", 2) == 0) {
			sql += strcspn(sql, "\n");
			continue;
		}
		if (isspace((unsigned char)*sql)) {
			gap = true;
			sql++;
			continue;
		}
		if (gap && out->len && !strchr("(),", *sql) &&
		    !strchr("(,", out->data[out->len - 1]))
			buf_addc(out, ' ');
		gap = false;
		buf_addc(out, *sql++);
	}
	buf_addc(out, '\n');
}

static void dump_file(const char *path, struct buf *out)
{
	sqlite3 *db;
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(
				 db,
				 "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
				 " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name",
				 -1, &st, NULL),
			 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		normalise((const char *)sqlite3_column_text(st, 0), out);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static const char pg_dump_sql[] =
	"SELECT concat_ws(' ', 'column', table_name, ordinal_position, column_name, data_type,"
	" is_nullable, column_default, is_identity) AS line FROM information_schema.columns"
	" WHERE table_schema = current_schema()"
	" UNION ALL SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes"
	" WHERE schemaname = current_schema()"
	" UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass,"
	" pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace ="
	" (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema()) ORDER BY line";

static void dump_schema(struct fixture *f, struct buf *out)
{
	PGresult *r;

	if (!on_postgres()) {
		dump_file(f->path, out);
	} else {
		r = PQexec(f->pg, pg_dump_sql);
		assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
		for (int i = 0; i < PQntuples(r); i++)
			buf_addf(out, "%s\n", PQgetvalue(r, i, 0));
		PQclear(r);
	}
	assert_int_equal(out->status, MD_OK);
}

/* ---- an older database, made by the machinery itself ---- */

static void make_with(struct fixture *f, const char *whole, int64_t version)
{
	struct schema_plan plan = { .whole = whole, .oldest = version };

	OK(db_open(f->where, &f->db, &err));
	OK(schema_follow(f->db, &plan, &err));
}

DB_SQL(sql_version, "SELECT version FROM schema_version");
DB_SQL(sql_versions, "SELECT count(*) FROM schema_version");

static int64_t number(struct db *db, const struct db_sql *sql)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t n = -1;

	OK(db_read(db, &c, &err));
	OK(db_int(c, sql, DB_NONE, &n, &err));
	return n;
}

DB_SQL(sql_add_king, "INSERT INTO users (name, email, folded, role, created_at)"
		     " VALUES ('K', 'k@x.test', 'k', 'king', 1)");
DB_SQL(sql_add_admin, "INSERT INTO users (name, email, folded, role, created_at)"
		      " VALUES ('A', 'a@x.test', 'a', 'admin', 1)");

static int add_king(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_exec(c, &sql_add_king, DB_NONE, NULL, e);
}

static int add_admin(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_exec(c, &sql_add_admin, DB_NONE, NULL, e);
}

static void follow_from(int64_t version, const char *path, struct buf *out)
{
	md_auto(md_free_p) char *schema = NULL;
	struct fixture old;
	size_t n;

	schema = read_file(path, &n);
	fixture_open(&old, false);
	make_with(&old, schema, version);
	assert_int_equal(number(old.db, &sql_version), version);
	OK(schema_ensure(old.db, &err));
	dump_schema(&old, out);
	fixture_close(&old);
}

static void each_old_schema_and_the_steps_behind_it_give_the_newest(void **state)
{
	md_auto(buf_done) struct buf newest = BUF_INIT(1 << 20);
	struct fixture fresh;

	(void)state;
	fixture_open(&fresh, true);
	dump_schema(&fresh, &newest);
	fixture_close(&fresh);
	assert_non_null(strstr(buf_str(&newest), on_postgres() ? "column tickets 1 id bigint"
							       : "CREATE TABLE tickets("));
	for (size_t i = 0; i < MD_COUNT(old_schemas); i++) {
		md_auto(buf_done) struct buf from_old = BUF_INIT(1 << 20);

		follow_from((int64_t)i + 1, old_schemas[i], &from_old);
		assert_string_equal(buf_str(&from_old), buf_str(&newest));
	}
}

/* In an old database as in a new one: a step that changed a check must not have lost it. */
static void a_value_that_is_none_of_those_allowed_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t n;
	md_auto(md_free_p) char *schema = read_file(old_schemas[0], &n);

	make_with(f, schema, 1);
	OK(schema_ensure(f->db, &err));
	assert_int_equal(db_txn(f->db, add_king, NULL, &err), MD_CONFLICT);
	OK(db_txn(f->db, add_admin, NULL, &err));
}

static const char small_1[] = "CREATE TABLE one (id {ID}, a TEXT) {STRICT};";
static const char small_3[] = "CREATE TABLE one (id {ID}, a TEXT, b {INT}) {STRICT};"
			      "CREATE TABLE two (c {INT}) {STRICT};";
static const struct schema_step small_steps[] = {
	{ 2, "ALTER TABLE one ADD COLUMN b {INT}" },
	{ 3, "CREATE TABLE two (c {INT}) {STRICT}; UPDATE one SET b = 7" },
};
static const struct schema_plan small_plan = { small_3, 1, small_steps, 2 };

DB_SQL(sql_add_one, "INSERT INTO one (a) VALUES ('kept')");
DB_SQL(sql_b_of_one, "SELECT b FROM one WHERE a = 'kept'");

static int add_one(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_exec(c, &sql_add_one, DB_NONE, NULL, e);
}

static void steps_bring_an_old_database_forward_with_its_rows(void **state)
{
	struct fixture *f = *state;

	make_with(f, small_1, 1);
	OK(db_txn(f->db, add_one, NULL, &err));
	OK(schema_follow(f->db, &small_plan, &err));
	assert_int_equal(number(f->db, &sql_version), 3);
	assert_int_equal(number(f->db, &sql_b_of_one), 7);
	OK(schema_follow(f->db, &small_plan, &err)); /* nothing left to do */
	assert_int_equal(number(f->db, &sql_version), 3);
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
	static const struct schema_step broken_steps[] = {
		{ 2, "ALTER TABLE one ADD COLUMN b {INT}" },
		{ 3, "CREATE TABLE two (c {INT}) {STRICT}; UPDATE nowhere SET b = 7" },
	};
	static const struct schema_plan broken = { small_3, 1, broken_steps, 2 };
	struct fixture *f = *state;

	make_with(f, small_1, 1);
	OK(db_txn(f->db, add_one, NULL, &err));
	assert_int_equal(schema_follow(f->db, &broken, &err), MD_BROKEN);
	assert_int_equal(number(f->db, &sql_version), 2);
	OK(schema_follow(f->db, &small_plan, &err));
	assert_int_equal(number(f->db, &sql_version), 3);
}

static void an_empty_database_gets_the_whole_schema_at_once(void **state)
{
	struct fixture *f = *state;

	OK(db_open(f->where, &f->db, &err));
	OK(schema_follow(f->db, &small_plan, &err));
	assert_int_equal(number(f->db, &sql_version), 3);
}

/* ---- refusals: the file is, byte for byte, what it was ---- */

/* A file's bytes; a server's tables and versions. */
static char *read_all(struct fixture *f, size_t *ret_n)
{
	struct buf out = BUF_INIT(1 << 20);
	PGresult *r;

	if (!on_postgres())
		return read_file(f->path, ret_n);
	dump_schema(f, &out);
	r = PQexec(f->pg, "SELECT version FROM schema_version");
	for (int i = 0; i < PQntuples(r); i++)
		buf_addf(&out, "version %s\n", PQgetvalue(r, i, 0));
	PQclear(r);
	*ret_n = out.len;
	return buf_steal(&out);
}

static void sql_to_file(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_file_in_another_mode_keeps_it(void **state)
{
	struct fixture *f = *state;
	md_auto(md_free_p) char *before = NULL, *after = NULL;
	size_t n_before, n_after;

	SQLITE_ONLY();
	sql_to_file(f->path, "PRAGMA journal_mode = WAL; CREATE TABLE photos (id INTEGER)");
	before = read_file(f->path, &n_before);
	OK(db_open(f->where, &f->db, &err));
	assert_int_equal(schema_ensure(f->db, &err), MD_REFUSED);
	db_close(f->db);
	f->db = NULL;
	after = read_file(f->path, &n_after);
	assert_int_equal(n_before, n_after);
	assert_memory_equal(before, after, n_before);
}

static const struct refusal {
	const char *sql, *way_out;
	bool on_ours; /* done to a database of this program */
} refusals[] = {
	{ "CREATE TABLE photos (id INTEGER)", "name another one", false },
	{ "UPDATE schema_version SET version = 999", "run the newer maildesk", true },
	{ "UPDATE schema_version SET version = 0", "older maildesk first", true },
	{ "DELETE FROM schema_version", "restore a backup", true },
	{ "INSERT INTO schema_version VALUES (1)", "restore a backup", true },
	{ "DROP TABLE quarantine", "restore a backup", true },
	{ "DROP TABLE schema_version", "name another one", true },
};

static void foreign_newer_and_half_made_ones_are_refused_untouched(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(refusals); i++) {
		const struct refusal *r = &refusals[i];
		md_auto(md_free_p) char *before = NULL, *after = NULL;
		struct fixture f;
		size_t n_before, n_after;

		fixture_open(&f, r->on_ours);
		db_close(f.db);
		f.db = NULL;
		if (on_postgres())
			pg_do(&f, r->sql);
		else
			sql_to_file(f.path, r->sql);
		before = read_all(&f, &n_before);

		OK(db_open(f.where, &f.db, &err));
		assert_int_equal(schema_ensure(f.db, &err), MD_REFUSED);
		if (!strstr(err.text, r->way_out))
			fail_msg("%s: no way out in: %s", r->sql, err.text);
		db_close(f.db);
		f.db = NULL;
		after = read_all(&f, &n_after);
		assert_int_equal(n_before, n_after);
		assert_memory_equal(before, after, n_before);
		fixture_close(&f);
	}
}

/* ---- two programs at once ---- */

static void *ensure(void *where)
{
	struct db *db = NULL;
	int rc = db_open(where, &db, NULL);

	if (rc == MD_OK)
		rc = schema_ensure(db, NULL);
	db_close(db);
	return (void *)(intptr_t)rc;
}

static void several_at_once_make_one_schema(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[4];
	void *rc;

	for (size_t i = 0; i < MD_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ensure, f->where), 0);
	for (size_t i = 0; i < MD_COUNT(threads); i++) {
		pthread_join(threads[i], &rc);
		assert_int_equal((intptr_t)rc, MD_OK);
	}
	OK(db_open(f->where, &f->db, &err));
	assert_int_equal(number(f->db, &sql_versions), 1);
}

#define BARE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_without_schema, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_old_schema_and_the_steps_behind_it_give_the_newest),
		BARE_TEST(a_value_that_is_none_of_those_allowed_is_refused),
		BARE_TEST(steps_bring_an_old_database_forward_with_its_rows),
		BARE_TEST(a_step_that_fails_leaves_the_version_before_it),
		BARE_TEST(an_empty_database_gets_the_whole_schema_at_once),
		BARE_TEST(a_file_in_another_mode_keeps_it),
		cmocka_unit_test(foreign_newer_and_half_made_ones_are_refused_untouched),
		BARE_TEST(several_at_once_make_one_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* store_test.h - a database of its own for each test, and short ways to use it: a file in a folder,
 * or, with $MAILDESK_TEST_DB, a schema in that database ("postgres:key=value ...").
 *
 * Header-only: the Makefile builds one program a test file. */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../src/store/db_conn.h"

#include <maildesk/store/schema.h>
#include <maildesk/store/tickets.h>
#include <maildesk/store/users.h>

#include <dirent.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char dir[64], path[96]; /* SQLite's */
	PGconn *pg;             /* beside the store's, in the same schema */
	char schema[32];
	char where[400];
	struct db *db;
	struct arena arena;
};

static struct md_err err;

static inline void ok_at(int rc, const char *what, const char *file, int line)
{
	if (rc != MD_OK) {
		print_error("%s: %s: %s\n", what, md_code_name(rc), err.text);
		_fail(file, line);
	}
}
#define OK(call) ok_at((call), #call, __FILE__, __LINE__)

static inline bool on_postgres(void)
{
	const char *where = getenv("MAILDESK_TEST_DB");

	return where && strncmp(where, "postgres:", 9) == 0;
}
/* What is true of files alone, or of a server alone. */
#define SQLITE_ONLY()              \
	do {                       \
		if (on_postgres()) \
			skip();    \
	} while (0)
#define POSTGRES_ONLY()             \
	do {                        \
		if (!on_postgres()) \
			skip();     \
	} while (0)

static inline void pg_do(struct fixture *f, const char *sql)
{
	PGresult *r = PQexec(f->pg, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(f->pg));
	PQclear(r);
}

static inline void fixture_make_schema(struct fixture *f)
{
	static int n;
	char sql[128];

	snprintf(f->schema, sizeof f->schema, "t%d_%d", (int)getpid(), ++n);
	snprintf(f->where, sizeof f->where, "%s options='-csearch_path=%s'",
		 getenv("MAILDESK_TEST_DB"), f->schema);
	f->pg = PQconnectdb(f->where + strlen("postgres:"));
	if (PQstatus(f->pg) != CONNECTION_OK)
		fail_msg("%s: %s", f->where, PQerrorMessage(f->pg));
	snprintf(sql, sizeof sql, "SET client_min_messages = error; CREATE SCHEMA %s", f->schema);
	pg_do(f, sql);
}

static inline void fixture_make_folder(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(f->dir, sizeof f->dir, "%s/maildesk-store-XXXXXX",
		 tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/desk.db", f->dir);
	snprintf(f->where, sizeof f->where, "sqlite:%s", f->path);
}

static inline void fixture_open(struct fixture *f, bool with_schema)
{
	*f = (struct fixture){ .arena = ARENA_INIT(64 << 20) };
	if (on_postgres())
		fixture_make_schema(f);
	else
		fixture_make_folder(f);
	if (with_schema) {
		OK(db_open(f->where, &f->db, &err));
		OK(schema_ensure(f->db, &err));
	}
}

static inline void fixture_drop_schema(struct fixture *f)
{
	char sql[128];

	PQreset(f->pg); /* the server may have been another one since */
	snprintf(sql, sizeof sql, "SET client_min_messages = error; DROP SCHEMA %s CASCADE",
		 f->schema);
	pg_do(f, sql);
	PQfinish(f->pg);
}

static inline void fixture_drop_folder(struct fixture *f)
{
	DIR *d = opendir(f->dir);
	struct dirent *e;
	char path[400];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(f->dir);
}

static inline void fixture_close(struct fixture *f)
{
	db_close(f->db);
	arena_done(&f->arena);
	if (f->pg)
		fixture_drop_schema(f);
	else
		fixture_drop_folder(f);
}

static inline int setup(void **state)
{
	static struct fixture f;

	fixture_open(&f, true);
	*state = &f;
	return 0;
}
static inline int setup_without_schema(void **state)
{
	static struct fixture f;

	fixture_open(&f, false);
	*state = &f;
	return 0;
}
static inline int teardown(void **state)
{
	md_alloc_fail(0, 0);
	fixture_close(*state);
	return 0;
}

/* A test whose body is one write transaction, each row written at once: it asks what each call does
 * (rows that are kept back have tests of their own). */
typedef void (*txn_body)(struct db_conn *c, struct arena *a);
struct txn_call {
	txn_body body;
	struct arena *arena;
};
static inline int txn_call(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct txn_call *call = ctx;

	(void)e;
	c->gather.on = false;
	call->body(c, call->arena);
	return MD_OK;
}
static inline void in_txn(struct fixture *f, txn_body body)
{
	OK(db_txn(f->db, txn_call, &(struct txn_call){ body, &f->arena }, &err));
}
#define TXN_TEST(name)                                               \
	static void name##_body(struct db_conn *c, struct arena *a); \
	static void name(void **state)                               \
	{                                                            \
		in_txn(*state, name##_body);                         \
	}                                                            \
	static void name##_body(struct db_conn *c, struct arena *a)

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A constraint ends a transaction on some engines: what is meant to meet one is a part of it. */
DB_SQL(sql_probe, "SAVEPOINT probe");
DB_SQL(sql_probe_undo, "ROLLBACK TO SAVEPOINT probe");
DB_SQL(sql_probe_end, "RELEASE SAVEPOINT probe");
static inline void probe_end(struct db_conn *c)
{
	c->doomed = MD_OK;
	OK(db_exec(c, &sql_probe_undo, DB_NONE, NULL, &err));
	OK(db_exec(c, &sql_probe_end, DB_NONE, NULL, &err));
}
#define FAILS(code, c, call)                                     \
	do {                                                     \
		OK(db_exec(c, &sql_probe, DB_NONE, NULL, &err)); \
		assert_int_equal(call, code);                    \
		probe_end(c);                                    \
	} while (0)

/* ---- rows that others need ---- */

static inline int64_t a_user(struct db_conn *c, const char *email, const char *role)
{
	struct user u = { .name = email, .email = email, .role = role, .created_at = 1000 };
	int64_t id = 0;

	OK(user_add(c, &u, &id, &err));
	return id;
}

static inline int64_t a_ticket(struct db_conn *c, int64_t requester, const char *title)
{
	struct ticket t = { .title = title,
			    .status = "open",
			    .priority = 1,
			    .requester_id = requester,
			    .channel = "mail",
			    .created_at = 1000,
			    .updated_at = 1000 };
	int64_t id = 0;

	OK(ticket_insert(c, &t, &id, &err));
	return id;
}

#endif

/* store_test.h - a database in a folder of its own for each test, and short ways to use it.
 *
 * Header-only: the Makefile builds one program a test file. */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/store/schema.h>
#include <maildesk/store/tickets.h>
#include <maildesk/store/users.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char dir[64], path[96], where[112];
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

static inline void fixture_open(struct fixture *f, bool with_schema)
{
	const char *tmp = getenv("TMPDIR");

	*f = (struct fixture){ .arena = ARENA_INIT(64 << 20) };
	snprintf(f->dir, sizeof f->dir, "%s/maildesk-store-XXXXXX",
		 tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/desk.db", f->dir);
	snprintf(f->where, sizeof f->where, "sqlite:%s", f->path);
	if (with_schema) {
		OK(db_open(f->where, &f->db, &err));
		OK(schema_ensure(f->db, &err));
	}
}

static inline void fixture_close(struct fixture *f)
{
	DIR *d = opendir(f->dir);
	struct dirent *e;
	char path[400];

	db_close(f->db);
	arena_done(&f->arena);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(f->dir);
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

/* A test whose body is one write transaction. */
typedef void (*txn_body)(struct db_conn *c, struct arena *a);
struct txn_call {
	txn_body body;
	struct arena *arena;
};
static inline int txn_call(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct txn_call *call = ctx;

	(void)e;
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

/* db_lite_stmt.c - prepared statements of SQLite. */
#include "db_lite.h"

#include <stdio.h>
#include <stdlib.h>

struct db_stmt {
	sqlite3_stmt *st;
	/* SQLite numbers parameters by first appearance: "$2" need not be its second one, but
	 * mostly is. */
	bool in_order;
};

static sqlite3_stmt *lite(struct db_stmt *st)
{
	return st->st;
}

static int failed(struct db_stmt *st, int rc, struct md_err *err)
{
	return lite_fail(sqlite3_db_handle(lite(st)), rc, "database", err);
}

static bool parameters_in_order(sqlite3_stmt *st)
{
	int n = sqlite3_bind_parameter_count(st);

	for (int i = 1; i <= n; i++) {
		const char *name = sqlite3_bind_parameter_name(st, i);

		if (!name || strtol(name + 1, NULL, 10) != i)
			return false;
	}
	return true;
}

void lite_finalize(struct db_stmt *st)
{
	sqlite3_finalize(lite(st));
	free(st);
}

int lite_prepare(struct db_link *l, const char *sql, struct db_stmt **ret, struct md_err *err)
{
	struct db_stmt *st = md_calloc(1, sizeof *st);
	int rc;

	if (!st)
		return md_fail(err, MD_NOMEM, 0, "database statement: out of memory");
	rc = sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL);
	if (rc != SQLITE_OK) {
		free(st);
		return lite_fail(l->db, rc, "database statement", err);
	}
	st->in_order = parameters_in_order(st->st);
	*ret = st;
	return MD_OK;
}

static int bind_one(sqlite3_stmt *st, int at, const struct db_arg *v)
{
	switch (v->kind) {
	case DB_KIND_INT:
		return sqlite3_bind_int64(st, at, v->integer);
	case DB_KIND_TEXT:
		return sqlite3_bind_text64(st, at, v->bytes, v->n, SQLITE_STATIC, SQLITE_UTF8);
	case DB_KIND_BLOB:
		return sqlite3_bind_blob64(st, at, v->bytes, v->n, SQLITE_STATIC);
	case DB_KIND_NULL:
		break;
	}
	return sqlite3_bind_null(st, at);
}

static int find_parameter(sqlite3_stmt *st, int number)
{
	char name[24];

	snprintf(name, sizeof name, "$%d", number);
	return sqlite3_bind_parameter_index(st, name);
}

int lite_bind(struct db_stmt *st, const struct db_arg *args, size_t n, bool one_by_one,
	      struct md_err *err)
{
	(void)one_by_one; /* as always here */
	if (sqlite3_bind_parameter_count(lite(st)) != (int)n)
		return md_fail(err, MD_BROKEN, 0, "statement takes %d arguments, %zu given",
			       sqlite3_bind_parameter_count(lite(st)), n);
	for (size_t i = 0; i < n; i++) {
		int at = st->in_order ? (int)i + 1 : find_parameter(lite(st), (int)i + 1), rc;

		if (!at)
			return md_fail(err, MD_BROKEN, 0, "statement has no $%zu", i + 1);
		rc = bind_one(lite(st), at, &args[i]);
		if (rc != SQLITE_OK)
			return failed(st, rc, err);
	}
	return MD_OK;
}

int lite_step(struct db_stmt *st, bool *ret_row, struct md_err *err)
{
	int rc = sqlite3_step(lite(st));

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return failed(st, rc, err);
	*ret_row = rc == SQLITE_ROW;
	return MD_OK;
}

size_t lite_columns(struct db_stmt *st)
{
	return (size_t)sqlite3_column_count(lite(st));
}

struct db_arg lite_column(struct db_stmt *st, size_t i)
{
	/* Looked up once: only this thread uses the connection, so it may be asked directly. */
	sqlite3_value *value = sqlite3_column_value(lite(st), (int)i);
	struct db_arg v = { .kind = DB_KIND_NULL };

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		v.kind = DB_KIND_INT;
		v.integer = sqlite3_value_int64(value);
		break;
	case SQLITE_TEXT:
		v.kind = DB_KIND_TEXT;
		v.bytes = sqlite3_value_text(value);
		v.n = (size_t)sqlite3_value_bytes(value);
		break;
	case SQLITE_BLOB:
		v.kind = DB_KIND_BLOB;
		v.bytes = sqlite3_value_blob(value);
		v.n = (size_t)sqlite3_value_bytes(value);
		if (!v.n)
			v.bytes = ""; /* an empty blob has no address */
		break;
	}
	return v;
}

int64_t lite_changed(struct db_stmt *st)
{
	return sqlite3_changes64(sqlite3_db_handle(lite(st)));
}

void lite_reset(struct db_stmt *st)
{
	sqlite3_reset(lite(st));
	sqlite3_clear_bindings(lite(st));
}

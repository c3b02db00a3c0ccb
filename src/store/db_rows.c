/* db_rows.c - rows of statements as structs: one, all, or each as it comes. */
#include "db_stmt.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/record.h>

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROW_MAX = 1024,  /* bytes of a mapped struct */
	VALUES_MAX = 64, /* columns of a row of db_values() */
};

struct db_arg DB_ID(int64_t id_or_zero) {
	return id_or_zero ? DB_INT(id_or_zero) : (struct db_arg){ .kind = DB_KIND_NULL };
}

struct db_arg
DB_TEXT(const char *s) {
	if (!s)
		return (struct db_arg){ .kind = DB_KIND_NULL };
	return (struct db_arg){ .kind = DB_KIND_TEXT, .bytes = s, .n = strlen(s) };
}

struct db_arg
DB_BLOB(const void *bytes, size_t n) {
	if (!bytes)
		return (struct db_arg){ .kind = DB_KIND_NULL };
	return (struct db_arg){ .kind = DB_KIND_BLOB, .bytes = bytes, .n = n };
}

static const struct db_col int_cols[] = { { DB_COL_INT, 0 } };
const struct db_map db_map_int = { sizeof(int64_t), int_cols, 1 };

static int no_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "database row: out of memory");
}

static int put_text(const struct db_arg *v, struct arena *arena, void *member, struct md_err *err)
{
	const char *s = NULL;

	if (v->kind != DB_KIND_NULL) {
		s = v->bytes ? arena_strndup(arena, v->bytes, v->n) : NULL;
		if (!s)
			return no_memory(err);
	}
	memcpy(member, &s, sizeof s);
	return MD_OK;
}

static int put_blob(const struct db_arg *v, struct arena *arena, void *member, struct md_err *err)
{
	struct rec_bytes b = { 0 };

	if (v->kind != DB_KIND_NULL) {
		b.n = v->n;
		b.v = v->bytes ? arena_copy(arena, v->bytes, v->n) : NULL;
		if (!b.v)
			return no_memory(err);
	}
	memcpy(member, &b, sizeof b);
	return MD_OK;
}

static int put_column(const struct db_arg *v, enum db_col_kind kind, struct arena *arena,
		      void *member, struct md_err *err)
{
	bool flag = v->integer != 0;

	switch (kind) {
	case DB_COL_INT:
		memcpy(member, &v->integer, sizeof v->integer);
		return MD_OK;
	case DB_COL_BOOL:
		memcpy(member, &flag, sizeof flag);
		return MD_OK;
	case DB_COL_TEXT:
		return put_text(v, arena, member, err);
	case DB_COL_BLOB:
		return put_blob(v, arena, member, err);
	}
	return MD_BROKEN;
}

static int put_row(const struct stmt_use *u, const struct db_map *map, struct arena *arena,
		   void *row, struct md_err *err)
{
	int rc = MD_OK;

	if (u->driver->columns(u->st) != map->n)
		return md_fail(err, MD_BROKEN, 0, "statement gives %zu columns, its map has %zu",
			       u->driver->columns(u->st), map->n);
	memset(row, 0, map->size);
	for (size_t i = 0; i < map->n && rc == MD_OK; i++) {
		struct db_arg v = u->driver->column(u->st, i);

		rc = put_column(&v, map->cols[i].kind, arena, (char *)row + map->cols[i].at, err);
	}
	return rc;
}

struct one {
	const struct db_map *map;
	struct arena *arena;
	void *row;
	bool found;
};

static int keep_one(const struct stmt_use *u, void *ctx, struct md_err *err)
{
	struct one *one = ctx;

	one->found = true;
	return put_row(u, one->map, one->arena, one->row, err);
}

int db_one(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	   const struct db_map *map, struct arena *arena, void *ret_row, struct md_err *err)
{
	md_auto(stmt_use_end) struct stmt_use u = { 0 };
	alignas(max_align_t) unsigned char row[ROW_MAX];
	struct one one = { map, arena, row, false };
	int rc;

	assert(map->size <= sizeof row);
	rc = stmt_use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	rc = stmt_run(c, &u, args, 1, keep_one, &one, err);
	if (rc != MD_OK)
		return rc;
	if (!one.found)
		return md_fail(err, MD_NOTFOUND, 0, "no such row");
	memcpy(ret_row, row, map->size);
	return MD_OK;
}

int db_int(struct db_conn *c, const struct db_sql *sql, struct db_args args, int64_t *ret,
	   struct md_err *err)
{
	return db_one(c, sql, args, &db_map_int, NULL, ret, err);
}

struct all {
	const struct db_map *map;
	struct arena *arena;
	struct buf rows;
	size_t n;
};

static int keep_all(const struct stmt_use *u, void *ctx, struct md_err *err)
{
	struct all *all = ctx;
	char *row = buf_reserve(&all->rows, all->map->size);

	if (!row)
		return no_memory(err);
	all->rows.len += all->map->size;
	all->n++;
	return put_row(u, all->map, all->arena, row, err);
}

static int collect(struct db_conn *c, const struct stmt_use *u, struct db_args args,
		   const struct db_map *map, size_t limit, struct arena *arena, void *ret_rows,
		   size_t *ret_n, struct md_err *err)
{
	struct all all = { map, arena, BUF_INIT(SIZE_MAX / 2), 0 };
	int rc = stmt_run(c, u, args, limit, keep_all, &all, err);

	if (rc == MD_OK) {
		void *rows = arena_copy(arena, all.rows.data, all.rows.len);

		rc = rows ? MD_OK : no_memory(err);
		if (rows) {
			memcpy(ret_rows, &rows, sizeof rows);
			*ret_n = all.n;
		}
	}
	buf_done(&all.rows);
	return rc;
}

int db_all(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	   const struct db_map *map, size_t limit, struct arena *arena, void *ret_rows,
	   size_t *ret_n, struct md_err *err)
{
	md_auto(stmt_use_end) struct stmt_use u = { 0 };
	int rc;

	rc = stmt_use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return collect(c, &u, args, map, limit, arena, ret_rows, ret_n, err);
}

int db_query(struct db_conn *c, const char *sql, struct db_args args, const struct db_map *map,
	     size_t limit, struct arena *arena, void *ret_rows, size_t *ret_n, struct md_err *err)
{
	md_auto(stmt_use_end) struct stmt_use u = { 0 };
	int rc;

	rc = stmt_use_text(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return collect(c, &u, args, map, limit, arena, ret_rows, ret_n, err);
}

struct each {
	const struct db_map *map;
	db_row_fn fn;
	void *ctx;
};

static int pass_on(const struct stmt_use *u, void *ctx, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(SIZE_MAX / 2);
	alignas(max_align_t) unsigned char row[ROW_MAX];
	const struct each *each = ctx;
	int rc = put_row(u, each->map, &arena, row, err);

	return rc == MD_OK ? each->fn(row, each->ctx, err) : rc;
}

int db_each(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	    const struct db_map *map, db_row_fn fn, void *ctx, struct md_err *err)
{
	md_auto(stmt_use_end) struct stmt_use u = { 0 };
	struct each each = { map, fn, ctx };
	int rc;

	assert(map->size <= ROW_MAX);
	rc = stmt_use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return stmt_run(c, &u, args, STMT_ONE_BY_ONE, pass_on, &each, err);
}

struct values {
	db_values_fn fn;
	void *ctx;
};

static int pass_values(const struct stmt_use *u, void *ctx, struct md_err *err)
{
	struct db_arg row[VALUES_MAX];
	const struct values *values = ctx;
	size_t n = u->driver->columns(u->st);

	assert(n <= VALUES_MAX);
	for (size_t i = 0; i < n; i++) {
		row[i] = u->driver->column(u->st, i);
		if ((row[i].kind == DB_KIND_TEXT || row[i].kind == DB_KIND_BLOB) && !row[i].bytes)
			return no_memory(err);
	}
	return values->fn(row, n, values->ctx, err);
}

int db_values(struct db_conn *c, const char *sql, struct db_args args, db_values_fn fn, void *ctx,
	      struct md_err *err)
{
	md_auto(stmt_use_end) struct stmt_use u = { 0 };
	struct values values = { fn, ctx };
	int rc;

	rc = stmt_use_text(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return stmt_run(c, &u, args, fn ? STMT_ONE_BY_ONE : 0, pass_values, &values, err);
}

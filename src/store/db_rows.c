/* db_rows.c - running statements and mapping their rows into structs. */
#include <maildesk/store/db.h>

#include "db_conn.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/record.h>

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum {
	SQL_MAX = 64 << 10, /* schema.sql is the longest */
	ROW_MAX = 1024,     /* bytes of a mapped struct */
	VALUES_MAX = 64,    /* columns of a row of db_values() */
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

/* ---- statements ---- */

static size_t token_length(const struct db_token *tokens, const char *at, const char **ret_text)
{
	for (; tokens->name; tokens++) {
		size_t n = strlen(tokens->name);

		if (strncmp(at, tokens->name, n) == 0) {
			*ret_text = tokens->text;
			return n;
		}
	}
	return 0;
}

char *db_expand(const struct db_driver *driver, const char *sql)
{
	md_auto(buf_done) struct buf out = BUF_INIT(SQL_MAX);
	const char *text, *brace;

	while ((brace = strchr(sql, '{'))) {
		size_t n = token_length(driver->tokens, brace, &text);

		buf_add(&out, sql, (size_t)(brace - sql));
		if (n)
			buf_adds(&out, text);
		else
			buf_addc(&out, '{');
		sql = brace + (n ? n : 1);
	}
	buf_adds(&out, sql);
	return buf_steal(&out);
}

static int prepare(struct db_conn *c, const char *sql, struct db_stmt **ret, struct md_err *err)
{
	md_auto(md_free_p) char *text = db_expand(c->db->driver, sql);

	if (!text)
		return md_fail(err, MD_NOMEM, 0, "database statement: out of memory");
	return c->db->driver->prepare(c->link, text, ret, err);
}

/* A statement in use; the cleanup hands it back clean. */
struct use {
	const struct db_driver *driver;
	struct db_stmt *st;
};

static void use_end(struct use *u)
{
	if (u->st)
		u->driver->reset(u->st);
}

int db_engine_failed(struct db_conn *c, int rc)
{
	if (rc == MD_AGAIN)
		c->busy = true;
	if (!c->db->driver->in_transaction(c->link))
		c->doomed = rc;
	return rc;
}

int db_script(struct db_conn *c, const char *sql, struct md_err *err)
{
	md_auto(md_free_p) char *text = db_expand(c->db->driver, sql);
	int rc;

	if (!text)
		return md_fail(err, MD_NOMEM, 0, "database script: out of memory");
	rc = c->db->driver->script(c->link, text, err);
	return rc == MD_OK ? MD_OK : db_engine_failed(c, rc);
}

static int begin_use(struct db_conn *c, const char *sql, struct db_stmt **slot, struct use *u,
		     struct md_err *err)
{
	int rc = MD_OK;

	if (c->doomed != MD_OK)
		return md_fail(err, c->doomed, 0, "the database has given this transaction up");
	rc = db_gather_before(c, sql, err);
	if (rc != MD_OK)
		return rc;
	if (!*slot)
		rc = prepare(c, sql, slot, err);
	if (rc != MD_OK)
		return db_engine_failed(c, rc);
	*u = (struct use){ c->db->driver, *slot };
	return MD_OK;
}

static int use_constant(struct db_conn *c, const struct db_sql *sql, struct use *u,
			struct md_err *err)
{
	return begin_use(c, sql->text, &c->cache[sql - __start_db_sql], u, err);
}

static void forget_text(struct db_conn *c, struct db_text *t)
{
	if (t->st)
		c->db->driver->finalize(t->st);
	free(t->sql);
	*t = (struct db_text){ 0 };
}

/* The place of this text, or the one unused for longest, empty. */
static struct db_text *place_of(struct db_conn *c, const char *sql)
{
	struct db_text *oldest = c->texts;
	size_t n = strlen(sql);

	for (size_t i = 0; i < DB_TEXTS_KEPT; i++) {
		const struct db_text *t = &c->texts[i];

		if (t->sql && t->n == n && memcmp(t->sql, sql, n) == 0)
			return &c->texts[i];
		if (c->texts[i].used < oldest->used)
			oldest = &c->texts[i];
	}
	forget_text(c, oldest);
	return oldest;
}

static int use_text(struct db_conn *c, const char *sql, struct use *u, struct md_err *err)
{
	struct db_text *t = place_of(c, sql);
	int rc;

	if (!t->sql)
		t->sql = md_strdup(sql);
	if (!t->sql)
		return md_fail(err, MD_NOMEM, 0, "database statement: out of memory");
	t->n = strlen(t->sql);
	t->used = ++c->uses;
	rc = begin_use(c, sql, &t->st, u, err);
	if (rc != MD_OK)
		forget_text(c, t);
	return rc;
}

void db_forget_statements(struct db_conn *c)
{
	size_t n = (size_t)(__stop_db_sql - __start_db_sql);

	for (size_t i = 0; c->cache && i < n; i++)
		if (c->cache[i])
			c->db->driver->finalize(c->cache[i]);
	for (size_t i = 0; c->rows_cache && i < n; i++)
		if (c->rows_cache[i])
			c->db->driver->finalize(c->rows_cache[i]);
	for (size_t i = 0; i < DB_TEXTS_KEPT; i++)
		forget_text(c, &c->texts[i]);
	memset(c->counts, 0, sizeof c->counts);
	free(c->cache);
	free(c->rows_cache);
	c->cache = c->rows_cache = NULL;
}

/* Limit of db_each(). */
#define ONE_BY_ONE SIZE_MAX

typedef int (*row_fn)(const struct use *u, void *ctx, struct md_err *err);

/* Run to the end, or to the first row beyond `limit`: an engine counts changes and checks
 * constraints of a RETURNING statement only when asked for the row after the last. */
static int run(struct db_conn *c, const struct use *u, struct db_args args, size_t limit, row_fn fn,
	       void *ctx, struct md_err *err)
{
	const struct db_driver *d = u->driver;
	int rc = d->bind(u->st, args.v, args.n, limit == ONE_BY_ONE, err);
	bool row;

	if (rc != MD_OK)
		return db_engine_failed(c, rc);
	for (size_t n = 0;; n++) {
		rc = d->step(u->st, &row, err);
		if (rc != MD_OK)
			return db_engine_failed(c, rc);
		if (!row || n == limit)
			return MD_OK;
		rc = fn(u, ctx, err);
		if (rc != MD_OK)
			return rc;
	}
}

int db_exec(struct db_conn *c, const struct db_sql *sql, struct db_args args, int64_t *ret_changed,
	    struct md_err *err)
{
	md_auto(use_end) struct use u = { 0 };
	int rc;

	rc = use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	rc = run(c, &u, args, 0, NULL, NULL, err);
	if (rc == MD_OK && ret_changed)
		*ret_changed = u.driver->changed(u.st);
	return rc;
}

int db_exec_rows(struct db_conn *c, const struct db_sql *sql, const struct db_row *rows, size_t n,
		 struct md_err *err)
{
	struct db_stmt **slot = &c->rows_cache[sql - __start_db_sql];
	md_auto(md_free_p) char *text = *slot ? NULL : db_expand(c->db->driver, sql->text);
	int rc = *slot || text ? c->db->driver->insert_rows(c->link, slot, text, rows, n, err)
			       : md_fail(err, MD_NOMEM, 0, "database rows: out of memory");

	return rc == MD_OK ? MD_OK : db_engine_failed(c, rc);
}

/* ---- rows ---- */

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

static int put_row(const struct use *u, const struct db_map *map, struct arena *arena, void *row,
		   struct md_err *err)
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

static int keep_one(const struct use *u, void *ctx, struct md_err *err)
{
	struct one *one = ctx;

	one->found = true;
	return put_row(u, one->map, one->arena, one->row, err);
}

int db_one(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	   const struct db_map *map, struct arena *arena, void *ret_row, struct md_err *err)
{
	md_auto(use_end) struct use u = { 0 };
	alignas(max_align_t) unsigned char row[ROW_MAX];
	struct one one = { map, arena, row, false };
	int rc;

	assert(map->size <= sizeof row);
	rc = use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	rc = run(c, &u, args, 1, keep_one, &one, err);
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

static int keep_all(const struct use *u, void *ctx, struct md_err *err)
{
	struct all *all = ctx;
	char *row = buf_reserve(&all->rows, all->map->size);

	if (!row)
		return no_memory(err);
	all->rows.len += all->map->size;
	all->n++;
	return put_row(u, all->map, all->arena, row, err);
}

static int collect(struct db_conn *c, const struct use *u, struct db_args args,
		   const struct db_map *map, size_t limit, struct arena *arena, void *ret_rows,
		   size_t *ret_n, struct md_err *err)
{
	struct all all = { map, arena, BUF_INIT(SIZE_MAX / 2), 0 };
	int rc = run(c, u, args, limit, keep_all, &all, err);

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
	md_auto(use_end) struct use u = { 0 };
	int rc;

	rc = use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return collect(c, &u, args, map, limit, arena, ret_rows, ret_n, err);
}

int db_query(struct db_conn *c, const char *sql, struct db_args args, const struct db_map *map,
	     size_t limit, struct arena *arena, void *ret_rows, size_t *ret_n, struct md_err *err)
{
	md_auto(use_end) struct use u = { 0 };
	int rc;

	rc = use_text(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return collect(c, &u, args, map, limit, arena, ret_rows, ret_n, err);
}

/* ---- counting ---- */

static int one_number(struct db_conn *c, const char *sql, struct db_args args, struct arena *arena,
		      int64_t *ret, struct md_err *err)
{
	int64_t *rows;
	size_t n;
	int rc = db_query(c, sql, args, &db_map_int, 1, arena, &rows, &n, err);

	if (rc == MD_OK)
		*ret = n ? rows[0] : 0;
	return rc;
}

/* False: what was asked cannot be told from other things. */
static bool name_count(const char *sql, struct db_args args, uint8_t ret[SHA256_BYTES])
{
	struct sha256 *h = sha256_new();

	if (!h)
		return false;
	sha256_add(h, sql, strlen(sql) + 1);
	for (size_t i = 0; i < args.n; i++) {
		const struct db_arg *a = &args.v[i];
		const int64_t head[] = { a->kind, a->integer, (int64_t)a->n };

		sha256_add(h, head, sizeof head);
		if (a->n)
			sha256_add(h, a->bytes, a->n);
	}
	sha256_end(h, ret);
	return true;
}

static struct db_count *find_count(struct db_conn *c, const uint8_t what[SHA256_BYTES])
{
	for (size_t i = 0; i < DB_COUNTS_KEPT; i++)
		if (memcmp(c->counts[i].what, what, SHA256_BYTES) == 0)
			return &c->counts[i];
	return NULL;
}

int db_count(struct db_conn *c, const char *sql, struct db_args args, struct arena *arena,
	     int64_t *ret, struct md_err *err)
{
	const char *version_sql = c->use == DB_USE_READ ? c->db->driver->version_sql : NULL;
	struct db_count *known, now;
	int rc;

	if (!version_sql || !name_count(sql, args, now.what))
		return one_number(c, sql, args, arena, ret, err);
	rc = one_number(c, version_sql, DB_NONE, arena, &now.version, err);
	if (rc != MD_OK)
		return rc;
	known = find_count(c, now.what);
	if (known && known->version == now.version) {
		*ret = known->n;
		return MD_OK;
	}
	rc = one_number(c, sql, args, arena, &now.n, err);
	if (rc != MD_OK)
		return rc;
	if (!known)
		known = &c->counts[c->next_count++ % DB_COUNTS_KEPT];
	*known = now;
	*ret = now.n;
	return MD_OK;
}

struct each {
	const struct db_map *map;
	db_row_fn fn;
	void *ctx;
};

static int pass_on(const struct use *u, void *ctx, struct md_err *err)
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
	md_auto(use_end) struct use u = { 0 };
	struct each each = { map, fn, ctx };
	int rc;

	assert(map->size <= ROW_MAX);
	rc = use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return run(c, &u, args, ONE_BY_ONE, pass_on, &each, err);
}

struct values {
	db_values_fn fn;
	void *ctx;
};

static int pass_values(const struct use *u, void *ctx, struct md_err *err)
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
	md_auto(use_end) struct use u = { 0 };
	struct values values = { fn, ctx };
	int rc;

	rc = use_text(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	return run(c, &u, args, fn ? ONE_BY_ONE : 0, pass_values, &values, err);
}

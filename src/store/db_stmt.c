/* db_stmt.c - statements: the names in them that differ by engine, those that a connection keeps
 * prepared, and running one. */
#include "db_stmt.h"

#include <maildesk/base/buf.h>

#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 64 << 10 }; /* schema.sql is the longest */

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

void stmt_use_end(struct stmt_use *u)
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

static int begin_use(struct db_conn *c, const char *sql, struct db_stmt **slot, struct stmt_use *u,
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
	*u = (struct stmt_use){ c->db->driver, *slot };
	return MD_OK;
}

int stmt_use_constant(struct db_conn *c, const struct db_sql *sql, struct stmt_use *u,
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

int stmt_use_text(struct db_conn *c, const char *sql, struct stmt_use *u, struct md_err *err)
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

int stmt_run(struct db_conn *c, const struct stmt_use *u, struct db_args args, size_t limit,
	     stmt_row_fn fn, void *ctx, struct md_err *err)
{
	const struct db_driver *d = u->driver;
	int rc = d->bind(u->st, args.v, args.n, limit == STMT_ONE_BY_ONE, err);
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
	md_auto(stmt_use_end) struct stmt_use u = { 0 };
	int rc;

	rc = stmt_use_constant(c, sql, &u, err);
	if (rc != MD_OK)
		return rc;
	rc = stmt_run(c, &u, args, 0, NULL, NULL, err);
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

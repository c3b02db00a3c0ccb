/* db_pg_stmt.c - prepared statements of PostgreSQL: made once for a session, bound, run, and read a
 * row at a time. */
#include "db_pg_stmt.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pg_finalize(struct db_stmt *st)
{
	if (!st)
		return;
	if (*st->name)
		buf_addf(&st->l->stale, "DEALLOCATE %s;", st->name);
	PQclear(st->r);
	free(st->params);
	free(st->values);
	free(st->lengths);
	free(st->formats);
	free(st);
}

static int no_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "database statement: out of memory");
}

static bool is_readable(Oid type)
{
	static const Oid types[] = { PG_BOOL, PG_BYTEA, PG_NAME,    PG_INT8, PG_INT2,
				     PG_INT4, PG_TEXT,  PG_VARCHAR, PG_VOID };

	for (size_t i = 0; i < MD_COUNT(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* What the server made of the statement: types of parameters and columns. */
static int learn(struct db_stmt *st, const PGresult *r, struct md_err *err)
{
	st->n = (size_t)PQnparams(r);
	st->columns = (size_t)PQnfields(r);
	for (int i = 0; i < PQnfields(r); i++)
		if (!is_readable(PQftype(r, i)))
			return md_fail(err, MD_BROKEN, 0, "column %s of a statement needs a CAST",
				       PQfname(r, i));
	st->params = md_calloc(st->n + 1, sizeof *st->params);
	st->values = md_calloc(st->n + 1, sizeof *st->values);
	st->lengths = md_calloc(st->n + 1, sizeof *st->lengths);
	st->formats = md_calloc(st->n + 1, sizeof *st->formats);
	if (!st->params || !st->values || !st->lengths || !st->formats)
		return no_memory(err);
	for (size_t i = 0; i < st->n; i++)
		st->params[i].type = PQparamtype(r, (int)i);
	return MD_OK;
}

int pg_prepare(struct db_link *l, const char *sql, struct db_stmt **ret, struct md_err *err)
{
	static const char what[] = "database statement";
	md_auto(pg_finalize_p) struct db_stmt *st = md_calloc(1, sizeof *st);
	md_auto(pg_clear) PGresult *r = NULL;
	char name[sizeof st->name];
	int rc;

	if (!st)
		return no_memory(err);
	st->l = l;
	snprintf(name, sizeof name, "s%u", ++l->prepared);
	if (pg_is_lost(l) || !PQsendPrepare(l->pg, name, sql, 0, NULL))
		return pg_lost(l, what, err);
	rc = pg_finish(l, what, pg_deadline(l), NULL, err);
	if (rc != MD_OK)
		return rc;
	memcpy(st->name, name, sizeof name);
	if (!PQsendDescribePrepared(l->pg, name))
		return pg_lost(l, what, err);
	rc = pg_finish(l, what, pg_deadline(l), &r, err);
	if (rc == MD_OK)
		rc = learn(st, r, err);
	if (rc == MD_OK)
		*ret = md_take(st);
	return rc;
}

/* Binary where the type is what we have; else its text, as the server would read it in SQL. */
static void bind_one(struct db_stmt *st, size_t i, const struct db_arg *v)
{
	struct param *p = &st->params[i];

	st->formats[i] = 0;
	st->lengths[i] = (int)v->n;
	switch (v->kind) {
	case DB_KIND_NULL:
		st->values[i] = NULL;
		break;
	case DB_KIND_INT:
		st->formats[i] = p->type == PG_INT8;
		p->number = htobe64((uint64_t)v->integer);
		snprintf(p->digits, sizeof p->digits, "%lld", (long long)v->integer);
		st->values[i] = p->type == PG_INT8 ? (const char *)&p->number : p->digits;
		st->lengths[i] = sizeof p->number;
		break;
	case DB_KIND_TEXT:
		st->values[i] = v->bytes;
		break;
	case DB_KIND_BLOB:
		st->formats[i] = 1;
		st->values[i] = v->bytes;
		break;
	}
}

int pg_bind(struct db_stmt *st, const struct db_arg *args, size_t n, bool one_by_one,
	    struct md_err *err)
{
	if (n != st->n)
		return md_fail(err, MD_BROKEN, 0, "statement takes %zu arguments, %zu given", st->n,
			       n);
	for (size_t i = 0; i < n; i++) {
		if (args[i].n > INT32_MAX)
			return md_fail(err, MD_INPUT, 0, "a value is larger than 2 GiB");
		bind_one(st, i, &args[i]);
	}
	st->one_by_one = one_by_one;
	return MD_OK;
}

static int send_it(struct db_stmt *st, struct md_err *err)
{
	struct db_link *l = st->l;

	if (pg_is_lost(l) || !PQsendQueryPrepared(l->pg, st->name, (int)st->n, st->values,
						  st->lengths, st->formats, 1))
		return pg_lost(l, "database", err);
	if (st->one_by_one)
		PQsetSingleRowMode(l->pg);
	st->sent = true;
	return MD_OK;
}

static int64_t count_of(PGresult *r)
{
	return strtoll(PQcmdTuples(r), NULL, 10);
}

static int step_one_by_one(struct db_stmt *st, bool *ret_row, struct md_err *err)
{
	PGresult *r = NULL;
	int rc;

	pg_clear(&st->r);
	rc = pg_next(st->l, "database", pg_deadline(st->l), &r, err);
	if (rc != MD_OK)
		return rc;
	st->row = 0;
	st->r = r;
	*ret_row = r && PQresultStatus(r) == PGRES_SINGLE_TUPLE;
	if (!r)
		st->sent = false; /* all is read */
	return MD_OK;
}

int pg_step(struct db_stmt *st, bool *ret_row, struct md_err *err)
{
	int rc = MD_OK;
	bool first = !st->sent;

	if (first)
		rc = send_it(st, err);
	if (rc != MD_OK)
		return rc;
	if (st->one_by_one)
		return step_one_by_one(st, ret_row, err);
	if (first) {
		rc = pg_finish(st->l, "database", pg_deadline(st->l), &st->r, err);
		if (rc != MD_OK)
			return rc;
		st->row = -1;
		st->changed = count_of(st->r);
	}
	*ret_row = ++st->row < PQntuples(st->r);
	return MD_OK;
}

size_t pg_columns(struct db_stmt *st)
{
	return st->columns;
}

static int64_t integer_of(const char *bytes, int n)
{
	uint64_t v = n && (bytes[0] & 0x80) ? UINT64_MAX : 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | (unsigned char)bytes[i];
	return (int64_t)v;
}

struct db_arg pg_column(struct db_stmt *st, size_t i)
{
	struct db_arg v = { .kind = DB_KIND_NULL };
	int at = (int)i, n = PQgetlength(st->r, st->row, at);
	const char *bytes = PQgetvalue(st->r, st->row, at);

	if (PQgetisnull(st->r, st->row, at))
		return v;
	switch (PQftype(st->r, at)) {
	case PG_BOOL:
	case PG_INT2:
	case PG_INT4:
	case PG_INT8:
		v.kind = DB_KIND_INT;
		v.integer = integer_of(bytes, n);
		break;
	case PG_VOID:
		break;
	default:
		v.kind = PQftype(st->r, at) == PG_BYTEA ? DB_KIND_BLOB : DB_KIND_TEXT;
		v.bytes = bytes;
		v.n = (size_t)n;
	}
	return v;
}

int64_t pg_changed(struct db_stmt *st)
{
	return st->changed;
}

/* Rows nobody wants any more are read and dropped: libpq takes nothing else before the last. */
void pg_reset(struct db_stmt *st)
{
	pg_clear(&st->r);
	if (st->sent && st->one_by_one)
		pg_finish(st->l, "database", pg_deadline(st->l), NULL, NULL);
	st->sent = false;
}

/* db_pg_rows.c - many rows in one statement: a column is an array, in PostgreSQL's binary form (its
 * array_recv()), and unnest() makes rows of them. */
#include "db_gather.h"
#include "db_pg_stmt.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column_type {
	Oid type, array;
	const char *name;
} column_types[] = {
	{ PG_INT8, PG_INT8_ARRAY, "bigint" },
	{ PG_TEXT, PG_TEXT_ARRAY, "text" },
	{ PG_BYTEA, PG_BYTEA_ARRAY, "bytea" },
};

static int no_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "database rows: out of memory");
}

static const struct column_type *type_of(Oid type)
{
	for (size_t i = 0; i < MD_COUNT(column_types); i++)
		if (column_types[i].type == type || column_types[i].array == type)
			return &column_types[i];
	return NULL;
}

/* ---- the statement ---- */

/* Behind the parenthesis that ends the list. */
static const char *end_of_list(const char *at)
{
	int depth = 1;

	for (; *at && depth; at++)
		depth += (*at == '(') - (*at == ')');
	return depth ? NULL : at;
}

/* "$2" becomes "v.c2". */
static void add_values(struct buf *out, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (*at == '$')
			buf_adds(out, "v.c");
		else
			buf_addc(out, *at);
	}
}

/* "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT ..." becomes "INSERT INTO t (a, b) SELECT v.c1,
 * v.c2 FROM unnest($1::bigint[], $2::text[]) AS v(c1, c2) ON CONFLICT ...". */
static int rewrite(const char *sql, const struct db_stmt *one, struct buf *out, struct md_err *err)
{
	static const char values[] = " VALUES (";
	const char *at = strstr(sql, values), *end = at ? end_of_list(at + strlen(values)) : NULL;

	if (!end)
		return md_fail(err, MD_BROKEN, 0, "not a statement for many rows: %s", sql);
	buf_add(out, sql, (size_t)(at - sql));
	buf_adds(out, " SELECT ");
	add_values(out, at + strlen(values), end - 1);
	buf_adds(out, " FROM unnest(");
	for (size_t i = 0; i < one->n; i++) {
		const struct column_type *type = type_of(one->params[i].type);

		if (!type)
			return md_fail(err, MD_BROKEN, 0, "a type without arrays: %s", sql);
		buf_addf(out, "%s$%zu::%s[]", i ? ", " : "", i + 1, type->name);
	}
	buf_adds(out, ") AS v(");
	for (size_t i = 0; i < one->n; i++)
		buf_addf(out, "%sc%zu", i ? ", " : "", i + 1);
	buf_addf(out, ")%s", end);
	return out->status == MD_OK ? MD_OK : no_memory(err);
}

static int prepare(struct db_link *l, const char *sql, struct db_stmt **ret, struct md_err *err)
{
	md_auto(pg_finalize_p) struct db_stmt *one = NULL;
	md_auto(buf_done) struct buf text = BUF_INIT(64 << 10);
	int rc = pg_prepare(l, sql, &one, err); /* it tells the types */

	if (rc == MD_OK)
		rc = rewrite(sql, one, &text, err);
	return rc == MD_OK ? pg_prepare(l, buf_str(&text), ret, err) : rc;
}

/* ---- the arrays ---- */

static void add_int32(struct buf *out, size_t n)
{
	uint32_t v = htobe32((uint32_t)n);

	buf_add(out, &v, sizeof v);
}

static int add_value(struct buf *out, const struct db_arg *v, Oid type, struct md_err *err)
{
	uint64_t number = htobe64((uint64_t)v->integer);

	if (v->kind == DB_KIND_NULL) {
		add_int32(out, UINT32_MAX);
	} else if (v->kind == DB_KIND_INT && type == PG_INT8) {
		add_int32(out, sizeof number);
		buf_add(out, &number, sizeof number);
	} else if (v->kind != DB_KIND_INT && type != PG_INT8) {
		add_int32(out, v->n);
		buf_add(out, v->bytes, v->n);
	} else {
		return md_fail(err, MD_BROKEN, 0, "a value of another type than its column's");
	}
	return MD_OK;
}

/* One dimension, from 1; the flag says that NULLs may be among them. */
static int add_array(struct buf *out, const struct db_row *rows, size_t n, size_t column, Oid type,
		     struct md_err *err)
{
	int rc = MD_OK;

	add_int32(out, 1);
	add_int32(out, 1);
	add_int32(out, type);
	add_int32(out, n);
	add_int32(out, 1);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = add_value(out, &rows[i].v[column], type, err);
	return rc;
}

/* The arrays one behind the other; values point into it once it is complete. */
static int bind(struct db_stmt *st, const struct db_row *rows, size_t n, struct buf *bytes,
		struct md_err *err)
{
	for (size_t i = 0; i < st->n; i++) {
		const struct column_type *type = type_of(st->params[i].type);
		size_t before = bytes->len;
		int rc = type && rows->n == st->n
				 ? add_array(bytes, rows, n, i, type->type, err)
				 : md_fail(err, MD_BROKEN, 0, "%zu values for %zu columns", rows->n,
					   st->n);

		if (rc != MD_OK)
			return rc;
		st->lengths[i] = (int)(bytes->len - before);
		st->formats[i] = 1;
	}
	if (bytes->status != MD_OK)
		return no_memory(err);
	for (size_t i = 0, at = 0; i < st->n; at += (size_t)st->lengths[i++])
		st->values[i] = bytes->data + at;
	return MD_OK;
}

int pg_insert_rows(struct db_link *l, struct db_stmt **slot, const char *sql,
		   const struct db_row *rows, size_t n, struct md_err *err)
{
	static const char what[] = "database rows";
	md_auto(buf_done) struct buf bytes = BUF_INIT(INT32_MAX);
	struct db_stmt *st;
	int rc = *slot ? MD_OK : prepare(l, sql, slot, err);

	if (rc == MD_OK)
		rc = bind(*slot, rows, n, &bytes, err);
	if (rc != MD_OK)
		return rc;
	st = *slot;
	if (l->lost || !PQsendQueryPrepared(l->pg, st->name, (int)st->n, st->values, st->lengths,
					    st->formats, 1))
		return pg_lost(l, what, err);
	return pg_finish(l, what, pg_deadline(l), NULL, err);
}

/* ---- ids ---- */

int pg_take_ids(struct db_link *l, const char *table, int64_t *ret_ids, size_t n,
		struct md_err *err)
{
	md_auto(pg_clear) PGresult *r = NULL;
	char sql[256];
	int rc;

	snprintf(sql, sizeof sql, "SELECT nextval(" SEQUENCE_OF ") FROM generate_series(1, %zu)",
		 table, n);
	rc = pg_run(l, sql, "ids", pg_deadline(l), &r, err);
	if (rc == MD_OK && (!r || PQntuples(r) != (int)n))
		rc = md_fail(err, MD_BROKEN, 0, "ids of %s: no answer", table);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		ret_ids[i] = strtoll(PQgetvalue(r, (int)i, 0), NULL, 10);
	return rc;
}

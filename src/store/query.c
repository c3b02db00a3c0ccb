#include "query.h"

#include <assert.h>
#include <string.h>

static void add_place(struct query *q, struct db_arg arg)
{
	q->n++;
	buf_add(&q->args, &arg, sizeof arg);
	buf_addc(&q->sql, '$');
	buf_addi(&q->sql, (int64_t)q->n);
}

void query_add(struct query *q, const char *piece)
{
	buf_adds(&q->sql, piece);
}

void query_add_arg(struct query *q, const char *piece, struct db_arg arg)
{
	const char *place = strchr(piece, '?');

	assert(place);
	buf_add(&q->sql, piece, (size_t)(place - piece));
	add_place(q, arg);
	buf_adds(&q->sql, place + 1);
}

/* Lengths come in few sizes, so that a connection knows most lists already: the last value again
 * fills up to the next of them. */
static size_t padded(size_t n)
{
	static const size_t sizes[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };

	for (size_t i = 0; i < MD_COUNT(sizes); i++)
		if (n <= sizes[i])
			return sizes[i];
	return n;
}

void query_add_ints(struct query *q, const char *piece, const int64_t *v, size_t n)
{
	buf_adds(&q->sql, piece);
	for (size_t i = 0; i < padded(n); i++) {
		buf_adds(&q->sql, i ? ", " : "(");
		add_place(q, DB_INT(v[i < n ? i : n - 1]));
	}
	buf_adds(&q->sql, ")");
}

void query_add_texts(struct query *q, const char *piece, const char *const *v, size_t n)
{
	buf_adds(&q->sql, piece);
	for (size_t i = 0; i < padded(n); i++) {
		buf_adds(&q->sql, i ? ", " : "(");
		add_place(q, DB_TEXT(v[i < n ? i : n - 1]));
	}
	buf_adds(&q->sql, ")");
}

int query_check(const struct query *q, struct md_err *err)
{
	int status = q->sql.status != MD_OK ? q->sql.status : q->args.status;

	return status == MD_OK
		       ? MD_OK
		       : md_fail(err, status, 0, "database query: %s", md_code_name(status));
}

struct db_args query_args(const struct query *q)
{
	return (struct db_args){ (const struct db_arg *)(const void *)q->args.data, q->n };
}

int query_all(struct query *q, struct db_conn *c, const struct db_map *map, size_t limit,
	      struct arena *arena, void *ret_rows, size_t *ret_n, struct md_err *err)
{
	int rc = query_check(q, err);

	return rc == MD_OK ? db_query(c, buf_str(&q->sql), query_args(q), map, limit, arena,
				      ret_rows, ret_n, err)
			   : rc;
}

int query_count(struct query *q, struct db_conn *c, struct arena *arena, int64_t *ret,
		struct md_err *err)
{
	int rc = query_check(q, err);

	return rc == MD_OK ? db_count(c, buf_str(&q->sql), query_args(q), arena, ret, err) : rc;
}

void query_done(struct query *q)
{
	buf_done(&q->sql);
	buf_done(&q->args);
}

int query_check_list(size_t n, struct md_err *err)
{
	if (n > QUERY_LIST_MAX)
		return md_fail(err, MD_INPUT, 0, "a list of %zu ids is too long", n);
	return MD_OK;
}

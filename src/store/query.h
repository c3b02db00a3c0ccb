/* query.h - SQL put together from constant pieces, with its arguments; private to src/store.
 *
 * A piece holds a "?" for each argument that comes with it; it becomes the next $n. */
#ifndef MAILDESK_STORE_QUERY_H
#define MAILDESK_STORE_QUERY_H

#include <maildesk/base/buf.h>
#include <maildesk/store/db.h>

/* Room for a ticket filter whose lists are all full, which a page by due date with words takes six
 * times. */
enum { QUERY_ARGS_MAX = 4096, QUERY_SQL_MAX = 64 << 10, QUERY_LIST_MAX = 500 };

struct query {
	struct buf sql, args; /* args: of struct db_arg */
	size_t n;
};
#define QUERY_INIT                                                        \
	{                                                                 \
		.sql = BUF_INIT(QUERY_SQL_MAX),                           \
		.args = BUF_INIT(QUERY_ARGS_MAX * sizeof(struct db_arg)), \
	}
void query_add(struct query *q, const char *piece);
void query_add_arg(struct query *q, const char *piece, struct db_arg arg);
/* piece, then "(?, ?, ...)" for n > 0 values */
void query_add_ints(struct query *q, const char *piece, const int64_t *v, size_t n);
void query_add_texts(struct query *q, const char *piece, const char *const *v, size_t n);
/* MD_NOMEM, MD_INPUT: it has more than there is room for. */
int query_check(const struct query *q, struct md_err *err);
struct db_args query_args(const struct query *q); /* borrowed until the next one */
/* Run it: db_query() with what was put together. */
int query_all(struct query *q, struct db_conn *c, const struct db_map *map, size_t limit,
	      struct arena *arena, void *ret_rows, size_t *ret_n, struct md_err *err);
/* The number of a query between QUERY_COUNT_BEGIN and QUERY_COUNT_END. */
int query_count(struct query *q, struct db_conn *c, struct arena *arena, int64_t *ret,
		struct md_err *err);
void query_done(struct query *q); /* fits md_auto */

/* Lists of ids come from pages, so they are short: MD_INPUT beyond QUERY_LIST_MAX. */
int query_check_list(size_t n, struct md_err *err);

/* A total is exact up to 1,000; 1,001 means "more": counting all would cost more than the page. */
enum { QUERY_COUNT_EXACT = 1000 };
#define QUERY_COUNT_BEGIN "SELECT COUNT(*) FROM (SELECT 1"
#define QUERY_COUNT_END " LIMIT 1001) AS counted"

#endif

/* transfer_page.h - walking a table in key order, page by page; for transfer.c and
 * transfer_sums.c. */
#ifndef MAILDESK_STORE_TRANSFER_PAGE_H
#define MAILDESK_STORE_TRANSFER_PAGE_H

#include "db_conn.h"
#include "transfer_plan.h"

#include <maildesk/base/buf.h>

enum { TRANSFER_TEXT_MAX = 256 << 10 /* bytes of a statement */ };

/* Where the walk is: behind the row with these keys. */
struct transfer_cursor {
	const struct transfer_table *t;
	bool begun;
	int64_t limit; /* rows of the next page; 0: not known yet */
	struct db_arg keys[TRANSFER_KEYS_MAX];
	struct arena arena; /* of textual keys */
};
#define TRANSFER_CURSOR(table)                             \
	{                                                  \
		.t = (table), .arena = ARENA_INIT(1 << 20) \
	}
void transfer_cursor_done(struct transfer_cursor *at); /* fits md_auto */
/* `row`: all columns of the table. */
int transfer_cursor_move(struct transfer_cursor *at, const struct db_arg *row, struct md_err *err);

/* What is read from. A desk at work is read in one read transaction, so that all tables are of the
 * same instant. */
struct transfer_side {
	struct db *db;
	struct db_conn *snapshot; /* NULL: nobody changes it, each page is a read of its own */
};

/* One page of rows to `fn`, which may end it early by TRANSFER_ENOUGH; the cursor moves behind
 * the last row `fn` took. *ret_rows is 0 at the end of the table. */
enum { TRANSFER_ENOUGH = 1 };
int transfer_page(const struct transfer_side *side, struct transfer_cursor *at, db_values_fn fn,
		  void *ctx, int64_t *ret_rows, struct md_err *err);

/* "a, b" */
void transfer_add_columns(struct buf *sql, const struct transfer_table *t, const size_t *which,
			  size_t n);

#endif

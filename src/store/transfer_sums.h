/* transfer_sums.h - count and checksum of a table; private to src/store. */
#ifndef MAILDESK_STORE_TRANSFER_SUMS_H
#define MAILDESK_STORE_TRANSFER_SUMS_H

#include "transfer_page.h"

#include <maildesk/store/transfer.h>

/* Called after each page with its rows. */
typedef void (*transfer_step)(const struct transfer_table *t, int64_t rows, void *ctx);

/* A sum row by row, in key order. */
struct transfer_summing {
	struct sha256 *hash;
	struct buf row;
	int64_t rows;
};
int transfer_sum_begin(struct transfer_summing *s, struct md_err *err);
int transfer_sum_row(struct transfer_summing *s, const struct db_arg *row, size_t n,
		     struct md_err *err);
/* Always, also after a failure. */
void transfer_sum_end(struct transfer_summing *s, const char *table, struct transfer_sum *ret);

int transfer_sum_table(struct db *db, const struct transfer_table *t, transfer_step step, void *ctx,
		       struct transfer_sum *ret, struct md_err *err);

/* transfer_plan() of the schema in this program, without the tables that stay. */
int transfer_tables(struct arena *a, struct transfer_table **ret, size_t *ret_n,
		    struct md_err *err);

#endif

/* transfer_sums.h - count and checksum of a table; private to src/store. */
#ifndef MAILDESK_STORE_TRANSFER_SUMS_H
#define MAILDESK_STORE_TRANSFER_SUMS_H

#include "transfer_page.h"

#include <maildesk/store/transfer.h>

/* Called after each page with its rows. */
typedef void (*transfer_step)(const struct transfer_table *t, int64_t rows, void *ctx);

int transfer_sum_table(struct db *db, const struct transfer_table *t, transfer_step step, void *ctx,
		       struct transfer_sum *ret, struct md_err *err);

/* transfer_plan() of the schema in this program, without the tables that stay. */
int transfer_tables(struct arena *a, struct transfer_table **ret, size_t *ret_n,
		    struct md_err *err);

#endif

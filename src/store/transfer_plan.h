/* transfer_plan.h - the tables of a schema, as a copy of all rows has to know them; private to
 * src/store. */
#ifndef MAILDESK_STORE_TRANSFER_PLAN_H
#define MAILDESK_STORE_TRANSFER_PLAN_H

#include <maildesk/base/arena.h>
#include <maildesk/base/err.h>

#include <stdbool.h>

enum { TRANSFER_COLUMNS_MAX = 48, TRANSFER_KEYS_MAX = 4 };

struct transfer_table {
	const char *name;
	const char *columns[TRANSFER_COLUMNS_MAX];
	size_t n;
	size_t keys[TRANSFER_KEYS_MAX]; /* positions in `columns` of the primary key */
	size_t n_keys;
	size_t self;   /* the column that points to a row of this very table; n: none does */
	bool has_id;   /* its key is given by the engine, from a sequence */
	bool has_blob; /* its rows may be some 100 KiB each */
};
/* From the text of schema.sql, in its order: a table stands behind those it refers to. MD_BROKEN
 * for a text that cannot be understood. */
int transfer_plan(const char *schema, struct arena *a, struct transfer_table **ret, size_t *ret_n,
		  struct md_err *err);

#endif

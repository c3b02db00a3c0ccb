/* db_pg_stmt.h - prepared statements of PostgreSQL. db_pg_stmt.c has them one at a time,
 * db_pg_rows.c those that write many rows at once. */
#ifndef MAILDESK_STORE_DB_PG_STMT_H
#define MAILDESK_STORE_DB_PG_STMT_H

#include "db_pg_link.h"

/* Types as pg_type.dat numbers them. */
enum pg_type {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_NAME = 19,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_VARCHAR = 1043,
	PG_VOID = 2278,
	PG_BYTEA_ARRAY = 1001,
	PG_TEXT_ARRAY = 1009,
	PG_INT8_ARRAY = 1016,
};

struct param {
	Oid type;
	uint64_t number; /* in network order */
	char digits[24];
};

struct db_stmt {
	struct db_link *l;
	char name[16];
	size_t n;
	struct param *params;
	const char **values;
	int *lengths, *formats;
	PGresult *r;
	int row;
	bool sent, one_by_one;
	int64_t changed;
	size_t columns;
};

/* The sequence of a table's ids, as an expression. */
#define SEQUENCE_OF "CAST(pg_get_serial_sequence('%s', 'id') AS regclass)"

/* Members of struct db_driver (db_driver.h). */
int pg_prepare(struct db_link *l, const char *sql, struct db_stmt **ret, struct md_err *err);
void pg_finalize(struct db_stmt *st);
MD_DEFINE_AUTO(struct db_stmt *, pg_finalize)
int pg_bind(struct db_stmt *st, const struct db_arg *args, size_t n, bool one_by_one,
	    struct md_err *err);
int pg_step(struct db_stmt *st, bool *ret_row, struct md_err *err);
size_t pg_columns(struct db_stmt *st);
struct db_arg pg_column(struct db_stmt *st, size_t i);
int64_t pg_changed(struct db_stmt *st);
void pg_reset(struct db_stmt *st);
int pg_take_ids(struct db_link *l, const char *table, int64_t *ret_ids, size_t n,
		struct md_err *err);
int pg_insert_rows(struct db_link *l, struct db_stmt **slot, const char *sql,
		   const struct db_row *rows, size_t n, struct md_err *err);

#endif

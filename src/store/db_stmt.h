/* db_stmt.h - statements in use: db_stmt.c prepares and runs them, db_rows.c says what becomes of
 * their rows. */
#ifndef MAILDESK_STORE_DB_STMT_H
#define MAILDESK_STORE_DB_STMT_H

#include "db_conn.h"

/* A prepared statement while it runs; it stays the connection's. The cleanup hands it back clean.
 */
struct stmt_use {
	const struct db_driver *driver;
	struct db_stmt *st;
};

void stmt_use_end(struct stmt_use *u);

/* Prepare it, or take the one that this connection keeps: of a constant of the program, or of a
 * text put together at run time. Writes that were gathered (db_gather.h) and that it could see go
 * first. */
int stmt_use_constant(struct db_conn *c, const struct db_sql *sql, struct stmt_use *u,
		      struct md_err *err);
int stmt_use_text(struct db_conn *c, const char *sql, struct stmt_use *u, struct md_err *err);

/* The columns of the row the statement stands at are u->driver->column(u->st, i), until it returns.
 * What it returns other than MD_OK ends the run. */
typedef int (*stmt_row_fn)(const struct stmt_use *u, void *ctx, struct md_err *err);

/* As a limit: no limit, and rows come one by one instead of all being in memory first. */
#define STMT_ONE_BY_ONE SIZE_MAX

/* Run to the end, or to the first row beyond `limit`: an engine counts changes and checks
 * constraints of a RETURNING statement only when asked for the row after the last. */
int stmt_run(struct db_conn *c, const struct stmt_use *u, struct db_args args, size_t limit,
	     stmt_row_fn fn, void *ctx, struct md_err *err);

#endif

/* db_lite.h - what the files of the SQLite engine share: db_sqlite.c (connections, transactions)
 * and db_lite_stmt.c (statements). */
#ifndef MAILDESK_STORE_DB_LITE_H
#define MAILDESK_STORE_DB_LITE_H

#include "db_driver.h"

#include <sqlite3.h>

/* What each transaction begins and ends with, prepared once: parsing it costs more than it does. */
enum control { CONTROL_READ, CONTROL_WRITE, CONTROL_COMMIT, CONTROL_ROLLBACK, CONTROLS };

struct db_link {
	sqlite3 *db;
	sqlite3_stmt *control[CONTROLS];
	bool has_wal;
	int wal_pages, checkpoint_at;
};

/* SQLite's failure `rc` as ours: MD_AGAIN, MD_CONFLICT, MD_NOMEM, MD_INPUT or MD_BROKEN, with
 * advice for the person who has to mend it. `what` was tried; `db` may be NULL. */
int lite_fail(sqlite3 *db, int rc, const char *what, struct md_err *err);

/* Members of struct db_driver (db_driver.h). */
int lite_prepare(struct db_link *l, const char *sql, struct db_stmt **ret, struct md_err *err);
void lite_finalize(struct db_stmt *st);
int lite_bind(struct db_stmt *st, const struct db_arg *args, size_t n, bool one_by_one,
	      struct md_err *err);
int lite_step(struct db_stmt *st, bool *ret_row, struct md_err *err);
size_t lite_columns(struct db_stmt *st);
struct db_arg lite_column(struct db_stmt *st, size_t i);
int64_t lite_changed(struct db_stmt *st);
void lite_reset(struct db_stmt *st);

#endif

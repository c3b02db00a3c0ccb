/* db_conn.h - a connection and its database, as the files of db.h see them: db.c (connections and
 * transactions), db_stmt.c, db_rows.c, db_count.c, db_gather.c. */
#ifndef MAILDESK_STORE_DB_CONN_H
#define MAILDESK_STORE_DB_CONN_H

#include "db_driver.h"
#include "db_gather.h"
#include "db_gate.h"

#include <maildesk/base/codec.h>

/* A statement put together at run time. Lists have few shapes, so most are met again. */
enum { DB_TEXTS_KEPT = 24 };
struct db_text {
	char *sql;
	size_t n; /* its length: most of what differs, differs by it */
	struct db_stmt *st;
	uint64_t used; /* db_conn.uses at the last one */
};

/* What was counted the last time, as long as nothing was changed: lists are asked for over and
 * over, and counting is most of what they cost. */
enum { DB_COUNTS_KEPT = 16 };
struct db_count {
	uint8_t what[SHA256_BYTES]; /* statement and arguments */
	int64_t version, n;
};

struct db_conn {
	struct db *db;
	struct db_link *link;
	struct db_stmt **cache;      /* by position in the section */
	struct db_stmt **rows_cache; /* for several rows; likewise */
	struct db_text texts[DB_TEXTS_KEPT];
	struct db_count counts[DB_COUNTS_KEPT];
	size_t next_count;
	uint64_t uses;
	enum db_use use;
	unsigned shared; /* so many more db_read_done() only count */
	bool busy;       /* the engine said MD_AGAIN in this transaction */
	int doomed;      /* not MD_OK: the engine rolled back, nothing more may run */
	struct db_gather gather;
	struct db_conn *next;
};

struct db {
	const struct db_driver *driver;
	char *address;
	int64_t busy_ms;
	bool lazy;               /* new connections to write commit so */
	struct db_gate gates[2]; /* by enum db_use */
	pthread_mutex_t pool_lock;
	struct db_conn *pools[2]; /* connections nobody uses, by enum db_use */
};

/* A statement put together at run time whose rows are passed on as they are, with kinds and NULLs.
 * What `fn` (NULL for a statement without rows) is given lives for the call; what it returns other
 * than MD_OK ends the run. */
typedef int (*db_values_fn)(const struct db_arg *row, size_t n, void *ctx, struct md_err *err);
int db_values(struct db_conn *c, const char *sql, struct db_args args, db_values_fn fn, void *ctx,
	      struct md_err *err);

/* Several rows by one statement, of an engine that has insert_rows(). */
int db_exec_rows(struct db_conn *c, const struct db_sql *sql, const struct db_row *rows, size_t n,
		 struct md_err *err);
/* Every failure of the engine passes here once; returns rc. */
int db_engine_failed(struct db_conn *c, int rc);
/* Ends what db_stmt.c prepared for this connection, and forgets its counts. */
void db_forget_statements(struct db_conn *c);

#endif

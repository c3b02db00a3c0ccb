/* db_driver.h - what an engine has to do for db.c; private to src/store.
 *
 * A driver knows its library and nothing of transactions with retry, caching, threads or rows: that
 * is db.c's. One connection is used by one thread at a time. Failures come as enum md_code:
 * MD_AGAIN for everything that the same transaction, run again, may get past; MD_CONFLICT for
 * constraints; MD_UNKNOWN from commit only. A second engine is one more struct db_driver and its
 * row in db.c. */
#ifndef MAILDESK_STORE_DB_DRIVER_H
#define MAILDESK_STORE_DB_DRIVER_H

#include <maildesk/store/db.h>

struct db_link; /* a driver's connection */
struct db_stmt; /* a driver's prepared statement */

enum db_use { DB_USE_READ, DB_USE_WRITE };

struct db_token {
	const char *name; /* "{ID}" */
	const char *text;
};

struct db_driver {
	const char *scheme;            /* "sqlite": what stands before the colon */
	const struct db_token *tokens; /* ended by a NULL name */

	/* `address` is what follows the colon. Locks are waited for `wait_ms` at most. */
	int (*connect)(const char *address, enum db_use use, int64_t wait_ms, struct db_link **ret,
		       struct md_err *err);
	void (*disconnect)(struct db_link *l);
	/* The connection is gone for good: db.c opens another one. */
	bool (*is_lost)(const struct db_link *l);

	/* A read transaction sees one state of the database from its first statement on. */
	int (*begin)(struct db_link *l, enum db_use use, struct md_err *err);
	/* Nothing is left open, whatever comes back. */
	int (*commit)(struct db_link *l, struct md_err *err);
	void (*rollback)(struct db_link *l);
	/* False after the engine itself rolled back (disk full, no memory). */
	bool (*in_transaction)(const struct db_link *l);
	/* Several statements without arguments: schema and migrations. */
	int (*script)(struct db_link *l, const char *sql, struct md_err *err);

	/* To be used again and again. */
	int (*prepare)(struct db_link *l, const char *sql, struct db_stmt **ret,
		       struct md_err *err);
	void (*finalize)(struct db_stmt *st);
	/* Argument i belongs to the parameter named $(i+1); borrowed until reset. */
	int (*bind)(struct db_stmt *st, const struct db_arg *args, size_t n, struct md_err *err);
	int (*step)(struct db_stmt *st, bool *ret_row, struct md_err *err);
	size_t (*columns)(struct db_stmt *st);
	/* A column of the current row, borrowed until the next step; text and blob with NULL bytes
	 * mean that memory ran out. */
	struct db_arg (*column)(struct db_stmt *st, size_t i);
	/* Rows changed; valid after the step that returned no row. */
	int64_t (*changed)(struct db_stmt *st);
	void (*reset)(struct db_stmt *st);
};
extern const struct db_driver db_sqlite;

/* The statement text of an engine: tokens replaced. The caller frees; NULL without memory. */
char *db_expand(const struct db_driver *driver, const char *sql);
/* Run a script with tokens inside a transaction. */
int db_script(struct db_conn *c, const char *sql, struct md_err *err);

#endif

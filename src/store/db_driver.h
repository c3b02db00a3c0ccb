/* db_driver.h - what an engine has to do for db.c; private to src/store.
 *
 * A driver knows its library and nothing of transactions with retry, caching, threads or rows: that
 * is db.c's. One connection is used by one thread at a time. Failures come as enum md_code:
 * MD_AGAIN for everything that the same transaction, run again, may get past; MD_CONFLICT for
 * constraints; MD_UNKNOWN from commit only. An engine is a struct db_driver and its row in db.c. */
#ifndef MAILDESK_STORE_DB_DRIVER_H
#define MAILDESK_STORE_DB_DRIVER_H

#include <maildesk/desk/searchquery.h>
#include <maildesk/store/db.h>

struct db_link; /* a driver's connection */
struct db_stmt; /* a driver's prepared statement */
struct db_row;  /* db_gather.h */

enum db_use { DB_USE_READ, DB_USE_WRITE };

struct db_token {
	const char *name; /* "{ID}" */
	const char *text;
};

/* What became of a transaction whose commit was not answered. */
enum db_fate { DB_FATE_DONE, DB_FATE_NOT_DONE, DB_FATE_OPEN };

struct db_driver {
	const char *scheme;            /* "sqlite": what stands before the colon */
	const char *form;              /* "sqlite:PATH", for people */
	const struct db_token *tokens; /* ended by a NULL name */
	/* The query for {MATCH}, as its engine writes it; `in_body`: a term must be in the body. */
	void (*put_match)(struct buf *out, const struct search_query *q, bool in_body);
	/* The {VECTOR} of a document, from its words (desk/searchtext.h). NULL where the engine
	 * takes the words themselves. */
	void (*put_words)(struct buf *out, const char *title, const char *body);
	/* A number that another one follows when somebody else has committed anything; asked within
	 * a transaction it is of what that sees. NULL where the engine has none. */
	const char *version_sql;
	/* Commits of that connection return before they are on disk, in their order. */
	const char *lazy_sql;
	int writers, readers; /* transactions at a time in one process */
	/* How long a writer waits in the engine for another one: shorter than the limit of
	 * db_txn(), which then runs the transaction again. */
	int64_t write_wait_ms;

	/* `address` is what follows the colon. Locks are waited for `wait_ms` at most. */
	int (*connect)(const char *address, enum db_use use, int64_t wait_ms, struct db_link **ret,
		       struct md_err *err);
	void (*disconnect)(struct db_link *l);
	/* Is there a password in the address? NULL where there never is. */
	bool (*has_password)(const char *address);
	/* The connection is gone for good: db.c opens another one. */
	bool (*is_lost)(const struct db_link *l);
	/* Gives back what an unused one keeps in memory of the database; NULL: nothing. */
	void (*slim)(struct db_link *l);

	/* A read transaction sees one state of the database from its first statement on. */
	int (*begin)(struct db_link *l, enum db_use use, struct md_err *err);
	/* Nothing is left open, whatever comes back. */
	int (*commit)(struct db_link *l, struct md_err *err);
	/* After MD_UNKNOWN from commit: asked on another connection what became of it. MD_UNKNOWN
	 * when that cannot be known any more. NULL where commit never gives MD_UNKNOWN. */
	int (*fate)(struct db_link *l, const struct db_link *lost, enum db_fate *ret,
		    struct md_err *err);
	void (*rollback)(struct db_link *l);
	/* False once nothing more can be done in it: the engine rolled back (disk full, no memory),
	 * or takes only a rollback after an error. */
	bool (*in_transaction)(const struct db_link *l);
	/* In the latter case: one to a savepoint would bring it back. */
	bool (*can_undo_part)(const struct db_link *l);
	/* Topics of db.h: to be told with the commit; heard on a connection of its own, where
	 * `hear` does not wait. All NULL where the engine has no such thing. */
	void (*notify)(struct db_link *l, enum db_topic topic);
	int (*listen)(struct db_link *l, struct md_err *err);
	int (*descriptor)(const struct db_link *l);
	int (*hear)(struct db_link *l, unsigned *ret_topics, struct md_err *err);
	/* Several statements without arguments: schema and migrations. */
	int (*script)(struct db_link *l, const char *sql, struct md_err *err);

	/* The last id that a table's {ID} gave or was told of; 0 for none. */
	int (*last_id)(struct db_link *l, const char *table, int64_t *ret, struct md_err *err);
	/* The next one is larger than `id` > 0, in a write transaction. */
	int (*set_last_id)(struct db_link *l, const char *table, int64_t id, struct md_err *err);

	/* That many more, of which no other gets any; NULL where one writer counts on from
	 * last_id().
	 */
	int (*take_ids)(struct db_link *l, const char *table, int64_t *ret_ids, size_t n,
			struct md_err *err);
	/* Rows by one statement made from "INSERT INTO ... VALUES ($1, ..., $n)" and what may
	 * follow; kept in *slot. NULL where rows one by one cost no more. */
	int (*insert_rows)(struct db_link *l, struct db_stmt **slot, const char *sql,
			   const struct db_row *rows, size_t n, struct md_err *err);

	/* To be used again and again. */
	int (*prepare)(struct db_link *l, const char *sql, struct db_stmt **ret,
		       struct md_err *err);
	void (*finalize)(struct db_stmt *st);
	/* Argument i belongs to the parameter named $(i+1); borrowed until reset. With `one_by_one`
	 * rows are not collected in memory, and the connection does nothing else until reset. */
	int (*bind)(struct db_stmt *st, const struct db_arg *args, size_t n, bool one_by_one,
		    struct md_err *err);
	int (*step)(struct db_stmt *st, bool *ret_row, struct md_err *err);
	size_t (*columns)(struct db_stmt *st);
	/* A column of the current row, borrowed until the next step; text and blob with NULL bytes
	 * mean that memory ran out. */
	struct db_arg (*column)(struct db_stmt *st, size_t i);
	/* Rows changed; valid after the step that returned no row. */
	int64_t (*changed)(struct db_stmt *st);
	void (*reset)(struct db_stmt *st);
};
extern const struct db_driver db_sqlite, db_postgres;

/* db_sqlite_seal.c: a closed SQLite database, whole in one file and on disk. */
int db_sqlite_seal(const char *path, struct md_err *err);

/* search_match.c */
void search_match_fts5(struct buf *out, const struct search_query *q, bool in_body);
void search_match_tsquery(struct buf *out, const struct search_query *q, bool in_body);
void search_put_tsvector(struct buf *out, const char *title, const char *body);

/* The statement text of an engine: tokens replaced. The caller frees; NULL without memory. */
char *db_expand(const struct db_driver *driver, const char *sql);
/* Run a script with tokens inside a transaction. */
int db_script(struct db_conn *c, const char *sql, struct md_err *err);

#endif

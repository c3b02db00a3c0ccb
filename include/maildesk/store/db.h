/* db.h - one small database API over SQLite and PostgreSQL.
 *
 * Statements are constants made by DB_SQL and written in the SQL that SQLite >= 3.40 and PostgreSQL
 * >= 15 share; parameters are $1..$n in order of first appearance, and the few differences are the
 * tokens of schema.sql plus {SKIP} (FOR UPDATE SKIP LOCKED, or nothing) and {NOW} (the database's
 * clock, in milliseconds). Every statement of the program lies in one linker section, so a test can
 * prepare them all.
 *
 * Writing is done in whole transactions by db_txn(), each as if it were alone; reads by a
 * connection of the calling thread. Codes: MD_AGAIN busy after all retries, MD_CONFLICT a
 * constraint, MD_INPUT a value the engine cannot hold, MD_UNKNOWN a commit whose outcome nobody
 * could tell within the busy time-out, MD_REFUSED what an administrator must set right, MD_BROKEN
 * disk, schema or bug, MD_NOTFOUND no row (db_one only).
 *
 * After a failure other than MD_NOTFOUND a transaction may take nothing more but the end of the
 * part (db_savepoint()) it happened in: PostgreSQL ends it, and all later calls say so. What a
 * caller wants to survive is told without one: ON CONFLICT DO NOTHING. */
#ifndef MAILDESK_STORE_DB_H
#define MAILDESK_STORE_DB_H

#include <maildesk/base/arena.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* err->native of an MD_BROKEN that means: no room left on the disk (SQLITE_FULL, SQLSTATE 53100).
 */
enum { DB_NATIVE_FULL = 13 };

struct db;      /* an open database; shared by all threads */
struct db_conn; /* the writer inside db_txn(), or a reader of this thread */

struct db_sql {
	const char *text;
};
#define DB_SQL(name, sql)               \
	static const struct db_sql name \
		__attribute__((used, section("db_sql"), aligned(sizeof(void *)))) = { sql }
/* All statements of the program. */
extern const struct db_sql __start_db_sql[], __stop_db_sql[];

/* Arguments by value, typed: db_exec(c, &sql, DB_ARGS(DB_INT(id), DB_TEXT(title)), &n, err) */
enum db_kind { DB_KIND_NULL, DB_KIND_INT, DB_KIND_TEXT, DB_KIND_BLOB };
struct db_arg {
	enum db_kind kind;
	int64_t integer;
	const void *bytes;
	size_t n;
};
struct db_args {
	const struct db_arg *v;
	size_t n;
};
#define DB_ARGS(...)                                                        \
	((struct db_args){ (const struct db_arg[]){ __VA_ARGS__ },          \
			   sizeof((const struct db_arg[]){ __VA_ARGS__ }) / \
				   sizeof(struct db_arg) })
#define DB_NONE ((struct db_args){ NULL, 0 })
#define DB_INT(v) ((struct db_arg){ .kind = DB_KIND_INT, .integer = (v) })
struct db_arg DB_ID(int64_t id_or_zero); /* 0 is NULL; also for instants that are not set */
struct db_arg DB_TEXT(const char *s);    /* NULL is NULL; borrowed for the call */
struct db_arg DB_BLOB(const void *bytes, size_t n);

/* The columns of a row, in SELECT order, and where they go. NULL integers become 0, NULL texts
 * NULL. */
enum db_col_kind { DB_COL_INT, DB_COL_BOOL, DB_COL_TEXT, DB_COL_BLOB };
struct db_col {
	enum db_col_kind kind;
	size_t at; /* DB_COL_INT int64_t, DB_COL_BOOL bool, DB_COL_TEXT const char *, DB_COL_BLOB
		      struct rec_bytes */
};
struct db_map {
	size_t size; /* of the struct */
	const struct db_col *cols;
	size_t n;
};
#define DB_MAP(S, columns)                                   \
	{                                                    \
		sizeof(struct S), columns, MD_COUNT(columns) \
	}
extern const struct db_map db_map_int; /* one integer column into an int64_t */

/* `where` is "sqlite:PATH" (made if missing, mode 0600) or "postgres:CONNINFO" (of libpq, a URI
 * too). Does not look at the schema: see schema.h. */
int db_open(const char *where, struct db **ret, struct md_err *err);
/* PATH of "sqlite:PATH"; NULL: it is no file. */
const char *db_file(const char *where);
/* Is there a password in it? Then it must not be shown. */
bool db_has_password(const char *where);
/* How long db_txn() and reads wait for others, 5000 unless told. Before threads start. */
void db_set_busy_ms(struct db *db, int64_t busy_ms);
/* Pages that unused connections keep in memory are given back: for a desk with nothing to do. */
void db_slim(struct db *db);
/* Commits are on disk when they return, unless they may be lazy: then a power cut may take the last
 * ones, though never one and leave one after it. The first that is not lazy keeps all before it.
 * While nobody else uses `db`. */
void db_set_lazy(struct db *db, bool lazy);
void db_close(struct db *db);
MD_DEFINE_AUTO(struct db *, db_close)

/* Run `fn` in one write transaction: BEGIN, fn, COMMIT; rolled back unless fn returns
 * MD_OK. On MD_AGAIN from the database the whole of fn runs again, up to the busy time-out, so it
 * must be repeatable: effects outside the database only after db_txn() returned MD_OK. Never call
 * it inside fn; never wait for network, parse or render inside fn. */
typedef int (*db_txn_fn)(struct db_conn *c, void *ctx, struct md_err *err);
int db_txn(struct db *db, db_txn_fn fn, void *ctx, struct md_err *err);
/* A part of a transaction that can be undone alone. Same codes as fn. */
int db_savepoint(struct db_conn *c, db_txn_fn fn, void *ctx, struct md_err *err);

/* A connection for reading, of this thread, that sees one state of the database from its first
 * statement on; give it back soon: an open read keeps the WAL growing. */
int db_read(struct db *db, struct db_conn **ret, struct md_err *err);
void db_read_done(struct db_conn *c);
/* The same connection once more, on this thread: it is open until each was given back. */
struct db_conn *db_read_share(struct db_conn *c);
MD_DEFINE_AUTO(struct db_conn *, db_read_done)

/* Run a statement without rows. ret_changed may be NULL. */
int db_exec(struct db_conn *c, const struct db_sql *sql, struct db_args args, int64_t *ret_changed,
	    struct md_err *err);
/* A row that nobody has to wait for: an INSERT of VALUES ($1, ..., $n), with what
 * may follow, but RETURNING. Where a statement costs a round trip it is kept back and written with
 * others, before any statement that could see it or refer to it and at the latest with the commit.
 * When the database rejects it then, db_txn() runs all of fn again with each row written at once,
 * so that the failure comes from here. */
int db_insert(struct db_conn *c, const struct db_sql *sql, struct db_args args, struct md_err *err);
/* The id of a row to be inserted into `table`, in this transaction. Where this is used for a table,
 * its rows get their ids in no other way. */
int db_new_id(struct db_conn *c, const char *table, int64_t *ret, struct md_err *err);
/* Are rows kept back? Then a failure of db_insert() only means that it is all done again. */
bool db_keeps_rows(const struct db_conn *c);
/* The only row (later ones are ignored). MD_NOTFOUND without one. Texts live in `arena`. */
int db_one(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	   const struct db_map *map, struct arena *arena, void *ret_row, struct md_err *err);
/* All rows, at most `limit` (more: the rest is dropped), as an array in `arena`. */
int db_all(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	   const struct db_map *map, size_t limit, struct arena *arena, void *ret_rows,
	   size_t *ret_n, struct md_err *err);
/* Each row in turn, for what is too large to keep: its texts and blobs live for the call of `fn`
 * only, and it must not use the connection. What `fn` returns other than MD_OK ends the run. */
typedef int (*db_row_fn)(void *row, void *ctx, struct md_err *err);
int db_each(struct db_conn *c, const struct db_sql *sql, struct db_args args,
	    const struct db_map *map, db_row_fn fn, void *ctx, struct md_err *err);
/* One integer: a RETURNING id, a count. MD_NOTFOUND without a row. */
int db_int(struct db_conn *c, const struct db_sql *sql, struct db_args args, int64_t *ret,
	   struct md_err *err);
/* What one daemon does may be something for others to do. Told with the commit, to whoever
 * listens; only a hint, that may get lost: who waits for something looks now and then as well. */
enum db_topic {
	DB_TOPIC_OUTBOX,
	DB_TOPIC_TIMERS,
	DB_TOPIC_LEASES,
	DB_TOPIC_SEARCH,
	DB_TOPIC_EVENTS,
	DB_TOPICS
};
void db_notify(struct db_conn *c, enum db_topic topic);

/* A connection that hears them. *ret is NULL where the engine has no such thing. */
struct db_listener;
int db_listen(struct db *db, struct db_listener **ret, struct md_err *err);
int db_listener_fd(const struct db_listener *l); /* readable: db_hear() may have something */
/* What was told since the last time, a bit 1 << topic each; does not wait. MD_AGAIN: the connection
 * is lost. */
int db_hear(struct db_listener *l, unsigned *ret_topics, struct md_err *err);
void db_listener_close(struct db_listener *l);
MD_DEFINE_AUTO(struct db_listener *, db_listener_close)

/* SQL built at run time, for lists with optional filters; only from constant pieces, never from
 * input. The last ones are kept prepared. */
int db_query(struct db_conn *c, const char *sql, struct db_args args, const struct db_map *map,
	     size_t limit, struct arena *arena, void *ret_rows, size_t *ret_n, struct md_err *err);

/* One number by such a statement. A reader remembers it until something is committed. */
int db_count(struct db_conn *c, const char *sql, struct db_args args, struct arena *arena,
	     int64_t *ret, struct md_err *err);

#endif

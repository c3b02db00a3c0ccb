/* db_sqlite.c - SQLite as an engine of db.c.
 *
 * Durable: WAL with synchronous=FULL, so a commit that returned is on disk. Other processes may use
 * the same file: write transactions begin IMMEDIATE and wait for each other.
 *
 * A database that is not in WAL mode yet is changed by the first write transaction and not by
 * opening it: schema.c looks first, and what it refuses stays as it was.
 *
 * The WAL is copied back every WAL_STEP pages, after the commit that got there. Readers can keep it
 * from starting over; beyond WAL_LARGE pages the checkpoint waits for them a moment and truncates.
 */
#include "db_lite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RECOVERY_MS = 10000, /* who opens it after a crash locks it for as long as that takes */
	WAL_STEP = 4000,     /* pages of 4 KiB */
	WAL_LARGE = 4 * WAL_STEP, /* 64 MB */
};

static const char *const controls[CONTROLS] = {
	[CONTROL_READ] = "BEGIN",
	[CONTROL_WRITE] = "BEGIN IMMEDIATE",
	[CONTROL_COMMIT] = "COMMIT",
	[CONTROL_ROLLBACK] = "ROLLBACK",
};

#define SEARCH_INDEX                                                                  \
	"CREATE VIRTUAL TABLE search_index USING fts5 (title, body, words UNINDEXED," \
	" tokenize = 'ascii');"

static const struct db_token tokens[] = {
	{ "{ID}", "INTEGER PRIMARY KEY AUTOINCREMENT" },
	{ "{INT}", "INTEGER" },
	{ "{BLOB}", "BLOB" },
	{ "{STRICT}", "STRICT" },
	{ "{LITE}", "" },
	{ "{PG}", "-- " },
	{ "{SKIP}", "" },
	{ "{NOW}", "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)" },
	{ "{TABLES}", "(SELECT name FROM sqlite_schema WHERE type = 'table'"
		      " AND substr(name, 1, 7) <> 'sqlite_'"
		      " AND substr(name, 1, 12) <> 'search_index') AS tables" },
	/* Words come ready made: what is no ASCII is part of one. */
	{ "{SEARCH_INDEX}", SEARCH_INDEX },
	{ "{SEARCH_EMPTY}", "DROP TABLE search_index;" SEARCH_INDEX },
	{ "{DOC}", "rowid" },
	{ "{MATCH}", "search_index MATCH" },
	{ "{MATCHER}", "TEXT" },
	{ "{VECTOR}", "TEXT" },
	{ NULL, NULL },
};

/* ---- failures ---- */

static const struct {
	int native;
	enum md_code code;
	const char *advice;
} failures[] = {
	{ SQLITE_BUSY, MD_AGAIN, "another process is using the database" },
	{ SQLITE_LOCKED, MD_AGAIN, "another connection is using the table" },
	{ SQLITE_CONSTRAINT, MD_CONFLICT, "" },
	{ SQLITE_NOMEM, MD_NOMEM, "" },
	{ SQLITE_TOOBIG, MD_INPUT, "a value is larger than the database can hold" },
	{ SQLITE_FULL, MD_BROKEN,
	  "no room left: free space on the file system of the database, nothing else is needed" },
	{ SQLITE_IOERR, MD_BROKEN,
	  "the disk fails: look into the kernel's log, then restart; restore a backup if it "
	  "stays" },
	{ SQLITE_CORRUPT, MD_BROKEN,
	  "the file is damaged: stop the desk, keep a copy, restore the last backup" },
	{ SQLITE_NOTADB, MD_BROKEN,
	  "the file is no database: correct the setting `database` or restore the last backup" },
	{ SQLITE_READONLY, MD_BROKEN,
	  "the desk's user must be able to write the file and its folder" },
	{ SQLITE_CANTOPEN, MD_BROKEN,
	  "the desk's user must be able to read and write the file and its folder" },
	{ SQLITE_PERM, MD_BROKEN, "the desk's user must own the file" },
};

int lite_fail(sqlite3 *db, int rc, const char *what, struct md_err *err)
{
	int native = rc & 0xff;

	/* A full disk shows as an I/O error where the shared-memory file cannot grow. */
	if ((native == SQLITE_IOERR || native == SQLITE_CANTOPEN) && db &&
	    sqlite3_system_errno(db) == ENOSPC)
		native = SQLITE_FULL;
	_Static_assert(DB_NATIVE_FULL == SQLITE_FULL, "the public name of a full disk");
	for (size_t i = 0; i < MD_COUNT(failures); i++) {
		if (failures[i].native == native)
			return md_fail(err, failures[i].code, native, "%s: %s%s%s", what,
				       db ? sqlite3_errmsg(db) : sqlite3_errstr(rc),
				       *failures[i].advice ? "; " : "", failures[i].advice);
	}
	return md_fail(err, MD_BROKEN, native, "%s: %s", what,
		       db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static int execute(struct db_link *l, const char *sql, const char *what, struct md_err *err)
{
	int rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? MD_OK : lite_fail(l->db, rc, what, err);
}

static int run_control(struct db_link *l, enum control which, const char *what, struct md_err *err)
{
	sqlite3_stmt **st = &l->control[which];
	int rc = *st ? SQLITE_OK
		     : sqlite3_prepare_v3(l->db, controls[which], -1, SQLITE_PREPARE_PERSISTENT, st,
					  NULL);

	if (rc == SQLITE_OK) {
		sqlite3_step(*st);
		rc = sqlite3_reset(*st);
	}
	return rc == SQLITE_OK ? MD_OK : lite_fail(l->db, rc, what, err);
}

/* ---- connections ---- */

/* SQLite would make the file readable by all; its -wal and -shm files take their mode from it. Only
 * a new file is opened here: closing a descriptor of one in use would drop this process's locks. */
static int make_private_file(const char *path, struct md_err *err)
{
	static const struct {
		int why;
		const char *advice;
	} ways[] = {
		{ EACCES, "; its folder must belong to the desk's user" },
		{ ENOENT, "; make its folder, or correct the setting `database`" },
		{ ENOTDIR, "; correct the setting `database`" },
		{ ENOSPC, "; make room on that disk" },
		{ EROFS, "; put it where it can be written" },
	};
	md_auto(md_close_p) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int why = errno;
	const char *advice = "";

	if (fd >= 0 || why == EEXIST)
		return MD_OK;
	for (size_t i = 0; i < MD_COUNT(ways); i++)
		advice = ways[i].why == why ? ways[i].advice : advice;
	return md_fail(err, MD_BROKEN, why == ENOSPC ? DB_NATIVE_FULL : why,
		       "cannot make database %s: %s%s", path, strerror(why), advice);
}

static int note_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct db_link *l = ctx;

	(void)db;
	(void)name;
	l->wal_pages = pages;
	return SQLITE_OK;
}

static int set_up(struct db_link *l, enum db_use use, struct md_err *err)
{
	int rc = execute(
		l,
		"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		/* Not cell_size_check: it looks at every cell of a page that is read, for what is
		 * found out as soon as the cell is used; of a large desk it was a tenth of a
		 * request. */
		"PRAGMA trusted_schema = OFF;"
		/* Savepoints else keep their undo log in files: half of the cost of a mail. */
		"PRAGMA temp_store = MEMORY",
		"database settings", err);

	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* "x" is a column, never a text: what PostgreSQL thinks too. */
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	/* KiB, which are taken as they are needed. A group of mails touches some thousand pages,
	 * mostly of indexes. All that a desk of 10,000 tickets is asked for fits into what a reader
	 * has, or the upper levels of all indexes of a million. */
	if (rc == MD_OK)
		rc = execute(l,
			     use == DB_USE_WRITE
				     ? "PRAGMA cache_size = -4000"
				     : "PRAGMA query_only = ON; PRAGMA cache_size = -8000",
			     "database settings", err);
	if (use == DB_USE_WRITE) {
		l->checkpoint_at = WAL_STEP;
		sqlite3_wal_hook(l->db, note_wal, l);
	}
	return rc;
}

static void lite_disconnect(struct db_link *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < CONTROLS; i++)
		sqlite3_finalize(l->control[i]);
	sqlite3_close_v2(l->db);
	free(l);
}
MD_DEFINE_AUTO(struct db_link *, lite_disconnect)

/* Statistics nobody reads would take a lock at every allocation. */
static void set_up_library(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int lite_connect(const char *path, enum db_use use, int64_t wait_ms, struct db_link **ret,
			struct md_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	md_auto(lite_disconnect_p) struct db_link *l = md_calloc(1, sizeof *l);
	int rc;

	pthread_once(&once, set_up_library);
	if (!l)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	if (!*path || *path == ':')
		return md_fail(err, MD_INPUT, 0, "database \"sqlite:%s\": expected sqlite:PATH",
			       path);
	if (use == DB_USE_WRITE) {
		rc = make_private_file(path, err);
		if (rc != MD_OK)
			return rc;
	}
	rc = sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(l->db, 1);
		rc = sqlite3_busy_timeout(l->db, RECOVERY_MS);
	}
	if (rc != SQLITE_OK) {
		lite_fail(l->db, rc, "cannot open", err);
		return md_wrap(err, rc == SQLITE_NOMEM ? MD_NOMEM : MD_BROKEN, "database %s", path);
	}
	rc = set_up(l, use, err);
	if (rc != MD_OK)
		return md_wrap(err, rc, "database %s", path);
	sqlite3_busy_timeout(l->db, (int)wait_ms);
	*ret = md_take(l);
	return MD_OK;
}

/* Asked of one that nobody uses: without memory not even the end of a transaction was possible. */
static bool lite_is_lost(const struct db_link *l)
{
	return !sqlite3_get_autocommit(l->db);
}

static void lite_slim(struct db_link *l)
{
	sqlite3_db_release_memory(l->db);
}

/* ---- transactions ---- */

static int use_wal(struct db_link *l, struct md_err *err)
{
	sqlite3_stmt *st = NULL;
	const char *mode;
	int rc = sqlite3_prepare_v2(l->db, "PRAGMA journal_mode = WAL", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		mode = (const char *)sqlite3_column_text(st, 0);
		l->has_wal = mode && strcmp(mode, "wal") == 0;
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return lite_fail(l->db, rc, "database journal", err);
	if (!l->has_wal)
		return md_fail(err, MD_BROKEN, 0,
			       "the database's file system has no shared memory: "
			       "put it on a local one");
	return execute(l, "PRAGMA journal_size_limit = 25165824", "database journal", err);
}

static int lite_begin(struct db_link *l, enum db_use use, struct md_err *err)
{
	int rc = MD_OK;

	if (use == DB_USE_READ)
		return run_control(l, CONTROL_READ, "begin reading", err);
	if (!l->has_wal)
		rc = use_wal(l, err);
	return rc == MD_OK ? run_control(l, CONTROL_WRITE, "begin writing", err) : rc;
}

static bool lite_in_transaction(const struct db_link *l)
{
	return !sqlite3_get_autocommit(l->db);
}

static void lite_rollback(struct db_link *l)
{
	if (lite_in_transaction(l))
		(void)run_control(l, CONTROL_ROLLBACK, "roll back", NULL);
}

/* Its failures are not the transaction's: a full disk will show again where it matters. */
static void checkpoint_if_due(struct db_link *l)
{
	if (l->wal_pages < l->checkpoint_at - WAL_STEP)
		l->checkpoint_at = WAL_STEP; /* the WAL has started over */
	if (l->wal_pages < l->checkpoint_at)
		return;
	sqlite3_wal_checkpoint_v2(l->db, NULL,
				  l->wal_pages >= WAL_LARGE ? SQLITE_CHECKPOINT_TRUNCATE
							    : SQLITE_CHECKPOINT_PASSIVE,
				  NULL, NULL);
	l->checkpoint_at = l->wal_pages + WAL_STEP;
}

static int lite_commit(struct db_link *l, struct md_err *err)
{
	int rc = run_control(l, CONTROL_COMMIT, "commit", err);

	if (rc != MD_OK)
		lite_rollback(l);
	else
		checkpoint_if_due(l);
	return rc;
}

/* A step may set right what the schema says of a table. */
static int lite_script(struct db_link *l, const char *sql, struct md_err *err)
{
	int rc;

	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	rc = execute(l, sql, "database script", err);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return rc;
}

/* ---- ids: AUTOINCREMENT keeps them in a table ---- */

/* One statement about a table's row of it: its integer, if there is a row. */
static int on_sequence(struct db_link *l, const char *sql, const char *table, int64_t id,
		       int64_t *ret, struct md_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(st) > 1)
		rc = sqlite3_bind_int64(st, 2, id);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && ret)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? MD_OK : lite_fail(l->db, rc, "ids", err);
}

static int lite_last_id(struct db_link *l, const char *table, int64_t *ret, struct md_err *err)
{
	int64_t id = 0;
	int rc = on_sequence(l, "SELECT seq FROM sqlite_sequence WHERE name = ?1", table, 0, &id,
			     err);

	if (rc == MD_OK)
		*ret = id;
	return rc;
}

static int lite_set_last_id(struct db_link *l, const char *table, int64_t id, struct md_err *err)
{
	int rc = on_sequence(l, "DELETE FROM sqlite_sequence WHERE name = ?1", table, 0, NULL, err);

	if (rc != MD_OK)
		return rc;
	return on_sequence(l, "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", table, id,
			   NULL, err);
}

const struct db_driver db_sqlite = {
	.scheme = "sqlite",
	.form = "sqlite:PATH",
	.tokens = tokens,
	.put_match = search_match_fts5,
	.lazy_sql = "PRAGMA synchronous = NORMAL",
	.version_sql = "PRAGMA data_version",
	.writers = 1,
	.readers = INT_MAX,
	.write_wait_ms = 50,
	.connect = lite_connect,
	.disconnect = lite_disconnect,
	.is_lost = lite_is_lost,
	.slim = lite_slim,
	.begin = lite_begin,
	.commit = lite_commit,
	.rollback = lite_rollback,
	.in_transaction = lite_in_transaction,
	.can_undo_part = lite_in_transaction,
	.script = lite_script,
	.last_id = lite_last_id,
	.set_last_id = lite_set_last_id,
	.prepare = lite_prepare,
	.finalize = lite_finalize,
	.bind = lite_bind,
	.step = lite_step,
	.columns = lite_columns,
	.column = lite_column,
	.changed = lite_changed,
	.reset = lite_reset,
};

/* The least SQLite can do to keep these bytes: one row a mail in a table without an index, one
 * durable transaction for 50. The files are named on standard input.
 *
 *	bare_insert DATABASE */
#include "bare.h"

#include <sqlite3.h>

enum { GROUP = 50 };

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		bare_die(sqlite3_errmsg(db));
}

int main(int argc, char **argv)
{
	struct bare_file *files;
	size_t n = bare_map_files(&files);
	sqlite3 *db = NULL;
	sqlite3_stmt *insert = NULL;
	struct bare b;

	if (argc != 2 || sqlite3_open(argv[1], &db) != SQLITE_OK)
		bare_die("usage: bare_insert DATABASE <FILES");
	run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"CREATE TABLE mails (id INTEGER PRIMARY KEY, size INTEGER, bytes BLOB)");
	if (sqlite3_prepare_v2(db, "INSERT INTO mails (size, bytes) VALUES (?, ?)", -1, &insert,
			       NULL) != SQLITE_OK)
		bare_die(sqlite3_errmsg(db));
	b = bare_start();
	for (size_t i = 0; i < n; i++) {
		if (i % GROUP == 0)
			run(db, i ? "COMMIT; BEGIN" : "BEGIN");
		sqlite3_bind_int64(insert, 1, (sqlite3_int64)files[i].n);
		sqlite3_bind_blob64(insert, 2, files[i].bytes, files[i].n, SQLITE_STATIC);
		if (sqlite3_step(insert) != SQLITE_DONE)
			bare_die(sqlite3_errmsg(db));
		sqlite3_reset(insert);
		b.bytes += files[i].n;
	}
	run(db, "COMMIT");
	b.messages = n;
	bare_print(&b);
	sqlite3_finalize(insert);
	sqlite3_close(db);
	return 0;
}

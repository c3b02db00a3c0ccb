/* db_sqlite_seal.c - a database that nobody works on any more becomes one file without a log beside
 * it: it can be copied, and read where nothing can be written. */
#include "db_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

int db_sqlite_seal(const char *path, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		md_fail(err, MD_BROKEN, rc & 0xff, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	if (rc != SQLITE_OK)
		return MD_BROKEN;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	return MD_OK;
}

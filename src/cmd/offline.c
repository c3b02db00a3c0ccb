#include <maildesk/cmd/offline.h>

#include <maildesk/app/audit.h>
#include <maildesk/base/io.h>
#include <maildesk/base/mem.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int note_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	return audit_cli_add(c, ctx, NULL, 0, err);
}

void offline_note(const char *name, struct db *db, const char *action)
{
	struct md_err err = { 0 };

	if (db_txn(db, note_in_txn, (void *)(uintptr_t)action, &err) != MD_OK)
		fprintf(stderr, "maildesk %s: not noted in the audit log: %s\n", name, err.text);
}

int offline_lock(const char *state_dir, int *ret_fd, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", state_dir);
	fd = io_open_or_create(state_dir, path);
	if (fd < 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return md_fail(
			err, MD_AGAIN, 0,
			"a daemon works on this desk: stop it (systemctl stop maildesk), then "
			"try again");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	fd = -1;
	return MD_OK;
}

/* vault_secret.c - the daemon's own secret, in a file beside the database and not in it.
 *
 * It is made in a file of another name and linked to desk.key, so that two programs that start at
 * once agree on one, and a crash leaves none that is half written. */
#include "vault_priv.h"

#include <maildesk/base/io.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_failed(const char *path, struct md_err *err)
{
	int why = errno;

	return md_fail(err, MD_BROKEN, why, "%s: %s%s", path, strerror(why),
		       why == EACCES   ? "; it must belong to the user who runs the daemon, as "
					 "must its folder: chown -R maildesk"
		       : why == ENOSPC ? "; make room on that disk"
				       : "");
}

static int read_secret(const char *path, uint8_t out[VAULT_SECRET], struct md_err *err)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return MD_NOTFOUND;
	if (fd < 0 || fstat(fd, &st) != 0)
		return file_failed(path, err);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return md_fail(err, MD_BROKEN, 0,
			       "%s may be read by others than its owner: chmod 600 %s", path, path);
	if (st.st_size != VAULT_SECRET || read(fd, out, VAULT_SECRET) != VAULT_SECRET)
		return md_fail(
			err, MD_BROKEN, 0,
			"%s is damaged, it should have %d bytes: restore it from a backup, or "
			"remove it (second factors and OAuth sign-ins are then made anew)",
			path, VAULT_SECRET);
	return MD_OK;
}

static int write_secret(int fd, const char *path, struct random *random, struct md_err *err)
{
	uint8_t bytes[VAULT_SECRET];
	bool done;

	random_fill(random, bytes, sizeof bytes);
	done = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
	sodium_memzero(bytes, sizeof bytes);
	return done ? MD_OK : file_failed(path, err);
}

static int make_secret(const char *state_dir, const char *path, struct random *random,
		       struct md_err *err)
{
	md_auto(md_close_p) int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char draft[4200];
	int rc;

	snprintf(draft, sizeof draft, "%s.%ld", path, (long)getpid());
	(void)unlink(draft); /* of a process of that number that was killed here */
	fd = io_create(state_dir, draft);
	if (dir < 0 || fd < 0)
		return file_failed(draft, err);
	rc = write_secret(fd, draft, random, err);
	if (rc == MD_OK && link(draft, path) != 0 && errno != EEXIST)
		rc = file_failed(path, err);
	(void)unlink(draft);
	if (rc == MD_OK && fsync(dir) != 0)
		rc = file_failed(state_dir, err);
	return rc;
}

int vault_load_secret(const char *state_dir, struct random *random, uint8_t ret[VAULT_SECRET],
		      struct md_err *err)
{
	char path[4096];
	int rc;

	snprintf(path, sizeof path, "%s/desk.key", state_dir);
	rc = read_secret(path, ret, err);
	if (rc == MD_NOTFOUND) {
		rc = make_secret(state_dir, path, random, err);
		if (rc == MD_OK)
			rc = read_secret(path, ret, err);
	}
	return rc;
}

int vault_try_key(const char *state_dir, struct md_err *err)
{
	uint8_t secret[VAULT_SECRET];
	char path[4096];
	int rc;

	snprintf(path, sizeof path, "%s/desk.key", state_dir);
	rc = read_secret(path, secret, err);
	sodium_memzero(secret, sizeof secret);
	return rc;
}

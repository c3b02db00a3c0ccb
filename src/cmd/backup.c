/* maildesk backup and restore.
 *
 * A backup appears under its name when it is whole and on disk; what an interrupted one left beside
 * it is thrown away by the next. A restore goes on where it was interrupted, and no desk works on
 * half of it. */
#include <maildesk/store/backup.h>

#include <maildesk/app/desk.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/fault.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/offline.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/progress.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { SUMS_MAX = 1 << 20, MADE_TEXT_MAX = 32, COPY_BYTES = 1 << 20 };

static const char *const beside[] = { "", "-journal", "-wal", "-shm" };

static void remove_database(const char *path)
{
	char file[PATH_MAX];

	for (size_t i = 0; i < MD_COUNT(beside); i++) {
		snprintf(file, sizeof file, "%s%s", path, beside[i]);
		unlink(file);
	}
}

static void put_time(int64_t ms, char out[MADE_TEXT_MAX])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	strftime(out, MADE_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
}

static int sync_folder_of(const char *path, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	char copy[PATH_MAX];

	snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return md_fail(err, MD_BROKEN, errno, "the folder of %s: %s", path,
			       strerror(errno));
	return MD_OK;
}

/* ---- backup ---- */

static char partial[PATH_MAX]; /* of the signal handler: what is to go when it is interrupted */

static void interrupted(int signal_number)
{
	char file[PATH_MAX + 16];
	size_t n = strlen(partial);

	memcpy(file, partial, n + 1);
	for (size_t i = 0; i < MD_COUNT(beside); i++) {
		memcpy(file + n, beside[i], strlen(beside[i]) + 1);
		unlink(file);
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* FILE.partial, empty and ours alone; a backup to the same file that is at work is not disturbed.
 */
static int begin_file(const char *path, int *ret_fd, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	struct stat there;

	if (stat(path, &there) == 0)
		return md_fail(err, MD_REFUSED, 0, "%s exists: name a new file, or remove it first",
			       path);
	if (snprintf(partial, sizeof partial - 8, "%s.partial", path) >= (int)sizeof partial - 8)
		return md_fail(err, MD_INPUT, 0, "%.100s...: the name is too long", path);
	fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return md_fail(err, errno == ENOSPC ? MD_BROKEN : MD_INPUT, errno, "%s: %s",
			       partial, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return md_fail(err, MD_AGAIN, 0, "another backup to %s is running", path);
	*ret_fd = fd;
	fd = -1;
	return MD_OK;
}

static int make(struct db *db, const char *path, struct progress *show, struct arena *arena,
		struct transfer_sum **ret_sums, size_t *ret_n, struct md_err *err)
{
	md_auto(md_close_p) int lock = -1;
	int rc = begin_file(path, &lock, err);

	if (rc != MD_OK)
		return rc;
	/* The lock stays with the name that it has: what an earlier one left is emptied, not
	 * replaced. */
	if (ftruncate(lock, 0) != 0 || fchmod(lock, 0600) != 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", partial, strerror(errno));
	for (size_t i = 1; i < MD_COUNT(beside); i++) {
		char file[PATH_MAX + 16];

		snprintf(file, sizeof file, "%s%s", partial, beside[i]);
		unlink(file);
	}
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	rc = backup_make(db, partial, clock_wall(&clock_system), progress_transfer, show, arena,
			 ret_sums, ret_n, err);
	fault_point("backup_sealed");
	if (rc == MD_OK && link(partial, path) != 0)
		rc = md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	if (rc == MD_OK)
		rc = sync_folder_of(path, err);
	remove_database(partial);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	return rc;
}

static void show_backup(const struct progress *show, const char *path, const char *state_dir,
			const struct transfer_sum *sums, size_t n)
{
	struct stat st = { 0 };
	int64_t rows = 0;

	for (size_t i = 0; i < n; i++)
		rows += sums[i].rows;
	stat(path, &st);
	if (show->json)
		put_json(json_pack("{s:b, s:s, s:I, s:I, s:I}", "done", 1, "file", path, "tables",
				   (json_int_t)n, "rows", (json_int_t)rows, "bytes",
				   (json_int_t)st.st_size));
	else
		printf("%s: %zu tables, %lld rows, %lld MB, compared with the desk row by row.\n"
		       "It has all mail: keep it where only you can read it. Keep %s/desk.key "
		       "too, apart\nfrom it: second factors, OAuth sign-ins and the keys of "
		       "reply addresses are sealed\nwith it.\n",
		       path, n, (long long)rows, (long long)(st.st_size / 1000000), state_dir);
}

int cmd_backup(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "progress and result as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"backup",
		"FILE",
		"Writes the whole desk, contents of mails and files included, as it is at this "
		"instant into\none new file, while the desk works. `maildesk restore FILE` makes a "
		"desk of it.",
		options,
		1,
		1,
	};
	md_auto(arena_done) struct arena arena = ARENA_INIT(SUMS_MAX);
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	struct transfer_sum *sums;
	struct progress show;
	size_t n;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	if ((rc = cmd_open_config(file, &config)) != EX_OK)
		return rc;
	/* Opening it would make it. */
	if (db_file(config->database) && access(db_file(config->database), F_OK) != 0) {
		fprintf(stderr, "maildesk backup: %s: %s\n", config->database, strerror(errno));
		return EX_NOINPUT;
	}
	show = progress_start(json);
	rc = db_open(config->database, &db, &err);
	if (rc == MD_OK)
		offline_note("backup", db, "desk.backup");
	if (rc == MD_OK)
		rc = make(db, argv[first], &show, &arena, &sums, &n, &err);
	progress_end(&show, rc != MD_OK);
	if (rc != MD_OK)
		return cmd_fail_at("backup", rc, &err, EX_CANTCREAT);
	show_backup(&show, argv[first], config->state_dir, sums, n);
	return EX_OK;
}

/* ---- restore ---- */

static int copy_file(const char *from, const char *to, struct md_err *err)
{
	md_auto(md_close_p) int in = open(from, O_RDONLY | O_CLOEXEC);
	md_auto(md_close_p) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = 1;

	if (in < 0 || out < 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", in < 0 ? from : to,
			       strerror(errno));
	while (n > 0)
		n = sendfile(out, in, NULL, COPY_BYTES);
	if (n < 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", to, strerror(errno));
	return MD_OK;
}

/* A backup of an older maildesk is brought up to date in a copy, in the folder of the desk. */
static int advance_copy(const struct config *config, const char *path, struct backup *b,
			char copy[PATH_MAX], struct md_err *err)
{
	int rc;

	if (snprintf(copy, PATH_MAX - 16, "%s/restoring.db", config->state_dir) >= PATH_MAX - 16)
		return md_fail(err, MD_INPUT, 0, "state_dir is too long");
	backup_close(b);
	remove_database(copy);
	rc = copy_file(path, copy, err);
	if (rc == MD_OK)
		rc = backup_open(copy, b, err);
	return rc == MD_OK ? backup_advance(b, err) : rc;
}

static int restore(const struct config *config, const char *path, struct progress *show,
		   struct backup *b, struct restored *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(SUMS_MAX);
	md_auto(db_close_p) struct db *to = NULL;
	md_auto(md_close_p) int lock = -1;
	char copy[PATH_MAX] = "";
	int rc = desk_make_state_dir(config, err);

	if (rc == MD_OK)
		rc = offline_lock(config->state_dir, &lock, err);
	if (rc == MD_OK)
		rc = backup_open(path, b, err);
	if (rc == MD_OK)
		rc = backup_check(b, progress_transfer, show, err);
	if (rc == MD_OK && b->is_older)
		rc = advance_copy(config, path, b, copy, err);
	if (rc == MD_OK)
		rc = desk_connect(config, config->database, &to, err);
	if (rc == MD_OK)
		rc = backup_restore(b, to, clock_wall(&clock_system), progress_transfer, show,
				    &arena, ret, err);
	if (*copy) {
		backup_close(b);
		remove_database(copy);
	}
	return rc;
}

static void show_restored(const struct progress *show, const struct backup *b,
			  const struct restored *r)
{
	char made[MADE_TEXT_MAX];

	put_time(b->made_at, made);
	if (show->json) {
		put_json(json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "done", 1, "made_at",
				   made, "tables", (json_int_t)b->tables, "rows",
				   (json_int_t)b->rows, "held", (json_int_t)r->held, "sessions",
				   (json_int_t)r->sessions, "api_keys", (json_int_t)r->api_keys,
				   "next_ticket", (json_int_t)r->ticket));
		return;
	}
	printf("The desk is as it was at %s: %lld tables, %lld rows, equal to the backup by count "
	       "and\nchecksum.\n",
	       made, (long long)b->tables, (long long)b->rows);
	if (r->held)
		printf("%lld mails that waited to be sent then are held, as they may have been "
		       "sent "
		       "since:\n\tmaildesk outbox list --state held, then retry or cancel each\n",
		       (long long)r->held);
	puts("People who were erased since then are there again: erase them again.");
	printf("%lld sign-ins ended. %lld API keys work as they did then: delete those that were "
	       "not to.\nThe next new ticket is #%lld, as later numbers may have been in mails "
	       "since.\n",
	       (long long)r->sessions, (long long)r->api_keys, (long long)r->ticket);
}

int cmd_restore(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "progress and result as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"restore",
		"FILE",
		"Makes a desk of a backup, in the empty database that the configuration names, of "
		"any engine.\nThe desk is stopped meanwhile. Interrupted, the same command goes "
		"on.",
		options,
		1,
		1,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(backup_close) struct backup b = { 0 };
	struct restored done = { 0 };
	struct md_err err = { 0 };
	struct progress show;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	if ((rc = cmd_open_config(file, &config)) != EX_OK)
		return rc;
	show = progress_start(json);
	rc = restore(config, argv[first], &show, &b, &done, &err);
	progress_end(&show, rc != MD_OK);
	if (rc == MD_OK) {
		show_restored(&show, &b, &done);
		return EX_OK;
	}
	if (rc == MD_UNKNOWN || (rc == MD_AGAIN && show.phase))
		md_wrap(&err, rc, "not finished, the same command goes on with it");
	return cmd_fail_at("restore", rc, &err, EX_NOINPUT);
}

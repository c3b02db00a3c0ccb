/* maildesk migrate: the desk moves to another database.
 *
 * Nobody may work on it meanwhile: this program takes the daemon's lock for as long as it runs, and
 * the store looks for daemons on other machines by their leases. The configuration stays as it is;
 * the last words say what to write into it. */
#include <maildesk/app/config.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/transfer.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { BAR_EACH_MS = 200, LINE_EACH_MS = 2000, BAR_WIDTH = 30, SUMS_MAX = 1 << 20 };

static const char name[] = "migrate";
static const char sqlite[] = "sqlite:";
static const char *const phases[TRANSFER_PHASES] = { "copying", "comparing" };

static bool is_file(const char *database)
{
	return strncmp(database, sqlite, strlen(sqlite)) == 0;
}

/* ---- progress ---- */

struct show {
	bool json, terminal;
	int64_t begun_ms, shown_ms, each_ms;
	int phase;
};

static void put_json(json_t *j)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 20);

	if (j)
		json_write(&out, j);
	if (j && out.status == MD_OK) {
		puts(buf_str(&out));
		fflush(stdout);
	}
	json_decref(j);
}

static void show_text(const struct show *s, const struct transfer_progress *p, int64_t per_second)
{
	int part = p->total ? (int)(p->rows * BAR_WIDTH / p->total) : 0;

	part = part > BAR_WIDTH ? BAR_WIDTH : part;
	if (s->terminal)
		fprintf(stderr, "\r[%.*s%*s] ", part, "##############################",
			BAR_WIDTH - part, "");
	fprintf(stderr, "%s %s: %lld", phases[p->phase], p->table, (long long)p->rows);
	if (p->total)
		fprintf(stderr, " of %lld", (long long)p->total);
	fprintf(stderr, " rows, %lld rows/s%s", (long long)per_second,
		s->terminal ? "\033[K" : "\n");
}

static void show_progress(const struct transfer_progress *p, void *ctx)
{
	struct show *s = ctx;
	int64_t now = clock_mono(&clock_system), took;

	if (s->phase != (int)p->phase) {
		s->phase = (int)p->phase;
		s->begun_ms = now;
	} else if (now - s->shown_ms < s->each_ms) {
		return;
	}
	s->shown_ms = now;
	took = now - s->begun_ms;
	took = p->fresh * 1000 / (took > 0 ? took : 1);
	if (s->json)
		put_json(json_pack("{s:s, s:s, s:I, s:I, s:I}", "phase", phases[p->phase], "table",
				   p->table, "rows", (json_int_t)p->rows, "total",
				   (json_int_t)p->total, "rows_per_second", (json_int_t)took));
	else
		show_text(s, p, took);
}

/* As the configuration wants it. */
static void print_setting(const char *database)
{
	fputs("\n\tdatabase = \"", stdout);
	for (const char *at = database; *at; at++)
		printf(strchr("\"\\", *at) ? "\\%c" : "%c", *at);
	fputs("\"\n\n", stdout);
}

static void show_end(const struct show *s, const char *file, const char *database,
		     const struct transfer_sum *sums, size_t n)
{
	int64_t rows = 0;

	if (s->terminal && !s->json)
		fputs("\r\033[K", stderr);
	for (size_t i = 0; i < n; i++) {
		rows += sums[i].rows;
		if (s->json)
			put_json(json_pack("{s:s, s:I, s:s}", "table", sums[i].table, "rows",
					   (json_int_t)sums[i].rows, "sha256", sums[i].sha256));
	}
	if (s->json) {
		put_json(json_pack("{s:b, s:I, s:I, s:s?}", "done", 1, "tables", (json_int_t)n,
				   "rows", (json_int_t)rows, "database",
				   db_has_password(database) ? NULL : database));
		return;
	}
	printf("The desk has moved: %zu tables, %lld rows, equal on both sides by count and "
	       "checksum.\nSet in %s, and then start the desk:\n",
	       n, (long long)rows, file);
	if (db_has_password(database))
		puts("\tdatabase = the value given by --to, which is not shown as it has a "
		     "password");
	else
		print_setting(database);
	puts("The old database is as it was. Start nothing on it any more; keep it until you have "
	     "a "
	     "backup of the new one.");
}

/* ---- the lock, files ---- */

/* Root runs this, the desk does not run as root: what is made here has the owner of state_dir. */
static void give_to_owner(const char *state_dir, const char *path)
{
	struct stat owner;

	if (geteuid() == 0 && stat(state_dir, &owner) == 0 &&
	    chown(path, owner.st_uid, owner.st_gid) != 0)
		fprintf(stderr, "maildesk %s: chown %s: %s\n", name, path, strerror(errno));
}

static int take_lock(const char *state_dir, int *ret_fd, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	char path[PATH_MAX];
	bool made;

	snprintf(path, sizeof path, "%s/lock", state_dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	made = fd < 0 && errno == ENOENT;
	if (made)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	if (made)
		give_to_owner(state_dir, path);
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

/* "sqlite:PATH" with the whole path: here it is relative to where we are. */
static int whole_target(const char *to, char *out, size_t room, struct md_err *err)
{
	char here[PATH_MAX] = "";
	const char *path = to + strlen(sqlite);
	int n;

	if (!is_file(to) || *path == '/' || *path == '\0')
		n = snprintf(out, room, "%s", to);
	else if (!getcwd(here, sizeof here))
		return md_fail(err, MD_BROKEN, errno, "the current folder: %s", strerror(errno));
	else
		n = snprintf(out, room, "%s%s/%s", sqlite, here, path);
	return n < (int)room ? MD_OK : md_fail(err, MD_INPUT, 0, "--to is too long");
}

/* ---- the move ---- */

static int open_both(const struct config *config, const char *to, struct db **ret_from,
		     struct db **ret_to, struct md_err *err)
{
	bool made = is_file(to) && access(to + strlen(sqlite), F_OK) != 0;
	int rc = db_open(config->database, ret_from, err);

	if (rc == MD_OK)
		rc = db_open(to, ret_to, err);
	if (rc == MD_OK && made)
		give_to_owner(config->state_dir, to + strlen(sqlite));
	return rc;
}

static int move(const struct config *config, const char *to, struct show *show)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(SUMS_MAX);
	md_auto(db_close_p) struct db *old = NULL;
	md_auto(db_close_p) struct db *new = NULL;
	md_auto(md_close_p) int lock = -1;
	struct md_err err = { 0 };
	struct transfer_sum *sums;
	size_t n;
	int rc = take_lock(config->state_dir, &lock, &err);

	if (rc == MD_OK)
		rc = open_both(config, to, &old, &new, &err);
	if (rc == MD_OK)
		rc = transfer_run(old, new, clock_wall(&clock_system), show_progress, show, &arena,
				  &sums, &n, &err);
	if (rc == MD_OK) {
		show_end(show, config->file, to, sums, n);
		return EX_OK;
	}
	if (show->terminal && show->shown_ms && !show->json)
		fputc('\n', stderr);
	if (rc == MD_AGAIN || rc == MD_UNKNOWN)
		md_wrap(&err, rc, "not finished, the same command goes on with it");
	return cmd_fail(name, rc, &err);
}

int cmd_migrate(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *to = NULL;
	struct show show = { .phase = -1 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "to", "DATABASE", &to, "postgres:CONNINFO or sqlite:PATH, empty; needed" },
		{ "json", NULL, &show.json, "progress and checksums as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		name,
		"",
		"Copies the stopped desk into another database, compares the two, and says what to "
		"set.\nThe old database is only read. Interrupted, the same command goes on.",
		options,
		0,
		0,
	};
	md_auto(config_free_p) struct config *config = NULL;
	char whole[2 * PATH_MAX];
	struct md_err err = { 0 };
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (!to) {
		fputs("maildesk migrate: --to is missing\n", stderr);
		return EX_USAGE;
	}
	if (whole_target(to, whole, sizeof whole, &err) != MD_OK)
		return cmd_fail(name, MD_INPUT, &err);
	if ((code = cmd_open_config(file, &config)) != EX_OK)
		return code;
	/* Opening it would make it. */
	if (is_file(config->database) && access(config->database + strlen(sqlite), F_OK) != 0) {
		fprintf(stderr, "maildesk migrate: %s: %s\n", config->database, strerror(errno));
		return EX_NOINPUT;
	}
	show.terminal = isatty(STDERR_FILENO);
	show.each_ms = show.terminal && !show.json ? BAR_EACH_MS : LINE_EACH_MS;
	return move(config, whole, &show);
}

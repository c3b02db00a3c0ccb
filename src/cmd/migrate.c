/* maildesk migrate: the desk moves to another database.
 *
 * Nobody may work on it meanwhile: this program takes the daemon's lock for as long as it runs, and
 * the store looks for daemons on other machines by their leases. The configuration stays as it is;
 * the last words say what to write into it. */
#include <maildesk/app/config.h>
#include <maildesk/base/clock.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/app/desk.h>
#include <maildesk/cmd/offline.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/progress.h>
#include <maildesk/store/transfer.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { SUMS_MAX = 1 << 20 };

static const char name[] = "migrate";
static const char sqlite[] = "sqlite:";

/* As the configuration wants it. */
static void print_setting(const char *database)
{
	fputs("\n\tdatabase = \"", stdout);
	for (const char *at = database; *at; at++)
		printf(strchr("\"\\", *at) ? "\\%c" : "%c", *at);
	fputs("\"\n\n", stdout);
}

static void show_end(struct progress *s, const char *file, const char *database,
		     const struct transfer_sum *sums, size_t n)
{
	int64_t rows = 0;

	progress_end(s, false);
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

/* "sqlite:PATH" with the whole path: here it is relative to where we are. */
static int whole_target(const char *to, char *out, size_t room, struct md_err *err)
{
	char here[PATH_MAX] = "";
	const char *path = to + strlen(sqlite);
	int n;

	if (!db_file(to) || *path == '/' || *path == '\0')
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
	int rc = db_open(config->database, ret_from, err);

	if (rc == MD_OK)
		rc = desk_connect(config, to, ret_to, err);
	return rc;
}

static int move(const struct config *config, const char *to, struct progress *show)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(SUMS_MAX);
	md_auto(db_close_p) struct db *old = NULL;
	md_auto(db_close_p) struct db *new = NULL;
	md_auto(md_close_p) int lock = -1;
	struct md_err err = { 0 };
	struct transfer_sum *sums;
	size_t n;
	int rc = offline_lock(config->state_dir, &lock, &err);

	if (rc == MD_OK)
		rc = open_both(config, to, &old, &new, &err);
	if (rc == MD_OK)
		rc = transfer_run(old, new, clock_wall(&clock_system), progress_transfer, show,
				  &arena, &sums, &n, &err);
	if (rc == MD_OK) {
		show_end(show, config->file, to, sums, n);
		return EX_OK;
	}
	progress_end(show, true);
	if (rc == MD_AGAIN || rc == MD_UNKNOWN)
		md_wrap(&err, rc, "not finished, the same command goes on with it");
	return cmd_fail(name, rc, &err);
}

int cmd_migrate(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *to = NULL;
	bool json = false;
	struct progress show;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "to", "DATABASE", &to, "an empty postgres:CONNINFO or sqlite:PATH (required)" },
		{ "json", NULL, &json, "progress and checksums as JSON objects, one a line" },
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
	if (db_file(config->database) && access(db_file(config->database), F_OK) != 0) {
		fprintf(stderr, "maildesk migrate: %s: %s\n", config->database, strerror(errno));
		return EX_NOINPUT;
	}
	show = progress_start(json);
	return move(config, whole, &show);
}

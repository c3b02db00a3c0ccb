/* maildesk export: a folder with desk.jsonl and the files that its lines name.
 *
 * desk.jsonl appears when it is whole. Files are named by their content, so those of an earlier
 * export to the same folder are not written again. */
#include <maildesk/store/port.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/io.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/offline.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/progress.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { OUT_MAX = 1 << 20 };
#define LINES "desk.jsonl"
#define PARTIAL "desk.jsonl.partial"

struct folder {
	int fd, lines;
	bool interrupted; /* the last time: what is there may not have reached the disk */
	struct buf out;
	int64_t n_lines, n_files;
	struct progress show;
};

static int failed(const char *path, struct md_err *err)
{
	return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
}

static int flush(struct folder *f, struct md_err *err)
{
	bool ok = io_write_all(f->lines, buf_str(&f->out), f->out.len);

	buf_reset(&f->out);
	return ok ? MD_OK : failed(PARTIAL, err);
}

static int put_line(void *ctx, const char *type, const struct buf *json, struct md_err *err)
{
	struct folder *f = ctx;
	int rc = f->out.len + json->len + 1 > OUT_MAX ? flush(f, err) : MD_OK;

	f->n_lines++;
	progress_tell(&f->show, "exporting", type, "rows", f->n_lines, 0, f->n_lines);
	if (rc == MD_OK && json->len >= OUT_MAX)
		return io_write_all(f->lines, json->data, json->len) &&
				       io_write_all(f->lines, "\n", 1)
			       ? MD_OK
			       : failed(PARTIAL, err);
	buf_add(&f->out, json->data, json->len);
	buf_addc(&f->out, '\n');
	return rc;
}

static bool wants(void *ctx, const char *path)
{
	struct folder *f = ctx;

	return f->interrupted || faccessat(f->fd, path, F_OK, 0) != 0;
}

static int put_file(void *ctx, const char *path, const void *bytes, size_t n, struct md_err *err)
{
	struct folder *f = ctx;
	md_auto(md_close_p) int fd = -1;
	char part[PORT_PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
	if (mkdirat(f->fd, part, 0700) != 0 && errno != EEXIST)
		return failed(part, err);
	snprintf(part, sizeof part, "%.*s/partial", (int)(slash - path), path);
	fd = openat(f->fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !io_write_all(fd, bytes, n) || renameat(f->fd, part, f->fd, path) != 0)
		return failed(path, err);
	f->n_files++;
	return MD_OK;
}

static int open_folder(struct folder *f, const char *path, struct md_err *err)
{
	static const char *const inside[] = { "mail", "files" };

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return md_fail(err, MD_INPUT, errno, "%s: %s", path, strerror(errno));
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return md_fail(err, MD_INPUT, errno, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < MD_COUNT(inside); i++)
		if (mkdirat(f->fd, inside[i], 0700) != 0 && errno != EEXIST)
			return failed(path, err);
	f->interrupted = faccessat(f->fd, PARTIAL, F_OK, 0) == 0;
	f->lines =
		openat(f->fd, PARTIAL, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return f->lines < 0 ? failed(path, err) : MD_OK;
}

/* What is on disk when the name is there. */
static int finish(struct folder *f, struct md_err *err)
{
	int rc = flush(f, err);

	if (rc == MD_OK && (syncfs(f->fd) != 0 || renameat(f->fd, PARTIAL, f->fd, LINES) != 0 ||
			    fsync(f->fd) != 0))
		rc = failed(LINES, err);
	return rc;
}

static int export(struct db *db, const char *path, struct folder *f, struct md_err *err)
{
	const struct port_sink sink = { put_line, wants, put_file, f };
	char now[TIME_TEXT_MAX];
	int rc = open_folder(f, path, err);

	time_format(clock_wall(&clock_system), 1, now);
	buf_addf(&f->out,
		 "{\"type\":\"maildesk\",\"version\":%d,\"program\":\"maildesk " MAILDESK_VERSION
		 "\",\"exported_at\":\"%s\"}\n",
		 PORT_VERSION, now);
	if (rc == MD_OK)
		rc = port_export(db, &sink, err);
	return rc == MD_OK ? finish(f, err) : rc;
}

int cmd_export(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "progress and result as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"export",
		"FOLDER",
		"Writes the desk, which may be running, as JSON Lines with raw mails and files for "
		"other programs;\nmaildesk-export(7) has the form. It is no backup: secrets, "
		"sign-ins, clocks and mail that waits are not in it.",
		options,
		1,
		1,
	};
	md_auto(db_close_p) struct db *db = NULL;
	struct folder f = { .fd = -1, .lines = -1, .out = BUF_INIT(2 * OUT_MAX) };
	struct md_err err = { 0 };
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	rc = cmd_open("export", file, NULL, &db);
	if (rc != EX_OK)
		return rc;
	offline_note("export", db, "desk.export");
	f.show = progress_start(json);
	rc = export(db, argv[first], &f, &err);
	progress_end(&f.show, rc != MD_OK);
	buf_done(&f.out);
	md_close_p(&f.lines);
	md_close_p(&f.fd);
	if (rc != MD_OK)
		return cmd_fail_at("export", rc, &err, EX_CANTCREAT);
	if (json)
		put_json(json_pack("{s:b, s:I, s:I}", "done", 1, "lines", (json_int_t)f.n_lines,
				   "files", (json_int_t)f.n_files));
	else
		printf("%s/" LINES ": %lld lines; %lld files are new\n", argv[first],
		       (long long)f.n_lines, (long long)f.n_files);
	return EX_OK;
}

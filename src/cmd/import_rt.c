/* maildesk import rt: a Request Tracker (4.4 with RT::Extension::REST2, 5) by its REST 2 interface.
 *
 * First everything is fetched into a folder, in the form of maildesk-export(7): that can be looked
 * at and kept, and interrupted; a line after each ticket says that it is whole, and what stands
 * behind the last of these is fetched again. Then the folder is taken in as any other. */
#include <maildesk/cmd/import.h>
#include <maildesk/cmd/import_rt.h>

#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/base/codec.h>
#include <maildesk/net/rest.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { PAGE = 100, PATH_BYTES = 1024, AUTHORIZATION_MAX = 4096 };
#define DONE "{\"type\":\"maildesk\",\"version\":1,\"rt_ticket\":"

/* ---- the folder ---- */

static int failed(const char *path, struct md_err *err)
{
	return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
}

/* The last ticket that is whole; what stands behind it is cut off. */
static int64_t last_whole(FILE *f)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	off_t at = 0, end = 0;
	int64_t last = 0;

	while ((n = getline(&line, &room, f)) > 0) {
		at += n;
		if (strncmp(line, DONE, strlen(DONE)) == 0 && line[n - 1] == '\n') {
			last = strtoll(line + strlen(DONE), NULL, 10);
			end = at;
		}
	}
	free(line);
	if (ftruncate(fileno(f), end) != 0)
		return -1;
	fseeko(f, end, SEEK_SET);
	return last;
}

static int open_folder(struct rt *rt, const char *path, struct md_err *err)
{
	char name[PATH_MAX + 32];

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return failed(path, err);
	rt->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rt->folder < 0)
		return failed(path, err);
	snprintf(name, sizeof name, "%s/desk.jsonl.partial", path);
	rt->lines = fopen(name, "a+e");
	if (!rt->lines || fchmod(fileno(rt->lines), 0600) != 0)
		return failed(name, err);
	rewind(rt->lines);
	rt->last = last_whole(rt->lines);
	return rt->last < 0 ? failed(name, err) : MD_OK;
}

void rt_put(struct rt *rt, json_t *line)
{
	if (!line || json_dumpf(line, rt->lines, JSON_COMPACT) != 0)
		rt->out_of_memory = true;
	fputc('\n', rt->lines);
	json_decref(line);
}

int rt_put_file(struct rt *rt, const struct buf *bytes, const char *sha256,
		char path[PORT_PATH_MAX], struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	char part[16];

	snprintf(part, sizeof part, "files/%.2s", sha256);
	snprintf(path, PORT_PATH_MAX, "files/%.2s/%.64s", sha256, sha256);
	if ((mkdirat(rt->folder, "files", 0700) != 0 && errno != EEXIST) ||
	    (mkdirat(rt->folder, part, 0700) != 0 && errno != EEXIST))
		return failed(part, err);
	fd = openat(rt->folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len)
		return failed(path, err);
	return MD_OK;
}

/* ---- fetching ---- */

static int fetch_page(struct rt *rt, int page, json_t **ret, struct md_err *err)
{
	md_auto(buf_done) struct buf path = BUF_INIT(PATH_BYTES);

	buf_addf(&path, "/tickets?per_page=%d&page=%d&orderby=id&order=ASC&query=", PAGE, page);
	rest_escape(&path, "id > ");
	buf_addf(&path, "%" PRId64, rt->last);
	if (rt->query) {
		rest_escape(&path, " AND (");
		rest_escape(&path, rt->query);
		rest_escape(&path, ")");
	}
	return rest_get(rt->rest, buf_str(&path), ret, err);
}

static int fetch_tickets(struct rt *rt, struct progress *show, struct md_err *err)
{
	int64_t done = 0;
	int rc = MD_OK;

	for (int page = 1; rc == MD_OK; page++) {
		md_auto(json_decref_p) json_t *list = NULL;
		const json_t *items;
		size_t n;

		rc = fetch_page(rt, page, &list, err);
		items = json_object_get(list, "items");
		n = json_array_size(items);
		for (size_t i = 0; rc == MD_OK && i < n; i++) {
			int64_t id = rt_number(json_object_get(json_array_get(items, i), "id"));

			rc = rt_ticket(rt, id, err);
			if (rc != MD_OK)
				break;
			fprintf(rt->lines, DONE "%" PRId64 "}\n", id);
			if (fflush(rt->lines) != 0 || rt->out_of_memory)
				rc = md_fail(err, MD_BROKEN, errno, "desk.jsonl.partial: %s",
					     strerror(errno));
			done++;
			progress_tell(show, "fetching", "tickets", "rows", done,
				      rt_number(json_object_get(list, "total")), done);
		}
		if (n < PAGE)
			break;
	}
	return rc;
}

static int fetch(struct rt *rt, const char *folder, struct progress *show, struct md_err *err)
{
	int rc = open_folder(rt, folder, err);

	if (rc == MD_OK)
		rc = fetch_tickets(rt, show, err);
	if (rt->lines && fclose(rt->lines) != 0 && rc == MD_OK)
		rc = failed("desk.jsonl.partial", err);
	if (rc == MD_OK &&
	    renameat(rt->folder, "desk.jsonl.partial", rt->folder, "desk.jsonl") != 0)
		rc = failed("desk.jsonl", err);
	return rc;
}

/* ---- the command ---- */

static bool authorization_of(const char *user, const char *password_file, const char *token_file,
			     struct buf *out)
{
	md_auto(md_wipe_text_p) char *secret = NULL;
	md_auto(buf_wipe) struct buf both = BUF_INIT(AUTHORIZATION_MAX / 2);

	if ((token_file != NULL) == (user && password_file)) {
		fputs("maildesk import rt: --token-file, or --user and --password-file, say who "
		      "asks\n",
		      stderr);
		return false;
	}
	secret = cmd_read_line("import rt", token_file ? token_file : password_file);
	if (!secret)
		return false;
	if (token_file) {
		buf_addf(out, "token %s", secret);
	} else {
		buf_addf(&both, "%s:%s", user, secret);
		buf_adds(out, "Basic ");
		base64_encode(out, both.data, both.len);
	}
	return out->status == MD_OK && both.status == MD_OK;
}

/* "https://rt.example.com/" -> https://rt.example.com/REST/2.0 */
static void base_of(const char *url, char out[PATH_BYTES])
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	snprintf(out, PATH_BYTES, "%.*s/REST/2.0", (int)n, url);
}

static int run(struct rt *rt, const char *url, const char *folder, const char *authorization,
	       const char *ca_file, bool json)
{
	struct progress show = progress_start(json);
	struct md_err err = { 0 };
	char base[PATH_BYTES];
	int rc;

	base_of(url, base);
	rc = rest_open(base, authorization, ca_file, &rt->rest, &err);
	if (rc == MD_OK)
		rc = fetch(rt, folder, &show, &err);
	progress_end(&show, rc != MD_OK);
	rest_close(rt->rest);
	md_close_p(&rt->folder);
	json_decref(rt->users);
	json_decref(rt->queues);
	if (rc == MD_AGAIN)
		md_wrap(&err, rc, "not finished, the same command goes on with it");
	return rc == MD_OK ? EX_OK : cmd_fail("import rt", rc, &err);
}

int cmd_import_rt(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *folder = NULL, *token = NULL, *user = NULL;
	const char *password = NULL, *ca_file = "";
	bool dry = false, json = false;
	struct rt rt = { .folder = -1 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "folder", "FOLDER", &folder, "folder that keeps what is fetched (required)" },
		{ "token-file", "FILE", &token,
		  "file whose first line is an authentication token of RT" },
		{ "user", "NAME", &user, "or a user name" },
		{ "password-file", "FILE", &password,
		  "and the file whose first line is the password" },
		{ "query", "TICKETSQL", &rt.query, "only these: \"Queue = 'support'\"" },
		{ "ca-file", "FILE", &ca_file, "CA of its certificate, if it is not a public one" },
		{ "dry-run", NULL, &dry, "fetch, and say what would be done; change nothing" },
		{ "json", NULL, &json, "progress and result as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"import rt",
		"URL",
		"Takes in the tickets of a Request Tracker with people, comments, files, history "
		"and links, by its REST 2\ninterface. Nothing is sent to anybody. Interrupted, the "
		"same command goes on.",
		options,
		1,
		1,
	};
	md_auto(import_close) struct import_desk d = { 0 };
	md_auto(buf_done) struct buf authorization = BUF_INIT(AUTHORIZATION_MAX);
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	if (!folder) {
		fputs("maildesk import rt: --folder is missing\n", stderr);
		return EX_USAGE;
	}
	if (!authorization_of(user, password, token, &authorization))
		return EX_USAGE;
	rc = import_open("import rt", file, dry, &d);
	if (rc == EX_OK)
		rc = run(&rt, argv[first], folder, buf_str(&authorization), ca_file, json);
	if (rc == EX_OK)
		rc = import_lines("import rt", &d, folder, argv[first], json);
	return rc;
}

/* Lines into the desk, some hundred in a transaction. How far it came is written with them, under
 * the checksum of the file: the same file goes on where it was interrupted. */
#include <maildesk/cmd/import.h>

#include <maildesk/base/codec.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/offline.h>
#include <maildesk/cmd/options.h>
#include <maildesk/mail/html.h>
#include <maildesk/mail/sanitize.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	BATCH_LINES = 200,
	BATCH_BYTES = 4 << 20,
	LINE_DEPTH = 12,
	ONE_FILE_MAX = 256 << 20,
	HTML_MAX = 64 << 20,
};

struct record {
	json_t *json;
	struct blob blob;
	bool has_blob;
};

struct lines {
	struct import_desk *d;
	int folder; /* that files are relative to */
	const char *text;
	size_t n, at;
	int64_t line, total;
	char name[SHA256_HEX]; /* of this file, as its position is known by */
	struct port_import im;
	struct port_report report, batch_report;
	struct record batch[BATCH_LINES];
	size_t n_batch;
	struct progress show;
};

/* ---- the file ---- */

static int open_lines(struct lines *l, const char *path, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	char folder[PATH_MAX];
	struct stat st;
	void *p;

	snprintf(folder, sizeof folder, "%s", path);
	l->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->folder >= 0) {
		fd = openat(l->folder, "desk.jsonl", O_RDONLY | O_CLOEXEC);
	} else {
		char *slash = strrchr(folder, '/');

		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (slash)
			slash[1] = '\0';
		l->folder = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || l->folder < 0 || fstat(fd, &st) != 0)
		return md_fail(err, MD_INPUT, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return md_fail(err, MD_INPUT, 0, "%s is empty, or no file", path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	l->text = p;
	l->n = (size_t)st.st_size;
	for (const char *s = l->text; (s = memchr(s, '\n', l->n - (size_t)(s - l->text))); s++)
		l->total++;
	sha256_hex(l->text, l->n, l->name);
	return MD_OK;
}

static void close_lines(struct lines *l)
{
	if (l->text)
		munmap((void *)(uintptr_t)l->text, l->n);
	md_close_p(&l->folder);
	port_report_done(&l->report);
	port_report_done(&l->batch_report);
}

/* A relative path that stays inside. */
static bool is_inside(const char *path)
{
	for (const char *at = path; *at; at += strcspn(at, "/"), at += *at == '/')
		if (strncmp(at, "../", 3) == 0 || strcmp(at, "..") == 0 || *at == '/')
			return false;
	return *path != '\0';
}

static int read_file(struct lines *l, const char *path, struct record *r, struct md_err *err)
{
	md_auto(md_close_p) int fd =
		is_inside(path) ? openat(l->folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > ONE_FILE_MAX)
		return MD_OK; /* told of where the line is taken in */
	rc = blob_prepare_fd(fd, st.st_size, &r->blob, err);
	r->has_blob = rc == MD_OK;
	return rc;
}

/* ---- a batch ---- */

static void drop_batch(struct lines *l)
{
	for (size_t i = 0; i < l->n_batch; i++) {
		json_decref(l->batch[i].json);
		if (l->batch[i].has_blob)
			blob_done(&l->batch[i].blob);
		l->batch[i] = (struct record){ 0 };
	}
	l->n_batch = 0;
}

static int header(struct lines *l, const json_t *json, struct md_err *err)
{
	json_int_t version = json_integer_value(json_object_get(json, "version"));

	if (version > PORT_VERSION)
		return md_fail(err, MD_INPUT, 0,
			       "line %lld: the form is version %lld, this program knows %d: take a "
			       "newer maildesk",
			       (long long)l->line, (long long)version, PORT_VERSION);
	return MD_OK;
}

/* HTML is shown in browsers, whoever wrote the file: it is written anew by the allow-list. That has
 * put the addresses of pictures from the network into data-src; back, so that they stay. */
static int make_safe(json_t *line, struct md_err *err)
{
	static const char apart[] = " data-src=\"";
	const char *html = json_is_object(line) ? json_get_string(line, "body_html") : NULL;
	md_auto(buf_done) struct buf plain = BUF_INIT(HTML_MAX), safe = BUF_INIT(HTML_MAX);

	if (!html)
		return MD_OK;
	for (const char *at; (at = strstr(html, apart)); html = at + strlen(" data-")) {
		buf_add(&plain, html, (size_t)(at - html));
		buf_addc(&plain, ' ');
	}
	buf_adds(&plain, html);
	html_prepare();
	if (plain.status != MD_OK ||
	    !html_sanitize((struct span){ buf_str(&plain), plain.len }, &safe) ||
	    json_object_set_new(line, "body_html", json_stringn(buf_str(&safe), safe.len)) != 0)
		return md_fail(err, MD_NOMEM, 0, "a body_html is too large");
	return MD_OK;
}

static int add_line(struct lines *l, const char *text, size_t n, struct md_err *err)
{
	struct record *r = &l->batch[l->n_batch];
	const char *type, *file;
	int rc = json_read(text, n, LINE_DEPTH, &r->json, err);

	if (rc != MD_OK && rc != MD_NOMEM)
		return md_wrap(err, rc, "line %lld", (long long)l->line);
	if (rc != MD_OK)
		return rc;
	l->n_batch++;
	type = json_get_string(r->json, "type");
	rc = make_safe(r->json, err);
	if (rc != MD_OK)
		return rc;
	file = json_get_string(r->json, "file");
	if (!json_is_object(r->json))
		return md_fail(err, MD_INPUT, 0, "line %lld is no object", (long long)l->line);
	if (type && strcmp(type, "maildesk") == 0) {
		rc = header(l, r->json, err);
		json_decref(r->json);
		*r = (struct record){ 0 };
		l->n_batch--;
		return rc;
	}
	return file ? read_file(l, file, r, err) : MD_OK;
}

static int read_batch(struct lines *l, struct md_err *err)
{
	size_t bytes = 0;
	int rc = MD_OK;

	while (rc == MD_OK && l->at < l->n && l->n_batch < BATCH_LINES && bytes < BATCH_BYTES) {
		const char *text = l->text + l->at;
		const char *end = memchr(text, '\n', l->n - l->at);
		size_t n = end ? (size_t)(end - text) : l->n - l->at;
		size_t before = l->n_batch;

		l->line++;
		l->at += n + (end != NULL);
		bytes += n;
		if (n && !(n == 1 && *text == '\r'))
			rc = add_line(l, text, n, err);
		if (l->n_batch > before && l->batch[before].has_blob)
			bytes += l->batch[before].blob.n;
	}
	return rc;
}

static int take_batch(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct lines *l = ctx;
	int rc;

	port_report_done(&l->batch_report);
	rc = port_report_new(&l->batch_report, err);
	l->im.report = &l->batch_report;
	for (size_t i = 0; rc == MD_OK && i < l->n_batch; i++)
		rc = port_import_line(c, &l->im, l->batch[i].json,
				      l->batch[i].has_blob ? &l->batch[i].blob : NULL, err);
	return rc == MD_OK ? port_set_position(c, l->name, l->line, err) : rc;
}

/* ---- all ---- */

static int find_position(struct lines *l, int64_t *ret, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(l->d->desk->db, &c, err);

	return rc == MD_OK ? port_position(c, l->name, ret, err) : rc;
}

static void skip_to(struct lines *l, int64_t line)
{
	while (l->line < line && l->at < l->n) {
		const char *end = memchr(l->text + l->at, '\n', l->n - l->at);

		l->at = end ? (size_t)(end - l->text) + 1 : l->n;
		l->line++;
	}
}

static int take_all(struct lines *l, struct md_err *err)
{
	int64_t begun = 0;
	int rc = find_position(l, &begun, err);

	if (rc == MD_OK)
		skip_to(l, begun);
	while (rc == MD_OK && l->at < l->n) {
		rc = read_batch(l, err);
		if (rc == MD_OK)
			rc = db_txn(l->d->desk->db, take_batch, l, err);
		if (rc == MD_OK)
			port_report_add(&l->report, &l->batch_report);
		drop_batch(l);
		progress_tell(&l->show, "importing", "lines", "rows", l->line, l->total,
			      l->line - begun);
	}
	return rc;
}

void import_show_counts(const char *of, json_t *counts)
{
	for (void *it = json_object_iter(counts); it; it = json_object_iter_next(counts, it))
		printf("%8lld  %s%s%s\n", (long long)json_integer_value(json_object_iter_value(it)),
		       of ? of : "", of ? ": " : "", json_object_iter_key(it));
}

static void show_report(const struct lines *l)
{
	json_t *done = l->report.done;

	if (l->show.json) {
		put_json(json_pack("{s:b, s:b, s:O, s:O}", "done", 1, "dry_run",
				   *l->d->folder != '\0', "lines", l->report.done, "unmapped",
				   l->report.unmapped));
		return;
	}
	if (*l->d->folder)
		puts("A dry run: nothing was changed. This is what would be done to an empty "
		     "desk:");
	if (!json_object_size(l->report.done))
		puts("Nothing is left to do: this file was taken in before.");
	for (void *it = json_object_iter(done); it; it = json_object_iter_next(done, it))
		import_show_counts(json_object_iter_key(it), json_object_iter_value(it));
	if (json_object_size(l->report.unmapped))
		puts("What did not map, and how often:");
	import_show_counts(NULL, l->report.unmapped);
}

int import_lines(const char *name, struct import_desk *d, const char *path, const char *source,
		 bool json)
{
	struct lines *l = md_calloc(1, sizeof *l);
	struct md_err err = { 0 };
	int rc = l ? MD_OK : MD_NOMEM;

	if (!l)
		return cmd_fail(name, MD_NOMEM, &err);
	l->d = d;
	l->folder = -1;
	l->show = progress_start(json);
	l->im = (struct port_import){ .source = source ? source : "import",
				      .workflow = d->desk->workflow,
				      .now_ms = clock_wall(&clock_system) };
	rc = port_report_new(&l->report, &err);
	if (rc == MD_OK)
		rc = open_lines(l, path, &err);
	if (rc == MD_OK && !*d->folder)
		offline_note(name, d->desk->db, "desk.import");
	if (rc == MD_OK)
		rc = take_all(l, &err);
	progress_end(&l->show, rc != MD_OK);
	if (rc == MD_OK)
		show_report(l);
	else if (rc == MD_INPUT)
		md_wrap(&err, rc, "%s (what comes before it is taken in; correct it and run again)",
			path);
	close_lines(l);
	free(l);
	return rc == MD_OK ? EX_OK : cmd_fail(name, rc, &err);
}

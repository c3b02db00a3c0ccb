/* `maildesk template`: check what a desk would send, and print what a template makes of data. */
#include <maildesk/app/templates.h>
#include <maildesk/base/io.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { DATA_MAX = 64 << 20, DATA_DEPTH = 100, PROBLEMS_MAX = 1 << 20 };

/* ---- check ---- */

static int check_files(struct templates *t, int n, char **files, struct buf *errors,
		       struct md_err *err)
{
	int rc = MD_OK;

	for (int i = 0; i < n && rc == MD_OK; i++)
		rc = templates_add_file(t, files[i], errors, err);
	return rc;
}

static int run_check(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	const struct cmd_option options[] = { CMD_CONFIG(&file), CMD_OPTIONS_END };
	const struct cmd_usage usage = {
		"template check",
		"[FILE]...",
		"Checks template files, or all of the configuration's templates_dir.",
		options,
		0,
		CMD_ARGS_ANY
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(templates_free_p) struct templates *t = NULL;
	md_auto(buf_done) struct buf errors = BUF_INIT(PROBLEMS_MAX);
	md_auto(buf_done) struct buf warnings = BUF_INIT(PROBLEMS_MAX);
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (first == argc && (code = cmd_open_config(file, &config)) != EX_OK)
		return code;
	rc = templates_load(config ? config->desk.templates_dir : NULL, &t, &errors, &err);
	if (rc == MD_OK)
		rc = check_files(t, argc - first, argv + first, &errors, &err);
	if (rc == MD_OK)
		rc = templates_check(t, &errors, &warnings, &err);
	if (rc != MD_OK)
		return cmd_fail("template", rc, &err);
	fputs(buf_str(&errors), stderr);
	fputs(buf_str(&warnings), stderr);
	if (errors.len)
		return EX_DATAERR;
	puts("ok");
	return EX_OK;
}

/* ---- render ---- */

/* EX_OK, or EX_NOINPUT with the reason printed. */
static int read_whole(const char *path, struct buf *out)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int why = fd < 0 ? errno : io_read_all(fd, SIZE_MAX, out);

	if (why == 0)
		return EX_OK;
	fprintf(stderr, "maildesk template: %s: %s\n", path,
		why == EFBIG ? "too large" : strerror(why));
	return EX_NOINPUT;
}

struct shelf {
	const char *dir; /* NULL: no partials */
	struct partial {
		struct partial *next;
		char *name;
		struct template *compiled; /* NULL: there is none of that name */
	} * first;
	int code; /* of the first partial that cannot be used */
};

static void shelf_done(struct shelf *s)
{
	while (s->first) {
		struct partial *p = s->first;

		s->first = p->next;
		template_free(p->compiled);
		free(p->name);
		free(p);
	}
}

static int compile_file(const char *path, struct template **ret)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEMPLATE_MAX + 65536);
	struct md_err err = { 0 };
	int code = read_whole(path, &text), rc;

	if (code != EX_OK)
		return code;
	rc = template_compile(path, buf_str(&text), text.len, ret, &err);
	if (rc != MD_OK)
		fprintf(stderr, "%s\n", err.text);
	return rc == MD_OK ? EX_OK : rc == MD_INPUT ? EX_DATAERR : EX_OSERR;
}

/* DIR/NAME.mustache, compiled when first asked for; "../x" leads nowhere. */
static const struct template *find_partial(void *ctx, const char *name)
{
	struct shelf *s = ctx;
	struct partial *p;
	char path[4400];
	FILE *f;

	for (p = s->first; p; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p->compiled;
	if (!s->dir || *name == '.' || *name == '/' || strstr(name, "/."))
		return NULL;
	snprintf(path, sizeof path, "%s/%s.mustache", s->dir, name);
	p = md_calloc(1, sizeof *p);
	if (!p || !(p->name = md_strdup(name))) {
		free(p);
		s->code = EX_OSERR;
		return NULL;
	}
	p->next = s->first;
	s->first = p;
	f = fopen(path, "re"); /* the language says that a partial may be missing */
	if (f) {
		int code;

		fclose(f);
		code = compile_file(path, &p->compiled);
		s->code = s->code == EX_OK ? code : s->code;
	}
	return p->compiled;
}

static int read_data(const char *path, json_t **ret)
{
	md_auto(buf_done) struct buf text = BUF_INIT(DATA_MAX);
	struct md_err err = { 0 };
	int code = read_whole(path, &text), rc;

	if (code != EX_OK)
		return code;
	rc = json_read(buf_str(&text), text.len, DATA_DEPTH, ret, &err);
	if (rc != MD_OK)
		fprintf(stderr, "maildesk template: %s: %s\n", path, err.text);
	return rc == MD_OK ? EX_OK : rc == MD_INPUT ? EX_DATAERR : EX_OSERR;
}

static int print_rendered(const struct template *t, enum template_mode mode, const json_t *data,
			  struct shelf *shelf)
{
	const struct template_partials partials = { find_partial, shelf };
	md_auto(buf_done) struct buf out = BUF_INIT(DATA_MAX);
	struct md_err err = { 0 };
	int rc = template_render(t, mode, data, &partials, &out, &err);

	if (shelf->code != EX_OK)
		return shelf->code;
	if (rc != MD_OK) {
		fprintf(stderr, "%s\n", err.text);
		return rc == MD_INPUT ? EX_DATAERR : EX_OSERR;
	}
	if (fwrite(buf_str(&out), 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
		fprintf(stderr, "maildesk template: %s\n", strerror(errno));
		return EX_IOERR;
	}
	return EX_OK;
}

static int run_render(int argc, char **argv)
{
	const char *data_file = NULL;
	bool text = false;
	md_auto(shelf_done) struct shelf shelf = { 0 };
	const struct cmd_option options[] = {
		{ "data", "FILE", &data_file, "JSON file with the data" },
		{ "partials", "DIR", &shelf.dir, "folder of its partials, as NAME.mustache" },
		{ "text", NULL, &text, "escape nothing, as in texts and subjects" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"template render", "FILE", "Prints what a template makes of data.", options, 1, 1
	};
	md_auto(template_free_p) struct template *t = NULL;
	md_auto(json_decref_p) json_t *data = NULL;
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	code = compile_file(argv[first], &t);
	if (code == EX_OK && data_file)
		code = read_data(data_file, &data);
	if (code != EX_OK)
		return code;
	return print_rendered(t, text ? TEMPLATE_TEXT : TEMPLATE_HTML, data, &shelf);
}

int cmd_template(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "check", run_check, "check templates for errors" },
		{ "render", run_render, "print what a template makes of given data" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk template", verbs, argc, argv);
}

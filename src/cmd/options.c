#include <maildesk/cmd/options.h>

#include <maildesk/app/desk.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/store/schema.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

MD_DEFINE_AUTO(FILE *, fclose)

/* ---- options ---- */

static void print_usage(FILE *out, const struct cmd_usage *u)
{
	int width = 8; /* of "--help" */

	for (const struct cmd_option *o = u->options; o->name; o++) {
		int n = 3 + (int)strlen(o->name) + (o->value ? 1 + (int)strlen(o->value) : 0);

		width = n > width ? n : width;
	}
	fprintf(out, "usage: maildesk %s%s%s%s\n%s\n\n", u->name, " [OPTIONS]",
		*u->arguments ? " " : "", u->arguments, u->about);
	for (const struct cmd_option *o = u->options; o->name; o++)
		fprintf(out, "  --%s%s%-*s  %s\n", o->name, o->value ? " " : "",
			width - 2 - (int)strlen(o->name) - !!o->value, o->value ? o->value : "",
			o->help);
	fprintf(out, "  %-*s  this text\n", width, "--help");
}

/* getopt's table: option i has the value i + 1, --help 0. */
static void build_longopts(const struct cmd_usage *u, struct option *longopts)
{
	size_t n = 0;

	for (; n < CMD_OPTIONS_MAX && u->options[n].name; n++)
		longopts[n] =
			(struct option){ u->options[n].name,
					 u->options[n].value ? required_argument : no_argument,
					 NULL, (int)n + 1 };
	longopts[n] = (struct option){ "help", no_argument, NULL, 0 };
	longopts[n + 1] = (struct option){ NULL, 0, NULL, 0 };
}

static void set_option(const struct cmd_option *o, const char *value)
{
	if (o->value)
		*(const char **)o->target = value;
	else
		*(bool *)o->target = true;
}

/* Set while the commands are asked for their tables instead of being run. */
static struct {
	cmd_visit_fn *fn;
	void *ctx;
	const char *help; /* of the verb at hand */
} visit;

bool cmd_options(const struct cmd_usage *u, int argc, char **argv, int *ret_first, int *ret_exit)
{
	struct option longopts[CMD_OPTIONS_MAX + 2];
	char program[64];
	char *name = argv[0];
	int c;

	if (visit.fn) {
		visit.fn(visit.ctx, u->name, visit.help, u);
		*ret_exit = EX_OK;
		return false;
	}
	build_longopts(u, longopts);
	snprintf(program, sizeof program, "maildesk %s", u->name);
	argv[0] = program; /* what getopt puts before its messages */
	optind = 0;
	*ret_exit = EX_USAGE;
	while ((c = getopt_long(argc, argv, "h", longopts, NULL)) > 0 && c != '?' && c != 'h')
		set_option(&u->options[c - 1], optarg);
	argv[0] = name;
	if (c == 0 || c == 'h') {
		print_usage(stdout, u);
		*ret_exit = EX_OK;
		return false;
	}
	if (c == -1 && argc - optind < u->min_args)
		fprintf(stderr, "%s: %s is missing\n", program, u->arguments);
	else if (c == -1 && argc - optind > u->max_args)
		fprintf(stderr, "%s: too many arguments\n", program);
	if (c == '?' || argc - optind < u->min_args || argc - optind > u->max_args) {
		fprintf(stderr, "Try \"%s --help\".\n", program);
		return false;
	}
	*ret_first = optind;
	return true;
}

/* ---- verbs ---- */

static void list_verbs(FILE *out, const char *prefix, const struct cmd_verb *verbs)
{
	fprintf(out, "usage: %s COMMAND [OPTIONS]\n\n", prefix);
	for (; verbs->name; verbs++)
		if (verbs->help)
			fprintf(out, "  %-10s %s\n", verbs->name, verbs->help);
	fprintf(out, "\n\"%s COMMAND --help\" tells more.\n", prefix);
}

static const struct cmd_verb *find_verb(const struct cmd_verb *verbs, const char *name)
{
	for (; verbs->name; verbs++)
		if (strcmp(verbs->name, name) == 0)
			return verbs;
	return NULL;
}

static int visit_verbs(const char *prefix, const struct cmd_verb *verbs)
{
	const char *space = strchr(prefix, ' ');

	visit.fn(visit.ctx, space ? space + 1 : "", visit.help, NULL);
	for (; verbs->name; verbs++) {
		char name[32];

		if (!verbs->help)
			continue;
		visit.help = verbs->help;
		snprintf(name, sizeof name, "%s", verbs->name);
		verbs->run(1, (char *[]){ name, NULL });
	}
	return EX_OK;
}

void cmd_visit(const struct cmd_verb *verbs, cmd_visit_fn *fn, void *ctx)
{
	visit.fn = fn;
	visit.ctx = ctx;
	visit.help = "";
	visit_verbs("maildesk", verbs);
	visit.fn = NULL;
}

int cmd_dispatch(const char *prefix, const struct cmd_verb *verbs, int argc, char **argv)
{
	static char help[] = "--help";
	const char *word = argc > 1 ? argv[1] : "";
	bool asks = strcmp(word, "help") == 0;
	const struct cmd_verb *verb;

	if (visit.fn)
		return visit_verbs(prefix, verbs);
	if (asks && argc > 2)
		word = argv[2];
	else if (asks || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		list_verbs(stdout, prefix, verbs);
		return EX_OK;
	}
	verb = find_verb(verbs, word);
	if (verb && asks)
		return verb->run(2, (char *[]){ argv[2], help, NULL });
	if (verb)
		return verb->run(argc - 1, argv + 1);
	if (*word)
		fprintf(stderr, "%s: unknown command \"%s\"\n", prefix, word);
	list_verbs(stderr, prefix, verbs);
	return EX_USAGE;
}

/* ---- failures, files ---- */

int cmd_fail(const char *name, int rc, const struct md_err *err)
{
	static const int codes[] = {
		[-MD_AGAIN] = EX_TEMPFAIL,   [-MD_NOTFOUND] = EX_DATAERR,
		[-MD_CONFLICT] = EX_DATAERR, [-MD_INPUT] = EX_DATAERR,
		[-MD_REFUSED] = EX_NOPERM,   [-MD_NOMEM] = EX_OSERR,
		[-MD_BROKEN] = EX_SOFTWARE,  [-MD_UNKNOWN] = EX_TEMPFAIL,
	};

	fprintf(stderr, "maildesk %s: %s\n", name,
		err && err->text[0] ? err->text : md_code_name(rc));
	return rc < 0 && (size_t)-rc < MD_COUNT(codes) ? codes[-rc] : EX_SOFTWARE;
}

int cmd_fail_at(const char *name, int rc, const struct md_err *err, int file_code)
{
	int code = cmd_fail(name, rc, err);

	return (rc == MD_INPUT || rc == MD_NOTFOUND) && err->native ? file_code : code;
}

int cmd_open_config(const char *file, struct config **ret)
{
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 20);
	int rc = config_load(file ? file : CMD_DEFAULT_CONFIG, ret, &problems);

	if (rc == MD_OK)
		return EX_OK;
	fputs(buf_str(&problems), stderr);
	if (rc == MD_NOMEM)
		fputs("out of memory\n", stderr);
	return rc == MD_NOMEM ? EX_OSERR : EX_CONFIG;
}

int cmd_open(const char *name, const char *file, struct config **ret_config, struct db **ret_db)
{
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int rc = cmd_open_config(file, &config);

	if (rc != EX_OK)
		return rc;
	rc = desk_open_database(config, &db, &err);
	if (rc != MD_OK)
		return cmd_fail(name, rc, &err);
	*ret_db = md_take(db);
	if (ret_config)
		*ret_config = md_take(config);
	return EX_OK;
}

/* ---- asking ---- */

static char *next_line(FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, in);

	if (n < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static char *ask_once(const char *question, const char *fallback, bool secret)
{
	struct termios before, quiet;
	char *line;

	/* Before the question: an answer that comes at once is neither shown nor thrown away. */
	secret = secret && tcgetattr(STDIN_FILENO, &before) == 0;
	if (secret) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	fprintf(stderr, fallback && *fallback ? "%s [%s]: " : "%s%s: ", question,
		fallback ? fallback : "");
	line = next_line(stdin);
	if (secret) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
		fputc('\n', stderr);
	}
	return line;
}

char *cmd_ask(const char *question, const char *fallback, bool secret)
{
	char *line;

	while ((line = ask_once(question, fallback, secret)) && *line == '\0') {
		free(line);
		if (fallback)
			return md_strdup(fallback);
	}
	return line;
}

char *cmd_read_line(const char *name, const char *file)
{
	bool from_stdin = strcmp(file, "-") == 0;
	md_auto(fclose_p) FILE *f = from_stdin ? NULL : fopen(file, "re");
	char *line;

	if (!f && !from_stdin) {
		fprintf(stderr, "maildesk %s: %s: %s\n", name, file, strerror(errno));
		return NULL;
	}
	line = next_line(f ? f : stdin);
	if (!line)
		fprintf(stderr, "maildesk %s: %s is empty\n", name, file);
	return line;
}

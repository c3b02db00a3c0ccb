/* options.h - what the commands share: a table of options, opening the desk's files, exit codes.
 *
 * All functions that print use "maildesk COMMAND: ..." on stderr and return a code of sysexits(3);
 * EX_OK means go on. */
#ifndef MAILDESK_CMD_OPTIONS_H
#define MAILDESK_CMD_OPTIONS_H

#include <maildesk/app/config.h>
#include <maildesk/store/db.h>

#include <stdbool.h>
#include <stddef.h>

struct cmd_option {
	const char *name;  /* --name */
	const char *value; /* what stands for the value in help; NULL: a switch */
	void *target;      /* const char ** or bool * */
	const char *help;
};
#define CMD_CONFIG(target)                                                           \
	{                                                                            \
		"config", "FILE", (target), "configuration (" CMD_DEFAULT_CONFIG ")" \
	}
#define CMD_OPTIONS_END                \
	{                              \
		NULL, NULL, NULL, NULL \
	}

struct cmd_usage {
	const char *name;      /* "user add" */
	const char *arguments; /* "[FILE]...", or "" */
	const char *about;     /* one sentence */
	const struct cmd_option *options;
	int min_args, max_args;
};
enum { CMD_OPTIONS_MAX = 32, CMD_ARGS_ANY = 1 << 20 };
/* EX_OK, *ret_first the index of the first argument. Else *ret_exit is what to return: EX_USAGE
 * with the usage on stderr, or EX_OK after --help. True: go on. */
bool cmd_options(const struct cmd_usage *u, int argc, char **argv, int *ret_first, int *ret_exit);

struct cmd_verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* NULL: not listed */
};
/* Run the verb named by argv[1] with argv + 1; --help, "help" or nothing lists them, "help VERB" is
 * "VERB --help". `prefix` is what stands before the verb ("maildesk user"). The table ends with a
 * NULL name. */
int cmd_dispatch(const char *prefix, const struct cmd_verb *verbs, int argc, char **argv);

/* All commands of the program, ended by a NULL name. */
extern const struct cmd_verb cmd_verbs[];

/* The tables behind the commands, in order, each before those below it: `name` is "ticket list", ""
 * for the program itself; `usage` is NULL of a command that has others below it. */
typedef void cmd_visit_fn(void *ctx, const char *name, const char *help,
			  const struct cmd_usage *usage);
void cmd_visit(const struct cmd_verb *verbs, cmd_visit_fn *fn, void *ctx);

/* Print err after `name`; the exit code for rc. */
int cmd_fail(const char *name, int rc, const struct md_err *err);
/* The same of a command that was given a file: `file_code` when the system did not let it have that
 * (MD_INPUT and MD_NOTFOUND with an errno). */
int cmd_fail_at(const char *name, int rc, const struct md_err *err, int file_code);

/* EX_OK, or EX_CONFIG, EX_NOINPUT, EX_OSERR with the reasons printed. */
int cmd_open_config(const char *file, struct config **ret);
/* The same, and the database with its schema. ret_config may be NULL. */
int cmd_open(const char *name, const char *file, struct config **ret_config, struct db **ret_db);

/* Ask on the terminal; `fallback` (may be NULL: asked again) for an empty answer, no echo if
 * `secret`. NULL at the end of input. The caller frees. */
char *cmd_ask(const char *question, const char *fallback, bool secret);
/* The first line of a file ("-": stdin); the caller frees. NULL: printed why. */
char *cmd_read_line(const char *name, const char *file);

#endif

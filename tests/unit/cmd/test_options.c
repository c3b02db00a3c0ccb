/* The option parser and the dispatch of commands: what they return, and where values go. */
#include <maildesk/cmd/options.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

enum { GO = -1 };

static const struct {
	const char *args; /* parted by spaces */
	int result;       /* GO or the exit code */
	const char *text;
	bool flag;
	int first;
} cases[] = {
	{ "x", EX_USAGE, NULL, false, 0 }, /* an argument is needed */
	{ "x file", GO, NULL, false, 1 },
	{ "x --text v file", GO, "v", false, 3 },
	{ "x file --text=v --flag", GO, "v", true, 3 }, /* options may stand behind */
	{ "x --te v file", GO, "v", false, 3 },
	{ "x --text a --text b file", GO, "b", false, 5 },
	{ "x --flag -- --text", GO, NULL, true, 3 },
	{ "x a b c", EX_USAGE, NULL, false, 0 },
	{ "x --none file", EX_USAGE, NULL, false, 0 },
	{ "x file --text", EX_USAGE, NULL, false, 0 },
	{ "x --flag=1 file", EX_USAGE, NULL, false, 0 },
	{ "x --help", EX_OK, NULL, false, 0 },
	{ "x file -h --none", EX_OK, NULL, false, 0 },
};

enum { ARGS = 8 };

static int split(char *text, char **argv)
{
	int n = 0;

	for (char *word; (word = strsep(&text, " "));)
		argv[n++] = word;
	argv[n] = NULL;
	return n;
}

static void options_go_to_their_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = NULL;
		bool flag = false;
		const struct cmd_option options[] = {
			{ "text", "TEXT", &text, "a text" },
			{ "flag", NULL, &flag, "a switch" },
			CMD_OPTIONS_END,
		};
		const struct cmd_usage usage = { "x", "FILE...", "Tests.", options, 1, 2 };
		char line[100], *argv[ARGS + 1];
		int argc, first = 0, code = 0;
		bool go;

		strncpy(line, cases[i].args, sizeof line - 1);
		line[sizeof line - 1] = '\0';
		argc = split(line, argv);
		go = cmd_options(&usage, argc, argv, &first, &code);
		assert_int_equal(go ? GO : code, cases[i].result);
		if (!go)
			continue;
		assert_int_equal(first, cases[i].first);
		assert_int_equal(flag, cases[i].flag);
		assert_true(cases[i].text ? text && strcmp(text, cases[i].text) == 0 : !text);
	}
}

static int ran_argc;
static const char *ran_last;

static int run(int argc, char **argv)
{
	ran_argc = argc;
	ran_last = argv[argc - 1];
	return 7;
}

static void verbs_are_run_with_their_own_arguments(void **state)
{
	static const struct cmd_verb verbs[] = { { "one", run, "the first" },
						 { "hidden", run, NULL },
						 { NULL, NULL, NULL } };
	static const struct {
		const char *args;
		int code, argc;
		const char *last;
	} runs[] = {
		{ "p one", 7, 1, "one" },           { "p one a b", 7, 3, "b" },
		{ "p hidden", 7, 1, "hidden" },     { "p help one", 7, 2, "--help" },
		{ "p one --help", 7, 2, "--help" }, { "p", EX_USAGE, 0, NULL },
		{ "p two", EX_USAGE, 0, NULL },     { "p help two", EX_USAGE, 0, NULL },
		{ "p help", EX_OK, 0, NULL },       { "p --help", EX_OK, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		char line[100], *argv[ARGS + 1];
		int argc;

		strncpy(line, runs[i].args, sizeof line - 1);
		line[sizeof line - 1] = '\0';
		argc = split(line, argv);
		ran_argc = 0;
		ran_last = NULL;
		assert_int_equal(cmd_dispatch("p", verbs, argc, argv), runs[i].code);
		assert_int_equal(ran_argc, runs[i].argc);
		if (runs[i].last)
			assert_string_equal(ran_last, runs[i].last);
	}
}

static void failures_have_codes_of_sysexits(void **state)
{
	const struct md_err err = { .text = "why" };

	(void)state;
	assert_int_equal(cmd_fail("x", MD_AGAIN, &err), EX_TEMPFAIL);
	assert_int_equal(cmd_fail("x", MD_INPUT, &err), EX_DATAERR);
	assert_int_equal(cmd_fail("x", MD_REFUSED, &err), EX_NOPERM);
	assert_int_equal(cmd_fail("x", MD_BROKEN, NULL), EX_SOFTWARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_go_to_their_targets),
		cmocka_unit_test(verbs_are_run_with_their_own_arguments),
		cmocka_unit_test(failures_have_codes_of_sysexits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/base/fault.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* This program again, with a point armed: passes "one" three times, "two" once. */
static int pass_points(void)
{
	for (int i = 0; i < 3; i++)
		fault_point("one");
	fault_point("two");
	return 0;
}

static void a_named_passing_kills_and_no_other(void **state)
{
	static const struct {
		const char *armed;
		int killed;
	} cases[] = { { "one", 1 },   { "one:3", 1 }, { "one:4", 0 }, { "two", 1 },
		      { "three", 0 }, { "on", 0 },    { "ones", 0 },  { "", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			setenv("MAILDESK_FAULT", cases[i].armed, 1);
			execl("/proc/self/exe", "test_fault", "points", (char *)NULL);
			_exit(127);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (cases[i].killed)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		else
			assert_int_equal(status, 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_named_passing_kills_and_no_other),
	};

	if (argc == 2 && strcmp(argv[1], "points") == 0)
		return pass_points();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

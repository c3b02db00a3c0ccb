#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/cmd/cmd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define OFFICE                                                                               \
	"\"calendar\":{\"timezone\":\"Europe/Berlin\",\"hours\":{\"thu\":[\"09:00-17:00\"]," \
	"\"fri\":[\"09:00-12:00\",\"13:00-17:00\"],\"mon\":[\"09:00-17:00\"]},"              \
	"\"holidays\":[\"2026-04-03\",\"2026-04-06\"],\"special\":{\"2026-04-06\":["         \
	"\"10:00-11:00\"]}}"
#define START "\"start\":\"2026-04-02T14:00:00Z\",\"target\":120"

/* Run the command on `input`; its standard output goes to `out`. */
static int run(const char *input, char *out, size_t room)
{
	char name[] = "/tmp/maildesk-test-sla-XXXXXX";
	char command[] = "sla";
	char *argv[] = { command, name, NULL };
	FILE *captured = tmpfile();
	int fd = mkstemp(name), saved = dup(STDOUT_FILENO), code;
	size_t n;

	assert_true(fd >= 0 && saved >= 0 && captured);
	assert_int_equal(write(fd, input, strlen(input)), strlen(input));
	close(fd);
	fflush(stdout);
	dup2(fileno(captured), STDOUT_FILENO);
	code = cmd_sla(2, argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	unlink(name);
	rewind(captured);
	n = fread(out, 1, room - 1, captured);
	out[n] = '\0';
	fclose(captured);
	return code;
}

static void answers(void **state)
{
	static const struct {
		const char *input, *expect;
	} cases[] = {
		{ "{\"name\":\"no events\"," OFFICE "," START "}",
		  "{\"name\":\"no events\",\"due\":\"2026-04-06T09:00:00Z\",\"state\":\"running\","
		  "\"elapsed\":0,\"warnings\":[\"2026-04-06T08:30:00Z\",\"2026-04-06T08:48:00Z\"],"
		  "\"explain\":[]}\n" },
		{ "{\"name\":\"paused\"," OFFICE "," START ",\"warn\":[50],\"events\":["
		  "{\"at\":\"2026-04-02T14:30:59Z\",\"do\":\"pause\"}]}",
		  "{\"name\":\"paused\",\"due\":null,\"state\":\"paused\",\"elapsed\":30,"
		  "\"warnings\":[],\"explain\":[{\"from\":\"2026-04-02T14:00:00Z\","
		  "\"to\":\"2026-04-02T14:30:59Z\",\"counted\":true,\"why\":\"open\"}]}\n" },
		{ "{\"name\":\"late\"," OFFICE "," START ",\"warn\":[],\"events\":["
		  "{\"at\":\"2026-04-06T09:00:01Z\",\"do\":\"stop\"}]}",
		  "{\"name\":\"late\",\"due\":\"2026-04-06T09:00:00Z\",\"state\":\"breached\","
		  "\"elapsed\":120,\"breached_at\":\"2026-04-06T09:00:00Z\",\"warnings\":[],"
		  "\"explain\":["
		  "{\"from\":\"2026-04-02T14:00:00Z\",\"to\":\"2026-04-02T15:00:00Z\","
		  "\"counted\":true,\"why\":\"open\"},"
		  "{\"from\":\"2026-04-02T15:00:00Z\",\"to\":\"2026-04-02T22:00:00Z\","
		  "\"counted\":false,\"why\":\"outside hours\"},"
		  "{\"from\":\"2026-04-02T22:00:00Z\",\"to\":\"2026-04-03T22:00:00Z\","
		  "\"counted\":false,\"why\":\"closed: 2026-04-03\"},"
		  "{\"from\":\"2026-04-03T22:00:00Z\",\"to\":\"2026-04-06T08:00:00Z\","
		  "\"counted\":false,\"why\":\"outside hours\"},"
		  "{\"from\":\"2026-04-06T08:00:00Z\",\"to\":\"2026-04-06T09:00:00Z\","
		  "\"counted\":true,\"why\":\"open\"},"
		  "{\"from\":\"2026-04-06T09:00:00Z\",\"to\":\"2026-04-06T09:00:01Z\","
		  "\"counted\":false,\"why\":\"outside hours\"}]}\n" },
		{ "{\"name\":\"changes\",\"calendar\":\"24x7\",\"warn\":[50]," START ",\"events\":["
		  "{\"at\":\"2026-04-02T14:30:00Z\",\"do\":\"pause\"},"
		  "{\"at\":\"2026-04-02T15:00:00Z\",\"do\":\"resume\"},"
		  "{\"at\":\"2026-04-02T15:30:00Z\",\"do\":\"target\",\"minutes\":60},"
		  "{\"at\":\"2026-04-02T15:40:00Z\",\"do\":\"calendar\"," OFFICE "}]}",
		  "{\"name\":\"changes\",\"due\":\"2026-04-02T15:40:00Z\",\"state\":\"running\","
		  "\"elapsed\":70,\"breached_at\":\"2026-04-02T15:30:00Z\","
		  "\"warnings\":[\"2026-04-02T15:30:00Z\"],\"explain\":["
		  "{\"from\":\"2026-04-02T14:00:00Z\",\"to\":\"2026-04-02T14:30:00Z\","
		  "\"counted\":true,\"why\":\"open\"},"
		  "{\"from\":\"2026-04-02T14:30:00Z\",\"to\":\"2026-04-02T15:00:00Z\","
		  "\"counted\":false,\"why\":\"paused\"},"
		  "{\"from\":\"2026-04-02T15:00:00Z\",\"to\":\"2026-04-02T15:40:00Z\","
		  "\"counted\":true,\"why\":\"open\"}]}\n" },
		/* the last event changes nothing, but time went on until then */
		{ "{\"name\":\"idle\",\"calendar\":\"24x7\",\"warn\":[99]," START ",\"events\":["
		  "{\"at\":\"2026-04-02T14:05:00Z\",\"do\":\"resume\"}]}",
		  "{\"name\":\"idle\",\"due\":\"2026-04-02T16:00:00Z\",\"state\":\"running\","
		  "\"elapsed\":5,\"warnings\":[\"2026-04-02T15:58:48Z\"],\"explain\":["
		  "{\"from\":\"2026-04-02T14:00:00Z\",\"to\":\"2026-04-02T14:05:00Z\","
		  "\"counted\":true,\"why\":\"open\"}]}\n" },
	};
	char out[4000];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		assert_int_equal(run(cases[i].input, out, sizeof out), EX_OK);
		assert_string_equal(out, cases[i].expect);
	}
}

static void bad_scenarios(void **state)
{
	static const struct {
		const char *input, *error;
	} cases[] = {
		{ "{\"calendar\":{\"timezone\":\"Mars/Base\"}," START "}",
		  "timezone: unknown time zone \\\"Mars/Base\\\"" },
		{ "{\"calendar\":{\"timezone\":\"UTC\",\"hours\":{\"mon\":[\"09:00-12:00\","
		  "\"11:00-13:00\"]}}," START "}",
		  "hours: mon: window \\\"11:00-13:00\\\" overlaps another" },
		{ "{\"calendar\":\"24x7\"," START ",\"events\":[{\"at\":\"2026-04-02T13:59:59Z\","
		  "\"do\":\"stop\"}]}",
		  "event 1: events out of order" },
		{ "{\"calendar\":\"24x7\"," START ",\"events\":[{\"at\":\"2026-04-03T14:00:00Z\","
		  "\"do\":\"pause\"},{\"at\":\"2026-04-03T13:00:00Z\",\"do\":\"resume\"}]}",
		  "event 2: events out of order" },
		{ "{\"calendar\":\"24x7\"," START ",\"events\":[{\"at\":\"2026-04-03T14:00:00Z\","
		  "\"do\":\"stop\"},{\"at\":\"2026-04-03T15:00:00Z\",\"do\":\"resume\"}]}",
		  "event 2: events out of order: \\\"resume\\\" after \\\"stop\\\"" },
		{ "{\"calendar\":\"24x7\"," START ",\"events\":[{\"at\":\"2026-04-03T14:00:00Z\","
		  "\"do\":\"dance\"}]}",
		  "event 1: \\\"do\\\" must be pause, resume, stop, target or calendar" },
		{ "{\"calendar\":{\"timezone\":\"UTC\",\"holiday\":[]}," START "}",
		  "unknown key \\\"holiday\\\" in a calendar" },
		{ "{\"calendar\":\"24x7\",\"start\":\"today\",\"target\":1}",
		  "\\\"start\\\" must be an instant like \\\"2026-03-02T09:00:00Z\\\"" },
		{ "{\"calendar\":\"24x7\",\"start\":\"2026-04-02T14:00:00Z\",\"target\":-1}",
		  "\\\"target\\\" must be minutes from 0 to 52704000" },
		{ "{\"calendar\":\"24x7\",\"warn\":[0]," START "}",
		  "\\\"warn\\\" takes percentages 1 to 100" },
		{ "[]", "a scenario must be an object" },
		{ "{", "line 1, column 1: string or '}' expected near end of file" },
	};
	char out[4000], expect[400];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		assert_int_equal(run(cases[i].input, out, sizeof out), EX_DATAERR);
		snprintf(expect, sizeof expect, "{\"name\":null,\"error\":\"%s\"}\n",
			 cases[i].error);
		assert_string_equal(out, expect);
	}
}

static void run_goes_on_after_a_bad_one(void **state)
{
	char out[4000];

	(void)state;
	assert_int_equal(run("{\"name\":\"a\"}\n\nnonsense\n{\"name\":\"b\",\"calendar\":\"24x7\","
			     "\"warn\":[]," START "}\n",
			     out, sizeof out),
			 EX_DATAERR);
	assert_non_null(strstr(out, "{\"name\":\"a\",\"error\":"));
	assert_non_null(strstr(out, "\n{\"name\":null,\"error\":"));
	assert_non_null(strstr(out, "\n{\"name\":\"b\",\"due\":\"2026-04-02T16:00:00Z\""));
}

static void no_such_file(void **state)
{
	char command[] = "sla", name[] = "/nonexistent/file";
	char *argv[] = { command, name, name, NULL };

	(void)state;
	assert_int_equal(cmd_sla(2, argv), EX_NOINPUT);
	assert_int_equal(cmd_sla(3, argv), EX_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(bad_scenarios),
		cmocka_unit_test(run_goes_on_after_a_bad_one),
		cmocka_unit_test(no_such_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* log: one line a fact, in three forms; nothing remote can forge a line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/log.h>
#include <maildesk/base/mem.h>

#include <string.h>
#include <unistd.h>

/* What `write` prints to stderr. */
static void capture(void (*write)(void), char *out, size_t room)
{
	int fds[2], kept = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	write();
	dup2(kept, STDERR_FILENO);
	close(fds[1]);
	n = read(fds[0], out, room - 1);
	out[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	close(kept);
}

static void write_hostile(void)
{
	const struct log_ctx about = { .mailbox = "support box",
				       .uid = 7,
				       .message_id = "a\nb\"c" };

	log_warn(&about, "subject: %s", "x\r\n2026-01-01 forged \x1b[2J line");
}

static void write_too_fine(void)
{
	log_debug(NULL, "not shown");
}

static void plain_lines_cannot_be_forged(void **state)
{
	char line[1000];

	(void)state;
	log_init("desk", LOG_PLAIN, LOG_INFO);
	capture(write_hostile, line, sizeof line);
	assert_non_null(strstr(line, " warn desk: subject: x 2026-01-01 forged [2J line"));
	assert_non_null(strstr(line, " mailbox=\"support box\" uid=7 message_id=\"a b\\\"c\"\n"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void json_lines_are_json(void **state)
{
	char line[1000];

	(void)state;
	log_init("desk", LOG_JSON, LOG_INFO);
	capture(write_hostile, line, sizeof line);
	assert_non_null(
		strstr(line, "\"level\":\"warn\",\"role\":\"desk\",\"message\":\"subject: x"));
	assert_non_null(strstr(line, "\"mailbox\":\"support box\",\"uid\":\"7\""));
}

static void finer_levels_are_left_out(void **state)
{
	char line[1000];

	(void)state;
	log_init("desk", LOG_PLAIN, LOG_INFO);
	capture(write_too_fine, line, sizeof line);
	assert_string_equal(line, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lines_cannot_be_forged),
		cmocka_unit_test(json_lines_are_json),
		cmocka_unit_test(finer_levels_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

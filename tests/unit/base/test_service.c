#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/service.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket that NOTIFY_SOCKET names, abstract or not, as systemd has them. */
static int listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	assert_true(fd >= 0 && strlen(name) < sizeof at.sun_path);
	memcpy(at.sun_path, name, strlen(name));
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void what_is_told_is_one_datagram(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		char name[64], got[200] = "";
		int fd;

		snprintf(name, sizeof name, i ? "/tmp/maildesk-test-%d" : "@maildesk-test-%d",
			 (int)getpid());
		fd = listen_at(name);
		assert_true(service_listens());
		service_tell("READY=1\nSTATUS=%d of %d", 1, 2);
		assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 21);
		assert_string_equal(got, "READY=1\nSTATUS=1 of 2");
		close(fd);
		unlink(name);
		service_tell("READY=1"); /* nobody hears it, which is no harm */
	}
	unsetenv("NOTIFY_SOCKET");
	assert_false(service_listens());
	service_tell("READY=1");
}

static void what_is_meant_for_another_process_is_not_taken(void **state)
{
	char pid[20];
	int fd = 7;

	(void)state;
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "1500000", 1);
	assert_int_equal(service_watchdog_ms(), 1500);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(service_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(service_watchdog_ms(), 1500);

	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(service_socket(&fd, NULL), MD_OK);
	assert_int_equal(fd, -1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(service_socket(&fd, NULL), MD_OK);
	assert_int_equal(fd, -1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_PID", pid, 1);
	assert_int_equal(service_socket(&fd, NULL), MD_INPUT);
	assert_int_equal(service_socket(&fd, NULL), MD_OK); /* asked once only */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_one_datagram),
		cmocka_unit_test(what_is_meant_for_another_process_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Each case runs in a child of its own, behind the jail, and tells by its exit status. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/net/role.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { FINE = 0, WRONG = 1, NO_JAIL = 77, KILLED = 1000 };

static const struct role_jail reader = { .memory_bytes = 256 << 20 };
static const struct role_jail fetcher = { .network = true, .spool = true };
static char spool_dir[] = "/tmp/maildesk-jail-XXXXXX", outside[64];

static int run(const struct role_jail *jail, int (*deed)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char missing[100] = "?";
		struct md_err err;

		close(ROLE_SPOOL_FD);
		if (open(spool_dir, O_RDONLY | O_DIRECTORY) != ROLE_SPOOL_FD &&
		    dup2(open(spool_dir, O_RDONLY | O_DIRECTORY), ROLE_SPOOL_FD) < 0)
			_exit(WRONG);
		if (role_jail_enter(jail, missing, sizeof missing, &err) != MD_OK) {
			fprintf(stderr, "%s\n", err.text);
			_exit(NO_JAIL);
		}
		if (missing[0]) {
			fprintf(stderr, "kernel lacks %s\n", missing);
			_exit(NO_JAIL);
		}
		_exit(deed());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : 2000 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* What a taken-over role might try. Each deed returns FINE when it succeeded. */

static int open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? FINE : errno == EACCES ? EACCES : WRONG;
}
static int open_spool_name(void)
{
	return openat(ROLE_SPOOL_FD, "outside", O_RDONLY) >= 0 ? FINE : WRONG;
}
static int open_outside(void)
{
	return open(outside, O_RDONLY) >= 0 ? FINE : errno;
}
static int write_tmp(void)
{
	return open("/tmp/maildesk-jail-written", O_CREAT | O_WRONLY, 0600) >= 0 ? FINE : errno;
}
static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? FINE : WRONG;
}
static int make_local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? FINE : errno;
}
static int make_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? FINE : WRONG;
}
static int make_process(void)
{
	return fork() >= 0 ? FINE : WRONG;
}
static int run_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return WRONG;
}
static int signal_parent(void)
{
	return kill(getppid(), 0) == 0 ? FINE : WRONG;
}
static int map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p != MAP_FAILED ? FINE : WRONG;
}
static int make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? FINE : WRONG;
}
static int take_memory(void)
{
	char *p = malloc(512U << 20);

	return p ? FINE : ENOMEM;
}

/* What a role must still be able to do. */

static int work_in_memory(void)
{
	char *p = malloc(50 << 20);
	iconv_t unknown = iconv_open("UTF-8", "IBM1047"); /* its module is a file: must just fail */

	if (!p || (unknown == (iconv_t)-1) == SANITIZED)
		return SANITIZED ? FINE : WRONG;
	memset(p, 1, 50 << 20);
	p = realloc(p, 90 << 20);
	free(p);
	return p && fprintf(stderr, "%s", "") == 0 ? FINE : WRONG;
}

static void *on_a_thread(void *arg)
{
	int fd = open("/etc/hosts", O_RDONLY);

	*(int *)arg = fd >= 0 || errno == ENOENT ? FINE : WRONG;
	return NULL;
}

static int fetch_work(void)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	pthread_t t;
	int fd, result = WRONG;
	char c = 'x';

	if (getaddrinfo("localhost", "143", &hints, &list) != 0)
		return 10;
	freeaddrinfo(list);
	(void)!getaddrinfo("no-such-host.invalid", "143", &hints, &list);
	if (pthread_create(&t, NULL, on_a_thread, &result) != 0)
		return 11;
	pthread_join(t, NULL);
	fd = openat(ROLE_SPOOL_FD, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, &c, 1) != 1 || pread(fd, &c, 1, 0) != 1)
		return 12;
	fd = openat(ROLE_SPOOL_FD, "x", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(ROLE_SPOOL_FD, "x", 0) != 0)
		return 13;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(1); /* refused by the peer, not by us */
	if (connect(fd, (struct sockaddr *)&a, n) == 0 || errno != ECONNREFUSED)
		return 14;
	return result;
}

static int fetch_listens(void)
{
	return listen(socket(AF_INET, SOCK_STREAM, 0), 1) == 0 ? FINE : WRONG;
}

static void roles_can_do_what_they_must_and_nothing_else(void **state)
{
	const struct {
		const char *name;
		const struct role_jail *jail;
		int (*deed)(void);
		int expected;
		bool not_sanitized; /* the runtime of a sanitizer needs what is refused here */
	} cases[] = {
		{ "read works", &reader, work_in_memory, FINE, false },
		{ "read opens a file", &reader, open_passwd, EACCES, false },
		{ "read opens below a descriptor", &reader, open_spool_name, WRONG, false },
		{ "read creates a file", &reader, write_tmp, EACCES, false },
		{ "read makes a socket", &reader, make_socket, KILLED, false },
		{ "read makes a local socket", &reader, make_local_socket, KILLED, false },
		{ "read forks", &reader, make_process, KILLED, true },
		{ "read executes", &reader, run_program, KILLED, false },
		{ "read signals", &reader, signal_parent, KILLED, true },
		{ "read maps code", &reader, map_code, WRONG, true },
		{ "read makes code", &reader, make_code, KILLED, true },
		{ "read takes memory", &reader, take_memory, ENOMEM, true },
		{ "fetch works", &fetcher, fetch_work, FINE, false },
		{ "fetch opens passwd", &fetcher, open_passwd, EACCES, false },
		{ "fetch opens a file outside", &fetcher, open_outside, EACCES, false },
		{ "fetch creates a file outside", &fetcher, write_tmp, EACCES, false },
		{ "fetch listens", &fetcher, fetch_listens, KILLED, false },
		{ "fetch makes a local socket", &fetcher, make_local_socket, EACCES, false },
		{ "fetch makes a packet socket", &fetcher, make_packet_socket, KILLED, false },
		{ "fetch forks", &fetcher, make_process, KILLED, true },
		{ "fetch executes", &fetcher, run_program, KILLED, false },
		{ "fetch signals", &fetcher, signal_parent, KILLED, true },
		{ "fetch maps code", &fetcher, map_code, KILLED, true },
	};
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int got = SANITIZED && cases[i].not_sanitized ? cases[i].expected
							      : run(cases[i].jail, cases[i].deed);

		if (got == NO_JAIL)
			skip();
		if (got != cases[i].expected) {
			print_error("%s: %d, not %d\n", cases[i].name, got, cases[i].expected);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(spool_dir))
		return -1;
	/* a neighbour of the spool that any user may read */
	snprintf(outside, sizeof outside, "%s.outside", spool_dir);
	close(open(outside, O_CREAT | O_WRONLY, 0644));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(outside);
	return rmdir(spool_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_can_do_what_they_must_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/net/channel.h>
#include <maildesk/net/role.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct note {
	int64_t number;
	const char *text;
	struct rec_bytes bytes;
};
static const struct rec_field note_fields[] = {
	REC(struct note, number, REC_INT, 0),
	REC(struct note, text, REC_STR, 1000),
	REC(struct note, bytes, REC_BYTES, 50 << 20),
	REC_END,
};
static const struct rec note_rec = { "note", sizeof(struct note), note_fields };

struct pair {
	struct channel *a, *b;
};

static void pair_open(struct pair *p)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(channel_new(fds[0], &p->a, NULL), MD_OK);
	assert_int_equal(channel_new(fds[1], &p->b, NULL), MD_OK);
}

static void pair_close(struct pair *p)
{
	channel_free(p->a);
	channel_free(p->b);
}

/* A peer that writes what it likes. */
static int raw_peer(struct channel **ret)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(channel_new(fds[0], ret, NULL), MD_OK);
	return fds[1];
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void frames_arrive_in_order_and_whole(void **state)
{
	struct arena arena = ARENA_INIT(1 << 20);
	struct note in;
	struct frame f;
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_receive(p.b, &f, NULL), MD_AGAIN);
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(channel_send(p.a, (uint32_t)i + 1, &note_rec,
					      &(struct note){ .number = i, .text = "hello" }, -1,
					      NULL),
				 MD_OK);
	for (int64_t i = 0; i < 100; i++) {
		assert_int_equal(channel_receive(p.b, &f, NULL), MD_OK);
		assert_int_equal(f.type, i + 1);
		assert_int_equal(f.fd, -1);
		assert_int_equal(rec_unpack(&note_rec, f.bytes, f.n, &arena, &in, NULL), MD_OK);
		assert_int_equal(in.number, i);
		assert_string_equal(in.text, "hello");
	}
	assert_int_equal(channel_receive(p.b, &f, NULL), MD_AGAIN);
	arena_done(&arena);
	pair_close(&p);
}

static void what_is_put_waits_for_company(void **state)
{
	static const uint8_t large[64 << 10];
	struct frame f;
	struct pair p;

	(void)state;
	pair_open(&p);
	for (uint32_t i = 1; i <= 2; i++)
		assert_int_equal(channel_put(p.a, i, &note_rec, &(struct note){ .number = 1 }, -1,
					     NULL),
				 MD_OK);
	assert_int_equal(channel_receive(p.b, &f, NULL), MD_AGAIN);
	assert_int_equal(channel_flush(p.a, NULL), MD_OK);
	for (uint32_t i = 1; i <= 2; i++) {
		assert_int_equal(channel_receive(p.b, &f, NULL), MD_OK);
		assert_int_equal(f.type, i);
	}
	/* but not when it is much */
	assert_int_equal(channel_put(p.a, 3, &note_rec,
				     &(struct note){ .bytes = { sizeof large, large } }, -1, NULL),
			 MD_OK);
	assert_int_equal(channel_receive(p.b, &f, NULL), MD_OK);
	pair_close(&p);
}

static void descriptors_stay_with_their_frames(void **state)
{
	int before = open_fds(), pipes[20][2];
	struct frame f;
	struct pair p;

	(void)state;
	pair_open(&p);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		char c = (char)('a' + i);
		assert_int_equal(write(pipes[i][1], &c, 1), 1);
		int fd = i % 3 == 1 ? -1 : pipes[i][0];
		assert_int_equal(channel_send(p.a, (uint32_t)i, &note_rec, &(struct note){ 0 }, fd,
					      NULL),
				 MD_OK);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	for (int i = 0; i < 20; i++) {
		char c = 0;

		assert_int_equal(channel_receive(p.b, &f, NULL), MD_OK);
		assert_int_equal(f.type, i);
		if (i % 3 == 1) {
			assert_int_equal(f.fd, -1);
			continue;
		}
		assert_int_equal(read(f.fd, &c, 1), 1);
		assert_int_equal(c, 'a' + i);
		assert_int_equal(fcntl(f.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(f.fd);
	}
	pair_close(&p);
	assert_int_equal(open_fds(), before);
}

static void *read_slowly(void *arg)
{
	struct channel *ch = arg;
	struct frame f;
	intptr_t n = 0;

	while (n < 6 && channel_wait(ch, 10000, &f, NULL) == MD_OK) {
		if (f.fd >= 0)
			close(f.fd);
		if (f.n < (size_t)n * 3000000 || (f.fd >= 0) != (n % 2 == 1))
			break;
		n++;
	}
	return (void *)n;
}

static void large_frames_pass_through_small_sockets(void **state)
{
	uint8_t *bytes = calloc(1, 6 * 3000000);
	struct md_err err;
	struct frame f;
	pthread_t t;
	struct pair p;
	void *n;

	(void)state;
	pair_open(&p);
	pthread_create(&t, NULL, read_slowly, p.b);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(channel_send(p.a, 1, &note_rec,
					      &(struct note){ .bytes = { i * 3000000, bytes } },
					      i % 2 ? STDERR_FILENO : -1, &err),
				 MD_OK);
	assert_int_not_equal(channel_pending(p.a), 0);
	while (channel_pending(p.a)) /* nothing to receive: flushes meanwhile */
		assert_int_equal(channel_wait(p.a, 20, &f, &err), MD_AGAIN);
	pthread_join(t, &n);
	assert_int_equal((intptr_t)n, 6);
	free(bytes);
	pair_close(&p);
}

static void a_frame_too_large_is_refused_and_nothing_of_it_sent(void **state)
{
	size_t n = CHANNEL_FRAME_MAX + 1;
	uint8_t *bytes = calloc(1, n);
	struct frame f;
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_send(p.a, 1, &note_rec, &(struct note){ .bytes = { n, bytes } },
				      -1, NULL),
			 MD_INPUT);
	assert_int_equal(channel_pending(p.a), 0);
	assert_int_equal(channel_send(p.a, 2, &note_rec, &(struct note){ 0 }, -1, NULL), MD_OK);
	assert_int_equal(channel_receive(p.b, &f, NULL), MD_OK);
	assert_int_equal(f.type, 2);
	free(bytes);
	pair_close(&p);
}

static void what_was_said_before_the_end_is_heard(void **state)
{
	struct frame f;
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_send(p.a, 5, &note_rec, &(struct note){ 0 }, -1, NULL), MD_OK);
	channel_free(p.a);
	assert_int_equal(channel_wait(p.b, 1000, &f, NULL), MD_OK);
	assert_int_equal(f.type, 5);
	assert_int_equal(channel_wait(p.b, 1000, &f, NULL), MD_REFUSED);
	assert_int_equal(channel_send(p.b, 5, &note_rec, &(struct note){ 0 }, -1, NULL),
			 MD_REFUSED);
	channel_free(p.b);
}

static void silence_times_out(void **state)
{
	struct frame f;
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_wait(p.a, 10, &f, NULL), MD_AGAIN);
	pair_close(&p);
}

static void broken_frames_are_refused_for_good(void **state)
{
	static const struct {
		uint32_t n, type;
	} bad[] = { { 0, 1 },
		    { 3, 1 },
		    { CHANNEL_FRAME_MAX + 5, 1 },
		    { UINT32_MAX, 1 },
		    { 4, 1U << 31 /* a descriptor is announced, none comes */ } };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(bad); i++) {
		uint32_t head[2] = { htole32(bad[i].n), htole32(bad[i].type) };
		struct channel *ch;
		struct frame f;
		int fd = raw_peer(&ch);

		assert_int_equal(write(fd, head, sizeof head), sizeof head);
		assert_int_equal(channel_receive(ch, &f, NULL), MD_INPUT);
		assert_int_equal(channel_receive(ch, &f, NULL), MD_INPUT);
		close(fd);
		channel_free(ch);
	}
}

static void send_with_fds(int to, const void *bytes, size_t n, int n_fds)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec io = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control };
	int fds[4] = { 2, 2, 2, 2 };

	msg.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)n_fds * sizeof(int));
	assert_int_equal(sendmsg(to, &msg, 0), (ssize_t)n);
}

static void unannounced_and_surplus_descriptors_break_the_peer_and_leak_nothing(void **state)
{
	static const int surplus[] = { 1, 2, 4 }; /* descriptors in each of many pieces */
	int before = open_fds();

	(void)state;
	for (size_t i = 0; i < MD_COUNT(surplus); i++) {
		uint8_t byte = 100;
		struct channel *ch;
		struct frame f;
		int fd = raw_peer(&ch), rc = MD_AGAIN;

		for (int k = 0; k < 8 && rc == MD_AGAIN; k++) {
			send_with_fds(fd, &byte, 1, surplus[i]);
			rc = channel_receive(ch, &f, NULL);
		}
		assert_int_equal(rc, MD_INPUT);
		close(fd);
		channel_free(ch);
	}
	assert_int_equal(open_fds(), before);
}

static void every_failed_allocation_is_told(void **state)
{
	struct frame f;
	int rc = MD_NOMEM;

	(void)state;
	for (long nth = 1; rc == MD_NOMEM; nth++) {
		struct pair p;

		pair_open(&p);
		md_alloc_fail(nth, 0);
		rc = channel_send(p.a, 1, &note_rec, &(struct note){ .text = "x" }, 2, NULL);
		if (rc == MD_OK)
			rc = channel_receive(p.b, &f, NULL);
		md_alloc_fail(0, 0);
		if (rc == MD_OK)
			close(f.fd);
		pair_close(&p);
		assert_true(nth < 20);
	}
	assert_int_equal(rc, MD_OK);
}

/* ---- role_spawn: this program again ---- */

/* Answers each frame with the number of its open descriptors, and its spool's name. */
static int role_echo(void)
{
	struct channel *ch;
	struct frame f;

	if (channel_new(ROLE_SOCKET_FD, &ch, NULL) != MD_OK)
		return 1;
	while (channel_wait(ch, -1, &f, NULL) == MD_OK) {
		struct note n = { .number = open_fds(), .text = "none" };

		if (fcntl(ROLE_SPOOL_FD, F_GETFD) >= 0)
			n.text = openat(ROLE_SPOOL_FD, "here", O_RDONLY) >= 0 ? "here" : "wrong";
		channel_send(ch, f.type, &note_rec, &n, -1, NULL);
	}
	channel_free(ch);
	return 0;
}

static void ask(struct role_process *r, struct note *ret, struct arena *arena)
{
	struct md_err err;
	struct frame f;

	assert_int_equal(channel_send(r->channel, 9, &note_rec, &(struct note){ 0 }, -1, &err),
			 MD_OK);
	assert_int_equal(channel_wait(r->channel, 10000, &f, &err), MD_OK);
	assert_int_equal(f.type, 9);
	assert_int_equal(rec_unpack(&note_rec, f.bytes, f.n, arena, ret, &err), MD_OK);
}

static void a_role_has_its_socket_its_spool_and_nothing_else(void **state)
{
	char dir[] = "/tmp/maildesk-role-XXXXXX", file[64];
	struct arena arena = ARENA_INIT(1 << 16);
	struct role_process with, without;
	struct note n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/here", dir);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	int spool = open(dir, O_RDONLY | O_DIRECTORY); /* inheritable, as is this one: */
	int leak = dup(spool);

	assert_int_equal(role_spawn("echo", spool, &with, NULL), MD_OK);
	assert_int_equal(role_spawn("echo", -1, &without, NULL), MD_OK);
	ask(&with, &n, &arena);
	assert_string_equal(n.text, "here");
	assert_int_equal(n.number, 5); /* before it opened "here" */
	ask(&without, &n, &arena);
	assert_string_equal(n.text, "none");
	assert_int_equal(n.number, 4);
	assert_true(WIFSIGNALED(role_end(&with)));
	assert_int_equal(role_end(&with), 0);

	/* closing its socket is enough */
	channel_free(md_take(without.channel));
	int status;
	assert_int_equal(waitpid(without.pid, &status, 0), without.pid);
	assert_int_equal(status, 0);

	close(spool);
	close(leak);
	unlink(file);
	rmdir(dir);
	arena_done(&arena);
}

static void a_role_dies_with_its_parent(void **state)
{
	int up[2];

	(void)state;
	assert_int_equal(pipe(up), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct role_process r;

		/* "hang" ignores its socket, so only the death signal can end it */
		if (role_spawn("hang", -1, &r, NULL) != MD_OK)
			_exit(1);
		(void)!write(up[1], &r.pid, sizeof r.pid);
		pause();
	}
	pid_t role;
	assert_int_equal(read(up[0], &role, sizeof role), sizeof role);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	close(up[1]);
	for (int i = 0; i < 2000 && kill(role, 0) == 0; i++)
		poll(NULL, 0, 5);
	if (kill(role, 0) == 0) { /* an unreaped corpse counts as dead */
		char path[64], line[256] = "";

		snprintf(path, sizeof path, "/proc/%d/stat", (int)role);
		int fd = open(path, O_RDONLY);
		assert_true(fd < 0 || read(fd, line, sizeof line - 1) >= 0);
		assert_true(fd < 0 || strstr(line, ") Z"));
		close(fd);
	}
	close(up[0]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_in_order_and_whole),
		cmocka_unit_test(what_is_put_waits_for_company),
		cmocka_unit_test(descriptors_stay_with_their_frames),
		cmocka_unit_test(large_frames_pass_through_small_sockets),
		cmocka_unit_test(a_frame_too_large_is_refused_and_nothing_of_it_sent),
		cmocka_unit_test(what_was_said_before_the_end_is_heard),
		cmocka_unit_test(silence_times_out),
		cmocka_unit_test(broken_frames_are_refused_for_good),
		cmocka_unit_test(
			unannounced_and_surplus_descriptors_break_the_peer_and_leak_nothing),
		cmocka_unit_test(every_failed_allocation_is_told),
		cmocka_unit_test(a_role_has_its_socket_its_spool_and_nothing_else),
		cmocka_unit_test(a_role_dies_with_its_parent),
	};

	if (argc == 2 && strcmp(argv[1], "role-echo") == 0)
		return role_echo();
	if (argc == 2 && strcmp(argv[1], "role-hang") == 0)
		for (;;)
			pause();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Answers that go on: written from other threads, to many clients, through ends from either side.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/net/http.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 40, LINES = 50, ROOM = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct http_stream *streams[CLIENTS * 2];
static size_t n_streams;
static atomic_int rooms;

static void has_room(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&rooms, 1);
}

static int watch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct http_stream *s;
	int rc = http_stream_begin(q, r, "text/event-stream", ROOM, has_room, NULL, &s, err);

	(void)ctx;
	if (rc != MD_OK)
		return rc;
	http_stream_write(s, "hello\n", 6);
	pthread_mutex_lock(&lock);
	streams[n_streams++] = s;
	pthread_mutex_unlock(&lock);
	return MD_OK;
}

static int begin_and_fail(void *ctx, struct http_request *q, struct http_response *r,
			  struct md_err *err)
{
	struct http_stream *s;
	int rc = http_stream_begin(q, r, "text/event-stream", ROOM, has_room, NULL, &s, err);

	(void)ctx;
	if (rc == MD_OK)
		http_stream_end(s);
	return http_refuse(q, r, 503, "unavailable", "after all");
}

static const struct http_route routes[] = {
	{ .method = "GET",
	  .path = "/watch",
	  .roles = 1,
	  .handler = watch,
	  .summary = "Watch",
	  .answers = HTTP_STREAM,
	  .answer = "text/event-stream" },
	{ .method = "GET",
	  .path = "/fail",
	  .roles = 1,
	  .handler = begin_and_fail,
	  .summary = "Watch",
	  .answers = HTTP_STREAM,
	  .answer = "text/event-stream" },
};
static const struct http_service service = { .routes = routes,
					     .n_routes = MD_COUNT(routes),
					     .base = "/api" };

static struct http_server *start(int64_t silence_ms)
{
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s = NULL;
	struct md_err err;

	o.listen = "127.0.0.1:0";
	o.body_ms = silence_ms;
	n_streams = 0;
	if (http_start(&o, &service, &s, &err) != MD_OK)
		fail_msg("%s", err.text);
	return s;
}

static int ask(struct http_server *s, const char *path)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	char text[200];
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 2048;
	int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	at.sin_port = htons((uint16_t)strtoul(strrchr(http_listening(s), ':') + 1, NULL, 10));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(write(fd, text, (size_t)n), n);
	return fd;
}

/* Reads until `text` has come; false when the stream ends before. */
static bool read_to(int fd, const char *text, struct buf *all)
{
	char some[512];

	while (!strstr(buf_str(all), text)) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;

		if (poll(&p, 1, 60000) <= 0)
			fail_msg("no \"%s\" for a minute", text);
		n = read(fd, some, sizeof some);
		if (n <= 0)
			return false;
		buf_add(all, some, (size_t)n);
	}
	return true;
}

static size_t wait_streams(size_t n)
{
	size_t seen;

	do {
		poll(NULL, 0, 1);
		pthread_mutex_lock(&lock);
		seen = n_streams;
		pthread_mutex_unlock(&lock);
	} while (seen < n);
	return seen;
}

/* Some hang up at once, some are told all of it; writers wait for room. */
static void *write_lines(void *arg)
{
	(void)arg;
	for (int k = 0; k < LINES; k++)
		for (size_t i = 0; i < CLIENTS; i++) {
			char line[80];
			int n = snprintf(line, sizeof line, "line %d\n", k), rc = MD_OK;

			while (streams[i] &&
			       (rc = http_stream_write(streams[i], line, (size_t)n)) == MD_AGAIN)
				poll(NULL, 0, 1);
			if (streams[i] && rc == MD_NOTFOUND) {
				http_stream_end(streams[i]);
				streams[i] = NULL;
			}
		}
	for (size_t i = 0; i < CLIENTS; i++)
		if (streams[i]) {
			http_stream_write(streams[i], "bye\n", 4);
			http_stream_end(streams[i]);
		}
	return NULL;
}

static void many_are_told_by_another_thread(void **state)
{
	struct http_server *s = start(60000);
	int fds[CLIENTS];
	pthread_t writer;

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = ask(s, "/watch");
	wait_streams(CLIENTS);
	for (int i = 0; i < CLIENTS; i += 4) {
		close(fds[i]);
		fds[i] = -1;
	}
	assert_int_equal(pthread_create(&writer, NULL, write_lines, NULL), 0);
	for (int i = 0; i < CLIENTS; i++) {
		struct buf all = BUF_INIT(1 << 20);
		const char *at;

		if (fds[i] < 0)
			continue;
		assert_true(read_to(fds[i], "bye\n", &all));
		at = buf_str(&all);
		assert_non_null(strstr(at, "HTTP/1.1 200"));
		assert_non_null(strstr(at, "hello\n"));
		for (int k = 0; k < LINES; k++) {
			char line[20];

			snprintf(line, sizeof line, "line %d\n", k);
			at = strstr(at, line);
			assert_non_null(at);
		}
		buf_done(&all);
		close(fds[i]);
	}
	pthread_join(writer, NULL);
	http_stop(s);
}

static void stopping_ends_them(void **state)
{
	struct http_server *s = start(60000);
	struct buf all = BUF_INIT(1 << 20);
	int fd = ask(s, "/watch");

	(void)state;
	assert_true(read_to(fd, "hello\n", &all));
	http_stop(s);
	assert_false(read_to(fd, "more", &all));
	assert_int_equal(http_stream_write(streams[0], "x", 1), MD_NOTFOUND);
	assert_false(http_stream_is_read(streams[0]));
	http_stream_end(streams[0]);
	buf_done(&all);
	close(fd);
}

static void who_reads_nothing_is_cut_off(void **state)
{
	struct http_server *s = start(300);
	struct buf all = BUF_INIT(1 << 20);
	int fd = ask(s, "/watch"), rc;
	char block[ROOM / 2];

	(void)state;
	memset(block, 'x', sizeof block);
	assert_true(read_to(fd, "hello\n", &all));
	do {
		rc = http_stream_write(streams[0], block, sizeof block);
		poll(NULL, 0, 1);
	} while (rc == MD_OK || rc == MD_AGAIN);
	assert_int_equal(rc, MD_NOTFOUND);
	http_stream_end(streams[0]);
	close(fd);
	buf_done(&all);
	http_stop(s);
}

static void a_refusal_after_all_is_one(void **state)
{
	struct http_server *s = start(60000);
	struct buf all = BUF_INIT(1 << 20);
	int fd = ask(s, "/fail");

	(void)state;
	assert_true(read_to(fd, "after all", &all));
	assert_non_null(strstr(buf_str(&all), "HTTP/1.1 503"));
	buf_done(&all);
	close(fd);
	http_stop(s);
}

static void who_hung_up_is_seen(void **state)
{
	struct http_server *s = start(60000);
	struct buf all = BUF_INIT(1 << 20);
	int fd = ask(s, "/watch");

	(void)state;
	assert_true(read_to(fd, "hello\n", &all));
	assert_true(http_stream_is_read(streams[0]));
	close(fd);
	while (http_stream_is_read(streams[0]))
		poll(NULL, 0, 1);
	http_stream_end(streams[0]);
	buf_done(&all);
	http_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_are_told_by_another_thread),
		cmocka_unit_test(stopping_ends_them),
		cmocka_unit_test(who_reads_nothing_is_cut_off),
		cmocka_unit_test(a_refusal_after_all_is_one),
		cmocka_unit_test(who_hung_up_is_seen),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

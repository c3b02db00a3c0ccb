/* Asks a server over and over on keep-alive connections, one request at a time on each, and tells
 * how long answers take. %lld of PATH is a number from 1 to IDS.
 *
 *	bare_load PORT CONNECTIONS REQUESTS IDS PATH [AUTHORIZATION] */
#include "bare.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CONNECTIONS_MAX = 1000, ANSWER_MAX = 256 << 10 };

struct connection {
	int fd;
	double asked;
	char answer[ANSWER_MAX];
	size_t n, whole; /* whole: with its body, once the head is there */
};

static struct {
	const char *path, *authorization;
	unsigned port;
	long long ids, left;
	unsigned long seed;
	double *times;
	size_t n_times;
	size_t bytes;
} load = { .seed = 1 };

static void ask(struct connection *c)
{
	char path[1000], request[2000];
	int n;

	load.seed = load.seed * 6364136223846793005UL + 1442695040888963407UL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(path, sizeof path, load.path, (long long)(load.seed >> 33) % load.ids + 1);
#pragma GCC diagnostic pop
	n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench\r\n%s%s%s\r\n", path,
		     load.authorization ? "Authorization: " : "",
		     load.authorization ? load.authorization : "",
		     load.authorization ? "\r\n" : "");
	c->n = c->whole = 0;
	c->asked = bare_wall();
	if (send(c->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		bare_die("send");
	load.left--;
}

static void open_connection(struct connection *c, int epoll)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)load.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		bare_die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* True when the answer is whole. */
static bool hear(struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->n, ANSWER_MAX - 1 - c->n, 0);
	const char *end, *length;

	if (n <= 0)
		bare_die("the server closed a connection");
	c->n += (size_t)n;
	c->answer[c->n] = '\0';
	if (!c->whole && (end = strstr(c->answer, "\r\n\r\n")) != NULL) {
		length = strcasestr(c->answer, "\r\nContent-Length: ");
		if (strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0 || !length)
			bare_die(c->answer);
		c->whole = (size_t)(end - c->answer) + 4 + strtoul(length + 18, NULL, 10);
	}
	return c->whole && c->n >= c->whole;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct connection *connections;
	int n = argc > 2 ? atoi(argv[2]) : 0, busy = 0, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64];
	double began;

	if (argc < 6 || n < 1 || n > CONNECTIONS_MAX)
		bare_die("usage: bare_load PORT CONNECTIONS REQUESTS IDS PATH [AUTHORIZATION]");
	load.port = (unsigned)atoi(argv[1]);
	load.left = atoll(argv[3]);
	load.ids = atoll(argv[4]);
	load.path = argv[5];
	load.authorization = argc > 6 ? argv[6] : NULL;
	load.times = calloc((size_t)load.left, sizeof *load.times);
	connections = calloc((size_t)n, sizeof *connections);
	if (!load.times || !connections)
		bare_die("memory");
	for (int i = 0; i < n; i++)
		open_connection(&connections[i], epoll);
	began = bare_wall();
	for (int i = 0; i < n && load.left > 0; i++, busy++)
		ask(&connections[i]);
	while (busy) {
		int ready = epoll_wait(epoll, events, 64, 20000);

		if (ready <= 0)
			bare_die("no answer for 20 seconds");
		for (int i = 0; i < ready; i++) {
			struct connection *c = events[i].data.ptr;

			if (!hear(c))
				continue;
			load.times[load.n_times++] = bare_wall() - c->asked;
			load.bytes += c->n;
			if (load.left > 0)
				ask(c);
			else
				busy--;
		}
	}
	began = bare_wall() - began;
	qsort(load.times, load.n_times, sizeof *load.times, by_size);
	printf("{\"requests\": %zu, \"seconds\": %.6f, \"bytes\": %zu, \"median_ms\": %.4f, "
	       "\"p99_ms\": %.4f, \"max_ms\": %.4f}\n",
	       load.n_times, began, load.bytes, load.times[load.n_times / 2] * 1e3,
	       load.times[load.n_times * 99 / 100] * 1e3, load.times[load.n_times - 1] * 1e3);
	return 0;
}

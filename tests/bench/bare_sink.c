/* A server that takes every mail and keeps none: the other end of what sends mail.
 *
 *	bare_sink
 *
 * Prints its port, and at the end of its standard input how many mails it took. */
#include "bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CONNECTIONS_MAX = 1024, LINE_MAX_BYTES = 1 << 16 };

static struct peer {
	char line[LINE_MAX_BYTES];
	size_t n;
	bool in_data;
} * peers[CONNECTIONS_MAX];
static size_t taken;

static const char *answer(struct peer *p)
{
	static const struct {
		const char *verb, *text;
	} answers[] = { { "DATA", "354 go on\r\n" }, { "QUIT", "221 bye\r\n" } };

	if (p->in_data) {
		if (strcmp(p->line, ".\r\n") != 0)
			return NULL;
		p->in_data = false;
		taken++;
		return "250 taken\r\n";
	}
	p->in_data = strncmp(p->line, "DATA", 4) == 0;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		if (strncmp(p->line, answers[i].verb, 4) == 0)
			return answers[i].text;
	return "250 ok\r\n";
}

/* False: it is over. */
static bool hear(int fd, struct peer *p)
{
	static char bytes[1 << 16];
	ssize_t n = read(fd, bytes, sizeof bytes);

	for (ssize_t i = 0; i < n; i++) {
		const char *text;

		if (p->n < sizeof p->line - 1)
			p->line[p->n++] = bytes[i];
		if (bytes[i] != '\n')
			continue;
		p->line[p->n] = '\0';
		p->n = 0;
		text = answer(p);
		if (text && write(fd, text, strlen(text)) < 0)
			return false;
	}
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		bare_die("epoll");
}

static void greet(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

	if (fd < 0 || fd >= CONNECTIONS_MAX)
		bare_die("too many connections");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	peers[fd] = calloc(1, sizeof *peers[fd]);
	if (!peers[fd] || write(fd, "220 sink\r\n", 10) < 0)
		bare_die("greeting");
	watch(epoll, fd);
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(0);
	struct bare b = bare_start();

	if (listener < 0 || bind(listener, (struct sockaddr *)&at, n) != 0 ||
	    listen(listener, 128) != 0 || getsockname(listener, (struct sockaddr *)&at, &n) != 0)
		bare_die("listen");
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	watch(epoll, listener);
	watch(epoll, STDIN_FILENO);
	for (;;) {
		struct epoll_event e[64];
		int count = epoll_wait(epoll, e, 64, -1);

		for (int i = 0; i < count; i++) {
			int fd = e[i].data.fd;

			if (fd == STDIN_FILENO) {
				b.messages = taken;
				bare_print(&b);
				return 0;
			}
			if (fd == listener)
				greet(epoll, listener);
			else if (!hear(fd, peers[fd])) {
				close(fd);
				free(peers[fd]);
			}
		}
	}
}

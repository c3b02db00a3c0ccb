#include <maildesk/base/service.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3, STATE_MAX = 4096 };

bool service_listens(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path;
}

/* One datagram to the socket systemd names, which may be an abstract one. */
static void send_state(const struct buf *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	md_auto(md_close_p) int fd = -1;

	if (n == 0 || n >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path, n);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, state->data, state->len, MSG_NOSIGNAL, (struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

void service_tell(const char *fmt, ...)
{
	md_auto(buf_done) struct buf state = BUF_INIT(STATE_MAX);
	va_list ap;

	if (!service_listens())
		return;
	va_start(ap, fmt);
	buf_addv(&state, fmt, ap);
	va_end(ap);
	if (state.len)
		send_state(&state);
}

/* A variable of systemd's that is a number, and meant for this process if `whose` says so. */
static int64_t number_of(const char *name, const char *whose)
{
	const char *text = getenv(name), *pid = getenv(whose);

	if (!text || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(text, NULL, 10);
}

int64_t service_watchdog_ms(void)
{
	int64_t us = number_of("WATCHDOG_USEC", "WATCHDOG_PID");

	return us > 0 ? (us + 999) / 1000 : 0;
}

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof on;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &on, &n) == 0 && on == SOCK_STREAM;
}

int service_socket(int *ret_fd, struct md_err *err)
{
	int64_t n = getenv("LISTEN_PID") ? number_of("LISTEN_FDS", "LISTEN_PID") : 0;

	*ret_fd = -1;
	unsetenv("LISTEN_FDS");
	if (n <= 0)
		return MD_OK;
	if (n > 1)
		return md_fail(err, MD_INPUT, 0,
			       "%lld sockets came from systemd: have one ListenStream= in "
			       "maildesk.socket",
			       (long long)n);
	if (!is_listening(FIRST_FD))
		return md_fail(err, MD_INPUT, 0,
			       "what came from systemd is no listening stream socket: have "
			       "ListenStream= and Accept=no in maildesk.socket");
	if (fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(FIRST_FD, F_SETFL, fcntl(FIRST_FD, F_GETFL) | O_NONBLOCK) != 0)
		return md_fail(err, MD_BROKEN, 0, "the socket of systemd cannot be set up");
	*ret_fd = FIRST_FD;
	return MD_OK;
}

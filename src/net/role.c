#include <maildesk/net/role.h>

#include <maildesk/base/mem.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Terminal signals are the desk's to answer; it ends its roles by closing their sockets. */
static void reset_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	for (size_t i = 0; i < MD_COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors 0 and 1 lead nowhere, 2 is kept, the role's own follow; all others are closed. */
static int arrange_fds(int socket_fd, int spool_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Out of the way first: a source may sit where another is to go. */
	int socket_high = fcntl(socket_fd, F_DUPFD_CLOEXEC, ROLE_SPOOL_FD + 1);
	int spool_high = spool_fd < 0 ? -1 : fcntl(spool_fd, F_DUPFD_CLOEXEC, ROLE_SPOOL_FD + 1);

	if (null < 0 || socket_high < 0 || (spool_fd >= 0 && spool_high < 0))
		return -1;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(socket_high, ROLE_SOCKET_FD) < 0)
		return -1;
	if (spool_fd >= 0 && dup2(spool_high, ROLE_SPOOL_FD) < 0)
		return -1;
	return close_range(spool_fd >= 0 ? ROLE_SPOOL_FD + 1 : ROLE_SPOOL_FD, ~0U, 0);
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void become_role(char *const argv[], int socket_fd, int spool_fd, pid_t parent)
{
	reset_signals();
	/* The second check covers a parent that died before the first call. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(126);
	if (arrange_fds(socket_fd, spool_fd) != 0)
		_exit(126);
	execv("/proc/self/exe", argv);
	_exit(127);
}

int role_spawn(const char *name, int spool_fd, struct role_process *ret, struct md_err *err)
{
	char role[64];
	char *argv[] = { (char[]){ "maildesk" }, role, NULL };
	int pair[2], rc;
	pid_t pid, parent = getpid();

	if (snprintf(role, sizeof role, "role-%s", name) >= (int)sizeof role)
		return md_fail(err, MD_INPUT, 0, "role %s: name too long", name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return md_fail(err, MD_BROKEN, errno, "role %s: socketpair: %s", name,
			       strerror(errno));
	pid = fork();
	if (pid == 0)
		become_role(argv, pair[1], spool_fd, parent);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return md_fail(err, MD_AGAIN, errno, "role %s: fork: %s", name, strerror(errno));
	}
	struct role_process started = { .pid = pid };
	rc = channel_new(pair[0], &started.channel, err);
	if (rc != MD_OK) {
		role_end(&started);
		return md_wrap(err, rc, "role %s", name);
	}
	*ret = started;
	return MD_OK;
}

int role_end(struct role_process *r)
{
	int status = 0;

	/* Killed before its socket closes: how it ended is then its own doing or ours, never a
	 * race. */
	if (r->pid > 0)
		kill(r->pid, SIGKILL);
	channel_free(md_take(r->channel));
	if (r->pid <= 0)
		return 0;
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
	return status;
}

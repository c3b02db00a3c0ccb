#include <maildesk/app/daemon.h>
#include <maildesk/base/log.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

/* sd_notify(3): one datagram to the socket systemd names, which may be an abstract one. */
static void tell_systemd(const char *state)
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
		(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

/* Signals arrive on a descriptor, in the main thread alone; the roles start with none blocked. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(const struct config *config, int signals)
{
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct daemon *daemon = NULL;
	struct signalfd_siginfo info;
	struct md_err err = { 0 };
	int rc = desk_open(config, &desk, &err);

	if (rc == MD_OK)
		rc = daemon_start(desk, signals, &daemon, &err);
	if (rc != MD_OK)
		return cmd_fail("serve", rc, &err);
	log_notice(NULL, "maildesk %s is up: %zu mailboxes, http on %s", MAILDESK_VERSION,
		   config->n_mailboxes, config->http.listen);
	tell_systemd("READY=1\nSTATUS=working");
	(void)!read(signals, &info, sizeof info);
	log_notice(NULL, "stopping");
	tell_systemd("STOPPING=1");
	daemon_stop(daemon);
	return EX_OK;
}

int cmd_serve(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	const struct cmd_option options[] = { CMD_CONFIG(&file), CMD_OPTIONS_END };
	const struct cmd_usage usage = {
		"serve", "", "Run the desk until SIGTERM or SIGINT.", options, 0, 0,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(md_close_p) int signals = -1;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	rc = cmd_open_config(file, &config);
	if (rc != EX_OK)
		return rc;
	log_init("desk", LOG_AUTO, LOG_INFO);
	signals = open_signals();
	if (signals < 0) {
		log_error(NULL, "signals cannot be received");
		return EX_OSERR;
	}
	return run(config, signals);
}

#include <maildesk/app/daemon.h>
#include <maildesk/base/log.h>
#include <maildesk/base/service.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

/* Signals arrive on a descriptor, in the main thread alone; the roles start with none blocked. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int next_signal(int signals)
{
	struct signalfd_siginfo info;

	return read(signals, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo
									 : SIGTERM;
}

/* Passwords and tokens are in memory; a dump of it would lie about. */
static void leave_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
}

/* SIGHUP while standing by is about the configuration to start with. MD_CONFLICT: a standby was
 * told to stop. */
static int start(struct config **config, int signals, struct daemon **ret, struct md_err *err)
{
	int rc;

	while ((rc = daemon_start(config, signals, ret, err)) == MD_CONFLICT &&
	       next_signal(signals) == SIGHUP)
		daemon_reload_standby(config);
	return rc;
}

static int reload(struct daemon *daemon, struct md_err *err)
{
	int rc;

	/* systemd wants to know when, to tell this reload from others. */
	service_tell("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration",
		     (long long)clock_mono(&clock_system) * 1000);
	rc = daemon_reload(daemon, err);
	if (rc == MD_OK)
		service_tell("READY=1");
	return rc;
}

static int run(struct config **config, int signals)
{
	struct daemon *daemon = NULL;
	struct md_err err = { 0 };
	int rc = start(config, signals, &daemon, &err);

	if (rc == MD_CONFLICT)
		return EX_OK;
	if (rc != MD_OK)
		return cmd_fail("serve", rc, &err);
	log_notice(NULL, "maildesk %s is up: %zu mailbox%s, http on %s", MAILDESK_VERSION,
		   daemon_config(daemon)->n_mailboxes,
		   daemon_config(daemon)->n_mailboxes == 1 ? "" : "es", daemon_listening(daemon));
	service_tell("READY=1\nSTATUS=working");
	while (rc == MD_OK && next_signal(signals) == SIGHUP)
		rc = reload(daemon, &err);
	log_notice(NULL, "stopping");
	service_tell("STOPPING=1\nSTATUS=finishing what is in hand");
	daemon_stop(daemon);
	return rc == MD_OK ? EX_OK : cmd_fail("serve", rc, &err);
}

static bool is_format(const char *name)
{
	for (size_t i = 0; log_format_names[i]; i++)
		if (strcmp(log_format_names[i], name) == 0)
			return true;
	return false;
}

int cmd_serve(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	const char *format = NULL;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "log", "FORMAT", &format,
		  "plain, json, journal or auto, instead of the configuration's" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"serve",
		"",
		"Runs the desk until SIGTERM or SIGINT. SIGHUP makes it read the configuration "
		"again.",
		options,
		0,
		0,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(md_close_p) int signals = -1;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	rc = cmd_open_config(file, &config);
	if (rc != EX_OK)
		return rc;
	if (!is_format(format ? format : config->log)) {
		fprintf(stderr, "maildesk serve: --log: allowed: auto, plain, json, journal\n");
		return EX_USAGE;
	}
	setenv(LOG_VARIABLE, format ? format : config->log, 1);
	log_init("desk", LOG_AUTO, LOG_INFO);
	leave_no_core();
	signals = open_signals();
	if (signals < 0) {
		log_error(NULL, "signals cannot be received");
		return EX_OSERR;
	}
	return run(&config, signals);
}

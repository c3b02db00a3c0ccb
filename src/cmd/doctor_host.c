/* The machine: files, database, clock, kernel, the daemon. */
#include "doctor.h"

#include <maildesk/app/desk.h>
#include <maildesk/app/vault.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/ask.h>
#include <maildesk/net/http.h>
#include <maildesk/net/role.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/schema.h>
#include <maildesk/store/users.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CERTIFICATE_DAYS = 14, LITTLE_SPACE_MB = 500, CLOCK_OFF_MS = 5000, MISSING_MAX = 200 };

static void look_at_state_dir(struct doctor *d)
{
	const char *path = d->config->state_dir;
	struct statvfs fs;
	struct stat st;
	struct md_err err = { 0 };
	int64_t mb;

	if (desk_make_state_dir(d->config, &err) != MD_OK) {
		doctor_say(d, FAILED, "state_dir", NULL, "%s.", err.text);
		return;
	}
	if (stat(path, &st) != 0 || statvfs(path, &fs) != 0) {
		doctor_say(d, FAILED, "state_dir", NULL, "%s: %s.", path, strerror(errno));
		return;
	}
	mb = (int64_t)((fs.f_bavail * (uint64_t)fs.f_frsize) >> 20);
	if (access(path, W_OK | X_OK) != 0)
		doctor_say(d, FAILED, "state_dir", NULL,
			   "%s cannot be written by this user: run doctor as the service's user "
			   "(runuser -u maildesk -- maildesk doctor), or chown -R maildesk %s.",
			   path, path);
	else if (st.st_mode & S_IRWXO)
		doctor_say(d, WARNING, "state_dir", NULL,
			   "%s is open to everybody on this machine: chmod 700 %s.", path, path);
	else if (mb < LITTLE_SPACE_MB)
		doctor_say(
			d, WARNING, "state_dir", NULL,
			"Only %lld MB are free below %s: make room, or mail stays on the server.",
			(long long)mb, path);
	else
		doctor_say(d, FINE, "state_dir", NULL, "%s can be written, %lld MB are free.", path,
			   (long long)mb);
}

static int count_admins(struct db_conn *c, size_t *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct user_filter f = { .role = "admin", .limit = 100 };
	struct user *users;
	size_t n = 0;
	int64_t total;
	int rc = user_list(c, &f, &a, &users, &n, &total, err);

	*ret = 0;
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		*ret += users[i].disabled_at == 0;
	return rc;
}

/* Some daemon of the desk, on this machine or another, takes mail. */
static int find_daemons(struct db_conn *c, bool *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
	struct lease *leases;
	size_t n = 0;
	int rc = lease_list(c, &a, &leases, &n, err);

	*ret = false;
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		*ret |= leases[i].left_ms > 0 && strncmp(leases[i].name, "daemon:", 7) == 0;
	return rc;
}

static void ask_database(struct doctor *d)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct md_err err = { 0 };
	size_t admins = 0;
	int64_t theirs, before = clock_wall(&clock_system), off;
	int rc = db_read(d->db, &c, &err);

	if (rc == MD_OK)
		rc = lease_now(c, &theirs, &err);
	off = rc == MD_OK ? before - theirs : 0;
	if (rc == MD_OK)
		rc = count_admins(c, &admins, &err);
	if (rc == MD_OK)
		rc = find_daemons(c, &d->daemon_works, &err);
	if (c)
		db_read_done(md_take(c));
	if (rc == MD_OK)
		rc = schema_try_write(d->db, &err);
	if (rc != MD_OK) {
		doctor_say(d, FAILED, "database", NULL, "%s.", err.text);
		return;
	}
	doctor_say(d, FINE, "database", NULL, "It answers, with the schema of this version.");
	if (off > CLOCK_OFF_MS || off < -CLOCK_OFF_MS)
		doctor_say(d, WARNING, "clock", "database",
			   "The database's clock is %lld s %s this machine's: set both by NTP.",
			   (long long)(llabs(off) / 1000), off > 0 ? "behind" : "ahead of");
	if (!admins)
		doctor_say(
			d, WARNING, "people", NULL,
			"There is no admin: maildesk user add --email YOU@EXAMPLE.COM --role admin "
			"--password-file -");
}

static void look_at_database(struct doctor *d)
{
	struct md_err err = { 0 };

	if (desk_open_database(d->config, &d->db, &err) != MD_OK)
		doctor_say(d, FAILED, "database", NULL, "%s.", err.text);
	else
		ask_database(d);
}

/* A daemon that has none yet makes it. */
static void look_at_key(struct doctor *d)
{
	struct md_err err = { 0 };

	if (vault_try_key(d->config->state_dir, &err) == MD_BROKEN)
		doctor_say(d, FAILED, "desk.key", NULL, "%s.", err.text);
}

/* Then the clock is the host's to keep right, and what does so does not show. */
static bool is_container(void)
{
	static const char *const marks[] = { "/run/systemd/container",
					     "/run/host/container-manager", "/.dockerenv",
					     "/run/.containerenv" };

	for (size_t i = 0; i < MD_COUNT(marks); i++)
		if (access(marks[i], F_OK) == 0)
			return true;
	return false;
}

static void look_at_clock(struct doctor *d)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	if (state == TIME_ERROR && is_container()) {
		doctor_say(d, SKIPPED, "clock", NULL, "In a container the host keeps it right.");
		return;
	}
	if (state < 0)
		doctor_say(d, SKIPPED, "clock", NULL, "The kernel does not say how it is set.");
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC))
		doctor_say(d, WARNING, "clock", NULL,
			   "Nothing keeps the clock right, and service levels count by it: "
			   "apt install systemd-timesyncd, or chrony.");
	else
		doctor_say(d, FINE, "clock", NULL, "It is kept right.");
}

/* In a child, for there is no way out of a jail. */
static bool try_jail(char missing[MISSING_MAX])
{
	const struct role_jail jail = { .network = false };
	struct md_err err = { 0 };
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		char text[MISSING_MAX] = "";
		int rc = role_jail_enter(&jail, text, sizeof text, &err);
		const char *said = rc == MD_OK ? text : err.text;

		(void)!write(fds[1], said, strlen(said));
		_exit(rc == MD_OK ? 0 : 1);
	}
	close(fds[1]);
	n = read(fds[0], missing, MISSING_MAX - 1);
	close(fds[0]);
	missing[n > 0 ? n : 0] = '\0';
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void look_at_kernel(struct doctor *d)
{
	char missing[MISSING_MAX] = "";

	if (!try_jail(missing))
		doctor_say(
			d, FAILED, "kernel", NULL,
			"The parsers cannot be confined (%s): allow seccomp, Landlock and rlimits "
			"to the service.",
			missing);
	else if (*missing)
		doctor_say(d, WARNING, "kernel", NULL,
			   "Parsers run without %s: use a kernel 5.13 or later with it, or a "
			   "container "
			   "that allows it.",
			   missing);
	else
		doctor_say(d, FINE, "kernel", NULL,
			   "Parsers are confined by Landlock and seccomp.");
}

static void look_at_daemon(struct doctor *d)
{
	md_auto(json_decref_p) json_t *body = NULL;
	const char *state, *error;
	struct md_err err = { 0 };
	int status, rc;

	rc = cmd_ask_daemon(d->config, d->db, &status, &body, &err);
	if (rc != MD_OK) {
		doctor_say(d, rc == MD_AGAIN ? SKIPPED : FAILED, "daemon", NULL, "%s.", err.text);
		return;
	}
	if (status != 200) {
		doctor_say(d, FAILED, "daemon", NULL,
			   "%s answers /readyz with %d: look at its log (journalctl -u maildesk).",
			   d->config->http.listen, status);
		return;
	}
	state = json_string_value(json_object_get(json_object_get(body, "configuration"), "state"));
	error = json_string_value(json_object_get(json_object_get(body, "configuration"), "error"));
	if (state && strcmp(state, "refused") == 0)
		doctor_say(d, WARNING, "daemon", NULL,
			   "It works by an older configuration (%s): mend it and systemctl reload "
			   "maildesk.",
			   error ? error : "the newer one was refused");
	else if (state && strcmp(state, "needs_restart") == 0)
		doctor_say(d, WARNING, "daemon", NULL,
			   "A part of the configuration waits: systemctl restart maildesk.");
	else
		doctor_say(d, FINE, "daemon", NULL, "It works at %s.", d->config->http.listen);
}

static void look_at_certificate(struct doctor *d)
{
	const char *path = d->config->http.certificate;
	int64_t end = 0, now = clock_wall(&clock_system);
	struct md_err err = { 0 };
	long long days;

	if (!*path)
		return;
	if (http_certificate_end(path, &end, &err) != MD_OK) {
		doctor_say(d, FAILED, "certificate", NULL, "%s.", err.text);
		return;
	}
	days = (long long)((end - now) / 86400000);
	if (end <= now)
		doctor_say(d, FAILED, "certificate", NULL,
			   "%s has expired: renew it; it is served within seconds.", path);
	else if (days < CERTIFICATE_DAYS)
		doctor_say(d, WARNING, "certificate", NULL,
			   "%s ends in %lld days: see why it is not renewed.", path, days);
	else
		doctor_say(d, FINE, "certificate", NULL, "%s is good for %lld days.", path, days);
}

/* Links in mails, to customers too. */
static void look_at_url(struct doctor *d)
{
	static const char *const nowhere[] = { "0.0.0.0", "[::]" };
	static const char *const here[] = { "localhost", "127.", "[::1]" };
	const char *url = d->config->desk.url, *host = strstr(url, "://");

	host = host ? host + 3 : url;
	for (size_t i = 0; i < MD_COUNT(nowhere); i++)
		if (strncmp(host, nowhere[i], strlen(nowhere[i])) == 0)
			doctor_say(d, WARNING, "links", NULL,
				   "Mails link to %s, which nobody can open: set desk.url.", url);
	for (size_t i = 0; i < MD_COUNT(here); i++)
		if (strncmp(host, here[i], strlen(here[i])) == 0)
			doctor_say(d, SKIPPED, "links", NULL,
				   "Mails link to %s, which only this machine can open: set "
				   "desk.url to the address that people are to use.",
				   url);
}

void doctor_host(struct doctor *d)
{
	look_at_state_dir(d);
	look_at_database(d);
	look_at_key(d);
	look_at_clock(d);
	look_at_kernel(d);
	look_at_certificate(d);
	look_at_url(d);
	look_at_daemon(d);
}

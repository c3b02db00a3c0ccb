/* `maildesk init`: from nothing to a desk that can be started, by five questions: address,
 * provider, password, and who the first admin is. Whatever an option says is not asked. The
 * configuration is written and checked as `maildesk check` would; if it is wrong, what was written
 * is taken away again, so that init can be run anew. Then the mailbox is tried, and what a mail to
 * itself shows (plus-addressing, whose Authentication-Results count) is written down too. A mailbox
 * that cannot be used is asked about once more, if there is somebody to ask; one that can ends in a
 * service that runs. */
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/user.h>
#include <maildesk/desk/password.h>

#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static void plan_done(struct plan *p)
{
	for (size_t i = 0; i < ANSWERS; i++)
		md_wipe_text(p->answer[i]);
}

/* ---- writing ---- */

static int complain(const char *path)
{
	fprintf(stderr, "maildesk init: %s: %s%s\n", path, strerror(errno),
		errno == EACCES
			? "; run it as root, or name other places by --config and --state-dir"
			: "");
	return EX_CANTCREAT;
}

/* When root sets it up. */
static const struct passwd *service_user(void)
{
	return geteuid() == 0 ? getpwnam("maildesk") : NULL;
}

static void give_away(int fd)
{
	const struct passwd *user = service_user();

	if (user && fchown(fd, user->pw_uid, user->pw_gid) < 0)
		fprintf(stderr, "maildesk init: chown to maildesk: %s\n", strerror(errno));
}

static int write_new(struct plan *p, const char *path, mode_t mode, const char *text)
{
	md_auto(md_close_p) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	size_t n = strlen(text);

	if (fd < 0)
		return complain(path);
	p->written[p->n_written++] = path;
	if (fchmod(fd, mode) < 0 || write(fd, text, n) != (ssize_t)n || fsync(fd) < 0)
		return complain(path);
	if (mode == 0600)
		give_away(fd);
	return EX_OK;
}

/* The state folder stays root's when root runs this: systemd gives a StateDirectory with all it
 * holds to the service's user as long as the folder itself is not theirs. */
static int make_folder(const char *path, mode_t mode)
{
	return mkdir(path, mode) == 0 || errno == EEXIST ? EX_OK : complain(path);
}

/* The name to put into the configuration: of the file given, or of a new one beside it that holds
 * what was typed. */
static int place_secret(struct plan *p)
{
	md_auto(buf_wipe) struct buf line = BUF_INIT(PASSWORD_MAX * 4);

	if (!p->answer[PASSWORD])
		return EX_OK;
	if (p->given[PASSWORD] && strcmp(p->given[PASSWORD], "-") != 0)
		return realpath(p->given[PASSWORD], p->imap_secret) ? EX_OK
								    : complain(p->given[PASSWORD]);
	snprintf(p->imap_secret, sizeof p->imap_secret, "imap.secret");
	snprintf(p->secret_file, sizeof p->secret_file, "%simap.secret", p->folder);
	buf_addf(&line, "%s\n", p->answer[PASSWORD]);
	return write_new(p, p->secret_file, 0600, buf_str(&line));
}

static int write_files(struct plan *p)
{
	md_auto(buf_done) struct buf text = BUF_INIT(64 << 10);
	int code = make_folder(p->folder, 0755);

	if (code == EX_OK)
		code = make_folder(p->state_dir, 0700);
	if (code == EX_OK)
		code = place_secret(p);
	if (code == EX_OK && p->smtp_secret && !realpath(p->smtp_secret, p->smtp_secret_path))
		code = complain(p->smtp_secret);
	if (code != EX_OK)
		return code;
	init_compose(p, NULL, &text);
	return write_new(p, p->config, 0644, buf_str(&text));
}

/* What was found out, into the file that is there already. */
static int write_again(struct plan *p, const struct init_found *found)
{
	md_auto(buf_done) struct buf text = BUF_INIT(64 << 10);
	md_auto(md_close_p) int fd = open(p->config, O_WRONLY | O_TRUNC | O_CLOEXEC);

	init_compose(p, found, &text);
	if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len || fsync(fd) < 0)
		return complain(p->config);
	return EX_OK;
}

/* ---- the whole ---- */

/* Root can read what the service cannot. */
static int check_as_service(const struct plan *p)
{
	const struct passwd *user = service_user();
	int status = 0;
	pid_t pid;

	if (!user || strcmp(p->config, CMD_DEFAULT_CONFIG) != 0)
		return EX_OK;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct config *config = NULL;

		if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
		    setuid(user->pw_uid) != 0)
			_exit(EX_OSERR);
		_exit(cmd_open_config(p->config, &config));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return EX_OSERR;
	return WEXITSTATUS(status);
}

static int make_desk(struct plan *p)
{
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int64_t id;
	int code = cmd_open(INIT_NAME, p->config, NULL, &db);
	int rc;

	if (code != EX_OK)
		return code;
	rc = cmd_user_add(db, p->answer[ADMIN_EMAIL], "", "admin", p->answer[ADMIN_PASSWORD], &id,
			  &err);
	return rc == MD_OK ? EX_OK : cmd_fail(INIT_NAME, rc, &err);
}

static int prepare(struct plan *p)
{
	const char *slash = strrchr(p->config, '/');
	int n = slash ? (int)(slash + 1 - p->config) : 0;

	if (access(p->config, F_OK) == 0) {
		fprintf(stderr,
			"maildesk init: %s exists and is left alone: edit it, or choose "
			"another file by --config\n",
			p->config);
		return EX_CANTCREAT;
	}
	if (n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return complain(p->config);
	}
	snprintf(p->folder, sizeof p->folder, "%.*s", n, p->config);
	if (n == 0)
		snprintf(p->folder, sizeof p->folder, "./");
	return EX_OK;
}

/* Nothing that was written is of use; the database is. */
static void take_back(struct plan *p)
{
	while (p->n_written)
		unlink(p->written[--p->n_written]);
}

/* Is there a person who can say it better? */
static bool wants_again(const struct plan *p)
{
	md_auto(md_free_p) char *answer = NULL;

	if (!isatty(STDIN_FILENO) || (p->given[PROVIDER] && p->given[PASSWORD]))
		return false;
	answer = cmd_ask("Shall the questions about it be asked once more (yes, or no: it is to be "
			 "mended in the file)",
			 "yes", false);
	return answer && (*answer == 'y' || *answer == 'Y');
}

static int try_mailbox(struct plan *p, bool *ret_works)
{
	int code = EX_OK;

	*ret_works = false;
	if (p->no_mail || p->preset->oauth)
		return EX_OK;
	for (;;) {
		md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
		struct init_found found = { 0 };

		init_try(p, &a, &found);
		*ret_works = found.works;
		if (found.works || !wants_again(p))
			return found.any ? write_again(p, &found) : EX_OK;
		p->again = true;
		code = init_gather(p);
		if (code == EX_OK) {
			take_back(p);
			code = write_files(p);
		}
		if (code != EX_OK || p->preset->oauth)
			return code;
	}
}

/* "enable --now" waits until the daemon says that it is up. */
static bool start_service(void)
{
	char *const argv[] = { (char[]){ "systemctl" }, (char[]){ "enable" }, (char[]){ "--now" },
			       (char[]){ "maildesk" }, NULL };
	int status = -1;
	pid_t pid;

	fflush(stdout);
	return posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0 &&
	       waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int say_what_next(const struct plan *p, bool works)
{
	bool usual = strcmp(p->config, CMD_DEFAULT_CONFIG) == 0;
	bool service = usual && access("/run/systemd/system", F_OK) == 0;
	const char *option = usual ? "" : " --config ", *file = usual ? "" : p->config;

	printf("wrote %s\nadmin %s\n", p->config, p->answer[ADMIN_EMAIL]);
	if (service && works && !p->no_start && geteuid() == 0) {
		if (!start_service()) {
			puts("The service did not start: journalctl -u maildesk -n 20 says why.");
			return EX_UNAVAILABLE;
		}
		printf("The desk is running: a mail to %s becomes a ticket; sign in at http://%s/\n"
		       "Now: maildesk doctor, which tries everything\n",
		       p->answer[ADDRESS], p->listen ? p->listen : "127.0.0.1:8025");
		return EX_OK;
	}
	if (p->preset->oauth)
		printf("First let the desk into its mailbox: maildesk oauth login support%s%s\n",
		       option, file);
	printf("Now: maildesk doctor%s%s && ", option, file);
	if (service)
		puts("systemctl enable --now maildesk");
	else
		printf("maildesk serve%s%s\n", option, file);
	return EX_OK;
}

static int run(struct plan *p)
{
	int code = prepare(p);
	bool works;

	if (code == EX_OK)
		code = init_gather(p);
	if (code != EX_OK)
		return code;
	code = write_files(p);
	if (code == EX_OK)
		code = check_as_service(p);
	if (code == EX_OK)
		code = make_desk(p);
	if (code != EX_OK) {
		take_back(p);
		return code;
	}
	code = try_mailbox(p, &works);
	if (code == EX_OK)
		code = say_what_next(p, works);
	return code;
}

int cmd_init(int argc, char **argv)
{
	md_auto(plan_done) struct plan p = { .config = CMD_DEFAULT_CONFIG,
					     .state_dir = "/var/lib/maildesk" };
	const struct cmd_option options[] = {
		CMD_CONFIG(&p.config),
		{ "state-dir", "DIR", &p.state_dir, "folder of the database (/var/lib/maildesk)" },
		{ "name", "NAME", &p.name, "name of the desk in its mails" },
		{ "url", "URL", &p.url, "where people open the console, for links in mails" },
		{ "address", "ADDRESS", &p.given[ADDRESS], "mail address of the desk" },
		{ "provider", "NAME", &p.given[PROVIDER],
		  "gmail, microsoft365, fastmail, or an IMAP server" },
		{ "imap-host", "HOST", &p.imap_host, "where its mailbox is" },
		{ "imap-port", "PORT", &p.imap_port, "default: 993, or 143 for starttls" },
		{ "imap-tls", "HOW", &p.imap_tls, "tls (default), starttls, none" },
		{ "imap-user", "USER", &p.imap_user, "default: the address" },
		{ "imap-password-file", "FILE", &p.given[PASSWORD],
		  "file with the password (\"-\": standard input)" },
		{ "smtp-host", "HOST", &p.given[SMTP], "default: the IMAP host" },
		{ "smtp-port", "PORT", &p.smtp_port, "default: 587" },
		{ "smtp-tls", "HOW", &p.smtp_tls, "starttls (default), tls, none" },
		{ "smtp-user", "USER", &p.smtp_user, "default: the IMAP user; \"-\": no login" },
		{ "smtp-password-file", "FILE", &p.smtp_secret, "default: the mailbox's" },
		{ "ca-file", "FILE", &p.ca_file,
		  "certificates to trust, for servers of your own CA" },
		{ "oauth-client-id", "ID", &p.given[CLIENT_ID], "for microsoft365" },
		{ "listen", "ADDRESS:PORT", &p.listen, "of API and console (127.0.0.1:8025)" },
		{ "admin-email", "ADDRESS", &p.given[ADMIN_EMAIL],
		  "mail address of the first admin" },
		{ "admin-password-file", "FILE", &p.given[ADMIN_PASSWORD],
		  "file whose first line is the password (\"-\": standard input)" },
		{ "no-mail", NULL, &p.no_mail, "do not try the mailbox" },
		{ "no-start", NULL, &p.no_start, "do not start the service" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		INIT_NAME,
		"",
		"Writes a configuration, makes the database and the first "
		"admin, tries the mailbox and starts the\nservice. On a terminal it asks for what "
		"the options do not say.",
		options,
		0,
		0
	};
	int first, code;

	return cmd_options(&usage, argc, argv, &first, &code) ? run(&p) : code;
}

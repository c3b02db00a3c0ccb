/* `maildesk init`: from nothing to a desk that can be started, by five questions: address,
 * provider, password, and who the first admin is. Whatever an option says is not asked. The
 * configuration is written and checked as `maildesk check` would; if it is wrong, what was written
 * is taken away again, so that init can be run anew. Then the mailbox is tried, and what a mail to
 * itself shows (plus-addressing, whose Authentication-Results count) is written down too. */
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/user.h>
#include <maildesk/desk/password.h>

#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define NAME "init"

static void plan_done(struct plan *p)
{
	for (size_t i = 0; i < ANSWERS; i++) {
		if (p->answer[i])
			explicit_bzero(p->answer[i], strlen(p->answer[i]));
		free(p->answer[i]);
	}
}

/* ---- asking ---- */

static const struct {
	const char *question, *option;
	bool secret;
} questions[ANSWERS] = {
	[ADDRESS] = { "Mail address of the desk", "address", false },
	[PROVIDER] = { "Mail provider (gmail, microsoft365, fastmail), or the name of your IMAP "
		       "server",
		       "provider", false },
	[PASSWORD] = { "Password of the mailbox", "imap-password-file", true },
	[CLIENT_ID] = { "OAuth client id (the application you registered)", "oauth-client-id",
			false },
	[ADMIN_EMAIL] = { "Your own mail address, as the first admin", "admin-email", false },
	[ADMIN_PASSWORD] = { "Your password for maildesk, 10 characters or more",
			     "admin-password-file", true },
};

/* Does this plan need that answer at all? Earlier ones are there already. */
static bool is_needed(const struct plan *p, enum answer i)
{
	if (i == PASSWORD)
		return !p->preset->oauth;
	if (i == CLIENT_ID)
		return p->preset->oauth != NULL;
	return true;
}

static int settle_provider(struct plan *p)
{
	p->preset = init_preset(p->answer[PROVIDER]);
	if (!p->preset) {
		p->preset = init_preset("own");
		p->imap_host = p->imap_host ? p->imap_host : p->answer[PROVIDER];
	}
	if (p->preset->hint && isatty(STDIN_FILENO))
		fprintf(stderr, "%s\n", p->preset->hint);
	return EX_OK;
}

static int ask(struct plan *p, enum answer i)
{
	const char *fallback = i == PROVIDER ? init_guess(p->answer[ADDRESS]) : NULL;

	p->answer[i] = cmd_ask(questions[i].question, fallback, questions[i].secret);
	return p->answer[i] ? EX_OK : EX_USAGE;
}

static int need(struct plan *p, enum answer i)
{
	if (i == PROVIDER && !p->given[i] && p->imap_host)
		p->given[i] = p->imap_host;
	if (p->given[i] && questions[i].secret)
		p->answer[i] = cmd_read_line(NAME, p->given[i]);
	else if (p->given[i])
		p->answer[i] = md_strdup(p->given[i]);
	else if (isatty(STDIN_FILENO))
		return ask(p, i);
	else {
		fprintf(stderr, "maildesk init: --%s is missing\n", questions[i].option);
		return EX_USAGE;
	}
	return p->answer[i] ? EX_OK : questions[i].secret ? EX_NOINPUT : EX_OSERR;
}

static int check_answer(const struct plan *p, enum answer i)
{
	struct md_err err = { 0 };
	int rc = MD_OK;

	if (i == ADDRESS || i == ADMIN_EMAIL)
		rc = cmd_user_check(p->answer[i], "admin", &err);
	else if (i == ADMIN_PASSWORD)
		rc = password_check(p->answer[i], &err);
	return rc == MD_OK ? EX_OK : cmd_fail(NAME, rc, &err);
}

/* On a terminal what is wrong is asked again. */
static int gather(struct plan *p)
{
	int code = EX_OK;

	for (enum answer i = 0; i < ANSWERS && code == EX_OK; i++) {
		if (!is_needed(p, i))
			continue;
		code = need(p, i);
		if (code == EX_OK)
			code = check_answer(p, i);
		if (code != EX_OK && p->answer[i] && !p->given[i] && isatty(STDIN_FILENO)) {
			free(md_take(p->answer[i]));
			i--;
			code = EX_OK;
			continue;
		}
		if (code == EX_OK && i == PROVIDER)
			code = settle_provider(p);
	}
	return code;
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

/* To the service's own user, when root sets it up. */
static void give_away(int fd)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("maildesk") : NULL;

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
	md_auto(buf_done) struct buf line = BUF_INIT(PASSWORD_MAX * 4);
	int code;

	if (!p->answer[PASSWORD])
		return EX_OK;
	if (p->given[PASSWORD] && strcmp(p->given[PASSWORD], "-") != 0)
		return realpath(p->given[PASSWORD], p->imap_secret) ? EX_OK
								    : complain(p->given[PASSWORD]);
	snprintf(p->imap_secret, sizeof p->imap_secret, "imap.secret");
	snprintf(p->secret_file, sizeof p->secret_file, "%simap.secret", p->folder);
	buf_addf(&line, "%s\n", p->answer[PASSWORD]);
	code = write_new(p, p->secret_file, 0600, buf_str(&line));
	if (line.data)
		explicit_bzero(line.data, line.len);
	return code;
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

static int make_desk(struct plan *p)
{
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int64_t id;
	int code = cmd_open(NAME, p->config, NULL, &db);
	int rc;

	if (code != EX_OK)
		return code;
	rc = cmd_user_add(db, p->answer[ADMIN_EMAIL], "", "admin", p->answer[ADMIN_PASSWORD], &id,
			  &err);
	return rc == MD_OK ? EX_OK : cmd_fail(NAME, rc, &err);
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

static int try_mailbox(struct plan *p)
{
	struct init_found found = { 0 };
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);

	if (p->no_mail || p->preset->oauth)
		return EX_OK;
	init_try(p, &a, &found);
	return found.any ? write_again(p, &found) : EX_OK;
}

static void say_what_next(const struct plan *p)
{
	bool usual = strcmp(p->config, CMD_DEFAULT_CONFIG) == 0;
	const char *option = usual ? "" : " --config ", *file = usual ? "" : p->config;

	printf("wrote %s\nadmin %s\n", p->config, p->answer[ADMIN_EMAIL]);
	if (p->preset->oauth)
		printf("First let the desk into its mailbox: maildesk oauth login support%s%s\n",
		       option, file);
	printf("Now: maildesk doctor%s%s && ", option, file);
	if (usual && access("/run/systemd/system", F_OK) == 0)
		puts("systemctl enable --now maildesk");
	else
		printf("maildesk serve%s%s\n", option, file);
}

static int run(struct plan *p)
{
	int code = prepare(p);

	if (code == EX_OK)
		code = gather(p);
	if (code != EX_OK)
		return code;
	code = write_files(p);
	if (code == EX_OK)
		code = make_desk(p);
	if (code != EX_OK) {
		for (size_t i = 0; i < p->n_written; i++)
			unlink(p->written[i]);
		return code;
	}
	code = try_mailbox(p);
	if (code == EX_OK)
		say_what_next(p);
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
		{ "address", "ADDRESS", &p.given[ADDRESS], "mail address of the desk" },
		{ "provider", "NAME", &p.given[PROVIDER],
		  "gmail, microsoft365, fastmail, or an IMAP server" },
		{ "imap-host", "HOST", &p.imap_host, "where its mailbox is" },
		{ "imap-port", "PORT", &p.imap_port, "default: 993, or 143 for starttls" },
		{ "imap-tls", "HOW", &p.imap_tls, "tls (default), starttls, none" },
		{ "imap-user", "USER", &p.imap_user, "default: the address" },
		{ "imap-password-file", "FILE", &p.given[PASSWORD],
		  "file with the password (\"-\": standard input)" },
		{ "smtp-host", "HOST", &p.smtp_host, "default: the IMAP host" },
		{ "smtp-port", "PORT", &p.smtp_port, "default: 587" },
		{ "smtp-tls", "HOW", &p.smtp_tls, "starttls (default), tls, none" },
		{ "smtp-user", "USER", &p.smtp_user, "default: the IMAP user; \"-\": no login" },
		{ "smtp-password-file", "FILE", &p.smtp_secret, "default: the mailbox's" },
		{ "ca-file", "FILE", &p.ca_file,
		  "certificates to trust, for servers of your own CA" },
		{ "oauth-client-id", "ID", &p.given[CLIENT_ID], "for microsoft365" },
		{ "listen", "ADDRESS:PORT", &p.listen, "of API and console (127.0.0.1:8025)" },
		{ "admin-email", "ADDRESS", &p.given[ADMIN_EMAIL], "who may do everything" },
		{ "admin-password-file", "FILE", &p.given[ADMIN_PASSWORD],
		  "first line is the password (\"-\": standard input)" },
		{ "no-mail", NULL, &p.no_mail, "do not try the mailbox" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		NAME,
		"",
		"Writes a configuration, makes the database and the first "
		"admin, and tries the mailbox. On a\nterminal it asks for what "
		"the options do not say.",
		options,
		0,
		0
	};
	int first, code;

	return cmd_options(&usage, argc, argv, &first, &code) ? run(&p) : code;
}

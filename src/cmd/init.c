/* `maildesk init`: from nothing to a desk that can be started. Whatever an option does not say is
 * asked on a terminal. The configuration is written first and checked as `maildesk check` would;
 * if it is wrong, what was written is taken away again, so that init can be run anew. */
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/user.h>
#include <maildesk/desk/password.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define NAME "init"

enum answer {
	ADDRESS,
	IMAP_HOST,
	IMAP_USER,
	IMAP_PASSWORD,
	SMTP_HOST,
	SMTP_USER,
	SMTP_PASSWORD,
	ADMIN_EMAIL,
	ADMIN_PASSWORD,
	ANSWERS
};

struct plan {
	const char *config, *state_dir;
	char folder[PATH_MAX];      /* of the configuration, with its slash */
	const char *given[ANSWERS]; /* by options; of passwords: the name of a file */
	char *answer[ANSWERS];      /* of passwords: themselves, when asked */
	const char *written[3];     /* files to take away when it fails */
	size_t n_written;
	char secret_file[2][PATH_MAX + 16];
};

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
	enum answer fallback; /* another answer that is this one's default; ANSWERS: none */
	bool secret, optional;
} questions[ANSWERS] = {
	[ADDRESS] = { "Mail address of the desk", "address", ANSWERS, false, false },
	[IMAP_HOST] = { "IMAP server", "imap-host", ANSWERS, false, false },
	[IMAP_USER] = { "IMAP user", "imap-user", ADDRESS, false, false },
	[IMAP_PASSWORD] = { "IMAP password", "imap-password-file", ANSWERS, true, false },
	[SMTP_HOST] = { "SMTP server", "smtp-host", IMAP_HOST, false, false },
	[SMTP_USER] = { "SMTP user (- for none)", "smtp-user", IMAP_USER, false, true },
	[SMTP_PASSWORD] = { "SMTP password", "smtp-password-file", IMAP_PASSWORD, true, true },
	[ADMIN_EMAIL] = { "Mail address of the first admin", "admin-email", ANSWERS, false, false },
	[ADMIN_PASSWORD] = { "Password of the first admin", "admin-password-file", ANSWERS, true,
			     false },
};

static int ask(struct plan *p, enum answer i)
{
	const char *fallback = NULL;
	bool hide = questions[i].secret;

	if (questions[i].fallback < ANSWERS && !hide)
		fallback = p->answer[questions[i].fallback];
	p->answer[i] = cmd_ask(questions[i].question, fallback, hide);
	if (i == SMTP_USER && p->answer[i] && strcmp(p->answer[i], "-") == 0)
		*p->answer[i] = '\0';
	return p->answer[i] ? EX_OK : EX_USAGE;
}

/* What options say, then what is asked. A password given as a file stays NULL here. */
static int gather(struct plan *p)
{
	bool terminal = isatty(STDIN_FILENO);
	int code = EX_OK;

	for (enum answer i = 0; i < ANSWERS; i++) {
		enum answer other = questions[i].fallback;

		if (p->given[i] && !questions[i].secret)
			p->answer[i] = md_strdup(p->given[i]);
		else if (p->given[i])
			continue;
		else if (i == SMTP_PASSWORD && !*p->answer[SMTP_USER])
			continue;
		else if (terminal)
			code = ask(p, i);
		else if (other < ANSWERS && !questions[i].optional)
			p->answer[i] = md_strdup(p->answer[other]);
		else if (questions[i].optional && !questions[i].secret)
			p->answer[i] = md_strdup("");
		else {
			fprintf(stderr, "maildesk init: --%s is missing\n", questions[i].option);
			code = EX_USAGE;
		}
		if (code == EX_OK && !p->answer[i])
			code = EX_OSERR;
		if (code != EX_OK)
			return code;
	}
	return EX_OK;
}

static int check_answers(struct plan *p)
{
	struct md_err err = { 0 };
	int rc;

	if (p->given[ADMIN_PASSWORD] &&
	    !(p->answer[ADMIN_PASSWORD] = cmd_read_line(NAME, p->given[ADMIN_PASSWORD])))
		return EX_NOINPUT;
	rc = cmd_user_check(p->answer[ADMIN_EMAIL], "admin", &err);
	if (rc == MD_OK)
		rc = password_check(p->answer[ADMIN_PASSWORD], &err);
	return rc == MD_OK ? EX_OK : cmd_fail(NAME, rc, &err);
}

/* ---- writing ---- */

static int complain(const char *path)
{
	fprintf(stderr, "maildesk init: %s: %s\n", path, strerror(errno));
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
 * the password typed. */
static int place_secret(struct plan *p, enum answer i, const char *name, char out[PATH_MAX])
{
	md_auto(buf_done) struct buf line = BUF_INIT(PASSWORD_MAX * 4);
	size_t which = i == SMTP_PASSWORD;
	int code;

	if (p->given[i])
		return realpath(p->given[i], out) ? EX_OK : complain(p->given[i]);
	snprintf(out, PATH_MAX, "%s", name);
	snprintf(p->secret_file[which], sizeof p->secret_file[which], "%s%s", p->folder, name);
	buf_addf(&line, "%s\n", p->answer[i]);
	code = write_new(p, p->secret_file[which], 0600, buf_str(&line));
	if (line.data)
		explicit_bzero(line.data, line.len);
	return code;
}

/* A value between double quotes. */
static void add_quoted(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "%s = \"", key);
	for (; *value; value++) {
		if (strchr("\"\\$", *value))
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
	buf_adds(out, "\"\n");
}

static void compose_config(const struct plan *p, const char *imap_secret, const char *smtp_secret,
			   struct buf *out)
{
	buf_adds(out,
		 "# Configuration of maildesk, made by \"maildesk init\". Every other key, its\n"
		 "# default and its meaning: maildesk check --sample\n"
		 "# After a change: maildesk check\n\n");
	add_quoted(out, "state_dir", p->state_dir);
	buf_adds(out, "\n# The mailbox whose mail becomes tickets. IMAP over TLS, port 993.\n"
		      "mailbox \"support\" {\n");
	add_quoted(out, "\taddress", p->answer[ADDRESS]);
	add_quoted(out, "\thost", p->answer[IMAP_HOST]);
	add_quoted(out, "\tuser", p->answer[IMAP_USER]);
	add_quoted(out, "\tpassword_file", imap_secret);
	buf_adds(out,
		 "}\n\n# The server that takes our mail. STARTTLS, port 587.\nsmtp \"main\" {\n");
	add_quoted(out, "\thost", p->answer[SMTP_HOST]);
	if (*p->answer[SMTP_USER]) {
		add_quoted(out, "\tuser", p->answer[SMTP_USER]);
		add_quoted(out, "\tpassword_file", smtp_secret);
	}
	buf_adds(out, "}\n");
}

static int write_files(struct plan *p)
{
	char imap_secret[PATH_MAX] = "", smtp_secret[PATH_MAX] = "";
	md_auto(buf_done) struct buf text = BUF_INIT(64 << 10);
	int code = make_folder(p->folder, 0755);

	if (code == EX_OK)
		code = make_folder(p->state_dir, 0700);
	if (code == EX_OK)
		code = place_secret(p, IMAP_PASSWORD, "imap.secret", imap_secret);
	if (code == EX_OK && *p->answer[SMTP_USER])
		code = place_secret(p, SMTP_PASSWORD, "smtp.secret", smtp_secret);
	if (code != EX_OK)
		return code;
	compose_config(p, imap_secret, smtp_secret, &text);
	return write_new(p, p->config, 0644, buf_str(&text));
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

static int run(struct plan *p)
{
	int code = prepare(p);

	if (code == EX_OK)
		code = gather(p);
	if (code == EX_OK)
		code = check_answers(p);
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
	printf("wrote %s\nadmin %s\nNow: maildesk check --config %s && maildesk serve --config "
	       "%s\n",
	       p->config, p->answer[ADMIN_EMAIL], p->config, p->config);
	return EX_OK;
}

int cmd_init(int argc, char **argv)
{
	md_auto(plan_done) struct plan p = { .config = CMD_DEFAULT_CONFIG,
					     .state_dir = "/var/lib/maildesk" };
	const struct cmd_option options[] = {
		CMD_CONFIG(&p.config),
		{ "state-dir", "DIR", &p.state_dir, "folder of the database (/var/lib/maildesk)" },
		{ "address", "ADDRESS", &p.given[ADDRESS], "mail address of the desk" },
		{ "imap-host", "HOST", &p.given[IMAP_HOST], "where its mailbox is" },
		{ "imap-user", "USER", &p.given[IMAP_USER], "default: the address" },
		{ "imap-password-file", "FILE", &p.given[IMAP_PASSWORD], "file with the password" },
		{ "smtp-host", "HOST", &p.given[SMTP_HOST], "default: the IMAP host" },
		{ "smtp-user", "USER", &p.given[SMTP_USER], "default: no login" },
		{ "smtp-password-file", "FILE", &p.given[SMTP_PASSWORD], "file with the password" },
		{ "admin-email", "ADDRESS", &p.given[ADMIN_EMAIL], "who may do everything" },
		{ "admin-password-file", "FILE", &p.given[ADMIN_PASSWORD],
		  "first line is the password (\"-\": standard input)" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { NAME,
					 "",
					 "Writes a configuration, makes the database and the first "
					 "admin. On a terminal it asks\n"
					 "for what the options do not say.",
					 options,
					 0,
					 0 };
	int first, code;

	return cmd_options(&usage, argc, argv, &first, &code) ? run(&p) : code;
}

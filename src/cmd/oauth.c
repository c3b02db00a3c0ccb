/* `maildesk oauth login`: a person with a browser, on whatever machine, lets the desk in (RFC
 * 8628). Nothing secret is printed: the code shown is good for this sign-in alone and for minutes.
 */
#include <maildesk/app/bearer.h>
#include <maildesk/app/desk.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static const char name[] = "oauth login";

enum {
	SLOWER_MS = 5000, /* RFC 8628, section 3.5 */
	SLOWEST_MS = 60 * 1000,
	KEY_WAIT_MS = 5000,
	LINE_BYTES = 16 << 10,
};

struct login {
	const struct conf_oauth *conf;
	const char *section, *user; /* what was named on the command line, and who signs in */
	struct oauth_client client;
	struct desk *desk;
	bool json;
};

/* ---- whose ---- */

static void list_choices(const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_mailboxes; i++)
		if (c->mailboxes[i].oauth)
			fprintf(stderr, "%s%s", n++ ? ", " : "There are: ", c->mailboxes[i].title);
	for (size_t i = 0; i < c->n_smtp; i++)
		if (c->smtp[i].oauth)
			fprintf(stderr, "%s%s", n++ ? ", " : "There are: ", c->smtp[i].title);
	fputs(n ? ".\n" : "No section has auth = \"oauth:TITLE\".\n", stderr);
}

static int find_section(struct login *l, const struct config *c, const char *title)
{
	const struct conf_mailbox *m = config_mailbox(c, title);
	const struct conf_smtp *s = config_smtp(c, title);
	bool by_mailbox = m && (m->oauth || !s || !s->oauth);
	const char *oauth = by_mailbox ? m->oauth : s ? s->oauth : NULL;

	l->section = title;
	if (!oauth) {
		fprintf(stderr, "maildesk %s: %s \"%s\"%s. ", name,
			m || s ? "mailbox or smtp section" : "there is no mailbox or smtp section",
			title, m || s ? " signs in by a password" : " that signs in by OAuth");
		list_choices(c);
		return EX_USAGE;
	}
	l->user = by_mailbox ? m->user : s->user;
	l->conf = config_oauth(c, oauth);
	if (*l->conf->device_url)
		return EX_OK;
	fprintf(stderr,
		"maildesk %s: oauth \"%s\" signs in by its client_secret_file; for a person to "
		"sign "
		"in it needs device_url\n",
		name, l->conf->title);
	return EX_CONFIG;
}

/* ---- what is said ---- */

static void print_json(json_t *j)
{
	md_auto(buf_done) struct buf line = BUF_INIT(LINE_BYTES);

	json_write(&line, j);
	json_decref(j);
	puts(buf_str(&line));
	fflush(stdout);
}

static void say_code(const struct login *l, const struct oauth_device *d)
{
	if (l->json) {
		print_json(json_pack("{s:s, s:s, s:s*, s:s, s:I, s:I}", "mailbox", l->section,
				     "verification_uri", d->url, "verification_uri_complete",
				     d->whole_url, "user_code", d->user_code, "expires_in",
				     (json_int_t)(d->life_ms / 1000), "interval",
				     (json_int_t)(d->interval_ms / 1000)));
		return;
	}
	printf("Open this page, on any machine, and sign in as %s:\n\n    %s\n\n"
	       "and enter the code:\n\n    %s\n\n",
	       l->user, d->url, d->user_code);
	if (d->whole_url)
		printf("or open %s\n\n", d->whole_url);
	printf("The code is good for %lld minutes. Waiting ...\n",
	       (long long)(d->life_ms + 59999) / 60000);
	fflush(stdout);
}

static void say_done(const struct login *l, bool renewable)
{
	if (l->json)
		print_json(json_pack("{s:s, s:s, s:b, s:b}", "mailbox", l->section, "login",
				     l->user, "ok", 1, "renewable", renewable));
	else
		printf("Signed in. A running daemon uses it within a second.\n");
	if (!renewable)
		fprintf(stderr,
			"maildesk %s: warning: the server gave no refresh token, so somebody has "
			"to "
			"sign in again when the access token ends; most servers want "
			"offline_access "
			"in scope\n",
			name);
}

static int say_failed(const struct login *l, int rc, const struct md_err *err)
{
	if (l->json)
		print_json(json_pack("{s:s, s:s, s:b, s:s}", "mailbox", l->section, "login",
				     l->user, "ok", 0, "error", err->text));
	return cmd_fail(name, rc, err);
}

/* ---- waiting for the person ---- */

static void sleep_ms(int64_t ms)
{
	struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };

	while (nanosleep(&t, &t) != 0)
		;
}

static int wait_for_person(const struct login *l, const struct oauth_device *d,
			   struct oauth_tokens *ret, struct md_err *err)
{
	int64_t end = clock_mono(&clock_system) + d->life_ms, pause = d->interval_ms;

	for (;;) {
		int rc;

		if (clock_mono(&clock_system) + pause > end)
			return md_fail(err, MD_REFUSED, OAUTH_EXPIRED,
				       "nobody entered the code in time: run the command again");
		sleep_ms(pause);
		rc = oauth_device_ask(&l->client, d->code, ret, err);
		if (rc == MD_REFUSED && err->native == OAUTH_SLOW_DOWN)
			pause += SLOWER_MS;
		else if (rc == MD_AGAIN) /* RFC 8628, section 3.5: and ask less often */
			pause = 2 * pause < SLOWEST_MS ? 2 * pause : SLOWEST_MS;
		else if (rc == MD_REFUSED && err->native == OAUTH_EXPIRED)
			return md_fail(err, MD_REFUSED, OAUTH_EXPIRED,
				       "nobody entered the code in time: run the command again");
		else if (rc != MD_REFUSED || err->native != OAUTH_PENDING)
			return rc;
	}
}

static int log_in(const struct login *l, struct md_err *err)
{
	md_auto(oauth_device_done) struct oauth_device device = { 0 };
	md_auto(oauth_tokens_done) struct oauth_tokens tokens = { 0 };
	int rc = vault_wait(l->desk->vault, KEY_WAIT_MS, err);

	if (rc == MD_OK)
		rc = oauth_device_begin(&l->client, &device, err);
	if (rc != MD_OK)
		return rc;
	say_code(l, &device);
	rc = wait_for_person(l, &device, &tokens, err);
	if (rc == MD_OK)
		rc = bearer_keep_login(l->desk, l->conf, l->user, &tokens, err);
	if (rc == MD_OK)
		say_done(l, tokens.refresh != NULL);
	return rc;
}

static int cmd_login(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	struct login l = { 0 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &l.json,
		  "print what to open and enter, and how it ended, as JSON" },
		CMD_OPTIONS_END
	};
	const struct cmd_usage usage = {
		name,
		"MAILBOX",
		"Lets the desk into a mailbox (or smtp section) whose auth is \"oauth:TITLE\":\n"
		"prints a page to open and a code to enter there, and waits until that is done.",
		options,
		1,
		1,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	code = cmd_open_config(file, &config);
	if (code == EX_OK)
		code = find_section(&l, config, argv[first]);
	if (code != EX_OK)
		return code;
	rc = desk_open(config, &desk, &err);
	if (rc != MD_OK)
		return say_failed(&l, rc, &err);
	l.desk = desk;
	l.client = bearer_client(l.conf, NULL);
	rc = log_in(&l, &err);
	return rc == MD_OK ? EX_OK : say_failed(&l, rc, &err);
}

static const struct cmd_verb verbs[] = {
	{ "login", cmd_login, "sign in at the token server of a mailbox" },
	{ NULL, NULL, NULL },
};

int cmd_oauth(int argc, char **argv)
{
	return cmd_dispatch("maildesk oauth", verbs, argc, argv);
}

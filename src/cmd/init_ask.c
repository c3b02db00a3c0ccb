/* The questions of `maildesk init`. */
#include "init.h"

#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/user.h>
#include <maildesk/desk/password.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct {
	const char *question, *option;
	bool secret;
} questions[ANSWERS] = {
	[ADDRESS] = { "Mail address of the desk", "address", false },
	[PROVIDER] = { "Mail provider (gmail, microsoft365, fastmail), or your IMAP server "
		       "(HOST or HOST:PORT)",
		       "provider", false },
	[SMTP] = { "SMTP server that takes its mail out", "smtp-host", false },
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
	if (i == SMTP) /* as a rule it is where the mailbox is */
		return p->given[i] || (p->again && !p->preset->imap_host);
	if (p->again && (i == ADMIN_EMAIL || i == ADMIN_PASSWORD))
		return false;
	if (i == PASSWORD)
		return !p->preset->oauth;
	if (i == CLIENT_ID)
		return p->preset->oauth != NULL;
	return true;
}

static void read_place(const char *text, struct place *ret)
{
	const char *colon = strchr(text, ':');
	bool has_port = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
	size_t n = has_port ? (size_t)(colon - text) : strlen(text);

	snprintf(ret->host, sizeof ret->host, "%.*s", (int)n, text);
	ret->port = has_port ? colon + 1 : NULL;
}

static void settle_provider(struct plan *p)
{
	p->imap = (struct place){ 0 };
	p->preset = init_preset(p->answer[PROVIDER]);
	if (p->imap_host || !p->preset)
		read_place(p->imap_host ? p->imap_host : p->answer[PROVIDER], &p->imap);
	if (!p->preset)
		p->preset = init_preset("own");
	if (p->preset->hint && isatty(STDIN_FILENO))
		fprintf(stderr, "%s\n", p->preset->hint);
}

/* What was answered before, else what can be guessed. */
static const char *fallback_of(const struct plan *p, enum answer i, const char *before)
{
	if (before && !questions[i].secret)
		return before;
	return i == PROVIDER ? init_guess(p->answer[ADDRESS]) : i == SMTP ? p->imap.host : NULL;
}

static int ask(struct plan *p, enum answer i)
{
	md_auto(md_wipe_text_p) char *before = md_take(p->answer[i]);

	p->answer[i] =
		cmd_ask(questions[i].question, fallback_of(p, i, before), questions[i].secret);
	return p->answer[i] ? EX_OK : EX_USAGE;
}

static int need(struct plan *p, enum answer i)
{
	if (i == PROVIDER && !p->given[i] && p->imap_host)
		p->given[i] = p->imap_host;
	if (p->again && p->given[i])
		return EX_OK;
	if (p->given[i] && questions[i].secret)
		p->answer[i] = cmd_read_line(INIT_NAME, p->given[i]);
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
	return rc == MD_OK ? EX_OK : cmd_fail(INIT_NAME, rc, &err);
}

/* On a terminal what is wrong is asked again. */
int init_gather(struct plan *p)
{
	int code = EX_OK;

	for (enum answer i = 0; i < ANSWERS && code == EX_OK; i++) {
		if (!is_needed(p, i))
			continue;
		code = need(p, i);
		if (code == EX_OK)
			code = check_answer(p, i);
		if (code != EX_OK && p->answer[i] && !p->given[i] && isatty(STDIN_FILENO)) {
			md_wipe_text(md_take(p->answer[i]));
			i--;
			code = EX_OK;
			continue;
		}
		if (code == EX_OK && i == PROVIDER)
			settle_provider(p);
		if (code == EX_OK && i == SMTP)
			read_place(p->answer[i], &p->smtp);
	}
	return code;
}

/* `maildesk doctor`: everything a desk needs, tried for real; a sentence each, and what to do. */
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { SENTENCE_MAX = 4096, PROBLEMS_MAX = 1 << 20 };

void doctor_say(struct doctor *d, enum finding f, const char *what, const char *name,
		const char *fmt, ...)
{
	static const char *const marks[] = { "ok", "warn", "FAIL", "-" };
	static const char *const words[] = { "ok", "warning", "failed", "skipped" };
	md_auto(buf_done) struct buf raw = BUF_INIT(SENTENCE_MAX), text = BUF_INIT(SENTENCE_MAX);
	md_auto(json_decref_p) json_t *j = NULL;
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&raw, fmt, ap);
	va_end(ap);
	utf8_clean_line(&text, buf_str(&raw), raw.len); /* servers' words are in it */
	d->warnings += f == WARNING;
	d->failures += f == FAILED;
	if (d->json) {
		j = json_pack("{s:s, s:s, s:s?, s:s}", "finding", words[f], "what", what, "name",
			      name, "text", buf_str(&text));
		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		char title[48];

		snprintf(title, sizeof title, "%s%s%s", what, name ? " " : "", name ? name : "");
		printf("%-4s  %-24s  %s\n", marks[f], title, buf_str(&text));
	}
	fflush(stdout); /* the next one may take its time */
}

/* Each error and warning of `maildesk check`. */
static int read_config(struct doctor *d, const char *file, struct config **ret)
{
	md_auto(buf_done) struct buf problems = BUF_INIT(PROBLEMS_MAX);
	int rc = config_load_all(file, ret, &problems);
	const char *line = buf_str(&problems);

	while (*line) {
		size_t n = strcspn(line, "\n");
		bool warning = memmem(line, n, ": warning: ", 11) != NULL;

		doctor_say(d, warning ? WARNING : FAILED, "configuration", NULL, "%.*s", (int)n,
			   line);
		line += n + (line[n] == '\n');
	}
	if (rc == MD_OK && !problems.len)
		doctor_say(d, FINE, "configuration", NULL, "%s and its fragments are right.", file);
	return rc;
}

static int conclude(const struct doctor *d)
{
	if (!d->json && !d->failures && !d->warnings)
		puts("\nAll is well.");
	else if (!d->json)
		printf("\n%d failed, %d to look at.\n", d->failures, d->warnings);
	return d->failures ? EX_UNAVAILABLE : EX_OK;
}

/* Access tokens are in the hands of a whole desk. */
static struct desk *open_desk(struct doctor *d)
{
	struct desk *desk = NULL;
	struct md_err err = { 0 };
	int rc = desk_open(d->config, &desk, &err);

	if (rc == MD_OK)
		rc = bearer_start(desk->bearer, &err);
	if (rc == MD_OK)
		d->bearer = desk->bearer;
	else
		doctor_say(d, FAILED, "oauth", NULL, "%s.", err.text);
	return desk;
}

int cmd_doctor(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *wait = "30";
	struct doctor d = { 0 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "no-mail", NULL, &d.no_mail, "send no mails to the mailboxes" },
		{ "wait", "SECONDS", &wait, "how long a mail may take to arrive (30)" },
		{ "json", NULL, &d.json, "one JSON object a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"doctor",
		"",
		"Tries every mailbox, SMTP server, the database, clock, TLS, templates and DNS, "
		"sends each\nmailbox a mail, and says what to do about what does not work. Exit "
		"code 69 when something failed.",
		options,
		0,
		0
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(db_close_p) struct db *db = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	char *end;
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	d.wait_ms = strtoll(wait, &end, 10) * 1000;
	if (*end || d.wait_ms <= 0 || d.wait_ms > 3600 * 1000) {
		fputs("maildesk doctor: --wait: allowed: 1 to 3600 seconds\n", stderr);
		return EX_USAGE;
	}
	rc = read_config(&d, file, &config);
	if (rc == MD_NOMEM)
		return cmd_fail(usage.name, rc, NULL);
	if (rc != MD_OK) {
		conclude(&d);
		return EX_CONFIG;
	}
	d.config = config;
	doctor_host(&d);
	db = d.db;
	if (d.db && config->n_oauths)
		desk = open_desk(&d);
	doctor_mail(&d);
	bearer_stop(d.bearer);
	return conclude(&d);
}

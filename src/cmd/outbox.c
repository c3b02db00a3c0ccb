#include <maildesk/app/audit.h>
#include <maildesk/app/outbox.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/blobs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PAGE = 500 };

struct job {
	struct desk *d;
	const char *state; /* NULL: all */
	int64_t id;
	bool json;
};

static void print_row(const struct outbox_row *r, bool json)
{
	md_auto(json_decref_p) json_t *j = NULL;
	char at[TIME_TEXT_MAX], next[TIME_TEXT_MAX];

	time_format(r->created_at, json, at);
	time_format(r->next_at, json, next);
	if (!json) {
		printf("%-6lld %s  %-9s %-30s %s\n", (long long)r->id, at, r->state, r->recipient,
		       r->subject ? r->subject : "");
		return;
	}
	j = json_pack("{s:I, s:I, s:o, s:s, s:s?, s:s?, s:s, s:I, s:s, s:s?, s:s}", "id",
		      (json_int_t)r->id, "message", (json_int_t)r->message_id, "ticket",
		      r->ticket_id ? json_integer(r->ticket_id) : json_null(), "to", r->recipient,
		      "subject", r->subject, "message_id", r->mail_id, "state", r->state,
		      "attempts", (json_int_t)r->attempts, "next_at", next, "last_reply",
		      r->last_reply, "created_at", at);
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
}

static int list(const struct job *job, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct outbox_filter f = { .states = { job->state != NULL, (const char **)&job->state },
				   .limit = PAGE };
	int rc = db_read(job->d->db, &c, err);

	for (size_t n = PAGE; rc == MD_OK && n == PAGE; f.offset += PAGE) {
		md_auto(arena_done) struct arena a = ARENA_INIT(256 << 20);
		struct outbox_row *rows;
		int64_t total;

		rc = outbox_list(c, &f, &a, &rows, &n, &total, err);
		for (size_t i = 0; rc == MD_OK && i < n; i++)
			print_row(&rows[i], job->json);
	}
	return rc;
}

/* What is known of it, then the mail as it is sent, if it was made ready. */
static int show(const struct job *job, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(md_free_p) uint8_t *raw = NULL;
	struct outbox_row row = { 0 };
	size_t n = 0;
	int rc = db_read(job->d->db, &c, err);

	if (rc == MD_OK)
		rc = outbox_get(c, job->id, &a, &row, err);
	if (rc == MD_OK && row.blob_id && !job->json)
		rc = blob_get(c, row.blob_id, &raw, &n, err);
	if (rc != MD_OK)
		return rc;
	print_row(&row, job->json);
	if (job->json)
		return MD_OK;
	if (row.last_reply)
		printf("%lld tries, the last: %s\n", (long long)row.attempts, row.last_reply);
	if (n)
		putchar('\n');
	if (n)
		fwrite(raw, 1, n, stdout);
	return MD_OK;
}

static struct work_by by_cli(struct desk *d)
{
	return (struct work_by){
		.desk = d,
		.actor = { .role = ROLE_ADMIN, .level = 3, .source = SOURCE_CLI },
		.channel = "cli",
		.now_ms = clock_wall(d->clock),
	};
}

struct step {
	const struct job *job;
	int (*how)(const struct work_by *by, struct db_conn *c, int64_t id, struct md_err *err);
};

static int step_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct step *s = ctx;
	const struct work_by by = by_cli(s->job->d);

	return s->how(&by, c, s->job->id, err);
}

static int retry(const struct job *job, struct md_err *err)
{
	const struct audit_deed deed = { "outbox.retry", "outbox", &job->id };
	struct step s = { job, outbox_do_retry };

	return audit_cli_txn(job->d->db, &deed, step_in_txn, &s, err);
}

static int cancel(const struct job *job, struct md_err *err)
{
	const struct audit_deed deed = { "outbox.cancel", "outbox", &job->id };
	struct step s = { job, outbox_do_cancel };

	return audit_cli_txn(job->d->db, &deed, step_in_txn, &s, err);
}

static int with_desk(const struct cmd_usage *usage, const char *file, struct job *job,
		     int (*run)(const struct job *job, struct md_err *err))
{
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int rc = cmd_open_config(file, &config);

	if (rc != EX_OK)
		return rc;
	rc = desk_open(config, &desk, &err);
	job->d = desk;
	if (rc == MD_OK)
		rc = run(job, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(usage->name, rc, &err);
}

static int run_one(const char *name, const char *about, int argc, char **argv,
		   int (*run)(const struct job *job, struct md_err *err))
{
	const char *file = CMD_DEFAULT_CONFIG;
	struct job job = { 0 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &job.json, "print JSON" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { name, "ID", about, options, 1, 1 };
	int first, rc;
	char *end;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	errno = 0;
	job.id = strtoll(argv[first], &end, 10);
	if (errno || *end || job.id <= 0) {
		fprintf(stderr,
			"maildesk %s: \"%s\" is no number as `maildesk outbox list` shows them\n",
			name, argv[first]);
		return EX_USAGE;
	}
	return with_desk(&usage, file, &job, run);
}

static bool is_state(const char *s)
{
	for (size_t i = 0; outbox_states[i]; i++)
		if (strcmp(outbox_states[i], s) == 0)
			return true;
	return false;
}

static int list_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	struct job job = { 0 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "state", "STATE", &job.state,
		  "only mails that are queued, sending, sent, retry, failed, held or cancelled" },
		{ "json", NULL, &job.json, "print JSON" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "outbox list", "", "Lists outgoing mails, newest first.",
					 options,       0,  0 };
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	if (job.state && !is_state(job.state)) {
		fprintf(stderr, "maildesk outbox list: \"%s\" is no state; see --help\n",
			job.state);
		return EX_USAGE;
	}
	return with_desk(&usage, file, &job, list);
}

static int show_main(int argc, char **argv)
{
	return run_one("outbox show", "Shows one mail, and the text that is sent.", argc, argv,
		       show);
}
static int retry_main(int argc, char **argv)
{
	return run_one("outbox retry", "Sends a mail (again) now.", argc, argv, retry);
}
static int cancel_main(int argc, char **argv)
{
	return run_one("outbox cancel", "Cancels a mail: it is not sent.", argc, argv, cancel);
}

int cmd_outbox(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", list_main, "list outgoing mails, and those sent in the last week" },
		{ "show", show_main, "show one of them, with its text" },
		{ "retry", retry_main, "send it (again) now" },
		{ "cancel", cancel_main, "do not send it" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk outbox", verbs, argc, argv);
}

#include <maildesk/app/audit.h>
#include <maildesk/app/quarantine.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PAGE = 500 };

static json_t *json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return json_string(time_format(ms, 1, text));
}

static void print_row(const struct desk *d, const struct quarantine_row *r, bool json)
{
	const struct desk_mailbox *m = desk_mailbox((struct desk *)d, r->mailbox_id);
	const char *mailbox = m ? m->conf->title : NULL;
	md_auto(json_decref_p) json_t *j = NULL;
	char at[TIME_TEXT_MAX];

	if (!json) {
		printf("%-6lld %s  %-16s %-30s %s\n", (long long)r->id,
		       time_format(r->created_at, 0, at), r->cause,
		       r->from_address ? r->from_address : "-", r->subject ? r->subject : "");
		return;
	}
	j = json_pack("{s:I, s:s, s:s?, s:I, s:s?, s:s?, s:s?, s:s?, s:I, s:o}", "id",
		      (json_int_t)r->id, "cause", r->cause, "detail", r->detail, "message",
		      (json_int_t)r->message_id, "mailbox", mailbox, "from", r->from_address,
		      "subject", r->subject, "message_id", r->mail_id, "size", (json_int_t)r->size,
		      "created_at", json_time(r->created_at));
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
}

static int list(struct desk *d, bool json, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(d->db, &c, err);
	int64_t total = 1;

	for (int64_t at = 0; rc == MD_OK && at < total; at += PAGE) {
		md_auto(arena_done) struct arena a = ARENA_INIT(64 << 20);
		struct quarantine_row *rows;
		size_t n = 0;

		rc = quarantine_list(c, 0, at, PAGE, &a, &rows, &n, &total, err);
		if (n == PAGE && total <= at + PAGE)
			total = at + PAGE + 1; /* totals end at 1,001 */
		for (size_t i = 0; rc == MD_OK && i < n; i++)
			print_row(d, &rows[i], json);
	}
	return rc;
}

/* What is known of it, then the raw mail. */
static int show(struct desk *d, int64_t id, bool json, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(md_free_p) uint8_t *raw = NULL;
	struct quarantine_row row = { 0 };
	size_t n;
	int rc = db_read(d->db, &c, err);

	if (rc == MD_OK)
		rc = quarantine_get(c, id, &a, &row, err);
	if (rc == MD_OK && !json)
		rc = blob_get(c, row.blob_id, &raw, &n, err);
	if (rc != MD_OK)
		return rc;
	print_row(d, &row, json);
	if (json)
		return MD_OK;
	if (row.detail)
		printf("why: %s\n", row.detail);
	putchar('\n');
	fwrite(raw, 1, n, stdout);
	return MD_OK;
}

/* A deed of this command, which notes itself. */
struct noted {
	struct desk *d;
	struct audit_deed deed;
};

static int noted_txn(void *ctx, db_txn_fn fn, void *fn_ctx, struct md_err *err)
{
	const struct noted *n = ctx;

	return audit_cli_txn(n->d->db, &n->deed, fn, fn_ctx, err);
}

static int let_go(struct desk *d, int64_t id, bool json, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(64 << 20);
	struct noted n = { d, { "quarantine.release", "quarantine", &id } };
	struct quarantine_releasing as = { .source = SOURCE_CLI, .txn = noted_txn, .ctx = &n };
	const struct intake_result *r = &as.result;
	int rc = quarantine_release(d, id, &a, &as, err);

	if (rc == MD_OK && json)
		printf("{\"message\":%lld,\"outcome\":\"%s\",\"ticket\":%lld}\n",
		       (long long)r->message, r->outcome, (long long)r->ticket);
	else if (rc == MD_OK)
		printf("%s, ticket #%lld\n", r->outcome, (long long)r->ticket);
	return rc;
}

struct step {
	struct desk *d;
	int64_t id;
	struct arena a;
};

static int remove_row(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct step *s = ctx;

	return quarantine_remove(c, s->id, err);
}

static int block_sender(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct step *s = ctx;
	struct quarantine_row row;
	int64_t id;
	int rc;

	arena_reset(&s->a);
	rc = quarantine_get(c, s->id, &s->a, &row, err);
	if (rc == MD_OK && !row.from_address)
		return md_fail(err, MD_INPUT, 0, "this mail names no sender");
	if (rc == MD_OK)
		rc = blocked_add(c, row.from_address, 0, clock_wall(s->d->clock), &id, err);
	return rc;
}

static int change(struct desk *d, int64_t id, const char *action, db_txn_fn fn, struct md_err *err)
{
	struct noted n = { d, { action, "quarantine", &id } };
	struct step s = { .d = d, .id = id, .a = ARENA_INIT(1 << 20) };
	int rc = noted_txn(&n, fn, &s, err);

	arena_done(&s.a);
	return rc;
}

static int drop(struct desk *d, int64_t id, bool json, struct md_err *err)
{
	(void)json;
	return change(d, id, "quarantine.remove", remove_row, err);
}

static int block(struct desk *d, int64_t id, bool json, struct md_err *err)
{
	(void)json;
	return change(d, id, "quarantine.block", block_sender, err);
}

static int with_desk(const struct cmd_usage *usage, const char *file, bool json, int64_t id,
		     int (*one)(struct desk *d, int64_t id, bool json, struct md_err *err))
{
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int rc = cmd_open_config(file, &config);

	if (rc != EX_OK)
		return rc;
	rc = desk_open(config, &desk, &err);
	if (rc == MD_OK)
		rc = one ? one(desk, id, json, &err) : list(desk, json, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(usage->name, rc, &err);
}

static int run(const char *name, const char *about, int argc, char **argv,
	       int (*one)(struct desk *d, int64_t id, bool json, struct md_err *err))
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "print JSON" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { name,    one ? "ID" : "", about,
					 options, one != NULL,     one != NULL };
	int64_t id = 0;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	if (one) {
		char *end;

		errno = 0;
		id = strtoll(argv[first], &end, 10);
		if (errno || *end || id <= 0) {
			fprintf(stderr,
				"maildesk %s: \"%s\" is no number as `maildesk quarantine "
				"list` shows them\n",
				name, argv[first]);
			return EX_USAGE;
		}
	}
	return with_desk(&usage, file, json, id, one);
}

static int list_main(int argc, char **argv)
{
	return run("quarantine list", "Lists the mails in quarantine, newest first.", argc, argv,
		   NULL);
}
static int show_main(int argc, char **argv)
{
	return run("quarantine show", "Shows one mail in quarantine, and its raw text.", argc, argv,
		   show);
}
static int release_main(int argc, char **argv)
{
	return run("quarantine release", "Releases a mail: it is taken in after all.", argc, argv,
		   let_go);
}
static int delete_main(int argc, char **argv)
{
	return run("quarantine delete", "Deletes a mail, without taking it in.", argc, argv, drop);
}
static int block_main(int argc, char **argv)
{
	return run("quarantine block",
		   "Blocks a mail's sender: all further mail from there is quarantined.", argc,
		   argv, block);
}

int cmd_quarantine(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", list_main, "mails held back" },
		{ "show", show_main, "show one of them, with its raw text" },
		{ "release", release_main, "take it in after all" },
		{ "delete", delete_main, "throw it away" },
		{ "block", block_main, "quarantine all further mail of its sender" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk quarantine", verbs, argc, argv);
}

/* What the desk would do with a mail: intake in earnest, in a transaction that is taken back. */
#include <maildesk/app/intake.h>
#include <maildesk/app/reader.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/mails.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/messages.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct deciding {
	struct desk *d;
	struct intake_mail mail;
	struct arena arena;
	struct buf out;
	bool done;
};

static json_t *list_of(const char *text)
{
	json_t *list = NULL;

	return json_read(text, strlen(text), 8, &list, NULL) == MD_OK ? list : json_array();
}

static int write_out(struct deciding *x, struct db_conn *c, const struct intake_result *r,
		     struct md_err *err)
{
	const struct desk_mailbox *mailbox = desk_mailbox(x->d, x->mail.mailbox);
	md_auto(json_decref_p) json_t *j = NULL;
	struct decision d;
	struct message_row m;
	int rc = decision_get(c, r->message, &x->arena, &d, err);

	if (rc == MD_OK)
		rc = message_get(c, r->message, &x->arena, &m, err);
	if (rc != MD_OK)
		return rc;
	j = json_pack("{s:s, s:s, s:s?, s:I, s:s, s:o, s:o, s:o}", "mailbox", mailbox->conf->title,
		      "outcome", r->outcome, "cause", r->cause, "trust", (json_int_t)m.trust,
		      "auth", d.auth, "rules", list_of(d.rules), "commands", list_of(d.commands),
		      "sla", list_of(d.sla));
	json_object_set_new(j, "ticket",
			    r->ticket ? json_integer((json_int_t)r->ticket) : json_null());
	json_object_set_new(j, "kind", json_string(m.kind));
	buf_reset(&x->out);
	json_write(&x->out, j);
	return x->out.status == MD_OK ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* Always fails, so that nothing of it stays. */
static int try_it(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct deciding *x = ctx;
	struct intake_result r;
	int rc;

	arena_reset(&x->arena);
	rc = intake_take(x->d, c, &x->arena, &x->mail, &r, err);
	if (rc == MD_OK)
		rc = write_out(x, c, &r, err);
	x->done = rc == MD_OK;
	return rc == MD_OK ? md_fail(err, MD_REFUSED, 0, "taken back") : rc;
}

static void print_item(const json_t *item, const char *flag, const char *yes, const char *no,
		       const char *what, const char *why)
{
	printf("  %s %s: %s\n", json_is_true(json_object_get(item, flag)) ? yes : no,
	       json_string_value(json_object_get(item, what)),
	       json_string_value(json_object_get(item, why)));
}

static void print_text(const char *text)
{
	md_auto(json_decref_p) json_t *j = list_of(text);
	const json_t *ticket = json_object_get(j, "ticket");
	const json_t *rules = json_object_get(j, "rules");
	const json_t *commands = json_object_get(j, "commands");

	printf("%s", json_string_value(json_object_get(j, "outcome")));
	if (json_is_integer(ticket))
		printf(", ticket #%lld", (long long)json_integer_value(ticket));
	if (json_is_string(json_object_get(j, "cause")))
		printf(", cause %s", json_string_value(json_object_get(j, "cause")));
	printf("\nkind %s, trust %lld, sender's server says %s\n",
	       json_string_value(json_object_get(j, "kind")),
	       (long long)json_integer_value(json_object_get(j, "trust")),
	       json_string_value(json_object_get(j, "auth")));
	for (size_t i = 0; i < json_array_size(rules); i++)
		print_item(json_array_get(rules, i), "matched", "+", "-", "rule", "evidence");
	for (size_t i = 0; i < json_array_size(commands); i++)
		print_item(json_array_get(commands, i), "ok", "ok", "no", "line", "reason");
}

static int decide_one(struct desk *d, int64_t mailbox, const uint8_t *raw, size_t n, bool json,
		      struct md_err *err)
{
	md_auto(arena_done) struct arena fields = ARENA_INIT(READER_ARENA_MAX);
	md_auto(blob_done) struct blob blob = { 0 };
	struct deciding x = { .d = d,
			      .arena = ARENA_INIT(READER_ARENA_MAX),
			      .out = BUF_INIT(16 << 20) };
	struct message message;
	const char *cause = NULL;
	int rc = blob_prepare(raw, n, &blob, err);

	if (rc == MD_OK)
		rc = reader_read_once(raw, n, rules_fields(d->rules), &fields, &message, &cause,
				      err);
	if (rc == MD_OK || cause) {
		x.mail = (struct intake_mail){ .mailbox = mailbox,
					       .size = (int64_t)n,
					       .message = rc == MD_OK ? &message : NULL,
					       .cause = rc == MD_OK ? NULL : cause,
					       .blob = &blob };
		rc = db_txn(d->db, try_it, &x, err);
	}
	if (x.done) {
		rc = MD_OK;
		if (json)
			puts(buf_str(&x.out));
		else
			print_text(buf_str(&x.out));
	}
	buf_done(&x.out);
	arena_done(&x.arena);
	return rc;
}

int cmd_decide(int argc, char **argv)
{
	md_auto(mails_done) struct mails mails = MAILS_INIT;
	const char *file = CMD_DEFAULT_CONFIG, *title = NULL;
	bool json = false, ok = true;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "mailbox", "NAME", &title, "mailbox of the configuration that it came through" },
		{ "json", NULL, &json, "print JSON" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"decide",
		"[FILE|MAILDIR]...",
		"Says what would be done with mails, and why. Changes nothing.",
		options,
		0,
		CMD_ARGS_ANY,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int64_t mailbox;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	rc = cmd_open_config(file, &config);
	if (rc != EX_OK)
		return rc;
	rc = desk_open(config, &desk, &err);
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	rc = cmd_find_mailbox(usage.name, desk, title, &mailbox);
	if (rc != EX_OK)
		return rc;
	if (first == argc)
		ok = mails_add_stdin(&mails);
	for (int i = first; i < argc && ok; i++)
		ok = mails_add_path(&mails, argv[i]);
	if (!ok)
		return EX_NOINPUT;
	for (size_t i = 0; i < mails.n && rc == MD_OK; i++) {
		size_t n;
		const uint8_t *raw = mails_open(&mails.v[i], &n);

		if (!raw) {
			mails.failed = true;
			continue;
		}
		if (mails.n > 1 && !json)
			printf("%s: ", mails.v[i].path);
		rc = decide_one(desk, mailbox, raw, n, json, &err);
		mails_close(&mails.v[i], raw, n);
	}
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	return mails.failed ? EX_NOINPUT : EX_OK;
}

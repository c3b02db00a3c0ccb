/* Mail from an MTA's pipe, an mbox or a Maildir, with the guarantees of the daemon: what was taken
 * in is committed before exit 0; anything else is exit 75, and the MTA tries again. */
#include <maildesk/app/intake.h>
#include <maildesk/app/reader.h>
#include <maildesk/app/work.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/mails.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct ingest {
	struct desk *d;
	int64_t mailbox;
	struct reader_run reader;
	struct arena arena;
	struct intake_mail mail;
	struct intake_result result;
	size_t done;
};

static int take(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ingest *in = ctx;

	return intake_take(in->d, c, &in->arena, &in->mail, &in->result, err);
}

/* Of a mail that is too large only the header is taken, as from a mailbox. */
static size_t header_length(const uint8_t *raw, size_t n)
{
	const uint8_t *lf = memmem(raw, n, "\n\n", 2), *crlf = memmem(raw, n, "\r\n\r\n", 4);

	if (crlf && (!lf || crlf < lf))
		return (size_t)(crlf - raw) + 4;
	return lf ? (size_t)(lf - raw) + 2 : n;
}

static int ingest_one(struct ingest *in, const uint8_t *raw, size_t size, struct md_err *err)
{
	const struct desk_mailbox *mailbox = desk_mailbox(in->d, in->mailbox);
	bool too_large = (int64_t)size > mailbox->conf->max_message_bytes;
	size_t n = too_large ? header_length(raw, size) : size;
	md_auto(arena_done) struct arena arena = ARENA_INIT(READER_ARENA_MAX);
	md_auto(blob_done) struct blob blob = { 0 };
	struct message message;
	const char *cause = NULL;
	int rc = blob_prepare(raw, n, &blob, err);

	if (rc == MD_OK)
		rc = reader_run_read(&in->reader, raw, n, rules_fields(in->d->rules), &arena,
				     &message, &cause, err);
	if (rc != MD_OK && !cause)
		return rc;
	in->mail = (struct intake_mail){ .mailbox = in->mailbox,
					 .size = (int64_t)size,
					 .too_large = too_large,
					 .message = rc == MD_OK ? &message : NULL,
					 .cause = rc == MD_OK ? NULL : cause,
					 .blob = &blob };
	arena_reset(&in->arena);
	rc = db_txn(in->d->db, take, in, err);
	if (rc == MD_OK)
		printf("%s%s%s\n", in->result.outcome, in->result.cause ? " " : "",
		       in->result.cause ? in->result.cause : "");
	in->done += rc == MD_OK;
	return rc;
}

static int ingest_all(struct desk *d, int64_t mailbox, const struct mails *mails)
{
	struct ingest in = { .d = d, .mailbox = mailbox, .arena = ARENA_INIT(READER_ARENA_MAX) };
	struct md_err err = { 0 };
	int rc = MD_OK;

	for (size_t i = 0; i < mails->n && rc == MD_OK; i++) {
		size_t n;
		const uint8_t *raw = mails_open(&mails->v[i], &n);

		rc = raw ? ingest_one(&in, raw, n, &err)
			 : md_fail(&err, MD_BROKEN, 0, "%s cannot be read", mails->v[i].path);
		if (raw)
			mails_close(&mails->v[i], raw, n);
	}
	reader_run_done(&in.reader);
	arena_done(&in.arena);
	if (rc == MD_OK && !mails->failed)
		return EX_OK;
	fprintf(stderr, "maildesk ingest: %s; %zu mails were taken in, try again\n",
		rc == MD_OK ? "not all could be read" : err.text, in.done);
	return EX_TEMPFAIL;
}

int cmd_ingest(int argc, char **argv)
{
	md_auto(mails_done) struct mails mails = MAILS_INIT;
	const char *file = CMD_DEFAULT_CONFIG, *title = NULL;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "mailbox", "NAME", &title, "mailbox of the configuration that it came through" },
		{ "mbox", NULL, &mails.mbox,
		  "the input holds several mails, divided by \"From \" lines (a FILE that plainly "
		  "does needs no saying)" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"ingest",
		"[FILE|MAILDIR]...",
		"Takes in one mail from standard input, or those of files, mboxes and Maildirs.",
		options,
		0,
		CMD_ARGS_ANY,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int64_t mailbox;
	bool ok = true;
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	mails.guess = true;
	/* Whatever is wrong here, the mail is not, and must not be sent back. */
	if (cmd_open_config(file, &config) != EX_OK)
		return EX_TEMPFAIL;
	if (desk_open(config, &desk, &err) != MD_OK) {
		fprintf(stderr, "maildesk ingest: %s\n", err.text);
		return EX_TEMPFAIL;
	}
	if (cmd_find_mailbox(usage.name, desk, title, &mailbox) != EX_OK)
		return EX_TEMPFAIL;
	if (first == argc)
		ok = mails_add_stdin(&mails);
	for (int i = first; i < argc && ok; i++)
		ok = mails_add_path(&mails, argv[i]);
	if (!ok) {
		fprintf(stderr, "maildesk ingest: standard input or a folder cannot be read\n");
		return EX_TEMPFAIL;
	}
	return ingest_all(desk, mailbox, &mails);
}

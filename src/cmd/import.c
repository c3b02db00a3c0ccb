/* maildesk import: from another system's mail, our JSON Lines, or RT. */
#include <maildesk/cmd/import.h>

#include <maildesk/app/intake.h>
#include <maildesk/app/reader.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/mails.h>
#include <maildesk/cmd/offline.h>
#include <maildesk/cmd/options.h>
#include <maildesk/mail/date.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- the desk ---- */

int import_open(const char *name, const char *file, bool dry, struct import_desk *ret)
{
	static char where[96]; /* of the configuration, for as long as it is open */
	struct md_err err = { 0 };
	int rc = cmd_open_config(file, &ret->config);

	if (rc != EX_OK)
		return rc;
	if (dry) {
		snprintf(ret->folder, sizeof ret->folder, "/tmp/maildesk-import-XXXXXX");
		if (!mkdtemp(ret->folder)) {
			ret->folder[0] = '\0';
			return cmd_fail(name, md_fail(&err, MD_BROKEN, 0, "no folder below /tmp"),
					&err);
		}
		snprintf(where, sizeof where, "sqlite:%s/dry.db", ret->folder);
		ret->config->database = where;
	}
	rc = desk_open(ret->config, &ret->desk, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(name, rc, &err);
}

void import_close(struct import_desk *d)
{
	static const char *const files[] = { "dry.db", "dry.db-wal", "dry.db-shm" };
	char path[96];

	desk_close(d->desk);
	config_free(d->config);
	for (size_t i = 0; *d->folder && i < MD_COUNT(files); i++) {
		snprintf(path, sizeof path, "%s/%s", d->folder, files[i]);
		unlink(path);
	}
	if (*d->folder)
		rmdir(d->folder);
	*d = (struct import_desk){ 0 };
}

/* ---- mail ---- */

struct taking {
	struct import_desk *d;
	int64_t mailbox;
	struct clock clock; /* at which the mail at hand came */
	int64_t then_ms;
	struct reader_run reader;
	struct arena arena;
	struct intake_mail mail;
	struct intake_result result;
	json_t *outcomes;
	size_t done, unreadable;
	struct progress show;
};

static int64_t then(const struct clock *c)
{
	return ((const struct taking *)((uintptr_t)c - offsetof(struct taking, clock)))->then_ms;
}

static int take(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct taking *t = ctx;

	return intake_take(t->d->desk, c, &t->arena, &t->mail, &t->result, err);
}

static void count(struct taking *t, const char *what)
{
	json_int_t n = json_integer_value(json_object_get(t->outcomes, what));

	json_object_set_new(t->outcomes, what, json_integer(n + 1));
}

/* As if it had come at its own time, without a mail to anybody. */
static int take_one(struct taking *t, const uint8_t *raw, size_t n, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(READER_ARENA_MAX);
	md_auto(blob_done) struct blob blob = { 0 };
	int64_t now = clock_wall(&clock_system);
	struct message message = { 0 };
	const char *cause = NULL;
	int rc = blob_prepare(raw, n, &blob, err);

	if (rc == MD_OK)
		rc = reader_run_read(&t->reader, raw, n, rules_fields(t->d->desk->rules), &arena,
				     &message, &cause, err);
	if (rc != MD_OK && !cause)
		return rc;
	t->mail = (struct intake_mail){ .mailbox = t->mailbox,
					.size = (int64_t)n,
					.import = true,
					.message = rc == MD_OK ? &message : NULL,
					.cause = rc == MD_OK ? NULL : cause,
					.blob = &blob };
	if (rc != MD_OK || !message.date || time_parse(message.date, &t->then_ms) != MD_OK ||
	    t->then_ms > now || t->then_ms < 0)
		t->then_ms = now;
	arena_reset(&t->arena);
	rc = db_txn(t->d->desk->db, take, t, err);
	if (rc == MD_OK)
		count(t, t->result.outcome);
	t->done += rc == MD_OK;
	return rc;
}

/* ---- in which order ---- */

struct place {
	int64_t date;
	size_t at;
};

/* By the Date field; 0: it has none that can be read. */
static int64_t date_of(const uint8_t *raw, size_t n)
{
	static const char field[] = "\nDate:";
	const char *text = (const char *)raw, *end = text + n, *at = text;
	char value[100];
	int64_t ms = 0;

	for (; at && at < end; at = memchr(at + 1, '\n', (size_t)(end - at - 1))) {
		if (at[0] == '\n' && at + 1 < end && (at[1] == '\n' || at[1] == '\r'))
			return 0; /* the header is over */
		if ((size_t)(end - at) > strlen(field) &&
		    strncasecmp(at, field, strlen(field)) == 0)
			break;
	}
	if (!at || at >= end)
		return 0;
	at += strlen(field);
	snprintf(value, sizeof value, "%.*s", (int)(end - at < 90 ? end - at : 90), at);
	value[strcspn(value, "\r\n")] = '\0';
	return date_read(span_of(value), &ms) ? ms : 0;
}

static int earlier(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* An answer comes after what it answers, whatever the files are called; one without a date stays
 * behind the one before it. NULL: no memory. */
static struct place *in_order(const struct mails *mails)
{
	struct place *all = md_calloc(mails->n + 1, sizeof *all);
	int64_t last = 0;

	for (size_t i = 0; all && i < mails->n; i++) {
		size_t n;
		const uint8_t *raw = mails_open(&mails->v[i], &n);
		int64_t date = raw ? date_of(raw, n) : 0;

		if (raw)
			mails_close(&mails->v[i], raw, n);
		last = date > 0 ? date : last;
		all[i] = (struct place){ last, i };
	}
	if (all)
		qsort(all, mails->n, sizeof *all, earlier);
	return all;
}

static int take_mails(struct taking *t, const struct mails *mails, struct md_err *err)
{
	md_auto(md_free_p) struct place *order = in_order(mails);
	int rc = order ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");

	for (size_t i = 0; i < mails->n && rc == MD_OK; i++) {
		const struct mails_unit *unit = &mails->v[order[i].at];
		size_t n;
		const uint8_t *raw = mails_open(unit, &n);

		if (!raw) {
			t->unreadable++;
			continue;
		}
		rc = take_one(t, raw, n, err);
		mails_close(unit, raw, n);
		progress_tell(&t->show, "importing", "mails", "rows", (int64_t)i + 1,
			      (int64_t)mails->n, (int64_t)i + 1);
	}
	return rc;
}

static void show_outcomes(const struct taking *t)
{
	if (t->show.json) {
		put_json(json_pack("{s:b, s:b, s:I, s:O, s:I}", "done", 1, "dry_run",
				   *t->d->folder != '\0', "mails", (json_int_t)t->done, "outcomes",
				   t->outcomes, "unreadable", (json_int_t)t->unreadable));
		return;
	}
	if (*t->d->folder)
		puts("A dry run: nothing was changed. This is what would be done to an empty "
		     "desk:");
	import_show_counts(NULL, t->outcomes);
	if (t->unreadable)
		printf("%8zu  files could not be read\n", t->unreadable);
}

static int import_mails(const char *name, struct import_desk *d, const char *title,
			const struct mails *mails, bool json)
{
	struct taking t = { .d = d,
			    .clock = { then, clock_system.mono_ms },
			    .arena = ARENA_INIT(READER_ARENA_MAX),
			    .outcomes = json_object(),
			    .show = progress_start(json) };
	struct md_err err = { 0 };
	int rc = cmd_find_mailbox(name, d->desk, title, &t.mailbox);

	if (rc == EX_OK) {
		if (!*d->folder)
			offline_note(name, d->desk->db, "desk.import");
		d->desk->clock = &t.clock;
		rc = take_mails(&t, mails, &err);
		d->desk->clock = &clock_system;
		progress_end(&t.show, rc != MD_OK);
		if (rc == MD_OK)
			show_outcomes(&t);
		else
			rc = cmd_fail(name,
				      md_wrap(&err, rc,
					      "not finished after %zu mails, the same command goes "
					      "on (what is there is known)",
					      t.done),
				      &err);
	}
	json_decref(t.outcomes);
	reader_run_done(&t.reader);
	arena_done(&t.arena);
	return rc == EX_OK && (t.unreadable || mails->failed) ? EX_NOINPUT : rc;
}

static int run_mails(const char *name, const char *arguments, bool mbox, int argc, char **argv)
{
	md_auto(mails_done) struct mails mails = MAILS_INIT;
	md_auto(import_close) struct import_desk d = { 0 };
	const char *file = CMD_DEFAULT_CONFIG, *title = NULL;
	bool dry = false, json = false, ok = true;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "mailbox", "NAME", &title, "mailbox of the configuration it belongs to" },
		{ "dry-run", NULL, &dry, "say what would be done, change nothing" },
		{ "json", NULL, &json, "progress and result as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		name,
		arguments,
		"Takes in old mail as if it had arrived at its time. Nothing is sent to anybody. "
		"What "
		"is there already\nis recognised, so the same command can be run again.",
		options,
		1,
		CMD_ARGS_ANY,
	};
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	mails.mbox = mbox;
	for (int i = first; i < argc && ok; i++)
		ok = mails_add_path(&mails, argv[i]);
	if (!ok || (mails.failed && !mails.n))
		return EX_NOINPUT;
	rc = import_open(name, file, dry, &d);
	return rc == EX_OK ? import_mails(name, &d, title, &mails, json) : rc;
}

static int run_mbox(int argc, char **argv)
{
	return run_mails("import mbox", "FILE...", true, argc, argv);
}

static int run_maildir(int argc, char **argv)
{
	return run_mails("import maildir", "FOLDER...", false, argc, argv);
}

/* ---- lines ---- */

static int run_lines(int argc, char **argv)
{
	md_auto(import_close) struct import_desk d = { 0 };
	const char *file = CMD_DEFAULT_CONFIG, *source = NULL;
	bool dry = false, json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "source", "NAME", &source,
		  "name of the system the ids come from, when several are imported (import)" },
		{ "dry-run", NULL, &dry, "say what would be done, change nothing" },
		{ "json", NULL, &json, "progress and result as JSON objects, one a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"import jsonl",
		"FILE|FOLDER",
		"Takes in what `maildesk export` wrote, or another program in that form: "
		"maildesk-export(7).\nNothing is sent to anybody. Interrupted, the same command "
		"goes on.",
		options,
		1,
		1,
	};
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	rc = import_open("import jsonl", file, dry, &d);
	return rc == EX_OK ? import_lines("import jsonl", &d, argv[first], source, json) : rc;
}

int cmd_import(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "jsonl", run_lines,
		  "what `maildesk export` wrote, or another program in that form" },
		{ "mbox", run_mbox, "files that hold several mails" },
		{ "maildir", run_maildir, "folders of mails" },
		{ "rt", cmd_import_rt,
		  "the tickets of a Request Tracker, by its REST 2 interface" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk import", verbs, argc, argv);
}

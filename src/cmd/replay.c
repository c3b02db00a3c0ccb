/* All mail of a desk taken in again, into another database: does it come out the same? What is seen
 * is the mail's doing alone, so a desk where people also worked by API or console differs there,
 * and is told where.
 *
 * The new desk has the old one's secrets, its people as they were when each mail came, and its
 * clock: each mail is taken in at the instant at which it was. */
#include <maildesk/app/intake.h>
#include <maildesk/app/reader.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/desk_keys.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/schema.h>
#include <maildesk/store/settings.h>
#include <maildesk/store/users.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { BATCH = 100 };

struct replay {
	struct desk *from, *to;
	struct clock clock;
	int64_t now_ms;
	struct reader_run reader;
	struct arena arena, intake_arena;
	int64_t last_user;
	/* of the mail at hand */
	struct message_row row;
	struct decision was;
	struct intake_mail mail;
	struct intake_result result;
	size_t done, differ;
	int64_t *tickets; /* new number of each old ticket, 0: not seen */
	int64_t n_tickets;
};

static struct replay *of_clock(const struct clock *c)
{
	return (struct replay *)((uintptr_t)c - offsetof(struct replay, clock));
}

static int64_t replayed_now(const struct clock *c)
{
	return of_clock(c)->now_ms;
}

/* ---- people ---- */

static int copy_users(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct replay *r = ctx;
	md_auto(db_read_done_p) struct db_conn *old = NULL;
	int64_t last = r->last_user;
	int rc = db_read(r->from->db, &old, err);

	while (rc == MD_OK) {
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		struct user u;
		int64_t id;

		rc = user_get(old, last + 1, &a, &u, err);
		if (rc != MD_OK || u.created_at >= r->now_ms)
			break;
		rc = user_add(c, &u, &id, err);
		if (rc == MD_CONFLICT) /* intake made them, as it did then */
			rc = MD_OK;
		last++;
	}
	if (rc == MD_OK || rc == MD_NOTFOUND)
		r->last_user = last;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

/* ---- one mail ---- */

static int take(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct replay *r = ctx;

	return intake_take(r->to, c, &r->intake_arena, &r->mail, &r->result, err);
}

static int read_again(struct replay *r, struct message *m, struct blob *blob, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(md_free_p) uint8_t *raw = NULL;
	const char *cause = NULL;
	size_t n;
	int rc = db_read(r->from->db, &c, err);

	if (rc == MD_OK)
		rc = blob_get(c, r->row.blob_id, &raw, &n, err);
	if (rc == MD_OK)
		rc = blob_prepare(raw, n, blob, err);
	if (rc != MD_OK)
		return rc;
	rc = reader_run_read(&r->reader, raw, n, rules_fields(r->to->rules), &r->arena, m, &cause,
			     err);
	r->mail = (struct intake_mail){ .mailbox = r->row.mailbox_id,
					.size = r->row.size,
					.too_large = r->row.size > (int64_t)n,
					.message = rc == MD_OK ? m : NULL,
					.cause = rc == MD_OK ? NULL : cause,
					.blob = blob };
	return cause ? MD_OK : rc;
}

/* Tickets may be numbered anew; which mails share one may not change. */
static bool same_ticket(struct replay *r)
{
	int64_t old = r->was.ticket_id;

	if (!old || !r->result.ticket || old >= r->n_tickets)
		return old == r->result.ticket;
	if (!r->tickets[old])
		r->tickets[old] = r->result.ticket;
	return r->tickets[old] == r->result.ticket;
}

static void compare(struct replay *r, bool json)
{
	const char *cause = r->result.cause ? r->result.cause : "";
	bool same = strcmp(r->was.outcome, r->result.outcome) == 0 &&
		    strcmp(r->was.cause ? r->was.cause : "", cause) == 0;

	same = same_ticket(r) && same;
	r->done++;
	r->differ += !same;
	if (same)
		return;
	printf(json ? "{\"message\":%lld,\"was\":\"%s\",\"was_ticket\":%lld,\"is\":\"%s\","
		      "\"is_ticket\":%lld}\n"
		    : "message %lld: was %s (ticket %lld), is %s (ticket %lld)\n",
	       (long long)r->row.id, r->was.outcome, (long long)r->was.ticket_id, r->result.outcome,
	       (long long)r->result.ticket);
}

static int replay_one(struct replay *r, bool json, struct md_err *err)
{
	md_auto(blob_done) struct blob blob = { 0 };
	struct message m;
	int rc;

	r->now_ms = r->row.created_at;
	rc = db_txn(r->to->db, copy_users, r, err);
	if (rc == MD_OK)
		rc = read_again(r, &m, &blob, err);
	if (rc == MD_OK)
		rc = db_txn(r->to->db, take, r, err);
	if (rc == MD_OK)
		compare(r, json);
	return rc;
}

static int find_next(struct replay *r, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(r->from->db, &c, err);

	if (rc == MD_OK)
		rc = message_next_in(c, r->row.id, &r->arena, &r->row, err);
	if (rc == MD_OK)
		rc = decision_get(c, r->row.id, &r->arena, &r->was, err);
	return rc;
}

static int replay_all(struct replay *r, bool json, struct md_err *err)
{
	int rc = MD_OK;

	while (rc == MD_OK) {
		arena_reset(&r->arena);
		rc = find_next(r, err);
		if (rc == MD_OK)
			rc = replay_one(r, json, err);
		if (rc == MD_OK && r->done % BATCH == 0)
			fprintf(stderr, "\r%zu mails", r->done);
	}
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

/* ---- the new desk ---- */

static int copy_settings(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct replay *r = ctx;
	md_auto(db_read_done_p) struct db_conn *old = NULL;
	int rc = db_read(r->from->db, &old, err);

	if (rc == MD_OK)
		rc = setting_copy(old, c, &r->arena, err);
	return rc == MD_OK ? desk_keys_copy(old, c, &r->arena, err) : rc;
}

static int is_empty(struct db *db, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user u;
	int rc = db_read(db, &c, err);

	if (rc == MD_OK)
		rc = user_get(c, 1, &a, &u, err);
	if (rc == MD_NOTFOUND)
		return MD_OK;
	return rc == MD_OK ? md_fail(err, MD_INPUT, 0,
				     "there is a desk in that database already: name an empty one")
			   : rc;
}

static int open_new(struct replay *r, const struct config *config, struct md_err *err)
{
	md_auto(db_close_p) struct db *db = NULL;
	int rc = db_open(config->database, &db, err);

	if (rc == MD_OK)
		rc = schema_ensure(db, err);
	if (rc == MD_OK)
		rc = is_empty(db, err);
	if (rc == MD_OK)
		rc = db_txn(db, copy_settings, r, err);
	if (rc == MD_OK)
		rc = desk_open(config, &r->to, err);
	if (rc == MD_OK)
		r->to->clock = &r->clock;
	return rc;
}

static int run(struct config *old, struct config *new, bool json, struct replay *r,
	       struct md_err *err)
{
	int rc = desk_open(old, &r->from, err);

	r->n_tickets = 1 << 20;
	r->tickets = md_calloc((size_t)r->n_tickets, sizeof *r->tickets);
	if (rc == MD_OK && !r->tickets)
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	if (rc == MD_OK)
		rc = open_new(r, new, err);
	if (rc == MD_OK)
		rc = replay_all(r, json, err);
	return rc;
}

static void remove_file(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < MD_COUNT(ends); i++) {
		char name[200];

		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		unlink(name);
	}
}

int cmd_replay(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *into = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "into", "DATABASE", &into,
		  "\"sqlite:FILE\" or \"postgres:CONNINFO\", which stays; default: none does" },
		{ "json", NULL, &json, "print differences as JSON" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"replay",
		"",
		"Takes all mail in again into another database, and says what comes out "
		"otherwise.",
		options,
		0,
		0,
	};
	char path[] = "/tmp/maildesk-replay-XXXXXX", where[64];
	struct replay r = { .clock = { replayed_now, clock_system.mono_ms },
			    .arena = ARENA_INIT(READER_ARENA_MAX),
			    .intake_arena = ARENA_INIT(READER_ARENA_MAX) };
	md_auto(config_free_p) struct config *old = NULL;
	md_auto(config_free_p) struct config *new = NULL;
	struct md_err err = { 0 };
	int first, fd = -1, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	rc = cmd_open_config(file, &old);
	if (rc == EX_OK)
		rc = cmd_open_config(file, &new);
	if (rc != EX_OK)
		return rc;
	if (!into) {
		fd = mkstemp(path);
		snprintf(where, sizeof where, "sqlite:%s", path);
	}
	new->database = into ? into : where;
	rc = !into && fd < 0 ? md_fail(&err, MD_BROKEN, 0, "%s cannot be made", path)
			     : run(old, new, json, &r, &err);
	desk_close(r.to);
	desk_close(r.from);
	reader_run_done(&r.reader);
	arena_done(&r.arena);
	arena_done(&r.intake_arena);
	free(r.tickets);
	if (fd >= 0) {
		close(fd);
		remove_file(path);
	}
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	fprintf(stderr, "\r%zu mails, %zu came out differently\n", r.done, r.differ);
	return r.differ ? EX_DATAERR : EX_OK;
}

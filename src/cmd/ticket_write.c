/* maildesk ticket new and reply: what the API does, at the prompt. */
#include "ticket_command.h"

#include <maildesk/app/work.h>
#include <maildesk/base/io.h>
#include <maildesk/base/utf8.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/mail/compose.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { STEP_MAX = 64 << 20, TEXT_MAX = 1 << 20 };

struct step {
	struct work_by by;
	struct work w;
	struct arena arena; /* of one run of the transaction */
	const char *as, *text;
	/* of a new one */
	const char *title, *priority, *category, *tags, *mailbox;
	/* of a reply */
	int64_t ticket;
	const char *commands;
	bool is_internal;
};

/* ---- what both need ---- */

/* The text of a file, "-" or NULL for standard input. EX_OK, or complained about. */
static int read_text(const char *name, const char *file, struct buf *out)
{
	bool from_stdin = !file || strcmp(file, "-") == 0;
	md_auto(md_close_p) int fd = from_stdin ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	md_auto(buf_done) struct buf raw = BUF_INIT(TEXT_MAX);
	int why;

	if (fd < 0 && !from_stdin) {
		fprintf(stderr, "maildesk %s: %s: %s\n", name, file, strerror(errno));
		return EX_NOINPUT;
	}
	why = io_read_all(from_stdin ? STDIN_FILENO : fd, SIZE_MAX, &raw);
	if (why == 0)
		utf8_clean_text(out, buf_str(&raw), raw.len);
	if (why != 0 || out->status != MD_OK) {
		fprintf(stderr, "maildesk %s: the text cannot be read, or is larger than 1 MB\n",
			name);
		return EX_NOINPUT;
	}
	return EX_OK;
}

/* Whose doing it is; `add`: a customer whom nobody knows yet becomes one. */
static int find_person(struct db_conn *c, struct step *s, bool add, struct md_err *err)
{
	struct user *u = &s->by.user;
	int rc = user_by_address(c, s->as, &s->arena, u, err);

	if (rc == MD_NOTFOUND && add && mail_address_valid(s->as)) {
		*u = (struct user){ .email = s->as,
				    .name = arena_strndup(&s->arena, s->as, strcspn(s->as, "@")),
				    .role = "customer",
				    .created_at = s->by.now_ms };
		rc = u->name ? user_add(c, u, &u->id, err) : MD_NOMEM;
		if (rc == MD_OK)
			rc = user_by_address(c, s->as, &s->arena, u, err);
	}
	if (rc == MD_NOTFOUND || (rc == MD_OK && u->disabled_at))
		return md_fail(err, MD_NOTFOUND, 0, "there is no active user \"%s\"", s->as);
	s->by.actor.user = u->id;
	s->by.actor.role = rc == MD_OK ? role_from_name(u->role) : ROLE_CUSTOMER;
	return rc;
}

static int run(const char *name, const char *file, struct step *s,
	       int (*step)(struct db_conn *c, void *ctx, struct md_err *err))
{
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int code = cmd_open_config(file, &config), rc;

	if (code != EX_OK)
		return code;
	rc = desk_open(config, &desk, &err);
	if (rc != MD_OK)
		return cmd_fail(name, rc, &err);
	s->by.desk = desk;
	s->by.channel = "cli";
	s->by.actor.level = 3;
	s->by.actor.source = SOURCE_CLI;
	s->by.now_ms = clock_wall(desk->clock);
	s->arena = (struct arena)ARENA_INIT(STEP_MAX);
	rc = db_txn(desk->db, step, s, &err);
	s->ticket = rc == MD_OK ? s->w.ticket.id : 0;
	arena_done(&s->arena);
	return rc == MD_OK ? EX_OK : cmd_fail(name, rc, &err);
}

static void say(const struct step *s, bool json, const char *what)
{
	if (json)
		printf("{\"ticket\":%lld}\n", (long long)s->ticket);
	else
		printf("ticket %lld %s\n", (long long)s->ticket, what);
}

/* ---- new ---- */

static struct rec_strs split_tags(struct arena *a, const char *text)
{
	struct rec_strs tags = { 0, arena_array(a, strlen(text) / 2 + 1, sizeof *tags.v) };

	for (size_t n; tags.v && *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (n)
			tags.v[tags.n++] = arena_strndup(a, text, n);
	}
	return tags;
}

static int find_mailbox(struct step *s, int64_t *ret, struct md_err *err)
{
	const struct desk *d = s->by.desk;

	*ret = 0;
	for (size_t i = 0; s->mailbox && i < d->n_mailboxes; i++)
		if (strcmp(d->mailboxes[i].conf->title, s->mailbox) == 0)
			*ret = d->mailboxes[i].id;
	return s->mailbox && !*ret
		       ? md_fail(err, MD_INPUT, 0, "there is no mailbox \"%s\"", s->mailbox)
		       : MD_OK;
}

/* The ticket is the customer's doing, its tags are not: those are for who works here. */
static int add_tags(struct step *s, struct md_err *err)
{
	struct work_change change = WORK_CHANGE_NONE;
	enum role role = s->by.actor.role;
	int rc;

	change.add_tags = split_tags(&s->arena, s->tags);
	s->by.actor.role = ROLE_ADMIN;
	rc = work_change(&s->w, &change, err);
	s->by.actor.role = role;
	return rc;
}

static int open_ticket(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct step *s = ctx;
	struct work_ticket t = { .title = s->title,
				 .body = s->text,
				 .priority = work_priority_from_name(s->priority),
				 .category = s->category,
				 .echo = true };
	int64_t comment;
	int rc;

	arena_reset(&s->arena);
	rc = find_mailbox(s, &t.mailbox, err);
	if (rc == MD_OK)
		rc = find_person(c, s, true, err);
	t.requester = s->by.user.id;
	if (rc == MD_OK)
		rc = work_create(&s->by, c, &s->arena, &t, &s->w, &comment, err);
	if (rc == MD_OK && *s->tags)
		rc = add_tags(s, err);
	return rc == MD_OK ? work_save(&s->w, err) : rc;
}

int ticket_new_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *body_file = NULL;
	struct step s = { .priority = "medium", .tags = "" };
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "as", "ADDRESS", &s.as,
		  "whose ticket it is (required); an unknown person is added" },
		{ "body-file", "FILE", &body_file, "the text (standard input)" },
		{ "priority", "WORD", &s.priority, "low, medium (default), high or critical" },
		{ "category", "TEXT", &s.category, "one of desk.categories, if those are set" },
		{ "tags", "LIST", &s.tags, "separated by commas" },
		{ "mailbox", "NAME", &s.mailbox, "mailbox whose address answers it" },
		{ "json", NULL, &json, "print the number as a JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"ticket new", "TITLE", "Opens a ticket for somebody, as a mail of theirs would.",
		options,      1,       1
	};
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX), title = BUF_INIT(4096);
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (!s.as || work_priority_from_name(s.priority) < 0) {
		fprintf(stderr, "maildesk ticket new: %s\n",
			s.as ? "--priority: allowed: low, medium, high, critical"
			     : "--as is missing");
		return EX_USAGE;
	}
	utf8_clean_line(&title, argv[first], strlen(argv[first]));
	if ((code = read_text(usage.name, body_file, &text)) != EX_OK)
		return code;
	s.title = buf_str(&title);
	s.text = buf_str(&text);
	code = run(usage.name, file, &s, open_ticket);
	if (code == EX_OK)
		say(&s, json, "opened");
	return code;
}

/* ---- reply ---- */

static int reply(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct step *s = ctx;
	struct work_comment m = { .body = s->text, .is_internal = s->is_internal };
	int64_t comment;
	int rc;

	arena_reset(&s->arena);
	rc = find_person(c, s, false, err);
	if (rc == MD_OK)
		rc = work_open(&s->by, c, &s->arena, s->ticket, &s->w, err);
	if (rc == MD_OK) /* reply and resolve are one step, and one mail */
		rc = s->commands ? work_box(&s->w, s->commands, &m, &comment, err)
				 : work_comment(&s->w, &m, &comment, err);
	return rc == MD_OK ? work_save(&s->w, err) : rc;
}

int ticket_reply_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *body_file = NULL, *number;
	struct step s = { 0 };
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "as", "ADDRESS", &s.as, "who answers (required)" },
		{ "body-file", "FILE", &body_file, "the text (standard input)" },
		{ "note", NULL, &s.is_internal,
		  "an internal note instead: customers do not see it" },
		{ "commands", "TEXT", &s.commands,
		  "what is done with it: \"[resolve; tag=+paper]\"" },
		{ "json", NULL, &json, "print the number as a JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "ticket reply", "NUMBER", "Answers on a ticket.",
					 options,        1,        1 };
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	int first, code;
	char *end;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	number = argv[first] + (argv[first][0] == '#');
	errno = 0;
	s.ticket = strtoll(number, &end, 10);
	if (!s.as || end == number || *end || errno || s.ticket < 1) {
		fprintf(stderr, "maildesk ticket reply: %s\n",
			s.as ? "that is no ticket number" : "--as is missing");
		return EX_USAGE;
	}
	if ((code = read_text(usage.name, body_file, &text)) != EX_OK)
		return code;
	s.text = buf_str(&text);
	if (!*s.text) {
		fputs("maildesk ticket reply: the text is empty\n", stderr);
		return EX_DATAERR;
	}
	code = run(usage.name, file, &s, reply);
	if (code == EX_OK)
		say(&s, json, s.is_internal ? "has the note" : "answered");
	return code;
}

#include <maildesk/base/clock.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/desk/workflow.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/tickets.h>

#include "ticket_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PAGE = 500, OUT_MAX = 256 << 20 };

static const char *priority_name(int64_t priority)
{
	static const char *const names[] = { "low", "medium", "high", "critical" };

	return priority >= 0 && priority < (int64_t)MD_COUNT(names) ? names[priority] : "?";
}

static json_t *json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms ? json_string(time_format(ms, 1, text)) : json_null();
}

static json_t *json_person(int64_t id, const char *name, const char *email)
{
	return id ? json_pack("{s:I, s:s?, s:s?}", "id", (json_int_t)id, "name", name, "email",
			      email)
		  : json_null();
}

/* Tags of one ticket, out of those of several. */
static json_t *json_tags(const struct tag *tags, size_t n, int64_t ticket)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (tags[i].ticket_id == ticket)
			json_array_append_new(list, json_string(tags[i].name));
	return list;
}

static json_t *json_ticket(const struct ticket_row *r, const struct tag *tags, size_t n_tags)
{
	const struct ticket *t = &r->t;

	return json_pack("{s:I, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:s?, s:s, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, "
			 "s:I, s:I}",
			 "id", (json_int_t)t->id, "title", t->title, "status", t->status,
			 "priority", priority_name(t->priority), "category", t->category, "tags",
			 json_tags(tags, n_tags, t->id), "requester",
			 json_person(t->requester_id, r->requester_name, r->requester_email),
			 "assignee",
			 json_person(t->assignee_id, r->assignee_name, r->assignee_email),
			 "mailbox", r->mailbox, "channel", t->channel, "created_at",
			 json_time(t->created_at), "updated_at", json_time(t->updated_at),
			 "first_response_at", json_time(t->first_response_at), "resolved_at",
			 json_time(t->resolved_at), "closed_at", json_time(t->closed_at),
			 "sla_due_at", json_time(r->sla_due_at), "breached",
			 (json_int_t)r->breached, "version", (json_int_t)t->version);
}

/* Takes j. */
static void add_json(struct buf *out, json_t *j)
{
	if (j)
		json_write(out, j);
	else
		out->status = MD_NOMEM;
	buf_addc(out, '\n');
	json_decref(j);
}

static int print_out(const struct buf *out, struct md_err *err)
{
	if (out->status != MD_OK)
		return md_fail(err, (enum md_code)out->status, 0, "out of memory");
	fputs(buf_str(out), stdout);
	return MD_OK;
}

/* ---- list ---- */

static int print_page(struct db *db, struct ticket_filter *f, bool json, size_t *ret_n,
		      struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(OUT_MAX);
	md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct ticket_row *rows;
	struct tag *tags = NULL;
	size_t n, n_tags = 0;
	int64_t total, ids[PAGE];
	int rc = db_read(db, &c, err);

	if (rc == MD_OK)
		rc = ticket_list(c, f, &a, &rows, &n, &total, err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		ids[i] = rows[i].t.id;
	if (rc == MD_OK && json && n > 0)
		rc = ticket_tags_of(c, ids, n, &a, &tags, &n_tags, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (json)
			add_json(&out, json_ticket(&rows[i], tags, n_tags));
		else
			buf_addf(&out, "#%-6lld %-11s %-8s %-28s %s\n", (long long)rows[i].t.id,
				 rows[i].t.status, priority_name(rows[i].t.priority),
				 rows[i].requester_email ? rows[i].requester_email : "-",
				 rows[i].t.title);
	*ret_n = n;
	return print_out(&out, err);
}

static int check_status(const struct config *config, const char *status)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	const struct workflow *w = NULL;
	struct md_err err = { 0 };
	int rc = config_workflow(config, &a, &w, &err);

	if (rc != MD_OK)
		return cmd_fail("ticket list", rc, &err);
	if (workflow_status(w, status))
		return EX_OK;
	fprintf(stderr, "maildesk ticket list: --status \"%s\": allowed:", status);
	for (size_t i = 0; i < w->status_count; i++)
		fprintf(stderr, "%s %s", i ? "," : "", w->statuses[i].name);
	fputc('\n', stderr);
	return EX_USAGE;
}

static int ticket_list_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *status = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "status", "STATUS", &status, "only tickets in this status" },
		{ "json", NULL, &json, "one JSON object a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "ticket list", "", "Lists tickets.", options, 0, 0 };
	struct ticket_filter filter = { .limit = PAGE, .sort = TICKET_SORT_ID };
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int first, code, rc = MD_OK;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open(usage.name, file, &config, &db)) != EX_OK ||
	    (status && (code = check_status(config, status)) != EX_OK))
		return code;
	filter.status[0] = status;
	filter.n_status = status != NULL;
	for (size_t n = PAGE; rc == MD_OK && n == PAGE; filter.offset += PAGE)
		rc = print_page(db, &filter, json, &n, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(usage.name, rc, &err);
}

/* ---- show ---- */

struct shown {
	struct ticket_row row;
	struct tag *tags;
	struct participant *participants;
	struct comment *comments;
	struct history *history;
	size_t n_tags, n_participants, n_comments, n_history;
};

static int load_shown(struct db_conn *c, int64_t id, struct arena *a, struct shown *s,
		      struct md_err *err)
{
	enum { ALL = 10000 };
	int64_t total;
	int rc = ticket_row_get(c, id, a, &s->row, err);

	if (rc == MD_NOTFOUND)
		return md_fail(err, MD_NOTFOUND, 0, "there is no ticket %lld", (long long)id);
	if (rc == MD_OK)
		rc = ticket_tags_of(c, &id, 1, a, &s->tags, &s->n_tags, err);
	if (rc == MD_OK)
		rc = participant_list(c, id, a, &s->participants, &s->n_participants, err);
	if (rc == MD_OK)
		rc = comment_list(c, id, true, 0, 0, ALL, a, &s->comments, &s->n_comments, &total,
				  err);
	if (rc == MD_OK)
		rc = history_list(c, id, false, 0, 0, ALL, a, &s->history, &s->n_history, &total,
				  err);
	return rc;
}

static void show_json(struct buf *out, const struct shown *s)
{
	json_t *ticket = json_ticket(&s->row, s->tags, s->n_tags);
	json_t *participants = json_array(), *comments = json_array(), *history = json_array();

	for (size_t i = 0; i < s->n_participants; i++) {
		const struct participant *p = &s->participants[i];

		json_array_append_new(participants,
				      json_pack("{s:o, s:s, s:b}", "user",
						json_person(p->user_id, p->name, p->email), "role",
						p->role, "muted", p->muted));
	}
	for (size_t i = 0; i < s->n_comments; i++) {
		const struct comment *m = &s->comments[i];

		json_array_append_new(comments,
				      json_pack("{s:I, s:o, s:b, s:s?, s:s, s:o}", "id",
						(json_int_t)m->id, "author",
						json_person(m->author_id, m->author_name, NULL),
						"is_internal", m->is_internal, "held", m->held,
						"body", m->body, "created_at",
						json_time(m->created_at)));
	}
	for (size_t i = 0; i < s->n_history; i++) {
		const struct history *h = &s->history[i];

		json_array_append_new(history,
				      json_pack("{s:I, s:o, s:s, s:s?, s:s?, s:s, s:o}", "id",
						(json_int_t)h->id, "actor",
						json_person(h->actor_id, h->actor_name, NULL),
						"action", h->action, "old_value", h->old_value,
						"new_value", h->new_value, "source", h->source,
						"at", json_time(h->at)));
	}
	json_object_set_new(ticket, "participants", participants);
	json_object_set_new(ticket, "comments", comments);
	json_object_set_new(ticket, "history", history);
	add_json(out, ticket);
}

static void show_text(struct buf *out, const struct shown *s)
{
	const struct ticket *t = &s->row.t;
	char at[TIME_TEXT_MAX];

	buf_addf(out, "#%lld %s\n", (long long)t->id, t->title);
	buf_addf(out, "status     %s\npriority   %s\n", t->status, priority_name(t->priority));
	buf_addf(out, "requester  %s\n", s->row.requester_email ? s->row.requester_email : "-");
	buf_addf(out, "assignee   %s\n", s->row.assignee_email ? s->row.assignee_email : "-");
	buf_addf(out, "created    %s\n", time_format(t->created_at, 0, at));
	if (s->row.sla_due_at)
		buf_addf(out, "due        %s\n", time_format(s->row.sla_due_at, 0, at));
	for (size_t i = 0; i < s->n_tags; i++)
		buf_addf(out, "%s%s", i ? ", " : "tags       ", s->tags[i].name);
	buf_adds(out, s->n_tags ? "\n" : "");
	for (size_t i = 0; i < s->n_comments; i++) {
		const struct comment *m = &s->comments[i];

		buf_addf(out, "\n--- %s, %s%s%s%s\n%s\n", m->author_name ? m->author_name : "-",
			 time_format(m->created_at, 0, at), m->is_internal ? ", internal" : "",
			 m->held ? ", held: " : "", m->held ? m->held : "", m->body);
	}
	buf_adds(out, s->n_history ? "\n--- history\n" : "");
	for (size_t i = 0; i < s->n_history; i++) {
		const struct history *h = &s->history[i];

		buf_addf(out, "%s  %s: %s", time_format(h->at, 0, at),
			 h->actor_name ? h->actor_name : "desk", h->action);
		if (h->old_value)
			buf_addf(out, " from \"%.100s\"", h->old_value);
		if (h->new_value)
			buf_addf(out, " to \"%.100s\"", h->new_value);
		buf_addf(out, " (%s)\n", h->source);
	}
}

static int show_ticket(struct db *db, int64_t id, bool json, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(OUT_MAX);
	md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct shown s = { .n_tags = 0 };
	int rc = db_read(db, &c, err);

	if (rc == MD_OK)
		rc = load_shown(c, id, &a, &s, err);
	if (rc != MD_OK)
		return rc;
	(json ? show_json : show_text)(&out, &s);
	return print_out(&out, err);
}

static int ticket_show_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "as a JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"ticket show", "NUMBER", "Shows a ticket with its comments and history.",
		options,       1,        1
	};
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int first, code, rc;
	const char *number;
	char *end;
	long long id;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	number = argv[first] + (argv[first][0] == '#');
	errno = 0;
	id = strtoll(number, &end, 10);
	if (end == number || *end || errno || id < 1) {
		fprintf(stderr, "maildesk ticket show: \"%s\" is no ticket number\n", argv[first]);
		return EX_USAGE;
	}
	if ((code = cmd_open(usage.name, file, NULL, &db)) != EX_OK)
		return code;
	rc = show_ticket(db, id, json, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(usage.name, rc, &err);
}

int cmd_ticket(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", ticket_list_main, "list tickets" },
		{ "show", ticket_show_main, "show one ticket" },
		{ "new", ticket_new_main, "open a ticket for somebody" },
		{ "reply", ticket_reply_main, "answer on a ticket, or note something" },
		{ "command", ticket_command_main, "run commands on a ticket, as a mail would" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk ticket", verbs, argc, argv);
}

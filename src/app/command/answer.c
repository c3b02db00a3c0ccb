/* What a mail asks for: help, list, show, search. The answer is data for the templates, beside the
 * transcript; the text columns are measured here, because a template cannot.
 *
 * Everybody is shown what they may see, and a ticket that is not theirs is like none. */
#include <maildesk/app/notify.h>
#include <maildesk/app/search.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>

#include "execute_priv.h"

#include <string.h>
#include <strings.h>

enum {
	LIST_MAX = 50,
	COMMENTS_MAX = 5,
	BODY_MAX = 4000,  /* bytes of each comment */
	TITLE_SHOWN = 60, /* characters in a list of the text part */
	ANSWERS_MAX = 1 << 20,
};

/* ---- building ---- */

static int append(struct step *s, const char *kind, json_t *answer, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(ANSWERS_MAX);
	md_auto(json_decref_p) json_t *all =
		json_pack("{s:s, s:o}", "line", s->cmd->line, kind, answer);
	struct work *w = s->w;

	if (!all)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	json_write(&text, all);
	if (text.status == MD_INPUT)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "the answer would be too long");
	w->answers = arena_printf(w->arena, "%s%s%s", w->answers ? w->answers : "",
				  w->answers ? "," : "", buf_str(&text));
	return text.status == MD_OK && w->answers ? MD_OK
						  : md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* "5m", "3h", "2d", "6w" */
static const char *span_text(struct arena *a, int64_t ms)
{
	enum { MINUTE_MS = 60000 };
	static const struct {
		int64_t minutes;
		char name;
	} units[] = { { 7 * 24 * 60, 'w' }, { 24 * 60, 'd' }, { 60, 'h' }, { 1, 'm' } };
	int64_t minutes = ms / MINUTE_MS;
	size_t u = 0;

	while (u + 1 < MD_COUNT(units) && minutes < 2 * units[u].minutes)
		u++;
	return arena_printf(a, "%lld%c", (long long)(minutes / units[u].minutes), units[u].name);
}

/* The text with blanks up to `width` characters behind it. */
static void put_cell(struct buf *out, const char *text, size_t width)
{
	size_t n = strlen(text), chars = 0;
	const char *end = text;
	uint32_t cp;

	while ((size_t)(end - text) < n && chars < width) {
		end += utf8_decode(end, n - (size_t)(end - text), &cp);
		chars++;
	}
	buf_add(out, text, (size_t)(end - text));
	for (buf_adds(out, "  "); chars < width; chars++)
		buf_addc(out, ' ');
}

/* Which comes first of a ticket's own date and its clocks. */
static int64_t due_of(const struct ticket_row *r)
{
	if (!r->sla_due_at || !r->t.due_at)
		return r->sla_due_at ? r->sla_due_at : r->t.due_at;
	return r->sla_due_at < r->t.due_at ? r->sla_due_at : r->t.due_at;
}

static bool is_late(const struct work *w, const struct ticket_row *r)
{
	int64_t due = due_of(r);

	return due && due <= w->by->now_ms && !r->t.resolved_at;
}

/* What list and show say of a ticket. `row` is its line in the text part. */
static json_t *ticket_json(const struct work *w, const struct ticket_row *r)
{
	const struct conf_desk *desk = &w->by->desk->config->desk;
	md_auto(buf_done) struct buf row = BUF_INIT(8192);
	const char *tag = work_tag(w, r->t.id);
	const char *age = span_text(w->arena, w->by->now_ms - r->t.created_at);
	int64_t due = r->t.resolved_at ? 0 : due_of(r);
	bool late = is_late(w, r);
	const char *left =
		due ? span_text(w->arena, late ? w->by->now_ms - due : due - w->by->now_ms) : "";
	const char *url = desk->url && desk->url[0] ? arena_printf(w->arena, "%s/tickets/%lld",
								   desk->url, (long long)r->t.id)
						    : NULL;

	if (!tag || !age || !left)
		return NULL;
	put_cell(&row, arena_printf(w->arena, "#%lld", (long long)r->t.id), 6);
	put_cell(&row, r->t.status, 11);
	put_cell(&row, work_priority_name(r->t.priority), 8);
	put_cell(&row, age, 4);
	put_cell(&row, due ? arena_printf(w->arena, "%s%s", late ? "-" : "", left) : "", 5);
	put_cell(&row, r->t.title, TITLE_SHOWN);
	while (row.len && row.data[row.len - 1] == ' ')
		buf_cut(&row, row.len - 1);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:s?, s:b, s:s?, s:s}",
			 "id", (json_int_t)r->t.id, "tag", tag, "title", r->t.title, "status",
			 r->t.status, "priority", work_priority_name(r->t.priority),
			 "requester_name", r->requester_name, "requester_email", r->requester_email,
			 "assignee", r->assignee_name, "age", age, "due", due ? left : NULL, "late",
			 late, "url", url, "row", buf_str(&row));
}

/* ---- help ---- */

static bool may_use(const struct work *w, const struct command_row *row)
{
	struct policy_actor actor = w->by->actor;
	/* their own ticket, or any at all of staff */
	const struct policy_ticket own = { .requester = actor.user, .is_new = true };

	actor.source = SOURCE_API;
	return policy_may(&actor, row->action, &own) == POLICY_YES;
}

static int help(struct step *s, struct md_err *err)
{
	const char *word = s->cmd->args;
	const struct command_row *only = *word ? command_find(word, strlen(word)) : NULL;
	json_t *rows = json_array();

	for (const struct command_row *row = command_rows; row->name; row++)
		if ((!only || row == only) && may_use(s->w, row))
			json_array_append_new(rows,
					      json_pack("{s:s, s:s, s:s, s:s?}", "verb", row->name,
							"usage", row->usage, "help", row->help,
							"aliases", row->aliases));
	return append(s, "help", json_pack("{s:o}", "rows", rows), err);
}

/* ---- list ---- */

static bool is_staff(const struct work *w)
{
	return w->by->actor.role == ROLE_AGENT || w->by->actor.role == ROLE_ADMIN;
}

/* Those that still want something done. */
static void only_open(const struct work *w, struct ticket_filter *f)
{
	const struct workflow *wf = w->by->desk->workflow;

	for (size_t i = 0; i < wf->status_count && f->n_status < TICKET_FILTER_MAX; i++)
		if (wf->statuses[i].phase == PHASE_ACTIVE || wf->statuses[i].phase == PHASE_WAITING)
			f->status[f->n_status++] = wf->statuses[i].name;
}

static void only_mine(const struct work *w, struct ticket_filter *f)
{
	only_open(w, f);
	if (is_staff(w))
		f->assignee_id = w->by->user.id;
	else
		f->requester_id = w->by->user.id;
}

static void only_unassigned(const struct work *w, struct ticket_filter *f)
{
	only_open(w, f);
	f->assignee_id = -1;
}

static void only_overdue(const struct work *w, struct ticket_filter *f)
{
	f->overdue_at = w->by->now_ms;
}

static const struct named_list {
	const char *name;
	void (*narrow)(const struct work *w, struct ticket_filter *f);
} lists[] = {
	{ "", only_open },           { "open", only_open },
	{ "mine", only_mine },       { "unassigned", only_unassigned },
	{ "overdue", only_overdue },
};

static const struct named_list *find_list(const char *word)
{
	for (size_t i = 0; i < MD_COUNT(lists); i++)
		if (strcasecmp(lists[i].name, word) == 0)
			return &lists[i];
	return NULL;
}

static int append_list(struct step *s, const struct ticket_filter *f, struct md_err *err)
{
	struct work *w = s->w;
	struct ticket_row *rows = NULL;
	int64_t total = 0;
	size_t n = 0;
	json_t *tickets;
	int rc = ticket_list(w->c, f, w->arena, &rows, &n, &total, err);

	if (rc != MD_OK)
		return rc;
	tickets = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(tickets, ticket_json(w, &rows[i]));
	return append(s, "list",
		      json_pack("{s:o, s:b, s:b, s:i}", "tickets", tickets, "none", n == 0, "more",
				total > LIST_MAX, "limit", (int)LIST_MAX),
		      err);
}

static int list(struct step *s, struct md_err *err)
{
	const struct work *w = s->w;
	const struct named_list *named = find_list(s->cmd->args);
	struct ticket_filter f = { .sort = TICKET_SORT_UPDATED,
				   .descending = true,
				   .limit = LIST_MAX };
	/* sees to it that nobody is shown more than they may see */
	int rc = search_tickets(w->by, w->c, named ? "" : s->cmd->args, w->arena, &f, err);

	if (named)
		named->narrow(w, &f);
	return rc == MD_OK ? append_list(s, &f, err) : rc;
}

/* ---- show ---- */

static json_t *comment_json(const struct work *w, const struct comment *m)
{
	size_t n = strlen(m->body), cut = utf8_cut(m->body, n, BODY_MAX);
	const char *body =
		cut < n ? arena_printf(w->arena, "%.*s\n[...]", (int)cut, m->body) : m->body;

	return json_pack("{s:I, s:s?, s:I, s:b, s:s?, s:s, s:b}", "id", (json_int_t)m->id, "author",
			 m->author_name, "at_ms", (json_int_t)m->created_at, "is_internal",
			 m->is_internal, "held", m->held, "body", body ? body : "", "markdown",
			 strcmp(m->channel, "mail") != 0);
}

static int append_ticket(struct step *s, struct work *of, struct md_err *err)
{
	struct work *w = s->w;
	bool all = work_ask(of, ACTION_READ_INTERNAL, NULL) == MD_OK;
	struct ticket_row row;
	struct comment *comments = NULL;
	struct tag *tags = NULL;
	json_t *answer, *list, *names;
	size_t n = 0, n_tags = 0;
	int64_t total = 0;
	int rc = comment_list(w->c, of->ticket.id, all, 0, 0, 1, w->arena, &comments, &n, &total,
			      err);

	if (rc == MD_OK)
		rc = comment_list(w->c, of->ticket.id, all, 0,
				  total > COMMENTS_MAX ? total - COMMENTS_MAX : 0, COMMENTS_MAX,
				  w->arena, &comments, &n, &total, err);
	if (rc == MD_OK)
		rc = ticket_row_get(w->c, of->ticket.id, w->arena, &row, err);
	if (rc == MD_OK)
		rc = ticket_tags_of(w->c, &of->ticket.id, 1, w->arena, &tags, &n_tags, err);
	if (rc != MD_OK)
		return rc;
	/* as it stands after the commands before this one, which may not be saved yet */
	row.t = of->ticket;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, comment_json(w, &comments[i]));
	names = json_array();
	for (size_t i = 0; i < n_tags; i++)
		json_array_append_new(names, json_pack("{s:s}", "name", tags[i].name));
	answer = ticket_json(w, &row);
	json_object_set_new(answer, "comments", list);
	json_object_set_new(answer, "tags", names);
	json_object_set_new(answer, "has_tags", json_boolean(n_tags > 0));
	if (total > COMMENTS_MAX)
		json_object_set_new(answer, "omitted", json_integer(total - COMMENTS_MAX));
	return append(s, "show", answer, err);
}

static int show(struct step *s, struct md_err *err)
{
	struct work *w = s->w;
	int64_t ticket = s->cmd->number_count ? s->cmd->numbers[0] : w->ticket.id;
	struct work other;
	int rc;

	if (!ticket)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "which ticket? show #N");
	if (ticket == w->ticket.id) {
		rc = work_ask(w, ACTION_READ_TICKET, err);
		return rc == MD_OK ? append_ticket(s, w, err) : rc;
	}
	rc = work_open(w->by, w->c, w->arena, ticket, &other, err);
	return rc == MD_OK ? append_ticket(s, &other, err) : rc;
}

/* ---- search ---- */

/* Each ticket once, where it stands first. */
static bool found_before(const struct search_item *items, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (items[k].ticket == items[i].ticket)
			return true;
	return false;
}

static int add_found(struct work *w, const struct search_item *item, json_t *found,
		     struct md_err *err)
{
	struct ticket_row row;
	json_t *ticket;
	int rc = ticket_row_get(w->c, item->ticket, w->arena, &row, err);

	if (rc != MD_OK)
		return rc;
	ticket = ticket_json(w, &row);
	json_object_set_new(ticket, "snippet_html", json_string(item->snippet));
	json_array_append_new(found, ticket);
	return MD_OK;
}

static int search(struct step *s, struct md_err *err)
{
	struct work *w = s->w;
	struct search_item *items = NULL;
	json_t *found;
	int64_t total = 0;
	size_t n = 0;
	int rc = search_run(w->by, w->c, s->cmd->args, 0, LIST_MAX, w->arena, &items, &n, &total,
			    err);

	if (rc != MD_OK)
		return rc;
	found = json_array();
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		if (!found_before(items, i))
			rc = add_found(w, &items[i], found, err);
	if (rc != MD_OK) {
		json_decref(found);
		return rc;
	}
	return append(s, "list",
		      json_pack("{s:o, s:b, s:b, s:i}", "tickets", found, "none", n == 0, "more",
				total > LIST_MAX, "limit", (int)LIST_MAX),
		      err);
}

int execute_query(struct step *s, struct md_err *err)
{
	switch (s->cmd->row->verb) {
	case VERB_HELP:
		return help(s, err);
	case VERB_LIST:
		return list(s, err);
	case VERB_SHOW:
		return show(s, err);
	default:
		return search(s, err);
	}
}

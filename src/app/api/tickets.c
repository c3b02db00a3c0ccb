/* Finding tickets and showing lists of them. */
#include "api_private.h"

#include <maildesk/app/search.h>
#include <maildesk/base/json.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_BYTES = 8192 };

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- finding ---- */

int find_ticket(void *ctx, struct http_request *q, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct work *w = arena_alloc(q->arena, sizeof *w);
	int rc = w ? api_read(api, q, &c, err) : out_of_memory(err);

	if (rc == MD_OK)
		rc = work_open(api_by(q), c, q->arena, q->ids[0], w, err);
	q->found = w;
	return rc;
}

/* ---- the list ---- */

static bool bad_parameter(struct http_request *q, struct http_response *r, const char *name,
			  const char *why)
{
	(void)api_refuse_parameter(q, r, name, why);
	return false;
}

/* The next word of a comma-separated list, in the arena. */
static const char *next_word(struct arena *a, const char **list)
{
	size_t n = strcspn(*list, ",");
	const char *word = arena_strndup(a, *list, n);

	*list += n + ((*list)[n] == ',');
	return word;
}

static bool read_statuses(struct api *api, struct http_request *q, struct http_response *r,
			  struct ticket_filter *f)
{
	const char *list = http_query(q, "status");

	while (list && *list) {
		const char *word = next_word(q->arena, &list);
		size_t i = 0;

		if (!word || !workflow_status(api->desk->workflow, word))
			return bad_parameter(q, r, "status", "is no status of this desk");
		while (i < f->n_status && strcmp(f->status[i], word) != 0)
			i++;
		if (i == TICKET_FILTER_MAX)
			return bad_parameter(q, r, "status", "has too many values");
		f->status[i] = word;
		f->n_status += i == f->n_status;
	}
	return true;
}

static void read_priorities(struct http_request *q, struct ticket_filter *f)
{
	const char *list = http_query(q, "priority");

	while (list && *list) {
		const char *word = next_word(q->arena, &list);
		int64_t rank = word ? work_priority_from_name(word) : 0;
		size_t i = 0;

		while (i < f->n_priority && f->priority[i] != rank)
			i++;
		if (i == MD_COUNT(f->priority))
			return; /* there are no more than these */
		f->priority[i] = rank;
		f->n_priority += i == f->n_priority;
	}
}

/* The words of a parameter, NULL without it; false after a refusal. */
static bool read_words(struct http_request *q, struct http_response *r, const char *name,
		       struct ticket_any_name *ret)
{
	const char *list = http_query(q, name);
	const char **v = list ? arena_array(q->arena, TICKET_FILTER_ANY_MAX, sizeof *v) : NULL;
	size_t n = 0;

	for (; v && *list; n++) {
		if (n == TICKET_FILTER_ANY_MAX)
			return bad_parameter(q, r, name, "has too many values");
		v[n] = next_word(q->arena, &list);
		if (!v[n])
			return bad_parameter(q, r, name, "is too long");
	}
	*ret = (struct ticket_any_name){ v, n };
	return true;
}

/* One value stands alone: "=" lets an index give the order too. */
static bool read_names(struct http_request *q, struct http_response *r, const char *name,
		       const char **ret, struct ticket_any_name *any)
{
	if (!read_words(q, r, name, any))
		return false;
	if (any->n == 1) {
		*ret = any->v[0];
		any->n = 0;
	}
	return true;
}

/* An id and, where that can be, "me" and "none". */
struct id_parameter {
	const char *name;
	bool me, none;
	const char *expected;
};

static bool read_id(const struct http_request *q, const struct id_parameter *p, const char *text,
		    int64_t *ret)
{
	char *end;

	errno = 0;
	if (p->me && strcmp(text, "me") == 0)
		*ret = api_by(q)->user.id;
	else if (p->none && strcmp(text, "none") == 0)
		*ret = -1;
	else if (*text < '1' || *text > '9' || (*ret = strtoll(text, &end, 10), *end || errno))
		return false;
	return true;
}

static bool read_ids(struct http_request *q, struct http_response *r, const struct id_parameter *p,
		     int64_t *ret, struct ticket_any_id *any)
{
	struct ticket_any_name words;
	int64_t *ids;

	if (!read_words(q, r, p->name, &words))
		return false;
	if (!words.n)
		return true;
	ids = arena_array(q->arena, words.n, sizeof *ids);
	for (size_t i = 0; i < words.n; i++)
		if (!ids || !read_id(q, p, words.v[i], &ids[i]))
			return bad_parameter(q, r, p->name, p->expected);
	if (words.n == 1)
		*ret = ids[0];
	else
		*any = (struct ticket_any_id){ ids, words.n };
	return true;
}

static bool read_people(struct http_request *q, struct http_response *r, struct ticket_filter *f)
{
	static const struct id_parameter assignee = { "assignee", true, true,
						      "must be ids, me or none" },
					 requester = { "requester", true, false,
						       "must be ids or me" },
					 reporter = { "reporter", true, false,
						      "must be ids or me" },
					 team = { "team", false, false, "must be ids" },
					 organisation = { "organisation", false, false,
							  "must be ids" };

	return read_ids(q, r, &assignee, &f->assignee_id, &f->assignees) &&
	       read_ids(q, r, &requester, &f->requester_id, &f->requesters) &&
	       read_ids(q, r, &reporter, &f->requester_id, &f->requesters) &&
	       read_ids(q, r, &team, &f->team_id, &f->teams) &&
	       read_ids(q, r, &organisation, &f->organisation_id, &f->organisations);
}

static void read_sort(const struct http_request *q, struct ticket_filter *f)
{
	static const struct {
		const char *name;
		enum ticket_sort sort;
	} sorts[] = {
		{ "id", TICKET_SORT_ID },
		{ "created_at", TICKET_SORT_CREATED },
		{ "updated_at", TICKET_SORT_UPDATED },
		{ "priority", TICKET_SORT_PRIORITY },
		{ "status", TICKET_SORT_STATUS },
		{ "due", TICKET_SORT_DUE },
	};
	const char *text = http_query(q, "sort");

	if (!text)
		text = "-updated_at";
	f->descending = *text == '-';
	text += f->descending;
	for (size_t i = 0; i < MD_COUNT(sorts); i++)
		if (strcmp(sorts[i].name, text) == 0)
			f->sort = sorts[i].sort;
}

/* Whoever sees other customers sees all tickets. */
void api_reader(struct api *api, const struct http_request *q, int64_t *ret_visible_to,
		int64_t *ret_shared_with)
{
	const struct conf_desk *desk = &api->desk->config->desk;
	bool open_desk = strcmp(desk->visibility, "open") == 0;

	*ret_shared_with = desk->organisation_shared ? api_by(q)->user.organisation_id : 0;
	*ret_visible_to =
		open_desk || api_allowed(q, ACTION_SEE_CUSTOMERS) ? 0 : api_by(q)->user.id;
}

/* "asset:4711": as it stands in the ticket's JSON. */
static bool read_field(struct api *api, struct http_request *q, struct http_response *r,
		       const char **ret)
{
	const char *text = http_query(q, "field"), *colon = text ? strchr(text, ':') : NULL;
	const char *name = colon ? arena_strndup(q->arena, text, (size_t)(colon - text)) : NULL;
	md_auto(buf_done) struct buf json = BUF_INIT(FIELD_BYTES);
	md_auto(json_decref_p) json_t *member = NULL;

	if (!text)
		return true;
	if (!name || !config_field(api->desk->config, name))
		return bad_parameter(q, r, "field",
				     "must be a field of this desk, \":\" and a value");
	member = json_pack("{s:s}", name, colon + 1);
	if (member)
		json_write(&json, member);
	if (json.len < 2 || json.status != MD_OK)
		return bad_parameter(q, r, "field", "is too long");
	*ret = arena_strndup(q->arena, json.data + 1, json.len - 2); /* without its braces */
	return *ret != NULL;
}

static bool read_filter(struct api *api, struct http_request *q, struct http_response *r,
			struct ticket_filter *f)
{
	const char *overdue = http_query(q, "overdue"), *breached = http_query(q, "breached");

	if (!read_statuses(api, q, r, f) || !read_field(api, q, r, &f->field) ||
	    !read_people(q, r, f) || !read_names(q, r, "tag", &f->tag, &f->tags) ||
	    !read_names(q, r, "category", &f->category, &f->categories) ||
	    !read_names(q, r, "mailbox", &f->mailbox, &f->mailboxes))
		return false;
	read_priorities(q, f);
	read_sort(q, f);
	f->created_after = api_query_time(q, "created_after");
	f->created_before = api_query_time(q, "created_before");
	f->updated_after = api_query_time(q, "updated_after");
	f->breached_after = api_query_time(q, "breached_after");
	if (overdue)
		*(*overdue == 't' ? &f->overdue_at : &f->not_overdue_at) = q->now_ms;
	f->breached = breached && *breached == 't';
	f->not_breached = breached && *breached == 'f';
	api_reader(api, q, &f->visible_to, &f->shared_with);
	return true;
}

bool api_can_list(struct api *api, const struct http_request *q, const struct http_pair *query,
		  size_t n, struct http_response *r)
{
	struct http_request asked = *q;
	struct ticket_filter f = { 0 };

	asked.query = query;
	asked.n_query = n;
	return read_filter(api, &asked, r, &f);
}

static int take_page(struct api_page *page, struct db_conn *c, const struct ticket_filter *f,
		     const struct ticket_row *rows, size_t *n, struct md_err *err)
{
	struct ticket_place last;
	int rc;

	*n = PAGE_ROWS(page, rows, *n, t.id);
	if (!page->more)
		return MD_OK;
	rc = ticket_place_of(c, f, &rows[*n - 1], &last, err);
	if (rc == MD_OK)
		page->last = (struct api_cursor){ .id = last.id,
						  .keys = { last.key, last.updated_at },
						  .text = last.status };
	return rc;
}

/* Those of one requester, or (0) whoever's the query names. */
static int list(struct api *api, struct http_request *q, struct http_response *r, int64_t requester,
		struct md_err *err)
{
	struct api_page page = page_of(q);
	struct ticket_filter f = { .offset = page.offset, .limit = page.limit };
	struct ticket_place behind;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct ticket_row *rows;
	int64_t total;
	size_t n;
	int rc;

	if (!read_filter(api, q, r, &f))
		return MD_OK;
	if (requester)
		f.requester_id = requester;
	if (page.behind.id) {
		behind = (struct ticket_place){ .key = page.behind.keys[0],
						.status = page.behind.text,
						.updated_at = page.behind.keys[1],
						.id = page.behind.id };
		f.behind = &behind;
	}
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK && http_query(q, "q"))
		rc = search_tickets(api_by(q), c, http_query(q, "q"), q->arena, &f, err);
	if (rc == MD_OK)
		rc = ticket_list(c, &f, q->arena, &rows, &n, &total, err);
	if (rc == MD_OK)
		rc = take_page(&page, c, &f, rows, &n, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	rc = api_show_tickets(api, q, c, rows, n, &r->body, err);
	page_end(q, r, &page, n, total);
	return rc;
}

int tickets_list(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return list(ctx, q, r, 0, err);
}

int user_tickets(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return list(ctx, q, r, q->ids[0], err);
}

/* ---- history ---- */

int ticket_history(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	const struct work *w = q->found;
	struct api_page page = page_of(q);
	bool all = policy_may(&api_by(q)->actor, ACTION_READ_INTERNAL, &w->facts) == POLICY_YES;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct buf *out = &r->body;
	struct history *rows;
	int64_t total;
	size_t n;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = history_list(c, q->ids[0], !all, page.behind.id, page.offset, page.limit,
				  q->arena, &rows, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, rows, n, id);
	for (size_t i = 0; i < n; i++) {
		const struct history *h = &rows[i];

		show_begin(out, NULL, '{');
		show_int(out, "id", h->id);
		show_int(out, "ticket", h->ticket_id);
		show_text(out, "action", h->action);
		show_text(out, "old_value", h->old_value);
		show_text(out, "new_value", h->new_value);
		show_actor(out, "actor", h->actor_id, h->actor_name, h->actor_role);
		show_text(out, "source", h->source);
		show_time(out, "at", h->at);
		show_end(out, '}');
	}
	page_end(q, r, &page, n, total);
	return MD_OK;
}

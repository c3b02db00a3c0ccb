/* What agents look at: saved views, and who has a ticket before them now. */
#include "api_private.h"

#include <maildesk/store/events.h>
#include <maildesk/store/views.h>

#include <string.h>

enum {
	QUERY_CHARS = 2000,
	LOOKS_MS = 60000, /* that somebody looks, after they said so */
	FAULT_MAX = 4096,
	TELL_MS = 15000, /* others are told again of who goes on looking */
};

/* ---- saved views ---- */

struct view_step {
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	struct saved_view view;
};

static void show_view(struct buf *out, const struct saved_view *v)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", v->id);
	show_text(out, "name", v->name);
	show_text(out, "query", v->query);
	show_bool(out, "shared", v->shared);
	show_int(out, "user", v->user_id);
	show_end(out, '}');
}

int views_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct saved_view *all;
	size_t n, first, shown;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = saved_view_list(c, api_by(q)->user.id, q->arena, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, all, n, id, &first);
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		show_view(&r->body, &all[i]);
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

static int show_one(struct api *api, struct http_request *q, struct http_response *r, int64_t id,
		    struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct saved_view v;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = saved_view_get(c, id, api_by(q)->user.id, q->arena, &v, err);
	if (rc == MD_OK)
		show_view(&r->body, &v);
	return rc;
}

int view_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return show_one(ctx, q, r, q->ids[0], err);
}

/* What the desk itself does not know: a status, say, or a field. */
static const char *fault_of_values(struct api *api, struct http_request *q,
				   const struct http_pair *pairs, size_t n)
{
	struct http_response r = { .body = BUF_INIT(FAULT_MAX),
				   .errors = BUF_INIT(FAULT_MAX),
				   .extra = BUF_INIT(FAULT_MAX) };
	md_auto(json_decref_p) json_t *said = NULL;
	const char *text = NULL;

	if (!api_can_list(api, q, pairs, n, &r)) {
		(void)json_read(buf_str(&r.errors), r.errors.len, 2, &said, NULL);
		text = said ? arena_printf(q->arena, "%s: %s", json_get_string(said, "field"),
					   json_get_string(said, "message"))
			    : "out of memory";
	}
	buf_done(&r.body);
	buf_done(&r.errors);
	buf_done(&r.extra);
	return text;
}

/* A view is a list of tickets: what the list would refuse is refused here. */
static const char *fault_of(struct api *api, struct http_request *q, const char *query)
{
	struct http_complaints c = { .arena = q->arena };
	struct http_pair *pairs;
	size_t n;
	int rc = http_query_parse(q->arena, query, &pairs, &n);

	if (rc != MD_OK)
		return rc == MD_INPUT ? "has too many parameters" : "out of memory";
	if (http_check_query(ticket_query, pairs, n, &c))
		return fault_of_values(api, q, pairs, n);
	return c.n ? arena_printf(q->arena, "%s: %s", c.v[0].field, c.v[0].text) : "out of memory";
}

/* Of somebody else: read, but not changed; what admins share, admins change. */
static bool may_change(const struct http_request *q, const struct saved_view *v)
{
	return v->user_id == api_by(q)->user.id || api_by(q)->actor.role == ROLE_ADMIN;
}

static int find_in_txn(struct db_conn *c, struct view_step *s, struct md_err *err)
{
	int rc = saved_view_get(c, s->q->ids[0], api_by(s->q)->user.id, &s->arena, &s->view, err);

	if (rc == MD_OK && !may_change(s->q, &s->view))
		return md_fail(err, MD_REFUSED, WORK_FORBIDDEN, "this view is an admin's");
	return rc;
}

static int save_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct view_step *s = ctx;
	const json_t *body = s->q->json, *shared = json_object_get(body, "shared");
	bool was_shared;
	int rc = MD_OK;

	arena_reset(&s->arena);
	s->view = (struct saved_view){ .user_id = api_by(s->q)->user.id, .query = "" };
	if (s->q->ids[0])
		rc = find_in_txn(c, s, err);
	if (rc != MD_OK)
		return rc;
	was_shared = s->view.shared;
	if (json_object_get(body, "name"))
		s->view.name = json_get_string(body, "name");
	if (json_object_get(body, "query"))
		s->view.query = json_get_string(body, "query");
	if (shared)
		s->view.shared = json_is_true(shared);
	if ((s->view.shared || was_shared) && api_by(s->q)->actor.role != ROLE_ADMIN)
		return md_fail(err, MD_REFUSED, WORK_FORBIDDEN, "only admins share views");
	return saved_view_save(c, &s->view, err);
}

int views_save(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct view_step s = { .q = q, .arena = ARENA_INIT(1 << 20) };
	const char *query = json_get_string(q->json, "query");
	const char *fault = query ? fault_of(api, q, query) : NULL;
	int64_t id = q->ids[0];
	int rc;

	if (fault) {
		http_refuse(q, r, 422, "validation", "the body cannot be used");
		http_refuse_field(r, "query", fault);
		return MD_OK;
	}
	rc = api_txn(api, q, save_in_txn, &s, &s.view.id, err);
	id = id ? id : s.view.id;
	arena_done(&s.arena);
	if (rc != MD_OK)
		return rc;
	http_made(q, r, id);
	return show_one(api, q, r, id, err);
}

static int drop_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct view_step *s = ctx;
	int rc;

	arena_reset(&s->arena);
	rc = find_in_txn(c, s, err);
	return rc == MD_OK ? saved_view_remove(c, s->view.id, err) : rc;
}

int view_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct view_step s = { .q = q, .arena = ARENA_INIT(1 << 20) };
	int rc = api_txn(api, q, drop_in_txn, &s, NULL, err);

	(void)r;
	arena_done(&s.arena);
	return rc;
}

/* ---- who looks ---- */

static int look_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct http_request *q = ctx;
	const struct work *w = q->found;
	const struct event e = { .type = "ticket.viewing",
				 .ticket = w->ticket.id,
				 .version = w->ticket.version,
				 .actor = api_by(q)->user.id,
				 .is_internal = true,
				 .at = q->now_ms };
	int64_t told_ms;
	int rc = viewing_told(c, e.ticket, e.actor, q->now_ms, &told_ms, err);
	bool tell = told_ms <= q->now_ms - TELL_MS || told_ms > q->now_ms;

	if (rc == MD_OK)
		rc = viewing_put(c, e.ticket, e.actor, q->now_ms + LOOKS_MS,
				 tell ? q->now_ms : told_ms, err);
	return rc == MD_OK && tell ? event_add(c, &e, err) : rc;
}

int ticket_viewers(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct viewing *all;
	size_t n;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = viewing_list(c, q->ids[0], q->now_ms, q->arena, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	show_begin(&r->body, NULL, '{');
	show_begin(&r->body, "viewers", '[');
	for (size_t i = 0; i < n; i++) {
		show_begin(&r->body, NULL, '{');
		show_actor(&r->body, "user", all[i].user, all[i].name, all[i].role);
		show_time(&r->body, "until", all[i].until_at);
		show_end(&r->body, '}');
	}
	show_end(&r->body, ']');
	show_end(&r->body, '}');
	return MD_OK;
}

int ticket_view(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	int rc = db_txn(api->desk->db, look_in_txn, q, err);

	if (rc != MD_OK)
		return rc;
	work_done(api->desk);
	return ticket_viewers(ctx, q, r, err);
}

#define VIEW_FIELDS(flags)                                                 \
	{ "name", HTTP_LINE, flags, 1, 100, NULL, NULL },                  \
		{ "query", HTTP_LINE, flags, 0, QUERY_CHARS, NULL, NULL }, \
	{                                                                  \
		"shared", HTTP_BOOL, 0, 0, 0, NULL, NULL                   \
	}
const struct http_field views_body[] = { VIEW_FIELDS(HTTP_REQUIRED), HTTP_END };
const struct http_field view_changes[] = { VIEW_FIELDS(0), HTTP_END };
const struct http_field no_fields[] = { HTTP_END };

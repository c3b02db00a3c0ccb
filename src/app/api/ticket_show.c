/* A ticket as its reader sees it. Pages are shown without a query for each row. */
#include "api_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct extras { /* of several tickets: sorted by ticket */
	struct tag *tags;
	struct clock_row *clocks;
	size_t n_tags, n_clocks;
};

static int load_extras(struct db_conn *c, const int64_t *ids, size_t n, struct arena *a,
		       struct extras *ret, struct md_err *err)
{
	int rc = ticket_tags_of(c, ids, n, a, &ret->tags, &ret->n_tags, err);

	if (rc == MD_OK)
		rc = clock_list_of(c, ids, n, a, &ret->clocks, &ret->n_clocks, err);
	return rc;
}

/* ---- pieces ---- */

static void show_tags(struct buf *out, const struct extras *x, int64_t ticket)
{
	show_begin(out, "tags", '[');
	for (size_t i = 0; i < x->n_tags; i++) {
		if (x->tags[i].ticket_id != ticket)
			continue;
		show_begin(out, NULL, '{');
		show_text(out, "name", x->tags[i].name);
		show_text(out, "color", x->tags[i].color);
		show_end(out, '}');
	}
	show_end(out, ']');
}

static const struct clock_row *find_clock(const struct extras *x, int64_t ticket,
					  const char *metric)
{
	for (size_t i = 0; i < x->n_clocks; i++)
		if (x->clocks[i].ticket_id == ticket && strcmp(x->clocks[i].metric, metric) == 0)
			return &x->clocks[i];
	return NULL;
}

static void show_sla(struct buf *out, const struct extras *x, int64_t ticket)
{
	static const char *const metrics[] = { "first_response", "next_response", "update",
					       "resolution" };

	show_begin(out, "sla", '{');
	for (size_t i = 0; i < MD_COUNT(metrics); i++) {
		const struct clock_row *k = find_clock(x, ticket, metrics[i]);

		if (!k) {
			show_null(out, metrics[i]);
			continue;
		}
		show_begin(out, metrics[i], '{');
		show_time(out, "due", k->due_at);
		show_text(out, "state", k->breached_at ? "breached" : k->state);
		show_end(out, '}');
	}
	show_end(out, '}');
}

static bool is_done(const struct api *api, const char *status)
{
	const struct workflow_status *s = workflow_status(api->desk->workflow, status);

	return s && (s->phase == PHASE_RESOLVED || s->phase == PHASE_CLOSED);
}

/* By its own date or its resolution clock, whichever is earlier. */
static bool is_overdue(const struct api *api, const struct ticket *t, const struct extras *x,
		       int64_t now_ms)
{
	const struct clock_row *k = find_clock(x, t->id, "resolution");
	int64_t due = k ? k->due_at : 0;

	if (t->due_at && (!due || t->due_at < due))
		due = t->due_at;
	return due && due < now_ms && !is_done(api, t->status);
}

static void show_requester(struct buf *out, const struct ticket_row *row)
{
	show_begin(out, "requester", '{');
	show_int(out, "id", row->t.requester_id);
	show_text(out, "name", row->requester_name);
	show_text(out, "email", row->requester_email);
	show_end(out, '}');
}

static void show_assignee(struct buf *out, const struct ticket_row *row, bool with_address)
{
	if (!row->t.assignee_id) {
		show_null(out, "assignee");
		return;
	}
	show_begin(out, "assignee", '{');
	show_int(out, "id", row->t.assignee_id);
	show_text(out, "name", row->assignee_name);
	if (with_address)
		show_text(out, "email", row->assignee_email);
	show_end(out, '}');
}

static void show_allowed(struct api *api, struct buf *out, const struct http_request *q,
			 const struct policy_ticket *facts, const char *status, bool is_frozen)
{
	const struct workflow *wf = api->desk->workflow;
	const struct policy_actor *actor = &api_by(q)->actor;
	const char *names[32];
	size_t n = 0;

	if (!is_frozen && policy_may(actor, ACTION_MOVE_STATUS, facts) == POLICY_YES)
		n = workflow_allowed(wf, status, policy_who(actor, facts), facts->assignee != 0,
				     names, MD_COUNT(names));
	show_texts(out, "allowed_statuses", &(struct rec_strs){ n, names });
}

static void show_named(struct buf *out, const char *key, int64_t id, const char *name)
{
	if (!id) {
		show_null(out, key);
		return;
	}
	show_begin(out, key, '{');
	show_int(out, "id", id);
	show_text(out, "name", name);
	show_end(out, '}');
}

/* What a page and a single ticket have in common. */
static void show_row(struct api *api, const struct http_request *q, struct buf *out,
		     const struct ticket_row *row, const struct extras *x,
		     const struct policy_ticket *facts)
{
	const struct ticket *t = &row->t;

	show_int(out, "id", t->id);
	show_text(out, "title", t->title);
	show_text(out, "status", t->status);
	show_text(out, "priority", work_priority_name(t->priority));
	show_text(out, "category", t->category);
	show_tags(out, x, t->id);
	show_requester(out, row);
	show_assignee(out, row, api_allowed(q, ACTION_SEE_CUSTOMERS));
	show_named(out, "team", t->team_id, row->team_name);
	show_named(out, "organisation", t->organisation_id, row->organisation_name);
	show_text(out, "mailbox", row->mailbox);
	show_text(out, "channel", t->channel);
	show_time(out, "created_at", t->created_at);
	show_time(out, "updated_at", t->updated_at);
	show_time(out, "first_response_at", t->first_response_at);
	show_time(out, "resolved_at", t->resolved_at);
	show_time(out, "closed_at", t->closed_at);
	show_time(out, "due_at", t->due_at);
	show_time(out, "snoozed_until", t->snoozed_until);
	show_int(out, "time_spent", t->time_spent_ms / 1000);
	show_raw(out, "fields", t->fields ? t->fields : "{}");
	show_sla(out, x, t->id);
	show_bool(out, "overdue", is_overdue(api, t, x, q->now_ms));
	show_allowed(api, out, q, facts, t->status, t->merged_into || t->deleted_at);
	show_id(out, "merged_into", t->merged_into);
	show_int(out, "version", t->version);
}

int api_tag(struct http_request *q, struct http_response *r, int64_t id, int64_t version,
	    struct md_err *err)
{
	r->etag = arena_printf(q->arena, "\"%lld-%lld-%c\"", (long long)id, (long long)version,
			       api_by(q)->user.role[0]);
	return r->etag ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- many ---- */

/* Customers are shown what they take part in, or an open desk. */
static struct policy_ticket facts_of(const struct api *api, const struct http_request *q,
				     const struct ticket *t)
{
	bool open_desk = strcmp(api->desk->config->desk.visibility, "open") == 0;
	bool is_shared = api->desk->config->desk.organisation_shared && t->organisation_id &&
			 api_by(q)->user.organisation_id == t->organisation_id;

	return (struct policy_ticket){
		.requester = t->requester_id,
		.assignee = t->assignee_id,
		.is_participant = !open_desk && !is_shared,
		.is_new = strcmp(t->status, api->desk->workflow->statuses[0].name) == 0,
		.open_desk = open_desk,
		.is_shared = is_shared,
	};
}

int api_show_tickets(struct api *api, struct http_request *q, struct db_conn *c,
		     const struct ticket_row *rows, size_t n, struct buf *out, struct md_err *err)
{
	int64_t *ids = arena_array(q->arena, n ? n : 1, sizeof *ids);
	struct extras x = { 0 };
	int rc;

	if (!ids)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		ids[i] = rows[i].t.id;
	rc = load_extras(c, ids, n, q->arena, &x, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		struct policy_ticket facts = facts_of(api, q, &rows[i].t);

		show_begin(out, NULL, '{');
		show_row(api, q, out, &rows[i], &x, &facts);
		show_end(out, '}');
	}
	return rc;
}

/* ---- one ---- */

struct whole {
	struct work w; /* first: q->found of those who look for a struct work */
	struct ticket_row row;
	struct extras x;
	struct user creator;
	const char *description;
	struct participants people;
	struct ticket_link *links;
	size_t n_links;
};

static int open_whole(struct api *api, struct http_request *q, int64_t id, struct whole **ret,
		      struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct whole *t = arena_alloc(q->arena, sizeof *t);
	int rc = t ? api_read(api, q, &c, err) : md_fail(err, MD_NOMEM, 0, "out of memory");

	if (rc == MD_OK)
		rc = work_open_row(api_by(q), c, q->arena, id, &t->row, &t->people, &t->w, err);
	*ret = t;
	return rc;
}

/* Mostly it is one of those who take part. */
static int load_creator(struct db_conn *c, struct arena *a, struct whole *t, struct md_err *err)
{
	int64_t id = t->row.t.created_by;

	for (size_t i = 0; i < t->people.n; i++)
		if (t->people.v[i].user_id == id) {
			t->creator = (struct user){ .id = id,
						    .name = t->people.v[i].name,
						    .role = t->people.v[i].user_role };
			return MD_OK;
		}
	return id ? user_get(c, id, a, &t->creator, err) : MD_OK;
}

static int load_whole(struct api *api, struct http_request *q, int64_t id, struct whole *t,
		      struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = load_extras(c, &id, 1, q->arena, &t->x, err);
	if (rc == MD_OK)
		rc = comment_first_body(c, id, q->arena, &t->description, err);
	/* Of other tickets customers learn nothing here. */
	if (rc == MD_OK &&
	    policy_may(&api_by(q)->actor, ACTION_READ_INTERNAL, &t->w.facts) == POLICY_YES)
		rc = ticket_link_list(c, id, q->arena, &t->links, &t->n_links, err);
	return rc == MD_OK ? load_creator(c, q->arena, t, err) : rc;
}

void api_show_participant(struct buf *out, const struct participant *p)
{
	show_begin(out, NULL, '{');
	show_int(out, "user", p->user_id);
	show_text(out, "name", p->name);
	show_text(out, "role", p->role);
	show_bool(out, "muted", p->muted);
	show_bool(out, "pending", p->pending);
	show_end(out, '}');
}

static void show_participants(struct buf *out, const struct participant *people, size_t n)
{
	show_begin(out, "participants", '[');
	for (size_t i = 0; i < n; i++)
		api_show_participant(out, &people[i]);
	show_end(out, ']');
}

void api_show_link(struct buf *out, int64_t ticket, const struct ticket_link *l)
{
	bool inverse = l->ticket_id != ticket;

	show_begin(out, NULL, '{');
	show_text(out, "type", l->type);
	show_int(out, "ticket", inverse ? l->ticket_id : l->other_id);
	show_text(out, "title", l->title);
	show_text(out, "status", l->status);
	show_bool(out, "inverse", inverse);
	show_end(out, '}');
}

static int show_whole(struct api *api, struct http_request *q, int64_t id, struct whole *t,
		      struct buf *out, struct http_response *r, struct md_err *err)
{
	int rc = load_whole(api, q, id, t, err);

	if (rc != MD_OK)
		return rc;
	show_begin(out, NULL, '{');
	show_row(api, q, out, &t->row, &t->x, &t->w.facts);
	show_text(out, "description", t->description);
	show_actor(out, "created_by", t->creator.id, t->creator.name, t->creator.role);
	show_participants(out, t->people.v, t->people.n);
	show_begin(out, "links", '[');
	for (size_t i = 0; i < t->n_links; i++)
		api_show_link(out, id, &t->links[i]);
	show_end(out, ']');
	show_time(out, "deleted_at", t->row.t.deleted_at);
	show_end(out, '}');
	return r ? api_tag(q, r, id, t->row.t.version, err) : MD_OK;
}

int api_show_ticket(struct api *api, struct http_request *q, int64_t id, struct buf *out,
		    struct http_response *r, struct md_err *err)
{
	struct whole *t;
	int rc = open_whole(api, q, id, &t, err);

	return rc == MD_OK ? show_whole(api, q, id, t, out, r, err) : rc;
}

int find_whole_ticket(void *ctx, struct http_request *q, struct md_err *err)
{
	struct whole *t;
	int rc = open_whole(ctx, q, q->ids[0], &t, err);

	q->found = t;
	return rc;
}

int ticket_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return show_whole(ctx, q, q->ids[0], q->found, &r->body, r, err);
}

/* ---- versions ---- */

bool api_wants_version(const struct http_request *q, int64_t id, int64_t version)
{
	const char *match = http_header(q, "If-Match");
	int64_t wanted = json_integer_value(json_object_get(q->json, "version"));
	long long tag_id, tag_version;
	char role, close;

	if (wanted && wanted != version)
		return false;
	if (!match || strcmp(match, "*") == 0)
		return true;
	/* Only id and version count: the role is of who asked, and may have changed since. */
	for (; *match; match += strcspn(match, ",")) {
		match += strspn(match, " \t,");
		if (sscanf(match, "\"%lld-%lld-%c%c", &tag_id, &tag_version, &role, &close) == 4 &&
		    close == '"' && tag_id == id && tag_version == version)
			return true;
	}
	return false;
}

static int show_current(struct api *api, struct http_request *q, struct http_response *r,
			int64_t ticket, struct md_err *err)
{
	buf_adds(http_refuse_extra(r), "\"current\":");
	return api_show_ticket(api, q, ticket, http_refuse_extra(r), NULL, err);
}

int api_version_conflict(struct api *api, struct http_request *q, struct http_response *r,
			 int64_t ticket, struct md_err *err)
{
	http_refuse(q, r, 409, "version_conflict", "somebody else changed the ticket meanwhile");
	return show_current(api, q, r, ticket, err);
}

int api_ticket_conflict(struct api *api, struct http_request *q, struct http_response *r,
			int64_t ticket, struct md_err *err)
{
	http_refuse(q, r, 409, "conflict", "%s", err->text);
	return show_current(api, q, r, ticket, err);
}

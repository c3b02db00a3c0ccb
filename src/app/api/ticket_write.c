/* Making and changing tickets: the fields of a body become one piece of work (app/work.h), which is
 * done in one write transaction that may run more than once. */
#include "api_private.h"

#include <maildesk/base/utf8.h>
#include <maildesk/store/teams.h>

#include <string.h>

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- bodies ---- */

/* Text with LF line ends; NULL for a field that is absent, or out of memory (a->failed). */
static const char *clean_text(struct arena *a, const char *text)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(4 << 20);

	if (!text)
		return NULL;
	utf8_clean_text(&clean, text, strlen(text));
	return arena_strdup(a, buf_str(&clean));
}

static const char *clean_line(struct arena *a, const char *text)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(4 << 20);

	if (!text)
		return NULL;
	utf8_clean_line(&clean, text, strlen(text));
	return arena_strdup(a, buf_str(&clean));
}

static struct rec_strs read_names(struct arena *a, const json_t *list)
{
	size_t n = json_array_size(list);
	struct rec_strs ret = { 0, arena_array(a, n ? n : 1, sizeof *ret.v) };

	for (size_t i = 0; ret.v && i < n; i++) {
		const char *name = clean_line(a, json_string_value(json_array_get(list, i)));

		if (name && *name)
			ret.v[ret.n++] = name;
	}
	return ret;
}

/* ---- a new one ---- */

struct ticket_step {
	struct api *api;
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	struct work w;
	int64_t ticket, comment;
	const char *field; /* the one that could not be used */
	bool conflict, whole;
};

/* Whoever may not see the people of the desk names them by address, as in a mail. */
static int read_copies(struct db_conn *c, struct ticket_step *s, bool by_id, struct work_ticket *t,
		       struct md_err *err)
{
	const json_t *list = json_object_get(s->q->json, "cc");
	size_t n = json_array_size(list);
	int64_t *ids = arena_array(&s->arena, n ? n : 1, sizeof *ids);
	int rc = ids ? MD_OK : out_of_memory(err);

	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		const json_t *who = json_array_get(list, i);

		s->field = arena_printf(s->q->arena, "cc.%zu", i);
		rc = json_is_integer(who) && !by_id
			     ? md_fail(err, MD_INPUT, WORK_BAD_VALUE, "must be an address")
			     : api_person(c, &s->arena, who, true, s->q->now_ms, &ids[i], err);
	}
	t->cc = ids;
	t->n_cc = n;
	return rc;
}

static int read_ticket_people(struct db_conn *c, struct ticket_step *s, struct work_ticket *t,
			      struct md_err *err)
{
	const json_t *body = s->q->json, *requester = json_object_get(body, "requester"),
		     *assignee = json_object_get(body, "assignee");
	/* Asked before people are looked up: a refusal tells nobody who is known here. */
	bool for_others = api_allowed(s->q, ACTION_CREATE_FOR_OTHERS);
	bool assigns = assignee && !json_is_null(assignee);
	int rc = MD_OK;

	t->requester = api_by(s->q)->user.id;
	if ((requester || assigns) && !for_others)
		return md_fail(err, MD_REFUSED, WORK_FORBIDDEN,
			       "only agents name a requester or an assignee");
	s->field = "requester";
	if (requester)
		rc = api_person(c, &s->arena, requester, true, s->q->now_ms, &t->requester, err);
	s->field = rc == MD_OK ? "assignee" : s->field;
	if (rc == MD_OK && assigns)
		rc = api_person(c, &s->arena, assignee, false, s->q->now_ms, &t->assignee, err);
	if (rc == MD_OK)
		rc = read_copies(c, s, for_others, t, err);
	s->field = rc == MD_OK ? NULL : s->field;
	return rc;
}

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ticket_step *s = ctx;
	const json_t *body = s->q->json;
	const char *priority = json_get_string(body, "priority");
	struct work_ticket t = { .title = json_get_string(body, "title"), .echo = true };
	int rc;

	arena_reset(&s->arena);
	rc = read_ticket_people(c, s, &t, err);
	if (rc != MD_OK)
		return rc;
	t.body = clean_text(&s->arena, json_get_string(body, "description"));
	t.category = clean_line(&s->arena, json_get_string(body, "category"));
	t.priority = work_priority_from_name(priority ? priority : "medium");
	t.tags = read_names(&s->arena, json_object_get(body, "tags"));
	if (s->arena.failed)
		return out_of_memory(err);
	rc = work_create(api_by(s->q), c, &s->arena, &t, &s->w, &s->comment, err);
	if (rc == MD_OK)
		rc = api_attach(s->q, c, s->comment, err);
	if (rc == MD_OK)
		rc = work_save(&s->w, err);
	s->ticket = s->w.ticket.id;
	return rc;
}

static int refuse_step(const struct ticket_step *s, struct http_response *r, int rc,
		       const struct md_err *err)
{
	if (rc == MD_INPUT && s->field)
		api_refuse_field(s->q, r, s->field, err);
	else
		api_failed(s->api, s->q, r, rc, err);
	return MD_OK;
}

/* Titles become one line, of which something must be left. */
static bool has_title(struct http_request *q, struct http_response *r)
{
	const char *title = json_get_string(q->json, "title");
	const char *line = clean_line(q->arena, title);

	if (!title || (line && *line))
		return true;
	http_refuse(q, r, 422, "validation", "the body cannot be used");
	http_refuse_field(r, "title", "must not be empty");
	return false;
}

static int refuse_status(struct api *api, struct http_request *q, struct http_response *r)
{
	const char *first = api->desk->workflow->statuses[0].name;

	http_refuse(q, r, 400, "invalid_transition", "a new ticket is %s", first);
	buf_adds(http_refuse_extra(r), "\"allowed_statuses\":[\"");
	buf_addf(http_refuse_extra(r), "%s\"]", first);
	return MD_OK;
}

int tickets_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct ticket_step *s = arena_alloc(q->arena, sizeof *s);
	const char *status = json_get_string(q->json, "status");
	int rc;

	if (!s)
		return out_of_memory(err);
	if (status && strcmp(status, api->desk->workflow->statuses[0].name) != 0)
		return refuse_status(api, q, r);
	if (!has_title(q, r))
		return MD_OK;
	*s = (struct ticket_step){ .api = api, .q = q, .arena = ARENA_INIT(32 << 20) };
	rc = api_txn(api, q, add_in_txn, s, &s->ticket, err);
	arena_done(&s->arena);
	if (rc != MD_OK)
		return refuse_step(s, r, rc, err);
	work_done(api->desk);
	http_made(q, r, s->ticket);
	return api_show_ticket(api, q, s->ticket, &r->body, r, err);
}

/* ---- changes ---- */

/* Whether the body says so; null is no instant. */
static bool read_instant(const json_t *body, const char *key, int64_t *ret_ms)
{
	const json_t *v = json_object_get(body, key);

	if (json_is_string(v))
		(void)time_parse(json_string_value(v), ret_ms); /* checked by the route's table */
	return v != NULL;
}

static int read_team(struct db_conn *c, struct ticket_step *s, const json_t *v, int64_t *ret,
		     struct md_err *err)
{
	struct team team;
	int rc;

	if (json_is_null(v))
		return MD_OK;
	rc = json_is_integer(v) ? team_get(c, json_integer_value(v), &s->arena, &team, err)
				: team_by_name(c, json_string_value(v), &s->arena, &team, err);
	if (rc == MD_NOTFOUND)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "there is no such team");
	if (rc == MD_OK)
		*ret = team.id;
	return rc;
}

/* Asked before people are looked up: a refusal tells nobody who is known here. */
static int read_people(struct db_conn *c, struct ticket_step *s, struct work_change *ch,
		       struct md_err *err)
{
	const json_t *body = s->q->json, *assignee = json_object_get(body, "assignee"),
		     *team = json_object_get(body, "team"),
		     *requester = json_object_get(body, "requester");
	const struct policy_actor *actor = &api_by(s->q)->actor;
	int rc = MD_OK;

	if (((assignee || team) && policy_may(actor, ACTION_ASSIGN, &s->w.facts) != POLICY_YES) ||
	    (requester && policy_may(actor, ACTION_SET_REQUESTER, &s->w.facts) != POLICY_YES))
		return md_fail(err, MD_REFUSED, WORK_FORBIDDEN, "not allowed to you");
	ch->set_assignee = assignee != NULL;
	ch->set_team = team != NULL;
	s->field = "assignee";
	if (assignee && !json_is_null(assignee))
		rc = api_person(c, &s->arena, assignee, false, s->q->now_ms, &ch->assignee, err);
	if (rc == MD_OK && team) {
		s->field = "team";
		rc = read_team(c, s, team, &ch->team, err);
	}
	if (rc == MD_OK && requester) {
		s->field = "requester";
		rc = api_person(c, &s->arena, requester, true, s->q->now_ms, &ch->requester, err);
	}
	if (rc == MD_OK)
		s->field = NULL;
	return rc;
}

static int read_change(struct db_conn *c, struct ticket_step *s, struct work_change *ch,
		       struct md_err *err)
{
	const json_t *body = s->q->json, *v;
	const char *priority = json_get_string(body, "priority");

	ch->status = json_get_string(body, "status");
	ch->title = clean_line(&s->arena, json_get_string(body, "title"));
	if (priority)
		ch->priority = work_priority_from_name(priority);
	if ((v = json_object_get(body, "category")) != NULL)
		ch->category = json_is_null(v) ? "" : clean_line(&s->arena, json_string_value(v));
	if ((v = json_object_get(body, "tags")) != NULL) {
		ch->set_tags = true;
		ch->tags = read_names(&s->arena, v);
	}
	ch->set_due = read_instant(body, "due_at", &ch->due_at);
	ch->set_snoozed = read_instant(body, "snoozed_until", &ch->snoozed_until);
	if (s->arena.failed)
		return out_of_memory(err);
	return read_people(c, s, ch, err);
}

/* All of a PUT: what is not there becomes empty, but for what cannot be. */
static void empty_the_rest(struct work_change *ch)
{
	if (!ch->category)
		ch->category = "";
	ch->set_tags = ch->set_assignee = ch->set_team = ch->set_due = ch->set_snoozed = true;
}

/* One after the other: work_change() takes a field at a time. */
static int change_custom(struct ticket_step *s, struct md_err *err)
{
	const struct config *config = s->api->desk->config;
	const json_t *fields = json_object_get(s->q->json, "fields");
	const char *name;
	json_t *v;
	int rc = MD_OK;

	json_object_foreach((json_t *)(uintptr_t)fields, name, v)
	{
		struct work_change ch = WORK_CHANGE_NONE;

		s->field = arena_printf(s->q->arena, "fields.%s", name);
		ch.field = name;
		ch.value = json_is_null(v) ? "" : json_string_value(v);
		rc = work_change(&s->w, &ch, err);
		if (rc != MD_OK)
			return rc;
	}
	for (size_t i = 0; i < config->n_fields && s->whole && rc == MD_OK; i++) {
		struct work_change ch = WORK_CHANGE_NONE;

		ch.field = config->fields[i].title;
		ch.value = "";
		if (!json_object_get(fields, ch.field))
			rc = work_change(&s->w, &ch, err);
	}
	s->field = NULL;
	return rc;
}

/* The description is the first comment and is edited by its rule. */
static int change_description(struct db_conn *c, struct ticket_step *s, struct md_err *err)
{
	const char *body = clean_text(&s->arena, json_get_string(s->q->json, "description"));
	struct comment first;
	int64_t id = 0;
	int rc;

	if (!body)
		return s->arena.failed ? out_of_memory(err) : MD_OK;
	rc = comment_first(c, s->ticket, &id, err);
	if (rc == MD_OK && id)
		rc = comment_get(c, id, &s->arena, &first, err);
	if (rc == MD_OK && id && !first.deleted_at && strcmp(first.body, body) != 0)
		rc = work_comment_edit(&s->w, id, body, err);
	return rc;
}

static int change_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ticket_step *s = ctx;
	struct work_change ch = WORK_CHANGE_NONE;
	int rc;

	arena_reset(&s->arena);
	s->field = NULL;
	rc = work_open(api_by(s->q), c, &s->arena, s->ticket, &s->w, err);
	if (rc != MD_OK)
		return rc;
	s->conflict = !api_wants_version(s->q, s->ticket, s->w.ticket.version);
	if (s->conflict)
		return md_fail(err, MD_CONFLICT, 0, "another version");
	rc = read_change(c, s, &ch, err);
	if (rc == MD_OK && s->whole)
		empty_the_rest(&ch);
	if (rc == MD_OK)
		rc = work_change(&s->w, &ch, err);
	s->field = rc == MD_OK ? NULL : s->field;
	if (rc == MD_OK)
		rc = change_custom(s, err);
	if (rc == MD_OK)
		rc = change_description(c, s, err);
	return rc == MD_OK ? work_save(&s->w, err) : rc;
}

/* A refused move says where else the ticket may go. */
static int refuse_move(struct ticket_step *s, struct http_response *r, int rc, struct md_err *err)
{
	const struct work *before = s->q->found;
	struct work now = *before;
	struct rec_strs allowed;
	struct buf *out;

	now.arena = s->q->arena;
	allowed = work_allowed(&now);
	refuse_step(s, r, rc, err);
	out = http_refuse_extra(r);
	show_texts(out, "allowed_statuses", &allowed);
	return MD_OK;
}

static int change(void *ctx, struct http_request *q, struct http_response *r, bool whole,
		  struct md_err *err)
{
	struct api *api = ctx;
	struct ticket_step *s = arena_alloc(q->arena, sizeof *s);
	const char *status = json_get_string(q->json, "status");
	int rc;

	if (!s)
		return out_of_memory(err);
	*s = (struct ticket_step){ .api = api,
				   .q = q,
				   .ticket = q->ids[0],
				   .arena = ARENA_INIT(32 << 20),
				   .whole = whole };
	if (!has_title(q, r))
		return MD_OK;
	if (status && !workflow_status(api->desk->workflow, status)) {
		s->field = "status";
		return refuse_step(s, r, md_fail(err, MD_INPUT, 0, "is no status of this desk"),
				   err);
	}
	rc = db_txn(api->desk->db, change_in_txn, s, err);
	arena_done(&s->arena);
	if (rc == MD_CONFLICT && s->conflict)
		return api_version_conflict(api, q, r, s->ticket, err);
	if (rc == MD_CONFLICT)
		return api_ticket_conflict(api, q, r, s->ticket, err);
	if (status && (rc == MD_REFUSED || (rc == MD_INPUT && !s->field)))
		return refuse_move(s, r, rc, err);
	if (rc != MD_OK)
		return refuse_step(s, r, rc, err);
	work_done(api->desk);
	return api_show_ticket(api, q, s->ticket, &r->body, r, err);
}

int ticket_patch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return change(ctx, q, r, false, err);
}

int ticket_put(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	if (!json_object_get(q->json, "version") && !http_header(q, "If-Match")) {
		http_refuse(q, r, 422, "validation", "the body cannot be used");
		http_refuse_field(r, "version", "is required, or If-Match");
		return MD_OK;
	}
	return change(ctx, q, r, true, err);
}

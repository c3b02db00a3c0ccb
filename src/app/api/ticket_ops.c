/* What is done to a ticket beside its fields: one operation of app/work.h a route. */
#include "api_private.h"

#include <string.h>

struct op_step {
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	struct work w;
	struct db_conn *c;
	int64_t ticket, made; /* made: what the operation came up with */
	const char *subject;  /* the field of the body that names who or what it is about */
	bool conflict;
	int (*op)(struct op_step *s, struct md_err *err);
};

static int64_t number(const struct op_step *s, const char *key)
{
	return json_integer_value(json_object_get(s->q->json, key));
}

static const char *const subjects[] = { "into", "comment", "user", "ticket" };

static int op_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct op_step *s = ctx;
	int rc;

	arena_reset(&s->arena);
	s->c = c;
	for (size_t i = 0; i < MD_COUNT(subjects); i++)
		if (json_object_get(s->q->json, subjects[i]))
			s->subject = subjects[i];
	rc = work_open(api_by(s->q), c, &s->arena, s->ticket, &s->w, err);
	if (rc != MD_OK)
		return rc;
	s->conflict = !api_wants_version(s->q, s->ticket, s->w.ticket.version);
	if (s->conflict)
		return md_fail(err, MD_CONFLICT, 0, "another version");
	rc = s->op(s, err);
	return rc == MD_OK ? work_save(&s->w, err) : rc;
}

/* Run it; r->code is set when it was refused already. */
static int run(struct api *api, struct http_request *q, struct http_response *r, int64_t ticket,
	       int (*op)(struct op_step *s, struct md_err *err), int64_t *ret_made,
	       struct md_err *err)
{
	struct op_step *s = arena_alloc(q->arena, sizeof *s);
	int rc;

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	*s = (struct op_step){ .q = q, .arena = ARENA_INIT(32 << 20), .ticket = ticket, .op = op };
	rc = api_txn(api, q, op_in_txn, s, &s->made, err);
	arena_done(&s->arena);
	if (rc == MD_CONFLICT && s->conflict)
		return api_version_conflict(api, q, r, ticket, err);
	if (rc == MD_INPUT && err->native == WORK_BAD_VALUE && s->subject) {
		api_refuse_field(q, r, s->subject, err);
		return MD_OK;
	}
	if (rc == MD_CONFLICT)
		return api_ticket_conflict(api, q, r, ticket, err);
	if (rc != MD_OK)
		return rc;
	work_done(api->desk);
	if (ret_made)
		*ret_made = s->made;
	return MD_OK;
}

static int run_and_show(struct api *api, struct http_request *q, struct http_response *r,
			int (*op)(struct op_step *s, struct md_err *err), struct md_err *err)
{
	int rc = run(api, q, r, q->ids[0], op, NULL, err);

	return rc != MD_OK || r->code ? rc : api_show_ticket(api, q, q->ids[0], &r->body, r, err);
}

/* ---- the ticket as a whole ---- */

static int op_delete(struct op_step *s, struct md_err *err)
{
	return work_delete(&s->w, err);
}
static int op_restore(struct op_step *s, struct md_err *err)
{
	return work_restore(&s->w, err);
}
static int op_merge(struct op_step *s, struct md_err *err)
{
	return work_merge(&s->w, number(s, "into"), err);
}
static int op_unmerge(struct op_step *s, struct md_err *err)
{
	return work_unmerge(&s->w, err);
}
static int op_split(struct op_step *s, struct md_err *err)
{
	return work_split(&s->w, number(s, "comment"), &s->made, err);
}
static int op_watch(struct op_step *s, struct md_err *err)
{
	return work_watch(&s->w, !json_is_false(json_object_get(s->q->json, "watching")), err);
}
static int op_mute(struct op_step *s, struct md_err *err)
{
	return work_mute(&s->w, json_is_true(json_object_get(s->q->json, "muted")), err);
}

int ticket_delete(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run(ctx, q, r, q->ids[0], op_delete, NULL, err);
}

int ticket_restore(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run_and_show(ctx, q, r, op_restore, err);
}

int ticket_merge(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run_and_show(ctx, q, r, op_merge, err);
}

int ticket_unmerge(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run_and_show(ctx, q, r, op_unmerge, err);
}

int ticket_watch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run_and_show(ctx, q, r, op_watch, err);
}

int ticket_mute(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run_and_show(ctx, q, r, op_mute, err);
}

int ticket_split(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	int64_t made = 0;
	int rc = run(ctx, q, r, q->ids[0], op_split, &made, err);

	if (rc != MD_OK || r->code)
		return rc;
	http_made(q, r, made);
	return api_show_ticket(ctx, q, made, &r->body, r, err);
}

/* ---- participants ---- */

static int load_people(struct api *api, struct http_request *q, struct participant **ret,
		       size_t *ret_n, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = api_read(api, q, &c, err);

	return rc == MD_OK ? participant_list_all(c, q->ids[0], q->arena, ret, ret_n, err) : rc;
}

int participants_page(void *ctx, struct http_request *q, struct http_response *r,
		      struct md_err *err)
{
	struct api_page page = page_of(q);
	struct participant *people;
	size_t n, first, shown;
	int rc = load_people(ctx, q, &people, &n, err);

	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, people, n, user_id, &first);
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		api_show_participant(&r->body, &people[i]);
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

static int show_person(struct api *api, struct http_request *q, struct http_response *r,
		       int64_t user, struct md_err *err)
{
	struct participant *people;
	size_t n;
	int rc = load_people(api, q, &people, &n, err);

	for (size_t i = 0; rc == MD_OK && i < n; i++)
		if (people[i].user_id == user)
			api_show_participant(&r->body, &people[i]);
	return rc;
}

/* Whoever may not see the people of the desk names them by address, as in a mail. */
static int op_add_person(struct op_step *s, struct md_err *err)
{
	const json_t *who = json_object_get(s->q->json, "user");
	const char *role = json_get_string(s->q->json, "role");
	int rc;

	if (policy_may(&api_by(s->q)->actor, ACTION_ADD_PARTICIPANT, &s->w.facts) != POLICY_YES)
		return md_fail(err, MD_REFUSED, WORK_FORBIDDEN, "not allowed to you");
	if (json_is_integer(who) && !api_allowed(s->q, ACTION_SEE_CUSTOMERS))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "must be an address");
	rc = api_person(s->c, &s->arena, who, true, s->q->now_ms, &s->made, err);
	return rc == MD_OK ? work_participant(&s->w, s->made, role ? role : "cc", err) : rc;
}

int participants_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	int64_t user = 0;
	int rc = run(ctx, q, r, q->ids[0], op_add_person, &user, err);

	return rc != MD_OK || r->code ? rc : show_person(ctx, q, r, user, err);
}

static int op_drop_person(struct op_step *s, struct md_err *err)
{
	struct participant *people;
	size_t n;
	int rc = participant_list_all(s->c, s->ticket, &s->arena, &people, &n, err);

	for (size_t i = 0; rc == MD_OK && i < n; i++)
		if (people[i].user_id == s->q->ids[1])
			return work_participant_remove(&s->w, s->q->ids[1], err);
	return rc != MD_OK ? rc : md_fail(err, MD_NOTFOUND, WORK_INVISIBLE, "no such participant");
}

int participant_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run(ctx, q, r, q->ids[0], op_drop_person, NULL, err);
}

static int op_approve_person(struct op_step *s, struct md_err *err)
{
	return work_approve_person(&s->w, s->q->ids[1], err);
}

int participant_approve(void *ctx, struct http_request *q, struct http_response *r,
			struct md_err *err)
{
	int rc = run(ctx, q, r, q->ids[0], op_approve_person, NULL, err);

	return rc != MD_OK || r->code ? rc : show_person(ctx, q, r, q->ids[1], err);
}

/* ---- held comments ---- */

static int op_approve(struct op_step *s, struct md_err *err)
{
	return work_approve(&s->w, s->q->ids[0], err);
}

int comment_approve(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const struct comment *m = q->found;
	int rc = run(ctx, q, r, m->ticket_id, op_approve, NULL, err);

	return rc != MD_OK || r->code ? rc : api_show_comment(ctx, q, m->id, r, err);
}

/* ---- links ---- */

static int load_links(struct api *api, struct http_request *q, struct ticket_link **ret,
		      size_t *ret_n, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = api_read(api, q, &c, err);

	return rc == MD_OK ? ticket_link_list(c, q->ids[0], q->arena, ret, ret_n, err) : rc;
}

int links_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api_page page = page_of(q);
	struct ticket_link *links;
	size_t n, first, shown;
	int rc = load_links(ctx, q, &links, &n, err);

	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, links, n, other_id, &first);
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		api_show_link(&r->body, q->ids[0], &links[i]);
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

static int op_link(struct op_step *s, struct md_err *err)
{
	return work_link(&s->w, json_get_string(s->q->json, "type"), number(s, "ticket"), true,
			 err);
}
static int op_unlink(struct op_step *s, struct md_err *err)
{
	return work_link(&s->w, json_get_string(s->q->json, "type"), number(s, "ticket"), false,
			 err);
}

int links_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const char *type = json_get_string(q->json, "type");
	int64_t other = json_integer_value(json_object_get(q->json, "ticket"));
	struct ticket_link *links = NULL;
	size_t n = 0, i = 0;
	int rc = run(ctx, q, r, q->ids[0], op_link, NULL, err);

	if (rc != MD_OK || r->code)
		return rc;
	rc = load_links(ctx, q, &links, &n, err);
	while (i < n && (strcmp(links[i].type, type) != 0 ||
			 (links[i].other_id != other && links[i].ticket_id != other)))
		i++;
	if (rc == MD_OK && i < n)
		api_show_link(&r->body, q->ids[0], &links[i]);
	return rc;
}

int links_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return run(ctx, q, r, q->ids[0], op_unlink, NULL, err);
}

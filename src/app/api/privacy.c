/* What admins do about people beyond their fields: addresses, two that are one, an end, an export
 * of all that is known, and forgetting it. */
#include "api_private.h"

#include <maildesk/base/codec.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/privacy.h>
#include <maildesk/store/sessions.h>

#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 200,
	TICKETS_OF_EXPORT = 20000,
	RAW_BYTES = 24 << 20, /* of mails in an export; of the rest it has the addresses */
	EXPORT_ARENA = 48 << 20,
};

const struct http_field address_body[] = {
	{ "address", HTTP_LINE, HTTP_REQUIRED, 3, 320, NULL, NULL }, HTTP_END
};
const struct http_field user_merge_body[] = {
	{ "into", HTTP_PERSON, HTTP_REQUIRED, 1, 320, NULL, NULL }, HTTP_END
};

struct person_step {
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	const char *address;
	int64_t into;
	bool was_erased;
	int (*change)(struct db_conn *c, struct person_step *s, struct md_err *err);
};

static int step_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct person_step *s = ctx;
	struct user u;
	int rc;

	arena_reset(&s->arena);
	rc = user_get(c, s->q->ids[0], &s->arena, &u, err);
	if (rc != MD_OK)
		return rc;
	s->was_erased = u.erased_at != 0;
	return s->change(c, s, err);
}

static int run_step(struct api *api, struct person_step *s, struct md_err *err)
{
	int rc;

	s->arena = (struct arena)ARENA_INIT(64 << 20);
	rc = api_txn(api, s->q, step_in_txn, s, NULL, err);
	arena_done(&s->arena);
	return rc;
}

static int show_person(struct api *api, struct http_request *q, struct http_response *r, int64_t id,
		       struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user u;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = user_get(c, id, q->arena, &u, err);
	if (rc == MD_OK)
		api_show_user(&r->body, NULL, &u, true);
	return rc;
}

static bool is_self(struct http_request *q, struct http_response *r)
{
	if (api_by(q)->user.id != q->ids[0])
		return false;
	http_refuse(q, r, 409, "conflict", "not what you do to yourself: ask another admin");
	return true;
}

/* ---- addresses ---- */

static int show_addresses(struct api *api, struct http_request *q, struct http_response *r,
			  struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct rec_strs all;
	struct user u;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = user_get(c, q->ids[0], q->arena, &u, err);
	if (rc == MD_OK)
		rc = user_addresses(c, u.id, q->arena, &all, err);
	if (rc != MD_OK)
		return rc;
	show_begin(&r->body, NULL, '{');
	show_int(&r->body, "user", u.id);
	show_text(&r->body, "email", u.email);
	show_texts(&r->body, "addresses", &all);
	show_end(&r->body, '}');
	return MD_OK;
}

static int add_address(struct db_conn *c, struct person_step *s, struct md_err *err)
{
	if (s->was_erased)
		return md_fail(err, MD_CONFLICT, 0, "this person was erased");
	return person_address_add(c, s->q->ids[0], s->address, err);
}

static int remove_address(struct db_conn *c, struct person_step *s, struct md_err *err)
{
	return person_address_remove(c, s->q->ids[0], s->address, err);
}

int user_addresses_page(void *ctx, struct http_request *q, struct http_response *r,
			struct md_err *err)
{
	return api_may(q, r, ACTION_MANAGE_USERS) ? show_addresses(ctx, q, r, err) : MD_OK;
}

int user_address_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct person_step s = { .q = q,
				 .address = json_get_string(q->json, "address"),
				 .change = add_address };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	if (!mail_address_valid(s.address)) {
		http_refuse(q, r, 422, "validation", "the body cannot be used");
		http_refuse_field(r, "address", "is no mail address");
		return MD_OK;
	}
	rc = run_step(ctx, &s, err);
	return rc == MD_OK ? show_addresses(ctx, q, r, err) : rc;
}

int user_address_drop(void *ctx, struct http_request *q, struct http_response *r,
		      struct md_err *err)
{
	struct person_step s = { .q = q,
				 .address = json_get_string(q->json, "address"),
				 .change = remove_address };

	return api_may(q, r, ACTION_MANAGE_USERS) ? run_step(ctx, &s, err) : MD_OK;
}

/* ---- disabling, merging, erasing ---- */

static int disable(struct db_conn *c, struct person_step *s, struct md_err *err)
{
	struct user u;
	int rc = user_get(c, s->q->ids[0], &s->arena, &u, err);

	if (rc == MD_OK)
		rc = session_end_user(c, u.id, s->q->now_ms, err);
	if (rc != MD_OK)
		return rc;
	u.epoch++;
	if (!u.disabled_at)
		u.disabled_at = s->q->now_ms;
	return user_save(c, &u, err);
}

int user_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct person_step s = { .q = q, .change = disable };

	if (!api_may(q, r, ACTION_MANAGE_USERS) || is_self(q, r))
		return MD_OK;
	return run_step(ctx, &s, err);
}

/* Whoever answers for others keeps their own name on what they did. */
static int merge(struct db_conn *c, struct person_step *s, struct md_err *err)
{
	const json_t *who = json_object_get(s->q->json, "into");
	struct user from, into;
	int rc = api_person(c, &s->arena, who, false, s->q->now_ms, &s->into, err);

	if (rc == MD_OK)
		rc = user_get(c, s->q->ids[0], &s->arena, &from, err);
	if (rc == MD_OK)
		rc = user_get(c, s->into, &s->arena, &into, err);
	if (rc != MD_OK)
		return rc;
	if (from.id == into.id || into.disabled_at || strcmp(from.role, "customer") != 0)
		return md_fail(
			err, MD_INPUT, WORK_BAD_VALUE,
			"into: a customer is merged into another person who is not disabled");
	return person_merge(c, from.id, into.id, s->q->now_ms, err);
}

int user_merge(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct person_step s = { .q = q, .change = merge };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	rc = run_step(ctx, &s, err);
	return rc == MD_OK ? show_person(ctx, q, r, s.into, err) : rc;
}

static int erase(struct db_conn *c, struct person_step *s, struct md_err *err)
{
	return person_erase(c, s->q->ids[0], s->q->now_ms, &s->arena, err);
}

int user_erase(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct person_step s = { .q = q, .change = erase };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS) || is_self(q, r))
		return MD_OK;
	rc = run_step(ctx, &s, err);
	if (rc != MD_OK)
		return rc;
	work_done(((struct api *)ctx)->desk);
	return show_person(ctx, q, r, q->ids[0], err);
}

/* ---- the export ---- */

struct export
{
	struct api *api;
	struct http_request *q;
	struct buf *out;
	struct db_conn *c;
	int64_t user;
	size_t raw_left;
};

typedef int (*list_fn)(struct db_conn *c, int64_t user, int64_t after, size_t limit,
		       struct arena *a, int64_t **ret, size_t *ret_n, struct md_err *err);
typedef int (*show_fn)(struct export *x, int64_t id, struct arena *a, struct md_err *err);

static int each(struct export *x, const char *key, list_fn list, show_fn show, struct md_err *err)
{
	int64_t after = 0, *ids;
	size_t n = BATCH, total = 0;
	int rc = MD_OK;

	show_begin(x->out, key, '[');
	while (rc == MD_OK && n == BATCH && total < TICKETS_OF_EXPORT) {
		md_auto(arena_done) struct arena a = ARENA_INIT(EXPORT_ARENA);

		rc = list(x->c, x->user, after, BATCH, &a, &ids, &n, err);
		for (size_t i = 0; i < n && rc == MD_OK; i++)
			rc = show(x, after = ids[i], &a, err);
		total += n;
	}
	show_end(x->out, ']');
	return rc;
}

static int export_ticket(struct export *x, int64_t id, struct arena *a, struct md_err *err)
{
	struct ticket t;
	int rc = ticket_get(x->c, id, a, &t, err);

	if (rc != MD_OK)
		return rc;
	show_begin(x->out, NULL, '{');
	show_int(x->out, "id", t.id);
	show_text(x->out, "title", t.title);
	show_text(x->out, "status", t.status);
	show_text(x->out, "channel", t.channel);
	show_time(x->out, "created_at", t.created_at);
	show_time(x->out, "closed_at", t.closed_at);
	show_end(x->out, '}');
	return MD_OK;
}

static int export_comment(struct export *x, int64_t id, struct arena *a, struct md_err *err)
{
	struct attachment_row *files;
	struct comment m;
	size_t n;
	int rc = comment_get(x->c, id, a, &m, err);

	if (rc == MD_OK)
		rc = attachment_of_comment(x->c, id, a, &files, &n, err);
	if (rc != MD_OK)
		return rc;
	show_begin(x->out, NULL, '{');
	show_int(x->out, "id", m.id);
	show_int(x->out, "ticket", m.ticket_id);
	show_text(x->out, "body", m.body_full ? m.body_full : m.body);
	show_text(x->out, "channel", m.channel);
	show_time(x->out, "created_at", m.created_at);
	show_begin(x->out, "attachments", '[');
	for (size_t i = 0; i < n; i++)
		api_show_attachment(x->out, &files[i]);
	show_end(x->out, ']');
	show_end(x->out, '}');
	return MD_OK;
}

/* In base64, as far as there is room for it. */
static int export_raw(struct export *x, const struct message_row *m, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(2 * RAW_BYTES);
	uint8_t *bytes;
	size_t n;
	int rc;

	if (!m->blob_id || (uint64_t)m->size > x->raw_left) {
		show_null(x->out, "raw");
		return MD_OK;
	}
	rc = blob_get(x->c, m->blob_id, &bytes, &n, err);
	if (rc != MD_OK)
		return rc;
	base64_encode(&text, bytes, n);
	free(bytes);
	x->raw_left -= n < x->raw_left ? n : x->raw_left;
	show_text(x->out, "raw", buf_str(&text));
	return MD_OK;
}

static int export_message(struct export *x, int64_t id, struct arena *a, struct md_err *err)
{
	struct message_row m;
	int rc = message_get(x->c, id, a, &m, err);

	if (rc != MD_OK)
		return rc;
	show_begin(x->out, NULL, '{');
	show_int(x->out, "id", m.id);
	show_text(x->out, "direction", m.direction);
	show_text(x->out, "message_id", m.message_id);
	show_text(x->out, "subject", m.subject);
	show_text(x->out, "from", m.from_address);
	show_id(x->out, "ticket", m.ticket_id);
	show_int(x->out, "size", m.size);
	show_time(x->out, "created_at", m.created_at);
	show_text(x->out, "raw_url",
		  m.blob_id ? arena_printf(a, "/api/v1/messages/%lld/raw", (long long)m.id) : NULL);
	rc = export_raw(x, &m, err);
	show_end(x->out, '}');
	return rc;
}

int user_export(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct export x = { api, q, &r->body, NULL, q->ids[0], RAW_BYTES };
	struct rec_strs addresses;
	struct user u;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	x.c = c;
	if (rc == MD_OK)
		rc = user_get(c, x.user, q->arena, &u, err);
	if (rc == MD_OK)
		rc = user_addresses(c, x.user, q->arena, &addresses, err);
	if (rc != MD_OK)
		return rc;
	show_begin(x.out, NULL, '{');
	api_show_user(x.out, "user", &u, true);
	show_texts(x.out, "addresses", &addresses);
	rc = each(&x, "tickets", person_tickets, export_ticket, err);
	if (rc == MD_OK)
		rc = each(&x, "comments", person_comments, export_comment, err);
	if (rc == MD_OK)
		rc = each(&x, "messages", person_messages, export_message, err);
	show_time(x.out, "exported_at", q->now_ms);
	show_end(x.out, '}');
	http_disposition(q, r, "attachment",
			 arena_printf(q->arena, "user-%lld.json", (long long)x.user));
	return rc == MD_OK ? api_note(api, q, x.user, err) : rc;
}

/* Webhooks, for admins. A secret is shown once, when it is made or set. */
#include "auth_private.h"

#include <maildesk/app/events.h>
#include <maildesk/app/webhooks.h>
#include <maildesk/net/webhook.h>
#include <maildesk/store/webhooks.h>

#include <string.h>

enum { SECRET_BYTES = 32, SECRET_MIN = 16, SECRET_MAX = 200, SEALED_MAX = 1000, NAMES_MAX = 600 };

static const char *const event_names[] = {
	"ticket.created", "ticket.updated",  "ticket.deleted",  "ticket.restored",
	"ticket.viewing", "comment.created", "comment.updated", "comment.deleted",
	"sla.warning",    "sla.breached",    "sla.escalated",   NULL,
};

struct hook_step {
	struct api *api;
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	struct webhook hook;
	const char *sealed, *secret; /* of a new secret; NULL: it stays */
	const char *events;
	struct http_response *r;
};

static void show_hook(struct buf *out, const struct webhook *w, const char *secret)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", w->id);
	show_text(out, "url", w->url);
	show_begin(out, "events", '[');
	for (const char *const *name = event_names; *name; name++) {
		const char *at = strstr(w->events, *name);

		if (at && strchr(" ", at[strlen(*name)]))
			show_text(out, NULL, *name);
	}
	show_end(out, ']');
	show_bool(out, "active", w->active);
	show_time(out, "created_at", w->created_at);
	if (secret)
		show_text(out, "secret", secret);
	show_end(out, '}');
}

int webhooks_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct webhook *all;
	size_t n, first, shown;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = webhook_list(c, q->arena, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, all, n, id, &first);
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		show_hook(&r->body, &all[i], NULL);
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

int webhook_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct webhook w;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = webhook_get(c, q->ids[0], q->arena, &w, err);
	if (rc == MD_OK)
		show_hook(&r->body, &w, NULL);
	return rc;
}

/* ---- made and changed ---- */

/* The names once each, parted by spaces; NULL: one of them is none. */
static const char *read_events(struct arena *a, const json_t *list)
{
	md_auto(buf_done) struct buf text = BUF_INIT(NAMES_MAX);

	for (const char *const *name = event_names; *name; name++)
		for (size_t i = 0; i < json_array_size(list); i++)
			if (strcmp(json_string_value(json_array_get(list, i)), *name) == 0) {
				buf_addf(&text, "%s%s", text.len ? " " : "", *name);
				break;
			}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *const *name = event_names;

		while (*name && strcmp(json_string_value(json_array_get(list, i)), *name) != 0)
			name++;
		if (!*name)
			return NULL;
	}
	return text.len ? arena_strdup(a, buf_str(&text)) : NULL;
}

/* A new secret: theirs, or a random one. *ret NULL: the old one stays. */
static int read_secret(struct hook_step *s, bool is_new, const char **ret, struct md_err *err)
{
	const json_t *theirs = json_object_get(s->q->json, "secret");
	md_auto(buf_wipe) struct buf text = BUF_INIT(SECRET_MAX + 1), sealed = BUF_INIT(SEALED_MAX);
	uint8_t bytes[SECRET_BYTES];
	int rc;

	*ret = NULL;
	if (!theirs && !is_new)
		return MD_OK;
	if (theirs && json_is_string(theirs)) {
		buf_adds(&text, json_string_value(theirs));
	} else {
		random_fill(s->api->desk->random, bytes, sizeof bytes);
		buf_adds(&text, "whsec_");
		base64url_encode(&text, bytes, sizeof bytes);
	}
	rc = vault_seal_text(s->api->desk->vault, WEBHOOK_PURPOSE, buf_str(&text), &sealed, err);
	if (rc != MD_OK)
		return rc;
	s->sealed = arena_strdup(s->q->arena, buf_str(&sealed));
	*ret = arena_strdup(s->q->arena, buf_str(&text));
	return s->sealed && *ret ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int save_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct hook_step *s = ctx;
	const json_t *body = s->q->json, *active = json_object_get(body, "active");
	struct webhook w = { .active = true,
			     .created_by = api_by(s->q)->user.id,
			     .created_at = s->q->now_ms };
	int rc = MD_OK;

	arena_reset(&s->arena);
	if (s->q->ids[0])
		rc = webhook_get(c, s->q->ids[0], &s->arena, &w, err);
	if (rc != MD_OK)
		return rc;
	if (json_object_get(body, "url"))
		w.url = json_get_string(body, "url");
	if (s->events)
		w.events = s->events;
	if (s->sealed)
		w.secret = s->sealed;
	if (active)
		w.active = json_is_true(active);
	rc = webhook_save(c, &w, s->q->now_ms, err);
	s->hook.id = w.id;
	return rc;
}

/* Its secret is told this once. */
static int tell_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct hook_step *s = ctx;
	struct webhook w;
	int rc = webhook_get(c, s->hook.id, s->q->arena, &w, err);

	if (rc != MD_OK)
		return rc;
	http_made(s->q, s->r, w.id);
	show_hook(&s->r->body, &w, s->secret);
	return MD_OK;
}

int webhooks_save(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct hook_step s = { .api = api, .q = q, .arena = ARENA_INIT(1 << 20), .r = r };
	const json_t *events = json_object_get(q->json, "events");
	const char *url = json_get_string(q->json, "url"), *fault;
	int rc;

	fault = url ? webhook_url_fault(url, api->desk->config->webhooks.allow_private) : NULL;
	if (fault)
		return auth_bad_field(q, r, "url", fault);
	s.events = events ? read_events(q->arena, events) : NULL;
	if (events && !s.events)
		return auth_bad_field(q, r, "events", "must be names of events, one at least");
	rc = read_secret(&s, !q->ids[0], &s.secret, err);
	if (rc == MD_OK)
		rc = api_txn_tell(api, q, &(struct api_telling){ r, save_in_txn, tell_in_txn, &s },
				  &s.hook.id, err);
	arena_done(&s.arena);
	return rc;
}

static int drop_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct http_request *q = ctx;

	return webhook_remove(c, q->ids[0], err);
}

int webhook_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;

	(void)r;
	return api_txn(api, q, drop_in_txn, q, NULL, err);
}

/* ---- calls ---- */

static void show_delivery(struct buf *out, const struct webhook_delivery *d)
{
	bool waits = strcmp(d->state, "delivered") != 0 && strcmp(d->state, "failed") != 0;

	show_begin(out, NULL, '{');
	show_int(out, "id", d->id);
	show_int(out, "webhook", d->webhook);
	show_text(out, "event", d->event.type);
	show_id(out, "ticket", d->event.ticket);
	show_text(out, "state", d->state);
	show_int(out, "attempts", d->attempts);
	show_time(out, "next_at", waits ? d->next_at : 0);
	show_id(out, "status", d->status);
	show_text(out, "reply", d->reply);
	show_text(out, "body", d->body);
	show_time(out, "created_at", d->created_at);
	show_time(out, "done_at", d->done_at);
	show_end(out, '}');
}

int webhook_calls(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct webhook_delivery *rows;
	struct webhook hook;
	int64_t total = 0;
	size_t n;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = webhook_get(c, q->ids[0], q->arena, &hook, err);
	if (rc == MD_OK)
		rc = webhook_deliveries(c, hook.id, page.behind.id, page.offset, page.limit,
					q->arena, &rows, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	n = PAGE_ROWS(&page, rows, n, id);
	page_begin(r);
	for (size_t i = 0; i < n; i++)
		show_delivery(&r->body, &rows[i]);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

static int test_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct hook_step *s = ctx;
	const struct event e = { .type = "webhook.test",
				 .actor = api_by(s->q)->user.id,
				 .at = s->q->now_ms };
	int rc;

	arena_reset(&s->arena);
	rc = webhook_get(c, s->q->ids[0], &s->arena, &s->hook, err);
	if (rc == MD_OK && !s->hook.active)
		return md_fail(err, MD_CONFLICT, 0, "this webhook is switched off");
	return rc == MD_OK ? webhook_queue(c, s->hook.id, &e, s->q->now_ms, err) : rc;
}

int webhook_test(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct hook_step s = { .api = api, .q = q, .arena = ARENA_INIT(1 << 20) };
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct webhook_delivery *row;
	int64_t total;
	size_t n = 0;
	int rc = api_txn(api, q, test_in_txn, &s, NULL, err);

	arena_done(&s.arena);
	if (rc != MD_OK)
		return rc;
	desk_wake(api->desk, DESK_WEBHOOKS);
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = webhook_deliveries(c, q->ids[0], 0, 0, 1, q->arena, &row, &n, &total, err);
	if (rc == MD_OK && n)
		show_delivery(&r->body, &row[0]);
	return rc;
}

#define HOOK_FIELDS(flags)                                                                  \
	{ "url", HTTP_LINE, flags, 8, WEBHOOK_URL_MAX, NULL, NULL },                        \
		{ "events", HTTP_LINES, flags, 1, 30, event_names, NULL },                  \
		{ "secret", HTTP_LINE, HTTP_NULLABLE, SECRET_MIN, SECRET_MAX, NULL, NULL }, \
	{                                                                                   \
		"active", HTTP_BOOL, 0, 0, 0, NULL, NULL                                    \
	}
const struct http_field webhooks_body[] = { HOOK_FIELDS(HTTP_REQUIRED), HTTP_END };
const struct http_field webhook_changes[] = { HOOK_FIELDS(0), HTTP_END };

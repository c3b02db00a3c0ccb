/* The audit log: which routes are noted in it, and how it is read.
 *
 * What a route of an admin changes is noted in the transaction that changes it: api_txn() is where
 * all of them pass. */
#include "api_private.h"

#include <maildesk/app/audit.h>

#include <string.h>

enum { MINUTE_MS = 60000, DETAIL_MAX = 300, ACTION_MAX = 60 };

static const struct {
	const char *path, *about;
} noted[] = {
	{ "/users", "user" },
	{ "/api-keys", "api_key" },
	{ "/webhooks", "webhook" },
	{ "/teams", "team" },
	{ "/organisations", "organisation" },
	{ "/tags", "tag" },
	{ "/canned-replies", "canned_reply" },
	{ "/quarantine", "quarantine" },
	{ "/blocked-senders", "blocked_sender" },
	{ "/outbox", "outbox" },
	{ "/mailboxes", "mailbox" },
	{ "/saved-views", "saved_view" },
	{ "/tickets/{id}/restore", "ticket" },
};

static const char *about_of(const struct http_route *route)
{
	const char *path = route ? route->path + strlen("/api/v1") : "";

	for (size_t i = 0; i < MD_COUNT(noted); i++) {
		size_t n = strlen(noted[i].path);

		if (strncmp(path, noted[i].path, n) == 0 && (!path[n] || path[n] == '/'))
			return noted[i].about;
	}
	return NULL;
}

/* "user.change", "user.merge", "user.addresses.add": from the route. */
static void name_action(const struct http_route *route, const char *about, char ret[ACTION_MAX])
{
	static const struct {
		const char *method, *verb;
	} verbs[] = { { "POST", "add" }, { "PATCH", "change" }, { "DELETE", "remove" } };
	const char *last = strrchr(route->path, '/') + 1;
	bool named = *last != '{' && strchr(route->path, '{');
	const char *verb = "";

	for (size_t i = 0; i < MD_COUNT(verbs); i++)
		if (strcmp(verbs[i].method, route->method) == 0)
			verb = verbs[i].verb;
	if (named && strcmp(last, "addresses") != 0)
		snprintf(ret, ACTION_MAX, "%s.%s", about, last);
	else
		snprintf(ret, ACTION_MAX, "%s%s.%s", about, named ? ".addresses" : "", verb);
}

/* Names of the fields, and what a role became: nothing of a person. */
static const char *detail_of(struct http_request *q)
{
	md_auto(buf_done) struct buf text = BUF_INIT(DETAIL_MAX);
	const char *role = json_get_string(q->json, "role");
	json_t *body = (json_t *)q->json;

	for (void *it = json_object_iter(body); it; it = json_object_iter_next(body, it))
		buf_addf(&text, "%s%s", text.len ? " " : "", json_object_iter_key(it));
	if (role)
		buf_addf(&text, "; role=%s", role);
	return text.len && text.status == MD_OK ? arena_strdup(q->arena, buf_str(&text)) : NULL;
}

/* Who is not known yet signs in as the console does, or as a program does. */
static const char *source_of(const struct http_request *q)
{
	const struct api_caller *caller = q->caller;
	bool in_console =
		caller ? caller->in_console : json_is_true(json_object_get(q->json, "cookie"));

	return source_name(in_console ? SOURCE_CONSOLE : SOURCE_API);
}

struct noting {
	struct api *api;
	struct http_request *q;
	const char *about;
	db_txn_fn fn; /* NULL: done already */
	void *ctx;
	const int64_t *made;
};

static int note_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct noting *n = ctx;
	char action[ACTION_MAX];
	struct audit_row row = { .daemon = n->api->desk->instance,
				 .at = n->q->now_ms,
				 .actor = api_by(n->q)->user.id,
				 .source = source_of(n->q),
				 .action = action,
				 .about = n->about,
				 .detail = detail_of(n->q) };
	int rc = api_match(c, n->q, err);

	if (rc == MD_OK && n->fn)
		rc = n->fn(c, n->ctx, err);
	if (rc != MD_OK || !n->about)
		return rc;
	name_action(n->q->route, n->about, action);
	row.about_id = n->q->ids[0] ? n->q->ids[0] : n->made ? *n->made : 0;
	return audit_add(c, &row, err);
}

int api_txn(struct api *api, struct http_request *q, db_txn_fn fn, void *ctx, int64_t *made,
	    struct md_err *err)
{
	struct noting n = { api, q, about_of(q->route), fn, ctx, made };

	return api_once(api, q, note_in_txn, &n, made, err);
}

int api_note(struct api *api, struct http_request *q, int64_t id, struct md_err *err)
{
	struct noting n = { api, q, about_of(q->route), NULL, NULL, &id };

	return db_txn(api->desk->db, note_in_txn, &n, err);
}

/* ---- refused ---- */

struct refusal {
	struct audit_row row;
	char account[AUDIT_MAC], network[AUDIT_MAC];
};

static int count_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct refusal *r = ctx;

	return audit_count(c, &r->row, err);
}

/* That it cannot be noted now is no reason to answer otherwise. */
void api_note_refusal(struct api *api, struct http_request *q, const char *action,
		      const char *account, int64_t actor)
{
	struct refusal r = { .row = { .daemon = api->desk->instance,
				      .at = q->now_ms,
				      .actor = actor,
				      .source = source_of(q),
				      .action = action,
				      .minute = q->now_ms / MINUTE_MS } };
	char block[HTTP_ADDRESS_MAX];

	http_address_block(q->address, block);
	if (audit_mac(api->desk, account, r.account, NULL) != MD_OK ||
	    audit_mac(api->desk, block, r.network, NULL) != MD_OK)
		return;
	r.row.account = r.account;
	r.row.network = r.network;
	(void)db_txn(api->desk->db, count_in_txn, &r, NULL);
}

void api_refused(void *ctx, struct http_request *q, struct http_response *r)
{
	const struct api_caller *caller = q->caller;

	if (r->status == 403 && caller && strcmp(q->method, "GET") != 0)
		api_note_refusal(ctx, q, "request.refused", caller->by.user.email,
				 caller->by.user.id);
}

/* ---- reading ---- */

static void show_row(struct buf *out, const struct audit_row *a)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", a->id);
	show_time(out, "at", a->at);
	show_actor(out, "actor", a->actor, a->actor_name, a->actor_role);
	show_text(out, "source", a->source);
	show_text(out, "action", a->action);
	show_text(out, "about", a->about);
	show_id(out, "about_id", a->about_id);
	show_text(out, "detail", a->detail);
	show_text(out, "account", a->account && *a->account ? a->account : NULL);
	show_text(out, "network", a->network && *a->network ? a->network : NULL);
	show_int(out, "count", a->count);
	show_text(out, "daemon", a->daemon);
	show_id(out, "seq", a->seq);
	show_text(out, "hash", a->hash);
	show_end(out, '}');
}

int audit_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct audit_filter f = { .actor = api_query_ids(q, "actor"),
				  .about = api_query_words(q, "about"),
				  .about_id = api_query_ids(q, "about_id"),
				  .action = api_query_words(q, "action"),
				  .account = api_query_words(q, "account"),
				  .after_ms = api_query_time(q, "from"),
				  .before_ms = api_query_time(q, "to"),
				  .behind = page.behind.id,
				  .offset = page.offset,
				  .limit = page.limit };
	struct audit_row *rows;
	int64_t total;
	size_t n;
	int rc = MD_OK;

	for (size_t i = 0; i < f.account.n && rc == MD_OK; i++) {
		char mac[AUDIT_MAC];

		rc = audit_mac(api->desk, f.account.v[i], mac, err);
		f.account.v[i] = arena_strdup(q->arena, mac);
	}
	if (rc == MD_OK)
		rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = audit_list(c, &f, q->arena, &rows, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	n = PAGE_ROWS(&page, rows, n, id);
	page_begin(r);
	for (size_t i = 0; i < n; i++)
		show_row(&r->body, &rows[i]);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

const struct http_field audit_query[] = {
	API_PAGE_FIELDS,
	{ "actor", HTTP_NUMBERS, 0, 0, 0, NULL, NULL },
	{ "action", HTTP_WORDS, 0, 0, 0, NULL, NULL },
	{ "about", HTTP_WORDS, 0, 0, 0, NULL, NULL },
	{ "about_id", HTTP_NUMBERS, 0, 0, 0, NULL, NULL },
	{ "account", HTTP_WORDS, 0, 0, 0, NULL, NULL },
	{ "from", HTTP_TIME, 0, 0, 0, NULL, NULL },
	{ "to", HTTP_TIME, 0, 0, 0, NULL, NULL },
	HTTP_END,
};

/* Keys for programs (mdk_...): random, stored as a hash, shown once. A key acts as its maker, with
 * the maker's role of today, within its scopes; which scope a route takes is said here, and what is
 * named by none of the rows takes `admin`. */
#include "auth_private.h"

#include <maildesk/app/api_key.h>
#include <maildesk/app/audit.h>

#include <string.h>

#define KEY_PREFIX "mdk_"
enum { KEY_BYTES = 32, SCOPES_TEXT_MAX = 100, KEY_SHOWN_MAX = 4096, TOUCH_MS = 60000 };

enum { SCOPE_READ = 1 << 0, SCOPE_WRITE = 1 << 1, SCOPE_ADMIN = 1 << 2, SCOPE_ALL = 7 };
static const char *const scope_names[] = { "tickets:read", "tickets:write", "admin" };

static const struct {
	const char *path; /* below the base; a whole part of it */
	unsigned read, write;
} scopes[] = {
	{ "/auth/me", SCOPE_ALL, 0 },
	{ "/auth", 0, 0 }, /* a person's own: their password, their sessions */
	{ "/tickets", SCOPE_READ, SCOPE_WRITE },
	{ "/comments", SCOPE_READ, SCOPE_WRITE },
	{ "/attachments", SCOPE_READ, SCOPE_WRITE },
	{ "/messages", SCOPE_READ, SCOPE_WRITE },
	{ "/search", SCOPE_READ, 0 },
	{ "/events", SCOPE_READ, 0 },
	{ "/dashboard", SCOPE_READ, 0 },
	{ "/reports", SCOPE_READ, 0 },
	{ "/saved-views", SCOPE_READ, SCOPE_WRITE },
	{ "/users", SCOPE_READ | SCOPE_ADMIN, SCOPE_ADMIN },
	{ "/teams", SCOPE_READ | SCOPE_ADMIN, SCOPE_ADMIN },
	{ "/organisations", SCOPE_READ | SCOPE_ADMIN, SCOPE_ADMIN },
	{ "/tags", SCOPE_READ | SCOPE_ADMIN, SCOPE_ADMIN },
	{ "/canned-replies", SCOPE_READ | SCOPE_ADMIN, SCOPE_ADMIN },
};

static unsigned scopes_of(const struct http_route *route)
{
	const char *path = route->path + strlen("/api/v1");

	for (size_t i = 0; i < MD_COUNT(scopes); i++) {
		size_t n = strlen(scopes[i].path);

		if (strncmp(path, scopes[i].path, n) == 0 && (!path[n] || path[n] == '/'))
			return strcmp(route->method, "GET") == 0 ? scopes[i].read : scopes[i].write;
	}
	return SCOPE_ADMIN;
}

void api_tell_scopes(const struct http_route *route, struct buf *out)
{
	unsigned bits = scopes_of(route);
	const char *between = " API keys: ";

	if (!bits)
		buf_adds(out, " Not with an API key.");
	for (size_t i = 0; i < MD_COUNT(scope_names); i++) {
		if (!(bits & 1U << i))
			continue;
		buf_addf(out, "%s`%s`", between, scope_names[i]);
		between = " or ";
	}
	buf_adds(out, bits ? "." : "");
}

static int scope_bit(const char *name, size_t n)
{
	for (size_t i = 0; i < MD_COUNT(scope_names); i++)
		if (strlen(scope_names[i]) == n && memcmp(scope_names[i], name, n) == 0)
			return 1 << i;
	return 0;
}

static unsigned scope_bits(const char *words)
{
	unsigned bits = 0;

	for (size_t n; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		bits |= (unsigned)scope_bit(words, n);
	}
	return bits;
}

bool api_key_is_admin(const struct api_caller *caller)
{
	return caller->scopes & SCOPE_ADMIN;
}

bool api_permit(void *ctx, struct http_request *q, struct http_response *r,
		const struct http_route *route)
{
	const struct api_caller *caller = q->caller;

	(void)ctx;
	if (!caller || !caller->key || (caller->scopes & scopes_of(route)))
		return true;
	http_refuse(q, r, 403, "forbidden", "this key lacks the scope for that");
	return false;
}

/* ---- calling with one ---- */

bool auth_is_key(const char *token)
{
	return strncmp(token, KEY_PREFIX, strlen(KEY_PREFIX)) == 0;
}

struct touch {
	int64_t id, now_ms;
};

static int touch_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct touch *t = ctx;

	return api_key_used(c, t->id, t->now_ms, err);
}

static int find_key(struct api *api, struct http_request *q, const char *token,
		    struct api_key *ret_key, struct user *ret, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	char hash[SHA256_HEX];
	int rc = api_read(api, q, &c, err);

	auth_hash(token, hash);
	if (rc == MD_OK)
		rc = api_key_find(c, hash, q->arena, ret_key, err);
	if (rc == MD_OK)
		rc = user_get(c, ret_key->user_id, q->arena, ret, err);
	if (rc == MD_NOTFOUND ||
	    (rc == MD_OK &&
	     (ret->disabled_at || (ret_key->expires_at && ret_key->expires_at <= q->now_ms))))
		return md_fail(err, MD_REFUSED, 0, "this key is not valid (any more)");
	return rc;
}

int auth_by_key(struct api *api, struct http_request *q, const char *token, struct user *ret,
		struct api_caller *caller, struct md_err *err)
{
	struct api_key k;
	int rc = find_key(api, q, token, &k, ret, err);
	struct touch t = { .now_ms = q->now_ms };

	if (rc != MD_OK)
		return rc;
	t.id = k.id;
	/* When it was used is good to know; that it cannot be noted now is no reason to refuse. */
	if (k.last_used_at < q->now_ms - TOUCH_MS)
		(void)db_txn(api->desk->db, touch_in_txn, &t, NULL);
	caller->key = k.id;
	caller->scopes = scope_bits(k.scopes);
	return MD_OK;
}

/* ---- the resource ---- */

struct making {
	struct api_key key;
	char text[API_KEY_TEXT_MAX], hash[SHA256_HEX], scopes[SCOPES_TEXT_MAX];
	struct http_request *q;
	struct http_response *r;
};

static void show_key(struct buf *out, const struct api_key *k, const char *text)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", k->id);
	show_text(out, "name", k->name);
	show_int(out, "user", k->user_id);
	show_begin(out, "scopes", '[');
	for (size_t i = 0; i < MD_COUNT(scope_names); i++)
		if (scope_bits(k->scopes) & 1U << i)
			show_text(out, NULL, scope_names[i]);
	show_end(out, ']');
	show_time(out, "created_at", k->created_at);
	show_time(out, "expires_at", k->expires_at);
	show_time(out, "last_used_at", k->last_used_at);
	if (text)
		show_text(out, "key", text);
	show_end(out, '}');
}

int api_keys_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct api_key *all;
	size_t n, first, shown;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = api_key_list(c, q->arena, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, all, n, id, &first);
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		show_key(&r->body, &all[i], NULL);
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

/* False: one of them is none. */
static bool read_scopes(const json_t *list, char ret[SCOPES_TEXT_MAX])
{
	md_auto(buf_done) struct buf text = BUF_INIT(SCOPES_TEXT_MAX - 1);
	unsigned bits = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		unsigned bit = (unsigned)scope_bit(word, strlen(word));

		if (!bit)
			return false;
		if (!(bits & bit))
			buf_addf(&text, "%s%s", bits ? " " : "", word);
		bits |= bit;
	}
	if (!bits || text.status != MD_OK)
		return false;
	memcpy(ret, text.data, text.len + 1);
	return true;
}

static int make_key(struct random *random, struct making *m, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(API_KEY_TEXT_MAX - 1);
	uint8_t bytes[KEY_BYTES];

	random_fill(random, bytes, sizeof bytes);
	buf_adds(&text, KEY_PREFIX);
	base64url_encode(&text, bytes, sizeof bytes);
	if (text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	memcpy(m->text, text.data, text.len + 1);
	auth_hash(m->text, m->hash);
	return MD_OK;
}

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct making *m = ctx;

	return api_key_add(c, &m->key, m->hash, &m->key.id, err);
}

int api_key_make(struct db *db, struct random *random, const char *words, struct api_key *k,
		 char ret_text[API_KEY_TEXT_MAX], struct md_err *err)
{
	struct making m = { .key = *k };
	md_auto(buf_done) struct buf text = BUF_INIT(SCOPES_TEXT_MAX - 1);
	int rc;

	for (size_t n; *words; words += n + (words[n] != '\0')) {
		n = strcspn(words, ", ");
		if (n && !scope_bit(words, n))
			return md_fail(err, MD_INPUT, 0,
				       "\"%.*s\" is no scope: allowed: tickets:read, "
				       "tickets:write, admin",
				       (int)n, words);
		buf_adds(&text, n && text.len ? " " : "");
		buf_add(&text, words, n);
	}
	if (!text.len || text.status != MD_OK)
		return md_fail(err, MD_INPUT, 0,
			       "scopes: allowed: tickets:read, tickets:write, admin");
	m.key.scopes = buf_str(&text);
	rc = make_key(random, &m, err);
	if (rc == MD_OK)
		rc = audit_cli_txn(db, &(struct audit_deed){ "api_key.add", "api_key", &m.key.id },
				   add_in_txn, &m, err);
	if (rc == MD_OK) {
		k->id = m.key.id;
		memcpy(ret_text, m.text, sizeof m.text);
	}
	return rc;
}

static int tell_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct making *m = ctx;

	(void)c, (void)err;
	http_made(m->q, m->r, m->key.id);
	show_key(&m->r->body, &m->key, m->text);
	return MD_OK;
}

int api_keys_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	const char *end = json_get_string(q->json, "expires_at");
	struct making m = { .key = { .user_id = api_by(q)->user.id,
				     .name = json_get_string(q->json, "name"),
				     .created_at = q->now_ms } };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	if (!read_scopes(json_object_get(q->json, "scopes"), m.scopes))
		return auth_bad_field(q, r, "scopes",
				      "must be of tickets:read, tickets:write, admin");
	m.key.scopes = m.scopes;
	if (end)
		(void)time_parse(end, &m.key.expires_at); /* checked */
	if (end && m.key.expires_at <= q->now_ms)
		return auth_bad_field(q, r, "expires_at", "must lie ahead");
	m.q = q;
	m.r = r;
	rc = make_key(api->desk->random, &m, err);
	return rc == MD_OK ? api_txn_tell(api, q,
					  &(struct api_telling){ r, add_in_txn, tell_in_txn, &m },
					  &m.key.id, err)
			   : rc;
}

/* Of what can be changed: when it was used is no change of it. */
static const char *tag_of(struct arena *a, const struct api_key *k)
{
	md_auto(buf_done) struct buf text = BUF_INIT(KEY_SHOWN_MAX);
	struct api_key unused = *k;

	unused.last_used_at = 0;
	show_key(&text, &unused, NULL);
	return http_tag(a, &text);
}

int api_keys_get(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct api_key k;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = api_key_get(c, q->ids[0], q->arena, &k, err);
	if (rc != MD_OK)
		return rc;
	show_key(&r->body, &k, NULL);
	r->etag = tag_of(q->arena, &k);
	return r->etag ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

struct changing {
	struct http_request *q;
	const char *scopes; /* NULL: as they are */
};

static int change_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct changing *ch = ctx;
	const json_t *body = ch->q->json, *end = json_object_get(body, "expires_at");
	struct api_key k;
	int rc = api_key_get(c, ch->q->ids[0], ch->q->arena, &k, err);

	if (rc != MD_OK)
		return rc;
	if (json_object_get(body, "name"))
		k.name = json_get_string(body, "name");
	if (ch->scopes)
		k.scopes = ch->scopes;
	if (json_is_null(end))
		k.expires_at = 0;
	else if (end)
		(void)time_parse(json_string_value(end), &k.expires_at); /* checked */
	return api_key_save(c, &k, err);
}

/* Its end may be now: that is how it is stopped and still seen. */
int api_keys_patch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const json_t *scopes_wanted = json_object_get(q->json, "scopes");
	char scopes_text[SCOPES_TEXT_MAX];
	struct changing ch = { .q = q, .scopes = scopes_wanted ? scopes_text : NULL };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	if (scopes_wanted && !read_scopes(scopes_wanted, scopes_text))
		return auth_bad_field(q, r, "scopes",
				      "must be of tickets:read, tickets:write, admin");
	rc = api_txn(ctx, q, change_in_txn, &ch, NULL, err);
	return rc == MD_OK ? api_keys_get(ctx, q, r, err) : rc;
}

static int drop_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct http_request *q = ctx;

	return api_key_remove(c, q->ids[0], err);
}

int api_keys_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;

	return api_may(q, r, ACTION_MANAGE_USERS) ? api_txn(api, q, drop_in_txn, q, NULL, err)
						  : MD_OK;
}

const struct http_field api_key_changes[] = {
	{ "name", HTTP_LINE, 0, 1, 100, NULL, NULL },
	{ "scopes", HTTP_LINES, 0, 1, 20, NULL, NULL },
	{ "expires_at", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL, NULL },
	HTTP_END,
};
const struct http_field api_keys_body[] = {
	{ "name", HTTP_LINE, HTTP_REQUIRED, 1, 100, NULL, NULL },
	{ "scopes", HTTP_LINES, HTTP_REQUIRED, 1, 20, NULL, NULL },
	{ "expires_at", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL, NULL },
	HTTP_END,
};

/* Oneself: who one is, and where one is signed in. */

#include "auth_private.h"

#include <maildesk/base/utf8.h>
#include <maildesk/app/digest.h>
#include <maildesk/desk/digest.h>
#include <maildesk/store/otp.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 4096 };

int auth_me(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct buf *out = &r->body;
	struct otp_row o = { 0 };
	struct user u;
	int rc = api_read(ctx, q, &c, err);

	if (rc == MD_OK)
		rc = user_get(c, api_by(q)->user.id, q->arena, &u, err);
	if (rc != MD_OK)
		return rc;
	rc = otp_get(c, u.id, q->arena, &o, err);
	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	api_show_user(out, NULL, &u, true);
	buf_cut(out, out->len - 1); /* its bracket: there is more */
	show_text(out, "signature", u.signature);
	show_text(out, "digest", u.digest);
	show_bool(out, "otp_enabled", o.confirmed_at != 0);
	show_bool(out, "has_password", u.password_hash != NULL);
	show_end(out, '}');
	return MD_OK;
}

/* ---- changing ---- */

struct me_work {
	struct api *api;
	struct http_request *q;
	struct user user;
	const char *name, *hash;
	char family[AUTH_FAMILY_MAX]; /* the present session: it goes on */
};

static const char *changed(const struct http_request *q, const char *key, const char *now)
{
	const json_t *v = json_object_get(q->json, key);

	return v ? json_string_value(v) : now;
}

/* Access tokens end, this session's too: its refresh token gets the next. */
static int end_rest(struct db_conn *c, struct me_work *w, struct md_err *err)
{
	int rc = session_end_others(c, w->user.id, w->family, w->q->now_ms, err);

	w->user.epoch++;
	return rc == MD_OK ? account_link_end_user(c, w->user.id, w->q->now_ms, err) : rc;
}

static int change_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct me_work *w = ctx;
	int rc = user_get(c, api_by(w->q)->user.id, w->q->arena, &w->user, err);

	if (rc != MD_OK)
		return rc;
	if (w->name)
		w->user.name = w->name;
	w->user.locale = changed(w->q, "locale", w->user.locale);
	w->user.timezone = changed(w->q, "timezone", w->user.timezone);
	w->user.signature = changed(w->q, "signature", w->user.signature);
	w->user.digest = changed(w->q, "digest", w->user.digest);
	if (w->hash) {
		w->user.password_hash = w->hash;
		rc = end_rest(c, w, err);
	}
	if (rc == MD_OK)
		rc = user_save(c, &w->user, err);
	if (rc == MD_OK &&
	    (json_object_get(w->q->json, "digest") || json_object_get(w->q->json, "timezone")))
		rc = digest_reschedule(w->api->desk, c, &w->user, w->q->now_ms, err);
	return rc;
}

/* Does the body's old password allow a new one? Else the answer is written. */
static bool may_set_password(struct api *api, struct http_request *q, struct http_response *r)
{
	const struct user *u = &api_by(q)->user;
	const char *old = json_get_string(q->json, "old_password");

	if (!u->password_hash)
		return true;
	if (!old) {
		auth_bad_field(q, r, "old_password", "is required with a new one");
		return false;
	}
	if (!auth_may_try(api, q, r, u->email))
		return false;
	if (auth_verify(api, u->password_hash, old))
		return true;
	auth_bad_field(q, r, "old_password", "is not right");
	return false;
}

static const char *clean_name(struct arena *a, const char *name)
{
	md_auto(buf_done) struct buf line = BUF_INIT(NAME_BYTES);

	utf8_clean_line(&line, name, strlen(name));
	return line.status == MD_OK ? arena_strdup(a, buf_str(&line)) : NULL;
}

/* NULL: nothing is wrong. */
static const char *bad_field(struct http_request *q, struct me_work *w, const char **ret_why)
{
	const char *name = json_get_string(q->json, "name");

	w->name = name ? clean_name(q->arena, name) : NULL;
	*ret_why = "must not be empty";
	return name && (!w->name || !w->name[0]) ? "name" : api_bad_place(q, ret_why);
}

int auth_me_patch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct me_work w = { .api = api, .q = q };
	char hash[PASSWORD_HASH_MAX];
	const char *why, *field = bad_field(q, &w, &why);
	int rc = MD_OK;

	if (field)
		return auth_bad_field(q, r, field, why);
	snprintf(w.family, sizeof w.family, "%" PRId64, api_session(q));
	if (json_get_string(q->json, "password")) {
		if (!may_set_password(api, q, r))
			return MD_OK;
		rc = auth_hash_password(api, q, r, hash, err);
		if (rc != MD_OK)
			return rc == MD_INPUT ? MD_OK : rc;
		w.hash = hash;
	}
	rc = api_txn(api, q, change_in_txn, &w, NULL, err);
	if (rc != MD_OK)
		return rc;
	desk_wake(api->desk, DESK_TIMERS);
	return auth_me(api, q, r, err);
}

/* ---- sessions ---- */

static void show_session(struct buf *out, const struct session_summary *s, int64_t present)
{
	int64_t id = strtoll(s->family, NULL, 10);

	show_begin(out, NULL, '{');
	show_int(out, "id", id);
	show_bool(out, "current", id == present);
	show_text(out, "user_agent", s->user_agent);
	show_time(out, "created_at", s->created_at);
	show_time(out, "last_used_at", s->last_used_at);
	show_time(out, "expires_at", s->expires_at);
	show_end(out, '}');
}

int auth_sessions(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct session_summary *all;
	size_t n, first, shown;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = session_list(c, api_by(q)->user.id, q->now_ms, q->arena, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, all, n, created_at,
			  &first); /* nobody signs in twice in a millisecond */
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		show_session(&r->body, &all[i], api_session(q));
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

struct ending {
	int64_t user, now_ms;
	char family[AUTH_FAMILY_MAX];
	bool others;
};

static int end_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ending *e = ctx;

	return (e->others ? session_end_others : session_end_own)(c, e->user, e->family, e->now_ms,
								  err);
}

static int end_sessions(struct api *api, struct http_request *q, int64_t session, bool others,
			struct md_err *err)
{
	struct ending e = { .user = api_by(q)->user.id, .now_ms = q->now_ms, .others = others };

	snprintf(e.family, sizeof e.family, "%" PRId64, session);
	return db_txn(api->desk->db, end_in_txn, &e, err);
}

int auth_sessions_end(void *ctx, struct http_request *q, struct http_response *r,
		      struct md_err *err)
{
	(void)r;
	return end_sessions(ctx, q, api_session(q), true, err);
}

int auth_session_end(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)r;
	return end_sessions(ctx, q, q->ids[0], false, err);
}

/* ---- bodies and answers ---- */

#define FIELD(name, type, flags, max)                 \
	{                                             \
		name, type, flags, 1, max, NULL, NULL \
	}
const struct http_field auth_me_changes[] = {
	FIELD("name", HTTP_LINE, 0, 200),
	FIELD("locale", HTTP_LINE, HTTP_NULLABLE, 35),
	FIELD("timezone", HTTP_LINE, HTTP_NULLABLE, 64),
	FIELD("signature", HTTP_TEXT, HTTP_NULLABLE, 2000),
	{ "digest", HTTP_LINE, 0, 0, 0, digest_names, NULL },
	FIELD("password", HTTP_LINE, 0, PASSWORD_MAX),
	FIELD("old_password", HTTP_LINE, 0, PASSWORD_MAX),
	HTTP_END,
};

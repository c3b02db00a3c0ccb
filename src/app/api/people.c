/* Users, and people named in bodies. */
#include "api_private.h"

#include <maildesk/app/account.h>
#include <maildesk/app/zone.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/password.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/privacy.h>
#include <maildesk/store/teams.h>

#include <string.h>

/* Customers see of others who they are and what they do here; of staff no address. */
void api_show_user(struct buf *out, const char *key, const struct user *u, bool whole)
{
	show_begin(out, key, '{');
	show_int(out, "id", u->id);
	show_text(out, "name", u->name);
	show_text(out, "role", u->role);
	if (whole) {
		show_text(out, "email", u->email);
		show_text(out, "locale", u->locale);
		show_text(out, "timezone", u->timezone);
		show_bool(out, "disabled", u->disabled_at != 0);
		show_time(out, "created_at", u->created_at);
		show_time(out, "undeliverable_at", u->undeliverable_at);
		show_time(out, "erased_at", u->erased_at);
		show_id(out, "organisation", u->organisation_id);
		show_time(out, "away_until", u->away_until);
	}
	show_end(out, '}');
}

static bool sees_whole(const struct http_request *q, const struct user *u)
{
	return api_by(q)->user.id == u->id || api_allowed(q, ACTION_SEE_CUSTOMERS);
}

/* ---- reading ---- */

int users_list(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(buf_done) struct buf folded = BUF_INIT(1000);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user_filter f = { .roles = api_query_words(q, "role"),
				 .staff_or_self = !api_allowed(q, ACTION_SEE_CUSTOMERS),
				 .self_id = api_by(q)->user.id,
				 .behind = page.behind.id,
				 .offset = page.offset,
				 .limit = page.limit };
	const char *part = http_query(q, "q");
	struct user *users;
	int64_t total;
	size_t n;
	int rc;

	if (!api_may(q, r, ACTION_LIST_USERS))
		return MD_OK;
	if (part) {
		utf8_fold(&folded, part, strlen(part));
		f.q = buf_str(&folded);
	}
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = user_list(c, &f, q->arena, &users, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, users, n, id);
	for (size_t i = 0; i < n; i++)
		api_show_user(&r->body, NULL, &users[i], sees_whole(q, &users[i]));
	page_end(q, r, &page, n, total);
	return MD_OK;
}

static int read_user(struct api *api, struct http_request *q, int64_t id, struct user *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = api_read(api, q, &c, err);

	return rc == MD_OK ? user_get(c, id, q->arena, ret, err) : rc;
}

int find_person(void *ctx, struct http_request *q, struct md_err *err)
{
	struct user *u = arena_alloc(q->arena, sizeof *u);
	int rc = u ? read_user(ctx, q, q->ids[0], u, err)
		   : md_fail(err, MD_NOMEM, 0, "out of memory");

	if (rc == MD_NOTFOUND ||
	    (rc == MD_OK && role_from_name(u->role) == ROLE_CUSTOMER && !sees_whole(q, u)))
		return md_fail(err, MD_NOTFOUND, 0, "no such user");
	q->found = u;
	return rc;
}

int user_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const struct user *u = q->found;

	(void)ctx;
	(void)err;
	api_show_user(&r->body, NULL, u, sees_whole(q, u));
	return MD_OK;
}

/* ---- writing ---- */

struct user_work {
	struct api *api;
	struct http_request *q;
	struct user user;
	char hash[PASSWORD_HASH_MAX];
	bool with_password, was_erased;
};

static const char *clean_name(struct arena *a, const char *name)
{
	md_auto(buf_done) struct buf line = BUF_INIT(4096);

	utf8_clean_line(&line, name, strlen(name));
	return line.status == MD_OK ? arena_strdup(a, buf_str(&line)) : NULL;
}

static int bad_field(struct http_request *q, struct http_response *r, const char *field,
		     const char *why)
{
	http_refuse(q, r, 422, "validation", "the body cannot be used");
	http_refuse_field(r, field, why);
	return MD_OK;
}

/* Outside the transaction: a hash takes its time. */
static int hash_password(struct user_work *w, struct http_response *r, struct md_err *err)
{
	const char *password = json_get_string(w->q->json, "password");
	int rc;

	if (!password)
		return MD_OK;
	rc = password_hash(password, w->hash, err);
	if (rc == MD_INPUT)
		return bad_field(w->q, r, "password", err->text);
	w->with_password = rc == MD_OK;
	return rc;
}

/* The organisation of the body, if it names one; null: none. */
static int read_organisation(struct db_conn *c, const struct http_request *q, int64_t *ret,
			     struct md_err *err)
{
	const json_t *v = json_object_get(q->json, "organisation");
	struct organisation *all;
	size_t n;
	int rc;

	if (!v)
		return MD_OK;
	*ret = 0;
	if (json_is_null(v))
		return MD_OK;
	rc = organisation_list(c, q->arena, &all, &n, err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		if (json_is_integer(v) ? all[i].id == json_integer_value(v)
				       : strcmp(all[i].name, json_string_value(v)) == 0)
			*ret = all[i].id;
	return rc == MD_OK && !*ret
		       ? md_fail(err, MD_INPUT, WORK_BAD_VALUE, "organisation: there is none such")
		       : rc;
}

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct user_work *w = ctx;
	struct user added;
	int rc = read_organisation(c, w->q, &w->user.organisation_id, err);

	if (rc == MD_OK)
		rc = user_add(c, &w->user, &w->user.id, err);
	if (rc == MD_OK)
		rc = user_get(c, w->user.id, w->q->arena, &added, err);
	if (rc == MD_OK && json_is_true(json_object_get(w->q->json, "disabled"))) {
		added.disabled_at = w->q->now_ms;
		return user_save(c, &added, err);
	}
	/* without a password, a link to set one */
	if (rc == MD_OK && !w->with_password)
		rc = account_invite(w->api->desk, c, w->q->arena, &added, w->q->now_ms, err);
	return rc;
}

static int address_taken(struct http_request *q, struct http_response *r)
{
	return http_refuse(q, r, 409, "conflict", "the address belongs to somebody already");
}

static bool is_zone(const char *name)
{
	md_auto(calendar_done) struct calendar zone = { 0 };

	return zone_load(name, &zone, NULL) == MD_OK;
}

/* "de", "pt_BR", "zh-Hant" */
static bool is_locale(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-");

	return n >= 2 && n <= 10 && !s[n];
}

const char *api_bad_place(const struct http_request *q, const char **ret_why)
{
	const char *zone = json_get_string(q->json, "timezone"),
		   *locale = json_get_string(q->json, "locale");

	*ret_why = "is no time zone";
	if (zone && !is_zone(zone))
		return "timezone";
	*ret_why = "is no language like en or pt_BR";
	return locale && !is_locale(locale) ? "locale" : NULL;
}

int users_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct user_work w = { .api = api, .q = q };
	const char *field, *why;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	w.user = (struct user){
		.name = clean_name(q->arena, json_get_string(q->json, "name")),
		.email = json_get_string(q->json, "email"),
		.role = json_get_string(q->json, "role"),
		.locale = json_get_string(q->json, "locale"),
		.timezone = json_get_string(q->json, "timezone"),
		.created_at = q->now_ms,
	};
	if (!w.user.name || !w.user.name[0])
		return bad_field(q, r, "name", "must not be empty");
	if (!mail_address_valid(w.user.email))
		return bad_field(q, r, "email", "is no mail address");
	field = api_bad_place(q, &why);
	if (field)
		return bad_field(q, r, field, why);
	rc = hash_password(&w, r, err);
	if (rc != MD_OK || r->code)
		return rc;
	w.user.password_hash = w.with_password ? w.hash : NULL;
	rc = api_txn(api, q, add_in_txn, &w, &w.user.id, err);
	if (rc == MD_CONFLICT)
		return address_taken(q, r);
	if (rc == MD_OK)
		rc = read_user(api, q, w.user.id, &w.user, err);
	if (rc != MD_OK)
		return rc;
	if (!w.with_password)
		work_done(api->desk);
	http_made(q, r, w.user.id);
	api_show_user(&r->body, NULL, &w.user, true);
	return MD_OK;
}

static const char *changed_text(const struct http_request *q, const char *key, const char *now)
{
	const json_t *v = json_object_get(q->json, key);

	return v ? json_string_value(v) : now;
}

/* What was written to the old address could not be delivered there, not here. */
static int change_address(struct db_conn *c, const struct http_request *q, struct user *u,
			  struct md_err *err)
{
	const char *address = json_get_string(q->json, "email");
	struct user now;
	int rc = person_email_set(c, u->id, address, err);

	if (rc == MD_OK)
		rc = user_get(c, u->id, q->arena, &now, err);
	if (rc != MD_OK)
		return rc;
	if (strcmp(now.email, u->email) != 0)
		u->undeliverable_at = 0;
	u->email = now.email;
	return MD_OK;
}

/* A new role or password, or being disabled, ends every session and access token. */
static int change_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct user_work *w = ctx;
	const struct http_request *q = w->q;
	const json_t *disabled = json_object_get(q->json, "disabled"),
		     *away = json_object_get(q->json, "away_until");
	struct user u;
	int rc = user_get(c, q->ids[0], q->arena, &u, err);
	int64_t before;
	bool ends;

	if (rc != MD_OK)
		return rc;
	w->was_erased = u.erased_at != 0;
	if (w->was_erased)
		return md_fail(err, MD_CONFLICT, 0, "this person was erased");
	ends = w->with_password || strcmp(changed_text(q, "role", u.role), u.role) != 0 ||
	       (json_is_true(disabled) && !u.disabled_at);
	if (json_object_get(q->json, "name"))
		u.name = w->user.name;
	u.role = changed_text(q, "role", u.role);
	u.locale = changed_text(q, "locale", u.locale);
	u.timezone = changed_text(q, "timezone", u.timezone);
	if (disabled)
		u.disabled_at = !json_is_true(disabled) ? 0
				: u.disabled_at         ? u.disabled_at
							: q->now_ms;
	if (w->with_password)
		u.password_hash = w->hash;
	if (ends)
		rc = account_end_all(c, &u, q->now_ms, err);
	if (rc == MD_OK && json_object_get(q->json, "email"))
		rc = change_address(c, q, &u, err);
	before = u.organisation_id;
	if (rc == MD_OK)
		rc = read_organisation(c, q, &u.organisation_id, err);
	if (rc == MD_OK && u.organisation_id != before)
		rc = organisation_take_tickets(c, u.id, u.organisation_id, err);
	if (away) {
		u.away_until = 0;
		if (json_is_string(away))
			(void)time_parse(json_string_value(away), &u.away_until); /* checked */
	}
	w->user = u;
	return rc == MD_OK ? user_save(c, &u, err) : rc;
}

/* An admin who was the last one could not be one again. */
static bool steps_down(const struct http_request *q)
{
	const char *role = json_get_string(q->json, "role");

	return (role && strcmp(role, "admin") != 0) ||
	       json_is_true(json_object_get(q->json, "disabled"));
}

int user_patch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct user_work w = { .q = q };
	const char *name = json_get_string(q->json, "name"),
		   *email = json_get_string(q->json, "email"), *field, *why;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_USERS))
		return MD_OK;
	if (q->ids[0] == api_by(q)->user.id && steps_down(q))
		return http_refuse(q, r, 409, "conflict",
				   "not what you do to yourself: ask another admin");
	if (email && !mail_address_valid(email))
		return bad_field(q, r, "email", "is no mail address");
	field = api_bad_place(q, &why);
	if (field)
		return bad_field(q, r, field, why);
	w.user.name = name ? clean_name(q->arena, name) : NULL;
	if (name && (!w.user.name || !w.user.name[0]))
		return bad_field(q, r, "name", "must not be empty");
	rc = hash_password(&w, r, err);
	if (rc != MD_OK || r->code)
		return rc;
	rc = api_txn(api, q, change_in_txn, &w, NULL, err);
	if (rc == MD_CONFLICT && !w.was_erased)
		return address_taken(q, r);
	if (rc == MD_OK)
		api_show_user(&r->body, NULL, &w.user, true);
	return rc;
}

/* ---- people in bodies ---- */

static int nobody(struct md_err *err, const char *why)
{
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s", why);
}

static int add_customer(struct db_conn *c, struct arena *a, const char *address, int64_t now_ms,
			int64_t *ret, struct md_err *err)
{
	const char *at = strchr(address, '@');
	struct user u = { .email = address, .role = "customer", .created_at = now_ms };

	if (!mail_address_valid(address))
		return nobody(err, "that is no mail address");
	u.name = arena_strndup(a, address, (size_t)(at - address));
	return u.name ? user_add(c, &u, ret, err) : md_fail(err, MD_NOMEM, 0, "out of memory");
}

int api_person(struct db_conn *c, struct arena *a, const json_t *who, bool add, int64_t now_ms,
	       int64_t *ret, struct md_err *err)
{
	const char *address = json_string_value(who);
	struct user u;
	int rc = address ? user_by_address(c, address, a, &u, err)
			 : user_get(c, json_integer_value(who), a, &u, err);

	if (rc == MD_NOTFOUND && address && add)
		return add_customer(c, a, address, now_ms, ret, err);
	if (rc == MD_NOTFOUND)
		return nobody(err, "there is no such user");
	if (rc == MD_OK)
		*ret = u.id;
	return rc;
}

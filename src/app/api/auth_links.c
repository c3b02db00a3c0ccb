/* Links by mail: registering, a new password, signing in without one (app/account.h). Asking for
 * one is answered alike, and as fast, whether the address is known or not; using one takes a token
 * that only the owner of the address has. */
#include "auth_private.h"

#include <maildesk/base/utf8.h>
#include <maildesk/mail/compose.h>

#include <string.h>

/* ---- asking ---- */

static const char *clean_name(struct arena *a, const char *name)
{
	md_auto(buf_done) struct buf line = BUF_INIT(4096);

	utf8_clean_line(&line, name, strlen(name));
	return line.status == MD_OK ? arena_strdup(a, buf_str(&line)) : NULL;
}

static int ask(struct api *api, struct http_request *q, struct http_response *r,
	       struct account_request *request, struct md_err *err)
{
	int rc;

	request->email = json_get_string(q->json, "email");
	if (!mail_address_valid(request->email))
		return auth_bad_field(q, r, "email", "is no mail address");
	rc = account_queue_add(api->account_mails, request, err);
	if (rc != MD_OK)
		return rc;
	show_begin(&r->body, NULL, '{');
	show_bool(&r->body, "accepted", true);
	show_end(&r->body, '}');
	return MD_OK;
}

int auth_register(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	char hash[PASSWORD_HASH_MAX];
	const char *name = json_get_string(q->json, "name");
	struct account_request request = { .kind = ACCOUNT_VERIFY,
					   .name = name ? clean_name(q->arena, name) : NULL,
					   .locale = json_get_string(q->json, "locale"),
					   .password_hash = hash };
	int rc;

	if (!api->desk->config->desk.registration)
		return http_refuse(q, r, 403, "registration_off", "nobody can register here");
	rc = auth_hash_password(api, q, r, hash, err);
	if (rc != MD_OK)
		return rc == MD_INPUT ? MD_OK : rc;
	return ask(api, q, r, &request, err);
}

int auth_forgot(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return ask(ctx, q, r, &(struct account_request){ .kind = ACCOUNT_RESET }, err);
}

int auth_link(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return ask(ctx, q, r, &(struct account_request){ .kind = ACCOUNT_LINK }, err);
}

/* ---- using ---- */

struct use {
	struct grant grant; /* its user is whose link it is */
	struct account_link link;
	enum account_kind kind;
	const char *token_hash, *password_hash;
};

static int refuse_link(struct md_err *err)
{
	return auth_refuse(err, AUTH_BAD, "this link is not valid (any more)");
}

/* Take the link. */
static int use_link(struct db_conn *c, struct use *u, struct md_err *err)
{
	struct http_request *q = u->grant.q;
	int rc = account_link_find(c, account_kind_name(u->kind), u->token_hash, q->arena, &u->link,
				   err);

	if (rc == MD_NOTFOUND)
		return refuse_link(err);
	if (rc == MD_OK && (u->link.used_at || u->link.expires_at <= q->now_ms))
		return refuse_link(err);
	if (rc == MD_OK)
		rc = account_link_use(c, u->link.id, q->now_ms, err);
	return rc == MD_CONFLICT ? refuse_link(err) : rc;
}

static int use_link_of_user(struct db_conn *c, struct use *u, struct md_err *err)
{
	int rc = use_link(c, u, err);

	if (rc == MD_OK)
		rc = user_get(c, u->link.user_id, u->grant.q->arena, &u->grant.user, err);
	return rc == MD_NOTFOUND || (rc == MD_OK && u->grant.user.disabled_at) ? refuse_link(err)
									       : rc;
}

static int add_registered(struct db_conn *c, struct use *u, struct md_err *err)
{
	const struct account_link *l = &u->link;
	struct arena *a = u->grant.q->arena;
	struct user new = { .name = l->name && l->name[0]
					    ? l->name
					    : arena_strndup(a, l->email, strcspn(l->email, "@")),
			    .email = l->email,
			    .role = "customer",
			    .locale = l->locale,
			    .password_hash = l->password_hash,
			    .created_at = u->grant.q->now_ms };
	int rc = new.name ? user_add(c, &new, &new.id, err)
			  : md_fail(err, MD_NOMEM, 0, "out of memory");

	return rc == MD_OK ? user_get(c, new.id, a, &u->grant.user, err) : rc;
}

/* Who has written to the desk in between is there already, without a password. */
static int verify_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct use *u = ctx;
	struct user *user = &u->grant.user;
	int rc = use_link(c, u, err);

	if (rc == MD_OK)
		rc = user_by_address(c, u->link.email, u->grant.q->arena, user, err);
	if (rc == MD_NOTFOUND)
		return add_registered(c, u, err);
	if (rc == MD_OK && (user->password_hash || user->disabled_at ||
			    role_from_name(user->role) != ROLE_CUSTOMER))
		return refuse_link(err);
	user->password_hash = u->link.password_hash;
	return rc == MD_OK ? user_save(c, user, err) : rc;
}

static int reset_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct use *u = ctx;
	int rc = use_link_of_user(c, u, err);

	if (rc == MD_OK) {
		u->grant.user.password_hash = u->password_hash;
		rc = account_end_all(c, &u->grant.user, u->grant.q->now_ms, err);
	}
	return rc == MD_OK ? user_save(c, &u->grant.user, err) : rc;
}

static int sign_in_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct use *u = ctx;
	int rc = use_link_of_user(c, u, err);

	if (rc == MD_OK)
		rc = auth_demand_otp(c, u->grant.api, u->grant.q, u->grant.user.id, err);
	return rc == MD_OK ? grant_add(c, &u->grant, err) : rc;
}

static int run(struct use *u, db_txn_fn fn, struct md_err *err)
{
	char hash[SHA256_HEX];

	auth_hash(json_get_string(u->grant.q->json, "token"), hash);
	u->token_hash = hash;
	return db_txn(u->grant.api->desk->db, fn, u, err);
}

int auth_verify_address(void *ctx, struct http_request *q, struct http_response *r,
			struct md_err *err)
{
	struct use u = { .grant = { .api = ctx, .q = q }, .kind = ACCOUNT_VERIFY };
	int rc = run(&u, verify_in_txn, err);

	if (rc == MD_OK)
		api_show_user(&r->body, NULL, &u.grant.user, true);
	return auth_refused(q, r, rc, err);
}

int auth_reset(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	char hash[PASSWORD_HASH_MAX];
	struct use u = { .grant = { .api = ctx, .q = q },
			 .kind = ACCOUNT_RESET,
			 .password_hash = hash };
	int rc = auth_hash_password(ctx, q, r, hash, err);

	if (rc != MD_OK)
		return rc == MD_INPUT ? MD_OK : rc;
	return auth_refused(q, r, run(&u, reset_in_txn, err), err);
}

int auth_link_use(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct use u = { .grant = { .api = ctx,
				    .q = q,
				    .cookie = json_is_true(json_object_get(q->json, "cookie")) },
			 .kind = ACCOUNT_LINK };
	int rc = grant_prepare(&u.grant, true, err);

	if (rc == MD_OK)
		rc = run(&u, sign_in_in_txn, err);
	return rc == MD_OK ? grant_show(&u.grant, r, err) : auth_refused(q, r, rc, err);
}

/* ---- bodies ---- */

#define FIELD(name, flags, max)                                                  \
	{                                                                        \
		name, HTTP_LINE, (flags) ? HTTP_REQUIRED : 0, 1, max, NULL, NULL \
	}
#define EMAIL FIELD("email", 1, 320)
#define TOKEN FIELD("token", 1, 200)
#define PASSWORD FIELD("password", 1, PASSWORD_MAX)

const struct http_field auth_register_body[] = { EMAIL, PASSWORD, FIELD("name", 0, 200),
						 FIELD("locale", 0, 35), HTTP_END };
const struct http_field auth_email_body[] = { EMAIL, HTTP_END };
const struct http_field auth_token_body[] = { TOKEN, HTTP_END };
const struct http_field auth_link_body[] = {
	TOKEN, FIELD("otp", 0, 40), { "cookie", HTTP_BOOL, 0, 0, 0, NULL, NULL }, HTTP_END
};
const struct http_field auth_reset_body[] = { TOKEN, PASSWORD, HTTP_END };

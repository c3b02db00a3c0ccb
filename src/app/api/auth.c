/* Signing in and staying so: access tokens (JWT, 10 minutes) name a session; the refresh token that
 * renews them is random, stored as its hash, good for one use; a second use is theft and ends the
 * session. A user's epoch, compared at each request, ends all access tokens at once. */
#include "api_private.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/password.h>
#include <maildesk/store/sessions.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	ACCESS_S = 600,
	REFRESH_BYTES = 32,
	REFRESH_TEXT = 44,
	JTI_BYTES = 12,
	/* of a network, over all accounts, for each one allowed to an account */
	BLOCK_FACTOR = 6,
};
static const int64_t REFRESH_MS = 30 * INT64_C(86400000);

/* ---- who calls ---- */

static int set_caller(struct api *api, struct http_request *q, const struct user *u,
		      int64_t session, struct md_err *err)
{
	struct api_caller *caller = arena_alloc(q->arena, sizeof *caller);

	if (!caller)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	caller->session = session;
	caller->by = (struct work_by){
		.desk = api->desk,
		.actor = { .user = u->id,
			   .role = role_from_name(u->role),
			   .level = 3,
			   .source = SOURCE_API },
		.user = *u,
		.channel = "api",
		.now_ms = q->now_ms,
	};
	q->caller = caller;
	q->role = caller->by.actor.role;
	q->user = u->id;
	return MD_OK;
}

int api_identify(void *ctx, struct http_request *q, struct md_err *err)
{
	struct api *api = ctx;
	const char *token = http_header(q, "Authorization");
	struct jwt_claims claims;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user u;
	int rc;

	if (strncasecmp(token, "Bearer ", 7) != 0)
		return md_fail(err, MD_REFUSED, 0, "no bearer token");
	token += 7 + strspn(token + 7, " ");
	rc = jwt_check(api->desk->jwt_key, token, strlen(token), q->now_ms, &claims, err);
	if (rc == MD_OK)
		rc = db_read(api->desk->db, &c, err);
	if (rc == MD_OK)
		rc = user_get(c, claims.sub, q->arena, &u, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && (u.disabled_at || u.epoch != claims.ver)))
		return md_fail(err, MD_REFUSED, 0, "this access token was ended");
	return rc == MD_OK ? set_caller(api, q, &u, claims.sid, err) : rc;
}

/* ---- tokens ---- */

struct grant { /* a session begun or continued */
	struct api *api;
	struct http_request *q;
	const char *used; /* hash of the refresh token that was shown; NULL at sign-in */
	struct user user;
	char family[24];
	char refresh[REFRESH_TEXT];
	bool reused;
};

static void hash_of(const char *token, char ret[SHA256_HEX])
{
	sha256_hex(token, strlen(token), ret);
}

static int make_refresh(struct grant *g, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(REFRESH_TEXT);
	uint8_t bytes[REFRESH_BYTES];

	random_fill(g->api->desk->random, bytes, sizeof bytes);
	base64url_encode(&text, bytes, sizeof bytes);
	if (text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	memcpy(g->refresh, text.data, text.len + 1);
	return MD_OK;
}

static int add_session(struct db_conn *c, const struct grant *g, struct md_err *err)
{
	char hash[SHA256_HEX];
	struct session_row s = { .user_id = g->user.id,
				 .family = g->family,
				 .token_hash = hash,
				 .created_at = g->q->now_ms,
				 .expires_at = g->q->now_ms + REFRESH_MS };

	hash_of(g->refresh, hash);
	return session_add(c, &s, err);
}

static int begin_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	return add_session(c, ctx, err);
}

static int refuse_refresh(struct md_err *err)
{
	return md_fail(err, MD_REFUSED, 0, "the refresh token is not valid (any more)");
}

static int continue_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct grant *g = ctx;
	struct session_row s;
	int rc = session_find(c, g->used, g->q->arena, &s, err);

	g->reused = false;
	if (rc == MD_NOTFOUND)
		return refuse_refresh(err);
	if (rc != MD_OK)
		return rc;
	if (s.used_at) {
		g->reused = true;
		return session_end_family(c, s.family, g->q->now_ms, err);
	}
	if (s.revoked_at || s.expires_at <= g->q->now_ms)
		return refuse_refresh(err);
	rc = user_get(c, s.user_id, g->q->arena, &g->user, err);
	if (rc == MD_OK && g->user.disabled_at)
		return refuse_refresh(err);
	if (rc == MD_OK)
		rc = session_use(c, s.id, g->q->now_ms, err);
	if (rc != MD_OK)
		return rc;
	snprintf(g->family, sizeof g->family, "%s", s.family);
	return add_session(c, g, err);
}

static int show_grant(const struct grant *g, struct http_response *r, struct md_err *err)
{
	md_auto(buf_done) struct buf jwt = BUF_INIT(JWT_MAX), jti = BUF_INIT(JWT_JTI_MAX);
	struct jwt_claims claims = { .sub = g->user.id,
				     .role = role_from_name(g->user.role),
				     .ver = g->user.epoch,
				     .iat_s = g->q->now_ms / 1000,
				     .exp_s = g->q->now_ms / 1000 + ACCESS_S };
	uint8_t bytes[JTI_BYTES];
	int rc;

	(void)sscanf(g->family, "%" SCNd64, &claims.sid);
	random_fill(g->api->desk->random, bytes, sizeof bytes);
	base64url_encode(&jti, bytes, sizeof bytes);
	snprintf(claims.jti, sizeof claims.jti, "%s", buf_str(&jti));
	rc = jwt_make(g->api->desk->jwt_key, &claims, &jwt, err);
	if (rc != MD_OK)
		return rc;
	show_begin(&r->body, NULL, '{');
	show_text(&r->body, "access_token", jwt.data);
	show_text(&r->body, "token_type", "Bearer");
	show_int(&r->body, "expires_in", ACCESS_S);
	show_text(&r->body, "refresh_token", g->refresh);
	api_show_user(&r->body, "user", &g->user, true);
	show_end(&r->body, '}');
	return MD_OK;
}

/* ---- sign-in ---- */

static bool take(struct api *api, const char *key, int64_t per_minute, int64_t *retry_s)
{
	struct limit_state state;

	if (limiter_take(api->sign_ins, key, strlen(key), per_minute, clock_mono(api->desk->clock),
			 &state))
		return true;
	*retry_s = state.retry_s;
	return false;
}

/* Guesses are counted for an account in a network and for the network: a stranger elsewhere can
 * neither guess fast nor lock anybody out. */
static bool may_try(struct api *api, struct http_request *q, struct http_response *r,
		    const char *email)
{
	md_auto(buf_done) struct buf key = BUF_INIT(2000);
	int64_t limit = api->desk->config->limits.login_per_minute, retry_s = 1;
	char block[HTTP_ADDRESS_MAX];

	if (limit <= 0)
		return true;
	http_address_block(q->address, block);
	buf_addf(&key, "%s ", block);
	if (take(api, buf_str(&key), limit * BLOCK_FACTOR, &retry_s)) {
		utf8_fold(&key, email, strlen(email));
		if (take(api, buf_str(&key), limit, &retry_s))
			return true;
	}
	http_refuse(q, r, 429, "rate_limited", "too many attempts to sign in");
	http_header_add(q, r, "Retry-After", "%lld", (long long)retry_s);
	return false;
}

static int find_user(struct api *api, const char *email, struct arena *a, struct user *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(api->desk->db, &c, err);

	return rc == MD_OK ? user_by_address(c, email, a, ret, err) : rc;
}

/* As long for a stranger as for somebody we know. */
static bool verify(struct api *api, const char *hash, const char *password)
{
	bool yes;

	while (sem_wait(&api->verifying) != 0)
		;
	yes = password_verify(hash, password);
	sem_post(&api->verifying);
	return yes;
}

static int unauthorized(struct http_request *q, struct http_response *r, const char *why)
{
	return http_refuse(q, r, 401, "unauthorized", "%s", why);
}

int auth_token(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct grant g = { .api = api, .q = q };
	const char *email = json_get_string(q->json, "email");
	uint64_t family;
	int rc;

	if (!may_try(api, q, r, email))
		return MD_OK;
	rc = find_user(api, email, q->arena, &g.user, err);
	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	if (!verify(api, rc == MD_OK ? g.user.password_hash : NULL,
		    json_get_string(q->json, "password")) ||
	    g.user.disabled_at)
		return unauthorized(q, r, "wrong address or password");
	random_fill(api->desk->random, &family, sizeof family);
	snprintf(g.family, sizeof g.family, "%" PRIu64, (family >> 1) | 1);
	rc = make_refresh(&g, err);
	if (rc == MD_OK)
		rc = db_txn(api->desk->db, begin_in_txn, &g, err);
	return rc == MD_OK ? show_grant(&g, r, err) : rc;
}

int auth_refresh(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct grant g = { .api = api, .q = q };
	char hash[SHA256_HEX];
	int rc = make_refresh(&g, err);

	hash_of(json_get_string(q->json, "refresh_token"), hash);
	g.used = hash;
	if (rc == MD_OK)
		rc = db_txn(api->desk->db, continue_in_txn, &g, err);
	if (rc == MD_REFUSED || (rc == MD_OK && g.reused))
		return unauthorized(q, r, "the refresh token is not valid (any more)");
	return rc == MD_OK ? show_grant(&g, r, err) : rc;
}

/* ---- the end of it ---- */

static int end_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct grant *g = ctx;
	struct session_row s = { .family = g->family };
	int rc = g->used ? session_find(c, g->used, g->q->arena, &s, err) : MD_OK;

	if (rc == MD_NOTFOUND)
		return MD_OK; /* whoever has no session has none to end */
	return rc == MD_OK ? session_end_family(c, s.family, g->q->now_ms, err) : rc;
}

int auth_logout(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct grant g = { .api = api, .q = q };
	const char *refresh = json_get_string(q->json, "refresh_token");
	char hash[SHA256_HEX];

	(void)r;
	if (refresh) {
		hash_of(refresh, hash);
		g.used = hash;
	} else if (q->caller) {
		snprintf(g.family, sizeof g.family, "%" PRId64,
			 ((const struct api_caller *)q->caller)->session);
	} else {
		return unauthorized(q, r, "no refresh token and no access token");
	}
	return db_txn(api->desk->db, end_in_txn, &g, err);
}

int auth_me(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)ctx, (void)err;
	api_show_user(&r->body, NULL, &api_by(q)->user, true);
	return MD_OK;
}

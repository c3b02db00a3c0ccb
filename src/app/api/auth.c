/* Signing in with a password, going on with a refresh token, signing out. A refresh token that is
 * used a second time was stolen, by the first user or the second: its session ends. A user's epoch,
 * compared at each request, ends all access tokens at once. */
#include "auth_private.h"

#include <maildesk/base/utf8.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* of a network, over all accounts, for each one allowed to an account */
enum { BLOCK_FACTOR = 6 };

/* ---- how often, and whether ---- */

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
bool auth_may_try(struct api *api, struct http_request *q, struct http_response *r,
		  const char *account)
{
	md_auto(buf_done) struct buf key = BUF_INIT(2000);
	int64_t limit = api->desk->config->limits.login_per_minute, retry_s = 1;
	char block[HTTP_ADDRESS_MAX];

	if (limit <= 0)
		return true;
	http_address_block(q->address, block);
	buf_addf(&key, "%s ", block);
	if (take(api, buf_str(&key), limit * BLOCK_FACTOR, &retry_s)) {
		utf8_fold(&key, account, strlen(account));
		if (take(api, buf_str(&key), limit, &retry_s))
			return true;
	}
	http_refuse(q, r, 429, "rate_limited", "too many attempts to sign in");
	http_header_add(q, r, "Retry-After", "%lld", (long long)retry_s);
	return false;
}

/* ---- passwords, a few at a time ---- */

static void begin_hashing(struct api *api)
{
	while (sem_wait(&api->verifying) != 0)
		;
}

bool auth_verify(struct api *api, const char *hash, const char *password)
{
	bool yes;

	begin_hashing(api);
	yes = password_verify(hash, password);
	sem_post(&api->verifying);
	return yes;
}

int auth_hash_password(struct api *api, struct http_request *q, struct http_response *r,
		       char ret[PASSWORD_HASH_MAX], struct md_err *err)
{
	int rc;

	begin_hashing(api);
	rc = password_hash(json_get_string(q->json, "password"), ret, err);
	sem_post(&api->verifying);
	if (rc == MD_INPUT)
		auth_bad_field(q, r, "password", err->text);
	return rc;
}

/* ---- sign-in ---- */

static int find_user(struct api *api, const char *email, struct arena *a, struct user *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(api->desk->db, &c, err);

	return rc == MD_OK ? user_by_address(c, email, a, ret, err) : rc;
}

static int begin_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct grant *g = ctx;
	int rc = auth_demand_otp(c, g->api, g->q, g->user.id, err);

	return rc == MD_OK ? grant_add(c, g, err) : rc;
}

int auth_token(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct grant g = { .api = api,
			   .q = q,
			   .cookie = json_is_true(json_object_get(q->json, "cookie")) };
	const char *email = json_get_string(q->json, "email");
	int rc;

	if (!auth_may_try(api, q, r, email))
		return MD_OK;
	rc = find_user(api, email, q->arena, &g.user, err);
	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	if (!auth_verify(api, rc == MD_OK ? g.user.password_hash : NULL,
			 json_get_string(q->json, "password")) ||
	    g.user.disabled_at) {
		api_note_refusal(api, q, "sign_in.refused", email, 0);
		return auth_unauthorized(q, r, "wrong address or password");
	}
	rc = grant_prepare(&g, true, err);
	if (rc == MD_OK)
		rc = db_txn(api->desk->db, begin_in_txn, &g, err);
	if (rc == MD_REFUSED && err->native == AUTH_BAD)
		api_note_refusal(api, q, "sign_in.refused", email, 0);
	return rc == MD_OK ? grant_show(&g, r, err) : auth_refused(q, r, rc, err);
}

/* ---- going on ---- */

static int refuse_refresh(struct md_err *err)
{
	return auth_refuse(err, AUTH_BAD, "the refresh token is not valid (any more)");
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
	if (rc == MD_CONFLICT) { /* the other use came first */
		g->reused = true;
		return session_end_family(c, s.family, g->q->now_ms, err);
	}
	if (rc != MD_OK)
		return rc;
	snprintf(g->family, sizeof g->family, "%s", s.family);
	g->user_agent = s.user_agent;
	return grant_add(c, g, err);
}

/* The refresh token of the body or else the cookie; NULL: the answer is written. */
static const char *shown_token(struct grant *g, struct http_response *r)
{
	const char *token = json_get_string(g->q->json, "refresh_token");

	if (token)
		return token;
	token = auth_cookie_get(g->q);
	g->cookie = true;
	if (!token) {
		auth_unauthorized(g->q, r, "no refresh token");
	} else if (!auth_own_origin(g->api, g->q)) {
		http_refuse(g->q, r, 403, "forbidden", "the cookie is for our own pages");
		return NULL;
	}
	return token;
}

int auth_refresh(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct grant g = { .api = api, .q = q };
	char hash[SHA256_HEX];
	const char *token = shown_token(&g, r);
	int rc;

	if (!token)
		return MD_OK;
	rc = grant_prepare(&g, false, err);
	auth_hash(token, hash);
	g.used = hash;
	if (rc == MD_OK)
		rc = db_txn(api->desk->db, continue_in_txn, &g, err);
	if (rc == MD_OK && g.reused)
		rc = refuse_refresh(err);
	return rc == MD_OK ? grant_show(&g, r, err) : auth_refused(q, r, rc, err);
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
	bool cookie = !refresh && auth_own_origin(api, q) && auth_cookie_get(q);
	char hash[SHA256_HEX];

	if (cookie) {
		refresh = auth_cookie_get(q);
		auth_cookie_set(q, r, "", 0);
	}
	if (refresh) {
		auth_hash(refresh, hash);
		g.used = hash;
	} else if (q->caller) {
		snprintf(g.family, sizeof g.family, "%" PRId64, api_session(q));
	} else {
		return auth_unauthorized(q, r, "no refresh token and no access token");
	}
	return db_txn(api->desk->db, end_in_txn, &g, err);
}

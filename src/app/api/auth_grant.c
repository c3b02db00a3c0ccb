/* What signing in gives: an access token (JWT, 10 minutes) that names a session, and the refresh
 * token that renews both: random, stored as its hash, good for one use. */
#include "auth_private.h"

#include <maildesk/app/jwt_keys.h>
#include <maildesk/base/utf8.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	ACCESS_S = 600,
	REFRESH_BYTES = 32,
	JTI_BYTES = 12,
	AGENT_MAX = 300,
	ID_BITS = 53, /* of a session: a number of JavaScript's */
};
static const int64_t REFRESH_MS = 30 * INT64_C(86400000);

void auth_hash(const char *token, char ret[SHA256_HEX])
{
	sha256_hex(token, strlen(token), ret);
}

/* What the client says it is, for the list of sessions; NULL: nothing. */
static const char *clean_agent(struct http_request *q)
{
	md_auto(buf_done) struct buf line = BUF_INIT(AGENT_MAX * 4);
	const char *agent = http_header(q, "User-Agent");

	if (agent)
		utf8_clean_line(&line, agent, utf8_cut(agent, strlen(agent), AGENT_MAX));
	return line.status == MD_OK && line.len ? arena_strdup(q->arena, line.data) : NULL;
}

int grant_prepare(struct grant *g, bool begin, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(AUTH_REFRESH_TEXT);
	uint8_t bytes[REFRESH_BYTES];
	uint64_t id;

	random_fill(g->api->desk->random, bytes, sizeof bytes);
	base64url_encode(&text, bytes, sizeof bytes);
	if (text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	memcpy(g->refresh, text.data, text.len + 1);
	if (begin) {
		g->user_agent = clean_agent(g->q);
		random_fill(g->api->desk->random, &id, sizeof id);
		snprintf(g->family, sizeof g->family, "%" PRIu64, (id >> (64 - ID_BITS)) | 1);
	}
	return MD_OK;
}

int grant_add(struct db_conn *c, const struct grant *g, struct md_err *err)
{
	char hash[SHA256_HEX];
	struct session_row s = { .user_id = g->user.id,
				 .family = g->family,
				 .user_agent = g->user_agent,
				 .token_hash = hash,
				 .created_at = g->q->now_ms,
				 .expires_at = g->q->now_ms + REFRESH_MS };

	auth_hash(g->refresh, hash);
	return session_add(c, &s, err);
}

static int make_access(const struct grant *g, struct buf *jwt, struct md_err *err)
{
	md_auto(buf_done) struct buf jti = BUF_INIT(JWT_JTI_MAX);
	struct jwt_claims claims = { .sub = g->user.id,
				     .role = role_from_name(g->user.role),
				     .ver = g->user.epoch,
				     .iat_s = g->q->now_ms / 1000,
				     .exp_s = g->q->now_ms / 1000 + ACCESS_S,
				     .in_console = g->cookie };
	uint8_t bytes[JTI_BYTES];
	md_auto(jwt_keys_wipe) struct jwt_keys keys = { 0 };
	int rc;

	claims.sid = strtoll(g->family, NULL, 10);
	random_fill(g->api->desk->random, bytes, sizeof bytes);
	base64url_encode(&jti, bytes, sizeof bytes);
	snprintf(claims.jti, sizeof claims.jti, "%s", buf_str(&jti));
	rc = jwt_keys_current(g->api->desk, g->q->now_ms, &keys, err);
	return rc == MD_OK ? jwt_make(&keys.current, &claims, jwt, err) : rc;
}

int grant_show(const struct grant *g, struct http_response *r, struct md_err *err)
{
	md_auto(buf_done) struct buf jwt = BUF_INIT(JWT_MAX);
	int rc = make_access(g, &jwt, err);

	if (rc != MD_OK)
		return rc;
	show_begin(&r->body, NULL, '{');
	show_text(&r->body, "access_token", jwt.data);
	show_text(&r->body, "token_type", "Bearer");
	show_int(&r->body, "expires_in", ACCESS_S);
	if (g->cookie)
		auth_cookie_set(g->q, r, g->refresh, REFRESH_MS / 1000);
	else
		show_text(&r->body, "refresh_token", g->refresh);
	api_show_user(&r->body, "user", &g->user, true);
	show_end(&r->body, '}');
	return MD_OK;
}

/* Who calls: the bearer of an access token or a key, which is compared with its user at each
 * request. */
#include "auth_private.h"

#include <maildesk/app/jwt_keys.h>

#include <string.h>
#include <strings.h>

static int set_caller(struct api *api, struct http_request *q, const struct user *u,
		      struct api_caller *caller)
{
	enum source source = caller->in_console ? SOURCE_CONSOLE : SOURCE_API;

	caller->by = (struct work_by){
		.desk = api->desk,
		.actor = { .user = u->id,
			   .role = role_from_name(u->role),
			   .level = 3,
			   .source = source },
		.user = *u,
		.channel = source_name(source),
		.now_ms = q->now_ms,
	};
	q->caller = caller;
	q->role = caller->by.actor.role;
	q->user = u->id;
	return MD_OK;
}

static int by_access_token(struct api *api, struct http_request *q, const char *token,
			   struct user *ret, struct api_caller *caller, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct jwt_claims claims;
	int rc = jwt_keys_check(api->desk, token, q->now_ms, &claims, err);

	if (rc == MD_OK)
		rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = user_get_in_session(c, claims.sub,
					 arena_printf(q->arena, "%lld", (long long)claims.sid),
					 q->arena, ret, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && (ret->disabled_at || ret->epoch != claims.ver)))
		return md_fail(err, MD_REFUSED, 0, "this access token was ended");
	if (rc == MD_OK)
		caller->session = claims.sid;
	if (rc == MD_OK)
		caller->in_console = claims.in_console;
	return rc;
}

int api_identify(void *ctx, struct http_request *q, struct md_err *err)
{
	struct api *api = ctx;
	const char *token = http_header(q, "Authorization");
	struct api_caller *caller = arena_alloc(q->arena, sizeof *caller);
	struct user u;
	int rc;

	if (!caller)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (strncasecmp(token, "Bearer ", 7) != 0)
		return md_fail(err, MD_REFUSED, 0, "no bearer token");
	token += 7 + strspn(token + 7, " ");
	rc = (auth_is_key(token) ? auth_by_key : by_access_token)(api, q, token, &u, caller, err);
	return rc == MD_OK ? set_caller(api, q, &u, caller) : rc;
}

/* Who calls: the bearer of an access token, which is compared with its user at each request. */
#include "auth_private.h"

#include <string.h>
#include <strings.h>

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
		rc = user_get_in_session(c, claims.sub,
					 arena_printf(q->arena, "%lld", (long long)claims.sid),
					 q->arena, &u, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && (u.disabled_at || u.epoch != claims.ver)))
		return md_fail(err, MD_REFUSED, 0, "this access token was ended");
	return rc == MD_OK ? set_caller(api, q, &u, claims.sid, err) : rc;
}

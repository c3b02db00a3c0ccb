/* If-Match of what has no version of its own, people and catalogues: it is compared with the ETag
 * that a GET of the same path has now (RFC 9110 13.1.1). */
#include "http_private.h"

#include <string.h>

static const struct http_route *shown_by(const struct http_service *s, const struct http_route *of)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct http_route *r = &s->routes[i];

		if (r->answers == HTTP_OBJECT && strcmp(r->method, "GET") == 0 &&
		    strcmp(r->path, of->path) == 0)
			return r;
	}
	return NULL;
}

const struct http_route *http_matched_by(const struct http_service *s, const struct http_route *r)
{
	return r->find || strcmp(r->method, "GET") == 0 ? NULL : shown_by(s, r);
}

static int show(struct http_exchange *ex, const struct http_route *route, struct http_response *ret,
		struct md_err *err)
{
	void *ctx = ex->server->service.ctx;
	int rc = route->find ? route->find(ctx, &ex->q, err) : MD_OK;

	if (rc == MD_OK)
		rc = route->handler(ctx, &ex->q, ret, err);
	ex->q.found = NULL;
	return rc;
}

static int compare(struct http_exchange *ex, const struct http_route *route, struct md_err *err)
{
	struct http_response now = { .status = 200,
				     .body = BUF_INIT(HTTP_ANSWER_MAX),
				     .errors = BUF_INIT(HTTP_ANSWER_MAX),
				     .extra = BUF_INIT(HTTP_ANSWER_MAX) };
	int rc = show(ex, route, &now, err);
	const char *tag = now.etag;

	if (rc == MD_OK && !now.code && !tag)
		tag = http_tag(&ex->arena, &now.body);
	if (tag && !http_names_tag(http_header(&ex->q, "If-Match"), tag, false)) {
		http_refuse(&ex->q, &ex->r, 409, "version_conflict",
			    "somebody else changed it meanwhile");
		buf_adds(http_refuse_extra(&ex->r), "\"current\":");
		buf_add(http_refuse_extra(&ex->r), now.body.data, now.body.len);
	}
	buf_done(&now.body);
	buf_done(&now.errors);
	buf_done(&now.extra);
	return rc;
}

int http_run_matched(struct http_exchange *ex, const struct http_route *route, struct md_err *err)
{
	const struct http_service *s = &ex->server->service;
	const struct http_route *shown =
		http_header(&ex->q, "If-Match") ? http_matched_by(s, route) : NULL;
	int rc;

	if (!shown)
		return route->handler(s->ctx, &ex->q, &ex->r, err);
	pthread_mutex_lock(&ex->server->matching); /* of two with the same ETag one comes second */
	rc = compare(ex, shown, err);
	if (rc == MD_OK && !ex->r.code)
		rc = route->handler(s->ctx, &ex->q, &ex->r, err);
	pthread_mutex_unlock(&ex->server->matching);
	return rc;
}

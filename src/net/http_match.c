/* If-Match of what has no version of its own, people and catalogues: it is compared with the ETag
 * that a GET of the same path has (RFC 9110 13.1.1), by the change itself and in its transaction:
 * of two that saw the same, whichever daemon they ask, one comes second. */
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

static int compare(struct http_exchange *ex, const struct http_route *shown, const char *wanted,
		   struct md_err *err)
{
	struct http_response now = { .status = 200,
				     .body = BUF_INIT(HTTP_ANSWER_MAX),
				     .errors = BUF_INIT(HTTP_ANSWER_MAX),
				     .extra = BUF_INIT(HTTP_ANSWER_MAX) };
	int rc = show(ex, shown, &now, err);
	const char *tag = now.etag;

	if (rc == MD_OK && !now.code && !tag)
		tag = http_tag(&ex->arena, &now.body);
	if (tag && !http_names_tag(wanted, tag, false)) {
		ex->unmatched = arena_strdup(&ex->arena, buf_str(&now.body));
		rc = ex->unmatched ? md_fail(err, MD_CONFLICT, 0, "another version")
				   : md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	buf_done(&now.body);
	buf_done(&now.errors);
	buf_done(&now.extra);
	return rc;
}

int http_match(struct http_request *q, struct md_err *err)
{
	struct http_exchange *ex = (struct http_exchange *)(void *)q;
	const char *wanted = http_header(q, "If-Match");
	const struct http_route *shown =
		wanted ? http_matched_by(&ex->server->service, ex->route) : NULL;

	ex->unmatched = NULL;
	return shown ? compare(ex, shown, wanted, err) : MD_OK;
}

int http_run_matched(struct http_exchange *ex, const struct http_route *route, struct md_err *err)
{
	int rc = route->handler(ex->server->service.ctx, &ex->q, &ex->r, err);

	if (!ex->unmatched)
		return rc;
	http_refuse(&ex->q, &ex->r, 409, "version_conflict", "somebody else changed it meanwhile");
	buf_adds(http_refuse_extra(&ex->r), "\"current\":");
	buf_adds(http_refuse_extra(&ex->r), ex->unmatched);
	return MD_OK;
}

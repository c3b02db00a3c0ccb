/* Scripts of other origins (CORS, as fetch.spec.whatwg.org has it): only of those that are named,
 * and never with cookies. */
#include "http_private.h"

#include <string.h>

static const char *allowed_origin(const struct http_exchange *ex)
{
	const struct rec_strs *origins = &ex->server->options.cors;
	const char *origin = origins->n ? http_header(&ex->q, "Origin") : NULL;

	for (size_t i = 0; origin && i < origins->n; i++)
		if (strcmp(origins->v[i], origin) == 0 || strcmp(origins->v[i], "*") == 0)
			return origins->v[i];
	return NULL;
}

void http_add_origin_fields(const struct http_exchange *ex, struct MHD_Response *m)
{
	const char *origin = allowed_origin(ex);
	bool asks_first = origin && strcmp(ex->method, "OPTIONS") == 0 &&
			  http_header(&ex->q, "Access-Control-Request-Method");

	if (!origin)
		return;
	MHD_add_response_header(m, "Access-Control-Allow-Origin", origin);
	if (asks_first) {
		MHD_add_response_header(m, "Access-Control-Allow-Methods",
					"GET, HEAD, POST, PUT, PATCH, DELETE");
		MHD_add_response_header(m, "Access-Control-Allow-Headers",
					"Authorization, Content-Type, Content-Disposition, "
					"If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, "
					"Range");
		MHD_add_response_header(m, "Access-Control-Max-Age", "600");
	} else {
		MHD_add_response_header(m, "Access-Control-Expose-Headers",
					"Allow, Content-Disposition, Content-Range, ETag, "
					"Location, RateLimit-Limit, RateLimit-Remaining, "
					"RateLimit-Reset, Retry-After, X-Request-Id");
	}
}

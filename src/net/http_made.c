/* Where the thing is that a POST has made: at the path by which a GET shows one of its kind.
 * Nothing else decides which answers have a Location, and for which the document promises it. */
#include "http_private.h"

#include <stdio.h>
#include <string.h>

#define ONE_ID "/{id}"

/* "/tickets/{id}", and not "/tickets/{id}/sla". */
static bool is_of_one(const char *path)
{
	const char *at = strchr(path, '{');

	return at && at > path && strcmp(at - 1, ONE_ID) == 0;
}

static bool is_below(const char *path, const char *of)
{
	size_t n = strlen(of);

	return strncmp(path, of, n) == 0 && strcmp(path + n, ONE_ID) == 0;
}

const struct http_route *http_made_at(const struct http_service *s, const struct http_route *of)
{
	for (size_t i = 0; of->status == 201 && i < s->n_routes; i++) {
		const struct http_route *r = &s->routes[i];

		if (strcmp(r->method, "GET") == 0 && is_of_one(r->path) &&
		    (is_below(r->path, of->path) || strcmp(r->answer, of->answer) == 0))
			return r;
	}
	return NULL;
}

void http_made(struct http_request *q, struct http_response *r, int64_t id)
{
	const struct http_exchange *ex = (const struct http_exchange *)(const void *)q;
	const struct http_route *at = http_made_at(&ex->server->service, q->route);

	if (at)
		http_header_add(q, r, "Location", "%.*s/%lld",
				(int)(strlen(at->path) - strlen(ONE_ID)), at->path, (long long)id);
}

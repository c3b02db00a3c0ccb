/* The refresh token of a browser: in a cookie that no script reads and no other site sends. Whoever
 * shows it has to come from a page of ours, too: browsers name the page's origin. */
#include "auth_private.h"

#include <string.h>
#include <strings.h>

#define COOKIE "__Host-maildesk_refresh"

void auth_cookie_set(struct http_request *q, struct http_response *r, const char *token,
		     int64_t seconds)
{
	http_header_add(q, r, "Set-Cookie",
			COOKIE "=%s; Path=/; Max-Age=%lld; Secure; HttpOnly; SameSite=Strict",
			token, (long long)seconds);
}

/* "https://help.example.com" of an address below it. */
static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

bool auth_own_origin(const struct api *api, const struct http_request *q)
{
	const char *url = api->desk->config->desk.url, *origin = http_header(q, "Origin");
	size_t n = origin_length(url);

	return origin && n && strlen(origin) == n && strncasecmp(origin, url, n) == 0;
}

const char *auth_cookie_get(const struct http_request *q)
{
	static const char name[] = COOKIE "=";
	const char *list = http_header(q, "Cookie");

	while (list && *list) {
		size_t n;

		list += strspn(list, "; ");
		n = strcspn(list, ";");
		if (n >= sizeof name - 1 && memcmp(list, name, sizeof name - 1) == 0)
			return arena_strndup(q->arena, list + sizeof name - 1,
					     n - (sizeof name - 1));
		list += n;
	}
	return NULL;
}

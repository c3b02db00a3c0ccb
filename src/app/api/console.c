/* The web console: files that the build puts into the binary (web/ in the tree), or, when it was
 * built without, a page that says so. It is for everybody: what it shows comes from the API.
 *
 * Beside its pages the build of web/ leaves policy.txt, the Content-Security-Policy of index.html,
 * and routes.txt, the first part of each address that is a page of the console's own. */
#include "api_private.h"

#include <maildesk/base/embed.h>

#include <sodium.h>
#include <string.h>

enum { ETAG_BYTES = 12 };

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".woff2", "font/woff2" },
	{ ".webmanifest", "application/manifest+json" },
};

static const char not_included[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<title>maildesk</title>\n</head>\n<body>\n<h1>maildesk works</h1>\n"
	"<p>The web console is not included in this build: it was built without Node. "
	"Install nodejs and npm, then run <code>make web all</code>. "
	"The API is at <a href=\"/api/v1/openapi.json\">/api/v1</a>.</p>\n</body>\n</html>\n";

static bool ends_with(const char *s, const char *ending)
{
	size_t n = strlen(s), m = strlen(ending);

	return n >= m && strcmp(s + n - m, ending) == 0;
}

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < MD_COUNT(types); i++)
		if (ends_with(name, types[i].ending))
			return types[i].type;
	return NULL;
}

/* Is the first part of the path a line of routes.txt? */
static bool is_console_route(const char *path)
{
	const struct embed_file *routes = embed_find("dist/routes.txt");
	size_t n = strcspn(path + 1, "/");

	for (const char *line = routes ? routes->data : ""; *line;) {
		size_t m = strcspn(line, "\n");

		if (m == n && memcmp(line, path + 1, n) == 0)
			return true;
		line += m + (line[m] == '\n');
	}
	return false;
}

/* The file of that path; NULL when there is none. */
static const struct embed_file *file_of(struct http_request *q)
{
	const char *name =
		strcmp(q->path, "/") == 0 || is_console_route(q->path) ? "/index.html" : q->path;

	name = type_of(name) ? arena_printf(q->arena, "dist%s", name) : NULL;
	return name ? embed_find(name) : NULL;
}

/* A person who mistyped an address, in the words of a browser: the console says so, with a way out.
 */
static const struct embed_file *page_for_lost(struct http_request *q)
{
	const char *accept = http_header(q, "Accept");

	return accept && strstr(accept, "text/html") && strncmp(q->path, "/api/", 5) != 0 &&
			       !strchr(q->path, '.')
		       ? embed_find("dist/index.html")
		       : NULL;
}

static const struct embed_file *packed_of(struct http_request *q, const struct embed_file *f)
{
	const char *name = arena_printf(q->arena, "%s.gz", f->name);

	return name ? embed_find(name) : NULL;
}

static void add_policy(struct http_request *q, struct http_response *r)
{
	const struct embed_file *policy = embed_find("dist/policy.txt");

	http_header_add(q, r, "Content-Security-Policy", "%s",
			policy ? policy->data : "default-src 'none'; frame-ancestors 'none'");
	http_header_add(q, r, "Permissions-Policy",
			"camera=(), display-capture=(), geolocation=(), microphone=(), "
			"payment=(), usb=()");
	http_header_add(q, r, "Cross-Origin-Opener-Policy", "same-origin");
	http_header_add(q, r, "X-Frame-Options", "DENY");
}

/* Of the bytes that are sent: what is compressed has another one. */
static const char *etag_of(struct http_request *q, const struct embed_file *f)
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char hex[2 * ETAG_BYTES + 1];

	crypto_generichash(hash, sizeof hash, (const unsigned char *)f->data, f->len, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hash, ETAG_BYTES);
	return arena_printf(q->arena, "\"%s\"", hex);
}

bool console_page(void *ctx, struct http_request *q, struct http_response *r)
{
	const struct embed_file *f = file_of(q), *packed;

	(void)ctx;
	if (!f && strcmp(q->path, "/") != 0) {
		f = page_for_lost(q);
		if (!f)
			return false;
		r->status = 404;
	}
	http_header_add(q, r, "Referrer-Policy", "no-referrer");
	if (!f || ends_with(f->name, ".html"))
		add_policy(q, r);
	if (!f) {
		r->type = "text/html; charset=utf-8";
		buf_adds(&r->body, not_included);
		return true;
	}
	packed = http_takes_gzip(q) ? packed_of(q, f) : NULL;
	r->type = type_of(f->name);
	r->encoding = packed ? "gzip" : NULL;
	/* Names below assets/ change with what they hold. */
	r->cache = strncmp(q->path, "/assets/", 8) == 0 ? "public, max-age=31536000, immutable"
							: "no-cache";
	f = packed ? packed : f;
	r->etag = r->status == 404 ? NULL : etag_of(q, f);
	buf_add(&r->body, f->data, f->len);
	return true;
}

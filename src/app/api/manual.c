/* The routes of maildesk-api(7), made from their table; the rest of the page is
 * man/maildesk-api.7.in. */
#include "api_private.h"

#include <maildesk/base/roff.h>

#include <string.h>

static const char *who(unsigned roles)
{
	return roles & 1 << ROLE_ANONYMOUS  ? "all"
	       : roles & 1 << ROLE_CUSTOMER ? "signed in"
	       : roles & 1 << ROLE_AGENT    ? "agents"
					    : "admins";
}

static void put_fields(struct buf *out, const char *what, const struct http_field *fields)
{
	if (!fields || !fields->name)
		return;
	buf_addf(out, ".br\n%s:", what);
	for (const struct http_field *f = fields; f->name; f++) {
		buf_addf(out, "%s %s%s", f == fields ? "" : ",", f->name,
			 f->flags & HTTP_REQUIRED ? "*" : "");
	}
	buf_addc(out, '\n');
}

static void put_route(struct buf *out, const struct http_route *r)
{
	int status = r->status ? r->status : r->answer ? 200 : 204;

	buf_addf(out, ".It Ic %s ", r->method);
	roff_text(out, r->path);
	buf_addc(out, '\n');
	roff_text(out, r->summary);
	buf_addf(out, " [%s]\n", who(r->roles));
	put_fields(out, "Parameters", r->query);
	put_fields(out, "Body", r->body);
	if (r->body == http_upload)
		buf_adds(out,
			 ".br\nBody: the bytes of the file; its name in Content-Disposition\n");
	buf_addf(out, ".br\nAnswer: %d%s%s%s\n", status, r->answer ? " " : "",
		 r->answer ? r->answer : "", r->answers == HTTP_PAGE ? ", a page of them" : "");
}

void api_manual(struct buf *out)
{
	const char *base = api_service()->base;
	size_t n = strlen(base);

	for (size_t i = 0; i < api_service()->n_routes; i++) {
		const struct http_route *r = &api_service()->routes[i];

		/* pages for people, as in the document */
		if (!strstr(r->path, "{word}") || strncmp(r->path, base, n) == 0)
			put_route(out, r);
	}
}

/* maildesk-api(7), made from the table of routes. */
#include "api_private.h"

#include <maildesk/base/roff.h>

#include <string.h>

/* clang-format off */
static const char before[] =
	".\\\" made by: maildesk api --man\n"
	".TH MAILDESK-API 7 2026-11-20 maildesk \"maildesk manual\"\n"
	".SH NAME\nmaildesk-api \\- the HTTP API of a desk\n"
	".SH DESCRIPTION\n"
	"JSON over HTTP/1.1 below\n.BR /api/v1 .\n"
	"The document that describes it for programs (OpenAPI 3.1) is at\n"
	".BR /api/v1/openapi.json .\n"
	".PP\nWho calls says so with\n.BR \"Authorization: Bearer\" ,\n"
	"an access token of\n.B POST /api/v1/auth/token\n(10 minutes) or an API key that an admin made\n"
	".RB ( mdk_... ).\n"
	".PP\nErrors are application/problem+json (RFC 9457) with a\n.B code\nto go by and\n.B errors\n"
	"that name fields. Unknown fields are an error (422), and so are unknown parameters (400). What "
	"the caller may not see is not there (404).\n"
	".PP\nLists take\n.BR page \" and \" per_page\n(1 to 100, otherwise 10); an empty\n.B cursor\n"
	"starts a walk that misses and repeats nothing while rows come and go:\n.B next\ncarries it on. "
	"Totals are exact up to 1,000.\n"
	".PP\nGET answers have an ETag for\n.BR If-None-Match .\nChanges may carry it in\n.B If-Match\n"
	"(those of tickets and comments\n.B version\ninstead): who comes second is told so (409) and gets the present object.\n"
	".PP\nA POST with an\n.B Idempotency-Key\nis done once; the same request with the same key gets "
	"the first answer for 24 hours, another one with it 422, and 409 while the first is being worked "
	"on. Errors are not kept.\n"
	".PP\nEach answer says how many requests are left\n.RB ( RateLimit-Limit ,\n.BR "
	"RateLimit-Remaining ,\n.BR RateLimit-Reset ),\nand has an\n.B X-Request-Id\nthat stands in the "
	"log.\n"
	".SH ROUTES\n"
	"In brackets: who may call; other rights depend on the object. Fields with a * are required.\n";
static const char after[] =
	".SH METRICS\n.B /metrics\nis for Prometheus, from the machine itself or with an API key that "
	"has the scope admin. Names begin with\n.BR maildesk_ :\n"
	"ingest_mails_total, mailbox_up and mailbox_last_success_timestamp_seconds by mailbox; "
	"outbox_mails and outbox_oldest_seconds by state; quarantine_mails, search_queue_rows, "
	"timers_lag_seconds; tickets by status, tickets_unresolved by priority, tickets_unassigned, "
	"sla_overdue_tickets, sla_breached_tickets; database_up, database_read_seconds, "
	"database_size_bytes; config_last_reload_successful and its time; "
	"http_request_duration_seconds by method and route, http_responses_total by status too, "
	"http_connections; build_info. Those of the process are process_cpu_seconds_total, "
	"process_resident_memory_bytes, process_open_fds, process_start_time_seconds.\n"
	".SH SEE ALSO\n.BR maildesk (1),\n.BR maildesk.conf (5),\n.BR maildesk-commands (7)\n";
/* clang-format on */

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

	buf_addf(out, ".TP\n.B %s ", r->method);
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

	buf_adds(out, before);
	for (size_t i = 0; i < api_service()->n_routes; i++) {
		const struct http_route *r = &api_service()->routes[i];

		/* pages for people, as in the document */
		if (!strstr(r->path, "{word}") || strncmp(r->path, base, n) == 0)
			put_route(out, r);
	}
	buf_adds(out, after);
}

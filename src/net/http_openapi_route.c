/* What the OpenAPI document says of one route: its parameters, its body, and every answer it may
 * give. Which problems a route knows follows from its row, so each has its line here once. */
#include "http_private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_NAME_MAX = 200 };

static bool is_get(const struct http_route *r)
{
	return strcmp(r->method, "GET") == 0;
}
static bool is_post(const struct http_route *r)
{
	return strcmp(r->method, "POST") == 0;
}
static bool names_one(const struct http_route *r)
{
	return strchr(r->path, '{') != NULL;
}
static bool has_ranges(const struct http_route *r)
{
	return r->answers == HTTP_BYTES && names_one(r);
}
static bool is_conditional(const struct http_route *r)
{
	return is_get(r) && (r->answers == HTTP_OBJECT || r->answers == HTTP_PAGE || has_ranges(r));
}
static bool has_field(const struct http_field *f, const char *name)
{
	while (f && f->name && strcmp(f->name, name) != 0)
		f++;
	return f && f->name;
}
static bool has_version(const struct http_route *r)
{
	return has_field(r->body, "version");
}
static bool is_stream(const struct http_route *r)
{
	return r->answers == HTTP_STREAM;
}
static bool is_upload(const struct http_route *r)
{
	return r->body == http_upload;
}

/* ---- which problems ---- */

static bool reads_input(const struct http_route *r)
{
	return r->query || r->body || is_post(r);
}
/* Who may call or, of a route that is open to all, what stands in the body instead. */
static bool needs_caller(const struct http_route *r)
{
	return !(r->roles & 1) || (r->body && r->status != 202);
}
/* Registration may be off. */
static bool is_guarded(const struct http_route *r)
{
	return !(r->roles & 1) || r->status == 202;
}
static bool may_conflict(const struct http_route *r)
{
	return is_post(r) || has_version(r) || strcmp(r->method, "DELETE") == 0 ||
	       strcmp(r->method, "PATCH") == 0;
}
static bool has_body(const struct http_route *r)
{
	return r->body != NULL;
}
static bool has_json(const struct http_route *r)
{
	return r->body && !is_upload(r);
}
static bool checks_body(const struct http_route *r)
{
	return r->body || is_post(r);
}
static bool writes(const struct http_route *r)
{
	return !is_get(r);
}
static bool always(const struct http_route *r)
{
	return r != NULL;
}

static const struct {
	int status;
	const char *name, *text;
	bool (*applies)(const struct http_route *r);
} problems[] = {
	{ 400, "Malformed",
	  "Not what HTTP, JSON or the table of parameters allows; or a move of "
	  "the ticket that its workflow does not have.",
	  reads_input },
	{ 401, "Unauthorized", "No credentials, or none that are valid (any more).", needs_caller },
	{ 403, "Forbidden", "Not for this caller, or not with this key's scopes.", is_guarded },
	{ 404, "NotFound", "There is none, or none that the caller may see.", names_one },
	{ 409, "Conflict",
	  "It is not as the request supposes; of a version the present object is "
	  "in `current`.",
	  may_conflict },
	{ 413, "TooLarge", "The body is larger than allowed: up to `limit` bytes are.", has_body },
	{ 415, "UnsupportedMediaType", "The body is not application/json, as it is.", has_json },
	{ 416, "NotInRange", "It is shorter than the range that was asked for.", has_ranges },
	{ 422, "Invalid", "The body cannot be used: `errors` names the fields.", checks_body },
	{ 429, "RateLimited", "Too many requests; Retry-After says when to come again.", always },
	{ 503, "Unavailable", "Not now; Retry-After says when to come again.", always },
	{ 507, "InsufficientStorage", "The disk is full; reading goes on.", writes },
};

static void add_problems(struct buf *out, const struct http_route *r)
{
	for (size_t i = 0; i < MD_COUNT(problems); i++)
		if (problems[i].applies(r))
			buf_addf(out, ",\"%d\":{\"$ref\":\"#/components/responses/%s\"}",
				 problems[i].status, problems[i].name);
}

void http_openapi_problems(struct buf *out)
{
	for (size_t i = 0; i < MD_COUNT(problems); i++) {
		buf_addf(out, "%s\"%s\":{\"description\":\"%s\",", i ? "," : "", problems[i].name,
			 problems[i].text);
		if (problems[i].status == 429 || problems[i].status == 503)
			buf_adds(out, "\"headers\":{\"Retry-After\":{\"schema\":"
				      "{\"type\":\"integer\"}}},");
		buf_adds(out, "\"content\":{\"application/problem+json\":{\"schema\":"
			      "{\"$ref\":\"#/components/schemas/Problem\"}}}}");
	}
}

/* ---- parameters ---- */

static void add_header(struct buf *out, const char **comma, const char *name, const char *text)
{
	buf_addf(out,
		 "%s{\"name\":\"%s\",\"in\":\"header\",\"description\":\"%s\","
		 "\"schema\":{\"type\":\"string\"}}",
		 *comma, name, text);
	*comma = ",";
}

/* What notes call its query and body: "GET /tickets". */
static const char *note_name(const struct http_service *s, const struct http_route *r,
			     char ret[NOTE_NAME_MAX])
{
	size_t n = strlen(s->base);

	snprintf(ret, NOTE_NAME_MAX, "%s %s", r->method,
		 r->path + (strncmp(r->path, s->base, n) == 0 ? n : 0));
	return ret;
}

static void add_description(struct buf *out, const char *text)
{
	if (!text)
		return;
	buf_adds(out, "\"description\":");
	json_write_string(out, text, strlen(text));
	buf_addc(out, ',');
}

/* What it means, which words there are, and that there may be several. */
static void add_meaning(struct buf *out, const char *note, const struct http_field *f)
{
	md_auto(buf_done) struct buf text = BUF_INIT(4096);
	bool many = f->type == HTTP_WORDS || f->type == HTTP_NUMBERS;

	if (note)
		buf_adds(&text, note);
	for (const char *const *w = many ? f->words : NULL; w && *w; w++)
		buf_addf(&text, "%s`%s`", w == f->words ? " Of " : ", ", *w);
	if (many)
		buf_addf(&text, "%s With commas between, any of them.", f->words ? "." : "");
	add_description(out, text.len ? buf_str(&text) : NULL);
}

static void add_parameters(struct buf *out, const struct http_service *s,
			   const struct http_route *r)
{
	const char *comma = "";
	char of[NOTE_NAME_MAX];

	note_name(s, r, of);
	buf_adds(out, ",\"parameters\":[");
	for (const char *p = strchr(r->path, '{'); p; p = strchr(p + 1, '{')) {
		bool named = strncmp(p, HTTP_NAME, strlen(HTTP_NAME)) == 0;
		char name[NOTE_NAME_MAX];

		snprintf(name, sizeof name, "%.*s", (int)strcspn(p + 1, "}"), p + 1);
		buf_addf(out, "%s{\"name\":\"%s\",\"in\":\"path\",\"required\":true,", comma, name);
		add_description(out, http_note_of(s, of, name));
		buf_addf(out, "\"schema\":{\"type\":%s}}",
			 named ? "\"string\"" : "\"integer\",\"minimum\":1");
		comma = ",";
	}
	for (const struct http_field *f = r->query; f && f->name; f++) {
		buf_addf(out, "%s{\"name\":\"%s\",\"in\":\"query\",%s", comma, f->name,
			 f->flags & HTTP_REQUIRED ? "\"required\":true," : "");
		add_meaning(out, http_note_of(s, of, f->name), f);
		buf_adds(out, "\"schema\":");
		http_field_type(out, f);
		buf_addc(out, '}');
		comma = ",";
	}
	if (is_post(r))
		add_header(out, &comma, "Idempotency-Key",
			   "The same request with the same key is done once, for 24 hours.");
	if (has_version(r) || http_matched_by(s, r))
		add_header(out, &comma, "If-Match", "The ETag it must still have.");
	if (is_conditional(r))
		add_header(out, &comma, "If-None-Match", "Answered 304 while it has this ETag.");
	if (has_ranges(r))
		add_header(out, &comma, "Range", "One part of it, as in `bytes=0-1023`.");
	if (is_upload(r))
		add_header(out, &comma, "Content-Disposition",
			   "The name of the file: `attachment; filename*=UTF-8''a%20b.txt`.");
	if (is_stream(r))
		add_header(out, &comma, "Last-Event-ID",
			   "The last one that was seen, to go on there.");
	buf_addc(out, ']');
}

/* ---- answers ---- */

static void add_page(struct buf *out, const struct http_service *s, const char *of)
{
	enum { ALWAYS = HTTP_REQUIRED, OR_NULL = HTTP_REQUIRED | HTTP_NULLABLE };
	const struct http_field page[] = {
		{ "items", HTTP_OBJECTS, ALWAYS, 0, 0, NULL, of },
		{ "page", HTTP_INT, OR_NULL, 0, 0, NULL, NULL },
		{ "per_page", HTTP_INT, ALWAYS, 0, 0, NULL, NULL },
		{ "total", HTTP_INT, ALWAYS, 0, 0, NULL, NULL },
		{ "pages", HTTP_INT, OR_NULL, 0, 0, NULL, NULL },
		{ "next", HTTP_LINE, OR_NULL, 0, 0, NULL, NULL },
		{ "prev", HTTP_LINE, OR_NULL, 0, 0, NULL, NULL },
		{ "total_is_estimate", HTTP_BOOL, ALWAYS, 0, 0, NULL, NULL },
		HTTP_END,
	};

	http_openapi_fields(out, s, "Page", page);
}

static void add_success(struct buf *out, const struct http_service *s, const struct http_route *r,
			int status)
{
	buf_addf(out, "\"%d\":{\"description\":\"%s\"", status, r->answer ? r->answer : "Done");
	if (http_made_at(s, r))
		buf_addf(out,
			 ",\"headers\":{\"Location\":{\"description\":\"Where it is, as of `GET "
			 "%s`.\",\"schema\":{\"type\":\"string\"}}}",
			 http_made_at(s, r)->path);
	if (r->answers == HTTP_BYTES || r->answers == HTTP_STREAM) {
		buf_addf(out, ",\"content\":{\"%s\":{}}", r->answer);
	} else if (r->answer) {
		buf_adds(out, ",\"content\":{\"application/json\":{\"schema\":");
		if (r->answers == HTTP_PAGE)
			add_page(out, s, r->answer);
		else
			http_openapi_ref(out, r->answer);
		buf_adds(out, has_field(r->query, "format") ? "},\"text/csv\":{}}" : "}}");
	}
	buf_addc(out, '}');
}

static void add_answers(struct buf *out, const struct http_service *s, const struct http_route *r)
{
	buf_adds(out, ",\"responses\":{");
	add_success(out, s, r, r->status ? r->status : r->answer ? 200 : 204);
	if (has_ranges(r))
		buf_addf(out, ",\"206\":{\"description\":\"A part of it\",\"content\":{\"%s\":{}}}",
			 r->answer);
	if (is_conditional(r))
		buf_adds(out, ",\"304\":{\"description\":\"As the ETag says\"}");
	add_problems(out, r);
	buf_addc(out, '}');
}

/* "POST /api/v1/tickets/{id}/comments": postTicketsIdComments. */
static void add_name(struct buf *out, const struct http_route *r, const char *base)
{
	size_t n = strlen(base);
	bool upper = true;

	buf_adds(out, "\"operationId\":\"");
	for (const char *s = r->method; *s; s++)
		buf_addc(out, (char)(*s | 0x20));
	for (const char *s = r->path + (strncmp(r->path, base, n) == 0 ? n : 0); *s; s++) {
		if (isalnum((unsigned char)*s))
			buf_addc(out, (char)(upper ? toupper((unsigned char)*s) : *s));
		upper = !isalnum((unsigned char)*s);
	}
	buf_adds(out, "\",");
}

/* By the first word of its path. */
static void add_tag(struct buf *out, const struct http_route *r, const char *base)
{
	size_t n = strlen(base);
	const char *path = r->path + (strncmp(r->path, base, n) == 0 ? n : 0) + 1;

	buf_addf(out, ",\"tags\":[\"%.*s\"]", (int)strcspn(path, "/."), path);
}

static void add_callers(struct buf *out, const struct http_service *s, const struct http_route *r)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1000);

	if (!s->tell_callers)
		return;
	s->tell_callers(r, &text);
	buf_adds(out, ",\"description\":");
	json_write_string(out, buf_str(&text), text.len);
}

static void add_body(struct buf *out, const struct http_service *s, const struct http_route *r)
{
	char of[NOTE_NAME_MAX];
	const char *example = http_note_of(s, note_name(s, r, of), NULL);

	buf_addf(out,
		 ",\"requestBody\":{\"required\":%s,\"content\":"
		 "{\"application/json\":{\"schema\":",
		 http_body_needed(r->body) ? "true" : "false");
	http_openapi_fields(out, s, of, r->body);
	if (example)
		buf_addf(out, ",\"example\":%s", example);
	buf_adds(out, "}}}");
}

void http_openapi_route(struct buf *out, const struct http_service *s, const struct http_route *r)
{
	buf_addc(out, '"');
	for (const char *m = r->method; *m; m++)
		buf_addc(out, (char)(*m | 0x20));
	buf_adds(out, "\":{");
	add_name(out, r, s->base);
	buf_adds(out, "\"summary\":");
	json_write_string(out, r->summary, strlen(r->summary));
	add_callers(out, s, r);
	add_tag(out, r, s->base);
	buf_addf(out, ",\"security\":[%s]", r->roles & 1 ? "" : "{\"bearer\":[]}");
	add_parameters(out, s, r);
	if (is_upload(r))
		buf_adds(out, ",\"requestBody\":{\"required\":true,\"description\":\"The file; its "
			      "name in Content-Disposition, what it is in Content-Type.\","
			      "\"content\":{\"application/octet-stream\":{}}}");
	else if (r->body)
		add_body(out, s, r);
	add_answers(out, s, r);
	buf_addc(out, '}');
}

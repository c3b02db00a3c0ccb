/* The OpenAPI 3.1 document: everything in it comes from the tables of routes and fields. */
#include "http_private.h"

#include <maildesk/desk/reason.h>

#include <stdio.h>
#include <string.h>

static void add_string(struct buf *out, const char *s)
{
	json_write_string(out, s, strlen(s));
}

/* ---- fields ---- */

static void add_words(struct buf *out, const struct http_field *f)
{
	buf_adds(out, ",\"enum\":[");
	for (const char *const *w = f->words; *w; w++) {
		if (w != f->words)
			buf_addc(out, ',');
		add_string(out, *w);
	}
	if (f->flags & HTTP_NULLABLE)
		buf_adds(out, ",null");
	buf_addc(out, ']');
}

void http_openapi_ref(struct buf *out, const char *name)
{
	buf_addf(out, "{\"$ref\":\"#/components/schemas/%s\"}", name);
}

static void add_simple(struct buf *out, const struct http_field *f, const char *type)
{
	bool text = strcmp(type, "string") == 0;

	if (f->flags & HTTP_NULLABLE)
		buf_addf(out, "{\"type\":[\"%s\",\"null\"]", type);
	else
		buf_addf(out, "{\"type\":\"%s\"", type);
	if (f->type == HTTP_TIME)
		buf_adds(out, ",\"format\":\"date-time\"");
	if (f->words && f->type != HTTP_WORDS)
		add_words(out, f);
	if (f->min)
		buf_addf(out, ",\"%s\":%lld", text ? "minLength" : "minimum", (long long)f->min);
	if (f->max)
		buf_addf(out, ",\"%s\":%lld", text ? "maxLength" : "maximum", (long long)f->max);
	buf_addc(out, '}');
}

static void add_person(struct buf *out, const struct http_field *f)
{
	buf_addf(out, "{\"type\":[\"integer\",\"string\"%s]}",
		 f->flags & HTTP_NULLABLE ? ",\"null\"" : "");
}

void http_field_type(struct buf *out, const struct http_field *f)
{
	struct http_field member = *f;

	member.flags = 0;
	switch (f->type) {
	case HTTP_INT:
		add_simple(out, f, "integer");
		break;
	case HTTP_NUMBER:
		add_simple(out, f, "number");
		break;
	case HTTP_BOOL:
		add_simple(out, f, "boolean");
		break;
	case HTTP_PERSON:
	case HTTP_NAMED:
		add_person(out, f);
		break;
	case HTTP_INTS:
		buf_adds(out, "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}");
		break;
	case HTTP_TEXTS:
		buf_adds(out, "{\"type\":\"object\",\"additionalProperties\":"
			      "{\"type\":[\"string\",\"null\"]}}");
		break;
	case HTTP_LINES:
	case HTTP_PERSONS:
		member.type = f->type == HTTP_LINES ? HTTP_LINE : HTTP_PERSON;
		buf_addf(out, "{\"type\":\"array\",\"maxItems\":%d,\"items\":", HTTP_LIST_MAX);
		http_field_type(out, &member);
		buf_addc(out, '}');
		break;
	case HTTP_IDS:
		buf_addf(out,
			 "{\"type\":\"array\",\"minItems\":%lld,\"maxItems\":%lld,\"items\":"
			 "{\"type\":\"integer\",\"minimum\":1}}",
			 (long long)f->min, (long long)f->max);
		break;
	case HTTP_OBJECT:
		if (f->flags & HTTP_NULLABLE)
			buf_adds(out, "{\"oneOf\":[{\"type\":\"null\"},");
		http_openapi_ref(out, f->of);
		if (f->flags & HTTP_NULLABLE)
			buf_adds(out, "]}");
		break;
	case HTTP_OBJECTS:
		buf_adds(out, "{\"type\":\"array\",\"items\":");
		http_openapi_ref(out, f->of);
		buf_addc(out, '}');
		break;
	default:
		add_simple(out, f, "string");
	}
}

const char *http_note_of(const struct http_service *s, const char *of, const char *field)
{
	for (const struct http_note *n = s->notes; n && n->text; n++)
		if ((!n->of || strcmp(n->of, of) == 0) &&
		    (field ? n->field && strcmp(n->field, field) == 0 : !n->field))
			return n->text;
	return NULL;
}

static void add_field(struct buf *out, const struct http_service *s, const char *of,
		      const struct http_field *f)
{
	const char *text = http_note_of(s, of, f->name);

	http_field_type(out, f);
	if (!text)
		return;
	buf_cut(out, out->len - 1); /* its bracket */
	buf_adds(out, ",\"description\":");
	add_string(out, text);
	buf_addc(out, '}');
}

/* Those of an object that has begun, and its end. */
static void add_members(struct buf *out, const struct http_service *s, const char *of,
			const struct http_field *fields)
{
	const char *comma = "";

	buf_adds(out, "\"properties\":{");
	for (const struct http_field *f = fields; f->name; f++) {
		buf_adds(out, comma);
		add_string(out, f->name);
		buf_addc(out, ':');
		add_field(out, s, of, f);
		comma = ",";
	}
	buf_adds(out, "},\"required\":[");
	comma = "";
	for (const struct http_field *f = fields; f->name; f++)
		if (f->flags & HTTP_REQUIRED) {
			buf_adds(out, comma);
			add_string(out, f->name);
			comma = ",";
		}
	buf_adds(out, "]}");
}

void http_openapi_fields(struct buf *out, const struct http_service *s, const char *of,
			 const struct http_field *fields)
{
	if (!fields) {
		buf_adds(out, "{\"type\":\"object\"}");
		return;
	}
	buf_adds(out, "{\"type\":\"object\",\"additionalProperties\":false,");
	add_members(out, s, of, fields);
}

/* ---- the document ---- */

/* Routes of one path stand together in the document, wherever they stand in the table. */
static void add_paths(struct buf *out, const struct http_service *s)
{
	const char *comma = "";

	for (size_t i = 0; i < s->n_routes; i++) {
		const char *path = s->routes[i].path;
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen = seen || strcmp(s->routes[k].path, path) == 0;
		if (seen || strstr(path, HTTP_WORD))
			continue;
		buf_addf(out, "%s\"%s\":{", comma, path);
		comma = "";
		for (size_t k = i; k < s->n_routes; k++) {
			if (strcmp(s->routes[k].path, path) != 0)
				continue;
			buf_adds(out, comma);
			http_openapi_route(out, s, &s->routes[k]);
			comma = ",";
		}
		buf_addc(out, '}');
		comma = ",";
	}
}

/* What a sentence is called, and all there are. */
static void add_reason(struct buf *out, const struct http_service *s)
{
	static const struct http_field named[] = {
		{ "code", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "values", HTTP_LINES, HTTP_REQUIRED, 0, 0, NULL, NULL },
		HTTP_END,
	};

	http_openapi_fields(out, s, "Reason", named);
	buf_cut(out, out->len - 1); /* its bracket */
	buf_adds(out, ",\"x-sentences\":{");
	for (const struct reason_row *r = reason_rows; r->en; r++) {
		buf_addf(out, "%s\"%s\":", r == reason_rows ? "" : ",", r->code);
		add_string(out, r->en);
	}
	buf_adds(out, "}}");
}

void http_openapi(struct buf *out, const struct http_service *s, const struct http_object *objects,
		  const char *title, const char *version)
{
	static const struct http_field complaint[] = {
		{ "field", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "message", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "code", HTTP_LINE, 0, 0, 0, NULL, NULL },
		{ "values", HTTP_LINES, 0, 0, 0, NULL, NULL },
		HTTP_END,
	};
	static const struct http_field problem[] = {
		{ "type", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "title", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "status", HTTP_INT, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "code", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "detail", HTTP_LINE, HTTP_REQUIRED, 0, 0, NULL, NULL },
		{ "errors", HTTP_OBJECTS, HTTP_REQUIRED, 0, 0, NULL, "Complaint" },
		{ "limit", HTTP_INT, 0, 0, 0, NULL, NULL },
		{ "reason", HTTP_OBJECT, 0, 0, 0, NULL, "Reason" },
		HTTP_END,
	};

	buf_adds(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":");
	add_string(out, title);
	buf_adds(out, ",\"version\":");
	add_string(out, version);
	if (s->about) {
		buf_adds(out, ",\"description\":");
		add_string(out, s->about);
	}
	buf_adds(out, "},\"servers\":[{\"url\":\"/\"}],\"paths\":{");
	add_paths(out, s);
	buf_adds(out, "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
		      "\"scheme\":\"bearer\",\"description\":\"An access token, or an API key.\"}},"
		      "\"responses\":{");
	http_openapi_problems(out);
	buf_adds(out, "},\"schemas\":{\"Complaint\":");
	http_openapi_fields(out, s, "Complaint", complaint);
	/* further members by what is wrong: the object is not closed */
	buf_adds(out, ",\"Problem\":{\"type\":\"object\",");
	add_members(out, s, "Problem", problem);
	buf_adds(out, ",\"Reason\":");
	add_reason(out, s);
	for (; objects->name; objects++) {
		buf_addc(out, ',');
		add_string(out, objects->name);
		buf_addc(out, ':');
		http_openapi_fields(out, s, objects->name, objects->fields);
	}
	buf_adds(out, "}}}");
}

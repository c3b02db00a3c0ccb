/* field.h - the fields of JSON objects and the parameters of queries, as tables.
 *
 * One row checks what comes in, names it in errors and describes it in the OpenAPI document; the
 * same rows describe answers. Tables end with HTTP_END. */
#ifndef MAILDESK_NET_FIELD_H
#define MAILDESK_NET_FIELD_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/json.h>

#include <stdbool.h>
#include <stdint.h>

enum http_type {
	HTTP_LINE, /* text without line breaks */
	HTTP_TEXT, /* tabs and line breaks too */
	HTTP_INT,
	HTTP_BOOL,
	HTTP_TIME,    /* RFC 3339 */
	HTTP_DAY,     /* of queries: HTTP_TIME, or a date like 2026-11-20 */
	HTTP_PERSON,  /* id of a user, or an address */
	HTTP_NAMED,   /* id, or a name */
	HTTP_TEXTS,   /* object whose members are HTTP_TEXT or null, each at most `max` long */
	HTTP_LINES,   /* array of HTTP_LINE */
	HTTP_INTS,    /* of answers: array of HTTP_INT */
	HTTP_PERSONS, /* array of HTTP_PERSON */
	HTTP_IDS,     /* array of `min` to `max` ids */
	HTTP_WORDS,   /* of queries: words with commas between */
	HTTP_NUMBERS, /* of queries: ids with commas between */
	HTTP_NUMBER,  /* of answers, like all below */
	HTTP_OBJECT,  /* the object of that name */
	HTTP_OBJECTS, /* array of it */
	HTTP_PAGE,    /* a page of it */
	HTTP_BYTES,   /* of answers: no JSON; the media type is what stands for the name */
	HTTP_STREAM,  /* likewise, and goes on: there is no HEAD of it */
	HTTP_TYPE_COUNT
};
enum { HTTP_REQUIRED = 1 << 0, HTTP_NULLABLE = 1 << 1 };
enum { HTTP_LIST_MAX = 100 }; /* members of an array in a body */
enum { HTTP_WORDS_MAX = 50 }; /* of a list in a query */

struct http_field {
	const char *name;
	enum http_type type;
	unsigned flags;
	int64_t min, max;         /* characters of a text or member, value of an integer */
	const char *const *words; /* the only ones allowed, ended by NULL; NULL: any */
	const char *of;           /* HTTP_OBJECT...: name of an http_object */
};
#define HTTP_END             \
	{                    \
		.name = NULL \
	}

struct http_object { /* a named shape of answers */
	const char *name;
	const struct http_field *fields;
};

struct http_pair {
	const char *name, *value; /* of a parameter: NULL when it cannot be decoded, which a check
				     complains of */
};

/* What is wrong; texts in the arena. */
struct http_complaint {
	const char *field, *text;
	bool unknown; /* a parameter nobody knows */
};
struct http_complaints {
	struct arena *arena;
	struct http_complaint v[16]; /* later ones are dropped */
	size_t n;
};
void http_complain(struct http_complaints *c, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the table has a required field. */
bool http_body_needed(const struct http_field *fields);
/* Check a body against its table (NULL: no field is known). True when it may be used. */
bool http_check_body(const struct http_field *fields, const json_t *body,
		     struct http_complaints *ret);
/* The same for a query; a repeated parameter is a fault. */
bool http_check_query(const struct http_field *fields, const struct http_pair *query, size_t n,
		      struct http_complaints *ret);
/* No NUL or control character but, with `breaks`, tab and line break (LF or CR LF). */
bool http_clean(const char *s, size_t n, bool breaks);

/* A date like 2026-11-20, as its midnight in UTC. MD_OK or MD_INPUT. */
int http_date_parse(const char *text, int64_t *ret_ms);

/* The JSON Schema of one field. */
void http_field_type(struct buf *out, const struct http_field *f);

#endif

/* template.h - the logic-less Mustache language (mustache/spec, core modules): variables, sections,
 * inverted sections, comments, partials, set delimiters, standalone lines, dotted names, {{.}}.
 * No lambdas, no inheritance.
 *
 * Compiled once, with errors by line; then only read, from any thread. Falsy are false, null, the
 * empty string, the empty list, and what is missing. Output, nesting and work are limited, so that
 * a template that includes itself ends with an error. */
#ifndef MAILDESK_DESK_TEMPLATE_H
#define MAILDESK_DESK_TEMPLATE_H

#include <jansson.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <stdbool.h>
#include <stddef.h>

struct template;

enum template_mode {
	TEMPLATE_TEXT, /* {{x}} is raw, as in subjects and text bodies */
	TEMPLATE_HTML, /* {{x}} escapes & < > " ' */
};

enum {
	TEMPLATE_MAX = 256 * 1024, /* bytes of source */
	TEMPLATE_NESTING = 64,     /* sections and partials in each other, when rendering */
	TEMPLATE_WORK = 1000000,   /* tags and lines rendered */
};

/* `name` is for messages ("NAME:LINE: what") and is copied, as is the text.
 * Expected codes: MD_INPUT, MD_NOMEM. *ret is the caller's. */
int template_compile(const char *name, const char *text, size_t n, struct template **ret,
		     struct md_err *err);
void template_free(struct template *t);
MD_DEFINE_AUTO(struct template *, template_free)

struct template_partials {
	/* Borrowed; NULL when there is none of that name, which renders as nothing. */
	const struct template *(*find)(void *ctx, const char *name);
	void *ctx;
};

/* Append to `out`, whose ceiling limits the output. `partials` may be NULL.
 * Expected codes: MD_INPUT (a limit was hit), MD_NOMEM; then `out` holds a part. */
int template_render(const struct template *t, enum template_mode mode, const json_t *data,
		    const struct template_partials *partials, struct buf *out, struct md_err *err);

/* ---- what stands in it, for checks ---- */

const char *template_title(const struct template *t); /* the name it was compiled under */

enum template_use { TEMPLATE_VALUE, TEMPLATE_SECTION, TEMPLATE_PARTIAL };
struct template_name {
	enum template_use use;
	const char *text; /* of `len` bytes, in the template */
	size_t len;
	unsigned line;
	size_t at, end; /* of a section: what has an `at` between these two stands in it */
	bool inverted;
};
/* The next name in the source. Start with *at = 0; false at the end. */
bool template_next_name(const struct template *t, size_t *at, struct template_name *ret);

#endif

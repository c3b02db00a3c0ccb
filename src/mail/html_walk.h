/* html_walk.h - the one way to libxml2's HTML parser: its events, bounded in depth and in time. */
#ifndef MAILDESK_MAIL_HTML_WALK_H
#define MAILDESK_MAIL_HTML_WALK_H

#include <maildesk/mail/span.h>

enum {
	HTML_DEPTH_MAX = 400,      /* elements in one another */
	HTML_ATTRIBUTES_MAX = 256, /* of an element */
};

/* First member of the walker's own struct; it sets the functions. `attributes` is NULL or names and
 * values (NULL: none) in turn, NULL at the end. Each start has its end, also in broken HTML, until
 * the parser stops at one of the limits above: from there on `rest` gets what stands between tags.
 * Text comes in any pieces, with entities decoded; comments and the like do not come. */
struct html_walk {
	void (*start)(struct html_walk *w, const char *name, const char *const *attributes);
	void (*end)(struct html_walk *w, const char *name);
	void (*text)(struct html_walk *w, struct span text);
	void (*rest)(struct html_walk *w, struct span text);
	int depth; /* of the element that starts or ends; the walk's own <html> is 1, <body> 2 */
	bool stop; /* set by a function: nothing more is wanted */
	void *parser;
};

/* Walk through `html` (valid UTF-8 without controls), whole or fragment. Linear. False when the
 * parser ran out of memory. */
bool html_walk(struct html_walk *w, struct span html);

#endif

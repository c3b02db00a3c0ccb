/* html.h - HTML mail as text that a person can read: lines and paragraphs, lists, tables row by
 * row, quotes as "> ", links as "text (url)" when they differ. Scripts, styles, comments and what
 * is hidden on purpose (preheaders) are gone. */
#ifndef MAILDESK_MAIL_HTML_H
#define MAILDESK_MAIL_HTML_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

enum html_mark {
	HTML_MARK_NONE,
	HTML_MARK_QUOTE, /* old mail */
	HTML_MARK_REST,  /* old mail begins here, to the end */
	HTML_MARK_SIGNATURE,
};
enum { HTML_MARKS_MAX = 64 };
/* Stretches of the text that the elements themselves say are not new; in order, none in another. */
struct html_marks {
	size_t n;
	struct html_range {
		enum html_mark mark;
		size_t from, to; /* offsets in the buffer that was written to */
	} v[HTML_MARKS_MAX];
};

/* Append the text of `html` (valid UTF-8 without controls). Linear; below 400 elements in one
 * another or behind a tag with more than 256 attributes tags are merely dropped. Appends stop at
 * out->max. Returns false when the parser ran out of memory. */
bool html_to_text(struct span html, struct buf *out);
/* The same, with the marks added to *marks (may be NULL). */
bool html_read(struct span html, struct buf *out, struct html_marks *marks);

/* The charset a <meta> in the first kilobyte declares; empty when none. */
struct span html_meta_charset(struct span html);

/* Set up the parser's tables; before threads or a jail. */
void html_prepare(void);

#endif

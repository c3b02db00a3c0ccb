/* html.h - HTML mail as text that a person can read: lines and paragraphs, lists, tables row by
 * row, quotes as "> ", links as "text (url)" when they differ. Scripts, styles, comments and what
 * is hidden on purpose (preheaders) are gone. */
#ifndef MAILDESK_MAIL_HTML_H
#define MAILDESK_MAIL_HTML_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

enum { HTML_DEPTH_MAX = 400 }; /* elements in one another; below it tags are merely dropped */

/* Append the text of `html` (valid UTF-8 without controls). Linear. Appends stop at out->max.
 * Returns false when the parser ran out of memory. */
bool html_to_text(struct span html, struct buf *out);

/* The charset a <meta> in the first kilobyte declares; empty when none. */
struct span html_meta_charset(struct span html);

/* Set up the parser's tables; before threads or a jail. */
void html_prepare(void);

#endif

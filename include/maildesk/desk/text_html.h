/* text_html.h - plain text as HTML that every mail client shows alike.
 *
 * Outlook knows no "white-space: pre-wrap", so line ends become <br> and empty lines paragraphs.
 * Addresses of http and https become links. Everything is escaped: what comes out is safe to put
 * into a page, whatever went in. */
#ifndef MAILDESK_DESK_TEXT_HTML_H
#define MAILDESK_DESK_TEXT_HTML_H

#include <maildesk/base/buf.h>

/* `text` is UTF-8 with LF. Empty text adds nothing. */
void text_html(struct buf *out, const char *text, size_t n);
/* The same of a few words: no paragraphs, no line ends. */
void text_html_words(struct buf *out, const char *s, size_t n);
/* What opens a link. */
void text_html_link(struct buf *out, const char *url, size_t n);
/* & < > " ' as entities. */
void text_html_escape(struct buf *out, const char *s, size_t n);

#endif

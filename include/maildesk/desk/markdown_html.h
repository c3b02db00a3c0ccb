/* markdown_html.h - CommonMark as HTML that every mail client shows alike.
 *
 * The looks stand in the elements, as in text_html.h. Line ends stay, for people write signatures;
 * what looks like HTML is shown and not lost; addresses of http and https become links, pictures
 * links to them, so that no reader asks a server for them. Everything is escaped: what comes out is
 * safe to put into a page, whatever went in. */
#ifndef MAILDESK_DESK_MARKDOWN_HTML_H
#define MAILDESK_DESK_MARKDOWN_HTML_H

#include <maildesk/base/buf.h>

/* `text` is UTF-8 with LF. More than so many octets, so deeply nested, or so much in HTML, it is
 * taken for plain text: what people type is less, and neither a parser nor a mail client has to
 * bear more. */
enum { MARKDOWN_MAX = 64 << 10, MARKDOWN_DEPTH = 32, MARKDOWN_HTML_MAX = 2 << 20 };
void markdown_html(struct buf *out, const char *text, size_t n);

#endif

/* rtf.h - the text of Rich Text Format, for the bodies that Outlook sends in nothing else. */
#ifndef MAILDESK_MAIL_RTF_H
#define MAILDESK_MAIL_RTF_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

enum { RTF_DEPTH_MAX = 256 }; /* groups in one another; text of deeper ones is dropped */

/* Append the text, UTF-8 with LF; one pass. Formatting, tables of fonts, pictures are dropped. */
void rtf_to_text(struct span rtf, struct buf *out);

#endif

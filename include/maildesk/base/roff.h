/* roff.h - text for manual pages. */
#ifndef MAILDESK_BASE_ROFF_H
#define MAILDESK_BASE_ROFF_H

#include <maildesk/base/buf.h>

/* As text: no line of it is taken for a macro, backslashes and hyphens stay what they are. */
void roff_text(struct buf *out, const char *text);

#endif

/* scan.h - limits that are checked before a message is understood, so that no later step has to
 * fear its size: every one of them may be linear in what is left. */
#ifndef MAILDESK_MAIL_SCAN_H
#define MAILDESK_MAIL_SCAN_H

#include <maildesk/mail/span.h>

enum {
	SCAN_HEADER_BYTES = 512 << 10, /* one header block */
	SCAN_HEADER_FIELDS = 2000,
	SCAN_LINE_BYTES = 128 << 10, /* one header line */
	SCAN_COMMENT_DEPTH = 64,     /* parentheses open at once in a header field */
	SCAN_MIME_DEPTH = 32,        /* multiparts and messages in one another */
	SCAN_PARTS = 500,
	SCAN_PART_HEADER_FIELDS = 200, /* read of a part */
};

/* One pass over a top header block. NULL when it is within the limits, else which one it broke:
 * a defect, and `bomb`. */
const char *scan_header(struct span head);

/* Depth of message/rfc822 directly within message/rfc822 at the start of `body`, counted up to
 * SCAN_MIME_DEPTH + 1. */
int scan_message_depth(struct span body);

#endif

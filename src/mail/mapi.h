/* mapi.h - lists of MAPI properties as TNEF holds them (MS-OXTNEF 2.1.3.4), and compressed RTF
 * (MS-OXRTFCP). Lengths are claims: nothing is read beyond the span. */
#ifndef MAILDESK_MAIL_MAPI_H
#define MAILDESK_MAIL_MAPI_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>
#include <stdint.h>

enum mapi_id {
	MAPI_BODY = 0x1000,
	MAPI_RTF_COMPRESSED = 0x1009,
	MAPI_BODY_HTML = 0x1013,
	MAPI_ATTACH_LONG_FILENAME = 0x3707,
	MAPI_ATTACH_MIME_TAG = 0x370e,
	MAPI_ATTACH_CONTENT_ID = 0x3712,
};
struct mapi_property {
	unsigned id;
	bool utf16;        /* else text is in the code page of the message */
	struct span value; /* of texts and binaries; empty for what else there is */
};

/* How many properties a list says it has; takes the number off *rest. */
uint32_t mapi_begin(struct span *rest);
/* Takes the next property off *rest; false at the end or where the list is broken. */
bool mapi_next(struct span *rest, struct mapi_property *ret);

/* Append the RTF that `packed` unpacks to, as far as it can be read. */
void mapi_unpack_rtf(struct span packed, struct buf *out);

uint32_t mapi_le32(const char *p);

#endif

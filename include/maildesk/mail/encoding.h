/* encoding.h - content transfer encodings (RFC 2045 section 6, uuencode), read tolerantly.
 *
 * Decoders never fail: what is no code is skipped (base64), kept as it stands (quoted-printable)
 * or ends the data (uuencode). They work in one pass with a small buffer, so that an attachment
 * is hashed, sized or served from a slice of the raw mail without being copied. */
#ifndef MAILDESK_MAIL_ENCODING_H
#define MAILDESK_MAIL_ENCODING_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

enum encoding { ENCODING_IDENTITY, ENCODING_BASE64, ENCODING_QP, ENCODING_UUENCODE };

/* "identity", "base64", "quoted-printable", "x-uuencode": names used in struct attachment. */
const char *encoding_name(enum encoding e);
/* The value of a Content-Transfer-Encoding field; 7bit, 8bit, binary and everything unknown are
 * identity. *ret_known (may be NULL) tells a name nobody knows. */
enum encoding encoding_from_field(struct span value, bool *ret_known);

/* Gets the decoded bytes piece by piece; returns 0 to go on. */
typedef int encoding_sink(void *ctx, const void *bytes, size_t n);

/* Decode `in`, give it to `sink`. Returns 0, or what the sink returned to stop. */
int encoding_decode(enum encoding e, struct span in, encoding_sink *sink, void *ctx);
/* The same, appended to a buffer. */
void encoding_decode_buf(enum encoding e, struct span in, struct buf *out);

/* One uuencoded file standing in text: "begin 644 name" to "end". */
struct uu_block {
	struct span name;
	struct span all;  /* from "begin" to the end of the "end" line */
	struct span code; /* the lines between */
};
/* Finds the first at or behind `from`; only blocks that have data and an end count. */
bool encoding_find_uu(struct span text, size_t from, struct uu_block *ret);

#endif

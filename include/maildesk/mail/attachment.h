/* attachment.h - one leaf part as a file: safe name, types, size and hash of the decoded bytes. */
#ifndef MAILDESK_MAIL_ATTACHMENT_H
#define MAILDESK_MAIL_ATTACHMENT_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/mime.h>

enum { ATTACHMENT_NAME_MAX = 200 };

/* Where a leaf lies. Parts are found in `lines`, files are served from `wire`: the same message
 * but for line ends that were a CR alone. */
struct attachment_place {
	struct span wire, lines;
};

/* The part is decoded once through a small buffer. */
void attachment_read(struct arena *a, const struct attachment_place *at, const struct mime_part *p,
		     struct attachment *ret);
/* A uuencoded file found in text. */
void attachment_read_uu(struct arena *a, const struct attachment_place *at,
			const struct uu_block *u, struct attachment *ret);

/* The bytes of an attachment: `slice` is the raw mail from its offset on for its length, `encoding`
 * as in struct attachment. Returns 0 or what the sink returned; -1 for an encoding nobody knows. */
int attachment_decode(const char *encoding, struct span slice, encoding_sink *sink, void *ctx);

/* A file name without path, controls and leading dots; NULL when nothing is left. */
const char *attachment_safe_name(struct arena *a, struct span name);
/* The type that the first bytes show; NULL when they show none. */
const char *attachment_sniff(const unsigned char *bytes, size_t n);

#endif

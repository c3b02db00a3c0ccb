/* mime.h - the tree of parts (RFC 2045, 2046), read in one pass and in place.
 *
 * Iterative: a stack of at most SCAN_MIME_DEPTH boundaries, one look at each line. Parts are spans
 * of the raw bytes. Attached messages (message/rfc822) are leaves: they are shown as files, and
 * what stands in them cannot change how the outer message is read. */
#ifndef MAILDESK_MAIL_MIME_H
#define MAILDESK_MAIL_MIME_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/encoding.h>
#include <maildesk/mail/header.h>
#include <maildesk/mail/span.h>

enum { MIME_NO_PARENT = -1 };

struct mime_part {
	int parent; /* index, MIME_NO_PARENT for the message itself */
	int next;   /* index behind the last descendant: parts stand in the order of the mail */
	struct span body;
	const char *type; /* "text/plain": lower case, the default filled in */
	bool typed;       /* it had a usable Content-Type */
	struct header_params content_type, disposition;
	struct header header;
	enum encoding encoding;
	const char *filename;   /* decoded, not yet safe; NULL when absent */
	const char *content_id; /* without <>; NULL when absent */
	bool attachment;        /* Content-Disposition: attachment */
};

enum mime_trouble {
	MIME_BOMB_DEPTH = 1 << 0,   /* SCAN_MIME_DEPTH broken: what is below was not read */
	MIME_MANY_PARTS = 1 << 1,   /* the rest behind SCAN_PARTS is not listed */
	MIME_NO_END = 1 << 2,       /* a closing boundary is missing */
	MIME_NO_BOUNDARY = 1 << 3,  /* a multipart without usable boundary, read as text */
	MIME_BAD_ENCODING = 1 << 4, /* a transfer encoding nobody knows */
	MIME_BAD_HEADER = 1 << 5,   /* a part's header block is broken */
};
struct mime_tree {
	size_t n;
	struct mime_part *v;
	unsigned trouble;
};

/* `body` is what follows the top header. MD_OK, or MD_NOMEM. */
int mime_read(struct arena *a, const struct header *top, struct span body, struct mime_tree *ret);

/* "multipart/..." with children. */
bool mime_is_container(const struct mime_tree *t, size_t index);

#endif

/* header.h - header blocks: fields, unfolding, encoded words (RFC 2047), parameters (RFC 2231).
 *
 * Everything tolerates what is seen in the wild; nothing recurses. Fields are spans of the raw
 * bytes; decoded text lives in the arena, NULL when memory ran out (arena.failed tells). */
#ifndef MAILDESK_MAIL_HEADER_H
#define MAILDESK_MAIL_HEADER_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

struct header_field {
	struct span name;
	struct span value; /* behind the colon, still folded */
	struct span all;   /* the whole field with its line ends */
};
struct header {
	size_t n;
	struct header_field *v;
};

enum header_place {
	HEADER_TOP,  /* of a message: mbox and junk lines before the first field are skipped */
	HEADER_PART, /* of a part: a line that is no field begins the body */
};
/* Where the header block of `raw` ends and the body begins. *ret_junk: lines that were no fields
 * stood among them, or the empty line was missing. */
void header_split(struct span raw, enum header_place place, struct span *ret_head,
		  struct span *ret_body, bool *ret_junk);
/* The first `max` fields. */
void header_read(struct arena *a, struct span head, size_t max, struct header *ret);

/* The index-th field of that name (0 first), NULL when there is none. */
const struct header_field *header_find(const struct header *h, const char *name, size_t index);
/* Its value (empty when absent). */
struct span header_value(const struct header *h, const char *name);

/* Raw 8-bit values that are not UTF-8 become it, read in `charset` (a guess; may be empty), but for
 * what stands in encoded words. */
void header_to_utf8(struct arena *a, struct header *h, struct span charset);

/* The value without line ends, trimmed: folds become one space. Borrows when there was no fold. */
struct span header_unfold(struct arena *a, struct span value);
/* Unstructured text: encoded words and raw 8-bit bytes decoded, one clean line of UTF-8. */
const char *header_text(struct arena *a, struct span value);
/* The same, appended to a buffer and not yet cleaned. */
void header_decode_words(struct span text, struct buf *out);
/* Length of the encoded word that s begins with, 0 when it does not begin with one. */
size_t header_word_length(struct span s);

struct header_param {
	const char *name;  /* lower case */
	const char *value; /* decoded */
	bool extended;     /* said by RFC 2231, which beats a plain one of the same name */
};
/* "text/html; charset=utf-8; name*0*=…" */
struct header_params {
	const char *value; /* the first word, lower case; "" when absent */
	size_t n;
	struct header_param *v;
};
void header_params_read(struct arena *a, struct span value, struct header_params *ret);
/* NULL when absent. */
const char *header_param(const struct header_params *p, const char *name);

#endif

/* compose.h - write a mail: from fields to the bytes that are stored and sent.
 *
 * CRLF line ends, 7-bit clean (unless an address itself is not ASCII, RFC 6532), no line above 998
 * octets and, where it can be broken, none above 78; the body quoted-printable with no line that
 * begins with "." or "From " (RFC 5322, 2045-2047, 2231).
 *
 * No value can break out of its header: text is cleaned and, where needed, encoded; in what must be
 * verbatim (addresses, ids, header names and structured values) a control character is refused. */
#ifndef MAILDESK_MAIL_COMPOSE_H
#define MAILDESK_MAIL_COMPOSE_H

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/random.h>
#include <maildesk/mail/message.h>
#include <stdbool.h>
#include <stdint.h>

enum { MAIL_ADDRESS_MAX = 254 };

struct compose_header {
	const char *name;  /* a token of RFC 5322 ftext: "Auto-Submitted" */
	const char *value; /* structured: UTF-8 is refused, folding happens at spaces only */
};

struct compose_part {
	const char *content_type; /* "application/pdf", without parameters */
	const char *filename;     /* UTF-8; NULL: none */
	const char *content_id;   /* without <>: an image of the HTML; NULL: an attachment */
	const void *bytes;
	size_t size;
};

struct compose_mail {
	struct mail_address from;     /* name may be NULL */
	struct mail_address reply_to; /* address NULL: no Reply-To */
	struct mail_address to;
	const char *subject;    /* UTF-8, not NULL */
	const char *message_id; /* without <> */
	/* Without <>, oldest first. They are what others wrote: an id that cannot be written as one
	 * (controls, spaces, brackets, not ASCII) is left out. */
	const char *in_reply_to; /* NULL: none */
	struct rec_strs references;
	int64_t date_ms;
	const struct compose_header *headers; /* further ones, in order */
	size_t header_count;
	const char *text;                 /* UTF-8, LF; not NULL */
	const char *html;                 /* UTF-8; NULL: text only */
	const struct compose_part *parts; /* attachments */
	size_t part_count;
};

/* Append the whole mail. `random` gives the boundaries. MD_OK; MD_INPUT: a value that cannot be
 * sent (err names the field), or `out` is full; MD_NOMEM. `out` is to be thrown away on failure. */
int compose_write(const struct compose_mail *mail, struct random *random, struct buf *out,
		  struct md_err *err);

/* Fit for an SMTP envelope and a header: exactly one "@" with something on both sides, no space,
 * control, quote, comma, bracket or other special of RFC 5322, valid UTF-8, at most 64 octets
 * before and 254 in all. */
bool mail_address_valid(const char *address);

/* "application/pdf": a media type without parameters, fit for a header. */
bool mail_type_valid(const char *type);

/* "Fri, 20 Nov 2026 16:02:03 +0000" (RFC 5322 3.3); out has at least 32 bytes. */
const char *compose_date(int64_t ms, char out[32]);

#endif

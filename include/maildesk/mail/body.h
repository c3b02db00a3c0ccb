/* body.h - which parts are what the person wrote, and what they say.
 *
 * text/plain if it says something, else HTML made readable; format=flowed (RFC 3676) is unwrapped.
 * Everything that is not body is an attachment, the unused half of an alternative excepted. */
#ifndef MAILDESK_MAIL_BODY_H
#define MAILDESK_MAIL_BODY_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/html.h>
#include <maildesk/mail/mime.h>
#include <stdint.h>

enum { BODY_TEXT_MAX = 4 << 20 }; /* bytes of readable text; what is beyond is in the raw mail */

enum body_role {
	BODY_ATTACHMENT = 0, /* containers too: they are no leaves */
	BODY_TEXT,           /* stands in the text */
	BODY_OTHER_FORM,     /* says the same as a text part */
};
enum body_trouble {
	BODY_BAD_CHARSET = 1 << 0, /* undeclared, unknown or wrong charset: guessed */
	BODY_CUT = 1 << 1,         /* BODY_TEXT_MAX */
};
struct body {
	const char *text; /* LF, no controls; "" when there is none */
	const char *html; /* the HTML form, decoded; NULL when there is none */
	uint8_t *roles;   /* enum body_role for each part of the tree */
	/* The text came from one part without transfer encoding: uuencoded files in it are slices
	 * of the raw mail. -1 else. */
	int identity_part;
	struct html_marks marks; /* what HTML says of `text`, by offsets in it */
	unsigned trouble;
};

/* MD_OK or MD_NOMEM. */
int body_read(struct arena *a, const struct mime_tree *t, struct body *ret);

/* Why the leaf has its role, for people: "no text", ... */
const char *body_why(const struct mime_tree *t, const struct body *b, size_t index);

/* Text or HTML (either may be NULL) that stood elsewhere becomes the body. */
void body_replace(struct arena *a, struct body *b, const char *text, const char *html);

/* A text part's content as clean UTF-8, appended. Returns enum body_trouble bits. */
unsigned body_part_text(const struct mime_part *p, struct buf *out);

/* Append flowed text (RFC 3676) with its paragraphs joined. */
void body_unflow(struct span text, bool delsp, struct buf *out);

#endif

/* compose_body.h - the half of compose.c below MIME-Version. */
#ifndef MAILDESK_MAIL_COMPOSE_BODY_H
#define MAILDESK_MAIL_COMPOSE_BODY_H

#include <maildesk/mail/compose.h>

enum {
	LINE_WISH = 78,     /* RFC 5322 2.1.1 */
	VALUE_MAX = 100000, /* a cleaned subject or name; nobody writes longer ones */
};

/* Append Content-Type and what follows it. MD_OK, or MD_INPUT for an attachment that cannot be
 * described; out->status is for the caller to read. */
int compose_put_body(const struct compose_mail *mail, struct random *random, struct buf *out,
		     struct md_err *err);

#endif

/* bounce.h - who did not get which mail, and why: delivery status notifications (RFC 3464) and the
 * reports of mailers that write none. */
#ifndef MAILDESK_MAIL_BOUNCE_H
#define MAILDESK_MAIL_BOUNCE_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/mime.h>

enum { BOUNCE_RECIPIENTS_MAX = 200 };

struct bounce_report {
	struct rec_list list; /* struct bounce */
	const char *evidence; /* what says that it is a report at all; NULL when nothing does */
	bool standard;        /* a message/delivery-status part was read */
	bool complaint;       /* of a reader, not of a mailer */
};

/* Whether the header and text are those of a bounce is judged here as well: `text` is the readable
 * body. Everything in the result is a claim. */
void bounce_read(struct arena *a, const struct mime_tree *t, const char *subject, const char *from,
		 struct span text, struct bounce_report *ret);

#endif

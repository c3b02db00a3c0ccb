/* forward.h - mail that is passed on: whether it is, and who had written what to whom when. */
#ifndef MAILDESK_MAIL_FORWARD_H
#define MAILDESK_MAIL_FORWARD_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/span.h>

/* What the block of old headers says; a claim of whoever forwarded it. */
struct forward {
	struct mail_address from; /* address NULL when there is none in it */
	const char *date;         /* as it stands there: every client writes its own */
	const char *subject;
	size_t above; /* so much of the text is the forwarder's own */
	size_t below; /* where the old mail's own text begins */
};

/* Reads the first block of headers in the text of a forward; empty when there is none. */
void forward_read(struct arena *a, struct span text, struct forward *ret);

#endif

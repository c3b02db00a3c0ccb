/* kind.h - what sort of mail it is, with the evidence, and whether it may be answered. */
#ifndef MAILDESK_MAIL_KIND_H
#define MAILDESK_MAIL_KIND_H

#include <maildesk/mail/bounce.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/mime.h>

/* The first row of the evidence table that holds. */
enum message_kind kind_decide(struct arena *a, const struct mime_tree *t, const char *subject,
			      const struct bounce_report *bounce, const char **ret_evidence);

/* RFC 3834 and kin: never answer this. `from` is the first sender's address or NULL. */
bool kind_no_answer(const struct header *h, const char *from);

#endif

/* authres.h - Authentication-Results fields (RFC 8601), tokenised: quoted strings and comments
 * cannot pass for results. Which field may be believed is desk/trust's to decide. */
#ifndef MAILDESK_MAIL_AUTHRES_H
#define MAILDESK_MAIL_AUTHRES_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/header.h>
#include <maildesk/mail/message.h>

enum { AUTHRES_FIELDS_MAX = 50, AUTHRES_DKIM_MAX = 20 };

/* All fields of the header in order; the summary shows the topmost. */
void authres_read(struct arena *a, const struct header *h, struct rec_list *ret_fields,
		  struct auth_summary *ret_summary);

#endif

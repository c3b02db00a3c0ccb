/* mail_head.h - what is kept of a mail's head to be shown: messages.head. */
#ifndef MAILDESK_APP_MAIL_HEAD_H
#define MAILDESK_APP_MAIL_HEAD_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/message.h>

enum { MAIL_HEAD_LIST_MAX = 100, MAIL_HEAD_MAX = 256 << 10 }; /* members of each, bytes */

struct mail_head {
	struct rec_strs in_reply_to, references; /* Message-IDs */
	struct rec_strs to, cc;                  /* addresses */
};
/* Append them as members of a JSON object; of long lists the first ones. */
void mail_head_write(const struct mail_head *h, struct buf *out);
/* The head of a mail that came in; its strings are the mail's. MD_NOMEM. */
int mail_head_of(const struct message *m, struct arena *a, struct mail_head *ret);

#endif

/* message_priv.h - what the files that make up message_read() share. */
#ifndef MAILDESK_MAIL_MESSAGE_PRIV_H
#define MAILDESK_MAIL_MESSAGE_PRIV_H

#include <maildesk/mail/body.h>
#include <maildesk/mail/header.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/mime.h>

enum { MESSAGE_DEFECTS_MAX = 32 };

struct reading {
	struct arena *arena;
	struct message *m;
	struct span wire, raw, head, body; /* `raw` is `wire` with line ends that can be read */
	struct header header;
	struct mime_tree tree;
	struct body text;
	struct span reply;
	bool first; /* of a conversation, as far as the header tells */
};

/* Names what could not be understood; `what` is kept as a pointer. */
void message_defect(struct reading *r, const char *what);
/* NULL for an empty list. */
const struct mail_address *message_first(const struct rec_list *list);
/* Everything that the fields of r->header say. */
void message_read_head(struct reading *r);

#endif

/* desk_mail.h - a mail to a person that is about no ticket, or about many. */
#ifndef MAILDESK_APP_DESK_MAIL_H
#define MAILDESK_APP_DESK_MAIL_H

#include <maildesk/app/desk.h>
#include <maildesk/store/users.h>

#include <jansson.h>

struct desk_mail {
	struct desk *desk;
	struct db_conn *c;
	struct arena *arena;
	const struct desk_mailbox *mailbox; /* that it comes from */
	const struct user *to;              /* id 0: nobody we know */
	const char *event, *kind;           /* template; messages.kind */
	int64_t now_ms;
};

/* Queue it. `data` is what its template is filled with, beside what all have: desk, recipient,
 * mail, locales and time zone are added. */
int desk_mail_queue(const struct desk_mail *m, json_t *data, struct md_err *err);

#endif

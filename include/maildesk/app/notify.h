/* notify.h - the mails that a piece of work causes: frozen with all their data in its transaction,
 * rendered by the sender (mail-out.md). */
#ifndef MAILDESK_APP_NOTIFY_H
#define MAILDESK_APP_NOTIFY_H

#include <maildesk/app/work.h>

/* A mail about no ticket: "unverified" to the actor, an alarm to admins. */
int work_tell(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t mailbox,
	      const struct work_event *event, struct md_err *err);
/* A mail about a ticket of which nothing is changed. */
int work_tell_of(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
		 const struct work_event *event, struct md_err *err);
/* What happened in this step, to whom the matrix names; work_save() calls it. */
int work_queue_notices(struct work *w, struct md_err *err);
/* "[#12]", in the arena. */
const char *work_tag(const struct work *w, int64_t ticket);

#endif

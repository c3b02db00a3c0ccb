/* work_priv.h - the parts of work.h, each built on those before it: work.c (loading, asking,
 * history), change.c (fields and status), comment.c, create.c, execute.c (commands), clocks.c
 * (SLA), notify.c (mails), save.c. */
#ifndef MAILDESK_APP_WORK_PRIV_H
#define MAILDESK_APP_WORK_PRIV_H

#include <maildesk/app/work.h>

/* Fail with a refusal: `why` in err->native. */
int work_refuse(struct md_err *err, enum md_code code, enum work_refusal why, const char *text);
/* One line of at most 500 characters, "" when nothing is left; in the arena, NULL: out of memory.
 */
const char *work_clean_title(struct arena *a, const char *title);
/* What policy and workflow look at; again whenever the ticket changed. */
void work_see(struct work *w);
/* May the actor do that here? MD_OK, MD_REFUSED, MD_NOTFOUND. */
int work_ask(struct work *w, enum policy_action action, struct md_err *err);
/* Remember something that people may have to be told when the work is saved. */
int work_event(struct work *w, const char *event, int64_t comment, const char *body,
	       struct md_err *err);
int work_history(struct work *w, const char *action, const char *old_value, const char *new_value,
		 bool is_public, struct md_err *err);
/* Put the ticket into a status the workflow led to, with all that hangs on it. Asks nobody. */
int work_move(struct work *w, const char *to, struct md_err *err);
int work_settle_clocks(struct work *w, struct md_err *err);
int work_queue_notices(struct work *w, struct md_err *err);

/* A person with what is needed to write to them. */
struct reader {
	const char *name, *email, *locale, *timezone;
};
/* One mail about one event to one person. */
struct letter_data {
	const struct work_event *event;
	const char *template;
	const struct reader *to, *requester, *assignee; /* the latter two NULL: nobody */
	const char *locale; /* of the mailbox */
	const char *from, *message_id, *reply_to, *marker;
};
/* letter_data.c: append what its templates are filled with, as JSON. MD_NOMEM. */
int letter_data_write(struct work *w, const struct letter_data *l, struct buf *out,
		      struct md_err *err);

#endif

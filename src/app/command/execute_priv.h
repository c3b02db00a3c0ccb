/* execute_priv.h - the executor of commands in parts: execute.c (order, refusals, the transcript),
 * execute_fields.c, execute_people.c and execute_tickets.c (what each verb does), answer.c (what is
 * asked for), canned.c. */
#ifndef MAILDESK_APP_EXECUTE_PRIV_H
#define MAILDESK_APP_EXECUTE_PRIV_H

#include <maildesk/app/work_base.h>

/* One command on one ticket. */
struct step {
	struct work *w;
	const struct command *cmd;
	struct work_change ch; /* what work_change() is asked, when `changes` */
	bool changes;
	const char *result; /* for the transcript; NULL: "done" */
};
typedef int (*execute_fn)(struct step *s, struct md_err *err);

int execute_status(struct step *s, struct md_err *err);
int execute_priority(struct step *s, struct md_err *err);
int execute_tag(struct step *s, struct md_err *err);
int execute_category(struct step *s, struct md_err *err);
int execute_title(struct step *s, struct md_err *err);
int execute_due(struct step *s, struct md_err *err);
int execute_snooze(struct step *s, struct md_err *err);
int execute_time(struct step *s, struct md_err *err);
int execute_field(struct step *s, struct md_err *err);

int execute_assign(struct step *s, struct md_err *err);
int execute_cc(struct step *s, struct md_err *err);
int execute_watch(struct step *s, struct md_err *err);
int execute_mute(struct step *s, struct md_err *err);
int execute_requester(struct step *s, struct md_err *err);

int execute_merge(struct step *s, struct md_err *err);
int execute_unmerge(struct step *s, struct md_err *err);
int execute_link(struct step *s, struct md_err *err);
int execute_split(struct step *s, struct md_err *err);
int execute_spam(struct step *s, struct md_err *err);
int execute_delete(struct step *s, struct md_err *err);
int execute_undo(struct step *s, struct md_err *err);

/* canned.c: appends its text to w->canned, adds its tags, runs its commands. */
int execute_canned(struct step *s, struct md_err *err);
/* answer.c: appends what was asked for to w->answers. */
int execute_query(struct step *s, struct md_err *err);

/* execute.c: one command; *ret_result lives in the work's arena. */
int execute_one(struct work *w, const struct command *cmd, const char **ret_result,
		struct md_err *err);
/* Save what was done so far; the work goes on. And: load again what another piece of work changed,
 * when nothing waits to be saved. */
int execute_flush(struct work *w, struct md_err *err);
int execute_reload(struct work *w, struct md_err *err);

#endif

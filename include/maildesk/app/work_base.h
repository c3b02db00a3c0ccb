/* work_base.h - what every part of a piece of work (work.h) stands on: refusing, asking, telling
 * the history. The parts are in ticket/ (what a step does), notify/ (whom it tells), command/ (text
 * that stands for steps) and intake/ (mails that stand for them). All strings in the work's arena.
 */
#ifndef MAILDESK_APP_WORK_BASE_H
#define MAILDESK_APP_WORK_BASE_H

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
/* The same for what may be done to a ticket that was merged or deleted. */
int work_ask_frozen(struct work *w, enum policy_action action, struct md_err *err);
/* Remember something that people may have to be told when the work is saved. */
int work_event(struct work *w, const char *event, int64_t comment, const char *body,
	       struct md_err *err);
int work_history(struct work *w, const char *action, const char *old_value, const char *new_value,
		 bool is_public, struct md_err *err);
/* The same with what is behind the texts: ids, instants, durations; for undo.c. */
struct work_fact {
	const char *action, *old_value, *new_value;
	int64_t old_number, new_number;
	bool is_public;
	bool by_itself; /* the desk did it, nobody asked */
};
int work_record(struct work *w, const struct work_fact *fact, struct md_err *err);
/* The participants as they are now. */
int work_load_people(struct work *w, struct md_err *err);
/* A ticket that another one is joined with: the actor must see it. MD_INPUT for none. */
int work_other(struct work *w, int64_t id, struct work *ret, struct md_err *err);

#endif

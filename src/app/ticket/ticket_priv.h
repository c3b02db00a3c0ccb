/* ticket_priv.h - between the parts of a step on a ticket. */
#ifndef MAILDESK_APP_TICKET_PRIV_H
#define MAILDESK_APP_TICKET_PRIV_H

#include <maildesk/app/work_base.h>

/* Tell those who watch (store/events.h): "comment.created", about a comment. What else becomes of
 * the ticket, work_save() tells. */
int work_announce(struct work *w, const char *type, int64_t comment, bool is_internal,
		  struct md_err *err);
/* What its clocks did; for agents. */
int work_announce_sla(struct work *w, const char *type, struct md_err *err);
/* operate.c: somebody joins or leaves, nobody is asked. */
int work_join(struct work *w, const struct user *u, const char *role, struct md_err *err);
int work_leave(struct work *w, const struct participant *p, struct md_err *err);
/* Save what was done so far and look again: another piece of work changes the ticket within this
 * step. */
int work_again(struct work *w, struct md_err *err);
/* fields.c: what work_change() may set beside text, status, tags and assignee. */
int work_change_fields(struct work *w, const struct work_change *ch, struct md_err *err);
int work_check_category(struct work *w, const char *category, struct md_err *err);
/* End the snooze, if there is one. */
int work_wake(struct work *w, struct md_err *err);
int work_set_snooze(struct work *w, int64_t until_ms, struct md_err *err);
int work_set_field(struct work *w, const char *name, const char *value, struct md_err *err);
/* Without asking whether they may. */
int work_set_requester(struct work *w, int64_t user, struct md_err *err);
int work_set_assignee(struct work *w, int64_t user, bool by_itself, struct md_err *err);
int work_set_team(struct work *w, int64_t team, struct md_err *err);
/* assign.c: if it is nobody's, by the way its team or the desk assigns tickets. */
int work_assign_by_desk(struct work *w, struct md_err *err);
/* comment.c: what follows from the actor's having said something in public. */
int work_note_author(struct work *w, struct md_err *err);
/* change.c */
int work_schedule_moves(struct work *w, struct md_err *err);
/* Put the ticket into a status the workflow led to, with all that hangs on it. Asks nobody. */
int work_move(struct work *w, const char *to, struct md_err *err);
/* Mails about a comment that wait say what it says now. */
int work_outbox_edit(struct work *w, int64_t comment, const char *body, struct md_err *err);
int work_settle_clocks(struct work *w, struct md_err *err);
/* clocks.c: a row as a clock again. */
struct live_clock {
	struct clock_row row; /* id 0: none yet */
	struct sla_clock k;
	struct sla_terms before, terms;
	bool has_before, has_terms;
	bool is_older; /* settled by what was valid before the configuration changed, then */
	int64_t changed_ms;
	struct clock_stretch stretches[6]; /* not written yet */
	size_t n_stretches;
};
int work_load_clocks(struct work *w, struct live_clock live[SLA_METRIC_COUNT], struct md_err *err);
const struct sla_policy *work_policy(const struct desk *d, const char *name); /* NULL: none */
const char *work_calendar_title(const struct desk *d, const struct calendar *c);
/* "paused: pending": why a clock of that ticket stands still. NULL: out of memory. */
const char *work_clock_why(const struct desk *d, const struct ticket *t, const struct sla_policy *p,
			   enum sla_metric metric, struct arena *a);
/* escalate.c: take what is due of a ticket's escalations, and do it. */
int work_escalate(struct work *w, struct md_err *err);

#endif

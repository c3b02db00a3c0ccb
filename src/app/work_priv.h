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
/* In the step that opens a ticket, saying for whom is a part of that; later it is an action. */
enum policy_action work_requester_action(const struct work *w);
/* The same for what may be done to a ticket that was merged or deleted. */
int work_ask_frozen(struct work *w, enum policy_action action, struct md_err *err);
/* Remember something that people may have to be told when the work is saved. */
int work_event(struct work *w, const char *event, int64_t comment, const char *body,
	       struct md_err *err);
/* Tell those who watch (store/events.h): "comment.created", about a comment. What else becomes of
 * the ticket, work_save() tells. */
int work_announce(struct work *w, const char *type, int64_t comment, bool is_internal,
		  struct md_err *err);
/* What its clocks did; for agents. */
int work_announce_sla(struct work *w, const char *type, struct md_err *err);
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
/* assign.c: by the way its team assigns tickets, if it is nobody's. */
int work_assign_by_team(struct work *w, struct md_err *err);
/* comment.c: what follows from the actor's having said something in public. */
int work_note_author(struct work *w, struct md_err *err);
/* change.c */
int work_schedule_moves(struct work *w, struct md_err *err);

/* Put the ticket into a status the workflow led to, with all that hangs on it. Asks nobody. */
int work_move(struct work *w, const char *to, struct md_err *err);
/* Ask the actor whether that held comment, with what stands in w->lines, is theirs: a one-time
 * address goes to their registered one. */
int work_ask_confirmation(struct work *w, int64_t comment, struct md_err *err);
/* alarms.c: a mail about no ticket: "unverified" to the actor, an alarm to admins. */
int work_tell(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t mailbox,
	      const struct work_event *event, struct md_err *err);
/* A mail about a ticket of which nothing is changed. */
int work_tell_of(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
		 const struct work_event *event, struct md_err *err);
/* outbox.c: its agents are told, when the work is saved, that a mail about it reached nobody. */
int work_undelivered(struct work *w, const char *address, const char *reply, struct md_err *err);
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
int work_queue_notices(struct work *w, struct md_err *err);

/* A person with what is needed to write to them. */
struct reader {
	const char *name, *email, *locale, *timezone;
	int64_t epoch;
	const char *digest;
};
/* One mail about one event to one person. */
struct letter_data {
	const struct work_event *event;
	const char *template;
	const struct reader *to, *requester, *assignee; /* the latter two NULL: nobody */
	const char *locale;                             /* of the mailbox */
	const char *from, *message_id, *reply_to, *marker;
	int64_t to_user;
	enum role to_role;
	const char *mute; /* token of /u/; NULL: there is nothing they could leave */
};
/* notify.c: by which mailbox, and from which address, people are written to about that ticket. */
const struct conf_mailbox *work_mailbox(const struct work *w);
const char *work_address(const struct work *w);
/* digest.c: is somebody told of that later, together with what else happens? Then it is kept for
 * their digest. */
struct collected {
	const struct work_event *event;
	const char *template;
	const struct reader *to;
	int64_t user;
	bool staff;
	int64_t not_before_ms;
};
int work_collect(struct work *w, const struct collected *l, bool *ret, struct md_err *err);
/* actions.c: a link that opens a mail to that address, RFC 6068. In the arena; NULL: none can be
 * written. */
const char *work_mailto(struct work *w, const char *address, const char *subject);
/* actions.c: the links by which an agent gives a command with one tap, JSON objects parted by
 * commas; "" for others. In the arena; NULL: out of memory. */
const char *letter_actions(struct work *w, const struct letter_data *l);
/* letter_data.c: "[#12]", in the arena. */
const char *work_tag(const struct work *w, int64_t ticket);
/* Append what its templates are filled with, as JSON. MD_NOMEM. */
int letter_data_write(struct work *w, const struct letter_data *l, struct buf *out,
		      struct md_err *err);

/* Tell the admins what was stopped: "breaker", or "silence" with about whom. */
int work_alarm(struct work *w, const char *what, const char *about, struct md_err *err);
/* The desk-wide breaker (mail-in.md, "Loops"): may one more automatic mail go to a customer, or
 * were there limits.auto_desk_hour of them within an hour? */
int work_breaker(struct work *w, bool *ret, struct md_err *err);

/* caps.c: whether something automatic may still go to that address now; what may not is in the
 * ticket's history. *ret_key is its subject without tags and prefixes, for the next time. */
int work_within_caps(struct work *w, const struct letter_data *l, bool is_staff,
		     const char **ret_key, bool *ret, struct md_err *err);

#endif

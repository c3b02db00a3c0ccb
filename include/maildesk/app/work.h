/* work.h - one step of one person on one ticket; every way in ends here.
 *
 * Mail, API, console, CLI and timers open a piece of work, do things to it and save it, all inside
 * one write transaction:
 *
 *	work_open() or work_create()
 *	work_comment(), work_change(), work_commands() ...	each asks policy and workflow
 *	work_save()	ticket, history, clocks, timers and the mails it causes, together
 *
 * The ticket row, its clocks and its mails are written by work_save() alone; a refusal before it
 * means that the caller rolls back. Nothing else in the program
 * changes a ticket. */
#ifndef MAILDESK_APP_WORK_H
#define MAILDESK_APP_WORK_H

#include <maildesk/app/desk.h>
#include <maildesk/desk/command.h>
#include <maildesk/desk/policy.h>
#include <maildesk/mail/message.h>
#include <maildesk/store/clocks.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/tickets.h>
#include <maildesk/store/users.h>

/* Why a step was refused; in err->native beside MD_REFUSED, MD_INPUT or MD_NOTFOUND. */
enum work_refusal {
	WORK_FORBIDDEN = 1, /* MD_REFUSED: not for them (403) */
	WORK_INVISIBLE,     /* MD_NOTFOUND: for them there is no such ticket (404) */
	WORK_NO_TRANSITION, /* MD_INPUT: no such edge (400 invalid_transition) */
	WORK_BAD_VALUE,     /* MD_INPUT: a value that cannot be (422) */
	WORK_LEVEL,         /* MD_REFUSED: the mail does not prove enough */
	WORK_READ_ONLY,     /* MD_CONFLICT: it was merged or deleted (409) */
};

/* Who does it, from where, when. */
struct work_by {
	struct desk *desk;
	struct policy_actor actor;
	struct user user;    /* id 0: the desk itself (timers) */
	const char *channel; /* "mail", "api", "console", "cli" */
	int64_t now_ms;
	/* of a mail only */
	int64_t message;            /* row of the mail */
	const struct message *mail; /* people in its To/Cc have it already */
	bool silent;                /* an import: causes no mail */
	bool automatic;             /* no person wrote it: moves no status, starts no clock */
	bool no_answer;             /* nothing automatic may go to its sender */
	bool is_answer;             /* it looks like one to a mail of ours */
};

struct mailbox_alarm {
	const char *name, *address, *error;
	int64_t since_at;
};

enum { WORK_EVENTS_MAX = 64 };

struct work {
	const struct work_by *by;
	struct db_conn *c;
	struct arena *arena;
	struct ticket ticket, before;
	const char *mailbox; /* title; NULL when it came by none */
	struct participant *participants;
	size_t n_participants;
	struct policy_ticket facts; /* the ticket as seen by the actor */
	unsigned who;               /* policy_who() of them */
	struct work_event {
		const char *event; /* "created", "public_reply", ... */
		int64_t comment;   /* the comment it is about; 0: none */
		const char *body;
		bool markdown; /* body is CommonMark: it was typed here, and came by no mail */
		/* of SLA events */
		const char *metric;
		int64_t percent, due_at;
		size_t step;       /* of an escalation, from 1 */
		unsigned audience; /* who is told, instead of the matrix (enum notice_role) */
		const struct mailbox_alarm *mailbox;
		const char *address, *reply; /* undelivered: to whom, and what their server said */
		int64_t confirmation;        /* row that this mail asks to be answered for */
		/* of alarms: what was stopped, "breaker" or "silence", and for whom */
		const char *alarm, *about;
	} events[WORK_EVENTS_MAX];
	size_t n_events;
	bool created, touched, retagged, customer_wrote, agent_replied;
	bool announced;       /* those who watch are told of what is new: see work_announce() */
	int64_t happened_ms;  /* when, if not now: what is approved late */
	bool echo, too_large; /* see work_ticket */
	/* What became of each SLA clock: "started", "paused", "resumed", "met", "breached"; NULL:
	 * nothing. */
	const char *sla_effects[SLA_METRIC_COUNT];
	struct work_line {
		const char *line, *reason; /* reason: what happened, or why not */
		bool ok;
	} * lines; /* the transcript of the commands that were run, or refused */
	size_t n_lines;
	/* What the questions among them found: JSON objects for the templates, parted by commas;
	 * and the text of canned replies, for whoever makes the comment. NULL: none. */
	const char *answers, *canned;
};

struct work_ticket {       /* what a new ticket is made of */
	const char *title; /* cleaned and cut by work_create(); empty: "(no subject)" */
	const char *body, *body_full;
	const char *body_html; /* safe HTML of its mail; may be NULL */
	int64_t requester;     /* user */
	int64_t priority;      /* 0..3 */
	const char *category;
	int64_t assignee, mailbox; /* 0: none */
	struct rec_strs tags;
	const int64_t *cc; /* users */
	size_t n_cc;
	/* Stores the mail it came by, by->message, once the ticket has its number; NULL: none. */
	int (*store_mail)(void *mail, int64_t ticket, struct md_err *err);
	void *mail;
	bool is_internal; /* its description is for agents alone */
	bool too_large;   /* its mail was not fetched: the sender is told */
	bool echo; /* the acknowledgement may carry the title: the sender is proven or known */
};

struct work_comment {
	const char *body, *body_full; /* body_full NULL when the same */
	const char *body_html;        /* safe HTML of its mail; may be NULL */
	bool is_internal;
	const char *held; /* policy_hold_name(), or NULL */
};

struct work_change {        /* absent: NULL, -1, false, n = 0 */
	const char *status; /* a name of the workflow */
	int64_t priority;
	bool set_assignee;
	int64_t assignee;             /* 0: nobody */
	const char *title, *category; /* category "": none */
	struct rec_strs add_tags, remove_tags;
	bool opens;    /* the ticket: then everybody may add tags that exist */
	bool set_tags; /* then `tags` replaces them all */
	struct rec_strs tags;
	bool set_team;
	int64_t team;      /* 0: none */
	int64_t requester; /* user; 0: as it is */
	bool set_due, set_snoozed;
	int64_t due_at, snoozed_until; /* 0: none */
	int64_t add_time_ms;           /* more time spent, may be negative */
	const char *field, *value;     /* a custom field of the configuration; value "": none */
};
#define WORK_CHANGE_NONE       \
	{                      \
		.priority = -1 \
	}

/* "low" .. "critical" for 0..3, and back (-1 for another word). */
const char *work_priority_name(int64_t priority);
int64_t work_priority_from_name(const char *name);

/* In the step that opens a ticket, saying for whom is a part of that; later it is an action. */
enum policy_action work_requester_action(const struct work *w);
/* Load a ticket as the actor may see it. MD_NOTFOUND (WORK_INVISIBLE). A merged one: the row of
 * the one named; route.h hands on to the survivor. */
int work_open(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
	      struct work *ret, struct md_err *err);
/* The same for showing it: with its row, and all its people (in ret too, but those who wait). */
struct participants {
	struct participant *v;
	size_t n;
};
int work_open_row(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
		  struct ticket_row *ret_row, struct participants *ret_people, struct work *ret,
		  struct md_err *err);
/* The same without asking whether the actor may see it: for mail, which is led here by its
 * references and held where it must be, and for the desk itself. */
int work_load(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
	      struct work *ret, struct md_err *err);
/* Make a ticket with its first comment. MD_REFUSED, MD_INPUT. */
int work_create(const struct work_by *by, struct db_conn *c, struct arena *a,
		const struct work_ticket *t, struct work *ret, int64_t *ret_comment,
		struct md_err *err);
int work_comment(struct work *w, const struct work_comment *m, int64_t *ret_comment,
		 struct md_err *err);
/* The first refusal ends it; the caller then rolls back. Assignee before status; what happens by
 * itself follows. */
int work_change(struct work *w, const struct work_change *ch, struct md_err *err);
/* ---- operations that are more than a field (operate.c, merge.c, undo.c) ---- */

/* Fold the ticket into another: comments, participants and ids follow, replies to it go there. Into
 * itself, a merged or deleted one: MD_INPUT. The survivor is changed and saved too. */
int work_merge(struct work *w, int64_t into, struct md_err *err);
int work_unmerge(struct work *w, struct md_err *err);
/* `type` is of ticket_links; `on` false takes the link away. */
int work_link(struct work *w, const char *type, int64_t other, bool on, struct md_err *err);
/* The comment becomes the first one of a new ticket of the same requester. */
int work_split(struct work *w, int64_t comment, int64_t *ret_ticket, struct md_err *err);
/* Softly: gone for all but admins, who may restore it within 30 days. */
int work_delete(struct work *w, struct md_err *err);
int work_restore(struct work *w, struct md_err *err);
/* Delete it, block its requester's address and put its mail into quarantine "spam". */
int work_spam(struct work *w, struct md_err *err);
/* The actor themselves: told of what happens, or of nothing. */
int work_watch(struct work *w, bool on, struct md_err *err);
int work_mute(struct work *w, bool on, struct md_err *err);
int work_participant_remove(struct work *w, int64_t user, struct md_err *err);
/* A held comment becomes what it would have been, with the mails it would have caused; a person
 * whose joining waits joins, and their held comments are approved. */
int work_approve(struct work *w, int64_t comment, struct md_err *err);
int work_approve_person(struct work *w, int64_t user, struct md_err *err);
/* Take back what the actor's last mail with commands did to this ticket within 24 h; MD_CONFLICT
 * when a field it would restore was changed since. */
int work_undo(struct work *w, struct md_err *err);

/* A person joins as "cc" or "watcher"; by mail of who may not say so they wait for an agent
 * (store/tickets.h, participant_propose()). */
int work_participant(struct work *w, int64_t user, const char *role, struct md_err *err);
/* Work on no ticket at all: for questions, and commands on tickets that they name. */
void work_none(const struct work_by *by, struct db_conn *c, struct arena *a, struct work *ret);
/* Run parsed commands in order, on the ticket or on those that the list names (these are saved
 * here); the first refusal ends it with that code and `err`, its line is the last of w->lines, and
 * the caller rolls back. */
int work_commands(struct work *w, const struct command_list *list, struct md_err *err);
/* The same from text: a block of commands, or "[a; b=c]". What #note, #reply or a canned reply make
 * of a comment is said, too: by itself, or added to `said`, which has a text of its own (NULL:
 * none). *ret_comment is written when there is one. */
int work_box(struct work *w, const char *text, struct work_comment *said, int64_t *ret_comment,
	     struct md_err *err);
/* Answer the actor with w->lines: the transcript. */
int work_transcript(struct work *w, struct md_err *err);
/* The custom fields of the desk, as verbs. */
struct rec_strs work_field_names(const struct desk *d, struct arena *a);
/* Can that canned reply be used, its text and the commands it brings along? MD_INPUT: no, and
 * *ret_field is the one to blame. */
struct canned;
int work_check_canned(const struct desk *d, const struct canned *r, struct arena *a,
		      const char **ret_field, struct md_err *err);
/* Statuses the actor may move it to, in arena. */
struct rec_strs work_allowed(const struct work *w);
/* What a timer of that kind does when it is due; then work_save(). */
int work_fire(struct work *w, const char *kind, struct md_err *err);
int work_save(struct work *w, struct md_err *err);
/* Its agents are told, when the work is saved, that a mail about it reached nobody. */
int work_undelivered(struct work *w, const char *address, const char *reply, struct md_err *err);

/* Edit or delete a comment (its author; admins delete); the old text goes into the history. */
int work_comment_edit(struct work *w, int64_t comment, const char *body, struct md_err *err);
int work_comment_delete(struct work *w, int64_t comment, struct md_err *err);

/* After the transaction: wake who has something to do now. */
void work_done(struct desk *d);

#endif

/* notice.h - who is told of what: the default matrix of event and role.
 *
 * Nobody is told twice of one event, nor of their own action (but acknowledgements, transcripts and
 * notices of held mail go to whoever caused them); internal notes reach agents and admins only. */
#ifndef MAILDESK_DESK_NOTICE_H
#define MAILDESK_DESK_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum notice_event {
	NOTICE_CREATED,
	NOTICE_PUBLIC_REPLY,
	NOTICE_INTERNAL_NOTE,
	NOTICE_ASSIGNED,
	NOTICE_STATUS_CHANGED, /* to resolved or closed, without a reply in the same step */
	NOTICE_SLA_WARNING,
	NOTICE_SLA_BREACH,
	NOTICE_ESCALATED,
	NOTICE_REMINDER,   /* the customer's answer is waited for, not for ever */
	NOTICE_TRANSCRIPT, /* of commands; to NOTICE_SENDER */
	NOTICE_UNVERIFIED,
	NOTICE_CONFIRMATION,
	NOTICE_CONFIRMATION_EXPIRED, /* an agent's mail was held; to NOTICE_SENDER */
	NOTICE_TOO_LARGE,            /* an answer was; to NOTICE_SENDER */
	NOTICE_MERGED,               /* into another ticket */
	NOTICE_TAMPERED,             /* somebody on the ticket used a spoilt address of it */
	NOTICE_MAILBOX_ALARM,        /* one cannot be read */
	NOTICE_ALARM,                /* of the desk: something was stopped */
	NOTICE_UNDELIVERED,          /* a mail of ours */
	NOTICE_MENTION, /* in a note: of NOTICE_INTERNAL_NOTE, with a choice of its own */
	NOTICE_EVENT_COUNT
};

/* What somebody is to this ticket or event; or-ed. */
enum notice_role {
	NOTICE_REQUESTER = 1 << 0,
	NOTICE_PARTICIPANT = 1 << 1,
	NOTICE_ASSIGNEE = 1 << 2,
	NOTICE_WATCHER = 1 << 3,
	NOTICE_TEAM = 1 << 4,  /* a member of the ticket's team */
	NOTICE_AGENT = 1 << 5, /* any agent of the desk */
	NOTICE_ADMIN = 1 << 6,
	NOTICE_SENDER = 1 << 7,    /* of the mail that caused the event */
	NOTICE_MENTIONED = 1 << 8, /* named in the note, see mention.h */

	NOTICE_ON_TICKET = NOTICE_REQUESTER | NOTICE_PARTICIPANT | NOTICE_WATCHER,
};

struct notice_person {
	int64_t user_id;
	unsigned roles;
	bool staff;         /* an agent or admin, not a customer */
	bool muted;         /* this ticket */
	bool has_mail;      /* was in To or Cc of the mail whose text would be sent */
	bool is_actor;      /* did it */
	bool undeliverable; /* no mail gets through to them, or the account is disabled */
};

struct notice {
	int64_t user_id;
	const char *template; /* "created", "created_agent", ... */
	const char *reason;   /* their role: "requester", "assignee", ... */
	bool may_wait;        /* for a digest */
};

/* The name as in templates and settings: "created", "public_reply", ... */
extern const char *const notice_event_names[NOTICE_EVENT_COUNT];

/* Writes at most n notices to ret, in the order of people; returns how many. One user may stand
 * in several entries, which then count together. */
size_t notice_decide(enum notice_event event, const struct notice_person *people, size_t n,
		     struct notice *ret);
/* Somebody's choice instead of that: told are all of these roles at once, among those whom the
 * event is meant for (of an internal note no customer, say). Of those named in a note all are, or
 * by the choice for NOTICE_MENTION those who have one of its roles. */
struct notice_choice {
	bool is_made; /* else `roles` says nothing */
	unsigned roles;
	bool own_actions; /* who did it is told, too */
	bool limits_mentions;
	unsigned mention_roles;
};
size_t notice_decide_for(enum notice_event event, const struct notice_choice *choice,
			 const struct notice_person *people, size_t n, struct notice *ret);
/* Is that for the configuration to choose? Answers to a command, say, are not. */
bool notice_may_choose(enum notice_event event);

#endif

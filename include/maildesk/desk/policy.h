/* policy.h - the one function that says who may do what.
 *
 * Every way in (mail, API, console, CLI) asks it; nothing else compares roles. Which status may
 * follow which is the workflow's to say, with the `who` of policy_who(). Pure: facts in, answer
 * out. */
#ifndef MAILDESK_DESK_POLICY_H
#define MAILDESK_DESK_POLICY_H

#include <maildesk/desk/workflow.h>
#include <stdbool.h>
#include <stdint.h>

enum role { ROLE_ANONYMOUS, ROLE_CUSTOMER, ROLE_AGENT, ROLE_ADMIN, ROLE_COUNT };
/* "anonymous", "customer", "agent", "admin" as stored and shown; ROLE_COUNT for an unknown name. */
const char *role_name(enum role role);
enum role role_from_name(const char *name);

/* How a change came in; the `source` of history. Only mail is ever less than fully proven. */
enum source {
	SOURCE_MAIL,
	SOURCE_API,
	SOURCE_CONSOLE,
	SOURCE_CLI,
	SOURCE_TIMER,
	SOURCE_RULE,
	SOURCE_COUNT
};
const char *source_name(enum source source); /* "mail", "api", ... */

enum policy_action {
	/* without a ticket (pass NULL) */
	ACTION_CREATE_TICKET,
	ACTION_CREATE_FOR_OTHERS, /* name another requester */
	ACTION_LIST_USERS,    /* a customer is shown self and staff only: ACTION_SEE_CUSTOMERS */
	ACTION_SEE_CUSTOMERS, /* users who are customers, other than oneself */
	ACTION_MANAGE_USERS,
	ACTION_SEE_MESSAGES, /* raw mail, decisions */
	ACTION_MANAGE_DESK,  /* outbox, quarantine, mailboxes */
	/* with one */
	ACTION_READ_TICKET,
	ACTION_READ_INTERNAL, /* internal notes, the whole history */
	ACTION_COMMENT_PUBLIC,
	ACTION_COMMENT_INTERNAL,
	ACTION_APPROVE_COMMENT, /* one that is held */
	ACTION_MOVE_STATUS,     /* then the workflow is asked */
	ACTION_EDIT_TEXT,       /* title, description */
	ACTION_EDIT_FIELDS,     /* category and the like */
	ACTION_ASSIGN,
	ACTION_SET_PRIORITY,
	ACTION_TAG,
	ACTION_SET_REQUESTER,
	ACTION_ADD_PARTICIPANT,
	ACTION_LINK,               /* to another; split a comment off; undo a merge */
	ACTION_MERGE,              /* into another */
	ACTION_SPAM,               /* delete it and block its sender */
	ACTION_BULK,               /* with others by one mail */
	ACTION_REMOVE_PARTICIPANT, /* another than oneself */
	ACTION_WATCH,              /* be told more of it, or nothing */
	ACTION_UNDO,               /* what one did oneself */
	ACTION_DELETE_TICKET,
	ACTION_RESTORE_TICKET,
	/* with a comment of that ticket (is_author) */
	ACTION_EDIT_COMMENT,
	ACTION_DELETE_COMMENT,
	ACTION_COUNT
};
const char *policy_action_name(enum policy_action action); /* "create_ticket", ... */

struct policy_actor {
	int64_t user; /* 0: not one of our users */
	enum role role;
	int level; /* trust of the mail, 0..3 (trust.h); other sources count as 3 */
	enum source source;
};

/* A ticket as seen by that actor. */
struct policy_ticket {
	int64_t requester, assignee; /* users; 0: none */
	bool is_participant;         /* the actor is cc or watcher of it, and approved */
	bool is_new;                 /* its status is the workflow's first */
	bool is_author;              /* the actor wrote the comment in question */
	bool open_desk;              /* desk.visibility = "open" */
	bool is_shared;              /* of the actor's organisation, which shares its tickets */
};

enum policy_answer {
	POLICY_YES,
	POLICY_LEVEL,     /* allowed to them, but the mail proves too little who they are */
	POLICY_NO,        /* 403 */
	POLICY_INVISIBLE, /* answer as if the ticket did not exist: 404 */
};

/* What the actor is to the ticket (may be NULL). */
unsigned policy_who(const struct policy_actor *actor, const struct policy_ticket *ticket);
enum policy_answer policy_may(const struct policy_actor *actor, enum policy_action action,
			      const struct policy_ticket *ticket);
/* The least trust level at which mail of that role may do it (0..3). */
int policy_level(enum role role, enum policy_action action);

/* Whether a comment that came by mail is shown at once. */
enum policy_hold {
	HOLD_NONE,
	HOLD_UNVERIFIED,      /* by staff below level 2, or on a failed or unusable From */
	HOLD_NOT_PARTICIPANT, /* by somebody who takes no part in the ticket */
	HOLD_COUNT
};
/* NULL, "unverified", "not_participant": as stored in comments.held */
const char *policy_hold_name(enum policy_hold hold);
enum policy_hold policy_hold(const struct policy_actor *actor, const struct policy_ticket *ticket);

#endif

/* route.h - which ticket a mail belongs to (mail-in.md, "Finding the ticket"), and which mail is
 * kept away from tickets altogether.
 *
 * The caller looks things up and hands in facts; these functions decide, and name the rule and its
 * evidence for the decision row. Pure. */
#ifndef MAILDESK_DESK_ROUTE_H
#define MAILDESK_DESK_ROUTE_H

#include <maildesk/base/arena.h>
#include <maildesk/desk/evidence.h>
#include <maildesk/desk/token.h>
#include <maildesk/mail/message.h>
#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are tried. */
enum route_rule {
	RULE_ADDRESS,   /* 1. a signed reply address */
	RULE_REFERENCE, /* 2. In-Reply-To, then References newest first; a bounce's original */
	RULE_MARKER,    /* 3. a signed marker in the quoted body */
	RULE_SUBJECT,   /* 4. [#123] */
	RULE_NONE,      /* none led anywhere: a new ticket */
	RULE_FORWARD,   /* it is a forward: a new ticket */
	RULE_SCREEN,    /* for the caller: route_screen() kept it away */
	RULE_COUNT
};
const char *route_rule_name(enum route_rule rule); /* "address", "reference", ... */

/* A ticket some rule points at, as it is for the sender. */
struct route_ticket {
	int64_t id;            /* of the survivor, where it was merged */
	int64_t merged_from;   /* the number that was named, when it was; else 0 */
	bool sender_on_ticket; /* requester, participant, agent or admin (policy_who) */
	bool sender_is_staff;
	bool is_closed; /* PHASE_CLOSED */
	int64_t closed_at_ms;
	bool can_reopen; /* the workflow has an edge out of its status for a customer's reply */
};

/* One thing in the mail that may name a ticket. */
struct route_hit {
	enum route_rule rule;       /* RULE_ADDRESS .. RULE_SUBJECT */
	const char *via;            /* the address, id, marker or tag itself */
	enum token_result token;    /* of addresses, markers and md. ids; else TOKEN_NONE */
	bool has_ticket;            /* false: it leads nowhere (unknown id, no such ticket) */
	struct route_ticket ticket; /* if so */
};

struct route_input {
	/* Hits of one rule stand in the order in which they are to be tried. */
	const struct route_hit *hits;
	size_t hit_count;
	enum message_kind kind;
	bool is_forward;
	int64_t now_ms, reopen_window_ms;
};

enum route_outcome {
	ROUTE_NEW,
	ROUTE_NEW_LINKED, /* a new ticket, linked to `ticket` */
	ROUTE_COMMENT,
	ROUTE_COMMENT_HELD,   /* internal, held as not_participant */
	ROUTE_DELIVERY_EVENT, /* a bounce, delay or receipt of something we sent on `ticket` */
	ROUTE_QUARANTINE,
};

struct route_decision {
	enum route_outcome outcome;
	int64_t ticket; /* 0 for ROUTE_NEW and ROUTE_QUARANTINE */
	size_t hit;     /* index of the hit that decided, hit_count if none */
	enum route_rule rule;
	const char *cause; /* of a quarantine: "bad_signature", "bounce_unknown", ...; else NULL */
	struct evidence evidence; /* what it borrows is the input's, or in the arena */
};

/* MD_OK or MD_NOMEM. */
int route_decide(const struct route_input *in, struct arena *arena, struct route_decision *ret,
		 struct md_err *err);

/* Before anything is looked up: mail that goes to quarantine at once. `own` are the addresses of
 * all mailboxes, `desk_id` is our X-Maildesk-Loop. Returns the cause ("malformed", "loop") or NULL;
 * *ret_evidence is written with a cause. */
const char *route_screen(const struct message *m, const struct rec_strs *own, const char *desk_id,
			 enum evidence_code *ret_evidence);

/* May anything automatic be sent to the sender of this mail? */
bool route_may_answer(const struct message *m, const struct rec_strs *own);

#endif

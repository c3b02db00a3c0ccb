/* intake_priv.h - intake in parts: facts.c looks things up, intake.c decides and acts, with
 * intake_people.c for those who wrote or have it, intake_rules.c for what an admin wants done with
 * it, intake_commands.c for what it asks for, intake_delivery.c for reports and
 * intake_decision.c for what is remembered of all that. */
#ifndef MAILDESK_APP_INTAKE_PRIV_H
#define MAILDESK_APP_INTAKE_PRIV_H

#include <maildesk/app/intake.h>
#include <maildesk/app/work.h>
#include <maildesk/desk/route.h>
#include <maildesk/desk/trust.h>
#include <maildesk/store/messages.h>

enum { INTAKE_HITS_MAX = 64 };

/* What is known about a mail before anything is decided. */
struct intake_facts {
	const struct message *m;
	const struct desk_mailbox *mailbox;
	const char *sender, *sender_name; /* address the mail speaks for, folded as users' are */
	struct user user;                 /* id 0: not one of ours */
	bool is_staff;
	bool by_form;     /* the sender is named by a contact form */
	bool by_own_list; /* a list that is one of our addresses carried it: no list to us */
	bool automatic;   /* no person wrote it */
	/* The proof token of an address of the mail, the sender's own if there is one; user 0:
	 * none. What is left of it stands below. */
	struct token proof;
	bool proof_dead, proof_ran; /* others have seen it; its commands were run */
	struct token bounced;       /* of our envelope sender that it was sent to; user 0: none */
	int64_t confirmation;       /* row that it may answer; 0: none */
	struct trust trust;
	struct route_hit hits[INTAKE_HITS_MAX];
	size_t n_hits;
};

int intake_facts(struct desk *d, struct db_conn *c, struct arena *a, const struct intake_mail *mail,
		 int64_t now_ms, struct intake_facts *ret, struct md_err *err);

/* One mail on its way in. */
struct intake {
	struct desk *d;
	struct db_conn *c;
	struct arena *a;
	const struct intake_mail *mail;
	const struct message *m;
	struct intake_facts f;
	struct route_decision route;
	struct work_by by;
	struct command_list list;
	bool commands; /* list may be run: the sender is proven well enough */
	bool refused;  /* they were refused: file the text, say why */
	bool confirm;  /* they need more proof: file the text, ask for it */
	struct work_line *lines;
	size_t n_lines;
	struct rule_outcome rules;
	const char *sla_effects[SLA_METRIC_COUNT]; /* as work's */
	int64_t requester; /* of the ticket an agent's forward opens; 0: whoever wrote */
	const char *message_id, *identity;
	bool stored;       /* its row was there before */
	bool cross_posted; /* another mailbox has a ticket of it, this one wants its own */
	struct intake_result result;
};

/* The user of an address, made a customer if there is none. */
int intake_ensure_user(struct intake *in, const char *address, const char *name, struct user *ret,
		       struct md_err *err);
/* Its row, in->result.message, of that ticket; 0: none. */
int intake_store_message(struct intake *in, int64_t ticket, struct md_err *err);
/* in->by.user and in->f.user are the sender, known or new. */
int intake_ensure_sender(struct intake *in, struct md_err *err);
/* Users in To and Cc but for the sender and ourselves, new ones made; in the arena. */
int intake_copied(struct intake *in, const int64_t **ret, size_t *ret_n, struct md_err *err);
/* Those in To and Cc of a reply, and a sender who takes no part: they join, or wait for an agent.
 */
int intake_join(struct intake *in, struct work *w, enum policy_hold hold, struct md_err *err);
/* Did this sender write more than inbound_per_sender_hour? */
int intake_is_flood(struct intake *in, bool *ret, struct md_err *err);
/* intake_commands.c. What of the mail is read for commands, and how; in the arena. */
struct command_input intake_command_input(const struct intake *in);
/* Read the commands into in->list, if the sender may give any: in->commands. */
int intake_parse_commands(struct intake *in, struct md_err *err);
/* Is there nothing but questions, or commands for tickets it names, in a mail that is about none?
 */
bool intake_only_asks(const struct intake *in);
/* Is there a command, or what was to be one? */
bool intake_has_commands(const struct intake *in);
/* Will its ticket take no comment after these commands? */
bool intake_ends_ticket(const struct intake *in);
/* The commands of the mail on an open piece of work, or, once refused, the transcript of that. */
int intake_run_commands(struct intake *in, struct work *w, struct md_err *err);
/* What is said, once the commands are off it, with what a canned reply adds (or NULL); the whole
 * text when they were refused. NULL: out of memory. */
const char *intake_body(const struct intake *in, const char *canned);
/* intake_rules.c: what keeps a mail away beside its route: blocked senders, the mail system's word
 * that it is spam, inbound rules. *ret_cause is the quarantine cause, or NULL. */
int intake_screen(struct intake *in, const char **ret_cause, const char **ret_detail,
		  struct md_err *err);
/* What the rules set of a new ticket: before it is made, and once it is. */
void intake_rules_before(const struct intake *in, struct work_ticket *t);
int intake_rules_after(const struct intake *in, struct work *w, struct md_err *err);
/* intake_decision.c */
int intake_write_decision(struct intake *in, struct md_err *err);
int intake_note_duplicate(struct intake *in, const struct message_row *first, struct md_err *err);
/* intake_effects.c: kept away from tickets, in->result says why; `detail` may be NULL. */
int intake_quarantine(struct intake *in, const char *cause, const char *detail, struct md_err *err);
/* By in->route: a ticket, a comment, or answers alone, with what the mail's commands do. */
int intake_file(struct intake *in, struct md_err *err);
/* The text of a reply on the ticket of in->route, with its commands. */
int intake_add_comment(struct intake *in, struct md_err *err);
/* Somebody spoilt a signed address: staff whose name it bears are told, without a word of it. */
int intake_tell_tampered(struct intake *in, struct md_err *err);
/* on_behalf.c: the customer whose mail an agent passes on: in->requester. */
int intake_find_requester(struct intake *in, struct md_err *err);
/* Their words are the ticket's. */
void intake_set_forwarded(const struct intake *in, struct work_ticket *t);
/* A verification code or a sign-in link of somebody else's service: for agents' eyes only. */
bool intake_is_secret(const struct intake *in);
/* What else belongs to a ticket that was opened: why its sender is not believed, the agent's own
 * words, the address it was sent to. */
int intake_opened(struct intake *in, struct work *w, struct md_err *err);
/* confirm.c: did the mail answer one of our questions? Then what was held is done: *ret_done. */
int intake_confirm(struct intake *in, bool *ret_done, struct md_err *err);
/* Ask for the confirmation of `comment`; the lines it is about are of in->lines or parsed anew. */
int intake_ask_confirmation(struct intake *in, struct work *w, int64_t comment, struct md_err *err);
/* tokens.c: what a proof token is called in spent_tokens; in the arena, NULL: out of memory. */
const char *intake_token_name(struct arena *a, const struct token *t);
/* What is left of the sender's proof token. */
int intake_proof_state(struct db_conn *c, struct arena *a, struct intake_facts *f,
		       struct md_err *err);
/* After the mail had its effect: its token is worth less. */
int intake_spend_token(struct intake *in, struct md_err *err);
/* A delivery event on in->route.ticket. */
int intake_note_delivery(struct intake *in, struct md_err *err);

#endif

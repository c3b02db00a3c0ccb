/* command.h - the command language of mails: from text to a list of verbs with arguments.
 *
 *	Re: [#412] Printer on fire [resolve; tag=+hardware]	at the end of the subject, or
 *	Re: [#412] Printer on fire #resolve #tag +hardware
 *
 *	#take							at the very top of the new text
 *	#priority high
 *	Hello Carol, ...
 *
 * This is the parser; whether somebody may, and the doing, is the executor's. What cannot be
 * understood is a refusal with a reason fit for a transcript, or stays text, as
 * trust-and-commands.md says. Pure; results live in the arena, or are the table's. */
#ifndef MAILDESK_DESK_COMMAND_H
#define MAILDESK_DESK_COMMAND_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/record.h>
#include <maildesk/desk/policy.h>

enum {
	COMMAND_MAX = 50,         /* commands in one mail; more are a refusal */
	COMMAND_TICKETS_MAX = 50, /* tickets that one mail changes */
	COMMAND_TAG_MAX = 64,     /* characters of a tag or category */
	COMMAND_TITLE_MAX = 500   /* characters */
};

enum command_verb {
	VERB_STATUS, /* args: what workflow_target() understands */
	VERB_ASSIGN, /* args: "me", "none", an address, a name, a team */
	VERB_PRIORITY,
	VERB_TAG, /* words: "+name" or "-name" */
	VERB_CATEGORY,
	VERB_TITLE,
	VERB_DUE,
	VERB_SNOOZE,
	VERB_TIME,  /* amount_ms */
	VERB_FIELD, /* key: the field's name as configured */
	VERB_NOTE,  /* the mail's text is an internal note */
	VERB_REPLY, /* ... is a public reply */
	VERB_CANNED,
	VERB_CC,    /* words: addresses */
	VERB_WATCH, /* args: "on", "off"; so VERB_MUTE */
	VERB_MUTE,
	VERB_REQUESTER, /* words: one address */
	VERB_MERGE,     /* numbers: one; so VERB_SPLIT, VERB_LINK with the link's type as key */
	VERB_UNMERGE,
	VERB_LINK,
	VERB_SPLIT,
	VERB_SPAM,
	VERB_DELETE,
	VERB_UNDO,
	/* answered by mail: command_is_query() */
	VERB_HELP, /* args: a verb, or "" */
	VERB_LIST,
	VERB_SHOW, /* numbers: one, or none */
	VERB_SEARCH,
	/* never in a list */
	VERB_ON,   /* numbers: the tickets meant */
	VERB_STOP, /* ends the block */
	VERB_COUNT
};

enum command_argument {
	ARGUMENT_NONE,
	ARGUMENT_WORDS, /* one or more, one line */
	ARGUMENT_OPTIONAL,
	ARGUMENT_PRIORITY, /* low, medium, high, critical */
	ARGUMENT_TAGS,
	ARGUMENT_ADDRESS,
	ARGUMENT_ADDRESSES,
	ARGUMENT_NUMBER,
	ARGUMENT_OPTIONAL_NUMBER,
	ARGUMENT_NUMBERS,
	ARGUMENT_LINK, /* a type of link and a number */
	ARGUMENT_WHEN, /* "none", or what when_instant() reads, without "until" or "for" */
	ARGUMENT_TIME, /* what when_duration() reads */
	ARGUMENT_VERB,
	ARGUMENT_TEXT, /* the rest of the mail, may be empty */
};

/* One row a verb as people write it; several rows may lead to one enum command_verb. */
struct command_row {
	const char *name;
	const char *aliases; /* separated by spaces, or NULL */
	enum command_verb verb;
	const char *preset; /* args that the name implies ("take": "me"); then ARGUMENT_NONE */
	enum command_argument argument;
	enum policy_action action; /* what policy_may() is asked: who, and at which level */
	const char *usage, *help;
	const char *example; /* a line of a mail; NULL: none */
};
extern const struct command_row command_rows[];                     /* ended by a NULL name */
const struct command_row *command_find(const char *word, size_t n); /* case-insensitive, or NULL */
bool command_is_query(const struct command_row *row); /* changes nothing, is answered */

struct command {
	const struct command_row *row;
	const char *args;      /* trimmed, one line; "" when there are none, and of note and reply:
				* their text is the list's body */
	struct rec_strs words; /* the rest: what the verb says */
	int64_t *numbers;
	size_t number_count;
	int64_t amount_ms;
	const char *key;
	const char *line; /* as written, for transcript and decision */
	bool in_subject;
};
struct command_refusal {
	const char *line, *reason;
	bool in_subject;
};

enum command_comment { COMMENT_BY_DEFAULT, COMMENT_NOTE, COMMENT_REPLY };

struct command_list {
	struct command *commands; /* in order: subject, then body */
	size_t count;
	struct command_refusal *refusals; /* any: run nothing */
	size_t refusal_count;
	/* Words that look like commands of the subject but are none (loose): nothing fails, the
	 * transcript mentions them. */
	struct command_refusal *leftovers;
	size_t leftover_count;
	const char *subject;       /* without what was understood as commands */
	const char *subject_block; /* the part taken off it, as written; "" if none. The same block
				    * in a reply to a mail that ran it runs nothing. */
	const char *body;          /* the new text without its command block; "" if nothing is left:
				    * then there is no comment */
	enum command_comment comment; /* what #note or #reply say `body` is */
	/* Tickets named by "[#1 #2 #3]" in the subject or by "#on 1 2 3": the commands are for each
	 * of them. n = 0: for the one that the mail is about. */
	int64_t *tickets;
	size_t ticket_count;
};

enum command_subjects { SUBJECT_LOOSE, SUBJECT_STRICT, SUBJECT_OFF, SUBJECT_COUNT };
const char *command_subjects_name(enum command_subjects mode);
enum command_subjects command_subjects_from_name(const char *name); /* or SUBJECT_COUNT */

struct command_input {
	const char *subject;    /* decoded, one line; NULL counts as "" */
	const char *text;       /* what is new in the body, LF; NULL counts as "" */
	const char *tag_format; /* of subjects: "[#%d]"; such a bracket is no command */
	enum command_subjects mode;
	/* Staff: an unknown `#word` in the body block is a refusal. Customers: it is text. */
	bool is_staff;
	struct rec_strs fields; /* names of the custom fields, which are verbs too */
};

/* MD_OK, or MD_NOMEM when the arena is full. Bad commands are no failure: see refusals. */
int command_parse(const struct command_input *in, struct arena *arena, struct command_list *ret,
		  struct md_err *err);
/* The same for a command box or the API: `in->text` is a block as in a body, or "[a; b=c]"; subject
 * and mode are not looked at. Whatever is no command is a refusal. */
int command_parse_box(const struct command_input *in, struct arena *arena, struct command_list *ret,
		      struct md_err *err);

/* Whole mails, as the manual shows them. */
extern const struct command_example {
	const char *subject, *text, *about;
} command_examples[]; /* ended by a NULL subject */
/* Append maildesk-commands(7), or its table as plain text. */
void command_manual(struct buf *out);
void command_table(struct buf *out);

/* The numbers of a "[#1 #2 #3]" in a subject, two at least; n = 0 without one. Doubles are dropped,
 * and what is more than COMMAND_TICKETS_MAX + 1. MD_NOMEM. */
int command_ticket_list(const char *subject, struct arena *arena, int64_t **ret, size_t *ret_n,
			struct md_err *err);
/* The ticket a subject names by its tag, 0 if none. `format` has one "%d": "[#%d]". The first one
 * counts when there are several: ours is in front; without one the first of a "[#1 #2]". A command
 * bracket is none. */
int64_t command_ticket_tag(const char *subject, const char *format);
/* Such a format: exactly one "%d", no other '%', no controls, something before or after it. */
bool command_tag_format_valid(const char *format);
/* "[#412] Title": a subject with the tag in front, unless it has it already. */
const char *command_tag_subject(struct arena *arena, const char *format, int64_t ticket,
				const char *title);

#endif

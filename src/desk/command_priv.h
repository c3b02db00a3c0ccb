/* command_priv.h - the parser in parts: command_rows.c (the verbs), command_args.c (what stands
 * behind a verb), command_text.c (pieces of text), command.c (where commands begin and end). */
#ifndef MAILDESK_DESK_COMMAND_PRIV_H
#define MAILDESK_DESK_COMMAND_PRIV_H

#include <maildesk/desk/command.h>

struct slice {
	const char *at;
	size_t n;
};

struct parser {
	const struct command_input *in;
	struct arena *arena;
	struct command_list *list;
	struct slice head; /* text after a #note or #reply itself */
	size_t body_lines; /* commands of the body so far */
};

/* ---- command_text.c ---- */
/* Length of the blank at s, 0 if there is none: editors also leave no-break and wide spaces. */
size_t slice_blank(struct slice s);
struct slice slice_skip(struct slice s, size_t n);
struct slice slice_trim(struct slice s);
/* Without blank lines before it and blanks after it. */
struct slice slice_without_blank_lines(struct slice s);
/* "word", "word args", "word=args": splits and says true; anything else is no command. */
bool slice_split_verb(struct slice s, struct slice *ret_word, struct slice *ret_args);
/* As a string on one line with plain blanks; "" when the arena is full. */
const char *slice_copy(struct arena *a, struct slice s);
/* The next number of "#1, #2 3" at *at, which moves behind it and what parts it from the next;
 * 0 when there is something else, or nothing. */
int64_t command_next_number(const char **at);

/* ---- command_rows.c ---- */
extern const struct command_row command_field_row; /* of every custom field */
/* The field of that name as it is configured, or NULL. */
const char *command_find_field(const struct rec_strs *fields, const char *word, size_t n);

/* ---- command_args.c ---- */
/* Fill in what the row's kind of argument makes of c->args. NULL, or what is wrong with it. */
const char *command_check_args(struct parser *p, struct command *c);

#endif

/* The parser works on slices of the input and copies into the arena what goes into the list. One
 * function, add(), turns "verb, arguments" into a command or a refusal, wherever they stood; the
 * functions for subject and body only find where commands begin and end. */
#include <maildesk/base/mem.h>

#include "command_priv.h"

#include <string.h>

static const char *const mode_names[SUBJECT_COUNT] = { "loose", "strict", "off" };
static const char too_many[] = "more than 50 commands in one mail";

const char *command_subjects_name(enum command_subjects mode)
{
	return mode_names[mode];
}

enum command_subjects command_subjects_from_name(const char *name)
{
	int i = 0;

	while (i < SUBJECT_COUNT && strcmp(mode_names[i], name) != 0)
		i++;
	return (enum command_subjects)i;
}

static void refuse(struct parser *p, struct slice line, bool in_subject, const char *reason)
{
	p->list->refusals[p->list->refusal_count++] =
		(struct command_refusal){ slice_copy(p->arena, line), reason, in_subject };
}

static void leave(struct parser *p, struct slice line, const char *reason)
{
	p->list->leftovers[p->list->leftover_count++] =
		(struct command_refusal){ slice_copy(p->arena, line), reason, true };
}

static bool full(const struct parser *p)
{
	return p->list->count + p->list->refusal_count + p->list->leftover_count >= COMMAND_MAX;
}

/* #note and #reply say what the whole text of the mail is. */
static const char *set_comment(struct parser *p, const struct command_row *row, struct slice args)
{
	enum command_comment as = row->verb == VERB_NOTE ? COMMENT_NOTE : COMMENT_REPLY;

	if (p->list->comment != COMMENT_BY_DEFAULT)
		return "one mail is one note or one reply";
	p->list->comment = as;
	p->head = args;
	return NULL;
}

/* "#on 1 2 3": which tickets all that follows is for. */
static const char *set_tickets(struct parser *p, const struct command *c)
{
	if (p->body_lines)
		return "on comes first, before other commands";
	if (p->list->ticket_count)
		return "the subject names the tickets already";
	p->list->tickets = c->numbers;
	p->list->ticket_count = c->number_count;
	return NULL;
}

/* Fill in the command; NULL, or what is wrong with it. */
static const char *understand(struct parser *p, struct command *c, struct slice args)
{
	bool is_text = c->row->argument == ARGUMENT_TEXT;
	const char *wrong;

	c->args = is_text ? "" : slice_copy(p->arena, args);
	wrong = command_check_args(p, c);
	if (!wrong && is_text)
		wrong = set_comment(p, c->row, args);
	if (!wrong && c->row->verb == VERB_ON)
		wrong = set_tickets(p, c);
	return wrong;
}

/* "Please #close the door" is a sentence; "#priority urgent" is a command that went wrong. */
static bool may_be_words(const struct parser *p, const struct command_row *row, bool in_subject)
{
	if (!p->in->is_staff)
		return true;
	return in_subject && p->in->mode == SUBJECT_LOOSE &&
	       (!row || row->argument == ARGUMENT_NONE || row->argument == ARGUMENT_VERB ||
		row->argument == ARGUMENT_OPTIONAL_NUMBER);
}

/* Returns false when it stays text: unknown to a customer, or to anybody in a loose subject. */
static bool add(struct parser *p, struct slice line, struct slice word, struct slice args,
		bool in_subject)
{
	struct command c = { .row = command_find(word.at, word.n), .in_subject = in_subject };
	const char *wrong = "no such command";

	if (!c.row && (c.key = command_find_field(&p->in->fields, word.at, word.n)))
		c.row = &command_field_row;
	if (c.row && in_subject && (c.row->verb == VERB_STOP || c.row->verb == VERB_ON))
		c.row = NULL;
	if (c.row)
		wrong = understand(p, &c, args);
	if (wrong && may_be_words(p, c.row, in_subject)) {
		if (in_subject)
			leave(p, line, wrong);
		return false;
	}
	if (wrong) {
		refuse(p, line, in_subject, wrong);
	} else if (c.row->verb != VERB_ON) {
		c.line = slice_copy(p->arena, line);
		p->list->commands[p->list->count++] = c;
	}
	p->body_lines += !in_subject;
	return true;
}

/* Appends one piece to a list of pieces, with the separator between them. */
static void append(struct buf *out, const char *separator, struct slice s)
{
	buf_adds(out, out->len ? separator : "");
	buf_add(out, s.at, s.n);
}

/* "[a; b=c]" at the very end. `block` gets what was understood, `rest` what was not. */
static void parse_bracket(struct parser *p, struct slice inside, struct buf *block,
			  struct buf *rest)
{
	while (inside.n) {
		const char *end = memchr(inside.at, ';', inside.n);
		size_t n = end ? (size_t)(end - inside.at) : inside.n;
		struct slice piece = slice_trim((struct slice){ inside.at, n }), word, args;
		struct slice verb = piece.n && piece.at[0] == '#' ? slice_skip(piece, 1) : piece;

		inside = slice_skip(inside, end ? n + 1 : n);
		if (piece.n == 0)
			continue;
		if (full(p)) {
			refuse(p, piece, true, too_many);
			return;
		}
		append(slice_split_verb(verb, &word, &args) && add(p, piece, word, args, true)
			       ? block
			       : rest,
		       "; ", piece);
	}
}

/* The start of the next "#word" at or after `from`, or the end. */
static size_t next_hash(struct slice s, size_t from)
{
	struct slice word, args;

	for (size_t i = from; i < s.n; i++) {
		bool fresh = i == 0 || strchr(" \t", s.at[i - 1]) ||
			     (i >= 2 && slice_blank((struct slice){ s.at + i - 2, 2 }) == 2) ||
			     (i >= 3 && slice_blank((struct slice){ s.at + i - 3, 3 }) == 3);

		if (fresh && s.at[i] == '#' && slice_split_verb(slice_skip(s, i + 1), &word, &args))
			return i;
	}
	return s.n;
}

/* "... #a #b c" to the end. */
static void parse_hashes(struct parser *p, struct slice s, struct buf *block, struct buf *rest)
{
	for (size_t at = 0, end; at < s.n; at = end) {
		struct slice piece, word, args;

		end = next_hash(s, at + 1);
		piece = slice_trim((struct slice){ s.at + at, end - at });
		if (full(p)) {
			refuse(p, piece, true, too_many);
			return;
		}
		slice_split_verb(slice_skip(piece, 1), &word, &args);
		append(add(p, piece, word, args, true) ? block : rest, " ", piece);
	}
}

/* Is "[...]" a bracket of commands rather than the ticket's tag or "[#1 #2]"? */
static bool is_command_bracket(struct parser *p, struct slice bracket)
{
	const char *text = slice_copy(p->arena, bracket);
	const char *first = text + 1 + strspn(text + 1, " ");

	if (command_ticket_tag(text, p->in->tag_format) ||
	    (first[0] == '#' && first[1] >= '0' && first[1] <= '9'))
		return false;
	return true;
}

/* "[#1 #2 #3]" */
static void find_tickets(struct parser *p)
{
	struct command_list *list = p->list;

	if (command_ticket_list(p->in->subject, p->arena, &list->tickets, &list->ticket_count,
				NULL) == MD_OK &&
	    list->ticket_count > COMMAND_TICKETS_MAX)
		refuse(p, (struct slice){ "[#...]", 6 }, true, "more than 50 tickets in one mail");
}

static void parse_subject(struct parser *p)
{
	const char *whole = p->in->subject ? p->in->subject : "";
	struct slice s = slice_trim((struct slice){ whole, strlen(whole) }), front = s;
	md_auto(buf_done) struct buf block = BUF_INIT(s.n * 2 + 8), rest = BUF_INIT(s.n * 2 + 8);
	const char *open = s.n && s.at[s.n - 1] == ']' ? memrchr(s.at, '[', s.n) : NULL;
	bool in_bracket = false;

	p->list->subject = slice_copy(p->arena, s);
	if (p->in->mode == SUBJECT_OFF)
		return;
	find_tickets(p);
	if (open) {
		front.n = (size_t)(open - s.at);
		in_bracket = is_command_bracket(p, slice_skip(s, front.n));
	}
	if (in_bracket) {
		struct slice inside = slice_skip(s, front.n + 1);

		inside.n--;
		parse_bracket(p, inside, &block, &rest);
	} else {
		front.n = next_hash(s, 0);
		parse_hashes(p, slice_skip(s, front.n), &block, &rest);
	}
	if (block.status != MD_OK || rest.status != MD_OK)
		p->arena->failed = 1;
	if (block.len == 0)
		return; /* nothing understood: the subject stays as it is */
	front = slice_trim(front);
	p->list->subject_block =
		arena_printf(p->arena, in_bracket ? "[%s]" : "%s", buf_str(&block));
	p->list->subject =
		arena_printf(p->arena, in_bracket && rest.len ? "%.*s%s[%s]" : "%.*s%s%s",
			     (int)front.n, front.at, front.n && rest.len ? " " : "",
			     buf_str(&rest));
}

/* Takes commands off the top. Returns the text that is left. Empty lines between them are no text:
 * clients that write HTML make a paragraph of each line, and what follows must not become public.
 */
static struct slice parse_block(struct parser *p, struct slice s)
{
	for (;;) {
		struct slice line, after, word, args;
		const struct command_row *row;
		const char *end;

		s = slice_without_blank_lines(s);
		end = memchr(s.at, '\n', s.n);
		line = slice_trim((struct slice){ s.at, end ? (size_t)(end - s.at) : s.n });
		after = slice_skip(s, end ? (size_t)(end - s.at) + 1 : s.n);
		if (s.n == 0 || s.at[0] != '#' ||
		    !slice_split_verb(slice_skip(line, 1), &word, &args))
			return s;
		row = command_find(word.at, word.n);
		if (row && row->verb == VERB_STOP && args.n == 0)
			return after;
		if (full(p)) {
			refuse(p, line, false, too_many);
			return s;
		}
		if (!add(p, line, word, args, false))
			return s;
		s = after;
		if (row && row->argument == ARGUMENT_TEXT)
			return s;
	}
}

static bool brings_text(const struct command_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->commands[i].row->verb == VERB_CANNED)
			return true;
	return false;
}

/* Texts are long: copied, not formatted. */
static const char *join_lines(struct arena *arena, struct slice head, struct slice rest)
{
	bool both = head.n && rest.n;
	char *out = arena_alloc(arena, head.n + both + rest.n + 1), *to = out;

	if (!out)
		return NULL;
	to = mempcpy(to, head.at, head.n);
	if (both)
		*to++ = '\n';
	memcpy(to, rest.at, rest.n);
	return out;
}

static void parse_body(struct parser *p)
{
	const char *whole = p->in->text ? p->in->text : "";
	struct slice behind = parse_block(p, (struct slice){ whole, strlen(whole) });
	struct slice rest = slice_without_blank_lines(behind);

	if (p->head.n && rest.n) /* blank lines between them are the writer's */
		rest = (struct slice){ behind.at, (size_t)(rest.at - behind.at) + rest.n };
	p->list->body = join_lines(p->arena, p->head, rest);
	if (p->list->comment != COMMENT_BY_DEFAULT && p->head.n + rest.n == 0 &&
	    p->list->refusal_count == 0 && !brings_text(p->list)) {
		const char *verb = p->list->comment == COMMENT_NOTE ? "note" : "reply";

		refuse(p, (struct slice){ verb, strlen(verb) }, false, "there is no text for it");
	}
}

/* Room for COMMAND_MAX of each, one "more than", and some of each kind from the rest. */
enum { ROOM = COMMAND_MAX + 5 };

static struct command_list new_list(struct arena *arena)
{
	return (struct command_list){
		.commands = arena_array(arena, ROOM, sizeof(struct command)),
		.refusals = arena_array(arena, ROOM, sizeof(struct command_refusal)),
		.leftovers = arena_array(arena, ROOM, sizeof(struct command_refusal)),
		.subject = "",
		.subject_block = "",
	};
}

int command_parse(const struct command_input *in, struct arena *arena, struct command_list *ret,
		  struct md_err *err)
{
	struct command_list list = new_list(arena);
	struct parser p = { .in = in, .arena = arena, .list = &list, .head = { "", 0 } };

	if (!arena->failed) {
		parse_subject(&p);
		parse_body(&p);
	}
	if (arena->failed)
		return md_fail(err, MD_NOMEM, 0, "no memory for the commands of a mail");
	*ret = list;
	return MD_OK;
}

/* A text that no #note or #reply made one was meant as commands; what stands behind too many of
 * them is refused with them. */
static void refuse_text(struct parser *p)
{
	const char *body = p->list->body;
	size_t n = strcspn(body, "\n");

	for (size_t i = 0; i < p->list->refusal_count; i++)
		if (p->list->refusals[i].reason == too_many)
			return;
	if (p->list->comment == COMMENT_BY_DEFAULT && n && p->list->refusal_count < ROOM)
		refuse(p, (struct slice){ body, n }, false, "no command: write #VERB");
}

int command_parse_box(const struct command_input *in, struct arena *arena, struct command_list *ret,
		      struct md_err *err)
{
	struct slice text = slice_trim((struct slice){ in->text, strlen(in->text) });
	struct command_input as = { .text = in->text,
				    .tag_format = in->tag_format,
				    .mode = SUBJECT_STRICT,
				    .is_staff = true,
				    .fields = in->fields };
	struct command_list list = new_list(arena);
	struct parser p = { .in = &as, .arena = arena, .list = &list, .head = { "", 0 } };

	if (text.n >= 2 && text.at[0] == '[' && text.at[text.n - 1] == ']') {
		as.subject = slice_copy(arena, text);
		as.text = NULL;
	}
	if (!arena->failed) {
		parse_subject(&p);
		parse_body(&p);
		refuse_text(&p);
	}
	if (arena->failed)
		return md_fail(err, MD_NOMEM, 0, "no memory for these commands");
	*ret = list;
	return MD_OK;
}

/* The parser works on slices of the input and copies into the arena what goes into the list. One
 * function, add(), turns "verb, arguments" into a command or a refusal, wherever they stood; the
 * functions for subject and body only find where commands begin and end. */
#include <maildesk/desk/command.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct command_row command_rows[] = {
	{ "open", NULL, VERB_STATUS, "open", ARGUMENT_NONE, ACTION_MOVE_STATUS, "open",
	  "set the status open" },
	{ "start", NULL, VERB_STATUS, "start", ARGUMENT_NONE, ACTION_MOVE_STATUS, "start",
	  "set the status in_progress" },
	{ "pending", "hold", VERB_STATUS, "pending", ARGUMENT_NONE, ACTION_MOVE_STATUS, "pending",
	  "wait for the customer" },
	{ "resolve", "done solved", VERB_STATUS, "resolve", ARGUMENT_NONE, ACTION_MOVE_STATUS,
	  "resolve", "set the status resolved" },
	{ "close", NULL, VERB_STATUS, "close", ARGUMENT_NONE, ACTION_MOVE_STATUS, "close",
	  "set the status closed" },
	{ "reopen", NULL, VERB_STATUS, "reopen", ARGUMENT_NONE, ACTION_MOVE_STATUS, "reopen",
	  "set the status reopened" },
	{ "status", NULL, VERB_STATUS, NULL, ARGUMENT_WORDS, ACTION_MOVE_STATUS, "status STATUS",
	  "set the status, by its name or verb" },
	{ "assign", "owner", VERB_ASSIGN, NULL, ARGUMENT_WORDS, ACTION_ASSIGN,
	  "assign NAME|ADDRESS|TEAM|me|none", "give the ticket to somebody" },
	{ "take", NULL, VERB_ASSIGN, "me", ARGUMENT_NONE, ACTION_ASSIGN, "take",
	  "assign the ticket to yourself" },
	{ "drop", NULL, VERB_ASSIGN, "none", ARGUMENT_NONE, ACTION_ASSIGN, "drop",
	  "assign the ticket to nobody" },
	{ "priority", "prio", VERB_PRIORITY, NULL, ARGUMENT_PRIORITY, ACTION_SET_PRIORITY,
	  "priority low|medium|high|critical", "set the priority" },
	{ "tag", NULL, VERB_TAG, NULL, ARGUMENT_TAGS, ACTION_TAG, "tag +NAME -NAME",
	  "add and remove tags" },
	{ "category", NULL, VERB_CATEGORY, NULL, ARGUMENT_WORDS, ACTION_EDIT_FIELDS,
	  "category NAME", "set the category" },
	{ "title", NULL, VERB_TITLE, NULL, ARGUMENT_WORDS, ACTION_EDIT_FIELDS, "title TEXT",
	  "give the ticket another title" },
	{ "note", NULL, VERB_NOTE, NULL, ARGUMENT_TEXT, ACTION_COMMENT_INTERNAL, "note TEXT",
	  "the text is an internal note" },
	{ "reply", NULL, VERB_REPLY, NULL, ARGUMENT_TEXT, ACTION_COMMENT_PUBLIC, "reply TEXT",
	  "the text is a public reply" },
	{ "stop", NULL, VERB_STOP, NULL, ARGUMENT_NONE, ACTION_COMMENT_PUBLIC, "stop",
	  "what follows is text" },
	{ 0 },
};

static const char *const mode_names[SUBJECT_COUNT] = { "loose", "strict", "off" };
static const char *const priorities[] = { "low", "medium", "high", "critical" };

struct slice {
	const char *at;
	size_t n;
};

struct parser {
	const struct command_input *in;
	struct arena *arena;
	struct command_list *list;
	struct slice head; /* text after a #note or #reply itself */
};

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

static bool word_is(const char *candidate, size_t n, const char *word, size_t word_n)
{
	return n == word_n && strncasecmp(candidate, word, n) == 0;
}

static bool alias_is(const char *aliases, const char *word, size_t n)
{
	for (size_t len; aliases && *aliases; aliases += len + (aliases[len] == ' ')) {
		len = strcspn(aliases, " ");
		if (word_is(aliases, len, word, n))
			return true;
	}
	return false;
}

const struct command_row *command_find(const char *word, size_t n)
{
	for (const struct command_row *row = command_rows; row->name; row++)
		if (word_is(row->name, strlen(row->name), word, n) ||
		    alias_is(row->aliases, word, n))
			return row;
	return NULL;
}

/* Length of the blank at s, 0 if there is none: editors also leave no-break and wide spaces. */
static size_t blank(struct slice s)
{
	if (s.n >= 1 && (s.at[0] == ' ' || s.at[0] == '\t' || s.at[0] == '\r'))
		return 1;
	if (s.n >= 2 && memcmp(s.at, "\xc2\xa0", 2) == 0)
		return 2;
	if (s.n >= 3 && memcmp(s.at, "\xe3\x80\x80", 3) == 0)
		return 3;
	return 0;
}

static struct slice skip(struct slice s, size_t n)
{
	return (struct slice){ s.at + n, s.n - n };
}

static struct slice trim(struct slice s)
{
	for (size_t n; (n = blank(s)) > 0;)
		s = skip(s, n);
	for (;;) {
		if (s.n >= 1 && blank(skip(s, s.n - 1)) == 1)
			s.n -= 1;
		else if (s.n >= 2 && blank(skip(s, s.n - 2)) == 2)
			s.n -= 2;
		else if (s.n >= 3 && blank(skip(s, s.n - 3)) == 3)
			s.n -= 3;
		else
			return s;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "word", "word args", "word=args": splits and says true; anything else is no command. */
static bool split_verb(struct slice s, struct slice *ret_word, struct slice *ret_args)
{
	size_t n = 0;

	while (n < s.n && !blank(skip(s, n)) &&
	       (is_letter(s.at[n]) || (n && (is_digit(s.at[n]) || strchr("_-", s.at[n])))))
		n++;
	if (n == 0 || (n < s.n && s.at[n] != '=' && !blank(skip(s, n))))
		return false;
	*ret_word = (struct slice){ s.at, n };
	*ret_args = trim(skip(s, n));
	if (ret_args->n && ret_args->at[0] == '=')
		*ret_args = trim(skip(*ret_args, 1));
	return true;
}

/* A slice as a string on one line with plain blanks. */
static const char *copy(struct parser *p, struct slice s)
{
	char *out = arena_alloc(p->arena, s.n + 1), *to = out;

	if (!out)
		return "";
	while (s.n) {
		size_t n = blank(s);

		*to++ = n ? ' ' : s.at[0];
		s = skip(s, n ? n : 1);
	}
	return out;
}

static void refuse(struct parser *p, struct slice line, bool in_subject, const char *reason)
{
	p->list->refusals[p->list->refusal_count++] =
		(struct command_refusal){ copy(p, line), reason, in_subject };
}

static void leave(struct parser *p, struct slice line, const char *reason)
{
	p->list->leftovers[p->list->leftover_count++] =
		(struct command_refusal){ copy(p, line), reason, true };
}

static bool full(const struct parser *p)
{
	return p->list->count + p->list->refusal_count + p->list->leftover_count >= COMMAND_MAX;
}

/* "+a, -b c" to words with signs. NULL, or what is wrong. */
static const char *split_tags(struct parser *p, const char *args, struct rec_strs *ret)
{
	const char **words = arena_array(p->arena, strlen(args) / 2 + 1, sizeof *words);
	size_t n = 0;

	for (size_t len; words && *args; args += len) {
		char sign = *args == '-' ? '-' : '+';

		len = strspn(args, " ,");
		if (len)
			continue;
		args += *args == '-' || *args == '+';
		len = strcspn(args, " ,");
		if (len == 0)
			return "a tag has a name: +NAME or -NAME";
		if (utf8_length(args, len) > COMMAND_TAG_MAX)
			return "a tag has at most 64 characters";
		words[n++] = arena_printf(p->arena, "%c%.*s", sign, (int)len, args);
	}
	*ret = (struct rec_strs){ n, words };
	return n ? NULL : "which tags? +NAME or -NAME";
}

static const char *check_words(const struct command_row *row, const char *args)
{
	size_t length = utf8_length(args, strlen(args));

	if (row->verb == VERB_CATEGORY && length > COMMAND_TAG_MAX)
		return "a category has at most 64 characters";
	if (row->verb == VERB_TITLE && length > COMMAND_TITLE_MAX)
		return "a title has at most 500 characters";
	return NULL;
}

/* NULL, or what is wrong with the arguments. */
static const char *check_args(struct parser *p, const struct command_row *row, struct command *c)
{
	bool given = *c->args;

	switch (row->argument) {
	case ARGUMENT_NONE:
		if (given)
			return arena_printf(p->arena, "%s takes no argument", row->name);
		c->args = row->preset;
		return NULL;
	case ARGUMENT_TAGS:
		return split_tags(p, c->args, &c->words);
	case ARGUMENT_PRIORITY:
		for (size_t i = 0; i < MD_COUNT(priorities); i++)
			if (strcasecmp(priorities[i], c->args) == 0) {
				c->args = priorities[i];
				return NULL;
			}
		return "the priority is one of low, medium, high, critical";
	case ARGUMENT_WORDS:
		if (!given)
			return arena_printf(p->arena, "something is missing: %s", row->usage);
		return check_words(row, c->args);
	case ARGUMENT_TEXT:
		return NULL;
	}
	return NULL;
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

/* Returns false when it stays text: unknown to a customer, or to anybody in a loose subject. */
static bool add(struct parser *p, struct slice line, struct slice word, struct slice args,
		bool in_subject)
{
	const struct command_row *row = command_find(word.at, word.n);
	bool as_text = !p->in->is_staff || (in_subject && p->in->mode == SUBJECT_LOOSE);
	struct command c = { .row = row, .in_subject = in_subject };
	const char *wrong = "no such command";

	if (row && row->verb == VERB_STOP && in_subject)
		row = NULL;
	if (row) {
		c.args = row->argument == ARGUMENT_TEXT ? "" : copy(p, args);
		wrong = check_args(p, row, &c);
		if (!wrong && row->argument == ARGUMENT_TEXT)
			wrong = set_comment(p, row, args);
		/* "Please #close the door" is a sentence. */
		as_text = as_text && row->argument == ARGUMENT_NONE;
	}
	if (!wrong) {
		c.line = copy(p, line);
		p->list->commands[p->list->count++] = c;
	} else if (!as_text) {
		refuse(p, line, in_subject, wrong);
	} else {
		if (in_subject)
			leave(p, line, wrong);
		return false;
	}
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
		struct slice piece = trim((struct slice){ inside.at, n }), word, args;
		struct slice verb = piece.n && piece.at[0] == '#' ? skip(piece, 1) : piece;

		inside = skip(inside, end ? n + 1 : n);
		if (piece.n == 0)
			continue;
		if (full(p)) {
			refuse(p, piece, true, "more than 50 commands in one mail");
			return;
		}
		append(split_verb(verb, &word, &args) && add(p, piece, word, args, true) ? block
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
			     (i >= 2 && blank((struct slice){ s.at + i - 2, 2 }) == 2) ||
			     (i >= 3 && blank((struct slice){ s.at + i - 3, 3 }) == 3);

		if (fresh && s.at[i] == '#' && split_verb(skip(s, i + 1), &word, &args))
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
		piece = trim((struct slice){ s.at + at, end - at });
		if (full(p)) {
			refuse(p, piece, true, "more than 50 commands in one mail");
			return;
		}
		split_verb(skip(piece, 1), &word, &args);
		append(add(p, piece, word, args, true) ? block : rest, " ", piece);
	}
}

/* Is "[...]" a bracket of commands rather than the ticket's tag or "[#1 #2]"? */
static bool is_command_bracket(struct parser *p, struct slice bracket)
{
	const char *text = copy(p, bracket);
	const char *first = text + 1 + strspn(text + 1, " ");

	if (command_ticket_tag(text, p->in->tag_format) || (first[0] == '#' && is_digit(first[1])))
		return false;
	return true;
}

static void parse_subject(struct parser *p)
{
	const char *whole = p->in->subject ? p->in->subject : "";
	struct slice s = trim((struct slice){ whole, strlen(whole) }), front = s;
	md_auto(buf_done) struct buf block = BUF_INIT(s.n * 2 + 8), rest = BUF_INIT(s.n * 2 + 8);
	const char *open = s.n && s.at[s.n - 1] == ']' ? memrchr(s.at, '[', s.n) : NULL;
	bool in_bracket = false;

	p->list->subject = copy(p, s);
	if (p->in->mode == SUBJECT_OFF)
		return;
	if (open) {
		front.n = (size_t)(open - s.at);
		in_bracket = is_command_bracket(p, skip(s, front.n));
	}
	if (in_bracket) {
		struct slice inside = skip(s, front.n + 1);

		inside.n--;
		parse_bracket(p, inside, &block, &rest);
	} else {
		front.n = next_hash(s, 0);
		parse_hashes(p, skip(s, front.n), &block, &rest);
	}
	if (block.status != MD_OK || rest.status != MD_OK)
		p->arena->failed = 1;
	if (block.len == 0)
		return; /* nothing understood: the subject stays as it is */
	front = trim(front);
	p->list->subject_block =
		arena_printf(p->arena, in_bracket ? "[%s]" : "%s", buf_str(&block));
	p->list->subject =
		arena_printf(p->arena, in_bracket && rest.len ? "%.*s%s[%s]" : "%.*s%s%s",
			     (int)front.n, front.at, front.n && rest.len ? " " : "",
			     buf_str(&rest));
}

static struct slice without_blank_lines(struct slice s)
{
	struct slice line = s;

	for (;;) {
		size_t n = blank(line);

		if (n == 0 && line.n && line.at[0] == '\n')
			s = skip(line, n = 1);
		if (n == 0)
			break;
		line = skip(line, n);
	}
	if (line.n == 0)
		return line;
	while (s.n && strchr(" \t\r\n", s.at[s.n - 1]))
		s.n--;
	return s;
}

/* Takes commands off the top. Returns the text that is left. */
static struct slice parse_block(struct parser *p, struct slice s)
{
	for (;;) {
		const char *end = memchr(s.at, '\n', s.n);
		struct slice line = trim((struct slice){ s.at, end ? (size_t)(end - s.at) : s.n });
		struct slice after = skip(s, end ? (size_t)(end - s.at) + 1 : s.n), word, args;
		const struct command_row *row;

		if (s.n == 0 || s.at[0] != '#' || !split_verb(skip(line, 1), &word, &args))
			return s;
		row = command_find(word.at, word.n);
		if (row && row->verb == VERB_STOP && args.n == 0)
			return after;
		if (full(p)) {
			refuse(p, line, false, "more than 50 commands in one mail");
			return s;
		}
		if (!add(p, line, word, args, false))
			return s;
		s = after;
		if (row && row->argument == ARGUMENT_TEXT)
			return s;
	}
}

static void parse_body(struct parser *p)
{
	const char *whole = p->in->text ? p->in->text : "";
	struct slice s = without_blank_lines((struct slice){ whole, strlen(whole) }), rest;

	rest = without_blank_lines(parse_block(p, s));
	p->list->body = arena_printf(p->arena, "%.*s%s%.*s", (int)p->head.n, p->head.at,
				     p->head.n && rest.n ? "\n" : "", (int)rest.n, rest.at);
	if (p->list->comment != COMMENT_BY_DEFAULT && p->head.n + rest.n == 0 &&
	    p->list->refusal_count == 0) {
		const char *verb = p->list->comment == COMMENT_NOTE ? "note" : "reply";

		refuse(p, (struct slice){ verb, strlen(verb) }, false, "there is no text for it");
	}
}

int command_parse(const struct command_input *in, struct arena *arena, struct command_list *ret,
		  struct md_err *err)
{
	/* Room for COMMAND_MAX of each, one "more than", and one of each kind from the rest. */
	enum { ROOM = COMMAND_MAX + 3 };
	struct command_list list = {
		.commands = arena_array(arena, ROOM, sizeof *list.commands),
		.refusals = arena_array(arena, ROOM, sizeof *list.refusals),
		.leftovers = arena_array(arena, ROOM, sizeof *list.leftovers),
		.subject_block = "",
	};
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

bool command_tag_format_valid(const char *format)
{
	const char *percent = strchr(format, '%');

	if (!percent || percent[1] != 'd' || strchr(percent + 1, '%') || strlen(format) < 3 ||
	    !utf8_valid(format, strlen(format)))
		return false;
	for (const char *c = format; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

/* Finds a tag in s; *ret_n is its length. */
static const char *find_tag(const char *s, const char *format, int64_t *ret_ticket, size_t *ret_n)
{
	size_t before = strcspn(format, "%");
	const char *after = format + before + 2;

	for (; *s; s++) {
		const char *digits = s + before;
		size_t n;
		int64_t value = 0;

		if (strncasecmp(s, format, before) != 0)
			continue;
		n = strspn(digits, "0123456789");
		if (n == 0 || n > 18 || strncasecmp(digits + n, after, strlen(after)) != 0)
			continue;
		for (size_t i = 0; i < n; i++)
			value = value * 10 + (digits[i] - '0');
		if (value == 0)
			continue;
		*ret_ticket = value;
		*ret_n = before + n + strlen(after);
		return s;
	}
	return NULL;
}

int64_t command_ticket_tag(const char *subject, const char *format)
{
	int64_t ticket;
	size_t n;

	return subject && find_tag(subject, format, &ticket, &n) ? ticket : 0;
}

const char *command_tag_subject(struct arena *arena, const char *format, int64_t ticket,
				const char *title)
{
	size_t before = strcspn(format, "%");

	if (command_ticket_tag(title, format) == ticket)
		return title;
	return arena_printf(arena, "%.*s%lld%s %s", (int)before, format, (long long)ticket,
			    format + before + 2, title);
}

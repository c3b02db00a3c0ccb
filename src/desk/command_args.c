/* What stands behind a verb, by the kind of argument that its row names. */
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/when.h>
#include <maildesk/mail/compose.h>

#include "command_priv.h"

#include <string.h>
#include <strings.h>

static const char *const priorities[] = { "low", "medium", "high", "critical" };
static const char *const link_types[] = { "relates", "duplicates", "blocks", "parent" };

static const char *missing(struct parser *p, const struct command *c)
{
	return arena_printf(p->arena, "something is missing: %s", c->row->usage);
}

/* "+a, -b c" to words with signs. */
static const char *split_tags(struct parser *p, struct command *c)
{
	const char *args = c->args;
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
	c->words = (struct rec_strs){ n, words };
	return n ? NULL : "which tags? +NAME or -NAME";
}

/* A string between quotes, with them; the rest when it is never closed. */
static size_t quoted_length(const char *s)
{
	size_t n = 1;

	while (s[n] && s[n] != '"')
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return n + (s[n] == '"');
}

/* Does "<" follow, before the next comma? Then what stands here is a name. */
static bool is_name_of(const char *s)
{
	while (*s && !strchr(",;<", *s))
		s += *s == '"' ? quoted_length(s) : 1;
	return *s == '<';
}

/* 'a@x.test, <b@x.test> "C, D" <c@x.test>' to addresses. */
static const char *split_addresses(struct parser *p, struct command *c)
{
	const char *args = c->args;
	const char **words = arena_array(p->arena, strlen(args) / 2 + 1, sizeof *words);
	size_t n = 0;

	for (size_t len; words && *args; args += len) {
		size_t bracket = *args == '<', word_n;
		const char *word;

		len = strspn(args, " ,;>");
		if (len)
			continue;
		word_n = *args == '"' ? quoted_length(args)
				      : strcspn(args + bracket, bracket ? ">" : " ,;<\"");
		len = bracket + word_n;
		if (!bracket && (*args == '"' || !memchr(args, '@', word_n)) &&
		    is_name_of(args + len))
			continue;
		word = slice_copy(p->arena, slice_trim((struct slice){ args + bracket, word_n }));
		if (!mail_address_valid(word))
			return arena_printf(p->arena, "\"%s\" is no mail address", word);
		words[n++] = word;
	}
	c->words = (struct rec_strs){ n, words };
	return n ? NULL : missing(p, c);
}

static const char *one_address(struct parser *p, struct command *c)
{
	const char *wrong = split_addresses(p, c);

	if (!wrong && c->words.n > 1)
		return "one address only";
	return wrong;
}

static const char *one_of(const char *const *names, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(names[i], word) == 0)
			return names[i];
	return NULL;
}

static const char *priority(struct parser *p, struct command *c)
{
	const char *name = one_of(priorities, MD_COUNT(priorities), c->args);

	(void)p;
	if (!name)
		return "the priority is one of low, medium, high, critical";
	c->args = name;
	return NULL;
}

static bool has_number(const struct command *c, int64_t number)
{
	for (size_t i = 0; i < c->number_count; i++)
		if (c->numbers[i] == number)
			return true;
	return false;
}

static const char *split_numbers(struct parser *p, struct command *c, const char *args, size_t max)
{
	size_t room = strlen(args) / 2 + 1;

	c->numbers = arena_array(p->arena, room, sizeof *c->numbers);
	while (c->numbers && *args) {
		int64_t number = command_next_number(&args);

		if (number == 0)
			return arena_printf(p->arena, "numbers of tickets only: %s", c->row->usage);
		if (has_number(c, number))
			continue;
		if (c->number_count == max)
			return max == 1 ? "one number only" : "more than 50 tickets in one mail";
		c->numbers[c->number_count++] = number;
	}
	return NULL;
}

static const char *numbers(struct parser *p, struct command *c)
{
	return *c->args ? split_numbers(p, c, c->args, COMMAND_TICKETS_MAX) : missing(p, c);
}

static const char *number(struct parser *p, struct command *c)
{
	return *c->args ? split_numbers(p, c, c->args, 1) : missing(p, c);
}

static const char *optional_number(struct parser *p, struct command *c)
{
	return split_numbers(p, c, c->args, 1);
}

/* "duplicates #2", or "#2" alone. */
static const char *link_to(struct parser *p, struct command *c)
{
	size_t n = strcspn(c->args, " ");
	const char *word = arena_strndup(p->arena, c->args, n);
	const char *rest = c->args;

	c->key = word ? one_of(link_types, MD_COUNT(link_types), word) : NULL;
	if (c->key)
		rest += n + strspn(rest + n, " ");
	else
		c->key = link_types[0];
	return *rest ? split_numbers(p, c, rest, 1) : missing(p, c);
}

static const char *time_spent(struct parser *p, struct command *c)
{
	if (!*c->args)
		return missing(p, c);
	if (!when_duration(c->args, &c->amount_ms))
		return "a time is written like 15m, 1h30m or 2d";
	return NULL;
}

/* "until friday", "for 3d", "none": whether it is a time; when exactly depends on the zone. */
static const char *instant(struct parser *p, struct command *c)
{
	static const char *const words[] = { "until", "for" };
	int64_t ignored;

	for (size_t i = 0; i < MD_COUNT(words); i++) {
		size_t n = strlen(words[i]);

		if (strncasecmp(c->args, words[i], n) == 0 && c->args[n] == ' ') {
			c->args += n + 1;
			break;
		}
	}
	if (!*c->args)
		return missing(p, c);
	if (strcasecmp(c->args, "none") != 0 && !when_instant(c->args, NULL, 0, &ignored))
		return "a time is written like 2027-03-01, 2027-03-01 14:00, tomorrow, friday, "
		       "3d or 4h";
	return NULL;
}

static const char *words(struct parser *p, struct command *c)
{
	size_t length = utf8_length(c->args, strlen(c->args));

	if (!*c->args)
		return missing(p, c);
	if (c->row->verb == VERB_CATEGORY && length > COMMAND_TAG_MAX)
		return "a category has at most 64 characters";
	if (c->row->verb == VERB_TITLE && length > COMMAND_TITLE_MAX)
		return "a title has at most 500 characters";
	return NULL;
}

static const char *verb(struct parser *p, struct command *c)
{
	const char *word = c->args + (*c->args == '#');

	if (*word && !command_find(word, strlen(word)))
		return arena_printf(p->arena, "there is no command \"%s\"", word);
	c->args = word;
	return NULL;
}

static const char *none(struct parser *p, struct command *c)
{
	if (*c->args)
		return arena_printf(p->arena, "%s takes no argument", c->row->name);
	c->args = c->row->preset ? c->row->preset : "";
	return NULL;
}

static const char *anything(struct parser *p, struct command *c)
{
	(void)p;
	(void)c;
	return NULL;
}

const char *command_check_args(struct parser *p, struct command *c)
{
	static const char *(*const checks[])(struct parser * p, struct command * c) = {
		[ARGUMENT_NONE] = none,
		[ARGUMENT_WORDS] = words,
		[ARGUMENT_OPTIONAL] = anything,
		[ARGUMENT_PRIORITY] = priority,
		[ARGUMENT_TAGS] = split_tags,
		[ARGUMENT_ADDRESS] = one_address,
		[ARGUMENT_ADDRESSES] = split_addresses,
		[ARGUMENT_NUMBER] = number,
		[ARGUMENT_OPTIONAL_NUMBER] = optional_number,
		[ARGUMENT_NUMBERS] = numbers,
		[ARGUMENT_LINK] = link_to,
		[ARGUMENT_WHEN] = instant,
		[ARGUMENT_TIME] = time_spent,
		[ARGUMENT_VERB] = verb,
		[ARGUMENT_TEXT] = anything,
	};

	return checks[c->row->argument](p, c);
}

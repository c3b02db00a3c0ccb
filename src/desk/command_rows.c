/* The verbs: everything that is known of a command stands in its row. The help mail and
 * maildesk-commands(7) are made from here, so that what is documented is what is understood. */
#include <maildesk/desk/command.h>

#include "command_priv.h"

#include <string.h>
#include <strings.h>

const struct command_row command_rows[] = {
	{ "open", NULL, VERB_STATUS, "open", ARGUMENT_NONE, ACTION_MOVE_STATUS, "open",
	  "Set the status open; most workflows lead nowhere there.", NULL },
	{ "start", NULL, VERB_STATUS, "start", ARGUMENT_NONE, ACTION_MOVE_STATUS, "start",
	  "Begin to work on it: in_progress.", "#start" },
	{ "pending", "hold", VERB_STATUS, "pending", ARGUMENT_NONE, ACTION_MOVE_STATUS, "pending",
	  "Wait for the customer.", "#pending" },
	{ "resolve", "done solved", VERB_STATUS, "resolve", ARGUMENT_NONE, ACTION_MOVE_STATUS,
	  "resolve", "The matter is settled; somebody has to have taken it.", "#resolve" },
	{ "close", NULL, VERB_STATUS, "close", ARGUMENT_NONE, ACTION_MOVE_STATUS, "close",
	  "Close it for good.", "#close" },
	{ "reopen", NULL, VERB_STATUS, "reopen", ARGUMENT_NONE, ACTION_MOVE_STATUS, "reopen",
	  "Take a resolved or closed ticket up again.", "#reopen" },
	{ "status", NULL, VERB_STATUS, NULL, ARGUMENT_WORDS, ACTION_MOVE_STATUS, "status STATUS",
	  "Set the status, by its name or by one of the verbs above.", "#status in_progress" },
	{ "assign", "owner", VERB_ASSIGN, NULL, ARGUMENT_WORDS, ACTION_ASSIGN,
	  "assign NAME|ADDRESS|TEAM|me|none", "Hand the ticket to somebody, or to a team.",
	  "#assign bob@desk.test" },
	{ "take", NULL, VERB_ASSIGN, "me", ARGUMENT_NONE, ACTION_ASSIGN, "take",
	  "Assign the ticket to yourself.", "#take" },
	{ "drop", NULL, VERB_ASSIGN, "none", ARGUMENT_NONE, ACTION_ASSIGN, "drop",
	  "Assign the ticket to nobody.", "#drop" },
	{ "priority", "prio", VERB_PRIORITY, NULL, ARGUMENT_PRIORITY, ACTION_SET_PRIORITY,
	  "priority low|medium|high|critical", "Set the priority.", "#priority high" },
	{ "tag", NULL, VERB_TAG, NULL, ARGUMENT_TAGS, ACTION_TAG, "tag +NAME -NAME",
	  "Add and remove tags.", "#tag +hardware -printer" },
	{ "category", NULL, VERB_CATEGORY, NULL, ARGUMENT_WORDS, ACTION_EDIT_FIELDS,
	  "category NAME|none", "Set the category.", "#category hardware" },
	{ "title", NULL, VERB_TITLE, NULL, ARGUMENT_WORDS, ACTION_EDIT_FIELDS, "title TEXT",
	  "Give the ticket another title.", "#title Printer in room 12 on fire" },
	{ "due", NULL, VERB_DUE, NULL, ARGUMENT_WHEN, ACTION_EDIT_FIELDS, "due WHEN|none",
	  "Say when it has to be done.", "#due 2027-03-01" },
	{ "snooze", NULL, VERB_SNOOZE, NULL, ARGUMENT_WHEN, ACTION_EDIT_FIELDS,
	  "snooze [until] WHEN | snooze for TIME | snooze none",
	  "Put the ticket aside until then, or until the customer writes.",
	  "#snooze until tomorrow" },
	{ "time", NULL, VERB_TIME, NULL, ARGUMENT_TIME, ACTION_EDIT_FIELDS, "time TIME",
	  "Add to the time spent; with a minus, take off it.", "#time 1h30m" },
	{ "note", NULL, VERB_NOTE, NULL, ARGUMENT_TEXT, ACTION_COMMENT_INTERNAL, "note TEXT",
	  "The text, to the end of the mail, is an internal note.", "#note Seen by the vendor" },
	{ "reply", NULL, VERB_REPLY, NULL, ARGUMENT_TEXT, ACTION_COMMENT_PUBLIC, "reply TEXT",
	  "The text, to the end of the mail, is a public reply.", "#reply It works again." },
	{ "canned", NULL, VERB_CANNED, NULL, ARGUMENT_WORDS, ACTION_COMMENT_INTERNAL, "canned NAME",
	  "Answer with a canned reply, and run the commands that it brings along.",
	  "#canned thanks" },
	{ "cc", NULL, VERB_CC, NULL, ARGUMENT_ADDRESSES, ACTION_ADD_PARTICIPANT, "cc ADDRESS...",
	  "More people take part from now on.", "#cc dave@customer.test" },
	{ "watch", NULL, VERB_WATCH, "on", ARGUMENT_NONE, ACTION_WATCH, "watch",
	  "Be told of everything that happens to the ticket.", "#watch" },
	{ "unwatch", NULL, VERB_WATCH, "off", ARGUMENT_NONE, ACTION_WATCH, "unwatch",
	  "Watch it no more.", "#unwatch" },
	{ "mute", NULL, VERB_MUTE, "on", ARGUMENT_NONE, ACTION_WATCH, "mute",
	  "Get no more mail about the ticket.", "#mute" },
	{ "unmute", NULL, VERB_MUTE, "off", ARGUMENT_NONE, ACTION_WATCH, "unmute",
	  "Get mail about it again.", "#unmute" },
	{ "requester", NULL, VERB_REQUESTER, NULL, ARGUMENT_ADDRESS, ACTION_SET_REQUESTER,
	  "requester ADDRESS", "Say for whom the ticket is.", "#requester dave@customer.test" },
	{ "merge", NULL, VERB_MERGE, NULL, ARGUMENT_NUMBER, ACTION_MERGE, "merge #N",
	  "Fold this ticket into another; answers to it go there.", "#merge #2" },
	{ "unmerge", NULL, VERB_UNMERGE, NULL, ARGUMENT_OPTIONAL_NUMBER, ACTION_LINK,
	  "unmerge [#N]", "Take a merge back: of the ticket that was folded into this one.",
	  "#unmerge #2" },
	{ "link", NULL, VERB_LINK, NULL, ARGUMENT_LINK, ACTION_LINK,
	  "link [relates|duplicates|blocks|parent] #N", "Link the ticket to another.",
	  "#link duplicates #2" },
	{ "split", NULL, VERB_SPLIT, NULL, ARGUMENT_NUMBER, ACTION_LINK, "split #COMMENT",
	  "Make a comment, by the number that show gives, the first of a new ticket.",
	  "#split #3" },
	{ "spam", NULL, VERB_SPAM, NULL, ARGUMENT_NONE, ACTION_SPAM, "spam",
	  "Delete the ticket, block its sender, put the mail into quarantine.", "#spam" },
	{ "delete", NULL, VERB_DELETE, NULL, ARGUMENT_NONE, ACTION_DELETE_TICKET, "delete",
	  "Delete the ticket; an admin can restore it for 30 days.", "#delete" },
	{ "undo", NULL, VERB_UNDO, NULL, ARGUMENT_NONE, ACTION_UNDO, "undo",
	  "Take back the commands of your last mail on this ticket, for 24 hours.", "#undo" },
	{ "help", NULL, VERB_HELP, NULL, ARGUMENT_VERB, ACTION_READ_TICKET, "help [COMMAND]",
	  "Be sent this list, or the line of one command.", "#help" },
	{ "list", NULL, VERB_LIST, NULL, ARGUMENT_OPTIONAL, ACTION_READ_TICKET,
	  "list [open|mine|unassigned|overdue|QUERY]", "Be sent a list of tickets.", "#list mine" },
	{ "show", NULL, VERB_SHOW, NULL, ARGUMENT_OPTIONAL_NUMBER, ACTION_READ_TICKET, "show [#N]",
	  "Be sent a ticket with its last comments; this one without a number.", "#show #1" },
	{ "search", NULL, VERB_SEARCH, NULL, ARGUMENT_WORDS, ACTION_READ_TICKET, "search WORDS",
	  "Be sent the tickets in which these words stand.", "#search printer fire" },
	{ "on", NULL, VERB_ON, NULL, ARGUMENT_NUMBERS, ACTION_READ_TICKET, "on #N #N...",
	  "As the first line: the commands are for these tickets.", "#on 1 2" },
	{ "stop", NULL, VERB_STOP, NULL, ARGUMENT_NONE, ACTION_READ_TICKET, "stop",
	  "What follows is text, even if it begins with a #.", "#stop" },
	{ 0 },
};

const struct command_row command_field_row = {
	.name = "FIELD",
	.verb = VERB_FIELD,
	.argument = ARGUMENT_WORDS,
	.action = ACTION_EDIT_FIELDS,
	.usage = "FIELD VALUE|none",
	.help = "Set a custom field of this desk, by its name.",
};

bool command_is_query(const struct command_row *row)
{
	return row->verb == VERB_HELP || row->verb == VERB_LIST || row->verb == VERB_SHOW ||
	       row->verb == VERB_SEARCH;
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

const char *command_find_field(const struct rec_strs *fields, const char *word, size_t n)
{
	for (size_t i = 0; i < fields->n; i++)
		if (word_is(fields->v[i], strlen(fields->v[i]), word, n))
			return fields->v[i];
	return NULL;
}

/* One table says everything: for each action who may (what they are to the ticket, by enum who),
 * and how well staff and customers must be proven when they ask by mail. An action on a ticket one
 * cannot see is invisible, whatever its row says. */
#include <maildesk/desk/policy.h>
#include <maildesk/base/mem.h>

#include <string.h>

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_ANONYMOUS] = "anonymous",
	[ROLE_CUSTOMER] = "customer",
	[ROLE_AGENT] = "agent",
	[ROLE_ADMIN] = "admin",
};
static const char *const source_names[SOURCE_COUNT] = {
	[SOURCE_MAIL] = "mail", [SOURCE_API] = "api",     [SOURCE_CONSOLE] = "console",
	[SOURCE_CLI] = "cli",   [SOURCE_TIMER] = "timer", [SOURCE_RULE] = "rule",
};
static const char *const hold_names[HOLD_COUNT] = {
	[HOLD_UNVERIFIED] = "unverified",
	[HOLD_NOT_PARTICIPANT] = "not_participant",
};

/* From here on an action needs a ticket, and one that the actor can see. */
#define FIRST_ON_TICKET ACTION_READ_TICKET

struct policy_row {
	const char *name;
	unsigned who;
	int staff_level, customer_level;
};

/* clang-format off */
static const struct policy_row rows[ACTION_COUNT] = {
	/* Anybody may write to a desk; strangers can do so by mail only. */
	[ACTION_CREATE_TICKET]     = { "create_ticket", WHO_SIGNED_IN | WHO_STRANGER, 0, 0 },
	[ACTION_CREATE_FOR_OTHERS] = { "create_for_others", WHO_STAFF, 2, 2 },
	[ACTION_LIST_USERS]        = { "list_users", WHO_SIGNED_IN, 2, 2 },
	[ACTION_SEE_CUSTOMERS]     = { "see_customers", WHO_STAFF, 2, 2 },
	[ACTION_MANAGE_USERS]      = { "manage_users", WHO_ADMIN, 3, 3 },
	[ACTION_SEE_MESSAGES]      = { "see_messages", WHO_STAFF, 2, 2 },
	[ACTION_MANAGE_DESK]       = { "manage_desk", WHO_STAFF, 3, 3 },

	[ACTION_READ_TICKET]       = { "read_ticket", WHO_ON_TICKET, 2, 2 },
	[ACTION_READ_INTERNAL]     = { "read_internal", WHO_STAFF, 2, 2 },
	[ACTION_COMMENT_PUBLIC]    = { "comment_public", WHO_ON_TICKET, 2, 1 },
	[ACTION_COMMENT_INTERNAL]  = { "comment_internal", WHO_STAFF, 2, 2 },
	[ACTION_APPROVE_COMMENT]   = { "approve_comment", WHO_STAFF, 2, 2 },
	[ACTION_MOVE_STATUS]       = { "move_status", WHO_ON_TICKET, 2, 2 },
	[ACTION_EDIT_TEXT]         = { "edit_text", WHO_STAFF | WHO_REQUESTER, 2, 2 },
	[ACTION_EDIT_FIELDS]       = { "edit_fields", WHO_STAFF, 2, 2 },
	[ACTION_ASSIGN]            = { "assign", WHO_STAFF, 2, 2 },
	[ACTION_SET_PRIORITY]      = { "set_priority", WHO_STAFF, 2, 2 },
	[ACTION_TAG]               = { "tag", WHO_STAFF, 2, 2 },
	[ACTION_SET_REQUESTER]     = { "set_requester", WHO_STAFF, 3, 3 },
	[ACTION_ADD_PARTICIPANT]   = { "add_participant", WHO_ON_TICKET, 2, 2 },
	[ACTION_LINK]              = { "link", WHO_STAFF, 2, 2 },
	[ACTION_MERGE]             = { "merge", WHO_STAFF, 3, 3 },
	[ACTION_SPAM]              = { "spam", WHO_STAFF, 3, 3 },
	[ACTION_BULK]              = { "bulk", WHO_ON_TICKET, 3, 3 },
	[ACTION_REMOVE_PARTICIPANT] = { "remove_participant", WHO_STAFF, 2, 2 },
	[ACTION_WATCH]             = { "watch", WHO_ON_TICKET, 2, 2 },
	[ACTION_UNDO]              = { "undo", WHO_ON_TICKET, 2, 2 },
	[ACTION_RESTORE_TICKET]    = { "restore_ticket", WHO_ADMIN, 3, 3 },
	[ACTION_DELETE_TICKET]     = { "delete_ticket", WHO_ADMIN | WHO_REQUESTER, 3, 3 },
	/* Nobody puts words into another's mouth; admins may take them out. */
	[ACTION_EDIT_COMMENT]      = { "edit_comment", WHO_AUTHOR, 2, 2 },
	[ACTION_DELETE_COMMENT]    = { "delete_comment", WHO_AUTHOR | WHO_ADMIN, 2, 2 },
};
/* clang-format on */

const char *role_name(enum role role)
{
	return role_names[role];
}

enum role role_from_name(const char *name)
{
	int i = 0;

	while (i < ROLE_COUNT && strcmp(role_names[i], name) != 0)
		i++;
	return (enum role)i;
}

const char *source_name(enum source source)
{
	return source_names[source];
}

const char *policy_action_name(enum policy_action action)
{
	return rows[action].name;
}

const char *policy_hold_name(enum policy_hold hold)
{
	return hold_names[hold];
}

unsigned policy_who(const struct policy_actor *actor, const struct policy_ticket *ticket)
{
	static const unsigned by_role[ROLE_COUNT] = {
		[ROLE_ANONYMOUS] = WHO_STRANGER,
		[ROLE_CUSTOMER] = WHO_CUSTOMER,
		[ROLE_AGENT] = WHO_AGENT,
		[ROLE_ADMIN] = WHO_ADMIN,
	};
	unsigned who = by_role[actor->role];

	if (!ticket || actor->user == 0 || actor->role == ROLE_ANONYMOUS)
		return who;
	if (actor->user == ticket->requester)
		who |= WHO_REQUESTER | WHO_PARTICIPANT;
	if (actor->user == ticket->assignee)
		who |= WHO_ASSIGNEE | WHO_PARTICIPANT;
	if (ticket->is_participant)
		who |= WHO_PARTICIPANT;
	if (ticket->is_author)
		who |= WHO_AUTHOR;
	return who;
}

int policy_level(enum role role, enum policy_action action)
{
	const struct policy_row *row = &rows[action];

	return role == ROLE_AGENT || role == ROLE_ADMIN ? row->staff_level : row->customer_level;
}

/* The table, and the two rows that depend on more than who one is. */
static bool allowed(enum policy_action action, unsigned who, const struct policy_ticket *ticket)
{
	if (action == ACTION_READ_TICKET && (ticket->open_desk || ticket->is_shared) &&
	    (who & WHO_SIGNED_IN))
		return true;
	/* What others have begun to work on is not rewritten under them. */
	if (action == ACTION_EDIT_TEXT && !(who & WHO_STAFF) && !ticket->is_new)
		return false;
	return rows[action].who & who;
}

enum policy_answer policy_may(const struct policy_actor *actor, enum policy_action action,
			      const struct policy_ticket *ticket)
{
	bool on_ticket = action >= FIRST_ON_TICKET, by_mail = actor->source == SOURCE_MAIL;
	unsigned who = policy_who(actor, on_ticket ? ticket : NULL);

	if (on_ticket && (!ticket || !allowed(ACTION_READ_TICKET, who, ticket)))
		return POLICY_INVISIBLE;
	if (!allowed(action, who, ticket) || ((who & WHO_STRANGER) && !by_mail))
		return POLICY_NO;
	if (by_mail && actor->level < policy_level(actor->role, action))
		return POLICY_LEVEL;
	return POLICY_YES;
}

enum policy_hold policy_hold(const struct policy_actor *actor, const struct policy_ticket *ticket)
{
	switch (policy_may(actor, ACTION_COMMENT_PUBLIC, ticket)) {
	case POLICY_YES:
		return HOLD_NONE;
	case POLICY_LEVEL:
		return HOLD_UNVERIFIED;
	default:
		return HOLD_NOT_PARTICIPANT;
	}
}

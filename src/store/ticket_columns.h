/* ticket_columns.h - the columns of a ticket "t" and where they go; for tickets.c, ticket_list.c.
 */
#ifndef MAILDESK_STORE_TICKET_COLUMNS_H
#define MAILDESK_STORE_TICKET_COLUMNS_H

#include <maildesk/store/tickets.h>

#define TICKET_COLUMNS                                                                   \
	"t.id, t.title, t.status, t.priority, t.category, t.requester_id, t.created_by," \
	" t.assignee_id, t.team_id, t.organisation_id, t.mailbox_id, t.channel,"         \
	" t.created_at, t.updated_at, t.first_response_at, t.resolved_at, t.closed_at,"  \
	" t.due_at, t.snoozed_until, t.time_spent_ms, t.fields, t.merged_into,"          \
	" t.deleted_at, t.epoch, t.alias, t.version"

/* `in`: the member of S that is the ticket and a dot, or nothing. */
#define TICKET_MAP_COLUMNS(S, in)                                                                  \
	{ DB_COL_INT, offsetof(S, in id) }, { DB_COL_TEXT, offsetof(S, in title) },                \
		{ DB_COL_TEXT, offsetof(S, in status) }, { DB_COL_INT, offsetof(S, in priority) }, \
		{ DB_COL_TEXT, offsetof(S, in category) },                                         \
		{ DB_COL_INT, offsetof(S, in requester_id) },                                      \
		{ DB_COL_INT, offsetof(S, in created_by) },                                        \
		{ DB_COL_INT, offsetof(S, in assignee_id) },                                       \
		{ DB_COL_INT, offsetof(S, in team_id) },                                           \
		{ DB_COL_INT, offsetof(S, in organisation_id) },                                   \
		{ DB_COL_INT, offsetof(S, in mailbox_id) },                                        \
		{ DB_COL_TEXT, offsetof(S, in channel) },                                          \
		{ DB_COL_INT, offsetof(S, in created_at) },                                        \
		{ DB_COL_INT, offsetof(S, in updated_at) },                                        \
		{ DB_COL_INT, offsetof(S, in first_response_at) },                                 \
		{ DB_COL_INT, offsetof(S, in resolved_at) },                                       \
		{ DB_COL_INT, offsetof(S, in closed_at) }, { DB_COL_INT, offsetof(S, in due_at) }, \
		{ DB_COL_INT, offsetof(S, in snoozed_until) },                                     \
		{ DB_COL_INT, offsetof(S, in time_spent_ms) },                                     \
		{ DB_COL_TEXT, offsetof(S, in fields) },                                           \
		{ DB_COL_INT, offsetof(S, in merged_into) },                                       \
		{ DB_COL_INT, offsetof(S, in deleted_at) }, { DB_COL_INT, offsetof(S, in epoch) }, \
		{ DB_COL_TEXT, offsetof(S, in alias) },                                            \
	{                                                                                          \
		DB_COL_INT, offsetof(S, in version)                                                \
	}

#endif

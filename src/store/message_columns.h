/* message_columns.h - the columns of a message "m" and where they go; for messages.c and
 * message_list.c. */
#ifndef MAILDESK_STORE_MESSAGE_COLUMNS_H
#define MAILDESK_STORE_MESSAGE_COLUMNS_H

#include <maildesk/store/messages.h>

#define MESSAGE_COLUMNS                                                                      \
	"m.id, m.direction, m.mailbox_id, m.ticket_id, m.message_id, m.identity, m.subject," \
	" m.from_address, m.from_name, m.kind, m.trust, m.size, m.date_at, m.blob_id,"       \
	" m.created_at, m.comment_id, m.head"

/* `in`: the member of S that is the message and a dot, or nothing. */
#define MESSAGE_MAP_COLUMNS(S, in)                                                                 \
	{ DB_COL_INT, offsetof(S, in id) }, { DB_COL_TEXT, offsetof(S, in direction) },            \
		{ DB_COL_INT, offsetof(S, in mailbox_id) },                                        \
		{ DB_COL_INT, offsetof(S, in ticket_id) },                                         \
		{ DB_COL_TEXT, offsetof(S, in message_id) },                                       \
		{ DB_COL_TEXT, offsetof(S, in identity) },                                         \
		{ DB_COL_TEXT, offsetof(S, in subject) },                                          \
		{ DB_COL_TEXT, offsetof(S, in from_address) },                                     \
		{ DB_COL_TEXT, offsetof(S, in from_name) }, { DB_COL_TEXT, offsetof(S, in kind) }, \
		{ DB_COL_INT, offsetof(S, in trust) }, { DB_COL_INT, offsetof(S, in size) },       \
		{ DB_COL_INT, offsetof(S, in date_at) }, { DB_COL_INT, offsetof(S, in blob_id) },  \
		{ DB_COL_INT, offsetof(S, in created_at) },                                        \
		{ DB_COL_INT, offsetof(S, in comment_id) },                                        \
	{                                                                                          \
		DB_COL_TEXT, offsetof(S, in head)                                                  \
	}

#endif

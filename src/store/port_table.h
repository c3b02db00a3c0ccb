/* port_table.h - what a line of each type has; private to src/store. */
#ifndef MAILDESK_STORE_PORT_TABLE_H
#define MAILDESK_STORE_PORT_TABLE_H

#include <maildesk/store/port.h>

enum port_kind {
	PORT_TEXT, /* taken in without controls and NULs */
	PORT_LINE, /* one line of it, without what plays tricks */
	PORT_INT,
	PORT_BOOL,
	PORT_TIME,
	PORT_JSON,    /* a column with JSON in it */
	PORT_MEMBERS, /* the same without the braces of an object */
	PORT_PRIORITY,
	PORT_STATUS,
	PORT_USER,
	PORT_TEAM,
	PORT_ORGANISATION,
	PORT_MAILBOX,
	PORT_TAG,
	PORT_TICKET,
	PORT_COMMENT,
	PORT_MAIL,
	PORT_RAW,  /* the blob of a mail: a file of the export */
	PORT_BYTES /* of an attachment: likewise */
};

struct port_column {
	const char *key, *column;
	enum port_kind kind;
	bool required;
	const char
		*otherwise; /* for import: a literal of SQL's for what is absent or NULL; "$now" */
	const char *choice; /* texts that may be, parted by spaces; the first for all others */
};
enum { PORT_COLUMNS_MAX = 28, PORT_KEYS_MAX = 3 };

struct port_table {
	const char *type, *table;
	const char *keys[PORT_KEYS_MAX]; /* in which order lines come */
	bool has_id;                     /* "id": what other lines say for it */
	size_t natural;    /* so many columns, from the first, name a row that there is */
	const char *where; /* of what is exported; NULL: all */
	struct port_column columns[PORT_COLUMNS_MAX];
};
extern const struct port_table port_tables[];
extern const size_t port_n_tables;

extern const char *const port_priorities[4];

#endif

/* sanitize_tables.h - what html_sanitize() lets through. Private to it. */
#ifndef MAILDESK_MAIL_SANITIZE_TABLES_H
#define MAILDESK_MAIL_SANITIZE_TABLES_H

#include <maildesk/mail/span.h>

/* Groups of elements, for the attributes they may have. */
enum safe_group {
	SAFE_ANY = 1 << 0,
	SAFE_LINK = 1 << 1,
	SAFE_IMAGE = 1 << 2,
	SAFE_TABLE = 1 << 3,
	SAFE_CELL = 1 << 4, /* also rows and columns */
	SAFE_LIST = 1 << 5,
	SAFE_ITEM = 1 << 6,
	SAFE_FONT = 1 << 7,
	SAFE_BLOCK = 1 << 8,
	SAFE_TIME = 1 << 9,
	SAFE_VOID = 1 << 10, /* has no end tag */
	SAFE_GONE = 1 << 11, /* goes with all that is in it */
};

/* How a value is checked. */
enum safe_value {
	SAFE_TEXT,
	SAFE_NUMBER, /* up to four digits */
	SAFE_LENGTH, /* the same, also with "%" or "px" */
	SAFE_SIZE,   /* of a font: 1, +1, -1 */
	SAFE_WORD,   /* letters, digits and hyphens */
	SAFE_COLOUR, /* a name or #rrggbb */
	SAFE_FACE,   /* names of fonts */
	SAFE_HREF,
	SAFE_SOURCE,
	SAFE_STYLE,
};

/* Where a scheme may stand. */
enum safe_place { SAFE_IN_LINK = 1, SAFE_IN_IMAGE = 2, SAFE_LATER = 4 /* becomes data-src */ };

struct safe_element {
	const char *name;
	unsigned groups;
};
struct safe_attribute {
	const char *name;
	unsigned groups; /* of elements that may have it */
	enum safe_value value;
};

/* NULL for what is not in the table. */
const struct safe_element *safe_element(const char *name);
const struct safe_attribute *safe_attribute(const char *name, unsigned groups);
/* Bits of enum safe_place; 0 for an unknown scheme. Without the colon. */
unsigned safe_scheme(struct span scheme);
bool safe_property(struct span name);
/* A function that a CSS value may call; without the bracket. */
bool safe_function(struct span name);

#endif

/* mention.h - "@name" in a note: who is meant.
 *
 * A person is named by their whole name ("@Anna Weber", "@anna.weber"), their address or what
 * stands in it before the "@" ("@aweber"), or their first name when nobody else has it. Case does
 * not count; "@" inside a word ("x@y.test") names nobody. */
#ifndef MAILDESK_DESK_MENTION_H
#define MAILDESK_DESK_MENTION_H

#include <stdbool.h>
#include <stddef.h>

struct mention_person {
	const char *name, *email;
	bool is_named; /* out */
};
/* `text` may be NULL: it names nobody. MD_OK or MD_NOMEM. */
int mention_find(const char *text, struct mention_person *people, size_t n);

#endif

/* templates_priv.h - what templates.c loads and templates_check.c looks through. */
#ifndef MAILDESK_APP_TEMPLATES_PRIV_H
#define MAILDESK_APP_TEMPLATES_PRIV_H

#include <maildesk/app/templates.h>

enum { NAME_MAX_BYTES = 120 };

struct entry {
	char name[NAME_MAX_BYTES]; /* "en/created.text" */
	struct template *built_in, *own;
};
struct templates {
	struct entry *v; /* by name */
	size_t n, room;
};

#endif

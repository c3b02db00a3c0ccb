/* template_priv.h - what template_compile.c makes and template.c reads. */
#ifndef MAILDESK_DESK_TEMPLATE_PRIV_H
#define MAILDESK_DESK_TEMPLATE_PRIV_H

#include <maildesk/desk/template.h>
#include <stdbool.h>
#include <stdint.h>

enum { TEMPLATE_NAME_MAX = 100 };

enum template_node_kind {
	NODE_TEXT,
	NODE_ESCAPED,
	NODE_RAW,
	NODE_SECTION,
	NODE_INVERTED,
	NODE_PARTIAL
};
struct template_node {
	enum template_node_kind kind;
	bool bol;           /* of text: it begins a line */
	uint32_t len, line; /* bytes of text; where it stands */
	const char *text;   /* text or name, in the source */
	uint32_t end;       /* of a section: index after its last node */
	uint32_t indent_len;
	const char *indent; /* of a standalone partial, else NULL */
};

struct template
{
	char *name, *source;
	struct template_node *node;
	size_t n, cap;
};

#endif

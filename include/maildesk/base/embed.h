/* embed.h - files of the tree that the build puts into the binary: schema.sql, templates, console.
 */
#ifndef MAILDESK_BASE_EMBED_H
#define MAILDESK_BASE_EMBED_H

#include <stddef.h>

struct embed_file {
	const char *name; /* path in the tree: "schema.sql", "templates/en/created.text.mustache" */
	const char *data; /* NUL-terminated */
	size_t len;
};
/* Made by the Makefile, sorted by name, ended by a NULL name. */
extern const struct embed_file embed_files[];

/* NULL when there is none of that name. */
const struct embed_file *embed_find(const char *name);

#endif

/* import.h - what the ways of `maildesk import` share. */
#ifndef MAILDESK_CMD_IMPORT_H
#define MAILDESK_CMD_IMPORT_H

#include <maildesk/app/desk.h>
#include <maildesk/cmd/progress.h>
#include <maildesk/store/port.h>

/* The desk; with `dry` one of the same configuration in a folder that goes with import_close(). */
struct import_desk {
	struct config *config;
	struct desk *desk;
	char folder[64]; /* "": it is the real one */
};
/* A code of sysexits(3), complained about. */
int import_open(const char *name, const char *file, bool dry, struct import_desk *ret);
void import_close(struct import_desk *d); /* fits md_auto */

/* Lines of maildesk-export(7) from `path`, a file or a folder with desk.jsonl, that belong to
 * `source` (NULL: what the file says, or "import"). A code of sysexits(3). */
int import_lines(const char *name, struct import_desk *d, const char *path, const char *source,
		 bool json);

/* Numbers of a JSON object, a line each, with "OF: " before their names. */
void import_show_counts(const char *of, json_t *counts);

int cmd_import_rt(int argc, char **argv); /* a command, see cmd.h */

#endif

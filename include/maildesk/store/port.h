/* port.h - a desk as JSON Lines that other programs can read and write: export and import.
 *
 * One table (port_table.c) says what a line of each type has, for both directions; people read it
 * in maildesk-export(7). People are named by address, teams, tags, organisations and mailboxes by
 * name, tickets, comments and mails by an id that means something in the file alone. */
#ifndef MAILDESK_STORE_PORT_H
#define MAILDESK_STORE_PORT_H

#include <maildesk/base/json.h>
#include <maildesk/desk/workflow.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/db.h>

enum { PORT_VERSION = 1, PORT_PATH_MAX = 96 };

/* ---- export ---- */

struct port_sink {
	/* A line without its end. */
	int (*line)(void *ctx, const char *type, const struct buf *json, struct md_err *err);
	/* A file that lines refer to by this relative path, once or more often. */
	bool (*wants)(void *ctx, const char *path);
	int (*file)(void *ctx, const char *path, const void *bytes, size_t n, struct md_err *err);
	void *ctx;
};
/* All of one state of the desk, which may be at work. What `sink` returns ends it. */
int port_export(struct db *db, const struct port_sink *sink, struct md_err *err);

/* ---- import ---- */

/* What happened to the lines, by type and what: {"ticket": {"made": 3, "known": 1}}; and what did
 * not map, each with how often. */
struct port_report {
	json_t *done, *unmapped;
};
int port_report_new(struct port_report *ret, struct md_err *err);
void port_report_done(struct port_report *r); /* fits md_auto */
void port_report_add(struct port_report *to, const struct port_report *more);
/* As "TYPE: WHAT". */
void port_unmapped(struct port_report *r, const char *type, const char *what);

struct port_import {
	const char *source; /* the system that the ids are of */
	const struct workflow *workflow;
	int64_t now_ms;
	struct port_report *report;
};
/* One line, in the caller's transaction. `blob`: the file that it names, NULL when it names none,
 * or that is not there. A line that does not fit is reported, and the rest goes on: what comes back
 * is MD_OK or what the transaction must end for. Nothing is sent to anybody. */
int port_import_line(struct db_conn *c, const struct port_import *im, const json_t *line,
		     const struct blob *blob, struct md_err *err);
/* How far an import of that name has come (0: not begun), and the note of it. */
int port_position(struct db_conn *c, const char *name, int64_t *ret, struct md_err *err);
int port_set_position(struct db_conn *c, const char *name, int64_t position, struct md_err *err);

#endif

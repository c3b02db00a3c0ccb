/* port_line.h - a line on its way into a row; private to src/store.
 *
 * port_import.c takes it through: its values are read (port_values.c), what they name is looked up
 * (port_names.c), and what happened is counted (port_report.c). */
#ifndef MAILDESK_STORE_PORT_LINE_H
#define MAILDESK_STORE_PORT_LINE_H

#include "port_table.h"

enum { PORT_ID_MAX = 200, PORT_LINE_ARENA = 64 << 20 };

struct line {
	struct db_conn *c;
	const struct port_import *im;
	const struct port_table *t;
	const json_t *json;
	const struct blob *blob;
	struct arena arena;
	struct db_arg values[PORT_COLUMNS_MAX];
	size_t n;
	char id[PORT_ID_MAX]; /* "": it has none */
	bool left_out;
};

/* ---- the report ---- */

/* One more line of that type of which that is true: "made", "there already", "left out" … */
void port_done(const struct port_import *im, const char *type, const char *what);
/* What did not map, as "TYPE: KEY WHAT". */
void line_tell(struct line *l, const char *key, const char *what);

/* ---- ids and names ---- */

/* Numbers and texts are both ids. False: neither, or too long. */
bool line_id(const json_t *v, char out[PORT_ID_MAX]);
/* The row that an id of an earlier line, of that type, stands for. MD_NOTFOUND. */
int line_find_mapped(struct line *l, const char *kind, const json_t *v, int64_t *ret,
		     struct md_err *err);
/* The row that the value names; people, teams, organisations and tags are made when they are new.
 * MD_NOTFOUND: it names nothing. */
int line_find_row(struct line *l, enum port_kind kind, const json_t *v, int64_t *ret,
		  struct md_err *err);
/* From now on the line's id, which it has, stands for that row. */
int line_note_id(const struct line *l, int64_t id, struct md_err *err);

/* ---- values ---- */

/* All of them, into l->values. l->left_out: one that must be there is not. */
int line_read_values(struct line *l, struct md_err *err);
/* NULL: lines of this type have no such key. */
const struct db_arg *line_value(const struct line *l, const char *key);
/* NULL also when it is none, or absent. */
const char *line_text(struct line *l, const char *key);

#endif

/* trim_lines.h - the classes of the lines of a mail's text: the knowledge of trim.c. */
#ifndef MAILDESK_MAIL_TRIM_LINES_H
#define MAILDESK_MAIL_TRIM_LINES_H

#include "trim_tables.h"

#include <maildesk/base/arena.h>
#include <maildesk/mail/html.h>
#include <maildesk/mail/span.h>

enum { TRIM_LINES_MAX = 20000 }; /* lines looked at; text behind them is text */

enum trim_class {
	TRIM_EMPTY,
	TRIM_TEXT,
	TRIM_QUOTE,  /* "> ..." */
	TRIM_HEADER, /* "On ..., X wrote:", each of its lines */
	TRIM_OLD,    /* begins older mail for good: "-----Original Message-----", a header block */
	TRIM_SIGNATURE, /* "-- " */
	TRIM_DEVICE,    /* "Sent from my ..." */
	TRIM_PROGRAM,   /* "Sent via ...": only at the end */
	TRIM_RULE,      /* a line of dashes and the like */
	TRIM_MARKER,    /* our own "reply above this line" */
};
struct trim_line {
	struct span text;
	enum trim_class class;
};
struct trim_lines {
	size_t n;
	struct trim_line *v;
	bool first; /* mail of a conversation: it answers nothing and passes nothing on */
	struct trim_index {
		/* Tables that every line of every mail is held against, made ready once. */
		struct span_index above, devices, headers, notices;
		const char *starts[TRIM_QUOTE_HEADERS_MAX]; /* how quote headers begin */
		const char *ones[TRIM_DISCLAIMERS_MAX];
	} index;
};
/* False when memory ran out. `marks` may be NULL. */
bool trim_lines_read(struct arena *a, struct span text, const struct html_marks *marks, bool first,
		     struct trim_lines *ret);

/* "---------- Forwarded message ----------", "Begin forwarded message:" and their kin. */
bool trim_line_is_forward(struct span line);

/* Which label of a block of headers (enum trim_label of trim_tables.h) the line begins with, 0 for
 * none; what stands behind it, else the bare line. */
unsigned trim_line_label(struct span line, struct span *ret_value);

/* Without the stars and bars around "*From:*". */
struct span trim_undressed(struct span line);

/* trim_heads.c: how many lines from `at` on are one "On ... wrote:" (0 for none), which clients
 * break anywhere; and the line right above a quote, which needs less to be its header. */
size_t trim_quote_header_lines(const struct trim_lines *l, size_t at);
bool trim_heads_quote(const struct trim_lines *l, size_t at);
bool trim_is_dashed_header(struct span line); /* "---- On DATE, NAME wrote ----" */
bool trim_ends_in_colon(struct span s);       /* of either width, behind stars and brackets */
bool trim_has_time(struct span s);            /* "10:12" */

/* trim_ends.c: the line is or begins what stands below a mail. */
bool trim_is_dash_name(const struct trim_lines *l, size_t at);
bool trim_is_disclaimer(const struct trim_lines *l, size_t at);
bool trim_is_device(const struct trim_lines *l, struct span line);

#endif

/* clock_story.h - what each clock of a ticket did, stretch by stretch, and why.
 *
 * The ledger (store/clocks.h) says when a clock ran and what it had used by then; the calendar says
 * which of it counted. Where a calendar was changed since, the ledger holds: such a stretch is a
 * single line. So the counted lines of a clock are what it has used, to the millisecond. */
#ifndef MAILDESK_APP_CLOCK_STORY_H
#define MAILDESK_APP_CLOCK_STORY_H

#include <maildesk/app/desk.h>
#include <maildesk/store/clocks.h>
#include <maildesk/store/tickets.h>

struct clock_line {
	int64_t from_ms, to_ms; /* [from, to), each line begins where the last one ended */
	bool counted;
	const char *why; /* "open", "outside hours", "closed: Easter Monday", "paused: pending" */
};
/* The name of that reason, which does not change, and what it is about: "closed" and "Easter
 * Monday". NULL, NULL of words that are not ours. */
const char *clock_line_code(const char *why, const char **ret_about);

struct clock_story {
	struct clock_row row;
	int64_t used_ms, rest_ms; /* now */
	struct clock_line *lines;
	size_t n_lines;
};
/* All cycles of all clocks, in the order of their beginning; in `a`. */
int clock_stories(const struct desk *d, struct db_conn *c, const struct ticket *t, int64_t now_ms,
		  struct arena *a, struct clock_story **ret, size_t *ret_n, struct md_err *err);

#endif

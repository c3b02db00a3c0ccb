/* calendar.h - opening hours: which instants count for an SLA.
 *
 * An instant is open if and only if its local wall-clock reading lies in a window [from, to) of
 * its local date. So times in a spring gap never occur, and times that occur twice in autumn count
 * twice. A date's windows are those of its special day, else none on a holiday, else its weekday's.
 *
 * A calendar is built once by the setters and then only read, from any thread. */
#ifndef MAILDESK_DESK_CALENDAR_H
#define MAILDESK_DESK_CALENDAR_H

#include <maildesk/base/err.h>
#include <maildesk/desk/tz.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CALENDAR_WINDOWS = 24,  /* a day: one an hour */
	CALENDAR_DATES = 10000, /* holidays and special days */
	CALENDAR_HORIZON = 400, /* days without an open minute after which we give up */
	CALENDAR_NAME_MAX = 48,
	CALENDAR_WHY_MAX = 64,
};

struct calendar_hours {
	uint16_t n;
	struct {
		uint16_t from, to;  /* minutes after midnight, 0..1440 */
	} window[CALENDAR_WINDOWS]; /* ascending, none empty, none overlapping */
};

struct calendar_date {
	int64_t day; /* since 1970-01-01 */
	bool special;
	char name[CALENDAR_NAME_MAX]; /* of the holiday; "": only its date is known */
	struct calendar_hours hours;
};

struct calendar {
	struct tz *tz;                 /* NULL is UTC */
	struct calendar_hours week[7]; /* Monday first */
	struct calendar_date *date;    /* ascending */
	size_t dates;
};

/* Always open; named "24x7" in configurations. */
extern const struct calendar calendar_24x7;

/* All setters: MD_OK, MD_INPUT with what is wrong, MD_NOMEM. Start from a zeroed struct. */
int calendar_set_zone(struct calendar *c, const void *tzif, size_t n, struct md_err *err);
/* weekday: "mon" to "sun". Windows like "09:00-17:00"; "24:00" is allowed as an end, "09:00-09:00"
 * is empty; overlaps and ends before their starts are errors. Replaces what was there. */
int calendar_set_hours(struct calendar *c, const char *weekday, const char *const *windows,
		       size_t n, struct md_err *err);
/* date: "2026-12-25" */
int calendar_add_holiday(struct calendar *c, const char *date, struct md_err *err);
/* What a holiday that was added is called; control characters and what is too long go. */
void calendar_name_holiday(struct calendar *c, const char *date, const char *name);
/* These windows instead of the weekday's; n = 0 is closed. Stronger than a holiday. */
int calendar_add_special(struct calendar *c, const char *date, const char *const *windows, size_t n,
			 struct md_err *err);
void calendar_done(struct calendar *c); /* fits md_auto(calendar_done) */

/* The earliest instant at which the open time since start_ms reaches target_ms: start_ms itself
 * for a target of 0 or less. False when there is none: closed for CALENDAR_HORIZON days on end, or
 * not before the year 10000. */
bool calendar_add(const struct calendar *c, int64_t start_ms, int64_t target_ms,
		  int64_t *ret_due_ms);
/* Open time in [from_ms, to_ms); 0 when the range is empty. */
int64_t calendar_used(const struct calendar *c, int64_t from_ms, int64_t to_ms);

enum calendar_why { CALENDAR_OPEN, CALENDAR_OUTSIDE, CALENDAR_CLOSED };
struct calendar_stretch {
	int64_t from_ms, to_ms; /* [from, to) */
	enum calendar_why why;
	int64_t day;      /* the date of CALENDAR_CLOSED, else 0 */
	const char *name; /* of that date; NULL: none; the calendar's */
};
/* The stretch of [from_ms, end_ms) that begins at from_ms, as long as one reason holds; a walk
 * goes on at its to_ms. False when the range is empty. */
bool calendar_stretch(const struct calendar *c, int64_t from_ms, int64_t end_ms,
		      struct calendar_stretch *ret);
/* "open", "outside hours", "closed: 2026-04-03", "closed: Easter Monday" */
const char *calendar_why(const struct calendar_stretch *s, char out[CALENDAR_WHY_MAX]);

#endif

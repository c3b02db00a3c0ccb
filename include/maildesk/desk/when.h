/* when.h - times as people write them in a command: "tomorrow", "friday 14:00", "2027-03-01", "3d".
 *
 * Dates are of the writer's zone; a date without a time of day is at 09:00 there. Pure. */
#ifndef MAILDESK_DESK_WHEN_H
#define MAILDESK_DESK_WHEN_H

#include <maildesk/desk/tz.h>
#include <stdbool.h>
#include <stdint.h>

/* "15m", "1h30m", "1h 30m", "2d", "1w", with a leading minus a negative one; at most ten years. */
bool when_duration(const char *text, int64_t *ret_ms);

/* A duration from now on, or a date: YYYY-MM-DD, "today", "tomorrow", a weekday in English (the
 * next one, never today; "fri" will do), each with " HH:MM" or, of ISO dates, "THH:MM" behind it,
 * or RFC 3339. `tz` NULL is UTC. False when it is none of that; nothing is said of whether it lies
 * in the past. */
bool when_instant(const char *text, const struct tz *tz, int64_t now_ms, int64_t *ret_ms);

#endif

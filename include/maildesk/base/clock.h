/* clock.h - time as an argument, and instants as text.
 *
 * Instants are int64_t milliseconds since 1970 UTC (`_ms`), as stored in the database. An operation
 * asks its clock once and uses that value for all its rows. */
#ifndef MAILDESK_BASE_CLOCK_H
#define MAILDESK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(const struct clock *c);
	int64_t (*mono_ms)(const struct clock *c); /* never jumps; for deadlines */
};
extern const struct clock clock_system;

static inline int64_t clock_wall(const struct clock *c)
{
	return c->wall_ms(c);
}
static inline int64_t clock_mono(const struct clock *c)
{
	return c->mono_ms(c);
}

enum { TIME_TEXT_MAX = 48 };
/* RFC 3339 in UTC: "2026-11-20T16:02:03.456Z"; without milliseconds when they are zero and
 * `with_ms` is 0. Years 0..9999; others are clamped. Returns `out`. */
const char *time_format(int64_t ms, int with_ms, char out[TIME_TEXT_MAX]);
/* RFC 3339 with any offset, seconds fraction optional. MD_OK or MD_INPUT. */
int time_parse(const char *text, int64_t *ret_ms);
/* "1500ms 30s 15m 4h 14d 2w 3y" (one number, one unit; plain 0 too) to milliseconds. MD_OK or
 * MD_INPUT. */
int duration_parse(const char *text, int64_t *ret_ms);

/* Proleptic Gregorian calendar; month 1..12, day 1..31. */
int64_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif

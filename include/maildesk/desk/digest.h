/* digest.h - how often somebody wants to be told: at once, or together with what else happened, at
 * the full hour or each morning of their time zone. Pure. */
#ifndef MAILDESK_DESK_DIGEST_H
#define MAILDESK_DESK_DIGEST_H

#include <maildesk/desk/tz.h>

enum digest { DIGEST_OFF, DIGEST_HOURLY, DIGEST_DAILY, DIGEST_COUNT };
enum { DIGEST_MORNING = 8 }; /* the hour of daily ones */

/* "off", "hourly", "daily", as stored and shown; then NULL. */
extern const char *const digest_names[DIGEST_COUNT + 1];
enum digest digest_from_name(const char *name); /* NULL and other words: DIGEST_OFF */
/* When the next one is due: after now. `tz` NULL is UTC. DIGEST_OFF: the next full hour, too. */
int64_t digest_due(enum digest d, const struct tz *tz, int64_t now_ms);

#endif

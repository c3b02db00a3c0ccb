/* wallwatch.h - may the wall clock be believed?
 *
 * Between two looks it should have gone as far as the monotonic clock. When it is more than an hour
 * off, either way, it is doubted until two looks at least a minute apart agree; looks in between
 * that disagree begin that minute anew. */
#ifndef MAILDESK_BASE_WALLWATCH_H
#define MAILDESK_BASE_WALLWATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { WALLWATCH_JUMP_MS = 3600000, WALLWATCH_AGREE_MS = 60000 };

struct wallwatch { /* zeroed: nothing seen yet; the first look is believed */
	bool seen, doubted;
	int64_t wall_ms, mono_ms; /* last look; while doubted, that which the next ones must fit */
};
bool wallwatch_trusts(struct wallwatch *w, int64_t wall_ms, int64_t mono_ms);

#endif

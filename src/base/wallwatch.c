#include <maildesk/base/wallwatch.h>

static bool fits(const struct wallwatch *w, int64_t wall_ms, int64_t mono_ms, int64_t most_ms)
{
	int64_t off = (wall_ms - w->wall_ms) - (mono_ms - w->mono_ms);

	return off <= most_ms && off >= -most_ms;
}

bool wallwatch_trusts(struct wallwatch *w, int64_t wall_ms, int64_t mono_ms)
{
	bool waits = false;

	if (w->seen && !w->doubted) {
		w->doubted = waits = !fits(w, wall_ms, mono_ms, WALLWATCH_JUMP_MS);
	} else if (w->doubted) {
		waits = !fits(w, wall_ms, mono_ms, WALLWATCH_AGREE_MS);
		/* the look that began the minute stands until it is over */
		if (!waits && mono_ms - w->mono_ms < WALLWATCH_AGREE_MS)
			return false;
		w->doubted = waits;
	}
	w->seen = true;
	w->wall_ms = wall_ms;
	w->mono_ms = mono_ms;
	return !waits;
}

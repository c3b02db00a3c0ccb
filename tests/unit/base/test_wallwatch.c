#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/wallwatch.h>

/* Looks at seconds of the monotonic clock, with how far the wall clock is off then, in seconds. */
struct look {
	int64_t mono, off;
	bool trusted;
};

static void play(const struct look *looks, size_t n)
{
	struct wallwatch w = { 0 };

	for (size_t i = 0; i < n; i++) {
		int64_t mono_ms = looks[i].mono * 1000;
		int64_t wall_ms = INT64_C(1772442000000) + mono_ms + looks[i].off * 1000;

		if (wallwatch_trusts(&w, wall_ms, mono_ms) != looks[i].trusted)
			fail_msg("look %zu", i);
	}
}
#define PLAY(...)                                            \
	do {                                                 \
		const struct look looks[] = { __VA_ARGS__ }; \
		play(looks, MD_COUNT(looks));                \
	} while (0)

static void what_is_believed(void **state)
{
	(void)state;
	/* a clock that runs, is set by less than an hour, or drifts */
	PLAY({ 5, 0, true }, { 100, 0, true }, { 90000, 0, true });
	PLAY({ 5, 0, true }, { 6, 3600, true }, { 7, 0, true }, { 8, -3600, true });
	PLAY({ 0, 0, true }, { 10, 3000, true }, { 20, 6000, true }, { 30, 9000, true });
	/* more than that: a minute */
	PLAY({ 5, 0, true }, { 6, 3601, false }, { 7, 3601, false }, { 65, 3601, false },
	     { 66, 3601, true }, { 67, 3601, true });
	PLAY({ 5, 0, true }, { 6, -3601, false }, { 66, -3601, true });
	/* the second look may be late */
	PLAY({ 5, 0, true }, { 6, 90000, false }, { 4000, 90000, true });
	/* there and back again: each jump begins the minute anew */
	PLAY({ 5, 0, true }, { 6, 90000, false }, { 50, 0, false }, { 67, 0, false },
	     { 110, 0, true });
	PLAY({ 5, 0, true }, { 6, 90000, false }, { 30, 90061, false }, { 66, 90061, false },
	     { 90, 90061, true });
	/* looks that agree by seconds only are fine */
	PLAY({ 5, 0, true }, { 6, 90000, false }, { 66, 90030, true });
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_believed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

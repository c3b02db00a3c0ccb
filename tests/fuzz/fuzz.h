/* fuzz.h - what the fuzz targets share. A target takes any bytes, calls one entry and checks what
 * its header promises; what does not hold ends the program, which libFuzzer reports with the
 * input. */
#ifndef MAILDESK_TESTS_FUZZ_H
#define MAILDESK_TESTS_FUZZ_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/span.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUZZ_ARENA_MAX = 256 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define check(condition) check_(condition, #condition, __FILE__, __LINE__)
static inline void check_(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* Valid UTF-8; NULL is fine. */
static inline void check_utf8(const char *s)
{
	check(!s || utf8_valid(s, strlen(s)));
}

/* Also one clean line: nothing that ends it, hides or turns it around. */
static inline void check_line(const char *s)
{
	size_t n = s ? strlen(s) : 0, step;

	for (size_t i = 0; i < n; i += step) {
		uint32_t cp;

		step = utf8_decode(s + i, n - i, &cp);
		check(step > 0 && !utf8_is_control(cp) && !utf8_is_bidi_or_invisible(cp));
	}
}

/* Also text: tabs and LF are the only controls. */
static inline void check_text(struct span s)
{
	check(utf8_valid(s.p, s.n));
	for (size_t i = 0; i < s.n; i++)
		check((unsigned char)s.p[i] >= ' ' || s.p[i] == '\n' || s.p[i] == '\t');
}

/* One lies in the other. */
static inline void check_within(struct span part, struct span all)
{
	check(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

/* Inputs of several parts have them divided by NUL bytes. */
static inline struct span take_part(struct span *rest)
{
	size_t n = span_chr(*rest, '\0');
	struct span part = span_sub(*rest, 0, n);

	*rest = span_from(*rest, n + 1);
	return part;
}

#endif

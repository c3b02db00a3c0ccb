/* reasons.h - sentences of the sources, in the languages of letters.
 *
 * They are written in English, once, where something is refused or fails: so they stand in
 * decisions, in the log and in the API. A table says how each reads elsewhere; %1, %2 ... are what
 * was filled in, %0 is a sentence of its own. Rows that begin with a hole stand last: they fit
 * more. A test (test_lint.py) compares the tables with the sentences of the sources. */
#ifndef MAILDESK_SRC_DESK_REASONS_H
#define MAILDESK_SRC_DESK_REASONS_H

#include <maildesk/base/buf.h>
#include <stddef.h>

enum { REASON_LANGUAGES = 3 };

struct reason {
	const char *en, *in[REASON_LANGUAGES]; /* de, es, fr */
};

/* Append the text as that language says it; as it is where no row fits. */
void reason_say(const struct reason *rows, size_t n, struct buf *out, const char *text,
		const char *locale);

#endif

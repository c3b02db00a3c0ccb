/* reason.h - why something was refused, and what became of a command: sentences that have a name.
 *
 * Such a sentence is written in English, once, where something is refused; so it stands in the log,
 * in decisions, in what is kept in the database and in the API. One table knows each of them: the
 * name that programs go by, and how it reads in the other languages. A sentence is found by its
 * words, not by a number carried beside it: most have come a long way (through errors of six
 * layers, through rows that an older maildesk wrote), and the words are what arrives.
 * A test (test_lint.py) compares the rows with the sentences of the sources. Pure. */
#ifndef MAILDESK_DESK_REASON_H
#define MAILDESK_DESK_REASON_H

#include <maildesk/base/buf.h>

#include <stdbool.h>

enum { REASON_LANGUAGES = 3, REASON_VALUES = 3 };

/* %1, %2, %3 are what was filled in; %0, at the end, is a sentence of its own. Of "field: why" the
 * part behind the colon is the sentence, too: a field is named once, and its holes come last. */
struct reason_row {
	const char *code, *en, *in[REASON_LANGUAGES]; /* "de", "es", "fr" */
};
/* Ended by a NULL `en`; in a table of what is told to people alone, `code` is NULL, too. */
extern const struct reason_row reason_rows[];

struct reason {
	const char *code; /* "too_long": does not change; the table's */
	struct reason_value {
		const char *at; /* in the text that was asked about */
		size_t n;
	} values[REASON_VALUES];
	size_t n;
};
/* False: nobody knows that sentence. */
bool reason_find(const char *text, struct reason *ret);
/* Append `"code":"too_long","values":["200"]`. */
void reason_json(struct buf *out, const struct reason *r);
/* Append the sentence of such a table as that language says it (`locale` as of words_locale()); as
 * it is where there are no other words for it. */
void reason_say(const struct reason_row *rows, struct buf *out, const char *text,
		const char *locale);

#endif

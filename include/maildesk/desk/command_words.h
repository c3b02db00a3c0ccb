/* command_words.h - what commands do, and what is said of them, in the languages of letters.
 * English stands in command_rows, and where something is refused. */
#ifndef MAILDESK_DESK_COMMAND_WORDS_H
#define MAILDESK_DESK_COMMAND_WORDS_H

#include <maildesk/base/buf.h>

/* `name` as in a row, `locale` as of words_locale(). NULL: there are no words but the row's own. */
const char *command_help(const char *name, const char *locale);
/* Append the reason of a refusal, or the result of a command, as that language says it; as it is
 * where there are no other words for it. */
void command_reason(struct buf *out, const char *reason, const char *locale);

#endif

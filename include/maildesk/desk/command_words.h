/* command_words.h - what commands do, in the languages of letters; English stands in command_rows.
 */
#ifndef MAILDESK_DESK_COMMAND_WORDS_H
#define MAILDESK_DESK_COMMAND_WORDS_H

/* `name` as in a row, `locale` as of words_locale(). NULL: there are no words but the row's own. */
const char *command_help(const char *name, const char *locale);

#endif

/* charset_aliases.h - the names that mail uses for charsets. */
#ifndef MAILDESK_MAIL_CHARSET_ALIASES_H
#define MAILDESK_MAIL_CHARSET_ALIASES_H

#include <maildesk/mail/span.h>

/* The iconv name of a declared charset, NULL for none or one nobody knows. */
const char *charset_canonical(struct span name);
/* The iconv name of the i-th row, NULL behind the last. */
const char *charset_alias_target(size_t i);

#endif

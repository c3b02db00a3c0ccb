/* charset.h - bytes of any declared charset become valid UTF-8, always.
 *
 * Order: what is declared (through the alias table; a declared name is a claim, so it must fit the
 * bytes), then UTF-8 if the bytes are valid, then windows-1252. Nothing is dropped: a byte that
 * means nothing becomes U+FFFD. Control characters are left for the caller's utf8_clean_*. */
#ifndef MAILDESK_MAIL_CHARSET_H
#define MAILDESK_MAIL_CHARSET_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

/* Append `bytes` as UTF-8. `name` as declared, empty when nothing was. Returns true when the
 * declaration (or its absence: plain ASCII or UTF-8) was good, false when something was guessed
 * or replaced. */
bool charset_to_utf8(struct span name, struct span bytes, struct buf *out);

/* Known, and neither ASCII, UTF-8 nor Latin-1: who declares it somewhere means it. */
bool charset_is_regional(struct span name);

/* Open all converters of the table, which needs files; per thread. Others are refused from then on
 * only where the process may no longer open files. */
void charset_prepare(void);

#endif

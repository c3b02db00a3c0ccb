/* sanitize_values.h - whether the value of an attribute may stand. Private to html_sanitize(). */
#ifndef MAILDESK_MAIL_SANITIZE_VALUES_H
#define MAILDESK_MAIL_SANITIZE_VALUES_H

#include "sanitize_tables.h"

#include <maildesk/base/buf.h>

/* Put what may stand of `value` into *out (empty before), not yet escaped; false when nothing may.
 * *ret_later: it is a source that may be loaded only when asked. */
bool safe_value(enum safe_value how, struct span value, struct buf *out, bool *ret_later);

#endif

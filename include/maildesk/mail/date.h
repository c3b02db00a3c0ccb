/* date.h - Date fields (RFC 5322 3.3 with the obsolete forms, asctime, numeric orders of clients).
 */
#ifndef MAILDESK_MAIL_DATE_H
#define MAILDESK_MAIL_DATE_H

#include <maildesk/mail/span.h>
#include <stdint.h>

/* Milliseconds UTC. A missing or unknown zone counts as UTC. False when no day can be read. */
bool date_read(struct span value, int64_t *ret_ms);

#endif

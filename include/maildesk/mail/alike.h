/* alike.h - addresses that are made to look like others: letters of other scripts, look-alikes of
 * known domains. */
#ifndef MAILDESK_MAIL_ALIKE_H
#define MAILDESK_MAIL_ALIKE_H

#include <maildesk/base/buf.h>
#include <stdbool.h>

/* A label of the domain, or the local part, that mixes scripts which look alike, or that reads as
 * plain ASCII although it is not. Labels in punycode (RFC 3492) are decoded first. */
bool alike_is_disguised(const char *address);

/* Do both domains look the same to a hasty reader ("desk.test", "clesk.test", "d\u0435sk.test")
 * without being the same? */
bool alike_domains(const char *one, const char *other);

#endif

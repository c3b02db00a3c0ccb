/* identity.h - what makes a mail the same mail when it is delivered twice. */
#ifndef MAILDESK_MAIL_IDENTITY_H
#define MAILDESK_MAIL_IDENTITY_H

#include <maildesk/base/codec.h>
#include <maildesk/mail/header.h>

/* SHA-256, in hex, over the header fields that are not traces of a delivery and the body, each
 * line ending in LF. `head` and `body` as header_split() gave them. False when out of memory. */
bool identity_hash(struct span head, struct span body, char ret[SHA256_HEX]);

#endif

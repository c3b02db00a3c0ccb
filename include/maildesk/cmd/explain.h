/* explain.h - `maildesk parse --explain`: how a mail was read, for people. */
#ifndef MAILDESK_CMD_EXPLAIN_H
#define MAILDESK_CMD_EXPLAIN_H

#include <maildesk/cmd/mails.h>

/* Print each mail's stages on standard output. False when that failed. */
bool explain_mails(struct mails *m);

#endif

/* quarantine.h - what a person does with a mail that was held back. */
#ifndef MAILDESK_APP_QUARANTINE_H
#define MAILDESK_APP_QUARANTINE_H

#include <maildesk/app/intake.h>
#include <maildesk/store/quarantine.h>

/* Run the mail through intake again, its cause waived: it proves little (trust level 1 at most), a
 * tampered token counts as none and no command runs. `by` is the user who did it, 0 for the console
 * of the machine. Reads the mail anew, in a jail of its own; call it outside a transaction.
 * MD_NOTFOUND; MD_INPUT: it still cannot be read, or names nobody to answer; it stays then. */
int quarantine_release(struct desk *d, int64_t id, int64_t by, struct arena *a,
		       struct intake_result *ret, struct md_err *err);

/* Of a person's word to what blocked_senders holds: an address, or a domain as "@example.com".
 * MD_INPUT: neither. */
int quarantine_sender(const char *address, const char *domain, struct buf *out, struct md_err *err);

#endif

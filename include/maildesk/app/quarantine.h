/* quarantine.h - what a person does with a mail that was held back. */
#ifndef MAILDESK_APP_QUARANTINE_H
#define MAILDESK_APP_QUARANTINE_H

#include <maildesk/app/intake.h>
#include <maildesk/store/quarantine.h>

/* Run the mail through intake again, its cause waived: it proves little (trust level 1 at most), a
 * tampered token counts as none and no command runs. Reads the mail anew, in a jail of its own;
 * call it outside a transaction. MD_NOTFOUND; MD_INPUT: it still cannot be read, or names nobody to
 * answer; it stays then. */
struct quarantine_releasing {
	int64_t by; /* the user who does it, 0 for the command line */
	enum source source;
	/* Runs the transaction, which the caller may add to. */
	int (*txn)(void *ctx, db_txn_fn fn, void *fn_ctx, struct md_err *err);
	void *ctx;
	struct intake_result result;
};
int quarantine_release(struct desk *d, int64_t id, struct arena *a, struct quarantine_releasing *r,
		       struct md_err *err);

/* Of a person's word to what blocked_senders holds: an address, or a domain as "@example.com".
 * MD_INPUT: neither. */
int quarantine_sender(const char *address, const char *domain, struct buf *out, struct md_err *err);

#endif

/* digest.h - people's digests (mail-out.md, details.md): notices are kept as rows in the
 * transaction that causes them, and mailed together at the full hour of the reader's zone, in the
 * transaction that takes the rows away. What the reader may not see any more by then is left out.
 */
#ifndef MAILDESK_APP_DIGEST_H
#define MAILDESK_APP_DIGEST_H

#include <maildesk/app/desk.h>
#include <maildesk/store/users.h>

/* Mail what is due, *ret_n letters. MD_AGAIN: some could not be made, and stay due. */
int digests_round(struct desk *d, size_t *ret_n, struct md_err *err);
/* In a transaction: the user wants it otherwise, or has moved to another zone. */
int digest_reschedule(struct desk *d, struct db_conn *c, const struct user *u, int64_t now_ms,
		      struct md_err *err);

#endif

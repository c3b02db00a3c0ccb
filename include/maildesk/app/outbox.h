/* outbox.h - what people and the sender do to single mails of the outbox, and what it does to their
 * tickets. */
#ifndef MAILDESK_APP_OUTBOX_H
#define MAILDESK_APP_OUTBOX_H

#include <maildesk/app/work.h>
#include <maildesk/store/outbox.h>

/* Send it (again) now; or not at all. In the history of its ticket. Within a transaction; behind it
 * DESK_SENDER is to be woken. MD_NOTFOUND; MD_CONFLICT in a state where that cannot be. */
int outbox_do_retry(const struct work_by *by, struct db_conn *c, int64_t id, struct md_err *err);
int outbox_do_cancel(const struct work_by *by, struct db_conn *c, int64_t id, struct md_err *err);

/* A mail has failed for good: an event of its ticket; its agents are told of one to a customer
 * (mail that says that mail does not reach them would not either). In the transaction that ends the
 * mail. */
int outbox_tell_failure(struct desk *d, struct db_conn *c, struct arena *a,
			const struct outbox_row *row, const char *reply, struct md_err *err);

#endif

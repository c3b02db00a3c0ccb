/* mailboxes.h - the thread that takes mail in: between the roles `fetch` and `read` and intake. */
#ifndef MAILDESK_APP_MAILBOXES_H
#define MAILDESK_APP_MAILBOXES_H

#include <maildesk/app/desk.h>

struct mailboxes;

/* Starts the thread, which starts one `fetch` and `readers` times `read` (at least twice), watches
 * all mailboxes of the configuration and keeps the roles alive. `spool_fd`: an open directory for
 * unlinked files. */
int mailboxes_start(struct desk *d, int readers, int spool_fd, struct mailboxes **ret,
		    struct md_err *err);
/* Finishes the transaction in hand, ends the roles. What was not taken in stays on the server. */
void mailboxes_stop(struct mailboxes *m);

#endif

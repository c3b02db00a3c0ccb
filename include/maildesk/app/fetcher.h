/* fetcher.h - the `fetch` role: all IMAP sessions of the daemon, in one jailed process.
 *
 * Speaks frames.h over ROLE_SOCKET_FD and spools large mails below ROLE_SPOOL_FD. It knows nothing
 * but what the desk tells it and keeps nothing; killed at any moment, it is started again, and each
 * mailbox goes on from the cursor that the desk holds. */
#ifndef MAILDESK_APP_FETCHER_H
#define MAILDESK_APP_FETCHER_H

/* Runs until the desk closes the channel. The exit status of the process. */
int role_fetch_main(void);

#endif

/* offline.h - for commands that need the desk to stand still, or make files beside it. */
#ifndef MAILDESK_CMD_OFFLINE_H
#define MAILDESK_CMD_OFFLINE_H

#include <maildesk/store/db.h>

#include <stdbool.h>
#include <stddef.h>

/* The lock that a daemon holds; *ret_fd keeps it. MD_AGAIN: a daemon works on this desk. */
int offline_lock(const char *state_dir, int *ret_fd, struct md_err *err);

/* What is done to the whole desk, in many steps, goes to its log of what admins do before it is
 * begun. A failure is complained about only: a full disk does not keep anybody from a backup. */
void offline_note(const char *name, struct db *db, const char *action);

#endif

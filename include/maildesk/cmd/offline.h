/* offline.h - for commands that need the desk to stand still, or make files beside it. */
#ifndef MAILDESK_CMD_OFFLINE_H
#define MAILDESK_CMD_OFFLINE_H

#include <maildesk/store/db.h>

#include <stdbool.h>
#include <stddef.h>

/* The lock that a daemon holds; *ret_fd keeps it. MD_AGAIN: a daemon works on this desk. */
int offline_lock(const char *name, const char *state_dir, int *ret_fd, struct md_err *err);
/* Root runs commands, the desk does not run as root: what is made gets the owner of state_dir. */
void offline_give_to_owner(const char *name, const char *state_dir, const char *path);

/* What is done to the whole desk, in many steps, goes to its log of what admins do before it is
 * begun. A failure is complained about only: a full disk does not keep anybody from a backup. */
void offline_note(const char *name, struct db *db, const char *action);

/* Of "sqlite:PATH"; NULL: no file. */
const char *offline_file(const char *database);

#endif

/* user.h - making people, for `maildesk user add` and `maildesk init`. */
#ifndef MAILDESK_CMD_USER_H
#define MAILDESK_CMD_USER_H

#include <maildesk/store/db.h>

/* MD_INPUT: no mail address, or no role. */
int cmd_user_check(const char *email, const char *role, struct md_err *err);
/* Checks all of it and adds the user. An empty name is the address; password may be NULL.
 * MD_INPUT, MD_CONFLICT when the address is taken. */
int cmd_user_add(struct db *db, const char *email, const char *name, const char *role,
		 const char *password, int64_t *ret_id, struct md_err *err);

#endif

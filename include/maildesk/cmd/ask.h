/* ask.h - asking the daemon that runs by a configuration. */
#ifndef MAILDESK_CMD_ASK_H
#define MAILDESK_CMD_ASK_H

#include <maildesk/app/config.h>
#include <maildesk/store/db.h>

#include <jansson.h>

/* What /readyz says, asked from this machine. *ret_status is 200 and the like, *ret the body when
 * it is JSON, else NULL; the caller decrefs. Who answers has to be of the desk in `db` (NULL: of
 * any). MD_AGAIN: nobody answers there; MD_INPUT: no maildesk does; MD_CONFLICT: another desk's.
 * The sentence says what to do. */
int cmd_ask_daemon(const struct config *c, struct db *db, int *ret_status, json_t **ret,
		   struct md_err *err);

#endif

/* ask.h - asking the daemon that runs by a configuration. */
#ifndef MAILDESK_CMD_ASK_H
#define MAILDESK_CMD_ASK_H

#include <maildesk/app/config.h>

#include <jansson.h>

/* GET of a path that needs no sign-in, from this machine. *ret_status is 200 and the like, *ret the
 * body when it is JSON, else NULL; the caller decrefs. MD_AGAIN: nobody answers there. */
int cmd_ask_daemon(const struct config *c, const char *path, int *ret_status, json_t **ret,
		   struct md_err *err);

#endif

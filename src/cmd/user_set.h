/* user_set.h - `maildesk user set`, for user.c: a main() with its own arguments; the code is one of
 * sysexits(3). */
#ifndef MAILDESK_CMD_USER_SET_H
#define MAILDESK_CMD_USER_SET_H

int user_set_main(int argc, char **argv);

#endif

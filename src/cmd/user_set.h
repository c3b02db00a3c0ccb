#ifndef MAILDESK_CMD_USER_SET_H
#define MAILDESK_CMD_USER_SET_H

int user_set_main(int argc, char **argv);

#endif

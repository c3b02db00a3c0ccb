/* ticket_command.h - verbs of `maildesk ticket` with files of their own. */
#ifndef MAILDESK_CMD_TICKET_COMMAND_H
#define MAILDESK_CMD_TICKET_COMMAND_H

int ticket_command_main(int argc, char **argv);
/* ticket_write.c */
int ticket_new_main(int argc, char **argv);
int ticket_reply_main(int argc, char **argv);

#endif

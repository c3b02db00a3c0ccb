/* ticket_command.h - a verb of `maildesk ticket` with a file of its own. */
#ifndef MAILDESK_CMD_TICKET_COMMAND_H
#define MAILDESK_CMD_TICKET_COMMAND_H

int ticket_command_main(int argc, char **argv);

#endif

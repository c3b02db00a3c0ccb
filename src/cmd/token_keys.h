#ifndef MAILDESK_CMD_TOKEN_KEYS_H
#define MAILDESK_CMD_TOKEN_KEYS_H

int token_add_main(int argc, char **argv);
int token_list_main(int argc, char **argv);
int token_remove_main(int argc, char **argv);

#endif

/* token_keys.h - `maildesk token add`, `list` and `remove`: API keys. Each is a main() with its own
 * arguments; the code is one of sysexits(3). */
#ifndef MAILDESK_CMD_TOKEN_KEYS_H
#define MAILDESK_CMD_TOKEN_KEYS_H

int token_add_main(int argc, char **argv);
int token_list_main(int argc, char **argv);
int token_remove_main(int argc, char **argv);

#endif

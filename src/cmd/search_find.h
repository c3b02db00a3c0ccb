/* search_find.h - `maildesk search find`, for search.c: a main() with its own arguments; the code
 * is one of sysexits(3). */
#ifndef MAILDESK_CMD_SEARCH_FIND_H
#define MAILDESK_CMD_SEARCH_FIND_H

int search_find_main(int argc, char **argv);

#endif

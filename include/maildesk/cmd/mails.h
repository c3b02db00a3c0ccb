/* mails.h - the mails a command is given: files, mboxes, Maildirs, lists of them, standard input.
 */
#ifndef MAILDESK_CMD_MAILS_H
#define MAILDESK_CMD_MAILS_H

#include <maildesk/app/desk.h>
#include <maildesk/base/buf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One mail: a file by its path, or a stretch of memory. */
struct mails_unit {
	char *path; /* as given; NULL for standard input */
	const uint8_t *bytes;
	size_t n;
};
/* A file of several mails, whose bytes they are in. */
struct mails_file {
	struct mails_file *next;
	const uint8_t *bytes;
	size_t n;
};
struct mails {
	struct mails_unit *v;
	size_t n, room;
	bool mbox;   /* set before adding: each file holds several, divided by "From " lines */
	bool guess;  /* set before adding: a named file that is plainly an mbox is one. Not standard
		      * input: there an MTA's line may stand above one mail, whose body is another's.
		      */
	bool named;  /* there is more than one place they come from */
	bool failed; /* a file could not be read; it was complained about */
	struct mails_file *files;
	/* standard input: in memory when it is small, else mapped from a file without name */
	struct buf input;
	const uint8_t *spool;
	size_t spooled;
};
enum { MAILS_INPUT_MAX = 1 << 20 };
#define MAILS_INIT                                  \
	{                                           \
		.input = BUF_INIT(MAILS_INPUT_MAX), \
	}
void mails_done(struct mails *m); /* fits md_auto */

/* The row of the mailbox mails came by: of that title, or the only one there is. EX_OK, or
 * EX_USAGE with the titles printed. */
int cmd_find_mailbox(const char *name, const struct desk *d, const char *title, int64_t *ret);

/* All: false when out of memory. A Maildir's mails are in the order of their names. */
bool mails_add_path(struct mails *m, const char *path);
bool mails_add_list(struct mails *m, const char *list); /* "-": the list is on standard input */
bool mails_add_stdin(struct mails *m);

/* The bytes of one, mapped where it is a large file. NULL when it cannot be read, complained about.
 */
const uint8_t *mails_open(const struct mails_unit *u, size_t *ret_n);
void mails_close(const struct mails_unit *u, const uint8_t *bytes, size_t n);

#endif

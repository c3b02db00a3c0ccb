/* backup.h - a whole desk in one file, and a desk out of it.
 *
 * A backup is an SQLite database with all rows of the desk, contents of mails and files included,
 * as they were at one instant; the search index, which can be made anew, is left out. Its table
 * "backup" says when it was made, "backup_sums" has count and checksum of each table. Both engines
 * make the same file, and either takes it. No daemon works on one: schema_ensure() refuses it. */
#ifndef MAILDESK_STORE_BACKUP_H
#define MAILDESK_STORE_BACKUP_H

#include <maildesk/store/transfer.h>

/* `path` is a new file (mode 0600), whole and on disk after MD_OK, of no use after anything else.
 * The desk may be at work. MD_REFUSED: there is no desk of this schema. MD_AGAIN, MD_UNKNOWN: a
 * database went away. */
int backup_make(struct db *desk, const char *path, int64_t now_ms, transfer_tell tell, void *ctx,
		struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		struct md_err *err);

struct backup {
	struct db *db;
	int64_t made_at;
	int64_t rows, tables;
	bool is_older; /* its schema: backup_advance() a copy of it */
};
/* Opens what is there and changes nothing. MD_REFUSED: it is no backup, or made by a newer program.
 * MD_NOTFOUND: no such file. */
int backup_open(const char *path, struct backup *ret, struct md_err *err);
void backup_close(struct backup *b); /* fits md_auto */

/* Is each table as it was when the backup was made? MD_CONFLICT: the file is damaged, and where. */
int backup_check(struct backup *b, transfer_tell tell, void *ctx, struct md_err *err);
/* To the schema of this program. Changes the file: give it a copy that was checked. */
int backup_advance(struct backup *b, struct md_err *err);

struct restored {
	int64_t held;     /* mails that wait for an admin */
	int64_t sessions; /* sign-ins that ended */
	int64_t api_keys; /* that work as they did then */
	int64_t ticket;   /* the next new one will have this number */
};
/* Into an empty database, or one in which the same restore was interrupted; as transfer_run().
 *
 * The desk is the one of then but for what would do harm now: mail that was to be sent may have
 * been sent since, so an admin decides (outbox, held); links and sign-ins may have been used or
 * ended since, so they are over; new tickets and people are numbered behind those that there may
 * have been since, as signed reply addresses name them. */
int backup_restore(struct backup *b, struct db *to, int64_t now_ms, transfer_tell tell, void *ctx,
		   struct arena *arena, struct restored *ret, struct md_err *err);

#endif

/* transfer_way.h - what a move (transfer.h), a backup and a restore (backup.h) do differently;
 * private to src/store. */
#ifndef MAILDESK_STORE_TRANSFER_WAY_H
#define MAILDESK_STORE_TRANSFER_WAY_H

#include <maildesk/store/transfer.h>

struct transfer_way {
	bool online; /* the source is at work; the target is new, a killed call's is thrown away */
	bool from_backup; /* the source is one */
	int64_t made_ms;  /* of the backup, so that two of one desk are not taken for the same */
	/* In the transaction that ends it all; may be NULL. */
	int (*end)(struct db_conn *to, const struct transfer_sum *sums, size_t n, void *ctx,
		   struct md_err *err);
	void *ctx; /* of `end` */
};

/* transfer_run() that way. */
int transfer_along(const struct transfer_way *way, struct db *from, struct db *to, int64_t now_ms,
		   transfer_tell tell, void *ctx, struct arena *arena,
		   struct transfer_sum **ret_sums, size_t *ret_n, struct md_err *err);

#endif

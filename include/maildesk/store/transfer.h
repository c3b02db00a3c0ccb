/* transfer.h - moves a whole desk from one database to another, of any engine.
 *
 * The source is only read; nobody may change it meanwhile: the caller holds the daemon's lock. The
 * target must be empty, or hold what an earlier call for the same desk left behind when it was
 * interrupted: then the move goes on where it stopped. Until it is over, schema_ensure() refuses
 * the target, so no daemon works on half a desk.
 *
 * Memory is bounded by the largest row and some MiB. */
#ifndef MAILDESK_STORE_TRANSFER_H
#define MAILDESK_STORE_TRANSFER_H

#include <maildesk/base/codec.h>
#include <maildesk/store/db.h>

enum transfer_phase {
	TRANSFER_COPY,
	TRANSFER_VERIFY,
	TRANSFER_CHECK, /* of a backup, before it is restored */
	TRANSFER_PHASES
};

struct transfer_progress {
	enum transfer_phase phase;
	const char *table;
	int64_t rows;  /* of this phase, of all tables; with those of earlier calls */
	int64_t fresh; /* of them by this call */
	int64_t total; /* 0: not known */
};
/* Told after each step, some hundred rows. */
typedef void (*transfer_tell)(const struct transfer_progress *p, void *ctx);

struct transfer_sum {
	const char *table;
	int64_t rows;
	char sha256[SHA256_HEX]; /* over all values in key order, the same on every engine */
};

/* All of it; ret_sums is an array in `arena`, in the order of schema.sql. MD_REFUSED: the source
 * has no desk of this program's schema, or the target is something else than described above.
 * MD_INPUT: a row cannot be held by the target. MD_CONFLICT: source and target are not equal at the
 * end. MD_AGAIN: a daemon holds a lease, or, as MD_UNKNOWN, a database went away; call again. */
int transfer_run(struct db *from, struct db *to, int64_t now_ms, transfer_tell tell, void *ctx,
		 struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		 struct md_err *err);

/* Count and checksum of every table of a desk, as transfer_run() compares them. */
int transfer_sums(struct db *db, struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		  struct md_err *err);

#endif

/* transfer_priv.h - a move at work: transfer.c leads it, transfer_sides.c looks at source and
 * target, and transfer_copy.c copies; private to src/store. */
#ifndef MAILDESK_STORE_TRANSFER_PRIV_H
#define MAILDESK_STORE_TRANSFER_PRIV_H

#include "transfer_sums.h"
#include "transfer_way.h"

struct transfer {
	struct transfer_side from;
	struct db *to;
	const struct transfer_way *way;
	struct transfer_table *tables;
	size_t n;
	char origin[SHA256_HEX]; /* of the source */
	int64_t now_ms;
	struct transfer_progress progress;
	transfer_tell tell;
	void *ctx;
};

/* A transfer_step: `ctx` is the struct transfer. */
void transfer_tell_rows(const struct transfer_table *t, int64_t rows, void *ctx);

/* What must hold of the source; m->origin is who it is. MD_REFUSED: it is none, MD_AGAIN: a daemon
 * is at work in it. */
int transfer_check_source(struct transfer *m, struct md_err *err);
/* The target gets a schema and the mark of this move, unless it is this move's already.
 * MD_REFUSED: there is something else in it. */
int transfer_prepare_target(struct transfer *m, bool *ret_resumed, struct md_err *err);
/* Of all tables. Only the progress depends on it: 0 where a server has no time to count. */
int64_t transfer_count_rows(const struct transfer_side *side, const struct transfer *m);

/* What is not there yet; `sums` of the source's tables are taken on the way when it is at work. */
int transfer_copy_tables(struct transfer *m, struct transfer_sum *sums, struct md_err *err);

#endif

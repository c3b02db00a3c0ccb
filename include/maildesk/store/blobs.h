/* blobs.h - bytes stored once by their SHA-256, compressed (zstd) when that saves anything. */
#ifndef MAILDESK_STORE_BLOBS_H
#define MAILDESK_STORE_BLOBS_H

#include <maildesk/store/db.h>

/* A blob made ready outside the transaction: hashing and compressing never hold the write lock. */
struct blob {
	char sha256[65];
	int64_t size;
	const char *encoding;
	void *bytes; /* compressed, or a copy of the input */
	size_t n;
};
int blob_prepare(const void *bytes, size_t n, struct blob *ret, struct md_err *err);
/* The same from a file of `size` bytes, in chunks of bounded memory. */
int blob_prepare_fd(int fd, int64_t size, struct blob *ret, struct md_err *err);
void blob_done(struct blob *b); /* fits md_auto */
/* Store it, or find the row of the same content. */
int blob_put(struct db_conn *c, const struct blob *b, int64_t *ret_id, struct md_err *err);
/* Removes content that no row refers to and that nobody has put for a day, among the next
 * BLOB_PAGE after *cursor (0: from the start); *cursor is 0 again at the end. Who puts such
 * content at the same moment keeps it, or stores it anew: db_txn() sees to that. */
enum { BLOB_PAGE = 1000 };
int blob_collect(struct db *db, int64_t *cursor, int64_t *ret_removed, struct md_err *err);
/* The whole content, decompressed; the caller frees. MD_BROKEN when it does not match its hash. */
int blob_get(struct db_conn *c, int64_t id, uint8_t **ret_bytes, size_t *ret_n, struct md_err *err);

#endif

/* buf.h - a growing byte buffer with a ceiling and a sticky error.
 *
 * Always NUL-terminated once something was added, may hold NULs. After the first failure appends
 * do nothing, so that a caller can chain appends and read b.status once, before the bytes leave. */
#ifndef MAILDESK_BASE_BUF_H
#define MAILDESK_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* NULL until the first append */
	size_t len, cap;
	size_t max; /* ceiling chosen by whoever knows the limit */
	int status; /* MD_OK, MD_NOMEM, or MD_INPUT when max was hit */
};
#define BUF_INIT(limit)        \
	{                      \
		.max = (limit) \
	}

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_addc(struct buf *b, char c);
void buf_addi(struct buf *b, int64_t v);     /* in decimal */
void buf_adds(struct buf *b, const char *s); /* NULL adds nothing */
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Room for n more bytes at data+len, or NULL (status set); the caller then adds to len. */
char *buf_reserve(struct buf *b, size_t n);
/* Drop all after `len`; clears no error. */
void buf_cut(struct buf *b, size_t len);
/* Empty again, memory and ceiling kept, error cleared. */
void buf_reset(struct buf *b);
/* The content as a string; "" for an empty buffer. Borrowed until the next call. */
const char *buf_str(const struct buf *b);
/* The content, NUL-terminated, now the caller's to free; NULL unless status is MD_OK. */
char *buf_steal(struct buf *b);
void buf_done(struct buf *b); /* fits md_auto(buf_done) */
/* The same, of something secret: nothing of it stays in memory. */
void buf_wipe(struct buf *b); /* fits md_auto(buf_wipe) */

#endif

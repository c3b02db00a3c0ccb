/* arena.h - memory for things that die together: one message, one request, one transaction.
 *
 * Nothing in an arena is freed alone. The ceiling is the memory limit of the operation; at the
 * ceiling, or out of memory, allocation returns NULL and `failed` stays set. */
#ifndef MAILDESK_BASE_ARENA_H
#define MAILDESK_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *head;
	size_t used, max;
	int failed;
};
#define ARENA_INIT(limit)      \
	{                      \
		.max = (limit) \
	}

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
void *arena_array(struct arena *a, size_t count, size_t size);
void *arena_copy(struct arena *a, const void *bytes, size_t n);
char *arena_strdup(struct arena *a, const char *s); /* NULL for NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a); /* frees everything; limit kept, failure cleared */
void arena_done(struct arena *a);  /* fits md_auto(arena_done) */

#endif

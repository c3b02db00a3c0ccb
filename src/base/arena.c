/* Blocks grow with use: a small message costs one 4 KiB block, a large one a few big ones. */
#include <maildesk/base/arena.h>
#include <maildesk/base/mem.h>

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 256 << 10 };

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *grow(struct arena *a, size_t n)
{
	size_t cap = a->head ? a->head->cap * 2 : BLOCK_MIN;
	struct arena_block *b;

	if (cap > BLOCK_MAX)
		cap = BLOCK_MAX;
	if (cap < n)
		cap = n;
	b = md_malloc(sizeof *b + cap);
	if (!b)
		return NULL;
	b->used = 0;
	b->cap = cap;
	b->next = a->head;
	a->head = b;
	return b;
}

/* Bytes of an arena are zeroed when handed out, not when the block is made. */
void *arena_alloc(struct arena *a, size_t n)
{
	size_t aligned = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_block *b = a->head;
	void *p;

	if (aligned < n || aligned > a->max - a->used) {
		a->failed = 1;
		return NULL;
	}
	if (!b || aligned > b->cap - b->used)
		b = grow(a, aligned);
	if (!b) {
		a->failed = 1;
		return NULL;
	}
	p = b->bytes + b->used;
	b->used += aligned;
	a->used += aligned;
	return memset(p, 0, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n)) {
		a->failed = 1;
		return NULL;
	}
	return arena_alloc(a, n);
}

void *arena_copy(struct arena *a, const void *bytes, size_t n)
{
	void *p = arena_alloc(a, n);

	return p && n ? memcpy(p, bytes, n) : p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	return p && n ? memcpy(p, s, n) : p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		p = arena_alloc(a, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return p;
}

void arena_reset(struct arena *a)
{
	arena_done(a);
	a->failed = 0;
}

void arena_done(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		free(b);
	}
	a->used = 0;
}

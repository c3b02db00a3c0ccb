/* mem.h - scope-bound cleanup, ownership transfer, and an allocator that tests can make fail.
 *
 *	md_auto(buf_done) struct buf b = BUF_INIT(4096);  released at scope exit, on every path
 *	md_auto(md_free_p) char *text = NULL;             likewise for malloc'ed memory
 *	*ret_text = md_take(text);                        handed over: nothing is released any
 *	                                                  more at the end of this scope
 *
 * Initialise an md_auto variable at its declaration or the cleanup frees garbage. */
#ifndef MAILDESK_BASE_MEM_H
#define MAILDESK_BASE_MEM_H

#include <stddef.h>

#define md_auto(fn) __attribute__((cleanup(fn)))

/* Defines fn##_p(T *) for a destructor fn(T) of a pointer type T. */
#define MD_DEFINE_AUTO(T, fn)              \
	static inline void fn##_p(T *slot) \
	{                                  \
		if (*slot)                 \
			fn(*slot);         \
	}

#define md_take(ptr)                            \
	__extension__({                         \
		__typeof__(ptr) taken_ = (ptr); \
		(ptr) = NULL;                   \
		taken_;                         \
	})

#define MD_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* malloc(3) and kin, with a countdown for tests. NULL on failure. Freed by free(3). */
void *md_malloc(size_t n);
void *md_calloc(size_t count, size_t size);
void *md_realloc(void *p, size_t n);
char *md_strdup(const char *s);

/* cleanup for any pointer to memory of the functions above */
void md_free_p(void *slot);
/* A secret, and nothing of it stays; NULL does nothing. */
void md_wipe_text(char *text);
MD_DEFINE_AUTO(char *, md_wipe_text)
/* cleanup for a file descriptor; negative ones are left alone */
void md_close_p(int *fd);

/* From now on large blocks come from the system one by one and go back to it when they are freed;
 * else glibc keeps as much as the largest that there ever was. For processes that read mail. */
void md_large_blocks_apart(void);

/* Tests: the n-th allocation from now on fails (this one only, or every later one too).
 * 0 switches it off. Process-wide. */
void md_alloc_fail(long nth, int and_all_later);

#endif

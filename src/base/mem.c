#include <maildesk/base/mem.h>

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long fail_at; /* relaxed: without a test it costs a load */
static atomic_bool fail_later;

void md_alloc_fail(long nth, int and_all_later)
{
	atomic_store(&fail_later, and_all_later != 0);
	atomic_store(&fail_at, nth);
}

void md_large_blocks_apart(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10); /* set by hand it stays where it is */
}

static bool must_fail(void)
{
	long n = atomic_load_explicit(&fail_at, memory_order_relaxed);

	if (n == 0)
		return false;
	/* Whoever takes the last one fails, and without fail_later alone. */
	while (n > 1)
		if (atomic_compare_exchange_weak(&fail_at, &n, n - 1))
			return false;
	return n == 1 &&
	       (atomic_load(&fail_later) || atomic_compare_exchange_strong(&fail_at, &n, 0));
}

void *md_malloc(size_t n)
{
	return must_fail() ? NULL : malloc(n ? n : 1);
}

void *md_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *md_realloc(void *p, size_t n)
{
	return must_fail() ? NULL : realloc(p, n ? n : 1);
}

char *md_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = md_malloc(n);

	if (copy)
		memcpy(copy, s, n);
	return copy;
}

void md_free_p(void *slot)
{
	free(*(void **)slot);
}

void md_wipe_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void md_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

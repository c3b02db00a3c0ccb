/* lite_memory.h - SQLite's memory goes by md_malloc() too, so that a test can let any allocation
 * fail. Before SQLite is used for the first time. */
#ifndef MAILDESK_TESTS_LITE_MEMORY_H
#define MAILDESK_TESTS_LITE_MEMORY_H

#include <maildesk/base/mem.h>

#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

static inline void *lite_malloc(int n)
{
	return md_malloc((size_t)n);
}
static inline void *lite_realloc(void *p, int n)
{
	return md_realloc(p, (size_t)n);
}
static inline int lite_size(void *p)
{
	return p ? (int)malloc_usable_size(p) : 0;
}
static inline int lite_roundup(int n)
{
	return (n + 7) & ~7;
}
static inline int lite_init(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}
static inline void lite_shutdown(void *ctx)
{
	(void)ctx;
}

/* An SQLite result. Without lookaside there are as many allocations as possible, so that each gets
 * its turn. */
static inline int lite_share_the_allocator(void)
{
	static sqlite3_mem_methods methods = { lite_malloc,  free,      lite_realloc,  lite_size,
					       lite_roundup, lite_init, lite_shutdown, NULL };
	int rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);

	return rc == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) : rc;
}

#endif

/* random.h - randomness as an argument, so that tests see the same tokens every time. */
#ifndef MAILDESK_BASE_RANDOM_H
#define MAILDESK_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
	void (*fill)(struct random *r, void *out, size_t n);
	uint64_t state; /* of the seeded kind */
};
extern struct random random_system;         /* the kernel's, by libsodium; safe from any thread */
struct random random_seeded(uint64_t seed); /* for tests only: predictable */

static inline void random_fill(struct random *r, void *out, size_t n)
{
	r->fill(r, out, n);
}

#endif

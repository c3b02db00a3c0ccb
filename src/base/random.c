#include <maildesk/base/random.h>

#include <sodium.h>

static void system_fill(struct random *r, void *out, size_t n)
{
	(void)r;
	randombytes_buf(out, n);
}

struct random random_system = { .fill = system_fill };

/* splitmix64 */
static void seeded_fill(struct random *r, void *out, size_t n)
{
	unsigned char *p = out;

	for (size_t i = 0; i < n; i++) {
		uint64_t z = r->state += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		p[i] = (unsigned char)(z ^ (z >> 31));
	}
}

struct random random_seeded(uint64_t seed)
{
	return (struct random){ .fill = seeded_fill, .state = seed };
}

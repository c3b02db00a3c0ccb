#include <maildesk/base/fault.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *name; /* NULL: none */
	size_t n;
	atomic_long left;
} wanted;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look(void)
{
	const char *env = getenv("MAILDESK_FAULT");
	const char *colon = env ? strchr(env, ':') : NULL;

	if (!env || !env[0])
		return;
	wanted.n = colon ? (size_t)(colon - env) : strlen(env);
	atomic_store(&wanted.left, colon ? strtol(colon + 1, NULL, 10) : 1);
	wanted.name = env;
}

void fault_point(const char *name)
{
	pthread_once(&once, look);
	if (!wanted.name || strlen(name) != wanted.n || memcmp(name, wanted.name, wanted.n) != 0)
		return;
	if (atomic_fetch_sub(&wanted.left, 1) == 1)
		kill(getpid(), SIGKILL);
}

#include <maildesk/base/fault.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char *fault_armed;
static atomic_long passed;

/* Before main(): no thread sees it half set. */
__attribute__((constructor)) static void arm(void)
{
	fault_armed = getenv("MAILDESK_FAULT");
}

void fault_pass(const char *name)
{
	size_t n = strlen(name);
	long at;

	if (strncmp(fault_armed, name, n) != 0 || (fault_armed[n] && fault_armed[n] != ':'))
		return;
	at = fault_armed[n] ? strtol(fault_armed + n + 1, NULL, 10) : 1;
	if (++passed == at)
		raise(SIGKILL);
}

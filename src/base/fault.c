#include <maildesk/base/fault.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *fault_armed;
static bool fault_hangs;
static atomic_long passed;

/* Before main(): no thread sees it half set. */
__attribute__((constructor)) static void arm(void)
{
	fault_armed = getenv("MAILDESK_FAULT");
	fault_hangs = !fault_armed && (fault_armed = getenv("MAILDESK_HANG"));
}

void fault_pass(const char *name)
{
	size_t n = strlen(name);
	long at;

	if (strncmp(fault_armed, name, n) != 0 || (fault_armed[n] && fault_armed[n] != ':'))
		return;
	at = fault_armed[n] ? strtol(fault_armed + n + 1, NULL, 10) : 1;
	if (++passed != at)
		return;
	if (fault_hangs)
		for (;;)
			pause();
	raise(SIGKILL);
}

/* fault.h - named points at which a test kills the process, as a power cut or the OOM killer would.
 *
 * MAILDESK_FAULT=NAME in the environment kills at the first passing of that point, NAME:N at the
 * N-th; MAILDESK_HANG=NAME[:N] brings the thread to a halt there instead. Without them a point
 * costs one test of a pointer, so it is compiled into every build: what is tested is what runs. */
#ifndef MAILDESK_BASE_FAULT_H
#define MAILDESK_BASE_FAULT_H

#include <stddef.h>

extern const char *fault_armed; /* NULL: none */
void fault_pass(const char *name);

static inline void fault_point(const char *name)
{
	if (__builtin_expect(fault_armed != NULL, 0))
		fault_pass(name);
}

#endif

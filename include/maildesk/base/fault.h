/* fault.h - named points at which the fault tests kill the process.
 *
 * MAILDESK_FAULT=NAME or NAME:N in the environment: SIGKILL at the N-th passing of that point.
 * Without it a point costs one comparison. */
#ifndef MAILDESK_BASE_FAULT_H
#define MAILDESK_BASE_FAULT_H

void fault_point(const char *name);

#endif

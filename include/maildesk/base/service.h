/* service.h - what systemd and the daemon tell each other: sd_notify(3), sd_listen_fds(3),
 * sd_watchdog_enabled(3). Where there is no systemd, nothing is told and nothing comes. */
#ifndef MAILDESK_BASE_SERVICE_H
#define MAILDESK_BASE_SERVICE_H

#include <maildesk/base/err.h>

#include <stdbool.h>
#include <stdint.h>

bool service_listens(void); /* somebody hears service_tell() */
/* "READY=1", "STATUS=...": lines of sd_notify(3). */
void service_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* How often "WATCHDOG=1" is expected at least; 0: never. */
int64_t service_watchdog_ms(void);
/* The listening socket that came with the process, which is the caller's now; -1 without one. The
 * second call finds none. MD_INPUT: what came is no listening stream socket, or more than one. */
int service_socket(int *ret_fd, struct md_err *err);

#endif

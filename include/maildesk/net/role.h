/* role.h - starting a role of the same binary, and shutting it into a jail.
 *
 * architecture.md, "One binary, three roles". `fetch` may use the network and write unlinked spool
 * files; `read` may use nothing but memory and its socket. Where the kernel lacks Landlock or
 * seccomp the roles still run and `missing` says what is not held. */
#ifndef MAILDESK_NET_ROLE_H
#define MAILDESK_NET_ROLE_H

#include <maildesk/base/err.h>
#include <maildesk/net/channel.h>

#include <stdbool.h>
#include <sys/types.h>

enum { ROLE_SOCKET_FD = 3, ROLE_SPOOL_FD = 4 };

struct role_process {
	pid_t pid;
	struct channel *channel;
};

/* Start /proc/self/exe as `maildesk role-NAME` with its socket as descriptor ROLE_SOCKET_FD and,
 * if spool_fd >= 0, that directory as ROLE_SPOOL_FD; every other descriptor but stderr is closed.
 * It dies with the calling thread (PR_SET_PDEATHSIG) and when its socket closes. */
int role_spawn(const char *name, int spool_fd, struct role_process *ret, struct md_err *err);
/* SIGKILL, close the channel, reap; fine on one that is gone already. Returns the wait status. */
int role_end(struct role_process *r);

struct role_jail {
	bool network;        /* IP sockets, getaddrinfo */
	bool spool;          /* unlinked files below ROLE_SPOOL_FD */
	size_t memory_bytes; /* RLIMIT_AS; 0: no limit */
};
/* No new privileges, rlimits (no core, no forks), Landlock, then seccomp. `missing` (at least 100
 * bytes) names what the kernel did not give, "" if all holds. MD_BROKEN when a step that the kernel
 * has fails. Call it before threads start. Sanitized builds are given what their runtime needs. */
int role_jail_enter(const struct role_jail *jail, char *missing, size_t missing_size,
		    struct md_err *err);

#endif

/* Three walls, each of which holds alone what matters most:
 *	rlimits		no core dump, no other process, little memory
 *	Landlock	no file but those named here, no TCP port but what a role is for
 *	seccomp		no system call that the role has no use for
 * Files: what is not allowed fails with EACCES, because libraries try files and go on without.
 * Everything else that is not allowed ends the process, and the kernel logs the call. */
#include <maildesk/net/role.h>

#include <maildesk/base/mem.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* ---- rlimits ---- */

static int set_limit(int what, const char *name, rlim_t max, struct md_err *err)
{
	struct rlimit now, l;

	if (getrlimit((__rlimit_resource_t)what, &now) != 0)
		return md_fail(err, MD_BROKEN, errno, "getrlimit %s: %s", name, strerror(errno));
	l.rlim_max = max < now.rlim_max ? max : now.rlim_max;
	l.rlim_cur = l.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &l) != 0)
		return md_fail(err, MD_BROKEN, errno, "setrlimit %s: %s", name, strerror(errno));
	return MD_OK;
}

static int limit_resources(const struct role_jail *jail, struct md_err *err)
{
	enum { READ_FILES = 64 }; /* stderr, socket, and mails on their way */
	int rc = set_limit(RLIMIT_CORE, "core", 0, err);

	if (rc == MD_OK && jail->memory_bytes && !SANITIZED)
		rc = set_limit(RLIMIT_AS, "memory", jail->memory_bytes, err);
	if (rc == MD_OK && jail->network) /* a socket for each mailbox: all that may be had */
		return set_limit(RLIMIT_NOFILE, "files", RLIM_INFINITY, err);
	if (rc != MD_OK)
		return rc;
	/* No limit on file sizes: it would bite when stderr is a log file. */
	rc = set_limit(RLIMIT_NOFILE, "files", READ_FILES, err);
	if (rc == MD_OK && !SANITIZED) /* counts threads too: for a role without any */
		rc = set_limit(RLIMIT_NPROC, "processes", 0, err);
	return rc;
}

/* ---- Landlock ---- */

/* The kernel's structs and bits as of ABI 6; the build machine's header may be older. */
struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct path_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE = 1 << 1,
	FS_READ = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_REG = 1 << 8,
	FS_TRUNCATE = 1 << 14,
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ALL = 3, /* abstract sockets, signals */
	RULE_PATH = 1,
	ASK_ABI = 1,
	FS_READ_TREE = FS_READ | FS_READ_DIR,
	FS_READ_LIBS = FS_READ_TREE | FS_EXECUTE,
	FS_SPOOL = FS_WRITE | FS_READ | FS_MAKE_REG | FS_REMOVE_FILE | FS_TRUNCATE,
	FS_OF_A_FILE = FS_EXECUTE | FS_WRITE | FS_READ | FS_TRUNCATE,
};

/* File-system rights that each ABI can hold, from ABI 1. */
static const uint64_t fs_of_abi[] = { 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff };

/* What names, certificates and NSS modules need. Missing ones are left out. */
static const struct {
	const char *path;
	uint64_t rights;
} network_files[] = {
	{ "/etc/resolv.conf", FS_READ },
	{ "/etc/hosts", FS_READ },
	{ "/etc/host.conf", FS_READ },
	{ "/etc/nsswitch.conf", FS_READ },
	{ "/etc/gai.conf", FS_READ },
	{ "/etc/services", FS_READ },
	{ "/etc/ld.so.cache", FS_READ },
	{ "/etc/gnutls", FS_READ_TREE },
	{ "/etc/ssl/certs", FS_READ_TREE },
	{ "/etc/ssl/openssl.cnf", FS_READ },
	{ "/etc/pki", FS_READ_TREE },
	{ "/usr/share/ca-certificates", FS_READ_TREE },
	{ "/usr/local/share/ca-certificates", FS_READ_TREE },
	{ "/usr/lib", FS_READ_LIBS },
	{ "/usr/lib64", FS_READ_LIBS },
	{ "/lib", FS_READ_LIBS },
	{ "/lib64", FS_READ_LIBS },
};

static int allow_fd(int ruleset, int fd, uint64_t rights, const char *path, struct md_err *err)
{
	struct path_attr rule = { .allowed = rights, .fd = fd };
	struct stat st;

	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_A_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) != 0)
		return md_fail(err, MD_BROKEN, errno, "Landlock rule for %s: %s", path,
			       strerror(errno));
	return MD_OK;
}

static int allow_path(int ruleset, const char *path, uint64_t rights, struct md_err *err)
{
	md_auto(md_close_p) int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? MD_OK : allow_fd(ruleset, fd, rights, path, err);
}

static int add_rules(int ruleset, const struct role_jail *jail, uint64_t held, struct md_err *err)
{
	int rc = MD_OK;

	if (SANITIZED) /* their reports and leak checks read it */
		rc = allow_path(ruleset, "/proc", FS_READ_TREE, err);
	for (size_t i = 0; jail->network && rc == MD_OK && i < MD_COUNT(network_files); i++)
		rc = allow_path(ruleset, network_files[i].path, network_files[i].rights & held,
				err);
	if (jail->spool && rc == MD_OK)
		rc = allow_fd(ruleset, ROLE_SPOOL_FD, FS_SPOOL & held, "the spool", err);
	return rc;
}

static int enter_landlock(const struct role_jail *jail, const char **ret_missing,
			  struct md_err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_ABI);
	struct ruleset_attr attr = { 0 };
	size_t known = abi < 4 ? 8 : abi < 6 ? 16 : 24; /* bytes of attr */
	size_t newest;

	if (abi < 1) {
		*ret_missing = "Landlock (file access is not held)";
		return MD_OK;
	}
	newest = (size_t)abi < MD_COUNT(fs_of_abi) ? (size_t)abi : MD_COUNT(fs_of_abi);
	attr.fs = fs_of_abi[newest - 1];
	attr.net = jail->network ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
	attr.scoped = SCOPE_ALL;
	md_auto(md_close_p) int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attr, known, 0);
	if (ruleset < 0)
		return md_fail(err, MD_BROKEN, errno, "Landlock: %s", strerror(errno));
	int rc = add_rules(ruleset, jail, attr.fs, err);
	if (rc == MD_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = md_fail(err, MD_BROKEN, errno, "Landlock: %s", strerror(errno));
	return rc;
}

/* ---- seccomp ---- */

#define CALL(name) SCMP_SYS(name)

static const int every_role[] = {
	CALL(brk),
	CALL(clock_getres),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(close),
	CALL(dup),
	CALL(exit),
	CALL(exit_group),
	CALL(fcntl),
	CALL(fstat),
	CALL(futex),
	CALL(getcpu),
	CALL(getegid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getpid),
	CALL(getppid),
	CALL(getrandom),
	CALL(getrlimit),
	CALL(getrusage),
	CALL(gettid),
	CALL(gettimeofday),
	CALL(getuid),
	CALL(lseek),
	CALL(madvise),
	CALL(membarrier),
	CALL(mremap),
	CALL(munmap),
	CALL(nanosleep),
	CALL(newfstatat),
	CALL(poll),
	CALL(ppoll),
	CALL(pread64),
	CALL(read),
	CALL(readv),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(restart_syscall),
	CALL(rseq),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sched_getaffinity),
	CALL(sched_yield),
	CALL(sendmsg),
	CALL(sendto),
	CALL(set_robust_list),
	CALL(sigaltstack),
	CALL(statx),
	CALL(sysinfo),
	CALL(time),
	CALL(uname),
	CALL(write),
	CALL(writev),
};
static const int network_role[] = {
	CALL(bind),
	CALL(connect),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_pwait),
	CALL(epoll_wait),
	CALL(eventfd2),
	CALL(getpeername),
	CALL(getsockname),
	CALL(getsockopt),
	CALL(prctl),
	CALL(recvmmsg),
	CALL(sendmmsg),
	CALL(setsockopt),
	CALL(shutdown),
	CALL(ftruncate),
	CALL(pwrite64),
	CALL(set_tid_address),
	/* held by Landlock */
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(getcwd),
	CALL(getdents64),
	CALL(lstat),
	CALL(open),
	CALL(openat),
	CALL(readlink),
	CALL(readlinkat),
	CALL(stat),
	CALL(statfs),
	CALL(unlinkat),
};
/* Of a role without files: refused, not fatal. */
static const int file_calls[] = {
	CALL(access),     CALL(faccessat),  CALL(faccessat2), CALL(getcwd),
	CALL(getdents64), CALL(lstat),      CALL(open),       CALL(openat),
	CALL(readlink),   CALL(readlinkat), CALL(stat),       CALL(statfs),
};
/* What AddressSanitizer and ThreadSanitizer need at work and at exit. */
static const int sanitizer_calls[] = {
	CALL(clone),     CALL(epoll_create1), CALL(mmap),       CALL(mprotect),
	CALL(open),      CALL(openat),        CALL(getdents64), CALL(prctl),
	CALL(prlimit64), CALL(ptrace),        CALL(readlink),   CALL(readlinkat),
	CALL(tgkill),    CALL(wait4),         CALL(pipe2),      CALL(process_vm_readv),
	CALL(access),    CALL(stat),          CALL(kill),       CALL(sched_setaffinity),
};

static int add_all(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add(f, action, calls[i], 0);
	return rc;
}

/* Calls that are looked at more closely: one argument under a mask. The flags of clone3 lie in
 * memory, out of a filter's sight: its callers fall back to clone on ENOSYS. Name services over
 * local sockets (nscd, resolved) are refused: the library goes on to DNS. */
enum { READER = 1, NETWORK = 2, BOTH = READER | NETWORK };
enum { ASK_TERMINAL = 0x5401, ASK_UNREAD = 0x541b }; /* TCGETS of isatty(), FIONREAD */
static const struct {
	int roles;
	uint32_t action;
	int call;
	unsigned int arg;
	scmp_datum_t mask, value;
} closer[] = {
	{ BOTH, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0, 0, 0 },
	{ BOTH, SCMP_ACT_ERRNO(ENOTTY), CALL(ioctl), 1, ~0ULL, ASK_TERMINAL },
	{ BOTH, SCMP_ACT_ALLOW, CALL(prlimit64), 2, ~0ULL, 0 }, /* only to look */
	{ READER, SCMP_ACT_ALLOW, CALL(mmap), 2, PROT_EXEC, 0 },
	{ READER, SCMP_ACT_ERRNO(EACCES), CALL(mmap), 2, PROT_EXEC, PROT_EXEC },
	{ READER, SCMP_ACT_ALLOW, CALL(mprotect), 2, PROT_EXEC, 0 },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_WRITE },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_EXEC },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(mmap), 2, PROT_WRITE | PROT_EXEC, 0 },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(mprotect), 2, PROT_EXEC, 0 },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(clone), 0, CLONE_THREAD, CLONE_THREAD },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(socket), 0, ~0ULL, AF_INET },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(socket), 0, ~0ULL, AF_INET6 },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(socket), 0, ~0ULL, AF_NETLINK },
	{ NETWORK, SCMP_ACT_ERRNO(EACCES), CALL(socket), 0, ~0ULL, AF_UNIX },
	{ NETWORK, SCMP_ACT_ALLOW, CALL(ioctl), 1, ~0ULL, ASK_UNREAD },
};

static int add_closer(scmp_filter_ctx f, const struct role_jail *jail)
{
	int role = jail->network ? NETWORK : READER;
	/* abort() and pthread_kill(): signals to this process only */
	int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				  SCMP_CMP(0, SCMP_CMP_MASKED_EQ, ~0ULL, (scmp_datum_t)getpid()));

	for (size_t i = 0; i < MD_COUNT(closer) && rc == 0; i++) {
		if (closer[i].roles & role)
			rc = seccomp_rule_add(f, closer[i].action, closer[i].call, 1,
					      SCMP_CMP(closer[i].arg, SCMP_CMP_MASKED_EQ,
						       closer[i].mask, closer[i].value));
	}
	return rc;
}

MD_DEFINE_AUTO(scmp_filter_ctx, seccomp_release)

static int enter_seccomp(const struct role_jail *jail, const char **ret_missing, struct md_err *err)
{
	md_auto(seccomp_release_p) scmp_filter_ctx f = NULL;
	int rc;

	if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL) {
		*ret_missing = "seccomp (system calls are not held)";
		return MD_OK;
	}
	f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return md_fail(err, MD_NOMEM, 0, "seccomp: out of memory");
	rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	if (rc == 0 && SANITIZED)
		rc = add_all(f, SCMP_ACT_ALLOW, sanitizer_calls, MD_COUNT(sanitizer_calls));
	if (rc == 0)
		rc = add_all(f, SCMP_ACT_ALLOW, every_role, MD_COUNT(every_role));
	if (rc == 0 && jail->network)
		rc = add_all(f, SCMP_ACT_ALLOW, network_role, MD_COUNT(network_role));
	if (rc == 0 && !jail->network && !SANITIZED)
		rc = add_all(f, SCMP_ACT_ERRNO(EACCES), file_calls, MD_COUNT(file_calls));
	if (rc == 0)
		rc = add_closer(f, jail);
	if (rc == 0)
		rc = seccomp_load(f);
	return rc == 0 ? MD_OK : md_fail(err, MD_BROKEN, -rc, "seccomp: %s", strerror(-rc));
}

int role_jail_enter(const struct role_jail *jail, char *missing, size_t missing_size,
		    struct md_err *err)
{
	const char *no_landlock = NULL, *no_seccomp = NULL;
	int rc = limit_resources(jail, err);

	if (rc == MD_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = md_fail(err, MD_BROKEN, errno, "no_new_privs: %s", strerror(errno));
	if (rc == MD_OK)
		rc = enter_landlock(jail, &no_landlock, err);
	if (rc == MD_OK)
		rc = enter_seccomp(jail, &no_seccomp, err);
	if (rc != MD_OK)
		return md_wrap(err, rc, "jail");
	snprintf(missing, missing_size, "%s%s%s", no_landlock ? no_landlock : "",
		 no_landlock && no_seccomp ? ", " : "", no_seccomp ? no_seccomp : "");
	return MD_OK;
}

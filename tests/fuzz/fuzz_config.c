/* Any file is a configuration or is refused with at least one error that names file and line. */
#include "fuzz.h"

#include <maildesk/app/config.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfuse forgets a list it has begun when the file ends within it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfuse.so\n";
}

enum { SECRET_FD = 99 };

/* What the seeds name as password file: "/proc/self/fd/99". */
static void make_secret(void)
{
	static bool made;
	md_auto(md_close_p) int fd = -1;

	if (made)
		return;
	fd = memfd_create("secret", MFD_CLOEXEC);
	check(fd >= 0 && write(fd, "s\n", 2) == 2 && fchmod(fd, 0600) == 0);
	check(dup3(fd, SECRET_FD, O_CLOEXEC) == SECRET_FD);
	made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(md_close_p) int fd = memfd_create("config", MFD_CLOEXEC);
	md_auto(config_free_p) struct config *c = NULL;
	md_auto(buf_done) struct buf problems = BUF_INIT(FUZZ_ARENA_MAX);
	char path[64];
	int rc;

	make_secret();
	check(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	rc = config_load(path, &c, &problems);
	check(rc == MD_OK || rc == MD_INPUT);
	check(problems.status == MD_OK);
	check((rc == MD_OK) == (c != NULL));
	check(rc == MD_OK || strncmp(buf_str(&problems), path, strlen(path)) == 0);
	if (c)
		check(c->database && c->desk.name && (c->n_mailboxes == 0 || c->mailboxes));
	return 0;
}

#include <maildesk/base/err.h>
#include <maildesk/base/io.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool io_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return true;
}

void io_give_to_owner_of(const char *folder, const char *path)
{
	struct stat owner;

	/* Nothing to complain of where it cannot be done: whoever comes next says so. A link in a
	 * folder of others leads to what is not ours to give. */
	if (geteuid() == 0 && stat(folder, &owner) == 0)
		(void)!lchown(path, owner.st_uid, owner.st_gid);
}

int io_create(const char *folder, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		io_give_to_owner_of(folder, path);
	return fd;
}

int io_open_or_create(const char *folder, const char *path)
{
	int fd = io_create(folder, path);

	return fd >= 0 || errno != EEXIST ? fd : open(path, O_RDWR | O_CLOEXEC);
}

int io_read_all(int fd, size_t enough, struct buf *out)
{
	char chunk[16384];
	ssize_t n = 1;

	while (n != 0 && out->len <= enough) {
		n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		if (out->status != MD_OK)
			return out->status == MD_NOMEM ? ENOMEM : EFBIG;
	}
	return 0;
}

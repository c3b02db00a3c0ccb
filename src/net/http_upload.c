/* Bodies too large for memory: a nameless file each. What all of them take on the disk at a time is
 * bounded, and counted when it arrives, not when it is announced. */
#include "http_private.h"

#include <maildesk/base/random.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct http_field http_upload[] = { HTTP_END };

/* For file systems without O_TMPFILE: nameless as soon as it is there. */
static int unlinked_file(const char *folder)
{
	char path[4096];
	uint64_t number;
	int fd, n;

	random_fill(&random_system, &number, sizeof number);
	n = snprintf(path, sizeof path, "%s/upload-%016llx", folder, (unsigned long long)number);
	if (n < 0 || (size_t)n >= sizeof path)
		return -1;
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int no_room(struct http_exchange *ex)
{
	return http_refuse(&ex->q, &ex->r, 507, "insufficient_storage",
			   "there is no room for this file");
}

void http_upload_begin(struct http_exchange *ex)
{
	const struct http_options *o = &ex->server->options;

	ex->q.body_fd = open(o->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (ex->q.body_fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		ex->q.body_fd = unlinked_file(o->spool);
	ex->is_upload = true;
	ex->body_max = o->upload_max;
	if (ex->q.body_fd < 0)
		no_room(ex);
}

void http_upload_take(struct http_exchange *ex, const char *data, size_t n)
{
	struct http_server *s = ex->server;

	if (atomic_fetch_add(&s->upload_bytes, n) + n >
	    (size_t)HTTP_UPLOADS_MAX * s->options.upload_max) {
		atomic_fetch_sub(&s->upload_bytes, n);
		http_refuse(&ex->q, &ex->r, 503, "unavailable", "too many files at once");
		return;
	}
	ex->uploaded += n;
	while (n) {
		ssize_t written = write(ex->q.body_fd, data, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			no_room(ex);
			return;
		}
		data += written;
		n -= (size_t)written;
	}
}

void http_upload_end(struct http_exchange *ex)
{
	atomic_fetch_sub(&ex->server->upload_bytes, ex->uploaded);
	md_close_p(&ex->q.body_fd);
}

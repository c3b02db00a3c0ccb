#include <maildesk/app/zone.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/io.h>
#include <maildesk/base/mem.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ZONE_DIR "/usr/share/zoneinfo/"
enum { ZONE_NAME_MAX = 64, ZONE_BYTES_MAX = 256 * 1024 }; /* tzdata: at most 32 and 3,700 */

/* Letters, digits and "_+-" in parts joined by single slashes: without dots, so never upwards. */
static bool name_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= ZONE_NAME_MAX && name[0] != '/' && name[n - 1] != '/' &&
	       !strstr(name, "//") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
		       n;
}

int zone_load(const char *name, struct calendar *calendar, struct md_err *err)
{
	md_auto(buf_done) struct buf bytes = BUF_INIT(ZONE_BYTES_MAX);
	char path[sizeof ZONE_DIR + ZONE_NAME_MAX];
	md_auto(md_close_p) int fd = -1;
	int rc;

	if (!name_valid(name))
		return md_fail(err, MD_NOTFOUND, 0, "unknown time zone \"%.64s\"", name);
	snprintf(path, sizeof path, ZONE_DIR "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? errno : io_read_all(fd, SIZE_MAX, &bytes);
	if (rc == ENOENT || rc == ENOTDIR || rc == EISDIR)
		return md_fail(err, MD_NOTFOUND, rc, "unknown time zone \"%s\"", name);
	if (rc != 0)
		return md_fail(err, MD_BROKEN, rc, "%s: %s", path, strerror(rc));
	rc = calendar_set_zone(calendar, bytes.data, bytes.len, err);
	return rc == MD_OK ? MD_OK : md_wrap(err, rc, "time zone \"%s\"", name);
}

/* io.h - descriptors that take or give a part of what was asked for; files of the desk's own. */
#ifndef MAILDESK_BASE_IO_H
#define MAILDESK_BASE_IO_H

#include <maildesk/base/buf.h>

#include <stdbool.h>
#include <stddef.h>

/* All of it to a blocking descriptor, also when signals interrupt. False: errno says why; a part
 * may be written. */
bool io_write_all(int fd, const void *bytes, size_t n);

/* What root makes for the desk belongs to whom the folder belongs to that it is for: a command that
 * root runs on a stopped desk must not lock its service out. Nothing happens for anybody else. */
void io_give_to_owner_of(const char *folder, const char *path);
/* A new file in `folder`, its owner's alone, to be read and written. -1: errno says why, EEXIST
 * too. */
int io_create(const char *folder, const char *path);
/* The same, or the one that is there. */
int io_open_or_create(const char *folder, const char *path);

/* Appends what a blocking descriptor gives, to its end or until `out` has more than `enough` bytes
 * (by its length the caller sees that there was more). 0, or an errno: EFBIG where `out` may not
 * grow any further, ENOMEM. */
int io_read_all(int fd, size_t enough, struct buf *out);

#endif

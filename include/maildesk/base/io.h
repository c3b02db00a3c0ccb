/* io.h - descriptors that take or give a part of what was asked for. */
#ifndef MAILDESK_BASE_IO_H
#define MAILDESK_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>

/* All of it to a blocking descriptor, also when signals interrupt. False: errno says why; a part
 * may be written. */
bool io_write_all(int fd, const void *bytes, size_t n);

#endif

/* channel.h - length-prefixed frames between the processes of one daemon, over a socketpair.
 *
 * A frame is a type, a record (base/record.h) and at most one descriptor (SCM_RIGHTS). The peer may
 * have been taken over by what it read: a frame that is too long, of no known type or does not
 * match its record is MD_INPUT, and the caller ends the peer. One thread uses a channel at a time.
 *
 * Wire: u32 length of the rest, u32 type (top bit: a descriptor comes along), record bytes; the
 * descriptor travels with the first byte. */
#ifndef MAILDESK_NET_CHANNEL_H
#define MAILDESK_NET_CHANNEL_H

#include <maildesk/base/arena.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/record.h>

enum { CHANNEL_FRAME_MAX = 96 << 20 };

struct channel;
struct frame {
	uint32_t type;
	const uint8_t *bytes; /* borrowed until the next channel_receive() */
	size_t n;
	int fd; /* -1 if none; the receiver's to close */
};

/* Takes ownership of the socket, makes it non-blocking. */
int channel_new(int fd, struct channel **ret, struct md_err *err);
void channel_free(struct channel *ch);
MD_DEFINE_AUTO(struct channel *, channel_free)

int channel_fd(const struct channel *ch);
/* Queue a frame; `fd` (or -1) is duplicated. Sends what the socket takes. MD_OK, MD_INPUT (object
 * does not fit), MD_NOMEM, MD_REFUSED (the peer is gone). */
int channel_send(struct channel *ch, uint32_t type, const struct rec *r, const void *object, int fd,
		 struct md_err *err);
/* The same of one of several that are sent together: it may wait for the next channel_flush(). */
int channel_put(struct channel *ch, uint32_t type, const struct rec *r, const void *object, int fd,
		struct md_err *err);
/* Bytes that wait for the socket to become writable: poll for POLLOUT, then channel_flush(). */
size_t channel_pending(const struct channel *ch);
int channel_flush(struct channel *ch, struct md_err *err);
/* The next frame. MD_OK; MD_AGAIN when none is whole yet; MD_REFUSED when the peer closed;
 * MD_INPUT for a broken frame. */
int channel_receive(struct channel *ch, struct frame *ret, struct md_err *err);
/* The same, waiting at most `timeout_ms` (-1: for ever); flushes meanwhile. MD_AGAIN on time-out.
 */
int channel_wait(struct channel *ch, int timeout_ms, struct frame *ret, struct md_err *err);

#endif

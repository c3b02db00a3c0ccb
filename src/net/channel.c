/* The descriptor of a frame is announced by a bit of its type. The kernel hands descriptors over
 * with the bytes they were sent with and never two lots in one recvmsg(), so the k-th announcing
 * frame owns the k-th descriptor; one that comes without an announcement shows a broken peer. */
#include <maildesk/net/channel.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEAD = 8,
	READ_CHUNK = 64 << 10,
	PUT_MAX = 64 << 10, /* more does not wait for company */
	KEEP_MAX = 1 << 20, /* memory that an empty queue may keep */
	QUEUE_MAX = 2 * CHANNEL_FRAME_MAX,
	FDS_AHEAD = 2, /* one of the frame being read, one of the frame that began behind it */
};
static const uint32_t WITH_FD = 1U << 31;

struct sending {
	int fd;
	size_t at; /* offset in `out` of the frame it goes with */
};

struct channel {
	int fd;
	bool broken, ended;
	struct buf in;
	size_t in_at; /* bytes of `in` that were handed out */
	int fds_in[FDS_AHEAD];
	size_t n_fds_in;
	struct buf out;
	size_t out_at; /* bytes of `out` that were sent */
	struct sending *fds_out;
	size_t n_fds_out, fds_out_cap;
};

int channel_new(int fd, struct channel **ret, struct md_err *err)
{
	struct channel *ch = md_calloc(1, sizeof *ch);
	int flags = fcntl(fd, F_GETFL);

	if (!ch || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
		int rc = ch ? md_fail(err, MD_BROKEN, errno, "channel: %s", strerror(errno))
			    : md_fail(err, MD_NOMEM, 0, "channel: out of memory");
		free(ch);
		close(fd);
		return rc;
	}
	ch->fd = fd;
	ch->in = (struct buf)BUF_INIT((size_t)CHANNEL_FRAME_MAX + HEAD + READ_CHUNK);
	ch->out = (struct buf)BUF_INIT(QUEUE_MAX);
	*ret = ch;
	return MD_OK;
}

void channel_free(struct channel *ch)
{
	if (!ch)
		return;
	for (size_t i = 0; i < ch->n_fds_in; i++)
		close(ch->fds_in[i]);
	for (size_t i = 0; i < ch->n_fds_out; i++)
		close(ch->fds_out[i].fd);
	free(ch->fds_out);
	buf_done(&ch->in);
	buf_done(&ch->out);
	close(ch->fd);
	free(ch);
}

int channel_fd(const struct channel *ch)
{
	return ch->fd;
}

size_t channel_pending(const struct channel *ch)
{
	return ch->out.len - ch->out_at;
}

/* ---- sending ---- */

static int keep_fd(struct channel *ch, int fd, size_t at)
{
	if (ch->n_fds_out == ch->fds_out_cap) {
		size_t cap = ch->fds_out_cap ? 2 * ch->fds_out_cap : 4;
		struct sending *more = md_realloc(ch->fds_out, cap * sizeof *more);

		if (!more)
			return -1;
		ch->fds_out = more;
		ch->fds_out_cap = cap;
	}
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ch->fds_out[ch->n_fds_out++] = (struct sending){ fd, at };
	return 0;
}

/* Drop what was sent, but move the rest only when that is cheap. */
static void shrink_out(struct channel *ch)
{
	size_t sent = ch->out_at, left = ch->out.len - sent;

	if (left && sent < KEEP_MAX)
		return;
	if (left)
		memmove(ch->out.data, ch->out.data + sent, left);
	buf_cut(&ch->out, left);
	for (size_t i = 0; i < ch->n_fds_out; i++)
		ch->fds_out[i].at -= sent;
	ch->out_at = 0;
	if (!left && ch->out.cap > KEEP_MAX)
		buf_done(&ch->out);
}

static ssize_t send_some(struct channel *ch)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { ch->out.data + ch->out_at, ch->out.len - ch->out_at };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };
	bool with_fd = ch->n_fds_out && ch->fds_out[0].at == ch->out_at;
	size_t next = with_fd; /* the frame of the next descriptor starts a piece of its own */
	ssize_t n;

	if (with_fd) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof control.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &ch->fds_out[0].fd, sizeof(int));
	}
	if (next < ch->n_fds_out)
		io.iov_len = ch->fds_out[next].at - ch->out_at;
	n = sendmsg(ch->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0 && with_fd) {
		close(ch->fds_out[0].fd);
		ch->n_fds_out--;
		memmove(ch->fds_out, ch->fds_out + 1, ch->n_fds_out * sizeof *ch->fds_out);
	}
	return n;
}

int channel_flush(struct channel *ch, struct md_err *err)
{
	while (channel_pending(ch)) {
		ssize_t n = send_some(ch);

		if (n >= 0)
			ch->out_at += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			return md_fail(err, MD_REFUSED, errno, "channel: %s", strerror(errno));
	}
	shrink_out(ch);
	return MD_OK;
}

int channel_put(struct channel *ch, uint32_t type, const struct rec *r, const void *object, int fd,
		struct md_err *err)
{
	size_t start = ch->out.len;
	uint32_t head[2];
	int status;

	if (channel_pending(ch) > CHANNEL_FRAME_MAX)
		return md_fail(err, MD_NOMEM, 0, "channel: too much waits to be sent");
	ch->out.max = start + HEAD + CHANNEL_FRAME_MAX;
	buf_add(&ch->out, "\0\0\0\0\0\0\0", HEAD);
	rec_pack(&ch->out, r, object);
	status = ch->out.status;
	if (status == MD_OK && fd >= 0 && keep_fd(ch, fd, start) != 0)
		status = MD_NOMEM;
	if (status != MD_OK) {
		ch->out.status = MD_OK;
		buf_cut(&ch->out, start);
		return md_fail(err, (enum md_code)status, 0, "channel: %s cannot be sent", r->name);
	}
	head[0] = htole32((uint32_t)(ch->out.len - start - 4));
	head[1] = htole32(fd >= 0 ? type | WITH_FD : type);
	memcpy(ch->out.data + start, head, HEAD);
	return channel_pending(ch) < PUT_MAX ? MD_OK : channel_flush(ch, err);
}

int channel_send(struct channel *ch, uint32_t type, const struct rec *r, const void *object, int fd,
		 struct md_err *err)
{
	int rc = channel_put(ch, type, r, object, fd, err);

	return rc == MD_OK ? channel_flush(ch, err) : rc;
}

/* ---- receiving ---- */

static int broken_frame(struct channel *ch, struct md_err *err, const char *why)
{
	ch->broken = true;
	return md_fail(err, MD_INPUT, 0, "channel: %s", why);
}

static uint32_t word_at(const struct channel *ch, size_t offset)
{
	uint32_t v;

	memcpy(&v, ch->in.data + ch->in_at + offset, sizeof v);
	return le32toh(v);
}

/* MD_OK with a frame, MD_AGAIN when more bytes are needed, MD_INPUT. */
static int take_frame(struct channel *ch, struct frame *ret, struct md_err *err)
{
	size_t have = ch->in.len - ch->in_at;
	uint32_t n, type;

	if (have < HEAD)
		return MD_AGAIN;
	n = word_at(ch, 0);
	if (n < 4 || n > CHANNEL_FRAME_MAX + 4)
		return broken_frame(ch, err, "frame of an impossible length");
	if (have < (size_t)n + 4)
		return MD_AGAIN;
	type = word_at(ch, 4);
	*ret = (struct frame){ .type = type & ~WITH_FD,
			       .bytes = (uint8_t *)ch->in.data + ch->in_at + HEAD,
			       .n = n - 4,
			       .fd = -1 };
	if (type & WITH_FD) {
		if (!ch->n_fds_in)
			return broken_frame(ch, err, "frame without its descriptor");
		ret->fd = ch->fds_in[0];
		ch->fds_in[0] = ch->fds_in[1];
		ch->n_fds_in--;
	}
	ch->in_at += (size_t)n + 4;
	return MD_OK;
}

/* All that came are ours to close, also those that break the rules. */
static int take_fds(struct channel *ch, struct msghdr *msg, struct md_err *err)
{
	bool surplus = (msg->msg_flags & MSG_CTRUNC) != 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (i == 0 && ch->n_fds_in < FDS_AHEAD) {
				ch->fds_in[ch->n_fds_in++] = fd;
			} else {
				close(fd);
				surplus = true;
			}
		}
	}
	return surplus ? broken_frame(ch, err, "more descriptors than frames announce") : MD_OK;
}

/* Room behind the unread bytes, which move to the front. */
static char *make_room(struct channel *ch)
{
	size_t left = ch->in.len - ch->in_at;

	if (ch->in_at) {
		memmove(ch->in.data, ch->in.data + ch->in_at, left);
		buf_cut(&ch->in, left);
		ch->in_at = 0;
	}
	if (!left && ch->in.cap > KEEP_MAX)
		buf_done(&ch->in);
	return buf_reserve(&ch->in, READ_CHUNK);
}

static int receive_some(struct channel *ch, struct md_err *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec io = { .iov_base = make_room(ch) };
	struct msghdr msg = { .msg_iov = &io,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof control.bytes };
	ssize_t n;

	if (!io.iov_base)
		return md_fail(err, MD_NOMEM, 0, "channel: out of memory");
	io.iov_len = ch->in.cap - ch->in.len - 1;
	do
		n = recvmsg(ch->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return MD_AGAIN;
	if (n <= 0) {
		ch->ended = true;
		return md_fail(err, MD_REFUSED, n ? errno : 0, "channel: the peer is gone");
	}
	ch->in.len += (size_t)n;
	ch->in.data[ch->in.len] = '\0';
	return take_fds(ch, &msg, err);
}

int channel_receive(struct channel *ch, struct frame *ret, struct md_err *err)
{
	int rc;

	if (ch->broken)
		return md_fail(err, MD_INPUT, 0, "channel: broken before");
	while ((rc = take_frame(ch, ret, err)) == MD_AGAIN) {
		if (ch->ended)
			return md_fail(err, MD_REFUSED, 0, "channel: the peer is gone");
		rc = receive_some(ch, err);
		if (rc != MD_OK)
			break;
	}
	return rc;
}

int channel_wait(struct channel *ch, int timeout_ms, struct frame *ret, struct md_err *err)
{
	int64_t until = clock_mono(&clock_system) + timeout_ms;
	int rc, sent;

	for (;;) {
		struct pollfd p = { .fd = ch->fd, .events = POLLIN };
		int64_t left = until - clock_mono(&clock_system);

		sent = channel_flush(ch, err);
		rc = channel_receive(ch, ret, err); /* also what a peer said before it went */
		if (rc != MD_AGAIN)
			return rc;
		if (sent != MD_OK)
			return sent;
		if (timeout_ms >= 0 && left <= 0)
			return md_fail(err, MD_AGAIN, 0, "channel: no answer in time");
		if (channel_pending(ch))
			p.events |= POLLOUT;
		if (poll(&p, 1, timeout_ms < 0 ? -1 : (int)left) < 0 && errno != EINTR)
			return md_fail(err, MD_BROKEN, errno, "poll: %s", strerror(errno));
	}
}

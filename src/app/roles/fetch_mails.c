/* From a list of UIDs to MAIL frames: sizes first, then small mails many at a time through memory,
 * large ones each to a file, too large ones by their header. In the order of their UIDs always, for
 * the desk's cursor passes over what it did not get. */
#include "fetch_private.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/base/random.h>
#include <maildesk/net/role.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAD_TRIES = 3 };

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- the spool ---- */

/* For file systems without O_TMPFILE: nameless as soon as it is there. */
static int unlinked_file(void)
{
	md_auto(buf_done) struct buf name = BUF_INIT(100);
	uint8_t bytes[16];
	int fd;

	random_fill(&random_system, bytes, sizeof bytes);
	hex_encode(&name, bytes, sizeof bytes);
	fd = openat(ROLE_SPOOL_FD, buf_str(&name), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(ROLE_SPOOL_FD, buf_str(&name), 0);
	return fd;
}

static int spool_file(int *ret_fd, struct md_err *err)
{
	int fd = openat(ROLE_SPOOL_FD, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = unlinked_file();
	if (fd < 0)
		return md_fail(err, MD_BROKEN, errno, "spool: %s", strerror(errno));
	*ret_fd = fd;
	return MD_OK;
}

static int spool_bytes(const char *raw, size_t n, int *ret_fd, struct md_err *err)
{
	int fd, rc = spool_file(&fd, err);

	if (rc != MD_OK)
		return rc;
	for (size_t at = 0; at < n;) {
		ssize_t written = pwrite(fd, raw + at, n - at, (off_t)at);

		if (written < 0 && errno != EINTR) {
			rc = md_fail(err, MD_BROKEN, errno, "spool: %s", strerror(errno));
			close(fd);
			return rc;
		}
		at += written > 0 ? (size_t)written : 0;
	}
	*ret_fd = fd;
	return MD_OK;
}

/* ---- frames ---- */

static struct outgoing *mail_frame(const struct session *s, const struct imap_mail *m)
{
	struct outgoing *o = md_calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->type = FRAME_MAIL;
	o->fd = -1;
	o->mail = (struct frame_mail){ .mailbox = s->id,
				       .uidvalidity = s->uidvalidity,
				       .uid = m->uid,
				       .size = m->size,
				       .internaldate_ms = m->internaldate_ms };
	return o;
}

static void hand(struct session *s, struct outgoing *o)
{
	bool spooled = o->fd >= 0;

	s->unanswered[s->n_unanswered++] = (struct unanswered){ (uint32_t)o->mail.uid, spooled };
	s->n_spooled += spooled;
	s->last = (uint32_t)o->mail.uid;
	if (s->bad_uid == s->last)
		s->bad_uid = 0;
	*s->out_end = o;
	s->out_end = &o->next;
}

struct batch {
	const struct session *s;
	const struct imap_mail *mails;
	bool header_only;
	struct outgoing *got[FETCH_BATCH];
};

static int keep_mail(void *ctx, size_t index, const char *raw, size_t n, struct md_err *err)
{
	struct batch *b = ctx;
	struct outgoing *o = mail_frame(b->s, &b->mails[index]);

	if (!o)
		return out_of_memory(err);
	b->got[index] = o;
	o->mail.too_large = b->header_only;
	if (n > FRAME_INLINE_MAX) /* more than its size promised */
		return spool_bytes(raw, n, &o->fd, err);
	o->memory = md_malloc(n);
	if (!o->memory)
		return out_of_memory(err);
	memcpy(o->memory, raw, n);
	o->mail.raw = (struct rec_bytes){ n, o->memory };
	return MD_OK;
}

/* Gone, or there and not given out. The latter is tried a few times, then the desk gets an empty
 * mail, which a person will see, and the mailbox goes on. */
static int missing(struct session *s, const struct imap_mail *m, struct md_err *err)
{
	struct log_ctx ctx = { .mailbox = s->settings->box.name, .uid = m->uid };
	md_auto(md_free_p) uint32_t *uids = NULL;
	struct outgoing *o;
	size_t n;
	bool all;
	int rc = imap_list(s->imap, m->uid - 1, &uids, &n, &all, err);

	if (rc != MD_OK)
		return rc;
	if (!n || uids[0] != m->uid) {
		s->last = m->uid;
		return MD_OK;
	}
	s->bad_tries = s->bad_uid == m->uid ? s->bad_tries + 1 : 1;
	s->bad_uid = m->uid;
	if (s->bad_tries < BAD_TRIES)
		return md_fail(err, MD_AGAIN, 0, "the server lists mail %u but does not give it",
			       m->uid);
	log_error(&ctx, "the server does not give this mail; passed on empty");
	o = mail_frame(s, m);
	if (!o)
		return out_of_memory(err);
	hand(s, o);
	return MD_OK;
}

/* ---- ways to fetch ---- */

static int hand_batch(struct session *s, struct batch *b, size_t n, struct md_err *err)
{
	int rc = MD_OK;

	fault_point("fetched");
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		if (b->got[i])
			hand(s, md_take(b->got[i]));
		else
			rc = missing(s, &b->mails[i], err);
		s->mails_at += rc == MD_OK;
	}
	return rc;
}

void outgoing_free(struct outgoing *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->memory);
	free(o);
}

static void batch_done(struct batch *b)
{
	for (size_t i = 0; i < FETCH_BATCH; i++) {
		if (b->got[i])
			outgoing_free(b->got[i]);
	}
}

static int fetch_small(struct session *s, size_t n, struct md_err *err)
{
	md_auto(batch_done) struct batch b = { .s = s, .mails = s->mails + s->mails_at };
	int rc = imap_fetch(s->imap, b.mails, n, keep_mail, &b, err);

	return rc == MD_OK ? hand_batch(s, &b, n, err) : rc;
}

static int fetch_header(struct session *s, struct md_err *err)
{
	md_auto(batch_done) struct batch b = { .s = s,
					       .mails = s->mails + s->mails_at,
					       .header_only = true };
	int rc = imap_fetch_header(s->imap, b.mails, FRAME_INLINE_MAX, keep_mail, &b, err);

	return rc == MD_OK ? hand_batch(s, &b, 1, err) : rc;
}

static int fetch_large(struct session *s, struct md_err *err)
{
	md_auto(batch_done) struct batch b = { .s = s, .mails = s->mails + s->mails_at };
	struct imap_mail m = *b.mails;
	struct outgoing *o = b.got[0] = mail_frame(s, &m);
	int rc;

	if (!o)
		return out_of_memory(err);
	if (!m.size) /* not said: up to the limit, then */
		m.size = (uint32_t)(s->settings->box.max_message_bytes < UINT32_MAX
					    ? s->settings->box.max_message_bytes
					    : UINT32_MAX);
	rc = spool_file(&o->fd, err);
	if (rc == MD_OK)
		rc = imap_fetch_to_file(s->imap, &m, o->fd, err);
	if (rc == MD_OK)
		lseek(o->fd, 0, SEEK_SET); /* the position goes along */
	if (rc == MD_NOTFOUND) {
		outgoing_free(md_take(b.got[0]));
		rc = MD_OK;
	}
	return rc == MD_OK ? hand_batch(s, &b, 1, err) : rc;
}

/* ---- what comes next ---- */

static int size_next(struct session *s, struct md_err *err)
{
	size_t n = s->n_pending - s->pending_at;
	int rc;

	n = n < SIZES_BATCH ? n : SIZES_BATCH;
	free(s->mails);
	s->n_mails = s->mails_at = 0;
	s->mails = md_calloc(n, sizeof *s->mails);
	if (!s->mails)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++)
		s->mails[i].uid = s->pending[s->pending_at + i];
	rc = imap_sizes(s->imap, s->mails, n, err);
	if (rc != MD_OK)
		return rc;
	s->n_mails = n;
	s->pending_at += n;
	return MD_OK;
}

/* How many of the next mails go through memory together. */
static size_t small_ones(const struct session *s)
{
	size_t room = FETCH_WINDOW - s->n_unanswered, bytes = 0, n = 0;
	const struct imap_mail *m = s->mails + s->mails_at;

	room = room < FETCH_BATCH ? room : FETCH_BATCH;
	room = room < s->n_mails - s->mails_at ? room : s->n_mails - s->mails_at;
	while (n < room && m[n].size && m[n].size <= FRAME_INLINE_MAX &&
	       (int64_t)m[n].size <= s->settings->box.max_message_bytes &&
	       bytes + m[n].size <= FETCH_BATCH_BYTES)
		bytes += m[n++].size;
	return n;
}

int session_hand_over(struct session *s, struct md_err *err)
{
	size_t n;
	int rc = s->mails_at == s->n_mails ? size_next(s, err) : MD_OK;

	if (rc != MD_OK)
		return rc;
	n = small_ones(s);
	if (n)
		return fetch_small(s, n, err);
	if ((int64_t)s->mails[s->mails_at].size > s->settings->box.max_message_bytes)
		return fetch_header(s, err);
	return fetch_large(s, err);
}

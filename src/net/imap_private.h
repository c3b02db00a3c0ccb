/* What the files of the IMAP module share. */
#ifndef MAILDESK_NET_IMAP_PRIVATE_H
#define MAILDESK_NET_IMAP_PRIVATE_H

#include <maildesk/base/buf.h>
#include <maildesk/net/imap.h>
#include <maildesk/net/imap_guard.h>

#include <libetpan/libetpan.h>

enum {
	SETS_MAX = 500,             /* UIDs named in one command */
	ITEM_ANSWER = 1 << 10,      /* bytes of an answer for one mail beside its text */
	SMALL_ANSWER = 256 << 10,   /* bytes of an answer that carries no mail */
	SLOWEST_BYTES_S = 32 << 10, /* a peer that is slower than this in the long run is cut off */
};

struct imap {
	mailimap *session;
	struct wire *wire;
	struct imap_guard guard;
	struct md_err io; /* why the stream failed, for libetpan only knows that it did */
	bool dead;
	int64_t timeout_ms;
	uint32_t uidvalidity, uidnext; /* at SELECT */
};

/* Before each command: how many bytes the answer may have, all literals included. */
void imap_expect(struct imap *s, uint64_t bytes);
/* After each: libetpan's result as ours. `what` names the step for people. */
int imap_result(struct imap *s, int r, const char *what, struct md_err *err);
bool imap_has(const struct imap *s, const char *capability);
/* Append a folder name as the protocol writes it (modified UTF-7). */
void imap_folder_name(struct buf *out, const char *utf8);
/* A set of UIDs for a command; NULL when out of memory. Freed by mailimap_set_free(). */
struct mailimap_set *imap_set(const uint32_t *uids, size_t n);

MD_DEFINE_AUTO(struct mailimap_set *, mailimap_set_free)

#endif

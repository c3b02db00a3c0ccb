/* imap.h - the few things fetch asks of an IMAP server (RFC 9051, 2177, 4315, 6851), over libetpan.
 *
 * Everything here blocks until the server has answered or the time is over. A session is one
 * thread's at a time. Codes:
 *	MD_AGAIN	network or server trouble: close the session, try later
 *	MD_INPUT	the server broke the protocol or a limit: the same
 *	MD_REFUSED	the server says no (see each function)
 *	MD_BROKEN	a person must mend it: certificate, TLS setting, folder, disk
 * After MD_REFUSED the session can be used on, after the others it can only be closed.
 *
 * Mails are named by UID only. Answers for mails that were not asked for are ignored. */
#ifndef MAILDESK_NET_IMAP_H
#define MAILDESK_NET_IMAP_H

#include <maildesk/net/wire.h>

struct imap_config {
	const char *host;
	int port;
	const char *tls;          /* "tls", "starttls"; "none": to this machine only */
	struct wire_trust *trust; /* may be NULL for "none" */
	const char *user, *secret;
	bool xoauth2;       /* secret is an access token (RFC 7628's predecessor, XOAUTH2) */
	int64_t timeout_ms; /* for one answer of the server */
};

struct imap;
/* Connect, verify, log in. No credential leaves over a connection that is neither verified nor to
 * this machine. MD_REFUSED: the server does not take the credentials. */
int imap_open(const struct imap_config *c, struct imap **ret, struct md_err *err);
void imap_close(struct imap *s);
MD_DEFINE_AUTO(struct imap *, imap_close)

struct imap_folder {
	uint32_t uidvalidity; /* never 0 */
	uint32_t uidnext;
	uint32_t exists;
	bool read_only;
};
/* `folder` in UTF-8. MD_REFUSED: no such folder, or not for this user. */
int imap_select(struct imap *s, const char *folder, struct imap_folder *ret, struct md_err *err);

/* The first UID of the selected folder that the server has got on `date` ("2026-01-31", in its own
 * zone) or later; 0: there is none. */
int imap_first_since(struct imap *s, const char *date, uint32_t *ret, struct md_err *err);

/* The next UIDs above `after`, ascending. *ret_all: there are no more behind them; else call again
 * from the last one. *ret_uids is the caller's to free. MD_INPUT also when UIDVALIDITY changed. */
int imap_list(struct imap *s, uint32_t after, uint32_t **ret_uids, size_t *ret_n, bool *ret_all,
	      struct md_err *err);

struct imap_mail {
	uint32_t uid;
	uint32_t size;           /* RFC822.SIZE; 0 when the server did not say */
	int64_t internaldate_ms; /* 0 likewise */
};
/* Fill in what the server says of n mails (uid is set by the caller; ascending, here and below). */
int imap_sizes(struct imap *s, struct imap_mail *mails, size_t n, struct md_err *err);

/* Called with each mail that came, in the order asked for. */
typedef int imap_mail_fn(void *ctx, size_t index, const char *raw, size_t n, struct md_err *err);
/* Fetch n whole mails into memory. A mail that did not come is left out, which is no failure. */
int imap_fetch(struct imap *s, const struct imap_mail *mails, size_t n, imap_mail_fn *each,
	       void *ctx, struct md_err *err);
/* The first `max` bytes of the header of one mail. */
int imap_fetch_header(struct imap *s, const struct imap_mail *mail, size_t max, imap_mail_fn *each,
		      void *ctx, struct md_err *err);
/* One whole mail, written to `fd` as it comes. MD_NOTFOUND when it did not come. */
int imap_fetch_to_file(struct imap *s, const struct imap_mail *mail, int fd, struct md_err *err);

/* What is to be done with mails that were taken care of: "seen", "delete" or "move:FOLDER". Doing
 * it twice, or for mails that are gone, is fine. MD_REFUSED: the server does not do it. */
int imap_mark(struct imap *s, const uint32_t *uids, size_t n, const char *how, struct md_err *err);

int imap_noop(struct imap *s, struct md_err *err);
/* Whether the server announced mail since this was last asked, in answer to whatever. */
bool imap_take_news(struct imap *s);

bool imap_has_idle(const struct imap *s);
/* Then the descriptor becomes readable when something happens, unless imap_has_pending(). */
int imap_idle_start(struct imap *s, struct md_err *err);
int imap_idle_done(struct imap *s, struct md_err *err);
int imap_fd(const struct imap *s);
bool imap_has_pending(const struct imap *s);

#endif

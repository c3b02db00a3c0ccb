/* imap.c - what a command came to, and a folder that is selected and waited at (IDLE, RFC 2177).
 * Sessions are opened in imap_open.c, mails fetched in imap_fetch.c and marked in imap_mark.c. */
#include "imap_private.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/utf8.h>

#include <string.h>
#include <strings.h>

/* ---- one command ---- */

void imap_expect(struct imap *s, uint64_t bytes)
{
	int64_t total_ms = s->timeout_ms + (int64_t)(bytes / SLOWEST_BYTES_S) * 1000;

	wire_limit(s->wire, s->timeout_ms, total_ms, bytes);
	s->guard.literal_max = bytes;
}

/* RFC 5530 codes of a "no" that may be a "yes" in a while. */
static bool no_for_now(const struct imap *s)
{
	static const char *const codes[] = { "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG" };
	const struct mailimap_response_info *info = s->session->imap_response_info;

	for (size_t i = 0; info && info->rsp_atom && i < MD_COUNT(codes); i++) {
		if (strcasecmp(info->rsp_atom, codes[i]) == 0)
			return true;
	}
	return false;
}

int imap_result(struct imap *s, int r, const char *what, struct md_err *err)
{
	const char *text = s->session->imap_response;

	if (s->io.code != MD_OK) {
		s->dead = true;
		if (err)
			*err = s->io;
		return md_wrap(err, s->io.code, "%s", what);
	}
	switch (r) {
	case MAILIMAP_NO_ERROR:
	case MAILIMAP_NO_ERROR_AUTHENTICATED:
	case MAILIMAP_NO_ERROR_NON_AUTHENTICATED:
		return MD_OK;
	case MAILIMAP_ERROR_MEMORY:
		s->dead = true;
		return md_fail(err, MD_NOMEM, r, "%s: out of memory", what);
	case MAILIMAP_ERROR_BAD_STATE:
	case MAILIMAP_ERROR_STREAM:
	case MAILIMAP_ERROR_PARSE:
	case MAILIMAP_ERROR_PROTOCOL:
		s->dead = true;
		return md_fail(err, MD_INPUT, r, "%s: the server's answer makes no sense", what);
	case MAILIMAP_ERROR_FATAL:
	case MAILIMAP_ERROR_DONT_ACCEPT_CONNECTION:
		s->dead = true;
		return md_fail(err, MD_AGAIN, r, "%s: the server ends the session: %s", what,
			       text ? text : "");
	default:
		if (no_for_now(s)) {
			s->dead = true;
			return md_fail(err, MD_AGAIN, r, "%s: not now: %s", what, text ? text : "");
		}
		return md_fail(err, MD_REFUSED, r, "%s: the server says no: %s", what,
			       text ? text : "");
	}
}

/* ---- selected ---- */

/* RFC 3501 section 5.1.3: UTF-7 in UTF-16, with "&" for "+" and "," for "/". */
static void encode_shifted(struct buf *out, const char *s, size_t n)
{
	md_auto(buf_done) struct buf utf16 = BUF_INIT(SMALL_ANSWER);
	md_auto(buf_done) struct buf b64 = BUF_INIT(SMALL_ANSWER);

	for (size_t i = 0; i < n;) {
		uint32_t cp = 0xfffd;
		size_t len = utf8_decode(s + i, n - i, &cp);

		i += len ? len : 1;
		if (cp >= 0x10000) {
			uint32_t high = 0xd800 + ((cp - 0x10000) >> 10);

			buf_addc(&utf16, (char)(high >> 8));
			buf_addc(&utf16, (char)(high & 0xff));
			cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
		}
		buf_addc(&utf16, (char)(cp >> 8));
		buf_addc(&utf16, (char)(cp & 0xff));
	}
	base64_encode(&b64, buf_str(&utf16), utf16.len);
	buf_addc(out, '&');
	for (const char *p = buf_str(&b64); *p && *p != '='; p++)
		buf_addc(out, *p == '/' ? ',' : *p);
	buf_addc(out, '-');
}

void imap_folder_name(struct buf *out, const char *utf8)
{
	for (size_t i = 0, n = strlen(utf8); i < n;) {
		size_t plain = i;

		while (plain < n && utf8[plain] >= 0x20 && utf8[plain] < 0x7f)
			plain++;
		for (; i < plain; i++)
			buf_adds(out, utf8[i] == '&' ? "&-" : (char[]){ utf8[i], '\0' });
		for (; plain < n && (utf8[plain] < 0x20 || utf8[plain] >= 0x7f); plain++)
			;
		if (plain > i)
			encode_shifted(out, utf8 + i, plain - i);
		i = plain;
	}
}

/* A server that does not say it (RFC 2060): one above the last. */
static int find_uidnext(struct imap *s, uint32_t *ret, struct md_err *err)
{
	uint32_t last = 0;
	bool all = false;

	while (!all) {
		md_auto(md_free_p) uint32_t *uids = NULL;
		size_t n = 0;
		int rc = imap_list(s, last, &uids, &n, &all, err);

		if (rc != MD_OK)
			return rc;
		last = n ? uids[n - 1] : last;
	}
	*ret = last + 1;
	return MD_OK;
}

int imap_select(struct imap *s, const char *folder, struct imap_folder *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf name = BUF_INIT(SMALL_ANSWER);
	const struct mailimap_selection_info *info;
	int rc;

	imap_folder_name(&name, folder);
	imap_expect(s, SMALL_ANSWER);
	rc = imap_result(s, mailimap_select(s->session, buf_str(&name)), "SELECT", err);
	info = s->session->imap_selection_info;
	if (rc != MD_OK)
		return md_wrap(err, rc, "folder %s", folder);
	if (!info || !info->sel_uidvalidity) {
		s->dead = true;
		return md_fail(err, MD_INPUT, 0, "folder %s: the server names no UIDVALIDITY",
			       folder);
	}
	*ret = (struct imap_folder){ .uidvalidity = info->sel_uidvalidity,
				     .uidnext = info->sel_uidnext,
				     .exists = info->sel_exists,
				     .read_only = info->sel_perm == MAILIMAP_MAILBOX_READONLY };
	s->uidvalidity = info->sel_uidvalidity;
	s->uidnext = info->sel_uidnext;
	return ret->uidnext ? MD_OK : find_uidnext(s, &ret->uidnext, err);
}

int imap_noop(struct imap *s, struct md_err *err)
{
	imap_expect(s, SMALL_ANSWER);
	return imap_result(s, mailimap_noop(s->session), "NOOP", err);
}

bool imap_take_news(struct imap *s)
{
	struct mailimap_selection_info *info = s->session->imap_selection_info;
	bool news = info && info->sel_has_exists;

	if (info)
		info->sel_has_exists = 0;
	return news;
}

bool imap_has_idle(const struct imap *s)
{
	return imap_has(s, "IDLE");
}

int imap_idle_start(struct imap *s, struct md_err *err)
{
	if (!s->session->imap_selection_info) /* libetpan would write through it */
		return md_fail(err, MD_BROKEN, 0, "IDLE: no folder is selected");
	imap_expect(s, SMALL_ANSWER);
	return imap_result(s, mailimap_idle(s->session), "IDLE", err);
}

int imap_idle_done(struct imap *s, struct md_err *err)
{
	imap_expect(s, SMALL_ANSWER);
	return imap_result(s, mailimap_idle_done(s->session), "DONE", err);
}

int imap_fd(const struct imap *s)
{
	return wire_fd(s->wire);
}

bool imap_has_pending(const struct imap *s)
{
	return s->session->imap_stream->read_buffer_len > 0 || wire_has_pending(s->wire);
}

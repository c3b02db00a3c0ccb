/* An IMAP server that says anything: net/imap, the guard and libetpan under it, on a stream that
 * ends with the input. "%t" in it is the tag of the command last sent. This file stands in for
 * net/wire: nothing leaves the process. */
#include "fuzz.h"

#include <maildesk/net/imap.h>
#include <maildesk/net/imap_guard.h>

#include <sys/mman.h>
#include <unistd.h>

/* libetpan forgets the greeting when it is a BYE, and parts of answers it cannot read. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libetpan.so\n";
}

struct wire {
	struct span script;
	char tag[32];
	size_t tag_left; /* bytes of the tag still to be given out */
	uint64_t may_read;
};
static struct wire wire;

int wire_connect(const char *host, int port, int64_t timeout_ms, struct wire **ret,
		 struct md_err *err)
{
	check(host && port && timeout_ms && !err);
	*ret = &wire;
	return MD_OK;
}

int wire_secure(struct wire *w, struct wire_trust *trust, struct md_err *err)
{
	check(w && !trust);
	return md_fail(err, MD_BROKEN, 0, "no TLS here");
}

void wire_free(struct wire *w)
{
	(void)w;
}

void wire_limit(struct wire *w, int64_t silence_ms, int64_t total_ms, uint64_t bytes)
{
	check(total_ms >= silence_ms);
	w->may_read = bytes;
}

uint64_t wire_bytes_left(const struct wire *w)
{
	return w->may_read;
}

int wire_read(struct wire *w, void *out, size_t n, size_t *ret_n, struct md_err *err)
{
	char *p = out;
	size_t got = 0;

	if (w->may_read == 0)
		return md_fail(err, MD_INPUT, 0, "more than it may");
	if (n > w->may_read)
		n = w->may_read;
	while (got < n && (w->tag_left || w->script.n)) {
		if (w->tag_left) {
			p[got++] = w->tag[strlen(w->tag) - w->tag_left--];
			continue;
		}
		/* What follows answers a command that may not have been sent yet. */
		if (w->script.n > 1 && w->script.p[0] == '%' && w->script.p[1] == 't') {
			if (got)
				break;
			w->tag_left = strlen(w->tag);
			w->script = span_from(w->script, 2);
			continue;
		}
		p[got++] = *w->script.p;
		w->script = span_from(w->script, 1);
	}
	if (got == 0)
		return md_fail(err, MD_AGAIN, 0, "the end");
	w->may_read -= got;
	*ret_n = got;
	return MD_OK;
}

/* libetpan hands over a command at once: it begins with its tag, a number. */
int wire_write(struct wire *w, const void *bytes, size_t n, struct md_err *err)
{
	const char *s = bytes;
	size_t tag = 0;

	(void)err;
	while (tag < n && tag + 1 < sizeof w->tag && ascii_digit(s[tag]))
		tag++;
	if (tag) {
		memcpy(w->tag, s, tag);
		w->tag[tag] = '\0';
	}
	return MD_OK;
}

int wire_fd(const struct wire *w)
{
	(void)w;
	return -1;
}

bool wire_is_secure(const struct wire *w)
{
	(void)w;
	return false;
}

bool wire_is_loopback(const struct wire *w)
{
	(void)w;
	return true;
}

bool wire_has_pending(const struct wire *w)
{
	return w->script.n > 0;
}

/* ---- a session as fetch has it ---- */

static int each(void *ctx, size_t index, const char *raw, size_t n, struct md_err *err)
{
	size_t *seen = ctx;
	volatile char last = n ? raw[n - 1] : raw[0];

	(void)err;
	(void)last;
	check(index < 3 && n <= 1 << 20);
	check(!(*seen & (size_t)1 << index)); /* no mail comes twice */
	*seen |= (size_t)1 << index;
	return MD_OK;
}

static void check_uids(const uint32_t *uids, size_t n, uint32_t after)
{
	for (size_t i = 0; i < n; i++) {
		check(uids[i] > after);
		after = uids[i];
	}
}

static int session(struct imap *s)
{
	md_auto(md_free_p) uint32_t *uids = NULL;
	md_auto(md_close_p) int fd = memfd_create("mail", MFD_CLOEXEC);
	struct imap_mail mails[3] = { { .uid = 4 }, { .uid = 5 }, { .uid = 9 } };
	const uint32_t marks[] = { 4, 5, 9 };
	struct imap_folder folder;
	size_t n = 0, seen = 0;
	bool all;
	int rc = imap_select(s, "INBOX", &folder, NULL);

	if (rc == MD_OK) {
		check(folder.uidvalidity);
		rc = imap_list(s, 3, &uids, &n, &all, NULL);
	}
	if (rc == MD_OK) {
		check_uids(uids, n, 3);
		rc = imap_sizes(s, mails, 3, NULL);
	}
	if (rc == MD_OK)
		rc = imap_fetch(s, mails, 3, each, &seen, NULL);
	seen = 0;
	if (rc == MD_OK)
		rc = imap_fetch_header(s, mails, 1000, each, &seen, NULL);
	if (rc == MD_OK)
		rc = imap_fetch_to_file(s, mails, fd, NULL);
	if (rc == MD_OK || rc == MD_NOTFOUND)
		rc = imap_mark(s, marks, 3, "move:Archive", NULL);
	if (rc == MD_OK)
		rc = imap_idle_start(s, NULL);
	if (rc == MD_OK)
		rc = imap_idle_done(s, NULL);
	if (rc == MD_OK)
		rc = imap_noop(s, NULL);
	imap_take_news(s);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct imap_config c = { .host = "localhost",
				 .port = 143,
				 .tls = "none",
				 .user = "u",
				 .secret = "s",
				 .timeout_ms = 1000 };
	md_auto(imap_close_p) struct imap *s = NULL;
	int rc;

	wire = (struct wire){ .script = { (const char *)data, n }, .tag = "1" };
	rc = imap_open(&c, &s, NULL);
	if (rc == MD_OK)
		rc = session(s);
	check(rc <= MD_OK && rc != MD_NOMEM);
	return 0;
}

/* imap_open.c - a session: its stream, what the server is capable of, and signing in.
 *
 * libetpan reads from a stream of ours: wire.h below, imap_guard.h in between. The stream's
 * callbacks say no more than -1, so the reason is kept in the session and preferred to libetpan's
 * own code, which calls a cut connection now a stream error, now a parse error.
 *
 * Known traps that are stepped around: mailimap_capability() reads through NULL when the server
 * lists none; results 1 and 2 are success; a connection is closed without mailimap_logout(), which
 * would wait for the peer; STARTTLS keeps neither bytes nor capabilities from before. */
#include "imap_private.h"

#include <maildesk/base/codec.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STREAM_BUFFER = 8192 };

/* ---- the stream under libetpan ---- */

static ssize_t low_read(mailstream_low *low, void *out, size_t n)
{
	struct imap *s = low->data;
	size_t got = 0;

	if (s->io.code == MD_OK)
		wire_read(s->wire, out, n, &got, &s->io);
	if (s->io.code == MD_OK)
		imap_guard_pass(&s->guard, out, got, &s->io);
	return s->io.code == MD_OK ? (ssize_t)got : -1; /* never 0: libetpan would ask again */
}

static ssize_t low_write(mailstream_low *low, const void *bytes, size_t n)
{
	struct imap *s = low->data;

	if (s->io.code == MD_OK)
		wire_write(s->wire, bytes, n, &s->io);
	return s->io.code == MD_OK ? (ssize_t)n : -1;
}

static int low_fd(mailstream_low *low)
{
	return wire_fd(((struct imap *)low->data)->wire);
}

static int low_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static void low_cancel(mailstream_low *low)
{
	(void)low;
}

static void low_free(mailstream_low *low)
{
	free(low);
}

static mailstream_low_driver driver = {
	.mailstream_read = low_read,
	.mailstream_write = low_write,
	.mailstream_get_fd = low_fd,
	.mailstream_close = low_close,
	.mailstream_cancel = low_cancel,
	.mailstream_free = low_free,
};

/* ---- capabilities ---- */

static const struct mailimap_capability_data *capabilities(const struct imap *s)
{
	const struct mailimap_connection_info *info = s->session->imap_connection_info;

	return info ? info->imap_capability : NULL;
}

bool imap_has(const struct imap *s, const char *capability)
{
	const struct mailimap_capability_data *data = capabilities(s);
	bool auth = strncmp(capability, "AUTH=", 5) == 0;
	const char *name = auth ? capability + 5 : capability;

	for (clistiter *i = data && data->cap_list ? clist_begin(data->cap_list) : NULL; i;
	     i = clist_next(i)) {
		const struct mailimap_capability *c = clist_content(i);
		const char *have = auth ? c->cap_data.cap_auth_type : c->cap_data.cap_name;

		if (auth == (c->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE) &&
		    strcasecmp(have, name) == 0)
			return true;
	}
	return false;
}

static void forget_capabilities(struct imap *s)
{
	struct mailimap_connection_info *info = s->session->imap_connection_info;

	if (info && info->imap_capability) {
		mailimap_capability_data_free(info->imap_capability);
		info->imap_capability = NULL;
	}
}

/* Unless the server told them of its own accord since they were forgotten. */
static int learn_capabilities(struct imap *s, struct md_err *err)
{
	int rc;

	if (capabilities(s))
		return MD_OK;
	imap_expect(s, SMALL_ANSWER);
	rc = imap_result(s, mailimap_custom_command(s->session, "CAPABILITY"), "CAPABILITY", err);
	return rc == MD_REFUSED ? md_wrap(err, MD_AGAIN, "before login") : rc;
}

/* ---- opening ---- */

static int greet(struct imap *s, bool *ret_preauth, struct md_err *err)
{
	mailstream_low *low = mailstream_low_new(s, &driver);
	mailstream *stream = low ? mailstream_new(low, STREAM_BUFFER) : NULL;
	int r;

	s->session = mailimap_new(0, NULL);
	if (!s->session || !stream) {
		if (stream)
			mailstream_close(stream);
		else if (low)
			mailstream_low_free(low);
		return md_fail(err, MD_NOMEM, 0, "IMAP: out of memory");
	}
	imap_expect(s, SMALL_ANSWER);
	r = mailimap_connect(s->session, stream);
	*ret_preauth = r == MAILIMAP_NO_ERROR_AUTHENTICATED;
	return imap_result(s, r, "greeting", err);
}

static int start_tls(struct imap *s, struct wire_trust *trust, struct md_err *err)
{
	int rc = learn_capabilities(s, err);

	if (rc != MD_OK)
		return rc;
	if (!imap_has(s, "STARTTLS"))
		return md_fail(err, MD_BROKEN, 0, "the server offers no STARTTLS");
	imap_expect(s, SMALL_ANSWER);
	rc = imap_result(s, mailimap_starttls(s->session), "STARTTLS", err);
	if (rc == MD_REFUSED)
		return md_wrap(err, MD_BROKEN, "no TLS");
	if (rc != MD_OK)
		return rc;
	/* What came in the clear behind the answer must not pass for the server's words. */
	if (s->session->imap_stream->read_buffer_len || !imap_guard_is_idle(&s->guard))
		return md_fail(err, MD_BROKEN, 0, "STARTTLS: data came in before TLS");
	forget_capabilities(s);
	imap_expect(s, SMALL_ANSWER);
	return wire_secure(s->wire, trust, err);
}

static bool one_line(const char *text)
{
	return !strpbrk(text, "\r\n");
}

/* SASL PLAIN (RFC 4616) with an initial response (RFC 4959), for servers without LOGIN. */
static int auth_plain(struct imap *s, const struct imap_config *c)
{
	md_auto(buf_done) struct buf secret = BUF_INIT(SMALL_ANSWER);
	md_auto(buf_done) struct buf line = BUF_INIT(2 * SMALL_ANSWER);
	int r;

	buf_addc(&secret, '\0');
	buf_adds(&secret, c->user);
	buf_addc(&secret, '\0');
	buf_adds(&secret, c->secret);
	buf_adds(&line, "AUTHENTICATE PLAIN ");
	base64_encode(&line, buf_str(&secret), secret.len);
	if (secret.status != MD_OK || line.status != MD_OK)
		return MAILIMAP_ERROR_MEMORY;
	r = mailimap_custom_command(s->session, line.data);
	if (r == MAILIMAP_NO_ERROR)
		s->session->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	return r;
}

static int log_in(struct imap *s, const struct imap_config *c, struct md_err *err)
{
	int r, rc = learn_capabilities(s, err);
	bool no_login;

	if (rc != MD_OK)
		return rc;
	/* The rule all settings come down to; kept next to where the credential leaves. */
	if (!wire_is_secure(s->wire) && !wire_is_loopback(s->wire))
		return md_fail(err, MD_BROKEN, 0, "no credential leaves without TLS");
	if (!one_line(c->user) || !one_line(c->secret))
		return md_fail(err, MD_BROKEN, 0, "line break in user or secret");
	if (c->xoauth2 && !imap_has(s, "AUTH=XOAUTH2"))
		return md_fail(err, MD_BROKEN, 0, "the server offers no XOAUTH2");
	no_login = imap_has(s, "LOGINDISABLED");
	if (no_login && !c->xoauth2 && !(imap_has(s, "AUTH=PLAIN") && imap_has(s, "SASL-IR")))
		return md_fail(err, MD_BROKEN, 0, "the server takes no password here");
	forget_capabilities(s); /* there may be others afterwards */
	imap_expect(s, SMALL_ANSWER);
	if (c->xoauth2)
		r = mailimap_oauth2_authenticate(s->session, c->user, c->secret);
	else if (no_login)
		r = auth_plain(s, c);
	else
		r = mailimap_login(s->session, c->user, c->secret);
	return imap_result(s, r, "login", err);
}

static int open_session(struct imap *s, const struct imap_config *c, struct md_err *err)
{
	bool starttls = strcmp(c->tls, "starttls") == 0, plain = strcmp(c->tls, "none") == 0;
	bool preauth = false;
	int rc = MD_OK;

	if (!starttls && !plain && strcmp(c->tls, "tls") != 0)
		return md_fail(err, MD_BROKEN, 0, "no such TLS setting: %s", c->tls);
	if (plain && !wire_is_loopback(s->wire))
		return md_fail(err, MD_BROKEN, 0, "without TLS to this machine only");
	imap_expect(s, SMALL_ANSWER);
	if (!starttls && !plain)
		rc = wire_secure(s->wire, c->trust, err);
	if (rc == MD_OK)
		rc = greet(s, &preauth, err);
	if (rc == MD_OK && preauth && !wire_is_secure(s->wire))
		rc = md_fail(err, MD_BROKEN, 0, "PREAUTH without TLS: who it is cannot be known");
	if (rc == MD_OK && starttls)
		rc = start_tls(s, c->trust, err);
	if (rc == MD_OK && !preauth)
		rc = log_in(s, c, err);
	if (rc == MD_OK)
		rc = learn_capabilities(s, err);
	return rc;
}

int imap_open(const struct imap_config *c, struct imap **ret, struct md_err *err)
{
	md_auto(imap_close_p) struct imap *s = md_calloc(1, sizeof *s);
	int rc;

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "IMAP: out of memory");
	s->timeout_ms = c->timeout_ms;
	rc = wire_connect(c->host, c->port, c->timeout_ms, &s->wire, err);
	if (rc == MD_OK) {
		rc = open_session(s, c, err);
		s->dead = rc != MD_OK;
	}
	if (rc != MD_OK)
		return md_wrap(err, rc, "%s:%d", c->host, c->port);
	*ret = md_take(s);
	return MD_OK;
}

void imap_close(struct imap *s)
{
	static const char logout[] = "BYE LOGOUT\r\n"; /* tag and command; nobody waits */

	if (!s)
		return;
	if (s->wire && s->session && !s->dead) {
		wire_limit(s->wire, 0, 0, 0);
		wire_write(s->wire, logout, sizeof logout - 1, NULL);
	}
	if (s->session) {
		if (s->session->imap_stream)
			mailstream_close(s->session->imap_stream);
		s->session->imap_stream = NULL;
		mailimap_free(s->session);
	}
	wire_free(s->wire);
	free(s);
}

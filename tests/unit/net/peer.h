/* A server on a loopback port that follows a script, for the tests of wire and imap. */
#ifndef PEER_H
#define PEER_H

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Wait for a line that contains `expect` (NULL: do not wait), then send `send`, in which "%t"
 * stands for the tag of the last line. PEER_TLS as `send` starts TLS. */
struct peer_step {
	const char *expect, *send;
};
#define PEER_TLS "\001tls"
#define PEER_SILENT "\001silent" /* say nothing until the client goes */
#define PEER_END           \
	{                  \
		NULL, NULL \
	}

struct peer {
	const struct peer_step *script;
	const struct peer_step *then; /* for the next connections; NULL: there is but one */
	gnutls_certificate_credentials_t credentials; /* for TLS */
	bool tls_first;
	size_t send_max; /* cut the connection after so many bytes; SIZE_MAX: never */
	size_t chunk;    /* bytes a write; 0: as they are */
	int pause_ms;    /* behind each write */
	/* set by peer_start */
	int listener, port;
	pthread_t thread;
	/* what the client said, readable after peer_join: in the clear and in all */
	struct buf clear, heard;
	size_t sent;
	/* of the thread */
	int fd;
	gnutls_session_t tls;
	char tag[32];
};

static inline ssize_t peer_recv(struct peer *p, char *c)
{
	ssize_t n;

	if (!p->tls)
		return recv(p->fd, c, 1, 0);
	do
		n = gnutls_record_recv(p->tls, c, 1);
	while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
	return n;
}

static inline bool peer_send(struct peer *p, const char *s, size_t n)
{
	while (n) {
		size_t m = p->chunk && p->chunk < n ? p->chunk : n;
		ssize_t k;

		if (m > p->send_max - p->sent)
			m = p->send_max - p->sent;
		if (!m)
			return false;
		k = p->tls ? gnutls_record_send(p->tls, s, m) : send(p->fd, s, m, MSG_NOSIGNAL);
		if (k <= 0)
			return false;
		p->sent += (size_t)k;
		s += k;
		n -= (size_t)k;
		(void)poll(NULL, 0, p->pause_ms);
	}
	return true;
}

static inline bool peer_line(struct peer *p, char *line, size_t room)
{
	size_t n = 0;
	char c;

	while (peer_recv(p, &c) == 1) {
		buf_addc(&p->heard, c);
		if (!p->tls)
			buf_addc(&p->clear, c);
		if (n < room - 1)
			line[n++] = c;
		line[n] = '\0';
		if (c == '\n')
			return true;
	}
	return false;
}

static inline bool peer_start_tls(struct peer *p)
{
	int rc;

	if (gnutls_init(&p->tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) != 0)
		return false;
	gnutls_set_default_priority(p->tls);
	gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, p->credentials);
	gnutls_transport_set_int(p->tls, p->fd);
	do
		rc = gnutls_handshake(p->tls);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	return rc == 0;
}

static inline bool peer_step(struct peer *p, const struct peer_step *step, char *line, size_t room)
{
	struct buf out = BUF_INIT(100 << 20);
	bool ok = true;

	while (step->expect) {
		if (!peer_line(p, line, room))
			return false;
		if (strcmp(line, "DONE\r\n") != 0)
			snprintf(p->tag, sizeof p->tag, "%.*s", (int)strcspn(line, " \r\n"), line);
		if (strstr(line, step->expect))
			break;
	}
	if (!step->send)
		return true;
	if (strcmp(step->send, PEER_TLS) == 0)
		return peer_start_tls(p);
	if (strcmp(step->send, PEER_SILENT) == 0) {
		while (peer_line(p, line, room))
			;
		return false;
	}
	for (const char *s = step->send; *s; s++) {
		if (s[0] == '%' && s[1] == 't') {
			buf_adds(&out, p->tag);
			s++;
		} else {
			buf_addc(&out, *s);
		}
	}
	ok = peer_send(p, buf_str(&out), out.len);
	buf_done(&out);
	return ok;
}

static inline void peer_serve(struct peer *p, const struct peer_step *script)
{
	struct timeval tv = { .tv_usec = 100000 };
	char line[4096] = "";

	if (!p->tls_first || peer_start_tls(p)) {
		for (const struct peer_step *s = script; s->expect || s->send; s++) {
			if (!peer_step(p, s, line, sizeof line))
				break;
		}
	}
	/* hear what else it says, but do not wait for ever */
	shutdown(p->fd, SHUT_WR);
	setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	while (peer_line(p, line, sizeof line))
		;
	if (p->tls)
		gnutls_deinit(p->tls);
	p->tls = NULL;
	close(p->fd);
}

static inline void *peer_run(void *arg)
{
	struct peer *p = arg;
	const struct peer_step *script = p->script;

	while (script && (p->fd = accept(p->listener, NULL, NULL)) >= 0) {
		peer_serve(p, script);
		script = p->then;
	}
	return NULL;
}

static inline int peer_start(struct peer *p)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->clear = (struct buf)BUF_INIT(1 << 20);
	p->heard = (struct buf)BUF_INIT(1 << 20);
	if (!p->send_max)
		p->send_max = SIZE_MAX;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(p->listener, 5) != 0 || getsockname(p->listener, (struct sockaddr *)&a, &n) != 0)
		return -1;
	p->port = ntohs(a.sin_port);
	return pthread_create(&p->thread, NULL, peer_run, p);
}

static inline void peer_join(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR); /* if nobody came, or comes again */
	pthread_join(p->thread, NULL);
	close(p->listener);
}

static inline void peer_done(struct peer *p)
{
	buf_done(&p->clear);
	buf_done(&p->heard);
}

/* ---- certificates ---- */

struct cert {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

/* Signed by `ca`, or by itself for NULL. `host` is a DNS name, or an IPv4 address. */
static inline struct cert cert_make(const struct cert *ca, const char *host, time_t from, time_t to)
{
	static unsigned char serial;
	struct cert c;
	struct in_addr ip;

	gnutls_x509_privkey_init(&c.key);
	gnutls_x509_privkey_generate(c.key, GNUTLS_PK_ECDSA,
				     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&c.crt);
	gnutls_x509_crt_set_version(c.crt, 3);
	serial++;
	gnutls_x509_crt_set_serial(c.crt, &serial, 1);
	gnutls_x509_crt_set_dn_by_oid(c.crt, GNUTLS_OID_X520_COMMON_NAME, 0, host,
				      (unsigned int)strlen(host));
	gnutls_x509_crt_set_activation_time(c.crt, from);
	gnutls_x509_crt_set_expiration_time(c.crt, to);
	gnutls_x509_crt_set_key(c.crt, c.key);
	if (inet_pton(AF_INET, host, &ip) == 1)
		gnutls_x509_crt_set_subject_alt_name(c.crt, GNUTLS_SAN_IPADDRESS, &ip, 4, 0);
	else
		gnutls_x509_crt_set_subject_alt_name(c.crt, GNUTLS_SAN_DNSNAME, host,
						     (unsigned int)strlen(host), 0);
	gnutls_x509_crt_set_ca_status(c.crt, strcmp(host, "ca") == 0);
	gnutls_x509_crt_set_key_usage(c.crt, strcmp(host, "ca") == 0
						     ? GNUTLS_KEY_KEY_CERT_SIGN
						     : GNUTLS_KEY_DIGITAL_SIGNATURE);
	gnutls_x509_crt_sign2(c.crt, ca ? ca->crt : c.crt, ca ? ca->key : c.key, GNUTLS_DIG_SHA256,
			      0);
	return c;
}

static inline void cert_free(struct cert *c)
{
	gnutls_x509_crt_deinit(c->crt);
	gnutls_x509_privkey_deinit(c->key);
}

static inline gnutls_certificate_credentials_t cert_credentials(struct cert *c)
{
	gnutls_certificate_credentials_t cred;

	gnutls_certificate_allocate_credentials(&cred);
	gnutls_certificate_set_x509_key(cred, &c->crt, 1, c->key);
	return cred;
}

static inline char *cert_pem(struct cert *c)
{
	gnutls_datum_t out;
	char *pem;

	gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &out);
	pem = strndup((char *)out.data, out.size);
	gnutls_free(out.data);
	return pem;
}

#endif

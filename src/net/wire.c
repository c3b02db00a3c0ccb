#include <maildesk/net/wire.h>

#include <maildesk/base/clock.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEP_IDLE_S = 60, KEEP_INTERVAL_S = 15, KEEP_PROBES = 3, UNSENT_MAX_MS = 100000 };
enum { SYSTEM_TRUST_MAX_MS = 24 * 60 * 60 * 1000 };

struct wire_trust {
	atomic_int refs;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};

struct wire {
	int fd;
	char *host;
	gnutls_session_t tls; /* NULL: plain */
	struct wire_trust *trust;
	unsigned char ip[16];              /* of a host that is an address */
	gnutls_typed_vdata_st expected[2]; /* GnuTLS keeps pointers into it */
	int64_t deadline_ms, silence_ms;
	uint64_t bytes_left;
	bool loopback, verified;
};

/* ---- trust ---- */

/* For pem == NULL the system's. */
static int trust_new(const char *pem, size_t n, struct wire_trust **ret, struct md_err *err)
{
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)pem, (unsigned int)n };
	md_auto(wire_trust_unref_p) struct wire_trust *t = md_calloc(1, sizeof *t);
	int rc;

	if (!t)
		return md_fail(err, MD_NOMEM, 0, "certificates: out of memory");
	t->refs = 1;
	rc = gnutls_certificate_allocate_credentials(&t->credentials);
	if (rc == 0)
		rc = gnutls_priority_init(&t->priority, "SECURE128:-VERS-TLS1.0:-VERS-TLS1.1",
					  NULL);
	if (rc == 0)
		rc = pem ? gnutls_certificate_set_x509_trust_mem(t->credentials, &data,
								 GNUTLS_X509_FMT_PEM)
			 : gnutls_certificate_set_x509_system_trust(t->credentials);
	if (rc <= 0)
		return md_fail(err, MD_BROKEN, rc, "%s: %s",
			       pem ? "CA file" : "the system's certificates",
			       rc ? gnutls_strerror(rc) : "no certificate in it");
	*ret = md_take(t);
	return MD_OK;
}

int wire_trust_new(const char *pem, size_t n, struct wire_trust **ret, struct md_err *err)
{
	return trust_new(pem, n, ret, err);
}

int wire_trust_system(struct wire_trust **ret, struct md_err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct wire_trust *kept;
	static int64_t read_at_ms;
	int64_t now = clock_mono(&clock_system);
	struct wire_trust *fresh;
	int rc = MD_OK;

	pthread_mutex_lock(&lock);
	if (!kept || now - read_at_ms > SYSTEM_TRUST_MAX_MS) {
		rc = trust_new(NULL, 0, &fresh, err);
		if (rc == MD_OK) {
			wire_trust_unref(kept);
			kept = fresh;
			read_at_ms = now;
		}
	}
	if (rc == MD_OK)
		*ret = wire_trust_ref(kept);
	pthread_mutex_unlock(&lock);
	return rc;
}

struct wire_trust *wire_trust_ref(struct wire_trust *t)
{
	t->refs++;
	return t;
}

void wire_trust_unref(struct wire_trust *t)
{
	if (!t || --t->refs > 0)
		return;
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	free(t);
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
	return clock_mono(&clock_system);
}

void wire_limit(struct wire *w, int64_t silence_ms, int64_t total_ms, uint64_t bytes)
{
	w->silence_ms = silence_ms;
	w->deadline_ms = now_ms() + total_ms;
	w->bytes_left = bytes;
}

uint64_t wire_bytes_left(const struct wire *w)
{
	return w->bytes_left;
}

static int wait_until(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline_ms - now_ms();
		int n;

		if (left < 0)
			return ETIMEDOUT;
		n = poll(&p, 1, left > 60000 ? 60000 : (int)left + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
	}
}

static int wait_for(struct wire *w, short events, struct md_err *err)
{
	int64_t silent = now_ms() + w->silence_ms;
	int e = wait_until(w->fd, events, silent < w->deadline_ms ? silent : w->deadline_ms);

	if (e == ETIMEDOUT)
		return md_fail(err, MD_AGAIN, e, "%s: too slow, or no answer", w->host);
	return e ? md_fail(err, MD_AGAIN, e, "%s: %s", w->host, strerror(e)) : MD_OK;
}

/* ---- connecting ---- */

static bool address_is_loopback(const struct sockaddr *a)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;

	if (a->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (a->sa_family != AF_INET6)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
		v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

static void set_option(int fd, int level, int name, int value)
{
	/* without it things are slower to notice, not wrong */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

static void tune(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_PROBES);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNSENT_MAX_MS);
}

/* A connected socket, or -1 with errno. */
static int connect_one(const struct addrinfo *a, int64_t deadline_ms)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof(int);
	int e = 0;

	if (fd < 0)
		return -1;
	tune(fd);
	if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
		e = errno == EINPROGRESS ? wait_until(fd, POLLOUT, deadline_ms) : errno;
		if (e == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
			e = errno;
	}
	if (e) {
		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

/* Each address gets its share of the time, so that one black hole does not eat it all. */
static int connect_any(struct wire *w, const struct addrinfo *list, struct md_err *err)
{
	int left = 0;

	for (const struct addrinfo *a = list; a; a = a->ai_next)
		left++;
	for (const struct addrinfo *a = list; a; a = a->ai_next, left--) {
		int64_t now = now_ms();

		w->fd = connect_one(a, now + (w->deadline_ms - now) / left);
		w->loopback = address_is_loopback(a->ai_addr);
		if (w->fd >= 0)
			return MD_OK;
	}
	return md_fail(err, MD_AGAIN, errno, "%s: %s", w->host, strerror(errno));
}

int wire_connect(const char *host, int port, int64_t timeout_ms, struct wire **ret,
		 struct md_err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	md_auto(wire_free_p) struct wire *w = md_calloc(1, sizeof *w);
	struct addrinfo *list = NULL;
	char service[16];
	size_t n = strlen(host);
	int rc;

	if (w) {
		w->fd = -1;
		w->host = md_strdup(host);
	}
	if (!w || !w->host)
		return md_fail(err, MD_NOMEM, 0, "%s: out of memory", host);
	if (n > 1 && w->host[n - 1] == '.') /* the root's dot is no part of a certificate's name */
		w->host[n - 1] = '\0';
	wire_limit(w, timeout_ms, timeout_ms, 0);
	snprintf(service, sizeof service, "%d", port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc != 0)
		return md_fail(err, MD_AGAIN, rc, "%s: %s", host,
			       rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	rc = connect_any(w, list, err);
	freeaddrinfo(list);
	if (rc == MD_OK)
		*ret = md_take(w);
	return rc;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	if (w->verified)
		gnutls_bye(w->tls, GNUTLS_SHUT_WR); /* does not block: the socket does not */
	if (w->tls)
		gnutls_deinit(w->tls);
	wire_trust_unref(w->trust);
	if (w->fd >= 0)
		close(w->fd);
	free(w->host);
	free(w);
}

/* ---- TLS ---- */

/* Who the certificate must be for. An address is no name: it is looked for among addresses. */
static int expect_host(struct wire *w)
{
	unsigned int n = 0;

	if (inet_pton(AF_INET, w->host, w->ip) == 1)
		n = 4;
	else if (inet_pton(AF_INET6, w->host, w->ip) == 1)
		n = 16;
	w->expected[0] = (gnutls_typed_vdata_st){
		.type = n ? GNUTLS_DT_IP_ADDRESS : GNUTLS_DT_DNS_HOSTNAME,
		.data = n ? w->ip : (unsigned char *)w->host,
		.size = n,
	};
	w->expected[1] = (gnutls_typed_vdata_st){
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER,
	};
	gnutls_session_set_verify_cert2(w->tls, w->expected, 2, 0);
	return n ? 0 : gnutls_server_name_set(w->tls, GNUTLS_NAME_DNS, w->host, strlen(w->host));
}

static int tls_failed(struct wire *w, int rc, struct md_err *err)
{
	gnutls_datum_t why = { 0 };
	int code = MD_BROKEN;

	if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR || rc == GNUTLS_E_CERTIFICATE_ERROR) {
		gnutls_certificate_verification_status_print(gnutls_session_get_verify_cert_status(
								     w->tls),
							     GNUTLS_CRT_X509, &why, 0);
		md_fail(err, MD_BROKEN, rc, "%s: certificate refused: %s", w->host,
			why.data ? (char *)why.data : gnutls_strerror(rc));
		gnutls_free(why.data);
		return MD_BROKEN;
	}
	if (rc == GNUTLS_E_PREMATURE_TERMINATION || rc == GNUTLS_E_PULL_ERROR ||
	    rc == GNUTLS_E_PUSH_ERROR)
		code = MD_AGAIN;
	return md_fail(err, (enum md_code)code, rc, "%s: TLS: %s", w->host, gnutls_strerror(rc));
}

int wire_secure(struct wire *w, struct wire_trust *trust, struct md_err *err)
{
	int rc = gnutls_init(&w->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	if (rc != 0)
		return tls_failed(w, rc, err);
	w->trust = wire_trust_ref(trust);
	gnutls_transport_set_int(w->tls, w->fd);
	gnutls_handshake_set_timeout(w->tls, GNUTLS_INDEFINITE_TIMEOUT); /* ours holds */
	rc = gnutls_priority_set(w->tls, trust->priority);
	if (rc == 0)
		rc = gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE, trust->credentials);
	if (rc == 0)
		rc = expect_host(w);
	if (rc != 0)
		return tls_failed(w, rc, err);
	while ((rc = gnutls_handshake(w->tls)) != 0) {
		int e = MD_OK;

		if (rc == GNUTLS_E_AGAIN)
			e = wait_for(w, gnutls_record_get_direction(w->tls) ? POLLOUT : POLLIN,
				     err);
		else if (gnutls_error_is_fatal(rc))
			e = tls_failed(w, rc, err);
		if (e != MD_OK)
			return e;
	}
	w->verified = true;
	return MD_OK;
}

/* ---- bytes ---- */

/* What a read or a write of either kind came to: n >= 0 bytes; wait for events; or an error. */
enum { RETRY = -1, WAIT_IN = -2, WAIT_OUT = -3, FAILED = -4 };

static ssize_t outcome(struct wire *w, ssize_t n, int blocked_on, struct md_err *err)
{
	if (n >= 0)
		return n;
	if (!w->tls) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return blocked_on;
		if (errno == EINTR)
			return RETRY;
		md_fail(err, MD_AGAIN, errno, "%s: %s", w->host, strerror(errno));
		return FAILED;
	}
	if (n == GNUTLS_E_AGAIN)
		return gnutls_record_get_direction(w->tls) ? WAIT_OUT : WAIT_IN;
	if (n == GNUTLS_E_REHANDSHAKE || gnutls_error_is_fatal((int)n)) {
		md_fail(err, MD_AGAIN, (int)n, "%s: TLS: %s", w->host, gnutls_strerror((int)n));
		return FAILED;
	}
	return RETRY;
}

static int wait_out(struct wire *w, ssize_t n, struct md_err *err)
{
	if (n == FAILED)
		return MD_AGAIN;
	return n == RETRY ? MD_OK : wait_for(w, n == WAIT_OUT ? POLLOUT : POLLIN, err);
}

/* Nothing goes through a TLS session whose peer did not prove who it is. */
static int usable(struct wire *w, struct md_err *err)
{
	return !w->tls || w->verified ? MD_OK
				      : md_fail(err, MD_BROKEN, 0, "%s: not verified", w->host);
}

int wire_read(struct wire *w, void *out, size_t n, size_t *ret_n, struct md_err *err)
{
	int rc = usable(w, err);

	if (rc != MD_OK)
		return rc;
	if (!w->bytes_left)
		return md_fail(err, MD_INPUT, 0, "%s: sends more than it was asked for", w->host);
	if (n > w->bytes_left)
		n = (size_t)w->bytes_left;
	while (rc == MD_OK) {
		ssize_t got = w->tls ? gnutls_record_recv(w->tls, out, n) : recv(w->fd, out, n, 0);

		got = outcome(w, got, WAIT_IN, err);
		if (got == 0)
			return md_fail(err, MD_AGAIN, 0, "%s: closed the connection", w->host);
		if (got > 0) {
			w->bytes_left -= (uint64_t)got;
			*ret_n = (size_t)got;
			return MD_OK;
		}
		rc = wait_out(w, got, err);
	}
	return rc;
}

int wire_write(struct wire *w, const void *bytes, size_t n, struct md_err *err)
{
	const char *p = bytes;
	int rc = usable(w, err);

	while (n && rc == MD_OK) {
		ssize_t sent =
			w->tls ? gnutls_record_send(w->tls, p, n) : send(w->fd, p, n, MSG_NOSIGNAL);

		sent = outcome(w, sent, WAIT_OUT, err);
		if (sent >= 0) {
			p += sent;
			n -= (size_t)sent;
		} else {
			rc = wait_out(w, sent, err);
		}
	}
	return rc;
}

int wire_fd(const struct wire *w)
{
	return w->fd;
}

bool wire_is_secure(const struct wire *w)
{
	return w->verified;
}

bool wire_is_loopback(const struct wire *w)
{
	return w->loopback;
}

bool wire_has_pending(const struct wire *w)
{
	return w->tls && gnutls_record_check_pending(w->tls) > 0;
}

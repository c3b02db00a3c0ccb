/* The server: one thread accepts, a few workers (each its own libmicrohttpd daemon with epoll)
 * serve, and what may take long is run aside (http_aside.c). libmicrohttpd's thread pool may put
 * all connections on one worker, so the acceptor hands each to the worker with the fewest. It also
 * looks after the connections (http_connection.c). */
#include "http_private.h"

#include <maildesk/base/random.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REAP_EVERY_MS = 100,
	DRAIN_MS = 2000,
	POOL_BYTES = 32 << 10, /* of a connection: header and answer head */
	NO_LIMIT = 1 << 16,    /* at its own limit the library leaves added connections unserved */
};

/* ---- accepting ---- */

static void hand_over(struct http_server *s, unsigned *turn, int fd, const struct sockaddr *peer,
		      socklen_t n)
{
	struct http_worker *best = NULL;
	int on = 1;

	/* From the next one on, so that those not counted yet are spread too. */
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct http_worker *w = &s->workers[(*turn + i) % s->n_workers];
		if (!best || atomic_load(&w->connections) < atomic_load(&best->connections))
			best = w;
	}
	++*turn;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	atomic_fetch_add(&s->handed, 1);
	if (MHD_add_connection(best->daemon, fd, peer, n) != MHD_YES) /* it is closed then */
		atomic_fetch_sub(&s->handed, 1);
}

/* False when the process is out of descriptors. */
static bool accept_some(struct http_server *s, unsigned *turn)
{
	for (int i = 0; i < 64; i++) {
		struct sockaddr_storage peer;
		socklen_t n = sizeof peer;
		int fd = accept4(s->listen_fd, (struct sockaddr *)&peer, &n,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return errno != EMFILE && errno != ENFILE;
		http_make_room(s, (struct sockaddr *)&peer);
		if (s->tls)
			http_tls_look();
		hand_over(s, turn, fd, (struct sockaddr *)&peer, n);
	}
	return true;
}

static void *acceptor(void *arg)
{
	struct http_server *s = arg;
	struct pollfd p[2] = { { s->stop_fd, POLLIN, 0 }, { s->listen_fd, POLLIN, 0 } };
	unsigned turn = 0, number = HTTP_THREADS(s->n_workers) - 1;
	int64_t next = 0;
	bool watch = false, descriptors = true;

	pthread_setname_np(pthread_self(), "http-accept");
	for (;;) {
		int n = poll(p, descriptors ? 2 : 1, watch ? REAP_EVERY_MS : -1);
		int64_t now = clock_mono(&clock_system);

		if (n > 0 && p[0].revents)
			return NULL;
		http_tell_works(s, number, true);
		if (n > 0 && descriptors) {
			descriptors = accept_some(s, &turn);
			if (!descriptors)
				http_make_room(s, NULL);
			watch = true; /* the workers list them a little later */
		} else {
			descriptors = true;
		}
		if (now >= next) {
			next = now + REAP_EVERY_MS;
			watch = http_reap(s) || n > 0;
		}
		http_tell_works(s, number, false);
	}
}

/* ---- start and stop ---- */

static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
static struct MHD_OptionItem no_options[] = { { MHD_OPTION_END, 0, NULL } };
static struct MHD_OptionItem tls_options[] = {
	{ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
	{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)http_tls_certificate },
	{ MHD_OPTION_END, 0, NULL },
};

static int start_workers(struct http_server *s, struct md_err *err)
{
	s->workers = md_calloc(s->options.workers, sizeof *s->workers);
	if (!s->workers)
		return md_fail(err, MD_NOMEM, 0, "http: out of memory");
	for (unsigned i = 0; i < s->options.workers; i++) {
		struct http_worker *w = &s->workers[i];

		w->server = s;
		w->daemon = MHD_start_daemon(
			MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
				MHD_ALLOW_SUSPEND_RESUME | (s->tls ? MHD_USE_TLS : 0),
			0, NULL, NULL, http_on_request, w, MHD_OPTION_ARRAY,
			s->tls ? tls_options : no_options, MHD_OPTION_URI_LOG_CALLBACK, http_on_uri,
			w, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, w,
			MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, w,
			MHD_OPTION_CONNECTION_LIMIT, NO_LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
			(size_t)POOL_BYTES, MHD_OPTION_THREAD_STACK_SIZE, (size_t)HTTP_STACK_BYTES,
			MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
		if (!w->daemon)
			return md_fail(err, MD_BROKEN, errno, "http: cannot start a worker: %s",
				       strerror(errno));
		s->n_workers++;
	}
	return MD_OK;
}

static int resolve(const char *listen, struct addrinfo **ret, struct md_err *err)
{
	static const struct addrinfo hints = { .ai_flags =
						       AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					       .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(listen, ':');
	size_t n = colon ? (size_t)(colon - listen) : 0;
	char host[HTTP_ADDRESS_MAX];

	if (colon && strtoul(colon + 1, NULL, 10) > UINT16_MAX)
		n = 0; /* glibc would take the lower bits */
	if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
		listen++;
		n -= 2;
	}
	if (!n || n >= sizeof host)
		return md_fail(err, MD_INPUT, 0, "http: '%s' is no ADDRESS:PORT", listen);
	memcpy(host, listen, n);
	host[n] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, ret) != 0)
		return md_fail(err, MD_INPUT, 0, "http: '%s' is no ADDRESS:PORT", listen);
	return MD_OK;
}

static void name_socket(struct http_server *s)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof at;
	char host[48], port[8];

	if (getsockname(s->listen_fd, (struct sockaddr *)&at, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	snprintf(s->listening, sizeof s->listening, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
		 host, port);
}

static const char *way_out(int why)
{
	return why == EADDRINUSE      ? "; end what listens there (ss -ltnp), or change http.listen"
	       : why == EACCES        ? "; ports below 1024 are for maildesk.socket, or a proxy"
	       : why == EADDRNOTAVAIL ? "; this machine has no such address: change http.listen"
				      : "";
}

int http_listen(const char *at, int *ret_fd, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	struct addrinfo *found;
	int on = 1, rc = resolve(at, &found, err);

	if (rc != MD_OK)
		return rc;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 512) != 0)
		rc = md_fail(err, MD_BROKEN, errno, "http: cannot listen on %s: %s%s", at,
			     strerror(errno), way_out(errno));
	freeaddrinfo(found);
	if (rc == MD_OK) {
		*ret_fd = fd;
		fd = -1;
	}
	return rc;
}

static int listen_on(struct http_server *s, struct md_err *err)
{
	int rc = MD_OK;

	if (s->options.socket < 0)
		rc = http_listen(s->options.listen, &s->listen_fd, err);
	else if ((s->listen_fd = fcntl(s->options.socket, F_DUPFD_CLOEXEC, 0)) < 0)
		rc = md_fail(err, MD_BROKEN, errno, "http: the socket: %s", strerror(errno));
	if (rc == MD_OK)
		name_socket(s);
	return rc;
}

static int read_proxies(struct http_server *s, struct md_err *err)
{
	const struct rec_strs *from = &s->options.trusted_proxies;

	s->proxies = md_calloc(from->n + 1, sizeof *s->proxies);
	if (!s->proxies)
		return md_fail(err, MD_NOMEM, 0, "http: out of memory");
	for (; s->n_proxies < from->n; s->n_proxies++)
		if (http_block_parse(from->v[s->n_proxies], &s->proxies[s->n_proxies]) != MD_OK)
			return md_fail(err, MD_INPUT, 0,
				       "http: trusted proxy '%s' is no address or block",
				       from->v[s->n_proxies]);
	return MD_OK;
}

int http_start(const struct http_options *o, const struct http_service *service,
	       struct http_server **ret, struct md_err *err)
{
	md_auto(http_stop_p) struct http_server *s = md_calloc(1, sizeof *s);
	int rc;

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "http: out of memory");
	s->options = *o;
	s->service = *service;
	s->listen_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	http_aside_init(&s->aside);
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (s->stop_fd < 0)
		return md_fail(err, MD_BROKEN, errno, "http: eventfd: %s", strerror(errno));
	random_fill(&random_system, &s->id_begin, sizeof s->id_begin);
	s->counts = md_calloc(service->n_routes + 1, sizeof *s->counts);
	if (!s->counts)
		return md_fail(err, MD_NOMEM, 0, "http: out of memory");
	if (o->certificate && *o->certificate) {
		rc = http_tls_start(o->certificate, o->key, err);
		if (rc != MD_OK)
			return rc;
		s->tls = true;
	}
	if ((rc = http_routes_index(s, err)) != MD_OK ||
	    (rc = limiter_new(&s->limiter, err)) != MD_OK || (rc = read_proxies(s, err)) != MD_OK ||
	    (rc = listen_on(s, err)) != MD_OK || (rc = start_workers(s, err)) != MD_OK ||
	    (rc = http_aside_start(s, err)) != MD_OK)
		return rc;
	rc = pthread_create(&s->acceptor, NULL, acceptor, s);
	if (rc != 0)
		return md_fail(err, MD_BROKEN, rc, "http: cannot start a thread: %s", strerror(rc));
	s->accepting = true;
	*ret = md_take(s);
	return MD_OK;
}

static void drain(struct http_server *s)
{
	int64_t until = clock_mono(&clock_system) + DRAIN_MS;

	while ((atomic_load(&s->running) || http_is_expecting(s)) &&
	       clock_mono(&clock_system) < until)
		poll(NULL, 0, 5);
}

void http_stop(struct http_server *s)
{
	if (!s)
		return;
	if (s->accepting) {
		(void)eventfd_write(s->stop_fd, 1);
		pthread_join(s->acceptor, NULL);
		http_streams_end(s);
		drain(s);
	}
	http_aside_stop(&s->aside);
	for (unsigned i = 0; i < s->n_workers; i++) {
		MHD_stop_daemon(s->workers[i].daemon);
		if (s->workers[i].gzip_ready)
			deflateEnd(&s->workers[i].gzip);
	}
	http_aside_done(&s->aside);
	free(s->workers);
	md_close_p(&s->listen_fd);
	md_close_p(&s->stop_fd);
	if (s->tls)
		http_tls_stop();
	free(s->counts);
	free(s->beginnings);
	free(s->proxies);
	limiter_free(s->limiter);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const char *http_listening(const struct http_server *s)
{
	return s->listening;
}

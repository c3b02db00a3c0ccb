/* Connections: libmicrohttpd's time-out counts silence only, so a client that drips a byte a second
 * would stay for ever. So every connection has a deadline for what it is at (header, body, answer,
 * pause) and the acceptor shuts down the sockets of those that missed it; their worker sees the end
 * of the stream and cleans up. When the table is full, or one address has many that ask nothing,
 * who has waited longest without a request makes room for the next.
 *
 * Deadlines of sockets are real time, whatever clock the service is given. */
#include "http_private.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { EXPECTED_MS = 300 }; /* from a connection to the first byte of its request, at a stop */

static void connection_start(struct http_worker *w, struct MHD_Connection *con, void **context)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *peer =
		MHD_get_connection_info(con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_server *s = w->server;
	struct http_connection *c = md_calloc(1, sizeof *c);

	atomic_fetch_sub(&s->handed, 1);
	atomic_fetch_add(&w->connections, 1);
	*context = c;
	if (!c || !fd) {
		free(c);
		*context = NULL; /* its requests are refused */
		return;
	}
	c->fd = fd->connect_fd;
	c->since_ms = clock_mono(&clock_system);
	atomic_store(&c->deadline, clock_mono(&clock_system) + s->options.header_ms);
	if (peer)
		http_peer_address(peer->client_addr, c->peer);
	pthread_mutex_lock(&s->lock);
	c->next = s->connections;
	c->at = &s->connections;
	if (c->next)
		c->next->at = &c->next;
	s->connections = c;
	s->n_connections++;
	pthread_mutex_unlock(&s->lock);
}

/* Called before the socket is closed, so a listed descriptor is always an open one. */
static void connection_end(struct http_worker *w, void **context)
{
	struct http_server *s = w->server;
	struct http_connection *c = *context;

	atomic_fetch_sub(&w->connections, 1);
	if (!c)
		return;
	pthread_mutex_lock(&s->lock);
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	s->n_connections--;
	pthread_mutex_unlock(&s->lock);
	free(c);
	*context = NULL;
}

void http_on_connection(void *cls, struct MHD_Connection *con, void **context,
			enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		connection_start(cls, con, context);
	else
		connection_end(cls, context);
}

/* Shut down who is late; true when there are connections left to watch. */
bool http_reap(struct http_server *s)
{
	int64_t now = clock_mono(&clock_system);
	bool any;

	pthread_mutex_lock(&s->lock);
	for (struct http_connection *c = s->connections; c; c = c->next)
		if (atomic_load(&c->deadline) <= now)
			shutdown(c->fd, SHUT_RDWR);
	any = s->connections != NULL;
	pthread_mutex_unlock(&s->lock);
	return any;
}

bool http_is_expecting(struct http_server *s)
{
	int64_t since = clock_mono(&clock_system) - EXPECTED_MS;
	bool any = atomic_load(&s->handed) > 0;

	pthread_mutex_lock(&s->lock);
	for (struct http_connection *c = s->connections; c && !any; c = c->next)
		any = !atomic_load(&c->asked) && c->since_ms > since;
	pthread_mutex_unlock(&s->lock);
	return any;
}

/* Who waited longest without a request, of all or of that block; NULL when all are at something. */
static struct http_connection *longest_waiting(struct http_server *s, const struct http_block *of)
{
	struct http_connection *oldest = NULL;

	for (struct http_connection *c = s->connections; c; c = c->next)
		if (atomic_load(&c->phase) == HTTP_WAITING &&
		    (!of || http_block_has(of, c->peer)) &&
		    (!oldest || atomic_load(&c->deadline) <= atomic_load(&oldest->deadline)))
			oldest = c;
	return oldest;
}

/* Connections of that block on which nothing is being answered, and that stay. */
static size_t count_idle(struct http_server *s, const struct http_block *of)
{
	size_t n = 0;

	for (struct http_connection *c = s->connections; c; c = c->next) {
		enum http_phase phase = atomic_load(&c->phase);

		n += phase != HTTP_ANSWERING && phase != HTTP_LEAVING &&
		     http_block_has(of, c->peer);
	}
	return n;
}

static void leave(struct http_connection *c)
{
	atomic_store(&c->phase, HTTP_LEAVING);
	shutdown(c->fd, SHUT_RDWR);
}

void http_make_room(struct http_server *s, const struct sockaddr *peer)
{
	struct http_connection *leaves = NULL;
	struct http_block block;

	pthread_mutex_lock(&s->lock);
	if (!peer || s->n_connections >= s->options.connections_max)
		leaves = longest_waiting(s, NULL);
	if (leaves) {
		leave(leaves);
	} else if (peer && s->options.per_address_max) {
		http_peer_block(peer, &block);
		/* More than one when several that were answered at the last look have become idle.
		 */
		while (!http_is_trusted(s, block.bytes) &&
		       count_idle(s, &block) >= s->options.per_address_max &&
		       (leaves = longest_waiting(s, &block)))
			leave(leaves);
	}
	pthread_mutex_unlock(&s->lock);
}

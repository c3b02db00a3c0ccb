/* Answers that go on. A stream is shared by the connection, on its worker's thread, and by the
 * writer, on any other. With nothing to send the connection is suspended: it costs no thread and no
 * turn of the loop; who writes wakes it. The stream's lock is held over both, so nobody wakes what
 * is not asleep yet, and nothing is touched that libmicrohttpd has freed: a suspended connection
 * does not end. A client that takes nothing has missed its deadline when the writer's next bytes
 * wake the connection, and is shut down like any other (http.c). */
#include "http_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 4096 };

struct http_stream {
	struct http_stream *next, **at; /* in the server's list, while there is a connection */
	struct http_server *server;
	atomic_uint references;
	pthread_mutex_t lock;
	struct MHD_Connection *con; /* NULL: not yet, or no more */
	struct http_connection *connection;
	int64_t silence_ms; /* that a client may take to make room */
	struct buf out;
	size_t sent; /* of it */
	bool suspended, ended, gone, wanted;
	const char *type;
	void (*room)(void *ctx);
	void *ctx;
};

static void unref(struct http_stream *s)
{
	if (atomic_fetch_sub(&s->references, 1) != 1)
		return;
	buf_done(&s->out);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int http_stream_begin(struct http_request *q, struct http_response *r, const char *type, size_t max,
		      void (*room)(void *ctx), void *ctx, struct http_stream **ret,
		      struct md_err *err)
{
	const struct http_exchange *ex = (const struct http_exchange *)(const void *)q;
	struct http_stream *s = md_calloc(1, sizeof *s);

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "stream: out of memory");
	pthread_mutex_init(&s->lock, NULL);
	atomic_init(&s->references, 2);
	s->server = ex->server;
	s->connection = ex->connection;
	s->silence_ms = ex->server->options.body_ms;
	s->out = (struct buf)BUF_INIT(max);
	s->type = type;
	s->room = room;
	s->ctx = ctx;
	r->stream = s;
	*ret = s;
	return MD_OK;
}

static void wake(struct http_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->con);
}

int http_stream_write(struct http_stream *s, const void *bytes, size_t n)
{
	int rc = MD_OK;

	pthread_mutex_lock(&s->lock);
	if (s->gone || s->ended) {
		rc = MD_NOTFOUND;
	} else if (s->out.len - s->sent + n > s->out.max) {
		s->wanted = true;
		rc = MD_AGAIN;
	} else {
		if (s->out.len + n > s->out.max) {
			memmove(s->out.data, s->out.data + s->sent, s->out.len - s->sent);
			buf_cut(&s->out, s->out.len - s->sent);
			s->sent = 0;
		}
		buf_add(&s->out, bytes, n);
		rc = s->out.status;
		if (rc == MD_OK)
			wake(s);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

bool http_stream_is_read(struct http_stream *s)
{
	bool is_read;
	char c;

	pthread_mutex_lock(&s->lock);
	is_read = !s->gone;
	if (s->connection) {
		ssize_t n = recv(s->connection->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

		is_read = n > 0 || (n < 0 && errno == EAGAIN);
	}
	pthread_mutex_unlock(&s->lock);
	return is_read;
}

void http_stream_end(struct http_stream *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	wake(s);
	pthread_mutex_unlock(&s->lock);
	unref(s);
}

/* ---- the connection's side ---- */

static ssize_t read_some(void *cls, uint64_t pos, char *to, size_t max)
{
	struct http_stream *s = cls;
	void (*room)(void *) = NULL;
	ssize_t n;

	(void)pos;
	pthread_mutex_lock(&s->lock);
	if (s->connection)
		atomic_store(&s->connection->deadline, clock_mono(&clock_system) + s->silence_ms);
	n = (ssize_t)(s->out.len - s->sent < max ? s->out.len - s->sent : max);
	if (n) {
		memcpy(to, s->out.data + s->sent, (size_t)n);
		s->sent += (size_t)n;
	}
	if (s->sent == s->out.len) {
		/* Most of the time there is little to say: the memory is not kept for it. */
		buf_done(&s->out);
		s->out = (struct buf)BUF_INIT(s->out.max);
		s->sent = 0;
		room = s->wanted ? s->room : NULL;
		s->wanted = false;
	}
	if (!n && s->ended) {
		n = MHD_CONTENT_READER_END_OF_STREAM;
	} else if (!n) {
		s->suspended = true;
		MHD_suspend_connection(s->con);
	}
	pthread_mutex_unlock(&s->lock);
	if (room)
		room(s->ctx);
	return n;
}

static void is_over(void *cls)
{
	struct http_stream *s = cls;
	struct http_server *server = s->server;

	pthread_mutex_lock(&server->lock);
	if (s->at) {
		*s->at = s->next;
		if (s->next)
			s->next->at = s->at;
		s->at = NULL;
	}
	pthread_mutex_unlock(&server->lock);
	pthread_mutex_lock(&s->lock);
	s->gone = true;
	s->con = NULL;
	s->connection = NULL;
	pthread_mutex_unlock(&s->lock);
	unref(s);
}

void http_stream_drop(struct http_exchange *ex)
{
	if (ex->r.stream)
		is_over(ex->r.stream);
	ex->r.stream = NULL;
}

struct MHD_Response *http_stream_response(struct http_exchange *ex)
{
	struct http_server *server = ex->server;
	struct http_stream *s = ex->r.stream;
	struct MHD_Response *m =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CHUNK, read_some, s, is_over);

	if (!m)
		return NULL; /* http_stream_drop() */
	ex->r.stream = NULL; /* the response has it */
	ex->r.type = s->type;
	pthread_mutex_lock(&server->lock);
	s->next = server->streams;
	s->at = &server->streams;
	if (s->next)
		s->next->at = &s->next;
	server->streams = s;
	pthread_mutex_lock(&s->lock);
	s->con = ex->con;
	s->ended = s->ended || server->stopping;
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&server->lock);
	return m;
}

void http_streams_end(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	for (struct http_stream *s = server->streams; s; s = s->next) {
		pthread_mutex_lock(&s->lock);
		s->ended = true;
		wake(s);
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_unlock(&server->lock);
}

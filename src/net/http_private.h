/* http_private.h - what the files of the HTTP server share. */
#ifndef MAILDESK_NET_HTTP_PRIVATE_H
#define MAILDESK_NET_HTTP_PRIVATE_H

#include <maildesk/net/http.h>
#include <maildesk/net/limit.h>

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <zlib.h>

#define HTTP_WORD "{word}"
#define HTTP_NAME "{name}"

enum {
	HTTP_WORD_MAX = 200,
	HTTP_HEADER_MAX = 16 << 10,
	HTTP_QUERY_MAX = 32, /* parameters */
	HTTP_JSON_DEPTH = 32,
	HTTP_ANSWER_MAX = 64 << 20,  /* bytes of an answer; arena of a request */
	HTTP_BODIES_MAX = 32 << 20,  /* bytes of all bodies being received */
	HTTP_UPLOADS_MAX = 8,        /* so many of the largest may be received at a time */
	HTTP_UPLOAD_RATE = 32 << 10, /* bytes a second, at least, of who sends a large body */
	HTTP_DRAIN_MAX = 32 << 20,   /* a body too large is read up to here before the 413 */
	HTTP_STACK_BYTES = 1 << 20,  /* of a thread: address space, not memory */
};

struct http_block { /* addresses as 16 bytes, IPv4 mapped (RFC 4291 2.5.5.2) */
	uint8_t bytes[16];
	unsigned bits;
};

struct http_worker {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	atomic_uint connections;
	z_stream gzip; /* used by its own thread only */
	bool gzip_ready;
};

enum { HTTP_BUCKETS = 12, HTTP_CLASSES = 5 };
/* What became of the requests of one route. */
struct http_count {
	_Atomic uint64_t buckets[HTTP_BUCKETS + 1], classes[HTTP_CLASSES], sum_us;
};

/* http_aside.c: threads for what may take long, and what waits for them. */
struct http_aside {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct http_exchange *first, *last;
	bool stopping;
	atomic_uint numbers;
	pthread_t threads[HTTP_ASIDES];
	unsigned n_threads;
};

struct http_server {
	struct http_options options;
	struct http_service service;
	struct limiter *limiter;
	struct http_block *proxies;
	size_t n_proxies;
	char listening[HTTP_ADDRESS_MAX];
	int listen_fd, stop_fd;
	pthread_t acceptor;
	bool accepting;
	struct http_worker *workers;
	unsigned n_workers;
	struct http_aside aside;
	/* connections: see http.c */
	pthread_mutex_t lock;
	struct http_connection *connections;
	size_t n_connections;
	struct http_stream *streams; /* answers that go on; under lock, like the next */
	bool stopping;
	atomic_size_t body_bytes, upload_bytes;
	uint32_t *beginnings;      /* of the routes' paths: http_route.c */
	struct http_count *counts; /* of each route, and of what is none */
	uint32_t id_begin;         /* of its request ids, then their number */
	_Atomic uint64_t id_next;
	bool tls;
	atomic_uint running; /* requests between their first and last byte */
	atomic_uint handed;  /* connections that their worker has not listed yet */
};

/* What a connection is at. Who waits for a request, or for the rest of its header, may be closed to
 * make room. */
enum http_phase { HTTP_WAITING, HTTP_SENDING_BODY, HTTP_ANSWERING, HTTP_LEAVING };

/* One connection; in the server's list from its start to its end. */
struct http_connection {
	struct http_connection *next, **at;
	int fd;
	_Atomic int64_t deadline; /* monotonic; after it the socket is shut down */
	_Atomic enum http_phase phase;
	uint8_t peer[16];   /* as in http_block */
	int64_t since_ms;   /* monotonic */
	_Atomic bool asked; /* its first request has begun */
};

/* What a path names. */
struct http_found {
	const struct http_route *route; /* of the method; NULL: none */
	bool path, open;                /* there is such a path; a method of it is open to all */
};

/* One request and its answer; `q` first, so that handlers' pointers lead back here. */
struct http_exchange {
	struct http_request q;
	struct http_response r;
	struct arena arena;
	struct http_server *server;
	struct MHD_Connection *con;
	struct http_connection *connection;
	struct http_exchange *behind; /* of those that wait in http_aside.c */
	struct http_found found;
	const struct http_route *route; /* that it was taken for; may be NULL */
	int64_t begun_us;
	char *uri;          /* as it was sent */
	const char *method; /* as it was sent */
	struct buf body;
	size_t received, body_max;
	bool is_upload;  /* then q.body_fd has the body */
	size_t uploaded; /* of it, counted in the server's upload_bytes */
	json_t *json;
	struct limit_state limit;
	const char *
		unmatched; /* what is there, as JSON: http_match() found another state than meant */
	bool begun, dispatched, limited, too_large, must_close;
};

/* http_request.c: OPTIONS of the server as a whole (RFC 9110 9.3.7). */
bool http_is_asterisk(const struct http_exchange *ex);

/* http_connection.c: somebody has just come, whose request is surely on its way. */
bool http_is_expecting(struct http_server *s);

/* http_request.c: the callbacks of libmicrohttpd. */
void *http_on_uri(void *cls, const char *uri, struct MHD_Connection *con);
void http_tell_works(const struct http_server *s, unsigned worker, bool begins);
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *con, const char *url,
				const char *method, const char *version, const char *data,
				size_t *data_size, void **con_cls);
void http_on_completed(void *cls, struct MHD_Connection *con, void **con_cls,
		       enum MHD_RequestTerminationCode why);

/* http_route.c: so that most routes are passed over at a glance. */
int http_routes_index(struct http_server *s, struct md_err *err);
/* Fill ex->found. */
void http_look_up(struct http_exchange *ex);
/* Fill ex->r, by what was found. */
void http_dispatch(struct http_exchange *ex);
/* What is over the limit for its body; `limit` says how much is not. */
void http_refuse_body(struct http_exchange *ex);
/* Of who is not known (yet): false when the answer is that there were too many. */
bool http_within_limit(struct http_exchange *ex);

/* Whether the caller may upload a file there: asked before its bytes are taken. */
bool http_may_upload(struct http_exchange *ex);

/* http_aside.c */
void http_aside_init(struct http_aside *a);
int http_aside_start(struct http_server *s, struct md_err *err);
/* What waits is done first; workers may go on asking, and are told no. */
void http_aside_stop(struct http_aside *a);
/* Ends what http_aside_init() began: after the workers. */
void http_aside_done(struct http_aside *a);
/* The request is suspended, and will have been dispatched when its worker sees it again. False: it
 * is the worker's to dispatch. */
bool http_put_aside(struct http_exchange *ex);

/* http_match.c: the GET whose ETag If-Match of that route means; NULL: none. */
const struct http_route *http_matched_by(const struct http_service *s, const struct http_route *r);
/* The handler of the route; when http_match() refused it, the answer is the 409. */
int http_run_matched(struct http_exchange *ex, const struct http_route *route, struct md_err *err);

/* http_made.c: the GET that shows one of what that route makes; NULL: it makes nothing, or there is
 * none. */
const struct http_route *http_made_at(const struct http_service *s, const struct http_route *of);

/* http_upload.c: bodies on disk. */
void http_upload_begin(struct http_exchange *ex);
void http_upload_take(struct http_exchange *ex, const char *data, size_t n);
void http_upload_end(struct http_exchange *ex);

/* http_range.c: cut the answer to what the client asked for. */
void http_range_apply(struct http_exchange *ex);

/* http_stream.c */
/* The answer that begins; NULL: out of memory. */
struct MHD_Response *http_stream_response(struct http_exchange *ex);
/* There will be none after all. */
void http_stream_drop(struct http_exchange *ex);
/* All of them, and those that begin from now on. */
void http_streams_end(struct http_server *server);

/* http_response.c: whether the list of a client has it; If-None-Match compares weakly, If-Match
 * does not (RFC 9110 8.8.3.2). */
bool http_names_tag(const char *list, const char *etag, bool weakly);
/* Hand the answer to libmicrohttpd. */
enum MHD_Result http_send(struct http_worker *w, struct http_exchange *ex);

/* http_origin.c */
void http_add_origin_fields(const struct http_exchange *ex, struct MHD_Response *m);

/* http_metrics.c */
int64_t http_now_us(void); /* monotonic */
/* The answer is written: count it, and tell the service. */
void http_count(struct http_exchange *ex);

/* http_openapi.c, http_openapi_route.c: parts of the document */
void http_openapi_ref(struct buf *out, const char *name);
/* A table that is what the notes call `of`. */
void http_openapi_fields(struct buf *out, const struct http_service *s, const char *of,
			 const struct http_field *fields);
const char *http_note_of(const struct http_service *s, const char *of, const char *field);
void http_openapi_route(struct buf *out, const struct http_service *s, const struct http_route *r);
void http_openapi_problems(struct buf *out); /* components/responses */

/* http_tls.c */
int http_tls_start(const char *certificate, const char *key, struct md_err *err);
void http_tls_stop(void);
void http_tls_look(void); /* has it been renewed? */
int http_tls_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int n,
			 const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
			 gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key);

/* http_connection.c */
void http_on_connection(void *cls, struct MHD_Connection *con, void **context,
			enum MHD_ConnectionNotificationCode what);
/* Shut down who is late; true when there are connections left to watch. */
bool http_reap(struct http_server *s);
/* For one more, of that peer; NULL: in any case. */
void http_make_room(struct http_server *s, const struct sockaddr *peer);

/* http_address.c */
void http_peer_address(const struct sockaddr *peer, uint8_t ret[16]);
/* Its address; of IPv6 its /64. */
void http_peer_block(const struct sockaddr *peer, struct http_block *ret);
bool http_block_has(const struct http_block *b, const uint8_t address[16]);
bool http_is_trusted(const struct http_server *s, const uint8_t address[16]);
int http_block_parse(const char *text, struct http_block *ret);
/* The client behind `peer`: itself, or what trusted proxies say (the nearest untrusted address of
 * `forwarded`, the joined X-Forwarded-For fields). */
void http_client_address(const struct sockaddr *peer, const char *forwarded,
			 const struct http_block *proxies, size_t n, char ret[HTTP_ADDRESS_MAX]);

#endif

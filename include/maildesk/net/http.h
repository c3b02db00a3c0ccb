/* http.h - an HTTP/1.1 server driven by a table of routes; libmicrohttpd stays inside.
 *
 * Dispatch of a request, in this order: rate limit; no such path 404; OPTIONS 204; who calls (401,
 * before 405 unless the path is open to all); 405 with Allow; `find` of the route (404); role 403;
 * query 400; body 415, 400, 422; the handler. HEAD is GET without the body.
 *
 * Handlers run on the server's threads, several at once. Whatever is wrong with a request becomes
 * an application/problem+json answer (RFC 9457); only what is no HTTP at all is refused by the
 * library in its own words. */
#ifndef MAILDESK_NET_HTTP_H
#define MAILDESK_NET_HTTP_H

#include <maildesk/base/clock.h>
#include <maildesk/base/record.h>
#include <maildesk/net/field.h>

/* HTTP_ASIDES: threads for what may take long, beside the workers. */
enum { HTTP_SLOW = 1 << 30, HTTP_ASIDES = 4 };
#define HTTP_THREADS(workers) ((workers) + HTTP_ASIDES + 1)
enum { HTTP_IDS_MAX = 2, HTTP_ADDRESS_MAX = 64, HTTP_HEADERS_MAX = 8, HTTP_REQUEST_ID_MAX = 65 };

struct http_request {
	const char *method, *path; /* HEAD is shown as GET; the path is decoded */
	const struct http_pair *query;
	size_t n_query;
	int64_t ids[HTTP_IDS_MAX]; /* the {id} of the path, in order */
	const char *word; /* its {word}: letters, digits, dots, "-" and "_"; or {name}: anything */
	const char *body; /* as it came, of a route without `body` rows */
	size_t body_len;
	int body_fd; /* of a route with http_upload: the body is body_len bytes of this file */
	const json_t *json;             /* the checked body; {} when there was none */
	char address[HTTP_ADDRESS_MAX]; /* of the client, by trusted proxies if through one */
	char id[HTTP_REQUEST_ID_MAX];   /* of the request: ours, or a trusted proxy's */
	int64_t now_ms;
	struct arena *arena; /* dies with the request */
	unsigned role;       /* of the caller: bit number in http_route.roles; 0: nobody */
	int64_t user;        /* key of its rate limit; 0: the address is */
	const struct http_route *route;        /* once it is known that they may use it */
	void *caller, *found, *kept, *reading; /* the service's own */
};

struct http_response {
	int status;           /* 200 */
	struct buf body;      /* JSON, or of this: */
	const char *type;     /* "text/html; charset=utf-8"; NULL: JSON */
	bool as_is;           /* is not to be compressed */
	const char *encoding; /* the body is in it already: "gzip" */
	const char *cache;    /* Cache-Control; NULL: what fits an answer of the API */
	const char *etag;     /* with its quotes; a GET that has it already is answered 304 */
	struct http_pair headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	struct http_stream *stream; /* of http_stream_begin(): instead of a body */
	/* set by http_refuse() */
	const char *code, *detail;
	struct buf errors, extra;
};

struct http_route {
	const char *method,
		*path;  /* "/api/v1/tickets/{id}"; "{word}" may be the last part, and is of
			 * no API: such a route is for people, and not in the document */
	unsigned roles; /* bit 0: nobody in particular; HTTP_SLOW: a GET that reads much, so it
			 * runs aside of the workers, as what is no GET always does */
	/* MD_OK, or a code for http_service.failed. */
	int (*handler)(void *ctx, struct http_request *q, struct http_response *r,
		       struct md_err *err);
	/* Looks up what the path names before anything else of the request is read; may be NULL. */
	int (*find)(void *ctx, struct http_request *q, struct md_err *err);
	const struct http_field *query, *body; /* NULL: none; or http_upload */
	const char *summary;
	enum http_type answers; /* HTTP_OBJECT, HTTP_PAGE, HTTP_BYTES, HTTP_STREAM */
	const char *answer;     /* name of the object, media type; NULL: 204 */
	int status;             /* of success; 0: 200 */
};

/* For the document, beside its tables: what the field of that name means, of an object or of the
 * query or body of a route ("Ticket", "GET /tickets"; NULL: wherever it stands), the first that
 * fits; without `field`, a body of that route as an example in JSON. Ends with a NULL text. */
struct http_note {
	const char *of, *field, *text;
};

/* A body that is a file: any type, up to http_options.upload_max, kept on disk. Of who may not use
 * the route no more than of any other body is taken. */
extern const struct http_field http_upload[];

struct http_service {
	void *ctx;
	const struct http_route *routes;
	size_t n_routes;
	const char *base; /* "/api/v1": paths below it are rate-limited */
	/* The document says so of all (CommonMark), of fields, of who may call a route; may be
	 * NULL. */
	const char *about;
	const struct http_note *notes;
	void (*tell_callers)(const struct http_route *r, struct buf *out);
	/* Called when there is an Authorization header: sets role, user, caller. MD_REFUSED: 401.
	 */
	int (*identify)(void *ctx, struct http_request *q, struct md_err *err);
	/* After the role, of a route that is not open to all: false when the caller may not use it
	 * after all; then the answer is written. May be NULL. */
	bool (*permit)(void *ctx, struct http_request *q, struct http_response *r,
		       const struct http_route *route);
	/* Around `find` and all that follows, of a route the caller may use. `enter` may answer
	 * itself (false: the answer is written); otherwise `leave` sees, and may change, the
	 * answer. Both may be NULL. */
	bool (*enter)(void *ctx, struct http_request *q, struct http_response *r,
		      const struct http_route *route);
	void (*leave)(void *ctx, struct http_request *q, struct http_response *r);
	/* After all of these: what was opened for the request is to be closed. May be called more
	 * than once. May be NULL. */
	void (*settle)(void *ctx, struct http_request *q);
	/* What somebody who is known was refused: the answer is 403. May be NULL. */
	void (*refused)(void *ctx, struct http_request *q, struct http_response *r);
	/* A GET of what no route names, by anybody: false when there is no such page either; then
	 * the answer is untouched. May be NULL. */
	bool (*page)(void *ctx, struct http_request *q, struct http_response *r);
	/* Around each step of a request, by the thread `worker` of the server's: one of
	 * http_options.workers, or one of the HTTP_ASIDES after them; the last of HTTP_THREADS()
	 * accepts, and does so around what comes at once. May be NULL. */
	void (*works)(void *ctx, unsigned worker, bool begins);
	/* An answer was written, `us` microseconds after the first line of its request. May be
	 * NULL. */
	void (*finished)(void *ctx, const struct http_request *q, const char *method, int status,
			 int64_t us);
	/* What `find`, `handler` or `identify` failed with, as an answer. */
	void (*failed)(void *ctx, struct http_request *q, struct http_response *r, int rc,
		       const struct md_err *err);
};

struct http_options {
	const char *listen; /* "127.0.0.1:8025", "[::1]:0" */
	int socket;         /* of http_listen(), used instead and left open; -1: none */
	struct rec_strs trusted_proxies; /* addresses, or blocks like 10.0.0.0/8 */
	struct rec_strs cors;            /* origins whose scripts may call, or "*" */
	const char *certificate, *key; /* PEM files: TLS; NULL: none. Looked at again now and then;
					* all servers of a process have the newest one's */
	const struct clock *clock;
	int64_t anonymous_per_minute, user_per_minute; /* 0: no limit */
	int64_t header_ms, body_ms, idle_ms; /* time for a header, a body, between requests */
	size_t body_max, upload_max, connections_max;
	size_t per_address_max; /* connections without a request; 0: any; proxies are exempt */
	const char *spool;      /* folder for uploads while they are received */
	unsigned workers;       /* as many as there are cores, unless a GET waits for others */
};
#define HTTP_OPTIONS_DEFAULT                                                                  \
	{                                                                                     \
		.listen = "127.0.0.1:8025", .socket = -1, .clock = &clock_system,             \
		.header_ms = 10000, .body_ms = 60000, .idle_ms = 60000, .body_max = 1 << 20,  \
		.upload_max = 25 << 20, .spool = "/tmp", .connections_max = 800, .workers = 4 \
	}

/* MD_INPUT: files that cannot be used for TLS, or not together. */
int http_check_certificate(const char *certificate, const char *key, struct md_err *err);
/* When the first certificate of that file ends. */
int http_certificate_end(const char *certificate, int64_t *ret_ms, struct md_err *err);

struct http_server;
/* A listening socket at "ADDRESS:PORT". MD_INPUT for a bad address, MD_BROKEN when it cannot
 * listen. Who connects while no server runs on it waits for the next one. */
int http_listen(const char *listen, int *ret_fd, struct md_err *err);
/* Options and service are copied, what they point to is borrowed. MD_INPUT for a bad address,
 * MD_BROKEN when it cannot listen. */
int http_start(const struct http_options *o, const struct http_service *s, struct http_server **ret,
	       struct md_err *err);
/* Takes no new connections, lets running requests end (2 s at most), closes the rest. */
void http_stop(struct http_server *s);
MD_DEFINE_AUTO(struct http_server *, http_stop)
/* Where it listens: "127.0.0.1:41234". */
const char *http_listening(const struct http_server *s);

/* ---- for handlers ---- */

/* A header field; NULL without it. Only while the request is being handled. */
const char *http_header(const struct http_request *q, const char *name);
/* The body as it came, of any route but one with http_upload. */
const char *http_body(const struct http_request *q, size_t *ret_n);
/* A query parameter, checked by the route's table. */
const char *http_query(const struct http_request *q, const char *name);
/* The parameters of a query like "a=1&b=x%20y". MD_INPUT: it has too many. What cannot be decoded
 * is for http_check_query() to name. */
int http_query_parse(struct arena *a, const char *query, struct http_pair **ret, size_t *ret_n);
void http_header_add(struct http_request *q, struct http_response *r, const char *name,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A Location, where a GET shows what was made, of a route that answers 201: in the document it is
 * promised for those. */
void http_made(struct http_request *q, struct http_response *r, int64_t id);
/* May the answer be in gzip? */
bool http_takes_gzip(const struct http_request *q);
/* For a change of what has no version, in its transaction: does If-Match, if it is there, name what
 * a GET of the same path shows? That GET's handler is called. MD_CONFLICT: it does not; then the
 * answer is the 409 with what is there, whatever the handler makes of it. */
int http_match(struct http_request *q, struct md_err *err);
/* The ETag of such bytes. NULL: out of memory. */
const char *http_tag(struct arena *a, const struct buf *body);
/* The answer is these bytes, with a NUL behind them; they are its to free from now on.
 * A part of them is what the client gets if it asks for one (RFC 9110 14). */
void http_answer_bytes(struct http_response *r, void *bytes, size_t n, const char *type);
/* A Content-Disposition field: `how` is "attachment" or "inline", the name as RFC 6266 wants it;
 * NULL: without one. */
void http_disposition(struct http_request *q, struct http_response *r, const char *how,
		      const char *filename);
/* The answer is this problem. Returns MD_OK: `return http_refuse(...)`. Drops what was written. */
int http_refuse(struct http_request *q, struct http_response *r, int status, const char *code,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* After it: a row of `errors`. */
void http_refuse_field(struct http_response *r, const char *field, const char *text);
/* After it: further members, as JSON: buf_adds(http_refuse_extra(r), "\"current\":..."). */
struct buf *http_refuse_extra(struct http_response *r);
/* Is a client's address this machine's own? */
bool http_address_is_local(const char *address);
/* The answer goes on until either side ends it, and is never compressed: of a route that answers
 * HTTP_STREAM, the last thing its handler does. The writer's end of it is `ret`, good until
 * http_stream_end(), from any thread. Up to `max` bytes wait for a client that reads slowly; one
 * that takes none for as long as a body may take is shut down. `room` is called, on a thread of the
 * server's, when all was sent after a write had found no room; it must not wait. */
int http_stream_begin(struct http_request *q, struct http_response *r, const char *type, size_t max,
		      void (*room)(void *ctx), void *ctx, struct http_stream **ret,
		      struct md_err *err);
/* All of it or nothing. MD_AGAIN: no room now; MD_NOTFOUND: the client is gone, or the server
 * stops. */
int http_stream_write(struct http_stream *s, const void *bytes, size_t n);
/* False: the client has hung up. A look at its socket. */
bool http_stream_is_read(struct http_stream *s);
/* The answer ends when what was written is sent; the pointer is no more to be used. */
void http_stream_end(struct http_stream *s);

/* The network a client's address is in: its /24, or /64. */
void http_address_block(const char *address, char ret[HTTP_ADDRESS_MAX]);

/* What the server counted, as Prometheus reads it. */
void http_show_metrics(struct http_server *s, struct buf *out);

/* The OpenAPI 3.1 document of the routes; objects end with a NULL name. */
void http_openapi(struct buf *out, const struct http_service *s, const struct http_object *objects,
		  const char *title, const char *version);

#endif

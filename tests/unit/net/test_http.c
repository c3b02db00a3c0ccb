#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/net/http.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* ---- a service to serve: things by number, one colour each ---- */

enum { NOBODY, GUEST, BOSS };

static const char *const colours[] = { "red", "blue", NULL };
static const struct http_field thing_body[] = {
	{ "name", HTTP_LINE, HTTP_REQUIRED, 1, 10, NULL, NULL },
	{ "text", HTTP_TEXT, 0, 0, 100, NULL, NULL },
	{ "colour", HTTP_LINE, HTTP_NULLABLE, 0, 0, colours, NULL },
	{ "size", HTTP_INT, 0, 1, 9, NULL, NULL },
	{ "good", HTTP_BOOL, 0, 0, 0, NULL, NULL },
	{ "since", HTTP_TIME, 0, 0, 0, NULL, NULL },
	{ "owner", HTTP_PERSON, 0, 1, 50, NULL, NULL },
	{ "tags", HTTP_LINES, 0, 1, 5, NULL, NULL },
	HTTP_END,
};
static const struct http_field free_body[] = {
	{ "note", HTTP_LINE, 0, 0, 0, NULL, NULL },
	HTTP_END,
};
static const struct http_field list_query[] = {
	{ "colour", HTTP_WORDS, 0, 0, 0, colours, NULL },
	{ "size", HTTP_INT, 0, 1, 9, NULL, NULL },
	{ "after", HTTP_TIME, 0, 0, 0, NULL, NULL },
	{ "name", HTTP_LINE, 0, 1, 10, NULL, NULL },
	HTTP_END,
};
static const struct http_object objects[] = {
	{ "Thing", thing_body },
	{ NULL, NULL },
};

static int say_path(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)ctx, (void)err;
	buf_addf(&r->body, "{\"method\":\"%s\",\"id\":%lld,\"address\":\"%s\",\"name\":", q->method,
		 (long long)q->ids[0], q->address);
	json_write_string(&r->body, http_query(q, "name"),
			  http_query(q, "name") ? strlen(http_query(q, "name")) : 0);
	buf_addc(&r->body, '}');
	return MD_OK;
}

static int say_body(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)ctx, (void)err;
	json_write(&r->body, q->json);
	http_made(q, r, 7);
	return MD_OK;
}

static int say_much(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)ctx, (void)err, (void)q;
	buf_addc(&r->body, '"');
	for (int i = 0; i < 4000; i++)
		buf_addc(&r->body, (char)('a' + i % 26));
	buf_addc(&r->body, '"');
	r->etag = "\"7-3-a\"";
	return MD_OK;
}

/* Takes until it is told to end. */
static sem_t has_begun, may_end;
static int linger(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	sem_post(&has_begun);
	sem_wait(&may_end);
	return say_path(ctx, q, r, err);
}

static int fall_over(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)ctx, (void)r;
	return md_fail(err, q->ids[0] == 2 ? MD_AGAIN : MD_BROKEN, 0, "as told");
}

static int find_thing(void *ctx, struct http_request *q, struct md_err *err)
{
	(void)ctx;
	return q->ids[0] < 100 ? MD_OK : md_fail(err, MD_NOTFOUND, 0, "no thing");
}

static int identify(void *ctx, struct http_request *q, struct md_err *err)
{
	const char *who = http_header(q, "Authorization");

	(void)ctx;
	if (strcmp(who, "Bearer guest") == 0) {
		q->role = GUEST;
		q->user = 1;
	} else if (strcmp(who, "Bearer boss") == 0) {
		q->role = BOSS;
		q->user = 2;
	} else {
		return md_fail(err, MD_REFUSED, 0, "who?");
	}
	return MD_OK;
}

static void failed(void *ctx, struct http_request *q, struct http_response *r, int rc,
		   const struct md_err *err)
{
	(void)ctx;
	if (rc == MD_NOTFOUND)
		http_refuse(q, r, 404, "not_found", "%s", err->text);
	else if (rc == MD_AGAIN)
		http_refuse(q, r, 503, "unavailable", "%s", err->text);
	else
		http_refuse(q, r, 500, "broken", "%s", err->text);
}

static const struct http_route routes[] = {
	{ .method = "GET",
	  .path = "/api/things",
	  .roles = 6,
	  .handler = say_path,
	  .query = list_query,
	  .summary = "Things",
	  .answers = HTTP_PAGE,
	  .answer = "Thing" },
	{ .method = "POST",
	  .path = "/api/things",
	  .roles = 4,
	  .handler = say_body,
	  .body = thing_body,
	  .summary = "Make one",
	  .answer = "Thing",
	  .status = 201 },
	{ .method = "GET",
	  .path = "/api/things/{id}",
	  .roles = 6,
	  .handler = say_path,
	  .find = find_thing,
	  .summary = "One",
	  .answer = "Thing" },
	{ .method = "PATCH",
	  .path = "/api/things/{id}",
	  .roles = 6,
	  .handler = say_body,
	  .find = find_thing,
	  .body = thing_body,
	  .summary = "Change it",
	  .answer = "Thing" },
	{ .method = "POST",
	  .path = "/api/things/{id}/fail",
	  .roles = 6,
	  .handler = fall_over,
	  .body = free_body,
	  .summary = "Fail" },
	{ .method = "GET",
	  .path = "/api/open",
	  .roles = 7,
	  .handler = say_path,
	  .query = list_query,
	  .summary = "For all",
	  .answer = "Thing" },
	{ .method = "POST",
	  .path = "/api/free",
	  .roles = 7,
	  .handler = say_body,
	  .body = free_body,
	  .summary = "For all",
	  .answer = "Thing" },
	{ .method = "GET",
	  .path = "/api/linger",
	  .roles = 7 | HTTP_SLOW,
	  .handler = linger,
	  .summary = "Take long",
	  .answer = "Thing" },
	{ .method = "POST",
	  .path = "/api/linger",
	  .roles = 7,
	  .handler = linger,
	  .body = free_body,
	  .summary = "Take long",
	  .answer = "Thing" },
	{ .method = "GET",
	  .path = "/much",
	  .roles = 7,
	  .handler = say_much,
	  .summary = "Much",
	  .answer = "Thing" },
};
static const struct http_service service = {
	.routes = routes,
	.n_routes = MD_COUNT(routes),
	.base = "/api",
	.identify = identify,
	.failed = failed,
};

static struct http_server *start(struct http_options o)
{
	struct http_server *s = NULL;
	struct md_err err;

	o.listen = "127.0.0.1:0";
	if (http_start(&o, &service, &s, &err) != MD_OK)
		fail_msg("%s", err.text);
	return s;
}

/* ---- a client that sends what it likes ---- */

static int client(const struct http_server *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { .tv_sec = 20 };

	to.sin_port = htons((uint16_t)strtoul(strrchr(http_listening(s), ':') + 1, NULL, 10));
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	return fd;
}

static void say(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return; /* the peer had enough */
		assert_true(sent > 0);
		bytes += sent;
		n -= (size_t)sent;
	}
}

struct answer {
	int status;
	char head[4096];
	char body[70000];
	size_t n;
	bool closed; /* the server ended the connection instead */
};

/* Read one answer; `head_only` for HEAD. */
static void hear(int fd, struct answer *a, bool head_only)
{
	size_t at = 0, length;
	const char *field;

	memset(a, 0, sizeof *a);
	while (!strstr(a->head, "\r\n\r\n")) {
		ssize_t n = recv(fd, a->head + at, 1, 0);
		if (n <= 0) {
			assert_true(n == 0 || errno == ECONNRESET);
			a->closed = true;
			return;
		}
		at += (size_t)n;
		assert_true(at < sizeof a->head - 1);
	}
	a->status = (int)strtol(a->head + strlen("HTTP/1.1 "), NULL, 10);
	field = strstr(a->head, "Content-Length: ");
	length = field ? strtoul(field + strlen("Content-Length: "), NULL, 10) : 0;
	assert_true(length < sizeof a->body);
	while (!head_only && a->status != 304 && a->n < length) {
		ssize_t n = recv(fd, a->body + a->n, length - a->n, 0);
		assert_true(n > 0);
		a->n += (size_t)n;
	}
}

/* Read on to the end of the connection; true if none of it is an answer to `smuggled`. */
static bool ends(int fd)
{
	char rest[5000] = "";
	size_t at = 0;
	ssize_t n;

	while ((n = recv(fd, rest + at, sizeof rest - 1 - at, 0)) > 0)
		at += (size_t)n;
	return (n == 0 || errno == ECONNRESET) && !strstr(rest, "smuggled");
}

static bool is_closed(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void ask(const struct http_server *s, const char *request, struct answer *a)
{
	int fd = client(s);

	say(fd, request, strlen(request));
	hear(fd, a, strncmp(request, "HEAD", 4) == 0);
	close(fd);
}

static bool has(const struct answer *a, const char *text)
{
	return strstr(a->head, text) || strstr(a->body, text);
}

#define H "Host: desk\r\n"
#define BOSS_ H "Authorization: Bearer boss\r\n"
#define GUEST_ H "Authorization: Bearer guest\r\n"

struct exchange {
	const char *request;
	int status;
	const char *part; /* of head or body */
};

static void run_all(const struct exchange *rows, size_t n, struct http_options o)
{
	struct http_server *s = start(o);

	for (size_t i = 0; i < n; i++) {
		struct answer a;

		ask(s, rows[i].request, &a);
		if (a.status != rows[i].status || (rows[i].part && !has(&a, rows[i].part)))
			fail_msg("%s: wanted %d %s, got %d\n%s%s", rows[i].request, rows[i].status,
				 rows[i].part ? rows[i].part : "", a.status, a.head, a.body);
	}
	http_stop(s);
}
#define RUN(rows) run_all(rows, MD_COUNT(rows), (struct http_options)HTTP_OPTIONS_DEFAULT)

/* ---- tests ---- */

static void dispatch_follows_the_documented_order(void **state)
{
	static const struct exchange rows[] = {
		{ "GET /api/things/5 HTTP/1.1\r\n" BOSS_ "\r\n", 200, "\"id\":5" },
		{ "GET /api/things HTTP/1.1\r\n" H "\r\n", 401, "WWW-Authenticate: Bearer" },
		{ "GET /api/things HTTP/1.1\r\n" H "Authorization: Bearer x\r\n\r\n", 401,
		  "\"code\":\"unauthorized\"" },
		{ "DELETE /api/things HTTP/1.1\r\n" H "\r\n", 401, NULL },
		{ "DELETE /api/things HTTP/1.1\r\n" BOSS_ "\r\n", 405,
		  "Allow: GET, HEAD, POST, OPTIONS" },
		{ "DELETE /api/open HTTP/1.1\r\n" H "\r\n", 405, "Allow: GET, HEAD, OPTIONS" },
		{ "OPTIONS /api/things HTTP/1.1\r\n" H "\r\n", 204,
		  "Allow: GET, HEAD, POST, OPTIONS" },
		{ "OPTIONS /api/nothing HTTP/1.1\r\n" H "\r\n", 404, NULL },
		{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 204,
		  "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
		{ "GET * HTTP/1.1\r\n" H "\r\n", 400, "cannot be read" },
		{ "POST /api/things HTTP/1.1\r\n" GUEST_ "Content-Length: 0\r\n\r\n", 403,
		  "\"code\":\"forbidden\"" },
		{ "GET /api/open HTTP/1.1\r\n" H "Authorization: Bearer old\r\n\r\n", 200, NULL },
		{ "GET /nothing HTTP/1.1\r\n" H "\r\n", 404, "application/problem+json" },
		{ "GET /api HTTP/1.1\r\n" H "\r\n", 404, NULL },
		{ "GET /api/things/ HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		{ "GET /api/things/0 HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		{ "GET /api/things/01 HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		{ "GET /api/things/-1 HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		{ "GET /api/things/x HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		{ "GET /api/things/99999999999999999999 HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		/* what cannot be seen is not there, whatever else is wrong */
		{ "GET /api/things/100?x=1 HTTP/1.1\r\n" BOSS_ "\r\n", 404, NULL },
		{ "PATCH /api/things/100 HTTP/1.1\r\n" BOSS_ "Content-Length: 1\r\n\r\n{", 404,
		  NULL },
		{ "POST /api/things/1/fail HTTP/1.1\r\n" BOSS_ "Content-Length: 0\r\n\r\n", 500,
		  "as told" },
		{ "POST /api/things/2/fail HTTP/1.1\r\n" BOSS_ "Content-Length: 0\r\n\r\n", 503,
		  "Retry-After: 1" },
		{ "HEAD /api/things/5 HTTP/1.1\r\n" BOSS_ "\r\n", 200, "Content-Length: " },
		{ "BREW /api/open HTTP/1.1\r\n" H "\r\n", 405, "Connection: close" },
	};
	(void)state;
	RUN(rows);
}

#define FOUR "a&b&c&d&"
static void queries_are_decoded_once_and_checked(void **state)
{
	static const struct exchange rows[] = {
		{ "GET /api/open?name=a%2Bb+c HTTP/1.1\r\n" H "\r\n", 200, "\"name\":\"a+b c\"" },
		{ "GET /api/open?name=%25%34%31 HTTP/1.1\r\n" H "\r\n", 200, "\"name\":\"%41\"" },
		{ "GET /api/open?name=caf%C3%A9 HTTP/1.1\r\n" H "\r\n", 200, "caf\xc3\xa9" },
		{ "GET /api/%6fpen HTTP/1.1\r\n" H "\r\n", 200, NULL },
		{ "GET /api/things%2f5 HTTP/1.1\r\n" BOSS_ "\r\n", 400, "malformed" },
		{ "GET /api/open?name=%00 HTTP/1.1\r\n" H "\r\n", 400, "invalid_parameter" },
		{ "GET /api/open?name=%C3 HTTP/1.1\r\n" H "\r\n", 400, "invalid_parameter" },
		{ "GET /api/open?name=%4 HTTP/1.1\r\n" H "\r\n", 400, "invalid_parameter" },
		{ "GET /api/open?name=%0a HTTP/1.1\r\n" H "\r\n", 400, "\"field\":\"name\"" },
		{ "GET /api/open?nmae=x HTTP/1.1\r\n" H "\r\n", 400,
		  "\"code\":\"unknown_parameter\"" },
		{ "GET /api/open?name=x&name=y HTTP/1.1\r\n" H "\r\n", 400,
		  "\"code\":\"invalid_parameter\"" },
		{ "GET /api/open?name= HTTP/1.1\r\n" H "\r\n", 400, "must not be empty" },
		{ "GET /api/open?size=10 HTTP/1.1\r\n" H "\r\n", 400, "must be at most 9" },
		{ "GET /api/open?size=0x1 HTTP/1.1\r\n" H "\r\n", 400, "must be an integer" },
		{ "GET /api/open?size=99999999999999999999 HTTP/1.1\r\n" H "\r\n", 400, NULL },
		{ "GET /api/open?colour=red,blue HTTP/1.1\r\n" H "\r\n", 200, NULL },
		{ "GET /api/open?colour=red, HTTP/1.1\r\n" H "\r\n", 400, "one of red, blue" },
		{ "GET /api/open?colour=green HTTP/1.1\r\n" H "\r\n", 400,
		  "\"errors\":[{\"field\":\"colour\"" },
		{ "GET /api/open?after=2026-11-20T10:00:00%2B02:00 HTTP/1.1\r\n" H "\r\n", 200,
		  NULL },
		{ "GET /api/open?after=yesterday HTTP/1.1\r\n" H "\r\n", 400, NULL },
		{ "GET /much?x HTTP/1.1\r\n" H "\r\n", 400, "unknown_parameter" },
		{ "GET /api/open?" FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR " HTTP/1.1\r\n" H "\r\n",
		  400, "unknown_parameter" },
		{ "GET /api/open?" FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR "x HTTP/1.1\r\n" H
		  "\r\n",
		  400, "limited to 32 parameters" },
	};
	(void)state;
	RUN(rows);
}

struct body_case {
	const char *type, *body;
	int status;
	const char *part;
};

static void post(const struct http_server *s, const struct body_case *c, struct answer *a)
{
	char request[4096];

	snprintf(request, sizeof request,
		 "POST /api/things HTTP/1.1\r\n" BOSS_ "%s%s%sContent-Length: %zu\r\n\r\n%s",
		 c->type ? "Content-Type: " : "", c->type ? c->type : "", c->type ? "\r\n" : "",
		 strlen(c->body), c->body);
	ask(s, request, a);
}

static void bodies_are_checked_by_their_table(void **state)
{
	static const char json[] = "application/json";
	static const struct body_case cases[] = {
		{ json, "{\"name\":\"x\"}", 201, "Location: /api/things/7" },
		{ "application/json; charset=utf-8", "{\"name\":\"x\"}", 201, NULL },
		{ "application/json; charset=latin-1", "{\"name\":\"x\"}", 415, NULL },
		{ "application/jsonx", "{\"name\":\"x\"}", 415, NULL },
		{ "text/plain", "{\"name\":\"x\"}", 415, "unsupported_media_type" },
		{ NULL, "{\"name\":\"x\"}", 415, NULL },
		{ json, "", 400, "malformed" },
		{ json, "{\"name\":", 400, "malformed" },
		{ json, "{\"name\":\"x\"} 1", 400, NULL },
		{ json, "{\"name\":\"x\",\"name\":\"y\"}", 400, NULL },
		{ json, "{\"name\":\"\\u0000\"}", 400, NULL },
		{ json, "{\"name\":\"\\ud800\"}", 400, NULL },
		{ json, "{\"name\":\"\xff\"}", 400, NULL },
		{ json, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 400,
		  "deeper" },
		{ json, "[]", 422, "must be an object" },
		{ json, "null", 422, NULL },
		{ json, "{}", 422, "{\"field\":\"name\",\"message\":\"is required\"," },
		{ json, "{\"name\":\"x\",\"nmae\":1}", 422, "\"field\":\"nmae\"" },
		{ json, "{\"name\":\"\"}", 422, "must not be empty" },
		{ json, "{\"name\":\"01234567890\"}", 422, "at most 10" },
		{ json, "{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}", 201,
		  NULL },
		{ json, "{\"name\":\"a\\nb\"}", 422, "control" },
		{ json, "{\"name\":\"a\\u0007\"}", 422, "control" },
		{ json, "{\"name\":null}", 422, "must not be null" },
		{ json, "{\"name\":1}", 422, "must be a string" },
		{ json, "{\"name\":\"x\",\"text\":\"a\\r\\nb\\tc\\nd\"}", 201, NULL },
		{ json, "{\"name\":\"x\",\"text\":\"a\\rb\"}", 422, "control" },
		{ json, "{\"name\":\"x\",\"colour\":\"red\"}", 201, NULL },
		{ json, "{\"name\":\"x\",\"colour\":null}", 201, NULL },
		{ json, "{\"name\":\"x\",\"colour\":\"re\"}", 422, "one of red, blue" },
		{ json, "{\"name\":\"x\",\"size\":9}", 201, NULL },
		{ json, "{\"name\":\"x\",\"size\":0}", 422, "at least 1" },
		{ json, "{\"name\":\"x\",\"size\":1.0}", 422, "integer" },
		{ json, "{\"name\":\"x\",\"size\":99999999999999999999}", 400, NULL },
		{ json, "{\"name\":\"x\",\"good\":0}", 422, "true or false" },
		{ json, "{\"name\":\"x\",\"since\":\"2026-11-20T10:00:00Z\"}", 201, NULL },
		{ json, "{\"name\":\"x\",\"since\":\"today\"}", 422, "instant" },
		{ json, "{\"name\":\"x\",\"owner\":4}", 201, NULL },
		{ json, "{\"name\":\"x\",\"owner\":\"a@b\"}", 201, NULL },
		{ json, "{\"name\":\"x\",\"owner\":{}}", 422, "id or an address" },
		{ json, "{\"name\":\"x\",\"owner\":0}", 422, NULL },
		{ json, "{\"name\":\"x\",\"tags\":[\"a\",\"b\"]}", 201, NULL },
		{ json, "{\"name\":\"x\",\"tags\":[\"a\",\"abcdef\"]}", 422, "\"tags.1\"" },
		{ json, "{\"name\":\"x\",\"tags\":[null]}", 422, "\"tags.0\"" },
		{ json, "{\"name\":\"x\",\"tags\":\"a\"}", 422, "must be an array" },
	};
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct answer a;

		post(s, &cases[i], &a);
		if (a.status != cases[i].status || (cases[i].part && !has(&a, cases[i].part)))
			fail_msg("%s: wanted %d %s, got %d %s", cases[i].body, cases[i].status,
				 cases[i].part ? cases[i].part : "", a.status, a.body);
	}
	http_stop(s);
}

static void an_empty_body_will_do_where_nothing_is_required(void **state)
{
	static const struct exchange rows[] = {
		{ "POST /api/free HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 200, "{}" },
		{ "POST /api/free HTTP/1.1\r\n" H "Content-Type: application/json\r\n"
		  "Transfer-Encoding: chunked\r\n\r\nc\r\n{\"note\":\"x\"}\r\n0\r\n\r\n",
		  200, "{\"note\":\"x\"}" },
	};
	(void)state;
	RUN(rows);
}

static void doubtful_headers_end_the_connection(void **state)
{
	static const struct {
		const char *what, *request;
		int status; /* 0: any refusal, by the library in its own words */
	} cases[] = {
		{ "both lengths",
		  "POST /api/free HTTP/1.1\r\n" H "Content-Length: 4\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "two lengths",
		  "POST /api/free HTTP/1.1\r\n" H "Content-Length: 2\r\n"
		  "Content-Length: 40\r\n\r\n{}",
		  400 },
		{ "two equal lengths",
		  "POST /api/free HTTP/1.1\r\n" H "Content-Length: 2\r\n"
		  "Content-Length: 2\r\n\r\n{}",
		  400 },
		{ "other coding",
		  "POST /api/free HTTP/1.1\r\n" H
		  "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "two codings",
		  "POST /api/free HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "signed length", "POST /api/free HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\n{}",
		  0 },
		{ "blank before colon",
		  "POST /api/free HTTP/1.1\r\n" H "Content-Length : 2\r\n\r\n{}", 0 },
		{ "two hosts", "GET /api/open HTTP/1.1\r\n" H "Host: other\r\n\r\n", 400 },
		{ "no host", "GET /api/open HTTP/1.1\r\n\r\n", 0 },
		{ "two tokens",
		  "GET /api/open HTTP/1.1\r\n" BOSS_ "Authorization: Bearer guest\r\n\r\n", 400 },
		{ "no version", "GET /api/open HTTP/9.9\r\n" H "\r\n", 0 },
		{ "patch with two lengths",
		  "PATCH /api/things/1 HTTP/1.1\r\n" BOSS_
		  "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
		  400 },
		{ "absolute form", "GET http://desk/api/open HTTP/1.1\r\n" H "\r\n", 400 },
	};
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		/* what a smuggler would have run as the next request */
		static const char next[] = "GET /api/open?name=smuggled HTTP/1.1\r\n" H "\r\n";
		struct answer a;
		int fd = client(s);

		say(fd, cases[i].request, strlen(cases[i].request));
		say(fd, next, strlen(next));
		hear(fd, &a, false);
		if (cases[i].status ? a.status != cases[i].status
				    : !a.closed && (a.status < 400 || a.status > 505))
			fail_msg("%s: %d %s", cases[i].what, a.status, a.body);
		if (!a.closed && !ends(fd))
			fail_msg("%s: the connection goes on after %s%s", cases[i].what, a.head,
				 a.body);
		close(fd);
	}
	http_stop(s);
}

static void requests_of_one_connection_are_answered_in_order(void **state)
{
	static const char three[] =
		"GET /api/open?name=one HTTP/1.1\r\n" H "\r\n"
		"POST /api/free HTTP/1.1\r\n" H "Content-Type: application/json\r\n"
		"Content-Length: 14\r\n\r\n{\"note\":\"two\"}"
		"GET /api/open?name=three HTTP/1.1\r\n" H "\r\n";
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);
	struct answer a;
	int fd = client(s);

	(void)state;
	say(fd, three, strlen(three));
	hear(fd, &a, false);
	assert_true(has(&a, "\"one\""));
	hear(fd, &a, false);
	assert_true(has(&a, "\"two\""));
	hear(fd, &a, false);
	assert_true(has(&a, "\"three\""));
	close(fd);
	http_stop(s);
}

static void large_headers_are_refused(void **state)
{
	static const struct {
		size_t fields, bytes;
		int status;
	} cases[] = { { 1, 8000, 200 }, { 1, 20000, 431 }, { 1, 100000, 431 }, { 100000, 1, 431 } };
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf b = BUF_INIT(4 << 20);
		struct answer a;
		int fd = client(s);

		buf_adds(&b, "GET /api/open HTTP/1.1\r\n" H);
		for (size_t k = 0; k < cases[i].fields; k++) {
			buf_addf(&b, "X-%zu: ", k);
			for (size_t n = 0; n < cases[i].bytes; n++)
				buf_addc(&b, 'x');
			buf_adds(&b, "\r\n");
		}
		buf_adds(&b, "\r\n");
		say(fd, b.data, b.len);
		hear(fd, &a, false);
		/* Closed while we still write, the answer may be lost on the way. */
		if (a.status != cases[i].status && !(a.closed && cases[i].status == 431))
			fail_msg("%zu x %zu: %d", cases[i].fields, cases[i].bytes, a.status);
		close(fd);
	}
	http_stop(s);
}

static void large_bodies_are_read_away_and_refused(void **state)
{
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);
	static const size_t sizes[] = { (1 << 20) + 1, 10 << 20 };
	struct answer a;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(sizes); i++)
		for (int chunked = 0; chunked < 2; chunked++) {
			md_auto(buf_done) struct buf b = BUF_INIT(11 << 20);
			int fd;

			if (chunked)
				buf_addf(&b,
					 "POST /api/free HTTP/1.1\r\n" H
					 "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
					 sizes[i]);
			else
				buf_addf(&b,
					 "POST /api/free HTTP/1.1\r\n" H
					 "Content-Length: %zu\r\n\r\n",
					 sizes[i]);
			for (size_t n = 0; n < sizes[i]; n++)
				buf_addc(&b, ' ');
			if (chunked)
				buf_adds(&b, "\r\n0\r\n\r\n");
			fd = client(s); /* now: its time for a header runs */
			say(fd, b.data, b.len);
			hear(fd, &a, false);
			assert_int_equal(a.status, 413);
			assert_true(has(&a, "\"code\":\"too_large\""));
			close(fd);
		}
	/* who asks first is told before sending */
	ask(s,
	    "POST /api/free HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
	    "Content-Length: 9000000\r\n\r\n",
	    &a);
	assert_int_equal(a.status, 413);
	ask(s, "POST /api/free HTTP/1.1\r\n" H "Content-Length: 99999999999\r\n\r\n", &a);
	assert_int_equal(a.status, 413);
	http_stop(s);
}

static void random_bytes_break_nothing(void **state)
{
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);
	uint32_t x = 12345;
	struct answer a;

	(void)state;
	for (int i = 0; i < 200; i++) {
		char bytes[600];
		size_t n = 0;
		int fd = client(s);

		if (i % 2)
			n = (size_t)snprintf(bytes, sizeof bytes, "GET /api/open HTTP/1.1\r\n" H);
		for (; n < sizeof bytes; n++) {
			x = x * 1664525 + 1013904223;
			bytes[n] = (char)(x >> 24);
		}
		say(fd, bytes, sizeof bytes);
		say(fd, "\r\n\r\n", 4);
		shutdown(fd, SHUT_WR);
		hear(fd, &a, false);
		close(fd);
	}
	ask(s, "GET /api/open HTTP/1.1\r\n" H "\r\n", &a);
	assert_int_equal(a.status, 200);
	http_stop(s);
}

static void slow_clients_are_cut_off_and_hinder_nobody(void **state)
{
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	enum { SLOW = 20 };
	int fds[SLOW];
	struct answer a;

	(void)state;
	o.header_ms = 200;
	o.body_ms = 300;
	o.idle_ms = 300;
	s = start(o);
	for (int i = 0; i < SLOW; i++) {
		static const char *const begun[] = { "", "GET /api/op",
						     "GET /api/open HTTP/1.1\r\nHost:",
						     "POST /api/free HTTP/1.1\r\n" H
						     "Content-Length: 9\r\n\r\n{" };
		fds[i] = client(s);
		say(fds[i], begun[i % 4], strlen(begun[i % 4]));
	}
	ask(s, "GET /api/open HTTP/1.1\r\n" H "\r\n", &a);
	assert_int_equal(a.status, 200);
	/* each sends on, faster than any time-out for silence, until it is cut off */
	for (int i = 0; i < SLOW; i++) {
		struct pollfd p = { fds[i], POLLIN, 0 };
		int drips = 0;

		while (poll(&p, 1, 50) == 0 && drips++ < 200)
			say(fds[i], "x", 1);
		assert_true(is_closed(fds[i]));
		close(fds[i]);
	}
	/* so is one that stays without asking again */
	fds[0] = client(s);
	say(fds[0], "GET /api/open HTTP/1.1\r\n" H "\r\n", 38);
	hear(fds[0], &a, false);
	assert_int_equal(a.status, 200);
	assert_true(is_closed(fds[0]));
	close(fds[0]);
	http_stop(s);
}

static void a_full_house_makes_room(void **state)
{
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	enum { MANY = 60 };
	int fds[MANY];

	(void)state;
	o.connections_max = 20;
	s = start(o);
	for (int i = 0; i < MANY; i++)
		fds[i] = client(s);
	for (int i = 0; i < 5; i++) {
		struct answer a;
		ask(s, "GET /api/open HTTP/1.1\r\n" H "\r\n", &a);
		assert_int_equal(a.status, 200);
	}
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	http_stop(s);
}

static int count_open(const int *fds, int n)
{
	int open = 0;

	for (int i = 0; i < n; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN };

		open += poll(&p, 1, 0) == 0;
	}
	return open;
}

enum { PER_ADDRESS = 5, CLIENTS = 200 };

/* One more connection that asks once and then waits. */
static void ask_and_stay(struct http_server *s, int *fds, int *n)
{
	struct answer a;

	assert_true(*n < CLIENTS);
	fds[*n] = client(s);
	say(fds[*n], "GET /api/open HTTP/1.1\r\n" H "\r\n", 38);
	hear(fds[(*n)++], &a, false);
	assert_int_equal(a.status, 200);
}

/* One whose answer was just heard may count as busy as the next one comes, so one too many may be
 * left then; never one too few, and the next that finds all at rest leaves as many as are allowed.
 */
static void expect_room(struct http_server *s, int *fds, int *n)
{
	do {
		ask_and_stay(s, fds, n);
		assert_true(count_open(fds, *n) >= PER_ADDRESS);
	} while (*n < CLIENTS && count_open(fds, *n) > PER_ADDRESS);
	assert_int_equal(count_open(fds, *n), PER_ADDRESS);
}

static void an_address_that_asks_nothing_makes_room_for_itself(void **state)
{
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	int fds[CLIENTS], n = 0;
	struct answer a;

	(void)state;
	o.per_address_max = PER_ADDRESS;
	s = start(o);
	while (n < PER_ADDRESS)
		ask_and_stay(s, fds, &n);
	assert_int_equal(count_open(fds, n), PER_ADDRESS);
	expect_room(s, fds, &n);
	for (int i = n - PER_ADDRESS; i < n; i++) {
		say(fds[i], "GET /api/open HTTP/1.1\r\n" H "\r\n", 38);
		hear(fds[i], &a, false);
		assert_int_equal(a.status, 200);
	}
	for (int i = 0; i < n; i++)
		close(fds[i]);
	http_stop(s);
}

/* Who sends a body is not cut off, but has to make room when all are done. */
static void several_that_were_busy_make_room_together(void **state)
{
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	int fds[CLIENTS], n;
	struct answer a;

	(void)state;
	o.per_address_max = PER_ADDRESS;
	s = start(o);
	for (n = 0; n < 2 * PER_ADDRESS; n++) {
		static const char header[] =
			"POST /api/free HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
			"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";

		fds[n] = client(s);
		say(fds[n], header, strlen(header));
		hear(fds[n], &a, false);
		assert_int_equal(a.status, 100);
	}
	for (int i = 0; i < n; i++) {
		say(fds[i], "{}", 2);
		hear(fds[i], &a, false);
		assert_int_equal(a.status, 200);
	}
	expect_room(s, fds, &n);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	http_stop(s);
}

static void what_is_refused_unread_is_counted_too(void **state)
{
	static const char *const requests[] = {
		"GET /api/open HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: b\r\n\r\n",
		"GET /api/%00 HTTP/1.1\r\n" H "\r\n",
		"POST /api/free HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
		"Content-Length: 9999999\r\n\r\n",
	};
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	struct answer a;

	(void)state;
	o.anonymous_per_minute = MD_COUNT(requests);
	s = start(o);
	for (size_t i = 0; i < MD_COUNT(requests); i++) {
		ask(s, requests[i], &a);
		assert_true(a.status == 400 || a.status == 413);
		if (!has(&a, "RateLimit-Limit: 3\r\n"))
			fail_msg("%s: %s", requests[i], a.head);
	}
	ask(s, requests[0], &a);
	assert_int_equal(a.status, 429);
	http_stop(s);
}

static void every_answer_names_its_request(void **state)
{
	static const char *const proxies[] = { "127.0.0.1" };
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *plain = start(o), *behind;
	char first[HTTP_REQUEST_ID_MAX + 20], *id;
	struct answer a;

	(void)state;
	o.trusted_proxies =
		(struct rec_strs){ MD_COUNT(proxies), (const char **)(uintptr_t)proxies };
	behind = start(o);
	ask(plain, "GET /api/open HTTP/1.1\r\n" H "X-Request-Id: mine\r\n\r\n", &a);
	id = strstr(a.head, "X-Request-Id: ");
	assert_non_null(id);
	assert_null(strstr(id, "mine"));
	snprintf(first, sizeof first, "%.*s", (int)strcspn(id, "\r"), id);
	ask(plain, "GET /nothing HTTP/1.1\r\n" H "\r\n", &a);
	assert_true(has(&a, "X-Request-Id: ") && !has(&a, first));
	ask(behind, "GET /api/open HTTP/1.1\r\n" H "X-Request-Id: proxy-1.a_B\r\n\r\n", &a);
	assert_true(has(&a, "X-Request-Id: proxy-1.a_B\r\n"));
	ask(behind, "GET /api/open HTTP/1.1\r\n" H "X-Request-Id: a b\r\n\r\n", &a);
	assert_true(has(&a, "X-Request-Id: ") && !has(&a, "a b"));
	http_stop(plain);
	http_stop(behind);
}

static void scripts_of_named_origins_may_ask(void **state)
{
	static const char *const origins[] = { "https://tools.test", "http://[::1]:3000" };
	static const struct {
		const char *request;
		int status;
		const char *has, *lacks;
	} cases[] = {
		{ "GET /api/open HTTP/1.1\r\n" H "Origin: https://tools.test\r\n\r\n", 200,
		  "Access-Control-Allow-Origin: https://tools.test\r\n", "Allow-Credentials" },
		{ "GET /api/things HTTP/1.1\r\n" H "Origin: http://[::1]:3000\r\n\r\n", 401,
		  "Access-Control-Expose-Headers: ", "Allow-Methods" },
		{ "OPTIONS /api/things HTTP/1.1\r\n" H "Origin: https://tools.test\r\n"
		  "Access-Control-Request-Method: POST\r\n\r\n",
		  204, "Access-Control-Allow-Headers: Authorization, ", "Expose" },
		{ "GET /api/open HTTP/1.1\r\n" H "Origin: https://tools.test.evil\r\n\r\n", 200,
		  "Vary: Accept-Encoding, Authorization, Origin", "Access-Control" },
		{ "GET /api/open HTTP/1.1\r\n" H "Origin: null\r\n\r\n", 200, NULL,
		  "Access-Control" },
		{ "GET /api/open HTTP/1.1\r\n" H "\r\n", 200, NULL, "Access-Control" },
	};
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *off = start(o), *s;
	struct answer a;

	(void)state;
	o.cors = (struct rec_strs){ MD_COUNT(origins), (const char **)(uintptr_t)origins };
	s = start(o);
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		ask(s, cases[i].request, &a);
		if (a.status != cases[i].status || (cases[i].has && !has(&a, cases[i].has)) ||
		    has(&a, cases[i].lacks))
			fail_msg("%s: %s", cases[i].request, a.head);
	}
	ask(off, cases[0].request, &a);
	assert_false(has(&a, "Access-Control"));
	http_stop(off);
	http_stop(s);
}

static void what_was_counted_is_shown(void **state)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 20);
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);
	struct answer a;

	(void)state;
	for (int i = 0; i < 3; i++)
		ask(s, "GET /api/things/1 HTTP/1.1\r\n" BOSS_ "\r\n", &a);
	ask(s, "GET /api/things/1 HTTP/1.1\r\n" H "\r\n", &a);
	ask(s, "GET /nothing HTTP/1.1\r\n" H "\r\n", &a);
	http_show_metrics(s, &out);
	for (size_t i = 0; i < 4; i++) {
		static const char *const lines[] = {
			"maildesk_http_request_duration_seconds_count{method=\"GET\",route=\"/api/"
			"things/{id}\"} 4\n",
			"maildesk_http_responses_total{method=\"GET\",route=\"/api/things/{id}\","
			"status=\"2xx\"} 3\n",
			"maildesk_http_responses_total{method=\"\",route=\"\",status=\"4xx\"} 1\n",
			"route=\"/api/things/{id}\",le=\"+Inf\"} 4\n",
		};
		if (!strstr(buf_str(&out), lines[i]))
			fail_msg("no %s in %s", lines[i], buf_str(&out));
	}
	http_stop(s);
}

static void limits_are_counted_for_each_caller(void **state)
{
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	struct answer a;

	(void)state;
	o.anonymous_per_minute = 3;
	o.user_per_minute = 5;
	s = start(o);
	for (int i = 0; i < 3; i++) {
		ask(s, "GET /api/open HTTP/1.1\r\n" H "\r\n", &a);
		assert_int_equal(a.status, 200);
		assert_true(has(&a, "RateLimit-Limit: 3\r\n"));
	}
	assert_true(has(&a, "RateLimit-Remaining: 0\r\n"));
	ask(s, "GET /api/open HTTP/1.1\r\n" H "\r\n", &a);
	assert_int_equal(a.status, 429);
	assert_true(has(&a, "Retry-After: 20\r\n") && has(&a, "\"code\":\"rate_limited\""));
	/* a wrong token is nobody's; a right one has its own bucket */
	ask(s, "GET /api/things HTTP/1.1\r\n" H "Authorization: Bearer x\r\n\r\n", &a);
	assert_int_equal(a.status, 429);
	for (int i = 0; i < 5; i++) {
		ask(s, "GET /api/things/100 HTTP/1.1\r\n" BOSS_ "\r\n", &a);
		assert_int_equal(a.status, 404);
		assert_true(has(&a, "RateLimit-Limit: 5\r\n"));
	}
	ask(s, "GET /api/things/1 HTTP/1.1\r\n" BOSS_ "\r\n", &a);
	assert_int_equal(a.status, 429);
	ask(s, "GET /api/things/1 HTTP/1.1\r\n" GUEST_ "\r\n", &a);
	assert_int_equal(a.status, 200);
	/* outside the base nothing is counted */
	ask(s, "GET /much HTTP/1.1\r\n" H "\r\n", &a);
	assert_int_equal(a.status, 200);
	http_stop(s);
}

static void proxies_are_believed_only_if_trusted(void **state)
{
	static const char *const proxies[] = { "127.0.0.0/8", "10.0.0.1", "2001:db8::/32" };
	static const struct {
		const char *fields, *address;
		bool trust;
	} cases[] = {
		{ "X-Forwarded-For: 192.0.2.7\r\n", "\"127.0.0.1\"", false },
		{ "X-Forwarded-For: 192.0.2.7\r\n", "\"192.0.2.7\"", true },
		{ "", "\"127.0.0.1\"", true },
		{ "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n", "\"192.0.2.7\"", true },
		{ "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n", "\"192.0.2.7\"",
		  true },
		{ "X-Forwarded-For: 192.0.2.7 , 10.0.0.1\r\n", "\"192.0.2.7\"", true },
		{ "X-Forwarded-For: 10.0.0.2\r\n", "\"10.0.0.2\"", true },
		{ "X-Forwarded-For: 2001:db9::1,2001:db8::5\r\n", "\"2001:db9::1\"", true },
		{ "X-Forwarded-For: 192.0.2.7, nonsense\r\n", "\"127.0.0.1\"", true },
		{ "X-Forwarded-For: ,\r\n", "\"127.0.0.1\"", true },
	};
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *plain = start(o), *behind;
	char block[HTTP_ADDRESS_MAX];

	(void)state;
	o.trusted_proxies =
		(struct rec_strs){ MD_COUNT(proxies), (const char **)(uintptr_t)proxies };
	behind = start(o);
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		char request[300];
		struct answer a;

		snprintf(request, sizeof request, "GET /api/open HTTP/1.1\r\n" H "%s\r\n",
			 cases[i].fields);
		ask(cases[i].trust ? behind : plain, request, &a);
		if (!has(&a, cases[i].address))
			fail_msg("%s: %s", cases[i].fields, a.body);
	}
	http_stop(plain);
	http_stop(behind);

	http_address_block("192.0.2.7", block);
	assert_string_equal(block, "192.0.2.0");
	http_address_block("2001:db8:1:2:3::4", block);
	assert_string_equal(block, "2001:db8:1:2::");
}

static void wrong_options_are_refused(void **state)
{
	static const char *const listens[] = { "8025", "localhost:1", "127.0.0.1:x",
					       ":1",   "[::1:1",      "127.0.0.1:70000" };
	static const char *const proxies[] = { "10.0.0.0/33", "10.0.0.0/", "::/129", "proxy", "" };
	struct http_server *s = NULL;
	struct md_err err;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(listens); i++) {
		struct http_options o = HTTP_OPTIONS_DEFAULT;
		o.listen = listens[i];
		assert_int_not_equal(http_start(&o, &service, &s, &err), MD_OK);
	}
	for (size_t i = 0; i < MD_COUNT(proxies); i++) {
		struct http_options o = HTTP_OPTIONS_DEFAULT;
		o.listen = "127.0.0.1:0";
		o.trusted_proxies = (struct rec_strs){ 1, (const char **)(uintptr_t)&proxies[i] };
		assert_int_equal(http_start(&o, &service, &s, &err), MD_INPUT);
	}
	assert_null(s);
}

static void answers_are_compressed_and_conditional(void **state)
{
	static const struct exchange rows[] = {
		{ "GET /much HTTP/1.1\r\n" H "If-None-Match: \"7-3-a\"\r\n\r\n", 304,
		  "ETag: \"7-3-a\"" },
		{ "GET /much HTTP/1.1\r\n" H "If-None-Match: \"1\", W/\"7-3-a\"\r\n\r\n", 304,
		  "Content-Length: 4002" },
		{ "GET /much HTTP/1.1\r\n" H "If-None-Match: \"7-3\"\r\n\r\n", 200, NULL },
		{ "GET /much HTTP/1.1\r\n" H "Accept-Encoding: br\r\n\r\n", 200, "abcdef" },
		{ "GET /much HTTP/1.1\r\n" H "Accept-Encoding: gzip;q=0\r\n\r\n", 200, "abcdef" },
		{ "GET /api/open HTTP/1.1\r\n" H "Accept-Encoding: gzip\r\n\r\n", 200, "\"id\"" },
		{ "HEAD /much HTTP/1.1\r\n" H "\r\n", 200, "Content-Length: 4002" },
		/* of what names no version the bytes are it */
		{ "GET /api/things/3 HTTP/1.1\r\n" BOSS_
		  "If-None-Match: \"2bf9c5ad1d5a0bd1\"\r\n\r\n",
		  200, "ETag: \"" },
	};
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);

	(void)state;
	for (int i = 0; i < 3; i++) { /* the compressor is used again */
		struct answer a, same;
		char text[8000];
		z_stream z = { 0 };

		ask(s, "GET /much HTTP/1.1\r\n" H "Accept-Encoding: br, GZIP\r\n\r\n", &a);
		assert_int_equal(a.status, 200);
		assert_true(has(&a, "Content-Encoding: gzip"));
		snprintf(text, sizeof text, "Content-Length: %zu\r\n", a.n);
		ask(s,
		    "GET /much HTTP/1.1\r\n" H "Accept-Encoding: gzip\r\n"
		    "If-None-Match: \"7-3-a\"\r\n\r\n",
		    &same);
		assert_int_equal(same.status, 304);
		assert_true(has(&same, text) && !has(&same, "Content-Encoding"));
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		z.next_in = (Bytef *)a.body;
		z.avail_in = (uInt)a.n;
		z.next_out = (Bytef *)text;
		z.avail_out = sizeof text;
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.total_out, 4002);
		assert_memory_equal(text, "\"abcdefg", 8);
		inflateEnd(&z);
	}
	http_stop(s);
	RUN(rows);
}

static void the_document_is_json_and_names_every_route(void **state)
{
	md_auto(buf_done) struct buf b = BUF_INIT(1 << 20);
	md_auto(json_decref_p) json_t *j = NULL;
	struct md_err err;
	const json_t *paths, *post, *schema;

	(void)state;
	http_openapi(&b, &service, objects, "Things", "1");
	assert_int_equal(b.status, MD_OK);
	if (json_read(b.data, b.len, 32, &j, &err) != MD_OK)
		fail_msg("%s in %s", err.text, b.data);
	assert_string_equal(json_get_string(j, "openapi"), "3.1.0");
	paths = json_object_get(j, "paths");
	for (size_t i = 0; i < MD_COUNT(routes); i++) {
		char method[10] = "";
		for (size_t k = 0; routes[i].method[k]; k++)
			method[k] = (char)(routes[i].method[k] | 0x20);
		assert_non_null(json_object_get(json_object_get(paths, routes[i].path), method));
	}
	post = json_object_get(json_object_get(paths, "/api/things"), "post");
	schema = json_object_get(
		json_object_get(json_object_get(json_object_get(post, "requestBody"), "content"),
				"application/json"),
		"schema");
	assert_int_equal(json_array_size(json_object_get(schema, "required")), 1);
	assert_int_equal(json_object_size(json_object_get(schema, "properties")), 8);
}

static void wait_for(sem_t *what)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	assert_int_equal(sem_timedwait(what, &until), 0);
}

static void what_takes_long_keeps_nobody_waiting(void **state)
{
	static const char get[] = "GET /api/linger HTTP/1.1\r\n" H "\r\n",
			  post[] = "POST /api/linger HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"
				   "GET /api/open HTTP/1.1\r\n" H "\r\n",
			  quick[] = "GET /api/open HTTP/1.1\r\n" H "\r\n";
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s;
	int reader, writer, other;
	struct answer a;

	(void)state;
	sem_init(&has_begun, 0, 0);
	sem_init(&may_end, 0, 0);
	o.workers = 1;
	s = start(o);
	reader = client(s);
	writer = client(s);
	other = client(s);
	say(reader, get, sizeof get - 1);
	say(writer, post, sizeof post - 1);
	wait_for(&has_begun);
	wait_for(&has_begun);
	say(other, quick, sizeof quick - 1);
	hear(other, &a, false);
	assert_int_equal(a.status, 200);
	sem_post(&may_end);
	sem_post(&may_end);
	hear(reader, &a, false);
	assert_int_equal(a.status, 200);
	hear(writer, &a, false);
	assert_true(a.status == 200 && has(&a, "POST"));
	hear(writer, &a, false); /* and what came behind it, afterwards */
	assert_true(a.status == 200 && has(&a, "GET"));
	say(reader, get, sizeof get - 1);
	wait_for(&has_begun);
	sem_post(&may_end);
	http_stop(s); /* it is waited for */
	hear(reader, &a, false);
	assert_int_equal(a.status, 200);
	close(reader);
	close(writer);
	close(other);
	sem_destroy(&has_begun);
	sem_destroy(&may_end);
}

/* For the watchdog: the thread that accepts says what it is at, as the others do. */
static sem_t accepts, has_accepted;
static void note_work(void *ctx, unsigned worker, bool begins)
{
	(void)ctx;
	if (worker == HTTP_THREADS(1) - 1)
		sem_post(begins ? &accepts : &has_accepted);
}

static void every_thread_says_when_it_works(void **state)
{
	struct http_service watched = service;
	struct http_options o = HTTP_OPTIONS_DEFAULT;
	struct http_server *s = NULL;
	struct answer a;

	(void)state;
	sem_init(&accepts, 0, 0);
	sem_init(&has_accepted, 0, 0);
	watched.works = note_work;
	o.workers = 1;
	o.listen = "127.0.0.1:0";
	assert_int_equal(http_start(&o, &watched, &s, NULL), MD_OK);
	ask(s, "GET /api/open HTTP/1.1\r\n" H "\r\n", &a);
	assert_int_equal(a.status, 200);
	wait_for(&accepts);
	wait_for(&has_accepted);
	http_stop(s);
	sem_destroy(&accepts);
	sem_destroy(&has_accepted);
}

static void connections_are_spread_and_stopping_waits(void **state)
{
	struct http_server *s = start((struct http_options)HTTP_OPTIONS_DEFAULT);
	enum { MANY = 40 };
	int fds[MANY];
	struct answer a;

	(void)state;
	for (int i = 0; i < MANY; i++)
		fds[i] = client(s);
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < MANY; i++)
			say(fds[i], "GET /api/open HTTP/1.1\r\n" H "\r\n", 38);
		for (int i = 0; i < MANY; i++) {
			hear(fds[i], &a, false);
			assert_int_equal(a.status, 200);
		}
	}
	http_stop(s); /* with all of them open */
	for (int i = 0; i < MANY; i++) {
		assert_true(is_closed(fds[i]));
		close(fds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dispatch_follows_the_documented_order),
		cmocka_unit_test(queries_are_decoded_once_and_checked),
		cmocka_unit_test(bodies_are_checked_by_their_table),
		cmocka_unit_test(an_empty_body_will_do_where_nothing_is_required),
		cmocka_unit_test(doubtful_headers_end_the_connection),
		cmocka_unit_test(requests_of_one_connection_are_answered_in_order),
		cmocka_unit_test(large_headers_are_refused),
		cmocka_unit_test(large_bodies_are_read_away_and_refused),
		cmocka_unit_test(random_bytes_break_nothing),
		cmocka_unit_test(slow_clients_are_cut_off_and_hinder_nobody),
		cmocka_unit_test(a_full_house_makes_room),
		cmocka_unit_test(an_address_that_asks_nothing_makes_room_for_itself),
		cmocka_unit_test(several_that_were_busy_make_room_together),
		cmocka_unit_test(what_is_refused_unread_is_counted_too),
		cmocka_unit_test(every_answer_names_its_request),
		cmocka_unit_test(scripts_of_named_origins_may_ask),
		cmocka_unit_test(what_was_counted_is_shown),
		cmocka_unit_test(limits_are_counted_for_each_caller),
		cmocka_unit_test(proxies_are_believed_only_if_trusted),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(answers_are_compressed_and_conditional),
		cmocka_unit_test(the_document_is_json_and_names_every_route),
		cmocka_unit_test(what_takes_long_keeps_nobody_waiting),
		cmocka_unit_test(every_thread_says_when_it_works),
		cmocka_unit_test(connections_are_spread_and_stopping_waits),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

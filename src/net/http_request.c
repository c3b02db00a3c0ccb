/* From libmicrohttpd's callbacks to a request: its own reading is lax (measured with 0.9.75: both
 * Content-Length and Transfer-Encoding, two Content-Lengths, blanks before the colon all pass, and
 * the rest of the bytes run as the next request), so the header is judged here and a connection
 * with a doubtful one is closed after the answer. The URI is taken as sent and decoded once. */
#include "http_private.h"

#include <maildesk/base/utf8.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void exchange_free(struct http_exchange *ex)
{
	if (!ex)
		return;
	http_upload_end(ex);
	http_stream_drop(ex);
	atomic_fetch_sub(&ex->server->body_bytes, ex->body.cap);
	atomic_fetch_sub(&ex->server->running, 1);
	buf_done(&ex->body);
	buf_done(&ex->r.body);
	buf_done(&ex->r.errors);
	buf_done(&ex->r.extra);
	json_decref(ex->json);
	arena_done(&ex->arena);
	free(ex);
}

static void set_deadline(const struct http_exchange *ex, int64_t ms, enum http_phase phase)
{
	if (!ex->connection)
		return;
	atomic_store(&ex->connection->phase, phase);
	atomic_store(&ex->connection->deadline, clock_mono(&clock_system) + ms);
}

void *http_on_uri(void *cls, const char *uri, struct MHD_Connection *con)
{
	struct http_worker *w = cls;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(con, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_exchange *ex = md_calloc(1, sizeof *ex);

	if (!ex)
		return NULL;
	ex->server = w->server;
	ex->con = con;
	ex->connection = info ? info->socket_context : NULL;
	if (ex->connection)
		atomic_store(&ex->connection->asked, true);
	ex->arena = (struct arena)ARENA_INIT(HTTP_ANSWER_MAX);
	ex->body = (struct buf)BUF_INIT(ex->server->options.body_max);
	ex->r.body = (struct buf)BUF_INIT(HTTP_ANSWER_MAX);
	ex->r.errors = (struct buf)BUF_INIT(64 << 10);
	ex->r.extra = (struct buf)BUF_INIT(HTTP_ANSWER_MAX);
	ex->q.arena = &ex->arena;
	ex->q.body_fd = -1;
	ex->body_max = ex->server->options.body_max;
	ex->uri = arena_strdup(&ex->arena, uri);
	ex->begun_us = http_now_us();
	ex->r.status = 200;
	atomic_fetch_add(&ex->server->running, 1);
	set_deadline(ex, ex->server->options.header_ms, HTTP_WAITING);
	return ex;
}

void http_on_completed(void *cls, struct MHD_Connection *con, void **con_cls,
		       enum MHD_RequestTerminationCode why)
{
	(void)cls, (void)con, (void)why;
	if (*con_cls) {
		struct http_exchange *ex = *con_cls;
		set_deadline(ex, ex->server->options.idle_ms, HTTP_WAITING);
		exchange_free(ex);
	}
	*con_cls = NULL;
}

/* ---- the URI ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode s[0..n) in the arena; NULL for a broken escape, NUL or invalid UTF-8. */
static const char *decode(struct arena *a, const char *s, size_t n, bool plus)
{
	char *out = arena_alloc(a, n + 1);
	size_t at = 0;

	for (size_t i = 0; out && i < n; i++) {
		char c = s[i];
		if (c == '%') {
			if (n - i < 3 || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
				return NULL;
			c = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (!c)
			return NULL;
		out[at++] = c;
	}
	return out && utf8_valid(out, at) ? out : NULL;
}

/* What cannot be decoded as it was sent: no name that anything is known by, but one to complain of.
 */
static const char *name_of(struct arena *a, const char *s, size_t n)
{
	const char *name = decode(a, s, n, true);
	md_auto(buf_done) struct buf sent = BUF_INIT(HTTP_HEADER_MAX);

	if (name)
		return name;
	utf8_clean_line(&sent, s, n);
	return arena_strdup(a, buf_str(&sent));
}

int http_query_parse(struct arena *a, const char *s, struct http_pair **ret, size_t *ret_n)
{
	struct http_pair *pairs = arena_array(a, HTTP_QUERY_MAX, sizeof *pairs);
	size_t n = 0;

	while (pairs && *s) {
		size_t length = strcspn(s, "&"), name = strcspn(s, "=&");
		const char *value = name < length ? s + name + 1 : s + length;

		if (length) {
			if (n == HTTP_QUERY_MAX)
				return MD_INPUT;
			pairs[n].name = name_of(a, s, name);
			pairs[n].value = decode(a, value, (size_t)(s + length - value), true);
			if (a->failed)
				return MD_NOMEM;
			n++;
		}
		s += length + (s[length] == '&');
	}
	*ret = pairs;
	*ret_n = n;
	return pairs ? MD_OK : MD_NOMEM;
}

bool http_is_asterisk(const struct http_exchange *ex)
{
	return strcmp(ex->uri, "*") == 0 && strcmp(ex->method, "OPTIONS") == 0;
}

static const char *read_path(struct http_exchange *ex, size_t n)
{
	if (ex->uri[0] != '/' && !http_is_asterisk(ex))
		return NULL;
	/* An escaped slash would make another path of it. */
	for (const char *s = ex->uri; s < ex->uri + n; s++)
		if (strncasecmp(s, "%2f", 3) == 0)
			return NULL;
	return decode(&ex->arena, ex->uri, n, false);
}

/* False: it is refused. */
static bool read_uri(struct http_exchange *ex)
{
	size_t path = strcspn(ex->uri, "?");
	struct http_pair *pairs = NULL;
	int rc = MD_OK;

	ex->q.path = read_path(ex, path);
	if (ex->q.path)
		rc = http_query_parse(&ex->arena, ex->uri[path] ? ex->uri + path + 1 : "", &pairs,
				      &ex->q.n_query);
	ex->q.query = pairs;
	if (!ex->q.path)
		http_refuse(&ex->q, &ex->r, 400, "malformed",
			    "the address of the request cannot be read");
	else if (rc == MD_INPUT)
		http_refuse(&ex->q, &ex->r, 400, "malformed",
			    "a query is limited to %d parameters: give several values of one with "
			    "commas between",
			    HTTP_QUERY_MAX);
	else if (rc != MD_OK)
		http_refuse(&ex->q, &ex->r, 503, "unavailable", "out of memory");
	return !ex->r.code;
}

/* ---- the header ---- */

/* Fields that name one thing: a second one would be read by some and not by others. */
static const char *const single_fields[] = { "host", "authorization", "content-type",
					     "idempotency-key" };

struct header_facts {
	struct http_exchange *ex;
	unsigned lengths, encodings, singles[MD_COUNT(single_fields)];
	bool bad_name, bad_value, not_chunked;
	struct buf forwarded;
};

static bool is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("!#$%&'*+-.^_`|~", s[i]))
			return false;
	return n > 0;
}

static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *name,
				      size_t name_n, const char *value, size_t value_n)
{
	struct header_facts *f = cls;

	(void)kind;
	f->bad_name = f->bad_name || !is_token(name, name_n);
	f->bad_value = f->bad_value || (value && strlen(value) != value_n);
	if (strcasecmp(name, "content-length") == 0) {
		f->lengths++;
		f->bad_value = f->bad_value || !value || !*value ||
			       strspn(value, "0123456789") != strlen(value);
	} else if (strcasecmp(name, "transfer-encoding") == 0) {
		f->encodings++;
		f->not_chunked = f->not_chunked || !value || strcasecmp(value, "chunked") != 0;
	} else if (strcasecmp(name, "x-forwarded-for") == 0 && value) {
		buf_addf(&f->forwarded, "%s%s", f->forwarded.len ? "," : "", value);
	}
	for (size_t i = 0; i < MD_COUNT(single_fields); i++)
		f->singles[i] += strcasecmp(name, single_fields[i]) == 0;
	return MHD_YES;
}

static const char *fault_of(const struct header_facts *f, const char *version)
{
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return "only HTTP/1.0 and HTTP/1.1 are spoken here";
	if (f->bad_name || f->bad_value)
		return "a header field is malformed";
	if (f->lengths > 1 || f->encodings > 1 || (f->lengths && f->encodings))
		return "the length of the body is given more than once";
	if (f->not_chunked)
		return "the only transfer coding known is chunked";
	for (size_t i = 0; i < MD_COUNT(single_fields); i++)
		if (f->singles[i] > 1)
			return "a header field is repeated";
	return NULL;
}

static const char *known_method(const char *method)
{
	static const char *const known[] = { "GET",   "HEAD",   "POST",   "PUT",
					     "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < MD_COUNT(known); i++)
		if (strcmp(known[i], method) == 0)
			return known[i];
	return NULL;
}

/* A proxy's own id is believed like its word on the client; so that it can stand in logs it is
 * plain. */
static void name_request(struct http_exchange *ex, const struct sockaddr *peer)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-_";
	const char *given = http_header(&ex->q, "X-Request-Id");
	struct http_server *s = ex->server;
	uint8_t address[16];

	if (given && *given && strlen(given) < sizeof ex->q.id &&
	    given[strspn(given, plain)] == '\0') {
		http_peer_address(peer, address);
		if (http_is_trusted(s, address)) {
			memcpy(ex->q.id, given, strlen(given) + 1);
			return;
		}
	}
	snprintf(ex->q.id, sizeof ex->q.id, "%08x-%llu", (unsigned)s->id_begin,
		 (unsigned long long)atomic_fetch_add(&s->id_next, 1));
}

/* True when it is fit to be read on; else ex->r is the answer and the connection ends with it. */
static bool judge_header(struct http_exchange *ex, const char *method, const char *version)
{
	struct header_facts f = { .ex = ex, .forwarded = BUF_INIT(HTTP_HEADER_MAX) };
	const union MHD_ConnectionInfo *peer =
		MHD_get_connection_info(ex->con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(ex->con, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	const char *fault;

	MHD_get_connection_values_n(ex->con, MHD_HEADER_KIND, look_at_header, &f);
	http_client_address(peer ? peer->client_addr : NULL, buf_str(&f.forwarded),
			    ex->server->proxies, ex->server->n_proxies, ex->q.address);
	buf_done(&f.forwarded);
	name_request(ex, peer ? peer->client_addr : NULL);
	ex->q.now_ms = clock_wall(ex->server->options.clock);
	ex->method = arena_strdup(&ex->arena, method);
	ex->q.method = strcmp(method, "HEAD") == 0 ? "GET" : ex->method;
	ex->must_close = true;
	if (!ex->uri || !ex->method)
		http_refuse(&ex->q, &ex->r, 503, "unavailable", "out of memory");
	else if (size && size->header_size > HTTP_HEADER_MAX)
		http_refuse(&ex->q, &ex->r, 431, "too_large", "headers are limited to %d bytes",
			    HTTP_HEADER_MAX);
	else if ((fault = fault_of(&f, version)) != NULL)
		http_refuse(&ex->q, &ex->r, 400, "malformed", "%s", fault);
	else if (read_uri(ex))
		ex->must_close = !known_method(method);
	if (!ex->r.code)
		return true;
	/* Whoever sends what is refused here is counted too. */
	ex->route = NULL;
	if (!ex->q.path)
		ex->q.path = ex->uri ? ex->uri : "";
	if (ex->method && !http_within_limit(ex))
		http_refuse(&ex->q, &ex->r, 429, "rate_limited", "too many requests");
	return false;
}

/* ---- the body ---- */

/* Bodies share a budget, counted by what their buffers hold. */
static void take_body(struct http_exchange *ex, const char *data, size_t n)
{
	struct http_server *s = ex->server;
	size_t before = ex->body.cap;

	ex->received += n;
	if (ex->too_large || ex->r.code)
		return;
	if (ex->received > ex->body_max) {
		ex->too_large = true;
	} else if (ex->is_upload) {
		http_upload_take(ex, data, n);
	} else if (atomic_load(&s->body_bytes) + n > HTTP_BODIES_MAX) {
		http_refuse(&ex->q, &ex->r, 503, "unavailable", "too many bodies at once");
	} else {
		buf_add(&ex->body, data, n);
		atomic_fetch_add(&s->body_bytes, ex->body.cap - before);
		if (ex->body.status != MD_OK)
			http_refuse(&ex->q, &ex->r, 503, "unavailable", "out of memory");
	}
}

/* A body announced as too large is refused at once when its sender waits for our word, or when it
 * is too much to read away. Other clients would not see the answer while they write. */
static bool refuse_early(struct http_exchange *ex)
{
	const char *length = http_header(&ex->q, "Content-Length");
	unsigned long long n = length ? strtoull(length, NULL, 10) : 0;

	ex->too_large = n > ex->body_max;
	return ex->too_large && (n > HTTP_DRAIN_MAX || http_header(&ex->q, "Expect"));
}

/* A large body may take longer. */
static int64_t upload_ms(const struct http_exchange *ex)
{
	return ex->server->options.body_ms + (int64_t)(ex->body_max / HTTP_UPLOAD_RATE) * 1000;
}

static enum MHD_Result begin(struct http_worker *w, struct http_exchange *ex, const char *method,
			     const char *version)
{
	bool fit = judge_header(ex, method, version);

	ex->begun = true;
	if (fit)
		http_look_up(ex);
	set_deadline(ex, ex->server->options.body_ms, HTTP_SENDING_BODY);
	if (fit && http_may_upload(ex)) {
		http_upload_begin(ex);
		set_deadline(ex, upload_ms(ex), HTTP_SENDING_BODY);
	}
	if (fit && refuse_early(ex)) {
		ex->must_close = true;
		http_refuse_body(ex);
		(void)http_within_limit(ex);
		fit = false;
	}
	return fit ? MHD_YES : http_send(w, ex);
}

void http_tell_works(const struct http_server *s, unsigned worker, bool begins)
{
	if (s->service.works)
		s->service.works(s->service.ctx, worker, begins);
}

static bool may_take_long(const struct http_exchange *ex)
{
	const struct http_route *r = ex->found.route;

	return r && ((r->roles & HTTP_SLOW) || strcmp(r->method, "GET") != 0);
}

static enum MHD_Result step(struct http_worker *w, struct http_exchange *ex, const char *method,
			    const char *version, const char *data, size_t *data_size)
{
	if (!ex->begun)
		return begin(w, ex, method, version);
	if (*data_size) {
		take_body(ex, data, *data_size);
		*data_size = 0;
		/* Beyond reason: end the connection. */
		return ex->received > HTTP_DRAIN_MAX + ex->body_max ? MHD_NO : MHD_YES;
	}
	if (!ex->dispatched && !ex->r.code) {
		set_deadline(ex, ex->server->options.body_ms, HTTP_ANSWERING);
		if (may_take_long(ex) && http_put_aside(ex))
			return MHD_YES;
		http_dispatch(ex);
	}
	set_deadline(ex, ex->server->options.body_ms, HTTP_ANSWERING);
	return http_send(w, ex);
}

enum MHD_Result http_on_request(void *cls, struct MHD_Connection *con, const char *url,
				const char *method, const char *version, const char *data,
				size_t *data_size, void **con_cls)
{
	struct http_exchange *ex = *con_cls;
	struct http_worker *w = cls;
	unsigned number = (unsigned)(w - w->server->workers);
	enum MHD_Result result;

	(void)con, (void)url;
	if (!ex)
		return MHD_NO; /* there was no memory for it */
	http_tell_works(w->server, number, true);
	result = step(w, ex, method, version, data, data_size);
	http_tell_works(w->server, number, false);
	return result;
}

const char *http_body(const struct http_request *q, size_t *ret_n)
{
	const struct http_exchange *ex = (const struct http_exchange *)(const void *)q;

	*ret_n = ex->body.len;
	return buf_str(&ex->body);
}

const char *http_header(const struct http_request *q, const char *name)
{
	const struct http_exchange *ex = (const struct http_exchange *)(const void *)q;

	return MHD_lookup_connection_value(ex->con, MHD_HEADER_KIND, name);
}

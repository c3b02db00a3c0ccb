/* Answers: problems, and what every answer gets (conditional GET, compression, common fields). */
#include "http_private.h"

#include <maildesk/base/utf8.h>
#include <maildesk/desk/reason.h>

#include <ctype.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GZIP_FROM = 1024, GZIP_LEVEL = 3 };

void http_header_add(struct http_request *q, struct http_response *r, const char *name,
		     const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text || r->n_headers == HTTP_HEADERS_MAX)
		return;
	r->headers[r->n_headers].name = name;
	r->headers[r->n_headers].value = arena_strdup(q->arena, text);
	if (r->headers[r->n_headers].value)
		r->n_headers++;
}

void http_answer_bytes(struct http_response *r, void *bytes, size_t n, const char *type)
{
	buf_done(&r->body);
	r->body = (struct buf){ .data = bytes, .len = n, .cap = n + 1, .max = HTTP_ANSWER_MAX };
	r->type = type;
	r->as_is = true;
}

/* Both forms: the plain one without what some clients trip over, the other whole. */
void http_disposition(struct http_request *q, struct http_response *r, const char *how,
		      const char *filename)
{
	md_auto(buf_done) struct buf plain = BUF_INIT(1000), whole = BUF_INIT(1000);

	for (const char *s = filename ? filename : ""; *s; s++) {
		bool fits = *s >= ' ' && *s < 0x7f && !strchr("\"\\%", *s);

		if ((*s & 0xc0) != 0x80) /* one for a character */
			buf_addc(&plain, fits ? *s : '_');
		if (isalnum((unsigned char)*s) || (*s && strchr("-._~", *s)))
			buf_addc(&whole, *s);
		else
			buf_addf(&whole, "%%%02X", (unsigned char)*s);
	}
	if (!plain.len || plain.status != MD_OK || whole.status != MD_OK)
		http_header_add(q, r, "Content-Disposition", "%s", how);
	else if (strcmp(buf_str(&plain), buf_str(&whole)) == 0)
		http_header_add(q, r, "Content-Disposition", "%s; filename=\"%s\"", how,
				buf_str(&plain));
	else
		http_header_add(q, r, "Content-Disposition",
				"%s; filename=\"%s\"; filename*=UTF-8''%s", how, buf_str(&plain),
				buf_str(&whole));
}

/* ---- problems ---- */

int http_refuse(struct http_request *q, struct http_response *r, int status, const char *code,
		const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	r->status = status;
	r->code = code;
	r->type = NULL;
	r->as_is = false;
	r->encoding = r->cache = NULL;
	r->detail = arena_strdup(q->arena, text);
	r->etag = NULL;
	r->n_headers = 0;
	buf_reset(&r->body);
	buf_reset(&r->errors);
	buf_reset(&r->extra);
	if (status == 401)
		http_header_add(q, r, "WWW-Authenticate", "Bearer");
	if (status == 503)
		http_header_add(q, r, "Retry-After", "1");
	return MD_OK;
}

enum { FIELD_MAX = 80 }; /* of a name that the caller may have made up */

void http_refuse_field(struct http_response *r, const char *field, const char *text)
{
	struct reason known;

	buf_adds(&r->errors, r->errors.len ? ",{\"field\":" : "{\"field\":");
	json_write_string(&r->errors, field, utf8_cut(field, strlen(field), FIELD_MAX));
	buf_adds(&r->errors, ",\"message\":");
	json_write_string(&r->errors, text, strlen(text));
	if (reason_find(text, &known)) {
		buf_addc(&r->errors, ',');
		reason_json(&r->errors, &known);
	}
	buf_addc(&r->errors, '}');
}

struct buf *http_refuse_extra(struct http_response *r)
{
	return &r->extra;
}

static void show_reason(struct buf *b, const char *detail)
{
	struct reason known;

	if (!detail || !reason_find(detail, &known))
		return;
	buf_adds(b, ",\"reason\":{");
	reason_json(b, &known);
	buf_addc(b, '}');
}

static void write_problem(struct http_response *r)
{
	struct buf *b = &r->body;
	const char *title = MHD_get_reason_phrase_for((unsigned)r->status);

	buf_addf(b, "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%d,\"code\":\"%s\"",
		 r->code, title, r->status, r->code);
	buf_adds(b, ",\"detail\":");
	json_write_string(b, r->detail, r->detail ? strlen(r->detail) : 0);
	buf_adds(b, ",\"errors\":[");
	buf_add(b, buf_str(&r->errors), r->errors.len);
	buf_addc(b, ']');
	show_reason(b, r->detail);
	if (r->extra.len) {
		buf_addc(b, ',');
		buf_add(b, r->extra.data, r->extra.len);
	}
	buf_addc(b, '}');
	if (r->extra.status != MD_OK)
		b->status = r->extra.status;
}

/* ---- what a client has or accepts ---- */

bool http_names_tag(const char *list, const char *etag, bool weakly)
{
	size_t n = strlen(etag);

	while (list && *list) {
		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (weakly && strncmp(list, "W/", 2) == 0)
			list += 2;
		if (strncmp(list, etag, n) == 0 && strchr(" \t,", list[n]))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

/* Accept-Encoding with gzip, or *, and no q of zero. */
static bool takes_gzip(const char *list)
{
	while (list && *list) {
		size_t n, name;
		const char *q;

		list += strspn(list, " \t,");
		n = strcspn(list, ",");
		name = strcspn(list, " \t;,");
		if ((name == 4 && strncasecmp(list, "gzip", 4) == 0) ||
		    (name == 1 && *list == '*')) {
			q = memmem(list, n, "q=", 2);
			return !q || strtod(q + 2, NULL) > 0;
		}
		list += n;
	}
	return false;
}

bool http_takes_gzip(const struct http_request *q)
{
	return takes_gzip(http_header(q, "Accept-Encoding"));
}

static bool start_gzip(struct http_worker *w)
{
	if (w->gzip_ready)
		return deflateReset(&w->gzip) == Z_OK;
	w->gzip_ready = deflateInit2(&w->gzip, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8,
				     Z_DEFAULT_STRATEGY) == Z_OK;
	return w->gzip_ready;
}

/* On success the body is compressed; otherwise it is as it was. */
static bool compress_body(struct http_worker *w, struct buf *body)
{
	md_auto(buf_done) struct buf out = BUF_INIT(body->max);
	uLong room;

	if (!start_gzip(w))
		return false;
	room = deflateBound(&w->gzip, body->len);
	w->gzip.next_in = (Bytef *)body->data;
	w->gzip.avail_in = (uInt)body->len;
	w->gzip.next_out = (Bytef *)buf_reserve(&out, room);
	w->gzip.avail_out = (uInt)room;
	if (!w->gzip.next_out || deflate(&w->gzip, Z_FINISH) != Z_STREAM_END)
		return false;
	out.len = room - w->gzip.avail_out;
	struct buf old = *body;
	*body = out;
	out = old;
	return true;
}

/* ---- sending ---- */

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	(void)MHD_add_response_header(m, name, value);
}

static void add_number(struct MHD_Response *m, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	add(m, name, text);
}

static void add_fields(struct MHD_Response *m, const struct http_exchange *ex)
{
	const struct http_response *r = &ex->r;

	add(m, "X-Content-Type-Options", "nosniff");
	add(m, "Cache-Control", r->cache ? r->cache : r->etag ? "private, no-cache" : "no-store");
	add(m, "Vary",
	    ex->server->options.cors.n ? "Accept-Encoding, Authorization, Origin"
				       : "Accept-Encoding, Authorization");
	if (r->status != 204 && r->status != 304)
		add(m, "Content-Type",
		    r->code   ? "application/problem+json"
		    : r->type ? r->type
			      : "application/json");
	if (r->encoding && r->status != 304)
		add(m, "Content-Encoding", r->encoding);
	if (r->etag)
		add(m, "ETag", r->etag);
	for (size_t i = 0; i < r->n_headers; i++)
		add(m, r->headers[i].name, r->headers[i].value);
	if (ex->limited) {
		add_number(m, "RateLimit-Limit", ex->limit.limit);
		add_number(m, "RateLimit-Remaining", ex->limit.remaining);
		add_number(m, "RateLimit-Reset", ex->limit.reset_s);
		if (ex->limit.retry_s)
			add_number(m, "Retry-After", ex->limit.retry_s);
	}
	add(m, "X-Request-Id", ex->q.id);
	http_add_origin_fields(ex, m);
	if (ex->must_close)
		add(m, "Connection", "close");
}

/* What has no version is told apart by its bytes: SipHash, to compare and not to trust. */
const char *http_tag(struct arena *a, const struct buf *body)
{
	static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] = { 0 };
	unsigned char hash[crypto_shorthash_siphashx24_BYTES];
	char *tag = arena_alloc(a, 2 * sizeof hash + 3);

	if (!tag)
		return NULL;
	crypto_shorthash_siphashx24(hash, (const unsigned char *)buf_str(body), body->len, key);
	tag[0] = '"';
	sodium_bin2hex(tag + 1, 2 * sizeof hash + 1, hash, sizeof hash);
	tag[1 + 2 * sizeof hash] = '"';
	tag[2 + 2 * sizeof hash] = '\0';
	return tag;
}

static void finish(struct http_worker *w, struct http_exchange *ex, bool *ret_gzip)
{
	struct http_response *r = &ex->r;

	if (r->body.status != MD_OK)
		http_refuse(&ex->q, r, 503, "unavailable", "out of memory");
	if (r->code)
		write_problem(r);
	if (r->status == 200 && !r->etag && !r->type && strcmp(ex->q.method, "GET") == 0 &&
	    !r->code)
		r->etag = http_tag(&ex->arena, &r->body);
	if (r->status == 200 && r->etag && strcmp(ex->q.method, "GET") == 0 &&
	    http_names_tag(http_header(&ex->q, "If-None-Match"), r->etag, true))
		r->status = 304; /* its body is not sent, but its length is that of the 200 */
	if (r->status == 200 && r->as_is && strcmp(ex->q.method, "GET") == 0)
		http_range_apply(ex);
	if (r->code && !r->body.len)
		write_problem(r);
	if (r->body.len > GZIP_FROM && !r->as_is && !r->encoding && http_takes_gzip(&ex->q))
		*ret_gzip = compress_body(w, &r->body);
}

static enum MHD_Result queue(struct http_exchange *ex, struct MHD_Response *m, bool gzip)
{
	enum MHD_Result queued;

	add_fields(m, ex);
	if (gzip && ex->r.status != 304)
		add(m, "Content-Encoding", "gzip");
	queued = MHD_queue_response(ex->con, (unsigned)ex->r.status, m);
	MHD_destroy_response(m);
	return queued;
}

enum MHD_Result http_send(struct http_worker *w, struct http_exchange *ex)
{
	struct MHD_Response *m;
	bool gzip = false;
	size_t n;
	char *bytes;

	if (ex->r.code)
		http_stream_drop(ex);
	if (ex->r.stream) {
		http_count(ex);
		m = http_stream_response(ex);
		return m ? queue(ex, m, false) : MHD_NO;
	}
	finish(w, ex, &gzip);
	http_count(ex);
	n = ex->r.body.len;
	bytes = n ? buf_steal(&ex->r.body) : NULL;
	if (n && !bytes)
		return MHD_NO;
	m = MHD_create_response_from_buffer(n, bytes,
					    n ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!m) {
		free(bytes);
		return MHD_NO;
	}
	return queue(ex, m, gzip);
}

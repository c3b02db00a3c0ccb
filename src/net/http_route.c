/* Dispatch, in the order promised by http.h. */
#include "http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- paths ---- */

static bool read_id(const char *s, size_t n, int64_t *ret)
{
	int64_t v = 0;

	if (!n || n > 19 || *s == '0')
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s[i] - '0', &v))
			return false;
	*ret = v;
	return true;
}

static bool is_word(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	return n > 0 && n <= HTTP_WORD_MAX && s[n] == '\0';
}

static bool path_fits(const char *pattern, const char *path, int64_t ids[HTTP_IDS_MAX],
		      const char **ret_word)
{
	size_t k = 0;

	while (*pattern) {
		/* first what most paths differ by: this is done for each route */
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
		} else if (strcmp(pattern, HTTP_WORD) == 0) {
			*ret_word = path;
			return is_word(path);
		} else if (strncmp(pattern, HTTP_NAME, strlen(HTTP_NAME)) == 0) {
			size_t n = strcspn(path, "/");

			if (n == 0 || n > HTTP_WORD_MAX)
				return false;
			*ret_word = path;
			path += n;
			pattern += strlen(HTTP_NAME);
		} else {
			size_t n = strcspn(path, "/");
			if (k == HTTP_IDS_MAX || !read_id(path, n, &ids[k++]))
				return false;
			path += n;
			pattern += strcspn(pattern, "}") + 1;
		}
	}
	return !*path;
}

/* What begins a path, as a number: up to its third part, "/api/v1/tickets". Never 0. */
static uint32_t beginning_of(const char *path, size_t *ret_n)
{
	uint32_t hash = 2166136261; /* FNV-1a */
	size_t n = 0;

	for (int parts = 0; path[n]; n++) {
		parts += path[n] == '/';
		if (parts > 3)
			break;
		hash = (hash ^ (unsigned char)path[n]) * 16777619;
	}
	*ret_n = n;
	return hash | 1;
}

int http_routes_index(struct http_server *s, struct md_err *err)
{
	const struct http_service *of = &s->service;
	size_t n;

	s->beginnings = md_calloc(of->n_routes + 1, sizeof *s->beginnings);
	if (!s->beginnings)
		return md_fail(err, MD_NOMEM, 0, "http: out of memory");
	for (size_t i = 0; i < of->n_routes; i++) {
		const char *path = of->routes[i].path;
		uint32_t beginning = beginning_of(path, &n);

		s->beginnings[i] = memchr(path, '{', n) ? 0 : beginning; /* 0: of many */
	}
	return MD_OK;
}

static bool takes_head(const struct http_route *r)
{
	return strcmp(r->method, "GET") == 0 && r->answers != HTTP_STREAM;
}

void http_look_up(struct http_exchange *ex)
{
	const struct http_server *server = ex->server;
	const struct http_service *s = &server->service;
	struct http_request *q = &ex->q;
	size_t n;
	uint32_t beginning = beginning_of(q->path, &n);

	ex->found = (struct http_found){ .path = http_is_asterisk(ex) };
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct http_route *r = &s->routes[i];
		int64_t ids[HTTP_IDS_MAX] = { 0 };
		const char *word = NULL;

		size_t known = server->beginnings[i] ? n : 0;

		if (known &&
		    (server->beginnings[i] != beginning || strncmp(r->path, q->path, known) != 0))
			continue;
		if (!path_fits(r->path + known, q->path + known, ids, &word))
			continue;
		q->word = word ? arena_strndup(q->arena, word, strcspn(word, "/")) : NULL;
		memcpy(q->ids, ids, sizeof ids);
		ex->found.path = true;
		ex->found.open |= r->roles & 1;
		if (strcmp(r->method, q->method) == 0 &&
		    (takes_head(r) || strcmp(ex->method, "HEAD") != 0))
			ex->found.route = r;
	}
}

/* Of that path: "GET, HEAD, POST, OPTIONS". */
static void add_allow(struct http_exchange *ex)
{
	const struct http_service *s = &ex->server->service;
	char allow[80] = "";

	if (http_is_asterisk(ex))
		snprintf(allow, sizeof allow, "GET, HEAD, POST, PUT, PATCH, DELETE, ");
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct http_route *r = &s->routes[i];
		int64_t ids[HTTP_IDS_MAX];
		const char *word;
		size_t n = strlen(allow);

		if (path_fits(r->path, ex->q.path, ids, &word))
			snprintf(allow + n, sizeof allow - n, "%s, ",
				 takes_head(r) ? "GET, HEAD" : r->method);
	}
	http_header_add(&ex->q, &ex->r, "Allow", "%sOPTIONS", allow);
}

static bool is_below(const char *path, const char *base)
{
	size_t n = strlen(base);

	return strncmp(path, base, n) == 0 && (path[n] == '/' || !path[n]);
}

/* ---- who, and how often ---- */

bool http_within_limit(struct http_exchange *ex)
{
	const struct http_options *o = &ex->server->options;
	int64_t per_minute = ex->q.user ? o->user_per_minute : o->anonymous_per_minute;
	char key[HTTP_ADDRESS_MAX + 8];

	if (!is_below(ex->q.path, ex->server->service.base) || per_minute <= 0)
		return true;
	if (ex->q.user) {
		snprintf(key, sizeof key, "user %lld", (long long)ex->q.user);
	} else {
		snprintf(key, sizeof key, "from %s", ex->q.address);
		/* One household or server has a whole /64 of IPv6 addresses. */
		if (strchr(ex->q.address, ':'))
			http_address_block(ex->q.address, key + 5);
	}
	ex->limited = true;
	return limiter_take(ex->server->limiter, key, strlen(key), per_minute, clock_mono(o->clock),
			    &ex->limit);
}

static int need_credentials(struct http_exchange *ex)
{
	return http_refuse(&ex->q, &ex->r, 401, "unauthorized", "%s",
			   http_header(&ex->q, "Authorization")
				   ? "the access token is not valid (any more)"
				   : "sign in first");
}

/* ---- the query and the body ---- */

static void show_complaints(struct http_exchange *ex, const struct http_complaints *c)
{
	for (size_t i = 0; i < c->n; i++)
		http_refuse_field(&ex->r, c->v[i].field, c->v[i].text);
}

static bool check_query(struct http_exchange *ex, const struct http_route *route)
{
	struct http_complaints c = { .arena = &ex->arena };
	bool unknown = false;

	if (http_check_query(route->query, ex->q.query, ex->q.n_query, &c))
		return true;
	for (size_t i = 0; i < c.n; i++)
		unknown = unknown || c.v[i].unknown;
	http_refuse(&ex->q, &ex->r, 400, unknown ? "unknown_parameter" : "invalid_parameter",
		    "the query cannot be used");
	show_complaints(ex, &c);
	return false;
}

/* application/json, in UTF-8 if it says anything about that (RFC 8259 8.1). */
static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t n = sizeof json - 1;
	const char *charset;

	if (!type || strncasecmp(type, json, n) != 0 || !strchr(" ;\t", type[n]))
		return false;
	charset = strcasestr(type + n, "charset=");
	if (!charset)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 && strchr("\" ;\t", charset[5]);
}

static bool read_json(struct http_exchange *ex, const struct http_route *route)
{
	struct md_err why;

	if (!ex->body.len && !http_body_needed(route->body)) {
		ex->json = json_object();
		if (!ex->json)
			http_refuse(&ex->q, &ex->r, 503, "unavailable", "out of memory");
		return ex->json != NULL;
	}
	if (!is_json(http_header(&ex->q, "Content-Type")) ||
	    http_header(&ex->q, "Content-Encoding")) {
		http_refuse(&ex->q, &ex->r, 415, "unsupported_media_type",
			    "the body must be application/json, as it is");
		return false;
	}
	if (json_read(buf_str(&ex->body), ex->body.len, HTTP_JSON_DEPTH, &ex->json, &why) !=
	    MD_OK) {
		http_refuse(&ex->q, &ex->r, 400, "malformed", "the body is not JSON: %s", why.text);
		return false;
	}
	return true;
}

static bool check_body(struct http_exchange *ex, const struct http_route *route)
{
	struct http_complaints c = { .arena = &ex->arena };

	if (route->body == http_upload) {
		ex->q.body_len = ex->received;
		return true;
	}
	if (!route->body) {
		ex->q.body = buf_str(&ex->body);
		ex->q.body_len = ex->body.len;
		return true;
	}
	if (!read_json(ex, route))
		return false;
	ex->q.json = ex->json;
	if (http_check_body(route->body, ex->json, &c))
		return true;
	http_refuse(&ex->q, &ex->r, 422, "validation", "the body cannot be used");
	show_complaints(ex, &c);
	return false;
}

/* ---- in order ---- */

static void run_route(struct http_exchange *ex, const struct http_route *route)
{
	const struct http_service *s = &ex->server->service;
	struct md_err err = { 0 };
	int rc = route->find ? route->find(s->ctx, &ex->q, &err) : MD_OK;

	if (rc == MD_OK) {
		if (!check_query(ex, route) || !check_body(ex, route))
			return;
		if (route->status)
			ex->r.status = route->status;
		rc = http_run_matched(ex, route, &err);
	}
	if (rc != MD_OK)
		s->failed(s->ctx, &ex->q, &ex->r, rc, &err);
}

static void run(struct http_exchange *ex, const struct http_route *route)
{
	const struct http_service *s = &ex->server->service;

	ex->q.route = route;
	if (s->enter && !s->enter(s->ctx, &ex->q, &ex->r, route))
		return;
	run_route(ex, route);
	if (s->leave)
		s->leave(s->ctx, &ex->q, &ex->r);
}

static void options(struct http_exchange *ex)
{
	ex->r.status = 204;
	add_allow(ex);
}

static void no_method(struct http_exchange *ex)
{
	http_refuse(&ex->q, &ex->r, 405, "method_not_allowed", "there is no %.20s here",
		    ex->method);
	add_allow(ex);
}

static bool show_page(struct http_exchange *ex)
{
	const struct http_service *s = &ex->server->service;

	return s->page && strcmp(ex->q.method, "GET") == 0 && s->page(s->ctx, &ex->q, &ex->r);
}

/* Nothing of the database is kept while an answer is sent, or a body awaited. */
static void settle(struct http_exchange *ex)
{
	if (ex->server->service.settle)
		ex->server->service.settle(ex->server->service.ctx, &ex->q);
}

bool http_may_upload(struct http_exchange *ex)
{
	const struct http_service *s = &ex->server->service;

	if (!ex->found.route || ex->found.route->body != http_upload)
		return false;
	if (s->identify && http_header(&ex->q, "Authorization"))
		(void)s->identify(s->ctx, &ex->q, NULL); /* http_dispatch() says why not */
	settle(ex);
	return (ex->found.route->roles & 1U << ex->q.role) != 0;
}

void http_refuse_body(struct http_exchange *ex)
{
	http_refuse(&ex->q, &ex->r, 413, "too_large", "bodies are limited to %zu bytes",
		    ex->body_max);
	buf_addf(http_refuse_extra(&ex->r), "\"limit\":%zu", ex->body_max);
}

/* What the caller may not see is not there, whatever they wanted to do with it. */
static void not_for_role(struct http_exchange *ex, const struct http_route *route)
{
	const struct http_service *s = &ex->server->service;
	struct md_err err = { 0 };
	int rc = route->find ? route->find(s->ctx, &ex->q, &err) : MD_OK;

	if (rc == MD_OK)
		http_refuse(&ex->q, &ex->r, 403, "forbidden", "not for you");
	else
		s->failed(s->ctx, &ex->q, &ex->r, rc, &err);
}

static void dispatch(struct http_exchange *ex)
{
	const struct http_service *s = &ex->server->service;
	const struct http_found f = ex->found;
	struct md_err err = { 0 };
	int rc = MD_OK;

	ex->q.role = 0;
	ex->q.user = 0;
	if (s->identify && http_header(&ex->q, "Authorization"))
		rc = s->identify(s->ctx, &ex->q, &err);
	ex->route = f.route;
	if (!http_within_limit(ex))
		http_refuse(&ex->q, &ex->r, 429, "rate_limited", "too many requests");
	else if (ex->too_large)
		http_refuse_body(ex);
	else if (!f.path && show_page(ex))
		return;
	else if (!f.path)
		http_refuse(&ex->q, &ex->r, 404, "not_found", "there is nothing here");
	else if (strcmp(ex->method, "OPTIONS") == 0)
		options(ex);
	else if (rc != MD_OK && rc != MD_REFUSED)
		s->failed(s->ctx, &ex->q, &ex->r, rc, &err);
	else if (!ex->q.role && !(f.route ? f.route->roles & 1 : f.open))
		need_credentials(ex);
	else if (!f.route)
		no_method(ex);
	else if (!(f.route->roles & 1U << ex->q.role) && !(f.route->roles & 1))
		not_for_role(ex, f.route);
	else if ((f.route->roles & 1) || !s->permit || s->permit(s->ctx, &ex->q, &ex->r, f.route))
		run(ex, f.route);
	if (ex->r.status == 403 && ex->q.role && s->refused)
		s->refused(s->ctx, &ex->q, &ex->r);
}

void http_dispatch(struct http_exchange *ex)
{
	dispatch(ex);
	settle(ex);
}

const char *http_query(const struct http_request *q, const char *name)
{
	for (size_t i = 0; i < q->n_query; i++)
		if (strcmp(q->query[i].name, name) == 0)
			return q->query[i].value;
	return NULL;
}

#include "api_private.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/utf8.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOTAL_EXACT = 1000 };

int64_t api_query_int(const struct http_request *q, const char *name, int64_t otherwise)
{
	const char *text = http_query(q, name);

	return text ? strtoll(text, NULL, 10) : otherwise;
}

int64_t api_query_time(const struct http_request *q, const char *name)
{
	const char *text = http_query(q, name);
	int64_t ms = 0;

	if (!text)
		return 0;
	(void)time_parse(text, &ms); /* checked by the route's table */
	return ms ? ms : 1;
}

/* ---- cursors ---- */

/* The list it belongs to, then numbers and a text, a line each; base64url, so that nobody takes it
 * for something to be edited. Whoever does sees no row that filters and rights do not show. */
static const char *list_name(struct http_request *q)
{
	const char *sort = http_query(q, "sort");

	return arena_printf(q->arena, "%s %s", q->path, sort ? sort : "");
}

static bool write_cursor(struct http_request *q, const struct api_cursor *c, struct buf *out)
{
	const char *list = list_name(q);
	const char *text = arena_printf(q->arena, "%s\n%lld %lld %lld %lld\n%s", list ? list : "",
					(long long)c->id, (long long)c->at, (long long)c->keys[0],
					(long long)c->keys[1], c->text ? c->text : "");

	if (list && text)
		base64url_encode(out, text, strlen(text));
	return list && text;
}

static bool read_number(const char **s, char end, int64_t *ret)
{
	char *rest;

	errno = 0;
	*ret = strtoll(*s, &rest, 10);
	if (errno || rest == *s || *rest != end)
		return false;
	*s = rest + 1;
	return true;
}

static bool read_cursor(struct http_request *q, const char *cursor, struct api_cursor *ret)
{
	char *text = arena_alloc(q->arena, API_CURSOR_MAX + 1);
	const char *list = list_name(q), *s = text;
	size_t n, length = list ? strlen(list) : 0;

	if (!text || !list ||
	    base64url_decode(cursor, strlen(cursor), text, API_CURSOR_MAX, &n) != MD_OK)
		return false;
	text[n] = '\0';
	if (strlen(text) != n || !utf8_valid(text, n) || strncmp(s, list, length) != 0 ||
	    s[length] != '\n')
		return false;
	s += length + 1;
	if (!read_number(&s, ' ', &ret->id) || !read_number(&s, ' ', &ret->at) ||
	    !read_number(&s, ' ', &ret->keys[0]) || !read_number(&s, '\n', &ret->keys[1]))
		return false;
	ret->text = s;
	return ret->id > 0 && ret->at >= 0;
}

struct api_page page_of(struct http_request *q)
{
	struct api_page p = { .page = api_query_int(q, "page", 1),
			      .per_page = api_query_int(q, "per_page", API_PER_PAGE) };
	const char *cursor = http_query(q, "cursor");

	p.walk = cursor != NULL;
	p.limit = p.per_page + p.walk;
	if (!p.walk)
		p.offset = (p.page - 1) * p.per_page;
	else
		p.bad = http_query(q, "page") || (*cursor && !read_cursor(q, cursor, &p.behind));
	return p;
}

static int64_t id_of(const char *ids, size_t size, size_t i)
{
	int64_t id;

	memcpy(&id, ids + i * size, sizeof id);
	return id;
}

size_t page_rows(struct api_page *p, const char *ids, size_t n, size_t size)
{
	if (!p->walk)
		return n;
	p->more = n > (size_t)p->per_page;
	if (p->more)
		n = (size_t)p->per_page;
	if (n)
		p->last.id = id_of(ids, size, n - 1);
	p->last.at = p->behind.at + (int64_t)n;
	return n;
}

size_t page_part(struct api_page *p, const char *ids, size_t n, size_t size, size_t *ret_first)
{
	size_t first = (size_t)p->offset, shown;

	if (p->walk && p->behind.id) {
		for (first = 0; first < n && id_of(ids, size, first) != p->behind.id;)
			first++;
		/* When it is gone, what followed it stands where it was. */
		first = first < n ? first + 1 : (size_t)p->behind.at - (p->behind.at > 0);
	}
	first = first < n ? first : n;
	shown = n - first < (size_t)p->per_page ? n - first : (size_t)p->per_page;
	*ret_first = first;
	p->more = first + shown < n;
	if (shown)
		p->last.id = id_of(ids, size, first + shown - 1);
	p->last.at = (int64_t)(first + shown);
	return shown;
}

/* ---- the envelope ---- */

void page_begin(struct http_response *r)
{
	show_begin(&r->body, NULL, '{');
	show_begin(&r->body, "items", '[');
}

static void add_escaped(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~,:",
			   *s))
			buf_addc(out, *s);
		else
			buf_addf(out, "%%%02X", (unsigned char)*s);
}

/* The same list from elsewhere on: "page=2". */
static void show_link(struct http_request *q, struct buf *out, const char *key, const char *where)
{
	md_auto(buf_done) struct buf link = BUF_INIT(64 << 10);

	buf_addf(&link, "%s?%s", q->path, where);
	for (size_t i = 0; i < q->n_query; i++) {
		if (strcmp(q->query[i].name, "page") == 0 ||
		    strcmp(q->query[i].name, "cursor") == 0)
			continue;
		buf_addf(&link, "&%s=", q->query[i].name);
		add_escaped(&link, q->query[i].value);
	}
	show_text(out, key, buf_str(&link));
	if (link.status != MD_OK)
		out->status = link.status;
}

static void show_page_link(struct http_request *q, struct buf *out, const char *key, int64_t page)
{
	char where[32];

	snprintf(where, sizeof where, "page=%lld", (long long)page);
	show_link(q, out, key, where);
}

static void show_walk(struct http_request *q, struct buf *out, const struct api_page *p)
{
	md_auto(buf_done) struct buf where = BUF_INIT(API_CURSOR_MAX + 16);

	show_null(out, "page");
	show_null(out, "pages");
	show_null(out, "prev");
	buf_adds(&where, "cursor=");
	if (!p->more)
		show_null(out, "next");
	else if (write_cursor(q, &p->last, &where) && where.status == MD_OK)
		show_link(q, out, "next", buf_str(&where));
	else
		out->status = MD_NOMEM;
}

static void show_pages(struct http_request *q, struct buf *out, const struct api_page *p, size_t n,
		       int64_t total)
{
	int64_t pages = (total + p->per_page - 1) / p->per_page;
	bool more = total > TOTAL_EXACT ? (int64_t)n == p->per_page : p->page < pages;

	show_int(out, "page", p->page);
	show_int(out, "pages", pages);
	if (more)
		show_page_link(q, out, "next", p->page + 1);
	else
		show_null(out, "next");
	if (p->page > 1)
		show_page_link(q, out, "prev", p->page - 1);
	else
		show_null(out, "prev");
}

void page_end(struct http_request *q, struct http_response *r, const struct api_page *p, size_t n,
	      int64_t total)
{
	struct buf *out = &r->body;

	if (p->bad) {
		(void)api_refuse_parameter(
			q, r, "cursor",
			"is none of this list in this order; an empty one starts a walk, "
			"and no page is named beside it");
		return;
	}
	show_end(out, ']');
	show_int(out, "per_page", p->per_page);
	show_int(out, "total", total);
	show_bool(out, "total_is_estimate", total > TOTAL_EXACT);
	if (p->walk)
		show_walk(q, out, p);
	else
		show_pages(q, out, p, n, total);
	show_end(out, '}');
}

struct rec_ints api_query_ids(struct http_request *q, const char *name)
{
	const char *list = http_query(q, name);
	struct rec_ints ret = { 0, list ? arena_array(q->arena, HTTP_WORDS_MAX, sizeof *ret.v)
					: NULL };

	while (list && *list && ret.v && ret.n < HTTP_WORDS_MAX) {
		ret.v[ret.n++] = strtoll(list, NULL, 10); /* checked */
		list += strcspn(list, ",");
		list += *list == ',';
	}
	return ret;
}

struct rec_strs api_query_words(struct http_request *q, const char *name)
{
	const char *list = http_query(q, name);
	struct rec_strs ret = { 0, list ? arena_array(q->arena, HTTP_WORDS_MAX + 1, sizeof *ret.v)
					: NULL };

	while (list && *list && ret.v && ret.n < HTTP_WORDS_MAX) {
		size_t n = strcspn(list, ",");

		ret.v[ret.n++] = arena_strndup(q->arena, list, n);
		list += n + (list[n] == ',');
	}
	return ret;
}

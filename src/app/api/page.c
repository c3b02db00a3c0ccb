#include "api_private.h"

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

	if (text)
		(void)time_parse(text, &ms); /* checked by the route's table */
	return ms;
}

struct api_page page_of(const struct http_request *q)
{
	struct api_page p = { .page = api_query_int(q, "page", 1),
			      .per_page = api_query_int(q, "per_page", API_PER_PAGE) };

	p.offset = (p.page - 1) * p.per_page;
	return p;
}

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

/* The same list at another page. */
static void show_link(struct http_request *q, struct buf *out, const char *key, int64_t page)
{
	md_auto(buf_done) struct buf link = BUF_INIT(64 << 10);

	buf_addf(&link, "%s?page=%lld", q->path, (long long)page);
	for (size_t i = 0; i < q->n_query; i++) {
		if (strcmp(q->query[i].name, "page") == 0)
			continue;
		buf_addf(&link, "&%s=", q->query[i].name);
		add_escaped(&link, q->query[i].value);
	}
	show_text(out, key, buf_str(&link));
	if (link.status != MD_OK)
		out->status = link.status;
}

void page_end(struct http_request *q, struct http_response *r, const struct api_page *p, size_t n,
	      int64_t total)
{
	bool estimate = total > TOTAL_EXACT;
	int64_t pages = (total + p->per_page - 1) / p->per_page;
	bool more = estimate ? (int64_t)n == p->per_page : p->page < pages;
	struct buf *out = &r->body;

	show_end(out, ']');
	show_int(out, "page", p->page);
	show_int(out, "per_page", p->per_page);
	show_int(out, "total", total);
	show_int(out, "pages", pages);
	show_bool(out, "total_is_estimate", estimate);
	if (more)
		show_link(q, out, "next", p->page + 1);
	else
		show_null(out, "next");
	if (p->page > 1)
		show_link(q, out, "prev", p->page - 1);
	else
		show_null(out, "prev");
	show_end(out, '}');
}

struct rec_strs api_query_words(struct http_request *q, const char *name)
{
	const char *list = http_query(q, name);
	struct rec_strs ret = { 0, arena_array(q->arena, MESSAGE_WORDS_MAX, sizeof *ret.v) };

	while (list && *list && ret.v && ret.n < MESSAGE_WORDS_MAX) {
		size_t n = strcspn(list, ",");

		ret.v[ret.n++] = arena_strndup(q->arena, list, n);
		list += n + (list[n] == ',');
	}
	return ret;
}

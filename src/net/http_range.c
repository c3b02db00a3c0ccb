/* Parts of an answer (RFC 9110 14): one range, of GET alone. Several are answered with the whole,
 * as is what cannot be read; a range that begins behind the end is refused. */
#include "http_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint64_t first, last;
};

static bool read_number(const char **s, uint64_t *ret)
{
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	errno = 0;
	*ret = strtoull(*s, &end, 10);
	*s = end;
	return errno == 0;
}

/* False: not to be followed. A first one behind `n` is one that cannot be satisfied. */
static bool read_range(const char *s, uint64_t n, struct range *ret)
{
	uint64_t suffix;

	if (strncmp(s, "bytes=", 6) != 0)
		return false;
	s += 6;
	*ret = (struct range){ 0, n ? n - 1 : 0 };
	if (*s == '-') {
		s++;
		if (!read_number(&s, &suffix) || *s)
			return false;
		ret->first = suffix == 0 ? n : suffix < n ? n - suffix : 0;
		return true;
	}
	if (!read_number(&s, &ret->first) || *s++ != '-')
		return false;
	if (*s && (!read_number(&s, &ret->last) || *s || ret->last < ret->first))
		return false;
	if (ret->last >= n)
		ret->last = n ? n - 1 : 0;
	return true;
}

void http_range_apply(struct http_exchange *ex)
{
	struct http_response *r = &ex->r;
	const char *asked = strcmp(ex->method, "GET") == 0 ? http_header(&ex->q, "Range") : NULL;
	const char *only = http_header(&ex->q, "If-Range");
	uint64_t n = r->body.len;
	struct range range;

	http_header_add(&ex->q, r, "Accept-Ranges", "bytes");
	if (!asked || (only && (!r->etag || strcmp(only, r->etag) != 0)) ||
	    !read_range(asked, n, &range))
		return;
	if (range.first >= n) {
		http_refuse(&ex->q, r, 416, "invalid_parameter", "it has %llu bytes",
			    (unsigned long long)n);
		http_header_add(&ex->q, r, "Content-Range", "bytes */%llu", (unsigned long long)n);
		return;
	}
	http_header_add(&ex->q, r, "Content-Range", "bytes %llu-%llu/%llu",
			(unsigned long long)range.first, (unsigned long long)range.last,
			(unsigned long long)n);
	memmove(r->body.data, r->body.data + range.first, range.last - range.first + 1);
	buf_cut(&r->body, range.last - range.first + 1);
	r->status = 206;
}

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (b->status != MD_OK)
		return NULL;
	if (n > b->max - b->len) { /* len <= max always holds, so this cannot wrap */
		b->status = MD_INPUT;
		return NULL;
	}
	if (b->data && b->len + n + 1 <= b->cap)
		return b->data + b->len;
	while (cap < b->len + n + 1)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	p = md_realloc(b->data, cap);
	if (!p) {
		b->status = MD_NOMEM;
		return NULL;
	}
	b->data = p;
	b->cap = cap;
	b->data[b->len] = '\0';
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *room = buf_reserve(b, n);

	if (!room)
		return;
	if (n)
		memcpy(room, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_addc(struct buf *b, char c)
{
	char *room = buf_reserve(b, 1);

	if (!room)
		return;
	room[0] = c;
	room[1] = '\0';
	b->len++;
}

void buf_addi(struct buf *b, int64_t v)
{
	char digits[24], *at = digits + sizeof digits;
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (v < 0)
		*--at = '-';
	buf_add(b, at, (size_t)(digits + sizeof digits - at));
}

void buf_adds(struct buf *b, const char *s)
{
	if (s)
		buf_add(b, s, strlen(s));
}

void buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	char *room;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	if (n >= 0 && (size_t)n < sizeof small) {
		buf_add(b, small, (size_t)n);
	} else if (n < 0) {
		b->status = b->status ? b->status : MD_INPUT;
	} else {
		room = buf_reserve(b, (size_t)n);
		if (room) {
			vsnprintf(room, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

void buf_cut(struct buf *b, size_t len)
{
	if (len < b->len) {
		b->len = len;
		b->data[len] = '\0';
	}
}

void buf_reset(struct buf *b)
{
	buf_cut(b, 0);
	b->status = MD_OK;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_steal(struct buf *b)
{
	char *data;

	buf_add(b, "", 0); /* an empty buffer is an empty string */
	if (b->status != MD_OK)
		return NULL;
	data = md_take(b->data);
	b->len = b->cap = 0;
	return data;
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

void buf_done(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

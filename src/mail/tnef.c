/* The walk takes the decoded stream apart, attribute by attribute, in whatever pieces it comes:
 * files are hashed and counted as they pass, attributes that matter are collected and looked at
 * when they are complete, the others are passed over. Checksums do not count: a mail that was
 * changed on its way is still read.
 *
 * Why no library: libytnef drops the whole message when one property has a long name, and prints
 * about it to stdout. */
#include <maildesk/mail/tnef.h>

#include "mapi.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/rtf.h>

#include <stdio.h>
#include <string.h>

enum attribute {
	TNEF_BODY = 0x800c,
	TNEF_FILE_DATA = 0x800f,
	TNEF_FILE_TITLE = 0x8010,
	TNEF_FILE_BEGINS = 0x9002,
	TNEF_MESSAGE_PROPERTIES = 0x9003,
	TNEF_FILE_PROPERTIES = 0x9005,
	TNEF_CODE_PAGE = 0x9007,
};
enum {
	SIGNATURE = 0x223e9f78,
	STREAM_HEAD = 6,    /* signature and key */
	ATTRIBUTE_HEAD = 9, /* level, id, length */
	ATTRIBUTES_MAX = 5000,
	PROPERTIES_MAX = 2000,
	NAME_BYTES = 1000,
	TEXT_MAX = 4 << 20,
	MAGIC = 16,
};

struct file {
	struct sha256 *hash; /* NULL before its data came */
	size_t offset, size;
	unsigned char magic[MAGIC];
	struct attachment a;
};
struct walk {
	struct arena *arena;
	struct tnef *ret;
	struct file *files;
	size_t n;
	struct file *passing; /* whose data passes */
	struct buf data;      /* of the attribute being collected */
	unsigned id;          /* of the attribute */
	char charset[24];     /* of text that is not Unicode */
	char head[ATTRIBUTE_HEAD];
	size_t head_n, head_want;
	size_t at, left; /* bytes of the stream seen; of data and checksum to come */
	const char *rtf; /* text of the compressed RTF, used when there is no other */
	bool collect;
	int attributes;
};

bool tnef_is(const struct mime_part *p)
{
	return strcmp(p->type, "application/ms-tnef") == 0 ||
	       strcmp(p->type, "application/vnd.ms-tnef") == 0 ||
	       (p->filename && span_is(span_of(p->filename), "winmail.dat"));
}

/* ---- what attributes say ---- */

static const char *text_of(struct walk *w, struct span s, bool utf16)
{
	md_auto(buf_done) struct buf utf8 = BUF_INIT(TEXT_MAX), clean = BUF_INIT(TEXT_MAX);
	const char *charset = utf16 ? "utf-16le" : utf8_valid(s.p, s.n) ? "utf-8" : w->charset;

	charset_to_utf8(span_of(charset), s, &utf8);
	utf8.len = utf8.len ? strnlen(utf8.data, utf8.len) : 0;
	utf8_clean_text(&clean, buf_str(&utf8), utf8.len);
	s = span_trim((struct span){ buf_str(&clean), clean.len });
	return s.n ? arena_strndup(w->arena, s.p, s.n) : NULL;
}

static const char *line_of(struct walk *w, struct span s, bool utf16)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(NAME_BYTES * 4);
	struct span text = span_of(text_of(w, span_sub(s, 0, NAME_BYTES), utf16));

	utf8_clean_line(&clean, text.p, text.n);
	return clean.len ? arena_strndup(w->arena, buf_str(&clean), clean.len) : NULL;
}

static const char *rtf_text(struct walk *w, struct span packed)
{
	md_auto(buf_done) struct buf rtf = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);

	mapi_unpack_rtf(packed, &rtf);
	rtf_to_text((struct span){ buf_str(&rtf), rtf.len }, &text);
	return text_of(w, (struct span){ buf_str(&text), text.len }, false);
}

static void message_property(struct walk *w, const struct mapi_property *p)
{
	if (p->id == MAPI_BODY && !w->ret->text)
		w->ret->text = text_of(w, p->value, p->utf16);
	else if (p->id == MAPI_BODY_HTML && !w->ret->html)
		w->ret->html = text_of(w, p->value, p->utf16);
	else if (p->id == MAPI_RTF_COMPRESSED && !w->rtf)
		w->rtf = rtf_text(w, p->value);
}

static bool is_type(const char *type)
{
	return type && strlen(type) < 100 && strchr(type, '/') && !strchr(type, ' ');
}

static void file_property(struct walk *w, struct file *f, const struct mapi_property *p)
{
	const char *line = p->id == MAPI_ATTACH_LONG_FILENAME || p->id == MAPI_ATTACH_MIME_TAG ||
					   p->id == MAPI_ATTACH_CONTENT_ID
				   ? line_of(w, p->value, p->utf16)
				   : NULL;

	if (!line)
		return;
	if (p->id == MAPI_ATTACH_LONG_FILENAME)
		f->a.filename = attachment_safe_name(w->arena, span_of(line));
	else if (p->id == MAPI_ATTACH_CONTENT_ID)
		f->a.content_id = line;
	else if (is_type(line))
		f->a.content_type = line;
}

static void properties(struct walk *w, struct span list, struct file *f)
{
	uint32_t n = mapi_begin(&list);
	struct mapi_property p;

	for (uint32_t i = 0; i < n && i < PROPERTIES_MAX && mapi_next(&list, &p); i++)
		if (f)
			file_property(w, f, &p);
		else
			message_property(w, &p);
}

static void attribute_end(struct walk *w)
{
	struct span data = { buf_str(&w->data), w->data.len };
	struct file *last = w->n ? &w->files[w->n - 1] : NULL;

	if (w->data.status != MD_OK)
		return;
	if (w->id == TNEF_CODE_PAGE && data.n >= 4 && mapi_le32(data.p) < 70000)
		snprintf(w->charset, sizeof w->charset, "cp%u", mapi_le32(data.p));
	else if (w->id == TNEF_BODY && !w->ret->text)
		w->ret->text = text_of(w, data, false);
	else if (w->id == TNEF_MESSAGE_PROPERTIES)
		properties(w, data, NULL);
	else if (w->id == TNEF_FILE_PROPERTIES && last)
		properties(w, data, last);
	else if (w->id == TNEF_FILE_TITLE && last && !last->a.filename)
		last->a.filename = attachment_safe_name(w->arena, span_of(line_of(w, data, false)));
}

/* ---- the walk ---- */

static bool wanted(unsigned id)
{
	return id == TNEF_BODY || id == TNEF_FILE_TITLE || id == TNEF_MESSAGE_PROPERTIES ||
	       id == TNEF_FILE_PROPERTIES || id == TNEF_CODE_PAGE;
}

/* The head of an attribute is complete. Nonzero ends the walk. */
static int attribute_begin(struct walk *w)
{
	size_t size = mapi_le32(w->head + 5);

	if (++w->attributes > ATTRIBUTES_MAX)
		return 1;
	w->id = mapi_le32(w->head + 1) & 0xffff;
	w->left = size + 2;
	w->collect = wanted(w->id) && size <= TNEF_ATTRIBUTE_MAX;
	if (w->id == TNEF_FILE_BEGINS && w->n == TNEF_FILES_MAX)
		return 1;
	w->n += w->id == TNEF_FILE_BEGINS;
	w->passing = w->id == TNEF_FILE_DATA && w->n ? &w->files[w->n - 1] : NULL;
	if (w->passing && w->passing->hash) /* one has its data already */
		w->passing = NULL;
	if (w->passing) {
		w->passing->offset = w->at;
		w->passing->hash = sha256_new();
		if (!w->passing->hash)
			w->arena->failed = true;
	}
	return w->arena->failed;
}

static void file_data(struct file *f, const char *p, size_t n)
{
	for (size_t i = 0; f->size + i < MAGIC && i < n; i++)
		f->magic[f->size + i] = (unsigned char)p[i];
	sha256_add(f->hash, p, n);
	f->size += n;
}

static void attribute_data(struct walk *w, const char *p, size_t n)
{
	size_t data = w->left > 2 ? w->left - 2 : 0; /* the rest is the checksum */

	if (data > n)
		data = n;
	if (w->collect)
		buf_add(&w->data, p, data);
	if (w->passing)
		file_data(w->passing, p, data);
	w->left -= n;
	if (w->left)
		return;
	if (w->collect)
		attribute_end(w);
	buf_reset(&w->data);
	w->head_n = 0;
}

static int head_end(struct walk *w)
{
	if (w->head_want == ATTRIBUTE_HEAD)
		return attribute_begin(w);
	if (mapi_le32(w->head) != SIGNATURE)
		return 1;
	w->head_want = ATTRIBUTE_HEAD;
	w->head_n = 0;
	return 0;
}

static int walk_bytes(void *ctx, const void *bytes, size_t n)
{
	struct walk *w = ctx;
	const char *p = bytes;

	while (n) {
		size_t take = w->left ? w->left : w->head_want - w->head_n;

		if (take > n)
			take = n;
		w->at += take;
		if (w->left) {
			attribute_data(w, p, take);
		} else {
			memcpy(w->head + w->head_n, p, take);
			w->head_n += take;
			if (w->head_n == w->head_want && head_end(w) != 0)
				return 1;
		}
		p += take;
		n -= take;
	}
	return 0;
}

/* ---- the result ---- */

static void file_end(struct walk *w, const struct mime_part *part, size_t part_offset,
		     struct file *f, struct attachment *ret)
{
	md_auto(buf_done) struct buf hex = BUF_INIT(SHA256_HEX);
	uint8_t sum[SHA256_BYTES];

	sha256_end(f->hash, sum);
	hex_encode(&hex, sum, sizeof sum);
	*ret = f->a;
	ret->sha256 = arena_strndup(w->arena, buf_str(&hex), hex.len);
	ret->size = (int64_t)f->size;
	ret->sniffed_type = attachment_sniff(f->magic, f->size < MAGIC ? f->size : MAGIC);
	if (!ret->content_type)
		ret->content_type =
			ret->sniffed_type ? ret->sniffed_type : "application/octet-stream";
	ret->is_inline = ret->content_id != NULL;
	ret->offset = (int64_t)part_offset;
	ret->length = (int64_t)part->body.n;
	ret->encoding = arena_printf(w->arena, "%s/%zu+%zu", encoding_name(part->encoding),
				     f->offset, f->size);
}

void tnef_read(struct arena *a, const struct attachment_place *at, const struct mime_part *p,
	       struct tnef *ret)
{
	struct walk w = { .arena = a,
			  .ret = ret,
			  .files = arena_array(a, TNEF_FILES_MAX, sizeof *w.files),
			  .data = BUF_INIT(TNEF_ATTRIBUTE_MAX + 1),
			  .charset = "windows-1252",
			  .head_want = STREAM_HEAD };
	struct attachment *v = arena_array(a, TNEF_FILES_MAX, sizeof *v);
	size_t from = (size_t)(p->body.p - at->lines.p), n = 0;

	*ret = (struct tnef){ 0 };
	if (!w.files || !v)
		return;
	encoding_decode(p->encoding, span_sub(at->wire, from, from + p->body.n), walk_bytes, &w);
	for (size_t i = 0; i < w.n; i++)
		if (w.files[i].hash)
			file_end(&w, p, from, &w.files[i], &v[n++]);
	ret->files = (struct rec_list){ n, v };
	if (!ret->text && !ret->html)
		ret->text = w.rtf;
	buf_done(&w.data);
}

#include <maildesk/mail/attachment.h>

#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 16 };

static const struct {
	const char *magic;
	size_t at, n;
	const char *type;
} magics[] = {
	{ "%PDF-", 0, 5, "application/pdf" },
	{ "\x89PNG\r\n\x1a\n", 0, 8, "image/png" },
	{ "\xff\xd8\xff", 0, 3, "image/jpeg" },
	{ "GIF87a", 0, 6, "image/gif" },
	{ "GIF89a", 0, 6, "image/gif" },
	{ "WEBP", 8, 4, "image/webp" },
	{ "BM", 0, 2, "image/bmp" },
	{ "II*\0", 0, 4, "image/tiff" },
	{ "MM\0*", 0, 4, "image/tiff" },
	{ "ftypheic", 4, 8, "image/heic" },
	{ "ftyp", 4, 4, "video/mp4" },
	{ "PK\x03\x04", 0, 4, "application/zip" },
	{ "\x1f\x8b", 0, 2, "application/gzip" },
	{ "Rar!\x1a\x07", 0, 6, "application/vnd.rar" },
	{ "7z\xbc\xaf\x27\x1c", 0, 6, "application/x-7z-compressed" },
	{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, 8, "application/x-ole-storage" },
	{ "{\\rtf", 0, 5, "application/rtf" },
	{ "\x78\x9f\x3e\x22", 0, 4, "application/vnd.ms-tnef" },
	{ "MZ", 0, 2, "application/x-msdownload" },
	{ "\x7f"
	  "ELF",
	  0, 4, "application/x-executable" },
	{ "#!", 0, 2, "text/x-script" },
	{ "ID3", 0, 3, "audio/mpeg" },
	{ "OggS", 0, 4, "audio/ogg" },
	{ "BEGIN:VCALENDAR", 0, 15, "text/calendar" },
	{ "BEGIN:VCARD", 0, 11, "text/vcard" },
	{ "<!DOCTYPE html", 0, 14, "text/html" },
	{ "<html", 0, 5, "text/html" },
	{ "<svg", 0, 4, "image/svg+xml" },
	{ "<?xml", 0, 5, "application/xml" },
};

const char *attachment_sniff(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < MD_COUNT(magics); i++)
		if (magics[i].at + magics[i].n <= n &&
		    memcmp(bytes + magics[i].at, magics[i].magic, magics[i].n) == 0)
			return magics[i].type;
	return NULL;
}

const char *attachment_safe_name(struct arena *a, struct span name)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(name.n * 3 + 16);
	struct span s;
	size_t from = 0, cut;

	utf8_clean_line(&clean, name.p, name.n);
	s = (struct span){ buf_str(&clean), clean.len };
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' || s.p[i] == '\\')
			from = i + 1;
	s = span_trim(span_from(s, from));
	while (s.n && *s.p == '.')
		s = span_from(s, 1);
	if (!s.n)
		return NULL;
	cut = utf8_cut(s.p, s.n, ATTACHMENT_NAME_MAX);
	if (cut < s.n) { /* what tells the type stays */
		size_t dot = s.n;

		while (dot && s.p[dot - 1] != '.' && s.n - dot < 16)
			dot--;
		if (dot && s.p[dot - 1] == '.' && s.n - dot < 16)
			return arena_printf(a, "%.*s.%.*s",
					    (int)utf8_cut(s.p, s.n, ATTACHMENT_NAME_MAX - 16), s.p,
					    (int)(s.n - dot), s.p + dot);
	}
	return arena_strndup(a, s.p, cut);
}

struct digest {
	struct sha256 *hash;
	size_t size;
	unsigned char magic[MAGIC_BYTES];
};

static int take(void *ctx, const void *bytes, size_t n)
{
	struct digest *d = ctx;

	for (size_t i = 0; d->size + i < MAGIC_BYTES && i < n; i++)
		d->magic[d->size + i] = ((const unsigned char *)bytes)[i];
	d->size += n;
	sha256_add(d->hash, bytes, n);
	return 0;
}

static void digest(struct arena *a, enum encoding e, const struct attachment_place *at,
		   struct span code, struct attachment *ret)
{
	size_t from = (size_t)(code.p - at->lines.p);
	struct digest d = { .hash = sha256_new() };
	uint8_t sum[SHA256_BYTES];
	md_auto(buf_done) struct buf hex = BUF_INIT(SHA256_HEX);

	if (!d.hash) {
		a->failed = 1;
		return;
	}
	encoding_decode(e, span_sub(at->wire, from, from + code.n), take, &d);
	sha256_end(d.hash, sum);
	hex_encode(&hex, sum, sizeof sum);
	ret->sha256 = arena_strndup(a, buf_str(&hex), hex.len);
	ret->size = (int64_t)d.size;
	ret->sniffed_type = attachment_sniff(d.magic, d.size < MAGIC_BYTES ? d.size : MAGIC_BYTES);
	ret->encoding = encoding_name(e);
	ret->offset = (int64_t)from;
	ret->length = (int64_t)code.n;
}

/* An attached mail is called by its subject. */
static const char *mail_name(struct arena *a, const struct mime_part *p)
{
	md_auto(buf_done) struct buf decoded = BUF_INIT(64 << 10);
	struct span mail = p->body, head, body;
	struct header h;
	const char *subject, *name;
	bool junk;

	if (p->encoding != ENCODING_IDENTITY) { /* forbidden, and common */
		encoding_decode_buf(p->encoding, mail, &decoded);
		mail = (struct span){ buf_str(&decoded), decoded.len };
	}
	header_split(span_sub(mail, 0, 64 << 10), HEADER_TOP, &head, &body, &junk);
	header_read(a, head, 200, &h);
	subject = header_text(a, header_value(&h, "Subject"));
	if (!subject || !*subject)
		return "message.eml";
	name = arena_printf(a, "%s.eml", subject);
	for (char *c = (char *)(uintptr_t)name; c && *c; c++)
		if (*c == '/' || *c == '\\')
			*c = '_';
	return name ? attachment_safe_name(a, span_of(name)) : NULL;
}

/* Types that are opened by their extension always have it. */
static const struct {
	const char *type, *extension, *name;
} extensions[] = {
	{ "message/rfc822", ".eml", NULL },
	{ "message/global", ".eml", NULL },
	{ "text/calendar", ".ics", "invite.ics" },
	{ "application/ics", ".ics", "invite.ics" },
};

static void name_by_type(struct arena *a, const struct mime_part *p, struct attachment *ret)
{
	for (size_t i = 0; i < MD_COUNT(extensions); i++) {
		if (strcmp(p->type, extensions[i].type) != 0)
			continue;
		if (!ret->filename)
			ret->filename = extensions[i].name ? extensions[i].name : mail_name(a, p);
		else if (!span_ends(span_of(ret->filename), extensions[i].extension))
			ret->filename =
				arena_printf(a, "%s%s", ret->filename, extensions[i].extension);
	}
}

void attachment_read(struct arena *a, const struct attachment_place *at, const struct mime_part *p,
		     struct attachment *ret)
{
	*ret = (struct attachment){ .content_type = p->type, .content_id = p->content_id };
	ret->is_inline =
		strcmp(p->disposition.value, "inline") == 0 || (p->content_id && !p->attachment);
	if (p->filename)
		ret->filename = attachment_safe_name(a, span_of(p->filename));
	name_by_type(a, p, ret);
	digest(a, p->encoding, at, p->body, ret);
}

void attachment_read_uu(struct arena *a, const struct attachment_place *at,
			const struct uu_block *u, struct attachment *ret)
{
	*ret = (struct attachment){ .content_type = "application/octet-stream",
				    .filename = attachment_safe_name(a, u->name) };
	digest(a, ENCODING_UUENCODE, at, u->code, ret);
}

/* Passes on a stretch of what is decoded. */
struct window {
	uint64_t skip, left;
	encoding_sink *sink;
	void *ctx;
	int result;
};

static int pass_window(void *ctx, const void *bytes, size_t n)
{
	struct window *w = ctx;
	const char *p = bytes;
	size_t skip = w->skip < n ? (size_t)w->skip : n, take;

	w->skip -= skip;
	take = n - skip < w->left ? n - skip : (size_t)w->left;
	w->left -= take;
	if (take)
		w->result = w->sink(w->ctx, p + skip, take);
	return w->result || w->left == 0;
}

int attachment_decode(const char *encoding, struct span slice, encoding_sink *sink, void *ctx)
{
	struct window w = { .sink = sink, .ctx = ctx };
	struct span name = span_of(encoding);
	size_t slash = span_chr(name, '/');
	enum encoding e;
	char *end;
	bool known;

	e = encoding_from_field(span_sub(name, 0, slash), &known);
	if (!known)
		return -1;
	if (slash == name.n)
		return encoding_decode(e, slice, sink, ctx);
	w.skip = strtoull(encoding + slash + 1, &end, 10);
	if (*end != '+')
		return -1;
	w.left = strtoull(end + 1, &end, 10);
	if (*end)
		return -1;
	if (w.left)
		encoding_decode(e, slice, pass_window, &w);
	return w.result;
}

/* iconv does the many tables; what is common or subtle is done here: UTF-8, ASCII and Latin-1 need
 * no converter, and ISO-2022-JP is turned into CP932 because Japanese clients put NEC row 13 and
 * half-width kana into it, which the strict converter refuses. */
#include <maildesk/mail/charset.h>

#include "charset_aliases.h"

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* ---- windows-1252 and UTF-8, without a converter ---- */

static void latin_byte(unsigned char c, struct buf *out)
{
	static const uint16_t high[32] = {
		0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
		0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
		0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
	};
	char utf8[4];

	buf_add(out, utf8, utf8_encode(c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c, utf8));
}

static size_t ascii_run(const char *p, size_t n)
{
	size_t i = 0;
	uint64_t word;

	for (; i + 8 <= n; i += 8) {
		memcpy(&word, p + i, 8);
		if (word & 0x8080808080808080u)
			break;
	}
	while (i < n && !((unsigned char)p[i] & 0x80))
		i++;
	return i;
}

static void from_latin(struct span in, struct buf *out)
{
	while (in.n) {
		size_t run = ascii_run(in.p, in.n);

		buf_add(out, in.p, run);
		in = span_from(in, run);
		if (in.n) {
			latin_byte((unsigned char)*in.p, out);
			in = span_from(in, 1);
		}
	}
}

/* Valid runs as they are, the rest as windows-1252: mixed texts are common where several programs
 * wrote one mail. A character cut off at the end is U+FFFD. */
static bool from_utf8(struct span in, struct buf *out)
{
	bool good = true, seen = false; /* characters of several bytes */
	uint32_t cp;

	while (in.n) {
		size_t run = ascii_run(in.p, in.n), len, cut = 1;

		while (run < in.n && (len = utf8_decode(in.p + run, in.n - run, &cp)) > 0) {
			seen = seen || len > 1;
			run += len;
			run += ascii_run(in.p + run, in.n - run);
		}
		buf_add(out, in.p, run);
		in = span_from(in, run);
		if (!in.n)
			break;
		good = false;
		while (cut < in.n && cut < 4 && ((unsigned char)in.p[cut] & 0xc0) == 0x80)
			cut++;
		if (cut == in.n && cut < 4 && (unsigned char)*in.p >= 0xc2 &&
		    (unsigned char)*in.p < 0xf5 && (seen || cut > 1)) {
			buf_add(out, replacement, 3);
			break;
		}
		latin_byte((unsigned char)*in.p, out);
		in = span_from(in, 1);
	}
	return good;
}

/* ---- iconv ---- */

enum { CONVERTERS = 64 };

/* Opening a converter reads files, so they are kept: the reader is jailed before its first mail.
 * It is a cache and nothing else; its content never changes a result. */
static _Thread_local struct converter {
	const char *name; /* of charset_aliases.c */
	iconv_t cd;
} converters[CONVERTERS];

static struct converter *converter_for(const char *name)
{
	for (size_t i = 0; i < CONVERTERS; i++) {
		struct converter *c = &converters[i];

		if (c->name && strcmp(c->name, name) == 0)
			return c->cd == (iconv_t)-1 ? NULL : c;
		if (!c->name) {
			c->name = name;
			c->cd = iconv_open("UTF-8", name);
			return c->cd == (iconv_t)-1 ? NULL : c;
		}
	}
	return NULL;
}

void charset_prepare(void)
{
	const char *name;

	for (size_t i = 0; (name = charset_alias_target(i)) != NULL; i++)
		converter_for(name);
}

/* Room for at most `want` bytes; NULL (and the buffer says so) when it is full. */
static char *room_for(struct buf *out, size_t want, size_t *ret_room)
{
	size_t left = out->max - out->len;

	*ret_room = want < left ? want : left;
	return buf_reserve(out, *ret_room < 4 ? 4 : *ret_room);
}

static bool from_iconv(struct converter *c, struct span in, struct buf *out)
{
	char *p = (char *)(uintptr_t)in.p; /* iconv does not write through it */
	size_t left = in.n;
	bool good = true, flushed = false;

	iconv(c->cd, NULL, NULL, NULL, NULL);
	while (!flushed) {
		size_t room, had, rc;
		char *to = room_for(out, left > 32768 ? 65536 : left * 2 + 64, &room);

		if (!to)
			break;
		had = room;
		flushed = left == 0; /* some converters hold the last character back */
		rc = iconv(c->cd, flushed ? NULL : &p, flushed ? NULL : &left, &to, &room);
		out->len += had - room;
		out->data[out->len] = '\0';
		if (rc != (size_t)-1 || errno == E2BIG)
			continue;
		good = false;
		buf_add(out, replacement, 3);
		if (errno == EINVAL) /* cut off in the middle of a character */
			break;
		p++;
		left--;
	}
	return good;
}

/* ---- ISO-2022-JP by way of CP932 ---- */

static void jis_pair(unsigned hi, unsigned lo, struct buf *sjis)
{
	unsigned row = (hi - 0x21) / 2 + 0x81;

	if (row > 0x9f)
		row += 0x40;
	if (hi & 1)
		lo += lo >= 0x60 ? 0x20 : 0x1f;
	else
		lo += 0x7e;
	buf_addc(sjis, (char)row);
	buf_addc(sjis, (char)lo);
}

static bool from_iso2022jp(struct span in, struct buf *out)
{
	struct converter *cp932 = converter_for("CP932");
	md_auto(buf_done) struct buf sjis = BUF_INIT(in.n * 2 + 16);
	enum { ASCII, KANJI, KANA } mode = ASCII;

	if (!cp932)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];
		unsigned char next = i + 1 < in.n ? (unsigned char)in.p[i + 1] : 0;

		if (c == 0x1b && i + 2 < in.n && next == '(') {
			mode = in.p[i + 2] == 'I' ? KANA : ASCII;
			i += 2;
		} else if (c == 0x1b && i + 2 < in.n && next == '$') {
			mode = KANJI;
			i += in.p[i + 2] == '(' ? 3 : 2;
		} else if (c == '\n' || c == '\r' || c < 0x20) {
			mode = c == '\n' ? ASCII : mode; /* every line begins in ASCII */
			buf_addc(&sjis, (char)c);
		} else if (mode == KANJI && c >= 0x21 && c <= 0x7e && next >= 0x21 &&
			   next <= 0x7e) {
			jis_pair(c, next, &sjis);
			i++;
		} else if (mode == KANA && c >= 0x21 && c <= 0x5f) {
			buf_addc(&sjis, (char)(c + 0x80));
		} else {
			buf_addc(&sjis, (char)c);
		}
	}
	return from_iconv(cp932, (struct span){ buf_str(&sjis), sjis.len }, out);
}

bool charset_is_regional(struct span name)
{
	static const char *const common[] = { "UTF-8", "WINDOWS-1252" };
	const char *iconv_name = charset_canonical(name);

	for (size_t i = 0; iconv_name && i < MD_COUNT(common); i++)
		if (strcmp(iconv_name, common[i]) == 0)
			return false;
	return iconv_name != NULL;
}

bool charset_to_utf8(struct span name, struct span bytes, struct buf *out)
{
	const char *iconv_name = charset_canonical(name);
	struct converter *c;
	size_t run = ascii_run(bytes.p, bytes.n);
	bool escapes = bytes.n && memchr(bytes.p, 0x1b, bytes.n);

	/* Seven bits without escapes mean themselves in almost every charset. */
	if (!iconv_name || strcmp(iconv_name, "UTF-8") == 0) {
		if (escapes && run == bytes.n && memmem(bytes.p, bytes.n, "\x1b$", 2))
			return from_iso2022jp(bytes, out) && false;
		if (run == bytes.n) {
			buf_add(out, bytes.p, bytes.n);
			return true;
		}
		return from_utf8(bytes, out) && (iconv_name || !name.n);
	}
	if (strcmp(iconv_name, "WINDOWS-1252") == 0) {
		from_latin(bytes, out);
		return true;
	}
	if (strcmp(iconv_name, "ISO-2022-JP") == 0 && run == bytes.n)
		return from_iso2022jp(bytes, out);
	c = converter_for(iconv_name);
	if (c) {
		size_t before = out->len;

		if (from_iconv(c, bytes, out))
			return true;
		/* The declaration does not fit: maybe it is simply UTF-8. */
		if (utf8_valid(bytes.p, bytes.n) && out->status == MD_OK) {
			buf_cut(out, before);
			buf_add(out, bytes.p, bytes.n);
		}
		return false;
	}
	from_utf8(bytes, out);
	return false;
}

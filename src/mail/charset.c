/* iconv does the many tables; what is common or subtle is done here: UTF-8, ASCII and Latin-1 need
 * no converter, and ISO-2022-JP is turned into CP932 because Japanese clients put NEC row 13 and
 * half-width kana into it, which the strict converter refuses. */
#include <maildesk/mail/charset.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* What mail calls it -> what iconv calls it. A trailing '*' matches any rest. Names are compared
 * without '-', '_', ' ' and '.'. A new alias is one row. */
static const struct alias {
	const char *name, *iconv_name;
} aliases[] = {
	{ "usascii", "UTF-8" },
	{ "ascii", "UTF-8" },
	{ "ansix34*", "UTF-8" },
	{ "646", "UTF-8" },
	{ "iso646us", "UTF-8" },
	{ "7bit", "UTF-8" },
	{ "8bit", "UTF-8" },
	{ "utf8*", "UTF-8" },
	{ "unicode11utf8", "UTF-8" },
	{ "xutf8*", "UTF-8" },
	{ "iso88591", "WINDOWS-1252" },
	{ "iso885911*", "TIS-620" },
	{ "iso885910*", "ISO-8859-10" },
	{ "iso885913*", "ISO-8859-13" },
	{ "iso885914*", "ISO-8859-14" },
	{ "iso885915*", "ISO-8859-15" },
	{ "iso885916*", "ISO-8859-16" },
	{ "iso88591*", "WINDOWS-1252" },
	{ "iso88592*", "ISO-8859-2" },
	{ "iso88593*", "ISO-8859-3" },
	{ "iso88594*", "ISO-8859-4" },
	{ "iso88595*", "ISO-8859-5" },
	{ "iso88596*", "ISO-8859-6" },
	{ "iso88597*", "ISO-8859-7" },
	{ "iso88598*", "ISO-8859-8" },
	{ "iso88599*", "WINDOWS-1254" },
	{ "latin1", "WINDOWS-1252" },
	{ "latin2", "ISO-8859-2" },
	{ "latin5", "WINDOWS-1254" },
	{ "latin9", "ISO-8859-15" },
	{ "l1", "WINDOWS-1252" },
	{ "ansi", "WINDOWS-1252" },
	{ "cp1252", "WINDOWS-1252" },
	{ "xansi", "WINDOWS-1252" },
	{ "windows1250", "WINDOWS-1250" },
	{ "windows1251", "WINDOWS-1251" },
	{ "windows1252", "WINDOWS-1252" },
	{ "windows1253", "WINDOWS-1253" },
	{ "windows1254", "WINDOWS-1254" },
	{ "windows1255", "WINDOWS-1255" },
	{ "windows1256", "WINDOWS-1256" },
	{ "windows1257", "WINDOWS-1257" },
	{ "windows1258", "WINDOWS-1258" },
	{ "windows874", "WINDOWS-874" },
	{ "cp1250", "WINDOWS-1250" },
	{ "cp1251", "WINDOWS-1251" },
	{ "cp1253", "WINDOWS-1253" },
	{ "cp1254", "WINDOWS-1254" },
	{ "cp1255", "WINDOWS-1255" },
	{ "cp1256", "WINDOWS-1256" },
	{ "cp1257", "WINDOWS-1257" },
	{ "cp1258", "WINDOWS-1258" },
	{ "cp437", "CP437" },
	{ "ibm437", "CP437" },
	{ "cp850", "CP850" },
	{ "ibm850", "CP850" },
	{ "cp852", "CP852" },
	{ "cp866", "CP866" },
	{ "ibm866", "CP866" },
	{ "koi8r", "KOI8-R" },
	{ "koi8ru", "KOI8-U" },
	{ "koi8u", "KOI8-U" },
	{ "macintosh", "MACINTOSH" },
	{ "macroman", "MACINTOSH" },
	{ "xmacroman", "MACINTOSH" },
	{ "tis620", "TIS-620" },
	{ "gb2312*", "GB18030" },
	{ "isogb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "xgbk", "GB18030" },
	{ "cp936", "GB18030" },
	{ "ms936", "GB18030" },
	{ "windows936", "GB18030" },
	{ "euccn", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "hzgb2312", "HZ" },
	{ "big5hkscs", "BIG5-HKSCS" },
	{ "big5*", "BIG5-HKSCS" },
	{ "cnbig5", "BIG5-HKSCS" },
	{ "xxbig5", "BIG5-HKSCS" },
	{ "cp950", "BIG5-HKSCS" },
	{ "euctw", "EUC-TW" },
	{ "ksc5601*", "CP949" },
	{ "ksc56011987", "CP949" },
	{ "ksx1001", "CP949" },
	{ "euckr", "CP949" },
	{ "cp949", "CP949" },
	{ "ms949", "CP949" },
	{ "uhc", "CP949" },
	{ "windows949", "CP949" },
	{ "iso2022kr", "ISO-2022-KR" },
	{ "shiftjis*", "CP932" },
	{ "sjis*", "CP932" },
	{ "xsjis*", "CP932" },
	{ "mskanji", "CP932" },
	{ "windows31j", "CP932" },
	{ "cp932", "CP932" },
	{ "ms932", "CP932" },
	{ "eucjp*", "EUC-JP-MS" },
	{ "xeucjp", "EUC-JP-MS" },
	{ "iso2022jp*", "ISO-2022-JP" },
	{ "csiso2022jp*", "ISO-2022-JP" },
	{ "cp50220", "ISO-2022-JP" },
	{ "cp50221", "ISO-2022-JP" },
	{ "iso2022cn", "ISO-2022-CN" },
	{ "utf7", "UTF-7" },
	{ "unicode11utf7", "UTF-7" },
	{ "xunicode20utf7", "UTF-7" },
	{ "utf16", "UTF-16" },
	{ "utf16le", "UTF-16LE" },
	{ "utf16be", "UTF-16BE" },
	{ "unicode", "UTF-16" },
	{ "ucs2", "UTF-16" },
	{ "iso10646ucs2", "UTF-16" },
	{ "utf32", "UTF-32" },
	{ "utf32le", "UTF-32LE" },
	{ "utf32be", "UTF-32BE" },
	{ "viscii", "VISCII" },
	{ "tcvn", "TCVN" },
	{ "armscii8", "ARMSCII-8" },
	{ "georgianps", "GEORGIAN-PS" },
};

static size_t squeeze(struct span name, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n + 1 < room; i++) {
		char c = ascii_lower(name.p[i]);

		if (ascii_alnum(c))
			out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

/* The iconv name of a declared charset, NULL for none or one nobody knows. */
static const char *canonical(struct span name)
{
	char key[40];
	size_t n = squeeze(name, key, sizeof key);

	for (size_t i = 0; n && i < MD_COUNT(aliases); i++) {
		size_t len = strlen(aliases[i].name);

		if (aliases[i].name[len - 1] == '*' ? strncmp(key, aliases[i].name, len - 1) == 0
						    : strcmp(key, aliases[i].name) == 0)
			return aliases[i].iconv_name;
	}
	return NULL;
}

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
	const char *name; /* of the alias table */
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
	for (size_t i = 0; i < MD_COUNT(aliases); i++)
		converter_for(aliases[i].iconv_name);
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
	const char *iconv_name = canonical(name);

	for (size_t i = 0; iconv_name && i < MD_COUNT(common); i++)
		if (strcmp(iconv_name, common[i]) == 0)
			return false;
	return iconv_name != NULL;
}

bool charset_to_utf8(struct span name, struct span bytes, struct buf *out)
{
	const char *iconv_name = canonical(name);
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

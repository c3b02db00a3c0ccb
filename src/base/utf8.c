#include <maildesk/base/utf8.h>

#include <stdbool.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

size_t utf8_decode(const char *s, size_t n, uint32_t *ret_cp)
{
	const unsigned char *p = (const unsigned char *)s;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp;
	size_t len;

	if (p[0] < 0x80) {
		*ret_cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0) {
		len = 2;
		cp = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		cp = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] < 0xf5) {
		len = 4;
		cp = p[0] & 0x07;
	} else {
		return 0;
	}
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return 0;
	*ret_cp = cp;
	return len;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* How many bytes at s are ASCII, in whole words. */
static size_t ascii_words(const char *s, size_t n)
{
	size_t i = 0;
	uint64_t word;

	for (; n - i >= sizeof word; i += sizeof word) {
		memcpy(&word, s + i, sizeof word);
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	return i;
}

int utf8_valid(const char *s, size_t n)
{
	size_t len;
	uint32_t cp;

	for (size_t i = 0; i < n; i += len) {
		i += ascii_words(s + i, n - i);
		if (i == n)
			break;
		len = utf8_decode(s + i, n - i, &cp);
		if (len == 0)
			return 0;
	}
	return 1;
}

size_t utf8_cut(const char *s, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

size_t utf8_length(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

int utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

int utf8_is_bidi_or_invisible(uint32_t cp)
{
	return cp == 0x00ad || cp == 0x061c || cp == 0x180e || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

/* Bytes of printable ASCII, without blanks, that it begins with. */
static size_t ascii_word(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] > ' ' && s[i] < 0x7f)
		i++;
	return i;
}

void utf8_clean_line(struct buf *out, const char *s, size_t n)
{
	bool gap = false, any = false;
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		size_t word = ascii_word(s + i, n - i); /* most text is */

		len = word ? word : utf8_decode(s + i, n - i, &cp);
		if (!word && len && (cp == ' ' || utf8_is_control(cp))) {
			gap = true;
			continue;
		}
		if (!word && len && utf8_is_bidi_or_invisible(cp))
			continue;
		if (gap && any)
			buf_addc(out, ' ');
		gap = false;
		any = true;
		if (len) {
			buf_add(out, s + i, len);
		} else {
			buf_add(out, replacement, 3);
			len = 1;
		}
	}
}

/* A byte that is a clean character of a text: what most texts are made of. */
static inline bool is_plain(char c)
{
	return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\t';
}

/* The same of all eight bytes of a word, without the two that end lines and words. A byte below a
 * blank borrows when that is taken off, DEL carries into the top bit: the lowest one that is not
 * plain shows, whatever those above it do. */
static inline bool is_plain_word(const char *s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	memcpy(&word, s, sizeof word);
	return !(((word - ones * ' ') | (word + ones) | word) & (ones * 0x80));
}

/* How many bytes at s are plain. */
static size_t plain_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t stop;

		while (n - i >= sizeof(uint64_t) && is_plain_word(s + i))
			i += sizeof(uint64_t);
		stop = n - i < sizeof(uint64_t) ? n : i + sizeof(uint64_t);
		while (i < stop && is_plain(s[i]))
			i++;
		if (i < stop)
			break;
	}
	return i;
}

void utf8_clean_text(struct buf *out, const char *s, size_t n)
{
	uint32_t cp;
	size_t from = 0, i, len;

	/* Clean stretches are copied whole: most text is clean. */
	for (i = 0; i < n; i += len) {
		i += plain_length(s + i, n - i);
		if (i == n)
			break;
		len = utf8_decode(s + i, n - i, &cp);
		if (len && (cp == '\n' || cp == '\t' || !utf8_is_control(cp)))
			continue;
		buf_add(out, s + from, i - from);
		if (!len) {
			buf_add(out, replacement, 3);
			len = 1;
		} else if (cp == '\r') {
			buf_addc(out, '\n');
			if (i + 1 < n && s[i + 1] == '\n')
				len = 2;
		} else if (cp == 0x2028 || cp == 0x2029) {
			buf_addc(out, '\n');
		}
		from = i + len;
	}
	buf_add(out, s + from, n - from);
}

/* Simple one-to-one folding of the bicameral scripts that mail is mostly written in. */
static uint32_t fold(uint32_t cp)
{
	if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0xde && cp != 0xd7) ||
	    (cp >= 0x391 && cp <= 0x3a9) || (cp >= 0x410 && cp <= 0x42f))
		return cp + 0x20;
	if (cp >= 0x400 && cp <= 0x40f)
		return cp + 0x50;
	if (cp == 0x130)
		return 'i';
	if ((cp >= 0x100 && cp <= 0x137) || (cp >= 0x14a && cp <= 0x177))
		return cp | 1;
	if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e))
		return cp + (cp & 1);
	if (cp == 0x178)
		return 0xff;
	if (cp == 0x1e9e)
		return 0xdf;
	return cp;
}

void utf8_fold(struct buf *out, const char *s, size_t n)
{
	char enc[4];
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode(s + i, n - i, &cp);
		if (len) {
			buf_add(out, enc, utf8_encode(fold(cp), enc));
		} else {
			buf_add(out, s + i, 1);
			len = 1;
		}
	}
}

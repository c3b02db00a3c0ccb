/* A short table of letters instead of Unicode's list of confusables: the scripts that share shapes
 * with Latin, and what ASCII itself has to offer. A label is judged by two questions: do all its
 * strange letters read as ASCII, and do ASCII letters stand beside letters of another script that
 * has look-alikes? Either way nobody chose it innocently. */
#include <maildesk/mail/alike.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 256, SKELETON_MAX = 1024 };

/* Letters that read as an ASCII one. */
static const struct {
	uint32_t cp;
	char as;
} letters[] = {
	{ 0x131, 'i' },  { 0x251, 'a' },  { 0x261, 'g' },  { 0x3b1, 'a' },  { 0x3b5, 'e' },
	{ 0x3b7, 'n' },  { 0x3b9, 'i' },  { 0x3ba, 'k' },  { 0x3bd, 'v' },  { 0x3bf, 'o' },
	{ 0x3c1, 'p' },  { 0x3c4, 't' },  { 0x3c5, 'u' },  { 0x3c7, 'x' },  { 0x3c9, 'w' },
	{ 0x3f2, 'c' },  { 0x430, 'a' },  { 0x432, 'b' },  { 0x433, 'r' },  { 0x435, 'e' },
	{ 0x43a, 'k' },  { 0x43c, 'm' },  { 0x43d, 'h' },  { 0x43e, 'o' },  { 0x440, 'p' },
	{ 0x441, 'c' },  { 0x442, 't' },  { 0x443, 'y' },  { 0x445, 'x' },  { 0x44c, 'b' },
	{ 0x455, 's' },  { 0x456, 'i' },  { 0x458, 'j' },  { 0x4bb, 'h' },  { 0x4cf, 'l' },
	{ 0x501, 'd' },  { 0x51b, 'q' },  { 0x51d, 'w' },  { 0x570, 'h' },  { 0x578, 'n' },
	{ 0x57d, 'u' },  { 0x585, 'o' },  { 0x1d04, 'c' }, { 0x1d0f, 'o' }, { 0x2010, '-' },
	{ 0x2011, '-' }, { 0x2024, '.' }, { 0x217c, 'l' }, { 0x3002, '.' },
};

/* What an ASCII letter can be taken for. */
static const struct {
	const char *text, *as;
} pairs[] = { { "rn", "m" }, { "vv", "w" }, { "cl", "d" }, { "0", "o" },
	      { "1", "l" },  { "i", "l" },  { "5", "s" },  { "3", "e" } };

static uint32_t fold(uint32_t cp)
{
	if (cp >= 0xff01 && cp <= 0xff5e) /* full width */
		return cp - 0xfee0;
	if (cp >= 0x1d400 && cp <= 0x1d7ff) /* letters of mathematics */
		return 'a';
	for (size_t i = 0; i < MD_COUNT(letters); i++)
		if (letters[i].cp == cp)
			return (uint32_t)letters[i].as;
	return cp;
}

/* Scripts whose letters are confused with Latin ones. */
static bool is_other_script(uint32_t cp)
{
	return (cp >= 0x370 && cp <= 0x58f) || (cp >= 0x1f00 && cp <= 0x1fff) ||
	       (cp >= 0x2c80 && cp <= 0x2cff) || (cp >= 0x13a0 && cp <= 0x13ff);
}

/* ---- punycode (RFC 3492) ---- */

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / 700 : delta / 2;
	delta += delta / points;
	for (; delta > 455; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

static bool digit(char c, uint32_t *ret)
{
	if (c >= 'a' && c <= 'z')
		*ret = (uint32_t)(c - 'a');
	else if (c >= 'A' && c <= 'Z')
		*ret = (uint32_t)(c - 'A');
	else if (c >= '0' && c <= '9')
		*ret = (uint32_t)(c - '0') + 26;
	else
		return false;
	return true;
}

/* One generalised number; false when it is none. */
static bool take_number(const char *s, size_t n, size_t *at, uint32_t bias, uint32_t *ret)
{
	uint64_t value = 0, weight = 1;

	for (uint32_t k = 36;; k += 36) {
		uint32_t d, t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;

		if (*at >= n || !digit(s[(*at)++], &d))
			return false;
		value += d * weight;
		if (value > UINT32_MAX / 2)
			return false;
		if (d < t)
			break;
		weight *= 36 - t;
	}
	*ret = (uint32_t)value;
	return true;
}

/* The code points of a label behind "xn--"; 0 when it is not punycode. */
static size_t decode_puny(const char *s, size_t n, uint32_t out[LABEL_MAX])
{
	size_t basic = n, at = 0, len = 0;
	uint32_t cp = 128, bias = 72;
	uint64_t i = 0;

	while (basic > 0 && s[basic - 1] != '-')
		basic--;
	for (size_t k = 0; basic && k + 1 < basic && len < LABEL_MAX; k++)
		out[len++] = (unsigned char)s[k];
	for (at = basic; at < n;) {
		uint32_t delta;
		bool first = i == 0 && cp == 128;

		if (len == LABEL_MAX || !take_number(s, n, &at, bias, &delta))
			return 0;
		bias = adapt(delta, (uint32_t)len + 1, first);
		i += delta;
		cp += (uint32_t)(i / (len + 1));
		i %= len + 1;
		memmove(out + i + 1, out + i, (len - i) * sizeof *out);
		out[i++] = cp;
		len++;
	}
	return len;
}

/* ---- labels ---- */

static size_t decode_label(const char *s, size_t n, uint32_t out[LABEL_MAX])
{
	size_t len = 0;

	if (n > 4 && strncasecmp(s, "xn--", 4) == 0 && (len = decode_puny(s + 4, n - 4, out)) > 0)
		return len;
	for (size_t at = 0; at < n && len < LABEL_MAX;) {
		size_t k = utf8_decode(s + at, n - at, &out[len]);

		if (k == 0)
			break;
		at += k;
		len++;
	}
	return len;
}

static bool is_disguised(const char *s, size_t n)
{
	uint32_t cps[LABEL_MAX];
	size_t len = decode_label(s, n, cps), strange = 0, reads = 0, ascii = 0, other = 0;

	for (size_t i = 0; i < len; i++) {
		uint32_t cp = cps[i];

		if (cp < 128) {
			ascii += (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
			continue;
		}
		strange++;
		reads += fold(cp) < 128;
		other += is_other_script(cp);
		if (utf8_is_bidi_or_invisible(cp) || (cp >= 0xff01 && cp <= 0xff5e))
			return true;
	}
	return strange && (strange == reads || (ascii && other));
}

bool alike_is_disguised(const char *address)
{
	const char *at = strrchr(address, '@'), *label = at ? at + 1 : address;

	if (at && is_disguised(address, (size_t)(at - address)))
		return true;
	while (*label) {
		size_t n = strcspn(label, ".");

		if (is_disguised(label, n))
			return true;
		label += n + (label[n] == '.');
	}
	return false;
}

/* What a hasty reader sees. */
static void skeleton(const char *domain, struct buf *out)
{
	md_auto(buf_done) struct buf plain = BUF_INIT(SKELETON_MAX);

	while (*domain) {
		uint32_t cps[LABEL_MAX];
		size_t n = strcspn(domain, "."), len = decode_label(domain, n, cps);

		for (size_t i = 0; i < len; i++) {
			uint32_t cp = fold(cps[i]);

			buf_addc(&plain, cp >= 'A' && cp <= 'Z' ? (char)(cp + 32)
					 : cp < 128             ? (char)cp
								: '?');
		}
		domain += n;
		if (*domain == '.')
			buf_addc(&plain, *domain++);
	}
	for (const char *p = buf_str(&plain); *p;) {
		size_t i = 0;

		while (i < MD_COUNT(pairs) &&
		       (*p != *pairs[i].text ||
			strncmp(p, pairs[i].text, strlen(pairs[i].text)) != 0))
			i++;
		if (i < MD_COUNT(pairs)) {
			buf_adds(out, pairs[i].as);
			p += strlen(pairs[i].text);
		} else {
			buf_addc(out, *p++);
		}
	}
}

bool alike_domains(const char *one, const char *other)
{
	md_auto(buf_done) struct buf a = BUF_INIT(SKELETON_MAX);
	md_auto(buf_done) struct buf b = BUF_INIT(SKELETON_MAX);

	if (strcasecmp(one, other) == 0)
		return false;
	skeleton(one, &a);
	skeleton(other, &b);
	return a.status == MD_OK && b.status == MD_OK && a.len == b.len &&
	       memcmp(buf_str(&a), buf_str(&b), a.len) == 0;
}

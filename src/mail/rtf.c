/* One pass with a stack of groups: a group inherits what its parent said. Bytes outside ASCII stand
 * in the code page that \ansicpg names and are converted in runs, for some take two bytes. */
#include <maildesk/mail/rtf.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct group {
	bool skip;    /* its content is no text */
	int fallback; /* \ucN: how many characters stand for one \uN */
};
struct rtf {
	struct buf *out;
	struct buf run; /* bytes of the code page, not yet converted */
	char charset[24];
	struct group groups[RTF_DEPTH_MAX];
	int depth;   /* may be beyond RTF_DEPTH_MAX: what is there is skipped */
	int pending; /* characters still to be passed over behind a \uN */
};

/* Words that are text, and groups that hold none. */
static const struct {
	const char *word, *text;
} texts[] = {
	{ "par", "\n" },
	{ "line", "\n" },
	{ "row", "\n" },
	{ "sect", "\n" },
	{ "page", "\n" },
	{ "tab", "\t" },
	{ "cell", "\t" },
	{ "emdash", "\xe2\x80\x94" },
	{ "endash", "\xe2\x80\x93" },
	{ "bullet", "\xe2\x80\xa2" },
	{ "lquote", "\xe2\x80\x98" },
	{ "rquote", "\xe2\x80\x99" },
	{ "ldblquote", "\xe2\x80\x9c" },
	{ "rdblquote", "\xe2\x80\x9d" },
};
static const char *const silent[] = { "fonttbl",  "colortbl",  "stylesheet", "info",
				      "pict",     "object",    "header",     "footer",
				      "footnote", "listtable", "generator",  "themedata" };

static struct group *top(struct rtf *r)
{
	return &r->groups[r->depth < RTF_DEPTH_MAX ? r->depth : RTF_DEPTH_MAX - 1];
}

static bool skipping(struct rtf *r)
{
	return r->depth >= RTF_DEPTH_MAX || top(r)->skip;
}

static void flush(struct rtf *r)
{
	if (!r->run.len)
		return;
	charset_to_utf8(span_of(r->charset), (struct span){ buf_str(&r->run), r->run.len }, r->out);
	buf_reset(&r->run);
}

static void byte(struct rtf *r, char c)
{
	if (r->pending > 0)
		r->pending--;
	else if (!skipping(r))
		buf_addc(&r->run, c);
}

static void code_point(struct rtf *r, long n)
{
	char utf8[4];

	if (skipping(r))
		return;
	flush(r);
	n = n < 0 ? n + 65536 : n;
	if (n > 0 && n < 65536 && !(n >= 0xd800 && n < 0xe000))
		buf_add(r->out, utf8, utf8_encode((uint32_t)n, utf8));
	r->pending = top(r)->fallback;
}

static void word(struct rtf *r, struct span name, bool has_number, long number)
{
	if (span_is(name, "u") && has_number) {
		code_point(r, number);
		return;
	}
	if (span_is(name, "uc") && has_number)
		top(r)->fallback = number >= 0 && number < 10 ? (int)number : 1;
	if (span_is(name, "ansicpg") && has_number && number > 0 && number < 70000)
		snprintf(r->charset, sizeof r->charset, "cp%ld", number);
	for (size_t i = 0; i < MD_COUNT(silent); i++)
		if (span_is(name, silent[i]))
			top(r)->skip = true;
	for (size_t i = 0; !skipping(r) && i < MD_COUNT(texts); i++)
		if (span_is(name, texts[i].word)) {
			flush(r);
			buf_adds(r->out, texts[i].text);
		}
}

/* s begins behind a backslash; returns what it took. */
static size_t control(struct rtf *r, struct span s)
{
	size_t n = 0, digits;
	char number[12] = "";

	if (!s.n)
		return 0;
	if (*s.p == '\'') {
		if (s.n >= 3 && hex_digit(s.p[1]) >= 0 && hex_digit(s.p[2]) >= 0)
			byte(r, (char)(hex_digit(s.p[1]) << 4 | hex_digit(s.p[2])));
		return s.n < 3 ? s.n : 3;
	}
	while (n < s.n && ascii_alnum(s.p[n]) && !ascii_digit(s.p[n]))
		n++;
	if (n == 0) {
		if (*s.p == '*')
			top(r)->skip = true;
		else if (strchr("{}\\", *s.p))
			byte(r, *s.p);
		else if (*s.p == '~')
			byte(r, ' ');
		else if (*s.p == '_')
			byte(r, '-');
		else if (*s.p == '\n' || *s.p == '\r')
			byte(r, '\n');
		return 1;
	}
	digits = n < s.n && s.p[n] == '-' ? 1 : 0;
	while (n + digits < s.n && ascii_digit(s.p[n + digits]))
		digits++;
	if (digits && digits < sizeof number)
		memcpy(number, s.p + n, digits);
	word(r, span_sub(s, 0, n), digits > 0, strtol(number, NULL, 10));
	digits += n;
	if (span_is(span_sub(s, 0, n), "bin")) /* that many raw bytes follow */
		digits += (size_t)strtoul(number, NULL, 10);
	return digits + (digits < s.n && s.p[digits] == ' ');
}

static void open_group(struct rtf *r)
{
	flush(r);
	r->depth++;
	if (r->depth < RTF_DEPTH_MAX)
		r->groups[r->depth] = r->groups[r->depth - 1];
}

void rtf_to_text(struct span rtf, struct buf *out)
{
	struct rtf r = { .out = out, .run = BUF_INIT(rtf.n + 16), .charset = "cp1252" };

	r.groups[0].fallback = 1;
	while (rtf.n && out->status == MD_OK) {
		char c = *rtf.p;

		rtf = span_from(rtf, 1);
		if (c == '\\') {
			rtf = span_from(rtf, control(&r, rtf));
		} else if (c == '{') {
			open_group(&r);
		} else if (c == '}') {
			flush(&r);
			r.depth -= r.depth > 0;
			r.pending = 0;
		} else if (c != '\r' && c != '\n') {
			byte(&r, c);
		}
	}
	flush(&r);
	buf_done(&r.run);
}

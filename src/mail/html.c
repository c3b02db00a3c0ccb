/* Text is written as the events of html_walk.c come: what an element does to it stands in a table.
 * Line ends and blanks are wanted first and written when text follows. */
#include <maildesk/mail/html.h>

#include "html_elements.h"
#include "html_marks.h"
#include "html_walk.h"

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <libxml/parser.h>
#include <stdint.h>
#include <string.h>

enum { LISTS_MAX = 32, URL_MAX = 500 };

struct html {
	struct html_walk walk; /* first */
	struct buf *out;
	int skip, quote, pre;
	int line_quote;  /* of the last line written */
	int breaks;      /* line ends wanted before the next text */
	bool space;      /* a blank wanted before the next text */
	bool line_empty; /* nothing but the quote prefix stands on the line */
	bool cell;       /* a table cell ended on this line */
	int lists;
	int numbers[LISTS_MAX]; /* 0: bullets, else the next number */
	char url[URL_MAX + 1];
	size_t url_from; /* where the link's text begins in `out` */
	struct html_marks *marks;
	int mark_depth; /* of the element whose range is open; 0 for none */
};

/* ---- writing ---- */

static void want_breaks(struct html *h, int n)
{
	if (h->breaks < n)
		h->breaks = n;
}

static void begin_line(struct html *h)
{
	h->line_quote = h->quote;
	for (int i = 0; i < h->quote && i < 20; i++)
		buf_adds(h->out, "> ");
	h->line_empty = true;
}

/* What is due before text: line ends, the quote prefix or a blank. */
static void settle(struct html *h)
{
	if (h->breaks && h->out->len) {
		for (int i = 0; i < h->breaks && i < 3; i++) {
			buf_addc(h->out, '\n');
			/* An empty line belongs to the quote only between two of its lines. */
			if (i + 1 < h->breaks && h->quote && h->line_quote)
				buf_addc(h->out, '>');
		}
		begin_line(h);
	} else if (h->breaks || !h->out->len) {
		begin_line(h);
	} else if (h->space && !h->line_empty) {
		buf_addc(h->out, ' ');
	}
	h->breaks = 0;
	h->space = h->cell = false;
}

static void write_pre(struct html *h, struct span s)
{
	struct span line;

	while (s.n) {
		size_t at = span_chr(s, '\n');

		line = span_sub(s, 0, at);
		if (line.n) {
			settle(h);
			buf_add(h->out, line.p, line.n);
			h->line_empty = false;
		}
		if (at < s.n)
			h->breaks = h->breaks < 3 ? h->breaks + 1 : 3;
		s = span_from(s, at + 1);
	}
}

/* A no-break space is a blank, zero-width ones are nothing. */
static size_t odd_blank(struct span s, bool *ret_space)
{
	if (s.n >= 2 && memcmp(s.p, "\xc2\xa0", 2) == 0) {
		*ret_space = true;
		return 2;
	}
	if (s.n >= 3 &&
	    (memcmp(s.p, "\xe2\x80\x8b", 3) == 0 || memcmp(s.p, "\xe2\x80\x8c", 3) == 0 ||
	     memcmp(s.p, "\xef\xbb\xbf", 3) == 0))
		return 3;
	return s.n >= 2 && memcmp(s.p, "\xc2\xad", 2) == 0 ? 2 : 0;
}

static void write_text(struct html *h, struct span s)
{
	while (s.n) {
		size_t n = 0, odd = 0;

		while (n < s.n && !ascii_space(s.p[n]) &&
		       !((unsigned char)s.p[n] >= 0xc2 &&
			 (odd = odd_blank(span_from(s, n), &h->space)) > 0))
			n++;
		if (n) {
			bool space_after = h->space;

			/* odd_blank() may have asked for the blank that follows this word */
			if (odd)
				h->space = false;
			settle(h);
			buf_add(h->out, s.p, n);
			h->line_empty = false;
			h->space = odd && space_after;
		}
		s = span_from(s, n + odd);
		if (s.n && !odd && ascii_space(*s.p)) {
			h->space = true;
			s = span_from(s, 1);
		}
	}
}

static void text(struct html *h, struct span s)
{
	h->walk.stop = h->out->status != MD_OK;
	if (h->skip || h->walk.stop)
		return;
	if (h->pre)
		write_pre(h, s);
	else
		write_text(h, s);
}

/* ---- elements ---- */

static const char *attribute(const char *const *atts, const char *name)
{
	for (size_t i = 0; atts && atts[i]; i += 2)
		if (strcmp(atts[i], name) == 0)
			return atts[i + 1] ? atts[i + 1] : "";
	return NULL;
}

/* "opacity:0", "max-height:0px", not "opacity:0.9". */
static bool is_zero(const char *style, const char *property)
{
	const char *v = strstr(style, property);

	v = v ? v + strlen(property) : "";
	return *v == '0' && v[1] != '.' && !ascii_digit(v[1]);
}

static bool is_hidden(const char *const *atts)
{
	const char *style = attribute(atts, "style");
	char flat[512];
	size_t n = 0;

	if (attribute(atts, "hidden"))
		return true;
	if (!style)
		return false;
	for (const char *p = style; *p && n + 1 < sizeof flat; p++)
		if (!ascii_space(*p))
			flat[n++] = ascii_lower(*p);
	flat[n] = '\0';
	return strstr(flat, "display:none") || strstr(flat, "mso-hide:all") ||
	       strstr(flat, "visibility:hidden") || is_zero(flat, "opacity:") ||
	       (is_zero(flat, "max-height:") && strstr(flat, "overflow:hidden"));
}

static void item(struct html *h)
{
	int *number = h->lists > 0 && h->lists <= LISTS_MAX ? &h->numbers[h->lists - 1] : NULL;

	settle(h);
	for (int i = 1; i < h->lists && i < 10; i++)
		buf_adds(h->out, "  ");
	if (number && *number)
		buf_addf(h->out, "%d. ", (*number)++);
	else
		buf_adds(h->out, "- ");
	h->line_empty = true; /* no blank more before the item's text */
}

/* <ol start="3">; 0 stands for bullets. */
static int first_number(const char *const *atts)
{
	const char *start = attribute(atts, "start");
	int n = 0;

	for (; start && ascii_digit(*start) && n < 100000; start++)
		n = n * 10 + (*start - '0');
	return n ? n : 1;
}

static void link_begin(struct html *h, const char *href)
{
	size_t n = href ? strlen(href) : 0;

	h->url[0] = '\0';
	h->url_from = h->out->len;
	if (!n || n > URL_MAX ||
	    !(span_starts(span_of(href), "http://") || span_starts(span_of(href), "https://") ||
	      span_starts(span_of(href), "mailto:") || span_starts(span_of(href), "ftp://")))
		return;
	memcpy(h->url, href, n + 1);
}

/* "text (url)", unless the text is the url. */
static void link_end(struct html *h)
{
	struct span url = span_trim(span_of(h->url)), bare = url, shown, shown_bare;
	size_t scheme;

	if (!url.n || h->url_from >= h->out->len)
		return;
	shown = span_trim(span_from((struct span){ buf_str(h->out), h->out->len }, h->url_from));
	if (span_starts(url, "mailto:"))
		bare = span_sub(url, 7, 7 + span_chr(span_from(url, 7), '?'));
	else if ((scheme = span_find(url, "://")) < url.n)
		bare = span_from(url, scheme + 3);
	shown_bare = shown;
	if ((scheme = span_find(shown, "://")) < shown.n)
		shown_bare = span_from(shown, scheme + 3);
	while (bare.n && bare.p[bare.n - 1] == '/')
		bare.n--;
	while (shown_bare.n && shown_bare.p[shown_bare.n - 1] == '/')
		shown_bare.n--;
	if (!shown.n || span_same(shown_bare, bare) || span_same(shown, url))
		return;
	for (size_t i = 0; i < url.n; i++) /* a url never breaks a line or the brackets */
		if (ascii_space(url.p[i]) || url.p[i] == '(' || url.p[i] == ')')
			return;
	buf_adds(h->out, " (");
	buf_add(h->out, url.p, url.n);
	buf_addc(h->out, ')');
}

static void mark_end(struct html *h)
{
	struct html_range *r = &h->marks->v[h->marks->n];

	h->mark_depth = 0;
	r->to = h->out->len;
	h->marks->n += r->to > r->from;
}

/* A quote's own container reaches to the first block quote in it: people answer between those, and
 * their lines are marked anyway. */
static void mark_begin(struct html *h, const char *name, const char *const *atts)
{
	enum html_mark mark = HTML_MARK_NONE;

	if (h->mark_depth) {
		if (strcmp(name, "blockquote") == 0 &&
		    h->marks->v[h->marks->n].mark == HTML_MARK_QUOTE)
			mark_end(h);
		return;
	}
	if (atts && h->marks->n < HTML_MARKS_MAX)
		mark = html_mark_of(name, atts);
	if (mark == HTML_MARK_NONE)
		return;
	h->marks->v[h->marks->n] = (struct html_range){ mark, h->out->len, SIZE_MAX };
	if (mark == HTML_MARK_REST)
		h->marks->n++;
	else
		h->mark_depth = h->walk.depth;
}

static void on_start(struct html_walk *w, const char *name, const char *const *atts)
{
	struct html *h = (struct html *)w;
	unsigned e = html_effect_of(name);

	if (h->skip || (e & HTML_SKIP) || (atts && is_hidden(atts))) {
		h->skip++;
		return;
	}
	if (h->marks)
		mark_begin(h, name, atts);
	if (e & HTML_BREAK)
		h->breaks = h->breaks < 3 ? h->breaks + 1 : 3;
	if (e & HTML_BLOCK)
		want_breaks(h, 1);
	if (e & HTML_PARAGRAPH)
		want_breaks(h, 2);
	if (e & HTML_QUOTE)
		h->quote++;
	if (e & HTML_PRE)
		h->pre++;
	if ((e & HTML_LIST) && ++h->lists <= LISTS_MAX)
		h->numbers[h->lists - 1] = strcmp(name, "ol") == 0 ? first_number(atts) : 0;
	if (e & HTML_ITEM)
		item(h);
	if ((e & HTML_CELL) && h->cell)
		h->space = true;
	if (e & HTML_LINK)
		link_begin(h, attribute(atts, "href"));
	if (e & HTML_RULE) {
		text(h, (struct span){ "---", 3 });
		want_breaks(h, 1);
	}
}

static void on_end(struct html_walk *w, const char *name)
{
	struct html *h = (struct html *)w;
	unsigned e = html_effect_of(name);

	if (h->mark_depth && w->depth <= h->mark_depth)
		mark_end(h);
	if (h->skip) {
		h->skip--;
		return;
	}
	if (e & HTML_LINK) {
		link_end(h);
		h->url[0] = '\0';
	}
	if (e & HTML_BLOCK)
		want_breaks(h, 1);
	if (e & HTML_PARAGRAPH)
		want_breaks(h, 2);
	if ((e & HTML_QUOTE) && h->quote)
		h->quote--;
	if ((e & HTML_PRE) && h->pre)
		h->pre--;
	if ((e & HTML_LIST) && h->lists)
		h->lists--;
	if (e & HTML_CELL)
		h->cell = h->space = true;
}

static void on_text(struct html_walk *w, struct span s)
{
	text((struct html *)w, s);
}

static void on_rest(struct html_walk *w, struct span s)
{
	struct html *h = (struct html *)w;

	h->skip = h->pre = 0;
	text(h, s);
	want_breaks(h, 1);
}

bool html_to_text(struct span html, struct buf *out)
{
	return html_read(html, out, NULL);
}

bool html_read(struct span html, struct buf *out, struct html_marks *marks)
{
	struct html h = {
		.walk = { .start = on_start, .end = on_end, .text = on_text, .rest = on_rest },
		.out = out,
		.line_empty = true,
		.marks = marks
	};

	if (!html_walk(&h.walk, html))
		return false;
	if (h.mark_depth)
		mark_end(&h);
	return true;
}

struct span html_meta_charset(struct span html)
{
	struct span near = span_sub(html, 0, 2048), v;
	size_t at = span_find(near, "charset="), n = 0;

	if (at == near.n || span_find(near, "<meta") > at)
		return span_of("");
	v = span_from(near, at + 8);
	while (v.n && (*v.p == '"' || *v.p == '\'' || *v.p == ' '))
		v = span_from(v, 1);
	while (n < v.n && (ascii_alnum(v.p[n]) || v.p[n] == '-' || v.p[n] == '_'))
		n++;
	return span_sub(v, 0, n);
}

void html_prepare(void)
{
	xmlInitParser();
}

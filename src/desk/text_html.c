#include <maildesk/desk/text_html.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define PARAGRAPH "<p style=\"margin: 0 0 16px\">"
#define LINK "<a class=\"md-link\" style=\"color: #0b57d0\" href=\""
enum { INDENT_MAX = 40, LINK_MAX = 2000 };

void text_html_escape(struct buf *out, const char *s, size_t n)
{
	static const struct {
		char c;
		const char *entity;
	} escapes[] = { { '&', "&amp;" },
			{ '<', "&lt;" },
			{ '>', "&gt;" },
			{ '"', "&quot;" },
			{ '\'', "&#39;" } };
	size_t from = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t e = 0; e < MD_COUNT(escapes); e++)
			if (s[i] == escapes[e].c) {
				buf_add(out, s + from, i - from);
				buf_adds(out, escapes[e].entity);
				from = i + 1;
			}
	buf_add(out, s + from, n - from);
}

/* Length of the web address s begins with, without the stop or bracket that ends a sentence; 0. */
static size_t link_length(const char *s, size_t n)
{
	static const char *const schemes[] = { "https://", "http://" };
	size_t scheme = 0, len;

	for (size_t i = 0; i < MD_COUNT(schemes) && scheme == 0; i++)
		if (n > strlen(schemes[i]) && strncasecmp(s, schemes[i], strlen(schemes[i])) == 0)
			scheme = strlen(schemes[i]);
	if (scheme == 0)
		return 0;
	for (len = scheme; len < n && (unsigned char)s[len] > ' ' && !strchr("<>\"`{}|\\^", s[len]);
	     len++)
		;
	while (len > scheme && strchr(".,;:!?)]'", s[len - 1]))
		len--;
	return len > scheme && len <= LINK_MAX ? len : 0;
}

static bool is_empty(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

void text_html_link(struct buf *out, const char *url, size_t n)
{
	buf_adds(out, LINK);
	text_html_escape(out, url, n);
	buf_adds(out, "\">");
}

void text_html_words(struct buf *out, const char *s, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		bool word_begins =
			i == from || !strchr("abcdefghijklmnopqrstuvwxyz", s[i - 1] | 32);
		size_t len = word_begins ? link_length(s + i, n - i) : 0;

		if (len == 0)
			continue;
		text_html_escape(out, s + from, i - from);
		text_html_link(out, s + i, len);
		text_html_escape(out, s + i, len);
		buf_adds(out, "</a>");
		from = i + len;
		i = from - 1;
	}
	text_html_escape(out, s + from, n - from);
}

static void put_line(struct buf *out, const char *s, size_t n)
{
	size_t i = 0;

	/* what is indented stays so */
	for (; i < n && i < INDENT_MAX && (s[i] == ' ' || s[i] == '\t'); i++)
		buf_adds(out, s[i] == ' ' ? "&nbsp;" : "&nbsp; &nbsp; ");
	text_html_words(out, s + i, n - i);
}

void text_html(struct buf *out, const char *text, size_t n)
{
	bool open = false;

	for (size_t at = 0, len; at < n && out->status == MD_OK; at += len + 1) {
		const char *line = text + at, *lf = memchr(line, '\n', n - at);

		len = lf ? (size_t)(lf - line) : n - at;
		if (is_empty(line, len)) {
			buf_adds(out, open ? "</p>\n" : "");
			open = false;
			continue;
		}
		buf_adds(out, open ? "<br>\n" : PARAGRAPH);
		open = true;
		put_line(out, line, line[len - 1] == '\r' ? len - 1 : len);
	}
	buf_adds(out, open ? "</p>\n" : "");
}

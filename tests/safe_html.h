/* safe_html.h - an oracle for html_sanitize(), for its test and its fuzz target: reads the result
 * as strictly as it was promised and knows nothing of how it is made. */
#ifndef MAILDESK_TESTS_SAFE_HTML_H
#define MAILDESK_TESTS_SAFE_HTML_H

#include <maildesk/base/mem.h>
#include <maildesk/mail/span.h>

#include <string.h>

enum { SAFE_HTML_DEPTH = 100 };

static inline bool safe_html_in(struct span word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word.n == strlen(list[i]) && memcmp(word.p, list[i], word.n) == 0)
			return true;
	return false;
}

static inline bool safe_html_attribute(struct span name, struct span value)
{
	static const char *const known[] = {
		"dir",         "lang",        "style",  "title",   "alt",    "width",    "height",
		"align",       "valign",      "border", "bgcolor", "span",   "colspan",  "rowspan",
		"cellpadding", "cellspacing", "scope",  "nowrap",  "start",  "type",     "value",
		"color",       "face",        "size",   "rel",     "target", "datetime",
	};
	static const char *const bad_css[] = {
		"url(", "expression(", "var(",        "image(",    "@",        "\\",
		"/*",   "{",           "javascript:", "behavior:", "binding:", "position:",
	};
	struct span href = { "href", 4 }, src = { "src", 3 }, later = { "data-src", 8 };

	for (size_t i = 0; i < value.n; i++)
		if (strchr("<>'", value.p[i]))
			return false;
	if (span_same(name, href))
		return span_starts(value, "http:") || span_starts(value, "https:") ||
		       span_starts(value, "mailto:") || span_starts(value, "tel:");
	if (span_same(name, src))
		return span_starts(value, "cid:");
	if (span_same(name, later))
		return span_starts(value, "http:") || span_starts(value, "https:");
	for (size_t i = 0; span_is(name, "style") && i < MD_COUNT(bad_css); i++)
		if (span_has(value, bad_css[i]))
			return false;
	return safe_html_in(name, known, MD_COUNT(known));
}

/* What stands between < and >. */
static inline bool safe_html_tag(struct span tag, struct span *open, int *depth)
{
	static const char *const bad[] = {
		"script",   "style",  "form",     "input",  "button",   "select", "textarea",
		"meta",     "base",   "link",     "svg",    "math",     "iframe", "frame",
		"frameset", "object", "embed",    "applet", "template", "title",  "noscript",
		"xmp",      "video",  "audio",    "head",   "body",     "html",   "source",
		"noembed",  "param",  "noframes", "portal", "slot",     "dialog", "plaintext",
	};
	static const char *const empty[] = { "br", "hr", "img", "col" };
	bool end = tag.n && *tag.p == '/';
	struct span name;
	size_t n = 0;

	tag = span_from(tag, end);
	while (n < tag.n && ascii_alnum(tag.p[n]))
		n++;
	name = span_sub(tag, 0, n);
	if (!n || safe_html_in(name, bad, MD_COUNT(bad)))
		return false;
	if (end)
		return n == tag.n && *depth > 0 && span_same(open[--*depth], name);
	for (tag = span_from(tag, n); tag.n;) {
		size_t eq = span_chr(tag, '='), quoted;
		struct span value;

		if (*tag.p != ' ' || eq + 1 >= tag.n || tag.p[eq + 1] != '"')
			return false;
		value = span_from(tag, eq + 2);
		quoted = span_chr(value, '"');
		if (quoted == value.n ||
		    !safe_html_attribute(span_sub(tag, 1, eq), span_sub(value, 0, quoted)))
			return false;
		tag = span_from(value, quoted + 1);
	}
	if (safe_html_in(name, empty, MD_COUNT(empty)))
		return true;
	if (*depth == SAFE_HTML_DEPTH)
		return false;
	open[(*depth)++] = name;
	return true;
}

/* Whole, balanced, escaped, and nothing in it that must not be. */
static inline bool safe_html(struct span s)
{
	struct span open[SAFE_HTML_DEPTH];
	int depth = 0;

	while (s.n) {
		size_t from = span_chr(s, '<'), to;

		if (span_chr(span_sub(s, 0, from), '>') < from)
			return false;
		s = span_from(s, from);
		to = span_chr(s, '>');
		if (!s.n)
			break;
		if (to == s.n || !safe_html_tag(span_sub(s, 1, to), open, &depth))
			return false;
		s = span_from(s, to + 1);
	}
	return depth == 0;
}

#endif

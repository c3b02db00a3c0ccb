/* libxml2's push parser calls back for each tag and text; no tree is built, so depth costs nothing
 * but the parser's stack of names. That stack is searched for every stray end tag, and a tag's
 * attributes for every further one: both are bounded, and where a bound is met the parser stops and
 * tags are stripped by hand.
 *
 * The parser takes a tag only when it has all of it. It is fed in small pieces, so a tag with many
 * attributes is one that is longer than a piece, and those are counted before their end is fed. */
#include "html_walk.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <libxml/HTMLparser.h>
#include <string.h>

enum { PIECE = 1024 };

static void on_start(void *ctx, const xmlChar *name, const xmlChar **attributes)
{
	struct html_walk *w = ctx;

	if (++w->depth > HTML_DEPTH_MAX) {
		xmlStopParser(w->parser);
		return;
	}
	w->start(w, (const char *)name, (const char *const *)attributes);
}

static void on_end(void *ctx, const xmlChar *name)
{
	struct html_walk *w = ctx;

	w->end(w, (const char *)name);
	w->depth--;
}

static void on_text(void *ctx, const xmlChar *ch, int len)
{
	struct html_walk *w = ctx;

	w->text(w, (struct span){ (const char *)ch, len > 0 ? (size_t)len : 0 });
}

/* What the parser did not get to: text between tags, nothing more. */
static void strip_rest(struct html_walk *w, struct span rest)
{
	while (rest.n && !w->stop) {
		size_t open = span_chr(rest, '<');

		w->rest(w, span_sub(rest, 0, open));
		rest = span_from(rest, open);
		rest = span_from(rest, span_chr(rest, '>') + 1);
	}
}

/* ---- attributes ---- */

static bool name_byte(char c)
{
	return ascii_alnum(c) || c == ':' || c == '-' || c == '_' || c == '.' ||
	       (unsigned char)c >= 0x80;
}

static size_t skip_blanks(struct span s, size_t i)
{
	while (i < s.n && ascii_space(s.p[i]))
		i++;
	return i;
}

static size_t skip_word(struct span s, size_t i)
{
	while (i < s.n && !ascii_space(s.p[i]) && s.p[i] != '>')
		i++;
	return i;
}

/* Behind the attribute, or the junk, that stands at `i`, as the parser divides them. */
static size_t skip_attribute(struct span s, size_t i)
{
	size_t from = i;

	while (i < s.n && name_byte(s.p[i]))
		i++;
	if (i == from)
		return skip_word(s, i + 1 < s.n && s.p[i] != '>' ? i + 1 : i);
	i = skip_blanks(s, i);
	if (i == s.n || s.p[i] != '=')
		return i;
	i = skip_blanks(s, i + 1);
	if (i < s.n && (s.p[i] == '"' || s.p[i] == '\'')) {
		size_t quoted = span_chr(span_from(s, i + 1), s.p[i]);

		return i + quoted + 2 < s.n ? i + quoted + 2 : s.n;
	}
	return skip_word(s, i);
}

/* The length of the tag at the beginning of `s`; 0 when it has too many attributes. */
static size_t measure_tag(struct span s)
{
	size_t i = skip_word(s, 0);

	for (int n = 0;; n++) {
		i = skip_blanks(s, i);
		if (i >= s.n || s.p[i] == '>')
			return i < s.n ? i + 1 : i;
		if (n == HTML_ATTRIBUTES_MAX)
			return 0;
		i = skip_attribute(s, i);
	}
}

/* ---- feeding ---- */

/* Feeds all of it, or up to where a limit is met; returns how much was fed. */
static size_t feed(struct html_walk *w, struct span html)
{
	htmlParserCtxtPtr parser = w->parser;
	size_t done = 0, measured = 0;

	while (done < html.n && w->depth <= HTML_DEPTH_MAX && !w->stop) {
		size_t left = (size_t)(parser->input->end - parser->input->cur), n, tag;

		/* A tag that waits for its end. */
		if (left <= done && done - left >= measured && left > 1 &&
		    html.p[done - left] == '<') {
			tag = measure_tag(span_from(html, done - left));
			if (!tag)
				return done - left;
			measured = done - left + tag;
		}
		/* Whole characters: the rest may have to be stripped from here. */
		n = utf8_cut(html.p + done, html.n - done, PIECE);
		htmlParseChunk(parser, html.p + done, (int)n, 0);
		done += n;
	}
	return done;
}

/* "<![if !mso]>" and "<![endif]>" of Outlook are comments to browsers and text to the parser. They
 * go, but for those in a comment, where they may be its end. */
static struct span without_conditions(struct span html, struct buf *copy)
{
	const char *end = html.p + html.n, *at = html.p, *from = html.p, *close;

	if (!memmem(html.p, html.n, "<![", 3))
		return html;
	while ((at = memmem(at, (size_t)(end - at), "<!", 2)) != NULL) {
		struct span s = { at, (size_t)(end - at) };

		if (span_starts(s, "<!--")) {
			close = memmem(at + 2, s.n - 2, "-->", 3);
			if (!close)
				break;
			at = close + 3;
		} else if (span_starts(s, "<![") && !span_starts(s, "<![CDATA[")) {
			close = memchr(at, '>', s.n);
			if (!close)
				break;
			buf_add(copy, from, (size_t)(at - from));
			from = at = close + 1;
		} else {
			at += 2;
		}
	}
	buf_add(copy, from, (size_t)(end - from));
	return copy->status == MD_OK ? (struct span){ buf_str(copy), copy->len } : html;
}

bool html_walk(struct html_walk *w, struct span html)
{
	md_auto(buf_done) struct buf copy = BUF_INIT(html.n);
	htmlSAXHandler sax = { .startElement = on_start,
			       .endElement = on_end,
			       .characters = on_text,
			       .ignorableWhitespace = on_text,
			       .cdataBlock = NULL };
	htmlParserCtxtPtr parser =
		htmlCreatePushParserCtxt(&sax, w, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	size_t done;

	if (!parser)
		return false;
	w->parser = parser;
	htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
					   HTML_PARSE_NONET | HTML_PARSE_NOIMPLIED |
					   HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT);
	html = without_conditions(html, &copy);
	/* A fragment's first element must not count as the whole document. */
	htmlParseChunk(parser, "<html><body>", 12, 0);
	done = feed(w, html);
	if (done == html.n && w->depth <= HTML_DEPTH_MAX)
		htmlParseChunk(parser, NULL, 0, 1);
	else
		strip_rest(w, span_from(html, done));
	htmlFreeParserCtxt(parser);
	w->parser = NULL;
	return true;
}

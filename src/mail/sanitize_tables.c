/* The allow-list. Whatever it does not name is unsafe: a new element, attribute, scheme or property
 * is one row here, put in only when it can load, run, move or cover nothing. */
#include "sanitize_tables.h"

#include <maildesk/base/mem.h>

#include <stdlib.h>
#include <string.h>

static const struct safe_element elements[] = {
	{ "a", SAFE_LINK },
	{ "abbr", 0 },
	{ "address", SAFE_BLOCK },
	{ "applet", SAFE_GONE },
	{ "article", SAFE_BLOCK },
	{ "aside", SAFE_BLOCK },
	{ "audio", SAFE_GONE },
	{ "b", 0 },
	{ "bdi", 0 },
	{ "bdo", 0 },
	{ "big", 0 },
	{ "blockquote", SAFE_BLOCK },
	{ "br", SAFE_VOID },
	{ "canvas", SAFE_GONE },
	{ "caption", SAFE_BLOCK },
	{ "center", SAFE_BLOCK },
	{ "cite", 0 },
	{ "code", 0 },
	{ "col", SAFE_CELL | SAFE_VOID },
	{ "colgroup", SAFE_CELL },
	{ "dd", SAFE_BLOCK },
	{ "del", 0 },
	{ "dfn", 0 },
	{ "div", SAFE_BLOCK },
	{ "dl", SAFE_BLOCK },
	{ "dt", SAFE_BLOCK },
	{ "em", 0 },
	{ "figcaption", SAFE_BLOCK },
	{ "figure", SAFE_BLOCK },
	{ "font", SAFE_FONT },
	{ "footer", SAFE_BLOCK },
	{ "frameset", SAFE_GONE },
	{ "h1", SAFE_BLOCK },
	{ "h2", SAFE_BLOCK },
	{ "h3", SAFE_BLOCK },
	{ "h4", SAFE_BLOCK },
	{ "h5", SAFE_BLOCK },
	{ "h6", SAFE_BLOCK },
	{ "header", SAFE_BLOCK },
	{ "hr", SAFE_BLOCK | SAFE_VOID },
	{ "i", 0 },
	{ "iframe", SAFE_GONE },
	{ "img", SAFE_IMAGE | SAFE_VOID },
	{ "ins", 0 },
	{ "kbd", 0 },
	{ "li", SAFE_ITEM },
	{ "main", SAFE_BLOCK },
	{ "mark", 0 },
	{ "math", SAFE_GONE },
	{ "noembed", SAFE_GONE },
	{ "noframes", SAFE_GONE },
	{ "object", SAFE_GONE },
	{ "ol", SAFE_LIST },
	{ "p", SAFE_BLOCK },
	{ "plaintext", SAFE_GONE },
	{ "pre", SAFE_BLOCK },
	{ "q", 0 },
	{ "s", 0 },
	{ "samp", 0 },
	{ "script", SAFE_GONE },
	{ "section", SAFE_BLOCK },
	{ "select", SAFE_GONE },
	{ "small", 0 },
	{ "span", 0 },
	{ "strike", 0 },
	{ "strong", 0 },
	{ "style", SAFE_GONE },
	{ "sub", 0 },
	{ "sup", 0 },
	{ "svg", SAFE_GONE },
	{ "table", SAFE_TABLE },
	{ "tbody", SAFE_CELL },
	{ "td", SAFE_CELL },
	{ "template", SAFE_GONE },
	{ "textarea", SAFE_GONE },
	{ "tfoot", SAFE_CELL },
	{ "th", SAFE_CELL },
	{ "thead", SAFE_CELL },
	{ "time", SAFE_TIME },
	{ "title", SAFE_GONE },
	{ "tr", SAFE_CELL },
	{ "tt", 0 },
	{ "u", 0 },
	{ "ul", SAFE_LIST },
	{ "var", 0 },
	{ "video", SAFE_GONE },
	{ "xmp", SAFE_GONE },
};

static const struct safe_attribute attributes[] = {
	{ "dir", SAFE_ANY, SAFE_WORD },
	{ "lang", SAFE_ANY, SAFE_WORD },
	{ "style", SAFE_ANY, SAFE_STYLE },
	{ "title", SAFE_ANY, SAFE_TEXT },
	{ "href", SAFE_LINK, SAFE_HREF },
	{ "src", SAFE_IMAGE, SAFE_SOURCE },
	{ "alt", SAFE_IMAGE, SAFE_TEXT },
	{ "width", SAFE_IMAGE | SAFE_TABLE | SAFE_CELL | SAFE_BLOCK, SAFE_LENGTH },
	{ "height", SAFE_IMAGE | SAFE_TABLE | SAFE_CELL, SAFE_LENGTH },
	{ "align", SAFE_IMAGE | SAFE_TABLE | SAFE_CELL | SAFE_BLOCK, SAFE_WORD },
	{ "valign", SAFE_CELL, SAFE_WORD },
	{ "border", SAFE_IMAGE | SAFE_TABLE, SAFE_NUMBER },
	{ "bgcolor", SAFE_TABLE | SAFE_CELL, SAFE_COLOUR },
	{ "cellpadding", SAFE_TABLE, SAFE_NUMBER },
	{ "cellspacing", SAFE_TABLE, SAFE_NUMBER },
	{ "colspan", SAFE_CELL, SAFE_NUMBER },
	{ "rowspan", SAFE_CELL, SAFE_NUMBER },
	{ "span", SAFE_CELL, SAFE_NUMBER },
	{ "scope", SAFE_CELL, SAFE_WORD },
	{ "nowrap", SAFE_CELL, SAFE_WORD },
	{ "start", SAFE_LIST, SAFE_NUMBER },
	{ "type", SAFE_LIST | SAFE_ITEM, SAFE_WORD },
	{ "value", SAFE_ITEM, SAFE_NUMBER },
	{ "color", SAFE_FONT | SAFE_BLOCK, SAFE_COLOUR },
	{ "face", SAFE_FONT, SAFE_FACE },
	{ "size", SAFE_FONT | SAFE_BLOCK, SAFE_SIZE },
	{ "datetime", SAFE_TIME, SAFE_TEXT },
};

static const struct {
	const char *name;
	unsigned places;
} schemes[] = {
	{ "http", SAFE_IN_LINK | SAFE_LATER },
	{ "https", SAFE_IN_LINK | SAFE_LATER },
	{ "mailto", SAFE_IN_LINK },
	{ "tel", SAFE_IN_LINK },
	{ "cid", SAFE_IN_IMAGE },
};

static const char *const properties[] = {
	"background",
	"background-color",
	"border",
	"border-bottom",
	"border-bottom-color",
	"border-bottom-style",
	"border-bottom-width",
	"border-collapse",
	"border-color",
	"border-left",
	"border-left-color",
	"border-left-style",
	"border-left-width",
	"border-radius",
	"border-right",
	"border-right-color",
	"border-right-style",
	"border-right-width",
	"border-spacing",
	"border-style",
	"border-top",
	"border-top-color",
	"border-top-style",
	"border-top-width",
	"border-width",
	"caption-side",
	"clear",
	"color",
	"direction",
	"display",
	"empty-cells",
	"float",
	"font",
	"font-family",
	"font-size",
	"font-style",
	"font-variant",
	"font-weight",
	"height",
	"letter-spacing",
	"line-height",
	"list-style-type",
	"margin",
	"margin-bottom",
	"margin-left",
	"margin-right",
	"margin-top",
	"max-height",
	"max-width",
	"min-height",
	"min-width",
	"overflow-wrap",
	"padding",
	"padding-bottom",
	"padding-left",
	"padding-right",
	"padding-top",
	"table-layout",
	"text-align",
	"text-decoration",
	"text-indent",
	"text-transform",
	"unicode-bidi",
	"vertical-align",
	"white-space",
	"width",
	"word-break",
	"word-spacing",
	"word-wrap",
};

static const char *const functions[] = { "rgb", "rgba", "hsl", "hsla" };

static int compare_element(const void *name, const void *row)
{
	return strcmp(name, ((const struct safe_element *)row)->name);
}

const struct safe_element *safe_element(const char *name)
{
	return bsearch(name, elements, MD_COUNT(elements), sizeof *elements, compare_element);
}

const struct safe_attribute *safe_attribute(const char *name, unsigned groups)
{
	for (size_t i = 0; i < MD_COUNT(attributes); i++)
		if ((attributes[i].groups & (groups | SAFE_ANY)) &&
		    strcmp(name, attributes[i].name) == 0)
			return &attributes[i];
	return NULL;
}

unsigned safe_scheme(struct span scheme)
{
	for (size_t i = 0; i < MD_COUNT(schemes); i++)
		if (span_is(scheme, schemes[i].name))
			return schemes[i].places;
	return 0;
}

static bool is_one_of(struct span word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(word, list[i]))
			return true;
	return false;
}

bool safe_property(struct span name)
{
	return is_one_of(name, properties, MD_COUNT(properties));
}

bool safe_function(struct span name)
{
	return is_one_of(name, functions, MD_COUNT(functions));
}

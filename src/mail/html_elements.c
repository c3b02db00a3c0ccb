#include "html_elements.h"

#include <maildesk/base/mem.h>

#include <string.h>

/* In the order of the names. */
static const struct {
	const char *name;
	unsigned effect;
} elements[] = {
	{ "a", HTML_LINK },
	{ "address", HTML_BLOCK },
	{ "article", HTML_BLOCK },
	{ "blockquote", HTML_BLOCK | HTML_QUOTE },
	{ "body", HTML_BLOCK },
	{ "br", HTML_BREAK },
	{ "caption", HTML_BLOCK },
	{ "center", HTML_BLOCK },
	{ "dd", HTML_BLOCK },
	{ "div", HTML_BLOCK },
	{ "dl", HTML_BLOCK },
	{ "dt", HTML_BLOCK },
	{ "fieldset", HTML_BLOCK },
	{ "footer", HTML_BLOCK },
	{ "form", HTML_BLOCK },
	{ "h1", HTML_PARAGRAPH },
	{ "h2", HTML_PARAGRAPH },
	{ "h3", HTML_PARAGRAPH },
	{ "h4", HTML_PARAGRAPH },
	{ "h5", HTML_PARAGRAPH },
	{ "h6", HTML_PARAGRAPH },
	{ "head", HTML_SKIP },
	{ "header", HTML_BLOCK },
	{ "hr", HTML_BLOCK | HTML_RULE },
	{ "li", HTML_BLOCK | HTML_ITEM },
	{ "main", HTML_BLOCK },
	{ "noscript", HTML_SKIP },
	{ "object", HTML_SKIP },
	{ "ol", HTML_BLOCK | HTML_LIST },
	{ "option", HTML_BLOCK },
	{ "p", HTML_PARAGRAPH },
	{ "pre", HTML_BLOCK | HTML_PRE },
	{ "script", HTML_SKIP },
	{ "section", HTML_BLOCK },
	{ "select", HTML_SKIP },
	{ "style", HTML_SKIP },
	{ "table", HTML_BLOCK },
	{ "tbody", HTML_BLOCK },
	{ "td", HTML_CELL },
	{ "template", HTML_SKIP },
	{ "textarea", HTML_SKIP },
	{ "th", HTML_CELL },
	{ "title", HTML_SKIP },
	{ "tr", HTML_BLOCK },
	{ "ul", HTML_BLOCK | HTML_LIST },
};

unsigned html_effect_of(const char *name)
{
	size_t lo = 0, hi = MD_COUNT(elements);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(name, elements[mid].name);

		if (c == 0)
			return elements[mid].effect;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

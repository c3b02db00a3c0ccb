#include <maildesk/desk/markdown_html.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/text_html.h>
#include <cmark.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

MD_DEFINE_AUTO(cmark_node *, cmark_node_free)
MD_DEFINE_AUTO(cmark_iter *, cmark_iter_free)

#define MONOSPACE "font-family: Menlo, Consolas, monospace; font-size: 14px"

#define LIST_STYLE "style=\"margin: 0 0 16px; padding: 0 0 0 28px\""
#define PARAGRAPH "<p style=\"margin: 0 0 16px\">"

/* What is put before and behind a node's content. Leaves have only text. */
static const struct mark {
	cmark_node_type type;
	const char *open, *close;
	bool is_leaf;
} marks[] = {
	{ CMARK_NODE_PARAGRAPH, PARAGRAPH, "</p>\n", false },
	{ CMARK_NODE_HEADING, "<p style=\"margin: 0 0 16px; font-size: 17px; font-weight: bold\">",
	  "</p>\n", false },
	{ CMARK_NODE_BLOCK_QUOTE,
	  "<blockquote class=\"md-quote\" style=\"margin: 0 0 16px; padding: 0 0 0 12px; "
	  "border-left: 3px solid #dadce0\">\n",
	  "</blockquote>\n", false },
	{ CMARK_NODE_ITEM, "<li style=\"margin: 0 0 4px\">", "</li>\n", false },
	{ CMARK_NODE_EMPH, "<em>", "</em>", false },
	{ CMARK_NODE_STRONG, "<strong>", "</strong>", false },
	{ CMARK_NODE_CODE_BLOCK,
	  "<pre style=\"margin: 0 0 16px; white-space: pre-wrap; " MONOSPACE "\">", "</pre>\n",
	  true },
	{ CMARK_NODE_CODE, "<code style=\"" MONOSPACE "\">", "</code>", true },
	{ CMARK_NODE_HTML_BLOCK, PARAGRAPH, "</p>\n", true },
	{ CMARK_NODE_THEMATIC_BREAK,
	  "<hr class=\"md-line\" style=\"margin: 0 0 16px; border: 0; border-top: 1px solid "
	  "#dadce0\">\n",
	  "", true },
	{ CMARK_NODE_SOFTBREAK, "<br>\n", "", true },
	{ CMARK_NODE_LINEBREAK, "<br>\n", "", true },
};

static const struct mark *mark_of(cmark_node_type type)
{
	for (size_t i = 0; i < MD_COUNT(marks); i++)
		if (marks[i].type == type)
			return &marks[i];
	return NULL;
}

struct walk {
	struct buf *out;
	int depth, links; /* containers, and links among them, that are open */
};

/* Items of a list without empty lines between them are no paragraphs. */
static bool is_tight(cmark_node *node)
{
	cmark_node *item = cmark_node_parent(node), *list = item ? cmark_node_parent(item) : NULL;

	return cmark_node_get_type(node) == CMARK_NODE_PARAGRAPH && list &&
	       cmark_node_get_type(list) == CMARK_NODE_LIST && cmark_node_get_list_tight(list);
}

static bool is_safe(const char *url)
{
	static const char *const schemes[] = { "https://", "http://", "mailto:" };

	for (size_t i = 0; i < MD_COUNT(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Links within a link are no links; of an unsafe one the words stay. */
static void put_link(struct walk *w, cmark_node *node, bool entering)
{
	const char *url = cmark_node_get_url(node);
	bool shown = url && is_safe(url);

	w->links -= shown && !entering;
	if (shown && w->links == 0 && entering)
		text_html_link(w->out, url, strlen(url));
	else if (shown && w->links == 0)
		buf_adds(w->out, "</a>");
	w->links += shown && entering;
}

static void put_list(struct buf *out, cmark_node *node, bool entering)
{
	bool ordered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST;

	if (entering && ordered)
		buf_addf(out, "<ol start=\"%d\" " LIST_STYLE ">\n",
			 cmark_node_get_list_start(node));
	else if (entering)
		buf_adds(out, "<ul " LIST_STYLE ">\n");
	else
		buf_adds(out, ordered ? "</ol>\n" : "</ul>\n");
}

/* The text of a leaf: of words with their addresses as links, of all else as it stands. */
static void put_literal(const struct walk *w, cmark_node *node)
{
	const char *text = cmark_node_get_literal(node);
	size_t n = text ? strlen(text) : 0;

	if (n == 0)
		return;
	if (cmark_node_get_type(node) == CMARK_NODE_TEXT && w->links == 0)
		text_html_words(w->out, text, n);
	else
		text_html_escape(w->out, text, text[n - 1] == '\n' ? n - 1 : n);
}

static void enter(struct walk *w, cmark_node *node)
{
	const struct mark *mark = is_tight(node) ? NULL : mark_of(cmark_node_get_type(node));

	buf_adds(w->out, mark ? mark->open : "");
	put_literal(w, node);
	if (mark && mark->is_leaf)
		buf_adds(w->out, mark->close);
}

static void leave(struct walk *w, cmark_node *node)
{
	const struct mark *mark = is_tight(node) ? NULL : mark_of(cmark_node_get_type(node));

	buf_adds(w->out, mark ? mark->close : "");
}

static void put_node(struct walk *w, cmark_node *node, bool entering)
{
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_LINK:
	case CMARK_NODE_IMAGE:
		put_link(w, node, entering);
		break;
	case CMARK_NODE_LIST:
		put_list(w->out, node, entering);
		break;
	default:
		(entering ? enter : leave)(w, node);
	}
}

/* False: it is too deeply nested. */
static bool put_tree(struct buf *out, cmark_node *root)
{
	md_auto(cmark_iter_free_p) cmark_iter *walk = cmark_iter_new(root);
	struct walk w = { .out = out };
	cmark_event_type event;

	while ((event = cmark_iter_next(walk)) != CMARK_EVENT_DONE && out->status == MD_OK) {
		cmark_node *node = cmark_iter_get_node(walk);
		bool is_parent = cmark_node_first_child(node) != NULL;

		w.depth += is_parent ? (event == CMARK_EVENT_ENTER ? 1 : -1) : 0;
		if (w.depth > MARKDOWN_DEPTH)
			return false;
		put_node(&w, node, event == CMARK_EVENT_ENTER);
	}
	return true;
}

void markdown_html(struct buf *out, const char *text, size_t n)
{
	md_auto(cmark_node_free_p) cmark_node *root = NULL;
	md_auto(buf_done) struct buf html = BUF_INIT(MARKDOWN_HTML_MAX);

	if (n > MARKDOWN_MAX) {
		text_html(out, text, n);
		return;
	}
	root = cmark_parse_document(text, n, CMARK_OPT_DEFAULT);
	cmark_consolidate_text_nodes(root);
	if (put_tree(&html, root) && html.status == MD_OK)
		buf_add(out, html.data, html.len);
	else
		text_html(out, text, n);
}

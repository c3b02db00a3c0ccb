#include "template_priv.h"

#include <maildesk/base/utf8.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELIMITER_MAX = 16 };

struct parser {
	struct template *t;
	size_t at, n;   /* in t->source */
	size_t counted; /* up to where lines are counted, */
	uint32_t line;  /* and the line there */
	char open[DELIMITER_MAX + 1], close[DELIMITER_MAX + 1];
	size_t section[TEMPLATE_NESTING]; /* nodes of the open ones */
	size_t depth;
	struct md_err *err;
};

struct tag {
	char sigil;                /* one of "#^/>!=&{", or 0 for a plain variable */
	size_t from, to;           /* the whole tag */
	size_t inner, inner_end;   /* its content, trimmed */
	size_t line_from, line_to; /* when standalone: its line, with the line end */
	uint32_t line;
	bool standalone;
};

#define fail_at(p, where, ...) fail_line((p)->err, (p)->t->name, where, __VA_ARGS__)
static int __attribute__((format(printf, 4, 5)))
fail_line(struct md_err *err, const char *name, uint32_t line, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return md_fail(err, MD_INPUT, 0, "%s:%u: %s", name, line, what);
}

static int add_node(struct parser *p, const struct template_node *n)
{
	struct template *t = p->t;

	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 32;
		struct template_node *more = md_realloc(t->node, cap * sizeof *more);

		if (!more)
			return md_fail(p->err, MD_NOMEM, 0, "out of memory");
		t->node = more;
		t->cap = cap;
	}
	t->node[t->n++] = *n;
	return MD_OK;
}

/* The source from p->at to `to` as nodes of at most a line each. Where a tag begins a line, an
 * empty one marks it. */
static int add_text(struct parser *p, size_t to, bool tag_follows)
{
	const char *s = p->t->source;
	int rc = MD_OK;

	while (rc == MD_OK && p->at < to) {
		const char *lf = memchr(s + p->at, '\n', to - p->at);
		size_t end = lf ? (size_t)(lf - s) + 1 : to;

		rc = add_node(p, &(struct template_node){ .kind = NODE_TEXT,
							  .bol = p->at == 0 || s[p->at - 1] == '\n',
							  .text = s + p->at,
							  .len = (uint32_t)(end - p->at) });
		p->at = end;
	}
	if (rc == MD_OK && tag_follows && (to == 0 || s[to - 1] == '\n'))
		rc = add_node(p, &(struct template_node){
					 .kind = NODE_TEXT, .bol = true, .text = s + to });
	return rc;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

static void find_line(const struct parser *p, struct tag *g)
{
	const char *s = p->t->source;

	g->line_from = g->from;
	while (g->line_from > p->at && is_blank(s[g->line_from - 1]))
		g->line_from--;
	g->line_to = g->to;
	while (g->line_to < p->n && is_blank(s[g->line_to]))
		g->line_to++;
	if (p->n - g->line_to >= 2 && s[g->line_to] == '\r' && s[g->line_to + 1] == '\n')
		g->line_to++;
	g->standalone = g->sigil != '\0' && strchr("#^/>!=", g->sigil) &&
			(g->line_from == 0 || s[g->line_from - 1] == '\n') &&
			(g->line_to == p->n || s[g->line_to] == '\n');
	if (g->line_to < p->n)
		g->line_to++;
}

/* The next tag, from == n if there is none. */
static int read_tag(struct parser *p, struct tag *g)
{
	const char *s = p->t->source;
	const char *found = memmem(s + p->at, p->n - p->at, p->open, strlen(p->open));
	char close[DELIMITER_MAX + 2];

	*g = (struct tag){ .from = found ? (size_t)(found - s) : p->n };
	if (!found)
		return MD_OK;
	for (; p->counted < g->from; p->counted++)
		p->line += s[p->counted] == '\n';
	g->line = p->line;
	g->inner = g->from + strlen(p->open);
	while (g->inner < p->n && is_space(s[g->inner]))
		g->inner++;
	if (g->inner < p->n && s[g->inner] != '\0' && strchr("#^/>!=&{", s[g->inner]))
		g->sigil = s[g->inner++];
	snprintf(close, sizeof close, "%s%s",
		 g->sigil == '{'   ? "}"
		 : g->sigil == '=' ? "="
				   : "",
		 p->close);
	found = memmem(s + g->inner, p->n - g->inner, close, strlen(close));
	if (!found)
		return fail_at(p, g->line, "a tag is not closed by \"%s\"", close);
	g->inner_end = (size_t)(found - s);
	g->to = g->inner_end + strlen(close);
	for (; p->counted < g->to; p->counted++)
		p->line += s[p->counted] == '\n';
	while (g->inner < g->inner_end && is_space(s[g->inner]))
		g->inner++;
	while (g->inner < g->inner_end && is_space(s[g->inner_end - 1]))
		g->inner_end--;
	find_line(p, g);
	return MD_OK;
}

static int bad_name(const struct parser *p, const struct tag *g)
{
	size_t len = g->inner_end - g->inner;

	return fail_at(p, g->line, "\"%.*s\" is no name",
		       (int)(len < TEMPLATE_NAME_MAX ? len : TEMPLATE_NAME_MAX),
		       p->t->source + g->inner);
}

static int read_name(const struct parser *p, const struct tag *g, struct template_node *n)
{
	const char *s = p->t->source + g->inner;
	size_t len = g->inner_end - g->inner;

	if (len == 0)
		return fail_at(p, g->line, "a tag without a name");
	if (len > TEMPLATE_NAME_MAX)
		return bad_name(p, g);
	for (size_t i = 0; i < len; i++)
		if (is_space(s[i]) || s[i] == '\0')
			return bad_name(p, g);
	n->text = s;
	n->len = (uint32_t)len;
	n->line = g->line;
	return MD_OK;
}

/* "." or words joined by single dots */
static int read_path(const struct parser *p, const struct tag *g, struct template_node *n)
{
	int rc = read_name(p, g, n);

	if (rc != MD_OK || (n->len == 1 && n->text[0] == '.'))
		return rc;
	if (n->text[0] == '.' || n->text[n->len - 1] == '.' || memmem(n->text, n->len, "..", 2))
		return bad_name(p, g);
	return MD_OK;
}

static int set_delimiters(struct parser *p, const struct tag *g)
{
	const char *s = p->t->source + g->inner, *end = p->t->source + g->inner_end;
	const char *open_end = s, *close = end;

	while (open_end < end && !is_space(*open_end))
		open_end++;
	while (close > open_end && !is_space(close[-1]))
		close--;
	if (open_end == s || close == end || open_end - s > DELIMITER_MAX ||
	    end - close > DELIMITER_MAX || memchr(s, '=', (size_t)(end - s)))
		return fail_at(p, g->line, "delimiters must be two short words without \"=\"");
	for (const char *c = open_end; c < close; c++)
		if (!is_space(*c))
			return fail_at(p, g->line, "delimiters must be two words, not three");
	snprintf(p->open, sizeof p->open, "%.*s", (int)(open_end - s), s);
	snprintf(p->close, sizeof p->close, "%.*s", (int)(end - close), close);
	return MD_OK;
}

static int open_section(struct parser *p, const struct tag *g)
{
	struct template_node n = { .kind = g->sigil == '#' ? NODE_SECTION : NODE_INVERTED };
	int rc = read_path(p, g, &n);

	if (rc != MD_OK)
		return rc;
	if (p->depth == TEMPLATE_NESTING)
		return fail_at(p, g->line, "sections nested deeper than %d", TEMPLATE_NESTING);
	p->section[p->depth++] = p->t->n;
	return add_node(p, &n);
}

static int close_section(struct parser *p, const struct tag *g)
{
	struct template_node closing = { 0 }, *n;
	int rc = read_path(p, g, &closing);

	if (rc != MD_OK)
		return rc;
	if (p->depth == 0)
		return fail_at(p, g->line, "\"%.*s\" is closed but was not opened",
			       (int)closing.len, closing.text);
	n = &p->t->node[p->section[--p->depth]];
	if (n->len != closing.len || memcmp(n->text, closing.text, n->len) != 0)
		return fail_at(p, g->line, "\"%.*s\" is closed where \"%.*s\" of line %u is open",
			       (int)closing.len, closing.text, (int)n->len, n->text, n->line);
	n->end = (uint32_t)p->t->n;
	return MD_OK;
}

static int add_variable(struct parser *p, const struct tag *g)
{
	struct template_node n = { .kind = g->sigil ? NODE_RAW : NODE_ESCAPED };
	int rc = read_path(p, g, &n);

	return rc == MD_OK ? add_node(p, &n) : rc;
}

static int add_partial(struct parser *p, const struct tag *g)
{
	struct template_node n = { .kind = NODE_PARTIAL };
	int rc = read_name(p, g, &n);

	if (g->standalone) {
		n.indent = p->t->source + g->line_from;
		n.indent_len = (uint32_t)(g->from - g->line_from);
	}
	return rc == MD_OK ? add_node(p, &n) : rc;
}

static int add_tag(struct parser *p, const struct tag *g)
{
	switch (g->sigil) {
	case '!':
		return MD_OK;
	case '=':
		return set_delimiters(p, g);
	case '#':
	case '^':
		return open_section(p, g);
	case '/':
		return close_section(p, g);
	case '>':
		return add_partial(p, g);
	default:
		return add_variable(p, g);
	}
}

static int parse(struct parser *p)
{
	struct tag g;
	int rc;

	for (;;) {
		if ((rc = read_tag(p, &g)) != MD_OK)
			return rc;
		if (g.from == p->n)
			break;
		if ((rc = add_text(p, g.standalone ? g.line_from : g.from, !g.standalone)) !=
			    MD_OK ||
		    (rc = add_tag(p, &g)) != MD_OK)
			return rc;
		p->at = g.standalone ? g.line_to : g.to;
	}
	if (p->depth > 0) {
		const struct template_node *n = &p->t->node[p->section[p->depth - 1]];

		return fail_at(p, n->line, "section \"%.*s\" is not closed", (int)n->len, n->text);
	}
	return add_text(p, p->n, false);
}

int template_compile(const char *name, const char *text, size_t n, struct template **ret,
		     struct md_err *err)
{
	md_auto(template_free_p) struct template *t = md_calloc(1, sizeof *t);
	struct parser p = { .t = t, .n = n, .line = 1, .open = "{{", .close = "}}", .err = err };
	int rc;

	if (!t || !(t->name = md_strdup(name)) || !(t->source = md_malloc(n + 1)))
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (n > TEMPLATE_MAX)
		return md_fail(err, MD_INPUT, 0, "%s: larger than %d bytes", name, TEMPLATE_MAX);
	if (!utf8_valid(text, n))
		return md_fail(err, MD_INPUT, 0, "%s: not UTF-8", name);
	memcpy(t->source, text, n);
	t->source[n] = '\0';
	if ((rc = parse(&p)) != MD_OK)
		return rc;
	*ret = md_take(t);
	return MD_OK;
}

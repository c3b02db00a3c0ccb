/* A template is compiled into one array of nodes; a section knows where it ends. Text nodes are cut
 * at line ends: one that begins a line of the source carries `bol`, which is where a standalone
 * partial's indentation goes. (The specification indents the partial's source and parses it then;
 * this comes to the same without parsing again.) */
#include <maildesk/desk/template.h>

#include <maildesk/desk/text_html.h>
#include "template_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void template_free(struct template *t)
{
	if (!t)
		return;
	free(t->name);
	free(t->source);
	free(t->node);
	free(t);
}

/* Both are lists on the C stack, innermost first. */
struct context {
	const json_t *value;
	const struct context *outer;
};
struct indent {
	const char *text;
	uint32_t len;
	const struct indent *outer;
};

struct renderer {
	enum template_mode mode;
	const struct template_partials *partials;
	struct buf *out;
	struct md_err *err;
	unsigned depth, work;
};

/* Copy the part of a path up to the next dot; moves on behind it. */
static const char *next_part(const char *s, const char *end, char part[TEMPLATE_NAME_MAX + 1])
{
	const char *dot = memchr(s, '.', (size_t)(end - s));
	size_t len = (size_t)((dot ? dot : end) - s);

	memcpy(part, s, len);
	part[len] = '\0';
	return dot ? dot + 1 : end;
}

/* What a name means here; NULL when nothing. The first part is looked for in all contexts, the
 * others only in what was found. */
static const json_t *look_up(const struct template_node *n, const struct context *c)
{
	char part[TEMPLATE_NAME_MAX + 1];
	const char *s = n->text, *end = n->text + n->len;
	const json_t *value = NULL;

	if (n->len == 1 && *s == '.')
		return c->value;
	s = next_part(s, end, part);
	for (; c && !value; c = c->outer)
		value = json_object_get(c->value, part);
	while (s < end && value) {
		s = next_part(s, end, part);
		value = json_object_get(value, part);
	}
	return value;
}

static bool is_truthy(const json_t *j)
{
	return j && !json_is_null(j) && !json_is_false(j) &&
	       !(json_is_array(j) && json_array_size(j) == 0) &&
	       !(json_is_string(j) && json_string_length(j) == 0);
}

/* The shortest form that reads back as the same number. */
static void add_real(struct buf *out, double value)
{
	char text[32];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_adds(out, text);
}

static void add_value(struct buf *out, const json_t *j, bool escape)
{
	if (json_is_string(j) && escape)
		text_html_escape(out, json_string_value(j), json_string_length(j));
	else if (json_is_string(j))
		buf_add(out, json_string_value(j), json_string_length(j));
	else if (json_is_integer(j))
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	else if (json_is_real(j))
		add_real(out, json_real_value(j));
	else if (json_is_boolean(j))
		buf_adds(out, json_is_true(j) ? "true" : "false");
}

static void add_indent(struct buf *out, const struct indent *in)
{
	if (!in)
		return;
	add_indent(out, in->outer);
	buf_add(out, in->text, in->len);
}

static int render(struct renderer *r, const struct template *t, size_t from, size_t to,
		  const struct context *c, const struct indent *in);

static int render_section(struct renderer *r, const struct template *t, size_t at,
			  const struct context *c, const struct indent *in)
{
	const struct template_node *n = &t->node[at];
	const json_t *value = look_up(n, c);
	struct context inner = { .value = value, .outer = c };
	int rc = MD_OK;

	if (n->kind == NODE_INVERTED)
		return is_truthy(value) ? MD_OK : render(r, t, at + 1, n->end, c, in);
	if (!is_truthy(value))
		return MD_OK;
	if (!json_is_array(value))
		return render(r, t, at + 1, n->end, &inner, in);
	for (size_t i = 0; i < json_array_size(value) && rc == MD_OK; i++) {
		inner.value = json_array_get(value, i);
		rc = render(r, t, at + 1, n->end, &inner, in);
	}
	return rc;
}

static int render_partial(struct renderer *r, const struct template_node *n,
			  const struct context *c, const struct indent *in)
{
	struct indent more = { .text = n->indent, .len = n->indent_len, .outer = in };
	char name[TEMPLATE_NAME_MAX + 1];
	const struct template *t;

	if (!r->partials)
		return MD_OK;
	memcpy(name, n->text, n->len);
	name[n->len] = '\0';
	t = r->partials->find(r->partials->ctx, name);
	/* Only a standalone one is indented, then by all the indentations around it, too. */
	return t ? render(r, t, 0, t->n, c, n->indent ? &more : NULL) : MD_OK;
}

static int render(struct renderer *r, const struct template *t, size_t from, size_t to,
		  const struct context *c, const struct indent *in)
{
	int rc = MD_OK;

	if (r->depth == TEMPLATE_NESTING)
		return md_fail(r->err, MD_INPUT, 0, "%s: nested deeper than %d", t->name,
			       TEMPLATE_NESTING);
	r->depth++;
	for (size_t i = from; i < to && rc == MD_OK; i++) {
		const struct template_node *n = &t->node[i];

		if (++r->work > TEMPLATE_WORK)
			return md_fail(r->err, MD_INPUT, 0, "%s: more than %d steps", t->name,
				       TEMPLATE_WORK);
		switch (n->kind) {
		case NODE_TEXT:
			if (n->bol)
				add_indent(r->out, in);
			buf_add(r->out, n->text, n->len);
			break;
		case NODE_ESCAPED:
		case NODE_RAW:
			add_value(r->out, look_up(n, c),
				  n->kind == NODE_ESCAPED && r->mode == TEMPLATE_HTML);
			break;
		case NODE_SECTION:
		case NODE_INVERTED:
			rc = render_section(r, t, i, c, in);
			i = n->end - 1u;
			break;
		case NODE_PARTIAL:
			rc = render_partial(r, n, c, in);
			break;
		}
		if (r->out->status != MD_OK)
			return md_fail(r->err, (enum md_code)r->out->status, 0,
				       r->out->status == MD_NOMEM ? "%s: out of memory"
								  : "%s: output too large",
				       t->name);
	}
	r->depth--;
	return rc;
}

int template_render(const struct template *t, enum template_mode mode, const json_t *data,
		    const struct template_partials *partials, struct buf *out, struct md_err *err)
{
	struct renderer r = { .mode = mode, .partials = partials, .out = out, .err = err };
	struct context c = { .value = data };

	return render(&r, t, 0, t->n, &c, NULL);
}

const char *template_title(const struct template *t)
{
	return t->name;
}

bool template_next_name(const struct template *t, size_t *at, struct template_name *ret)
{
	while (*at < t->n) {
		const struct template_node *n = &t->node[(*at)++];

		if (n->kind == NODE_TEXT)
			continue;
		*ret = (struct template_name){
			.use = n->kind == NODE_PARTIAL ? TEMPLATE_PARTIAL
			       : n->kind == NODE_SECTION || n->kind == NODE_INVERTED
				       ? TEMPLATE_SECTION
				       : TEMPLATE_VALUE,
			.text = n->text,
			.len = n->len,
			.line = n->line,
			.at = *at - 1,
			.end = n->end,
			.inverted = n->kind == NODE_INVERTED,
		};
		return true;
	}
	return false;
}

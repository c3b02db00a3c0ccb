/* Each start tag is made apart and written only when it, and the end tags of all that is open,
 * still fit: whatever the ceiling, the result is whole. Text and values are escaped byte by byte;
 * nothing of the source is ever copied as markup, and no element whose content browsers read in
 * another way (script, style, svg, textarea ...) is among those written, so what was written is
 * what is read. */
#include <maildesk/mail/sanitize.h>

#include "html_walk.h"
#include "sanitize_tables.h"
#include "sanitize_values.h"

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <string.h>

enum { TAG_MAX = 16384, VALUE_MAX = 8192 };

struct sanitizer {
	struct html_walk walk; /* first */
	struct buf *out;
	struct buf tag, value;
	int gone;                                          /* inside elements that go whole */
	int open;                                          /* elements written and not closed */
	size_t owed;                                       /* bytes of their end tags */
	const struct safe_element *of[HTML_DEPTH_MAX + 1]; /* by the parser's depth; NULL: none */
};

static bool fits(const struct sanitizer *s, size_t n)
{
	size_t used = s->out->len + s->owed;

	return used <= s->out->max && n <= s->out->max - used;
}

/* The length of the character at p when it may stand, with how it is written in *ret. */
static size_t escape(const char *p, size_t n, const char **ret, size_t *ret_n)
{
	static const struct {
		char c;
		const char *name;
	} table[] = { { '&', "&amp;" },
		      { '<', "&lt;" },
		      { '>', "&gt;" },
		      { '"', "&quot;" },
		      { '\'', "&#39;" } };
	unsigned char c = (unsigned char)*p;
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	*ret = p;
	*ret_n = len = len < n ? len : n;
	if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
	    (c == 0xc2 && len == 2 && (unsigned char)p[1] < 0xa0))
		*ret_n = 0; /* controls */
	for (size_t i = 0; i < MD_COUNT(table); i++)
		if (c == (unsigned char)table[i].c) {
			*ret = table[i].name;
			*ret_n = strlen(*ret);
		}
	return len;
}

static void add_escaped(struct buf *out, struct span s)
{
	const char *as;
	size_t n;

	while (s.n) {
		size_t step = escape(s.p, s.n, &as, &n);

		buf_add(out, as, n);
		s = span_from(s, step);
	}
}

static void on_text(struct html_walk *w, struct span text)
{
	struct sanitizer *s = (struct sanitizer *)w;
	const char *as;
	size_t n;

	while (text.n && !s->gone && !w->stop) {
		size_t plain = 0, step;

		/* the common case in one piece */
		while (plain < text.n && (unsigned char)text.p[plain] >= ' ' &&
		       (unsigned char)text.p[plain] < 0x7f && !strchr("&<>\"'", text.p[plain]))
			plain++;
		step = plain;
		as = text.p;
		n = plain;
		if (!plain)
			step = escape(text.p, text.n, &as, &n);
		w->stop = !fits(s, n);
		if (!w->stop)
			buf_add(s->out, as, n);
		text = span_from(text, step);
	}
}

static void add_attribute(struct sanitizer *s, const struct safe_element *e, const char *name,
			  const char *value)
{
	const struct safe_attribute *a = safe_attribute(name, e->groups);
	struct span v = span_of(value);
	bool later;

	if (!a || v.n > VALUE_MAX)
		return;
	buf_reset(&s->value);
	if (!safe_value(a->value, v, &s->value, &later))
		return;
	buf_addf(&s->tag, " %s%s=\"", later ? "data-" : "", name);
	add_escaped(&s->tag, (struct span){ buf_str(&s->value), s->value.len });
	buf_addc(&s->tag, '"');
	if (a->value == SAFE_HREF)
		buf_adds(&s->tag, " rel=\"noopener noreferrer nofollow\" target=\"_blank\"");
}

static void on_start(struct html_walk *w, const char *name, const char *const *attributes)
{
	struct sanitizer *s = (struct sanitizer *)w;
	const struct safe_element *e = safe_element(name);
	bool is_void = e && (e->groups & SAFE_VOID);
	size_t end = e && !is_void ? strlen(e->name) + strlen("</>") : 0;

	s->of[w->depth] = NULL;
	if (s->gone || (e && (e->groups & SAFE_GONE))) {
		s->gone++;
		return;
	}
	if (!e || w->stop || (!is_void && s->open == SANITIZE_DEPTH_MAX))
		return;
	buf_reset(&s->tag);
	buf_addf(&s->tag, "<%s", e->name);
	for (; attributes && attributes[0]; attributes += 2)
		add_attribute(s, e, attributes[0], attributes[1]);
	buf_addc(&s->tag, '>');
	if (s->tag.status == MD_INPUT) { /* its attributes are too many: without them */
		buf_reset(&s->tag);
		buf_addf(&s->tag, "<%s>", e->name);
	}
	if (!fits(s, s->tag.len + end)) {
		w->stop = true;
		return;
	}
	buf_add(s->out, s->tag.data, s->tag.len);
	if (is_void)
		return;
	s->of[w->depth] = e;
	s->open++;
	s->owed += end;
}

static void close_one(struct sanitizer *s, int depth)
{
	const struct safe_element *e = s->of[depth];

	if (!e)
		return;
	s->of[depth] = NULL;
	s->open--;
	s->owed -= strlen(e->name) + strlen("</>");
	buf_addf(s->out, "</%s>", e->name);
}

static void on_end(struct html_walk *w, const char *name)
{
	struct sanitizer *s = (struct sanitizer *)w;

	(void)name;
	if (s->gone)
		s->gone--;
	else if (w->depth <= HTML_DEPTH_MAX)
		close_one(s, w->depth);
}

/* Tags are no longer understood here, so that nothing can be told to be inside of them. */
static void on_rest(struct html_walk *w, struct span text)
{
	((struct sanitizer *)w)->gone = 0;
	on_text(w, text);
}

bool html_sanitize(struct span html, struct buf *out)
{
	struct sanitizer s = {
		.walk = { .start = on_start, .end = on_end, .text = on_text, .rest = on_rest },
		.out = out,
		.tag = BUF_INIT(TAG_MAX),
		.value = BUF_INIT(VALUE_MAX * 3)
	};
	bool done = html_walk(&s.walk, html);

	for (int depth = HTML_DEPTH_MAX; depth > 0; depth--)
		close_one(&s, depth);
	done = done && s.tag.status != MD_NOMEM && out->status != MD_NOMEM;
	buf_done(&s.tag);
	buf_done(&s.value);
	return done;
}

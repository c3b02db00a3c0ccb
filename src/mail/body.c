/* Two steps: roles first (each leaf is text, another form of a text, or an attachment), then the
 * chosen parts one below the other. A part is decoded, brought to UTF-8, unflowed or turned from
 * HTML, each into a buffer that ends at BODY_TEXT_MAX. */
#include <maildesk/mail/body.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/html.h>

#include <string.h>

/* ---- one part ---- */

static bool is_type(const struct mime_part *p, const char *type)
{
	return strcmp(p->type, type) == 0;
}

static struct span content(const struct buf *b)
{
	return (struct span){ buf_str(b), b->len };
}

unsigned body_part_text(const struct mime_part *p, struct buf *out)
{
	md_auto(buf_done) struct buf decoded = BUF_INIT(BODY_TEXT_MAX);
	md_auto(buf_done) struct buf utf8 = BUF_INIT(BODY_TEXT_MAX * 4);
	struct span charset = span_of(header_param(&p->content_type, "charset")), bytes = p->body,
		    text;
	size_t room = out->max - out->len;
	unsigned trouble = 0;

	if (p->encoding != ENCODING_IDENTITY) {
		encoding_decode_buf(p->encoding, p->body, &decoded);
		bytes = content(&decoded);
	} else if (bytes.n > BODY_TEXT_MAX) {
		bytes.n = BODY_TEXT_MAX;
		trouble |= BODY_CUT;
	}
	if (!charset.n && is_type(p, "text/html"))
		charset = html_meta_charset(bytes);
	if (!charset_to_utf8(charset, bytes, &utf8))
		trouble |= BODY_BAD_CHARSET;
	text = content(&utf8);
	if (span_starts(text, "\xef\xbb\xbf")) /* a mark of the byte order, no text */
		text = span_from(text, 3);
	utf8_clean_text(out, text.p, utf8_cut(text.p, text.n, room));
	if (utf8.len > room || decoded.status == MD_INPUT || utf8.status == MD_INPUT ||
	    out->status == MD_INPUT)
		trouble |= BODY_CUT;
	return trouble;
}

/* ---- format=flowed ---- */

static size_t quote_depth(struct span line, struct span *ret_text)
{
	size_t depth = 0;

	while (depth < line.n && line.p[depth] == '>')
		depth++;
	*ret_text = span_from(line, depth);
	if (ret_text->n && *ret_text->p == ' ') /* space-stuffed */
		*ret_text = span_from(*ret_text, 1);
	return depth;
}

void body_unflow(struct span text, bool delsp, struct buf *out)
{
	bool open = false; /* the last line goes on */
	size_t last = 0;
	struct span line;

	while (span_line(&text, &line)) {
		size_t depth = quote_depth(line, &line);
		bool signature = line.n == 3 && memcmp(line.p, "-- ", 3) == 0;
		bool soft = line.n && line.p[line.n - 1] == ' ' && !signature;

		if (open && (depth != last || signature)) {
			buf_addc(out, '\n');
			open = false;
		}
		if (!open && depth) {
			for (size_t i = 0; i < depth; i++)
				buf_addc(out, '>');
			buf_addc(out, ' ');
		}
		if (soft && delsp)
			line.n--;
		buf_add(out, line.p, line.n);
		if (!soft)
			buf_addc(out, '\n');
		open = soft;
		last = depth;
	}
}

/* ---- which parts ---- */

struct choice {
	const struct mime_tree *t;
	struct body *body;
	struct arena *arena;
	struct buf text;
};

static bool under(const struct mime_tree *t, int index, int container)
{
	return index > container && index < t->v[container].next;
}

/* The nearest container of that type above a part, or -1. */
static int above(const struct mime_tree *t, int index, const char *type)
{
	for (int up = t->v[index].parent; up >= 0; up = t->v[up].parent)
		if (is_type(&t->v[up], type))
			return up;
	return -1;
}

/* multipart/related: only its root is text, the rest is what the root shows. */
static bool shown_by_root(const struct mime_tree *t, int index)
{
	for (int up = t->v[index].parent; up >= 0; up = t->v[up].parent)
		if (is_type(&t->v[up], "multipart/related") && !under(t, index, up + 1) &&
		    index != up + 1)
			return true;
	return false;
}

static bool may_be_text(const struct mime_tree *t, int index)
{
	const struct mime_part *p = &t->v[index];

	if (mime_is_container(t, (size_t)index) || p->attachment)
		return false;
	/* A multipart that could not be taken apart is shown as it is: nothing gets lost. */
	if (strncmp(p->type, "multipart/", 10) == 0)
		return true;
	if (!is_type(p, "text/plain") && !is_type(p, "text/html"))
		return false;
	return (index == 0 || !p->filename) && !shown_by_root(t, index);
}

/* No-break spaces (of UTF-8 and of Latin-1), zero-width ones and byte order marks: editors leave
 * them in a text/plain that nobody wrote. */
static size_t blank_at(struct span s)
{
	static const char *const blanks[] = { "\xc2\xa0", "\xe2\x80\x8b", "\xe2\x80\x8c",
					      "\xef\xbb\xbf", "\xa0" };

	for (size_t i = 0; i < MD_COUNT(blanks); i++)
		if (span_starts(s, blanks[i]))
			return strlen(blanks[i]);
	return 0;
}

static bool says_something(struct span s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = (unsigned char)s.p[i] >= 0x80 ? blank_at(span_from(s, i)) : 1;
		if (n == 0 || ascii_alnum(s.p[i]))
			return true;
	}
	return false;
}

static void add_html(struct choice *c, const struct mime_part *p, bool to_text)
{
	md_auto(buf_done) struct buf html = BUF_INIT(BODY_TEXT_MAX);

	c->body->trouble |= body_part_text(p, &html);
	if (!c->body->html && says_something(content(&html)))
		c->body->html = arena_strndup(c->arena, buf_str(&html), html.len);
	if (to_text)
		html_read(content(&html), &c->text, &c->body->marks);
}

static void add_plain(struct choice *c, const struct mime_part *p)
{
	const char *format = header_param(&p->content_type, "format");
	const char *delsp = header_param(&p->content_type, "delsp");
	md_auto(buf_done) struct buf text = BUF_INIT(BODY_TEXT_MAX);

	if (!format || !span_is(span_of(format), "flowed")) {
		c->body->trouble |= body_part_text(p, &c->text);
		return;
	}
	c->body->trouble |= body_part_text(p, &text);
	body_unflow(content(&text), delsp && span_is(span_of(delsp), "yes"), &c->text);
}

static void add_part(struct choice *c, int index)
{
	const struct mime_part *p = &c->t->v[index];
	size_t before;

	c->body->roles[index] = BODY_TEXT;
	if (c->text.len && c->text.data[c->text.len - 1] != '\n')
		buf_addc(&c->text, '\n');
	before = c->text.len;
	if (is_type(p, "text/html"))
		add_html(c, p, true);
	else
		add_plain(c, p);
	/* A part that says nothing adds no empty lines. */
	if (!says_something(span_from(content(&c->text), before)) && before)
		buf_cut(&c->text, before);
}

static bool plain_says_something(const struct mime_part *p)
{
	md_auto(buf_done) struct buf text = BUF_INIT(BODY_TEXT_MAX);

	if (p->encoding == ENCODING_IDENTITY)
		return says_something(p->body);
	body_part_text(p, &text);
	return says_something(content(&text));
}

/* Picks the form of one multipart/alternative: "text/plain" if it says something, else another. */
static const char *alternative_form(const struct mime_tree *t, int container)
{
	const char *found = NULL;

	for (int i = container + 1; i < t->v[container].next; i++) {
		const struct mime_part *p = &t->v[i];

		if (!may_be_text(t, i) || above(t, i, "multipart/alternative") != container)
			continue;
		if (is_type(p, "text/plain") && plain_says_something(p))
			return "text/plain";
		if (is_type(p, "text/html") || !found)
			found = p->type;
	}
	return found;
}

/* Some clients put text and HTML side by side in multipart/mixed and mean an alternative. */
static bool repeats_plain(const struct mime_tree *t, int index)
{
	const struct mime_part *p = &t->v[index];

	return p->parent >= 0 && index == p->parent + 2 && t->v[p->parent].next >= index &&
	       is_type(&t->v[p->parent], "multipart/mixed") && is_type(p, "text/html") &&
	       is_type(&t->v[index - 1], "text/plain") && may_be_text(t, index - 1) &&
	       plain_says_something(&t->v[index - 1]);
}

static void choose(struct choice *c)
{
	const struct mime_tree *t = c->t;
	int alternative = -1;
	const char *form = NULL;

	for (int i = 0; i < (int)t->n; i++) {
		int up;

		if (!may_be_text(t, i))
			continue;
		up = above(t, i, "multipart/alternative");
		if (up >= 0 && up != alternative) {
			alternative = up;
			form = alternative_form(t, up);
		}
		if (up < 0 ? !repeats_plain(t, i) : form && is_type(&t->v[i], form)) {
			add_part(c, i);
			continue;
		}
		if (is_type(&t->v[i], "text/html"))
			add_html(c, &t->v[i], false);
		c->body->roles[i] = BODY_OTHER_FORM;
	}
}

const char *body_why(const struct mime_tree *t, const struct body *b, size_t index)
{
	const struct mime_part *p = &t->v[index];
	bool html = is_type(p, "text/html"), text = html || is_type(p, "text/plain");

	if (b->roles[index] == BODY_OTHER_FORM)
		return "the same in another form";
	if (b->roles[index] == BODY_TEXT && !text)
		return "a multipart without parts is shown as it is";
	if (b->roles[index] == BODY_TEXT && html)
		return "no text/plain beside it says something";
	if (b->roles[index] == BODY_TEXT)
		return "text that says something";
	if (p->attachment)
		return "disposed as attachment";
	if (!text)
		return "no text";
	return shown_by_root(t, (int)index) ? "shown by the root of multipart/related"
					    : "it has a file name";
}

/* The text begins `by` bytes later than the buffer that the marks were made in. */
static void marks_shift(struct html_marks *m, size_t by)
{
	for (size_t i = 0; i < m->n; i++) {
		m->v[i].from -= by < m->v[i].from ? by : m->v[i].from;
		if (m->v[i].to != SIZE_MAX)
			m->v[i].to -= by < m->v[i].to ? by : m->v[i].to;
	}
}

int body_read(struct arena *a, const struct mime_tree *t, struct body *ret)
{
	struct choice c = { t, ret, a, BUF_INIT(BODY_TEXT_MAX) };
	int texts = 0, only = -1;
	struct span text;

	*ret = (struct body){ .identity_part = -1, .roles = arena_alloc(a, t->n) };
	if (!ret->roles)
		return MD_NOMEM;
	choose(&c);
	for (int i = 0; i < (int)t->n; i++)
		if (ret->roles[i] == BODY_TEXT) {
			texts++;
			only = i;
		}
	if (texts == 1 && t->v[only].encoding == ENCODING_IDENTITY &&
	    !is_type(&t->v[only], "text/html"))
		ret->identity_part = only;
	if (c.text.status == MD_INPUT)
		ret->trouble |= BODY_CUT;
	text = span_trim_end(content(&c.text));
	while (text.n && (*text.p == '\n' || *text.p == '\r'))
		text = span_from(text, 1);
	marks_shift(&ret->marks, c.text.len ? (size_t)(text.p - c.text.data) : 0);
	ret->text = arena_strndup(a, text.p, utf8_cut(text.p, text.n, BODY_TEXT_MAX));
	buf_done(&c.text);
	return a->failed ? MD_NOMEM : MD_OK;
}

void body_replace(struct arena *a, struct body *b, const char *text, const char *html)
{
	md_auto(buf_done) struct buf made = BUF_INIT(BODY_TEXT_MAX);
	struct span s = span_of(text);

	b->marks = (struct html_marks){ 0 };
	if (!s.n && html) {
		html_to_text(span_of(html), &made);
		s = span_trim(content(&made));
	}
	b->html = html;
	b->identity_part = -1;
	b->text = arena_strndup(a, s.p, utf8_cut(s.p, s.n, BODY_TEXT_MAX));
}

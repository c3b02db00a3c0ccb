#include <maildesk/desk/letter.h>

#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/text_html.h>
#include <stdio.h>
#include <string.h>

enum { PREHEADER_MAX = 180 };

void letter_done(struct letter *l)
{
	buf_done(&l->subject);
	buf_done(&l->text);
	buf_done(&l->html);
}

/* The set as a layout sees it. */
struct framed {
	const struct template_partials *templates;
	const struct template *content;
};

static const struct template *find_framed(void *ctx, const char *name)
{
	const struct framed *f = ctx;

	return strcmp(name, "content") == 0 ? f->content
					    : f->templates->find(f->templates->ctx, name);
}

/* NULL when there is none. */
static const struct template *find(const struct template_partials *templates, const char *event,
				   const char *part)
{
	char name[100];

	snprintf(name, sizeof name, "%s.%s", event, part);
	return templates->find(templates->ctx, name);
}

static int render_framed(enum template_mode mode, const char *part, const struct template *content,
			 const json_t *data, const struct template_partials *templates,
			 struct buf *out, struct md_err *err)
{
	struct framed f = { .templates = templates, .content = content };
	const struct template_partials partials = { .find = find_framed, .ctx = &f };
	const struct template *layout = find(templates, "layout", part);

	if (!layout)
		return md_fail(err, MD_NOTFOUND, 0, "no template layout.%s", part);
	return template_render(layout, mode, data, &partials, out, err);
}

static int render_subject(const struct template *t, const json_t *data,
			  const struct template_partials *templates, struct buf *out,
			  struct md_err *err)
{
	md_auto(buf_done) struct buf raw = BUF_INIT(LETTER_SUBJECT_MAX);
	int rc = template_render(t, TEMPLATE_TEXT, data, templates, &raw, err);

	if (rc != MD_OK)
		return rc;
	utf8_clean_line(out, buf_str(&raw), raw.len);
	return out->status == MD_OK
		       ? MD_OK
		       : md_fail(err, (enum md_code)out->status, 0, "subject too large");
}

/* What lists of mails show beside the subject: the first words. */
static json_t *preheader(const struct buf *body)
{
	md_auto(buf_done) struct buf line = BUF_INIT(PREHEADER_MAX * 4);

	utf8_clean_line(&line, buf_str(body), utf8_cut(buf_str(body), body->len, PREHEADER_MAX));
	return json_stringn(buf_str(&line), line.len);
}

/* The HTML knows more than the text: {{subject}}, {{preheader}}, and {{{text_html}}}, which is the
 * text itself. A shallow copy, which takes no part of its own. */
static json_t *html_data(const json_t *data, struct letter *l, const struct buf *body)
{
	md_auto(buf_done) struct buf html = BUF_INIT(LETTER_MAX);
	json_t *more = json_object();

	text_html(&html, buf_str(body), body->len);
	l->html.status = html.status;
	if (html.status == MD_OK && json_object_update(more, (json_t *)(uintptr_t)data) == 0 &&
	    json_object_set_new(more, "subject",
				json_stringn(buf_str(&l->subject), l->subject.len)) == 0 &&
	    json_object_set_new(more, "preheader", preheader(body)) == 0 &&
	    json_object_set_new(more, "text_html", json_stringn(buf_str(&html), html.len)) == 0)
		return more;
	json_decref(more);
	return NULL;
}

static int render_html(const char *event, const struct template *text, const json_t *data,
		       const struct template_partials *templates, struct letter *l,
		       struct md_err *err)
{
	const struct template *html = find(templates, event, "html");
	md_auto(buf_done) struct buf body = BUF_INIT(LETTER_MAX);
	md_auto(json_decref_p) json_t *more = NULL;
	int rc = template_render(text, TEMPLATE_TEXT, data, templates, &body, err);

	if (rc != MD_OK)
		return rc;
	if (!html && !(html = find(templates, "plain", "html")))
		return md_fail(err, MD_NOTFOUND, 0, "no template plain.html");
	if (!(more = html_data(data, l, &body)))
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return render_framed(TEMPLATE_HTML, "html", html, more, templates, &l->html, err);
}

int letter_render(const char *event, const json_t *data, const struct template_partials *templates,
		  struct letter *out, struct md_err *err)
{
	const struct template *subject = find(templates, event, "subject");
	const struct template *text = find(templates, event, "text");
	int rc;

	if (!subject || !text)
		return md_fail(err, MD_NOTFOUND, 0, "no template %s.%s", event,
			       subject ? "text" : "subject");
	if ((rc = render_subject(subject, data, templates, &out->subject, err)) != MD_OK ||
	    (rc = render_framed(TEMPLATE_TEXT, "text", text, data, templates, &out->text, err)) !=
		    MD_OK)
		return rc;
	rc = render_html(event, text, data, templates, out, err);
	if (out->html.status != MD_INPUT)
		return rc;
	buf_reset(&out->html);
	return MD_OK;
}

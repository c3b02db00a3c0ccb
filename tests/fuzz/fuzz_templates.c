/* Templates of strangers end, within their limits. The input is TEMPLATE NUL PARTIAL NUL DATA, the
 * last as JSON. */
#include "fuzz.h"

#include <maildesk/base/json.h>
#include <maildesk/desk/template.h>
#include <maildesk/desk/text_html.h>

enum { OUT_MAX = 1 << 20 };

static const struct template *find(void *ctx, const char *name)
{
	check(name);
	return ctx;
}

static void render(const struct template *t, const struct template *partial, const json_t *data)
{
	struct template_partials partials = { find, (void *)(uintptr_t)partial };

	for (int mode = TEMPLATE_TEXT; mode <= TEMPLATE_HTML; mode++) {
		md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);
		int rc = template_render(t, (enum template_mode)mode, data, &partials, &out, NULL);

		check(rc == MD_OK || rc == MD_INPUT);
		check(out.len <= OUT_MAX);
	}
}

/* Names are stretches of the source, sections end behind where they begin. */
static void walk(const struct template *t)
{
	struct template_name name;

	for (size_t at = 0; template_next_name(t, &at, &name);)
		check(name.len > 0 && name.line > 0 && name.at < at &&
		      (name.use != TEMPLATE_SECTION || name.end >= at));
}

/* Text as HTML has no tags but ours. */
static void html(struct span text)
{
	md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);

	text_html(&out, text.p, text.n);
	for (const char *p = buf_str(&out); out.status == MD_OK && (p = strchr(p, '<')) != NULL;
	     p++)
		check(strncmp(p, "<p style=\"", 10) == 0 || strncmp(p, "</p>\n", 5) == 0 ||
		      strncmp(p, "<br>\n", 5) == 0 || strncmp(p, "<a class=\"", 10) == 0 ||
		      strncmp(p, "</a>", 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span rest = { (const char *)data, n };
	struct span main_text = take_part(&rest), partial_text = take_part(&rest);
	md_auto(template_free_p) struct template *t = NULL, *partial = NULL;
	md_auto(json_decref_p) json_t *values = NULL;
	struct md_err err;
	int rc = template_compile("main", main_text.p, main_text.n, &t, &err);

	check(rc == MD_OK || (rc == MD_INPUT && strncmp(err.text, "main", 4) == 0));
	template_compile("partial", partial_text.p, partial_text.n, &partial, NULL);
	if (json_read(rest.p, rest.n, 32, &values, NULL) != MD_OK)
		values = json_pack("{s:s, s:[i,i], s:{s:s}}", "a", "<x>", "b", 1, 2, "c", "d", "e");
	check(values);
	if (rc == MD_OK) {
		walk(t);
		render(t, partial, values);
	}
	html(main_text);
	return 0;
}

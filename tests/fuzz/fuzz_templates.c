/* Templates of strangers end, within their limits. The input is TEMPLATE NUL PARTIAL NUL DATA, the
 * last as JSON. */
#include "fuzz.h"

#include <maildesk/base/json.h>
#include <maildesk/desk/template.h>

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
	if (rc == MD_OK)
		render(t, partial, values);
	return 0;
}

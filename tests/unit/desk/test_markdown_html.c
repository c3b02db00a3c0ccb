#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/markdown_html.h>
#include <stdbool.h>
#include <string.h>

enum { OUT_MAX = 4 << 20 };

/* Without the looks, which say nothing here. */
static void drop_styles(char *html)
{
	for (char *at; (at = strstr(html, " style=\"")) || (at = strstr(html, " class=\""));) {
		char *end = strchr(at + 8, '"') + 1;

		memmove(at, end, strlen(end) + 1);
	}
}

static void what_people_type(void **state)
{
	static const struct {
		const char *text, *html;
	} cases[] = {
		{ "", "" },
		{ "Hello,\n\nit works.\n", "<p>Hello,</p>\n<p>it works.</p>\n" },
		{ "Kind regards\nAnna", "<p>Kind regards<br>\nAnna</p>\n" },
		{ "at the **wall** and *now*",
		  "<p>at the <strong>wall</strong> and <em>now</em></p>\n" },
		{ "1. One.\n2. Two.\n", "<ol start=\"1\">\n<li>One.</li>\n<li>Two.</li>\n</ol>\n" },
		{ "3) Three", "<ol start=\"3\">\n<li>Three</li>\n</ol>\n" },
		{ "- a\n- b\n  - c\n",
		  "<ul>\n<li>a</li>\n<li>b<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n" },
		{ "- a\n\n- b\n", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n" },
		{ "> quoted\n\nanswered",
		  "<blockquote>\n<p>quoted</p>\n</blockquote>\n<p>answered</p>\n" },
		{ "`rm -r *`", "<p><code>rm -r *</code></p>\n" },
		{ "```\na < b\n  c\n```", "<pre>a &lt; b\n  c</pre>\n" },
		{ "# Steps\n\n---\n", "<p>Steps</p>\n<hr>\n" },
		{ "see https://a.test/x?y=1&z=a_2_b.",
		  "<p>see <a "
		  "href=\"https://a.test/x?y=1&amp;z=a_2_b\">https://a.test/x?y=1&amp;z=a_2_b</a>."
		  "</p>\n" },
		{ "[the manual](https://a.test/m \"t\")",
		  "<p><a href=\"https://a.test/m\">the manual</a></p>\n" },
		{ "<https://a.test> <anna@desk.test>",
		  "<p><a href=\"https://a.test\">https://a.test</a> <a "
		  "href=\"mailto:anna@desk.test\">"
		  "anna@desk.test</a></p>\n" },
		/* no reader asks another server for a picture */
		{ "![plan](https://a.test/p.png)",
		  "<p><a href=\"https://a.test/p.png\">plan</a></p>\n" },
		{ "[![plan](https://a.test/p.png)](https://a.test/)",
		  "<p><a href=\"https://a.test/\">plan</a></p>\n" },
		/* what is no markup is not lost */
		{ "Press <Enter>, 5 < 6 & 7", "<p>Press &lt;Enter&gt;, 5 &lt; 6 &amp; 7</p>\n" },
		{ "<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n" },
		{ "[x](javascript:alert(1)) [y](data:text/html,z) [z](/u/1) "
		  "![w](file:///etc/passwd)",
		  "<p>x y z w</p>\n" },
		{ "[x](https://a.test/\"onclick=\"y)",
		  "<p><a href=\"https://a.test/&quot;onclick=&quot;y\">x</a></p>\n" },
		{ "a\\*b &copy; &lt;", "<p>a*b \xc2\xa9 &lt;</p>\n" },
		{ "-\n-\n", "<ul>\n<li></li>\n<li></li>\n</ul>\n" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);

		markdown_html(&out, cases[i].text, strlen(cases[i].text));
		drop_styles(out.data ? out.data : (char[]){ "" });
		assert_string_equal(buf_str(&out), cases[i].html);
	}
}

/* Neither the parser nor whoever reads the mail has to bear what nobody types. */
static void bombs_are_plain_text(void **state)
{
	static const char *const pieces[] = { ">", "> ", "- ", "*a ", "[", "![", "`", "<!--",
					      "a**b", "[a](<", "&amp;", "1. ", "_*", "\\[",
					      "[a]: b\n",
					      /* little that becomes much */
					      ">>>>>>>>>>>>>>>>>>>>>>>>>>>>*\n-\n" };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(pieces); i++)
		for (size_t size = MARKDOWN_MAX; size <= MARKDOWN_MAX + 1; size++) {
			md_auto(buf_done) struct buf in = BUF_INIT(OUT_MAX);
			md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);
			size_t deepest = 0, open = 0;

			while (in.len < size)
				buf_adds(&in, pieces[i]);
			buf_cut(&in, size);
			markdown_html(&out, in.data, in.len);
			assert_int_equal(out.status, MD_OK);
			for (const char *p = buf_str(&out); (p = strchr(p, '<')) != NULL; p++) {
				bool is_void = !strncmp(p, "<br", 3) || !strncmp(p, "<hr", 3);

				open += is_void ? 0 : p[1] == '/' ? (size_t)-1 : 1;
				deepest = open > deepest ? open : deepest;
			}
			assert_int_equal(open, 0); /* what is opened is closed */
			assert_in_range(deepest, 0, MARKDOWN_DEPTH + 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_type),
		cmocka_unit_test(bombs_are_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

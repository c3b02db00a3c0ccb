#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/body.h>
#include <maildesk/mail/html.h>

static const struct {
	const char *in, *want;
} pages[] = {
	{ "<p>one</p><p>two</p>", "one\n\ntwo" },
	{ "one<br>two<br/>\nthree", "one\ntwo\nthree" },
	{ "<div>a</div><div><div>b</div></div>c", "a\nb\nc" },
	{ "a   b\n\tc", "a b c" },
	{ "a<b>b</b> <i>c</i>", "ab c" },
	{ "x&amp;y &lt;z&gt; &uuml;&#8364;&nbsp;!", "x&y <z> ü€ !" },
	{ "<script>no()</script><style>p{}</style><title>no</title>yes", "yes" },
	{ "<span style='DISPLAY : none'>no <b>no</b></span>yes", "yes" },
	{ "<a href='https://x.example/a'>here</a>", "here (https://x.example/a)" },
	{ "<a href='https://x.example/'>x.example</a>", "x.example" },
	{ "<a href='mailto:a@b.example'>a@b.example</a>", "a@b.example" },
	{ "<a href='javascript:alert(1)'>here</a>", "here" },
	{ "<ul><li>a<li>b</ul><ol><li>c</li><li>d</li></ol>", "- a\n- b\n1. c\n2. d" },
	{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc" },
	{ "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e", "a\n> b\n> c\n> > d\ne" },
	{ "<ol start=3><li>c</li><li>d</li></ol>", "3. c\n4. d" },
	{ "<ol start=-3><li>c</li></ol>", "1. c" },
	{ "<i style='opacity:0'>no</i><i style='opacity: 0.9'>yes</i>", "yes" },
	{ "<p style='max-height:0px;overflow:hidden'>no</p><i style='max-height:10px'>yes</i>",
	  "yes" },
	{ "a<![if !mso]>b<![endif]>c", "abc" },
	{ "<!--[if mso]>no<![endif]-->a<!--[if !mso]><!-->b<!--<![endif]-->", "ab" },
	{ "a <![ never closed", "a <![ never closed" },
	{ "<pre>a\n  b</pre>", "a\n  b" },
	{ "no tags at all", "no tags at all" },
	{ "a < b and c > d", "a < b and c > d" },
	{ "<p>never <b>closed", "never closed" },
	{ "zero\xe2\x80\x8bwidth\xc2\xa0gap", "zerowidth gap" },
};

static void makes_readable_text(void **state)
{
	(void)state;
	html_prepare();
	for (size_t i = 0; i < MD_COUNT(pages); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(1000);

		assert_true(html_to_text(span_of(pages[i].in), &out));
		assert_string_equal(buf_str(&out), pages[i].want);
	}
}

static void survives_depth(void **state)
{
	md_auto(buf_done) struct buf in = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20);

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_adds(&in, "<div>");
	buf_adds(&in, "at the bottom");
	assert_true(html_to_text((struct span){ in.data, in.len }, &out));
	assert_non_null(strstr(buf_str(&out), "at the bottom"));
}

/* The parser gets pieces; where it stops for the depth no character is cut in two. */
static void cuts_no_character_at_depth(void **state)
{
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		md_auto(buf_done) struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

		for (int i = 0; i < 500; i++)
			buf_adds(&in, "<div>");
		for (int i = 0; i < shift; i++)
			buf_addc(&in, 'x');
		for (int i = 0; i < 20000; i++)
			buf_adds(&in, "€");
		assert_true(html_to_text((struct span){ in.data, in.len }, &out));
		assert_true(utf8_valid(buf_str(&out), out.len));
	}
}

static const struct {
	const char *in;
	bool delsp;
	const char *want;
} flowed[] = {
	{ "one \ntwo\nthree", false, "one two\nthree\n" },
	{ "one \ntwo", true, "onetwo\n" },
	{ "> a \n> b\n>> c", false, "> a b\n>> c\n" },
	{ "> a \nb", false, "> a \nb\n" },
	{ " >stuffed\n From x", false, ">stuffed\nFrom x\n" },
	{ "text \n-- \nsig", false, "text \n-- \nsig\n" },
};

static void joins_flowed_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(flowed); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(1000);

		body_unflow(span_of(flowed[i].in), flowed[i].delsp, &out);
		assert_string_equal(buf_str(&out), flowed[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_readable_text),
		cmocka_unit_test(survives_depth),
		cmocka_unit_test(cuts_no_character_at_depth),
		cmocka_unit_test(joins_flowed_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/mail/rtf.h>

static const struct {
	const char *in, *want;
} texts[] = {
	{ "{\\rtf1\\ansi Hello \\b world\\b0 !\\par Second\\tab line\\line}",
	  "Hello world!\nSecond\tline\n" },
	{ "{\\rtf1\\ansicpg1251 \\'cf\\'f0\\'e8}", "При" },
	{ "{\\rtf1\\ansicpg932 \\'93\\'fa\\'96\\'7b}", "日本" },
	{ "{\\rtf1\\uc1 \\u26085?\\u26412? \\u-3?}", "日本 \xef\xbf\xbd" },
	{ "{\\rtf1\\uc2\\u228 ab{\\uc0\\u228 }c}", "ääc" },
	{ "{\\rtf1{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}{\\pict 00ff}text}", "text" },
	{ "{\\rtf1\\fromhtml1 {\\*\\htmltag84 <b>}bold\\htmlrtf\\par\\htmlrtf0 {\\*\\htmltag92 "
	  "</b>}}",
	  "bold\n" },
	{ "{\\rtf1 a\\{b\\}c\\\\d\\~e\\_f}", "a{b}c\\d e-f" },
	{ "{\\rtf1 a\\bin3 }}}b}", "ab" },
	{ "{\\rtf1 \\bin99999999999 x", "" },
	{ "}}}text{{{", "text" },
	{ "{\\rtf1 \\'", "" },
	{ "\\", "" },
	{ "", "" },
};

static void gives_the_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(texts); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(1000);

		rtf_to_text(span_of(texts[i].in), &out);
		assert_string_equal(buf_str(&out), texts[i].want);
	}
}

static void is_not_impressed_by_depth(void **state)
{
	md_auto(buf_done) struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(1000);

	(void)state;
	buf_adds(&in, "a");
	for (int i = 0; i < 100000; i++)
		buf_addc(&in, '{');
	buf_adds(&in, "lost");
	for (int i = 0; i < 100000; i++)
		buf_addc(&in, '}');
	buf_adds(&in, "b");
	rtf_to_text((struct span){ in.data, in.len }, &out);
	assert_string_equal(buf_str(&out), "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_text),
		cmocka_unit_test(is_not_impressed_by_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mail_test.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/encoding.h>

#include <time.h>

static const struct {
	enum encoding encoding;
	const char *in, *want;
} encodings[] = {
	{ ENCODING_BASE64, "aGVsbG8=", "hello" },
	{ ENCODING_BASE64, "aGVs\r\nbG8=\r\n", "hello" },
	{ ENCODING_BASE64, "aGVsbG8", "hello" },
	{ ENCODING_BASE64, "a!G V*sbG8=", "hello" },
	{ ENCODING_BASE64, "aGVsbG8=aGVsbG8=", "hellohello" },
	{ ENCODING_BASE64, "aGVsbG8=\n\n-- \nthe list's footer\n", "hello" },
	{ ENCODING_BASE64, "aGVsbG8=\n_______\naGVsbG8=", "hello" },
	{ ENCODING_BASE64, "aGVsbG8=\n\naGVsbG8=\n", "hellohello" },
	{ ENCODING_BASE64, "=", "" },
	{ ENCODING_BASE64, "a", "" },
	{ ENCODING_QP, "a=3Db", "a=b" },
	{ ENCODING_QP, "soft=\r\nbreak", "softbreak" },
	{ ENCODING_QP, "soft=  \nbreak", "softbreak" },
	{ ENCODING_QP, "soft=\rbreak\rnext", "softbreak\rnext" },
	{ ENCODING_UUENCODE, "%:&5L;&\\\r`\rend\r", "hello" },
	{ ENCODING_QP, "trailing  \nblank", "trailing\nblank" },
	{ ENCODING_QP, "bad =ZZ =4", "bad =ZZ =4" },
	{ ENCODING_QP, "end=", "end" },
	{ ENCODING_UUENCODE, "%:&5L;&\\ \n`\nend\n", "hello" },
	{ ENCODING_UUENCODE, "%:&5L;&\\\n`\nend\n", "hello" },
	{ ENCODING_IDENTITY, "as it is\r\n", "as it is\r\n" },
};

static void decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(encodings); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(1000);

		encoding_decode_buf(encodings[i].encoding, span_of(encodings[i].in), &out);
		assert_string_equal(buf_str(&out), encodings[i].want);
	}
}

/* Lines and what is no letter move the groups of four, wherever they stand; pieces of output end
 * within a group. */
static void base64_passes_over_what_is_no_letter(void **state)
{
	md_auto(buf_done) struct buf bytes = BUF_INIT(20000), code = BUF_INIT(40000);

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addc(&bytes, (char)(i * 7 + i / 251));
	base64_encode(&code, bytes.data, bytes.len);
	for (size_t width = 1; width < 80; width++) {
		md_auto(buf_done) struct buf lines = BUF_INIT(60000), out = BUF_INIT(20000);

		for (size_t at = 0; at < code.len; at += width)
			buf_addf(&lines, "%.*s%s", (int)width, code.data + at,
				 at % 3 ? "\r\n" : " !\n");
		encoding_decode_buf(ENCODING_BASE64, (struct span){ lines.data, lines.len }, &out);
		assert_int_equal(out.len, bytes.len);
		assert_memory_equal(out.data, bytes.data, bytes.len);
	}
}

static int stop_at_once(void *ctx, const void *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)ctx += n;
	return 7;
}

static void stops_when_the_sink_does(void **state)
{
	static char big[200000];
	size_t taken = 0;

	(void)state;
	memset(big, 'A', sizeof big);
	assert_int_equal(encoding_decode(ENCODING_BASE64, (struct span){ big, sizeof big },
					 stop_at_once, &taken),
			 7);
	assert_in_range(taken, 1, 20000);
}

static void finds_uuencoded_files(void **state)
{
	const char *text =
		"begin 644 no end\nM\n\nbegin the day\nbegin 644 a b.txt\n%:&5L;&\\ \n`\nend\nx";
	struct uu_block b;

	(void)state;
	assert_true(encoding_find_uu(span_of(text), 0, &b));
	assert_true(span_is(b.name, "a b.txt"));
	assert_true(span_is(b.code, "%:&5L;&\\ \n`\n"));
	assert_false(encoding_find_uu(span_of("begin 644 x\nend\n"), 0, &b));
}

static const struct {
	const char *charset, *in, *want;
} charsets[] = {
	{ "utf-8", "gr\xc3\xbc\xc3\x9f", "grüß" },
	{ "utf-8", "caf\xe9", "café" }, /* declared wrongly */
	{ "", "caf\xe9", "café" },
	{ "us-ascii", "caf\xc3\xa9", "café" },
	{ "iso-8859-1", "\x80\xe9", "€é" }, /* means windows-1252 */
	{ "ISO8859_15", "\xa4", "€" },
	{ "windows-1251", "\xcf\xf0", "Пр" },
	{ "gb2312", "\xc4\xe3\xba\xc3", "你好" },
	{ "ks_c_5601-1987", "\xc7\xd1", "한" },
	{ "shift_jis", "\x83\x65", "テ" },
	{ "iso-2022-jp", "\x1b$B-!%F\x1b(B x", "①テ x" }, /* NEC row 13 */
	{ "iso-2022-jp", "\x1b(I1\x1b(B", "ｱ" },
	{ "utf-7", "+APw-", "ü" },
	{ "x-unknown", "\xfc", "ü" },
	{ "big5",
	  "a\xff"
	  "b",
	  "a\xef\xbf\xbd"
	  "b" },
	{ "utf-8", "cut \xe2\x82", "cut \xef\xbf\xbd" },
	{ "koi8-r", "gr\xc3\xbc", "grц╪" },
};

static void makes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(charsets); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(1000);

		charset_to_utf8(span_of(charsets[i].charset), span_of(charsets[i].in), &out);
		assert_string_equal(buf_str(&out), charsets[i].want);
		assert_true(utf8_valid(buf_str(&out), out.len));
	}
}

/* A megabyte of a byte that begins or continues something; quadratic work takes minutes. */
static void takes_linear_time(void **state)
{
	static const char *const names[] = { "", "utf-8", "shift_jis", "iso-2022-jp", "utf-7" };
	static const char bytes[] = "\x80\xc2\xf0\x1b+";
	enum { SIZE = 1 << 16 };
	md_auto(md_free_p) char *in = md_malloc(SIZE);
	clock_t before = clock();

	(void)state;
	assert_non_null(in);
	for (size_t i = 0; i < MD_COUNT(names); i++) {
		for (const char *c = bytes; *c; c++) {
			md_auto(buf_done) struct buf out = BUF_INIT(SIZE * 8);

			memset(in, *c, SIZE);
			charset_to_utf8(span_of(names[i]), (struct span){ in, SIZE }, &out);
			assert_true(utf8_valid(buf_str(&out), out.len));
		}
	}
	assert_true(clock() - before < 60 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
		cmocka_unit_test(base64_passes_over_what_is_no_letter),
		cmocka_unit_test(stops_when_the_sink_does),
		cmocka_unit_test(finds_uuencoded_files),
		cmocka_unit_test(makes_utf8),
		cmocka_unit_test(takes_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

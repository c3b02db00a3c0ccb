/* winmail.dat made here, attribute by attribute. */
#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/codec.h>
#include <maildesk/mail/attachment.h>

static void le(struct buf *b, uint32_t n, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_addc(b, (char)(n >> 8 * i & 0xff));
}

static void attribute(struct buf *b, int level, unsigned id, const char *data, size_t n)
{
	le(b, (uint32_t)level, 1);
	le(b, id, 4);
	le(b, (uint32_t)n, 4);
	buf_add(b, data, n);
	le(b, 0, 2); /* nobody looks at checksums */
}

static void text_property(struct buf *b, unsigned tag, const char *value, size_t n)
{
	le(b, tag, 4);
	le(b, 1, 4);
	le(b, (uint32_t)n, 4);
	buf_add(b, value, n);
	le(b, 0, (int)(-n & 3));
}

static void begin(struct buf *b)
{
	le(b, 0x223e9f78, 4);
	le(b, 1, 2);
	attribute(b, 1, 0x9007, "\xe3\x04\0\0\0\0\0\0", 8); /* windows-1251 */
}

static void file(struct buf *b, const char *title, const char *name, const char *data)
{
	md_auto(buf_done) struct buf props = BUF_INIT(10000);

	le(&props, 4, 4);
	/* one with a name of its own, longer than a hundred bytes */
	le(&props, 0x8001001f, 4);
	buf_add(&props, "0123456789abcdef", 16);
	le(&props, 1, 4);
	le(&props, 202, 4);
	for (int i = 0; i < 102; i++)
		le(&props, 'n', 2);
	le(&props, 1, 4);
	le(&props, 2, 4);
	le(&props, 0, 4);
	le(&props, 0x37050003, 4);
	le(&props, 1, 4);
	text_property(&props, 0x3707001e, name, strlen(name) + 1);
	text_property(&props, 0x370e001e, "text/x-test", 12);
	attribute(b, 2, 0x9002, "12345678901234", 14);
	attribute(b, 2, 0x8010, title, strlen(title) + 1);
	attribute(b, 2, 0x800f, data, strlen(data));
	attribute(b, 2, 0x9005, props.data, props.len);
}

/* The mail around it; `text` may be NULL. */
static void wrap(struct buf *mail, const struct buf *tnef, const char *text)
{
	buf_addf(mail,
		 "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n%s\n--b\n"
		 "Content-Type: application/ms-tnef; name=winmail.dat\n"
		 "Content-Transfer-Encoding: base64\n\n",
		 text ? text : "");
	base64_encode(mail, tnef->data, tnef->len);
	buf_adds(mail, "\n--b--\n");
}

static int collect(void *ctx, const void *bytes, size_t n)
{
	buf_add(ctx, bytes, n);
	return 0;
}

static void unpacks_files(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	md_auto(buf_done) struct buf tnef = BUF_INIT(100000), mail = BUF_INIT(200000);
	static const char *const want[] = { "first file", "second" };
	struct message m;

	(void)state;
	begin(&tnef);
	file(&tnef, "FIRST.TXT", "\xcf\xf0\xe8.txt", want[0]);
	file(&tnef, "SECOND.TXT", "../second.txt", want[1]);
	wrap(&mail, &tnef, "hello");
	m = message_of(&a, mail.data, mail.len);
	assert_string_equal(m.text, "hello");
	assert_int_equal(m.attachments.n, 3);
	for (size_t i = 0; i < 2; i++) {
		const struct attachment *at = (struct attachment *)m.attachments.v + 1 + i;
		md_auto(buf_done) struct buf got = BUF_INIT(1000);

		assert_string_equal(at->filename, i ? "second.txt" : "При.txt");
		assert_string_equal(at->content_type, "text/x-test");
		assert_int_equal(at->size, strlen(want[i]));
		assert_int_equal(attachment_decode(at->encoding,
						   span_sub((struct span){ mail.data, mail.len },
							    (size_t)at->offset,
							    (size_t)(at->offset + at->length)),
						   collect, &got),
				 0);
		assert_string_equal(buf_str(&got), want[i]);
	}
}

/* The example of MS-OXRTFCP. */
static const char lzfu[] =
	"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 hel\x09\0 bw"
	"\x05\xb0ld}\x0a\x80\x0f\xa0";

static void takes_the_body_where_there_is_none(void **state)
{
	static const struct {
		unsigned tag;
		const char *value;
		size_t n;
		const char *outer, *text, *html;
	} rows[] = {
		{ 0x1000001e, "\xcf\xf0\xe8", 4, NULL, "При", NULL },
		{ 0x1000001f, "h\0i\0", 4, NULL, "hi", NULL },
		{ 0x10130102, "<p>one<p>two", 12, NULL, "one\n\ntwo", "<p>one<p>two" },
		{ 0x10090102, lzfu, sizeof lzfu - 1, NULL, "hello world", NULL },
		{ 0x1000001e, "inner", 6, "outer", "outer", NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf tnef = BUF_INIT(100000), mail = BUF_INIT(200000);
		md_auto(buf_done) struct buf props = BUF_INIT(10000);
		struct message m;

		begin(&tnef);
		le(&props, 1, 4);
		text_property(&props, rows[i].tag, rows[i].value, rows[i].n);
		attribute(&tnef, 1, 0x9003, props.data, props.len);
		wrap(&mail, &tnef, rows[i].outer);
		m = message_of(&a, mail.data, mail.len);
		assert_same(m.text, rows[i].text);
		assert_same(m.html, rows[i].html);
	}
}

/* Cut off anywhere, any byte changed: something is read, nothing breaks. */
static void survives_damage(void **state)
{
	md_auto(buf_done) struct buf tnef = BUF_INIT(100000);

	(void)state;
	begin(&tnef);
	file(&tnef, "A", "a", "data");
	for (size_t i = 1; i < tnef.len; i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf mail = BUF_INIT(200000), less = BUF_INIT(100000);

		buf_add(&less, tnef.data, i);
		wrap(&mail, &less, "x");
		assert_string_equal(message_of(&a, mail.data, mail.len).text, "x");
		buf_add(&less, tnef.data + i, tnef.len - i);
		less.data[i] = (char)0xff;
		buf_reset(&mail);
		wrap(&mail, &less, "x");
		assert_string_equal(message_of(&a, mail.data, mail.len).text, "x");
	}
}

static void knows_no_other_slices(void **state)
{
	static const char *const bad[] = { "base64/", "base64/1", "base64/1+2x", "zip", "zip/1+2" };
	md_auto(buf_done) struct buf got = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < MD_COUNT(bad); i++)
		assert_int_equal(attachment_decode(bad[i], span_of("YWJj"), collect, &got), -1);
	assert_int_equal(attachment_decode("base64/1+1", span_of("YWJj"), collect, &got), 0);
	assert_int_equal(attachment_decode("base64", span_of("YWJj"), collect, &got), 0);
	assert_int_equal(attachment_decode("base64/9+1", span_of("YWJj"), collect, &got), 0);
	assert_string_equal(buf_str(&got), "babc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks_files),
		cmocka_unit_test(takes_the_body_where_there_is_none),
		cmocka_unit_test(survives_damage),
		cmocka_unit_test(knows_no_other_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/mail/authres.h>
#include <maildesk/mail/header.h>

static const struct {
	const char *in, *want;
} words[] = {
	{ "plain", "plain" },
	{ "=?utf-8?Q?a_b=C3=BC?=", "a bü" },
	{ "=?iso-8859-1?q?caf=E9?= x", "café x" },
	{ "=?utf-8?B?w7w=?= =?utf-8?B?w7w=?=", "üü" },      /* blank between words goes */
	{ "=?utf-8?B?w7w=?= - =?utf-8?B?w7w=?=", "ü - ü" }, /* between text it stays */
	{ "=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€" },       /* one character in two words */
	{ "=?utf-8?Q?=E2=82?=\r\n =?utf-8?Q?=AC?=", "€" },
	{ "=?utf-8?B?w7w?=", "ü" },               /* padding missing */
	{ "x=?utf-8?Q?=C3=BC?=y", "xüy" },        /* glued to text */
	{ "=?utf-8?Q?two words?=", "two words" }, /* blank inside */
	{ "=?utf-8*de?Q?=C3=BC?=", "ü" },
	{ "=?x-unknown?Q?a=FC?=", "aü" },
	{ "=?utf-8?X?abc?=", "=?utf-8?X?abc?=" },
	{ "=?utf-8?Q?open", "=?utf-8?Q?open" },
	{ "=?utf-8?Q?a=ZZ?=", "a=ZZ" },
	{ "=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "テスト" },
	{ "raw \xfc byte", "raw ü byte" },
	{ "a\r\n\tb\r\n c", "a b c" },
	{ "=?utf-8?Q?line=0D=0Abreak?=", "line break" },
	{ "=?gb2312?B?xOO6ww==?=", "你好" },
	{ "=?utf-8?Q?what=3F?=", "what?" },
};

static void decodes_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(words); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);

		assert_same(header_text(&a, span_of(words[i].in)), words[i].want);
	}
}

static const struct {
	const char *in, *value, *name, *want;
} params[] = {
	{ "text/plain; charset=utf-8", "text/plain", "charset", "utf-8" },
	{ "text/pl\xfc; x=1", "text/pl?", "x", "1" },
	{ "TEXT/HTML;Charset=\"A\\\"b\"", "text/html", "charset", "A\"b" },
	{ "a/b; name=my file.pdf; x=y", "a/b", "name", "my file.pdf" },
	{ "a/b; name*=utf-8'en'%E2%82%AC%20x", "a/b", "name", "€ x" },
	{ "a/b; name*0=ab; name*1=cd", "a/b", "name", "abcd" },
	{ "a/b; name*1=cd; name*0=ab", "a/b", "name", "abcd" },
	{ "a/b; name*0*=iso-8859-1''%FC; name*1*=%FC; name*2=\"%41\"", "a/b", "name", "üü%41" },
	{ "a/b; name=plain; name*=utf-8''better", "a/b", "name", "better" },
	{ "a/b; name=\"=?utf-8?Q?=C3=BC?=.txt\"", "a/b", "name", "ü.txt" },
	{ "a/b; name=\"C:\\dir\\file.txt\"", "a/b", "name", "C:\\dir\\file.txt" },
	{ "a/b; name=\"never closed", "a/b", "name", "never closed" },
	{ "a/b; name", "a/b", "name", "" },
	{ "", "", "name", NULL },
	{ "a/b;;; ; x=1", "a/b", "x", "1" },
	{ "a/b x=1; y=2", "a/b", "x", "1" },
	{ "a / b; x=1", "a / b", "x", "1" },
};

static void reads_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(params); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct header_params p;

		header_params_read(&a, span_of(params[i].in), &p);
		assert_string_equal(p.value, params[i].value);
		assert_same(header_param(&p, params[i].name), params[i].want);
	}
}

/* raw, place, number of fields, body */
static const struct {
	const char *raw;
	enum header_place place;
	size_t fields;
	const char *body;
} blocks[] = {
	{ "A: 1\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\r\nB: 2\r\n\r\nbody", HEADER_TOP, 2, "body" },
	{ "From x@y Fri\nA: 1\n\nbody", HEADER_TOP, 1, "body" },
	{ "junk line\nA: 1\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\nunfolded rest\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\nby x\nfor y\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\n folded: no field\n\nbody", HEADER_TOP, 1, "body" },
	{ "A: 1\n \n folded\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\n\t\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\n \nbody\n", HEADER_TOP, 1, "body\n" },
	{ "\n  \nA: 1\nB: 2\n\nbody", HEADER_TOP, 2, "body" },
	{ "A: 1\nbody without empty line\n", HEADER_TOP, 1, "body without empty line\n" },
	{ "no header at all\nnone\n", HEADER_TOP, 0, "no header at all\nnone\n" },
	{ "A: 1", HEADER_TOP, 1, "" },
	{ "\nbody", HEADER_PART, 0, "body" },
	{ "text\nA: 1\n\nx", HEADER_PART, 0, "text\nA: 1\n\nx" },
	{ "A: 1\n--b\n", HEADER_PART, 1, "--b\n" },
	{ "", HEADER_TOP, 0, "" },
};

static void splits_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(blocks); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct span head, body;
		struct header h;
		bool junk;

		header_split(span_of(blocks[i].raw), blocks[i].place, &head, &body, &junk);
		header_read(&a, head, 100, &h);
		assert_int_equal(h.n, blocks[i].fields);
		assert_int_equal(body.n, strlen(blocks[i].body));
		assert_memory_equal(body.p, blocks[i].body, body.n);
	}
}

/* Short quoted strings in a long value: what each takes is its own length. */
static void quoted_strings_take_their_length(void **state)
{
	enum { PAIRS = 50000 };
	md_auto(buf_done) struct buf b = BUF_INIT(1 << 20);
	md_auto(arena_done) struct arena a = ARENA_INIT(8 << 20);
	struct header_params p;
	struct auth_summary s;
	struct rec_list fields;
	struct header_field f = { .name = span_of("Authentication-Results") };
	struct header h = { 1, &f };

	(void)state;
	buf_adds(&b, "a/b");
	for (int i = 0; i < PAIRS; i++)
		buf_addf(&b, "; x=\"%d\"", i % 10);
	f.value = (struct span){ buf_str(&b), b.len };
	header_params_read(&a, f.value, &p);
	authres_read(&a, &h, &fields, &s);
	assert_false(a.failed);
	assert_same(header_param(&p, "x"), "0");
	assert_int_equal(fields.n, 1);
}

static void results_that_differ_say_nothing(void **state)
{
	static const struct {
		const char *value, *dmarc;
	} cases[] = {
		{ "mx; dmarc=pass header.from=a.example", "pass" },
		{ "mx; dmarc=pass; DMARC=PASS", "pass" },
		{ "mx; dmarc=pass header.from=a.example; dmarc=fail header.from=a.example",
		  "none" },
		{ "mx; dmarc=fail; dmarc=pass", "none" },
		{ "mx; dmarc=fail (dmarc=pass)", "fail" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct header_field f = { .name = span_of("Authentication-Results"),
					  .value = span_of(cases[i].value) };
		struct header h = { 1, &f };
		struct auth_summary s;
		struct rec_list fields;

		authres_read(&a, &h, &fields, &s);
		assert_int_equal(fields.n, 1);
		assert_same(((struct auth_field *)fields.v)->dmarc, cases[i].dmarc);
		assert_same(s.dmarc, cases[i].dmarc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_words),
		cmocka_unit_test(reads_parameters),
		cmocka_unit_test(quoted_strings_take_their_length),
		cmocka_unit_test(splits_blocks),
		cmocka_unit_test(results_that_differ_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/json.h>
#include <maildesk/desk/template.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shelf { /* partials, compiled when asked for */
	json_t *sources;
	struct template *compiled[8];
	size_t n;
};

static const struct template *find_partial(void *ctx, const char *name)
{
	struct shelf *s = ctx;
	const char *source = json_get_string(s->sources, name);

	if (!source)
		return NULL;
	assert_true(s->n < MD_COUNT(s->compiled));
	if (template_compile(name, source, strlen(source), &s->compiled[s->n], NULL) != MD_OK)
		fail_msg("partial %s", name);
	return s->compiled[s->n++];
}

static json_t *parse_json(const char *text)
{
	json_t *j = NULL;

	if (text && json_read(text, strlen(text), 20, &j, NULL) != MD_OK)
		fail_msg("bad JSON in the test: %s", text);
	return j;
}

/* Source of exact size, so that the sanitizer sees a read past the end. */
static int compile(const char *text, struct template **ret, struct md_err *err)
{
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, text, n);
	rc = template_compile("t", copy, n, ret, err);
	free(copy);
	return rc;
}

static int render(enum template_mode mode, const char *text, const char *data, const char *partials,
		  struct buf *out, struct md_err *err)
{
	md_auto(template_free_p) struct template *t = NULL;
	md_auto(json_decref_p) json_t *root = parse_json(data);
	struct shelf shelf = { .sources = parse_json(partials) };
	const struct template_partials p = { .find = find_partial, .ctx = &shelf };
	int rc = compile(text, &t, err);

	if (rc == MD_OK)
		rc = template_render(t, mode, root, partials ? &p : NULL, out, err);
	for (size_t i = 0; i < shelf.n; i++)
		template_free(shelf.compiled[i]);
	json_decref(shelf.sources);
	return rc;
}

struct test_case {
	const char *why, *text, *data, *expect, *partials;
};

static void run_cases(enum template_mode mode, const struct test_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(10000);
		struct md_err err = { 0 };

		if (render(mode, cases[i].text, cases[i].data, cases[i].partials, &out, &err) !=
		    MD_OK)
			fail_msg("%s: %s", cases[i].why, err.text);
		if (strcmp(buf_str(&out), cases[i].expect) != 0)
			fail_msg("%s: got\n%s\nnot\n%s", cases[i].why, buf_str(&out),
				 cases[i].expect);
	}
}

static void interpolation(void **state)
{
	static const struct test_case cases[] = {
		{ "no tags", "Dear {all}, }} {\n", "{}", "Dear {all}, }} {\n", NULL },
		{ "nothing at all", "", "{}", "", NULL },
		{ "string", "Hi {{who}}.", "{\"who\":\"Ann\"}", "Hi Ann.", NULL },
		{ "escaped", "{{x}}", "{\"x\":\"<a b=\\\"c\\\">&'\"}",
		  "&lt;a b=&quot;c&quot;&gt;&amp;&#39;", NULL },
		{ "raw by three braces", "{{{x}}}", "{\"x\":\"<&>\"}", "<&>", NULL },
		{ "raw by ampersand", "{{&x}}", "{\"x\":\"<&>\"}", "<&>", NULL },
		{ "padding in all kinds", "{{ x }}{{& x }}{{{ x }}}{{\tx\n}}", "{\"x\":7}", "7777",
		  NULL },
		{ "integer", "{{n}}", "{\"n\":-12345678901}", "-12345678901", NULL },
		{ "real", "{{a}} {{b}} {{c}}", "{\"a\":2.50,\"b\":0.1,\"c\":1e300}",
		  "2.5 0.1 1e+300", NULL },
		{ "booleans", "{{t}} {{f}}", "{\"t\":true,\"f\":false}", "true false", NULL },
		{ "null, missing, object, list", "[{{a}}{{b}}{{c}}{{d}}]",
		  "{\"a\":null,\"c\":{\"x\":1},\"d\":[1]}", "[]", NULL },
		{ "dotted", "{{a.b.c}}", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "deep", NULL },
		{ "broken chain", "[{{a.b.c}}]", "{\"a\":{\"x\":1},\"b\":{\"c\":2}}", "[]", NULL },
		{ "chain through a string", "[{{a.b}}]", "{\"a\":\"text\"}", "[]", NULL },
		{ "a dotted name is never one key", "[{{a.b}}]", "{\"a.b\":1}", "[]", NULL },
		{ "null hides what is outside", "{{#in}}[{{x}}]{{/in}}",
		  "{\"x\":1,\"in\":{\"x\":null}}", "[]", NULL },
		{ "the first part decides", "{{#in}}[{{x.y}}]{{/in}}",
		  "{\"x\":{\"y\":1},\"in\":{\"x\":{}}}", "[]", NULL },
		{ "whole root", "{{.}}", "\"root\"", "root", NULL },
		{ "not standalone", "  {{x}}\n  {{{x}}}\n  {{&x}}\n", "{\"x\":1}",
		  "  1\n  1\n  1\n", NULL },
		{ "text that looks like a tag stays text", "{{x}}", "{\"x\":\"{{y}}\",\"y\":1}",
		  "{{y}}", NULL },
		{ "bytes beyond ASCII", "Grüße, {{x}}", "{\"x\":\"Żółw ☃\"}", "Grüße, Żółw ☃",
		  NULL },
	};

	(void)state;
	run_cases(TEMPLATE_HTML, cases, MD_COUNT(cases));
}

static void text_mode_escapes_nothing(void **state)
{
	static const struct test_case cases[] = {
		{ "raw", "{{x}} {{&x}} {{{x}}}", "{\"x\":\"<\\\"&'>\"}", "<\"&'> <\"&'> <\"&'>",
		  NULL },
		{ "in partials, too", "{{>p}}", "{\"x\":\"<\"}", "<", "{\"p\":\"{{x}}\"}" },
	};

	(void)state;
	run_cases(TEMPLATE_TEXT, cases, MD_COUNT(cases));
}

static void sections(void **state)
{
	static const struct test_case cases[] = {
		{ "true", "[{{#x}}yes{{/x}}]", "{\"x\":true}", "[yes]", NULL },
		{ "zero is a value", "[{{#x}}yes{{/x}}]", "{\"x\":0}", "[yes]", NULL },
		{ "false", "[{{#x}}yes{{/x}}]", "{\"x\":false}", "[]", NULL },
		{ "null", "[{{#x}}yes{{/x}}]", "{\"x\":null}", "[]", NULL },
		{ "missing", "[{{#x}}yes{{/x}}]", "{}", "[]", NULL },
		{ "empty string", "[{{#x}}yes{{/x}}]", "{\"x\":\"\"}", "[]", NULL },
		{ "empty list", "[{{#x}}yes{{/x}}]", "{\"x\":[]}", "[]", NULL },
		{ "empty object is one", "[{{#x}}yes{{/x}}]", "{\"x\":{}}", "[yes]", NULL },
		{ "object is the context", "{{#p}}{{name}} of {{town}}{{/p}}",
		  "{\"town\":\"Ulm\",\"p\":{\"name\":\"Ann\"}}", "Ann of Ulm", NULL },
		{ "inner hides outer", "{{#p}}{{x}}{{/p}}{{x}}", "{\"x\":1,\"p\":{\"x\":2}}", "21",
		  NULL },
		{ "list of objects", "{{#l}}<{{n}}>{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}",
		  "<1><2>", NULL },
		{ "list of values", "{{#l}}{{.}},{{/l}}", "{\"l\":[\"a\",2,3.5,true]}",
		  "a,2,3.5,true,", NULL },
		{ "values are escaped, or not", "{{#l}}{{.}}{{{.}}}{{&.}}{{/l}}", "{\"l\":[\"<\"]}",
		  "&lt;<<", NULL },
		{ "list of lists", "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "{\"l\":[[1,2],[],[3]]}",
		  "(12)()(3)", NULL },
		{ "root list", "{{#.}}{{x}}{{/.}}", "[{\"x\":1},{\"x\":2}]", "12", NULL },
		{ "string is no list", "{{#s}}{{.}}!{{/s}}", "{\"s\":\"abc\"}", "abc!", NULL },
		{ "nested lists", "{{#a}}{{#b}}{{x}}{{y}} {{/b}}{{/a}}",
		  "{\"a\":[{\"x\":1,\"b\":[{\"y\":\"p\"},{\"y\":\"q\"}]},{\"x\":2,\"b\":[{\"y\":"
		  "\"r\"}]}]}",
		  "1p 1q 2r ", NULL },
		{ "same name nested", "{{#x}}a{{#x}}b{{/x}}c{{/x}}", "{\"x\":true}", "abc", NULL },
		{ "same name nested, false", "-{{#x}}a{{#x}}b{{/x}}c{{/x}}-", "{\"x\":false}", "--",
		  NULL },
		{ "dotted", "{{#a.b}}{{c}}{{/a.b}}", "{\"a\":{\"b\":{\"c\":1}}}", "1", NULL },
		{ "dotted, broken", "[{{#a.b.c}}x{{/a.b.c}}]", "{\"a\":{}}", "[]", NULL },
		{ "padding", "{{# x }}1{{/ x }}", "{\"x\":true}", "1", NULL },
		{ "inverted", "{{^x}}no{{/x}}{{#x}}yes{{/x}}", "{\"x\":false}", "no", NULL },
		{ "inverted, true", "{{^x}}no{{/x}}{{#x}}yes{{/x}}", "{\"x\":1}", "yes", NULL },
		{ "inverted, empty list", "{{^x}}none{{/x}}", "{\"x\":[]}", "none", NULL },
		{ "inverted, empty string", "{{^x}}none{{/x}}", "{\"x\":\"\"}", "none", NULL },
		{ "inverted, missing", "{{^x}}none{{/x}}", "{}", "none", NULL },
		{ "inverted, null", "{{^x}}none{{/x}}", "{\"x\":null}", "none", NULL },
		{ "inverted, list", "[{{^x}}none{{/x}}]", "{\"x\":[0]}", "[]", NULL },
		{ "inverted, object", "[{{^x}}none{{/x}}]", "{\"x\":{\"y\":1}}", "[]", NULL },
		{ "inverted, dotted", "{{^a.b}}no{{/a.b}}", "{\"a\":{\"b\":false}}", "no", NULL },
		{ "inverted keeps the context", "{{#p}}{{^x}}{{n}}{{/x}}{{/p}}",
		  "{\"p\":{\"n\":5}}", "5", NULL },
	};

	(void)state;
	run_cases(TEMPLATE_HTML, cases, MD_COUNT(cases));
}

static void comments_and_delimiters(void **state)
{
	static const struct test_case cases[] = {
		{ "comment", "a{{! nothing }}b", "{}", "ab", NULL },
		{ "comment over lines, standalone", "a\n  {{!\n b }}\nc\n", "{}", "a\nc\n", NULL },
		{ "comment over lines, inline", "a {{! x\n y }} b\n", "{}", "a  b\n", NULL },
		{ "comment with tags inside", "{{! {{x }}.", "{\"x\":1}", ".", NULL },
		{ "comment named like data", "[{{! x }}{{!x}}]", "{\"x\":1,\"! x\":2}", "[]",
		  NULL },
		{ "set", "{{=<% %>=}}<%x%> {{x}}", "{\"x\":1}", "1 {{x}}", NULL },
		{ "one character", "{{=| |=}}|x|", "{\"x\":1}", "1", NULL },
		{ "odd characters", "{{=[ ]=}}[x]", "{\"x\":1}", "1", NULL },
		{ "set back", "{{=| |=}}|x||={{ }}=|{{x}}", "{\"x\":1}", "11", NULL },
		{ "padding", "[{{=  @   @  =}}]@x@", "{\"x\":1}", "[]1", NULL },
		{ "standalone", "a\n  {{=@ @=}}  \nb\n", "{}", "a\nb\n", NULL },
		{ "inline", " | {{=@ @=}}\n", "{}", " | \n", NULL },
		{ "in sections", "{{=@ @=}}@#x@\n{{x}}@x@\n@/x@\n", "{\"x\":1}", "\n{{x}}1\n",
		  NULL },
		{ "set within a section, holds after it", "{{#x}}{{=| |=}}{{/x}}|/x||x|",
		  "{\"x\":2}", "{{/x}}2", NULL },
		{ "raw by ampersand", "{{=| |=}}|&x|", "{\"x\":\"<\"}", "<", NULL },
		{ "partials begin with the usual ones", "{{=| |=}}|>p|", "{\"x\":1}", "1|x|",
		  "{\"p\":\"{{x}}|x|\"}" },
		{ "and change nothing outside", "{{>p}}{{x}}", "{\"x\":1}", "11",
		  "{\"p\":\"{{=| |=}}|x|\"}" },
	};

	(void)state;
	run_cases(TEMPLATE_HTML, cases, MD_COUNT(cases));
}

static void standalone_lines(void **state)
{
	static const struct test_case cases[] = {
		{ "section", "a\n{{#x}}\nb\n{{/x}}\nc\n", "{\"x\":1}", "a\nb\nc\n", NULL },
		{ "inverted", "a\n{{^x}}\nb\n{{/x}}\nc\n", "{}", "a\nb\nc\n", NULL },
		{ "indented", "a\n \t{{#x}} \t\nb\n  {{/x}}\nc\n", "{\"x\":1}", "a\nb\nc\n", NULL },
		{ "CRLF", "a\r\n{{#x}}\r\nb\r\n{{/x}}\r\nc", "{\"x\":1}", "a\r\nb\r\nc", NULL },
		{ "first line", "  {{#x}}\na{{/x}}\n", "{\"x\":1}", "a\n", NULL },
		{ "last line without its end", "a\n  {{#x}}{{/x}}\n {{#x}}\nb\n  {{/x}}",
		  "{\"x\":1}", "a\n  \nb\n", NULL },
		{ "two tags on a line are not", "{{#x}} {{/x}}\n", "{\"x\":1}", " \n", NULL },
		{ "text before", "a {{#x}}\nb\n{{/x}}\n", "{\"x\":1}", "a \nb\n", NULL },
		{ "text behind", "{{#x}} a\nb\n{{/x}}\n", "{\"x\":1}", " a\nb\n", NULL },
		{ "inline keeps all space", " | {{#x}}\t|\t{{/x}} | \n", "{\"x\":1}",
		  " | \t|\t | \n", NULL },
		{ "list", "{{#l}}\n- {{.}}\n{{/l}}\n", "{\"l\":[1,2]}", "- 1\n- 2\n", NULL },
		{ "loop over a part of a line", " {{#x}}a{{/x}}\n {{#x}}b{{/x}}\n", "{\"x\":1}",
		  " a\n b\n", NULL },
		{ "comment", "a\n{{! x }}\nb\n", "{}", "a\nb\n", NULL },
		{ "comment alone", "  {{! x }}", "{}", "", NULL },
		{ "empty lines stay", "\n{{#x}}\n\n{{/x}}\n\n", "{\"x\":1}", "\n\n\n", NULL },
	};

	(void)state;
	run_cases(TEMPLATE_HTML, cases, MD_COUNT(cases));
}

static void partials(void **state)
{
	static const struct test_case cases[] = {
		{ "inline", "[{{>p}}]", "{}", "[text]", "{\"p\":\"text\"}" },
		{ "padding", "[{{> p }}]", "{}", "[text]", "{\"p\":\"text\"}" },
		{ "missing", "[{{>q}}]", "{}", "[]", "{\"p\":\"text\"}" },
		{ "none at all", "[{{>q}}]", "{}", "[]", NULL },
		{ "names with dots and dashes", "{{>layout.text-1}}", "{}", "ok",
		  "{\"layout.text-1\":\"ok\"}" },
		{ "context", "{{#a}}{{>p}}{{/a}}", "{\"x\":1,\"a\":{\"y\":2}}", "1 2",
		  "{\"p\":\"{{x}} {{y}}\"}" },
		{ "recursive", "{{>n}}",
		  "{\"v\":1,\"c\":[{\"v\":2,\"c\":[]},{\"v\":3,\"c\":[{\"v\":4,\"c\":[]}]}]}",
		  "1(2()3(4()))", "{\"n\":\"{{v}}({{#c}}{{>n}}{{/c}})\"}" },
		{ "standalone", "a\n{{>p}}\nb\n", "{}", "a\nx\nb\n", "{\"p\":\"x\\n\"}" },
		{ "standalone without line end in the partial", "a\n{{>p}}\nb\n", "{}", "a\nxb\n",
		  "{\"p\":\"x\"}" },
		{ "CRLF", "a\r\n{{>p}}\r\nb", "{}", "a\r\nxb", "{\"p\":\"x\"}" },
		{ "indented", "a\n  {{>p}}\nb\n", "{}", "a\n  x\n  y\nb\n",
		  "{\"p\":\"x\\ny\\n\"}" },
		{ "indented at both ends", "  {{>p}}", "{}", "  x\n  y", "{\"p\":\"x\\ny\"}" },
		{ "values are not indented", "  {{>p}}\n", "{\"v\":\"1\\n2\"}",
		  "  a\n  1\n2\n  b\n", "{\"p\":\"a\\n{{v}}\\nb\\n\"}" },
		{ "inline is not indented", "  {{v}} {{>p}}\n", "{\"v\":1}", "  1 x\ny\n",
		  "{\"p\":\"x\\ny\"}" },
		{ "tags at the line start", " {{>p}}\n", "{\"x\":1}", " 1a\n 1b\n",
		  "{\"p\":\"{{x}}a\\n{{#x}}{{x}}{{/x}}b\\n\"}" },
		{ "standalone lines in it go", "  {{>p}}\n", "{\"l\":[1,2]}", "  1\n  2\n",
		  "{\"p\":\"{{#l}}\\n{{.}}\\n{{/l}}\\n\"}" },
		{ "indentation adds up", " {{>p}}\n", "{}", " a\n   b\n   c\n d\n",
		  "{\"p\":\"a\\n  {{>q}}\\nd\\n\",\"q\":\"b\\nc\\n\"}" },
		{ "an inline one inside an indented one", " {{>p}}\n", "{}", " a b\nc\n",
		  "{\"p\":\"a {{>q}}\\n\",\"q\":\"b\\nc\"}" },
	};

	(void)state;
	run_cases(TEMPLATE_HTML, cases, MD_COUNT(cases));
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *expect;
	} cases[] = {
		{ "a\nb {{x", "t:2: a tag is not closed by \"}}\"" },
		{ "{{{x}}", "t:1: a tag is not closed by \"}}}\"" },
		{ "{{=| |}}", "t:1: a tag is not closed by \"=}}\"" },
		{ "{{#a}}\n{{#b}}\n{{/a}}", "t:3: \"a\" is closed where \"b\" of line 2 is open" },
		{ "\n\n{{#a}}\n", "t:3: section \"a\" is not closed" },
		{ "x{{/a}}", "t:1: \"a\" is closed but was not opened" },
		{ "{{#a}}{{/ab}}", "t:1: \"ab\" is closed where \"a\" of line 1 is open" },
		{ "{{}}", "t:1: a tag without a name" },
		{ "{{# }}", "t:1: a tag without a name" },
		{ "{{a b}}", "t:1: \"a b\" is no name" },
		{ "{{.a}}", "t:1: \".a\" is no name" },
		{ "{{a..b}}", "t:1: \"a..b\" is no name" },
		{ "{{a.}}", "t:1: \"a.\" is no name" },
		{ "{{=| =}}", "t:1: delimiters must be two short words without \"=\"" },
		{ "{{=| a |=}}", "t:1: delimiters must be two words, not three" },
		{ "{{=== ===}}", "t:1: delimiters must be two short words without \"=\"" },
		{ "{{! a\nb\n}}\n{{", "t:4: a tag is not closed by \"}}\"" },
		{ "Gr\xfc\xdf"
		  "e",
		  "t: not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(template_free_p) struct template *t = NULL;
		struct md_err err = { 0 };

		assert_int_equal(compile(cases[i].text, &t, &err), MD_INPUT);
		assert_string_equal(err.text, cases[i].expect);
	}
}

static void limits(void **state)
{
	md_auto(buf_done) struct buf small = BUF_INIT(10);
	md_auto(buf_done) struct buf nested = BUF_INIT(10000);
	struct md_err err = { 0 };

	(void)state;
	assert_int_equal(render(TEMPLATE_TEXT, "{{#l}}0123456789{{/l}}", "{\"l\":[1]}", NULL,
				&small, &err),
			 MD_OK);
	assert_int_equal(render(TEMPLATE_TEXT, "{{#l}}0123456789{{/l}}", "{\"l\":[1]}", NULL,
				&small, &err),
			 MD_INPUT);
	assert_string_equal(err.text, "t: output too large");
	for (int i = 0; i < 65; i++)
		buf_adds(&nested, "{{#x}}");
	for (int i = 0; i < 65; i++)
		buf_adds(&nested, "{{/x}}");
	assert_int_equal(render(TEMPLATE_TEXT, buf_str(&nested), "{}", NULL, &small, &err),
			 MD_INPUT);
	assert_string_equal(err.text, "t:1: sections nested deeper than 64");
}

static const struct template *same(void *ctx, const char *name)
{
	(void)name;
	return ctx;
}

/* A template that is its own partial: first a chain, then a tree that prints nothing. */
static void endless_recursion_ends(void **state)
{
	static const struct {
		const char *text, *expect;
	} cases[] = {
		{ "x{{>p}}", "t: nested deeper than 64" },
		{ "{{#l}}{{#l}}{{#l}}{{#l}}{{>p}}{{/l}}{{/l}}{{/l}}{{/l}}", "t: " },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(template_free_p) struct template *t = NULL;
		md_auto(json_decref_p) json_t *data = parse_json("{\"l\":[1,2,3,4]}");
		md_auto(buf_done) struct buf out = BUF_INIT(10000);
		struct template_partials p = { .find = same };
		struct md_err err = { 0 };

		assert_int_equal(compile(cases[i].text, &t, NULL), MD_OK);
		p.ctx = t;
		assert_int_equal(template_render(t, TEMPLATE_TEXT, data, &p, &out, &err), MD_INPUT);
		assert_memory_equal(err.text, cases[i].expect, strlen(cases[i].expect));
	}
}

/* Twenty loops over two values in each other: a million rounds without a byte of output. */
static void silent_work_is_limited(void **state)
{
	md_auto(buf_done) struct buf text = BUF_INIT(10000);
	md_auto(buf_done) struct buf out = BUF_INIT(10000);
	struct md_err err = { 0 };

	(void)state;
	for (int i = 0; i < 20; i++)
		buf_adds(&text, "{{#l}}");
	for (int i = 0; i < 20; i++)
		buf_adds(&text, "{{/l}}");
	assert_int_equal(render(TEMPLATE_TEXT, buf_str(&text), "{\"l\":[1,2]}", NULL, &out, &err),
			 MD_INPUT);
	assert_string_equal(err.text, "t: more than 1000000 steps");
	assert_int_equal(out.len, 0);
}

/* Cut and shuffled templates: an error or a template, never a crash. */
static void damaged_templates_do_no_harm(void **state)
{
	static const char seed[] = "a {{x}}\r\n {{#s}}\n{{{y}}}{{^t}}{{=| |=}}|>p||={{ }}=|\n"
				   "{{/t}}{{!c\n}}\n\t{{/s}}\n{{& z.z }}\n";
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		md_auto(template_free_p) struct template *t = NULL;
		md_auto(buf_done) struct buf out = BUF_INIT(1000);
		char text[sizeof seed];
		size_t len;

		memcpy(text, seed, sizeof seed);
		for (int i = 0; i < 3; i++) {
			random = random * 1664525 + 1013904223;
			text[(random >> 8) % (sizeof seed - 1)] =
				seed[(random >> 16) % (sizeof seed - 1)];
		}
		len = (random >> 5) % sizeof seed;
		text[len] = '\0';
		if (compile(text, &t, NULL) == MD_OK)
			template_render(t, TEMPLATE_HTML, NULL, NULL, &out, NULL);
	}
}

static void out_of_memory(void **state)
{
	(void)state;
	for (long nth = 1; nth < 10; nth++) {
		md_auto(template_free_p) struct template *t = NULL;
		int rc;

		md_alloc_fail(nth, 0);
		rc = template_compile("t", "{{#a}}b{{/a}}", 13, &t, NULL);
		md_alloc_fail(0, 0);
		assert_int_equal(rc, nth <= 4 ? MD_NOMEM : MD_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interpolation),
		cmocka_unit_test(text_mode_escapes_nothing),
		cmocka_unit_test(sections),
		cmocka_unit_test(comments_and_delimiters),
		cmocka_unit_test(standalone_lines),
		cmocka_unit_test(partials),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(limits),
		cmocka_unit_test(endless_recursion_ends),
		cmocka_unit_test(silent_work_is_limited),
		cmocka_unit_test(damaged_templates_do_no_harm),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

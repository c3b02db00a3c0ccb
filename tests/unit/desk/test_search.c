/* Words of texts, queries read, matches weighed and shown. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/searchquery.h>
#include <maildesk/desk/searchtext.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static const struct {
	const char *text, *words;
} texts[] = {
	{ "", "" },
	{ " \t\n.,;", "" },
	{ "Hello, World!", "hello world" },
	{ "ABC-123 x_y a.b@c.de", "abc 123 x y a b c de" },
	{ "don't", "don t" },
	{ "Müller-Straße ÀÉÎÕÜ çñ", "muller strasse aeiou cn" },
	{ "Łódź Øre Đorđe Þór æon œuvre ısı İstanbul",
	  "lodz ore dorde thor aeon oeuvre isi istanbul" },
	{ "e\xcc\x81t\xc3\xa9", "ete" }, /* decomposed and composed */
	{ "ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ" },
	{ "ЁЛКА Йод", "елка иод" },
	{ "שָׁלוֹם", "שלום" },
	{ "مُحَمَّد", "محمد" },
	{ "हिन्दी", "हिन्दी" },
	{ "ﬁne ＡＢＣ１２３ Ⅷ ½ x²", "fine abc123 viii 1 2 x2" },
	{ "東京都", "東京 京都 都" },
	{ "東 京", "東 京" },
	{ "PC東京123", "pc 東京 京 123" },
	{ "プリンター", "フリ リン ンタ ター ー" },
	{ "ﾌﾟﾘﾝﾀｰ", "フリ リン ンタ ター ー" },
	{ "한국어", "한국 국어 어" },
	{ "𠀀𠀁", "𠀀𠀁 𠀁" },
	{ "a\xf0\x9f\x98\x80"
	  "b",
	  "a b" },
	{ "bad\xff\xfe utf\xc3", "bad utf" },
	{ "soft\xc2\xadhyphen zero\xe2\x80\x8bwidth", "softhyphen zerowidth" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaBBBB c",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa c" },
};

static void texts_become_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(texts); i++) {
		struct searchtext_document d = SEARCHTEXT_DOCUMENT_INIT;

		searchtext_add(&d, texts[i].text, strlen(texts[i].text));
		assert_string_equal(buf_str(&d.text), texts[i].words);
		searchtext_document_done(&d);
	}
}

static void words_know_where_they_stand(void **state)
{
	static const char text[] = "Ein Ärger: e\xcc\x81t\xc3\xa9\xcc\x81! 東京";
	static const char *const pieces[] = { "Ein", "Ärger", "e\xcc\x81t\xc3\xa9\xcc\x81", "東京",
					      "京" };
	struct searchtext it;
	struct searchtext_word w;
	size_t n = 0;

	(void)state;
	searchtext_begin(&it, text, strlen(text));
	for (; searchtext_next(&it, &w); n++) {
		assert_true(n < MD_COUNT(pieces));
		assert_int_equal(w.to - w.from, strlen(pieces[n]));
		assert_memory_equal(text + w.from, pieces[n], w.to - w.from);
	}
	assert_int_equal(n, MD_COUNT(pieces));
}

/* Whatever the bytes are, a walk ends, stays inside and gives words that are words again. */
static void any_bytes_are_walked(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[40], again[SEARCHTEXT_WORD_MAX + 4];
		struct searchtext it, second;
		struct searchtext_word w, same;
		size_t last = 0;

		for (size_t i = 0; i < sizeof text; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char)(round % 2 ? 0xe0 + (seed >> 16) % 32 : (seed >> 16) % 256);
			if (round % 2 && i % 3)
				text[i] = (char)(0x80 + (seed >> 20) % 64);
		}
		searchtext_begin(&it, text, sizeof text);
		while (searchtext_next(&it, &w)) {
			assert_true(w.from >= last && w.to > w.from && w.to <= sizeof text);
			assert_true(w.n > 0 && w.n <= sizeof again);
			last = w.from;
			memcpy(again, w.s, w.n);
			searchtext_begin(&second, again, w.n);
			assert_true(searchtext_next(&second, &same));
			assert_int_equal(same.n, w.n);
			assert_memory_equal(same.s, again, w.n);
		}
	}
}

static void documents_are_bounded(void **state)
{
	struct searchtext_document d = SEARCHTEXT_DOCUMENT_INIT;
	size_t again = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		searchtext_add(&d, "again and", 9);
	searchtext_thin(&d, 240);
	for (const char *at = buf_str(&d.text); (at = strstr(at, "again")); at++)
		again++;
	assert_int_equal(again, 240);
	for (int i = 0; i < 40000; i++)
		searchtext_add(&d, "word", 4);
	assert_int_equal(d.text.status, MD_OK);
	assert_true(d.n <= SEARCHTEXT_WORDS_MAX + 1);
	searchtext_document_done(&d);
}

/* ---- queries: terms parted by |, words of a phrase by a blank, * for a beginning; filters ---- */

static const struct {
	const char *text, *read;
} queries[] = {
	{ "", "" },
	{ "   ", "" },
	{ "Printer JAM", "printer|jam" },
	{ "jam jam", "jam" },
	{ "\"paper jam\"", "paper jam" },
	{ "\"paper jam", "paper jam" },
	{ "a \"b c\"d", "a|b c|d" },
	{ "\"\"", "" },
	{ "wor*", "wor*" },
	{ "w*", "w" },
	{ "*", "" },
	{ "**", "" },
	{ "wo*rd", "wo rd" },
	{ "\"my wor*\"", "my wor*" },
	{ "\"my wor\"*", "my wor*" },
	{ "ABC-123", "abc 123" },
	{ "a@b.example", "a b example" },
	{ "東京都 駅", "東京 京都|駅*" },
	{ "東京a", "東京 京 a" },
	{ "status:open x", "x status=open" },
	{ "status:open,pending", "status=open status=pending" },
	{ "status:bogus", "status bogus" },
	{ "status:open,bogus", "status open bogus" },
	{ "status:", "status" },
	{ "STATUS:open", "status open" },
	{ "priority:high,critical", "priority=2 priority=3" },
	{ "priority:urgent", "priority urgent" },
	{ "assignee:me requester:a@b.c", "assignee=me requester=a@b.c" },
	{ "tag:\"needs info\" mailbox:support", "tag=needs info mailbox=support" },
	{ "tag:\"open", "tag=open" },
	{ "overdue:yes", "overdue=1" },
	{ "overdue:false", "overdue=2" },
	{ "overdue:maybe", "overdue maybe" },
	{ "created:2026-01-01", "created=1767225600000..1767312000000" },
	{ "created:2026-01-01..2026-02-01", "created=1767225600000..1769990400000" },
	{ "created:2026-01-01..", "created=1767225600000..0" },
	{ "updated:..2026-01-01", "updated=0..1767312000000" },
	{ "updated:>2026-01-01", "updated=1767312000000..0" },
	{ "updated:>=2026-01-01", "updated=1767225600000..0" },
	{ "updated:<2026-01-01", "updated=0..1767225600000" },
	{ "updated:<=2026-01-01", "updated=0..1767312000000" },
	{ "created:2026-02-30", "created 2026 02 30" },
	{ "created:..", "created" },
	{ "created:yesterday", "created yesterday" },
	{ "unknown:value", "unknown value" },
	{ "(a OR b) AND -c {d} : e^2", "a|or|b|and|c|d|e 2" },
	{ "a b c d e f g h i j k l m n o p q r", "a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p" },
};

static void put_range(struct buf *out, const char *name, int64_t from, int64_t before)
{
	if (from || before)
		buf_addf(out, " %s=%lld..%lld", name, (long long)from, (long long)before);
}

static void put_text(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_addf(out, " %s=%s", name, value);
}

static void put_query(struct buf *out, const struct search_query *q)
{
	for (size_t k = 0; k < q->n; k++)
		for (size_t i = 0; i < q->terms[k].n; i++)
			buf_addf(out, "%s%s%s",
				 i   ? " "
				 : k ? "|"
				     : "",
				 q->terms[k].words[i].s,
				 q->terms[k].prefix && i + 1 == q->terms[k].n ? "*" : "");
	for (size_t i = 0; i < q->n_status; i++)
		put_text(out, "status", q->status[i]);
	for (size_t i = 0; i < q->n_priority; i++)
		buf_addf(out, " priority=%d", (int)q->priority[i]);
	put_text(out, "assignee", q->assignee);
	put_text(out, "requester", q->requester);
	put_text(out, "tag", q->tag);
	put_text(out, "mailbox", q->mailbox);
	put_range(out, "created", q->created_from, q->created_before);
	put_range(out, "updated", q->updated_from, q->updated_before);
	if (q->overdue)
		buf_addf(out, " overdue=%d", (int)q->overdue);
}

static void queries_are_read_as_in_the_table(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(queries); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		md_auto(buf_done) struct buf out = BUF_INIT(4096);
		struct search_query q;
		const char *got;

		assert_int_equal(search_parse(queries[i].text, workflow_find("helpdesk"), &a, &q,
					      NULL),
				 MD_OK);
		put_query(&out, &q);
		got = buf_str(&out) + (buf_str(&out)[0] == ' ');
		if (strcmp(got, queries[i].read) != 0 && ++wrong)
			print_error("%s: \"%s\", not \"%s\"\n", queries[i].text, got,
				    queries[i].read);
	}
	assert_int_equal(wrong, 0);
}

/* ---- worth ---- */

static double score(const char *query, const char *title, const char *body)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct search_query q;

	assert_int_equal(search_parse(query, workflow_find("helpdesk"), &a, &q, NULL), MD_OK);
	return search_score(&q, title, 3, body);
}

static void better_matches_are_worth_more(void **state)
{
	static const char longer[] = "jam b c d e f g h i j k l m n o p q r s t u v w x y z";

	(void)state;
	assert_true(score("jam", "", "no such word") == 0);
	assert_true(score("jam", "paper jam", "x") > score("jam", "x", "paper jam"));
	assert_true(score("jam", "", "jam jam x") > score("jam", "", "jam x x"));
	assert_true(score("jam", "", "jam") > score("jam", "", longer));
	assert_true(score("\"a a b\"", "", "a a a b") > 0);
	assert_true(score("\"a b\"", "", "a x b") == 0);
	assert_true(score("ja*", "", "jam") > 0);
	assert_true(score("\"x ja*\"", "", "x jam") > 0);
	assert_true(score("jam", "", "jams") == 0);
}

/* ---- snippets ---- */

static const struct {
	const char *query, *text, *html;
} snippets[] = {
	{ "jam", "A paper jam.", "A paper <mark>jam</mark>." },
	{ "größe", "Die GRÖSSE & <b>Größe</b>",
	  "Die <mark>GRÖSSE</mark> &amp; &lt;b&gt;<mark>Größe</mark>&lt;/b&gt;" },
	{ "\"b c\"", "a b c b", "a <mark>b c</mark> b" },
	{ "wor*", "two words\n\nmore\tworld", "two <mark>words</mark> more <mark>world</mark>" },
	{ "none", "nothing of\r\nit \"here\"", "nothing of it &quot;here&quot;" },
	{ "京都", "東京都の", "東<mark>京都</mark>の" },
	{ "jam", "", "" },
	{ "jam", "jam", "<mark>jam</mark>" },
	{ "x", "<script>x</script>", "&lt;script&gt;<mark>x</mark>&lt;/script&gt;" },
};

static void snippets_are_as_in_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(snippets); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		md_auto(buf_done) struct buf out = BUF_INIT(8192);
		struct search_query q;

		assert_int_equal(search_parse(snippets[i].query, workflow_find("helpdesk"), &a, &q,
					      NULL),
				 MD_OK);
		search_snippet(&out, &q, snippets[i].text, strlen(snippets[i].text));
		assert_string_equal(buf_str(&out), snippets[i].html);
	}
}

static void a_snippet_of_a_long_text_is_about_the_match(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 20), out = BUF_INIT(8192);
	struct search_query q;

	(void)state;
	for (int i = 0; i < 500; i++)
		buf_adds(&text, "filling ");
	buf_adds(&text, "paper alone. ");
	for (int i = 0; i < 500; i++)
		buf_adds(&text, "filling ");
	buf_adds(&text, "here the paper has a jam. ");
	for (int i = 0; i < 500; i++)
		buf_adds(&text, "filling ");
	assert_int_equal(search_parse("jam paper", workflow_find("helpdesk"), &a, &q, NULL), MD_OK);
	search_snippet(&out, &q, text.data, text.len);
	assert_non_null(strstr(buf_str(&out), "the <mark>paper</mark> has a <mark>jam</mark>."));
	assert_true(out.len < 400);
	assert_int_equal(strncmp(buf_str(&out), "…", 3), 0);
	assert_string_equal(buf_str(&out) + out.len - 3, "…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_words),
		cmocka_unit_test(words_know_where_they_stand),
		cmocka_unit_test(any_bytes_are_walked),
		cmocka_unit_test(documents_are_bounded),
		cmocka_unit_test(queries_are_read_as_in_the_table),
		cmocka_unit_test(better_matches_are_worth_more),
		cmocka_unit_test(snippets_are_as_in_the_table),
		cmocka_unit_test(a_snippet_of_a_long_text_is_about_the_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

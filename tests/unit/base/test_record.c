/* record: what goes in comes out, and nothing that a hostile sender packs gets through. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/record.h>

#include <string.h>

struct leaf {
	const char *name;
	int64_t number;
};
static const struct rec_field leaf_fields[] = {
	REC(struct leaf, name, REC_STR, 10),
	REC(struct leaf, number, REC_INT, 100),
	REC_END,
};
static const struct rec leaf_rec = { "leaf", sizeof(struct leaf), leaf_fields };

struct tree {
	const char *text;
	struct rec_strs words;
	bool flag;
	struct rec_bytes bytes;
	struct leaf one;
	struct rec_list leaves;
	int64_t any;
};
static const struct rec_field tree_fields[] = {
	REC(struct tree, text, REC_STR, 100),
	REC(struct tree, words, REC_STRS, 10),
	REC(struct tree, flag, REC_BOOL, 1),
	REC_HIDDEN(struct tree, bytes, REC_BYTES, 4),
	REC_OF(struct tree, one, REC_SUB, 0, leaf_rec),
	REC_OF(struct tree, leaves, REC_LIST, 3, leaf_rec),
	REC(struct tree, any, REC_INT, 0),
	REC_END,
};
static const struct rec tree_rec = { "tree", sizeof(struct tree), tree_fields };

static struct tree sample(void)
{
	static const char *words[] = { "a", "" };
	static struct leaf leaves[] = { { "x", 1 }, { NULL, 100 } };

	return (struct tree){
		.text = "h\xc3\xa9llo",
		.words = { 2, words },
		.flag = true,
		.bytes = { 3, (const uint8_t *)"\0\xff\x01" },
		.one = { "one", 7 },
		.leaves = { 2, leaves },
		.any = -5,
	};
}

static void a_record_survives_the_wire(void **state)
{
	md_auto(buf_done) struct buf wire = BUF_INIT(10000);
	md_auto(arena_done) struct arena arena = ARENA_INIT(100000);
	struct tree in = sample(), out;
	const struct leaf *leaves;

	(void)state;
	rec_pack(&wire, &tree_rec, &in);
	assert_int_equal(rec_unpack(&tree_rec, wire.data, wire.len, &arena, &out, NULL), MD_OK);
	assert_string_equal(out.text, in.text);
	assert_int_equal(out.words.n, 2);
	assert_string_equal(out.words.v[0], "a");
	assert_string_equal(out.words.v[1], "");
	assert_true(out.flag);
	assert_int_equal(out.bytes.n, 3);
	assert_memory_equal(out.bytes.v, "\0\xff\x01", 3);
	assert_string_equal(out.one.name, "one");
	leaves = out.leaves.v;
	assert_null(leaves[1].name);
	assert_int_equal(leaves[1].number, 100);
	assert_true(out.any == -5);
}

static void a_record_is_shown_as_json(void **state)
{
	md_auto(buf_done) struct buf json = BUF_INIT(10000);
	struct tree in = sample();

	(void)state;
	rec_json(&json, &tree_rec, &in);
	assert_string_equal(
		buf_str(&json),
		"{\"text\": \"h\xc3\xa9llo\", \"words\": [\"a\", \"\"], \"flag\": true, "
		"\"one\": {\"name\": \"one\", \"number\": 7}, "
		"\"leaves\": [{\"name\": \"x\", \"number\": 1}, "
		"{\"name\": null, \"number\": 100}], \"any\": -5}");
}

static void every_cut_and_every_trailing_byte_is_refused(void **state)
{
	md_auto(buf_done) struct buf wire = BUF_INIT(10000);
	struct tree in = sample(), out = { .any = 42 };

	(void)state;
	rec_pack(&wire, &tree_rec, &in);
	for (size_t n = 0; n < wire.len; n++) {
		md_auto(arena_done) struct arena arena = ARENA_INIT(100000);

		assert_int_equal(rec_unpack(&tree_rec, wire.data, n, &arena, &out, NULL), MD_INPUT);
	}
	buf_addc(&wire, 0);
	{
		md_auto(arena_done) struct arena arena = ARENA_INIT(100000);

		assert_int_equal(rec_unpack(&tree_rec, wire.data, wire.len, &arena, &out, NULL),
				 MD_INPUT);
	}
	assert_true(out.any == 42); /* written only on success */
}

static void limits_are_checked_on_arrival(void **state)
{
	static const char *const long_word[] = { "12345678901" };
	static struct leaf four[4], too_high[] = { { "x", 101 } }, negative[] = { { "x", -1 } };
	struct tree cases[6];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		cases[i] = sample();
	cases[0].words = (struct rec_strs){ 1, (const char **)(uintptr_t)long_word };
	cases[1].leaves = (struct rec_list){ 4, four };
	cases[2].leaves = (struct rec_list){ 1, too_high };
	cases[3].leaves = (struct rec_list){ 1, negative };
	cases[4].bytes = (struct rec_bytes){ 5, (const uint8_t *)"12345" };
	cases[5].text = "bad \xff utf-8";
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf wire = BUF_INIT(10000);
		md_auto(arena_done) struct arena arena = ARENA_INIT(100000);
		struct tree out;

		rec_pack(&wire, &tree_rec, &cases[i]);
		assert_int_equal(rec_unpack(&tree_rec, wire.data, wire.len, &arena, &out, NULL),
				 MD_INPUT);
	}
}

/* Whatever one byte is turned into: no crash, and either refused or within the limits. */
static void no_changed_byte_breaks_the_contract(void **state)
{
	md_auto(buf_done) struct buf wire = BUF_INIT(10000);
	struct tree in = sample();

	(void)state;
	rec_pack(&wire, &tree_rec, &in);
	for (size_t i = 0; i < wire.len; i++) {
		char kept = wire.data[i];

		for (int v = 0; v < 256; v += 5) {
			md_auto(arena_done) struct arena arena = ARENA_INIT(100000);
			struct tree out;

			wire.data[i] = (char)v;
			if (rec_unpack(&tree_rec, wire.data, wire.len, &arena, &out, NULL) ==
			    MD_OK) {
				assert_in_range(out.leaves.n, 0, 3);
				assert_in_range(out.bytes.n, 0, 4);
			}
		}
		wire.data[i] = kept;
	}
}

static void a_full_arena_is_no_crash(void **state)
{
	md_auto(buf_done) struct buf wire = BUF_INIT(10000);
	struct tree in = sample(), out;

	(void)state;
	rec_pack(&wire, &tree_rec, &in);
	for (size_t limit = 0; limit < 300; limit += 16) {
		md_auto(arena_done) struct arena arena = ARENA_INIT(limit);
		int rc = rec_unpack(&tree_rec, wire.data, wire.len, &arena, &out, NULL);

		assert_true(rc == MD_NOMEM || rc == MD_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_survives_the_wire),
		cmocka_unit_test(a_record_is_shown_as_json),
		cmocka_unit_test(every_cut_and_every_trailing_byte_is_refused),
		cmocka_unit_test(limits_are_checked_on_arrival),
		cmocka_unit_test(no_changed_byte_breaks_the_contract),
		cmocka_unit_test(a_full_arena_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

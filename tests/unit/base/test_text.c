/* utf8, codec, json, clock: text in and out, as tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/err.h>
#include <maildesk/base/json.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/random.h>
#include <maildesk/base/utf8.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void utf8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *text;
		int valid;
	} cases[] = {
		{ "", 1 },
		{ "plain", 1 },
		{ "gr\xc3\xbc\xc3\x9f", 1 },
		{ "\xe2\x82\xac", 1 },
		{ "\xf0\x9f\x98\x80", 1 },
		{ "\xf4\x8f\xbf\xbf", 1 },
		{ "\xc0\xaf", 0 }, /* overlong */
		{ "\xe0\x80\xaf", 0 },
		{ "\xed\xa0\x80", 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", 0 },
		{ "\x80", 0 },
		{ "\xc3", 0 }, /* cut */
		{ "\xe2\x82", 0 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		assert_int_equal(utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
	assert_true(utf8_valid(NULL, 0)); /* an empty buffer's */
}

/* However it lies to the words that validation looks at together. */
static void one_bad_byte_is_found_anywhere(void **state)
{
	char text[26];

	(void)state;
	for (size_t from = 0; from < 8; from++)
		for (size_t at = from; at < sizeof text; at++) {
			memset(text, 'a', sizeof text);
			text[at] = '\x80';
			assert_false(utf8_valid(text + from, sizeof text - from));
			assert_true(utf8_valid(text + from, at - from));
			if (at == from)
				continue;
			text[at - 1] = '\xc3';
			assert_true(utf8_valid(text + from, sizeof text - from));
			assert_false(utf8_valid(text + from, at - from)); /* cut within */
		}
}

static void every_character_survives_encoding(void **state)
{
	(void)state;
	for (uint32_t cp = 1; cp <= 0x10ffff; cp += cp < 0x3000 ? 1 : 257) {
		char text[4];
		uint32_t back = 0;
		size_t n;

		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		n = utf8_encode(cp, text);
		assert_int_equal(utf8_decode(text, n, &back), n);
		assert_int_equal(back, cp);
	}
}

static void lines_and_texts_come_out_clean(void **state)
{
	static const struct {
		void (*clean)(struct buf *, const char *, size_t);
		const char *in, *out;
	} cases[] = {
		{ utf8_clean_line, "a\r\nb", "a b" },
		{ utf8_clean_line, "  a \t b  ", "a b" },
		{ utf8_clean_line,
		  "a\xe2\x80\xae"
		  "b",
		  "ab" }, /* bidi override */
		{ utf8_clean_line, "x\xffy", "x\xef\xbf\xbdy" },
		{ utf8_clean_line, "\x1b[31mred", "[31mred" },
		{ utf8_clean_text, "a\r\nb\rc\n", "a\nb\nc\n" },
		{ utf8_clean_text, "t\tx\x07y", "t\txy" },
		{ utf8_clean_text, "\xc3(", "\xef\xbf\xbd(" },
		{ utf8_fold, "\xc3\x84rger MIT \xd0\x96", "\xc3\xa4rger mit \xd0\xb6" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf b = BUF_INIT(1000);

		cases[i].clean(&b, cases[i].in, strlen(cases[i].in));
		assert_string_equal(buf_str(&b), cases[i].out);
	}
}

static void cutting_never_splits_a_character(void **state)
{
	const char *s = "a\xe2\x82\xac"
			"b";

	(void)state;
	assert_int_equal(utf8_cut(s, 5, 10), 5);
	assert_int_equal(utf8_cut(s, 5, 4), 4);
	assert_int_equal(utf8_cut(s, 5, 3), 1);
	assert_int_equal(utf8_cut(s, 5, 0), 0);
	assert_int_equal(utf8_length(s, 5), 3);
}

static void encodings_match_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *base64, *base32, *hex;
	} cases[] = {
		{ "", "", "", "" },
		{ "f", "Zg==", "my", "66" },
		{ "fo", "Zm8=", "mzxq", "666f" },
		{ "foo", "Zm9v", "mzxw6", "666f6f" },
		{ "foobar", "Zm9vYmFy", "mzxw6ytboi", "666f6f626172" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf b64 = BUF_INIT(100);
		md_auto(buf_done) struct buf b32 = BUF_INIT(100);
		md_auto(buf_done) struct buf hex = BUF_INIT(100);
		char back[16];
		size_t n = strlen(cases[i].plain), len = 0;

		base64_encode(&b64, cases[i].plain, n);
		base32_encode(&b32, cases[i].plain, n);
		hex_encode(&hex, cases[i].plain, n);
		assert_string_equal(buf_str(&b64), cases[i].base64);
		assert_string_equal(buf_str(&b32), cases[i].base32);
		assert_string_equal(buf_str(&hex), cases[i].hex);
		assert_int_equal(base32_decode(cases[i].base32, b32.len, back, sizeof back, &len),
				 MD_OK);
		assert_int_equal(len, n);
		assert_memory_equal(back, cases[i].plain, n);
	}
}

static void one_value_has_one_text(void **state)
{
	static const char *const bad32[] = { "m1", "mz=", "mzxr", "m", "mzx" };
	static const char *const bad64[] = { "Zh", "Zg=", "Z", "Zm8+", "Zm8 " };
	char out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(bad32); i++)
		assert_int_equal(base32_decode(bad32[i], strlen(bad32[i]), out, sizeof out, &n),
				 MD_INPUT);
	for (size_t i = 0; i < MD_COUNT(bad64); i++)
		assert_int_equal(base64url_decode(bad64[i], strlen(bad64[i]), out, sizeof out, &n),
				 MD_INPUT);
	assert_int_equal(base32_decode("MZXW6", 5, out, 2, &n), MD_INPUT); /* no room */
	assert_int_equal(base32_decode("MZXW6", 5, out, 3, &n), MD_OK);
}

static void sha256_matches_fips_180(void **state)
{
	char hex[SHA256_HEX];
	uint8_t whole[SHA256_BYTES], pieces[SHA256_BYTES];
	struct sha256 *h = sha256_new();

	(void)state;
	sha256_hex("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256("abc", 3, whole);
	assert_non_null(h);
	sha256_add(h, "a", 1);
	sha256_add(h, "bc", 2);
	sha256_end(h, pieces);
	assert_memory_equal(whole, pieces, sizeof whole);
}

static void json_is_read_strictly(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{ "{\"a\": 1}", MD_OK },
		{ "[[1]]", MD_OK },
		{ "[[[1]]]", MD_INPUT }, /* deeper than 2 */
		{ "{\"a\": 1, \"a\": 2}", MD_INPUT },
		{ "{\"a\": \"\\u0000\"}", MD_INPUT },
		{ "{\"a\": \"\\ud800\"}", MD_INPUT },
		{ "\"\xff\"", MD_INPUT },
		{ "{} x", MD_INPUT },
		{ "", MD_INPUT },
		{ "\"[[[[\"", MD_OK }, /* brackets in a string are no depth */
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(json_decref_p) json_t *j = NULL;

		assert_int_equal(json_read(cases[i].text, strlen(cases[i].text), 2, &j, NULL),
				 cases[i].rc);
	}
}

static void json_strings_are_escaped(void **state)
{
	md_auto(buf_done) struct buf b = BUF_INIT(100);

	(void)state;
	json_write_string(&b, "a\"b\\c\n\t\x01\x7f", 9);
	json_write_string(&b, NULL, 0);
	assert_string_equal(buf_str(&b), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"null");
}

/* Words of eight bytes are passed over at once: each byte, at each place in one and beside one. */
static void every_byte_counts_wherever_it_stands(void **state)
{
	(void)state;
	for (int c = 0; c < 0x80; c++)
		for (size_t at = 0; at < 20; at++) {
			md_auto(buf_done) struct buf clean = BUF_INIT(100), json = BUF_INIT(100),
						     one = BUF_INIT(100);
			bool kept = (c >= ' ' && c < 0x7f) || c == '\n' || c == '\t';
			char text[20], wanted[32];

			memset(text, 'x', sizeof text);
			text[at] = (char)c;
			utf8_clean_text(&clean, text, sizeof text);
			assert_int_equal(clean.len, kept || c == '\r' ? 20 : 19);
			assert_int_equal(strchr(buf_str(&clean), c == '\r' ? '\n'
								 : c       ? c
									   : 1) != NULL,
					 kept || c == '\r');
			json_write_string(&json, text, sizeof text);
			json_write_string(&one, text + at, 1);
			snprintf(wanted, sizeof wanted, "\"%.*s%.*s%.*s\"", (int)at, text,
				 (int)one.len - 2, buf_str(&one) + 1, 19 - (int)at, text + at + 1);
			assert_string_equal(buf_str(&json), wanted);
		}
}

static void instants_are_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *again; /* as we print it */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
		{ "2026-11-20T16:02:03.456Z", 1795190523456, "2026-11-20T16:02:03.456Z" },
		{ "2026-11-20T17:02:03+01:00", 1795190523000, "2026-11-20T16:02:03Z" },
		{ "2024-02-29T23:59:59-00:30", 1709252999000, "2024-03-01T00:29:59Z" },
		{ "1969-12-31T23:59:59.5Z", -500, "1969-12-31T23:59:59.500Z" },
		{ "0000-03-01T00:00:00Z", -62162035200000 + 0, "0000-03-01T00:00:00Z" },
		{ "9999-12-31T23:59:59Z", 253402300799000, "9999-12-31T23:59:59Z" },
	};
	static const char *const bad[] = {
		"",
		"2026-11-20",
		"2026-13-01T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"2026-11-20T24:00:00Z",
		"2026-11-20T00:00:00",
		"2026-11-20T00:00:00.Z",
		"2026-11-20T00:00:00Zx",
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		char out[TIME_TEXT_MAX];
		int64_t ms = 1;

		assert_int_equal(time_parse(cases[i].text, &ms), MD_OK);
		assert_true(ms == cases[i].ms);
		assert_string_equal(time_format(ms, 0, out), cases[i].again);
	}
	for (size_t i = 0; i < MD_COUNT(bad); i++) {
		int64_t ms;

		assert_int_equal(time_parse(bad[i], &ms), MD_INPUT);
	}
}

static void durations_have_one_unit(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t ms;
	} cases[] = {
		{ "0", MD_OK, 0 },
		{ "100ms", MD_OK, 100 },
		{ "30s", MD_OK, 30000 },
		{ "15m", MD_OK, 900000 },
		{ "4h", MD_OK, 14400000 },
		{ "14d", MD_OK, 1209600000 },
		{ "3y", MD_OK, 94608000000 },
		{ "5", MD_INPUT, 0 },
		{ "-1s", MD_INPUT, 0 },
		{ "1h30m", MD_INPUT, 0 },
		{ "", MD_INPUT, 0 },
		{ "1 s", MD_INPUT, 0 },
		{ "99999999999999999999s", MD_INPUT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int64_t ms = 0;

		assert_int_equal(duration_parse(cases[i].text, &ms), cases[i].rc);
		if (cases[i].rc == MD_OK)
			assert_true(ms == cases[i].ms);
	}
}

static void days_and_dates_agree_for_800_years(void **state)
{
	(void)state;
	for (int64_t day = -146097; day < 146097; day += 13) {
		int64_t year;
		int month, date;

		civil_from_days(day, &year, &month, &date);
		assert_in_range(month, 1, 12);
		assert_in_range(date, 1, 31);
		assert_true(days_from_civil(year, month, date) == day);
	}
}

static void seeded_randomness_repeats_and_the_systems_does_not(void **state)
{
	struct random a = random_seeded(7), b = random_seeded(7);
	unsigned char x[32], y[32];

	(void)state;
	random_fill(&a, x, sizeof x);
	random_fill(&b, y, sizeof y);
	assert_memory_equal(x, y, sizeof x);
	random_fill(&random_system, x, sizeof x);
	random_fill(&random_system, y, sizeof y);
	assert_memory_not_equal(x, y, sizeof x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
		cmocka_unit_test(one_bad_byte_is_found_anywhere),
		cmocka_unit_test(every_character_survives_encoding),
		cmocka_unit_test(lines_and_texts_come_out_clean),
		cmocka_unit_test(cutting_never_splits_a_character),
		cmocka_unit_test(encodings_match_rfc_4648),
		cmocka_unit_test(one_value_has_one_text),
		cmocka_unit_test(sha256_matches_fips_180),
		cmocka_unit_test(json_is_read_strictly),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(every_byte_counts_wherever_it_stands),
		cmocka_unit_test(instants_are_rfc_3339),
		cmocka_unit_test(durations_have_one_unit),
		cmocka_unit_test(days_and_dates_agree_for_800_years),
		cmocka_unit_test(seeded_randomness_repeats_and_the_systems_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/token.h>
#include <ctype.h>
#include <string.h>

enum { TODAY = 20777 }; /* 2026-11-20 */

static const struct token_keys keys = { .current = { 5, "current key of thirty-two octets" },
					.previous = { 4, "the previous one of thirty-two o" } };
static const char *own_list[] = { "help@example.com", "Support@example.com" };
static const struct rec_strs own = { 2, own_list };
static const struct token sample = {
	.day = TODAY, .ticket = 412, .comment = 90001, .user = 77, .serial = 123456
};

typedef int make_fn(const struct token_keys *k, const struct token *t, struct buf *out);
typedef enum token_result read_fn(const struct token_keys *k, const char *text, int64_t today,
				  struct token *ret);

static int make_id(const struct token_keys *k, const struct token *t, struct buf *out)
{
	return token_make_message_id(k, t, "desk.example.com", out, NULL);
}

static int make_address(const struct token_keys *k, const struct token *t, struct buf *out)
{
	return token_make_address(k, TOKEN_PROOF, t, "support@example.com", out, NULL);
}

static int make_marker(const struct token_keys *k, const struct token *t, struct buf *out)
{
	return token_make_marker(k, t, out, NULL);
}

static enum token_result read_id(const struct token_keys *k, const char *s, int64_t today,
				 struct token *ret)
{
	return token_read_message_id(k, s, today, ret);
}

static enum token_result read_address(const struct token_keys *k, const char *s, int64_t today,
				      struct token *ret)
{
	return token_read_address(k, s, &own, today, ret);
}

static enum token_result read_marker(const struct token_keys *k, const char *s, int64_t today,
				     struct token *ret)
{
	return token_read_marker(k, s, today, ret);
}

static const struct form {
	make_fn *make;
	read_fn *read;
	enum token_purpose purpose;
	int days;
	const char *before, *after; /* what stands around PAYLOAD.TAG */
} forms[] = {
	{ make_id, read_id, TOKEN_ROUTE, TOKEN_ROUTE_DAYS, "md.5.", "@desk.example.com" },
	{ make_address, read_address, TOKEN_PROOF, TOKEN_PROOF_DAYS, "support+", "@example.com" },
	{ make_marker, read_marker, TOKEN_ROUTE, TOKEN_ROUTE_DAYS, "[md:", "]" },
};

static void assert_sample(const struct token *t, const struct form *f)
{
	assert_int_equal(t->purpose, f->purpose);
	assert_int_equal(t->key, 5);
	assert_int_equal(t->day, TODAY);
	assert_int_equal(t->ticket, 412);
	assert_int_equal(t->comment, 90001);
	assert_int_equal(t->user, 77);
	assert_int_equal(t->serial, 123456);
}

static void test_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(forms); i++) {
		const struct form *f = &forms[i];
		md_auto(buf_done) struct buf text = BUF_INIT(500);
		struct token t;

		assert_int_equal(f->make(&keys, &sample, &text), MD_OK);
		assert_int_equal(strncmp(text.data, f->before, strlen(f->before)), 0);
		assert_string_equal(text.data + text.len - strlen(f->after), f->after);
		for (size_t c = 0; c < text.len; c++)
			assert_true(!isupper((unsigned char)text.data[c]));
		assert_int_equal(f->read(&keys, text.data, TODAY, &t), TOKEN_VALID);
		assert_sample(&t, f);

		/* servers change the case */
		for (size_t c = 0; c < text.len; c++)
			text.data[c] = (char)toupper((unsigned char)text.data[c]);
		memset(&t, 0, sizeof t);
		assert_int_equal(f->read(&keys, text.data, TODAY, &t), TOKEN_VALID);
		assert_sample(&t, f);
	}
}

/* Every digit of payload and tag replaced by every other digit: never valid, never another ticket.
 */
static void test_every_changed_digit(void **state)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

	(void)state;
	for (size_t i = 0; i < MD_COUNT(forms); i++) {
		const struct form *f = &forms[i];
		md_auto(buf_done) struct buf text = BUF_INIT(500);
		size_t from = strlen(f->before), to, tried = 0;
		struct token t;

		f->make(&keys, &sample, &text);
		to = text.len - strlen(f->after);
		for (size_t c = from; c < to; c++) {
			char original = text.data[c];

			for (const char *d = digits; *d && original != '.'; d++) {
				enum token_result rc;

				if (*d == original)
					continue;
				text.data[c] = *d;
				rc = f->read(&keys, text.data, TODAY, &t);
				assert_int_equal(rc, TOKEN_BAD);
				tried++;
			}
			text.data[c] = original;
		}
		assert_true(tried > 31 * 40);
		/* a digit less, a digit more */
		memmove(text.data + to - 1, text.data + to, text.len - to + 1);
		assert_int_equal(f->read(&keys, text.data, TODAY, &t), TOKEN_BAD);
		assert_int_equal(f->make(&keys, &sample, &text), MD_OK);
	}
}

static void test_expiry_and_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(forms); i++) {
		const struct form *f = &forms[i];
		md_auto(buf_done) struct buf text = BUF_INIT(500);
		struct token_keys rotated = { .current = { 6, "another key, thirty-two octets  " },
					      .previous = keys.current };
		struct token_keys early = { .current = rotated.current, .next = keys.current };
		struct token_keys retired = { .current = rotated.current };
		struct token_keys replaced = { .current = { 5,
							    "same number, other thirty-two oc" } };
		struct token t;

		f->make(&keys, &sample, &text);
		assert_int_equal(f->read(&keys, text.data, TODAY + f->days, &t), TOKEN_VALID);
		assert_int_equal(f->read(&keys, text.data, TODAY + f->days + 1, &t), TOKEN_EXPIRED);
		assert_int_equal(f->read(&rotated, text.data, TODAY, &t), TOKEN_VALID);
		assert_int_equal(f->read(&early, text.data, TODAY, &t), TOKEN_VALID);
		token_key_prepare(&early.next);
		assert_int_equal(f->read(&early, text.data, TODAY, &t), TOKEN_VALID);
		assert_int_equal(f->read(&replaced, text.data, TODAY, &t), TOKEN_BAD);
		assert_int_equal(f->read(&replaced, text.data, TODAY + 1000, &t), TOKEN_BAD);
		assert_int_equal(f->read(&retired, text.data, TODAY, &t), TOKEN_BAD);
		assert_int_equal(f->read(&retired, text.data, TODAY + f->days + 1, &t),
				 TOKEN_EXPIRED);
	}
}

/* PAYLOAD.TAG moved from one form into another */
static void test_purposes_do_not_mix(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(forms); i++)
		for (size_t k = 0; k < MD_COUNT(forms); k++) {
			md_auto(buf_done) struct buf text = BUF_INIT(500), moved = BUF_INIT(500);
			size_t before = strlen(forms[i].before);
			struct token t;

			forms[i].make(&keys, &sample, &text);
			buf_adds(&moved, forms[k].before);
			buf_add(&moved, text.data + before,
				text.len - before - strlen(forms[i].after));
			buf_adds(&moved, forms[k].after);
			assert_int_equal(forms[k].read(&keys, moved.data, TODAY, &t),
					 forms[i].purpose == forms[k].purpose ? TOKEN_VALID
									      : TOKEN_BAD);
		}
}

static void test_long_names(void **state)
{
	static const struct token large = { .day = 65535,
					    .ticket = (1ll << 28) - 1,
					    .comment = (1ll << 35) - 1,
					    .user = (1ll << 28) - 1,
					    .serial = 1 };
	int cut = 0;

	(void)state;
	for (int n = 1; n <= 64; n++) {
		md_auto(buf_done) struct buf address = BUF_INIT(500), text = BUF_INIT(500);
		char name[65] = { 0 };
		const char *list[1];
		struct rec_strs mine = { 1, list };
		struct token t;
		size_t local, tag;
		int rc;

		memset(name, 'n', (size_t)n);
		buf_addf(&address, "%s@example.com", name);
		list[0] = address.data;
		rc = token_make_address(&keys, TOKEN_PROOF, &large, address.data, &text, NULL);
		/* 28 digits of 17 octets and 16 of 80 bits leave 18 for the name */
		assert_int_equal(rc, n <= 18 ? MD_OK : MD_INPUT);
		if (rc != MD_OK) {
			assert_int_equal(text.len, 0);
			continue;
		}
		local = strcspn(text.data, "@");
		tag = local - strcspn(text.data, ".") - 1;
		assert_true(local <= TOKEN_LOCAL_MAX);
		assert_true(tag >= 16 && tag <= 26);
		cut += tag < 26;
		assert_int_equal(token_read_address(&keys, text.data, &mine, 65535, &t),
				 TOKEN_VALID);
		assert_int_equal(t.ticket, large.ticket);
		assert_int_equal(t.comment, large.comment);
		/* below 80 bits it is none of ours */
		if (tag == 16) {
			memmove(text.data + local - 2, text.data + local, text.len - local + 1);
			assert_int_equal(token_read_address(&keys, text.data, &mine, 65535, &t),
					 TOKEN_BAD);
		}
	}
	assert_true(cut > 0);
}

static void test_cut_tags_elsewhere(void **state)
{
	md_auto(buf_done) struct buf text = BUF_INIT(500);
	struct token t;

	(void)state;
	make_id(&keys, &sample, &text);
	/* 10 octets of tag (16 digits) instead of 16 (26) */
	*strchr(text.data, '@') = '\0';
	text.data[strlen(text.data) - 10] = '\0';
	assert_int_equal(token_read_message_id(&keys, text.data, TODAY, &t), TOKEN_BAD);
}

static void test_numbers_that_do_not_fit(void **state)
{
	static const struct token bad[] = {
		{ .day = TODAY, .ticket = -1 },
		{ .day = -1, .ticket = 1 },
		{ .day = 65536, .ticket = 1 },
		{ .day = TODAY, .ticket = INT64_MAX, .comment = INT64_MAX },
	};
	static const struct token_keys no_keys;

	(void)state;
	for (size_t f = 0; f < MD_COUNT(forms); f++) {
		md_auto(buf_done) struct buf text = BUF_INIT(500);

		for (size_t i = 0; i < MD_COUNT(bad); i++)
			assert_int_equal(forms[f].make(&keys, &bad[i], &text), MD_INPUT);
		assert_int_equal(forms[f].make(&no_keys, &sample, &text), MD_INPUT);
		assert_int_equal(text.len, 0);
	}
}

static void test_what_is_no_token(void **state)
{
	static const struct {
		const char *address;
		enum token_result result;
	} addresses[] = {
		{ "support@example.com", TOKEN_NONE },
		{ "support+@example.com", TOKEN_NONE },
		{ "support+billing@example.com", TOKEN_NONE },
		{ "support+news.june@example.com", TOKEN_NONE },
		{ "support+a.b.cdefghijklmnopqrstuvwxyz@example.com", TOKEN_NONE },
		{ "support+first-last.abcdefghijklmnopqrstuvw@example.com", TOKEN_NONE },
		{ "sales+abcdefghijkl.abcdefghijklmnop@example.com", TOKEN_NONE },
		{ "support+abcdefghijkl.abcdefghijklmnop@example.org", TOKEN_NONE },
		{ "supports+abcdefghijkl.abcdefghijklmnop@example.com", TOKEN_NONE },
		{ "support", TOKEN_NONE },
		{ "", TOKEN_NONE },
		{ "@", TOKEN_NONE },
		{ "support+abcdefghijkl.abcdefghijklmnop@example.com", TOKEN_BAD },
		{ "help+abcdefghijkl.abcdefghijklmnop@example.com", TOKEN_BAD },
		{ "support+abcdefghijk1.abcdefghijklmnop@example.com", TOKEN_BAD },
		{ "SUPPORT+ABCDEFGHIJKL.ABCDEFGHIJKLMNOP@EXAMPLE.COM", TOKEN_BAD },
		{ "support+.abcdefghijklabcdefghijklmnop@example.com", TOKEN_BAD },
		{ "support+abcdefghijklabcdefghijklmnop.@example.com", TOKEN_BAD },
	};
	static const struct {
		const char *id;
		enum token_result result;
	} ids[] = {
		{ "abc@example.com", TOKEN_NONE },
		{ "", TOKEN_NONE },
		{ "md", TOKEN_NONE },
		{ "md.", TOKEN_BAD },
		{ "md.5", TOKEN_BAD },
		{ "md.5.", TOKEN_BAD },
		{ "md.5.a", TOKEN_BAD },
		{ "md..a.b@x", TOKEN_BAD },
		{ "md.5.abcdefghijkl.abcdefghijklmnopqrstuvwxya@x", TOKEN_BAD },
	};
	struct token t;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(addresses); i++)
		assert_int_equal(read_address(&keys, addresses[i].address, TODAY, &t),
				 addresses[i].result);
	for (size_t i = 0; i < MD_COUNT(ids); i++)
		assert_int_equal(read_id(&keys, ids[i].id, TODAY, &t), ids[i].result);
	assert_int_equal(read_marker(&keys, "", TODAY, &t), TOKEN_BAD);
	assert_int_equal(read_marker(&keys, "[md:]", TODAY, &t), TOKEN_BAD);
}

static void test_marker_without_bracket(void **state)
{
	md_auto(buf_done) struct buf text = BUF_INIT(500);
	struct token t;

	(void)state;
	make_marker(&keys, &sample, &text);
	buf_cut(&text, text.len - 1);
	assert_int_equal(read_marker(&keys, text.data + 4, TODAY, &t), TOKEN_VALID);
}

static void test_own_addresses(void **state)
{
	(void)state;
	assert_true(token_is_own_address("SUPPORT@Example.com", &own));
	assert_true(token_is_own_address("support+anything@example.com", &own));
	assert_true(token_is_own_address("help@example.com", &own));
	assert_false(token_is_own_address("supporter@example.com", &own));
	assert_false(token_is_own_address("support@example.org", &own));
	assert_false(token_is_own_address("suppor@example.com", &own));
	assert_false(token_is_own_address("", &own));
}

static void test_day(void **state)
{
	(void)state;
	assert_int_equal(token_day(1795132800000), TODAY);
	assert_int_equal(token_day(1795132800000 - 1), TODAY - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_every_changed_digit),
		cmocka_unit_test(test_expiry_and_keys),
		cmocka_unit_test(test_purposes_do_not_mix),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_cut_tags_elsewhere),
		cmocka_unit_test(test_numbers_that_do_not_fit),
		cmocka_unit_test(test_what_is_no_token),
		cmocka_unit_test(test_marker_without_bracket),
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test(test_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mail_test.h"

#include <maildesk/mail/address.h>

/* A field; what is read as "name|address" joined by newlines; whether it is one plain mailbox. */
static const struct {
	const char *in, *want;
	bool plain;
} lists[] = {
	{ "a@b.example", "|a@b.example", true },
	{ "<A@B.Example>", "|A@b.example", true },
	{ "Anna B <a@b.example>", "Anna B|a@b.example", true },
	{ "\"B, Anna\" <a@b.example>", "B, Anna|a@b.example", true },
	{ "a@b.example (Anna)", "Anna|a@b.example", true },
	{ "<a@b.example> (Anna)", "Anna|a@b.example", true },
	{ "=?utf-8?Q?B=2C_Anna?= <a@b.example>", "B, Anna|a@b.example", true },
	{ "=?utf-8?Q?B, Anna?= <a@b.example>", "B, Anna|a@b.example", true },
	{ "a@b.example, Bob <c@d.example>", "|a@b.example\nBob|c@d.example", false },
	{ "Friends: a@b.example, c@d.example;", "|a@b.example\n|c@d.example", false },
	{ "undisclosed-recipients:;", "", false },
	{ "Support, Team <a@b.example>", "Support, Team|a@b.example", false },
	{ "\"X\" <>, \"LTD\" <a@b.example>", "LTD|a@b.example", false },
	{ "\"open <a@b.example>", "open|a@b.example", false },
	{ "(open <a@b.example>", "open|a@b.example", false },
	{ "a@b.example.", "|a@b.example", true },
	{ "<mailto:a@b.example>", "|a@b.example", true },
	{ "'a@b.example' <a@b.example>", "a@b.example|a@b.example", true },
	{ "boss@bank.example <a@evil.example>", "boss@bank.example|a@evil.example", false },
	{ "boss＠bank.example <a@evil.example>", "boss＠bank.example|a@evil.example", false },
	{ "<a@b.example> <c@d.example>", "|a@b.example\n|c@d.example", false },
	{ "MAILER-DAEMON (Mail System)", "Mail System|MAILER-DAEMON", false },
	{ "a b <@relay.example:a@b.example>", "a b|a@b.example", true },
	{ "\"local.part\"@b.example", "|local.part@b.example", false },
	{ "Jörg <jörg@bücher.example>", "Jörg|jörg@bücher.example", true },
	{ "evil\xe2\x80\xaegnp <a@b.example>", "evilgnp|a@b.example", false },
	{ "a @ b.example", "|a@b.example", true },
	{ "a@ПОЧТА.Example", "|a@почта.example", true },
	{ "A@B\xc3\x9c"
	  "CHER.example",
	  "|A@bücher.example", true },
	{ "Anna <<a@b.example>>", "Anna|a@b.example", false },
	{ "[a@b.example]", "|a@b.example", false },
	{ "\"john doe\"@b.example", "|johndoe@b.example", false },
	{ "=?utf-8?Q?Anna_=3Ca=40b=2Eexample=3E?=", "Anna|a@b.example", false },
	{ "=?utf-8?Q?a_=3C=3E?=", "a <>|", false },
	{ "", "", false },
	{ ",,,;;", "", false },
};

static void reads_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(lists); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf got = BUF_INIT(10000);
		struct rec_list list = { 0 };
		unsigned odd = address_list_read(&a, span_of(lists[i].in), &list);

		for (size_t k = 0; k < list.n; k++) {
			const struct mail_address *m = address_at(&list, k);

			buf_addf(&got, "%s%s|%s", k ? "\n" : "", m->name ? m->name : "",
				 m->address);
		}
		assert_string_equal(buf_str(&got), lists[i].want);
		if ((odd == 0) != lists[i].plain)
			fail_msg("%s: oddities %#x", lists[i].in, odd);
	}
}

static const struct {
	const char *in, *want;
} ids[] = {
	{ "<a@b>", "a@b" },
	{ "<a@b> <c@d>", "a@b c@d" },
	{ "<a@b><c@d>", "a@b c@d" },
	{ "<a@b>\r\n <a@b>", "a@b" },
	{ "a@b c@d", "a@b c@d" },
	{ "Message from x of Monday <a@b>", "a@b" },
	{ "<a@\r\n b>", "a@b" },
	{ "<no end@b", "noend@b" },
	{ "", "" },
};

static void reads_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(ids); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf got = BUF_INIT(10000);
		struct rec_strs list = { 0 };

		address_ids_read(&a, span_of(ids[i].in), &list);
		for (size_t k = 0; k < list.n; k++)
			buf_addf(&got, "%s%s", k ? " " : "", list.v[k]);
		assert_string_equal(buf_str(&got), ids[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(reads_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

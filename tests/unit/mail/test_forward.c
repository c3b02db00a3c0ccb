#include "mail_test.h"

#include <maildesk/mail/forward.h>

static const struct {
	const char *text, *name, *address, *date, *subject;
} forwards[] = {
	/* Gmail */
	{ "see\n\n---------- Forwarded message ---------\nFrom: Anna B <a@b.example>\n"
	  "Date: Fri, 20 Nov 2026 at 10:00\nSubject: Broken\n printer\nTo: <me@c.example>\n\nhi",
	  "Anna B", "a@b.example", "Fri, 20 Nov 2026 at 10:00", "Broken printer" },
	/* Apple, quoted; Subject before Date */
	{ "Anfang der weitergeleiteten Nachricht:\n\n> Von: Anna <a@b.example>\n> Betreff: "
	  "Drucker\n"
	  "> Datum: 20. November 2026 um 10:00:00 MEZ\n> An: me@c.example\n> \n> hallo",
	  "Anna", "a@b.example", "20. November 2026 um 10:00:00 MEZ", "Drucker" },
	/* Outlook */
	{ "fyi\n\nFrom: Anna B [mailto:a@b.example]\nSent: Friday, November 20, 2026 10:00 AM\n"
	  "To: Me\nSubject: Broken\n\nhi",
	  "Anna B", "a@b.example", "Friday, November 20, 2026 10:00 AM", "Broken" },
	{ "fyi\n\nDe : Anna B <a@b.example<mailto:a@b.example>>\nEnvoyé : vendredi\nÀ : Moi\n"
	  "Objet : Panne\n\nbonjour",
	  "Anna B", "a@b.example", "vendredi", "Panne" },
	/* Outlook inside one company: no address */
	{ "fyi\n\n*From:* Anna B\n*Sent:* Friday\n*To:* Me\n*Subject:* Broken\n\nhi", "Anna B",
	  NULL, "Friday", "Broken" },
	/* labels and values on lines of their own, wide colons */
	{ "转发\n\n发件人：安娜 "
	  "<a@b.example>\n发送时间：2026年11月20日\n收件人：我\n主题：打印机\n\n你好",
	  "安娜", "a@b.example", "2026年11月20日", "打印机" },
	{ "fyi\n\nFrom:\nAnna <a@b.example>\nDate:\nFriday\nSubject:\nBroken\n\nhi", "Anna",
	  "a@b.example", "Friday", "Broken" },
	/* no block */
	{ "From: here to there\nwe go", NULL, NULL, NULL, NULL },
	{ "Subject: x\nDate: y\n", NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL, NULL },
};

static void reads_the_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(forwards); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct forward f;

		forward_read(&a, span_of(forwards[i].text), &f);
		assert_same(f.from.name, forwards[i].name);
		assert_same(f.from.address, forwards[i].address);
		assert_same(f.date, forwards[i].date);
		assert_same(f.subject, forwards[i].subject);
	}
}

static void only_forwards_have_one(void **state)
{
	static const char block[] =
		"From: me@c.example\nSubject: %s\n\nok\n\nFrom: Anna <a@b.example>\n"
		"Sent: Friday\nTo: Me\nSubject: Broken\n\nhi\n";
	static const struct {
		const char *subject, *from;
	} rows[] = { { "Fwd: Broken", "a@b.example" },
		     { "WG: Broken", "a@b.example" },
		     { "VL: Broken", "a@b.example" },
		     { "Továbbítás: Broken", "a@b.example" },
		     { "Re: Broken", NULL },
		     { "İLT: Broken", "a@b.example" },
		     { "Προωθ: Broken", "a@b.example" },
		     { "Videresendt: Broken", "a@b.example" } };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		const char *mail = arena_printf(&a, block, rows[i].subject);
		struct message m = message_of(&a, mail, strlen(mail));

		assert_same(m.forwarded_from.address, rows[i].from);
		assert_int_equal(m.is_forward, rows[i].from != NULL);
	}
}

static void names_the_list(void **state)
{
	static const struct {
		const char *field, *id;
	} rows[] = { { "List-Id: Our list <Help.example.org>\n", "help.example.org" },
		     { "List-ID: help.example.org\n", "help.example.org" },
		     { "List-Id:\n =?utf-8?q?Stra=C3=9Fe?= <x.y>\n", "x.y" },
		     { "List-Id: \n", NULL },
		     { "", NULL } };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		const char *mail = arena_printf(&a, "%sFrom: a@b.example\n\nx", rows[i].field);

		assert_same(message_of(&a, mail, strlen(mail)).list_id, rows[i].id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_block),
		cmocka_unit_test(only_forwards_have_one),
		cmocka_unit_test(names_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mail_test.h"

#include <maildesk/mail/trim.h>

static const struct {
	const char *in, *want;
} replies[] = {
	{ "new\n\nOn Fri, Nov 20, 2026 at 10:00, Anna <a@b.example> wrote:\n> old", "new" },
	{ "new\n\nOn Fri, Nov 20, 2026 at 10:00, Anna\n<a@b.example>\nwrote:\n\n> old", "new" },
	{ "neu\n\nAm 20.11.2026 um 10:00 schrieb Anna:\n> alt", "neu" },
	{ "nouveau\n\nLe 20 nov. 2026 à 10:00, Anna <a@b.example> a écrit :\n> vieux", "nouveau" },
	{ "nuevo\n\nEl 20/11/2026 a las 10:00, Anna escribió:\n> viejo", "nuevo" },
	{ "nuovo\n\nIl giorno 20 nov 2026 Anna ha scritto:\n> vecchio", "nuovo" },
	{ "novo\n\nEm 20 de novembro de 2026 10:00, Anna escreveu:\n> velho", "novo" },
	{ "nieuw\n\nOp 20 nov. 2026 om 10:00 schreef Anna <a@b.example>:\n> oud", "nieuw" },
	{ "nowe\n\nW dniu 20.11.2026 o 10:00, Anna napisał(a):\n> stare", "nowe" },
	{ "новое\n\n20 ноября 2026 г., 10:00, Anna <a@b.example> написал:\n> старое", "новое" },
	{ "nytt\n\nDen 20 nov 2026 kl. 10:00 skrev Anna <a@b.example>:\n> gammalt", "nytt" },
	{ "新\n\n2026年11月20日 10:00 Anna <a@b.example>:\n> 旧", "新" },
	{ "新\n\n2026-11-20 10:00，Anna <a@b.example> 写道：\n> 旧", "新" },
	{ "새\n\n2026년 11월 20일 (금) 오전 10:00, Anna <a@b.example>님이 작성:\n> 옛", "새" },
	{ "new\n\n-----Original Message-----\nFrom: Anna\nold", "new" },
	{ "new\n\nFrom: Anna\nSent: Friday\nTo: Bob\nSubject: x\n\nold", "new" },
	{ "neu\n\n*Von:* Anna\n*Gesendet:* Freitag\n*An:* Bob\n*Betreff:* x\n\nalt", "neu" },
	{ "new\n________________________________\nFrom: Anna\nSent: Friday\nTo: Bob\n\nold",
	  "new" },
	{ "new\n-- \nAnna, Sales", "new" },
	{ "new\n\nSent from my iPhone", "new" },
	{ "new\n\n##- Please type your reply above this line -##\nanything", "new" },
	{ "new\nOn 20-Nov-2026, at 6:54 PM, Bob <b@c.example> wrote:\nold", "new" },
	{ "new\n> On 20 Nov 2026, at 19:21, Bob <b@c.example> wrote:\n>\n> old", "new" },
	{ "new\n\nAnna via Forum wrote:\n> old", "new" },
	{ "new\n2026/11/20 Anna <a@b.example>\n\n> old", "new" },
	{ "new\n\n---- On Fri, 20 Nov 2026 10:00 Anna <a@b.example> wrote ----\n\nold", "new" },
	{ "new\n\nOn Fri, 20 Nov 2026 at 10:00 Anna\n\n<\nmailto:a@b.example\n> wrote:\n\nold",
	  "new" },
	{ "neu\n\nAnna <a@b.example> schrieb am Fr., 20. Nov. 2026 um 10:00 Uhr:\nalt", "neu" },
	{ "nouveau\n\nDe : Anna\nEnvoyé : vendredi\nÀ : Bob\nObjet : x\n\nvieux", "nouveau" },
	{ "新\n\n差出人: Anna\n送信日時: 2026\n宛先: Bob\n件名: x\n\n旧", "新" },
	{ "neu\n\n## Bitte gib deine Antwort oberhalb dieser Zeile ein. ##\nalt", "neu" },
	{ "new\n\n_____________________________\nusers mailing list\nusers@b.example", "new" },
	{ "new\n\n-Anna", "new" },
	{ "new\n> cited\n\nOn 20 Nov 2026, Bob <b@c.example> wrote:\n> old", "new\n> cited" },
	{ "new\n\nThis e-mail is confidential and intended only for the person it is addressed "
	  "to.\n"
	  "If you are not that person, please delete it.\n\nAcme Ltd, London",
	  "new" },
	{ "neu\n\nDiese Nachricht ist vertraulich und nur für den genannten Empfänger bestimmt. "
	  "Falls "
	  "Sie es nicht sind, löschen Sie sie bitte.",
	  "neu" },
	{ "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nnew\n\n"
	  "-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----",
	  "new" },
	/* what must stay */
	{ "This offer is confidential and intended for you only, please look at it until Monday "
	  "morning.\n\nAnna",
	  "This offer is confidential and intended for you only, please look at it until Monday "
	  "morning.\n\nAnna" },
	{ "Hi,\nSent via DHL on Monday.\nIt never came.",
	  "Hi,\nSent via DHL on Monday.\nIt never came." },
	{ "new\n\nSent with Airmail", "new" },
	{ "On 20 Nov I ordered:\n\n1 printer\n2 cables",
	  "On 20 Nov I ordered:\n\n1 printer\n2 cables" },
	{ "We saw it at 10:30 from b@c.example:\n\nerror 17",
	  "We saw it at 10:30 from b@c.example:\n\nerror 17" },
	{ "From: Berlin\nTo: Rome\nPlease book.", "From: Berlin\nTo: Rome\nPlease book." },
	{ "Options:\n-----\nA\nB\n-----\nwhat now?", "Options:\n-----\nA\nB\n-----\nwhat now?" },
	{ "> asked\n\nanswer\n\n> asked more\n\nanswer 2",
	  "> asked\n\nanswer\n\n> asked more\n\nanswer 2" },
	{ "On Fri, 20 Nov 2026, Anna wrote:\n> old\n\nnew below", "new below" },
	{ "He wrote: hello.\nMore text", "He wrote: hello.\nMore text" },
	{ "From: here to there it is far.\nGo.", "From: here to there it is far.\nGo." },
	{ "> only a quote", "> only a quote" },
	{ "-- \nonly a signature", "-- \nonly a signature" },
	{ "new\n\n> On 3 Nov 2026, at 10:00, Bob <b@c.example> wrote:\n> \n> old", "new" },
	{ "new\n\nVirus-free. www.avast.com", "new" },
	/* what people write stays */
	{ "Bob wrote the manual on 3 May:\n\npage 1", "Bob wrote the manual on 3 May:\n\npage 1" },
	{ "Answer until 10:00 on 3.11. to b@c.example:\n\nit matters",
	  "Answer until 10:00 on 3.11. to b@c.example:\n\nit matters" },
	{ "See:\n\n| a table\n| of mine", "See:\n\n| a table\n| of mine" },
	{ "one\n\n---\n\ntwo", "one\n\n---\n\ntwo" },
	{ "Run:\n\n> ls -l\n\nand tell", "Run:\n\n> ls -l\n\nand tell" },
	{ "Ordered on Monday\nSent by DHL\nNever came",
	  "Ordered on Monday\nSent by DHL\nNever came" },
	{ "", "" },
};

static void keeps_what_is_new(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(replies); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct span got = trim_reply(&a, span_of(replies[i].in));

		assert_string_equal(arena_strndup(&a, got.p, got.n), replies[i].want);
	}
}

/* HTML replies: what the elements of the clients say. */
static const struct {
	const char *html, *want;
} html_replies[] = {
	/* Gmail, in a language that no table has */
	{ "<div>new</div><div class=gmail_quote><div class=gmail_attr>Ngo-20 Novemba, u-Anna "
	  "ubhale "
	  "wathi</div><blockquote class=gmail_quote>old</blockquote></div>",
	  "new" },
	/* answers between the quotes stay */
	{ "<div class=\"gmail_quote\"><div class=gmail_attr>x y</div><blockquote>old"
	  "</blockquote><div>answer</div><blockquote>older</blockquote><div>more</div></div>",
	  "x y\n> old\nanswer\n> older\nmore" },
	{ "<p>new</p><div class=x_x_gmail_quote>u-Anna:<div>old</div></div>", "new" },
	{ "<p>new</p><div class=moz-cite-prefix>Anna:</div><blockquote type=cite>old</blockquote>",
	  "new" },
	/* Outlook: no mark but an element's id */
	{ "<div>new</div><div id=appendonsend></div><hr><div id=divRplyFwdMsg>Anna<br>Friday</div>"
	  "<div>old</div>",
	  "new" },
	{ "<div>new</div><div id=Signature>Anna<br>Sales</div><div id=divRplyFwdMsg>x</div>old",
	  "new" },
	{ "new<div class=yahoo_quoted>Friday, Anna:<div>old</div></div>", "new" },
	{ "new<div name=quote>Friday, Anna<div>old</div></div>", "new" },
	{ "new<div class=protonmail_quote>Friday<blockquote>old</blockquote></div>", "new" },
	{ "new<div class=gmail_signature>Anna</div>", "new" },
	/* nothing but the quote: nothing is trimmed */
	{ "<div class=yahoo_quoted>old</div>", "old" },
	/* a citation of one's own */
	{ "He says<blockquote>so</blockquote>and I agree", "He says\n> so\nand I agree" },
	{ "<div class=quote>a price</div>ok", "a price\nok" },
};

static void knows_a_name_at_the_end(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "new\n\nAnna Berg", "new" },
		{ "new\n\n- anna berg.\n\n\nOn 20 Nov 2026, Bob wrote:\n> old", "new" },
		{ "Who is it?\n\nAnna", "Who is it?\n\nAnna" },
		{ "new\nAnna Berg", "new\nAnna Berg" },
		{ "Anna Berg", "Anna Berg" },
		{ "\n\nAnna Berg", "\n\nAnna Berg" },
	};
	struct trim_hints hints = { .sender = "Anna Berg" };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct span got = trim_reply_hinted(&a, span_of(rows[i].in), &hints);

		assert_true(span_is(span_trim(got), span_trim(span_of(rows[i].want)).p));
	}
}

static void reads_the_marks_of_html(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(html_replies); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		const char *mail =
			arena_printf(&a, "From: a@b.example\nContent-Type: text/html\n\n%s",
				     html_replies[i].html);

		assert_string_equal(message_of(&a, mail, strlen(mail)).reply_text,
				    html_replies[i].want);
	}
}

static void collects_markers(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	struct rec_strs got;

	(void)state;
	trim_markers(
		&a, span_of("> [md:abc.234] x [md:abc.234] [md:wrap\n> ped] [md:] [md:UP] [md:z7]"),
		&got);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.v[0], "abc.234");
	assert_string_equal(got.v[1], "z7");
}

static void knows_forwards(void **state)
{
	(void)state;
	assert_true(trim_is_forward(span_of("Fwd: x"), span_of("")));
	assert_true(trim_is_forward(span_of("WG: x"), span_of("")));
	assert_true(trim_is_forward(span_of("转发：x"), span_of("")));
	assert_true(
		trim_is_forward(span_of("x"),
				span_of("see\n---------- Forwarded message ---------\nFrom: a")));
	assert_false(trim_is_forward(span_of("Re: Fwd: x"), span_of("hello")));
	assert_false(trim_is_forward(span_of("Re: x"),
				     span_of("ok\n---------- Forwarded message ---------\n")));
	assert_false(trim_is_forward(span_of("forward"), span_of("> ---- Forwarded message ----")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_new),
		cmocka_unit_test(knows_a_name_at_the_end),
		cmocka_unit_test(reads_the_marks_of_html),
		cmocka_unit_test(collects_markers),
		cmocka_unit_test(knows_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

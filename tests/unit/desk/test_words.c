#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/text_html.h>
#include <maildesk/desk/words.h>
#include <maildesk/mail/trim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const languages[] = { "en", "de", "es", "fr" };

static void languages_are_found_by_their_tags(void **state)
{
	static const struct {
		const char *tag, *expect;
	} cases[] = { { "de", "de" },     { "de-AT", "de" }, { "DE_ch", "de" },
		      { "es_419", "es" }, { "fr", "fr" },    { "en_GB.UTF-8", "en" },
		      { "pt", NULL },     { "d", NULL },     { "deu", NULL },
		      { "", NULL },       { NULL, NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct words *w = words_find(cases[i].tag);

		if (cases[i].expect)
			assert_string_equal(words_locale(w), cases[i].expect);
		else
			assert_null(w);
	}
	assert_string_equal(words_locale(words_choose((const char *[]){ NULL, "pt", "fr" }, 3)),
			    "fr");
	assert_string_equal(words_locale(words_choose((const char *[]){ "pt" }, 1)), "en");
	assert_string_equal(words_direction("he_IL"), "rtl");
	assert_string_equal(words_direction("de"), "ltr");
}

/* A language without a word would show the id, or nothing. */
static void every_language_has_every_word(void **state)
{
	static const char statuses[][16] = { "open",     "pending", "in_progress",
					     "resolved", "closed",  "reopened" };
	static const char metrics[][16] = { "first_response", "next_response", "update",
					    "resolution" };

	(void)state;
	for (size_t k = 0; k < MD_COUNT(languages); k++) {
		const struct words *w = words_find(languages[k]);

		assert_true(words_no_subject(w)[0] == '(');
		for (size_t i = 0; i < MD_COUNT(statuses); i++)
			assert_true(words_status(w, statuses[i]) != statuses[i]);
		for (size_t i = 0; i < MD_COUNT(metrics); i++)
			assert_true(words_metric(w, metrics[i]) != metrics[i]);
		assert_string_equal(words_status(w, "at_the_vendor"), "at_the_vendor");
	}
}

/* The line that our mails begin with is known when it comes back, in each language. */
static void reply_markers_are_known_again(void **state)
{
	(void)state;
	for (size_t k = 0; k < MD_COUNT(languages); k++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		const char *text = arena_printf(&a, "new\n\n%s\n\nold\n",
						words_reply_marker(words_find(languages[k])));
		struct span reply = trim_reply(&a, (struct span){ text, strlen(text) });

		assert_int_equal(reply.n, 3);
	}
}

static void dates_as_people_write_them(void **state)
{
	static const struct {
		const char *locale, *at, *expect;
		int offset_minutes;
	} cases[] = {
		{ "en", "2026-03-02T13:05:00Z", "Monday, 2 March 2026, 14:05 (Z)", 60 },
		{ "de", "2026-03-02T13:05:00Z", "Montag, 2. März 2026, 14:05 Uhr (Z)", 60 },
		{ "es", "2026-03-02T13:05:00Z", "lunes, 2 de marzo de 2026, 14:05 (Z)", 60 },
		{ "fr", "2026-03-02T13:05:00Z", "lundi 2 mars 2026 à 14:05 (Z)", 60 },
		{ "fr", "2026-03-01T13:05:00Z", "dimanche 1er mars 2026 à 14:05 (Z)", 60 },
		/* the day before, and the year before */
		{ "en", "2026-01-01T00:30:00Z", "Wednesday, 31 December 2025, 20:30 (Z)", -240 },
		{ "de", "2026-08-30T23:59:00Z", "Montag, 31. August 2026, 05:29 Uhr (Z)", 330 },
		{ "en", "1969-12-31T23:59:59Z", "Wednesday, 31 December 1969, 23:59 (Z)", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(200);
		int64_t at;

		assert_int_equal(time_parse(cases[i].at, &at), MD_OK);
		words_date(words_find(cases[i].locale), at,
			   cases[i].offset_minutes * INT64_C(60000), "Z", &out);
		assert_string_equal(buf_str(&out), cases[i].expect);
	}
}

#define P "<p style=\"margin: 0 0 16px\">"
#define A(url) "<a class=\"md-link\" style=\"color: #0b57d0\" href=\"" url "\">" url "</a>"

static void text_becomes_html(void **state)
{
	static const struct {
		const char *text, *expect;
	} cases[] = {
		{ "", "" },
		{ "\n \n\t\n", "" },
		{ "a", P "a</p>\n" },
		{ "a\nb\n\n\nc\n", P "a<br>\nb</p>\n" P "c</p>\n" },
		{ "a\r\nb\r\n", P "a<br>\nb</p>\n" },
		{ "<script>&\"'", P "&lt;script&gt;&amp;&quot;&#39;</p>\n" },
		{ "a\n  b\n\tc", P "a<br>\n&nbsp;&nbsp;b<br>\n&nbsp; &nbsp; c</p>\n" },
		{ "see https://x.test/a?b=1, and",
		  P "see " A("https://x.test/a?b=1") ", and</p>\n" },
		{ "(http://x.test/).", P "(" A("http://x.test/") ").</p>\n" },
		{ "https://x.test/?a=1&b=2", P "<a class=\"md-link\" style=\"color: #0b57d0\" "
					       "href=\"https://x.test/?a=1&amp;b=2\">"
					       "https://x.test/?a=1&amp;b=2</a></p>\n" },
		{ "<https://x.test>", P "&lt;" A("https://x.test") "&gt;</p>\n" },
		{ "https://a.test https://b.test",
		  P A("https://a.test") " " A("https://b.test") "</p>\n" },
		/* no way out of the attribute, and no other scheme */
		{ "https://x.test/\"onclick=1", P A("https://x.test/") "&quot;onclick=1</p>\n" },
		{ "javascript:alert(1) xhttp://y", P "javascript:alert(1) xhttp://y</p>\n" },
		{ "https://", P "https://</p>\n" },
		{ "https://.", P "https://.</p>\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = strlen(cases[i].text);
		md_auto(buf_done) struct buf out = BUF_INIT(2000);
		char *exact = malloc(n + !n); /* so that a sanitizer sees a read past the end */

		memcpy(exact, cases[i].text, n);
		text_html(&out, exact, n);
		free(exact);
		assert_string_equal(buf_str(&out), cases[i].expect);
	}
}

/* What was in the way stands in front, and the server's own words behind. */
static void mailboxes_fail_in_every_language(void **state)
{
	static const struct {
		const char *locale, *error, *expect;
	} cases[] = {
		{ "de", "imap.x.test:993: login: the server says no: [AUTH] Authentication failed.",
		  "imap.x.test:993: Der Server lehnt die Anmeldung ab: [AUTH] Authentication "
		  "failed." },
		{ "fr", "imap.x.test:993: imap.x.test: Connection refused",
		  "imap.x.test:993\u00a0: imap.x.test\u00a0: connexion refusée" },
		{ "es", "imap.x.test:993: login: imap.x.test: closed the connection",
		  "imap.x.test:993: Inicio de sesión: imap.x.test: ha cerrado la conexión" },
		{ "es", "folder Post: SELECT: the server says no: not now: ask: me",
		  "El servidor no abre la carpeta Post: not now: ask: me" },
		{ "de", "run `maildesk oauth login support`: login.x.test says invalid_grant: over",
		  "Rufen Sie `maildesk oauth login support` auf: login.x.test says invalid_grant: "
		  "over" },
		{ "de", "mails cannot be marked (seen): the folder is read-only",
		  "E-Mails lassen sich nicht markieren (seen): Der Ordner ist schreibgeschützt." },
		{ "fr", "mails cannot be marked (move): MOVE: the server says no: Quota",
		  "Les e-mails ne peuvent pas être marqués (move)\u00a0: MOVE\u00a0: le serveur "
		  "refuse\u00a0: Quota" },
		{ "de", "something new", "something new" },
		{ "en", "imap.x.test: closed the connection",
		  "imap.x.test: closed the connection" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(4096);

		words_mailbox_error(words_find(cases[i].locale), cases[i].error, &out);
		assert_string_equal(buf_str(&out), cases[i].expect);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes_fail_in_every_language),
		cmocka_unit_test(languages_are_found_by_their_tags),
		cmocka_unit_test(every_language_has_every_word),
		cmocka_unit_test(reply_markers_are_known_again),
		cmocka_unit_test(dates_as_people_write_them),
		cmocka_unit_test(text_becomes_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

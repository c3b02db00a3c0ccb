#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/mail/body.h>
#include <maildesk/mail/mime.h>
#include <maildesk/mail/scan.h>

/* A mail; its parts as "parent:type[body]"; the troubles. */
static const struct {
	const char *mail, *want;
	unsigned trouble;
} trees[] = {
	{ "A: 1\n\nhello\n", "-1:text/plain[hello\n]", 0 },
	{ "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b\n"
	  "Content-Type: text/html\n\ntwo\n--b--\nepilogue\n",
	  "-1:multipart/mixed[] 0:text/plain[one] 0:text/html[two]", 0 },
	{ "Content-Type: multipart/mixed; boundary=\"b c\"\r\n\r\n--b c\r\n\r\none\r\n\r\n--b "
	  "c--\r\n",
	  "-1:multipart/mixed[] 0:text/plain[one\r\n]", 0 },
	/* a boundary that begins like another */
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
	  "boundary=bb\n\n--bb\n\none\n--bb--\n--b\n\ntwo\n--b--\n",
	  "-1:multipart/mixed[] 0:multipart/alternative[] 1:text/plain[one] 0:text/plain[two]", 0 },
	/* the inner one is never closed */
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
	  "boundary=i\n\n--i\n\none\n--b\n\ntwo\n--b--\n",
	  "-1:multipart/mixed[] 0:multipart/alternative[] 1:text/plain[one] 0:text/plain[two]",
	  MIME_NO_END },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n",
	  "-1:multipart/mixed[] 0:text/plain[one\n]", MIME_NO_END },
	{ "Content-Type: multipart/mixed; boundary=b\n\nnothing\n", "-1:multipart/mixed[nothing\n]",
	  MIME_NO_BOUNDARY | MIME_NO_END },
	/* no parameter: guessed */
	{ "Content-Type: multipart/mixed\n\n--guess_me\n\none\n--guess_me--\n",
	  "-1:multipart/mixed[] 0:text/plain[one]", 0 },
	/* what an attached message holds stays its own */
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
	  "Content-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--i--\n--b--\n",
	  "-1:multipart/mixed[] 0:message/rfc822[Content-Type: multipart/mixed; "
	  "boundary=i\n\n--i\n\n"
	  "x\n--i--]",
	  0 },
	{ "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--\n",
	  "-1:multipart/digest[] 0:message/rfc822[Subject: x\n\ny]", 0 },
	{ "Content-Type: nonsense\nContent-Transfer-Encoding: x-mine\n\nhello",
	  "-1:text/plain[hello]", MIME_BAD_ENCODING },
};

static void show(struct buf *out, const struct mime_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		buf_addf(out, "%s%d:%s[", i ? " " : "", t->v[i].parent, t->v[i].type);
		if (!mime_is_container(t, i))
			buf_add(out, t->v[i].body.p, t->v[i].body.n);
		buf_adds(out, "]");
	}
}

static struct mime_tree tree_of(struct arena *a, const char *mail)
{
	struct span head, body;
	struct mime_tree t;
	struct header h;
	bool junk;

	header_split(span_of(mail), HEADER_TOP, &head, &body, &junk);
	header_read(a, head, 100, &h);
	assert_int_equal(mime_read(a, &h, body, &t), 0);
	return t;
}

static void reads_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(trees); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf got = BUF_INIT(10000);
		struct mime_tree t = tree_of(&a, trees[i].mail);

		show(&got, &t);
		assert_string_equal(buf_str(&got), trees[i].want);
		assert_int_equal(t.trouble, trees[i].trouble);
	}
}

/* A mail; its text; whether an HTML form is kept; the number of attachments. */
static const struct {
	const char *mail, *text;
	bool html;
	size_t attachments;
} bodies[] = {
	{ "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n"
	  "Content-Type: text/html\n\n<p>html</p>\n--b--\n",
	  "plain", true, 0 },
	{ "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\n"
	  "Content-Type: text/html\n\n<p>html</p>\n--b--\n",
	  "html", true, 0 },
	{ "Content-Type: text/html\n\n<p>html</p>", "html", true, 0 },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: "
	  "image/png\n\nx\n"
	  "--b\n\ntwo\n--b--\n",
	  "one\ntwo", false, 1 },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/plain; "
	  "name=log.txt\n\nlog\n--b--\n",
	  "one", false, 1 },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: "
	  "text/html\n\n"
	  "<p>one</p>\n--b--\n",
	  "one", true, 0 },
	{ "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: "
	  "text/html\n\n<p>one</p>\n"
	  "--b\nContent-Type: text/html\nContent-ID: <x>\n\nframe\n--b--\n",
	  "one", true, 1 },
	{ "Content-Type: multipart/signed; boundary=b\n\n--b\n\none\n--b\n"
	  "Content-Type: application/pgp-signature\n\nsig\n--b--\n",
	  "one", false, 1 },
	{ "Content-Type: multipart/mixed; boundary=b\n\nnever there\n", "never there", false, 0 },
	{ "Content-Type: application/pdf\n\n%PDF-1", "", false, 1 },
	{ "Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\nx", "", false,
	  1 },
	{ "Content-Type: text/html; charset=utf-8\n\n<meta charset=latin1>\xc3\xbc", "ü", true, 0 },
	{ "Content-Type: text/plain; charset=utf-8\n\n\xef\xbb\xbf#take", "#take", false, 0 },
	{ "\n\xef\xbb\xbftext \xef\xbb\xbf.", "text \xef\xbb\xbf.", false, 0 },
	{ "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: "
	  "base64\n\n//5oAA==",
	  "h", false, 0 },
	{ "Content-Type: text/plain; charset=x-mac-cyrillic\n\n\x9f", "Я", false, 0 },
	{ "Content-Type: text/plain; charset=win-1251\n\n\xdf", "Я", false, 0 },
	{ "Content-Type: text/plain; charset=csISOLatin2\n\n\xe6", "ć", false, 0 },
	{ "Content-Type: text/plain; charset=x-big5\n\n\xba\x7e", "漢", false, 0 },
	{ "Content-Type: text/plain; charset=cyrillic\n\n\xcf", "Я", false, 0 },
	{ "Content-Type: text/html\n\n<meta charset=windows-1251>\xcf\xf0", "Пр", true, 0 },
	{ "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: "
	  "base64\n\n/ABoAA==",
	  "üh", false, 0 },
	{ "From: x\rSubject: y\r\rold Mac\rtext\r", "old Mac\ntext", false, 0 },
	{ "Subject: y\n\nnul\001 and \033[1m bell\n", "nul and [1m bell", false, 0 },
};

static void chooses_the_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(bodies); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct message m = message_of(&a, bodies[i].mail, strlen(bodies[i].mail));

		assert_string_equal(m.text, bodies[i].text);
		assert_int_equal(m.html != NULL, bodies[i].html);
		assert_int_equal(m.attachments.n, bodies[i].attachments);
	}
}

static void limits_parts(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	md_auto(buf_done) struct buf mail = BUF_INIT(1 << 20);
	struct message m;

	(void)state;
	buf_adds(&mail, "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < 600; i++)
		buf_adds(&mail, "--b\nContent-Type: image/png\n\nx\n");
	m = message_of(&a, mail.data, mail.len);
	assert_false(m.bomb);
	assert_int_equal(m.attachments.n, SCAN_PARTS - 1);
	assert_string_equal(m.defects.v[0], "more than 500 parts: the rest is not listed");
}

static void cuts_endless_text(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	md_auto(buf_done) struct buf mail = BUF_INIT(16 << 20);
	struct message m;

	(void)state;
	buf_adds(&mail, "From: a@b.example\nContent-Type: text/plain; charset=latin1\n\n");
	while (mail.len < 3 * BODY_TEXT_MAX)
		buf_adds(&mail, "\xfc\xfc\xfc\xfc\xfc\xfc\xfc\xfc\n");
	m = message_of(&a, mail.data, mail.len);
	assert_in_range(strlen(m.text), BODY_TEXT_MAX / 2, BODY_TEXT_MAX);
	assert_string_equal(m.defects.v[0], "text too long: cut");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_trees),
		cmocka_unit_test(chooses_the_body),
		cmocka_unit_test(limits_parts),
		cmocka_unit_test(cuts_endless_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Mails made to take time. Each is read within a limit, and in a size and in four times that size:
 * what grows faster than the mail shows in the ratio, on any machine. */
#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/mail/sanitize.h>

#include <time.h>

/* A sanitizer looks at all that a library function may touch, at each call. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TIME_SHOWS 0
#elif defined(__has_feature)
#define TIME_SHOWS (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define TIME_SHOWS 1
#endif

enum {
	MAIL_MAX = 16 << 20,
	/* 100 in truth; a busy machine and sanitizers get room, quadratic time takes minutes */
	LIMIT_MS = TIME_SHOWS ? 2000 : 20000,
	SMALL = 200 << 10,
	TIMES = 4,
	RATIO = 10, /* linear: 4, quadratic: 16 */
	NOISE_US = 10000,
	TRIES = 5,
};

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- limits ---- */

static void repeat(struct buf *b, const char *s, int times)
{
	for (int i = 0; i < times; i++)
		buf_adds(b, s);
}

static void bomb_parentheses(struct buf *b)
{
	buf_adds(b, "Subject: still here\nFrom: ");
	repeat(b, "(", 150000);
	buf_adds(b, "\n\nx");
}

static void bomb_folded_parentheses(struct buf *b)
{
	buf_adds(b, "Subject: still here\nFrom: ");
	repeat(b, "((((((((((\n ", 15000);
	buf_adds(b, "\n\nx");
}

static void bomb_multiparts(struct buf *b)
{
	buf_adds(b, "Subject: still here\n");
	for (int i = 0; i < 100000; i++)
		buf_addf(b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
}

static void bomb_messages(struct buf *b)
{
	buf_adds(b, "Subject: still here\n");
	repeat(b, "Content-Type: message/rfc822\n\n", 40000);
}

static void bomb_fields(struct buf *b)
{
	buf_adds(b, "Subject: still here\n");
	repeat(b, "From: a@b.example\n", 100000);
	buf_adds(b, "\nx");
}

static void bomb_words(struct buf *b)
{
	buf_adds(b, "Subject: still here\nTo: ");
	repeat(b, "=?a?q?", 20000);
	buf_adds(b, "\nCc: ");
	repeat(b, "\\\"", 60000);
	buf_adds(b, "\n\nx");
}

static void bomb_parts(struct buf *b)
{
	buf_adds(b, "Subject: still here\nContent-Type: multipart/mixed; boundary=b\n\n");
	repeat(b, "--b\n\nx\n", 100000);
}

static const struct {
	void (*make)(struct buf *);
	bool bomb;
} bombs[] = {
	{ bomb_parentheses, true }, { bomb_folded_parentheses, true },
	{ bomb_multiparts, true },  { bomb_messages, true },
	{ bomb_fields, true },      { bomb_words, false },
	{ bomb_parts, false },
};

static void defuses_bombs(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(bombs); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf mail = BUF_INIT(MAIL_MAX);
		struct message m;
		int64_t start;

		bombs[i].make(&mail);
		start = cpu_us();
		m = message_of(&a, mail.data, mail.len);
		if (cpu_us() - start > LIMIT_MS * 1000)
			fail_msg("bomb %zu took too long", i);
		assert_int_equal(m.bomb, bombs[i].bomb);
		assert_string_equal(m.subject, "still here");
		assert_true(!m.bomb || m.defects.n > 0);
	}
}

/* ---- growth ---- */

/* A head and what follows it over and over, "%d" in it being counted up. */
static const struct growing {
	const char *head, *again;
} growing[] = {
/* clang-format off */
#define HTML "Content-Type: text/html\n\n"
#define TEXT "\n"
#define REPORT "From: MAILER-DAEMON@x.example\nReturn-Path: <>\nSubject: Undelivered mail\n\n" \
	"Your mail could not be delivered\n"
	{ HTML "<p ", "a%d=1 " },
	{ HTML "<p ", "a=1 " },
	{ HTML "<p a='", "x y " },
	{ HTML "<div class='", "a " },
	{ HTML "<div style='", "a:b;" },
	{ HTML "", "<div>" },
	{ HTML "", "<b></i>" },
	{ HTML "", "</p>" },
	{ HTML "", "<p><a href=x>" },
	{ HTML "", "<table><tr><td>" },
	{ HTML "<blockquote><blockquote>", "a<br>" },
	{ HTML "<script>", "</" },
	{ HTML "<!--", "--" },
	{ HTML "", "<" },
	{ HTML "", "&" },
	{ HTML "<a href='http://x.example/'>", "z<a>" },
	{ HTML "", "<div class=gmail_quote>a</div>" },
	{ TEXT, "> quoted text\n" },
	{ TEXT, ">" },
	{ TEXT, "On Thu, Apr 30, 2020 at 10:07 AM, x <x@y.example> wrote:\n" },
	{ TEXT, "On Thu, Apr 30, 2020 at\n" },
	{ TEXT, "From: a@b.example\nSent: Monday\nTo: b\nSubject: c\n\n" },
	{ TEXT, "begin 644 x\n" },
	{ TEXT, "-- \n" },
	{ TEXT, "-" },
	{ TEXT, "[md:" },
	{ TEXT, "a@b.example " },
	{ TEXT, "---------- Forwarded message ----------\n" },
	{ "Content-Type: text/plain; format=flowed\n\n", ">a \n" },
	{ "Content-Type: text/plain; charset=iso-2022-jp\n\n", "\033$B!!" },
	{ "Content-Type: text/plain; charset=utf-7\n\n", "+AD" },
	{ "Content-Transfer-Encoding: quoted-printable\n\n", "=" },
	{ "Content-Transfer-Encoding: base64\n\n", "A=" },
	{ "Content-Type: multipart/mixed; boundary=aaaaaaaaab\n\n", "--aaaaaaaaaa\n" },
	{ REPORT, "<a%d@b.example>: 550 5.1.1 user unknown\n" },
	{ REPORT, "550 " },
	{ REPORT, "Final-Recipient: rfc822; a%d@b.example\nAction: failed\nStatus: 5.1.1\n\n" },
	{ "References: ", "<%d@x.example>\n " },
	{ "To: ", "a%d@x.example,\n " },
	{ "Subject: ", "=?utf-8?q?=C3?=\n =?utf-8?q?=A4?=\n " },
	{ "Authentication-Results: mx.example; ", "dkim=pass (x)\n header.d=a; " },
	{ "Content-Type: text/plain; ", "name*%d*=a;\n " },
	/* clang-format on */
};

static void make(const struct growing *g, size_t size, struct buf *mail)
{
	const char *number = strstr(g->again, "%d");

	buf_adds(mail, "From: a@b.example\n");
	buf_adds(mail, g->head);
	for (int i = 0; mail->len < size; i++) {
		if (!number) {
			buf_adds(mail, g->again);
			continue;
		}
		buf_add(mail, g->again, (size_t)(number - g->again));
		buf_addf(mail, "%d", i);
		buf_adds(mail, number + 2);
	}
}

static int64_t reading_us(struct span mail)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA * 4);
	md_auto(buf_done) struct buf out = BUF_INIT(MAIL_MAX);
	int64_t start = cpu_us();

	message_of(&a, mail.p, mail.n);
	assert_true(html_sanitize(mail, &out));
	return cpu_us() - start;
}

static void takes_time_as_it_grows(void **state)
{
	(void)state;
	message_read_prepare();
	for (size_t i = 0; i < MD_COUNT(growing); i++) {
		md_auto(buf_done) struct buf small = BUF_INIT(MAIL_MAX), large = BUF_INIT(MAIL_MAX);
		int64_t least = INT64_MAX, most = 0;

		make(&growing[i], SMALL, &small);
		make(&growing[i], SMALL * TIMES, &large);
		/* The least of some tries is what the work takes without others' disturbance. */
		for (int try = 0; try < TRIES; try++) {
			int64_t us = reading_us((struct span){ small.data, small.len });

			least = us < least ? us : least;
			us = reading_us((struct span){ large.data, large.len });
			most = try == 0 || us < most ? us : most;
			if (most <= least * RATIO + NOISE_US)
				break;
		}
		if (TIME_SHOWS && most > least * RATIO + NOISE_US)
			fail_msg("%s...%s...: %lld us, of four times the size %lld us",
				 growing[i].head, growing[i].again, (long long)least,
				 (long long)most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defuses_bombs),
		cmocka_unit_test(takes_time_as_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

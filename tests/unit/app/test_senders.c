/* Headers that are malformed or tricky: whatever else the mail has to show, its sender is nobody.
 * Each mail carries a passing result of our own server for the address it wants to be taken for. */
#include "desk_fixture.h"

#define ANNA "anna@desk.test"

/* Each stands for the whole of From, Sender and Reply-To. */
static const char *const tricks[] = {
	/* not one address */
	"From: anna@desk.test, eve@evil.test\n",
	"From: anna@desk.test; eve@evil.test\n",
	"From: <anna@desk.test> <eve@evil.test>\n",
	"From: eve@evil.test <anna@desk.test>\n",
	"From: anna@desk.test\nFrom: eve@evil.test\n",
	"From: anna@desk.test\nFROM: anna@desk.test\n",
	"From: anna@desk.test\nfrom : eve@evil.test\n",
	"From: Staff: anna@desk.test;\n",
	"From: Staff: anna@desk.test, bob@desk.test;\n",
	"From: undisclosed-recipients:; <anna@desk.test>\n",
	"From: anna@desk.test@evil.test\n",
	"From: anna@desk.test bob@desk.test\n",
	"From: \"anna@desk.test\" <anna@desk.test>, <eve@evil.test>\n",
	"From: anna@desk.test,\n",
	"From: ,anna@desk.test, bob@desk.test\n",
	/* the name shows somebody else */
	"From: \"anna@desk.test\" <eve@evil.test>\n",
	"From: anna@desk.test <eve@evil.test>\n",
	"From: 'anna@desk.test' <eve@evil.test>\n",
	"From: Anna anna@desk.test <eve@evil.test>\n",
	"From: Anna (anna@desk.test) <eve@evil.test>, anna@desk.test\n",
	"From: =?utf-8?q?anna=40desk=2Etest?= <eve@evil.test>\n",
	"From: =?utf-8?b?YW5uYUBkZXNrLnRlc3Q=?= <eve@evil.test>\n",
	"From: =?utf-8?q?anna?= =?utf-8?q?=40desk=2Etest?= <eve@evil.test>\n",
	"From: \"Anna <anna@desk.test>\" <eve@evil.test>\n",
	"From: =?utf-8?q?Anna_=3Canna=40desk=2Etest=3E?= <eve@evil.test>\n",
	"From: \"anna\xef\xbc\xa0"
	"desk.test\" <eve@evil.test>\n",
	"From: eve@evil.test (anna@desk.test), anna@desk.test\n",
	/* the name has invisible or turning characters, or breaks the line */
	"From: =?utf-8?q?Anna=E2=80=AE?= <anna@desk.test>\n",
	"From: =?utf-8?q?An=E2=80=8Bna?= <anna@desk.test>\n",
	"From: =?utf-8?q?Anna=0D=0AFrom:_eve?= <anna@desk.test>\n",
	"From: =?utf-8?q?Anna=00?= <anna@desk.test>\n",
	"From: =?utf-8?q?Anna=E2=81=A6?= <anna@desk.test>\n",
	/* the address is encoded, quoted or broken */
	"From: =?utf-8?q?anna=40desk=2Etest?=\n",
	"From: <=?utf-8?q?anna?=@desk.test>\n",
	"From: Anna <=?utf-8?q?anna=40desk=2Etest?=>\n",
	"From: =?utf-8?q?anna?=@desk.test\n",
	"From: \"anna\"@desk.test\n",
	"From: Anna <\"anna\"@desk.test>\n",
	"From: <anna@desk.test\n",
	"From: anna@desk.test>\n",
	"From: Anna <<anna@desk.test>>\n",
	"From: Anna <anna@desk.test> eve@evil.test\n",
	"From: \"Anna <anna@desk.test>\n",
	"From: (Anna <anna@desk.test>\n",
	"From: Anna <anna @desk.test, eve@evil.test>\n",
	"From: <@evil.test,@x.test:anna@desk.test>, eve@evil.test\n",
	"From: anna@[127.0.0.1]\n",
	"From: anna@\n",
	"From: Anna\n",
	"From: anna\n",
	"From: anna@desk.test\\\n",
	"From: anna@desk,test\n",
	"From: anna@desk(.test)@evil.test\n",
	/* letters that look like others */
	"From: anna@d\xd0\xb5sk.test\n",
	"From: \xd0\xb0nna@desk.test\n",
	"From: anna@xn--dsk-rdd.test\n",
	"From: anna@\xef\xbd\x84\xef\xbd\x85sk.test\n",
	"From: anna@de\xd1\x95k.test\n",
	"From: anna@\xd0\xb5\xd1\x95\xd0\xba.test\n",
	"From: anna@d3sk.test\n",
	"From: anna@clesk.test\n",
	"From: anna@de\xe2\x80\x8bsk.test\n",
	"From: anna@desk\xe3\x80\x82test\n",
	/* somebody else takes over */
	"From: anna@desk.test\nSender: eve@evil.test\n",
	"From: anna@desk.test\nSender: anna@desk.test.evil.test\n",
	"From: anna@desk.test\nSender: Anna <bob@desk.test>\n",
	"From: anna@desk.test\nSender: anna@desk.test, eve@evil.test\n",
	"From: anna@desk.test\nSender: anna@desk.test\nSender: eve@evil.test\n",
	"From: anna@desk.test\nReply-To: eve@evil.test\n",
	"From: anna@desk.test\nReply-To: anna@desk.test, eve@evil.test\n",
	"From: anna@desk.test\nReply-To: \"anna@desk.test\" <eve@evil.test>\n",
	"From: anna@desk.test\nReply-To: anna@desk.test\nReply-To: eve@evil.test\n",
	"From: anna@desk.test\nReply-To: =?utf-8?q?anna=40desk.test?= <eve@evil.test>\n",
	"From: anna@desk.test\nReply-To: Staff: eve@evil.test;\n",
	"From: anna@desk.test\nReply-To: eve+anna@evil.test\n",
	"From: anna@desk.test\nReply-To: anna@d\xd0\xb5sk.test\n",
};

/* What is nothing of that kind. */
static const char *const honest[] = {
	"From: anna@desk.test\n",
	"From: Anna <anna@desk.test>\n",
	"From: \"Anna (at the desk)\" <anna@desk.test>\n",
	"From: =?utf-8?q?Anna_M=C3=BCller?= <anna@desk.test>\n",
	"From: anna@desk.test (Anna)\n",
	"From: <anna@desk.test>\n",
	"From: Anna <ANNA@desk.test>\n",
	"From: Anna\n <anna@desk.test>\n",
	"From: \"anna@desk.test\" <anna@desk.test>\n",
	"From: anna@desk.test\nSender: Anna <anna@desk.test>\n",
	"From: anna@desk.test\nReply-To: anna+lists@desk.test\n",
	"From: anna@desk.test\nReply-To: <Anna@Desk.Test>\n",
	"From: anna@desk.test\nSender:\nReply-To:\n",
};

static int level_of(struct fixture *f, const char *headers, size_t i, const char **ret_why)
{
	const char *raw = arena_printf(
		&f->arena,
		"Authentication-Results: mx.desk.test; dmarc=pass header.from=desk.test\n"
		"Received: from x by mx.desk.test; Mon, 2 Mar 2026 09:00:00 +0000\n"
		"%sTo: support@desk.test\nSubject: t [prio=critical]\nMessage-ID: <t%zu@x.test>\n\n"
		"x%zu\n",
		headers, i, i);
	struct intake_result r = TAKE(f, .from = ANNA, .raw = raw);

	*ret_why = rows(f,
			"SELECT outcome || coalesce(cause, '') || rules FROM decisions"
			" WHERE message_id = %lld",
			(long long)r.message);
	ROWS(f, "0",
	     "SELECT count(*) FROM tickets WHERE priority = 3 AND id = %lld AND NOT EXISTS"
	     " (SELECT 1 FROM messages WHERE id = %lld AND trust >= 2)",
	     (long long)r.ticket, (long long)r.message);
	return (int)NUM(f, "SELECT trust FROM messages WHERE id = %lld", (long long)r.message);
}

/* Kept away, or taken with a reason that has nothing to do with who is known. */
static bool is_flagged(const char *why)
{
	return strstr(why, "quarantinedmalformed") || strstr(why, "not exactly one plain") ||
	       strstr(why, "another Sender") || strstr(why, "another Reply-To") ||
	       strstr(why, "looks like ours");
}

static void tricks_make_nobody(void **state)
{
	struct fixture *f = *state;
	const char *why;
	int believed = 0;

	assert_true(MD_COUNT(tricks) >= 60);
	for (size_t i = 0; i < MD_COUNT(tricks); i++)
		if (level_of(f, tricks[i], i, &why) != 0 || !is_flagged(why)) {
			print_error("%s is somebody: %s\n", tricks[i], why);
			believed++;
		}
	assert_int_equal(believed, 0);
	ROWS(f, "0", "SELECT count(*) FROM tickets WHERE priority = 3");
}

static void honest_headers_are_believed(void **state)
{
	struct fixture *f = *state;
	const char *why;

	for (size_t i = 0; i < MD_COUNT(honest); i++)
		if (level_of(f, honest[i], i, &why) != 2)
			fail_msg("%s is nobody: %s", honest[i], why);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		DESK_TEST(tricks_make_nobody,
			  "trust { authserv_id = \"mx.desk.test\" }\n"
			  "limits { inbound_per_sender_hour = 0  auto_per_address_hour = 0 }\n"),
		DESK_TEST(honest_headers_are_believed,
			  "trust { authserv_id = \"mx.desk.test\" }\n"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

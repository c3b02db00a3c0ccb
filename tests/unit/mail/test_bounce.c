#include "mail_test.h"

#include <maildesk/base/buf.h>

/* A report; its kind; "recipient action status original" of each entry. */
static const struct {
	const char *mail;
	enum message_kind kind;
	const char *want;
} reports[] = {
	/* RFC 3464, two recipients, one delayed */
	{ "From: x@y.example\nContent-Type: multipart/report; report-type=delivery-status; "
	  "boundary=b\n\n--b\n\nsorry\n--b\nContent-Type: message/delivery-status\n\n"
	  "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n"
	  "Status: 5.0.0\nDiagnostic-Code: smtp; 550 5.2.1 gone\n\n"
	  "Final-Recipient: rfc822; c@d.example\nAction: delayed\nStatus: 4.4.1\n\n--b\n"
	  "Content-Type: message/rfc822\n\nMessage-ID: <o@x>\nSubject: y\n\nz\n--b--\n",
	  KIND_BOUNCE, "a@b.example failed 5.2.1 o@x; c@d.example delayed 4.4.1 o@x" },
	/* its blocks run together */
	{ "From: x@y.example\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n"
	  "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n"
	  "Final-Recipient: rfc822; c@d.example\nAction: failed\nStatus: 5.2.2\n",
	  KIND_BOUNCE, "a@b.example failed 5.1.1 -; c@d.example failed 5.2.2 -" },
	{ "From: x@y.example\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
	  "Final-Recipient: rfc822; a@b.example\nAction: delivered\nStatus: 2.0.0\n",
	  KIND_RECEIPT, "a@b.example delivered 2.0.0 -" },
	/* reports for people */
	{ "From: MAILER-DAEMON@y.example\nTo: me@y.example\nSubject: failure notice\n\n"
	  "Hi. I wasn't able to deliver your message.\n\n<a@b.example>:\n"
	  "Remote host said: 550 5.1.1 no\n\n<c@d.example>:\n192.0.2.1 said 452 full\n\n"
	  "--- Below this line is a copy of the message.\n\nMessage-ID: <o@x>\nTo: e@f.example\n",
	  KIND_BOUNCE, "a@b.example failed 5.1.1 o@x; c@d.example failed 4.0.0 o@x" },
	{ "From: postmaster@y.example\nTo: me@y.example\nSubject: Undeliverable Mail\n\n"
	  "Invalid final delivery userid: a@b.example\n\nOriginal message follows.\n\nTo: x@z\n",
	  KIND_BOUNCE, "a@b.example failed 5.0.0 -" },
	{ "From: MAILER-DAEMON@y.example\nX-Failed-Recipients: a@b.example\n\nfailed\n",
	  KIND_BOUNCE, "a@b.example failed 5.0.0 -" },
	{ "From: mailer-daemon@y.example\nSubject: Warning: message delayed 24 hours\n\n"
	  "The message has not yet been delivered to\n\n  a@b.example\n    450 later\n",
	  KIND_DELAY, "a@b.example delayed 4.0.0 -" },
	{ "From: MAILER-DAEMON@y.example\nSubject: Returned mail\n\nsomething failed\n",
	  KIND_BOUNCE, "- failed 5.0.0 -" },
	/* no Status field, an action of the mailer's own making */
	{ "From: x@y.example\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
	  "Final-Recipient: rfc822; a@b.example\nAction: expired\n"
	  "Diagnostic-Code: timed out\n\n"
	  "Final-Recipient: rfc822; c@d.example\nAction: failed\n"
	  "Diagnostic-Code: smtp; 452 full\n",
	  KIND_BOUNCE, "a@b.example failed 5.0.0 -; c@d.example failed 4.0.0 -" },
	/* a status that says nothing, a transcript that does */
	{ "From: x@y.example\nContent-Type: multipart/report; report-type=delivery-status; "
	  "boundary=b\n\n--b\n\n<<< 421 4.7.0 busy\n<<< 554 5.3.0 no\n--b\n"
	  "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
	  "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\n\n--b--\n",
	  KIND_BOUNCE, "a@b.example failed 5.3.0 -" },
	/* JSON of Amazon SES: bare, broken by sendmail; in its envelope; a complaint */
	{ "From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Bounce\",\"bounce\":{"
	  "\"bounceType\":\"Permanent\",\"bouncedRecipients\":[{\"emailAddress\":\"a@b.example\","
	  "\"status\":\"5.1.1\"},{\"emailAddress\":\"c@d.example\"}]},\"mail\":{\"common!\n "
	  "Headers\":{\"messageId\":\"<o@x>\"}}}\n\n--\nunsubscribe: {here}\n",
	  KIND_BOUNCE, "a@b.example failed 5.1.1 o@x; c@d.example failed 5.0.0 o@x" },
	{ "From: no-reply@sns.amazonaws.com\n\n{ \"Type\" : \"Notification\",\n \"Message\" : "
	  "\"{\\\"notificationType\\\":\\\"Bounce\\\",\\\"bounce\\\":{\\\"bounceType\\\":"
	  "\\\"Transient\\\",\\\"bouncedRecipients\\\":[{\\\"emailAddress\\\":"
	  "\\\"a@b.example\\\"}]}}\"\n}\n",
	  KIND_BOUNCE, "a@b.example failed 4.0.0 -" },
	{ "From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Complaint\",\"complaint\":"
	  "{\"complainedRecipients\":[{\"emailAddress\":\"a@b.example\"}]}}\n",
	  KIND_ABUSE_REPORT, "" },
	{ "From: someone@example.org\n\n{\"notificationType\":\"Bounce\",\"bounce\":{}}\n",
	  KIND_NORMAL, "" },
	{ "From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Bounce\",\"bounce\":{\n",
	  KIND_NORMAL, "" },
	/* people who write about such things */
	{ "From: a@b.example\nSubject: Re: Undelivered Mail Returned to Sender\n\n"
	  "my mail to x@y.example is undeliverable, user unknown: 550 5.1.1. why?\n",
	  KIND_NORMAL, "" },
	{ "From: a@b.example\nSubject: delivery failed\n\nThe parcel could not be delivered.\n",
	  KIND_NORMAL, "" },
	{ "From: postmaster@b.example\nSubject: hello\n\nWe move our servers.\n", KIND_NORMAL, "" },
};

static void show(struct buf *out, const struct rec_list *list)
{
	const struct bounce *v = list->v;

	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "%s%s %s %s %s", i ? "; " : "", v[i].recipient ? v[i].recipient : "-",
			 v[i].action ? v[i].action : "-", v[i].status ? v[i].status : "-",
			 v[i].original_message_id ? v[i].original_message_id : "-");
}

static void tells_who_failed(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(reports); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf got = BUF_INIT(10000);
		struct message m = message_of(&a, reports[i].mail, strlen(reports[i].mail));

		show(&got, &m.bounce);
		assert_string_equal(buf_str(&got), reports[i].want);
		assert_string_equal(message_kind_name((enum message_kind)m.kind),
				    message_kind_name(reports[i].kind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tells_who_failed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

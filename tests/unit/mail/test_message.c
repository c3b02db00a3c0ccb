#include "mail_test.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>

#include <glob.h>

/* Each tests/data/X.eml reads as tests/data/X.json. */
static void reads_the_samples(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/data/*.eml", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf json = BUF_INIT(1 << 20);
		md_auto(json_decref_p) json_t *got = NULL;
		md_auto(json_decref_p) json_t *want = NULL;
		char *path = arena_strdup(&a, files.gl_pathv[i]);
		char *mail, *expect;
		size_t n, m;
		struct message msg;

		mail = test_slurp(path, &n);
		memcpy(strrchr(path, '.'), ".js\0", 4);
		path = arena_printf(&a, "%son", path);
		expect = test_slurp(path, &m);
		msg = message_of(&a, mail, n);
		free(mail);
		rec_json(&json, &message_rec, &msg);
		assert_int_equal(json_read(buf_str(&json), json.len, 8, &got, NULL), MD_OK);
		assert_int_equal(json_read(expect, m, 8, &want, NULL), MD_OK);
		free(expect);
		if (!json_equal(got, want))
			fail_msg("%s: got %s", path, buf_str(&json));
	}
	globfree(&files);
}

/* What the jailed reader sends passes the desk's check and arrives unchanged. */
static void survives_the_wire(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	md_auto(buf_done) struct buf packed = BUF_INIT(1 << 20), one = BUF_INIT(1 << 20),
				     two = BUF_INIT(1 << 20);
	struct message m, back;
	size_t n;
	char *mail = test_slurp("tests/data/attachments.eml", &n);

	(void)state;
	m = message_of(&a, mail, n);
	free(mail);
	rec_pack(&packed, &message_rec, &m);
	assert_int_equal(packed.status, MD_OK);
	assert_int_equal(rec_unpack(&message_rec, packed.data, packed.len, &a, &back, NULL), MD_OK);
	rec_json(&one, &message_rec, &m);
	rec_json(&two, &message_rec, &back);
	assert_string_equal(buf_str(&one), buf_str(&two));
}

/* The slice an attachment names decodes to the bytes it was hashed from. */
static void attachment_slices_point_into_the_raw_mail(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	const struct attachment *v;
	struct message m;
	size_t n;
	char *mail = test_slurp("tests/data/attachments.eml", &n);

	(void)state;
	m = message_of(&a, mail, n);
	v = m.attachments.v;
	assert_int_equal(m.attachments.n, 4);
	assert_string_equal(v[1].encoding, "base64");
	assert_memory_equal(mail + v[1].offset, "JVBERi0", 7);
	assert_string_equal(v[1].sniffed_type, "application/pdf");
	assert_string_equal(v[2].encoding, "identity");
	assert_memory_equal(mail + v[2].offset, "line one\r\n", 10);
	assert_int_equal(v[2].length, v[2].size);
	free(mail);
}

static void identity_ignores_traces_and_line_ends(void **state)
{
	static const char *const same[] = {
		"From: a@b\nSubject: x\n\nhello\n",
		"From: a@b\r\nSubject: x\r\n\r\nhello\r\n",
		"Received: by x\n\twith y\nFrom: a@b\nDelivered-To: c@d\nSubject: x\n\nhello\n",
		"Return-Path: <q@r>\nX-Spam-Score: 3\nARC-Seal: i=1\nFrom: a@b\nSubject: "
		"x\n\nhello\n",
	};
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	const char *first = NULL, *other = "From: a@b\nSubject: y\n\nhello\n";

	(void)state;
	for (size_t i = 0; i < MD_COUNT(same); i++) {
		struct message m = message_of(&a, same[i], strlen(same[i]));

		assert_int_equal(strlen(m.identity), 64);
		first = first ? first : m.identity;
		assert_string_equal(m.identity, first);
	}
	assert_string_not_equal(message_of(&a, other, strlen(other)).identity, first);
}

/* Fields that the desk decides by. */
static const struct {
	const char *mail;
	enum message_kind kind;
	bool plain, readable, silent;
} flags[] = {
	{ "From: a@b.example\n\nx", KIND_NORMAL, true, true, false },
	{ "From: a@b.example\nFrom: c@d.example\n\nx", KIND_NORMAL, false, true, false },
	{ "From: a@b.example, c@d.example\n\nx", KIND_NORMAL, false, true, false },
	{ "Subject: x\n\nx", KIND_NORMAL, false, false, true },
	{ "From: nobody here\n\nx", KIND_NORMAL, false, false, true },
	{ "Return-Path: <>\nFrom: a@b.example\n\nx", KIND_AUTO_REPLY, true, true, true },
	{ "From: noreply@b.example\n\nx", KIND_NORMAL, true, true, true },
	{ "From: bounces+7@b.example\n\nx", KIND_NORMAL, true, true, true },
	{ "From: bounce-7@b.example\n\nx", KIND_NORMAL, true, true, false },
	{ "From: a@b.example\nAuto-Submitted: auto-replied\n\nx", KIND_AUTO_REPLY, true, true,
	  true },
	{ "From: a@b.example\nAuto-Submitted: no\n\nx", KIND_NORMAL, true, true, false },
	{ "From: a@b.example\nSubject: =?utf-8?q?Absence_du_bureau_:_x?=\n\nx", KIND_AUTO_REPLY,
	  true, true, false },
	{ "From: a@b.example\nSubject: Re: absence du bureau\n\nx", KIND_NORMAL, true, true,
	  false },
	{ "From: a@b.example\nList-Id: <x.y>\n\nx", KIND_LIST, true, true, true },
	{ "From: a@b.example\nX-Maildesk-Loop: 1\n\nx", KIND_LOOP, true, true, true },
	{ "From: a@b.example\nContent-Type: multipart/report; report-type=feedback-report; "
	  "boundary=b\n\n"
	  "--b\n\nx\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--\n",
	  KIND_ABUSE_REPORT, true, true, false },
	{ "From: a@b.example\nContent-Type: multipart/report; "
	  "report-type=disposition-notification; boundary=b\n\n--b\n\nread\n--b--\n",
	  KIND_RECEIPT, true, true, false },
	{ "From: a@b.example\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
	  "Final-Recipient: rfc822; c@d.example\nAction: delayed\nStatus: 4.4.1\n",
	  KIND_DELAY, true, true, false },
	{ "From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n<c@d.example>:\n"
	  "550 5.1.1 no such user\n",
	  KIND_BOUNCE, true, true, true },
};

static void judges_senders_and_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(flags); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct message m = message_of(&a, flags[i].mail, strlen(flags[i].mail));

		if (m.kind != flags[i].kind || m.from_is_plain != flags[i].plain ||
		    m.from_readable != flags[i].readable || m.no_answer != flags[i].silent)
			fail_msg("row %zu: kind %s plain %d readable %d silent %d", i,
				 message_kind_name((enum message_kind)m.kind), m.from_is_plain,
				 m.from_readable, m.no_answer);
		assert_non_null(m.evidence);
	}
}

/* Editors leave no-break spaces in the text/plain of a mail that was written in HTML. */
static void takes_html_where_plain_is_blank(void **state)
{
	static const char *const blanks[] = { "", " \n ", "\xc2\xa0\n", "\xa0", "\xef\xbb\xbf" };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(blanks); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		const char *mail =
			arena_printf(&a,
				     "Content-Type: multipart/alternative; boundary=b\n\n"
				     "--b\nContent-Type: text/plain\n\n%s\n"
				     "--b\nContent-Type: text/html\n\n<p>written</p>\n--b--\n",
				     blanks[i]);

		assert_string_equal(message_of(&a, mail, strlen(mail)).text, "written");
	}
}

static void reads_authentication_results(void **state)
{
	const char *mail =
		"Authentication-Results: (by) mx.a.example 1 (x; dmarc=pass); spf=fail "
		"reason=\"dmarc=pass;\" smtp.mailfrom=x; dkim=pass (ok) header.i=@B.example "
		"header.b=\"a/b=\"; dkim=pass header.d=c.example\n"
		"Received: by mx.a.example\n"
		"Authentication-Results: other.example; dmarc=pass header.from=evil.example\n"
		"Authentication-Results: spf=pass smtp.mailfrom=d.example; dmarc=none\n"
		"Authentication-Results: none.example; none\n"
		"From: a@b.example\n\nx";
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
	struct message m = message_of(&a, mail, strlen(mail));
	const struct auth_field *f = m.auth_fields.v;

	(void)state;
	assert_int_equal(m.auth_fields.n, 4);
	assert_string_equal(f[0].authserv_id, "mx.a.example");
	assert_string_equal(f[0].spf, "fail");
	assert_null(f[0].dmarc);
	assert_int_equal(f[0].dkim_pass_domains.n, 2);
	assert_string_equal(f[0].dkim_pass_domains.v[0], "b.example");
	assert_string_equal(f[0].dkim_pass_domains.v[1], "c.example");
	assert_int_equal(f[0].received_above, 0);
	assert_int_equal(f[1].received_above, 1);
	assert_string_equal(f[1].dmarc_from, "evil.example");
	assert_string_equal(f[2].authserv_id, "");
	assert_string_equal(f[2].spf, "pass");
	assert_string_equal(f[3].authserv_id, "none.example");
	assert_null(f[3].spf);
	assert_string_equal(m.auth.by, "mx.a.example");
	assert_string_equal(m.auth.dkim, "pass");
}

/* The n-th allocation fails: an error, no crash, nothing leaked. */
static void survives_lack_of_memory(void **state)
{
	size_t n;
	char *mail = test_slurp("tests/data/attachments.eml", &n);
	int rc = MD_NOMEM;

	(void)state;
	message_read_prepare();
	for (long nth = 1; rc != MD_OK && nth < 1000; nth++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct message m;

		md_alloc_fail(nth, 1);
		rc = message_read((const uint8_t *)mail, n, &a, &m, NULL);
		md_alloc_fail(0, 0);
		assert_true(rc == MD_OK || rc == MD_NOMEM);
	}
	assert_int_equal(rc, MD_OK);
	free(mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_samples),
		cmocka_unit_test(survives_the_wire),
		cmocka_unit_test(attachment_slices_point_into_the_raw_mail),
		cmocka_unit_test(identity_ignores_traces_and_line_ends),
		cmocka_unit_test(judges_senders_and_kinds),
		cmocka_unit_test(takes_html_where_plain_is_blank),
		cmocka_unit_test(reads_authentication_results),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

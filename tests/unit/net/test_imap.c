#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/net/imap.h>
#include <maildesk/net/imap_guard.h>

#include "peer.h"

#include <fcntl.h>

#define HELLO "* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE] ready\r\n"
#define LOGGED_IN "%t OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE] in\r\n"
#define SELECTED                                                                                \
	"* FLAGS (\\Seen \\Deleted)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\n* 3 EXISTS\r\n" \
	"* OK [UIDVALIDITY 77] v\r\n* OK [UIDNEXT 10] n\r\n%t OK [READ-WRITE] done\r\n"
#define OPEN                                     \
	{ NULL, HELLO }, { "LOGIN", LOGGED_IN }, \
	{                                        \
		"SELECT", SELECTED               \
	}
#define SECRET "s3cr\\et \"x\""

#ifdef __SANITIZE_ADDRESS__
/* libetpan forgets the greeting when it is a BYE. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libetpan.so\n";
}
#endif

static struct cert ca, host_cert, other_cert;
static struct wire_trust *trust;
static int64_t answer_ms = 5000;

static int set_up(void **state)
{
	time_t now = time(NULL);
	char *pem;
	int rc;

	(void)state;
	ca = cert_make(NULL, "ca", now - 1000, now + 1000);
	host_cert = cert_make(&ca, "localhost", now - 1000, now + 1000);
	other_cert = cert_make(&ca, "other.example", now - 1000, now + 1000);
	pem = cert_pem(&ca);
	rc = wire_trust_new(pem, strlen(pem), &trust, NULL);
	free(pem);
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	cert_free(&ca);
	cert_free(&host_cert);
	cert_free(&other_cert);
	wire_trust_unref(trust);
	return 0;
}

static struct imap_config config_for(const struct peer *p, const char *tls)
{
	return (struct imap_config){ .host = "localhost",
				     .port = p->port,
				     .tls = tls,
				     .trust = trust,
				     .user = "support",
				     .secret = SECRET,
				     .timeout_ms = answer_ms };
}

/* Everything the client says in the clear and in TLS is the peer's to check afterwards. */
static int open_only(struct peer *p, const char *tls, bool xoauth2, struct md_err *err)
{
	struct imap_config c;
	struct imap *s = NULL;
	int rc;

	assert_int_equal(peer_start(p), 0);
	c = config_for(p, tls);
	c.xoauth2 = xoauth2;
	rc = imap_open(&c, &s, err);
	imap_close(s);
	peer_join(p);
	return rc;
}

static void no_credential_leaves_unless_it_may(void **state)
{
	static const struct peer_step none_ok[] = { { NULL, "* OK hi\r\n" },
						    { "CAPABILITY", "%t OK but none\r\n" },
						    { "LOGIN", LOGGED_IN },
						    PEER_END };
	static const struct peer_step tls_ok[] = { { NULL, HELLO },
						   { "LOGIN", LOGGED_IN },
						   PEER_END };
	static const struct peer_step starttls_ok[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n" },
		{ "STARTTLS", "%t OK go\r\n" },
		{ NULL, PEER_TLS },
		{ "CAPABILITY", "* CAPABILITY IMAP4rev1\r\n%t OK done\r\n" },
		{ "LOGIN", LOGGED_IN },
		PEER_END
	};
	static const struct peer_step stripped[] = { { NULL, HELLO },
						     { NULL, PEER_SILENT },
						     PEER_END };
	static const struct peer_step refused[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n" },
		{ "STARTTLS", "%t NO not today\r\n" },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	static const struct peer_step injected[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n" },
		{ "STARTTLS", "%t OK go\r\n* CAPABILITY IMAP4rev1\r\n2 OK in\r\n3 OK in\r\n" },
		{ NULL, PEER_TLS },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	static const struct peer_step preauth[] = { { NULL, "* PREAUTH welcome\r\n" },
						    { NULL, PEER_SILENT },
						    PEER_END };
	static const struct peer_step disabled[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n" },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	static const struct peer_step plain[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR] hi\r\n" },
		{ "AUTHENTICATE PLAIN AHN1cHBvcnQAczNjclxldCAieCI=", LOGGED_IN },
		PEER_END
	};
	static const struct peer_step oauth[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\r\n" },
		{ "AUTHENTICATE XOAUTH2 "
		  "dXNlcj1zdXBwb3J0AWF1dGg9QmVhcmVyIHMzY3JcZXQgIngiAQE=",
		  LOGGED_IN },
		PEER_END
	};
	static const struct peer_step oauth_bad[] = {
		{ NULL, "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\r\n" },
		{ "XOAUTH2", "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n" },
		{ "\r\n", "1 NO expired\r\n" } /* an empty line has no tag */,
		PEER_END
	};
	static const struct peer_step wrong[] = {
		{ NULL, HELLO }, { "LOGIN", "%t NO [AUTHENTICATIONFAILED] no\r\n" }, PEER_END
	};
	static const struct peer_step not_now[] = { { NULL, HELLO },
						    { "LOGIN", "%t NO [UNAVAILABLE] later\r\n" },
						    PEER_END };
	static const struct peer_step mute[] = { { NULL, HELLO }, { NULL, PEER_SILENT }, PEER_END };
	static const struct peer_step bye[] = { { NULL, "* BYE full\r\n" }, PEER_END };
	static const struct peer_step bye_later[] = { { NULL, HELLO },
						      { "LOGIN", "* BYE going down\r\n" },
						      PEER_END };
	const struct {
		const char *name;
		const struct peer_step *script;
		const char *tls;
		bool tls_first, oauth;
		struct cert *cert;
		int rc;
		const char *says;
		bool sent; /* whether the credential may have been sent at all */
	} cases[] = {
		{ "plain to this machine", none_ok, "none", false, false, NULL, MD_OK, NULL, true },
		{ "tls", tls_ok, "tls", true, false, &host_cert, MD_OK, NULL, true },
		{ "tls, wrong host", tls_ok, "tls", true, false, &other_cert, MD_BROKEN,
		  "certificate", false },
		{ "starttls", starttls_ok, "starttls", false, false, &host_cert, MD_OK, NULL,
		  true },
		{ "starttls, wrong host", starttls_ok, "starttls", false, false, &other_cert,
		  MD_BROKEN, "certificate", false },
		{ "starttls stripped", stripped, "starttls", false, false, NULL, MD_BROKEN,
		  "STARTTLS", false },
		{ "starttls refused", refused, "starttls", false, false, NULL, MD_BROKEN,
		  "STARTTLS", false },
		{ "starttls injected", injected, "starttls", false, false, &host_cert, MD_BROKEN,
		  "TLS", false },
		{ "preauth, starttls", preauth, "starttls", false, false, NULL, MD_BROKEN,
		  "PREAUTH", false },
		{ "preauth, none", preauth, "none", false, false, NULL, MD_BROKEN, "PREAUTH",
		  false },
		{ "login disabled", disabled, "none", false, false, NULL, MD_BROKEN, "password",
		  false },
		{ "sasl plain", plain, "none", false, false, NULL, MD_OK, NULL, true },
		{ "no oauth", disabled, "none", false, true, NULL, MD_BROKEN, "XOAUTH2", false },
		{ "oauth", oauth, "none", false, true, NULL, MD_OK, NULL, true },
		{ "oauth, expired", oauth_bad, "none", false, true, NULL, MD_REFUSED, "expired",
		  true },
		{ "wrong password", wrong, "none", false, false, NULL, MD_REFUSED, "login", true },
		{ "not now", not_now, "none", false, false, NULL, MD_AGAIN, "later", true },
		{ "no answer", mute, "none", false, false, NULL, MD_AGAIN, "no answer", true },
		{ "bye", bye, "none", false, false, NULL, MD_AGAIN, "full", false },
		{ "bye at login", bye_later, "none", false, false, NULL, MD_AGAIN, "closed", true },
		{ "no such setting", bye, "tsl", false, false, NULL, MD_BROKEN, "tsl", false },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct peer p = { .script = cases[i].script, .tls_first = cases[i].tls_first };
		struct md_err err = { 0 };
		int rc;

		if (cases[i].cert)
			p.credentials = cert_credentials(cases[i].cert);
		answer_ms = cases[i].script == mute ? 100 : 5000;
		rc = open_only(&p, cases[i].tls, cases[i].oauth, &err);
		if (rc != cases[i].rc || (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("%s: %d %s", cases[i].name, rc, err.text);
		if (strcmp(cases[i].tls, "none") != 0 && strstr(buf_str(&p.clear), "support"))
			fail_msg("%s: told in the clear", cases[i].name);
		if (!cases[i].sent && (strstr(buf_str(&p.heard), "support") ||
				       strstr(buf_str(&p.heard), "AUTHENTICATE")))
			fail_msg("%s: told %s", cases[i].name, buf_str(&p.heard));
		if (strstr(err.text, "s3cr"))
			fail_msg("%s: secret in the error", cases[i].name);
		if (cases[i].cert)
			gnutls_certificate_free_credentials(p.credentials);
		peer_done(&p);
	}
}

/* ---- a session of a few mails ---- */

struct got {
	size_t n;
	struct {
		size_t index;
		char *text;
	} mails[10];
};

static int keep(void *ctx, size_t index, const char *raw, size_t n, struct md_err *err)
{
	struct got *g = ctx;

	(void)err;
	g->mails[g->n].index = index;
	g->mails[g->n++].text = strndup(raw, n);
	return MD_OK;
}

static void got_done(struct got *g)
{
	while (g->n)
		free(g->mails[--g->n].text);
}

static int open_at(struct peer *p, struct imap **ret, struct imap_folder *folder,
		   struct md_err *err)
{
	struct imap_config c = config_for(p, "none");
	int rc = imap_open(&c, ret, err);

	return rc == MD_OK ? imap_select(*ret, "INBOX", folder, err) : rc;
}

static void mails_are_listed_sized_and_fetched_whatever_the_order(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID SEARCH UID 5:*", "* SEARCH 9 7 4 7\r\n%t OK done\r\n" },
		{ "UID FETCH 7,9",
		  "* 3 FETCH (UID 9 RFC822.SIZE 12 INTERNALDATE \"20-Nov-2026 16:02:03 +0100\")\r\n"
		  "* 1 FETCH (FLAGS (\\Seen))\r\n* 1 EXPUNGE\r\n* 5 EXISTS\r\n"
		  "* 2 FETCH (RFC822.SIZE 5 UID 7)\r\n"
		  "* 2 FETCH (RFC822.SIZE 6 UID 8)\r\n%t OK done\r\n" },
		{ "UID FETCH 7,9", "* 3 FETCH (UID 9 BODY[] {12}\r\nsecond\r\nmail)\r\n"
				   "* 1 FETCH (UID 4 BODY[] {3}\r\nold)\r\n"
				   "* 2 FETCH (BODY[] {5}\r\nfirst UID 7)\r\n"
				   "* 2 FETCH (BODY[] {5}\r\ntwice UID 7)\r\n%t OK done\r\n" },
		PEER_END
	};

	(void)state;
	for (size_t chunk = 0; chunk < 4; chunk++) {
		struct peer p = { .script = script, .chunk = chunk };
		struct imap_folder folder;
		struct imap_mail mails[2] = { 0 };
		struct got got = { 0 };
		struct md_err err = { 0 };
		struct imap *s;
		uint32_t *uids;
		bool all;
		size_t n;

		assert_int_equal(peer_start(&p), 0);
		assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
		assert_int_equal(folder.uidvalidity, 77);
		assert_int_equal(folder.uidnext, 10);
		assert_int_equal(folder.exists, 3);
		assert_false(folder.read_only);
		assert_true(imap_has_idle(s));
		assert_int_equal(imap_list(s, 4, &uids, &n, &all, &err), MD_OK);
		assert_int_equal(n, 2);
		assert_true(all);
		assert_int_equal(uids[0], 7);
		assert_int_equal(uids[1], 9);
		mails[0].uid = 7;
		mails[1].uid = 9;
		assert_int_equal(imap_sizes(s, mails, 2, &err), MD_OK);
		assert_int_equal(mails[0].size, 5);
		assert_int_equal(mails[1].size, 12);
		assert_int_equal(mails[0].internaldate_ms, 0);
		assert_int_equal(mails[1].internaldate_ms, 1795186923000);
		assert_int_equal(imap_fetch(s, mails, 2, keep, &got, &err), MD_OK);
		assert_int_equal(got.n, 2);
		assert_int_equal(got.mails[0].index, 0);
		assert_string_equal(got.mails[0].text, "first");
		assert_string_equal(got.mails[1].text, "second\r\nmail");
		got_done(&got);
		free(uids);
		imap_close(s);
		peer_join(&p);
		assert_non_null(strstr(buf_str(&p.heard), "BODY.PEEK[]"));
		assert_non_null(strstr(buf_str(&p.heard), "\"s3cr\\\\et \\\"x\\\"\""));
		peer_done(&p);
	}
}

static void gaps_of_uids_take_few_questions(void **state)
{
	static const struct peer_step script[] = {
		{ NULL, HELLO },
		{ "LOGIN", LOGGED_IN },
		{ "SELECT",
		  "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4000000000] x\r\n%t OK "
		  "[READ-ONLY] x\r\n" },
		{ "UID SEARCH UID 1:20000", "* SEARCH\r\n%t OK done\r\n" },
		{ "UID SEARCH UID 20001:100000", "* SEARCH\r\n%t OK done\r\n" },
		{ "UID SEARCH UID 100001:420000", "%t OK done\r\n" },
		{ "UID SEARCH UID 420001:1700000", "* SEARCH 500000\r\n%t OK done\r\n" },
		PEER_END
	};
	struct peer p = { .script = script };
	struct imap_folder folder;
	struct md_err err = { 0 };
	struct imap *s;
	uint32_t *uids;
	bool all;
	size_t n;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
	assert_true(folder.read_only);
	if (imap_list(s, 0, &uids, &n, &all, &err) != MD_OK)
		fail_msg("%s", err.text);
	assert_int_equal(n, 1);
	assert_false(all);
	assert_int_equal(uids[0], 500000);
	free(uids);
	imap_close(s);
	peer_join(&p);
	peer_done(&p);
}

static void a_folder_without_uidvalidity_is_an_error(void **state)
{
	static const struct peer_step missing[] = { { NULL, HELLO },
						    { "LOGIN", LOGGED_IN },
						    { "SELECT", "* 3 EXISTS\r\n%t OK done\r\n" },
						    PEER_END };
	static const struct peer_step refused[] = { { NULL, HELLO },
						    { "LOGIN", LOGGED_IN },
						    { "SELECT", "%t NO [NONEXISTENT] none\r\n" },
						    PEER_END };
	static const struct peer_step no_uidnext[] = {
		{ NULL, HELLO },
		{ "LOGIN", LOGGED_IN },
		{ "SELECT", "* 3 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n%t OK done\r\n" },
		{ "UID SEARCH UID 1:*", "* SEARCH 3 41\r\n%t OK done\r\n" },
		PEER_END
	};
	const struct {
		const struct peer_step *script;
		int rc;
		uint32_t uidnext;
	} cases[] = { { missing, MD_INPUT, 0 },
		      { refused, MD_REFUSED, 0 },
		      { no_uidnext, MD_OK, 42 } };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct peer p = { .script = cases[i].script };
		struct imap_folder folder = { 0 };
		struct md_err err;
		struct imap *s = NULL;

		assert_int_equal(peer_start(&p), 0);
		assert_int_equal(open_at(&p, &s, &folder, &err), cases[i].rc);
		assert_int_equal(folder.uidnext, cases[i].uidnext);
		imap_close(s);
		peer_join(&p);
		peer_done(&p);
	}
}

static void what_did_not_come_is_left_out(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID FETCH 7,9", "* 2 FETCH (UID 7 BODY[] NIL)\r\n* 3 FETCH (UID 9 BODY[] "
				   "\"quoted\")\r\n%t OK done\r\n" },
		{ "UID FETCH 7,9", "%t NO gone\r\n" },
		{ "UID FETCH 7,9", "* 3 FETCH (UID 9 BODY[] {1}\r\nx)\r\n%t NO only some\r\n" },
		{ "BODY.PEEK[HEADER]<0.10>",
		  "* 2 FETCH (UID 7 BODY[HEADER]<0> {10}\r\nSubject: x)\r\n%t OK done\r\n" },
		PEER_END
	};
	struct peer p = { .script = script };
	struct imap_mail mails[2] = { { .uid = 7, .size = 5 }, { .uid = 9, .size = 5 } };
	struct imap_folder folder;
	struct got got = { 0 };
	struct md_err err;
	struct imap *s;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
	assert_int_equal(imap_fetch(s, mails, 2, keep, &got, &err), MD_OK);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.mails[0].index, 1);
	assert_string_equal(got.mails[0].text, "quoted");
	got_done(&got);
	assert_int_equal(imap_fetch(s, mails, 2, keep, &got, &err), MD_REFUSED);
	assert_int_equal(got.n, 0);
	assert_int_equal(imap_fetch(s, mails, 2, keep, &got, &err), MD_OK);
	assert_int_equal(got.n, 1);
	got_done(&got);
	assert_int_equal(imap_fetch_header(s, mails, 10, keep, &got, &err), MD_OK);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.mails[0].text, "Subject: x");
	got_done(&got);
	imap_close(s);
	peer_join(&p);
	peer_done(&p);
}

static void a_mail_goes_to_a_file_or_not_at_all(void **state)
{
	static const struct {
		const char *answer;
		int rc;
		const char *content;
	} cases[] = {
		{ "* 1 FETCH (UID 7 BODY[] {11}\r\nhello\r\nyou\n)\r\n%t OK done\r\n", MD_OK,
		  "hello\r\nyou\n" },
		{ "* 1 FETCH (BODY[] {3}\r\nyes UID 7)\r\n* 2 FETCH (FLAGS ())\r\n%t OK done\r\n",
		  MD_OK, "yes" },
		{ "* 1 FETCH (UID 7 BODY[] \"short\")\r\n%t OK done\r\n", MD_OK, "short" },
		{ "* 1 FETCH (UID 8 BODY[] {3}\r\nbad)\r\n%t OK done\r\n", MD_NOTFOUND, NULL },
		{ "* 1 FETCH (UID 8 BODY[] {3}\r\nbad)\r\n* 2 FETCH (UID 7 BODY[] "
		  "{3}\r\nyes)\r\n%t "
		  "OK done\r\n",
		  MD_INPUT, NULL },
		{ "* 1 FETCH (UID 7 BODY[] NIL)\r\n%t OK done\r\n", MD_NOTFOUND, NULL },
		{ "%t OK done\r\n", MD_NOTFOUND, NULL },
		{ "* 1 FETCH (UID 7 BODY[] {11}\r\nhel", MD_AGAIN, NULL },
		{ "* 1 FETCH (UID 7 BODY[] {4294967290}\r\nhel", MD_INPUT, NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const struct peer_step script[] = { OPEN,
						    { "UID FETCH 7", cases[i].answer },
						    PEER_END };
		struct peer p = { .script = script };
		char name[] = "/tmp/maildesk-imap-XXXXXX", content[100] = "";
		struct imap_mail mail = { .uid = 7, .size = 11 };
		struct imap_folder folder;
		struct md_err err = { 0 };
		struct imap *s;
		int rc, fd = mkstemp(name);

		unlink(name);
		assert_int_equal(peer_start(&p), 0);
		assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
		rc = imap_fetch_to_file(s, &mail, fd, &err);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %d %s", i, rc, err.text);
		assert_true(pread(fd, content, sizeof content - 1, 0) >= 0);
		if (cases[i].content)
			assert_string_equal(content, cases[i].content);
		imap_close(s);
		peer_join(&p);
		peer_done(&p);
		close(fd);
	}
}

static void a_full_disk_is_our_trouble_not_the_servers(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID FETCH 7", "* 1 FETCH (UID 7 BODY[] {3}\r\nyes)\r\n%t OK done\r\n" },
		PEER_END
	};
	struct peer p = { .script = script };
	struct imap_mail mail = { .uid = 7, .size = 3 };
	struct imap_folder folder;
	struct md_err err;
	struct imap *s;
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
	assert_int_equal(imap_fetch_to_file(s, &mail, fd, &err), MD_BROKEN);
	assert_non_null(strstr(err.text, "spool"));
	imap_close(s);
	peer_join(&p);
	peer_done(&p);
	close(fd);
}

static void marks_are_what_was_asked_for(void **state)
{
	static const struct peer_step seen[] = {
		OPEN, { "UID STORE 7:8,10 +FLAGS.SILENT (\\Seen)", "%t OK done\r\n" }, PEER_END
	};
	static const struct peer_step deleted[] = {
		OPEN,
		{ "UID STORE 7:8,10 +FLAGS.SILENT (\\Deleted)", "%t OK done\r\n" },
		{ "UID EXPUNGE 7:8,10", "* 1 EXPUNGE\r\n%t OK done\r\n" },
		PEER_END
	};
	static const struct peer_step moved[] = {
		OPEN,
		{ "UID MOVE 7:8,10 \"Done &- Gel&APY-scht\"",
		  "* OK [COPYUID 9 7:8,10 1:3]\r\n* 1 EXPUNGE\r\n%t OK done\r\n" },
		PEER_END
	};
	static const struct peer_step copied[] = {
		{ NULL, HELLO },
		{ "LOGIN", "%t OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n" },
		{ "SELECT", SELECTED },
		{ "UID COPY 7:8,10 \"Done &- Gel&APY-scht\"", "%t OK [COPYUID 9 7:8,10 1:3]\r\n" },
		{ "UID STORE 7:8,10 +FLAGS.SILENT (\\Deleted)", "%t OK done\r\n" },
		{ "UID EXPUNGE 7:8,10", "%t OK done\r\n" },
		PEER_END
	};
	static const struct peer_step no_uidplus[] = {
		{ NULL, HELLO },
		{ "LOGIN", "%t OK [CAPABILITY IMAP4rev1] in\r\n" },
		{ "SELECT", SELECTED },
		{ "UID STORE 7:8,10 +FLAGS.SILENT (\\Deleted)", "%t OK done\r\n" },
		{ "NOOP", "%t OK done\r\n" }, /* the test's: no EXPUNGE before it */
		PEER_END
	};
	static const struct peer_step refused[] = { OPEN,
						    { "UID STORE", "%t NO [READ-ONLY] no\r\n" },
						    { "NOOP", "%t OK done\r\n" },
						    PEER_END };
	const struct {
		const struct peer_step *script;
		const char *how;
		int rc;
	} cases[] = {
		{ seen, "seen", MD_OK },
		{ deleted, "delete", MD_OK },
		{ moved, "move:Done & Gelöscht", MD_OK },
		{ copied, "move:Done & Gelöscht", MD_OK },
		{ no_uidplus, "delete", MD_OK },
		{ refused, "seen", MD_REFUSED },
		{ seen, "burn", MD_BROKEN },
	};
	static const uint32_t uids[] = { 7, 8, 10 };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct peer p = { .script = cases[i].script };
		struct imap_folder folder;
		struct md_err err = { 0 };
		struct imap *s;
		int rc;

		assert_int_equal(peer_start(&p), 0);
		assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
		rc = imap_mark(s, uids, 3, cases[i].how, &err);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %d %s", i, rc, err.text);
		if (cases[i].script == refused || cases[i].script == no_uidplus)
			assert_int_equal(imap_noop(s, &err), MD_OK);
		imap_close(s);
		peer_join(&p);
		assert_null(
			strstr(buf_str(&p.heard), cases[i].script == no_uidplus ? "EXPUNGE" : "!"));
		peer_done(&p);
	}
}

static void idle_wakes_and_ends(void **state)
{
	static const struct peer_step script[] = { OPEN,
						   { "IDLE", "+ idling\r\n" },
						   { NULL, "* 4 EXISTS\r\n" },
						   { "DONE", "%t OK done\r\n" },
						   { "IDLE", "+ idling\r\n* 5 EXISTS\r\n" },
						   { "DONE", "%t OK done\r\n" },
						   { "NOOP", "%t OK done\r\n" },
						   PEER_END };
	struct peer p = { .script = script };
	struct imap_folder folder;
	struct md_err err = { 0 };
	struct imap *s;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(imap_idle_start(s, &err), MD_OK);
		struct pollfd wait = { .fd = imap_fd(s), .events = POLLIN };

		/* what came along with the answer is in a buffer, where poll() does not see it */
		if (!imap_has_pending(s))
			assert_int_equal(poll(&wait, 1, 5000), 1);
		assert_int_equal(imap_idle_done(s, &err), MD_OK);
	}
	assert_int_equal(imap_noop(s, &err), MD_OK);
	imap_close(s);
	peer_join(&p);
	peer_done(&p);
}

/* Nor is a server waited for that neither takes up IDLE nor ends it. */
static void idle_is_not_waited_for(void **state)
{
	static const struct peer_step never[] = { OPEN, { "IDLE", PEER_SILENT }, PEER_END };
	static const struct peer_step no_end[] = {
		OPEN, { "IDLE", "+ idling\r\n" }, { "DONE", PEER_SILENT }, PEER_END
	};
	static const struct peer_step *const scripts[] = { never, no_end };

	(void)state;
	answer_ms = 1000;
	for (size_t i = 0; i < MD_COUNT(scripts); i++) {
		struct peer p = { .script = scripts[i] };
		struct imap_folder folder;
		struct md_err err = { 0 };
		struct imap *s;
		int rc;

		assert_int_equal(peer_start(&p), 0);
		assert_int_equal(open_at(&p, &s, &folder, &err), MD_OK);
		rc = imap_idle_start(s, &err);
		if (scripts[i] == no_end) {
			assert_int_equal(rc, MD_OK);
			rc = imap_idle_done(s, &err);
		}
		assert_int_equal(rc, MD_AGAIN);
		imap_close(s);
		peer_join(&p);
		peer_done(&p);
	}
	answer_ms = 5000;
}

/* ---- faults ---- */

/* All the work of a session; how many mails it handed over whole, or -1 for a wrong one. */
static int work(struct peer *p, struct md_err *err)
{
	struct imap_mail mails[2] = { 0 };
	struct got got = { 0 };
	struct imap_folder folder;
	struct imap *s = NULL;
	uint32_t *uids = NULL;
	bool all;
	size_t n = 0;
	int good = 0, rc = open_at(p, &s, &folder, err);

	if (rc == MD_OK)
		rc = imap_list(s, 4, &uids, &n, &all, err);
	for (size_t i = 0; rc == MD_OK && i < n && i < 2; i++)
		mails[i].uid = uids[i];
	if (rc == MD_OK && n == 2)
		rc = imap_sizes(s, mails, 2, err);
	if (rc == MD_OK && n == 2)
		rc = imap_fetch(s, mails, 2, keep, &got, err);
	if (rc == MD_OK && n == 2)
		rc = imap_mark(s, uids, 2, "seen", err);
	for (size_t i = 0; i < got.n; i++)
		good += strcmp(got.mails[i].text, i ? "second" : "first") == 0 ? 1 : -100;
	got_done(&got);
	free(uids);
	imap_close(s);
	return good < 0 ? -1 : rc == MD_OK ? 10 + good : good;
}

static const struct peer_step whole_session[] = {
	OPEN,
	{ "UID SEARCH UID 5:*", "* SEARCH 7 9\r\n%t OK searched\r\n" },
	{ "UID FETCH 7,9",
	  "* 2 FETCH (UID 7 RFC822.SIZE 5 INTERNALDATE \"20-Nov-2026 16:02:03 +0100\")\r\n"
	  "* 3 FETCH (UID 9 RFC822.SIZE 6)\r\n%t OK done\r\n" },
	{ "UID FETCH 7,9", "* 2 FETCH (UID 7 BODY[] {5}\r\nfirst)\r\n* 3 FETCH (UID 9 BODY[] "
			   "{6}\r\nsecond)\r\n%t OK done\r\n" },
	{ "UID STORE", "%t OK done\r\n" },
	PEER_END
};

static void a_cut_at_any_byte_loses_time_only(void **state)
{
	struct md_err err;
	size_t length, whole = 0;

	(void)state;
	struct peer all = { .script = whole_session };
	assert_int_equal(peer_start(&all), 0);
	assert_int_equal(work(&all, &err), 12);
	peer_join(&all);
	peer_done(&all);
	length = all.sent;
	assert_true(length > 400);
	for (size_t cut = 1; cut < length; cut++) {
		struct peer p = { .script = whole_session, .send_max = cut };
		int result;

		assert_int_equal(peer_start(&p), 0);
		result = work(&p, &err);
		peer_join(&p);
		peer_done(&p);
		/* none or both of a batch, and never a success */
		if (result != 0 && result != 2)
			fail_msg("cut at %zu: %d", cut, result);
		whole += result == 2;
	}
	assert_true(whole > 0 && whole < 60);
}

static void nonsense_at_any_step_ends_the_session_only(void **state)
{
	static const char *const nonsense[] = {
		"",
		"\r\n",
		"garbage\r\n",
		"* BYE enough\r\n",
		"* BAD command\r\n%t BAD you\r\n",
		"%t BAD you\r\n",
		"99 OK other tag\r\n",
		"* OK [PERMANENTFLAGS (\r\n%t OK done\r\n",
		"* OK [PermanentFlags (\\Seen\r\n%t OK done\r\n",
		"* 1 FETCH (UID 7 BODY[] {4294967290}\r\nx",
		"* 1 FETCH (UID 7 BODY[] {99999999999999999999}\r\nx",
		"* 1 FETCH (UID 7 BODY[] {-1}\r\nx",
		"* 1 FETCH (UID 7 BODY[] {3}\r\nxyz",
		"* 1 FETCH (UID 99999999999999 RFC822.SIZE -1)\r\n%t OK done\r\n",
		"* LIST () NIL {3}\r\n",
		"* STATUS x ()\r\n%t OK done\r\n",
		"* SEARCH 1 2 3 x\r\n",
		"* ESEARCH (TAG x) UID ALL 1:5\r\n%t OK done\r\n",
		"\xff\xfe\x01\x02\x03\r\n",
		"* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n* 3 EXPUNGE\r\n* 4 EXPUNGE\r\n",
		"+ go ahead\r\n",
		"* CAPABILITY\r\n%t OK done\r\n",
		/* as deep as the guard lets pass */
		"* 1 FETCH (UID 7 BODYSTRUCTURE "
		"(((((((((((((((((((((((((((((((((((((((((((((((((("
		"((((((((((((((((((((((((((((((((((((((((((((((((\r\n%t OK done\r\n",
	};
	struct md_err err;

	(void)state;
	answer_ms = 50; /* much of it leaves both sides waiting */
	for (size_t at = 0; at < 7; at++) {
		for (size_t i = 0; i < MD_COUNT(nonsense); i++) {
			struct peer_step script[MD_COUNT(whole_session)];
			struct peer p = { .script = script };
			int result;

			memcpy(script, whole_session, sizeof script);
			script[at].send = nonsense[i];
			assert_int_equal(peer_start(&p), 0);
			result = work(&p, &err);
			peer_join(&p);
			peer_done(&p);
			if (result == -1 || (result > 2 && result < 10))
				fail_msg("step %zu, %s: %d", at, nonsense[i], result);
		}
	}
	answer_ms = 5000;
}

/* Lists too deep for a parser's stack, and lines without end. */
static void monsters_are_refused_in_time_and_memory(void **state)
{
	size_t n = 20 << 20;
	char *deep = malloc(n + 100), *flat = malloc(n + 100);
	const char *const monsters[] = { deep, flat };
	struct md_err err;

	(void)state;
	strcpy(deep, "* 1 FETCH (UID 7 BODYSTRUCTURE ");
	memset(deep + strlen(deep), '(', 400000);
	strcpy(deep + 400000, "\r\n%t OK done\r\n");
	strcpy(flat, "* OK ");
	memset(flat + 5, 'a', n);
	strcpy(flat + n, "\r\n%t OK done\r\n");
	for (size_t i = 0; i < MD_COUNT(monsters); i++) {
		struct peer_step script[MD_COUNT(whole_session)];
		struct peer p = { .script = script };
		int64_t before = clock_mono(&clock_system);

		memcpy(script, whole_session, sizeof script);
		script[4].send = monsters[i];
		assert_int_equal(peer_start(&p), 0);
		assert_int_equal(work(&p, &err), 0);
		peer_join(&p);
		peer_done(&p);
		assert_true(clock_mono(&clock_system) - before < 30000);
	}
	free(deep);
	free(flat);
}

/* ---- the guard alone ---- */

static void the_guard_knows_lines_from_literals(void **state)
{
	static const char in[] = "* OK [PERMANENTFLAGS (x)] permanentflags\r\n"
				 "* 1 FETCH (BODY[] {16}\r\nPERMANENTFLAGS((UID 3)\r\n"
				 "* X {0+}\r\nPERMANENTFLAGS\r\n* {x}\r\nPERMANENTFLAGS\r\n";
	static const char out[] = "* OK [PERMANENTFLAGX (x)] permanentflagX\r\n"
				  "* 1 FETCH (BODY[] {16}\r\nPERMANENTFLAGS((UID 3)\r\n"
				  "* X {0+}\r\nPERMANENTFLAGX\r\n* {x}\r\nPERMANENTFLAGX\r\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof in; piece++) {
		struct imap_guard g = { .literal_max = 1000 };
		char copy[sizeof in];

		memcpy(copy, in, sizeof in);
		assert_true(imap_guard_is_idle(&g));
		for (size_t i = 0; i < sizeof in - 1; i += piece) {
			size_t n = sizeof in - 1 - i;

			assert_int_equal(imap_guard_pass(&g, copy + i, n < piece ? n : piece, NULL),
					 MD_OK);
		}
		assert_string_equal(copy, out);
		assert_true(imap_guard_is_idle(&g));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_credential_leaves_unless_it_may),
		cmocka_unit_test(mails_are_listed_sized_and_fetched_whatever_the_order),
		cmocka_unit_test(gaps_of_uids_take_few_questions),
		cmocka_unit_test(a_folder_without_uidvalidity_is_an_error),
		cmocka_unit_test(what_did_not_come_is_left_out),
		cmocka_unit_test(a_mail_goes_to_a_file_or_not_at_all),
		cmocka_unit_test(a_full_disk_is_our_trouble_not_the_servers),
		cmocka_unit_test(marks_are_what_was_asked_for),
		cmocka_unit_test(idle_wakes_and_ends),
		cmocka_unit_test(idle_is_not_waited_for),
		cmocka_unit_test(a_cut_at_any_byte_loses_time_only),
		cmocka_unit_test(nonsense_at_any_step_ends_the_session_only),
		cmocka_unit_test(monsters_are_refused_in_time_and_memory),
		cmocka_unit_test(the_guard_knows_lines_from_literals),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

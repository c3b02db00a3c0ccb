/* What token servers say, and what is made of it; whom a token or secret is shown. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/net/oauth.h>

#include "peer.h"

#include <stdlib.h>

#define OLD "rt-old"
#define SECRET "sesame"

struct call {
	const char *tls_ca; /* the server speaks TLS; "" for the system's authorities */
	int64_t timeout_ms;
	bool silent;
};

/* One answer to a refresh; what the server heard is in *ret_heard. */
static int refresh(const char *answer, struct cert *cert, const struct call *c,
		   struct oauth_tokens *ret, struct buf *ret_heard, struct md_err *err)
{
	const struct peer_step script[] = { { "POST /token", c->silent ? PEER_SILENT : answer },
					    PEER_END };
	struct peer p = { .script = script, .tls_first = cert != NULL };
	char url[100];
	const struct oauth_client client = { .token_url = url,
					     .device_url = "",
					     .id = "desk",
					     .secret = SECRET,
					     .scope = "a b",
					     .ca_file = c->tls_ca ? c->tls_ca : "",
					     .timeout_ms = c->timeout_ms };
	int rc;

	if (cert)
		p.credentials = cert_credentials(cert);
	assert_int_equal(peer_start(&p), 0);
	snprintf(url, sizeof url, "%s://127.0.0.1:%d/token", cert ? "https" : "http", p.port);
	rc = oauth_by_refresh(&client, OLD, ret, err);
	peer_join(&p);
	if (ret_heard)
		buf_adds(ret_heard, buf_str(&p.heard));
	peer_done(&p);
	if (cert)
		gnutls_certificate_free_credentials(p.credentials);
	return rc;
}

#define HTTP(status, body) "HTTP/1.1 " status " x\r\nConnection: close\r\n\r\n" body

static void answers_are_told_apart(void **state)
{
	static const struct {
		const char *answer;
		int rc, no;
		const char *says, *never;
	} cases[] = {
		{ HTTP("200", "{\"access_token\":\"at\",\"token_type\":\"bearer\",\"x\":[1]}"),
		  MD_OK, 0, NULL, NULL },
		{ HTTP("200", "{\"access_token\":\"at\",\"token_type\":\"mac\"}"), MD_AGAIN, 0,
		  "no bearer token", NULL },
		{ HTTP("200", "{\"access_token\":\"a\\nb\"}"), MD_AGAIN, 0, "no bearer token",
		  NULL },
		{ HTTP("200", "{\"access_token\":\"at\",\"refresh_token\":\"\\u00e9\"}"), MD_AGAIN,
		  0, "no bearer token", NULL },
		{ HTTP("200", "{\"access_token\":7}"), MD_AGAIN, 0, "no bearer token", NULL },
		{ HTTP("200", "{}"), MD_AGAIN, 0, "no bearer token", NULL },
		{ HTTP("200", "[]"), MD_AGAIN, 0, "like a token server", NULL },
		{ HTTP("200", "<html>\xff"), MD_AGAIN, 0, "like a token server", NULL },
		{ HTTP("200", "[[[[[[[[[[[[]]]]]]]]]]]]"), MD_AGAIN, 0, "like a token server",
		  NULL },
		{ HTTP("200", "{\"error\":\"invalid_grant\"}"), MD_REFUSED, OAUTH_GRANT,
		  "invalid_grant", NULL },
		{ HTTP("400", "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS70000: "
			      "no\\r\\nmore\"}"),
		  MD_REFUSED, OAUTH_GRANT, "invalid_grant: AADSTS70000: no", "\n" },
		{ HTTP("400",
		       "{\"error\":\"invalid_grant\",\"error_description\":\"not " OLD "\"}"),
		  MD_REFUSED, OAUTH_GRANT, "invalid_grant", OLD },
		{ HTTP("401", "{\"error\":\"" SECRET "\"}"), MD_REFUSED, OAUTH_OTHER, "says",
		  SECRET },
		{ HTTP("401", "{\"error\":\"invalid_client\"}"), MD_REFUSED, OAUTH_OTHER,
		  "invalid_client", NULL },
		{ HTTP("400", "{\"error\":\"authorization_pending\"}"), MD_REFUSED, OAUTH_PENDING,
		  NULL, NULL },
		{ HTTP("400", "{\"error\":\"slow_down\"}"), MD_REFUSED, OAUTH_SLOW_DOWN, NULL,
		  NULL },
		{ HTTP("400", "{\"error\":\"authorization_declined\"}"), MD_REFUSED, OAUTH_DENIED,
		  NULL, NULL },
		{ HTTP("400", "{\"error\":\"expired_token\"}"), MD_REFUSED, OAUTH_EXPIRED, NULL,
		  NULL },
		{ HTTP("400", "{\"error\":\"server_error\"}"), MD_AGAIN, 0, "server_error", NULL },
		{ HTTP("503", "{\"error\":\"invalid_grant\"}"), MD_AGAIN, 0, "503", NULL },
		{ HTTP("429", "{\"error\":\"invalid_grant\"}"), MD_AGAIN, 0, "429", NULL },
		{ HTTP("404", "no"), MD_AGAIN, 0, "404", NULL },
		{ "HTTP/1.1 307 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", MD_AGAIN,
		  0, "307", NULL },
		{ "junk\r\n", MD_AGAIN, 0, "127.0.0.1", NULL },
		{ "", MD_AGAIN, 0, "127.0.0.1", NULL },
	};
	const struct call plain = { .timeout_ms = 20000 };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(oauth_tokens_done) struct oauth_tokens t = { 0 };
		md_auto(buf_done) struct buf heard = BUF_INIT(1 << 20);
		struct md_err err = { 0 };
		int rc = refresh(cases[i].answer, NULL, &plain, &t, &heard, &err);

		if (rc != cases[i].rc || (rc == MD_REFUSED && err.native != cases[i].no) ||
		    (cases[i].says && !strstr(err.text, cases[i].says)) ||
		    (cases[i].never && strstr(err.text, cases[i].never)))
			fail_msg("%s\n%d %d %s", cases[i].answer, rc, err.native, err.text);
		assert_int_equal(rc == MD_OK, t.access != NULL);
		assert_null(strstr(err.text, OLD));
		assert_null(strstr(buf_str(&heard), "elsewhere"));
	}
}

static void lives_of_tokens_are_what_the_server_says(void **state)
{
	static const struct {
		const char *life;
		int64_t ms;
	} cases[] = { { "60", 60000 },
		      { "\"3599\"", 3599000 },
		      { "1.5", 1000 },
		      { "0", 3600000 },
		      { "-7", 3600000 },
		      { "null", 3600000 },
		      { "9000000000000000000", INT64_C(31622400000) } };
	const struct call plain = { .timeout_ms = 20000 };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(oauth_tokens_done) struct oauth_tokens t = { 0 };
		struct md_err err = { 0 };
		char answer[300];

		snprintf(answer, sizeof answer,
			 HTTP("200", "{\"access_token\":\"at\",\"refresh_token\":\"rt\","
				     "\"expires_in\":%s}"),
			 cases[i].life);
		assert_int_equal(refresh(answer, NULL, &plain, &t, NULL, &err), MD_OK);
		assert_int_equal(t.life_ms, cases[i].ms);
		assert_string_equal(t.refresh, "rt");
	}
}

static void the_form_is_what_the_standard_wants(void **state)
{
	md_auto(oauth_tokens_done) struct oauth_tokens t = { 0 };
	md_auto(buf_done) struct buf heard = BUF_INIT(1 << 20);
	const struct call plain = { .timeout_ms = 20000 };
	struct md_err err = { 0 };

	(void)state;
	assert_int_equal(refresh(HTTP("200", "{\"access_token\":\"at\"}"), NULL, &plain, &t, &heard,
				 &err),
			 MD_OK);
	assert_null(t.refresh);
	assert_non_null(strstr(buf_str(&heard),
			       "grant_type=refresh_token&client_id=desk&"
			       "client_secret=" SECRET "&refresh_token=" OLD "&scope=a%20b"));
	assert_non_null(strstr(buf_str(&heard), "application/x-www-form-urlencoded"));
}

static void an_answer_has_an_end_in_time_and_bytes(void **state)
{
	md_auto(oauth_tokens_done) struct oauth_tokens t = { 0 };
	md_auto(buf_done) struct buf large = BUF_INIT(1 << 20);
	const struct call hasty = { .timeout_ms = 300, .silent = true },
			  plain = { .timeout_ms = 20000 };
	struct md_err err = { 0 };
	int64_t began = clock_mono(&clock_system);

	(void)state;
	assert_int_equal(refresh("", NULL, &hasty, &t, NULL, &err), MD_AGAIN);
	assert_true(clock_mono(&clock_system) - began < 15000);
	buf_adds(&large, "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n{\"a\":\"");
	for (int i = 0; i < 70000; i++)
		buf_addc(&large, 'a');
	assert_int_equal(refresh(buf_str(&large), NULL, &plain, &t, NULL, &err), MD_AGAIN);
	assert_non_null(strstr(err.text, "longer than"));
}

static void nothing_secret_is_said_to_a_stranger(void **state)
{
	time_t now = time(NULL), day = 86400;
	struct cert ca = cert_make(NULL, "ca", now - day, now + day),
		    stranger = cert_make(NULL, "ca", now - day, now + day);
	struct cert certs[] = { cert_make(&ca, "127.0.0.1", now - day, now + day),
				cert_make(&ca, "login.test", now - day, now + day),
				cert_make(&ca, "127.0.0.1", now - 2 * day, now - day),
				cert_make(&stranger, "127.0.0.1", now - day, now + day) };
	char path[] = "/tmp/maildesk-ca-XXXXXX", *pem = cert_pem(&ca);
	int fd = mkstemp(path);
	const struct call call = { .tls_ca = path, .timeout_ms = 20000 };

	(void)state;
	assert_true(write(fd, pem, strlen(pem)) == (ssize_t)strlen(pem));
	for (size_t i = 0; i < MD_COUNT(certs); i++) {
		md_auto(oauth_tokens_done) struct oauth_tokens t = { 0 };
		md_auto(buf_done) struct buf heard = BUF_INIT(1 << 20);
		struct md_err err = { 0 };
		int rc = refresh("HTTP/1.1 200 x\r\nContent-Length: 21\r\n\r\n"
				 "{\"access_token\":\"at\"}",
				 &certs[i], &call, &t, &heard, &err);

		assert_int_equal(rc, i == 0 ? MD_OK : MD_BROKEN);
		assert_int_equal(strstr(buf_str(&heard), OLD) != NULL, i == 0);
		cert_free(&certs[i]);
	}
	close(fd);
	unlink(path);
	free(pem);
	cert_free(&ca);
	cert_free(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_told_apart),
		cmocka_unit_test(lives_of_tokens_are_what_the_server_says),
		cmocka_unit_test(the_form_is_what_the_standard_wants),
		cmocka_unit_test(an_answer_has_an_end_in_time_and_bytes),
		cmocka_unit_test(nothing_secret_is_said_to_a_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

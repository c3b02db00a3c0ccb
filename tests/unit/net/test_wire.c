#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/base/clock.h>
#include <maildesk/net/wire.h>

#include "peer.h"

static struct cert ca, stranger, for_name, for_other, for_ip, expired, self_signed, by_stranger;
static char *ca_pem;
static struct wire_trust *trust;

static int set_up(void **state)
{
	time_t now = time(NULL), day = 86400;

	(void)state;
	ca = cert_make(NULL, "ca", now - day, now + day);
	stranger = cert_make(NULL, "ca", now - day, now + day);
	for_name = cert_make(&ca, "localhost", now - day, now + day);
	for_other = cert_make(&ca, "mail.example", now - day, now + day);
	for_ip = cert_make(&ca, "127.0.0.1", now - day, now + day);
	expired = cert_make(&ca, "localhost", now - 2 * day, now - day);
	self_signed = cert_make(NULL, "localhost", now - day, now + day);
	by_stranger = cert_make(&stranger, "localhost", now - day, now + day);
	ca_pem = cert_pem(&ca);
	return wire_trust_new(ca_pem, strlen(ca_pem), &trust, NULL);
}

static int tear_down(void **state)
{
	struct cert *all[] = { &ca,     &stranger, &for_name,    &for_other,
			       &for_ip, &expired,  &self_signed, &by_stranger };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(all); i++)
		cert_free(all[i]);
	free(ca_pem);
	wire_trust_unref(trust);
	return 0;
}

static const struct peer_step greets[] = { { NULL, "hello\r\n" },
					   { "secret", "bye\r\n" },
					   PEER_END };

/* Connect, verify, and hand over a secret only if that worked. */
static int talk(const char *host, struct cert *shown, struct md_err *err, struct buf *ret_heard)
{
	struct peer p = { .script = greets, .tls_first = true };
	struct wire *w = NULL;
	char line[100];
	size_t n;
	int rc;

	p.credentials = cert_credentials(shown);
	assert_int_equal(peer_start(&p), 0);
	rc = wire_connect(host, p.port, 10000, &w, err);
	if (rc == MD_OK) {
		wire_limit(w, 10000, 10000, 1000);
		rc = wire_secure(w, trust, err);
	}
	if (rc == MD_OK)
		rc = wire_read(w, line, sizeof line, &n, err);
	if (rc == MD_OK)
		rc = wire_write(w, "secret\r\n", 8, err);
	if (rc != MD_OK && w) /* not even when asked to */
		assert_int_not_equal(wire_write(w, "secret\r\n", 8, NULL), MD_OK);
	wire_free(w);
	peer_join(&p);
	*ret_heard = p.heard;
	buf_done(&p.clear);
	gnutls_certificate_free_credentials(p.credentials);
	return rc;
}

static void only_the_verified_host_hears_us(void **state)
{
	const struct {
		const char *host;
		struct cert *shown;
		int rc;
		const char *says;
	} cases[] = {
		{ "localhost", &for_name, MD_OK, NULL },
		{ "127.0.0.1", &for_ip, MD_OK, NULL },
		{ "localhost", &for_other, MD_BROKEN, "name in the certificate" },
		{ "127.0.0.1", &for_name, MD_BROKEN, "name in the certificate" },
		{ "localhost", &expired, MD_BROKEN, "expired" },
		{ "localhost", &self_signed, MD_BROKEN, "NOT trusted" },
		{ "localhost", &by_stranger, MD_BROKEN, "NOT trusted" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct md_err err = { 0 };
		struct buf heard;
		int rc = talk(cases[i].host, cases[i].shown, &err, &heard);

		if (rc != cases[i].rc || (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("case %zu: %d %s", i, rc, err.text);
		assert_string_equal(buf_str(&heard), rc == MD_OK ? "secret\r\n" : "");
		buf_done(&heard);
	}
}

static void a_peer_without_tls_is_refused(void **state)
{
	struct peer p = { .script = greets };
	struct wire *w;
	struct md_err err;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(wire_connect("127.0.0.1", p.port, 5000, &w, &err), MD_OK);
	wire_limit(w, 5000, 5000, 1000);
	assert_int_equal(wire_secure(w, trust, &err), MD_BROKEN);
	assert_false(wire_is_secure(w));
	wire_free(w);
	peer_join(&p);
	peer_done(&p);
}

static void bad_certificate_files_are_told(void **state)
{
	struct wire_trust *t;
	struct md_err err;

	(void)state;
	assert_int_equal(wire_trust_new("nonsense", 8, &t, &err), MD_BROKEN);
	assert_int_equal(wire_trust_new("", 0, &t, &err), MD_BROKEN);
}

/* A peer that never answers: each wait of the client ends. */
static void every_wait_has_an_end(void **state)
{
	static const struct peer_step nothing[] = { { NULL, PEER_SILENT }, PEER_END };
	static char much[8 << 20];
	struct peer p = { .script = nothing };
	int64_t before = clock_mono(&clock_system);
	struct md_err err;
	struct wire *w;
	char c;
	size_t n;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(wire_connect("127.0.0.1", p.port, 5000, &w, &err), MD_OK);
	wire_limit(w, 50, 10000, 1000); /* silence */
	assert_int_equal(wire_read(w, &c, 1, &n, &err), MD_AGAIN);
	wire_limit(w, 10000, 50, 1000); /* in all */
	assert_int_equal(wire_read(w, &c, 1, &n, &err), MD_AGAIN);
	wire_limit(w, 10000, 50, 1000);
	assert_int_equal(wire_secure(w, trust, &err), MD_AGAIN);
	wire_free(w);
	peer_join(&p);
	peer_done(&p);

	/* a listener that does not accept, and full buffers */
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(wire_connect("127.0.0.1", ntohs(a.sin_port), 5000, &w, &err), MD_OK);
	wire_limit(w, 50, 10000, 1000);
	assert_int_equal(wire_write(w, much, sizeof much, &err), MD_AGAIN);
	wire_free(w);
	close(fd);
	assert_true(clock_mono(&clock_system) - before < 4000);
}

/* A byte now and then: never silent for long, and not for ever either. */
static void a_trickle_has_an_end(void **state)
{
	static const struct peer_step trickle[] = {
		{ NULL, "one after the other, and no end to it for as long as anybody listens" },
		PEER_END
	};
	struct peer p = { .script = trickle, .chunk = 1, .pause_ms = 100 };
	struct md_err err;
	struct wire *w;
	size_t n, sum = 0;
	char c;
	int rc;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(wire_connect("127.0.0.1", p.port, 5000, &w, &err), MD_OK);
	wire_limit(w, 5000, 300, 1000);
	while ((rc = wire_read(w, &c, 1, &n, &err)) == MD_OK)
		sum += n;
	assert_int_equal(rc, MD_AGAIN);
	assert_true(sum < 10);
	wire_free(w);
	peer_join(&p);
	peer_done(&p);
}

static void nobody_listening_is_told(void **state)
{
	struct md_err err;
	struct wire *w;

	(void)state;
	assert_int_equal(wire_connect("127.0.0.1", 1, 1000, &w, &err), MD_AGAIN);
	assert_non_null(strstr(err.text, "refused"));
	assert_int_equal(wire_connect("no-such-host.invalid", 143, 1000, &w, &err), MD_AGAIN);
}

static void no_more_bytes_than_allowed(void **state)
{
	static const struct peer_step chatter[] = { { NULL, "0123456789" },
						    { NULL, PEER_SILENT },
						    PEER_END };
	struct peer p = { .script = chatter };
	struct md_err err;
	struct wire *w;
	char out[100];
	size_t n, sum = 0;
	int rc;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(wire_connect("127.0.0.1", p.port, 5000, &w, &err), MD_OK);
	wire_limit(w, 5000, 5000, 7);
	while ((rc = wire_read(w, out, sizeof out, &n, &err)) == MD_OK)
		sum += n;
	assert_int_equal(sum, 7);
	assert_int_equal(rc, MD_INPUT);
	wire_free(w);
	peer_join(&p);
	peer_done(&p);
}

static void the_peers_end_is_an_error_not_nothing(void **state)
{
	static const struct peer_step end[] = { { NULL, "x" }, PEER_END };
	struct peer p = { .script = end };
	struct md_err err;
	struct wire *w;
	char out[10];
	size_t n;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(wire_connect("localhost", p.port, 5000, &w, &err), MD_OK);
	assert_true(wire_is_loopback(w));
	wire_limit(w, 5000, 5000, 100);
	assert_int_equal(wire_read(w, out, sizeof out, &n, &err), MD_OK);
	assert_int_equal(wire_read(w, out, sizeof out, &n, &err), MD_AGAIN);
	assert_non_null(strstr(err.text, "closed"));
	wire_free(w);
	peer_join(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_verified_host_hears_us),
		cmocka_unit_test(a_peer_without_tls_is_refused),
		cmocka_unit_test(bad_certificate_files_are_told),
		cmocka_unit_test(every_wait_has_an_end),
		cmocka_unit_test(a_trickle_has_an_end),
		cmocka_unit_test(nobody_listening_is_told),
		cmocka_unit_test(no_more_bytes_than_allowed),
		cmocka_unit_test(the_peers_end_is_an_error_not_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

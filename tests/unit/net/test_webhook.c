#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/net/webhook.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_public(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return webhook_address_is_public((struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		fail_msg("%s is no address", text);
	return webhook_address_is_public((struct sockaddr *)&v6);
}

static void addresses_are_public_or_not(void **state)
{
	static const char *const no[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.254",
		"169.254.0.1",
		"169.254.169.254",
		"172.16.0.0",
		"172.31.255.255",
		"192.0.0.8",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.0.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.7",
		"203.0.113.9",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::7f00:1",
		"::ffff:10.0.0.1",
		"64:ff9b::a9fe:a9fe",
		"64:ff9b:1::1",
		"100::1",
		"2001::1",
		"2001:db8::1",
		"2002:c0a8:1::",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
		"4000::1",
	};
	static const char *const yes[] = {
		"1.1.1.1",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
		"100.128.0.0",    "126.0.0.1",        "128.0.0.1",       "169.253.0.1",
		"172.15.0.1",     "172.32.0.1",       "192.0.1.1",       "198.17.0.1",
		"198.20.0.1",     "223.255.255.255",  "2606:4700::1",    "2a00:1450::1",
		"::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:4860:4860::8888",
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(no); i++)
		if (is_public(no[i]))
			fail_msg("%s", no[i]);
	for (size_t i = 0; i < MD_COUNT(yes); i++)
		if (!is_public(yes[i]))
			fail_msg("%s", yes[i]);
}

static void urls_are_judged(void **state)
{
	static const struct {
		const char *url;
		bool good, good_private;
	} cases[] = {
		{ "https://example.com/hook?x=1", true, true },
		{ "http://example.com:8080", true, true },
		{ "https://93.184.216.34/", true, true },
		{ "http://127.0.0.1/", false, true },
		{ "http://0x7f.1/", false, true },
		{ "http://[::1]/", false, true },
		{ "http://[fe80::1%25eth0]/", false, true },
		{ "http://localhost", false, true },
		{ "http://LocalHost./", false, true },
		{ "file:///etc/passwd", false, false },
		{ "gopher://example.com/", false, false },
		{ "https://user@example.com/", false, false },
		{ "https://example.com/#x", false, false },
		{ "https://exa mple.com/", false, false },
		{ "https://example.com\\@127.0.0.1/", false, false },
		{ "example.com", false, false },
		{ "https://", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		if (!webhook_url_fault(cases[i].url, false) != cases[i].good ||
		    !webhook_url_fault(cases[i].url, true) != cases[i].good_private)
			fail_msg("%s", cases[i].url);
	}
}

/* By `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret`. */
static void the_signature_is_what_others_compute(void **state)
{
	struct buf out = BUF_INIT(200);

	(void)state;
	webhook_sign(&out, "secret", "{\"a\":1}", 1700000000);
	assert_string_equal(
		buf_str(&out),
		"t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");
	buf_done(&out);
}

/* ---- where a call goes ---- */

static int listen_there(char url[64])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(at.sin_port));
	return fd;
}

/* It would be told where to connect, and nobody asked whether that is public. */
static void no_proxy_of_the_environment_is_called(void **state)
{
	md_auto(webhooks_client_free_p) struct webhooks_client *client = NULL;
	char target_url[64], proxy_url[64];
	int target = listen_there(target_url), proxy = listen_there(proxy_url);
	const struct webhook_call call = { 1, target_url, "secret", "{}", "ticket.created", 1 };
	struct pollfd fds[] = { { .fd = target, .events = POLLIN },
				{ .fd = proxy, .events = POLLIN } };
	struct md_err err = { 0 };

	(void)state;
	setenv("http_proxy", proxy_url, 1);
	setenv("all_proxy", proxy_url, 1);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	assert_int_equal(webhooks_client_new(true, 10000, &client, &err), MD_OK);
	assert_int_equal(webhooks_begin(client, &call, &err), MD_OK);
	for (int i = 0; i < 1000 && poll(fds, MD_COUNT(fds), 0) == 0; i++)
		assert_int_equal(webhooks_wait(client, -1, 10, &err), MD_OK);
	assert_true(fds[0].revents & POLLIN);
	assert_false(fds[1].revents & POLLIN);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	close(target);
	close(proxy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_public_or_not),
		cmocka_unit_test(urls_are_judged),
		cmocka_unit_test(the_signature_is_what_others_compute),
		cmocka_unit_test(no_proxy_of_the_environment_is_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What of the internet's address space is public (IANA special-purpose registries, RFC 6890), and
 * which URLs can be called at all. */
#include <maildesk/net/webhook.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static const struct {
	uint32_t from;
	unsigned bits;
} blocks4[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* carriers' NAT */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local: metadata of clouds */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* protocols */
	{ 0xc0000200, 24 }, /* documentation */
	{ 0xc0586300, 24 }, /* 6to4 relays */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarks */
	{ 0xc6336400, 24 }, /* documentation */
	{ 0xcb007100, 24 }, /* documentation */
	{ 0xe0000000, 4 },  /* multicast */
	{ 0xf0000000, 4 },  /* reserved, broadcast */
};
/* Of IPv6 only 2000::/3 is given out; of that these are not public. */
static const struct {
	uint8_t from[6];
	unsigned bits;
} blocks6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },       /* protocols, Teredo among them */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

static bool is_public4(uint32_t address)
{
	for (size_t i = 0; i < MD_COUNT(blocks4); i++)
		if (address >> (32 - blocks4[i].bits) == blocks4[i].from >> (32 - blocks4[i].bits))
			return false;
	return true;
}

static bool begins_with(const uint8_t *address, const uint8_t *from, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(address, from, whole) == 0 &&
	       (!rest || (address[whole] ^ from[whole]) >> (8 - rest) == 0);
}

static uint32_t read4(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_public6(const uint8_t a[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, zero[12],
			     nat64[12] = { 0x00, 0x64, 0xff, 0x9b },
			     six_to_four[2] = { 0x20, 0x02 };

	if (memcmp(a, mapped, 12) == 0 || memcmp(a, zero, 12) == 0 || memcmp(a, nat64, 12) == 0)
		return is_public4(read4(a + 12));
	if (memcmp(a, six_to_four, 2) == 0)
		return is_public4(read4(a + 2));
	for (size_t i = 0; i < MD_COUNT(blocks6); i++)
		if (begins_with(a, blocks6[i].from, blocks6[i].bits))
			return false;
	return a[0] >> 5 == 1;
}

bool webhook_address_is_public(const struct sockaddr *at)
{
	if (at->sa_family == AF_INET)
		return is_public4(
			ntohl(((const struct sockaddr_in *)(const void *)at)->sin_addr.s_addr));
	return at->sa_family == AF_INET6 &&
	       is_public6(((const struct sockaddr_in6 *)(const void *)at)->sin6_addr.s6_addr);
}

/* ---- URLs ---- */

static bool ends_with(const char *host, const char *name)
{
	size_t n = strlen(host), m = strlen(name);

	return n >= m && strcasecmp(host + n - m, name) == 0 && (n == m || host[n - m - 1] == '.');
}

/* A host that is an address, or a name of this machine's own. */
static bool is_private_host(char *host)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	size_t n = strlen(host);

	if (n && host[n - 1] == '.')
		host[n - 1] = '\0';
	if (host[0] == '[') {
		host[strcspn(host, "]%")] = '\0';
		return inet_pton(AF_INET6, host + 1, &v6.sin6_addr) != 1 ||
		       !webhook_address_is_public((struct sockaddr *)&v6);
	}
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		return !webhook_address_is_public((struct sockaddr *)&v4);
	return ends_with(host, "localhost") || !strchr(host, '.');
}

static const char *judge(CURLU *u, const char *url, bool allow_private)
{
	char *scheme = NULL, *host = NULL, *user = NULL, *fragment = NULL;
	const char *fault = NULL;

	if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		fault = "must be an address like https://example.com/hook";
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		fault = "must begin with https:// or http://";
	else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK ||
		 curl_url_get(u, CURLUPART_FRAGMENT, &fragment, 0) == CURLUE_OK)
		fault = "must have no user and no fragment";
	else if (!allow_private && is_private_host(host))
		fault = "is a private address; webhooks.allow_private would let it in";
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_free(fragment);
	return fault;
}

const char *webhook_url_fault(const char *url, bool allow_private)
{
	CURLU *u = curl_url();
	const char *fault;

	if (!u)
		return "cannot be read: out of memory";
	for (const char *s = url; *s; s++)
		if (*s <= ' ' || *s == 0x7f || *s == '\\') {
			curl_url_cleanup(u);
			return "must be an address without blanks";
		}
	fault = judge(u, url, allow_private);
	curl_url_cleanup(u);
	return fault;
}

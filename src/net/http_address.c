/* Addresses of clients. IPv4 is handled as mapped IPv6, so there is one kind of comparison. */
#include "http_private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool read_address(const char *text, uint8_t ret[16])
{
	memcpy(ret, mapped, sizeof mapped);
	return inet_pton(AF_INET, text, ret + sizeof mapped) == 1 ||
	       inet_pton(AF_INET6, text, ret) == 1;
}

static bool is_v4(const uint8_t a[16])
{
	return memcmp(a, mapped, sizeof mapped) == 0;
}

static void write_address(const uint8_t a[16], char ret[HTTP_ADDRESS_MAX])
{
	const void *from = is_v4(a) ? a + sizeof mapped : a;

	if (!inet_ntop(is_v4(a) ? AF_INET : AF_INET6, from, ret, HTTP_ADDRESS_MAX))
		ret[0] = '\0';
}

int http_block_parse(const char *text, struct http_block *ret)
{
	char address[HTTP_ADDRESS_MAX];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long bits, most;
	char *end;

	if (n >= sizeof address)
		return MD_INPUT;
	memcpy(address, text, n);
	address[n] = '\0';
	if (!read_address(address, ret->bytes))
		return MD_INPUT;
	most = is_v4(ret->bytes) ? 32 : 128;
	bits = most;
	if (slash) {
		bits = slash[1] >= '0' && slash[1] <= '9' ? strtoul(slash + 1, &end, 10) : most + 1;
		if (bits > most || *end)
			return MD_INPUT;
	}
	ret->bits = (unsigned)(128 - most + bits);
	return MD_OK;
}

bool http_block_has(const struct http_block *b, const uint8_t a[16])
{
	unsigned bytes = b->bits / 8, rest = b->bits % 8;

	if (memcmp(a, b->bytes, bytes) != 0)
		return false;
	return !rest || ((a[bytes] ^ b->bytes[bytes]) >> (8 - rest)) == 0;
}

static bool trusted(const uint8_t a[16], const struct http_block *proxies, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (http_block_has(&proxies[i], a))
			return true;
	return false;
}

bool http_is_trusted(const struct http_server *s, const uint8_t address[16])
{
	return trusted(address, s->proxies, s->n_proxies);
}

void http_peer_address(const struct sockaddr *peer, uint8_t ret[16])
{
	memcpy(ret, mapped, sizeof mapped);
	memset(ret + sizeof mapped, 0, 4);
	if (peer && peer->sa_family == AF_INET)
		memcpy(ret + sizeof mapped,
		       &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
	else if (peer && peer->sa_family == AF_INET6)
		memcpy(ret, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16);
}

void http_peer_block(const struct sockaddr *peer, struct http_block *ret)
{
	http_peer_address(peer, ret->bytes);
	ret->bits = is_v4(ret->bytes) ? 128 : 64;
}

/* The last entry of a comma-separated list, which is cut off; NULL when none is left. */
static char *pop(char *list)
{
	char *comma = strrchr(list, ','), *entry = comma ? comma + 1 : list;
	size_t n;

	if (!*list)
		return NULL;
	entry += strspn(entry, " \t");
	n = strcspn(entry, " \t");
	if (entry == list && !n)
		return NULL;
	entry[n] = '\0';
	if (comma)
		*comma = '\0';
	return entry;
}

void http_client_address(const struct sockaddr *peer, const char *forwarded,
			 const struct http_block *proxies, size_t n, char ret[HTTP_ADDRESS_MAX])
{
	uint8_t a[16], next[16];
	char list[1024], *entry;
	size_t length = strlen(forwarded);

	http_peer_address(peer, a);
	/* Only the end of a long list matters: what stands there the nearest proxies wrote. */
	if (length >= sizeof list)
		forwarded += length - (sizeof list - 1);
	memcpy(list, forwarded, strlen(forwarded) + 1);
	while (trusted(a, proxies, n) && (entry = pop(list)) && read_address(entry, next)) {
		memcpy(a, next, sizeof a);
		if (entry == list)
			break;
	}
	write_address(a, ret);
}

void http_address_block(const char *address, char ret[HTTP_ADDRESS_MAX])
{
	uint8_t a[16];

	if (!read_address(address, a)) {
		snprintf(ret, HTTP_ADDRESS_MAX, "?");
		return;
	}
	if (is_v4(a))
		a[15] = 0;
	else
		memset(a + 8, 0, 8);
	write_address(a, ret);
}

bool http_address_is_local(const char *address)
{
	static const uint8_t v6[16] = { [15] = 1 };
	uint8_t a[16];

	if (!read_address(address, a))
		return false;
	return is_v4(a) ? a[12] == 127 : memcmp(a, v6, sizeof a) == 0;
}

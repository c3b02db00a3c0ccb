#include <maildesk/cmd/ask.h>

#include <maildesk/base/buf.h>
#include <maildesk/net/wire.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 4 << 20, TIMEOUT_MS = 5000, HOST_MAX = 64 };

/* Where to reach what listens there: any address is this machine's too. */
static int split(const char *listen, char host[HOST_MAX], int *ret_port)
{
	const char *colon = strrchr(listen, ':');
	size_t n = colon ? (size_t)(colon - listen) : 0;

	if (n >= 2 && listen[0] == '[') {
		listen++;
		n -= 2;
	}
	if (!colon || n >= HOST_MAX)
		return MD_INPUT;
	snprintf(host, HOST_MAX, "%.*s", (int)n, listen);
	if (strcmp(host, "0.0.0.0") == 0)
		snprintf(host, HOST_MAX, "127.0.0.1");
	else if (strcmp(host, "::") == 0)
		snprintf(host, HOST_MAX, "::1");
	*ret_port = (int)strtol(colon + 1, NULL, 10);
	return MD_OK;
}

static int exchange(struct wire *w, const char *host, const char *path, struct buf *out,
		    struct md_err *err)
{
	md_auto(buf_done) struct buf request = BUF_INIT(4096);
	char chunk[4096];
	size_t n;
	int rc;

	buf_addf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
	wire_limit(w, TIMEOUT_MS, TIMEOUT_MS, ANSWER_MAX);
	rc = wire_write(w, request.data, request.len, err);
	while (rc == MD_OK && (rc = wire_read(w, chunk, sizeof chunk, &n, NULL)) == MD_OK)
		buf_add(out, chunk, n);
	return out->len ? MD_OK : md_fail(err, MD_AGAIN, 0, "no answer");
}

int cmd_ask_daemon(const struct config *c, const char *path, int *ret_status, json_t **ret,
		   struct md_err *err)
{
	md_auto(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
	md_auto(wire_free_p) struct wire *w = NULL;
	char host[HOST_MAX];
	const char *body;
	int port, rc;

	*ret = NULL;
	*ret_status = 0;
	if (split(c->http.listen, host, &port) != MD_OK)
		return md_fail(err, MD_INPUT, 0, "http.listen %s", c->http.listen);
	rc = wire_connect(host, port, TIMEOUT_MS, &w, err);
	if (rc == MD_OK)
		rc = exchange(w, host, path, &answer, err);
	if (rc != MD_OK)
		return MD_AGAIN;
	if (strncmp(buf_str(&answer), "HTTP/1.1 ", 9) != 0)
		return md_fail(err, MD_AGAIN, 0, "%s: something else than maildesk answers there",
			       c->http.listen);
	*ret_status = (int)strtol(buf_str(&answer) + 9, NULL, 10);
	body = strstr(buf_str(&answer), "\r\n\r\n");
	*ret = body ? json_loads(body + 4, 0, NULL) : NULL;
	return MD_OK;
}

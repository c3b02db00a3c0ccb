#include <maildesk/net/webhook.h>

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADERS_MAX = 32 << 10 };

struct call {
	struct call *next;
	struct webhooks_client *client;
	CURL *curl;
	struct curl_slist *headers;
	char *body;
	struct webhook_result result;
	size_t taken, heard; /* bytes of the answer, of its header */
	char error[CURL_ERROR_SIZE];
};

struct webhooks_client {
	CURLM *multi;
	bool allow_private;
	int64_t timeout_ms;
	struct call *running, *done;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void webhook_sign(struct buf *out, const char *secret, const char *body, int64_t at_s)
{
	crypto_auth_hmacsha256_state state;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char t[24], hex[2 * sizeof mac + 1];

	snprintf(t, sizeof t, "%lld", (long long)at_s);
	crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)t, strlen(t));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, strlen(body));
	crypto_auth_hmacsha256_final(&state, mac);
	buf_addf(out, "t=%s,v1=%s", t, sodium_bin2hex(hex, sizeof hex, mac, sizeof mac));
}

/* ---- what libcurl asks and tells ---- */

/* The one place where a connection is made: to this very address. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *at)
{
	struct call *c = ctx;

	if (purpose != CURLSOCKTYPE_IPCXN || c->result.refused ||
	    (at->family != AF_INET && at->family != AF_INET6) ||
	    (!c->client->allow_private && !webhook_address_is_public(&at->addr))) {
		c->result.refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

/* Kept as one line of text. */
static size_t hear_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct call *c = ctx;
	size_t n = size * count;

	for (size_t i = 0; i < n && c->taken + i < sizeof c->result.reply - 1; i++) {
		char b = bytes[i];

		c->result.reply[c->taken + i] = b >= ' ' && b < 0x7f ? b : ' ';
		c->result.reply[c->taken + i + 1] = '\0';
	}
	c->taken += n;
	return c->taken > WEBHOOK_ANSWER_MAX ? 0 : n;
}

static size_t hear_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct call *c = ctx;

	(void)bytes;
	c->heard += size * count;
	return c->heard > HEADERS_MAX ? 0 : size * count;
}

/* ---- calls ---- */

static void call_free(struct call *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	curl_slist_free_all(c->headers);
	free(c->body);
	free(c);
}
MD_DEFINE_AUTO(struct call *, call_free)

static bool add_header(struct call *c, struct buf *line)
{
	struct curl_slist *more =
		line->status == MD_OK ? curl_slist_append(c->headers, buf_str(line)) : NULL;

	buf_reset(line);
	if (more)
		c->headers = more;
	return more != NULL;
}

static bool add_headers(struct call *c, const struct webhook_call *call)
{
	md_auto(buf_done) struct buf line = BUF_INIT(1000);
	bool good;

	buf_adds(&line, "Content-Type: application/json");
	good = add_header(c, &line);
	buf_addf(&line, "X-Maildesk-Event: %s", call->event);
	good = good && add_header(c, &line);
	buf_addf(&line, "X-Maildesk-Delivery: %lld", (long long)call->id);
	good = good && add_header(c, &line);
	buf_adds(&line, "X-Maildesk-Signature: ");
	webhook_sign(&line, call->secret, call->body, call->at_s);
	good = good && add_header(c, &line);
	buf_adds(&line, "Expect:"); /* no waiting for 100 */
	return good && add_header(c, &line);
}

static CURLcode set_up(struct call *c, const struct webhook_call *call)
{
	CURL *curl = c->curl;
	long timeout = (long)c->client->timeout_ms;
	CURLcode rc = curl_easy_setopt(curl, CURLOPT_URL, call->url);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, c);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (rc != CURLE_OK)
		return rc;
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "maildesk/" MAILDESK_VERSION);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(c->body));
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, hear_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, hear_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->error);
	return curl_easy_setopt(curl, CURLOPT_PRIVATE, c);
}

int webhooks_begin(struct webhooks_client *client, const struct webhook_call *call,
		   struct md_err *err)
{
	md_auto(call_free_p) struct call *c = md_calloc(1, sizeof *c);
	CURLcode rc;

	if (c) {
		c->client = client;
		c->result.id = call->id;
		c->curl = curl_easy_init();
		c->body = strdup(call->body);
	}
	if (!c || !c->curl || !c->body || !add_headers(c, call))
		return md_fail(err, MD_NOMEM, 0, "webhook: out of memory");
	rc = set_up(c, call);
	if (rc != CURLE_OK)
		return md_fail(err, MD_BROKEN, (int)rc, "libcurl: %s", curl_easy_strerror(rc));
	if (curl_multi_add_handle(client->multi, c->curl) != CURLM_OK)
		return md_fail(err, MD_NOMEM, 0, "webhook: out of memory");
	c->next = client->running;
	client->running = md_take(c);
	return MD_OK;
}

static void unlist(struct webhooks_client *client, const struct call *c)
{
	struct call **at = &client->running;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

/* An answer that is too long is one all the same. */
static void settle(struct webhooks_client *client, struct call *c, CURLcode rc)
{
	long status = 0;

	unlist(client, c);
	curl_multi_remove_handle(client->multi, c->curl);
	if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && c->taken > WEBHOOK_ANSWER_MAX))
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	c->result.status = (int)status;
	if (c->result.refused)
		snprintf(c->result.reply, sizeof c->result.reply, "the address is private");
	else if (!status)
		snprintf(c->result.reply, sizeof c->result.reply, "%s",
			 c->error[0] ? c->error : curl_easy_strerror(rc));
	c->next = client->done;
	client->done = c;
}

static void collect(struct webhooks_client *client)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(client->multi, &left)) != NULL) {
		struct call *c = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		settle(client, c, m->data.result);
	}
}

int webhooks_wait(struct webhooks_client *c, int wake_fd, int timeout_ms, struct md_err *err)
{
	struct curl_waitfd wake = { .fd = wake_fd, .events = CURL_WAIT_POLLIN };
	int running;
	CURLMcode rc = curl_multi_perform(c->multi, &running);

	collect(c);
	if (rc == CURLM_OK && !c->done)
		rc = curl_multi_poll(c->multi, &wake, wake_fd >= 0, timeout_ms, NULL);
	if (rc == CURLM_OK)
		rc = curl_multi_perform(c->multi, &running);
	collect(c);
	return rc == CURLM_OK
		       ? MD_OK
		       : md_fail(err, MD_BROKEN, (int)rc, "libcurl: %s", curl_multi_strerror(rc));
}

bool webhooks_next(struct webhooks_client *client, struct webhook_result *ret)
{
	struct call *c = client->done;

	if (!c)
		return false;
	client->done = c->next;
	*ret = c->result;
	call_free(c);
	return true;
}

int webhooks_client_new(bool allow_private, int64_t timeout_ms, struct webhooks_client **ret,
			struct md_err *err)
{
	struct webhooks_client *c = md_calloc(1, sizeof *c);

	pthread_once(&once, init_curl);
	if (c)
		c->multi = curl_multi_init();
	if (!c || !c->multi) {
		free(c);
		return md_fail(err, MD_NOMEM, 0, "webhook: out of memory");
	}
	c->allow_private = allow_private;
	c->timeout_ms = timeout_ms;
	*ret = c;
	return MD_OK;
}

void webhooks_client_free(struct webhooks_client *client)
{
	struct webhook_result none;

	if (!client)
		return;
	while (client->running)
		settle(client, client->running, CURLE_ABORTED_BY_CALLBACK);
	while (webhooks_next(client, &none))
		;
	curl_multi_cleanup(client->multi);
	free(client);
}

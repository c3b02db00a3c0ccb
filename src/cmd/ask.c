#include <maildesk/cmd/ask.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 4 << 20, URL_LENGTH = 200 };
static const long TIMEOUT_S = 5;

MD_DEFINE_AUTO(CURL *, curl_easy_cleanup)

/* Where to reach what listens there: any address is this machine's too. */
static void url_of(const struct config *c, const char *path, char ret[URL_LENGTH])
{
	static const struct {
		const char *any, *own;
	} hosts[] = { { "0.0.0.0:", "127.0.0.1:" }, { "[::]:", "[::1]:" } };
	const char *listen = c->http.listen, *host = "";

	for (size_t i = 0; i < MD_COUNT(hosts); i++) {
		size_t n = strlen(hosts[i].any);

		if (strncmp(listen, hosts[i].any, n) == 0) {
			host = hosts[i].own;
			listen += n;
			break;
		}
	}
	snprintf(ret, URL_LENGTH, "%s://%s%s%s", *c->http.certificate ? "https" : "http", host,
		 listen, path);
}

static size_t keep(char *bytes, size_t one, size_t n, void *ctx)
{
	struct buf *answer = ctx;

	buf_add(answer, bytes, one * n);
	return answer->status == MD_OK ? one * n : 0;
}

int cmd_ask_daemon(const struct config *c, const char *path, int *ret_status, json_t **ret,
		   struct md_err *err)
{
	md_auto(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
	md_auto(curl_easy_cleanup_p) CURL *curl = curl_easy_init();
	char url[URL_LENGTH];
	long status = 0;
	CURLcode rc;

	*ret = NULL;
	*ret_status = 0;
	if (!curl)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	url_of(c, path, url);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	/* The peer is this machine, by its own address, for which there is no certificate; nothing
	 * is sent that is secret. */
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	rc = curl_easy_perform(curl);
	if (rc != CURLE_OK)
		return md_fail(err, MD_AGAIN, (int)rc, "%s: %s", url, curl_easy_strerror(rc));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
	*ret = json_loads(buf_str(&answer), 0, NULL);
	return MD_OK;
}

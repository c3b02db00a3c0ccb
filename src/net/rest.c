#include <maildesk/net/rest.h>

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ANSWER_MAX = 256 << 20, DEPTH = 16, TRIES = 6, CONNECT_S = 20, SILENCE_S = 60 };

struct rest {
	CURL *curl;
	struct curl_slist *fields;
	char *base;
	struct buf answer;
	char error[CURL_ERROR_SIZE];
};

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	struct rest *r = ctx;

	buf_add(&r->answer, p, size * n);
	return r->answer.status == MD_OK ? size * n : 0;
}

static bool may_carry_secrets(const char *base)
{
	static const char *const near[] = { "127.0.0.1", "localhost", "[::1]" };
	const char *host = base + strlen("http://");

	if (strncmp(base, "https://", 8) == 0)
		return true;
	if (strncmp(base, "http://", 7) != 0)
		return false;
	for (size_t i = 0; i < MD_COUNT(near); i++) {
		size_t n = strlen(near[i]);

		if (strncmp(host, near[i], n) == 0 && strchr(":/", host[n]))
			return true; /* strchr finds the end too */
	}
	return false;
}

static int set_up(struct rest *r, const char *authorization, const char *ca_file)
{
	md_auto(buf_done) struct buf field = BUF_INIT(8 << 10);

	buf_addf(&field, "Authorization: %s", authorization);
	r->fields = curl_slist_append(NULL, buf_str(&field));
	r->fields = curl_slist_append(r->fields, "Accept: application/json");
	curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->fields);
	curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(r->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(r->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
	curl_easy_setopt(r->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(r->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(r->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*ca_file)
		curl_easy_setopt(r->curl, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->error);
	return field.status == MD_OK && r->fields ? MD_OK : MD_NOMEM;
}

int rest_open(const char *base, const char *authorization, const char *ca_file, struct rest **ret,
	      struct md_err *err)
{
	md_auto(rest_close_p) struct rest *r = md_calloc(1, sizeof *r);

	if (!may_carry_secrets(base))
		return md_fail(err, MD_INPUT, 0,
			       "\"%s\": expected https://..., or http:// on this machine: the "
			       "credentials would go in clear",
			       base);
	if (strpbrk(authorization, "\r\n"))
		return md_fail(err, MD_INPUT, 0, "the credentials have a line end in them");
	if (!r)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	r->answer = (struct buf)BUF_INIT(ANSWER_MAX);
	r->base = md_strdup(base);
	r->curl = curl_easy_init();
	if (!r->base || !r->curl || set_up(r, authorization, ca_file) != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	*ret = md_take(r);
	return MD_OK;
}

void rest_close(struct rest *r)
{
	if (!r)
		return;
	curl_easy_cleanup(r->curl);
	curl_slist_free_all(r->fields);
	buf_done(&r->answer);
	free(r->base);
	free(r);
}

static int once(struct rest *r, const char *url, long *ret_status, struct md_err *err)
{
	CURLcode rc;

	buf_reset(&r->answer);
	r->error[0] = '\0';
	rc = curl_easy_setopt(r->curl, CURLOPT_URL, url);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(r->curl);
	if (r->answer.status != MD_OK)
		return md_fail(err, MD_INPUT, 0, "%s: the answer is larger than %d MB", url,
			       ANSWER_MAX >> 20);
	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		return md_fail(err, MD_REFUSED, 0, "%s: %s: name its CA by --ca-file", url,
			       r->error);
	if (rc != CURLE_OK)
		return md_fail(err, MD_AGAIN, 0, "%s: %s", url,
			       r->error[0] ? r->error : curl_easy_strerror(rc));
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, ret_status);
	if (*ret_status == 500 || *ret_status == 501)
		return md_fail(err, MD_UNKNOWN, 0, "%s: status %ld", url, *ret_status);
	if (*ret_status == 429 || *ret_status > 500)
		return md_fail(err, MD_AGAIN, 0, "%s: status %ld", url, *ret_status);
	return MD_OK;
}

int rest_get(struct rest *r, const char *path, json_t **ret, struct md_err *err)
{
	md_auto(buf_done) struct buf url = BUF_INIT(64 << 10);
	long status = 0;
	int rc;

	buf_addf(&url, "%s%s", r->base, path);
	if (url.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = once(r, buf_str(&url), &status, err);
	for (unsigned i = 0; rc == MD_AGAIN || (rc == MD_UNKNOWN && i == 0); i++) {
		if (i == TRIES - 1)
			break;
		sleep(1 + i * 2);
		rc = once(r, buf_str(&url), &status, err);
	}
	if (rc != MD_OK)
		return rc;
	if (status == 404)
		return md_fail(err, MD_NOTFOUND, 0, "%s: not found", buf_str(&url));
	if (status == 401 || status == 403)
		return md_fail(err, MD_REFUSED, 0,
			       "%s: status %ld: check the credentials, and what they may read",
			       buf_str(&url), status);
	if (status != 200)
		return md_fail(err, MD_INPUT, 0, "%s: status %ld", buf_str(&url), status);
	rc = json_read(buf_str(&r->answer), r->answer.len, DEPTH, ret, err);
	return rc == MD_OK ? rc : md_wrap(err, rc, "%s", buf_str(&url));
}

void rest_escape(struct buf *out, const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *text; text++)
		buf_addf(out, strchr(plain, *text) ? "%c" : "%%%02X", (unsigned char)*text);
}

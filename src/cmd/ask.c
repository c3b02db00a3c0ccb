#include <maildesk/cmd/ask.h>

#include <maildesk/app/desk.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/json.h>
#include <maildesk/base/mem.h>

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 4 << 20, URL_LENGTH = 200 };
static const long TIMEOUT_S = 5;

MD_DEFINE_AUTO(CURL *, curl_easy_cleanup)

/* Where to reach what listens there: any address is this machine's too. */
static void url_of(const struct config *c, char ret[URL_LENGTH])
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
	snprintf(ret, URL_LENGTH, "%s://%s%s/readyz", *c->http.certificate ? "https" : "http", host,
		 listen);
}

static size_t keep(char *bytes, size_t one, size_t n, void *ctx)
{
	struct buf *answer = ctx;

	buf_add(answer, bytes, one * n);
	return answer->status == MD_OK ? one * n : 0;
}

static int ask(const struct config *c, int *ret_status, json_t **ret, struct md_err *err)
{
	md_auto(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
	md_auto(curl_easy_cleanup_p) CURL *curl = curl_easy_init();
	char url[URL_LENGTH];
	long status = 0;
	CURLcode rc;

	if (!curl)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	url_of(c, url);
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
		return md_fail(err, MD_AGAIN, (int)rc,
			       "None works at http.listen %s (%s): systemctl start maildesk, or "
			       "maildesk serve",
			       c->http.listen, curl_easy_strerror(rc));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
	*ret = json_loads(buf_str(&answer), 0, NULL);
	return MD_OK;
}

/* Two desks on one machine may be told to listen at the same place: the first one does. */
static int compare_desks(struct db *db, const char *listen, const char *theirs, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	char ours[DESK_ID_MAX] = "";
	int rc = db_read(db, &c, err);

	if (rc == MD_OK)
		rc = desk_read_id(c, ours, err);
	if (rc != MD_OK && rc != MD_NOTFOUND) /* none: no daemon ever worked here */
		return rc;
	if (strcmp(ours, theirs) == 0)
		return MD_OK;
	return md_fail(err, MD_CONFLICT, 0,
		       "The maildesk of another desk answers at http.listen %s: give one of the "
		       "two another port, then systemctl restart maildesk",
		       listen);
}

int cmd_ask_daemon(const struct config *c, struct db *db, int *ret_status, json_t **ret,
		   struct md_err *err)
{
	md_auto(json_decref_p) json_t *body = NULL;
	const char *theirs;
	int status = 0, rc = ask(c, &status, &body, err);

	if (rc != MD_OK)
		return rc;
	theirs = json_string_value(json_object_get(body, "desk"));
	if (!body || (status == 200 && !theirs))
		return md_fail(err, MD_INPUT, 0,
			       "Something else than maildesk answers at http.listen %s: end it (ss "
			       "-ltnp), or change http.listen",
			       c->http.listen);
	if (theirs && db)
		rc = compare_desks(db, c->http.listen, theirs, err);
	if (rc != MD_OK)
		return rc;
	*ret_status = status;
	*ret = md_take(body);
	return MD_OK;
}

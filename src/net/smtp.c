#include <maildesk/net/smtp.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/fault.h>
#include <maildesk/mail/compose.h>

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct smtp {
	const struct smtp_account *account;
	CURL *curl;
	char url[600], error[CURL_ERROR_SIZE];
	char reply[400];
	const char *bytes;
	size_t n, sent;
	int64_t heard_ms; /* monotonic: the last time something moved */
	curl_off_t moved;
	bool silent;
	bool quitting;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- what libcurl asks and tells ---- */

static size_t give_bytes(char *to, size_t size, size_t count, void *ctx)
{
	struct smtp *s = ctx;
	size_t n = s->n - s->sent;

	fault_point("smtp_data");
	s->heard_ms = clock_mono(&clock_system);
	if (n > size * count)
		n = size * count;
	memcpy(to, s->bytes + s->sent, n);
	s->sent += n;
	return n;
}

/* Each line the server says; the last one is kept for the outbox row, but its farewell is not. */
static size_t hear_line(char *line, size_t size, size_t count, void *ctx)
{
	struct smtp *s = ctx;
	size_t n = size * count;

	s->heard_ms = clock_mono(&clock_system);
	if (s->n && s->sent == s->n)
		fault_point("smtp_dot"); /* the mail is with the server, its answer on the way */
	if (s->quitting)
		return size * count;
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n'))
		n--;
	snprintf(s->reply, sizeof s->reply, "%.*s", (int)(n < 399 ? n : 399), line);
	return size * count;
}

/* Asked at least once a second. A server that neither takes nor says anything is given up. Once the
 * server has all of the mail its answer is waited for, because giving up there would send the mail
 * twice. */
static int may_go_on(void *ctx, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total,
		     curl_off_t ul)
{
	struct smtp *s = ctx;
	int64_t now = clock_mono(&clock_system);

	(void)dl_total;
	(void)ul_total;
	if (dl + ul != s->moved) {
		s->moved = dl + ul;
		s->heard_ms = now;
	}
	s->silent = now - s->heard_ms > s->account->timeout_ms;
	return s->silent || (s->account->stop && atomic_load(s->account->stop) && s->sent < s->n);
}

/* The steps of a session, seen by the commands libcurl sends. */
static int watch(CURL *curl, curl_infotype type, char *text, size_t n, void *ctx)
{
	static const struct {
		const char *command, *point;
	} steps[] = { { "EHLO", "smtp_connected" },
		      { "RCPT", "smtp_mail" },
		      { "DATA", "smtp_rcpt" } };
	struct smtp *s = ctx;

	(void)curl;
	if (type != CURLINFO_HEADER_OUT || n < 4)
		return 0;
	s->quitting |= memcmp(text, "QUIT", 4) == 0;
	for (size_t i = 0; i < MD_COUNT(steps); i++)
		if (memcmp(text, steps[i].command, 4) == 0)
			fault_point(steps[i].point);
	return 0;
}

/* ---- setting up ---- */

static CURLcode set_tls(struct smtp *s)
{
	const struct smtp_account *a = s->account;
	long use = strcmp(a->tls, "starttls") == 0 ? CURLUSESSL_ALL : CURLUSESSL_NONE;
	CURLcode rc = curl_easy_setopt(s->curl, CURLOPT_USE_SSL, use);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(s->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (rc == CURLE_OK && a->ca_file[0])
		rc = curl_easy_setopt(s->curl, CURLOPT_CAINFO, a->ca_file);
	return rc;
}

static CURLcode set_login(struct smtp *s)
{
	const struct smtp_account *a = s->account;
	CURLcode rc = CURLE_OK;

	if (a->user[0]) {
		rc = curl_easy_setopt(s->curl, CURLOPT_USERNAME, a->user);
		if (rc == CURLE_OK && a->password[0])
			rc = curl_easy_setopt(s->curl, CURLOPT_PASSWORD, a->password);
	}
	return rc;
}

static CURLcode set_session(struct smtp *s)
{
	long timeout = (long)s->account->timeout_ms;
	CURLcode rc = curl_easy_setopt(s->curl, CURLOPT_URL, s->url);

	if (rc == CURLE_OK)
		rc = set_tls(s);
	if (rc == CURLE_OK)
		rc = set_login(s);
	if (rc != CURLE_OK)
		return rc;
	curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, timeout);
	curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, give_bytes);
	curl_easy_setopt(s->curl, CURLOPT_READDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, hear_line);
	curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_DEBUGFUNCTION, watch);
	curl_easy_setopt(s->curl, CURLOPT_DEBUGDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
	curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, s);
	curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L);
	return curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->error);
}

int smtp_new(const struct smtp_account *account, struct smtp **ret, struct md_err *err)
{
	md_auto(smtp_free_p) struct smtp *s = md_calloc(1, sizeof *s);
	bool v6 = strchr(account->host, ':') != NULL;
	CURLcode rc;

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	pthread_once(&once, init_curl);
	s->account = account;
	s->curl = curl_easy_init();
	if (!s->curl)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	snprintf(s->url, sizeof s->url, "%s://%s%s%s:%lld",
		 strcmp(account->tls, "tls") == 0 ? "smtps" : "smtp", v6 ? "[" : "", account->host,
		 v6 ? "]" : "", (long long)account->port);
	rc = set_session(s);
	if (rc != CURLE_OK)
		return md_fail(err, MD_BROKEN, (int)rc, "libcurl: %s", curl_easy_strerror(rc));
	*ret = md_take(s);
	return MD_OK;
}

/* libcurl keeps a copy; a connection that was made with another token is not used again. */
int smtp_set_token(struct smtp *s, const char *token, struct md_err *err)
{
	CURLcode rc = curl_easy_setopt(s->curl, CURLOPT_XOAUTH2_BEARER, token);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(s->curl, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
	return rc == CURLE_OK
		       ? MD_OK
		       : md_fail(err, MD_NOMEM, (int)rc, "libcurl: %s", curl_easy_strerror(rc));
}

/* libcurl takes its leave with QUIT and waits two minutes for the answer, which nobody needs: a
 * server that gives none would hold up the end of the daemon, or its next configuration. */
static void expect_no_answer(CURL *curl)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RD);
}

void smtp_free(struct smtp *s)
{
	if (!s)
		return;
	if (s->curl) {
		expect_no_answer(s->curl);
		curl_easy_cleanup(s->curl);
	}
	free(s);
}

/* ---- sending ---- */

/* After a failure to send, the response code is the server's; after anything else it is stale. */
static enum smtp_outcome judge(CURLcode rc, long code)
{
	switch (rc) {
	case CURLE_OK:
		return SMTP_SENT;
	case CURLE_SEND_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UPLOAD_FAILED:
		return code >= 500 && code < 600 ? SMTP_PERMANENT : SMTP_TEMPORARY;
	case CURLE_LOGIN_DENIED:
	case CURLE_USE_SSL_FAILED:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return SMTP_ACCOUNT;
	default:
		return SMTP_TEMPORARY;
	}
}

int smtp_send(struct smtp *s, const char *sender, const char *recipient, const char *bytes,
	      size_t n, int64_t most_ms, struct smtp_result *ret, struct md_err *err)
{
	struct curl_slist *to = NULL;
	long code = 0;
	CURLcode rc;

	if ((sender[0] && !mail_address_valid(sender)) || !mail_address_valid(recipient))
		return md_fail(err, MD_INPUT, 0, "not an address that can be sent to: %s",
			       recipient);
	to = curl_slist_append(NULL, recipient);
	if (!to)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	s->bytes = bytes;
	s->n = n;
	s->sent = 0;
	s->quitting = s->silent = false;
	s->heard_ms = clock_mono(&clock_system);
	s->moved = 0;
	s->reply[0] = s->error[0] = '\0';
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)(most_ms > 0 ? most_ms : 1));
	curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, sender);
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(s->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)n);
	rc = curl_easy_perform(s->curl);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
	ret->outcome = judge(rc, code);
	ret->no_login = rc == CURLE_LOGIN_DENIED;
	ret->answered = rc == CURLE_OK || rc == CURLE_SEND_ERROR ||
			rc == CURLE_WEIRD_SERVER_REPLY || rc == CURLE_UPLOAD_FAILED;
	if (s->silent)
		snprintf(s->error, sizeof s->error, "the server was silent for %lld ms",
			 (long long)s->account->timeout_ms);
	if (ret->outcome != SMTP_SENT && rc != CURLE_SEND_ERROR)
		snprintf(ret->reply, sizeof ret->reply, "%s",
			 s->error[0] ? s->error : curl_easy_strerror(rc));
	else
		snprintf(ret->reply, sizeof ret->reply, "%s", s->reply);
	return MD_OK;
}

#include <maildesk/net/oauth.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_MAX = 64 << 10,
	FORM_MAX = 64 << 10,
	DEPTH_MAX = 8,
	TOKEN_MAX = 16 << 10, /* Microsoft's are about 3 KiB */
	SHOWN_MAX = 160,      /* bytes of a server's words in an error */
	TEXT_MAX = 1000,
	GRACE_MS = 3000, /* for the answer to what was sent, when the daemon ends */
	INTERVAL_S = 5,  /* RFC 8628, section 3.2 */
	LIFE_S = 3600,   /* where the server does not say */
	LIFE_MAX_S = 366 * 24 * 3600,
};

/* ---- one request ---- */

struct post {
	const struct oauth_client *client;
	struct buf form, answer;
	const char *secrets[3]; /* not to be shown, even if the server says them */
	char error[CURL_ERROR_SIZE];
	long status;
	int64_t stop_ms; /* monotonic: since when it is to end; 0: it is not */
};

static void post_done(struct post *p)
{
	buf_wipe(&p->form);
	buf_wipe(&p->answer);
}

static void add_field(struct post *p, const char *name, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	buf_addf(&p->form, "%s%s=", p->form.len ? "&" : "", name);
	for (; *value; value++) {
		if (strchr(plain, *value))
			buf_addc(&p->form, *value);
		else
			buf_addf(&p->form, "%%%02X", (unsigned char)*value);
	}
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *ctx)
{
	struct post *p = ctx;
	size_t n = size * count;

	buf_add(&p->answer, bytes, n);
	return p->answer.status == MD_OK ? n : 0;
}

/* An answer that is on its way may hold a new refresh token in place of the one sent: a daemon that
 * ends waits for it a little. */
static int may_go_on(void *ctx, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total,
		     curl_off_t ul)
{
	struct post *p = ctx;
	int64_t now = clock_mono(&clock_system);

	(void)dl_total;
	(void)dl;
	(void)ul_total;
	if (!p->client->stop || !atomic_load(p->client->stop))
		return 0;
	if (!p->stop_ms)
		p->stop_ms = now;
	return (size_t)ul < p->form.len || now - p->stop_ms > GRACE_MS;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void set_up(struct post *p, CURL *curl, const char *url, struct curl_slist *headers)
{
	const struct oauth_client *c = p->client;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca_file[0])
		curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, p->form.data);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)p->form.len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, p);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, p->error);
}

/* What it is called in errors: without what stands behind the host, which may be an id. */
static int host_length(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return (int)(host - url + (ptrdiff_t)strcspn(host, "/?"));
}

static bool is_distrust(CURLcode rc)
{
	return rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE ||
	       rc == CURLE_SSL_ISSUER_ERROR;
}

static int send_form(struct post *p, const char *url, struct md_err *err)
{
	static const char accept[] = "Accept: application/json";
	struct curl_slist *headers;
	CURL *curl;
	CURLcode rc;

	pthread_once(&once, init_curl);
	if (p->form.status != MD_OK)
		return md_fail(err, MD_BROKEN, 0, "the request to the token server is too long");
	headers = curl_slist_append(NULL, accept);
	curl = curl_easy_init();
	if (!curl || !headers) {
		curl_easy_cleanup(curl);
		curl_slist_free_all(headers);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	set_up(p, curl, url, headers);
	rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &p->status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	if (rc == CURLE_OK)
		return MD_OK;
	if (p->answer.status == MD_INPUT)
		return md_fail(err, MD_AGAIN, 0, "%.*s: the answer is longer than %d bytes",
			       host_length(url), url, ANSWER_MAX);
	return md_fail(err, is_distrust(rc) ? MD_BROKEN : MD_AGAIN, (int)rc, "%.*s: %s",
		       host_length(url), url, p->error[0] ? p->error : curl_easy_strerror(rc));
}

/* ---- what the server says ---- */

static const struct {
	const char *error;
	enum oauth_no no; /* 0: no refusal, but trouble */
} refusals[] = {
	{ "invalid_grant", OAUTH_GRANT },
	{ "authorization_pending", OAUTH_PENDING },
	{ "slow_down", OAUTH_SLOW_DOWN },
	{ "access_denied", OAUTH_DENIED },
	{ "authorization_declined", OAUTH_DENIED }, /* Microsoft's word */
	{ "expired_token", OAUTH_EXPIRED },
	{ "code_expired", OAUTH_EXPIRED },
	{ "server_error", 0 },
	{ "temporarily_unavailable", 0 },
};

/* One clean line without our secrets. */
static const char *shown(const struct post *p, const char *words, struct buf *room)
{
	if (!words)
		return "";
	for (size_t i = 0; i < MD_COUNT(p->secrets); i++)
		if (p->secrets[i] && p->secrets[i][0] && strstr(words, p->secrets[i]))
			return "";
	utf8_clean_line(room, words, strlen(words));
	buf_cut(room, utf8_cut(buf_str(room), room->len, SHOWN_MAX));
	return buf_str(room);
}

static int refusal(const struct post *p, const char *url, const json_t *j, struct md_err *err)
{
	md_auto(buf_done) struct buf word = BUF_INIT(TEXT_MAX), words = BUF_INIT(TEXT_MAX);
	const char *error = json_get_string(j, "error");
	const char *said = shown(p, json_get_string(j, "error_description"), &words);
	enum oauth_no no = OAUTH_OTHER;

	for (size_t i = 0; error && i < MD_COUNT(refusals); i++)
		if (strcmp(error, refusals[i].error) == 0)
			no = refusals[i].no;
	if (!error || p->status >= 500 || p->status == 429)
		return md_fail(err, MD_AGAIN, 0, "%.*s answers %ld", host_length(url), url,
			       p->status);
	return md_fail(err, no ? MD_REFUSED : MD_AGAIN, (int)no, "%.*s says %s%s%s",
		       host_length(url), url, shown(p, error, &word), *said ? ": " : "", said);
}

/* A number, or a number in a text, as some write it. */
static int64_t seconds(const json_t *j, const char *key, int64_t otherwise, int64_t most)
{
	const json_t *v = json_object_get(j, key);
	int64_t n = json_is_integer(v)  ? json_integer_value(v)
		    : json_is_real(v)   ? (int64_t)json_real_value(v)
		    : json_is_string(v) ? strtoll(json_string_value(v), NULL, 10)
					: otherwise;

	return n <= 0 ? otherwise : n > most ? most : n;
}

static int ask(struct post *p, const char *url, json_t **ret, struct md_err *err)
{
	md_auto(json_decref_p) json_t *j = NULL;
	int rc = send_form(p, url, err);

	if (rc != MD_OK)
		return rc;
	rc = json_read(buf_str(&p->answer), p->answer.len, DEPTH_MAX, &j, NULL);
	if (rc == MD_OK && !json_is_object(j))
		rc = MD_INPUT;
	if (p->status != 200)
		return refusal(p, url, rc == MD_OK ? j : NULL, err);
	if (rc != MD_OK)
		return md_fail(err, MD_AGAIN, 0, "%.*s does not answer like a token server",
			       host_length(url), url);
	if (json_object_get(j, "error")) /* with status 200 (some do) */
		return refusal(p, url, j, err);
	*ret = md_take(j);
	return MD_OK;
}

/* RFC 6749, appendix A.12: printable ASCII. It becomes a line of SASL. */
static bool is_token(const char *s)
{
	size_t n = 0;

	for (; s && s[n]; n++)
		if (s[n] < ' ' || s[n] > '~' || n == TOKEN_MAX)
			return false;
	return n > 0;
}

static int take_tokens(const char *url, const json_t *j, struct oauth_tokens *ret,
		       struct md_err *err)
{
	md_auto(oauth_tokens_done) struct oauth_tokens t = { 0 };
	const char *access = json_get_string(j, "access_token"),
		   *refresh = json_get_string(j, "refresh_token"),
		   *type = json_get_string(j, "token_type");

	if (!is_token(access) || (type && strcasecmp(type, "bearer") != 0) ||
	    (refresh && *refresh && !is_token(refresh)))
		return md_fail(err, MD_AGAIN, 0, "%.*s gives no bearer token", host_length(url),
			       url);
	t.access = md_strdup(access);
	t.refresh = refresh && *refresh ? md_strdup(refresh) : NULL;
	if (!t.access || (refresh && *refresh && !t.refresh))
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	t.life_ms = seconds(j, "expires_in", LIFE_S, LIFE_MAX_S) * 1000;
	*ret = t;
	t = (struct oauth_tokens){ 0 };
	fault_point("oauth_answered");
	return MD_OK;
}

/* jansson's own copies are wiped, too. */
static void forget(json_t *j)
{
	static const char *const secret[] = { "access_token", "refresh_token", "device_code",
					      "id_token" };

	for (size_t i = 0; i < MD_COUNT(secret); i++) {
		const char *s = json_get_string(j, secret[i]);

		if (s)
			explicit_bzero((char *)(uintptr_t)s, strlen(s));
	}
	json_decref(j);
}

static void begin(struct post *p, const struct oauth_client *c, const char *grant,
		  const char *secret)
{
	*p = (struct post){ .client = c,
			    .form = BUF_INIT(FORM_MAX),
			    .answer = BUF_INIT(ANSWER_MAX),
			    .secrets = { c->secret, secret } };
	if (grant)
		add_field(p, "grant_type", grant);
	add_field(p, "client_id", c->id);
	if (c->secret[0])
		add_field(p, "client_secret", c->secret);
}

static int ask_tokens(struct post *p, struct oauth_tokens *ret, struct md_err *err)
{
	json_t *j = NULL;
	int rc = ask(p, p->client->token_url, &j, err);

	if (rc == MD_OK)
		rc = take_tokens(p->client->token_url, j, ret, err);
	forget(j);
	return rc;
}

void oauth_tokens_done(struct oauth_tokens *t)
{
	md_wipe_text(t->access);
	md_wipe_text(t->refresh);
	*t = (struct oauth_tokens){ 0 };
}

int oauth_by_secret(const struct oauth_client *c, struct oauth_tokens *ret, struct md_err *err)
{
	md_auto(post_done) struct post p;

	begin(&p, c, "client_credentials", NULL);
	if (c->scope[0])
		add_field(&p, "scope", c->scope);
	return ask_tokens(&p, ret, err);
}

int oauth_by_refresh(const struct oauth_client *c, const char *refresh, struct oauth_tokens *ret,
		     struct md_err *err)
{
	md_auto(post_done) struct post p;

	begin(&p, c, "refresh_token", refresh);
	add_field(&p, "refresh_token", refresh);
	if (c->scope[0])
		add_field(&p, "scope", c->scope);
	return ask_tokens(&p, ret, err);
}

/* ---- a person signs in elsewhere ---- */

void oauth_device_done(struct oauth_device *d)
{
	md_wipe_text(d->code);
	free(d->user_code);
	free(d->url);
	free(d->whole_url);
	*d = (struct oauth_device){ 0 };
}

/* It is shown to a person who will follow it: a clean line, and of the web. NULL: none. */
static char *web_address(const json_t *j, const char *key, const char *other_key)
{
	const char *s = json_get_string(j, key);

	if (!s)
		s = json_get_string(j, other_key);
	if (!is_token(s) || strlen(s) > TEXT_MAX || strchr(s, ' ') ||
	    (strncmp(s, "https://", 8) != 0 && strncmp(s, "http://", 7) != 0))
		return NULL;
	return md_strdup(s);
}

static int take_device(const char *url, const json_t *j, struct oauth_device *ret,
		       struct md_err *err)
{
	md_auto(oauth_device_done) struct oauth_device d = { 0 };
	const char *code = json_get_string(j, "device_code"),
		   *user_code = json_get_string(j, "user_code");

	d.url = web_address(j, "verification_uri", "verification_url"); /* Google's word */
	d.whole_url = web_address(j, "verification_uri_complete", "verification_url_complete");
	if (!is_token(code) || !is_token(user_code) || strlen(user_code) > TEXT_MAX || !d.url)
		return md_fail(err, MD_AGAIN, 0, "%.*s does not begin a sign-in with a code",
			       host_length(url), url);
	d.code = md_strdup(code);
	d.user_code = md_strdup(user_code);
	if (!d.code || !d.user_code)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	d.interval_ms = seconds(j, "interval", INTERVAL_S, LIFE_S) * 1000;
	d.life_ms = seconds(j, "expires_in", LIFE_S / 4, LIFE_MAX_S) * 1000;
	*ret = d;
	d = (struct oauth_device){ 0 };
	return MD_OK;
}

int oauth_device_begin(const struct oauth_client *c, struct oauth_device *ret, struct md_err *err)
{
	md_auto(post_done) struct post p;
	json_t *j = NULL;
	int rc;

	begin(&p, c, NULL, NULL);
	if (c->scope[0])
		add_field(&p, "scope", c->scope);
	rc = ask(&p, c->device_url, &j, err);
	if (rc == MD_OK)
		rc = take_device(c->device_url, j, ret, err);
	forget(j);
	return rc;
}

int oauth_device_ask(const struct oauth_client *c, const char *code, struct oauth_tokens *ret,
		     struct md_err *err)
{
	md_auto(post_done) struct post p;

	begin(&p, c, "urn:ietf:params:oauth:grant-type:device_code", code);
	add_field(&p, "device_code", code);
	return ask_tokens(&p, ret, err);
}

/* The second factor: a code of an authenticator (RFC 6238), or one of the recovery codes that came
 * with it. Asked for only behind a right password or link, so who sees the question knows that much
 * already; tries are counted for the account alone, which only its owner or a thief of the password
 * can use up. */
#include "auth_private.h"

#include <maildesk/app/factor.h>
#include <maildesk/desk/totp.h>
#include <maildesk/store/otp.h>

#include <stdio.h>
#include <string.h>

enum {
	RECOVERY_CODES = 10,
	RECOVERY_BYTES = 10,
	RECOVERY_TEXT = 20, /* four groups of four, and the dashes between */
	GROUP = 4,
	URI_MAX = 4000,
};

/* ---- asking for it ---- */

/* Letters and digits alone count: people copy codes with what stands between. */
static void recovery_hash(const char *code, char ret[SHA256_HEX])
{
	char plain[RECOVERY_BYTES * 2];
	size_t n = 0;

	for (; *code && n < sizeof plain; code++)
		if (*code != '-' && *code != ' ')
			plain[n++] =
				(char)(*code >= 'A' && *code <= 'Z' ? *code - 'A' + 'a' : *code);
	sha256_hex(plain, n, ret);
}

static int spend_code(struct db_conn *c, struct vault *v, const struct otp_row *o, const char *code,
		      int64_t now_ms, struct md_err *err)
{
	md_auto(buf_wipe) struct buf secret = BUF_INIT(TOTP_SECRET_BYTES);
	int64_t step;
	char hash[SHA256_HEX];
	int rc;

	if (strlen(code) != TOTP_DIGITS) {
		recovery_hash(code, hash);
		return recovery_code_spend(c, o->user_id, hash, now_ms, err);
	}
	rc = factor_open(v, o, &secret, err);
	if (rc == MD_AGAIN ||
	    rc == MD_INPUT) /* vault.h: nothing that trying again here would mend */
		return auth_refuse(err, AUTH_BAD,
				   "codes of your authenticator cannot be checked here now, a "
				   "recovery code can");
	if (rc == MD_OK)
		rc = totp_check((const uint8_t *)secret.data, secret.len, code, now_ms,
				o->last_step, &step, err);
	return rc == MD_OK ? otp_spend(c, o->user_id, step, err) : rc;
}

static bool may_try(struct api *api, int64_t user)
{
	int64_t limit = api->desk->config->limits.login_per_minute;
	struct limit_state state;
	char key[40];

	snprintf(key, sizeof key, "otp %lld", (long long)user);
	return limit <= 0 || limiter_take(api->sign_ins, key, strlen(key), limit,
					  clock_mono(api->desk->clock), &state);
}

/* MD_REFUSED (enum auth_refusal) unless the body has a code that is good; it is spent. */
static int demand(struct db_conn *c, struct api *api, struct http_request *q,
		  const struct otp_row *o, struct md_err *err)
{
	const char *code = json_get_string(q->json, "otp");
	int rc;

	if (!code)
		return auth_refuse(err, AUTH_OTP_REQUIRED,
				   "a code of your authenticator is needed");
	if (!may_try(api, o->user_id))
		return auth_refuse(err, AUTH_TOO_OFTEN, "too many codes were tried");
	rc = spend_code(c, api->desk->vault, o, code, q->now_ms, err);
	if (rc == MD_REFUSED && err->native == AUTH_BAD)
		return rc;
	return rc == MD_REFUSED || rc == MD_CONFLICT || rc == MD_NOTFOUND
		       ? auth_refuse(err, AUTH_BAD, "the code is not right (any more)")
		       : rc;
}

int auth_demand_otp(struct db_conn *c, struct api *api, struct http_request *q, int64_t user,
		    struct md_err *err)
{
	struct otp_row o;
	int rc = otp_get(c, user, q->arena, &o, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && !o.confirmed_at))
		return MD_OK;
	return rc == MD_OK ? demand(c, api, q, &o, err) : rc;
}

/* ---- setting it up ---- */

struct setup {
	struct api *api;
	struct http_request *q;
	int64_t user;
	uint8_t secret[TOTP_SECRET_BYTES];
	char codes[RECOVERY_CODES][RECOVERY_TEXT];
};

static int make_code(struct api *api, char ret[RECOVERY_TEXT], struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(RECOVERY_TEXT);
	uint8_t bytes[RECOVERY_BYTES];

	random_fill(api->desk->random, bytes, sizeof bytes);
	base32_encode(&text, bytes, sizeof bytes);
	if (text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0, at = 0; i < text.len; i++) {
		if (i && i % GROUP == 0)
			ret[at++] = '-';
		ret[at++] = text.data[i];
		ret[at] = '\0';
	}
	return MD_OK;
}

static int offer_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct setup *s = ctx;
	md_auto(buf_done) struct buf sealed = BUF_INIT(TOTP_SECRET_BYTES + VAULT_OVERHEAD);
	char hash[SHA256_HEX];
	int rc = factor_seal(s->api->desk->vault, s->secret, sizeof s->secret, &sealed, err);

	if (rc == MD_OK)
		rc = otp_offer(c, s->user, sealed.data, sealed.len, err);
	for (size_t i = 0; i < RECOVERY_CODES && rc == MD_OK; i++) {
		recovery_hash(s->codes[i], hash);
		rc = recovery_code_add(c, s->user, hash, err);
	}
	return rc;
}

static int show_offer(const struct setup *s, struct http_response *r, struct md_err *err)
{
	md_auto(buf_done) struct buf secret = BUF_INIT(100), uri = BUF_INIT(URI_MAX);

	totp_secret_text(&secret, s->secret, sizeof s->secret);
	totp_uri(&uri, s->api->desk->config->desk.name, api_by(s->q)->user.email, s->secret,
		 sizeof s->secret);
	if (secret.status != MD_OK || uri.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	show_begin(&r->body, NULL, '{');
	show_bool(&r->body, "enabled", false);
	show_text(&r->body, "secret", secret.data);
	show_text(&r->body, "uri", uri.data);
	show_begin(&r->body, "recovery_codes", '[');
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		show_text(&r->body, NULL, s->codes[i]);
	show_end(&r->body, ']');
	show_end(&r->body, '}');
	return MD_OK;
}

static int offer(struct setup *s, struct http_response *r, struct md_err *err)
{
	int rc = MD_OK;

	random_fill(s->api->desk->random, s->secret, sizeof s->secret);
	for (size_t i = 0; i < RECOVERY_CODES && rc == MD_OK; i++)
		rc = make_code(s->api, s->codes[i], err);
	if (rc == MD_OK)
		rc = db_txn(s->api->desk->db, offer_in_txn, s, err);
	return rc == MD_OK ? show_offer(s, r, err) : rc;
}

/* Only a code of the authenticator itself: it is the proof that it has the secret. */
static int confirm_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct setup *s = ctx;
	struct otp_row o;
	const char *code = json_get_string(s->q->json, "otp");
	int rc = otp_get(c, s->user, s->q->arena, &o, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && o.confirmed_at))
		return md_fail(err, MD_CONFLICT, 0, "there is nothing to confirm");
	if (rc == MD_OK && strlen(code) != TOTP_DIGITS)
		return auth_refuse(err, AUTH_BAD, "a code of the authenticator is needed");
	if (rc == MD_OK)
		rc = demand(c, s->api, s->q, &o, err);
	return rc == MD_OK ? otp_confirm(c, s->user, s->q->now_ms, err) : rc;
}

static int remove_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct setup *s = ctx;
	struct otp_row o;
	int rc = otp_get(c, s->user, s->q->arena, &o, err);

	if (rc == MD_NOTFOUND)
		return md_fail(err, MD_CONFLICT, 0, "there is no second factor");
	if (rc == MD_OK && o.confirmed_at)
		rc = demand(c, s->api, s->q, &o, err);
	return rc == MD_OK ? otp_remove(c, s->user, err) : rc;
}

/* Who asks is signed in: a wrong code is a fault of the body. */
static int refuse_code(struct http_request *q, struct http_response *r, int rc, struct md_err *err)
{
	return rc == MD_REFUSED && err->native == AUTH_BAD ? auth_bad_field(q, r, "otp", err->text)
							   : auth_refused(q, r, rc, err);
}

int auth_otp_set(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct setup s = { .api = ctx, .q = q, .user = api_by(q)->user.id };
	int rc;

	if (!json_get_string(q->json, "otp"))
		return offer(&s, r, err);
	rc = db_txn(s.api->desk->db, confirm_in_txn, &s, err);
	if (rc != MD_OK)
		return refuse_code(q, r, rc, err);
	show_begin(&r->body, NULL, '{');
	show_bool(&r->body, "enabled", true);
	show_end(&r->body, '}');
	return MD_OK;
}

int auth_otp_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct setup s = { .api = ctx, .q = q, .user = api_by(q)->user.id };

	return refuse_code(q, r, db_txn(s.api->desk->db, remove_in_txn, &s, err), err);
}

/* ---- bodies ---- */

const struct http_field auth_otp_body[] = { { "otp", HTTP_LINE, 0, 1, 40, NULL, NULL }, HTTP_END };
const struct http_field auth_otp_proof[] = { { "otp", HTTP_LINE, HTTP_REQUIRED, 1, 40, NULL, NULL },
					     HTTP_END };

/* bearer_renew.c - new tokens, sealed, into an account's row.
 *
 * Only the daemon that holds the account's lease asks, and only while the row is the one it looked
 * at: with its answer the refresh token before may be good for nothing. So an answer is written
 * again and again until it is kept. */
#include "bearer_priv.h"

#include <maildesk/app/audit.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/store/leases.h>

#include <stdio.h>
#include <time.h>

enum {
	MARGIN_MS = 5 * 60 * 1000, /* before its end a token is renewed */
	MARGIN_PART = 4,           /* or in the last quarter of its life, if that is later */
	RETRY_FIRST_MS = 1000,     /* the server was not reached */
	RETRY_MAX_MS = 5 * 60 * 1000,
	LEASE_SPARE_MS = 30 * 1000, /* beyond the time-out of the request */
	SAVE_PAUSE_MS = 200,
	TOKEN_MAX = 64 << 10,
};
static const char purpose[] = "oauth token";

/* ---- the row ---- */

int bearer_load(struct db_conn *c, const struct account *a, struct view *v, struct md_err *err)
{
	int rc = lease_now(c, &v->now, err);

	if (rc == MD_OK)
		rc = oauth_grant_get(c, a->conf->title, a->login, &v->arena, &v->g, err);
	if (rc == MD_NOTFOUND) {
		v->g = (struct oauth_grant){ .section = a->conf->title, .login = a->login };
		rc = MD_OK;
	}
	return rc;
}

int bearer_unseal(struct bearer *b, const struct rec_bytes *sealed, char **ret, struct md_err *err)
{
	struct buf text = BUF_INIT(TOKEN_MAX);
	int rc = vault_unseal(b->d->vault, purpose, sealed->v, sealed->n, &text, err);

	if (rc != MD_OK) {
		buf_wipe(&text);
		return rc;
	}
	*ret = buf_steal(&text);
	return MD_OK;
}

/* ---- renewing ---- */

struct renewal {
	struct bearer *b;
	struct account *a;
	struct view *v;
	struct oauth_grant made; /* what is written: tokens, or a failure */
	bool failed;
	int64_t life_ms, margin_ms; /* of the new token, from now on */
	char lease[300];
	int64_t fence;
	bool mine;
};

/* Nobody else is at it, and it is still the row that was looked at. */
static int begin_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct renewal *r = ctx;
	struct view now = { .arena = ARENA_INIT(BEARER_ROW_ARENA) };
	int rc = lease_take(c, r->lease, r->b->d->instance, r->a->conf->timeout_ms + LEASE_SPARE_MS,
			    &r->fence, err);

	r->mine = rc == MD_OK;
	if (rc == MD_CONFLICT)
		return MD_OK;
	if (rc == MD_OK)
		rc = bearer_load(c, r->a, &now, err);
	if (rc == MD_OK && now.g.version != r->v->g.version) {
		r->mine = false;
		rc = lease_release(c, r->lease, r->b->d->instance, err);
	}
	arena_done(&now.arena);
	return rc;
}

static int release_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct renewal *r = ctx;

	return lease_release(c, r->lease, r->b->d->instance, err);
}

static int end_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct renewal *r = ctx;
	struct oauth_grant g = r->made;
	int64_t now;
	int rc = lease_now(c, &now, err);

	if (rc != MD_OK)
		return rc;
	g.expires_at = now + r->life_ms;
	g.renew_at = g.expires_at - r->margin_ms;
	g.retry_at += now;
	rc = r->failed ? oauth_grant_failed(c, &g, err) : oauth_grant_save(c, &g, err);
	return rc == MD_OK ? lease_release(c, r->lease, r->b->d->instance, err) : rc;
}

/* Until it is written: the server may have forgotten the old refresh token. */
static void end(struct renewal *r)
{
	const struct timespec pause = { 0, SAVE_PAUSE_MS * 1000000L };
	struct md_err err = { 0 };
	bool told = false;
	int rc;

	while ((rc = db_txn(r->b->d->db, end_in_txn, r, &err)) == MD_AGAIN || rc == MD_UNKNOWN ||
	       rc == MD_BROKEN) {
		if (!told)
			log_error(NULL, "oauth \"%s\": the answer cannot be kept, trying again: %s",
				  r->a->conf->title, err.text);
		told = true;
		/* no reason to be started anew, which would lose it */
		desk_worker_busy(r->a->worker);
		if (r->failed || atomic_load(&r->b->stopping))
			return;
		nanosleep(&pause, NULL);
	}
	if (rc == MD_CONFLICT) /* somebody signed in meanwhile */
		(void)db_txn(r->b->d->db, release_in_txn, r, NULL);
	if (rc == MD_OK && !r->failed) {
		fault_point("oauth_saved");
		log_info(NULL, "oauth \"%s\"%s%s: access token renewed, good for %lld s",
			 r->a->conf->title, *r->a->login ? ", " : "", r->a->login,
			 (long long)(r->life_ms / 1000));
	}
}

static void note_failure(struct renewal *r, int rc, const struct md_err *why)
{
	struct oauth_grant *g = &r->made;
	bool person = rc == MD_REFUSED || rc == MD_BROKEN;
	uint32_t dice;

	r->failed = true;
	g->failures = r->v->g.failures + 1;
	g->refused = rc == MD_REFUSED ? why->native : rc == MD_BROKEN ? OAUTH_OTHER : 0;
	g->error = why->text;
	g->retry_at =
		person ? bearer_backoff(g->failures, BEARER_REFUSED_FIRST_MS, BEARER_REFUSED_MAX_MS)
		       : bearer_backoff(g->failures, RETRY_FIRST_MS, RETRY_MAX_MS);
	random_fill(r->b->d->random, &dice, sizeof dice);
	g->retry_at += (int64_t)(dice % 1000) * g->retry_at / 4000; /* not all in step */
	end(r);
}

static int keep_tokens(struct desk *d, const struct oauth_tokens *t, const struct rec_bytes *old,
		       struct oauth_grant *g, struct buf *access, struct buf *refresh,
		       struct md_err *err)
{
	int rc = vault_seal(d->vault, purpose, t->access, strlen(t->access), access, err);

	if (rc == MD_OK && t->refresh)
		rc = vault_seal(d->vault, purpose, t->refresh, strlen(t->refresh), refresh, err);
	g->access = (struct rec_bytes){ access->len, (const uint8_t *)access->data };
	if (t->refresh)
		g->refresh = (struct rec_bytes){ refresh->len, (const uint8_t *)refresh->data };
	else if (old)
		g->refresh = *old;
	return rc;
}

static int64_t margin_of(int64_t life_ms)
{
	return life_ms / MARGIN_PART < MARGIN_MS ? life_ms / MARGIN_PART : MARGIN_MS;
}

static int ask_server(struct renewal *r, struct oauth_tokens *ret, struct md_err *err)
{
	const struct oauth_client client = bearer_client(r->a->conf, &r->b->stopping);
	md_auto(buf_done) struct buf probe = BUF_INIT(TOKEN_MAX);
	char *refresh = NULL;
	int rc = vault_seal(r->b->d->vault, purpose, "", 0, &probe, err);

	if (rc != MD_OK) /* what came could not be kept */
		return rc;
	if (bearer_by_secret(r->a->conf))
		return oauth_by_secret(&client, ret, err);
	rc = bearer_unseal(r->b, &r->v->g.refresh, &refresh, err);
	if (rc == MD_INPUT)
		rc = md_fail(err, MD_REFUSED, OAUTH_GRANT, "the sign-in that was kept is damaged");
	if (rc == MD_OK)
		rc = oauth_by_refresh(&client, refresh, ret, err);
	md_wipe_text(refresh);
	return rc;
}

/* True: the row has changed. */
bool bearer_renew(struct bearer *b, struct account *a, struct view *v)
{
	struct renewal r = { .b = b, .a = a, .v = v, .made = v->g };
	md_auto(oauth_tokens_done) struct oauth_tokens tokens = { 0 };
	md_auto(buf_done) struct buf access = BUF_INIT(TOKEN_MAX), refresh = BUF_INIT(TOKEN_MAX);
	struct md_err err = { 0 };
	int64_t began = bearer_mono(b);
	int rc;

	snprintf(r.lease, sizeof r.lease, "oauth:%.100s:%.180s", a->conf->title, a->login);
	rc = db_txn(b->d->db, begin_in_txn, &r, &err);
	if (rc != MD_OK || !r.mine)
		return false;
	a->tried = true;
	a->next_ms = began + BEARER_LOOK_MS;
	rc = ask_server(&r, &tokens, &err);
	if (rc == MD_OK)
		rc = keep_tokens(b->d, &tokens, &v->g.refresh, &r.made, &access, &refresh, &err);
	if (rc != MD_OK) {
		note_failure(&r, rc, &err);
		return true;
	}
	r.margin_ms = margin_of(tokens.life_ms);
	r.life_ms = tokens.life_ms - (bearer_mono(b) - began);
	end(&r);
	return true;
}

/* ---- a person has signed in ---- */

struct login {
	struct oauth_grant g;
	int64_t life_ms;
};

static int replace_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct login *l = ctx;
	struct oauth_grant g = l->g;
	int64_t now;
	int rc = lease_now(c, &now, err);

	g.expires_at = now + l->life_ms;
	g.renew_at = g.expires_at - margin_of(l->life_ms);
	return rc == MD_OK ? oauth_grant_replace(c, &g, err) : rc;
}

int bearer_keep_login(struct desk *d, const struct conf_oauth *conf, const char *login,
		      const struct oauth_tokens *tokens, struct md_err *err)
{
	md_auto(buf_done) struct buf access = BUF_INIT(TOKEN_MAX), refresh = BUF_INIT(TOKEN_MAX);
	struct login l = { { .section = conf->title, .login = login }, tokens->life_ms };
	int rc = keep_tokens(d, tokens, NULL, &l.g, &access, &refresh, err);

	return rc == MD_OK ? audit_cli_txn(d->db, &(struct audit_deed){ "oauth.login", NULL, NULL },
					   replace_in_txn, &l, err)
			   : rc;
}

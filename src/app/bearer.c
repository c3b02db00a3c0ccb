#include <maildesk/app/bearer.h>
#include <maildesk/app/desk.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/oauth.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LOOK_EVERY_MS = 1000,      /* other daemons, and `oauth login`, write the rows, too */
	MARGIN_MS = 5 * 60 * 1000, /* before its end a token is renewed */
	MARGIN_PART = 4,           /* or in the last quarter of its life, if that is later */
	RETRY_FIRST_MS = 1000,     /* the server was not reached */
	RETRY_MAX_MS = 5 * 60 * 1000,
	REFUSED_FIRST_MS = 60 * 1000, /* a person has to act */
	REFUSED_MAX_MS = 30 * 60 * 1000,
	LEASE_SPARE_MS = 30 * 1000, /* beyond the time-out of the request */
	SAVE_PAUSE_MS = 200,
	ROW_ARENA = 256 << 10,
	TOKEN_MAX = 64 << 10,
};
static const char purpose[] = "oauth token";

struct account {
	const struct conf_oauth *conf;
	const char *login; /* "": the desk itself, by its secret */
	const char *name;  /* of a section that uses it, for `oauth login` */
	/* of its server's thread */
	int64_t next_ms; /* monotonic: the server is not asked before */
	bool looked;     /* the row was read since the start */
	bool tried;      /* since the start: what stands between two daemons' lives is no reason to
			  * wait */
	int64_t version;
	/* under the lock */
	char *access;
	int64_t serial;
	int64_t end_ms;   /* monotonic: of access */
	bool bad;         /* a mail server has refused access */
	int refusals;     /* in a row */
	int64_t again_ms; /* monotonic: a refused one is renewed then */
	bool told;        /* error is that refusal alone */
	enum md_code code;
	char error[DESK_TEXT_MAX];
};

/* A token server, and those who sign in there. */
struct server {
	struct bearer *b;
	const struct conf_oauth *conf;
	pthread_t thread;
	bool runs;
};

struct bearer {
	struct desk *d;
	struct account *accounts;
	struct server *servers;
	size_t n_accounts, n_servers;
	atomic_bool stopping;
	atomic_llong changes;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

static int64_t mono(const struct bearer *b)
{
	return clock_mono(b->d->clock);
}

static bool by_secret(const struct conf_oauth *conf)
{
	return *conf->device_url == '\0';
}

static struct account *find(struct bearer *b, const char *section, const char *login)
{
	for (size_t i = 0; b && i < b->n_accounts; i++) {
		struct account *a = &b->accounts[i];

		if (strcmp(a->conf->title, section) == 0 &&
		    (by_secret(a->conf) || strcmp(a->login, login) == 0))
			return a;
	}
	return NULL;
}

static int64_t backoff(int64_t failures, int64_t first, int64_t most)
{
	int64_t ms = first;

	for (int64_t i = 1; i < failures && ms < most; i++)
		ms *= 2;
	return ms < most ? ms : most;
}

static void wipe_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* ---- what others are told ---- */

static void tell(struct bearer *b)
{
	atomic_fetch_add(&b->changes, 1);
	desk_wake(b->d, DESK_MAILBOXES);
	desk_wake(b->d, DESK_SENDER);
}

/* Takes over `access`. */
static void publish_token(struct bearer *b, struct account *a, char *access, int64_t left_ms)
{
	pthread_mutex_lock(&b->lock);
	wipe_text(a->access);
	a->access = access;
	a->end_ms = mono(b) + left_ms;
	a->serial++;
	a->bad = a->told = false;
	a->code = MD_OK;
	a->error[0] = '\0';
	pthread_mutex_unlock(&b->lock);
	tell(b);
}

static void publish_trouble(struct bearer *b, struct account *a, enum md_code code,
			    const char *text)
{
	bool news;

	pthread_mutex_lock(&b->lock);
	news = a->code != code || strncmp(a->error, text, sizeof a->error - 1) != 0;
	a->told = false;
	a->code = code;
	snprintf(a->error, sizeof a->error, "%s", text);
	pthread_mutex_unlock(&b->lock);
	if (!news)
		return;
	log_error(NULL, "oauth \"%s\"%s%s: %s", a->conf->title, *a->login ? ", " : "", a->login,
		  text);
	tell(b);
}

/* ---- the row ---- */

struct view {
	struct arena arena;
	struct oauth_grant g;
	int64_t now; /* the database's clock */
};

static int load(struct db_conn *c, const struct account *a, struct view *v, struct md_err *err)
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

static int look(struct bearer *b, const struct account *a, struct view *v, struct md_err *err)
{
	struct db_conn *c = NULL;
	int rc = db_read(b->d->db, &c, err);

	if (rc == MD_OK) {
		rc = load(c, a, v, err);
		db_read_done(c);
	}
	return rc;
}

static int unseal(struct bearer *b, const struct rec_bytes *sealed, char **ret, struct md_err *err)
{
	struct buf text = BUF_INIT(TOKEN_MAX);
	int rc = vault_unseal(b->d->vault, purpose, sealed->v, sealed->n, &text, err);

	if (rc != MD_OK) {
		vault_wipe(&text);
		return rc;
	}
	*ret = buf_steal(&text);
	return MD_OK;
}

/* Is there a token that is not known here yet? */
static int take_token(struct bearer *b, struct account *a, const struct view *v, struct md_err *err)
{
	char *access = NULL;
	int rc;

	if (a->looked && a->version == v->g.version)
		return MD_OK;
	if (v->g.access.n && v->g.expires_at > v->now) {
		rc = unseal(b, &v->g.access, &access, err);
		if (rc != MD_OK && rc != MD_INPUT)
			return rc;
	}
	a->looked = true;
	a->version = v->g.version;
	if (access)
		publish_token(b, a, access, v->g.expires_at - v->now);
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
	struct view now = { .arena = ARENA_INIT(ROW_ARENA) };
	int rc = lease_take(c, r->lease, r->b->d->instance, r->a->conf->timeout_ms + LEASE_SPARE_MS,
			    &r->fence, err);

	r->mine = rc == MD_OK;
	if (rc == MD_CONFLICT)
		return MD_OK;
	if (rc == MD_OK)
		rc = load(c, r->a, &now, err);
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
	g->retry_at = person ? backoff(g->failures, REFUSED_FIRST_MS, REFUSED_MAX_MS)
			     : backoff(g->failures, RETRY_FIRST_MS, RETRY_MAX_MS);
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
	if (by_secret(r->a->conf))
		return oauth_by_secret(&client, ret, err);
	rc = unseal(r->b, &r->v->g.refresh, &refresh, err);
	if (rc == MD_INPUT)
		rc = md_fail(err, MD_REFUSED, OAUTH_GRANT, "the sign-in that was kept is damaged");
	if (rc == MD_OK)
		rc = oauth_by_refresh(&client, refresh, ret, err);
	wipe_text(refresh);
	return rc;
}

/* True: the row has changed. */
static bool renew(struct bearer *b, struct account *a, struct view *v)
{
	struct renewal r = { .b = b, .a = a, .v = v, .made = v->g };
	md_auto(oauth_tokens_done) struct oauth_tokens tokens = { 0 };
	md_auto(buf_done) struct buf access = BUF_INIT(TOKEN_MAX), refresh = BUF_INIT(TOKEN_MAX);
	struct md_err err = { 0 };
	int64_t began = mono(b);
	int rc;

	snprintf(r.lease, sizeof r.lease, "oauth:%.100s:%.180s", a->conf->title, a->login);
	rc = db_txn(b->d->db, begin_in_txn, &r, &err);
	if (rc != MD_OK || !r.mine)
		return false;
	a->tried = true;
	a->next_ms = began + LOOK_EVERY_MS;
	rc = ask_server(&r, &tokens, &err);
	if (rc == MD_OK)
		rc = keep_tokens(b->d, &tokens, &v->g.refresh, &r.made, &access, &refresh, &err);
	if (rc != MD_OK) {
		note_failure(&r, rc, &err);
		return true;
	}
	r.margin_ms = margin_of(tokens.life_ms);
	r.life_ms = tokens.life_ms - (mono(b) - began);
	end(&r);
	return true;
}

/* ---- one account, now and then ---- */

static void explain(const struct account *a, const struct oauth_grant *g, char out[DESK_TEXT_MAX])
{
	const char *said = g->error ? g->error : "nothing was asked yet";

	if (by_secret(a->conf) || (g->refused && g->refused != OAUTH_GRANT) ||
	    (g->refresh.n && !g->refused))
		snprintf(out, DESK_TEXT_MAX, "%s", said);
	else if (!g->version)
		snprintf(out, DESK_TEXT_MAX,
			 "nobody has signed in as %.80s yet: run `maildesk oauth login %.60s`",
			 a->login, a->name);
	else if (g->refused)
		snprintf(out, DESK_TEXT_MAX, "run `maildesk oauth login %.60s`: %s", a->name, said);
	else
		snprintf(out, DESK_TEXT_MAX,
			 "run `maildesk oauth login %.60s`: the sign-in is over, and its server "
			 "gave "
			 "no refresh token (offline_access in scope?)",
			 a->name);
}

struct wants {
	bool bad;    /* a mail server has refused it */
	bool usable; /* there is a token that is good */
	bool stale;  /* there should be a new one */
	bool now;    /* and it may be asked for */
};

static struct wants judge(struct bearer *b, struct account *a, const struct view *v)
{
	const struct oauth_grant *g = &v->g;
	struct wants w = { .usable = g->access.n && g->expires_at > v->now };
	bool again;

	pthread_mutex_lock(&b->lock);
	w.bad = a->bad;
	again = mono(b) >= a->again_ms;
	w.usable &= !w.bad && a->access;
	pthread_mutex_unlock(&b->lock);
	w.stale = !w.usable || g->renew_at <= v->now;
	w.now = w.stale && (by_secret(a->conf) || g->refresh.n) && (!w.bad || again) &&
		(g->retry_at <= v->now || !a->tried) && a->next_ms <= mono(b);
	return w;
}

/* True: to be looked at again at once. */
static bool step(struct bearer *b, struct account *a)
{
	struct view v = { .arena = ARENA_INIT(ROW_ARENA) };
	struct md_err err = { 0 };
	char text[DESK_TEXT_MAX];
	struct wants w;
	bool changed = false;
	int rc = look(b, a, &v, &err);

	if (rc == MD_OK)
		rc = take_token(b, a, &v, &err);
	if (rc == MD_OK) {
		w = judge(b, a, &v);
		if (w.now)
			changed = renew(b, a, &v);
		if (!w.usable && !changed && !(w.bad && !v.g.error)) {
			bool person = v.g.refused || (!by_secret(a->conf) && !v.g.refresh.n);

			explain(a, &v.g, text);
			publish_trouble(b, a, person ? MD_REFUSED : MD_AGAIN, text);
		}
	} else if (!a->looked) { /* else what was known goes on being true */
		publish_trouble(b, a, MD_AGAIN, err.text);
	}
	arena_done(&v.arena);
	return changed;
}

static void wait_a_moment(struct bearer *b)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_EVERY_MS / 1000;
	pthread_mutex_lock(&b->lock);
	if (!atomic_load(&b->stopping))
		pthread_cond_timedwait(&b->wake, &b->lock, &until);
	pthread_mutex_unlock(&b->lock);
}

static void *run(void *arg)
{
	struct server *s = arg;
	struct bearer *b = s->b;

	while (!atomic_load(&b->stopping)) {
		bool again = false;

		for (size_t i = 0; i < b->n_accounts && !atomic_load(&b->stopping); i++)
			if (b->accounts[i].conf == s->conf)
				again |= step(b, &b->accounts[i]);
		if (!again)
			wait_a_moment(b);
	}
	return NULL;
}

/* ---- from outside ---- */

int bearer_token(struct bearer *b, const char *section, const char *login, struct buf *out,
		 int64_t *ret_serial, struct md_err *err)
{
	struct account *a = find(b, section, login);
	int rc = MD_OK;

	if (!a)
		return md_fail(err, MD_BROKEN, 0, "no such oauth section: %s", section);
	pthread_mutex_lock(&b->lock);
	if (a->access && !a->bad && mono(b) < a->end_ms) {
		buf_adds(out, a->access);
		*ret_serial = a->serial;
		if (out->status != MD_OK)
			rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	} else {
		rc = md_fail(err, a->code ? a->code : MD_AGAIN, a->told ? a->refusals : 0, "%s",
			     a->error[0] ? a->error : "an access token is asked for");
	}
	pthread_mutex_unlock(&b->lock);
	return rc;
}

void bearer_refused(struct bearer *b, const char *section, const char *login, int64_t serial)
{
	struct account *a = find(b, section, login);

	if (!a)
		return;
	pthread_mutex_lock(&b->lock);
	if (a->serial == serial && !a->bad) {
		a->bad = true;
		a->again_ms = a->refusals++ ? mono(b) + backoff(a->refusals - 1, REFUSED_FIRST_MS,
								REFUSED_MAX_MS)
					    : 0;
		a->told = true;
		a->code = MD_AGAIN;
		snprintf(a->error, sizeof a->error,
			 "the mail server refuses the access token; another one is asked for");
		pthread_cond_broadcast(&b->wake);
	}
	pthread_mutex_unlock(&b->lock);
}

void bearer_accepted(struct bearer *b, const char *section, const char *login)
{
	struct account *a = find(b, section, login);

	if (!a)
		return;
	pthread_mutex_lock(&b->lock);
	a->refusals = 0;
	pthread_mutex_unlock(&b->lock);
}

int64_t bearer_changes(const struct bearer *b)
{
	return b ? atomic_load(&b->changes) : 0;
}

struct oauth_client bearer_client(const struct conf_oauth *conf, const atomic_bool *stop)
{
	return (struct oauth_client){ .token_url = conf->token_url,
				      .device_url = conf->device_url,
				      .id = conf->client_id,
				      .secret = conf->client_secret,
				      .scope = conf->scope,
				      .ca_file = conf->ca_file,
				      .timeout_ms = conf->timeout_ms,
				      .stop = stop };
}

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

	return rc == MD_OK ? db_txn(d->db, replace_in_txn, &l, err) : rc;
}

/* ---- beginning and end ---- */

static void add_account(struct bearer *b, const struct conf_oauth *conf, const char *login,
			const char *name)
{
	if (!find(b, conf->title, login))
		b->accounts[b->n_accounts++] = (struct account){
			.conf = conf, .login = by_secret(conf) ? "" : login, .name = name
		};
}

static void add_accounts(struct bearer *b, const struct config *c)
{
	for (size_t i = 0; i < c->n_mailboxes; i++) {
		const struct conf_mailbox *m = &c->mailboxes[i];

		if (m->oauth)
			add_account(b, config_oauth(c, m->oauth), m->user, m->title);
	}
	for (size_t i = 0; i < c->n_smtp; i++) {
		const struct conf_smtp *s = &c->smtp[i];

		if (s->oauth)
			add_account(b, config_oauth(c, s->oauth), s->user, s->title);
	}
	for (size_t i = 0; i < b->n_accounts; i++) {
		const struct conf_oauth *conf = b->accounts[i].conf;
		size_t k = 0;

		while (k < b->n_servers && b->servers[k].conf != conf)
			k++;
		if (k == b->n_servers)
			b->servers[b->n_servers++] = (struct server){ .b = b, .conf = conf };
	}
}

int bearer_new(struct desk *d, struct bearer **ret, struct md_err *err)
{
	const struct config *c = d->config;
	struct bearer *b = md_calloc(1, sizeof *b);
	pthread_condattr_t monotonic;

	*ret = NULL;
	if (!b)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	b->d = d;
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&b->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	b->accounts = md_calloc(c->n_mailboxes + c->n_smtp, sizeof *b->accounts);
	b->servers = md_calloc(c->n_mailboxes + c->n_smtp, sizeof *b->servers);
	if (!b->accounts || !b->servers) {
		bearer_free(b);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	add_accounts(b, c);
	if (b->n_accounts)
		*ret = b;
	else
		bearer_free(b);
	return MD_OK;
}

void bearer_free(struct bearer *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_accounts; i++)
		wipe_text(b->accounts[i].access);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
	free(b->accounts);
	free(b->servers);
	free(b);
}

int bearer_start(struct bearer *b, struct md_err *err)
{
	for (size_t i = 0; b && i < b->n_servers; i++) {
		int rc = pthread_create(&b->servers[i].thread, NULL, run, &b->servers[i]);

		if (rc != 0)
			return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
		b->servers[i].runs = true;
	}
	return MD_OK;
}

void bearer_stop(struct bearer *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	atomic_store(&b->stopping, true);
	pthread_cond_broadcast(&b->wake);
	pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < b->n_servers; i++)
		if (b->servers[i].runs)
			pthread_join(b->servers[i].thread, NULL);
	for (size_t i = 0; i < b->n_servers; i++)
		b->servers[i].runs = false;
	atomic_store(&b->stopping, false);
}

#include "bearer_priv.h"

#include <maildesk/base/log.h>

#include <stdio.h>
#include <stdlib.h>

static struct account *find(struct bearer *b, const char *section, const char *login)
{
	for (size_t i = 0; b && i < b->n_accounts; i++) {
		struct account *a = &b->accounts[i];

		if (strcmp(a->conf->title, section) == 0 &&
		    (bearer_by_secret(a->conf) || strcmp(a->login, login) == 0))
			return a;
	}
	return NULL;
}

int64_t bearer_backoff(int64_t failures, int64_t first, int64_t most)
{
	int64_t ms = first;

	for (int64_t i = 1; i < failures && ms < most; i++)
		ms *= 2;
	return ms < most ? ms : most;
}

/* ---- what others are told ---- */

static void tell(struct bearer *b)
{
	atomic_fetch_add(&b->changes, 1);
	desk_wake(b->d, DESK_MAILBOXES);
	desk_wake(b->d, DESK_SENDER);
}

/* Takes over `access`. */
void bearer_publish(struct bearer *b, struct account *a, char *access, int64_t left_ms)
{
	pthread_mutex_lock(&b->lock);
	md_wipe_text(a->access);
	a->access = access;
	a->end_ms = bearer_mono(b) + left_ms;
	a->serial++;
	a->bad = a->told = false;
	a->code = MD_OK;
	a->error[0] = '\0';
	pthread_mutex_unlock(&b->lock);
	tell(b);
}

void bearer_trouble(struct bearer *b, struct account *a, enum md_code code, const char *text)
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

/* ---- from outside ---- */

int bearer_token(struct bearer *b, const char *section, const char *login, struct buf *out,
		 int64_t *ret_serial, struct md_err *err)
{
	struct account *a = find(b, section, login);
	int rc = MD_OK;

	if (!a)
		return md_fail(err, MD_BROKEN, 0, "no such oauth section: %s", section);
	pthread_mutex_lock(&b->lock);
	if (a->access && !a->bad && bearer_mono(b) < a->end_ms) {
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
		a->again_ms = a->refusals++
				      ? bearer_mono(b) + bearer_backoff(a->refusals - 1,
									BEARER_REFUSED_FIRST_MS,
									BEARER_REFUSED_MAX_MS)
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

/* ---- beginning and end ---- */

static void add_account(struct bearer *b, const struct conf_oauth *conf, const char *login,
			const char *name)
{
	if (!find(b, conf->title, login))
		b->accounts[b->n_accounts++] = (struct account){
			.conf = conf, .login = bearer_by_secret(conf) ? "" : login, .name = name
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
			b->servers[b->n_servers++] = (struct server){
				.b = b,
				.conf = conf,
				.worker = { .name = "oauth", .allowed_ms = conf->timeout_ms },
			};
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
		md_wipe_text(b->accounts[i].access);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
	free(b->accounts);
	free(b->servers);
	free(b);
}

int bearer_start(struct bearer *b, struct md_err *err)
{
	for (size_t i = 0; b && i < b->n_servers; i++) {
		int rc = pthread_create(&b->servers[i].thread, NULL, bearer_run, &b->servers[i]);

		if (rc != 0)
			return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
		desk_hire(b->d, &b->servers[i].worker);
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
		if (b->servers[i].runs) {
			pthread_join(b->servers[i].thread, NULL);
			desk_dismiss(b->d, &b->servers[i].worker);
		}
	for (size_t i = 0; i < b->n_servers; i++)
		b->servers[i].runs = false;
	atomic_store(&b->stopping, false);
}

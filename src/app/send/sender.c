/* Outbox rows to SMTP: claim, render once, send, finish (sender_priv.h).
 *
 * A row is claimed with a lease before it is tried, and finished right after the server's answer,
 * in one transaction with others that were answered meanwhile. A crash between that answer and the
 * commit is the only way to send a mail twice; it has the same bytes and Message-ID then. Rows a
 * previous life of this daemon held are due at once.
 *
 * Other daemons take up what is claimed when its lease is over, by the database's clock. So nothing
 * is tried that could take longer than what is left of it; it is given back instead. A daemon that
 * was stopped for minutes thus goes on with nothing but the mails it was at. */
#include <maildesk/app/listener.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/store/leases.h>

#include "sender_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ARENA_MAX = 64 << 20,
	ELSEWHERE_MS = 50, /* while another daemon claims what is due */
	GATHER_US = 1000,  /* while lanes are at work: what they are about to end shares a commit */
	PROBLEMS_MAX = 64 << 10,
	LAST_TRIES = 3,
	TOKEN_MAX = 64 << 10,
	ACCOUNTS_MAX = 1000,
};

/* ---- claiming ---- */

struct waking {
	struct sender *s;
	const char *smtp;
};

static int wake_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct waking *w = ctx;

	return outbox_wake(c, w->smtp, clock_wall(w->s->d->clock), err);
}

/* Mails that waited for a token need not wait any longer. */
static int wake_with_tokens(struct sender *s, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t k = 0; k < s->n_accounts && rc == MD_OK; k++) {
		struct account *a = &s->accounts[k];
		struct waking w = { s, a->conf->title };
		md_auto(buf_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
		int64_t serial;

		if (!a->no_token || bearer_token(s->d->bearer, a->conf->oauth, a->conf->user,
						 &token, &serial, NULL) != MD_OK)
			continue;
		rc = db_txn(s->d->db, wake_in_txn, &w, err);
		a->no_token = rc != MD_OK;
	}
	return rc;
}

struct claiming {
	struct sender *s;
	const char *smtp;
	size_t most, n;
	struct batch *batch;
	struct outbox_row *rows;
	int64_t lease_end_ms;
};

static int claim_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct claiming *k = ctx;
	struct sender *s = k->s;
	int64_t now;
	int rc = lease_now(c, &now, err);

	arena_reset(&k->batch->arena);
	k->n = 0;
	k->lease_end_ms = clock_mono(s->d->clock) + s->lease_ms;
	return rc == MD_OK ? outbox_claim(c, k->smtp, s->d->instance, now, now + s->lease_ms,
					  k->most, &k->batch->arena, &k->rows, &k->n, err)
			   : rc;
}

static int claim(struct claiming *k, struct md_err *err)
{
	int rc;

	k->batch = md_calloc(1, sizeof *k->batch);
	if (!k->batch)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	k->batch->arena.max = ARENA_MAX;
	rc = db_txn(k->s->d->db, claim_in_txn, k, err);
	if (rc == MD_OK && k->n) {
		fault_point("outbox_claimed");
		return MD_OK;
	}
	arena_done(&k->batch->arena);
	free(k->batch);
	return rc;
}

/* Under lock. */
static void fill_items(struct account *a, const struct claiming *k)
{
	size_t at = 0;

	for (size_t n = 0; n < SENDER_ITEMS && at < k->n; n++) {
		struct item *i = &a->items[n];
		const struct outbox_row *row = &k->rows[at];

		if (i->state != ITEM_FREE)
			continue;
		*i = (struct item){ .state = row->blob_id ? ITEM_READY : ITEM_CLAIMED,
				    .batch = k->batch,
				    .row = *row,
				    .lease_end_ms = k->lease_end_ms };
		k->batch->live++;
		at++;
	}
}

/* Milliseconds until the next row of an account is due. */
static int until_due(struct sender *s, const char *smtp)
{
	int64_t now = 0, due = 0;
	struct db_conn *c = NULL;
	int rc = db_read(s->d->db, &c, NULL);

	if (rc == MD_OK) {
		rc = lease_now(c, &now, NULL);
		if (rc == MD_OK)
			rc = outbox_next_due(c, smtp, &due, NULL);
		db_read_done(c);
	}
	if (rc == MD_NOTFOUND)
		return LOOK_MS;
	if (rc != MD_OK)
		return SENDER_PAUSE_MS;
	return due <= now ? 0 : due - now > LOOK_MS ? LOOK_MS : (int)(due - now);
}

/* *ret_ms: when to look again. */
static int claim_for(struct sender *s, struct account *a, int *ret_ms, struct md_err *err)
{
	struct claiming k = { .s = s, .smtp = a->conf->title };
	int64_t wait = LOOK_MS;
	size_t places = 0;
	int rc;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SENDER_ITEMS; i++)
		places += a->items[i].state == ITEM_FREE;
	k.most = account_allows(s, a, &wait);
	pthread_mutex_unlock(&s->lock);
	*ret_ms = wait < 1 ? 1 : wait < LOOK_MS ? (int)wait : LOOK_MS;
	/* many at a time; who ends wakes us */
	if (k.most == 0 || places < SENDER_ITEMS / 2)
		return MD_OK;
	k.most = k.most < places ? k.most : places;
	*ret_ms = until_due(s, k.smtp);
	if (*ret_ms > 0)
		return MD_OK;
	rc = claim(&k, err);
	*ret_ms = k.n ? 0 : ELSEWHERE_MS;
	if (rc != MD_OK || k.n == 0)
		return rc;
	pthread_mutex_lock(&s->lock);
	fill_items(a, &k);
	rc = lanes_call(s, a, k.n, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int claim_all(struct sender *s, int *ret_ms, struct md_err *err)
{
	int rc = MD_OK, ms;

	*ret_ms = LOOK_MS;
	for (size_t k = 0; k < s->n_accounts && rc == MD_OK; k++) {
		rc = claim_for(s, &s->accounts[k], &ms, err);
		*ret_ms = ms < *ret_ms ? ms : *ret_ms;
	}
	return rc;
}

/* ---- the beginning and the end ---- */

static int release_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct sender *s = ctx;
	int64_t now;
	int rc = lease_now(c, &now, err);

	return rc == MD_OK ? outbox_release(c, s->d->instance, now, err) : rc;
}

/* Mails of an account that the configuration had. */
struct orphans {
	struct sender *s;
	const char *smtp;
};

static const char *account_of(const struct config *c, const struct conf_mailbox *m)
{
	return m && config_smtp(c, m->smtp) ? m->smtp : c->smtp[0].title;
}

/* They go out by the account that the mailbox of their ticket has now, else by the first. */
static int adopt_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct orphans *o = ctx;
	const struct desk *d = o->s->d;
	int64_t now = clock_wall(d->clock), n;
	int rc = MD_OK;

	for (size_t i = 0; i < d->n_mailboxes && rc == MD_OK; i++)
		rc = outbox_hand_over(c, o->smtp, account_of(d->config, d->mailboxes[i].conf),
				      d->mailboxes[i].id, now, &n, err);
	return rc == MD_OK
		       ? outbox_hand_over(c, o->smtp, account_of(d->config, NULL), 0, now, &n, err)
		       : rc;
}

static int adopt(struct sender *s, const char *smtp, struct md_err *err)
{
	int rc = db_txn(s->d->db, adopt_in_txn, &(struct orphans){ s, smtp }, err);

	if (rc == MD_OK)
		log_notice(NULL,
			   "smtp \"%s\" is gone from the configuration: its mails go out by \"%s\""
			   "%s",
			   smtp, account_of(s->d->config, &s->d->config->mailboxes[0]),
			   s->d->n_mailboxes > 1 ? ", or what their mailboxes have" : "");
	return rc;
}

static int adopt_orphans(struct sender *s, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct rec_strs names = { 0 };
	struct db_conn *c = NULL;
	int rc = db_read(s->d->db, &c, err);

	if (rc == MD_OK) {
		rc = outbox_accounts(c, ACCOUNTS_MAX, &a, &names, err);
		db_read_done(c);
	}
	for (size_t i = 0; i < names.n && rc == MD_OK; i++)
		if (!config_smtp(s->d->config, names.v[i]))
			rc = adopt(s, names.v[i], err);
	return rc;
}

/* What was answered is kept, the rest is due again. */
static void finish(struct sender *s)
{
	struct md_err err = { 0 };
	size_t n = 0;
	int rc = MD_AGAIN;

	lanes_stop(s);
	for (int i = 0; i < LAST_TRIES && rc != MD_OK; i++)
		do
			rc = sender_settle(s, &n, &err);
		while (rc == MD_OK && n);
	if (rc == MD_OK)
		rc = db_txn(s->d->db, release_in_txn, s, &err);
	if (rc != MD_OK)
		log_error(NULL, "outbox: %s", err.text);
}

static int begin(struct sender *s, bool *began, struct md_err *err)
{
	int rc = *began ? MD_OK : db_txn(s->d->db, release_in_txn, s, err); /* of an earlier life */

	if (rc == MD_OK && !*began)
		rc = adopt_orphans(s, err);
	*began |= rc == MD_OK;
	return rc;
}

static bool lanes_are_at_work(struct sender *s)
{
	bool any = false;

	pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < s->n_accounts; k++)
		for (size_t i = 0; i < SENDER_ITEMS && !any; i++)
			any = s->accounts[k].items[i].state == ITEM_RENDERING ||
			      s->accounts[k].items[i].state == ITEM_SENDING;
	pthread_mutex_unlock(&s->lock);
	return any;
}

static void *run(void *arg)
{
	struct sender *s = arg;
	struct md_err err = { 0 };
	bool began = false;

	while (!atomic_load(&s->stopping)) {
		size_t n = 0;
		int ms = 0, rc = begin(s, &began, &err);

		if (lanes_are_at_work(s))
			usleep(GATHER_US);
		if (rc == MD_OK)
			rc = sender_settle(s, &n, &err);
		if (rc == MD_OK)
			rc = wake_with_tokens(s, &err);
		if (rc == MD_OK)
			rc = claim_all(s, &ms, &err);
		if (rc != MD_OK)
			log_error(NULL, "outbox waits: %s", err.text);
		desk_sleep(s->d, DESK_SENDER, rc != MD_OK ? SENDER_PAUSE_MS : ms);
	}
	finish(s);
	desk_idle(s->d, DESK_SENDER);
	return NULL;
}

/* Those of templates_dir that cannot be used are an alarm, no reason not to send. */
static int load_templates(struct sender *s, struct md_err *err)
{
	md_auto(buf_done) struct buf problems = BUF_INIT(PROBLEMS_MAX);
	int rc = templates_load(s->d->config->desk.templates_dir, &s->templates, &problems, err);

	for (const char *line = buf_str(&problems); rc == MD_OK && *line;) {
		size_t n = strcspn(line, "\n");

		log_error(NULL, "template not used: %.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
	if (rc == MD_OK && problems.len)
		desk_templates_alarm(s->d);
	return rc;
}

static void free_sender(struct sender *s)
{
	for (size_t k = 0; s->accounts && k < s->n_accounts; k++) {
		struct account *a = &s->accounts[k];

		for (size_t n = 0; n < SENDER_ITEMS; n++) {
			if (a->items[n].state == ITEM_RENDERED)
				item_forget_rendered(s, &a->items[n]);
			if (a->items[n].state != ITEM_FREE)
				item_release(&a->items[n]);
		}
		pthread_cond_destroy(&a->work);
		free(a->lanes);
		free(a->begun);
	}
	pthread_mutex_destroy(&s->lock);
	templates_free(s->templates);
	free(s->accounts);
	free(s);
}

static int open_account(struct sender *s, struct account *a, const struct conf_smtp *conf,
			struct md_err *err)
{
	a->conf = conf;
	a->was_away = true; /* in an earlier life, perhaps */
	a->account =
		(struct smtp_account){ conf->host, conf->port,     conf->tls,        conf->ca_file,
				       conf->user, conf->password, conf->timeout_ms, &s->stopping };
	pthread_cond_init(&a->work, NULL);
	a->lanes = md_calloc((size_t)conf->connections, sizeof *a->lanes);
	if (conf->per_minute)
		a->begun = md_calloc((size_t)conf->per_minute, sizeof *a->begun);
	if (conf->lease_ms > s->lease_ms)
		s->lease_ms = conf->lease_ms;
	if (conf->timeout_ms > s->reserve_ms)
		s->reserve_ms = conf->timeout_ms;
	return a->lanes && (a->begun || !conf->per_minute)
		       ? MD_OK
		       : md_fail(err, MD_NOMEM, 0, "out of memory");
}

int sender_start(struct desk *d, struct sender **ret, struct md_err *err)
{
	struct sender *s = md_calloc(1, sizeof *s);
	int rc = MD_OK;

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	s->d = d;
	pthread_mutex_init(&s->lock, NULL);
	s->accounts = md_calloc(d->config->n_smtp, sizeof *s->accounts);
	if (!s->accounts)
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	while (rc == MD_OK && s->n_accounts < d->config->n_smtp) {
		rc = open_account(s, &s->accounts[s->n_accounts], &d->config->smtp[s->n_accounts],
				  err);
		s->n_accounts++;
	}
	if (s->reserve_ms > s->lease_ms / 2)
		s->reserve_ms = s->lease_ms / 2;
	if (rc == MD_OK)
		rc = load_templates(s, err);
	if (rc == MD_OK) {
		rc = pthread_create(&s->thread, NULL, run, s);
		if (rc != 0)
			rc = md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	}
	if (rc == MD_OK)
		*ret = s;
	else
		free_sender(s);
	return rc;
}

void sender_stop(struct sender *s)
{
	if (!s)
		return;
	atomic_store(&s->stopping, true);
	desk_wake(s->d, DESK_SENDER);
	pthread_join(s->thread, NULL);
	free_sender(s);
}

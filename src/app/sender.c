/* Outbox rows to SMTP: claim, render once, send, finish.
 *
 * A row is claimed with a lease before it is tried, and finished in a transaction of its own right
 * after the server's answer. A crash between that answer and the commit is the only way to send a
 * mail twice; it has the same bytes and Message-ID then. Rows a previous life of this daemon held
 * are due at once.
 *
 * Other daemons take up what is claimed when its lease is over, by the database's clock. So nothing
 * is tried that could take longer than what is left of it; what a round leaves is given back. A
 * daemon that was stopped for minutes thus goes on with nothing but the mail it was at. */
#include <maildesk/app/account.h>
#include <maildesk/app/listener.h>
#include <maildesk/app/outbox.h>
#include <maildesk/app/render.h>
#include <maildesk/app/sender.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/net/smtp.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/outbox.h>

#include "mail_head.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLAIM_MAX = 50,
	MAIL_MAX = 64 << 20,
	FROZEN_MAX = 32 << 20, /* bytes of mails in memory until they are kept */
	ARENA_MAX = 64 << 20,
	PAUSE_MS = 1000, /* after a database failure */
	KEY_WAIT_MS = 10000,
	ELSEWHERE_MS = 50, /* while another daemon claims what is due */
	JITTER_PERCENT = 10,
	PROBLEMS_MAX = 64 << 10,
	ENDING_MAX = 16 << 20,
	TOKEN_MAX = 64 << 10,
};

/* Minutes after each attempt, in units of smtp.retry_first: 1, 5, 15, 30 min, 1, 2, 4 h, 4 h … */
static const int64_t schedule[] = { 1, 5, 15, 30, 60, 120, 240 };

struct account {
	const struct conf_smtp *conf;
	struct smtp_account account;
	struct smtp *session;
	bool was_away;  /* mails may wait because it could not be reached */
	bool no_token;  /* mails wait for an access token */
	int64_t serial; /* of the token in use */
};

struct sender {
	struct desk *d;
	pthread_t thread;
	atomic_bool stopping;
	struct templates *templates;
	struct account *accounts;
	/* of one round */
	struct arena arena;
	struct outbox_row *rows;
	size_t n;
	int64_t lease_ms;
	int64_t lease_end_ms; /* monotonic */
	int64_t reserve_ms;   /* no mail is begun when less is left */
	bool owes;            /* rows are claimed that nobody sends: to be given back */
};

/* ---- claim and freeze ---- */

static int claim(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct sender *s = ctx;
	int64_t now;
	int rc = lease_now(c, &now, err);

	arena_reset(&s->arena);
	s->n = 0;
	s->lease_end_ms = clock_mono(s->d->clock) + s->lease_ms;
	return rc != MD_OK ? rc
			   : outbox_claim(c, s->d->instance, now, now + s->lease_ms, CLAIM_MAX,
					  &s->arena, &s->rows, &s->n, err);
}

struct frozen {
	struct sender *s;
	struct blob blobs[CLAIM_MAX];
	const char *heads[CLAIM_MAX];
	bool ready[CLAIM_MAX];
	size_t bytes;
};

static int keep(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct frozen *f = ctx;
	int rc = MD_OK;

	for (size_t i = 0; i < f->s->n && rc == MD_OK; i++) {
		struct outbox_row *row = &f->s->rows[i];

		if (!f->ready[i])
			continue;
		rc = blob_put(c, &f->blobs[i], &row->blob_id, err);
		if (rc == MD_OK)
			rc = outbox_freeze(c, row->id, row->blob_id, f->blobs[i].size, f->heads[i],
					   err);
	}
	return rc;
}

static const char mail_purpose[] = "mail with a link";

static int prepare_sealed(struct sender *s, struct buf *mail, struct blob *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf sealed = BUF_INIT(MAIL_MAX);
	int rc = vault_seal(s->d->vault, mail_purpose, mail->data, mail->len, &sealed, err);

	explicit_bzero(mail->data, mail->len);
	return rc == MD_OK ? blob_prepare(sealed.data, sealed.len, ret, err) : rc;
}

static int prepare(struct sender *s, const struct outbox_row *row, struct blob *ret,
		   const char **ret_head, struct md_err *err)
{
	md_auto(buf_done) struct buf mail = BUF_INIT(MAIL_MAX), head = BUF_INIT(MAIL_HEAD_MAX);
	struct db_conn *c = NULL;
	int rc = db_read(s->d->db, &c, err);

	if (rc == MD_OK) {
		rc = render_mail(s->templates, s->d, c, row, &mail, &head, err);
		db_read_done(c);
	}
	*ret_head = head.len ? arena_strdup(&s->arena, buf_str(&head)) : NULL;
	if (rc == MD_OK && account_is_event(row->event))
		return prepare_sealed(s, &mail, ret, err);
	return rc == MD_OK ? blob_prepare(mail.data, mail.len, ret, err) : rc;
}

static int finish(struct sender *s, const struct outbox_row *row, const char *state,
		  const char *reply, int64_t next_at, struct md_err *err);

/* When another daemon may have handed over the key (vault.h). */
static int64_t in_a_moment(const struct sender *s)
{
	return clock_wall(s->d->clock) + KEY_WAIT_MS;
}

static int keep_ready(struct frozen *f, struct md_err *err)
{
	int rc = f->bytes ? db_txn(f->s->d->db, keep, f, err) : MD_OK;

	for (size_t i = 0; i < CLAIM_MAX; i++)
		if (f->ready[i])
			blob_done(&f->blobs[i]);
	memset(f->ready, 0, sizeof f->ready);
	f->bytes = 0;
	return rc;
}

/* Render what was not rendered yet, outside any transaction, and keep it before the first try. */
static int freeze(struct sender *s, struct md_err *err)
{
	struct frozen f = { .s = s };
	int rc = MD_OK;

	for (size_t i = 0; i < s->n && rc == MD_OK; i++) {
		struct md_err why = { 0 };

		if (s->rows[i].blob_id)
			continue;
		rc = prepare(s, &s->rows[i], &f.blobs[i], &f.heads[i], &why);
		f.ready[i] = rc == MD_OK;
		if (f.ready[i] && (f.bytes += f.blobs[i].n) > FROZEN_MAX)
			rc = keep_ready(&f, err);
		else if (rc == MD_INPUT)
			rc = finish(s, &s->rows[i], "failed", why.text, 0, err);
		else if (rc == MD_AGAIN && account_is_event(s->rows[i].event))
			rc = finish(s, &s->rows[i], "retry", why.text, in_a_moment(s), err);
		else if (rc != MD_OK && err)
			*err = why;
	}
	if (rc == MD_OK)
		rc = keep_ready(&f, err);
	if (rc == MD_CONFLICT) { /* another daemon has rendered one of them: the lease was over */
		s->n = 0;
		s->owes = true;
		rc = MD_OK;
	}
	f.bytes = 0;
	keep_ready(&f, NULL);
	return rc;
}

/* ---- one mail ---- */

struct ending {
	struct sender *s;
	struct arena arena; /* of one run of the transaction */
	const struct outbox_row *row;
	const char *state, *reply;
	int64_t next_at;
};

static int write_ending(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct ending *e = ctx;
	int64_t now = clock_wall(e->s->d->clock);
	int rc = outbox_finish(c, e->row->id, e->s->d->instance, e->state, e->reply, e->next_at,
			       now, err);

	arena_reset(&e->arena);
	if (rc == MD_OK && strcmp(e->state, "failed") == 0) {
		rc = outbox_tell_failure(e->s->d, c, &e->arena, e->row, e->reply, err);
		if (rc == MD_CONFLICT) /* somebody is at the ticket; the row is still ours */
			rc = MD_AGAIN;
	}
	return rc;
}

/* Is what was claimed still ours for so long? */
static bool is_ours(const struct sender *s, int64_t for_ms)
{
	return clock_mono(s->d->clock) + for_ms < s->lease_end_ms && !atomic_load(&s->stopping);
}

static int finish(struct sender *s, const struct outbox_row *row, const char *state,
		  const char *reply, int64_t next_at, struct md_err *err)
{
	struct log_ctx about = { .message_id = row->mail_id,
				 .message = row->message_id,
				 .ticket = row->ticket_id };
	struct ending e = { s, ARENA_INIT(ENDING_MAX), row, state, reply, next_at };
	int rc;

	if (strcmp(state, "sent") == 0)
		log_info(&about, "sent %s to %s: %s", row->event, row->recipient, reply);
	else
		log_warn(&about, "%s: %s to %s: %s", state, row->event, row->recipient, reply);
	/* The database may be away for a moment; forgotten, the mail would be sent again. */
	do
		rc = db_txn(s->d->db, write_ending, &e, err);
	while ((rc == MD_AGAIN || rc == MD_UNKNOWN) && is_ours(s, 0));
	arena_done(&e.arena);
	/* The lease ran out and another daemon has the row, or the commit that was not answered
	 * was done: that outcome counts. */
	return rc == MD_CONFLICT ? MD_OK : rc;
}

static int64_t next_try(struct sender *s, const struct conf_smtp *conf,
			const struct outbox_row *row)
{
	size_t step = row->attempts > 0 ? (size_t)row->attempts - 1 : 0;
	int64_t wait, jitter;
	uint32_t dice;

	if (step >= MD_COUNT(schedule))
		step = MD_COUNT(schedule) - 1;
	wait = schedule[step] * conf->retry_first_ms;
	random_fill(s->d->random, &dice, sizeof dice);
	jitter = wait * JITTER_PERCENT / 100;
	return clock_wall(s->d->clock) + wait - jitter + (jitter ? dice % (2 * jitter) : 0);
}

struct waking {
	const struct sender *s;
	const struct account *a;
};

/* What waited for the server to come back need not wait any longer. */
static int wake_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct waking *w = ctx;

	return outbox_wake(c, w->a->conf->title, clock_wall(w->s->d->clock), err);
}

static int wake(struct sender *s, struct account *a, struct md_err *err)
{
	struct waking w = { s, a };
	int rc = db_txn(s->d->db, wake_in_txn, &w, err);

	a->was_away = rc != MD_OK;
	return rc;
}

/* ---- signing in by a token ---- */

/* MD_AGAIN, MD_REFUSED: there is none. */
static int use_token(struct sender *s, struct account *a, struct md_err *err)
{
	md_auto(vault_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
	int64_t serial;
	int rc;

	if (!a->conf->oauth)
		return MD_OK;
	rc = bearer_token(s->d->bearer, a->conf->oauth, a->conf->user, &token, &serial, err);
	if (rc == MD_OK && serial != a->serial) {
		rc = smtp_set_token(a->session, buf_str(&token), err);
		a->serial = rc == MD_OK ? serial : 0;
	}
	return rc;
}

/* As if the server had refused us; with no digit in front, so that the mail is woken with others.
 */
static void no_token(const struct md_err *why, struct smtp_result *ret)
{
	*ret = (struct smtp_result){ .outcome = SMTP_ACCOUNT };
	snprintf(ret->reply, sizeof ret->reply, "no access token: %.300s", why->text);
}

static void judge_token(struct sender *s, struct account *a, const struct smtp_result *result)
{
	const struct conf_smtp *conf = a->conf;

	if (!conf->oauth)
		return;
	if (result->outcome == SMTP_SENT)
		bearer_accepted(s->d->bearer, conf->oauth, conf->user);
	if (result->no_login)
		bearer_refused(s->d->bearer, conf->oauth, conf->user, a->serial);
	a->no_token |= result->no_login;
}

/* Mails that waited for a token need not wait any longer. */
static int wake_with_tokens(struct sender *s, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < s->d->config->n_smtp && rc == MD_OK; i++) {
		struct account *a = &s->accounts[i];
		md_auto(vault_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
		int64_t serial;

		if (!a->no_token || bearer_token(s->d->bearer, a->conf->oauth, a->conf->user,
						 &token, &serial, NULL) != MD_OK)
			continue;
		rc = wake(s, a, err);
		a->no_token = rc != MD_OK;
	}
	return rc;
}

static int conclude(struct sender *s, struct account *a, const struct outbox_row *row,
		    const struct smtp_result *result, struct md_err *err)
{
	int64_t next = next_try(s, a->conf, row);
	bool hopeless =
		result->outcome == SMTP_PERMANENT || next > row->created_at + a->conf->give_up_ms;

	a->was_away |= result->outcome != SMTP_SENT && !result->answered;
	if (result->outcome == SMTP_SENT) {
		int rc = finish(s, row, "sent", result->reply, 0, err);

		return rc == MD_OK && a->was_away ? wake(s, a, err) : rc;
	}
	if (result->outcome == SMTP_ACCOUNT)
		log_error(NULL, "smtp \"%s\" refuses this desk, mail waits: %s", a->conf->title,
			  result->reply);
	return hopeless ? finish(s, row, "failed", result->reply, 0, err)
			: finish(s, row, "retry", result->reply, next, err);
}

static struct account *account_of(struct sender *s, const char *title)
{
	for (size_t i = 0; i < s->d->config->n_smtp; i++)
		if (strcmp(s->accounts[i].conf->title, title) == 0)
			return &s->accounts[i];
	return NULL;
}

/* One from before such mails were sealed is what it is. */
static int unseal_mail(struct sender *s, uint8_t **bytes, size_t *n, struct md_err *err)
{
	md_auto(buf_done) struct buf mail = BUF_INIT(MAIL_MAX);
	int rc = vault_unseal(s->d->vault, mail_purpose, *bytes, *n, &mail, err);

	if (rc == MD_INPUT)
		return MD_OK;
	if (rc != MD_OK)
		return rc;
	free(*bytes);
	*n = mail.len;
	*bytes = (uint8_t *)buf_steal(&mail);
	return MD_OK;
}

static int load_mail(struct sender *s, const struct outbox_row *row, uint8_t **ret, size_t *ret_n,
		     struct md_err *err)
{
	struct db_conn *c = NULL;
	int rc = db_read(s->d->db, &c, err);

	if (rc == MD_OK) {
		rc = blob_get(c, row->blob_id, ret, ret_n, err);
		db_read_done(c);
	}
	return rc == MD_OK && account_is_event(row->event) ? unseal_mail(s, ret, ret_n, err) : rc;
}

static int send_row(struct sender *s, const struct outbox_row *row, struct md_err *err)
{
	struct account *a = account_of(s, row->smtp);
	md_auto(md_free_p) uint8_t *bytes = NULL;
	struct smtp_result result;
	size_t n = 0;
	int rc;

	desk_busy(s->d, DESK_SENDER);
	if (!row->blob_id)
		return MD_OK; /* it could not be rendered and is finished */
	if (!a)
		return finish(s, row, "failed", "its smtp section is gone from the configuration",
			      0, err);
	rc = load_mail(s, row, &bytes, &n, err);
	if (rc == MD_AGAIN && account_is_event(row->event))
		return finish(s, row, "retry", err->text, in_a_moment(s), err);
	if (rc == MD_OK && !a->session)
		rc = smtp_new(&a->account, &a->session, err);
	if (rc != MD_OK)
		return rc;
	rc = use_token(s, a, err);
	if (rc == MD_AGAIN || rc == MD_REFUSED) {
		a->no_token = true;
		no_token(err, &result);
		return conclude(s, a, row, &result, err);
	}
	if (rc != MD_OK)
		return rc;
	rc = smtp_send(a->session, row->sender, row->recipient, (const char *)bytes, n,
		       s->lease_end_ms - clock_mono(s->d->clock), &result, err);
	fault_point("smtp_accepted");
	if (rc == MD_OK)
		judge_token(s, a, &result);
	if (rc == MD_INPUT)
		return finish(s, row, "failed", err->text, 0, err);
	return rc == MD_OK ? conclude(s, a, row, &result, err) : rc;
}

/* ---- the loop ---- */

static int round_trip(struct sender *s, struct md_err *err)
{
	int rc = wake_with_tokens(s, err);
	size_t sent = 0;

	if (rc == MD_OK)
		rc = db_txn(s->d->db, claim, s, err);
	if (rc == MD_OK && s->n)
		fault_point("outbox_claimed");
	if (rc == MD_OK)
		rc = freeze(s, err);
	while (sent < s->n && rc == MD_OK && is_ours(s, s->reserve_ms))
		rc = send_row(s, &s->rows[sent++], err);
	s->owes |= rc != MD_OK || sent < s->n;
	return rc;
}

static int release(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct sender *s = ctx;
	int64_t now;
	int rc = lease_now(c, &now, err);

	return rc == MD_OK ? outbox_release(c, s->d->instance, now, err) : rc;
}

/* Nothing is being sent: what is still claimed is due again. */
static int give_back(struct sender *s, struct md_err *err)
{
	int rc = s->owes ? db_txn(s->d->db, release, s, err) : MD_OK;

	s->owes &= rc != MD_OK;
	return rc;
}

/* Milliseconds until the next row is due. */
static int until_due(struct sender *s)
{
	int64_t now = 0, due = 0;
	struct db_conn *c = NULL;
	int rc = db_read(s->d->db, &c, NULL);

	if (rc == MD_OK) {
		rc = lease_now(c, &now, NULL);
		if (rc == MD_OK)
			rc = outbox_next_due(c, &due, NULL);
		db_read_done(c);
	}
	if (rc == MD_NOTFOUND)
		return LOOK_MS;
	if (rc != MD_OK)
		return PAUSE_MS;
	return due <= now ? 0 : due - now > LOOK_MS ? LOOK_MS : (int)(due - now);
}

static void *run(void *arg)
{
	struct sender *s = arg;
	struct md_err err = { 0 };

	s->owes = true; /* by an earlier life */
	while (!atomic_load(&s->stopping)) {
		int rc = give_back(s, &err);

		if (rc == MD_OK) {
			desk_sleep(s->d, DESK_SENDER, until_due(s));
			if (atomic_load(&s->stopping))
				break;
			rc = round_trip(s, &err);
		}
		if (rc == MD_OK && s->n == 0)
			desk_sleep(s->d, DESK_SENDER, ELSEWHERE_MS);
		if (rc == MD_OK)
			continue;
		log_error(NULL, "outbox waits: %s", err.text);
		desk_sleep(s->d, DESK_SENDER, PAUSE_MS);
	}
	if (give_back(s, &err) != MD_OK)
		log_error(NULL, "outbox: %s", err.text);
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
	for (size_t i = 0; s->accounts && i < s->d->config->n_smtp; i++)
		smtp_free(s->accounts[i].session);
	templates_free(s->templates);
	free(s->accounts);
	arena_done(&s->arena);
	free(s);
}

int sender_start(struct desk *d, struct sender **ret, struct md_err *err)
{
	struct sender *s = md_calloc(1, sizeof *s);
	int rc = MD_OK;

	if (!s)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	s->d = d;
	s->arena.max = ARENA_MAX;
	s->accounts = md_calloc(d->config->n_smtp, sizeof *s->accounts);
	if (!s->accounts)
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < d->config->n_smtp && rc == MD_OK; i++) {
		const struct conf_smtp *conf = &d->config->smtp[i];

		s->accounts[i].conf = conf;
		s->accounts[i].was_away = true; /* in an earlier life, perhaps */
		s->accounts[i].account =
			(struct smtp_account){ conf->host,       conf->port,  conf->tls,
					       conf->ca_file,    conf->user,  conf->password,
					       conf->timeout_ms, &s->stopping };
		if (conf->lease_ms > s->lease_ms)
			s->lease_ms = conf->lease_ms;
		if (conf->timeout_ms > s->reserve_ms)
			s->reserve_ms = conf->timeout_ms;
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

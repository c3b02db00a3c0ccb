/* The threads that render mails and hand them to servers (sender_priv.h). */
#include <maildesk/app/account.h>
#include <maildesk/app/render.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>

#include <maildesk/app/mail_head.h>
#include "sender_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RENDERED_MAX = 32 << 20, /* bytes in memory until they are kept */
	SMALL_MAX = 64 << 10,    /* a mail of that size is not read back before it is sent */
	TOKEN_MAX = 64 << 10,
	MINUTE_MS = 60000,
};

static const char mail_purpose[] = "mail with a link";

/* ---- rendering ---- */

static int seal(struct sender *s, struct buf *mail, struct blob *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf sealed = BUF_INIT(SENDER_MAIL_MAX);
	int rc = vault_seal(s->d->vault, mail_purpose, mail->data, mail->len, &sealed, err);

	explicit_bzero(mail->data, mail->len);
	return rc == MD_OK ? blob_prepare(sealed.data, sealed.len, ret, err) : rc;
}

static int prepare(struct sender *s, struct item *i, struct md_err *err)
{
	md_auto(buf_done) struct buf mail = BUF_INIT(SENDER_MAIL_MAX),
				     head = BUF_INIT(MAIL_HEAD_MAX);
	struct db_conn *c = NULL;
	int rc = db_read(s->d->db, &c, err);

	if (rc == MD_OK) {
		rc = render_mail(s->templates, s->d, c, &i->row, &mail, &head, err);
		db_read_done(c);
	}
	if (rc != MD_OK)
		return rc;
	i->head = head.len ? md_strdup(buf_str(&head)) : NULL;
	if (account_is_event(i->row.event))
		return seal(s, &mail, &i->blob, err);
	rc = blob_prepare(mail.data, mail.len, &i->blob, err);
	if (rc == MD_OK && mail.len <= SMALL_MAX) {
		i->n = mail.len;
		i->mail = (uint8_t *)buf_steal(&mail);
	}
	return rc;
}

static void end(struct item *i, enum ending ending, const char *why)
{
	i->ending = ending;
	i->result = (struct smtp_result){ 0 };
	snprintf(i->result.reply, sizeof i->result.reply, "%s", why);
}

static enum item_state render(struct sender *s, struct item *i)
{
	struct md_err why = { 0 };
	int rc = prepare(s, i, &why);

	if (rc == MD_OK)
		return ITEM_RENDERED;
	/* an account's mail waits for the key that another daemon may hand over soon (vault.h) */
	end(i,
	    rc == MD_INPUT                                     ? ENDING_FAILED
	    : rc == MD_AGAIN && account_is_event(i->row.event) ? ENDING_LATER
							       : ENDING_GIVEN_BACK,
	    why.text);
	return ITEM_ENDED;
}

/* ---- signing in by a token ---- */

/* MD_AGAIN, MD_REFUSED: there is none. */
static int use_token(struct lane *l, struct md_err *err)
{
	md_auto(buf_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
	const struct conf_smtp *conf = l->account->conf;
	int64_t serial;
	int rc;

	if (!conf->oauth)
		return MD_OK;
	rc = bearer_token(l->sender->d->bearer, conf->oauth, conf->user, &token, &serial, err);
	if (rc == MD_OK && serial != l->serial) {
		rc = smtp_set_token(l->session, buf_str(&token), err);
		l->serial = rc == MD_OK ? serial : 0;
	}
	return rc;
}

/* As if the server had refused us; with no digit in front, so that the mail is woken with others.
 */
static void no_token(struct item *i, const struct md_err *why)
{
	i->no_token = true;
	i->result = (struct smtp_result){ .outcome = SMTP_ACCOUNT };
	snprintf(i->result.reply, sizeof i->result.reply, "no access token: %.300s", why->text);
}

static void judge_token(const struct lane *l, struct item *i)
{
	const struct conf_smtp *conf = l->account->conf;
	struct bearer *bearer = l->sender->d->bearer;

	if (!conf->oauth)
		return;
	if (i->result.outcome == SMTP_SENT)
		bearer_accepted(bearer, conf->oauth, conf->user);
	if (i->result.no_login)
		bearer_refused(bearer, conf->oauth, conf->user, l->serial);
	i->no_token = i->result.no_login;
}

/* ---- sending ---- */

/* One from before such mails were sealed is what it is. */
static int unseal(struct sender *s, struct item *i, struct md_err *err)
{
	md_auto(buf_done) struct buf mail = BUF_INIT(SENDER_MAIL_MAX);
	int rc = vault_unseal(s->d->vault, mail_purpose, i->mail, i->n, &mail, err);

	if (rc == MD_INPUT)
		return MD_OK;
	if (rc != MD_OK)
		return rc;
	free(i->mail);
	i->n = mail.len;
	i->mail = (uint8_t *)buf_steal(&mail);
	return MD_OK;
}

static int load(struct sender *s, struct item *i, struct md_err *err)
{
	struct db_conn *c = NULL;
	int rc = i->mail ? MD_OK : db_read(s->d->db, &c, err);

	if (rc == MD_OK && c) {
		rc = blob_get(c, i->row.blob_id, &i->mail, &i->n, err);
		db_read_done(c);
	}
	return rc == MD_OK && account_is_event(i->row.event) ? unseal(s, i, err) : rc;
}

/* Is what was claimed still ours for so long? */
static bool is_ours(const struct sender *s, const struct item *i)
{
	return clock_mono(s->d->clock) + s->reserve_ms < i->lease_end_ms &&
	       !atomic_load(&s->stopping);
}

static void send(struct lane *l, struct item *i)
{
	struct sender *s = l->sender;
	struct md_err err = { 0 };
	int rc;

	if (!is_ours(s, i)) {
		end(i, ENDING_GIVEN_BACK, "");
		return;
	}
	rc = load(s, i, &err);
	if (rc == MD_OK && !l->session)
		rc = smtp_new(&l->account->account, &l->session, &err);
	i->ending = ENDING_ANSWERED;
	if (rc == MD_OK) {
		rc = use_token(l, &err);
		if (rc == MD_AGAIN || rc == MD_REFUSED) {
			no_token(i, &err);
			return;
		}
	}
	if (rc == MD_OK) {
		rc = smtp_send(l->session, i->row.sender, i->row.recipient, (const char *)i->mail,
			       i->n, i->lease_end_ms - clock_mono(s->d->clock), &i->result, &err);
		fault_point("smtp_accepted");
		if (rc == MD_OK)
			judge_token(l, i);
	}
	if (rc == MD_INPUT)
		end(i, ENDING_FAILED, err.text);
	else if (rc != MD_OK)
		end(i, rc == MD_AGAIN ? ENDING_LATER : ENDING_GIVEN_BACK, err.text);
}

/* ---- how many ---- */

size_t account_allows(struct sender *s, struct account *a, int64_t *ret_ms)
{
	int64_t now = clock_mono(s->d->clock);
	size_t most = (size_t)a->conf->per_minute, waiting = 0;

	if (!a->begun)
		return SENDER_ITEMS;
	while (a->n_begun && a->begun[a->first_begun] + MINUTE_MS <= now) {
		a->first_begun = (a->first_begun + 1) % most;
		a->n_begun--;
	}
	for (size_t i = 0; i < SENDER_ITEMS; i++)
		waiting += a->items[i].state > ITEM_FREE && a->items[i].state < ITEM_SENDING;
	if (a->n_begun)
		*ret_ms = a->begun[a->first_begun] + MINUTE_MS - now;
	return most > a->n_begun + waiting ? most - a->n_begun - waiting : 0;
}

static void note_begun(struct sender *s, struct account *a)
{
	size_t most = (size_t)a->conf->per_minute;

	if (a->begun && a->n_begun < most)
		a->begun[(a->first_begun + a->n_begun++) % most] = clock_mono(s->d->clock);
}

/* ---- a lane ---- */

int64_t sender_allowed_ms(const struct conf_smtp *conf)
{
	return conf->lease_ms + conf->timeout_ms;
}

static bool may_send(const struct lane *l)
{
	const struct account *a = l->account;
	size_t sending = 0, waiting = 0;

	for (size_t k = 0; k < a->n_lanes; k++)
		sending += a->lanes[k].sends;
	for (size_t k = 0; k < SENDER_ITEMS; k++)
		waiting += a->items[k].state > ITEM_FREE && a->items[k].state < ITEM_SENDING;
	return !l->sends && sending < 1 + waiting / LANE_QUEUE;
}

/* What is ready goes first, then the oldest. */
static struct item *next_item(const struct lane *l)
{
	const struct sender *s = l->sender;
	struct account *a = l->account;
	bool sends = may_send(l);
	struct item *best = NULL;

	for (size_t k = 0; k < SENDER_ITEMS; k++) {
		struct item *i = &a->items[k];

		if (!(i->state == ITEM_READY && sends) &&
		    (i->state != ITEM_CLAIMED || s->rendered_bytes > RENDERED_MAX))
			continue;
		if (!best || i->state > best->state ||
		    (i->state == best->state && i->row.id < best->row.id))
			best = i;
	}
	return best;
}

static void work_on(struct lane *l, struct item *i)
{
	struct sender *s = l->sender;
	enum item_state next = ITEM_ENDED;

	desk_worker_busy(&l->worker);
	if (i->state == ITEM_CLAIMED) {
		i->state = ITEM_RENDERING;
		pthread_mutex_unlock(&s->lock);
		next = render(s, i);
	} else {
		i->state = ITEM_SENDING;
		i->sent_by = l;
		l->sends = true;
		note_begun(s, l->account);
		pthread_mutex_unlock(&s->lock);
		send(l, i);
	}
	pthread_mutex_lock(&s->lock);
	s->rendered_bytes += next == ITEM_RENDERED ? i->blob.n : 0;
	i->state = next;
	desk_worker_idle(&l->worker);
	desk_wake(s->d, DESK_SENDER);
}

static void *run(void *arg)
{
	struct lane *l = arg;
	struct sender *s = l->sender;
	struct account *a = l->account;

	pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->stopping)) {
		struct item *i = next_item(l);

		if (i) {
			work_on(l, i);
			continue;
		}
		a->idle++;
		pthread_cond_wait(&a->work, &s->lock);
		a->idle--;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int lanes_call(struct sender *s, struct account *a, size_t n, struct md_err *err)
{
	if (atomic_load(&s->stopping))
		return MD_OK; /* nobody would join them */
	if (n && a->idle)
		pthread_cond_broadcast(&a->work); /* not each may take each */
	while (n > a->idle && a->n_lanes < (size_t)a->conf->connections) {
		struct lane *l = &a->lanes[a->n_lanes];
		int rc;

		*l = (struct lane){ .sender = s,
				    .account = a,
				    .worker = { .name = "sender",
						.allowed_ms = sender_allowed_ms(a->conf) } };
		rc = pthread_create(&l->thread, NULL, run, l);
		/* with fewer it takes longer */
		if (rc != 0)
			return a->n_lanes ? MD_OK
					  : md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
		desk_hire(s->d, &l->worker);
		a->n_lanes++;
		n--;
	}
	return MD_OK;
}

void lanes_stop(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < s->n_accounts; k++)
		pthread_cond_broadcast(&s->accounts[k].work);
	pthread_mutex_unlock(&s->lock);
	for (size_t k = 0; k < s->n_accounts; k++)
		for (size_t i = 0; i < s->accounts[k].n_lanes; i++) {
			struct lane *l = &s->accounts[k].lanes[i];

			pthread_join(l->thread, NULL);
			desk_dismiss(s->d, &l->worker);
			smtp_free(l->session);
		}
}

/* sender_settle.c - what lanes have rendered and sent is kept, and what becomes of a row after its
 * try: sent, failed, or due again later and later. */
#include <maildesk/app/outbox.h>
#include <maildesk/base/log.h>

#include "sender_priv.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEY_WAIT_MS = 10000,
	JITTER_PERCENT = 10,
	ENDING_MAX = 16 << 20,
	SETTLE_MAX = 512, /* in one transaction */
};

/* Minutes after each attempt, in units of smtp.retry_first: 1, 5, 15, 30 min, 1, 2, 4 h, 4 h … */
static const int64_t schedule[] = { 1, 5, 15, 30, 60, 120, 240 };

/* ---- what became of a try ---- */

int64_t sender_wait(int64_t attempts, int64_t first_ms, uint32_t dice)
{
	size_t step = attempts > 0 ? (size_t)attempts - 1 : 0;
	int64_t wait, jitter;

	if (step >= MD_COUNT(schedule))
		step = MD_COUNT(schedule) - 1;
	wait = schedule[step] * first_ms;
	jitter = wait * JITTER_PERCENT / 100;
	return wait - jitter + (jitter ? dice % (2 * jitter) : 0);
}

static int64_t next_try(const struct sender *s, const struct conf_smtp *conf,
			const struct outbox_row *row)
{
	uint32_t dice;

	random_fill(s->d->random, &dice, sizeof dice);
	return clock_wall(s->d->clock) + sender_wait(row->attempts, conf->retry_first_ms, dice);
}

static void decide_answered(struct sender *s, struct account *a, struct item *i)
{
	i->next_at = next_try(s, a->conf, &i->row);
	a->was_away |= i->result.outcome != SMTP_SENT && !i->result.answered;
	a->no_token |= i->no_token;
	if (i->result.outcome == SMTP_ACCOUNT)
		log_error(NULL, "smtp \"%s\" refuses this desk, mail waits: %s", a->conf->title,
			  i->result.reply);
	i->outcome = i->result.outcome == SMTP_SENT ? "sent"
		     : i->result.outcome == SMTP_PERMANENT ||
				     i->next_at > i->row.created_at + a->conf->give_up_ms
			     ? "failed"
			     : "retry";
}

static void say(const struct item *i)
{
	struct log_ctx about = { .message_id = i->row.mail_id,
				 .message = i->row.message_id,
				 .ticket = i->row.ticket_id };

	if (strcmp(i->outcome, "sent") == 0)
		log_info(&about, "sent %s to %s: %s", i->row.event, i->row.recipient,
			 i->result.reply);
	else if (i->result.reply[0])
		log_warn(&about, "%s: %s to %s: %s", i->outcome, i->row.event, i->row.recipient,
			 i->result.reply);
}

static void decide(struct sender *s, struct account *a, struct item *i)
{
	int64_t now = clock_wall(s->d->clock);

	i->outcome = "retry";
	switch (i->ending) {
	case ENDING_ANSWERED:
		decide_answered(s, a, i);
		break;
	case ENDING_FAILED:
		i->outcome = "failed";
		break;
	case ENDING_LATER:
		i->next_at = now + KEY_WAIT_MS;
		break;
	case ENDING_GIVEN_BACK:
		i->next_at = now + (i->result.reply[0] ? SENDER_PAUSE_MS : 0);
		break;
	}
	say(i);
}

/* A mail given back was not tried: what was said of it before holds. */
static const char *reply_of(const struct item *i)
{
	return i->ending == ENDING_GIVEN_BACK ? i->row.last_reply : i->result.reply;
}

/* ---- keeping ---- */

struct settling {
	struct sender *s;
	struct item *items[SETTLE_MAX];
	struct account *of[SETTLE_MAX];
	size_t n;
	struct arena arena; /* of one that failed */
};

static bool has_failed(const struct item *i)
{
	return i->state == ITEM_ENDED && strcmp(i->outcome, "failed") == 0;
}

static int keep_rendered(struct db_conn *c, struct item *i, struct md_err *err)
{
	int rc = blob_put(c, &i->blob, &i->row.blob_id, err);

	if (rc != MD_OK)
		return rc;
	rc = outbox_freeze(c, i->row.id, i->row.blob_id, i->blob.size, i->head, err);
	i->was_lost = rc == MD_CONFLICT; /* another daemon has rendered it: the lease was over */
	return i->was_lost ? MD_OK : rc;
}

/* The lease ran out and another daemon has the row, or a commit that was not answered was done:
 * that outcome counts. */
static int keep_ending(struct db_conn *c, struct sender *s, const struct item *i,
		       struct md_err *err)
{
	int rc = outbox_finish(c, i->row.id, s->d->instance, i->outcome, reply_of(i), i->next_at,
			       clock_wall(s->d->clock), err);

	return rc == MD_CONFLICT ? MD_OK : rc;
}

static bool brings_back(const struct item *i, const struct account *a)
{
	return i->state == ITEM_ENDED && a->was_away && strcmp(i->outcome, "sent") == 0;
}

/* What waited for the server to come back need not wait any longer. */
static int wake_waiting(struct db_conn *c, const struct settling *g, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t k = 0; k < g->s->n_accounts && rc == MD_OK; k++) {
		const struct account *a = &g->s->accounts[k];
		bool is_back = false;

		for (size_t i = 0; i < g->n; i++)
			is_back |= g->of[i] == a && brings_back(g->items[i], a);
		if (is_back)
			rc = outbox_wake(c, a->conf->title, clock_wall(g->s->d->clock), err);
	}
	return rc;
}

static int settle_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct settling *g = ctx;
	int rc = MD_OK;

	for (size_t k = 0; k < g->n && rc == MD_OK; k++) {
		struct item *i = g->items[k];

		if (i->state == ITEM_RENDERED)
			rc = keep_rendered(c, i, err);
		else if (!has_failed(i))
			rc = keep_ending(c, g->s, i, err);
	}
	return rc == MD_OK ? wake_waiting(c, g, err) : rc;
}

struct failing {
	struct sender *s;
	const struct item *item;
	struct arena arena; /* of one run of the transaction */
};

static int fail_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct failing *f = ctx;
	int rc = outbox_finish(c, f->item->row.id, f->s->d->instance, "failed",
			       f->item->result.reply, 0, clock_wall(f->s->d->clock), err);

	if (rc != MD_OK)
		return rc;
	arena_reset(&f->arena);
	rc = outbox_tell_failure(f->s->d, c, &f->arena, &f->item->row, f->item->result.reply, err);
	return rc == MD_CONFLICT ? MD_AGAIN : rc; /* somebody is at the ticket; the row is ours */
}

/* Its ticket's people are told, in a transaction of its own. */
static int settle_failure(struct sender *s, const struct item *i, struct md_err *err)
{
	struct failing f = { s, i, ARENA_INIT(ENDING_MAX) };
	int rc = db_txn(s->d->db, fail_in_txn, &f, err);

	arena_done(&f.arena);
	return rc == MD_CONFLICT ? MD_OK : rc;
}

void item_forget_rendered(struct sender *s, struct item *i)
{
	s->rendered_bytes -= i->blob.n;
	blob_done(&i->blob);
	i->blob = (struct blob){ 0 };
	free((void *)(uintptr_t)i->head);
	i->head = NULL;
}

void item_release(struct item *i)
{
	if (--i->batch->live == 0) {
		arena_done(&i->batch->arena);
		free(i->batch);
	}
	free(i->mail);
	*i = (struct item){ .state = ITEM_FREE };
}

/* Under lock, after the commit. True: a lane has something to do. */
static bool advance(struct sender *s, struct account *a, struct item *i)
{
	if (i->state == ITEM_ENDED) {
		bool was_sent = i->sent_by;

		if (brings_back(i, a))
			a->was_away = false;
		if (was_sent)
			i->sent_by->sends = false;
		item_release(i);
		return was_sent;
	}
	item_forget_rendered(s, i);
	i->state = i->was_lost ? ITEM_ENDED : ITEM_READY;
	if (!i->was_lost)
		return true;
	i->ending = ENDING_GIVEN_BACK;
	desk_wake(s->d, DESK_SENDER);
	return false;
}

/* Lanes are called once, not for each item: all that are idle wake up at a call. */
static int advance_all(struct sender *s, const struct settling *g, struct md_err *err)
{
	int rc = MD_OK;

	pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < g->n; k++)
		g->of[k]->called += advance(s, g->of[k], g->items[k]);
	for (size_t k = 0; k < s->n_accounts; k++) {
		struct account *a = &s->accounts[k];

		if (a->called && rc == MD_OK)
			rc = lanes_call(s, a, a->called, err);
		a->called = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static void collect(struct sender *s, struct settling *g)
{
	for (size_t k = 0; k < s->n_accounts; k++)
		for (size_t n = 0; n < SENDER_ITEMS && g->n < SETTLE_MAX; n++) {
			struct account *a = &s->accounts[k];
			struct item *i = &a->items[n];

			if (i->state != ITEM_RENDERED && i->state != ITEM_ENDED)
				continue;
			if (i->state == ITEM_ENDED && !i->outcome)
				decide(s, a, i);
			g->of[g->n] = a;
			g->items[g->n++] = i;
		}
}

/* Of what came out of lanes; nobody else touches it. *ret_n: how many. */
int sender_settle(struct sender *s, size_t *ret_n, struct md_err *err)
{
	struct settling g = { .s = s };
	int rc = MD_OK;

	pthread_mutex_lock(&s->lock);
	collect(s, &g);
	pthread_mutex_unlock(&s->lock);
	*ret_n = g.n;
	if (g.n == 0)
		return MD_OK;
	for (size_t k = 0; k < g.n && rc == MD_OK; k++)
		if (has_failed(g.items[k]))
			rc = settle_failure(s, g.items[k], err);
	if (rc == MD_OK)
		rc = db_txn(s->d->db, settle_in_txn, &g, err);
	return rc == MD_OK ? advance_all(s, &g, err) : rc;
}

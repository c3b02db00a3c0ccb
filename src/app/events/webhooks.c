#include <maildesk/app/events.h>
#include <maildesk/app/webhooks.h>
#include <maildesk/base/log.h>
#include <maildesk/net/webhook.h>
#include <maildesk/store/webhooks.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 1000,
	PAUSE_MS = 1000,
	AT_ONCE = 64,
	OF_ONE = 4,       /* of these, to one target */
	SPARE_MS = 30000, /* of a lease, beyond the longest call */
	BODY_MAX = 4096,
};

/* After each attempt, in units of webhooks.retry_first: 1, 5, 15, 30 min, 1, 2, 4 h, 4 h ... */
static const int64_t schedule[] = { 1, 5, 15, 30, 60, 120, 240 };

struct flight { /* a delivery under way; texts are its own */
	struct webhook_delivery row;
	char *body;
};

struct webhooks {
	struct desk *d;
	pthread_t thread;
	bool has_thread;
	atomic_bool stopping;
	struct webhooks_client *client;
	struct flight flights[AT_ONCE];
	size_t n;
	bool released;
	int64_t again_at_ms; /* the next retry of ours that is known of; 0: none */
};

/* ---- the end of a call ---- */

struct ending {
	const struct webhooks *w;
	struct webhook_delivery row;
};

static int finish_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct ending *e = ctx;

	return webhook_finish(c, &e->row, e->w->d->instance, err);
}

static void judge(const struct webhooks *w, const struct webhook_result *r,
		  struct webhook_delivery *row)
{
	const struct conf_webhooks *conf = &w->d->config->webhooks;
	int64_t now = clock_wall(w->d->clock);
	size_t step = row->attempts < 1 ? 0 : (size_t)row->attempts - 1;

	if (step >= MD_COUNT(schedule))
		step = MD_COUNT(schedule) - 1;
	row->next_at = now + schedule[step] * conf->retry_first_ms;
	row->status = r->status;
	row->reply = r->reply;
	row->done_at = 0;
	if (r->status >= 200 && r->status < 300) {
		row->state = "delivered";
		row->done_at = now;
	} else if (r->refused || row->next_at > row->created_at + conf->give_up_ms) {
		row->state = "failed";
		row->done_at = now;
	} else {
		row->state = "retry";
	}
}

static void end_flight(struct webhooks *w, const struct webhook_result *r)
{
	struct md_err err = { 0 };

	for (size_t i = 0; i < w->n; i++) {
		struct flight *f = &w->flights[i];
		struct ending e = { w, f->row };

		if (f->row.id != r->id)
			continue;
		judge(w, r, &e.row);
		if (!e.row.done_at && (!w->again_at_ms || e.row.next_at < w->again_at_ms))
			w->again_at_ms = e.row.next_at;
		e.row.body = f->body;
		/* One that cannot be noted is called again after its lease. */
		if (db_txn(w->d->db, finish_in_txn, &e, &err) != MD_OK)
			log_warn(NULL, "webhook %lld: %s", (long long)f->row.webhook, err.text);
		free(f->body);
		*f = w->flights[--w->n];
		return;
	}
}

/* ---- the begin of a call ---- */

struct claim {
	struct webhooks *w;
	int64_t webhook;
	size_t limit;
	struct arena *arena;
	struct webhook_delivery *rows;
	size_t n;
};

static int claim_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct claim *k = ctx;
	struct desk *d = k->w->d;
	int64_t now = clock_wall(d->clock);

	return webhook_claim(c, k->webhook, d->instance, now,
			     now + d->config->webhooks.timeout_ms + SPARE_MS, k->limit, k->arena,
			     &k->rows, &k->n, err);
}

static int begin_call(struct webhooks *w, struct flight *f, struct md_err *err)
{
	md_auto(buf_wipe) struct buf secret = BUF_INIT(1000);
	struct webhook_call call = { .id = f->row.id,
				     .url = f->row.url,
				     .body = f->body,
				     .event = f->row.event.type,
				     .at_s = clock_wall(w->d->clock) / 1000 };
	int rc = vault_unseal_text(w->d->vault, WEBHOOK_PURPOSE, f->row.secret, &secret, err);

	call.secret = buf_str(&secret);
	return rc == MD_OK ? webhooks_begin(w->client, &call, err) : rc;
}

/* What was sent once is sent again. */
static char *body_of(const struct webhook_delivery *row)
{
	struct buf text = BUF_INIT(BODY_MAX);

	if (row->body)
		buf_adds(&text, row->body);
	else
		event_show(&text, &row->event);
	return buf_steal(&text);
}

static void begin(struct webhooks *w, const struct webhook_delivery *row)
{
	struct flight *f = &w->flights[w->n++];
	struct webhook_result none = { .id = row->id };
	struct md_err err = { 0 };

	*f = (struct flight){ .row = *row, .body = body_of(row) };
	if (f->body && begin_call(w, f, &err) == MD_OK)
		return;
	snprintf(none.reply, sizeof none.reply, "%.*s", (int)sizeof none.reply - 1,
		 f->body ? err.text : "out of memory");
	end_flight(w, &none);
}

static size_t under_way(const struct webhooks *w, int64_t webhook)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->flights[i].row.webhook == webhook;
	return n;
}

static int begin_some(struct webhooks *w, int64_t webhook, struct arena *a, struct md_err *err)
{
	size_t there = under_way(w, webhook), room = AT_ONCE - w->n;
	struct claim k = { .w = w, .webhook = webhook, .arena = a };
	int rc;

	k.limit = there < OF_ONE ? OF_ONE - there : 0;
	k.limit = k.limit < room ? k.limit : room;
	if (k.limit == 0)
		return MD_OK;
	rc = db_txn(w->d->db, claim_in_txn, &k, err);
	for (size_t i = 0; rc == MD_OK && i < k.n; i++)
		begin(w, &k.rows[i]);
	return rc;
}

static int begin_due(struct webhooks *w, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
	struct db_conn *c = NULL;
	int64_t *due = NULL;
	size_t n = 0;
	int rc = db_read(w->d->db, &c, err);

	if (w->again_at_ms <= clock_wall(w->d->clock))
		w->again_at_ms = 0;
	if (rc == MD_OK) {
		rc = webhook_due(c, clock_wall(w->d->clock), &a, &due, &n, err);
		db_read_done(c);
	}
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = begin_some(w, due[i], &a, err);
	return rc;
}

/* ---- the thread ---- */

static int release_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct webhooks *w = ctx;

	return webhook_release(c, w->d->instance, clock_wall(w->d->clock), err);
}

static int work(struct webhooks *w, struct md_err *err)
{
	int rc = w->released ? MD_OK : db_txn(w->d->db, release_in_txn, w, err);

	w->released = w->released || rc == MD_OK;
	return rc == MD_OK ? begin_due(w, err) : rc;
}

/* What others leave undone is looked for each LOOK_MS. */
static int until_next(const struct webhooks *w)
{
	int64_t left = w->again_at_ms - clock_wall(w->d->clock);

	return !w->again_at_ms || left > LOOK_MS ? LOOK_MS : left < 1 ? 1 : (int)left;
}

static void *run(void *arg)
{
	struct webhooks *w = arg;
	struct webhook_result r;

	while (!atomic_load(&w->stopping)) {
		struct md_err err = { 0 };
		int rc;

		desk_busy(w->d, DESK_WEBHOOKS);
		rc = work(w, &err);
		if (rc != MD_OK)
			log_error(NULL, "webhooks wait: %s", err.text);
		desk_idle(w->d, DESK_WEBHOOKS);
		if (w->n == 0) {
			desk_sleep(w->d, DESK_WEBHOOKS, rc == MD_OK ? until_next(w) : PAUSE_MS);
			continue;
		}
		if (webhooks_wait(w->client, w->d->wake_fd[DESK_WEBHOOKS], until_next(w), &err) !=
		    MD_OK)
			desk_sleep(w->d, DESK_WEBHOOKS, PAUSE_MS);
		desk_sleep(w->d, DESK_WEBHOOKS, 1); /* what woke it is taken */
		while (webhooks_next(w->client, &r))
			end_flight(w, &r);
	}
	desk_idle(w->d, DESK_WEBHOOKS);
	return NULL;
}

int webhooks_start(struct desk *d, struct webhooks **ret, struct md_err *err)
{
	md_auto(webhooks_stop_p) struct webhooks *w = md_calloc(1, sizeof *w);
	const struct conf_webhooks *conf = &d->config->webhooks;
	int rc;

	if (!w)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	w->d = d;
	rc = webhooks_client_new(conf->allow_private, conf->timeout_ms, &w->client, err);
	if (rc != MD_OK)
		return rc;
	rc = pthread_create(&w->thread, NULL, run, w);
	if (rc != 0)
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	pthread_setname_np(w->thread, "webhooks");
	w->has_thread = true;
	*ret = md_take(w);
	return MD_OK;
}

void webhooks_stop(struct webhooks *w)
{
	struct md_err err = { 0 };

	if (!w)
		return;
	if (w->has_thread) {
		atomic_store(&w->stopping, true);
		desk_wake(w->d, DESK_WEBHOOKS);
		pthread_join(w->thread, NULL);
		if (w->n && db_txn(w->d->db, release_in_txn, w, &err) != MD_OK)
			log_warn(NULL, "webhooks that were being called: %s", err.text);
	}
	for (size_t i = 0; i < w->n; i++)
		free(w->flights[i].body);
	webhooks_client_free(w->client);
	free(w);
}

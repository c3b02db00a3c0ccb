/* Timers are rows; nothing scans tickets. A timer that fires is one piece of work by the desk
 * itself: SLA timers by letting the ticket's clocks settle, auto_close by moving the status. Each
 * is taken and acted upon in one transaction, with others that are due, so it fires once, whoever
 * is killed when and however many daemons have seen it due. So do digests (digest.h). While the
 * wall clock is doubted (base/wallwatch.h) none fires.
 *
 * The same thread now and then looks for content that nothing refers to, for what has been kept
 * long enough, empties the outbox of what was sent, looks whether keys have changed, and raises the
 * alarm of mailboxes. */
#include <maildesk/app/housekeeping.h>
#include <maildesk/app/listener.h>
#include <maildesk/app/timers.h>
#include <maildesk/app/work.h>
#include <maildesk/base/log.h>
#include <maildesk/base/wallwatch.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/clocks.h>
#include <maildesk/store/digests.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/sla_versions.h>

#include <maildesk/app/digest.h>
#include "mailbox_alarm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 100,
	GROUP = 20, /* that are fired together */
	ARENA_MAX = 16 << 20,
	PAUSE_MS = 1000,
	ELSEWHERE_MS = 50,
	SWEEP_MS = 3600000, /* between two walks over all blobs */
	SENT_DAYS = 7,      /* that a mail stays in the outbox */
	PAGE_MS = 1000,     /* between two pages of one */
};

struct timers {
	struct desk *d;
	pthread_t thread;
	bool has_thread;
	atomic_bool stopping;
	struct wallwatch watch;
	struct arena arena;
	struct timer_row *due;
	size_t n, fired;
	int64_t share_at_ms;  /* of keys (monotonic) */
	bool clocks_are_laid; /* no clock runs by what was valid before the configuration changed */
	int64_t keep_at_ms;   /* the next housekeeping (monotonic) */
	int64_t blob, sweep_at_ms; /* where a walk over the blobs goes on, and when (monotonic) */
};

/* Timers that are due, in one transaction: a commit waits for the disk. */
struct firing {
	struct timers *t;
	const struct timer_row *timers;
	size_t n;
	bool fired[GROUP];
	struct arena arena;
};

static struct work_by by_desk(struct desk *d)
{
	return (struct work_by){
		.desk = d,
		.actor = { .role = ROLE_ADMIN, .level = 3, .source = SOURCE_TIMER },
		.channel = "cli",
		.now_ms = clock_wall(d->clock),
	};
}

static int fire(struct firing *f, struct db_conn *c, size_t i, struct md_err *err)
{
	const struct timer_row *timer = &f->timers[i];
	const struct work_by by = by_desk(f->t->d);
	struct work w;
	int rc;

	arena_reset(&f->arena);
	rc = timer_take(c, timer->id, err);
	if (rc == MD_NOTFOUND)
		return MD_OK; /* another daemon has fired it, or it was dropped meanwhile */
	f->fired[i] = true;
	if (rc == MD_OK)
		rc = work_load(&by, c, &f->arena, timer->ticket_id, &w, err);
	if (rc == MD_NOTFOUND)
		return MD_OK; /* the ticket is gone, and so is the timer */
	if (rc == MD_OK)
		rc = work_fire(&w, timer->kind, err);
	return rc == MD_OK ? work_save(&w, err) : rc;
}

static int fire_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct firing *f = ctx;
	int rc = MD_OK;

	memset(f->fired, 0, sizeof f->fired);
	for (size_t i = 0; i < f->n && rc == MD_OK; i++)
		rc = fire(f, c, i, err);
	return rc;
}

static int load_due(struct timers *t, struct md_err *err)
{
	struct db_conn *c = NULL;
	int rc = db_read(t->d->db, &c, err);

	arena_reset(&t->arena);
	if (rc == MD_OK) {
		rc = timer_due(c, clock_wall(t->d->clock), BATCH, &t->arena, &t->due, &t->n, err);
		db_read_done(c);
	}
	return rc;
}

static int fire_some(struct timers *t, const struct timer_row *timers, size_t n, struct md_err *err)
{
	struct firing f = { .t = t, .timers = timers, .n = n, .arena = ARENA_INIT(ARENA_MAX) };
	int rc;

	desk_busy(t->d, DESK_TIMERS);
	rc = db_txn(t->d->db, fire_in_txn, &f, err);
	arena_done(&f.arena);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		if (!f.fired[i])
			continue;
		t->fired++;
		log_info(&(struct log_ctx){ .ticket = timers[i].ticket_id }, "timer: %s",
			 timers[i].kind);
	}
	return rc;
}

static int fire_due(struct timers *t, struct md_err *err)
{
	int rc = load_due(t, err), worst = rc;

	t->fired = 0;
	for (size_t i = 0, n; i < t->n && rc == MD_OK && !atomic_load(&t->stopping); i += n) {
		n = t->n - i < GROUP ? t->n - i : GROUP;
		if (fire_some(t, &t->due[i], n, err) == MD_OK)
			continue;
		/* One that fails stays due and is tried again; the others do not wait for it. */
		for (size_t k = i; k < i + n; k++)
			if (fire_some(t, &t->due[k], 1, err) != MD_OK)
				worst = MD_AGAIN;
	}
	if (t->n)
		work_done(t->d);
	return worst;
}

/* ---- clocks that ran by another configuration ---- */

struct laying {
	struct desk *d;
	int64_t ticket;
	struct arena arena;
};

static int lay_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct laying *l = ctx;
	const struct work_by by = by_desk(l->d);
	struct work w;
	int rc;

	arena_reset(&l->arena);
	rc = work_load(&by, c, &l->arena, l->ticket, &w, err);
	if (rc == MD_OK)
		rc = work_save(&w, err);
	return rc == MD_OK || rc == MD_NOTFOUND
		       ? sla_version_mark(c, l->ticket, l->d->sla_version, err)
		       : rc;
}

/* A batch of them: each is settled as if something happened to its ticket. */
static int lay_clocks(struct timers *t, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct db_conn *c = NULL;
	int64_t *tickets = NULL;
	size_t n = 0;
	int rc;

	if (t->clocks_are_laid || !t->d->sla_version)
		return MD_OK;
	rc = db_read(t->d->db, &c, err);
	if (rc == MD_OK) {
		rc = sla_version_stragglers(c, t->d->sla_version, BATCH, &a, &tickets, &n, err);
		db_read_done(c);
	}
	for (size_t i = 0; i < n && rc == MD_OK && !atomic_load(&t->stopping); i++) {
		struct laying l = { t->d, tickets[i], ARENA_INIT(ARENA_MAX) };

		rc = db_txn(t->d->db, lay_in_txn, &l, err);
		arena_done(&l.arena);
	}
	t->clocks_are_laid = rc == MD_OK && n == 0;
	if (n)
		desk_wake(t->d, DESK_TIMERS);
	return rc;
}

static bool may_fire(struct timers *t)
{
	struct desk *d = t->d;
	bool may = wallwatch_trusts(&t->watch, clock_wall(d->clock), clock_mono(d->clock));
	bool doubted = atomic_exchange(&d->clock_doubted, !may);

	if (!may && !doubted)
		log_warn(NULL, "the clock jumped by more than an hour: nothing that happens by the "
			       "clock happens until it has kept steady for a minute");
	if (may && doubted)
		log_info(NULL, "the clock is believed again");
	return may;
}

int timers_round(struct timers *t, size_t *ret_fired, struct md_err *err)
{
	int rc;

	size_t digests = 0;

	t->n = t->fired = 0;
	*ret_fired = 0;
	if (!may_fire(t))
		return MD_OK;
	rc = lay_clocks(t, err);
	if (rc == MD_OK)
		rc = fire_due(t, err);
	if (rc == MD_OK)
		rc = digests_round(t->d, &digests, err);
	*ret_fired = t->fired + digests;
	return rc;
}

static int until_due(struct timers *t)
{
	int64_t now = clock_wall(t->d->clock), due = 0, digest = 0;
	struct db_conn *c = NULL;
	int rc = db_read(t->d->db, &c, NULL);

	if (rc == MD_OK) {
		int more = digest_next_due(c, &digest, NULL);

		rc = timer_next_due(c, &due, NULL);
		db_read_done(c);
		if (more == MD_OK && (rc == MD_NOTFOUND || digest < due)) {
			due = digest;
			rc = MD_OK;
		}
	}
	if (rc == MD_NOTFOUND || atomic_load(&t->d->clock_doubted))
		return LOOK_MS;
	if (rc != MD_OK)
		return PAUSE_MS;
	return due <= now ? 0 : due - now > LOOK_MS ? LOOK_MS : (int)(due - now);
}

static int expire_outbox(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct desk *d = ctx;
	int64_t n;

	return outbox_expire(c, clock_wall(d->clock) - SENT_DAYS * INT64_C(86400000), &n, err);
}

/* Mails that were sent long ago: the messages stay. */
static void forget_sent(struct timers *t)
{
	struct md_err err = { 0 };

	if (db_txn(t->d->db, expire_outbox, t->d, &err) != MD_OK)
		log_warn(NULL, "the outbox is tidied later: %s", err.text);
}

/* A page of the walk, when it is time for one. It waits for nothing and nothing waits for it. */
static void sweep(struct timers *t)
{
	int64_t now_ms = clock_mono(t->d->clock), removed = 0;
	struct md_err err = { 0 };

	if (now_ms < t->sweep_at_ms)
		return;
	if (blob_collect(t->d->db, &t->blob, &removed, &err) != MD_OK)
		log_warn(NULL, "unused content is looked for later: %s", err.text);
	forget_sent(t);
	if (removed)
		log_info(NULL, "%lld unused contents removed", (long long)removed);
	t->sweep_at_ms = now_ms + (t->blob ? PAGE_MS : SWEEP_MS);
}

static void keep_house(struct timers *t)
{
	int64_t now_ms = clock_mono(t->d->clock);
	struct housekeeping done = { 0 };
	struct md_err err = { 0 };

	if (now_ms < t->keep_at_ms)
		return;
	if (housekeeping_run(t->d->db, t->d->config, clock_wall(t->d->clock), false, &done, &err) !=
	    MD_OK)
		log_warn(NULL, "what has been kept long enough is removed later: %s", err.text);
	if (done.deleted || done.retained || done.discarded)
		log_info(NULL, "kept long enough: %lld deleted tickets, %lld others, %lld mails",
			 (long long)done.deleted, (long long)done.retained,
			 (long long)done.discarded);
	t->keep_at_ms = now_ms + (done.more ? PAGE_MS : SWEEP_MS);
}

static void look_at_keys(struct timers *t)
{
	struct md_err err = { 0 };
	int64_t now_ms = clock_mono(t->d->clock);

	if (now_ms < t->share_at_ms)
		return;
	t->share_at_ms = now_ms + LOOK_MS;
	if (desk_look_at_keys(t->d, &err) != MD_OK)
		log_warn(NULL, "keys are looked at again: %s", err.text);
}

static void *run(void *arg)
{
	struct timers *t = arg;

	while (!atomic_load(&t->stopping)) {
		struct md_err err = { 0 };
		size_t fired;

		desk_sleep(t->d, DESK_TIMERS, until_due(t));
		if (atomic_load(&t->stopping))
			break;
		sweep(t);
		keep_house(t);
		mailbox_alarms(t->d);
		look_at_keys(t);
		if (timers_round(t, &fired, &err) == MD_OK) {
			if (t->n && !fired)
				desk_sleep(t->d, DESK_TIMERS,
					   ELSEWHERE_MS); /* another daemon is at them */
			continue;
		}
		log_error(NULL, "timers wait: %s", err.text);
		desk_sleep(t->d, DESK_TIMERS, PAUSE_MS);
	}
	desk_idle(t->d, DESK_TIMERS);
	return NULL;
}

int timers_new(struct desk *d, struct timers **ret, struct md_err *err)
{
	struct timers *t = md_calloc(1, sizeof *t);

	if (!t)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	t->d = d;
	t->arena.max = ARENA_MAX;
	may_fire(t); /* what it jumps from */
	*ret = t;
	return MD_OK;
}

int timers_start(struct desk *d, struct timers **ret, struct md_err *err)
{
	struct timers *t;
	int rc = timers_new(d, &t, err);

	if (rc != MD_OK)
		return rc;
	rc = pthread_create(&t->thread, NULL, run, t);
	t->has_thread = rc == 0;
	if (rc != 0) {
		timers_stop(t);
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	}
	*ret = t;
	return MD_OK;
}

void timers_stop(struct timers *t)
{
	if (!t)
		return;
	atomic_store(&t->stopping, true);
	desk_wake(t->d, DESK_TIMERS);
	if (t->has_thread)
		pthread_join(t->thread, NULL);
	arena_done(&t->arena);
	free(t);
}

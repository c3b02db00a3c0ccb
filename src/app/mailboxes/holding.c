/* Which daemon watches which mailbox.
 *
 * Several daemons may share a desk. Each is registered by a lease "daemon:INSTANCE", and watches
 * the mailboxes whose lease "mailbox:TITLE" it holds: no more than its share while others live, so
 * that a daemon that joins gets some and one that dies leaves them to the rest. All leases are
 * renewed at a third of their time; when another's runs out, one looks at once. A mailbox that
 * nobody has taken for a whole lease's time is taken whatever the share is: configurations may
 * differ for a while.
 *
 * A daemon may have been stopped for minutes and not know. So each transaction that counts or
 * stores a mail asks whether the lease still has the fence it was taken with; if not, the mailbox
 * is let go: fetch drops it, its mails in hand are forgotten. What was taken in until then is
 * committed, and the new holder goes on behind it. */
#include <maildesk/base/log.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/mailboxes.h>

#include "mailboxes_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TICK_ARENA_MAX = 64 << 20,
	RUN_OUT_MS = 10, /* all of a daemon's leases end within it */
};
static const char daemon_prefix[] = "daemon:", mailbox_prefix[] = "mailbox:";

/* The renewal in one transaction; what it found counts when that is committed. */
struct tick {
	struct mailboxes *m;
	struct arena arena;
	struct lease *leases;
	size_t n;
	struct hold *next; /* what m->holds will be */
	size_t mine, share;
	int64_t now_ms;     /* monotonic */
	int64_t soonest_ms; /* until a lease of another runs out */
	bool changed;
};

static int64_t ttl_ms(const struct mailboxes *m)
{
	return m->d->config->desk.lease_ms;
}

static struct hold *hold_of(struct mailboxes *m, int64_t mailbox)
{
	struct desk_mailbox *box = desk_mailbox(m->d, mailbox);

	return box ? &m->holds[box - m->d->mailboxes] : NULL;
}

static const char *lease_name(struct arena *a, const char *prefix, const char *name)
{
	return arena_printf(a, "%s%s", prefix, name);
}

/* ---- one's own ---- */

int mailboxes_lost(struct mailboxes *m, struct db_conn *c, int64_t mailbox, bool *ret,
		   struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(64 << 10);
	struct hold *h = hold_of(m, mailbox);
	const char *name;
	int rc;

	*ret = true;
	if (!h || !h->held)
		return MD_OK;
	name = lease_name(&a, mailbox_prefix, mailboxes_title(m, mailbox));
	if (!name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = lease_check(c, name, m->d->instance, h->fence, err);
	*ret = rc == MD_CONFLICT;
	return *ret ? MD_OK : rc;
}

bool mailboxes_expects(struct mailboxes *m, int64_t mailbox)
{
	struct hold *h = hold_of(m, mailbox);

	return h && h->held && h->selected;
}

void mailboxes_selected(struct mailboxes *m, int64_t mailbox)
{
	hold_of(m, mailbox)->selected = true;
}

void mailboxes_let_go(struct mailboxes *m, int64_t mailbox, const char *why)
{
	struct hold *h = hold_of(m, mailbox);

	if (!h || !h->held)
		return;
	log_notice(&(struct log_ctx){ .mailbox = mailboxes_title(m, mailbox) }, "let go: %s", why);
	*h = (struct hold){ .fence = h->fence };
	if (m->hold_at_ms > clock_mono(m->d->clock) + PAUSE_MS)
		m->hold_at_ms = clock_mono(m->d->clock) + PAUSE_MS;
	for (struct job *j = m->jobs; j; j = j->next)
		j->gone |= j->mailbox == mailbox;
	mailboxes_unwatch(m, mailbox);
}

/* ---- the renewal ---- */

static int by_name(const void *key, const void *lease)
{
	return strcmp(key, ((const struct lease *)lease)->name);
}

static const struct lease *find_lease(const struct tick *t, const char *name)
{
	return t->n ? bsearch(name, t->leases, t->n, sizeof *t->leases, by_name) : NULL;
}

static bool begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_ours(const struct tick *t, const struct lease *l)
{
	return strcmp(l->holder, t->m->d->instance) == 0;
}

static int renew(struct tick *t, struct db_conn *c, struct md_err *err)
{
	struct mailboxes *m = t->m;
	const char *name = lease_name(&t->arena, daemon_prefix, m->d->instance);
	int64_t fence;
	int rc;

	if (!name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = lease_take(c, name, m->d->instance, ttl_ms(m), &fence, err);
	if (rc == MD_OK)
		rc = lease_renew(c, m->d->instance, ttl_ms(m), err);
	if (rc == MD_OK && !m->joined)
		rc = lease_forget(c, daemon_prefix, err);
	if (rc == MD_OK)
		rc = lease_list(c, &t->arena, &t->leases, &t->n, err);
	return rc;
}

static size_t share_of(const struct tick *t)
{
	size_t mailboxes = t->m->d->n_mailboxes, daemons = 0;

	for (size_t i = 0; i < t->n; i++)
		daemons += t->leases[i].left_ms > 0 && begins(t->leases[i].name, daemon_prefix);
	return daemons ? (mailboxes + daemons - 1) / daemons : mailboxes;
}

/* Who has this one? */
static void look_at(struct tick *t, const char *name, struct hold *h)
{
	const struct lease *l = find_lease(t, name);
	bool is_free = !l || l->left_ms <= 0;

	h->held = !is_free && is_ours(t, l);
	h->elsewhere = !is_free && !h->held;
	if (!h->held)
		h->spare = false;
	else
		h->fence = l->fence;
	if (!is_free)
		h->free_ms = 0;
	else if (!h->free_ms)
		h->free_ms = t->now_ms;
	t->mine += h->held && !h->spare;
	if (h->elsewhere && l->left_ms < t->soonest_ms)
		t->soonest_ms = l->left_ms;
}

static int give_back(struct tick *t, struct db_conn *c, size_t i, const char *name,
		     struct md_err *err)
{
	struct hold *h = &t->next[i];
	int rc = mailboxes_uncount(t->m, c, t->m->d->mailboxes[i].id, err);

	if (rc == MD_OK)
		rc = lease_release(c, name, t->m->d->instance, err);
	t->mine -= !h->spare;
	h->held = h->spare = false;
	h->free_ms = t->now_ms;
	t->changed = true;
	return rc;
}

static int take(struct tick *t, struct db_conn *c, size_t i, const char *name, struct md_err *err)
{
	struct hold *h = &t->next[i];
	int rc = lease_take(c, name, t->m->d->instance, ttl_ms(t->m), &h->fence, err);

	if (rc == MD_CONFLICT)
		return MD_OK; /* another was quicker */
	h->held = rc == MD_OK;
	h->free_ms = 0;
	h->spare = t->mine >= t->share;
	t->mine += !h->spare;
	return rc;
}

/* Give back what is too much, or take what is free. */
static int balance(struct tick *t, struct db_conn *c, size_t i, const char *name,
		   struct md_err *err)
{
	struct hold *h = &t->next[i];

	if (h->paused)
		return h->held ? give_back(t, c, i, name, err) : MD_OK;
	if (h->spare && t->mine < t->share) {
		h->spare = false;
		t->mine++;
	}
	if (h->held)
		return h->spare || t->mine <= t->share ? MD_OK : give_back(t, c, i, name, err);
	if (h->free_ms && (t->mine < t->share || t->now_ms - h->free_ms >= ttl_ms(t->m)))
		return take(t, c, i, name, err);
	return MD_OK;
}

/* What admins want of them. */
static int read_orders(struct tick *t, struct db_conn *c, struct md_err *err)
{
	struct desk *d = t->m->d;
	struct mailbox_order *orders;
	size_t n = 0;
	int rc = mailbox_orders(c, &t->arena, &orders, &n, err);

	for (size_t i = 0; i < d->n_mailboxes; i++)
		t->next[i].paused = false;
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < d->n_mailboxes; i++)
			if (d->mailboxes[i].id == orders[k].mailbox) {
				t->next[i].paused = orders[k].paused;
				t->next[i].polled_at = orders[k].polled_at;
			}
	return rc;
}

/* Of mailboxes that were taken out of the configuration. */
static int give_back_strangers(struct tick *t, struct db_conn *c, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < t->n && rc == MD_OK; i++) {
		const struct lease *l = &t->leases[i];

		if (l->left_ms > 0 && is_ours(t, l) && begins(l->name, mailbox_prefix) &&
		    !config_mailbox(t->m->d->config, l->name + strlen(mailbox_prefix)))
			rc = lease_release(c, l->name, t->m->d->instance, err);
	}
	return rc;
}

static int run_tick(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct tick *t = ctx;
	struct desk *d = t->m->d;
	const char **names;
	int rc;

	arena_reset(&t->arena);
	names = arena_array(&t->arena, d->n_mailboxes, sizeof *names);
	t->next = arena_array(&t->arena, d->n_mailboxes, sizeof *t->next);
	if (!names || !t->next)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	memcpy(t->next, t->m->holds, d->n_mailboxes * sizeof *t->next);
	t->changed = !t->m->joined;
	t->mine = 0;
	t->soonest_ms = ttl_ms(t->m) / 3;
	rc = renew(t, c, err);
	if (rc != MD_OK)
		return rc;
	t->share = share_of(t);
	rc = read_orders(t, c, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < d->n_mailboxes; i++) {
		names[i] = lease_name(&t->arena, mailbox_prefix, d->mailboxes[i].conf->title);
		if (!names[i])
			return md_fail(err, MD_NOMEM, 0, "out of memory");
		look_at(t, names[i], &t->next[i]);
	}
	for (size_t i = d->n_mailboxes; i-- > 0 && rc == MD_OK;)
		rc = balance(t, c, i, names[i], err);
	if (rc == MD_OK && !t->m->joined)
		rc = give_back_strangers(t, c, err);
	if (t->changed)
		db_notify(c, DB_TOPIC_LEASES);
	return rc;
}

/* ---- what follows from it ---- */

static void tell_health(struct mailboxes *m, size_t i)
{
	const struct desk_mailbox *box = &m->d->mailboxes[i];

	if (m->holds[i].paused)
		desk_mailbox_state(m->d, box->id, "paused", NULL);
	else if (m->holds[i].elsewhere)
		desk_mailbox_state(m->d, box->id, "paused", "another daemon watches it");
	else
		desk_mailbox_state(m->d, box->id, "connecting", NULL);
}

static void follow(struct mailboxes *m, size_t i, const struct hold *next)
{
	const struct desk_mailbox *box = &m->d->mailboxes[i];
	struct hold *h = &m->holds[i];
	struct log_ctx about = { .mailbox = box->conf->title };
	bool same = h->held && next->held && h->fence == next->fence;
	bool moved = h->elsewhere != next->elsewhere || h->paused != next->paused;
	/* what was wished before this daemon lived is done as it begins to watch */
	bool look = m->joined && h->polled_at != next->polled_at;

	if (h->held && !same) {
		mailboxes_let_go(m, box->id,
				 next->paused ? "it is paused" : "it is another daemon's");
	} else if (h->elsewhere && next->held) {
		log_notice(&about, "taken over from another daemon");
	}
	*h = *next;
	h->selected &= same;
	if (moved)
		tell_health(m, i);
	if (h->held && same && look)
		mailboxes_unwatch(m, box->id); /* and anew, whatever the session waits for */
	if (h->held && (!same || look))
		mailboxes_watch(m, box);
}

void mailboxes_hold(struct mailboxes *m)
{
	struct tick t = { .m = m, .now_ms = clock_mono(m->d->clock) };
	struct md_err err = { 0 };

	if (t.now_ms < m->hold_at_ms)
		return;
	t.arena = (struct arena)ARENA_INIT(TICK_ARENA_MAX);
	if (db_txn(m->d->db, run_tick, &t, &err) == MD_OK) {
		for (size_t i = 0; i < m->d->n_mailboxes; i++)
			follow(m, i, &t.next[i]);
		m->joined = true;
		m->hold_at_ms = clock_mono(m->d->clock) + t.soonest_ms + RUN_OUT_MS;
	} else {
		log_error(NULL, "mailboxes may be left to other daemons: %s", err.text);
		m->hold_at_ms = clock_mono(m->d->clock) + PAUSE_MS;
	}
	arena_done(&t.arena);
}

static int release_all(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct mailboxes *m = ctx;

	db_notify(c, DB_TOPIC_LEASES);
	return lease_release_all(c, m->d->instance, err);
}

void mailboxes_release(struct mailboxes *m)
{
	struct md_err err = { 0 };

	if (db_txn(m->d->db, release_all, m, &err) != MD_OK)
		log_warn(NULL, "other daemons take the mailboxes over later: %s", err.text);
}

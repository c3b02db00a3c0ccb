#include <maildesk/app/housekeeping.h>
#include <maildesk/store/kept.h>
#include <maildesk/store/events.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/privacy.h>
#include <maildesk/store/views.h>
#include <maildesk/store/webhooks.h>

#include <string.h>

#define DAY INT64_C(86400000)
enum { COUNT_MAX = 1000000 };

struct keeping {
	struct db *db;
	int64_t now_ms, events_kept_ms;
	bool dry_run;
	struct housekeeping *ret;
};

typedef int (*drop_fn)(struct db_conn *c, int64_t ticket, int64_t now_ms, struct md_err *err);

/* Tickets that go: those deleted before then, or in a status since before then. */
struct leaving {
	const char *status; /* NULL: deleted */
	int64_t before;
	drop_fn drop;
	int64_t ticket, now_ms; /* the one at hand */
};

static int find(struct db_conn *c, const struct leaving *g, size_t limit, struct arena *a,
		int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return g->status ? purge_aged_tickets(c, g->status, g->before, limit, a, ret, ret_n, err)
			 : purge_deleted_tickets(c, g->before, limit, a, ret, ret_n, err);
}

/* Unless somebody answered it since it was found. */
static int drop_one(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct leaving *g = ctx;
	bool due = true;
	int rc = g->status ? purge_is_aged(c, g->ticket, g->status, g->before, &due, err) : MD_OK;

	return rc == MD_OK && due ? g->drop(c, g->ticket, g->now_ms, err) : rc;
}

static int tickets(struct keeping *k, struct leaving g, int64_t *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(256 << 20);
	size_t limit = k->dry_run ? COUNT_MAX : HOUSEKEEPING_BATCH, n = 0;
	struct db_conn *c = NULL;
	int64_t *ids;
	int rc = db_read(k->db, &c, err);

	if (rc == MD_OK) {
		rc = find(c, &g, limit, &a, &ids, &n, err);
		db_read_done(c);
	}
	g.now_ms = k->now_ms;
	for (size_t i = 0; rc == MD_OK && !k->dry_run && i < n; i++) {
		g.ticket = ids[i];
		rc = db_txn(k->db, drop_one, &g, err);
	}
	*ret += (int64_t)n;
	k->ret->more = k->ret->more || n == limit;
	return rc;
}

static int retain(struct keeping *k, const struct conf_retention *r, struct md_err *err)
{
	drop_fn drop = strcmp(r->action, "delete") == 0 ? ticket_purge : ticket_anonymise;
	int rc = MD_OK;

	for (size_t i = 0; i < r->n_statuses && rc == MD_OK; i++) {
		struct leaving g = { .status = r->statuses[i].title,
				     .before = k->now_ms - r->statuses[i].age_ms,
				     .drop = drop };
		int64_t n = 0;

		if (r->statuses[i].age_ms == 0)
			continue;
		rc = tickets(k, g, &n, err);
		k->ret->retained += n;
		if (k->ret->by_rule)
			k->ret->by_rule[i] += n;
	}
	return rc;
}

static int small_things(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct keeping *k = ctx;
	int rc = event_purge(c, k->now_ms - k->events_kept_ms, err);

	if (rc == MD_OK)
		rc = purge_discarded(c, k->now_ms - 30 * DAY, &k->ret->discarded, err);

	if (rc == MD_OK)
		rc = kept_purge(c, k->now_ms, err);
	if (rc == MD_OK)
		rc = viewing_purge(c, k->now_ms, err);
	if (rc == MD_OK)
		rc = webhook_purge(c, k->now_ms - 7 * DAY, err);
	return rc == MD_OK ? upload_purge(c, k->now_ms - DAY, &k->ret->uploads, err) : rc;
}

static int count_small_things(struct keeping *k, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(k->db, &c, err);

	if (rc == MD_OK)
		rc = purge_discarded_count(c, k->now_ms - 30 * DAY, &k->ret->discarded, err);
	return rc == MD_OK ? upload_expired(c, k->now_ms - DAY, &k->ret->uploads, err) : rc;
}

int housekeeping_run(struct db *db, const struct config *config, int64_t now_ms, bool dry_run,
		     struct housekeeping *ret, struct md_err *err)
{
	struct keeping k = { db, now_ms, config->http.events_kept_ms, dry_run, ret };
	const struct leaving deleted = { .before = now_ms - 30 * DAY, .drop = ticket_purge };
	int rc;

	ret->more = false;
	rc = tickets(&k, deleted, &ret->deleted, err);
	if (rc == MD_OK)
		rc = retain(&k, &config->retention, err);
	if (rc != MD_OK)
		return rc;
	return dry_run ? count_small_things(&k, err) : db_txn(db, small_things, &k, err);
}

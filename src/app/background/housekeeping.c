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

typedef int (*find_fn)(struct db_conn *c, int64_t before, size_t limit, struct arena *a,
		       int64_t **ret, size_t *ret_n, struct md_err *err);
typedef int (*drop_fn)(struct db_conn *c, int64_t ticket, int64_t now_ms, struct md_err *err);

struct dropping {
	drop_fn drop;
	int64_t ticket, now_ms;
};

static int drop_one(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct dropping *d = ctx;

	return d->drop(c, d->ticket, d->now_ms, err);
}

static int tickets(struct keeping *k, find_fn find, drop_fn drop, int64_t before, int64_t *ret,
		   struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(256 << 20);
	size_t limit = k->dry_run ? COUNT_MAX : HOUSEKEEPING_BATCH, n = 0;
	struct db_conn *c = NULL;
	int64_t *ids;
	int rc = db_read(k->db, &c, err);

	if (rc == MD_OK) {
		rc = find(c, before, limit, &a, &ids, &n, err);
		db_read_done(c);
	}
	for (size_t i = 0; rc == MD_OK && !k->dry_run && i < n; i++) {
		struct dropping d = { drop, ids[i], k->now_ms };

		rc = db_txn(k->db, drop_one, &d, err);
	}
	*ret = (int64_t)n;
	k->ret->more = k->ret->more || n == limit;
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
	const struct conf_retention *r = &config->retention;
	struct keeping k = { db, now_ms, config->http.events_kept_ms, dry_run, ret };
	int rc;

	*ret = (struct housekeeping){ 0 };
	rc = tickets(&k, purge_deleted_tickets, ticket_purge, now_ms - 30 * DAY, &ret->deleted,
		     err);
	if (rc == MD_OK && r->closed_ms)
		rc = tickets(&k, purge_closed_tickets,
			     strcmp(r->action, "delete") == 0 ? ticket_purge : ticket_anonymise,
			     now_ms - r->closed_ms, &ret->retained, err);
	if (rc != MD_OK)
		return rc;
	return dry_run ? count_small_things(&k, err) : db_txn(db, small_things, &k, err);
}

/* db.c - everything about the database that does not depend on the engine.
 *
 * Statements are constants of one linker section, so the distance from its start is the number
 * under which a connection keeps the prepared form. There is one writing connection behind a first
 * come, first served gate, and a pool of reading ones: who reads takes one, and gives it back. A
 * read is a transaction too, so a page is made of one state of the desk.
 *
 * Busy is handled in one place, db_txn(): the whole transaction runs again, with growing, jittered
 * pauses, until the limit that also covers the wait at the gate. After an engine has rolled back by
 * itself (disk full, no memory) a connection is doomed until the transaction ends: else the rest of
 * the caller's statements would commit one by one. */
#include <maildesk/store/db.h>

#include "db_conn.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/random.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BUSY_MS_DEFAULT = 5000,
	PAUSE_FIRST_MS = 2,
	PAUSE_MAX_MS = 100,
};

static const struct db_driver *const drivers[] = { &db_sqlite, &db_postgres };

/* ---- connections ---- */

static void conn_free(struct db_conn *c)
{
	if (!c)
		return;
	db_forget_statements(c);
	db_gather_done(c);
	if (c->link)
		c->db->driver->disconnect(c->link);
	free(c);
}
MD_DEFINE_AUTO(struct db_conn *, conn_free)

static int conn_new(struct db *db, enum db_use use, struct db_conn **ret, struct md_err *err)
{
	md_auto(conn_free_p) struct db_conn *c = md_calloc(1, sizeof *c);
	int64_t wait_ms = use == DB_USE_WRITE ? db->driver->write_wait_ms : db->busy_ms;
	int rc;

	if (!c)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	c->db = db;
	c->use = use;
	c->cache = md_calloc((size_t)(__stop_db_sql - __start_db_sql), sizeof(struct db_stmt *));
	c->rows_cache =
		md_calloc((size_t)(__stop_db_sql - __start_db_sql), sizeof(struct db_stmt *));
	if (!c->cache || !c->rows_cache)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	rc = db->driver->connect(db->address, use, wait_ms, &c->link, err);
	if (rc == MD_OK && use == DB_USE_WRITE && db->lazy)
		rc = db->driver->script(c->link, db->driver->lazy_sql, err);
	if (rc == MD_OK)
		*ret = md_take(c);
	return rc;
}

static struct db_conn *pool_take(struct db *db, enum db_use use)
{
	struct db_conn *c;

	pthread_mutex_lock(&db->pool_lock);
	c = db->pools[use];
	if (c)
		db->pools[use] = c->next;
	pthread_mutex_unlock(&db->pool_lock);
	return c;
}

static void drop_pool(struct db *db, enum db_use use)
{
	struct db_conn *c;

	while ((c = pool_take(db, use)))
		conn_free(c);
}

/* Nobody needs it now. Where one was lost the others are likely to be, and each would have to be
 * waited for. */
static void give_back(struct db_conn *c)
{
	struct db *db = c->db;

	if (db->driver->is_lost(c->link)) {
		conn_free(c);
		drop_pool(db, DB_USE_READ);
		drop_pool(db, DB_USE_WRITE);
		return;
	}
	pthread_mutex_lock(&db->pool_lock);
	c->next = db->pools[c->use];
	db->pools[c->use] = c;
	pthread_mutex_unlock(&db->pool_lock);
}
MD_DEFINE_AUTO(struct db_conn *, give_back)

/* Who wants a connection meanwhile waits for it rather than opening another. It is not for long:
 * all there is to free are the pages that each has cached, 4 MB of the writer's at most and 8 MB of
 * a reader's, of a desk that has nothing to do. */
void db_slim(struct db *db)
{
	pthread_mutex_lock(&db->pool_lock);
	for (size_t use = 0; db->driver->slim && use < MD_COUNT(db->pools); use++)
		for (struct db_conn *c = db->pools[use]; c; c = c->next)
			db->driver->slim(c->link);
	pthread_mutex_unlock(&db->pool_lock);
}

static const struct db_driver *driver_of(const char *where, const char **ret_address)
{
	for (size_t i = 0; i < MD_COUNT(drivers); i++) {
		size_t n = strlen(drivers[i]->scheme);

		if (strncmp(where, drivers[i]->scheme, n) == 0 && where[n] == ':') {
			*ret_address = where + n + 1;
			return drivers[i];
		}
	}
	return NULL;
}

static int unknown_engine(const char *where, struct md_err *err)
{
	md_auto(buf_done) struct buf forms = BUF_INIT(256);

	for (size_t i = 0; i < MD_COUNT(drivers); i++)
		buf_addf(&forms, "%s%s", i ? " or " : "", drivers[i]->form);
	return md_fail(err, MD_INPUT, 0, "database \"%.*s\": expected %s", (int)strcspn(where, ":"),
		       where, buf_str(&forms));
}

const char *db_file(const char *where)
{
	static const char scheme[] = "sqlite:";
	size_t n = strlen(scheme);

	return strncmp(where, scheme, n) == 0 ? where + n : NULL;
}

int db_open(const char *where, struct db **ret, struct md_err *err)
{
	md_auto(db_close_p) struct db *db = NULL;
	const char *address;
	const struct db_driver *driver = driver_of(where, &address);
	struct db_conn *c;
	int rc;

	if (!driver)
		return unknown_engine(where, err);
	db = md_calloc(1, sizeof *db);
	if (!db)
		return md_fail(err, MD_NOMEM, 0, "database: out of memory");
	db_gate_init(&db->gates[DB_USE_READ], driver->readers);
	db_gate_init(&db->gates[DB_USE_WRITE], driver->writers);
	pthread_mutex_init(&db->pool_lock, NULL);
	db->busy_ms = BUSY_MS_DEFAULT;
	db->driver = driver;
	db->address = md_strdup(address);
	if (!db->address)
		return md_fail(err, MD_NOMEM, 0, "database: out of memory");
	rc = conn_new(db, DB_USE_WRITE, &c, err);
	if (rc != MD_OK)
		return rc;
	give_back(c);
	*ret = md_take(db);
	return MD_OK;
}

bool db_has_password(const char *where)
{
	const char *address;
	const struct db_driver *driver = driver_of(where, &address);

	return driver && driver->has_password && driver->has_password(address);
}

void db_set_busy_ms(struct db *db, int64_t busy_ms)
{
	db->busy_ms = busy_ms;
}

void db_set_lazy(struct db *db, bool lazy)
{
	db->lazy = lazy;
	drop_pool(db, DB_USE_WRITE); /* a connection is one or the other */
}

void db_close(struct db *db)
{
	if (!db)
		return;
	drop_pool(db, DB_USE_READ);
	drop_pool(db, DB_USE_WRITE); /* last: it leaves a file tidy */
	pthread_mutex_destroy(&db->pool_lock);
	db_gate_done(&db->gates[DB_USE_READ]);
	db_gate_done(&db->gates[DB_USE_WRITE]);
	free(db->address);
	free(db);
}

/* A connection with its transaction begun. An unused one may have been lost long ago: then another
 * is taken, as nothing was done on it yet. */
static int begin(struct db *db, enum db_use use, struct db_conn **ret, struct md_err *err)
{
	for (;;) {
		md_auto(give_back_p) struct db_conn *c = pool_take(db, use);
		bool is_new = !c;
		int rc = c ? MD_OK : conn_new(db, use, &c, err);

		if (rc == MD_OK) {
			c->busy = false;
			c->doomed = MD_OK;
			db_gather_begin(c, false);
			rc = db->driver->begin(c->link, use, err);
			if (rc == MD_OK)
				*ret = md_take(c);
		}
		if (rc == MD_OK || is_new || !db->driver->is_lost(c->link))
			return rc;
	}
}

/* ---- reading ---- */

int db_read(struct db *db, struct db_conn **ret, struct md_err *err)
{
	struct db_gate *gate = &db->gates[DB_USE_READ];
	int rc;

	if (!db_gate_enter(gate, 1, clock_mono(&clock_system) + db->busy_ms))
		return md_fail(err, MD_AGAIN, 0, "database busy: no connection free for %lld ms",
			       (long long)db->busy_ms);
	rc = begin(db, DB_USE_READ, ret, err);
	if (rc != MD_OK)
		db_gate_leave(gate, 1);
	return rc;
}

struct db_conn *db_read_share(struct db_conn *c)
{
	c->shared++;
	return c;
}

void db_read_done(struct db_conn *c)
{
	struct db *db;

	if (!c)
		return;
	if (c->shared) {
		c->shared--;
		return;
	}
	db = c->db;
	db->driver->rollback(c->link);
	give_back(c);
	db_gate_leave(&db->gates[DB_USE_READ], 1);
}

/* ---- transactions ---- */

static void pause_before_retry(int attempt)
{
	int64_t ms = PAUSE_MAX_MS;
	struct timespec t;
	uint32_t r;

	if (attempt < 6 && PAUSE_FIRST_MS << attempt < PAUSE_MAX_MS)
		ms = PAUSE_FIRST_MS << attempt;
	random_fill(&random_system, &r, sizeof r);
	t.tv_sec = 0;
	t.tv_nsec = (long)(ms * 500000 + (int64_t)r % (ms * 500000)); /* half of it to all of it */
	nanosleep(&t, NULL);
}

/* The answer to a commit was lost. Others ask the engine until it knows: only if it stays away, or
 * cannot know any more, the caller hears MD_UNKNOWN. */
static int settle(struct db *db, const struct db_conn *lost, struct md_err *err)
{
	int64_t until_ms = clock_mono(&clock_system) + db->busy_ms;
	struct md_err why = { 0 };

	for (int attempt = 0;; attempt++) {
		md_auto(conn_free_p) struct db_conn *c = NULL;
		enum db_fate fate = DB_FATE_OPEN;
		int rc = conn_new(db, DB_USE_WRITE, &c, &why);

		if (rc == MD_OK)
			rc = db->driver->fate(c->link, lost->link, &fate, &why);
		if (rc == MD_OK && fate == DB_FATE_DONE)
			return MD_OK;
		if (rc == MD_OK && fate == DB_FATE_NOT_DONE)
			return md_fail(err, MD_AGAIN, 0, "the connection was lost before commit");
		if ((rc != MD_OK && rc != MD_AGAIN) || clock_mono(&clock_system) >= until_ms)
			return md_fail(err, MD_UNKNOWN, 0,
				       "the connection was lost during commit: %s", why.text);
		pause_before_retry(attempt);
	}
}

/* How to go on after a try that failed. */
struct again {
	bool retry;   /* it was the database that had no time */
	bool at_once; /* a row that was kept back is rejected: write each at once */
};

static int try_once(struct db *db, db_txn_fn fn, void *ctx, struct again *again, struct md_err *err)
{
	md_auto(give_back_p) struct db_conn *c = NULL;
	const struct db_driver *d = db->driver;
	int rc = begin(db, DB_USE_WRITE, &c, err);

	again->retry = rc == MD_AGAIN;
	if (rc != MD_OK)
		return rc;
	db_gather_begin(c, !again->at_once);
	rc = fn(c, ctx, err);
	if (rc == MD_OK && c->doomed == MD_OK)
		rc = db_gather_flush(c, err);
	if (rc == MD_OK && c->doomed != MD_OK)
		rc = md_fail(err, c->doomed, 0, "the database gave the transaction up");
	if (rc != MD_OK) {
		d->rollback(c->link);
		again->retry = c->gather.failed || (rc == MD_AGAIN && c->busy);
		again->at_once |= c->gather.failed;
		return rc;
	}
	rc = d->commit(c->link, err);
	if (rc == MD_UNKNOWN)
		rc = settle(db, c, err);
	again->retry = rc == MD_AGAIN;
	return rc;
}

int db_txn(struct db *db, db_txn_fn fn, void *ctx, struct md_err *err)
{
	static _Thread_local const struct db *writing;
	int64_t until_ms = clock_mono(&clock_system) + db->busy_ms;
	struct db_gate *gate = &db->gates[DB_USE_WRITE];
	struct again again = { 0 };
	int places = 1;
	int rc;

	assert(writing != db); /* it would wait for itself */
	if (!db_gate_enter(gate, places, until_ms))
		return md_fail(err, MD_AGAIN, 0, "database busy: other changes took %lld ms",
			       (long long)db->busy_ms);
	writing = db;
	for (int attempt = 0;; attempt++) {
		bool was_at_once = again.at_once;

		rc = try_once(db, fn, ctx, &again, err);
		if (again.at_once && !was_at_once)
			continue;
		if (!again.retry || clock_mono(&clock_system) >= until_ms)
			break;
		/* From now on alone: a long one must not lose to short ones for ever. */
		if (places != db->driver->writers) {
			db_gate_leave(gate, places);
			places = db->driver->writers;
			if (!db_gate_enter(gate, places, until_ms)) {
				writing = NULL;
				return rc;
			}
		}
		pause_before_retry(attempt);
	}
	writing = NULL;
	db_gate_leave(gate, places);
	return rc;
}

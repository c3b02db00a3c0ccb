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

#include <maildesk/base/clock.h>
#include <maildesk/base/random.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BUSY_MS_DEFAULT = 5000,
	/* The engine's own wait for a lock: short, so that the limit of db_txn() holds. */
	ENGINE_WAIT_MS = 50,
	PAUSE_FIRST_MS = 2,
	PAUSE_MAX_MS = 100,
};

static const struct db_driver *const drivers[] = { &db_sqlite };

/* ---- connections ---- */

static void conn_free(struct db_conn *c)
{
	if (!c)
		return;
	db_forget_statements(c);
	if (c->link)
		c->db->driver->disconnect(c->link);
	free(c);
}
MD_DEFINE_AUTO(struct db_conn *, conn_free)

static int conn_new(struct db *db, enum db_use use, struct db_conn **ret, struct md_err *err)
{
	md_auto(conn_free_p) struct db_conn *c = md_calloc(1, sizeof *c);
	int64_t wait_ms = use == DB_USE_WRITE ? ENGINE_WAIT_MS : db->busy_ms;
	int rc;

	if (!c)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	c->db = db;
	c->use = use;
	c->cache = md_calloc((size_t)(__stop_db_sql - __start_db_sql), sizeof(struct db_stmt *));
	if (!c->cache)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	rc = db->driver->connect(db->address, use, wait_ms, &c->link, err);
	if (rc == MD_OK)
		*ret = md_take(c);
	return rc;
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

int db_open(const char *where, struct db **ret, struct md_err *err)
{
	md_auto(db_close_p) struct db *db = md_calloc(1, sizeof *db);
	const char *address;
	int rc;

	if (!db)
		return md_fail(err, MD_NOMEM, 0, "database: out of memory");
	db_gate_init(&db->gate);
	pthread_mutex_init(&db->pool_lock, NULL);
	db->busy_ms = BUSY_MS_DEFAULT;
	db->driver = driver_of(where, &address);
	if (!db->driver)
		return md_fail(err, MD_INPUT, 0, "database \"%s\": expected sqlite:PATH", where);
	db->address = md_strdup(address);
	if (!db->address)
		return md_fail(err, MD_NOMEM, 0, "database: out of memory");
	rc = conn_new(db, DB_USE_WRITE, &db->writer, err);
	if (rc == MD_OK)
		*ret = md_take(db);
	return rc;
}

void db_set_busy_ms(struct db *db, int64_t busy_ms)
{
	db->busy_ms = busy_ms;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	while (db->pool) {
		struct db_conn *c = db->pool;

		db->pool = c->next;
		conn_free(c);
	}
	conn_free(db->writer); /* last: it leaves the file tidy */
	pthread_mutex_destroy(&db->pool_lock);
	db_gate_done(&db->gate);
	free(db->address);
	free(db);
}

/* ---- reading ---- */

static struct db_conn *pool_take(struct db *db)
{
	struct db_conn *c;

	pthread_mutex_lock(&db->pool_lock);
	c = db->pool;
	if (c)
		db->pool = c->next;
	pthread_mutex_unlock(&db->pool_lock);
	return c;
}

int db_read(struct db *db, struct db_conn **ret, struct md_err *err)
{
	md_auto(conn_free_p) struct db_conn *c = pool_take(db);
	int rc = c ? MD_OK : conn_new(db, DB_USE_READ, &c, err);

	if (rc == MD_OK)
		rc = db->driver->begin(c->link, DB_USE_READ, err);
	if (rc == MD_OK)
		*ret = md_take(c);
	return rc;
}

void db_read_done(struct db_conn *c)
{
	struct db *db;

	if (!c)
		return;
	db = c->db;
	db->driver->rollback(c->link);
	if (db->driver->is_lost(c->link)) {
		conn_free(c);
		return;
	}
	pthread_mutex_lock(&db->pool_lock);
	c->next = db->pool;
	db->pool = c;
	pthread_mutex_unlock(&db->pool_lock);
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

static int reconnect_if_lost(struct db *db, struct md_err *err)
{
	if (db->writer && db->driver->is_lost(db->writer->link)) {
		conn_free(db->writer);
		db->writer = NULL;
	}
	return db->writer ? MD_OK : conn_new(db, DB_USE_WRITE, &db->writer, err);
}

/* *ret_retry: it was the database that had no time. */
static int try_once(struct db *db, db_txn_fn fn, void *ctx, bool *ret_retry, struct md_err *err)
{
	const struct db_driver *d = db->driver;
	struct db_conn *c;
	int rc = reconnect_if_lost(db, err);

	*ret_retry = rc == MD_AGAIN;
	if (rc != MD_OK)
		return rc;
	c = db->writer;
	c->busy = false;
	c->doomed = MD_OK;
	rc = d->begin(c->link, DB_USE_WRITE, err);
	if (rc != MD_OK) {
		*ret_retry = rc == MD_AGAIN;
		return rc;
	}
	rc = fn(c, ctx, err);
	if (rc == MD_OK && c->doomed != MD_OK)
		rc = md_fail(err, c->doomed, 0, "the database gave the transaction up");
	if (rc != MD_OK) {
		d->rollback(c->link);
		*ret_retry = rc == MD_AGAIN && c->busy;
		return rc;
	}
	rc = d->commit(c->link, err);
	*ret_retry = rc == MD_AGAIN;
	return rc;
}

int db_txn(struct db *db, db_txn_fn fn, void *ctx, struct md_err *err)
{
	int64_t until_ms = clock_mono(&clock_system) + db->busy_ms;
	bool retry;
	int rc;

	if (!db_gate_enter(&db->gate, until_ms))
		return md_fail(err, MD_AGAIN, 0, "database busy: other changes took %lld ms",
			       (long long)db->busy_ms);
	for (int attempt = 0;; attempt++) {
		rc = try_once(db, fn, ctx, &retry, err);
		if (!retry || clock_mono(&clock_system) >= until_ms)
			break;
		pause_before_retry(attempt);
	}
	db_gate_leave(&db->gate);
	return rc;
}

DB_SQL(sql_part_begin, "SAVEPOINT part");
DB_SQL(sql_part_undo, "ROLLBACK TO SAVEPOINT part");
DB_SQL(sql_part_end, "RELEASE SAVEPOINT part");

int db_savepoint(struct db_conn *c, db_txn_fn fn, void *ctx, struct md_err *err)
{
	int rc = db_exec(c, &sql_part_begin, DB_NONE, NULL, err);
	int undone;

	if (rc != MD_OK)
		return rc;
	rc = fn(c, ctx, err);
	if (rc == MD_OK)
		return db_exec(c, &sql_part_end, DB_NONE, NULL, err);
	if (c->doomed != MD_OK)
		return rc;
	undone = db_exec(c, &sql_part_undo, DB_NONE, NULL, NULL);
	if (undone == MD_OK)
		undone = db_exec(c, &sql_part_end, DB_NONE, NULL, NULL);
	/* What could not be undone must not be committed. */
	if (undone != MD_OK)
		c->doomed = undone;
	return rc;
}

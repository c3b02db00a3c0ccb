#include <maildesk/store/clocks.h>

#include "query.h"

#include <string.h>

enum { CLOCKS_MAX = 4 * QUERY_LIST_MAX }; /* four metrics */

#define CLOCK_COLUMNS                                                                       \
	"SELECT k.id, k.ticket_id, k.metric, k.policy, k.state, k.cycle, k.started_at,"     \
	" k.target_ms, k.since_at, k.used_ms, k.due_at, k.breached_at, k.told, k.limit_ms," \
	" k.escalated, k.sla_version FROM clocks k"
#define IS_NEWEST_CYCLE                                                                   \
	" AND NOT EXISTS (SELECT 1 FROM clocks newer WHERE newer.ticket_id = k.ticket_id" \
	" AND newer.metric = k.metric AND newer.cycle > k.cycle) ORDER BY k.ticket_id, k.id"

static const struct db_col clock_cols[] = {
	{ DB_COL_INT, offsetof(struct clock_row, id) },
	{ DB_COL_INT, offsetof(struct clock_row, ticket_id) },
	{ DB_COL_TEXT, offsetof(struct clock_row, metric) },
	{ DB_COL_TEXT, offsetof(struct clock_row, policy) },
	{ DB_COL_TEXT, offsetof(struct clock_row, state) },
	{ DB_COL_INT, offsetof(struct clock_row, cycle) },
	{ DB_COL_INT, offsetof(struct clock_row, started_at) },
	{ DB_COL_INT, offsetof(struct clock_row, target_ms) },
	{ DB_COL_INT, offsetof(struct clock_row, since_at) },
	{ DB_COL_INT, offsetof(struct clock_row, used_ms) },
	{ DB_COL_INT, offsetof(struct clock_row, due_at) },
	{ DB_COL_INT, offsetof(struct clock_row, breached_at) },
	{ DB_COL_INT, offsetof(struct clock_row, told) },
	{ DB_COL_INT, offsetof(struct clock_row, limit_ms) },
	{ DB_COL_INT, offsetof(struct clock_row, escalated) },
	{ DB_COL_INT, offsetof(struct clock_row, sla_version) },
};
static const struct db_map clock_map = DB_MAP(clock_row, clock_cols);

DB_SQL(sql_insert, "INSERT INTO clocks (id, ticket_id, metric, policy, state, cycle, started_at,"
		   " target_ms, since_at, used_ms, due_at, breached_at, told, limit_ms, escalated,"
		   " sla_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
		   " $14, $15, $16)");
DB_SQL(sql_save, "UPDATE clocks SET policy = $1, state = $2, target_ms = $3, since_at = $4,"
		 " used_ms = $5, due_at = $6, breached_at = $7, told = $8, limit_ms = $9,"
		 " escalated = $10, sla_version = $11 WHERE id = $12");
DB_SQL(sql_get, CLOCK_COLUMNS " WHERE k.id = $1");
DB_SQL(sql_list, CLOCK_COLUMNS " WHERE k.ticket_id = $1" IS_NEWEST_CYCLE);
DB_SQL(sql_ledger, CLOCK_COLUMNS " WHERE k.ticket_id = $1 ORDER BY k.id LIMIT $2");
DB_SQL(sql_stretch_add, "INSERT INTO clock_stretches (clock_id, to_at, used_ms, state, why,"
			" calendar, target_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)");
DB_SQL(sql_stretches, "SELECT s.clock_id, s.to_at, s.used_ms, s.state, s.why, s.calendar,"
		      " s.target_ms FROM clock_stretches s WHERE s.clock_id = $1 ORDER BY s.id"
		      " LIMIT $2");

#define DEADLINE                                           \
	"CASE WHEN due_at < CAST($1 AS {INT}) THEN due_at" \
	" ELSE COALESCE(CAST($1 AS {INT}), due_at) END"
DB_SQL(sql_deadline, "UPDATE tickets SET deadline_at = " DEADLINE
		     " WHERE id = $2 AND deadline_at IS DISTINCT FROM " DEADLINE);

/* Lists are sorted by it: that takes a column of the ticket. */
static int set_deadline(struct db_conn *c, const struct clock_row *k, struct md_err *err)
{
	if (strcmp(k->metric, "resolution") != 0)
		return MD_OK;
	return db_exec(c, &sql_deadline, DB_ARGS(DB_ID(k->due_at), DB_INT(k->ticket_id)), NULL,
		       err);
}

int clock_insert(struct db_conn *c, const struct clock_row *k, int64_t *ret_id, struct md_err *err)
{
	int64_t id;
	int rc = db_new_id(c, "clocks", &id, err);

	if (rc == MD_OK)
		rc = db_insert(c, &sql_insert,
			       DB_ARGS(DB_INT(id), DB_INT(k->ticket_id), DB_TEXT(k->metric),
				       DB_TEXT(k->policy), DB_TEXT(k->state), DB_INT(k->cycle),
				       DB_INT(k->started_at), DB_INT(k->target_ms),
				       DB_INT(k->since_at), DB_INT(k->used_ms), DB_ID(k->due_at),
				       DB_ID(k->breached_at), DB_INT(k->told), DB_INT(k->limit_ms),
				       DB_INT(k->escalated), DB_INT(k->sla_version)),
			       err);
	if (rc == MD_OK)
		rc = set_deadline(c, k, err);
	if (rc == MD_OK)
		*ret_id = id;
	return rc;
}

int clock_save(struct db_conn *c, const struct clock_row *k, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_save,
			 DB_ARGS(DB_TEXT(k->policy), DB_TEXT(k->state), DB_INT(k->target_ms),
				 DB_INT(k->since_at), DB_INT(k->used_ms), DB_ID(k->due_at),
				 DB_ID(k->breached_at), DB_INT(k->told), DB_INT(k->limit_ms),
				 DB_INT(k->escalated), DB_INT(k->sla_version), DB_INT(k->id)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "no clock %lld", (long long)k->id);
	return rc == MD_OK ? set_deadline(c, k, err) : rc;
}

int clock_list(struct db_conn *c, int64_t ticket, struct arena *a, struct clock_row **ret,
	       size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(ticket)), &clock_map, CLOCKS_MAX, a, ret, ret_n,
		      err);
}

int clock_list_of(struct db_conn *c, const int64_t *tickets, size_t n, struct arena *a,
		  struct clock_row **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(n, err);

	if (rc != MD_OK)
		return rc;
	if (n == 0) {
		*ret_n = 0;
		return MD_OK;
	}
	if (n == 1)
		return clock_list(c, tickets[0], a, ret, ret_n, err);
	query_add_ints(&q, CLOCK_COLUMNS " WHERE k.ticket_id IN ", tickets, n);
	query_add(&q, IS_NEWEST_CYCLE);
	return query_all(&q, c, &clock_map, CLOCKS_MAX, a, ret, ret_n, err);
}

int clock_get(struct db_conn *c, int64_t id, struct arena *a, struct clock_row *ret,
	      struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &clock_map, a, ret, err);
}

int clock_ledger(struct db_conn *c, int64_t ticket, struct arena *a, struct clock_row **ret,
		 size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_ledger, DB_ARGS(DB_INT(ticket), DB_INT(CLOCK_LEDGER_MAX)), &clock_map,
		      CLOCK_LEDGER_MAX, a, ret, ret_n, err);
}

/* ---- stretches ---- */

static const struct db_col stretch_cols[] = {
	{ DB_COL_INT, offsetof(struct clock_stretch, clock_id) },
	{ DB_COL_INT, offsetof(struct clock_stretch, to_at) },
	{ DB_COL_INT, offsetof(struct clock_stretch, used_ms) },
	{ DB_COL_TEXT, offsetof(struct clock_stretch, state) },
	{ DB_COL_TEXT, offsetof(struct clock_stretch, why) },
	{ DB_COL_TEXT, offsetof(struct clock_stretch, calendar) },
	{ DB_COL_INT, offsetof(struct clock_stretch, target_ms) },
};
static const struct db_map stretch_map = DB_MAP(clock_stretch, stretch_cols);

int clock_stretch_add(struct db_conn *c, const struct clock_stretch *s, struct md_err *err)
{
	return db_insert(c, &sql_stretch_add,
			 DB_ARGS(DB_INT(s->clock_id), DB_INT(s->to_at), DB_INT(s->used_ms),
				 DB_TEXT(s->state), DB_TEXT(s->why), DB_TEXT(s->calendar),
				 DB_INT(s->target_ms)),
			 err);
}

int clock_stretches(struct db_conn *c, int64_t clock, struct arena *a, struct clock_stretch **ret,
		    size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_stretches, DB_ARGS(DB_INT(clock), DB_INT(CLOCK_LEDGER_MAX)),
		      &stretch_map, CLOCK_LEDGER_MAX, a, ret, ret_n, err);
}

/* ---- timers ---- */

static const struct db_col timer_cols[] = {
	{ DB_COL_INT, offsetof(struct timer_row, id) },
	{ DB_COL_INT, offsetof(struct timer_row, due_at) },
	{ DB_COL_TEXT, offsetof(struct timer_row, kind) },
	{ DB_COL_INT, offsetof(struct timer_row, ticket_id) },
	{ DB_COL_INT, offsetof(struct timer_row, clock_id) },
	{ DB_COL_INT, offsetof(struct timer_row, argument) },
};
static const struct db_map timer_map = DB_MAP(timer_row, timer_cols);

DB_SQL(sql_timer_add, "INSERT INTO timers (due_at, kind, ticket_id, clock_id, argument)"
		      " VALUES ($1, $2, $3, $4, $5)");
/* One that another transaction is taking is not waited for. */
DB_SQL(sql_timer_take,
       "DELETE FROM timers WHERE id IN (SELECT t.id FROM timers t WHERE t.id = $1 {SKIP})");
/* By way of the ticket, which has an index; a ticket has few timers. */
DB_SQL(sql_timer_drop_clock,
       "DELETE FROM timers WHERE ticket_id = (SELECT k.ticket_id FROM clocks k WHERE k.id = $1)"
       " AND clock_id = $1");
DB_SQL(sql_timer_drop_kind, "DELETE FROM timers WHERE ticket_id = $1 AND kind = $2");
DB_SQL(sql_timer_next, "SELECT t.due_at FROM timers t ORDER BY t.due_at, t.id LIMIT 1");
DB_SQL(sql_timer_due, "SELECT t.id, t.due_at, t.kind, t.ticket_id, t.clock_id, t.argument"
		      " FROM timers t WHERE t.due_at <= $1 ORDER BY t.due_at, t.id LIMIT $2");

int timer_add(struct db_conn *c, const struct timer_row *t, struct md_err *err)
{
	db_notify(c, DB_TOPIC_TIMERS);
	return db_insert(c, &sql_timer_add,
			 DB_ARGS(DB_INT(t->due_at), DB_TEXT(t->kind), DB_INT(t->ticket_id),
				 DB_ID(t->clock_id), DB_INT(t->argument)),
			 err);
}

int timer_take(struct db_conn *c, int64_t id, struct md_err *err)
{
	int64_t taken;
	int rc = db_exec(c, &sql_timer_take, DB_ARGS(DB_INT(id)), &taken, err);

	if (rc == MD_OK && taken == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "timer %lld: dropped, or another's",
			     (long long)id);
	return rc;
}

int timer_drop_clock(struct db_conn *c, int64_t clock, struct md_err *err)
{
	return db_exec(c, &sql_timer_drop_clock, DB_ARGS(DB_INT(clock)), NULL, err);
}

int timer_drop_kind(struct db_conn *c, int64_t ticket, const char *kind, struct md_err *err)
{
	return db_exec(c, &sql_timer_drop_kind, DB_ARGS(DB_INT(ticket), DB_TEXT(kind)), NULL, err);
}

int timer_next_due(struct db_conn *c, int64_t *ret_ms, struct md_err *err)
{
	return db_int(c, &sql_timer_next, DB_NONE, ret_ms, err);
}

int timer_due(struct db_conn *c, int64_t now_ms, size_t limit, struct arena *a,
	      struct timer_row **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_timer_due, DB_ARGS(DB_INT(now_ms), DB_INT((int64_t)limit)),
		      &timer_map, limit, a, ret, ret_n, err);
}

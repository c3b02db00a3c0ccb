#include <maildesk/store/reports.h>

#include "query.h"

#include <stdlib.h>

enum { ROWS_MAX = 400000, AGENTS_MAX = 10000, PERIODS_AT_ONCE = 200, SAMPLES_MAX = 1000000 };

#define ALIVE "t.deleted_at IS NULL AND t.merged_into IS NULL"
/* The clock of a resolved ticket only pauses until it is closed. */
#define IS_MET "(k.state = 'met' OR (k.metric = 'resolution' AND t.resolved_at IS NOT NULL))"
#define SUM_OF(column) "CAST(SUM(" column ") AS BIGINT)"

/* What a group is made of, and what it is called. */
static const struct {
	const char *number, *text; /* of a ticket; one of them, the other is constant */
	const char *name;          /* of a row g of the groups */
} groups[] = {
	[REPORT_TIME] = { NULL, "''", "NULL" },
	[REPORT_ALL] = { "0", "''", "NULL" },
	[REPORT_AGENT] = { "t.assignee_id", "''", "(SELECT u.name FROM users u WHERE u.id = g.k)" },
	[REPORT_TEAM] = { "t.team_id", "''", "(SELECT x.name FROM teams x WHERE x.id = g.k)" },
	[REPORT_MAILBOX] = { "t.mailbox_id", "''",
			     "(SELECT b.name FROM mailboxes b WHERE b.id = g.k)" },
	[REPORT_PRIORITY] = { "t.priority", "''", "NULL" },
	[REPORT_STATUS] = { "0", "t.status", "g.w" },
	[REPORT_CHANNEL] = { "0", "t.channel", "g.w" },
	[REPORT_CATEGORY] = { "0", "t.category", "g.w" },
	[REPORT_ORGANISATION] = { "t.organisation_id", "''",
				  "(SELECT o.name FROM organisations o WHERE o.id = g.k)" },
	[REPORT_POLICY] = { "0", "k.policy", "g.w" },
};

static const struct db_col row_cols[] = {
	{ DB_COL_INT, offsetof(struct report_row, key) },
	{ DB_COL_TEXT, offsetof(struct report_row, name) },
	{ DB_COL_TEXT, offsetof(struct report_row, metric) },
	{ DB_COL_INT, offsetof(struct report_row, values[0]) },
	{ DB_COL_INT, offsetof(struct report_row, values[1]) },
	{ DB_COL_INT, offsetof(struct report_row, values[2]) },
};
static const struct db_map row_map = DB_MAP(report_row, row_cols);
/* The newest are enough. */
#define TIMES(value, column)                                                                \
	"SELECT t.assignee_id, " value " FROM tickets t WHERE " column " >= $1 AND " column \
	" < $2 AND t.assignee_id IS NOT NULL AND " value " IS NOT NULL AND " ALIVE          \
	" ORDER BY " column " DESC LIMIT $3"
DB_SQL(sql_first_responses, TIMES("t.first_response_at - t.created_at", "t.created_at"));
DB_SQL(sql_resolutions, TIMES("t.resolved_at - t.created_at", "t.resolved_at"));

/* Who was given what was made then; who has what was resolved then; who said what then, on what was
 * changed since. */
#define THEN(column) column " >= $1 AND " column " < $2"
#define ASSIGNED                                                     \
	"SELECT t.assignee_id AS k, COUNT(*) AS a, 0 AS r, 0 AS p"   \
	" FROM tickets t WHERE t.assignee_id IS NOT NULL AND " ALIVE \
	" AND " THEN("t.created_at") " GROUP BY t.assignee_id"
#define RESOLVED                                                     \
	"SELECT t.assignee_id, 0, COUNT(*), 0"                       \
	" FROM tickets t WHERE t.assignee_id IS NOT NULL AND " ALIVE \
	" AND " THEN("t.resolved_at") " GROUP BY t.assignee_id"
/* Of a short time from the tickets to their comments, of a long one from the agents to theirs: the
 * order is given, as SQLite would read all comments of everybody. */
#define SAID(from)                                                               \
	"SELECT m.author_id, 0, 0, COUNT(*) FROM " from                          \
	" WHERE m.ticket_id = t.id AND t.updated_at >= $1 AND " ALIVE            \
	" AND " THEN("m.created_at") " AND m.is_internal = 0 AND m.held IS NULL" \
				     " AND m.deleted_at IS NULL AND m.author_id IS NOT NULL"
#define AGENTS(said)                                                                             \
	"SELECT counted.k, u.name, NULL, " SUM_OF("counted.a") ", " SUM_OF(                      \
		"counted.r") ", " SUM_OF("counted.p") " FROM (" ASSIGNED " UNION ALL " RESOLVED  \
						      " UNION ALL " said                         \
						      " GROUP BY m.author_id) counted"           \
						      " JOIN users u ON u.id = counted.k WHERE " \
						      "u.role IN ('agent', 'admin')"             \
						      " GROUP BY counted.k, u.name ORDER BY "    \
						      "u.name, counted.k"
DB_SQL(sql_agents, AGENTS(SAID("tickets t CROSS JOIN comments m")));
DB_SQL(sql_agents_long,
       AGENTS(SAID("users x CROSS JOIN comments m CROSS JOIN tickets t") " AND m.author_id = x.id "
									 "AND x.role IN ('agent', "
									 "'admin')"));
enum { LONG_DAYS = 100 };

static void add_columns(struct query *q, enum report_group group, const char *time)
{
	query_add(q, "SELECT ");
	query_add(q, groups[group].number ? groups[group].number : time);
	query_add(q, " AS k, ");
	query_add(q, groups[group].text);
	query_add(q, " AS w");
}

static void add_range(struct query *q, const char *from, const char *to,
		      const struct report_range *r)
{
	query_add_arg(q, from, DB_INT(r->from_ms));
	query_add_arg(q, to, DB_INT(r->to_ms));
	query_add(q, " AND " ALIVE " GROUP BY 1, 2");
}

int report_volume(struct db_conn *c, const struct report_range *r, enum report_group group,
		  struct arena *a, struct report_row **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;

	query_add(&q, "SELECT g.k, ");
	query_add(&q, groups[group].name);
	query_add(&q, ", NULL, " SUM_OF("g.c") ", " SUM_OF("g.r") ", 0 FROM (");
	add_columns(&q, group, "t.created_at / 900000");
	query_add(&q, ", COUNT(*) AS c, 0 AS r FROM tickets t");
	add_range(&q, " WHERE t.created_at >= ?", " AND t.created_at < ?", r);
	query_add(&q, " UNION ALL ");
	add_columns(&q, group, "t.resolved_at / 900000");
	query_add(&q, ", 0, COUNT(*) FROM tickets t");
	add_range(&q, " WHERE t.resolved_at >= ?", " AND t.resolved_at < ?", r);
	query_add(&q, ") g GROUP BY g.k, g.w ORDER BY g.k, g.w");
	return query_all(&q, c, &row_map, ROWS_MAX, a, ret, ret_n, err);
}

int report_sla(struct db_conn *c, const struct report_range *r, enum report_group group,
	       struct arena *a, struct report_row **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;

	query_add(&q, "SELECT g.k, ");
	query_add(&q, groups[group].name);
	query_add(&q, ", g.metric, " SUM_OF("g.met") ", " SUM_OF("g.late") ", " SUM_OF(
			      "g.open") " FROM (");
	add_columns(&q, group, "t.created_at / 900000");
	query_add(&q, ", k.metric, CASE WHEN k.breached_at IS NULL AND " IS_MET " THEN 1 ELSE 0"
		      " END AS met, CASE WHEN k.breached_at IS NULL THEN 0 ELSE 1 END AS late,"
		      " CASE WHEN k.breached_at IS NULL AND NOT " IS_MET " THEN 1 ELSE 0 END AS"
		      " open FROM tickets t JOIN clocks k ON k.ticket_id = t.id");
	query_add_arg(&q, " WHERE t.created_at >= ?", DB_INT(r->from_ms));
	query_add_arg(&q, " AND t.created_at < ?", DB_INT(r->to_ms));
	query_add(&q, " AND " ALIVE ") g GROUP BY g.k, g.w, g.metric ORDER BY g.k, g.w, g.metric");
	return query_all(&q, c, &row_map, ROWS_MAX, a, ret, ret_n, err);
}

int report_agents(struct db_conn *c, const struct report_range *r, struct arena *a,
		  struct report_row **ret, size_t *ret_n, struct md_err *err)
{
	bool is_long = r->to_ms - r->from_ms > LONG_DAYS * INT64_C(86400000);

	return db_all(c, is_long ? &sql_agents_long : &sql_agents,
		      DB_ARGS(DB_INT(r->from_ms), DB_INT(r->to_ms)), &row_map, AGENTS_MAX, a, ret,
		      ret_n, err);
}

/* ---- how long it took: sorted here, which costs a tenth of what it costs the engines ---- */

struct sample {
	int64_t agent, ms;
};
static const struct db_col sample_cols[] = {
	{ DB_COL_INT, offsetof(struct sample, agent) },
	{ DB_COL_INT, offsetof(struct sample, ms) },
};
static const struct db_map sample_map = DB_MAP(sample, sample_cols);

struct samples {
	struct sample *v;
	size_t n, room;
};

static int take_sample(void *row, void *ctx, struct md_err *err)
{
	struct samples *s = ctx;

	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		struct sample *v = md_realloc(s->v, room * sizeof *v);

		if (!v)
			return md_fail(err, MD_NOMEM, 0, "report: out of memory");
		s->v = v;
		s->room = room;
	}
	s->v[s->n++] = *(const struct sample *)row;
	return MD_OK;
}

static int by_agent_and_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->agent != y->agent)
		return x->agent < y->agent ? -1 : 1;
	return x->ms < y->ms ? -1 : x->ms > y->ms;
}

static size_t rank(const struct samples *s, struct report_times *ret)
{
	size_t n = 0;

	for (size_t at = 0, end; at < s->n && n < AGENTS_MAX; at = end) {
		const struct sample *first = &s->v[at];
		size_t many;

		for (end = at; end < s->n && s->v[end].agent == first->agent;)
			end++;
		many = end - at;
		ret[n] = (struct report_times){
			.agent = first->agent,
			.n = (int64_t)many,
			.p50 = first[(many * 50 + 99) / 100 - 1].ms,
			.p90 = first[(many * 90 + 99) / 100 - 1].ms,
		};
		n++;
	}
	return n;
}

int report_times(struct db_conn *c, const struct report_range *r, bool resolution, struct arena *a,
		 struct report_times **ret, size_t *ret_n, struct md_err *err)
{
	struct report_times *all = arena_array(a, AGENTS_MAX, sizeof *all);
	struct samples s = { 0 };
	int rc = all ? db_each(c, resolution ? &sql_resolutions : &sql_first_responses,
			       DB_ARGS(DB_INT(r->from_ms), DB_INT(r->to_ms), DB_INT(SAMPLES_MAX)),
			       &sample_map, take_sample, &s, err)
		     : md_fail(err, MD_NOMEM, 0, "report: out of memory");

	if (rc == MD_OK) {
		if (s.n)
			qsort(s.v, s.n, sizeof *s.v, by_agent_and_time);
		*ret_n = rank(&s, all);
		*ret = all;
	}
	free(s.v);
	return rc;
}

int report_periods(struct db_conn *c, const int64_t *bounds, size_t n, struct arena *a,
		   struct report_row **ret, struct md_err *err)
{
	struct report_row *all = arena_array(a, n + 1, sizeof *all);
	int rc = MD_OK;

	if (!all)
		return md_fail(err, MD_NOMEM, 0, "report: out of memory");
	for (size_t at = 0; at < n && rc == MD_OK; at += PERIODS_AT_ONCE) {
		md_auto(query_done) struct query q = QUERY_INIT;
		size_t many = n - at < PERIODS_AT_ONCE ? n - at : PERIODS_AT_ONCE, got = 0;
		struct report_row *rows;

		query_add(&q, "SELECT p.a, NULL, NULL,"
			      " (SELECT COUNT(*) FROM tickets t WHERE t.created_at >= p.a"
			      " AND t.created_at < p.b AND " ALIVE "),"
			      " (SELECT COUNT(*) FROM tickets t WHERE t.resolved_at >= p.a"
			      " AND t.resolved_at < p.b AND " ALIVE "), 0 FROM (");
		for (size_t i = 0; i < many; i++) {
			query_add_arg(&q,
				      i ? " UNION ALL SELECT ?" : "SELECT CAST(? AS BIGINT) AS a",
				      DB_INT(bounds[at + i]));
			query_add_arg(&q, i ? ", ?" : ", CAST(? AS BIGINT) AS b",
				      DB_INT(bounds[at + i + 1]));
		}
		query_add(&q, ") p ORDER BY p.a");
		rc = query_all(&q, c, &row_map, many, a, &rows, &got, err);
		for (size_t i = 0; rc == MD_OK && i < got; i++)
			all[at + i] = rows[i];
	}
	*ret = all;
	return rc;
}

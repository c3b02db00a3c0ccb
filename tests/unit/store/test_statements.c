/* Every statement of the store, constant or put together, is portable in its parameters and finds
 * its rows by an index. */
#include "store_test.h"

#include "../../../src/store/db_driver.h"

#include <maildesk/store/account_links.h>
#include <maildesk/store/api_keys.h>
#include <maildesk/store/audit.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/clocks.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/dashboard.h>
#include <maildesk/store/events.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/desk_keys.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>
#include <maildesk/store/oauth.h>
#include <maildesk/store/otp.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/proofs.h>
#include <maildesk/store/reports.h>
#include <maildesk/store/search.h>
#include <maildesk/store/sessions.h>
#include <maildesk/store/settings.h>
#include <maildesk/store/tags.h>
#include <maildesk/store/teams.h>
#include <maildesk/store/views.h>
#include <maildesk/store/webhooks.h>

#include <jansson.h>
#include <sqlite3.h>

/* One name of each file, so that the linker takes them all from the library. */
static void (*const whole_store[])(void) __attribute__((used)) = {
	(void (*)(void))account_link_add,
	(void (*)(void))otp_get,
	(void (*)(void))api_key_add,
	(void (*)(void))blob_put,
	(void (*)(void))clock_get,
	(void (*)(void))comment_get,
	(void (*)(void))history_add,
	(void (*)(void))mailbox_get,
	(void (*)(void))message_get,
	(void (*)(void))thread_add,
	(void (*)(void))outbox_get,
	(void (*)(void))session_add,
	(void (*)(void))setting_get,
	(void (*)(void))tag_save,
	(void (*)(void))ticket_get,
	(void (*)(void))ticket_list,
	(void (*)(void))user_get,
	(void (*)(void))lease_take,
	(void (*)(void))silence_put,
	(void (*)(void))team_get,
	(void (*)(void))ticket_contents_merge,
	(void (*)(void))quarantine_get,
	(void (*)(void))search_work,
	(void (*)(void))search_find,
	(void (*)(void))dashboard_get,
	(void (*)(void))desk_keys_all,
	(void (*)(void))event_add,
	(void (*)(void))report_volume,
	(void (*)(void))audit_add,
	(void (*)(void))webhook_save,
	(void (*)(void))saved_view_save,
	(void (*)(void))oauth_grant_get,
};

/* Statements that may walk a table or an index of it from one end, and why that is little. */
static const struct allowed {
	const char *part, *why;
} allowed[] = {
	{ "sqlite_schema", "the list of tables, at start" },
	{ "FROM schema_version", "one row" },
	{ "UPDATE schema_version", "one row" },
	{ "FROM quarantine q JOIN messages m", "a page in key order" },
	{ "FROM (SELECT 1 FROM quarantine q LIMIT 1001)", "bounded" },
	{ "FROM settings ORDER BY name", "a few rows" },
	{ "FROM api_keys k ORDER BY k.id", "a few rows" },
	{ "(t.created_at + $1) / 86400000", "a period; which index, statistics tell PostgreSQL" },
	{ "FROM (SELECT t.assignee_id AS k", "likewise, with what was said then" },
	{ "GROUP BY t.status", "an index alone, every few seconds at most" },
	{ "FROM tickets t WHERE t.resolved_at IS NULL", "the index of what is not resolved" },
	{ "FROM (SELECT 1 FROM blocked_senders b LIMIT 1001)", "bounded" },
	{ "FROM timers t ORDER BY t.due_at, t.id LIMIT 1", "the first of an index" },
	{ "SELECT o.state, COUNT(*), MIN(o.created_at)", "the index of what waits, for who looks" },
	{ "UPDATE outbox SET smtp = ", "the index of what waits, when an account is gone" },
	{ "SELECT o.next_at FROM outbox o WHERE", "the first of the index of what waits" },
	{ "SELECT DISTINCT o.smtp FROM outbox o", "the index of what waits, at start" },
	{ "SELECT o.state, COUNT(*), MIN(o.created_at)", "the index of what waits" },
	{ "$1 WHERE holder = $2 AND held_until > 0", "a row for each mailbox and daemon" },
	{ "UPDATE leases SET held_until = 0 WHERE holder", "likewise" },
	{ "FROM leases ORDER BY leases.name", "likewise" },
	{ "FROM search_queue q", "what waits is little" },
	{ "OR v.shared = 1", "some views an agent" },
	{ "DELETE FROM viewing", "a row for each agent, each hour" },
	{ "FROM webhooks", "a hundred at most" },
	{ "UPDATE webhook_deliveries SET state = 'retry'", "at start and end, what is being sent" },
	{ "SELECT DISTINCT a.daemon", "an index, for verifying all of it" },
	{ "FROM mailbox_orders o", "a row for each mailbox at most" },
	{ "FROM event_queue e ORDER BY e.id", "what waits is little" },
	{ "FROM events e ORDER BY e.id", "the first or last of its key" },
	{ "DELETE FROM events", "a day of them, each hour" },
	{ "DELETE FROM search_queue", "all of it, for a rebuild" },
	{ "EXISTS (SELECT 1 FROM search_queue)", "the first of it, at start" },
	{ "SELECT 1, m.id FROM comments m ORDER BY m.id DESC LIMIT 1", "the last one" },
	{ "DELETE FROM leases", "likewise, at start" },
	{ "UPDATE tickets SET organisation_id = ", "an admin moves a customer or an organisation" },
	{ "UPDATE users SET organisation_id = NULL", "an admin removes an organisation" },
	{ "SELECT 1 FROM tickets t WHERE t.team_id", "an admin removes a team" },
	{ "FROM organisations o", "an organisation each" },
	{ "FROM teams t ORDER BY t.name", "a team each" },
	{ "FROM tags g ORDER BY g.name", "a tag each" },
	{ "FROM desk_keys k ORDER BY k.key_id DESC", "a row for each daemon" },
	{ "FROM user_otp o WHERE length(o.secret)",
	  "a row for each user with two factors, at start" },
	{ "UPDATE outbox SET state = 'retry'", "at start, the index of what waits" },
};

static const char *why_allowed(const char *sql)
{
	for (size_t i = 0; i < MD_COUNT(allowed); i++)
		if (strstr(sql, allowed[i].part))
			return allowed[i].why;
	return NULL;
}

/* Walks of what is no table: "SCAN page", "SCAN counted", "SCAN (subquery-1)", "SCAN newest"; what
 * is asked of the search index is said to be one. */
static bool is_table_scan(const char *step)
{
	static const char *const results[] = { "page",     "counted",
					       "due",      "newest",
					       "ranked",   "(subquery",
					       "CONSTANT", "search_index VIRTUAL" };

	if (strncmp(step, "SCAN ", 5) != 0)
		return false;
	for (size_t i = 0; i < MD_COUNT(results); i++)
		if (strncmp(step + 5, results[i], strlen(results[i])) == 0)
			return false;
	return true;
}

/* Runs `check` on each step of the plan; true if one says so. */
static bool plan_has(sqlite3 *db, const char *sql, bool (*check)(const char *))
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *st = NULL;
	bool found = false;

	if (sqlite3_prepare_v2(db, explain, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(db), sql);
	while (sqlite3_step(st) == SQLITE_ROW)
		found |= check((const char *)sqlite3_column_text(st, 3));
	sqlite3_finalize(st);
	sqlite3_free(explain);
	return found;
}

static void print_plan(sqlite3 *db, const char *sql)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *st = NULL;

	print_error("%s\n", sql);
	sqlite3_prepare_v2(db, explain, -1, &st, NULL);
	while (sqlite3_step(st) == SQLITE_ROW)
		print_error("    %s\n", sqlite3_column_text(st, 3));
	sqlite3_finalize(st);
	sqlite3_free(explain);
}

static sqlite3 *raw(struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	return db;
}

static void parameters_are_named_in_order_of_appearance(void **state)
{
	sqlite3 *db;

	SQLITE_ONLY();
	db = raw(*state);
	for (const struct db_sql *s = __start_db_sql; s < __stop_db_sql; s++) {
		md_auto(md_free_p) char *sql = db_expand(&db_sqlite, s->text);
		sqlite3_stmt *st = NULL;
		const char *rest;

		if (sqlite3_prepare_v2(db, sql, -1, &st, &rest) != SQLITE_OK)
			fail_msg("%s: %s", sqlite3_errmsg(db), sql);
		if (*rest)
			fail_msg("more than one statement: %s", sql);
		for (int i = 1; i <= sqlite3_bind_parameter_count(st); i++) {
			char want[16];

			snprintf(want, sizeof want, "$%d", i);
			if (strcmp(sqlite3_bind_parameter_name(st, i), want) != 0)
				fail_msg("parameter %d is %s: %s", i,
					 sqlite3_bind_parameter_name(st, i), sql);
		}
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
}

static void constant_statements_find_their_rows_by_an_index(void **state)
{
	sqlite3 *db;
	int bad = 0;

	SQLITE_ONLY();
	db = raw(*state);
	for (const struct db_sql *s = __start_db_sql; s < __stop_db_sql; s++) {
		md_auto(md_free_p) char *sql = db_expand(&db_sqlite, s->text);

		if (strstr(sql, "SAVEPOINT") || why_allowed(sql) ||
		    !plan_has(db, sql, is_table_scan))
			continue;
		print_plan(db, sql);
		bad++;
	}
	sqlite3_close(db);
	assert_int_equal(bad, 0);
}

static void no_exception_is_stale(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(allowed); i++) {
		bool used = false;

		for (const struct db_sql *s = __start_db_sql; s < __stop_db_sql; s++) {
			md_auto(md_free_p) char *sql = db_expand(&db_sqlite, s->text);

			used |= strstr(sql, allowed[i].part) != NULL;
		}
		if (!used)
			fail_msg("no statement has: %s", allowed[i].part);
	}
}

/* SQLite knows FOR UPDATE, ILIKE, ... as little as PostgreSQL knows these. */
static void nothing_that_only_one_engine_knows(void **state)
{
	static const char *const words[] = { "INSERT OR",     "REPLACE INTO", "rowid",
					     "GLOB",          "IFNULL",       "strftime",
					     "instr(",        "\"",           "`",
					     "LIMIT -",       "MATCH",        "last_insert",
					     "AUTOINCREMENT", "INTEGER",      "BLOB" };

	(void)state;
	for (const struct db_sql *s = __start_db_sql; s < __stop_db_sql; s++) {
		char bare[4096];
		size_t n = 0;

		for (const char *p = s->text; *p && n < sizeof bare - 1; p++) {
			if (*p == '{')
				p += strcspn(p, "}");
			else
				bare[n++] = *p;
		}
		bare[n] = '\0';
		for (size_t i = 0; i < MD_COUNT(words); i++)
			if (strstr(bare, words[i]))
				fail_msg("%s in: %s", words[i], s->text);
	}
}

/* ---- the same on PostgreSQL ---- */

/* A node of a plan that reads rows, and by which condition. */
static bool walks_a_table(const json_t *node)
{
	const char *type = json_string_value(json_object_get(node, "Node Type"));
	const json_t *below;
	size_t i;

	if (strcmp(type, "Seq Scan") == 0)
		return true;
	/* Without a condition it goes through the whole index; a LIMIT may end that. */
	if (strncmp(type, "Index", 5) == 0 && !json_object_get(node, "Index Cond"))
		return true;
	json_array_foreach(json_object_get(node, "Plans"), i, below)
	{
		if (walks_a_table(below))
			return true;
	}
	return false;
}

static bool pg_plan_walks(struct fixture *f, const char *name, int n_params)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(4096);
	json_t *plan;
	PGresult *r;
	bool walks;

	buf_addf(&sql, "EXPLAIN (FORMAT JSON) EXECUTE %s", name);
	for (int i = 0; i < n_params; i++)
		buf_adds(&sql, i ? ", NULL" : " (NULL");
	buf_adds(&sql, n_params ? ")" : "");
	r = PQexec(f->pg, buf_str(&sql));
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", buf_str(&sql), PQerrorMessage(f->pg));
	plan = json_loads(PQgetvalue(r, 0, 0), 0, NULL);
	assert_non_null(plan);
	walks = walks_a_table(json_object_get(json_array_get(plan, 0), "Plan"));
	if (walks)
		print_error("%s\n", PQgetvalue(r, 0, 0));
	json_decref(plan);
	PQclear(r);
	return walks;
}

/* Both engines find the same parameters and columns in it. */
static int compare_shapes(struct fixture *f, sqlite3 *db, const struct db_sql *s, const char *name)
{
	md_auto(md_free_p) char *lite_sql = db_expand(&db_sqlite, s->text);
	md_auto(md_free_p) char *sql = db_expand(&db_postgres, s->text);
	sqlite3_stmt *st = NULL;
	PGresult *r;
	int n;

	if (sqlite3_prepare_v2(db, lite_sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(db), lite_sql);
	r = PQprepare(f->pg, name, sql, 0, NULL);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(f->pg));
	PQclear(r);
	r = PQdescribePrepared(f->pg, name);
	n = PQnparams(r);
	if (n != sqlite3_bind_parameter_count(st) || PQnfields(r) != sqlite3_column_count(st))
		fail_msg("other parameters or columns: %s", s->text);
	PQclear(r);
	sqlite3_finalize(st);
	return n;
}

static void both_engines_read_the_statements_alike(void **state)
{
	struct fixture *f = *state;
	struct fixture file = { 0 };
	sqlite3 *db;
	int bad = 0;

	POSTGRES_ONLY();
	fixture_make_folder(&file);
	OK(db_open(file.where, &file.db, &err));
	OK(schema_ensure(file.db, &err));
	db = raw(&file);
	pg_do(f,
	      "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
	      "SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off");
	for (const struct db_sql *s = __start_db_sql; s < __stop_db_sql; s++) {
		md_auto(md_free_p) char *lite_sql = db_expand(&db_sqlite, s->text);
		char name[16];
		int n;

		snprintf(name, sizeof name, "s%d", (int)(s - __start_db_sql));
		n = compare_shapes(f, db, s, name);
		if (strstr(s->text, "SAVEPOINT") || why_allowed(lite_sql) ||
		    !pg_plan_walks(f, name, n))
			continue;
		print_error("%s\n", s->text);
		bad++;
	}
	sqlite3_close(db);
	fixture_close(&file);
	assert_int_equal(bad, 0);
}

/* ---- statements put together at run time, as SQLite saw them ---- */

static char *seen[64];
static size_t n_seen;

static int on_statement(unsigned kind, void *ctx, void *st, void *text)
{
	const char *sql = sqlite3_sql(st);

	(void)kind;
	(void)ctx;
	(void)text;
	if (n_seen < MD_COUNT(seen) && strncmp(sql, "SELECT", 6) == 0)
		seen[n_seen++] = strdup(sql);
	return 0;
}

static int watch_connection(sqlite3 *db, char **text, const struct sqlite3_api_routines *api)
{
	(void)text;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, NULL);
}

static void forget_seen(void)
{
	while (n_seen)
		free(seen[--n_seen]);
}

static const char *wanted;
static bool has_wanted(const char *step)
{
	return strstr(step, wanted) != NULL;
}
/* A walk of the whole table and not along an index. */
static bool is_unordered_scan(const char *step)
{
	return is_table_scan(step) && !strstr(step, "INDEX");
}

static struct db_conn *watched_reader(struct fixture *f)
{
	struct db_conn *c = NULL;

	db_close(f->db);
	sqlite3_auto_extension((void (*)(void))watch_connection);
	OK(db_open(f->where, &f->db, &err));
	OK(db_read(f->db, &c, &err));
	sqlite3_cancel_auto_extension((void (*)(void))watch_connection);
	forget_seen();
	return c;
}

static const struct list_case {
	const char *name;
	struct ticket_filter filter;
	const char *page_uses; /* part of the plan of the page's ids */
	bool may_sort;
} list_cases[] = {
	{ "newest changes",
	  { .sort = TICKET_SORT_UPDATED, .descending = true },
	  "SCAN t USING INDEX tickets_by_update",
	  false },
	{ "by id", { .sort = TICKET_SORT_ID }, "SCAN t", false },
	{ "by creation",
	  { .sort = TICKET_SORT_CREATED, .descending = true },
	  "SCAN t USING INDEX tickets_by_creation",
	  false },
	{ "by priority",
	  { .sort = TICKET_SORT_PRIORITY, .descending = true },
	  "SCAN t USING INDEX tickets_by_priority",
	  false },
	{ "by status",
	  { .sort = TICKET_SORT_STATUS },
	  "SCAN t USING INDEX tickets_by_status",
	  false },
	{ "one status, newest changes",
	  { .status = { "open" }, .n_status = 1, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_by_status (status=?)",
	  false },
	{ "one assignee, newest changes",
	  { .assignee_id = 3, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_by_assignee (assignee_id=?)",
	  false },
	{ "no assignee",
	  { .assignee_id = -1, .sort = TICKET_SORT_UPDATED },
	  "tickets_by_assignee (assignee_id=?)",
	  false },
	{ "one requester",
	  { .requester_id = 3, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_by_requester (requester_id=?)",
	  false },
	{ "one priority",
	  { .priority = { 3 }, .n_priority = 1, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_by_priority (priority=?)",
	  false },
	{ "a tag", { .tag = "vip", .sort = TICKET_SORT_UPDATED }, "ticket_tags_by_tag", true },
	{ "a customer's",
	  { .visible_to = 3, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "ticket_participants_by_user",
	  true },
	{ "recent",
	  { .updated_after = 5, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_by_update (updated_at>?)",
	  false },
	{ "created between",
	  { .created_after = 5, .created_before = 9, .sort = TICKET_SORT_CREATED },
	  "tickets_by_creation (created_at>? AND created_at<?)",
	  false },
	{ "overdue, of which there are few",
	  { .overdue_at = 9, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_unresolved (priority>? AND priority<?)",
	  true },
	{ "overdue, by due date",
	  { .overdue_at = 9, .sort = TICKET_SORT_DUE },
	  "tickets_unresolved (priority>? AND priority<?)",
	  true },
	{ "overdue of one person",
	  { .overdue_at = 9, .assignee_id = 4, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_unresolved (priority>? AND priority<?)",
	  true },
	{ "breached, of which there are few",
	  { .breached = true, .sort = TICKET_SORT_UPDATED, .descending = true },
	  "tickets_unresolved (priority>? AND priority<?)",
	  true },
	{ "several statuses",
	  { .status = { "open", "pending" },
	    .n_status = 2,
	    .sort = TICKET_SORT_UPDATED,
	    .descending = true },
	  "tickets_by_",
	  true },
};

static void ticket_lists_use_the_right_index(void **state)
{
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	sqlite3 *db;
	int bad = 0;

	SQLITE_ONLY();
	c = watched_reader(f);
	db = raw(f);
	for (size_t i = 0; i < MD_COUNT(list_cases); i++) {
		const struct list_case *k = &list_cases[i];
		struct ticket_filter filter = k->filter;
		struct ticket_row *rows;
		int64_t total;
		size_t n;

		filter.limit = 20;
		OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
		/* The total, unless the reader knows it, and the page: however many rows. */
		assert_in_range(n_seen, 1, 2);
		wanted = k->page_uses;
		/* The page joins what it shows by key: no walk but along the page's own index. */
		if (!plan_has(db, seen[n_seen - 1], has_wanted) ||
		    (!k->may_sort && strstr(k->page_uses, "INDEX") &&
		     plan_has(db, seen[n_seen - 1], is_unordered_scan))) {
			print_error("-- %s\n", k->name);
			print_plan(db, seen[n_seen - 1]);
			bad++;
		}
		forget_seen();
	}
	sqlite3_close(db);
	assert_int_equal(bad, 0);
}

static void lists_of_ids_are_one_indexed_query(void **state)
{
	static const int64_t ids[] = { 3, 1, 2 };
	static const char *texts[] = { "a@x", "b@x" };
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	sqlite3 *db;
	struct rec_strs strs = { 2, texts };
	struct clock_row *clocks;
	struct thread_hit *hits;
	struct tag *tags;
	size_t n;

	SQLITE_ONLY();
	c = watched_reader(f);
	db = raw(f);
	OK(ticket_tags_of(c, ids, 3, &f->arena, &tags, &n, &err));
	OK(clock_list_of(c, ids, 3, &f->arena, &clocks, &n, &err));
	OK(thread_find(c, &strs, &f->arena, &hits, &n, &err));
	assert_int_equal(n_seen, 3);
	for (size_t i = 0; i < n_seen; i++) {
		if (plan_has(db, seen[i], is_table_scan)) {
			print_plan(db, seen[i]);
			fail();
		}
	}
	forget_seen();
	sqlite3_close(db);
}

/* ---- the same statements as PostgreSQL saw them, with rows enough to choose by ---- */

static const char many_tickets[] =
	"INSERT INTO users (name, email, folded, role, created_at) SELECT 'u', n || '@x', 'u',"
	" 'agent', 1 FROM generate_series(1, 200) n;"
	"INSERT INTO tickets (title, status, priority, requester_id, assignee_id, channel,"
	" created_at, updated_at) SELECT 't', (ARRAY['open', 'pending', 'resolved', 'closed'])"
	"[1 + n % 4], n % 4, 1 + n % 200, CASE WHEN n % 3 > 0 THEN 1 + n % 100 END, 'mail', n,"
	" 9 * n % 20011"
	" FROM generate_series(1, 20000) n;"
	"INSERT INTO ticket_participants (ticket_id, user_id, role, since_at)"
	" SELECT id, requester_id, 'requester', 1 FROM tickets;"
	"INSERT INTO tags (name, color) SELECT 'tag' || n, 'red' FROM generate_series(1, 50) n;"
	"INSERT INTO ticket_tags SELECT id, 1 + id % 50 FROM tickets;"
	"INSERT INTO thread_ids SELECT 'm' || n, n FROM generate_series(1, 20000) n;"
	"INSERT INTO clocks (ticket_id, metric, cycle, policy, state, started_at, target_ms,"
	" since_at, used_ms) SELECT id, 'resolution', 1, 'p', 'running', 1, 1, 1, 0 FROM tickets;"
	"ANALYZE";

struct text {
	const char *text;
};
static const struct db_col text_cols[] = { { DB_COL_TEXT, offsetof(struct text, text) } };
static const struct db_map text_map = DB_MAP(text, text_cols);

/* What this session prepared last that has this in it; every session has its own. */
static const char *pg_seen(struct fixture *f, struct db_conn *c, const char *part)
{
	struct text *rows;
	size_t n;

	OK(db_query(c,
		    "SELECT statement FROM pg_prepared_statements WHERE"
		    " position(CAST($1 AS text) IN statement) > 0"
		    " AND position('pg_prepared' IN statement) = 0 ORDER BY prepare_time DESC",
		    DB_ARGS(DB_TEXT(part)), &text_map, 100, &f->arena, &rows, &n, &err));
	if (n == 0)
		fail_msg("no statement has: %s", part);
	return rows[0].text;
}

/* To be given back. */
static json_t *pg_plan(struct fixture *f, const char *text)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(1 << 20);
	json_t *plan;
	PGresult *r = PQprepare(f->pg, "", text, 0, NULL);
	int n;

	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	PQclear(r);
	r = PQdescribePrepared(f->pg, "");
	n = PQnparams(r);
	PQclear(r);
	buf_addf(&sql, "DEALLOCATE ALL; PREPARE p AS %s; EXPLAIN (FORMAT JSON) EXECUTE p", text);
	for (int i = 0; i < n; i++)
		buf_adds(&sql, i ? ", NULL" : " (NULL");
	buf_adds(&sql, n ? ")" : "");
	r = PQexec(f->pg, buf_str(&sql));
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", buf_str(&sql), PQerrorMessage(f->pg));
	plan = json_loads(PQgetvalue(r, 0, 0), 0, NULL);
	assert_non_null(plan);
	PQclear(r);
	return plan;
}

/* Has the plan, or what is below its first node of type `under`, a node whose `key` begins so? */
static bool plan_node(const json_t *node, const char *under, const char *key, const char *begin)
{
	const char *type = json_string_value(json_object_get(node, "Node Type"));
	const char *value = json_string_value(json_object_get(node, key));
	const json_t *below;
	size_t i;

	if (!under && value && strncmp(value, begin, strlen(begin)) == 0)
		return true;
	if (under && strcmp(type, under) == 0)
		under = NULL;
	json_array_foreach(json_object_get(node, "Plans"), i, below)
	{
		if (plan_node(below, under, key, begin))
			return true;
	}
	return false;
}

/* "tickets_by_update" of "SCAN t USING INDEX tickets_by_update (...)"; the key, if it says none */
static void index_of(const struct list_case *k, char *ret, size_t room)
{
	const char *at = strstr(k->page_uses, "ticket");

	snprintf(ret, room, "%.*s", at ? (int)strcspn(at, " ") : 12, at ? at : "tickets_pkey");
}

static void as_the_driver_plans(struct fixture *f)
{
	pg_do(f, many_tickets);
	pg_do(f,
	      "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off");
}

static void ticket_lists_use_the_right_index_on_postgres(void **state)
{
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int bad = 0;

	POSTGRES_ONLY();
	as_the_driver_plans(f);
	OK(db_read(f->db, &c, &err));
	for (size_t i = 0; i < MD_COUNT(list_cases); i++) {
		const struct list_case *k = &list_cases[i];
		struct ticket_filter filter = k->filter;
		struct ticket_row *rows;
		char index[64];
		json_t *plan;
		const json_t *top;
		int64_t total;
		size_t n;

		filter.limit = 20;
		OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
		plan = pg_plan(f, pg_seen(f, c, "AS page_id"));
		top = json_object_get(json_array_get(plan, 0), "Plan");
		index_of(k, index, sizeof index);
		/* It knows that one person has fewer than are unresolved. */
		if (filter.overdue_at && filter.assignee_id)
			snprintf(index, sizeof index, "tickets_by_assignee");
		if (filter.breached) /* and how few clocks ran out */
			snprintf(index, sizeof index, "clocks_breached");
		if (!plan_node(top, "Limit", "Index Name", index) ||
		    plan_node(top, NULL, "Node Type", "Seq Scan") ||
		    (!k->may_sort && plan_node(top, "Limit", "Node Type", "Sort"))) {
			md_auto(md_free_p) char *text = json_dumps(plan, JSON_INDENT(1));

			print_error("-- %s, by %s\n%s\n", k->name, index, text);
			bad++;
		}
		json_decref(plan);
	}
	assert_int_equal(bad, 0);
}

static void lists_of_ids_are_one_indexed_query_on_postgres(void **state)
{
	static const int64_t ids[] = { 3, 1, 2 };
	static const char *texts[] = { "m1", "m2" };
	static const char *const parts[] = { "FROM ticket_tags", "FROM clocks", "thread_ids" };
	struct fixture *f = *state;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct rec_strs strs = { 2, texts };
	struct clock_row *clocks;
	struct thread_hit *hits;
	struct tag *tags;
	size_t n;

	POSTGRES_ONLY();
	as_the_driver_plans(f);
	OK(db_read(f->db, &c, &err));
	OK(ticket_tags_of(c, ids, 3, &f->arena, &tags, &n, &err));
	assert_int_equal(n, 3);
	OK(clock_list_of(c, ids, 3, &f->arena, &clocks, &n, &err));
	assert_int_equal(n, 3);
	OK(thread_find(c, &strs, &f->arena, &hits, &n, &err));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < MD_COUNT(parts); i++) {
		json_t *plan = pg_plan(f, pg_seen(f, c, parts[i]));
		const json_t *top = json_object_get(json_array_get(plan, 0), "Plan");
		md_auto(md_free_p) char *text = json_dumps(plan, JSON_INDENT(1));

		if (plan_node(top, NULL, "Node Type", "Seq Scan") ||
		    !plan_node(top, NULL, "Index Cond", "("))
			fail_msg("%s", text);
		json_decref(plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parameters_are_named_in_order_of_appearance),
		TEST(constant_statements_find_their_rows_by_an_index),
		TEST(no_exception_is_stale),
		TEST(nothing_that_only_one_engine_knows),
		TEST(both_engines_read_the_statements_alike),
		TEST(ticket_lists_use_the_right_index),
		TEST(lists_of_ids_are_one_indexed_query),
		TEST(ticket_lists_use_the_right_index_on_postgres),
		TEST(lists_of_ids_are_one_indexed_query_on_postgres),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A desk with rows of all kinds moves to another database and back, is interrupted, and is refused
 * where it would do harm. The other database is a second file, or with $MAILDESK_TEST_DB a schema
 * of PostgreSQL. */
#include "store_test.h"

#include "../../../src/store/transfer_plan.h"

#include <maildesk/base/embed.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/settings.h>
#include <maildesk/store/transfer.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { NOW_MS = 1000000 };

/* Every table has a row at least; keys of all forms; NULLs, no bytes, NULs in bytes, both ends of
 * the integers, text beyond the basic plane; tickets that point forwards and backwards. */
static const char rows_sql[] =
	"INSERT INTO settings VALUES ('desk_id', x'00112233445566778899aabbccddeeff'), ('none', "
	"x''),"
	" ('\u00e4\U0001F980', x'00ff00');"
	"INSERT INTO desk_keys VALUES (1, 'aa', x'0102'), (1, 'bb', NULL);"
	"INSERT INTO oauth_grants (section, login, version, refresh) VALUES ('ms365', '', 2, NULL),"
	" ('ms365', 'a@desk.test', 1, x'0100');"
	"INSERT INTO users (id, name, email, folded, role, created_at, disabled_at) VALUES"
	" (1, 'Zo\u00eb \U0001F41D \"q\" ''a'' \\ $1', 'z@desk.test', 'zo\u00eb', 'admin',"
	" -9223372036854775808, 9223372036854775807), (7, '', 'c@x.test', 'c', 'customer', -1, "
	"NULL);"
	"INSERT INTO user_addresses VALUES ('z@desk.test', 1), ('Z@desk.test', 1), ('\u00e9@x', 7);"
	"INSERT INTO organisations (id, name, domains) VALUES (4, 'Acme', 'acme.test');"
	"INSERT INTO teams (id, name) VALUES (5, 'Network');"
	"INSERT INTO team_members (team_id, user_id) VALUES (5, 1);"
	"INSERT INTO canned_replies (id, name, body) VALUES (6, 'hello', 'Hello');"
	"INSERT INTO saved_views (id, user_id, name, query) VALUES (1, 1, 'mine', 'assignee=me');"
	"INSERT INTO webhooks VALUES (1, 'https://x.test/', 'ticket.created', 's', 1, 1, 1);"
	"INSERT INTO webhook_deliveries (id, webhook_id, type, at, state, next_at, created_at)"
	" VALUES (1, 1, 'webhook.test', 1, 'queued', 1, 1);"
	"INSERT INTO audit_log (id, daemon, at, source, action, count) VALUES"
	" (1, 'd', 1, 'api', 'user.add', 1);"
	"INSERT INTO mailbox_orders VALUES (3, 1, NULL);"
	"INSERT INTO viewing VALUES (1, 1, 2, 3);"
	"INSERT INTO event_queue (id, type, ticket_id, is_internal, at) VALUES"
	" (2, 'ticket.created', 1, 0, 1);"
	"INSERT INTO events (id, type, ticket_id, is_internal, at) VALUES"
	" (3, 'ticket.created', 1, 0, 1);"
	"INSERT INTO mailboxes (id, name) VALUES (3, 'support');"
	"INSERT INTO mailbox_uids VALUES (3, 1, 2, 0, 0), (3, 1, 10, 1, 1), (3, 2, 1, 0, 0);"
	"INSERT INTO leases (name, holder, fence, held_until) VALUES ('m', 'h', 4, 5);"
	"INSERT INTO blobs (id, sha256, size, encoding, put_at, bytes) VALUES"
	" (1, 'a', 0, 'identity', 1, x''), (2, 'b', 1400000, 'identity', 2, randomblob(262144));"
	"INSERT INTO blob_chunks WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k"
	" WHERE n < 40) SELECT 2, n, randomblob(262144) FROM k;"
	"INSERT INTO tickets (id, title, status, priority, requester_id, channel, created_at,"
	" updated_at, merged_into) WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k"
	" WHERE n < 1500) SELECT n, 't' || n, 'open', n % 4, 7, 'mail', n, -n,"
	" CASE WHEN n % 100 = 1 THEN 1500 - n WHEN n = 1500 THEN 1 END FROM k;"
	"INSERT INTO messages (id, direction, message_id, identity, kind, size, blob_id, "
	"created_at)"
	" VALUES (1, 'in', 'm@x', 'i', 'person', 3, 2, 1), (2, 'in', NULL, NULL, 'person', 3, 1, "
	"1),"
	" (3, 'in', NULL, NULL, 'person', 3, NULL, 1);"
	"INSERT INTO thread_ids VALUES ('b@x', 1), ('B@x', 2), ('\U0001F980@x', 3), ('\uffee@x', "
	"3);"
	"INSERT INTO comments (id, ticket_id, author_id, message_id, is_internal, channel, body,"
	" created_at) VALUES (1, 1, 7, 1, 0, 'mail', char(13, 10, 9, 1, 127, 65533), 1);"
	"INSERT INTO attachments (id, message_id, content_type, size, sha256, is_inline, "
	"raw_offset,"
	" raw_length, encoding) VALUES (1, 1, 't/x', 1, 's', 0, 0, 4294967296, '7bit');"
	"INSERT INTO ticket_history (id, ticket_id, action, source, is_public, at) VALUES"
	" (9, 1, 'x', 'mail', 1, 1);"
	"INSERT INTO tags (id, name, color) VALUES (1, 'vip', '#ffffff');"
	"INSERT INTO ticket_tags VALUES (2, 1), (10, 1);"
	"INSERT INTO ticket_participants (ticket_id, user_id, role, since_at) VALUES"
	" (1, 7, 'requester', 1);"
	"INSERT INTO ticket_links VALUES (2, 'relates', 1), (1, 'relates', 2), (1, 'blocks', 3);"
	"INSERT INTO decisions (message_id, outcome, auth, rules, commands, sla, at) VALUES"
	" (1, 'created', 'none', '[]', '[]', '[]', 1);"
	"INSERT INTO quarantine (id, message_id, cause, created_at) VALUES (1, 2, 'loop', 1);"
	"INSERT INTO blocked_senders (id, sender, created_at) VALUES (1, '@spam.test', 1);"
	"INSERT INTO outbox (id, message_id, event, smtp, sender, recipient, state, data, next_at,"
	" created_at) VALUES (1, 3, 'e', 'main', 's', 'r', 'queued', '{}', 1, 1);"
	"INSERT INTO digest_items (id, user_id, ticket_id, event, due_at, created_at) VALUES"
	" (1, 1, 1, 'assigned', 2, 1);"
	"INSERT INTO spent_tokens (token, ran_at) VALUES ('aebagbaf', 1);"
	"INSERT INTO confirmations (id, message_id, ticket_id, user_id, expires_at) VALUES"
	" (1, 1, 1, 7, 1);"
	"INSERT INTO delivery_events (id, address, kind, message_id, at) VALUES"
	" (1, 'z@desk.test', 'bounce', 2, 1);"
	"INSERT INTO silences (name, until_at) VALUES ('z@desk.test', 1);"
	"INSERT INTO clocks (id, ticket_id, metric, cycle, policy, state, started_at, target_ms,"
	" since_at, used_ms) VALUES (1, 1, 'resolution', 1, 'p', 'running', 1, 1, 1, 1);"
	"INSERT INTO sla_versions (id, since_at, definition) VALUES (1, 1, '{}');"
	"INSERT INTO clock_stretches (id, clock_id, to_at, used_ms, state, calendar, target_ms)"
	" VALUES (1, 1, 1, 0, 'running', '24x7', 1);"
	"INSERT INTO timers (id, due_at, kind, ticket_id, clock_id) VALUES (1, 1, 'sla_breach', 1, "
	"1);"
	"INSERT INTO account_links (id, kind, email, token_hash, created_at, expires_at) VALUES"
	" (1, 'verify', 'new@x', 'a1', 1, 2);"
	"INSERT INTO user_otp VALUES (1, x'0102', 3, 4);"
	"INSERT INTO recovery_codes (id, user_id, code_hash) VALUES (1, 1, 'b1');"
	"INSERT INTO api_keys (id, user_id, name, key_hash, scopes, created_at) VALUES"
	" (1, 1, 'sync', 'c1', 'admin', 1);"
	"INSERT INTO kept_answers (request, body_mac, kept_at) VALUES ('r', x'00ff', 1);"
	"INSERT INTO refresh_tokens (id, user_id, family, token_hash, created_at, expires_at) "
	"VALUES"
	" (1, 1, 'f', 'h', 1, 1);"
	"INSERT INTO imports VALUES ('rt.example.com', 'ticket', '12', 1);"
	/* Ids that were given and are gone again. */
	"INSERT INTO tickets (id, title, status, priority, requester_id, channel, created_at,"
	" updated_at) VALUES (2000, 'gone', 'open', 0, 7, 'mail', 1, 1);"
	"DELETE FROM tickets WHERE id = 2000;";

/* The source is a file, whatever the fixture's engine. */
struct desk {
	char path[128], where[140];
	struct db *db;
};

static void desk_name(struct desk *d, const char *name)
{
	snprintf(d->path, sizeof d->path, "/tmp/maildesk-move-%d-%s.db", (int)getpid(), name);
	snprintf(d->where, sizeof d->where, "sqlite:%s", d->path);
	d->db = NULL;
}

static void desk_drop(struct desk *d)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	db_close(d->db);
	d->db = NULL;
	for (size_t i = 0; i < MD_COUNT(ends); i++) {
		char path[sizeof d->path + 8];

		snprintf(path, sizeof path, "%s%s", d->path, ends[i]);
		unlink(path);
	}
}

static void lite_do(const struct desk *d, const char *sql)
{
	sqlite3 *db;
	char *text = NULL;

	assert_int_equal(sqlite3_open(d->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %.60s", text, sql);
	sqlite3_close(db);
}

static void desk_open_full(struct desk *d)
{
	desk_name(d, "from");
	OK(db_open(d->where, &d->db, &err));
	OK(schema_ensure(d->db, &err));
	lite_do(d, rows_sql);
}

static void ignore(const struct transfer_progress *p, void *ctx)
{
	(void)p;
	(void)ctx;
}

/* The only row that a move adds. */
static int drop_note(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_script(c, "DELETE FROM audit_log WHERE action = 'desk.migrate'", e);
}

static int run(struct db *from, struct db *to, struct arena *a)
{
	struct transfer_sum *sums;
	size_t n;

	return transfer_run(from, to, NOW_MS, ignore, NULL, a, &sums, &n, &err);
}

static void assert_same(struct db *one, struct db *two, struct arena *a)
{
	struct transfer_sum *x, *y;
	size_t n, k;

	OK(db_txn(two, drop_note, NULL, &err));
	OK(transfer_sums(one, a, &x, &n, &err));
	OK(transfer_sums(two, a, &y, &k, &err));
	assert_int_equal(n, k);
	for (size_t i = 0; i < n; i++) {
		if (x[i].rows == 0)
			fail_msg("the test has no row of %s", x[i].table);
		if (x[i].rows != y[i].rows || strcmp(x[i].sha256, y[i].sha256) != 0)
			fail_msg("%s: %lld rows, %lld rows", x[i].table, (long long)x[i].rows,
				 (long long)y[i].rows);
	}
}

#define EMPTY(name) cmocka_unit_test_setup_teardown(name, setup_without_schema, teardown)

/* ---- the plan ---- */

static const struct transfer_table *planned(const struct transfer_table *t, size_t n,
					    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(t[i].name, name) == 0)
			return &t[i];
	fail_msg("the plan has no table %s", name);
	return NULL;
}

static size_t count_of(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;
	size_t n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void the_plan_is_what_the_engine_made(void **state)
{
	struct fixture *f = *state;
	struct transfer_table *tables;
	struct desk d;
	sqlite3_stmt *st;
	sqlite3 *db;
	size_t n, columns = 0;

	desk_name(&d, "plan");
	OK(db_open(d.where, &d.db, &err));
	OK(schema_ensure(d.db, &err));
	OK(transfer_plan(embed_find("schema.sql")->data, &f->arena, &tables, &n, &err));
	assert_int_equal(sqlite3_open(d.path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db,
				   "SELECT m.name, c.name, c.cid, c.pk, c.type,"
				   " instr(m.sql, 'AUTOINCREMENT') FROM sqlite_schema m,"
				   " pragma_table_info(m.name) c WHERE m.type = 'table'"
				   " AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_version'"
				   " AND m.name NOT LIKE 'search_index%'",
				   -1, &st, NULL),
		SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const struct transfer_table *t =
			planned(tables, n, (const char *)sqlite3_column_text(st, 0));
		size_t at = (size_t)sqlite3_column_int(st, 2),
		       pk = (size_t)sqlite3_column_int(st, 3);

		assert_true(at < t->n);
		assert_string_equal(t->columns[at], sqlite3_column_text(st, 1));
		assert_true(pk <= t->n_keys);
		if (pk)
			assert_int_equal(t->keys[pk - 1], at);
		assert_int_equal(t->has_id, sqlite3_column_int(st, 5) != 0);
		if (strcmp((const char *)sqlite3_column_text(st, 4), "BLOB") == 0)
			assert_true(t->has_blob);
		columns++;
	}
	sqlite3_finalize(st);
	assert_int_equal(n + 1,
			 count_of(db, "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'"
				      " AND name NOT LIKE 'sqlite_%'"
				      " AND name NOT LIKE 'search_index%'"));
	for (size_t i = 0; i < n; i++)
		columns -= tables[i].n;
	assert_int_equal(columns, 0);
	/* A row comes after those it refers to; within a table there is one such column at most. */
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT m.name, k.\"table\", k.\"from\" FROM"
					    " sqlite_schema m, pragma_foreign_key_list(m.name) k",
					    -1, &st, NULL),
			 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const struct transfer_table *t =
			planned(tables, n, (const char *)sqlite3_column_text(st, 0));
		const struct transfer_table *other =
			planned(tables, n, (const char *)sqlite3_column_text(st, 1));

		assert_true(other <= t);
		if (other == t)
			assert_string_equal(t->columns[t->self], sqlite3_column_text(st, 2));
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	desk_drop(&d);
}

static void a_schema_that_is_not_understood_is_an_error(void **state)
{
	static const char *const schemas[] = {
		"CREATE TABLE a (\n    id {ID},\n    b REAL\n) {STRICT};\n",
		"CREATE TABLE a (\n    b TEXT\n) {STRICT};\n",
		"CREATE TABLE a (\n    b TEXT,\n    PRIMARY KEY (c)\n) {STRICT};\n",
		"CREATE TABLE a (b TEXT PRIMARY KEY) {STRICT};\n",
	};
	struct fixture *f = *state;
	struct transfer_table *tables;
	size_t n;

	for (size_t i = 0; i < MD_COUNT(schemas); i++)
		assert_int_equal(transfer_plan(schemas[i], &f->arena, &tables, &n, &err),
				 MD_BROKEN);
}

/* ---- there and back ---- */

static int add_ticket(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct ticket t = { .title = "next",
			    .status = "open",
			    .requester_id = 7,
			    .channel = "mail",
			    .created_at = 1,
			    .updated_at = 1 };

	return ticket_insert(c, &t, ctx, e);
}

static int64_t next_ticket(struct db *db)
{
	int64_t id = 0;

	OK(db_txn(db, add_ticket, &id, &err));
	return id;
}

static void a_desk_moves_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct desk from, back;

	desk_open_full(&from);
	desk_name(&back, "back");
	OK(db_open(f->where, &f->db, &err));
	OK(run(from.db, f->db, &f->arena));
	assert_same(from.db, f->db, &f->arena);
	OK(db_open(back.where, &back.db, &err));
	OK(run(f->db, back.db, &f->arena));
	assert_same(from.db, back.db, &f->arena);
	/* Both are desks to work on, and no id is given again, not even one that is gone. */
	OK(schema_ensure(f->db, &err));
	OK(schema_ensure(back.db, &err));
	assert_int_equal(next_ticket(f->db), 2001);
	assert_int_equal(next_ticket(back.db), 2001);
	desk_drop(&from);
	desk_drop(&back);
}

/* ---- interruptions ---- */

struct killer {
	int steps;
	enum transfer_phase phase;
};

static void kill_at(const struct transfer_progress *p, void *ctx)
{
	struct killer *k = ctx;

	if (p->phase == k->phase && --k->steps == 0)
		kill(getpid(), SIGKILL);
}

/* True: it came to its end before it was killed. */
static bool run_and_kill(const char *from, const char *to, struct killer k)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct arena a = ARENA_INIT(1 << 20);
		struct db *one, *two;
		struct transfer_sum *sums;
		size_t n;

		if (db_open(from, &one, &err) == MD_OK && db_open(to, &two, &err) == MD_OK &&
		    transfer_run(one, two, NOW_MS, kill_at, &k, &a, &sums, &n, &err) == MD_OK)
			_exit(0);
		fprintf(stderr, "%s\n", err.text);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFEXITED(status);
}

static void a_killed_move_goes_on(void **state)
{
	struct fixture *f = *state;
	struct desk from;
	int killed = 0;

	desk_open_full(&from);
	db_close(from.db);
	from.db = NULL;
	/* Each call comes a page further before it dies. */
	for (int i = 0; i < 12; i++)
		killed += !run_and_kill(from.where, f->where,
					(struct killer){ 2 + i / 4, TRANSFER_COPY });
	assert_int_equal(killed, 12);
	OK(db_open(f->where, &f->db, &err));
	assert_int_equal(schema_ensure(f->db, &err), MD_REFUSED);
	assert_non_null(strstr(err.text, "migrate --to"));
	db_close(md_take(f->db));
	assert_false(run_and_kill(from.where, f->where, (struct killer){ 5, TRANSFER_VERIFY }));
	assert_true(run_and_kill(from.where, f->where, (struct killer){ 1 << 20, TRANSFER_COPY }));
	OK(db_open(from.where, &from.db, &err));
	OK(db_open(f->where, &f->db, &err));
	OK(schema_ensure(f->db, &err));
	assert_same(from.db, f->db, &f->arena);
	desk_drop(&from);
}

/* ---- refusals ---- */

static int change_title(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_values(c, "UPDATE tickets SET title = 'else' WHERE id = 1", DB_NONE, NULL, NULL,
			 e);
}

static int change_desk_id(struct db_conn *c, void *ctx, struct md_err *e)
{
	return setting_put(c, "desk_id", ctx, strlen(ctx), e);
}

static int add_mailbox(struct db_conn *c, void *ctx, struct md_err *e)
{
	int64_t id;

	(void)ctx;
	return mailbox_ensure(c, "x", &id, e);
}

static int add_stranger(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return db_values(c, "CREATE TABLE theirs (a TEXT PRIMARY KEY)", DB_NONE, NULL, NULL, e);
}

static void refused(struct db *from, struct db *to, struct arena *a, int code, const char *why)
{
	assert_int_equal(run(from, to, a), code);
	if (!strstr(err.text, why))
		fail_msg("%s: not in: %s", why, err.text);
}

static void a_target_with_a_desk_is_refused(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	OK(db_open(f->where, &f->db, &err));
	OK(schema_ensure(f->db, &err));
	OK(db_txn(f->db, add_mailbox, NULL, &err));
	refused(from.db, f->db, &f->arena, MD_REFUSED, "mailboxes");
	OK(schema_ensure(f->db, &err)); /* as it was */
	desk_drop(&from);
}

static void a_target_of_another_program_is_refused(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	OK(db_open(f->where, &f->db, &err));
	OK(db_txn(f->db, add_stranger, NULL, &err));
	refused(from.db, f->db, &f->arena, MD_REFUSED, "another program");
	desk_drop(&from);
}

static void a_target_with_an_empty_schema_is_taken(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	OK(db_open(f->where, &f->db, &err));
	OK(schema_ensure(f->db, &err));
	OK(run(from.db, f->db, &f->arena));
	assert_same(from.db, f->db, &f->arena);
	desk_drop(&from);
}

static void the_target_of_another_desk_is_refused(void **state)
{
	static char other[] = "another desk";
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	assert_false(run_and_kill(from.where, f->where, (struct killer){ 3, TRANSFER_COPY }));
	OK(db_open(f->where, &f->db, &err));
	OK(db_txn(from.db, change_desk_id, other, &err));
	refused(from.db, f->db, &f->arena, MD_REFUSED, "another desk");
	/* What is half done is no source either. */
	refused(f->db, from.db, &f->arena, MD_REFUSED, "interrupted");
	desk_drop(&from);
}

static void a_source_that_changed_meanwhile_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	assert_false(run_and_kill(from.where, f->where, (struct killer){ 5, TRANSFER_VERIFY }));
	OK(db_txn(from.db, change_title, NULL, &err));
	OK(db_open(f->where, &f->db, &err));
	refused(from.db, f->db, &f->arena, MD_CONFLICT, "tickets");
	assert_int_equal(schema_ensure(f->db, &err), MD_REFUSED);
	desk_drop(&from);
}

static void a_source_without_a_desk_is_refused(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_name(&from, "empty");
	OK(db_open(from.where, &from.db, &err));
	OK(db_open(f->where, &f->db, &err));
	refused(from.db, f->db, &f->arena, MD_REFUSED, "no desk");
	desk_drop(&from);
}

static void a_character_that_not_all_can_hold_is_named(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	lite_do(&from, "UPDATE comments SET body = 'a' || char(0) || 'b' WHERE id = 1");
	OK(db_open(f->where, &f->db, &err));
	refused(from.db, f->db, &f->arena, MD_INPUT, "comments, key 1: its body");
	desk_drop(&from);
}

static int take_lease(struct db_conn *c, void *ctx, struct md_err *e)
{
	int64_t fence;

	(void)ctx;
	return lease_take(c, "mailbox", "there", 60000, &fence, e);
}

static void a_desk_at_work_is_no_source(void **state)
{
	struct fixture *f = *state;
	struct desk from;

	desk_open_full(&from);
	OK(db_txn(from.db, take_lease, NULL, &err));
	OK(db_open(f->where, &f->db, &err));
	refused(from.db, f->db, &f->arena, MD_AGAIN, "\"mailbox\"");
	desk_drop(&from);
}

/* ---- no memory ---- */

static void without_memory_nothing_is_half_done(void **state)
{
	struct fixture *f = *state;
	struct desk from;
	int rc = MD_NOMEM;

	desk_open_full(&from);
	lite_do(&from, "DELETE FROM blob_chunks WHERE n > 2; DELETE FROM tickets WHERE id > 20 AND"
		       " NOT EXISTS (SELECT 1 FROM tickets t WHERE t.merged_into = tickets.id)");
	OK(db_open(f->where, &f->db, &err));
	for (long n = 1; rc != MD_OK; n++) {
		md_alloc_fail(n, 0);
		rc = run(from.db, f->db, &f->arena);
		md_alloc_fail(0, 0);
		f->arena.failed = 0;
		if (rc != MD_OK && rc != MD_NOMEM)
			fail_msg("%s: %s", md_code_name(rc), err.text);
	}
	assert_same(from.db, f->db, &f->arena);
	desk_drop(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(the_plan_is_what_the_engine_made),
		EMPTY(a_schema_that_is_not_understood_is_an_error),
		EMPTY(a_desk_moves_there_and_back),
		EMPTY(a_killed_move_goes_on),
		EMPTY(a_target_with_a_desk_is_refused),
		EMPTY(a_target_of_another_program_is_refused),
		EMPTY(a_target_with_an_empty_schema_is_taken),
		EMPTY(the_target_of_another_desk_is_refused),
		EMPTY(a_source_that_changed_meanwhile_is_noticed),
		EMPTY(a_source_without_a_desk_is_refused),
		EMPTY(a_character_that_not_all_can_hold_is_named),
		EMPTY(a_desk_at_work_is_no_source),
		EMPTY(without_memory_nothing_is_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

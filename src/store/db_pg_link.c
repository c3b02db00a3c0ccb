/* db_pg_link.c - connecting, waiting with deadlines, and what the server's refusals mean.
 *
 * libpq's own waiting has no limit, so sockets are non-blocking and poll() waits. Three lines of
 * defence, the nearest first: the server ends a statement after SERVER_LIMIT_MS; ours ends a little
 * later; the kernel gives up a peer that does not answer probes or acknowledge data after some
 * 25 s, also on an idle connection. Only the look-up of a host name has no limit of ours.
 * All three, and the time for connecting, may be shortened by the conninfo (options='-c
 * statement_timeout=5s', tcp_user_timeout and keepalives_*, connect_timeout).
 *
 * Settings of the session, and why:
 * - synchronous_commit on where it is off: what db_txn() acknowledged survives a power cut.
 * - plan_cache_mode force_generic_plan: our statements are made for one index each, and planning
 *   them again for each set of values costs more than running them.
 * - enable_seqscan off: a small table would be read whole, and a serializable transaction that read
 *   a table whole conflicts with every change of it.
 * - jit off: it pays for statements of another kind than ours.
 * - idle_in_transaction_session_timeout: a daemon that was stopped must not hold rows that others,
 *   who take over its work, need. Nothing slow is done inside a transaction. */
#include "db_pg_link.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/random.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_S = 10,
	SERVER_MIN = 150000, /* version 15 */
};
#define SERVER_LIMIT_MS "25000"
#define OUR_LIMIT_MS(server_ms) ((server_ms) + (server_ms) / 10)
#define IDLE_LIMIT_MS "10000"

#define MAKE_ONE                                                                               \
	"make one for it: CREATE DATABASE maildesk TEMPLATE template0 ENCODING 'UTF8' LOCALE " \
	"'C.UTF-8'"

/* ---- failures ---- */

/* By the beginning of the SQLSTATE; the first that fits. */
static const struct meaning {
	const char *state;
	enum md_code code;
	int native;
	bool is_lost; /* the connection is of no use any more */
	const char *advice;
} meanings[] = {
	{ "40", MD_AGAIN, 0, false, "another transaction was in the way" },
	{ "55P03", MD_AGAIN, 0, false, "another transaction holds the row" },
	{ "57014", MD_AGAIN, 0, false, "it took too long, or an administrator stopped it" },
	{ "57", MD_AGAIN, 0, true, "the server is stopping or starting" },
	{ "25P03", MD_AGAIN, 0, true, "the daemon was stopped for too long" },
	{ "08", MD_AGAIN, 0, true, "" },
	{ "53100", MD_BROKEN, DB_NATIVE_FULL, false,
	  "no room left: free space on the database server, nothing else is needed" },
	{ "53300", MD_AGAIN, 0, true,
	  "raise max_connections of the database server, or the limit of the role" },
	{ "53", MD_AGAIN, 0, false, "the database server lacks resources" },
	{ "23", MD_CONFLICT, 0, false, "" },
	{ "22", MD_INPUT, 0, false, "" },
	{ "54", MD_INPUT, 0, false, "a value is larger than the database can hold" },
	{ "42501", MD_REFUSED, 0, false,
	  "make the desk's role the owner of its database, ALTER DATABASE name OWNER TO role, "
	  "and of what others made in it: REASSIGN OWNED BY other TO role" },
	{ "28", MD_REFUSED, 0, true,
	  "check user, password (passfile=FILE) and the server's pg_hba.conf" },
	{ "3D000", MD_REFUSED, 0, true, MAKE_ONE },
	{ "58", MD_BROKEN, 0, false, "look into the database server's log" },
	{ "XX", MD_BROKEN, 0, false,
	  "look into the database server's log; restore a backup if it stays" },
};

static const struct meaning *meaning_of(const char *state)
{
	for (size_t i = 0; i < MD_COUNT(meanings); i++)
		if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
			return &meanings[i];
	return NULL;
}

static int fail_as(const struct meaning *m, const char *what, const char *text, struct md_err *err)
{
	int n = (int)strcspn(text, "\n");

	if (!m)
		return md_fail(err, MD_BROKEN, 0, "%s: %.*s", what, n, text);
	return md_fail(err, m->code, m->native, "%s: %.*s%s%s", what, n, text,
		       *m->advice ? "; " : "", m->advice);
}

int pg_lost(struct db_link *l, const char *what, struct md_err *err)
{
	const char *text = PQerrorMessage(l->pg);

	l->lost = true;
	return md_fail(err, MD_AGAIN, 0, "%s: the connection to the database was lost: %.*s", what,
		       (int)strcspn(text, "\n"), text);
}

/* Only the primary message: the detail would quote rows. */
static int fail_by_result(struct db_link *l, const PGresult *r, const char *what,
			  struct md_err *err)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
	const struct meaning *m;

	if (!state || PQstatus(l->pg) == CONNECTION_BAD)
		return pg_lost(l, what, err);
	snprintf(l->state, sizeof l->state, "%s", state);
	m = meaning_of(state);
	if ((m && m->is_lost) || (severity && strcmp(severity, "ERROR") != 0))
		l->lost = true;
	if (l->lost && !m)
		return pg_lost(l, what, err);
	return fail_as(m, what, text ? text : state, err);
}

/* ---- waiting ---- */

int64_t pg_deadline(const struct db_link *l)
{
	return clock_mono(&clock_system) + l->answer_ms;
}

/* False: until_ms has passed. */
static bool wait_for(struct db_link *l, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = PQsocket(l->pg), .events = events };
	int64_t left = -1;

	if (until_ms >= 0) {
		left = until_ms - clock_mono(&clock_system);
		if (left < 0)
			return false;
	}
	/* A signal is not the end of it: whoever called comes back. */
	return poll(&p, 1, (int)left) != 0;
}

static int too_late(struct db_link *l, const char *what, struct md_err *err)
{
	l->lost = true;
	return md_fail(err, MD_AGAIN, 0, "%s: the database server did not answer in time", what);
}

static int wait_for_answer(struct db_link *l, const char *what, int64_t until_ms,
			   struct md_err *err)
{
	int unsent;

	while ((unsent = PQflush(l->pg)) != 0) {
		if (unsent < 0)
			return pg_lost(l, what, err);
		if (!wait_for(l, POLLIN | POLLOUT, until_ms))
			return too_late(l, what, err);
		if (!PQconsumeInput(l->pg))
			return pg_lost(l, what, err);
	}
	while (PQisBusy(l->pg)) {
		if (!wait_for(l, POLLIN, until_ms))
			return too_late(l, what, err);
		if (!PQconsumeInput(l->pg))
			return pg_lost(l, what, err);
	}
	return MD_OK;
}

int pg_next(struct db_link *l, const char *what, int64_t until_ms, PGresult **ret,
	    struct md_err *err)
{
	int rc = l->lost ? pg_lost(l, what, err) : wait_for_answer(l, what, until_ms, err);
	md_auto(pg_clear) PGresult *r = NULL;

	if (rc != MD_OK)
		return rc;
	r = PQgetResult(l->pg);
	if (r &&
	    (PQresultStatus(r) == PGRES_FATAL_ERROR || PQresultStatus(r) == PGRES_BAD_RESPONSE))
		return fail_by_result(l, r, what, err);
	*ret = md_take(r);
	return MD_OK;
}

int pg_finish(struct db_link *l, const char *what, int64_t until_ms, PGresult **ret,
	      struct md_err *err)
{
	md_auto(pg_clear) PGresult *last = NULL;
	int rc = MD_OK;

	for (;;) {
		PGresult *r = NULL;
		int now = pg_next(l, what, until_ms, &r, rc == MD_OK ? err : NULL);

		if (rc == MD_OK)
			rc = now;
		if (l->lost || (now == MD_OK && !r))
			break;
		if (r) {
			PQclear(last);
			last = r;
		}
	}
	if (rc == MD_OK && ret)
		*ret = md_take(last);
	return rc;
}

int pg_run(struct db_link *l, const char *sql, const char *what, int64_t until_ms, PGresult **ret,
	   struct md_err *err)
{
	if (l->lost || !PQsendQuery(l->pg, sql))
		return pg_lost(l, what, err);
	return pg_finish(l, what, until_ms, ret, err);
}

/* ---- connecting ---- */

/* "host=... failed: FATAL:  28P01: password ...": the code is in the text because that was asked
 * for (PQERRORS_VERBOSE); libpq has no other way to it before the connection stands. */
static const char *state_in(const char *text)
{
	for (const char *at = text; (at = strstr(at, ":  ")); at += 3) {
		size_t n = strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (n == 5 && at[8] == ':')
			return at + 3;
	}
	return NULL;
}

static int fail_to_connect(PGconn *pg, struct md_err *err)
{
	const char *text = PQerrorMessage(pg), *state = state_in(text);

	if (state)
		return fail_as(meaning_of(state), "database server", state + 7, err);
	/* The library's own finding, for which there is no code. */
	if (strstr(text, "session is read-only"))
		return md_fail(err, MD_AGAIN, 0,
			       "database server: it is a standby, or set to be read-only: name the "
			       "one that takes changes too (host=ONE,OTHER), or promote this one");
	if (PQconnectionNeedsPassword(pg))
		return md_fail(
			err, MD_REFUSED, 0,
			"database server: it wants a password: name a file by passfile=FILE "
			"with the line HOST:PORT:DATABASE:USER:PASSWORD, which the desk's user "
			"owns (chmod 600)");
	return md_fail(err, MD_AGAIN, 0,
		       "database server: %.*s; see that it runs, and that host and port are right",
		       (int)strcspn(text, "\n"), text);
}

static void ignore_notice(void *ctx, const PGresult *r)
{
	(void)ctx;
	(void)r;
}

/* The first ones give way to what the conninfo says, those after it do not. */
static PGconn *start(const char *conninfo)
{
	static const char *const names[] = { "connect_timeout",
					     "keepalives_idle",
					     "keepalives_interval",
					     "keepalives_count",
					     "tcp_user_timeout",
					     "fallback_application_name",
					     "dbname",
					     "client_encoding",
					     "target_session_attrs",
					     NULL };
	const char *const values[] = { "10",       "10",     "5",    "3",          "20000",
				       "maildesk", conninfo, "UTF8", "read-write", NULL };

	return PQconnectStartParams(names, values, 1);
}

static int connect_until(struct db_link *l, int64_t until_ms, struct md_err *err)
{
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;

	if (PQstatus(l->pg) == CONNECTION_BAD)
		return fail_to_connect(l->pg, err);
	PQsetErrorVerbosity(l->pg, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(l->pg, ignore_notice, NULL);
	while (step != PGRES_POLLING_OK) {
		if (!wait_for(l, step == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms))
			return md_fail(err, MD_AGAIN, 0, "database server: no connection in time");
		step = PQconnectPoll(l->pg);
		if (step == PGRES_POLLING_FAILED)
			return fail_to_connect(l->pg, err);
	}
	return PQsetnonblocking(l->pg, 1) == 0 ? MD_OK : pg_lost(l, "database server", err);
}

/* Settings, and what the database is, in one round trip. */
static const char set_up_sql[] =
	"SELECT pg_encoding_to_char(d.encoding), d.datcollate, d.datlocprovider, current_schema(),"
	" to_regclass('commits') IS NOT NULL,"
	" t.ms, set_config('statement_timeout', t.ms || '', false),"
	" set_config('idle_in_transaction_session_timeout', '" IDLE_LIMIT_MS "', false),"
	" set_config('lock_timeout', '%lld', false),"
	" set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
	" WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),"
	" set_config('plan_cache_mode', 'force_generic_plan', false),"
	" set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),"
	" set_config('bytea_output', 'hex', false), set_config('client_min_messages', 'error', "
	"false),"
	" set_config('standard_conforming_strings', 'on', false),"
	" set_config('client_connection_check_interval', '10s', false)"
	" FROM pg_catalog.pg_database d, (SELECT CASE WHEN s.ms BETWEEN 1 AND " SERVER_LIMIT_MS
	" THEN s.ms ELSE " SERVER_LIMIT_MS " END AS ms FROM (SELECT CAST(EXTRACT(EPOCH FROM"
	" CAST(current_setting('statement_timeout') AS interval)) * 1000 AS bigint) AS ms) s) t"
	" WHERE d.datname = current_database()";
enum {
	SET_UP_ENCODING,
	SET_UP_COLLATION,
	SET_UP_PROVIDER,
	SET_UP_SCHEMA,
	SET_UP_COMMITS,
	SET_UP_LIMIT,
};

/* Order by byte: that is how SQLite sorts, and it never changes with the server's libraries. */
static bool sorts_by_byte(const char *provider, const char *collation)
{
	return strcmp(provider, "c") == 0 &&
	       (strcmp(collation, "C") == 0 || strcmp(collation, "POSIX") == 0 ||
		strcasecmp(collation, "C.UTF-8") == 0 || strcasecmp(collation, "C.utf8") == 0);
}

static int check_database(struct db_link *l, const PGresult *r, struct md_err *err)
{
	const char *encoding = PQgetvalue(r, 0, SET_UP_ENCODING);
	const char *collation = PQgetvalue(r, 0, SET_UP_COLLATION);

	if (strcmp(encoding, "UTF8") != 0)
		return md_fail(err, MD_REFUSED, 0,
			       "the database's encoding is %s and not UTF8: " MAKE_ONE, encoding);
	if (!sorts_by_byte(PQgetvalue(r, 0, SET_UP_PROVIDER), collation))
		return md_fail(err, MD_REFUSED, 0,
			       "the database sorts by the rules of %s: " MAKE_ONE, collation);
	if (PQgetisnull(r, 0, SET_UP_SCHEMA))
		return md_fail(err, MD_REFUSED, 0,
			       "the database has no schema of the role's search_path: CREATE "
			       "SCHEMA it, or correct the search_path");
	l->has_commits = *PQgetvalue(r, 0, SET_UP_COMMITS) == 't';
	l->answer_ms = OUR_LIMIT_MS(strtoll(PQgetvalue(r, 0, SET_UP_LIMIT), NULL, 10));
	return MD_OK;
}

static int set_up(struct db_link *l, int64_t wait_ms, int64_t until_ms, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(4096);
	md_auto(pg_clear) PGresult *r = NULL;
	int rc;

	if (PQserverVersion(l->pg) < SERVER_MIN)
		return md_fail(err, MD_REFUSED, 0,
			       "the database server is PostgreSQL %d: 15 or newer is needed",
			       PQserverVersion(l->pg) / 10000);
	buf_addf(&sql, set_up_sql, (long long)wait_ms);
	if (sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	rc = pg_run(l, buf_str(&sql), "database settings", until_ms, &r, err);
	if (rc == MD_OK && (!r || PQntuples(r) != 1))
		rc = md_fail(err, MD_BROKEN, 0, "database settings: no answer");
	return rc == MD_OK ? check_database(l, r, err) : rc;
}

/* The text of the library may quote a password. */
static int check_conninfo(const char *conninfo, struct md_err *err)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool good = options && *conninfo;

	PQconninfoFree(options);
	if (!good)
		return md_fail(err, MD_INPUT, 0,
			       "database \"postgres:...\": expected postgres:CONNINFO like "
			       "\"postgres:host=db.example.com dbname=maildesk user=maildesk "
			       "sslmode=verify-full passfile=/etc/maildesk/pgpass\"");
	return MD_OK;
}

bool pg_has_password(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool has = false;

	/* "*" is the library's own mark of what not to show: password, sslpassword */
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		has |= o->val && *o->dispchar == '*';
	PQconninfoFree(options);
	return has;
}

static void name_session(struct db_link *l)
{
	md_auto(buf_done) struct buf hex = BUF_INIT(sizeof l->session);
	uint8_t name[16];

	random_fill(&random_system, name, sizeof name);
	hex_encode(&hex, name, sizeof name);
	snprintf(l->session, sizeof l->session, "%s", buf_str(&hex));
}

/* When it has to stand, settings and all. */
static int64_t connect_deadline(PGconn *pg)
{
	PQconninfoOption *options = PQconninfo(pg);
	int64_t s = 0;

	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val && strcmp(o->keyword, "connect_timeout") == 0)
			s = strtol(o->val, NULL, 10);
	PQconninfoFree(options);
	return clock_mono(&clock_system) + (s > 0 && s < CONNECT_S ? s : CONNECT_S) * 1000;
}

int pg_connect(const char *conninfo, int64_t wait_ms, struct db_link **ret, struct md_err *err)
{
	md_auto(pg_disconnect_p) struct db_link *l = NULL;
	int rc = check_conninfo(conninfo, err);
	int64_t until_ms;

	if (rc != MD_OK)
		return rc;
	l = md_calloc(1, sizeof *l);
	if (!l)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	l->stale.max = 64 << 10;
	name_session(l);
	l->pg = start(conninfo);
	if (!l->pg)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	until_ms = connect_deadline(l->pg);
	rc = connect_until(l, until_ms, err);
	if (rc == MD_OK)
		rc = set_up(l, wait_ms, until_ms, err);
	if (rc == MD_OK)
		*ret = md_take(l);
	return rc;
}

void pg_disconnect(struct db_link *l)
{
	if (!l)
		return;
	PQfinish(l->pg);
	buf_done(&l->stale);
	free(l);
}

bool pg_is_lost(const struct db_link *l)
{
	return l->lost || PQstatus(l->pg) == CONNECTION_BAD;
}

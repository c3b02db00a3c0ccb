/* transfer_sides.c - is the source a desk that may be moved, and the target a place for it? */
#include "transfer_priv.h"

#include <maildesk/store/leases.h>
#include <maildesk/store/schema.h>
#include <maildesk/store/settings.h>

#include <string.h>

enum {
	ORIGIN_BYTES = 64, /* of what names a desk */
	LEASES_BYTES = 64 << 20,
};

struct integer {
	bool found;
	int64_t v;
};

static int keep_integer(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	(void)n;
	(void)err;
	*(struct integer *)ctx = (struct integer){ true, row[0].integer };
	return MD_OK;
}

static int ask(struct db_conn *c, const char *sql, const char *table, struct integer *ret,
	       struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TRANSFER_TEXT_MAX);

	buf_addf(&text, "%s%s LIMIT 1", sql, table);
	if (text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "move: out of memory");
	*ret = (struct integer){ 0 };
	return db_values(c, buf_str(&text), DB_NONE, keep_integer, ret, err);
}

/* The desk's own secret names it, whatever its database is called; hashed, as it is one. A desk
 * that has never run has none, and its moves can't be told apart. Of a backup its time is a part.
 */
static int name_origin(struct transfer *m, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	uint8_t id[ORIGIN_BYTES + sizeof(int64_t)];
	size_t n = 0;
	int rc = db_read(m->from.db, &c, err);

	if (rc == MD_OK)
		rc = setting_get(c, "desk_id", id, ORIGIN_BYTES, &n, err);
	if (m->way->from_backup) {
		memcpy(id + n, &m->way->made_ms, sizeof m->way->made_ms);
		n += sizeof m->way->made_ms;
	}
	if (rc == MD_OK || rc == MD_NOTFOUND)
		sha256_hex(id, n, m->origin);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

/* A daemon on another machine holds a lease, whatever locks there are on this one. */
static int check_idle(struct transfer *m, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(LEASES_BYTES);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct lease *leases;
	size_t n = 0;
	int rc = db_read(m->from.db, &c, err);

	if (rc == MD_OK)
		rc = lease_list(c, &a, &leases, &n, err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		if (leases[i].left_ms > 0)
			rc = md_fail(err, MD_AGAIN, 0,
				     "a daemon works on this desk (it holds the lease \"%.100s\"): "
				     "stop it; after a crash wait %lld s",
				     leases[i].name, (long long)(leases[i].left_ms + 999) / 1000);
	return rc;
}

int transfer_check_source(struct transfer *m, struct md_err *err)
{
	enum schema_state state;
	int rc = schema_look(m->from.db, &state, err);

	if (rc == MD_OK && state == SCHEMA_NONE)
		rc = md_fail(err, MD_REFUSED, 0,
			     "there is no desk in it: correct the setting `database`");
	else if (rc == MD_OK && state == SCHEMA_OLDER)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it was made by an older maildesk: start the desk once, so that it is "
			     "brought up to date");
	else if (rc == MD_OK && (state == SCHEMA_BACKUP) != m->way->from_backup)
		rc = md_fail(err, MD_REFUSED, 0,
			     m->way->from_backup ? "it is no backup: name a file that `maildesk "
						   "backup` made"
						 : "it is a backup: `maildesk restore` makes a "
						   "desk of it");
	else if (rc == MD_OK && state == SCHEMA_TARGET)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it is itself the target of a move that was interrupted: finish that "
			     "first");
	if (rc == MD_OK && !m->way->online && !m->way->from_backup)
		rc = check_idle(m, err);
	return rc == MD_OK ? name_origin(m, err) : md_wrap(err, rc, "the source");
}

static int check_empty(struct db_conn *c, const struct transfer *m, struct md_err *err)
{
	struct integer found;

	for (size_t i = 0; i < m->n; i++) {
		int rc = ask(c, "SELECT 1 FROM ", m->tables[i].name, &found, err);

		if (rc != MD_OK)
			return rc;
		if (found.found)
			return md_fail(
				err, MD_REFUSED, 0,
				"it has a desk already (its table \"%s\" is not empty): name "
				"an empty database",
				m->tables[i].name);
	}
	return MD_OK;
}

static int mark_target(struct db_conn *c, void *ctx, struct md_err *err)
{
	static const char mark[] = "CREATE TABLE transfer (origin TEXT PRIMARY KEY,"
				   " begun_at {INT} NOT NULL) {STRICT}";
	const struct transfer *m = ctx;
	int rc = check_empty(c, m, err);

	if (rc == MD_OK)
		rc = db_script(c, mark, err);
	if (rc != MD_OK)
		return rc;
	return db_values(c, "INSERT INTO transfer (origin, begun_at) VALUES ($1, $2)",
			 DB_ARGS(DB_TEXT(m->origin), DB_INT(m->now_ms)), NULL, NULL, err);
}

static int check_mark(const struct transfer *m, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct integer found = { 0 };
	int rc = db_read(m->to, &c, err);

	if (rc == MD_OK)
		rc = db_values(c, "SELECT 1 FROM transfer WHERE origin = $1",
			       DB_ARGS(DB_TEXT(m->origin)), keep_integer, &found, err);
	if (rc == MD_OK && !found.found)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it is the unfinished target of another desk's move: name an empty "
			     "database");
	return rc;
}

int transfer_prepare_target(struct transfer *m, bool *ret_resumed, struct md_err *err)
{
	enum schema_state state;
	int rc = schema_look(m->to, &state, err);

	*ret_resumed = rc == MD_OK && state == SCHEMA_TARGET;
	if (rc == MD_OK && state == SCHEMA_OLDER)
		rc = md_fail(err, MD_REFUSED, 0,
			     "it has a desk of an older maildesk: name an empty database");
	else if (rc == MD_OK && state == SCHEMA_BACKUP)
		rc = md_fail(err, MD_REFUSED, 0, "it is a backup: name an empty database");
	else if (*ret_resumed)
		rc = check_mark(m, err);
	if (rc == MD_OK && state == SCHEMA_NONE)
		rc = schema_ensure(m->to, err);
	if (rc == MD_OK && !*ret_resumed)
		rc = db_txn(m->to, mark_target, m, err);
	return rc == MD_OK ? MD_OK : md_wrap(err, rc, "the target");
}

int64_t transfer_count_rows(const struct transfer_side *side, const struct transfer *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n; i++) {
		md_auto(db_read_done_p) struct db_conn *own = NULL;
		struct integer rows;

		if ((!side->snapshot && db_read(side->db, &own, NULL) != MD_OK) ||
		    ask(own ? own : side->snapshot, "SELECT COUNT(*) FROM ", m->tables[i].name,
			&rows, NULL) != MD_OK)
			return 0;
		sum += rows.v;
	}
	return sum;
}

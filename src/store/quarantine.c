/* quarantine.c - rows of quarantine.h. */
#include <maildesk/store/quarantine.h>

#include "query.h"

#include <string.h>

static const struct db_col quarantine_cols[] = {
	{ DB_COL_INT, offsetof(struct quarantine_row, id) },
	{ DB_COL_INT, offsetof(struct quarantine_row, message_id) },
	{ DB_COL_TEXT, offsetof(struct quarantine_row, cause) },
	{ DB_COL_TEXT, offsetof(struct quarantine_row, detail) },
	{ DB_COL_INT, offsetof(struct quarantine_row, created_at) },
	{ DB_COL_INT, offsetof(struct quarantine_row, mailbox_id) },
	{ DB_COL_INT, offsetof(struct quarantine_row, size) },
	{ DB_COL_INT, offsetof(struct quarantine_row, blob_id) },
	{ DB_COL_TEXT, offsetof(struct quarantine_row, from_address) },
	{ DB_COL_TEXT, offsetof(struct quarantine_row, subject) },
	{ DB_COL_TEXT, offsetof(struct quarantine_row, mail_id) },
};
static const struct db_map quarantine_map = DB_MAP(quarantine_row, quarantine_cols);

DB_SQL(sql_quarantine_add, "INSERT INTO quarantine (message_id, cause, detail, created_at)"
			   " VALUES ($1, $2, $3, $4) ON CONFLICT (message_id) DO NOTHING");
#define QUARANTINE_SELECT                                                           \
	"SELECT q.id, q.message_id, q.cause, q.detail, q.created_at,"               \
	" m.mailbox_id, m.size, m.blob_id, m.from_address, m.subject, m.message_id" \
	" FROM quarantine q JOIN messages m ON m.id = q.message_id"
DB_SQL(sql_quarantine_get, QUARANTINE_SELECT " WHERE q.id = $1");
DB_SQL(sql_quarantine_list,
       QUARANTINE_SELECT " WHERE q.id < $1 ORDER BY q.id DESC LIMIT $2 OFFSET $3");
DB_SQL(sql_quarantine_remove_ticket,
       "DELETE FROM quarantine WHERE cause = 'spam' AND message_id IN"
       " (SELECT m.message_id FROM comments m WHERE m.ticket_id = $1)");
DB_SQL(sql_quarantine_remove, "DELETE FROM quarantine WHERE id = $1");
DB_SQL(sql_quarantine_count, QUERY_COUNT_BEGIN " FROM quarantine q" QUERY_COUNT_END);

int quarantine_add(struct db_conn *c, int64_t message, const char *cause, const char *detail,
		   int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_quarantine_add,
		       DB_ARGS(DB_INT(message), DB_TEXT(cause), DB_TEXT(detail), DB_INT(now_ms)),
		       NULL, err);
}

int quarantine_remove_ticket(struct db_conn *c, int64_t ticket, struct md_err *err)
{
	return db_exec(c, &sql_quarantine_remove_ticket, DB_ARGS(DB_INT(ticket)), NULL, err);
}

int quarantine_list(struct db_conn *c, int64_t before, int64_t offset, int64_t limit,
		    struct arena *a, struct quarantine_row **ret, size_t *ret_n, int64_t *ret_total,
		    struct md_err *err)
{
	int64_t total;
	int rc = db_int(c, &sql_quarantine_count, DB_NONE, &total, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_quarantine_list,
			    DB_ARGS(DB_INT(before ? before : INT64_MAX), DB_INT(limit),
				    DB_INT(offset)),
			    &quarantine_map, (size_t)limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = total;
	return rc;
}

int quarantine_get(struct db_conn *c, int64_t id, struct arena *a, struct quarantine_row *ret,
		   struct md_err *err)
{
	return db_one(c, &sql_quarantine_get, DB_ARGS(DB_INT(id)), &quarantine_map, a, ret, err);
}

static int remove_one(struct db_conn *c, const struct db_sql *sql, int64_t id, const char *what,
		      struct md_err *err)
{
	int64_t n;
	int rc = db_exec(c, sql, DB_ARGS(DB_INT(id)), &n, err);

	return rc == MD_OK && n == 0
		       ? md_fail(err, MD_NOTFOUND, 0, "no such %s: %lld", what, (long long)id)
		       : rc;
}

int quarantine_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	return remove_one(c, &sql_quarantine_remove, id, "mail in quarantine", err);
}

/* ---- blocked senders ---- */

static const struct db_col blocked_cols[] = {
	{ DB_COL_INT, offsetof(struct blocked_sender, id) },
	{ DB_COL_TEXT, offsetof(struct blocked_sender, sender) },
	{ DB_COL_INT, offsetof(struct blocked_sender, created_by) },
	{ DB_COL_INT, offsetof(struct blocked_sender, created_at) },
};
static const struct db_map blocked_map = DB_MAP(blocked_sender, blocked_cols);

DB_SQL(sql_blocked_add, "INSERT INTO blocked_senders (sender, created_by, created_at)"
			" VALUES ($1, $2, $3) ON CONFLICT (sender) DO NOTHING");
DB_SQL(sql_blocked_id, "SELECT b.id FROM blocked_senders b WHERE b.sender = $1");
DB_SQL(sql_blocked_remove, "DELETE FROM blocked_senders WHERE id = $1");
DB_SQL(sql_blocked_list, "SELECT b.id, b.sender, b.created_by, b.created_at FROM blocked_senders b"
			 " WHERE b.id < $1 ORDER BY b.id DESC LIMIT $2 OFFSET $3");
DB_SQL(sql_blocked_count, QUERY_COUNT_BEGIN " FROM blocked_senders b" QUERY_COUNT_END);
DB_SQL(sql_blocked_is, "SELECT b.id FROM blocked_senders b WHERE b.sender IN ($1, $2) LIMIT 1");

int blocked_add(struct db_conn *c, const char *sender, int64_t by, int64_t now_ms, int64_t *ret_id,
		struct md_err *err)
{
	int rc = db_exec(c, &sql_blocked_add, DB_ARGS(DB_TEXT(sender), DB_ID(by), DB_INT(now_ms)),
			 NULL, err);

	return rc == MD_OK ? db_int(c, &sql_blocked_id, DB_ARGS(DB_TEXT(sender)), ret_id, err) : rc;
}

int blocked_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	return remove_one(c, &sql_blocked_remove, id, "blocked sender", err);
}

int blocked_list(struct db_conn *c, int64_t before, int64_t offset, int64_t limit, struct arena *a,
		 struct blocked_sender **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	int64_t total;
	int rc = db_int(c, &sql_blocked_count, DB_NONE, &total, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_blocked_list,
			    DB_ARGS(DB_INT(before ? before : INT64_MAX), DB_INT(limit),
				    DB_INT(offset)),
			    &blocked_map, (size_t)limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = total;
	return rc;
}

int blocked_is(struct db_conn *c, const char *address, bool *ret, struct md_err *err)
{
	const char *domain = strrchr(address, '@');
	int64_t id;
	int rc = db_int(c, &sql_blocked_is,
			DB_ARGS(DB_TEXT(address), DB_TEXT(domain ? domain : address)), &id, err);

	*ret = rc == MD_OK;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

struct sender {
	const char *text;
};
static const struct db_col sender_cols[] = { { DB_COL_TEXT, offsetof(struct sender, text) } };
static const struct db_map sender_map = DB_MAP(sender, sender_cols);
_Static_assert(sizeof(struct sender) == sizeof(const char *), "rows are the array of rec_strs");

int blocked_among(struct db_conn *c, const struct rec_strs *senders, struct arena *a,
		  struct rec_strs *ret, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(senders->n, err);

	ret->n = 0;
	if (rc != MD_OK || senders->n == 0)
		return rc;
	query_add_texts(&q, "SELECT b.sender FROM blocked_senders b WHERE b.sender IN ", senders->v,
			senders->n);
	return query_all(&q, c, &sender_map, senders->n, a, &ret->v, &ret->n, err);
}

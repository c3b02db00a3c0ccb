#include <maildesk/store/digests.h>

#include "query.h"

#define ITEM_COLUMNS                                                                           \
	"i.id, i.user_id, i.ticket_id, i.comment_id, i.actor_id, i.event, i.detail, i.due_at," \
	" i.created_at, u.name FROM digest_items i LEFT JOIN users u ON u.id = i.actor_id"
static const struct db_col item_cols[] = {
	{ DB_COL_INT, offsetof(struct digest_item, id) },
	{ DB_COL_INT, offsetof(struct digest_item, user_id) },
	{ DB_COL_INT, offsetof(struct digest_item, ticket_id) },
	{ DB_COL_INT, offsetof(struct digest_item, comment_id) },
	{ DB_COL_INT, offsetof(struct digest_item, actor_id) },
	{ DB_COL_TEXT, offsetof(struct digest_item, event) },
	{ DB_COL_TEXT, offsetof(struct digest_item, detail) },
	{ DB_COL_INT, offsetof(struct digest_item, due_at) },
	{ DB_COL_INT, offsetof(struct digest_item, created_at) },
	{ DB_COL_TEXT, offsetof(struct digest_item, actor_name) },
};
static const struct db_map item_map = DB_MAP(digest_item, item_cols);

DB_SQL(sql_add, "INSERT INTO digest_items (user_id, ticket_id, comment_id, actor_id, event, detail,"
		" due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
DB_SQL(sql_waiting, "SELECT i.due_at FROM digest_items i WHERE i.user_id = $1 AND i.due_at > $2"
		    " ORDER BY i.due_at LIMIT 1");
DB_SQL(sql_next_due, "SELECT i.due_at FROM digest_items i ORDER BY i.due_at, i.user_id LIMIT 1");
DB_SQL(sql_due_users, "SELECT DISTINCT i.user_id FROM digest_items i WHERE i.due_at <= $1"
		      " ORDER BY i.user_id LIMIT $2");
DB_SQL(sql_lock, "SELECT i.id FROM digest_items i WHERE i.user_id = $1 AND i.due_at <= $2"
		 " ORDER BY i.id LIMIT $3 {SKIP}");
DB_SQL(sql_move, "UPDATE digest_items SET due_at = $1 WHERE user_id = $2");
DB_SQL(sql_count_single, "SELECT COUNT(*) FROM (SELECT 1 FROM outbox o WHERE o.recipient = $1"
			 " AND o.created_at > $2 AND o.ticket_id IS NOT NULL AND o.event NOT IN"
			 " ('transcript', 'confirmation', 'confirmation_expired', 'unverified')"
			 " LIMIT $3) AS counted");

int digest_add(struct db_conn *c, const struct digest_item *i, struct md_err *err)
{
	return db_insert(c, &sql_add,
			 DB_ARGS(DB_INT(i->user_id), DB_INT(i->ticket_id), DB_ID(i->comment_id),
				 DB_ID(i->actor_id), DB_TEXT(i->event), DB_TEXT(i->detail),
				 DB_INT(i->due_at), DB_INT(i->created_at)),
			 err);
}

int digest_waiting(struct db_conn *c, int64_t user, int64_t now_ms, int64_t *ret_due_ms,
		   struct md_err *err)
{
	return db_int(c, &sql_waiting, DB_ARGS(DB_INT(user), DB_INT(now_ms)), ret_due_ms, err);
}

int digest_next_due(struct db_conn *c, int64_t *ret_ms, struct md_err *err)
{
	return db_int(c, &sql_next_due, DB_NONE, ret_ms, err);
}

int digest_due_users(struct db_conn *c, int64_t now_ms, size_t limit, struct arena *a,
		     int64_t **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_due_users, DB_ARGS(DB_INT(now_ms), DB_INT((int64_t)limit)),
		      &db_map_int, limit, a, ret, ret_n, err);
}

int digest_take(struct db_conn *c, int64_t user, int64_t now_ms, size_t limit, struct arena *a,
		struct digest_item **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query select = QUERY_INIT, drop = QUERY_INIT;
	int64_t *ids, *gone;
	size_t n = 0, n_gone;
	int rc;

	*ret_n = 0;
	if (limit > QUERY_LIST_MAX)
		limit = QUERY_LIST_MAX;
	rc = db_all(c, &sql_lock, DB_ARGS(DB_INT(user), DB_INT(now_ms), DB_INT((int64_t)limit)),
		    &db_map_int, limit, a, &ids, &n, err);
	if (rc != MD_OK || n == 0)
		return rc;
	query_add_ints(&select, "SELECT " ITEM_COLUMNS " WHERE i.id IN ", ids, n);
	query_add(&select, " ORDER BY i.id");
	rc = query_all(&select, c, &item_map, n, a, ret, ret_n, err);
	query_add_ints(&drop, "DELETE FROM digest_items WHERE id IN ", ids, n);
	query_add(&drop, " RETURNING id");
	return rc == MD_OK ? query_all(&drop, c, &db_map_int, n, a, &gone, &n_gone, err) : rc;
}

int digest_move(struct db_conn *c, int64_t user, int64_t due_ms, struct md_err *err)
{
	db_notify(c, DB_TOPIC_TIMERS);
	return db_exec(c, &sql_move, DB_ARGS(DB_INT(due_ms), DB_INT(user)), NULL, err);
}

int digest_count_single(struct db_conn *c, const char *recipient, int64_t since_ms, int64_t most,
			int64_t *ret, struct md_err *err)
{
	return db_int(c, &sql_count_single,
		      DB_ARGS(DB_TEXT(recipient), DB_INT(since_ms), DB_INT(most)), ret, err);
}

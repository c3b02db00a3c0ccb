/* history.c - what happened to a ticket; rows are only ever added. */
#include <maildesk/store/comments.h>

#include "query.h"

enum { OF_ACTOR_MAX = 1000 };

static const struct db_col history_cols[] = {
	{ DB_COL_INT, offsetof(struct history, id) },
	{ DB_COL_INT, offsetof(struct history, ticket_id) },
	{ DB_COL_INT, offsetof(struct history, actor_id) },
	{ DB_COL_TEXT, offsetof(struct history, action) },
	{ DB_COL_TEXT, offsetof(struct history, old_value) },
	{ DB_COL_TEXT, offsetof(struct history, new_value) },
	{ DB_COL_TEXT, offsetof(struct history, source) },
	{ DB_COL_INT, offsetof(struct history, trust) },
	{ DB_COL_INT, offsetof(struct history, message_id) },
	{ DB_COL_BOOL, offsetof(struct history, is_public) },
	{ DB_COL_INT, offsetof(struct history, at) },
	{ DB_COL_TEXT, offsetof(struct history, actor_name) },
	{ DB_COL_TEXT, offsetof(struct history, actor_role) },
	{ DB_COL_INT, offsetof(struct history, old_number) },
	{ DB_COL_INT, offsetof(struct history, new_number) },
	{ DB_COL_INT, offsetof(struct history, version) },
};
static const struct db_map history_map = DB_MAP(history, history_cols);

DB_SQL(sql_add, "INSERT INTO ticket_history (ticket_id, actor_id, action, old_value, new_value,"
		" source, trust, message_id, is_public, at, old_number, new_number, version)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
#define HISTORY_COLUMNS                                                                \
	"h.id, h.ticket_id, h.actor_id, h.action, h.old_value, h.new_value, h.source," \
	" COALESCE(h.trust, -1), h.message_id, h.is_public, h.at, u.name, u.role,"     \
	" h.old_number, h.new_number, h.version"                                       \
	" FROM ticket_history h LEFT JOIN users u ON u.id = h.actor_id"
DB_SQL(sql_of_actor, "SELECT " HISTORY_COLUMNS " WHERE h.ticket_id = $1 AND h.actor_id = $2"
		     " AND h.at >= $3 AND h.version IS NOT NULL ORDER BY h.id DESC LIMIT $4");
/* $2 is 1 for the public rows, 0 for all. */
DB_SQL(sql_list, "SELECT " HISTORY_COLUMNS " WHERE h.ticket_id = $1 AND h.is_public >= $2 AND h.id "
		 "> $3 ORDER BY h.id LIMIT $4 OFFSET $5");
DB_SQL(sql_count, QUERY_COUNT_BEGIN " FROM ticket_history h WHERE h.ticket_id = $1"
				    " AND h.is_public >= $2" QUERY_COUNT_END);

int history_add(struct db_conn *c, const struct history *h, struct md_err *err)
{
	struct db_arg trust = h->trust < 0 ? DB_ID(0) : DB_INT(h->trust);

	return db_insert(c, &sql_add,
			 DB_ARGS(DB_INT(h->ticket_id), DB_ID(h->actor_id), DB_TEXT(h->action),
				 DB_TEXT(h->old_value), DB_TEXT(h->new_value), DB_TEXT(h->source),
				 trust, DB_ID(h->message_id), DB_INT(h->is_public), DB_INT(h->at),
				 DB_ID(h->old_number), DB_ID(h->new_number), DB_ID(h->version)),
			 err);
}

int history_of_actor(struct db_conn *c, int64_t ticket, int64_t actor, int64_t since_ms,
		     struct arena *a, struct history **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_of_actor,
		      DB_ARGS(DB_INT(ticket), DB_INT(actor), DB_INT(since_ms),
			      DB_INT(OF_ACTOR_MAX)),
		      &history_map, OF_ACTOR_MAX, a, ret, ret_n, err);
}

int history_list(struct db_conn *c, int64_t ticket, bool public_only, int64_t after, int64_t offset,
		 int64_t limit, struct arena *a, struct history **ret, size_t *ret_n,
		 int64_t *ret_total, struct md_err *err)
{
	int64_t total;
	int rc = db_int(c, &sql_count, DB_ARGS(DB_INT(ticket), DB_INT(public_only)), &total, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_list,
			    DB_ARGS(DB_INT(ticket), DB_INT(public_only), DB_INT(after),
				    DB_INT(limit), DB_INT(offset)),
			    &history_map, (size_t)limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = total;
	return rc;
}

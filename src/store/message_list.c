/* message_list.c - pages of mails by filter. The page's ids are found first; what is shown beside
 * them is joined for those few. */
#include <maildesk/store/messages.h>

#include "message_columns.h"
#include "query.h"

#define VIEW_COLUMNS                                                                             \
	MESSAGE_COLUMNS ", COALESCE(m.comment_id, d.comment_id), b.name, o.state, o.last_reply," \
			" o.recipient, o.user_id"
#define VIEW_JOINS                                      \
	" LEFT JOIN decisions d ON d.message_id = m.id" \
	" LEFT JOIN mailboxes b ON b.id = m.mailbox_id" \
	" LEFT JOIN outbox o ON o.message_id = m.id"

static const struct db_col view_cols[] = {
	MESSAGE_MAP_COLUMNS(struct message_view, m.),
	{ DB_COL_INT, offsetof(struct message_view, comment_id) },
	{ DB_COL_TEXT, offsetof(struct message_view, mailbox) },
	{ DB_COL_TEXT, offsetof(struct message_view, state) },
	{ DB_COL_TEXT, offsetof(struct message_view, last_reply) },
	{ DB_COL_TEXT, offsetof(struct message_view, recipient) },
	{ DB_COL_INT, offsetof(struct message_view, recipient_id) },
};
static const struct db_map view_map = DB_MAP(message_view, view_cols);

DB_SQL(sql_view, "SELECT " VIEW_COLUMNS " FROM messages m" VIEW_JOINS " WHERE m.id = $1");

int message_view_get(struct db_conn *c, int64_t id, struct arena *a, struct message_view *ret,
		     struct md_err *err)
{
	return db_one(c, &sql_view, DB_ARGS(DB_INT(id)), &view_map, a, ret, err);
}

static void add_words(struct query *q, const char *piece, const struct rec_strs *words)
{
	if (words->n)
		query_add_texts(q, piece, words->v, words->n);
}

static void add_filter(struct query *q, const struct message_filter *f)
{
	query_add(q, " FROM messages m WHERE 1 = 1");
	add_words(q, " AND m.message_id IN ", &f->message_id);
	if (f->ticket.n)
		query_add_ints(q, " AND m.ticket_id IN ", f->ticket.v, f->ticket.n);
	if (f->mailbox.n) {
		query_add(q, " AND m.mailbox_id IN (SELECT b.id FROM mailboxes b WHERE");
		add_words(q, " b.name IN ", &f->mailbox);
		query_add(q, ")");
	}
	add_words(q, " AND m.direction IN ", &f->direction);
	add_words(q, " AND m.kind IN ", &f->kind);
	if (f->outcome.n) {
		query_add(q, " AND m.id IN (SELECT d.message_id FROM decisions d WHERE");
		add_words(q, " d.outcome IN ", &f->outcome);
		query_add(q, ")");
	}
	if (f->public_to)
		query_add_arg(q,
			      " AND (EXISTS (SELECT 1 FROM decisions d JOIN comments k"
			      " ON k.id = d.comment_id WHERE d.message_id = m.id"
			      " AND k.is_internal = 0 AND k.deleted_at IS NULL)"
			      " OR EXISTS (SELECT 1 FROM outbox o WHERE o.message_id = m.id"
			      " AND o.user_id = ?))",
			      DB_INT(f->public_to));
}

int message_list(struct db_conn *c, const struct message_filter *f, struct arena *a,
		 struct message_view **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	md_auto(query_done) struct query count = QUERY_INIT, page = QUERY_INIT;
	int64_t *total;
	size_t n;
	int rc;

	query_add(&count, QUERY_COUNT_BEGIN);
	add_filter(&count, f);
	query_add(&count, QUERY_COUNT_END);
	rc = query_all(&count, c, &db_map_int, 1, a, &total, &n, err);
	if (rc != MD_OK)
		return rc;
	query_add(&page, "SELECT " VIEW_COLUMNS " FROM (SELECT m.id AS page_id");
	add_filter(&page, f);
	if (f->behind)
		query_add_arg(&page, " AND m.id < ?", DB_INT(f->behind));
	query_add_arg(&page, " ORDER BY m.id DESC LIMIT ?", DB_INT(f->limit));
	query_add_arg(&page, " OFFSET ?", DB_INT(f->offset));
	query_add(&page, ") AS page JOIN messages m ON m.id = page.page_id" VIEW_JOINS
			 " ORDER BY m.id DESC");
	rc = query_all(&page, c, &view_map, (size_t)f->limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = *total;
	return rc;
}

#include <maildesk/store/comments.h>
#include <maildesk/store/search.h>

#include "query.h"

enum { HELD_MAX = 1000 };

#define COMMENT_COLUMNS                                                                           \
	"m.id, m.ticket_id, m.author_id, m.message_id, m.is_internal, m.held, m.channel, m.body," \
	" m.body_full, m.body_html, m.created_at, m.edited_at, m.deleted_at, u.name, u.role,"     \
	" m.origin_id"                                                                            \
	" FROM comments m LEFT JOIN users u ON u.id = m.author_id"
static const struct db_col comment_cols[] = {
	{ DB_COL_INT, offsetof(struct comment, id) },
	{ DB_COL_INT, offsetof(struct comment, ticket_id) },
	{ DB_COL_INT, offsetof(struct comment, author_id) },
	{ DB_COL_INT, offsetof(struct comment, message_id) },
	{ DB_COL_BOOL, offsetof(struct comment, is_internal) },
	{ DB_COL_TEXT, offsetof(struct comment, held) },
	{ DB_COL_TEXT, offsetof(struct comment, channel) },
	{ DB_COL_TEXT, offsetof(struct comment, body) },
	{ DB_COL_TEXT, offsetof(struct comment, body_full) },
	{ DB_COL_TEXT, offsetof(struct comment, body_html) },
	{ DB_COL_INT, offsetof(struct comment, created_at) },
	{ DB_COL_INT, offsetof(struct comment, edited_at) },
	{ DB_COL_INT, offsetof(struct comment, deleted_at) },
	{ DB_COL_TEXT, offsetof(struct comment, author_name) },
	{ DB_COL_TEXT, offsetof(struct comment, author_role) },
	{ DB_COL_INT, offsetof(struct comment, origin_id) },
};
static const struct db_map comment_map = DB_MAP(comment, comment_cols);

DB_SQL(sql_insert, "INSERT INTO comments (id, ticket_id, author_id, message_id, is_internal, held,"
		   " channel, body, body_full, created_at, origin_id, body_html)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
DB_SQL(sql_get, "SELECT " COMMENT_COLUMNS " WHERE m.id = $1");
/* $2 is 1 with internal notes, 0 without. */
DB_SQL(sql_list, "SELECT " COMMENT_COLUMNS " WHERE m.ticket_id = $1 AND m.deleted_at IS NULL"
		 " AND m.is_internal <= $2 AND m.id > $3 ORDER BY m.id LIMIT $4 OFFSET $5");
DB_SQL(sql_count, QUERY_COUNT_BEGIN " FROM comments m WHERE m.ticket_id = $1"
				    " AND m.deleted_at IS NULL"
				    " AND m.is_internal <= $2" QUERY_COUNT_END);
/* $3 to $5 as struct comment_reader. */
#define SEEN_BY_READER                                                               \
	" JOIN tickets t ON t.id = m.ticket_id WHERE m.author_id = $1 AND m.id < $2" \
	" AND m.deleted_at IS NULL AND m.is_internal <= $3 AND t.deleted_at IS NULL" \
	" AND (CAST($4 AS {INT}) = 0 OR EXISTS (SELECT 1 FROM ticket_participants p" \
	" WHERE p.ticket_id = m.ticket_id AND p.user_id = $4 AND p.pending = 0)"     \
	" OR t.organisation_id = $5)"
DB_SQL(sql_list_by, "SELECT " COMMENT_COLUMNS SEEN_BY_READER " ORDER BY m.id DESC"
		    " LIMIT $6 OFFSET $7");
DB_SQL(sql_count_by, QUERY_COUNT_BEGIN " FROM comments m" SEEN_BY_READER QUERY_COUNT_END);
DB_SQL(sql_save, "UPDATE comments SET is_internal = $1, held = $2, body = $3, body_full = $4,"
		 " body_html = $5, edited_at = $6, deleted_at = $7 WHERE id = $8");
DB_SQL(sql_first_body, "SELECT CASE WHEN m.deleted_at IS NULL THEN m.body ELSE '' END"
		       " FROM comments m WHERE m.ticket_id = $1 AND m.origin_id IS NULL"
		       " ORDER BY m.id LIMIT 1");
DB_SQL(sql_first, "SELECT m.id FROM comments m WHERE m.ticket_id = $1 AND m.origin_id IS NULL"
		  " ORDER BY m.id LIMIT 1");
DB_SQL(sql_held_by, "SELECT " COMMENT_COLUMNS " WHERE m.ticket_id = $1 AND m.author_id = $2"
		    " AND m.held IS NOT NULL AND m.deleted_at IS NULL ORDER BY m.id");

int comment_insert(struct db_conn *c, const struct comment *m, int64_t *ret_id, struct md_err *err)
{
	int64_t id;
	int rc = db_new_id(c, "comments", &id, err);

	if (rc == MD_OK)
		rc = db_insert(c, &sql_insert,
			       DB_ARGS(DB_INT(id), DB_INT(m->ticket_id), DB_ID(m->author_id),
				       DB_ID(m->message_id), DB_INT(m->is_internal),
				       DB_TEXT(m->held), DB_TEXT(m->channel), DB_TEXT(m->body),
				       DB_TEXT(m->body_full), DB_INT(m->created_at),
				       DB_ID(m->origin_id), DB_TEXT(m->body_html)),
			       err);
	if (rc != MD_OK)
		return rc;
	*ret_id = id;
	return search_queue_comment(c, id, err);
}

int comment_get(struct db_conn *c, int64_t id, struct arena *a, struct comment *ret,
		struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &comment_map, a, ret, err);
}

int comment_list(struct db_conn *c, int64_t ticket, bool with_internal, int64_t after,
		 int64_t offset, int64_t limit, struct arena *a, struct comment **ret,
		 size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	int64_t total;
	int rc = db_int(c, &sql_count, DB_ARGS(DB_INT(ticket), DB_INT(with_internal)), &total, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_list,
			    DB_ARGS(DB_INT(ticket), DB_INT(with_internal), DB_INT(after),
				    DB_INT(limit), DB_INT(offset)),
			    &comment_map, (size_t)limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = total;
	return rc;
}

int comment_list_by(struct db_conn *c, int64_t author, const struct comment_reader *reader,
		    int64_t before, int64_t offset, int64_t limit, struct arena *a,
		    struct comment **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	int64_t total;
	int rc = db_int(c, &sql_count_by,
			DB_ARGS(DB_INT(author), DB_INT(INT64_MAX), DB_INT(reader->with_internal),
				DB_INT(reader->visible_to), DB_ID(reader->shared_with)),
			&total, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_list_by,
			    DB_ARGS(DB_INT(author), DB_INT(before ? before : INT64_MAX),
				    DB_INT(reader->with_internal), DB_INT(reader->visible_to),
				    DB_ID(reader->shared_with), DB_INT(limit), DB_INT(offset)),
			    &comment_map, (size_t)limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = total;
	return rc;
}

int comment_save(struct db_conn *c, const struct comment *m, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_save,
			 DB_ARGS(DB_INT(m->is_internal), DB_TEXT(m->held), DB_TEXT(m->body),
				 DB_TEXT(m->body_full), DB_TEXT(m->body_html), DB_ID(m->edited_at),
				 DB_ID(m->deleted_at), DB_INT(m->id)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "no comment %lld", (long long)m->id);
	return rc == MD_OK ? search_queue_comment(c, m->id, err) : rc;
}

int comment_held_by(struct db_conn *c, int64_t ticket, int64_t author, struct arena *a,
		    struct comment **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_held_by, DB_ARGS(DB_INT(ticket), DB_INT(author)), &comment_map,
		      HELD_MAX, a, ret, ret_n, err);
}

int comment_first(struct db_conn *c, int64_t ticket, int64_t *ret_id, struct md_err *err)
{
	int rc = db_int(c, &sql_first, DB_ARGS(DB_INT(ticket)), ret_id, err);

	if (rc != MD_NOTFOUND)
		return rc;
	*ret_id = 0;
	return MD_OK;
}

struct body {
	const char *text;
};
static const struct db_col body_cols[] = { { DB_COL_TEXT, offsetof(struct body, text) } };
static const struct db_map body_map = DB_MAP(body, body_cols);

int comment_first_body(struct db_conn *c, int64_t ticket, struct arena *a, const char **ret,
		       struct md_err *err)
{
	struct body body = { "" };
	int rc = db_one(c, &sql_first_body, DB_ARGS(DB_INT(ticket)), &body_map, a, &body, err);

	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	*ret = body.text;
	return MD_OK;
}

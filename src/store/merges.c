/* merges.c - what moves when tickets become one, and when they part again; links between tickets.
 *
 * Nothing is copied: a comment or mail of a merged ticket lies with the survivor at the end of the
 * chain and remembers in origin_id where it was born, so that any ticket of a chain can be taken
 * out again. Participants are copied, for the merged ticket keeps its own. */
#include <maildesk/store/search.h>
#include <maildesk/store/tickets.h>

#include "query.h"

enum { MERGED_MAX = 1000, CHAIN_MAX = 64, LINKS_MAX = 1000 };

/* ---- merging ---- */

DB_SQL(sql_comments_merge, "UPDATE comments SET origin_id = COALESCE(origin_id, ticket_id),"
			   " ticket_id = $1 WHERE ticket_id = $2");
DB_SQL(sql_messages_merge, "UPDATE messages SET origin_id = COALESCE(origin_id, ticket_id),"
			   " ticket_id = $1 WHERE ticket_id = $2");
DB_SQL(sql_participants_merge,
       "INSERT INTO ticket_participants (ticket_id, user_id, role, muted, pending, since_at,"
       " origin_id) SELECT CAST($1 AS {INT}), p.user_id,"
       " CASE WHEN p.role = 'requester' THEN 'cc' ELSE p.role END, p.muted, p.pending,"
       " CAST($2 AS {INT}), COALESCE(p.origin_id, p.ticket_id) FROM ticket_participants p"
       " WHERE p.ticket_id = $3 ON CONFLICT (ticket_id, user_id) DO NOTHING");

int ticket_contents_merge(struct db_conn *c, int64_t from, int64_t into, int64_t now_ms,
			  struct md_err *err)
{
	int rc = db_exec(c, &sql_comments_merge, DB_ARGS(DB_INT(into), DB_INT(from)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_messages_merge, DB_ARGS(DB_INT(into), DB_INT(from)), NULL,
			     err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_participants_merge,
			     DB_ARGS(DB_INT(into), DB_INT(now_ms), DB_INT(from)), NULL, err);
	return rc == MD_OK ? search_queue_ticket(c, into, err) : rc;
}

/* ---- and back ---- */

DB_SQL(sql_merged, "SELECT t.id FROM tickets t WHERE t.merged_into = $1 ORDER BY t.id");
DB_SQL(sql_comments_back, "UPDATE comments SET ticket_id = $1, origin_id = NULLIF(origin_id, $1)"
			  " WHERE ticket_id = $2 AND origin_id = $3");
DB_SQL(sql_messages_back, "UPDATE messages SET ticket_id = $1, origin_id = NULLIF(origin_id, $1)"
			  " WHERE ticket_id = $2 AND origin_id = $3");
DB_SQL(sql_participants_back,
       "DELETE FROM ticket_participants WHERE ticket_id = $1 AND origin_id = $2");

int ticket_merged_list(struct db_conn *c, int64_t ticket, struct arena *a, int64_t **ret,
		       size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_merged, DB_ARGS(DB_INT(ticket)), &db_map_int, MERGED_MAX, a, ret,
		      ret_n, err);
}

struct family {
	int64_t ids[MERGED_MAX];
	size_t n;
};

/* The ticket and all that were merged into it, also through others. */
static int find_family(struct db_conn *c, int64_t ticket, struct arena *a, struct family *ret,
		       struct md_err *err)
{
	ret->ids[0] = ticket;
	ret->n = 1;
	for (size_t i = 0; i < ret->n; i++) {
		int64_t *ids;
		size_t n;
		int rc = ticket_merged_list(c, ret->ids[i], a, &ids, &n, err);

		if (rc != MD_OK)
			return rc;
		for (size_t k = 0; k < n; k++) {
			if (ret->n == MERGED_MAX)
				return md_fail(err, MD_INPUT, 0, "too many merged tickets");
			ret->ids[ret->n++] = ids[k];
		}
	}
	return MD_OK;
}

static int give_back(struct db_conn *c, int64_t ticket, int64_t root, int64_t origin,
		     struct md_err *err)
{
	struct db_args args = DB_ARGS(DB_INT(ticket), DB_INT(root), DB_INT(origin));
	int rc = db_exec(c, &sql_comments_back, args, NULL, err);

	return rc == MD_OK ? db_exec(c, &sql_messages_back, args, NULL, err) : rc;
}

/* Those who came to `at` with the family leave, unless another merged ticket brings them too. */
static int part(struct db_conn *c, int64_t at, const struct family *family, int64_t now_ms,
		struct arena *a, struct md_err *err)
{
	int64_t *others = NULL;
	size_t n = 0;
	int rc = MD_OK;

	for (size_t i = 0; i < family->n && rc == MD_OK; i++)
		rc = db_exec(c, &sql_participants_back, DB_ARGS(DB_INT(at), DB_INT(family->ids[i])),
			     NULL, err);
	if (rc == MD_OK)
		rc = ticket_merged_list(c, at, a, &others, &n, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		if (others[i] != family->ids[0])
			rc = db_exec(c, &sql_participants_merge,
				     DB_ARGS(DB_INT(at), DB_INT(now_ms), DB_INT(others[i])), NULL,
				     err);
	return rc;
}

int ticket_contents_unmerge(struct db_conn *c, int64_t ticket, int64_t into, int64_t now_ms,
			    struct arena *a, struct md_err *err)
{
	struct family *family = arena_alloc(a, sizeof *family);
	int64_t chain[CHAIN_MAX] = { into }, root = into;
	size_t n = 1;
	int rc = family ? find_family(c, ticket, a, family, err)
			: md_fail(err, MD_NOMEM, 0, "out of memory");

	while (rc == MD_OK && n < CHAIN_MAX) {
		struct ticket t;

		rc = ticket_get(c, chain[n - 1], a, &t, err);
		if (rc != MD_OK || !t.merged_into)
			break;
		root = chain[n++] = t.merged_into;
	}
	for (size_t i = 0; rc == MD_OK && i < family->n; i++)
		rc = give_back(c, ticket, root, family->ids[i], err);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = part(c, chain[i], family, now_ms, a, err);
	if (rc == MD_OK)
		rc = search_queue_ticket(c, root, err);
	return rc == MD_OK ? search_queue_ticket(c, ticket, err) : rc;
}

/* ---- splitting ---- */

DB_SQL(sql_comment_move, "UPDATE comments SET ticket_id = $1, origin_id = NULL WHERE id = $2");
DB_SQL(sql_message_move, "UPDATE messages SET ticket_id = $1, origin_id = NULL WHERE id ="
			 " (SELECT m.message_id FROM comments m WHERE m.id = $2)");
DB_SQL(sql_thread_move,
       "UPDATE thread_ids SET ticket_id = $1 WHERE message_id ="
       " (SELECT g.message_id FROM comments m JOIN messages g ON g.id = m.message_id"
       " WHERE m.id = $2)");

int ticket_comment_move(struct db_conn *c, int64_t comment, int64_t to, struct md_err *err)
{
	struct db_args args = DB_ARGS(DB_INT(to), DB_INT(comment));
	int rc = db_exec(c, &sql_comment_move, args, NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_message_move, args, NULL, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_thread_move, args, NULL, err);
	return rc == MD_OK ? search_queue_comment(c, comment, err) : rc;
}

/* ---- links ---- */

DB_SQL(sql_link_remove,
       "DELETE FROM ticket_links WHERE ticket_id = $1 AND type = $2 AND other_id = $3");
DB_SQL(sql_links_from, "SELECT l.ticket_id, l.type, l.other_id, t.title, t.status"
		       " FROM ticket_links l JOIN tickets t ON t.id = l.other_id"
		       " WHERE l.ticket_id = $1 AND t.deleted_at IS NULL"
		       " ORDER BY l.type, l.other_id");
DB_SQL(sql_links_to, "SELECT l.ticket_id, l.type, l.other_id, t.title, t.status"
		     " FROM ticket_links l JOIN tickets t ON t.id = l.ticket_id"
		     " WHERE l.other_id = $1 AND t.deleted_at IS NULL"
		     " ORDER BY l.type, l.ticket_id");

static const struct db_col link_cols[] = {
	{ DB_COL_INT, offsetof(struct ticket_link, ticket_id) },
	{ DB_COL_TEXT, offsetof(struct ticket_link, type) },
	{ DB_COL_INT, offsetof(struct ticket_link, other_id) },
	{ DB_COL_TEXT, offsetof(struct ticket_link, title) },
	{ DB_COL_TEXT, offsetof(struct ticket_link, status) },
};
static const struct db_map link_map = DB_MAP(ticket_link, link_cols);

int ticket_link_remove(struct db_conn *c, int64_t ticket, const char *type, int64_t other,
		       struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_link_remove, DB_ARGS(DB_INT(ticket), DB_TEXT(type), DB_INT(other)),
			 &changed, err);

	return rc == MD_OK && changed == 0 ? md_fail(err, MD_NOTFOUND, 0, "no such link") : rc;
}

int ticket_link_list(struct db_conn *c, int64_t ticket, struct arena *a, struct ticket_link **ret,
		     size_t *ret_n, struct md_err *err)
{
	struct ticket_link *from, *to, *all;
	size_t n, m;
	int rc = db_all(c, &sql_links_from, DB_ARGS(DB_INT(ticket)), &link_map, LINKS_MAX, a, &from,
			&n, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_links_to, DB_ARGS(DB_INT(ticket)), &link_map, LINKS_MAX, a, &to,
			    &m, err);
	if (rc != MD_OK)
		return rc;
	all = arena_array(a, n + m, sizeof *all);
	if (!all)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < n + m; i++)
		all[i] = i < n ? from[i] : to[i - n];
	*ret = all;
	*ret_n = n + m;
	return MD_OK;
}

/* threads.c - what hangs on messages.h's mails: attachments, and which ticket an id belongs to. */
#include <maildesk/mail/attachment.h>
#include <maildesk/store/messages.h>

#include "query.h"

#include <string.h>

enum { ATTACHMENTS_MAX = 10000, IDS_MAX = 200 };

DB_SQL(sql_insert,
       "INSERT INTO attachments (message_id, comment_id, filename, content_type, size, sha256,"
       " content_id, is_inline, raw_offset, raw_length, encoding)"
       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
#define ATTACHMENT_COLUMNS                                                                       \
	"SELECT a.id, a.message_id, a.comment_id, a.filename, a.content_type, a.size, a.sha256," \
	" a.content_id, a.is_inline, a.raw_offset, a.raw_length, a.encoding,"                    \
	" COALESCE(a.blob_id, r.blob_id), a.uploader_id"                                         \
	" FROM attachments a LEFT JOIN messages r ON r.id = a.message_id"
DB_SQL(sql_list, ATTACHMENT_COLUMNS " JOIN comments m ON m.id = a.comment_id"
				    " WHERE m.ticket_id = $1 ORDER BY a.comment_id, a.id");
DB_SQL(sql_get, ATTACHMENT_COLUMNS " WHERE a.id = $1");
DB_SQL(sql_of_comment, ATTACHMENT_COLUMNS " WHERE a.comment_id = $1 ORDER BY a.id");
DB_SQL(sql_move, "UPDATE attachments SET comment_id = $1 WHERE comment_id = $2");
DB_SQL(sql_thread_add, "INSERT INTO thread_ids (message_id, ticket_id) VALUES ($1, $2)"
		       " ON CONFLICT (message_id) DO NOTHING");

static const struct db_col attachment_cols[] = {
	{ DB_COL_INT, offsetof(struct attachment_row, id) },
	{ DB_COL_INT, offsetof(struct attachment_row, message_id) },
	{ DB_COL_INT, offsetof(struct attachment_row, comment_id) },
	{ DB_COL_TEXT, offsetof(struct attachment_row, filename) },
	{ DB_COL_TEXT, offsetof(struct attachment_row, content_type) },
	{ DB_COL_INT, offsetof(struct attachment_row, size) },
	{ DB_COL_TEXT, offsetof(struct attachment_row, sha256) },
	{ DB_COL_TEXT, offsetof(struct attachment_row, content_id) },
	{ DB_COL_BOOL, offsetof(struct attachment_row, is_inline) },
	{ DB_COL_INT, offsetof(struct attachment_row, raw_offset) },
	{ DB_COL_INT, offsetof(struct attachment_row, raw_length) },
	{ DB_COL_TEXT, offsetof(struct attachment_row, encoding) },
	{ DB_COL_INT, offsetof(struct attachment_row, blob_id) },
	{ DB_COL_INT, offsetof(struct attachment_row, uploader_id) },
};
static const struct db_map attachment_map = DB_MAP(attachment_row, attachment_cols);

int attachment_insert(struct db_conn *c, int64_t message, int64_t comment,
		      const struct attachment *at, struct md_err *err)
{
	return db_insert(c, &sql_insert,
			 DB_ARGS(DB_INT(message), DB_ID(comment), DB_TEXT(at->filename),
				 DB_TEXT(at->content_type), DB_INT(at->size), DB_TEXT(at->sha256),
				 DB_TEXT(at->content_id), DB_INT(at->is_inline), DB_INT(at->offset),
				 DB_INT(at->length), DB_TEXT(at->encoding)),
			 err);
}

int attachment_move(struct db_conn *c, int64_t from_comment, int64_t to_comment, struct md_err *err)
{
	return db_exec(c, &sql_move, DB_ARGS(DB_INT(to_comment), DB_INT(from_comment)), NULL, err);
}

int attachment_list(struct db_conn *c, int64_t ticket, struct arena *a, struct attachment_row **ret,
		    size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_list, DB_ARGS(DB_INT(ticket)), &attachment_map, ATTACHMENTS_MAX, a,
		      ret, ret_n, err);
}

static int list_of(struct db_conn *c, const char *which, const char *order, const int64_t *ids,
		   size_t n, struct arena *a, struct attachment_row **ret, size_t *ret_n,
		   struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(n, err);

	*ret_n = 0;
	if (rc != MD_OK || n == 0)
		return rc;
	query_add_ints(&q, which, ids, n);
	query_add(&q, order);
	return query_all(&q, c, &attachment_map, ATTACHMENTS_MAX, a, ret, ret_n, err);
}

int attachment_list_of(struct db_conn *c, const int64_t *messages, size_t n, struct arena *a,
		       struct attachment_row **ret, size_t *ret_n, struct md_err *err)
{
	return list_of(c, ATTACHMENT_COLUMNS " WHERE a.message_id IN ",
		       " ORDER BY a.message_id, a.id", messages, n, a, ret, ret_n, err);
}

int attachment_list_of_comments(struct db_conn *c, const int64_t *comments, size_t n,
				struct arena *a, struct attachment_row **ret, size_t *ret_n,
				struct md_err *err)
{
	return list_of(c, ATTACHMENT_COLUMNS " WHERE a.comment_id IN ",
		       " ORDER BY a.comment_id, a.id", comments, n, a, ret, ret_n, err);
}

int attachment_get(struct db_conn *c, int64_t id, struct arena *a, struct attachment_row *ret,
		   struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &attachment_map, a, ret, err);
}

int attachment_of_comment(struct db_conn *c, int64_t comment, struct arena *a,
			  struct attachment_row **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_of_comment, DB_ARGS(DB_INT(comment)), &attachment_map,
		      ATTACHMENTS_MAX, a, ret, ret_n, err);
}

static int take_bytes(void *ctx, const void *bytes, size_t n)
{
	struct buf *out = ctx;

	buf_add(out, bytes, n);
	return out->status;
}

int attachment_bytes(const struct attachment_row *row, const uint8_t *raw, size_t n,
		     struct buf *out, struct md_err *err)
{
	const char *text = (const char *)raw;
	struct span slice;

	if (row->raw_offset < 0 || row->raw_length < 0 || (uint64_t)row->raw_offset > n ||
	    (uint64_t)row->raw_length > n - (uint64_t)row->raw_offset)
		return md_fail(err, MD_BROKEN, 0, "attachment %lld lies outside its mail",
			       (long long)row->id);
	slice = (struct span){ text + row->raw_offset, (size_t)row->raw_length };
	if (attachment_decode(row->encoding, slice, take_bytes, out) != 0)
		return md_fail(err, MD_BROKEN, 0, "attachment %lld cannot be decoded",
			       (long long)row->id);
	return MD_OK;
}

static const struct db_col hit_cols[] = {
	{ DB_COL_TEXT, offsetof(struct thread_hit, message_id) },
	{ DB_COL_INT, offsetof(struct thread_hit, ticket_id) },
};
static const struct db_map hit_map = DB_MAP(thread_hit, hit_cols);

static const struct thread_hit *hit_of(const struct thread_hit *hits, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(hits[i].message_id, id) == 0)
			return &hits[i];
	return NULL;
}

int thread_find(struct db_conn *c, const struct rec_strs *ids, struct arena *a,
		struct thread_hit **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	size_t asked = ids->n < IDS_MAX ? ids->n : IDS_MAX, n, kept = 0;
	struct thread_hit *hits, *ordered = arena_array(a, asked, sizeof *ordered);
	int rc;

	if (!ordered)
		return md_fail(err, MD_NOMEM, 0, "thread: out of memory");
	if (asked) {
		query_add_texts(&q,
				"SELECT t.message_id, t.ticket_id FROM thread_ids t"
				" WHERE t.message_id IN ",
				ids->v, asked);
		rc = query_all(&q, c, &hit_map, asked, a, &hits, &n, err);
		if (rc != MD_OK)
			return rc;
		for (size_t i = 0; i < asked; i++) {
			const struct thread_hit *hit = hit_of(hits, n, ids->v[i]);

			if (hit)
				ordered[kept++] = *hit;
		}
	}
	*ret = ordered;
	*ret_n = kept;
	return MD_OK;
}

int thread_add(struct db_conn *c, const char *message_id, int64_t ticket, struct md_err *err)
{
	return db_insert(c, &sql_thread_add, DB_ARGS(DB_TEXT(message_id), DB_INT(ticket)), err);
}

/* uploads.c - files that came without a mail. Until a comment takes them they are their uploader's.
 */
#include <maildesk/store/messages.h>

DB_SQL(sql_add,
       "INSERT INTO attachments (filename, content_type, sha256, size, blob_id, uploader_id,"
       " uploaded_at, is_inline, raw_offset, raw_length, encoding)"
       " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, 'identity') RETURNING id");
DB_SQL(sql_waiting,
       "SELECT CAST(COALESCE(SUM(a.size), 0) AS {INT}) FROM attachments a WHERE a.uploader_id = $1"
       " AND a.uploader_id IS NOT NULL AND a.comment_id IS NULL");
DB_SQL(sql_attach, "UPDATE attachments SET comment_id = $1"
		   " WHERE id = $2 AND uploader_id = $3 AND comment_id IS NULL");
#define EXPIRED                                                                                   \
	" FROM attachments WHERE uploader_id IS NOT NULL AND comment_id IS NULL AND uploaded_at " \
	"< $1"
DB_SQL(sql_expired, "SELECT COUNT(*)" EXPIRED);
DB_SQL(sql_purge, "DELETE" EXPIRED);

int upload_add(struct db_conn *c, const struct upload *u, int64_t *ret_id, struct md_err *err)
{
	return db_int(c, &sql_add,
		      DB_ARGS(DB_TEXT(u->filename), DB_TEXT(u->content_type), DB_TEXT(u->sha256),
			      DB_INT(u->size), DB_INT(u->blob_id), DB_INT(u->uploader_id),
			      DB_INT(u->at), DB_INT(u->size)),
		      ret_id, err);
}

int upload_waiting(struct db_conn *c, int64_t uploader, int64_t *ret_bytes, struct md_err *err)
{
	return db_int(c, &sql_waiting, DB_ARGS(DB_INT(uploader)), ret_bytes, err);
}

int upload_attach(struct db_conn *c, int64_t id, int64_t uploader, int64_t comment,
		  struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_attach, DB_ARGS(DB_INT(comment), DB_INT(id), DB_INT(uploader)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "no upload %lld that waits", (long long)id);
	return rc;
}

int upload_purge(struct db_conn *c, int64_t before_ms, int64_t *ret_removed, struct md_err *err)
{
	return db_exec(c, &sql_purge, DB_ARGS(DB_INT(before_ms)), ret_removed, err);
}

int upload_expired(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err)
{
	return db_int(c, &sql_expired, DB_ARGS(DB_INT(before_ms)), ret_n, err);
}

/* blob_collect.c - content that nothing refers to.
 *
 * A blob may be stored before the row that refers to it, and rows that refer to one may go. The
 * look is a read of its own, so that walking all blobs makes no transaction of others run again;
 * what it found is only a range of ids in which it is worth trying. The removal is one statement
 * that asks again. A mail that takes the same content up meanwhile changes its row (blob_put()) and
 * refers to it by a foreign key: whichever of the two commits second finds out and is undone. */
#include <maildesk/store/blobs.h>

#include <maildesk/base/arena.h>

#define DAY "86400000"
#define IS_ORPHAN(b)                                               \
	b ".put_at < {NOW} - " DAY " AND NOT EXISTS"               \
	  " (SELECT 1 FROM messages m WHERE m.blob_id = " b ".id)" \
	  " AND NOT EXISTS (SELECT 1 FROM attachments a WHERE a.blob_id = " b ".id)"

DB_SQL(sql_page,
       "SELECT b.id, CASE WHEN " IS_ORPHAN("b") " THEN 1 ELSE 0 END FROM blobs b"
						" WHERE b.id > $1 ORDER BY b.id LIMIT $2");
DB_SQL(sql_remove, "DELETE FROM blobs WHERE id >= $1 AND id <= $2 AND " IS_ORPHAN("blobs"));

struct found {
	int64_t id;
	bool is_orphan;
};
static const struct db_col found_cols[] = {
	{ DB_COL_INT, offsetof(struct found, id) },
	{ DB_COL_BOOL, offsetof(struct found, is_orphan) },
};
static const struct db_map found_map = DB_MAP(found, found_cols);

struct page {
	int64_t n, last, first_orphan, last_orphan; /* 0: none */
	int64_t removed;
};

static int add_found(void *row, void *ctx, struct md_err *err)
{
	const struct found *f = row;
	struct page *p = ctx;

	(void)err;
	p->n++;
	p->last = f->id;
	if (!f->is_orphan)
		return MD_OK;
	p->last_orphan = f->id;
	if (!p->first_orphan)
		p->first_orphan = f->id;
	return MD_OK;
}

static int look(struct db *db, int64_t after, struct page *ret, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(db, &c, err);

	if (rc != MD_OK)
		return rc;
	return db_each(c, &sql_page, DB_ARGS(DB_INT(after), DB_INT(BLOB_PAGE)), &found_map,
		       add_found, ret, err);
}

static int remove_found(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct page *p = ctx;

	return db_exec(c, &sql_remove, DB_ARGS(DB_INT(p->first_orphan), DB_INT(p->last_orphan)),
		       &p->removed, err);
}

int blob_collect(struct db *db, int64_t *cursor, int64_t *ret_removed, struct md_err *err)
{
	struct page page = { 0 };
	int rc = look(db, *cursor, &page, err);

	*ret_removed = 0;
	if (rc == MD_OK && page.first_orphan)
		rc = db_txn(db, remove_found, &page, err);
	if (rc == MD_CONFLICT)
		rc = MD_OK; /* one of them is referred to since a moment ago: the next time */
	if (rc != MD_OK)
		return rc;
	*ret_removed = page.removed;
	*cursor = page.n == BLOB_PAGE ? page.last : 0;
	return MD_OK;
}

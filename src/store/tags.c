#include <maildesk/store/tags.h>

#include "query.h"

enum { TAGS_MAX = 10000 };

static int taken(struct md_err *err)
{
	return md_fail(err, MD_CONFLICT, 0, "the name is taken");
}

static const struct db_col tag_cols[] = {
	{ DB_COL_INT, offsetof(struct tag_row, id) },
	{ DB_COL_TEXT, offsetof(struct tag_row, name) },
	{ DB_COL_TEXT, offsetof(struct tag_row, color) },
};
static const struct db_map tag_map = DB_MAP(tag_row, tag_cols);

DB_SQL(sql_tags, "SELECT g.id, g.name, g.color FROM tags g ORDER BY g.name, g.id");
DB_SQL(sql_tag_add, "INSERT INTO tags (name, color) VALUES ($1, $2)"
		    " ON CONFLICT (name) DO NOTHING RETURNING id");
/* What would not be the only one of its name changes nothing: an error would end the transaction.
 */
DB_SQL(sql_tag_save, "UPDATE tags SET name = $1, color = $2 WHERE id = $3 AND NOT EXISTS"
		     " (SELECT 1 FROM tags g WHERE g.name = $1 AND g.id <> $3)");
DB_SQL(sql_tag_untag, "DELETE FROM ticket_tags WHERE tag_id = $1");
DB_SQL(sql_tag_drop, "DELETE FROM tags WHERE id = $1");

int tag_list(struct db_conn *c, struct arena *a, struct tag_row **ret, size_t *ret_n,
	     struct md_err *err)
{
	return db_all(c, &sql_tags, DB_NONE, &tag_map, TAGS_MAX, a, ret, ret_n, err);
}

int tag_save(struct db_conn *c, struct tag_row *t, struct md_err *err)
{
	int64_t changed = 0;
	int rc = t->id ? db_exec(c, &sql_tag_save,
				 DB_ARGS(DB_TEXT(t->name), DB_TEXT(t->color), DB_INT(t->id)),
				 &changed, err)
		       : db_int(c, &sql_tag_add, DB_ARGS(DB_TEXT(t->name), DB_TEXT(t->color)),
				&changed, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && !changed))
		return taken(err);
	if (rc == MD_OK && !t->id)
		t->id = changed;
	return rc;
}

int tag_drop(struct db_conn *c, int64_t id, struct md_err *err)
{
	int rc = db_exec(c, &sql_tag_untag, DB_ARGS(DB_INT(id)), NULL, err);

	return rc == MD_OK ? db_exec(c, &sql_tag_drop, DB_ARGS(DB_INT(id)), NULL, err) : rc;
}

#include <maildesk/store/desk_keys.h>

enum { ROWS_MAX = 10000 };

static const struct db_col row_cols[] = {
	{ DB_COL_INT, offsetof(struct desk_key_row, key_id) },
	{ DB_COL_TEXT, offsetof(struct desk_key_row, holder) },
	{ DB_COL_BLOB, offsetof(struct desk_key_row, envelope) },
};
static const struct db_map row_map = DB_MAP(desk_key_row, row_cols);

DB_SQL(sql_all, "SELECT k.key_id, k.holder, k.envelope FROM desk_keys k"
		" ORDER BY k.key_id DESC, k.holder");
DB_SQL(sql_put, "INSERT INTO desk_keys (key_id, holder, envelope) VALUES ($1, $2, $3)"
		" ON CONFLICT (key_id, holder) DO UPDATE SET envelope = excluded.envelope"
		" WHERE desk_keys.envelope IS NULL");

int desk_keys_all(struct db_conn *c, struct arena *a, struct desk_key_row **ret, size_t *ret_n,
		  struct md_err *err)
{
	return db_all(c, &sql_all, DB_NONE, &row_map, ROWS_MAX, a, ret, ret_n, err);
}

int desk_key_put(struct db_conn *c, const struct desk_key_row *row, struct md_err *err)
{
	const struct db_arg none = { .kind = DB_KIND_NULL };
	const struct rec_bytes *e = &row->envelope;

	return db_exec(c, &sql_put,
		       DB_ARGS(DB_INT(row->key_id), DB_TEXT(row->holder),
			       e->n ? DB_BLOB(e->v, e->n) : none),
		       NULL, err);
}

int desk_keys_copy(struct db_conn *from, struct db_conn *to, struct arena *a, struct md_err *err)
{
	struct desk_key_row *rows;
	size_t n;
	int rc = desk_keys_all(from, a, &rows, &n, err);

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		if (rows[i].envelope.n)
			rc = desk_key_put(to, &rows[i], err);
	return rc;
}

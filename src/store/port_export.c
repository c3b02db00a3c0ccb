/* port_export.c - all of a desk as lines, and the files they name.
 *
 * Rows come in key order, page by page, in one read transaction; the files of a page are fetched
 * after it, as a connection does one thing at a time. */
#include "port_table.h"

#include "db_conn.h"

#include <maildesk/base/clock.h>
#include <maildesk/store/messages.h>

#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 200, SQL_MAX = 16 << 10, LINE_MAX = 64 << 20, FILES_BYTES = 1 << 20 };

struct wanted {
	int64_t id; /* of the blob, or of the attachment */
	enum port_kind kind;
	char path[PORT_PATH_MAX];
};

struct export
{
	struct db_conn *c;
	const struct port_sink *sink;
	const struct port_table *t;
	size_t n_keys, n_columns;
	struct db_arg keys[PORT_KEYS_MAX]; /* of the last row */
	struct arena key_arenas[2]; /* of the page at hand, and what its statement is bound to */
	int turn;
	struct buf line;
	struct wanted files[PAGE_ROWS];
	size_t n_files, rows;
};

/* ---- the statement ---- */

/* What stands for a row of another table. */
static const char *const names_of[] = {
	[PORT_USER] = "(SELECT u.email FROM users u WHERE u.id = x.%s)",
	[PORT_TEAM] = "(SELECT u.name FROM teams u WHERE u.id = x.%s)",
	[PORT_ORGANISATION] = "(SELECT u.name FROM organisations u WHERE u.id = x.%s)",
	[PORT_MAILBOX] = "(SELECT u.name FROM mailboxes u WHERE u.id = x.%s)",
	[PORT_TAG] = "(SELECT u.name FROM tags u WHERE u.id = x.%s)",
	[PORT_RAW] = "(SELECT u.sha256 FROM blobs u WHERE u.id = x.%s)",
	[PORT_BYTES] = "x.sha256",
};

static void add_value(struct buf *sql, const struct port_column *k)
{
	const char *name = k->kind < MD_COUNT(names_of) ? names_of[k->kind] : NULL;
	const char *at = name ? strstr(name, "%s") : NULL;

	if (at)
		buf_addf(sql, ", %.*s%s%s", (int)(at - name), name, k->column, at + 2);
	else if (name)
		buf_addf(sql, ", %s", name);
	else
		buf_addf(sql, ", x.%s", k->column);
	if (k->kind == PORT_RAW || k->kind == PORT_BYTES)
		buf_addf(sql, ", x.%s", k->column); /* whose bytes they are */
}

static void add_keys(struct buf *sql, const struct export *x)
{
	for (size_t i = 0; i < x->n_keys; i++)
		buf_addf(sql, "%sx.%s", i ? ", " : "", x->t->keys[i]);
}

static void make_statement(struct buf *sql, const struct export *x)
{
	const char *and = " WHERE ";

	buf_adds(sql, "SELECT ");
	add_keys(sql, x);
	for (size_t i = 0; i < x->n_columns; i++)
		add_value(sql, &x->t->columns[i]);
	buf_addf(sql, " FROM %s x", x->t->table);
	if (x->t->where) {
		buf_addf(sql, "%s%s", and, x->t->where);
		and = " AND ";
	}
	if (x->rows) {
		buf_addf(sql, "%s(", and);
		add_keys(sql, x);
		buf_adds(sql, ") > (");
		for (size_t i = 0; i < x->n_keys; i++)
			buf_addf(sql, "%s$%zu", i ? ", " : "", i + 1);
		buf_addc(sql, ')');
	}
	buf_adds(sql, " ORDER BY ");
	add_keys(sql, x);
	buf_addf(sql, " LIMIT %d", PAGE_ROWS);
}

/* ---- a line ---- */

static void add_key(struct buf *out, const char *key)
{
	buf_addc(out, ',');
	json_write_string(out, key, strlen(key));
	buf_addc(out, ':');
}

static void add_file(struct export *x, const struct db_arg *sha, const struct db_arg *id,
		     enum port_kind kind)
{
	struct wanted *w = &x->files[x->n_files++];
	bool is_mail = kind == PORT_RAW;

	w->id = id->integer;
	w->kind = kind;
	snprintf(w->path, sizeof w->path, "%s/%.2s/%.64s%s", is_mail ? "mail" : "files",
		 (const char *)sha->bytes, (const char *)sha->bytes, is_mail ? ".eml" : "");
	json_write_string(&x->line, w->path, strlen(w->path));
}

static void add_plain(struct buf *out, const struct port_column *k, const struct db_arg *v)
{
	char time[TIME_TEXT_MAX];

	switch (k->kind) {
	case PORT_TIME:
		time_format(v->integer, 1, time);
		json_write_string(out, time, strlen(time));
		break;
	case PORT_BOOL:
		buf_adds(out, v->integer ? "true" : "false");
		break;
	case PORT_PRIORITY:
		buf_addf(out, "\"%s\"", port_priorities[v->integer & 3]);
		break;
	case PORT_JSON:
		buf_add(out, v->bytes, v->n);
		break;
	case PORT_MEMBERS:
		buf_addf(out, "{%.*s}", (int)v->n, (const char *)v->bytes);
		break;
	default:
		if (v->kind == DB_KIND_INT)
			buf_addf(out, "%lld", (long long)v->integer);
		else
			json_write_string(out, v->bytes, v->n);
	}
}

static int keep_keys(struct export *x, const struct db_arg *row, struct md_err *err)
{
	struct arena *a = &x->key_arenas[x->turn];

	arena_reset(a);
	for (size_t i = 0; i < x->n_keys; i++) {
		x->keys[i] = row[i];
		if (row[i].kind == DB_KIND_TEXT)
			x->keys[i].bytes = arena_strndup(a, row[i].bytes, row[i].n);
	}
	return a->failed ? md_fail(err, MD_NOMEM, 0, "export: out of memory") : MD_OK;
}

/* NULLs are left out. */
static int put_row(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct export *x = ctx;
	const struct db_arg *v = row + x->n_keys;
	int rc;

	(void)n;
	buf_reset(&x->line);
	buf_addf(&x->line, "{\"type\":\"%s\"", x->t->type);
	if (x->t->has_id)
		buf_addf(&x->line, ",\"id\":%lld", (long long)row[0].integer);
	for (size_t i = 0; i < x->n_columns; i++, v++) {
		const struct port_column *k = &x->t->columns[i];
		bool is_file = k->kind == PORT_RAW || k->kind == PORT_BYTES;

		if (v->kind != DB_KIND_NULL) {
			add_key(&x->line, k->key);
			if (is_file)
				add_file(x, v, v + 1, k->kind);
			else
				add_plain(&x->line, k, v);
		}
		v += is_file;
	}
	buf_addc(&x->line, '}');
	x->rows++;
	if (x->line.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "a %s is too large to export", x->t->type);
	rc = keep_keys(x, row, err);
	return rc != MD_OK ? rc : x->sink->line(x->sink->ctx, x->t->type, &x->line, err);
}

/* ---- files ---- */

static int read_attachment(struct db_conn *c, int64_t id, struct buf *out, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	md_auto(md_free_p) uint8_t *raw = NULL;
	struct attachment_row row;
	size_t n = 0;
	int rc = attachment_get(c, id, &a, &row, err);

	if (rc == MD_OK)
		rc = row.blob_id ? blob_get(c, row.blob_id, &raw, &n, err) : MD_NOTFOUND;
	return rc == MD_OK ? attachment_bytes(&row, raw, n, out, err) : rc;
}

/* Bytes that are gone (retention, erasing) are no failure: the line names them, the file is not
 * there. */
static int put_file(struct export *x, const struct wanted *w, struct md_err *err)
{
	md_auto(buf_done) struct buf bytes = BUF_INIT(SIZE_MAX / 2);
	md_auto(md_free_p) uint8_t *raw = NULL;
	size_t n = 0;
	int rc;

	if (!x->sink->wants(x->sink->ctx, w->path))
		return MD_OK;
	if (w->kind == PORT_RAW)
		rc = blob_get(x->c, w->id, &raw, &n, err);
	else
		rc = read_attachment(x->c, w->id, &bytes, err);
	if (rc == MD_NOTFOUND)
		return MD_OK;
	if (rc == MD_OK && w->kind == PORT_RAW)
		return x->sink->file(x->sink->ctx, w->path, raw, n, err);
	return rc == MD_OK ? x->sink->file(x->sink->ctx, w->path, bytes.data, bytes.len, err) : rc;
}

/* ---- all of it ---- */

static int export_page(struct export *x, size_t *ret_rows, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(SQL_MAX);
	struct db_arg keys[PORT_KEYS_MAX];
	size_t before = x->rows;
	int rc;

	make_statement(&sql, x);
	if (sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "export: out of memory");
	memcpy(keys, x->keys, sizeof keys);
	x->n_files = 0;
	x->turn = !x->turn;
	rc = db_values(x->c, buf_str(&sql), (struct db_args){ keys, before ? x->n_keys : 0 },
		       put_row, x, err);
	*ret_rows = x->rows - before;
	for (size_t i = 0; rc == MD_OK && i < x->n_files; i++)
		rc = put_file(x, &x->files[i], err);
	return rc;
}

static int export_table(struct export *x, const struct port_table *t, struct md_err *err)
{
	size_t rows;
	int rc;

	x->t = t;
	x->rows = x->n_keys = x->n_columns = 0;
	while (x->n_keys < PORT_KEYS_MAX && t->keys[x->n_keys])
		x->n_keys++;
	while (x->n_columns < PORT_COLUMNS_MAX && t->columns[x->n_columns].key)
		x->n_columns++;
	do
		rc = export_page(x, &rows, err);
	while (rc == MD_OK && rows == PAGE_ROWS);
	return rc;
}

int port_export(struct db *db, const struct port_sink *sink, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct export *x = md_calloc(1, sizeof *x);
	int rc = x ? db_read(db, &c, err) : md_fail(err, MD_NOMEM, 0, "export: out of memory");

	if (rc == MD_OK) {
		x->c = c;
		x->sink = sink;
		x->key_arenas[0] = x->key_arenas[1] = (struct arena)ARENA_INIT(64 << 10);
		x->line = (struct buf)BUF_INIT(LINE_MAX);
		for (size_t i = 0; rc == MD_OK && i < port_n_tables; i++)
			rc = export_table(x, &port_tables[i], err);
		arena_done(&x->key_arenas[0]);
		arena_done(&x->key_arenas[1]);
		buf_done(&x->line);
	}
	free(x);
	return rc;
}

/* backup.c - a desk into a file. It is a move (transfer.c) whose source works meanwhile, into an
 * SQLite database that gets checksums with it and is then sealed: in one file, without a log beside
 * it, so that it can be copied, and read where nothing can be written. */
#include <maildesk/store/backup.h>

#include "db_driver.h"
#include "transfer_sums.h"
#include "transfer_way.h"

#include <maildesk/base/fault.h>
#include <maildesk/store/schema.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char scheme[] = "sqlite:";
/* Not in schema.sql: they make the difference between a desk and a backup. */
static const char tables_sql[] =
	"CREATE TABLE backup (made_at {INT} NOT NULL, program TEXT NOT NULL) {STRICT};"
	"CREATE TABLE backup_sums (name TEXT PRIMARY KEY, row_count {INT} NOT NULL,"
	" sha256 TEXT NOT NULL) {STRICT}";

/* ---- making one ---- */

static int write_sums(struct db_conn *to, const struct transfer_sum *sums, size_t n, void *ctx,
		      struct md_err *err)
{
	const int64_t *now_ms = ctx;
	int rc = db_script(to, tables_sql, err);

	if (rc == MD_OK)
		rc = db_values(to, "INSERT INTO backup (made_at, program) VALUES ($1, $2)",
			       DB_ARGS(DB_INT(*now_ms), DB_TEXT("maildesk " MAILDESK_VERSION)),
			       NULL, NULL, err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		rc = db_values(to,
			       "INSERT INTO backup_sums (name, row_count, sha256)"
			       " VALUES ($1, $2, $3)",
			       DB_ARGS(DB_TEXT(sums[i].table), DB_INT(sums[i].rows),
				       DB_TEXT(sums[i].sha256)),
			       NULL, NULL, err);
	return rc;
}

static int open_file(const char *path, struct db **ret, struct md_err *err)
{
	char where[PATH_MAX + sizeof scheme];

	if (snprintf(where, sizeof where, "%s%s", scheme, path) >= (int)sizeof where)
		return md_fail(err, MD_INPUT, 0, "%.100s...: the name is too long", path);
	return db_open(where, ret, err);
}

int backup_make(struct db *desk, const char *path, int64_t now_ms, transfer_tell tell, void *ctx,
		struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		struct md_err *err)
{
	const struct transfer_way way = { .online = true, .end = write_sums, .ctx = &now_ms };
	md_auto(db_close_p) struct db *file = NULL;
	int rc = open_file(path, &file, err);

	if (rc == MD_OK)
		rc = transfer_along(&way, desk, file, now_ms, tell, ctx, arena, ret_sums, ret_n,
				    err);
	if (rc != MD_OK)
		return rc;
	db_close(md_take(file));
	fault_point("backup_unsealed");
	return db_sqlite_seal(path, err);
}

/* ---- looking at one ---- */

struct totals {
	bool found;
	int64_t made_at, rows, tables;
};

static int keep_totals(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	(void)n;
	(void)err;
	*(struct totals *)ctx =
		(struct totals){ true, row[0].integer, row[1].integer, row[2].integer };
	return MD_OK;
}

static int look(struct backup *b, struct md_err *err)
{
	enum schema_state state;
	struct totals totals = { 0 };
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = schema_look(b->db, &state, err);

	if (rc != MD_OK)
		return rc;
	if (state != SCHEMA_BACKUP && state != SCHEMA_BACKUP_OLDER)
		return md_fail(err, MD_REFUSED, 0,
			       "it is no backup: name a file that `maildesk backup` made");
	rc = db_read(b->db, &c, err);
	if (rc == MD_OK)
		rc = db_values(c,
			       "SELECT b.made_at, SUM(s.row_count), COUNT(*) FROM backup b,"
			       " backup_sums s GROUP BY b.made_at",
			       DB_NONE, keep_totals, &totals, err);
	if (rc == MD_OK && !totals.found)
		return md_fail(err, MD_CONFLICT, 0, "the backup is damaged: it has no checksums");
	b->is_older = state == SCHEMA_BACKUP_OLDER;
	b->made_at = totals.made_at;
	b->rows = totals.rows;
	b->tables = totals.tables;
	return rc;
}

int backup_open(const char *path, struct backup *ret, struct md_err *err)
{
	int rc;

	*ret = (struct backup){ 0 };
	if (access(path, F_OK) != 0) /* opening would make it */
		return md_fail(err, MD_NOTFOUND, errno, "%s: %s", path, strerror(errno));
	rc = open_file(path, &ret->db, err);
	if (rc == MD_OK)
		rc = look(ret, err);
	if (rc != MD_OK) {
		backup_close(ret);
		return md_wrap(err, rc, "%s", path);
	}
	return MD_OK;
}

void backup_close(struct backup *b)
{
	db_close(md_take(b->db));
}

/* ---- checking one ---- */

enum { NAME_MAX_BYTES = 64, TABLES_MAX = 200 };

struct check {
	struct db_conn *c;
	struct transfer_summing sum;
	struct buf sql;
	struct transfer_sum *want;
	size_t n;
	struct transfer_progress progress;
	transfer_tell tell;
	void *ctx;
	struct arena arena;
};

/* The names go into SQL. */
static bool is_name(const struct db_arg *v)
{
	const char *s = v->bytes;

	for (size_t i = 0; i < v->n; i++)
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '_')
			return false;
	return v->kind == DB_KIND_TEXT && v->n > 0 && v->n < NAME_MAX_BYTES;
}

static int keep_sum(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct check *k = ctx;
	struct transfer_sum *want = &k->want[k->n];

	(void)n;
	if (!is_name(&row[0]) || row[2].n != SHA256_HEX - 1 || k->n == TABLES_MAX)
		return md_fail(err, MD_CONFLICT, 0, "the backup is damaged: its checksums are");
	want->table = arena_strndup(&k->arena, row[0].bytes, row[0].n);
	want->rows = row[1].integer;
	memcpy(want->sha256, row[2].bytes, row[2].n);
	k->n++;
	return want->table ? MD_OK : md_fail(err, MD_NOMEM, 0, "backup: out of memory");
}

static int add_key(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct check *k = ctx;

	(void)n;
	if (!is_name(&row[0]))
		return md_fail(err, MD_CONFLICT, 0, "the backup is damaged: its tables are");
	buf_addf(&k->sql, "%s%.*s", k->sql.len ? ", " : "", (int)row[0].n,
		 (const char *)row[0].bytes);
	return MD_OK;
}

static int add_row(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	enum { TELL_EACH = 500 };
	struct check *k = ctx;
	int rc = transfer_sum_row(&k->sum, row, n, err);

	k->progress.rows++;
	k->progress.fresh++;
	if (k->sum.rows % TELL_EACH == 0)
		k->tell(&k->progress, k->ctx);
	return rc;
}

/* By the table as it stands in the file, whatever its schema. */
static int read_table(struct check *k, const char *table, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(4 << 10);
	int rc;

	buf_reset(&k->sql);
	rc = db_values(k->c, "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
		       DB_ARGS(DB_TEXT(table)), add_key, k, err);
	if (rc == MD_OK && k->sql.len == 0)
		return md_fail(err, MD_CONFLICT, 0, "the backup is damaged: table %s is missing",
			       table);
	buf_addf(&sql, "SELECT * FROM %s ORDER BY %s", table, buf_str(&k->sql));
	if (sql.status != MD_OK || k->sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "backup: out of memory");
	return rc == MD_OK ? db_values(k->c, buf_str(&sql), DB_NONE, add_row, k, err) : rc;
}

static int check_table(struct check *k, const struct transfer_sum *want, struct md_err *err)
{
	struct transfer_sum found = { 0 };
	int rc = transfer_sum_begin(&k->sum, err);

	k->progress.table = want->table;
	k->tell(&k->progress, k->ctx);
	if (rc == MD_OK)
		rc = read_table(k, want->table, err);
	transfer_sum_end(&k->sum, want->table, &found);
	if (rc == MD_OK && (found.rows != want->rows || strcmp(found.sha256, want->sha256) != 0))
		rc = md_fail(err, MD_CONFLICT, 0,
			     "the backup is damaged: table %s has not the content that was written "
			     "(%lld rows, %lld expected); take an older backup",
			     want->table, (long long)found.rows, (long long)want->rows);
	return rc;
}

int backup_check(struct backup *b, transfer_tell tell, void *ctx, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct transfer_sum want[TABLES_MAX] = { 0 };
	struct check k = { .sql = BUF_INIT(1 << 10),
			   .want = want,
			   .progress = { .phase = TRANSFER_CHECK, .total = b->rows },
			   .tell = tell,
			   .ctx = ctx,
			   .arena = ARENA_INIT(64 << 10) };
	int rc = db_read(b->db, &c, err);

	k.c = c;
	if (rc == MD_OK)
		rc = db_values(c, "SELECT name, row_count, sha256 FROM backup_sums", DB_NONE,
			       keep_sum, &k, err);
	for (size_t i = 0; rc == MD_OK && i < k.n; i++)
		rc = check_table(&k, &want[i], err);
	buf_done(&k.sql);
	arena_done(&k.arena);
	return rc;
}

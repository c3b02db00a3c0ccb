#include <maildesk/store/audit.h>

#include "query.h"

#include <maildesk/base/codec.h>

#include <string.h>

enum { CHAINS_MAX = 1000, OPEN_MAX = 1000, PAGE = 1000, TEXT_MAX = 8192 };

#define AUDIT_COLUMNS                                                                       \
	"a.id, a.daemon, a.seq, a.at, a.actor_id, a.source, a.action, a.about, a.about_id," \
	" a.detail, a.account, a.network, a.minute, a.count, a.hash"
#define AUDIT_COLS                                                    \
	{ DB_COL_INT, offsetof(struct audit_row, id) },               \
		{ DB_COL_TEXT, offsetof(struct audit_row, daemon) },  \
		{ DB_COL_INT, offsetof(struct audit_row, seq) },      \
		{ DB_COL_INT, offsetof(struct audit_row, at) },       \
		{ DB_COL_INT, offsetof(struct audit_row, actor) },    \
		{ DB_COL_TEXT, offsetof(struct audit_row, source) },  \
		{ DB_COL_TEXT, offsetof(struct audit_row, action) },  \
		{ DB_COL_TEXT, offsetof(struct audit_row, about) },   \
		{ DB_COL_INT, offsetof(struct audit_row, about_id) }, \
		{ DB_COL_TEXT, offsetof(struct audit_row, detail) },  \
		{ DB_COL_TEXT, offsetof(struct audit_row, account) }, \
		{ DB_COL_TEXT, offsetof(struct audit_row, network) }, \
		{ DB_COL_INT, offsetof(struct audit_row, minute) },   \
		{ DB_COL_INT, offsetof(struct audit_row, count) },    \
	{                                                             \
		DB_COL_TEXT, offsetof(struct audit_row, hash)         \
	}
static const struct db_col row_cols[] = { AUDIT_COLS };
static const struct db_map row_map = DB_MAP(audit_row, row_cols);
static const struct db_col shown_cols[] = { AUDIT_COLS,
					    { DB_COL_TEXT, offsetof(struct audit_row, actor_name) },
					    { DB_COL_TEXT,
					      offsetof(struct audit_row, actor_role) } };
static const struct db_map shown_map = DB_MAP(audit_row, shown_cols);
struct daemon_name {
	const char *name;
};
static const struct db_col name_cols[] = { { DB_COL_TEXT, offsetof(struct daemon_name, name) } };
static const struct db_map name_map = DB_MAP(daemon_name, name_cols);

DB_SQL(sql_last, "SELECT " AUDIT_COLUMNS " FROM audit_log a WHERE a.daemon = $1"
		 " AND a.seq IS NOT NULL ORDER BY a.seq DESC LIMIT 1");
DB_SQL(sql_add, "INSERT INTO audit_log (daemon, seq, at, actor_id, source, action, about, about_id,"
		" detail, account, network, minute, count, hash)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, 1, $12)");
/* Its empty texts are no NULLs, which would be told apart by no index. */
DB_SQL(sql_count, "INSERT INTO audit_log (daemon, at, actor_id, source, action, account, network,"
		  " minute, count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)"
		  " ON CONFLICT (daemon, action, account, network, minute) WHERE seq IS NULL"
		  " DO UPDATE SET count = audit_log.count + 1");
DB_SQL(sql_open, "SELECT " AUDIT_COLUMNS " FROM audit_log a WHERE a.daemon = $1"
		 " AND a.seq IS NULL AND a.minute < $2 ORDER BY a.id LIMIT $3");
DB_SQL(sql_close, "UPDATE audit_log SET seq = $1, hash = $2 WHERE id = $3");
DB_SQL(sql_chain, "SELECT " AUDIT_COLUMNS " FROM audit_log a WHERE a.daemon = $1 AND a.seq > $2"
		  " ORDER BY a.seq LIMIT $3");
DB_SQL(sql_daemons, "SELECT DISTINCT a.daemon FROM audit_log a ORDER BY a.daemon");
DB_SQL(sql_count_open, "SELECT COUNT(*) FROM audit_log a WHERE a.daemon = $1 AND a.seq IS NULL");

/* ---- the chain ---- */

static void add_text(struct buf *b, const char *text)
{
	buf_addf(b, "%zu:%s,", text ? strlen(text) : 0, text ? text : "");
}

/* Of the hash before it and all its columns but the id, which differs between databases. */
static int hash_of(const char *before, const struct audit_row *r, char ret[AUDIT_HASH],
		   struct md_err *err)
{
	md_auto(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	const int64_t numbers[] = { r->seq, r->at, r->actor, r->about_id, r->minute, r->count };

	add_text(&b, before);
	add_text(&b, r->daemon);
	add_text(&b, r->source);
	add_text(&b, r->action);
	add_text(&b, r->about);
	add_text(&b, r->detail);
	add_text(&b, r->account);
	add_text(&b, r->network);
	for (size_t i = 0; i < MD_COUNT(numbers); i++)
		buf_addf(&b, "%lld,", (long long)numbers[i]);
	if (b.status != MD_OK)
		return md_fail(err, MD_INPUT, 0, "audit: a row is too long");
	sha256_hex(b.data, b.len, ret);
	return MD_OK;
}

static int find_last(struct db_conn *c, const char *daemon, struct arena *a, struct audit_row *ret,
		     struct md_err *err)
{
	int rc = db_one(c, &sql_last, DB_ARGS(DB_TEXT(daemon)), &row_map, a, ret, err);

	if (rc == MD_NOTFOUND)
		*ret = (struct audit_row){ .hash = "" };
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int audit_add(struct db_conn *c, const struct audit_row *row, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(64 << 10);
	struct audit_row last, r = *row;
	char hash[AUDIT_HASH];
	int rc = find_last(c, row->daemon, &a, &last, err);

	r.seq = last.seq + 1;
	r.minute = 0;
	r.count = 1;
	if (rc == MD_OK)
		rc = hash_of(last.hash, &r, hash, err);
	if (rc != MD_OK)
		return rc;
	return db_exec(c, &sql_add,
		       DB_ARGS(DB_TEXT(r.daemon), DB_INT(r.seq), DB_INT(r.at), DB_ID(r.actor),
			       DB_TEXT(r.source), DB_TEXT(r.action), DB_TEXT(r.about),
			       DB_ID(r.about_id), DB_TEXT(r.detail), DB_TEXT(r.account),
			       DB_TEXT(r.network), DB_TEXT(hash)),
		       NULL, err);
}

int audit_count(struct db_conn *c, const struct audit_row *r, struct md_err *err)
{
	return db_exec(c, &sql_count,
		       DB_ARGS(DB_TEXT(r->daemon), DB_INT(r->at), DB_ID(r->actor),
			       DB_TEXT(r->source), DB_TEXT(r->action),
			       DB_TEXT(r->account ? r->account : ""),
			       DB_TEXT(r->network ? r->network : ""), DB_INT(r->minute)),
		       NULL, err);
}

int audit_seal(struct db_conn *c, const char *daemon, int64_t minute, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(4 << 20);
	struct audit_row last, *open;
	char hash[AUDIT_HASH];
	size_t n = 0;
	int rc = db_all(c, &sql_open, DB_ARGS(DB_TEXT(daemon), DB_INT(minute), DB_INT(OPEN_MAX)),
			&row_map, OPEN_MAX, &a, &open, &n, err);

	if (rc != MD_OK || n == 0)
		return rc;
	rc = find_last(c, daemon, &a, &last, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		open[i].seq = last.seq + 1;
		rc = hash_of(last.hash, &open[i], hash, err);
		if (rc == MD_OK)
			rc = db_exec(c, &sql_close,
				     DB_ARGS(DB_INT(open[i].seq), DB_TEXT(hash),
					     DB_INT(open[i].id)),
				     NULL, err);
		last.seq = open[i].seq;
		last.hash = arena_strdup(&a, hash);
		if (!last.hash)
			return md_fail(err, MD_NOMEM, 0, "audit: out of memory");
	}
	return rc;
}

/* ---- reading ---- */

static void add_filter(struct query *q, const struct audit_filter *f)
{
	const struct {
		const char *in;
		const struct rec_ints *v;
	} ids[] = { { " AND a.actor_id IN ", &f->actor }, { " AND a.about_id IN ", &f->about_id } };
	const struct {
		const char *in;
		const struct rec_strs *v;
	} words[] = { { " AND a.action IN ", &f->action },
		      { " AND a.about IN ", &f->about },
		      { " AND a.account IN ", &f->account } };

	for (size_t i = 0; i < MD_COUNT(ids); i++)
		if (ids[i].v->n)
			query_add_ints(q, ids[i].in, ids[i].v->v, ids[i].v->n);
	for (size_t i = 0; i < MD_COUNT(words); i++)
		if (words[i].v->n)
			query_add_texts(q, words[i].in, words[i].v->v, words[i].v->n);
	if (f->after_ms)
		query_add_arg(q, " AND a.at >= ?", DB_INT(f->after_ms));
	if (f->before_ms)
		query_add_arg(q, " AND a.at < ?", DB_INT(f->before_ms));
}

int audit_list(struct db_conn *c, const struct audit_filter *f, struct arena *a,
	       struct audit_row **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT, total = QUERY_INIT;
	int64_t *count;
	size_t one;
	int rc;

	query_add(&q, "SELECT " AUDIT_COLUMNS ", u.name, u.role FROM audit_log a"
		      " LEFT JOIN users u ON u.id = a.actor_id WHERE 1 = 1");
	add_filter(&q, f);
	if (f->behind)
		query_add_arg(&q, " AND a.id < ?", DB_INT(f->behind));
	query_add_arg(&q, " ORDER BY a.id DESC LIMIT ?", DB_INT(f->limit));
	query_add_arg(&q, " OFFSET ?", DB_INT(f->offset));
	rc = query_all(&q, c, &shown_map, (size_t)f->limit, a, ret, ret_n, err);
	if (rc != MD_OK)
		return rc;
	query_add(&total, QUERY_COUNT_BEGIN " FROM audit_log a WHERE 1 = 1");
	add_filter(&total, f);
	query_add(&total, QUERY_COUNT_END);
	rc = query_all(&total, c, &db_map_int, 1, a, &count, &one, err);
	if (rc == MD_OK)
		*ret_total = one ? count[0] : 0;
	return rc;
}

/* ---- verifying ---- */

static void judge(struct audit_chain *k, const struct audit_row *r, const char *wanted)
{
	const char *why = r->seq != k->rows + 1                      ? "a row before it is missing"
			  : !r->hash || strcmp(r->hash, wanted) != 0 ? "it is not what it was"
								     : NULL;

	if (why) {
		k->broken_seq = r->seq;
		k->broken_id = r->id;
		k->why = why;
		return;
	}
	k->rows = r->seq;
	memcpy(k->hash, wanted, AUDIT_HASH);
}

static int verify_chain(struct db_conn *c, struct audit_chain *k, struct md_err *err)
{
	size_t n = PAGE;
	int rc = MD_OK;

	while (rc == MD_OK && n == PAGE && !k->broken_seq) {
		md_auto(arena_done) struct arena a = ARENA_INIT(32 << 20);
		struct audit_row *rows;

		rc = db_all(c, &sql_chain,
			    DB_ARGS(DB_TEXT(k->daemon), DB_INT(k->rows), DB_INT(PAGE)), &row_map,
			    PAGE, &a, &rows, &n, err);
		for (size_t i = 0; rc == MD_OK && i < n && !k->broken_seq; i++) {
			char wanted[AUDIT_HASH];

			rc = hash_of(k->hash, &rows[i], wanted, err);
			if (rc == MD_OK)
				judge(k, &rows[i], wanted);
		}
	}
	return rc == MD_OK ? db_int(c, &sql_count_open, DB_ARGS(DB_TEXT(k->daemon)), &k->open, err)
			   : rc;
}

int audit_verify(struct db *db, struct arena *a, struct audit_chain **ret, size_t *ret_n,
		 struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct daemon_name *names;
	struct audit_chain *all;
	size_t n = 0;
	int rc = db_read(db, &c, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_daemons, DB_NONE, &name_map, CHAINS_MAX, a, &names, &n, err);
	if (rc != MD_OK)
		return rc;
	all = arena_array(a, n + 1, sizeof *all);
	if (!all)
		return md_fail(err, MD_NOMEM, 0, "audit: out of memory");
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		all[i] = (struct audit_chain){ .daemon = names[i].name };
		rc = verify_chain(c, &all[i], err);
	}
	*ret = all;
	*ret_n = n;
	return rc;
}

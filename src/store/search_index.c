/* search_index.c - from the queue into the index.
 *
 * A batch is read in one transaction, made into words in none, and written in another, so nobody
 * waits for words to be made. What changes meanwhile has a new row in the queue. Only the holder of
 * a lease writes: else a slow daemon could put an old text over a newer one. The index is a table
 * of its own by comment id; titles have the ticket's number below zero. */
#include <maildesk/store/search.h>

#include "db_conn.h"
#include "search_private.h"

#include <maildesk/desk/searchtext.h>
#include <maildesk/store/leases.h>

#include <stdlib.h>
#include <string.h>

enum {
	BATCH_ROWS = 256,
	BATCH_BYTES = 64 << 20,
	LEASE_MS = 10000,
	SAME_IN_TITLE = 10,
	SAME_IN_BODY = 240, /* with those: below the 256 of PostgreSQL */
	VECTOR_MAX = 4 * SEARCHTEXT_BYTES_MAX,
};
#define LEASE "search"

/* ---- the queue ---- */

DB_SQL(sql_queue_comment, "INSERT INTO search_queue (low, high) VALUES ($1, $1)");
DB_SQL(sql_queue_title, "INSERT INTO search_queue (ticket_id, low, high) VALUES ($1, 1, 0)");
DB_SQL(sql_queue_comments, "INSERT INTO search_queue (low, high)"
			   " SELECT m.id, m.id FROM comments m WHERE m.ticket_id = $1");
DB_SQL(sql_queue_all, "INSERT INTO search_queue (low, high)"
		      " SELECT 1, m.id FROM comments m ORDER BY m.id DESC LIMIT 1");
DB_SQL(sql_queue_drop_all, "DELETE FROM search_queue");
DB_SQL(sql_has_any, "SELECT CASE WHEN EXISTS (SELECT 1 FROM search_queue)"
		    " OR EXISTS (SELECT 1 FROM search_index) THEN 1 ELSE 0 END");
DB_SQL(sql_waiting, "SELECT CAST(COALESCE(SUM(q.high - q.low + 1), 0) AS {INT})"
		    " FROM search_queue q");

int search_queue_comment(struct db_conn *c, int64_t comment, struct md_err *err)
{
	db_notify(c, DB_TOPIC_SEARCH);
	return db_insert(c, &sql_queue_comment, DB_ARGS(DB_INT(comment)), err);
}

int search_queue_ticket(struct db_conn *c, int64_t ticket, struct md_err *err)
{
	int rc;

	db_notify(c, DB_TOPIC_SEARCH);
	rc = db_exec(c, &sql_queue_title, DB_ARGS(DB_INT(ticket)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_queue_comments, DB_ARGS(DB_INT(ticket)), NULL, err);
	return rc;
}

int search_waiting(struct db_conn *c, int64_t *ret, struct md_err *err)
{
	return db_int(c, &sql_waiting, DB_NONE, ret, err);
}

static int start_over(struct db_conn *c, void *ctx, struct md_err *err)
{
	int rc = db_script(c, "{SEARCH_EMPTY}", err);

	(void)ctx;
	db_notify(c, DB_TOPIC_SEARCH);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_queue_drop_all, DB_NONE, NULL, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_queue_all, DB_NONE, NULL, err);
	return rc;
}

int search_rebuild(struct db *db, struct md_err *err)
{
	return db_txn(db, start_over, NULL, err);
}

static int queue_if_bare(struct db_conn *c, void *ctx, struct md_err *err)
{
	int64_t any;
	int rc = db_int(c, &sql_has_any, DB_NONE, &any, err);

	(void)ctx;
	if (rc == MD_OK && !any)
		rc = db_exec(c, &sql_queue_all, DB_NONE, NULL, err);
	return rc;
}

int search_ensure(struct db *db, struct md_err *err)
{
	return db_txn(db, queue_if_bare, NULL, err);
}

/* ---- a batch ---- */

struct queued {
	int64_t id, ticket, low, high;
};
static const struct db_col queued_cols[] = {
	{ DB_COL_INT, offsetof(struct queued, id) },
	{ DB_COL_INT, offsetof(struct queued, ticket) },
	{ DB_COL_INT, offsetof(struct queued, low) },
	{ DB_COL_INT, offsetof(struct queued, high) },
};
static const struct db_map queued_map = DB_MAP(queued, queued_cols);
DB_SQL(sql_queued, "SELECT q.id, q.ticket_id, q.low, q.high FROM search_queue q"
		   " ORDER BY q.id DESC LIMIT $1");
/* Ids of a range, the newest first. */
DB_SQL(sql_range, "SELECT m.id FROM comments m WHERE m.id BETWEEN $1 AND $2"
		  " ORDER BY m.id DESC LIMIT $3");

/* A comment and what it is filed under. */
struct source {
	int64_t id, ticket;
	bool is_first, is_deleted;
	const char *title, *body;
};
static const struct db_col source_cols[] = {
	{ DB_COL_INT, offsetof(struct source, id) },
	{ DB_COL_INT, offsetof(struct source, ticket) },
	{ DB_COL_BOOL, offsetof(struct source, is_first) },
	{ DB_COL_BOOL, offsetof(struct source, is_deleted) },
	{ DB_COL_TEXT, offsetof(struct source, title) },
	{ DB_COL_TEXT, offsetof(struct source, body) },
};
static const struct db_map source_map = DB_MAP(source, source_cols);
struct name {
	int64_t comment;
	const char *text;
};
static const struct db_col name_cols[] = {
	{ DB_COL_INT, offsetof(struct name, comment) },
	{ DB_COL_TEXT, offsetof(struct name, text) },
};
static const struct db_map name_map = DB_MAP(name, name_cols);

struct row { /* of the index; NULL: nothing is there */
	int64_t id;
	char *title, *body, *words;
};
struct batch {
	struct db *db;
	struct search_worker *worker;
	struct arena arena;
	struct queued *queued; /* high of a range: where the next batch goes on */
	size_t n_queued;
	int64_t *comments, *tickets;
	size_t n_comments, n_tickets, room;
	struct source *sources;
	struct name *names;
	struct search_text *titles;
	size_t n_sources, n_names, n_titles;
	struct row *rows;
	size_t n_rows;
};

/* Once, however often it changed. */
static void take_comment(struct batch *b, int64_t id)
{
	for (size_t i = 0; i < b->n_comments; i++)
		if (b->comments[i] == id)
			return;
	b->comments[b->n_comments++] = id;
}

/* Rows of the queue as long as there is room for what they name; of a range, a part. */
static int choose(struct batch *b, struct db_conn *c, struct md_err *err)
{
	for (size_t i = 0; i < b->n_queued; i++) {
		struct queued *q = &b->queued[i];
		size_t room = b->room - b->n_comments, n;
		int64_t *ids;
		int rc;

		if (q->ticket)
			b->tickets[b->n_tickets++] = q->ticket;
		if (q->low > q->high)
			continue;
		if (room == 0) {
			b->n_queued = i;
			break;
		}
		if (q->low == q->high) {
			take_comment(b, q->high--);
			continue;
		}
		rc = db_all(c, &sql_range,
			    DB_ARGS(DB_INT(q->low), DB_INT(q->high), DB_INT((int64_t)room)),
			    &db_map_int, room, &b->arena, &ids, &n, err);
		if (rc != MD_OK)
			return rc;
		memcpy(b->comments + b->n_comments, ids, n * sizeof *ids);
		b->n_comments += n;
		q->high = n == room ? ids[n - 1] - 1 : 0;
	}
	return MD_OK;
}

static int read_sources(struct batch *b, struct db_conn *c, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT, names = QUERY_INIT;
	int rc;

	if (b->n_comments == 0)
		return MD_OK;
	query_add_arg(&q,
		      "SELECT m.id, m.ticket_id, " SEARCH_IS_FIRST ","
		      " CASE WHEN m.deleted_at IS NULL THEN 0 ELSE 1 END, t.title,"
		      " SUBSTR(m.body, 1, CAST(? AS INTEGER))"
		      " FROM comments m JOIN tickets t ON t.id = m.ticket_id",
		      DB_INT(SEARCHTEXT_BYTES_MAX));
	query_add_ints(&q, " WHERE m.id IN ", b->comments, b->n_comments);
	rc = query_all(&q, c, &source_map, b->n_comments, &b->arena, &b->sources, &b->n_sources,
		       err);
	if (rc != MD_OK)
		return rc;
	query_add_ints(&names,
		       "SELECT a.comment_id, a.filename FROM attachments a"
		       " WHERE a.filename IS NOT NULL AND a.comment_id IN ",
		       b->comments, b->n_comments);
	query_add(&names, " ORDER BY a.comment_id, a.id");
	return query_all(&names, c, &name_map, SEARCHTEXT_WORDS_MAX, &b->arena, &b->names,
			 &b->n_names, err);
}

static int read_batch(struct batch *b, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(b->db, &c, err);

	if (rc == MD_OK)
		rc = db_all(c, &sql_queued, DB_ARGS(DB_INT((int64_t)b->room)), &queued_map, b->room,
			    &b->arena, &b->queued, &b->n_queued, err);
	if (rc != MD_OK || b->n_queued == 0)
		return rc;
	b->comments = arena_array(&b->arena, b->room, sizeof *b->comments);
	b->tickets = arena_array(&b->arena, b->room, sizeof *b->tickets);
	if (!b->comments || !b->tickets)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = choose(b, c, err);
	if (rc == MD_OK)
		rc = read_sources(b, c, err);
	if (rc == MD_OK)
		rc = search_titles(c, b->tickets, b->n_tickets, &b->arena, &b->titles, &b->n_titles,
				   err);
	return rc;
}

/* ---- words ---- */

/* Into the arena; the document is empty again. */
static char *take_words(struct batch *b, struct searchtext_document *d, int most)
{
	char *words;

	searchtext_thin(d, most);
	words = d->text.status == MD_OK ? arena_strdup(&b->arena, buf_str(&d->text)) : NULL;
	if (!words)
		b->arena.failed = 1;
	buf_reset(&d->text);
	d->n = 0;
	return words;
}

static void make_vector(struct batch *b, struct row *r)
{
	md_auto(buf_done) struct buf vector = BUF_INIT(VECTOR_MAX);

	if (!b->db->driver->put_words)
		return;
	b->db->driver->put_words(&vector, r->title, r->body);
	r->words = arena_strdup(&b->arena, buf_str(&vector));
	if (vector.status != MD_OK)
		b->arena.failed = 1;
}

static struct row *next_row(struct batch *b, int64_t id)
{
	struct row *r = &b->rows[b->n_rows++];

	*r = (struct row){ .id = id };
	return r;
}

static void make_title(struct batch *b, struct searchtext_document *d, int64_t ticket,
		       const char *title)
{
	struct row *r = next_row(b, -ticket);

	if (!title)
		return;
	searchtext_add(d, title, strlen(title));
	r->title = take_words(b, d, SAME_IN_TITLE);
	r->body = arena_strdup(&b->arena, "");
	if (!b->arena.failed)
		make_vector(b, r);
}

static void make_comment(struct batch *b, struct searchtext_document *d, const struct source *m)
{
	struct row *r = next_row(b, m->id);

	if (m->is_deleted)
		return;
	searchtext_add(d, m->title, strlen(m->title));
	r->title = take_words(b, d, SAME_IN_TITLE);
	searchtext_add(d, m->body, strlen(m->body));
	for (size_t i = 0; i < b->n_names; i++)
		if (b->names[i].comment == m->id)
			searchtext_add(d, b->names[i].text, strlen(b->names[i].text));
	r->body = take_words(b, d, SAME_IN_BODY);
	if (!b->arena.failed)
		make_vector(b, r);
}

static const char *title_of(const struct batch *b, int64_t ticket)
{
	for (size_t i = 0; i < b->n_titles; i++)
		if (b->titles[i].id == ticket)
			return b->titles[i].text;
	return NULL;
}

static const struct source *source_of(const struct batch *b, int64_t comment)
{
	for (size_t i = 0; i < b->n_sources; i++)
		if (b->sources[i].id == comment)
			return &b->sources[i];
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* In the order of their ids: FTS5 writes what it has gathered whenever one is below the last. */
static int make_rows(struct batch *b, struct md_err *err)
{
	md_auto(searchtext_document_done) struct searchtext_document d = SEARCHTEXT_DOCUMENT_INIT;

	b->rows = arena_array(&b->arena, 2 * b->n_comments + b->n_tickets + 1, sizeof *b->rows);
	for (size_t i = 0; i < b->n_comments && !b->arena.failed; i++) {
		const struct source *m = source_of(b, b->comments[i]);

		if (!m) {
			next_row(b, b->comments[i]);
			continue;
		}
		make_comment(b, &d, m);
		if (m->is_first)
			make_title(b, &d, m->ticket, m->title);
	}
	for (size_t i = 0; i < b->n_tickets && !b->arena.failed; i++)
		make_title(b, &d, b->tickets[i], title_of(b, b->tickets[i]));
	if (b->arena.failed)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	qsort(b->rows, b->n_rows, sizeof *b->rows, by_id);
	return MD_OK;
}

/* ---- writing ---- */

DB_SQL(sql_queue_move, "UPDATE search_queue SET high = $1 WHERE id = $2");
DB_SQL(sql_index_add, "INSERT INTO search_index ({DOC}, title, body, words)"
		      " VALUES ($1, $2, $3, CAST(CAST($4 AS TEXT) AS {VECTOR}))");

/* `sql` ends before the list. */
static int drop(struct db_conn *c, const char *sql, const int64_t *ids, size_t n,
		struct md_err *err)
{
	int rc = MD_OK;

	for (size_t at = 0; at < n && rc == MD_OK; at += QUERY_LIST_MAX) {
		md_auto(query_done) struct query q = QUERY_INIT;
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		size_t none;
		int64_t *rows;

		query_add_ints(&q, sql, ids + at,
			       n - at < QUERY_LIST_MAX ? n - at : QUERY_LIST_MAX);
		rc = query_all(&q, c, &db_map_int, 1, &a, &rows, &none, err);
	}
	return rc;
}

/* Of the queue: what is done, and where the next batch goes on. */
static int settle_queue(struct db_conn *c, const struct batch *b, int64_t *ids, struct md_err *err)
{
	size_t n = 0;
	int rc = MD_OK;

	for (size_t i = 0; i < b->n_queued && rc == MD_OK; i++) {
		const struct queued *q = &b->queued[i];

		if (q->low > q->high)
			ids[n++] = q->id;
		else
			rc = db_exec(c, &sql_queue_move, DB_ARGS(DB_INT(q->high), DB_INT(q->id)),
				     NULL, err);
	}
	return rc == MD_OK ? drop(c, "DELETE FROM search_queue WHERE id IN ", ids, n, err) : rc;
}

static int write_rows(struct db_conn *c, const struct batch *b, int64_t *ids, struct md_err *err)
{
	int rc;

	for (size_t i = 0; i < b->n_rows; i++)
		ids[i] = b->rows[i].id;
	rc = drop(c, "DELETE FROM search_index WHERE {DOC} IN ", ids, b->n_rows, err);
	for (size_t i = 0; i < b->n_rows && rc == MD_OK; i++) {
		const struct row *r = &b->rows[i];
		bool again = i + 1 < b->n_rows && ids[i] == ids[i + 1];

		if (r->title && !again)
			rc = db_insert(c, &sql_index_add,
				       DB_ARGS(DB_INT(r->id), DB_TEXT(r->title), DB_TEXT(r->body),
					       DB_TEXT(r->words)),
				       err);
	}
	return rc;
}

static int lead(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct search_worker *w = ctx;

	return lease_take(c, LEASE, w->holder, LEASE_MS, &w->fence, err);
}

static int write_batch(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct batch *b = ctx;
	int64_t *ids = arena_array(&b->arena, b->n_queued + b->n_rows + 1, sizeof *ids);
	int64_t fence;
	int rc = lease_take(c, LEASE, b->worker->holder, LEASE_MS, &fence, err);

	if (rc == MD_OK && fence != b->worker->fence)
		return md_fail(err, MD_CONFLICT, 0, "another was at the index meanwhile");
	if (rc == MD_OK && !ids)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (rc == MD_OK)
		rc = settle_queue(c, b, ids, err);
	return rc == MD_OK ? write_rows(c, b, ids, err) : rc;
}

static int work_on(struct batch *b, struct md_err *err)
{
	int rc = MD_OK;

	/* First of all, and when it is lost. */
	if (!b->worker->fence)
		return db_txn(b->db, lead, b->worker, err);
	rc = make_rows(b, err);
	if (rc == MD_OK)
		rc = db_txn(b->db, write_batch, b, err);
	if (rc == MD_CONFLICT)
		b->worker->fence = 0;
	return rc;
}

int search_work(struct db *db, struct search_worker *w, size_t *ret_done, struct md_err *err)
{
	for (size_t room = BATCH_ROWS;; room = 1) {
		struct batch b = {
			.db = db, .worker = w, .room = room, .arena = ARENA_INIT(BATCH_BYTES)
		};
		int rc = read_batch(&b, err);

		if (rc == MD_OK && b.n_queued)
			rc = work_on(&b, err);
		if (rc == MD_OK)
			*ret_done = b.n_queued;
		arena_done(&b.arena);
		/* Large texts: one by one. */
		if (rc != MD_NOMEM || room == 1)
			return rc;
	}
}

static int leave(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct search_worker *w = ctx;

	return lease_release(c, LEASE, w->holder, err);
}

int search_leave(struct db *db, struct search_worker *w, struct md_err *err)
{
	return w->fence ? db_txn(db, leave, w, err) : MD_OK;
}

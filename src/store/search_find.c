/* search_find.c - what matches, and in which order.
 *
 * The engine says which documents have the words; which of them count is asked of the tables in the
 * same statement, newest documents first, so that a common word costs SEARCH_DEPTH rows and not a
 * million. What they are worth is worked out here, from the words in the index: no engine's own
 * idea of rank, so all engines give the same order. */
#include <maildesk/store/search.h>

#include "db_conn.h"
#include "search_private.h"

#include <stdlib.h>
#include <string.h>

enum { FOUND_MAX = 2 * SEARCH_DEPTH };

void search_write_matches(struct db_conn *c, const struct search_query *words,
			  struct search_matches *m)
{
	if (!words || !words->n)
		return;
	c->db->driver->put_match(&m->titles, words, false);
	c->db->driver->put_match(&m->comments, words, true);
}

void search_matches_done(struct search_matches *m)
{
	buf_done(&m->titles);
	buf_done(&m->comments);
}

/* CROSS JOIN: SQLite keeps this order of loops, and so the order of the index. */
static void add_titles(struct query *q, const struct search_matches *m,
		       const struct ticket_filter *f, int64_t limit)
{
	query_add_arg(q,
		      " FROM search_index CROSS JOIN tickets t WHERE {MATCH} CAST(? AS {MATCHER})"
		      " AND search_index.{DOC} < 0 AND t.id = -search_index.{DOC}",
		      DB_TEXT(buf_str(&m->titles)));
	ticket_filter_add(q, f);
	query_add_arg(q, " ORDER BY search_index.{DOC} LIMIT ?", DB_INT(limit));
}

static void add_comments(struct query *q, const struct search_matches *m,
			 const struct ticket_filter *f, int64_t limit)
{
	query_add_arg(q,
		      " FROM search_index CROSS JOIN comments m CROSS JOIN tickets t"
		      " WHERE {MATCH} CAST(? AS {MATCHER}) AND search_index.{DOC} > 0"
		      " AND m.id = search_index.{DOC} AND t.id = m.ticket_id"
		      " AND m.deleted_at IS NULL",
		      DB_TEXT(buf_str(&m->comments)));
	if (!f->words_internal)
		query_add(q, " AND m.is_internal = 0 AND m.held IS NULL");
	ticket_filter_add(q, f);
	query_add_arg(q, " ORDER BY search_index.{DOC} DESC LIMIT ?", DB_INT(limit));
}

void search_add_tickets(struct query *q, const struct search_matches *m,
			const struct ticket_filter *f)
{
	query_add(q, " AND t.id IN (SELECT a.found_id FROM (SELECT t.id AS found_id");
	add_titles(q, m, f, SEARCH_DEPTH);
	query_add(q, ") AS a UNION ALL SELECT b.found_id FROM (SELECT t.id AS found_id");
	add_comments(q, m, f, SEARCH_DEPTH);
	query_add(q, ") AS b)");
}

/* ---- ranking ---- */

struct found {
	const struct search_query *q;
	struct search_hit *hits;
	size_t n;
};

static void keep(struct found *found, int64_t ticket, int64_t comment, bool is_first, double score)
{
	if (found->n < FOUND_MAX)
		found->hits[found->n++] = (struct search_hit){
			.ticket = ticket,
			.comment = is_first ? 0 : comment,
			.text = comment,
			.score = score,
		};
}

/* Values of the index are texts, never NULL and followed by a NUL, on both engines. */
static int keep_title(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct found *found = ctx;

	(void)n;
	(void)err;
	keep(found, row[0].integer, 0, true, search_score(found->q, row[1].bytes, 3, ""));
	return MD_OK;
}

/* The title of another document is worth little here. */
static int keep_comment(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	struct found *found = ctx;

	(void)n;
	(void)err;
	keep(found, row[0].integer, row[1].integer, row[2].integer != 0,
	     search_score(found->q, row[3].bytes, 0.1, row[4].bytes));
	return MD_OK;
}

static int run(struct query *q, struct db_conn *c, db_values_fn fn, struct found *found,
	       struct md_err *err)
{
	int rc = query_check(q, err);

	return rc == MD_OK ? db_values(c, buf_str(&q->sql), query_args(q), fn, found, err) : rc;
}

/* By item. */
static int by_item(const void *a, const void *b)
{
	const struct search_hit *x = a, *y = b;

	if (x->ticket != y->ticket)
		return x->ticket < y->ticket ? -1 : 1;
	if (x->comment != y->comment)
		return x->comment < y->comment ? -1 : 1;
	return x->text < y->text ? -1 : x->text > y->text;
}

static int by_worth(const void *a, const void *b)
{
	const struct search_hit *x = a, *y = b;

	if (x->score < y->score || x->score > y->score)
		return x->score > y->score ? -1 : 1;
	return by_item(b, a);
}

/* A ticket's title and its first comment are one item. */
static void merge(struct found *found)
{
	size_t n = 0;

	qsort(found->hits, found->n, sizeof *found->hits, by_item);
	for (size_t i = 0; i < found->n; i++) {
		struct search_hit *h = &found->hits[i], *last = n ? &found->hits[n - 1] : NULL;

		if (last && last->ticket == h->ticket && last->comment == h->comment) {
			last->text = h->text ? h->text : last->text;
			last->score += h->score;
		} else {
			found->hits[n++] = *h;
		}
	}
	found->n = n;
	qsort(found->hits, found->n, sizeof *found->hits, by_worth);
}

int search_find(struct db_conn *c, const struct search_query *words, const struct ticket_filter *f,
		struct arena *a, struct search_hit **ret, size_t *ret_n, bool *ret_more,
		struct md_err *err)
{
	md_auto(query_done) struct query titles = QUERY_INIT, comments = QUERY_INIT;
	md_auto(search_matches_done) struct search_matches m = SEARCH_MATCHES_INIT;
	struct found found = { .q = words };
	size_t in_titles;
	int rc;

	found.hits = arena_array(a, FOUND_MAX, sizeof *found.hits);
	search_write_matches(c, words, &m);
	if (!found.hits || m.titles.status != MD_OK || m.comments.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	query_add(&titles, "SELECT t.id, search_index.title");
	add_titles(&titles, &m, f, SEARCH_DEPTH);
	rc = run(&titles, c, keep_title, &found, err);
	in_titles = found.n;
	query_add(&comments, "SELECT t.id, m.id, " SEARCH_IS_FIRST ","
			     " search_index.title, search_index.body");
	add_comments(&comments, &m, f, SEARCH_DEPTH);
	if (rc == MD_OK)
		rc = run(&comments, c, keep_comment, &found, err);
	if (rc != MD_OK)
		return rc;
	*ret_more = in_titles == SEARCH_DEPTH || found.n - in_titles == SEARCH_DEPTH;
	merge(&found);
	*ret = found.hits;
	*ret_n = found.n;
	return MD_OK;
}

/* ---- what is shown of it ---- */

static const struct db_col text_cols[] = {
	{ DB_COL_INT, offsetof(struct search_text, id) },
	{ DB_COL_TEXT, offsetof(struct search_text, text) },
};
static const struct db_map text_map = DB_MAP(search_text, text_cols);

static int texts(struct db_conn *c, const char *sql, const int64_t *ids, size_t n, struct arena *a,
		 struct search_text **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(n, err);

	*ret_n = 0;
	if (rc != MD_OK || n == 0)
		return rc;
	query_add_ints(&q, sql, ids, n);
	return query_all(&q, c, &text_map, n, a, ret, ret_n, err);
}

int search_titles(struct db_conn *c, const int64_t *tickets, size_t n, struct arena *a,
		  struct search_text **ret, size_t *ret_n, struct md_err *err)
{
	return texts(c, "SELECT t.id, t.title FROM tickets t WHERE t.id IN ", tickets, n, a, ret,
		     ret_n, err);
}

int search_bodies(struct db_conn *c, const int64_t *comments, size_t n, struct arena *a,
		  struct search_text **ret, size_t *ret_n, struct md_err *err)
{
	return texts(c, "SELECT m.id, SUBSTR(m.body, 1, 100000) FROM comments m WHERE m.id IN ",
		     comments, n, a, ret, ret_n, err);
}

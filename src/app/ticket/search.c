/* A query of a person: what its words and filters mean on this desk, and to whom. */
#include <maildesk/app/search.h>
#include <maildesk/base/utf8.h>

#include "ticket_priv.h"

#include <stdlib.h>
#include <string.h>

enum { SNIPPET_MAX = 8 << 10, PAGE_MAX = 100, TOTAL_MORE = 1001 };
#define NOBODY INT64_MAX /* an id that nobody has */

/* ---- filters ---- */

/* Who is meant by an id, an address, "me" or, where that can be, "none". */
static int find_person(const struct work_by *by, struct db_conn *c, const char *text, bool none,
		       struct arena *a, int64_t *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(4096);
	struct user u;
	char *end;
	int rc;

	*ret = NOBODY;
	if (strcmp(text, "me") == 0 && by->user.id)
		*ret = by->user.id;
	else if (none && strcmp(text, "none") == 0)
		*ret = -1;
	else if (*text >= '1' && *text <= '9' && (*ret = strtoll(text, &end, 10), *end))
		*ret = NOBODY;
	if (*ret != NOBODY || !strchr(text, '@'))
		return MD_OK;
	utf8_fold(&folded, text, strlen(text));
	rc = user_by_address(c, buf_str(&folded), a, &u, err);
	if (rc == MD_OK)
		*ret = u.id;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

static int64_t both_ids(int64_t have, int64_t want)
{
	return have == 0 || have == want ? want : NOBODY;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static bool has_status(const struct ticket_filter *f, const char *name)
{
	for (size_t i = 0; i < f->n_status; i++)
		if (strcmp(f->status[i], name) == 0)
			return true;
	return false;
}

static bool has_priority(const struct ticket_filter *f, int64_t priority)
{
	for (size_t i = 0; i < f->n_priority; i++)
		if (f->priority[i] == priority)
			return true;
	return false;
}

/* Of lists on both sides, what they have in common; of nothing in common, what no ticket has. */
static void narrow_lists(const struct search_query *q, struct ticket_filter *f)
{
	struct ticket_filter both = { 0 };

	for (size_t i = 0; i < q->n_status; i++)
		if (!f->n_status || has_status(f, q->status[i]))
			both.status[both.n_status++] = q->status[i];
	if (q->n_status && !both.n_status)
		both.status[both.n_status++] = "";
	for (size_t i = 0; i < q->n_priority; i++)
		if (!f->n_priority || has_priority(f, q->priority[i]))
			both.priority[both.n_priority++] = q->priority[i];
	if (q->n_priority && !both.n_priority)
		both.priority[both.n_priority++] = -1;
	if (q->n_status) {
		memcpy(f->status, both.status, sizeof f->status);
		f->n_status = both.n_status;
	}
	if (q->n_priority) {
		memcpy(f->priority, both.priority, sizeof f->priority);
		f->n_priority = both.n_priority;
	}
}

static int narrow_people(const struct work_by *by, struct db_conn *c, const struct search_query *q,
			 struct arena *a, struct ticket_filter *f, struct md_err *err)
{
	int64_t id;
	int rc = MD_OK;

	if (q->assignee) {
		rc = find_person(by, c, q->assignee, true, a, &id, err);
		f->assignee_id = both_ids(f->assignee_id, rc == MD_OK ? id : NOBODY);
	}
	if (rc == MD_OK && q->requester) {
		rc = find_person(by, c, q->requester, false, a, &id, err);
		f->requester_id = both_ids(f->requester_id, rc == MD_OK ? id : NOBODY);
	}
	return rc;
}

static void narrow_rest(const struct work_by *by, const struct search_query *q,
			struct ticket_filter *f)
{
	if (q->tag && f->tag && strcmp(f->tag, q->tag) != 0)
		f->tags = (struct ticket_any_name){ &q->tag, 1 }; /* both */
	else if (q->tag)
		f->tag = q->tag;
	if (q->mailbox)
		f->mailbox = f->mailbox && strcmp(f->mailbox, q->mailbox) != 0 ? "" : q->mailbox;
	f->created_after = later(f->created_after, q->created_from);
	f->created_before = earlier(f->created_before, q->created_before);
	f->updated_after = later(f->updated_after, q->updated_from);
	f->updated_before = earlier(f->updated_before, q->updated_before);
	if (q->overdue == SEARCH_YES)
		f->overdue_at = by->now_ms;
	if (q->overdue == SEARCH_NO)
		f->not_overdue_at = by->now_ms;
}

/* Whoever sees other customers sees all tickets, and internal notes. */
static void see_as(const struct work_by *by, struct ticket_filter *f)
{
	bool staff = policy_may(&by->actor, ACTION_SEE_CUSTOMERS, NULL) == POLICY_YES;
	bool open_desk = strcmp(by->desk->config->desk.visibility, "open") == 0;

	f->words_internal = staff;
	if (!staff && !open_desk)
		f->visible_to = by->user.id ? by->user.id : NOBODY;
}

static int read_query(const struct work_by *by, struct db_conn *c, const char *text,
		      struct arena *a, struct search_query **ret, struct ticket_filter *f,
		      struct md_err *err)
{
	struct search_query *q = arena_alloc(a, sizeof *q);
	int rc = q ? search_parse(text, by->desk->workflow, a, q, err)
		   : md_fail(err, MD_NOMEM, 0, "out of memory");

	if (rc == MD_OK)
		rc = narrow_people(by, c, q, a, f, err);
	if (rc != MD_OK)
		return rc;
	narrow_lists(q, f);
	narrow_rest(by, q, f);
	see_as(by, f);
	*ret = q;
	return MD_OK;
}

int search_tickets(const struct work_by *by, struct db_conn *c, const char *text, struct arena *a,
		   struct ticket_filter *f, struct md_err *err)
{
	struct search_query *q;
	int rc = read_query(by, c, text, a, &q, f, err);

	if (rc == MD_OK)
		f->words = q;
	return rc;
}

/* ---- a page of what was found ---- */

static const char *text_of(const struct search_text *texts, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (texts[i].id == id)
			return texts[i].text;
	return "";
}

/* Of the comment, or of the title where nothing else matched. */
static const char *snippet_of(const struct search_query *q, const char *text, struct arena *a)
{
	md_auto(buf_done) struct buf out = BUF_INIT(SNIPPET_MAX);

	search_snippet(&out, q, text, strlen(text));
	return out.status == MD_OK ? arena_strdup(a, buf_str(&out)) : NULL;
}

static int show_hits(struct db_conn *c, const struct search_query *q, const struct search_hit *hits,
		     size_t n, struct arena *a, struct search_item **ret, struct md_err *err)
{
	int64_t tickets[PAGE_MAX], comments[PAGE_MAX];
	struct search_text *titles, *bodies;
	struct search_item *items = arena_array(a, n + 1, sizeof *items);
	size_t n_titles, n_bodies;
	int rc;

	for (size_t i = 0; i < n; i++) {
		tickets[i] = hits[i].ticket;
		comments[i] = hits[i].text;
	}
	rc = search_titles(c, tickets, n, a, &titles, &n_titles, err);
	if (rc == MD_OK)
		rc = search_bodies(c, comments, n, a, &bodies, &n_bodies, err);
	for (size_t i = 0; i < n && rc == MD_OK && items; i++) {
		const char *title = text_of(titles, n_titles, hits[i].ticket);

		items[i] = (struct search_item){
			.ticket = hits[i].ticket,
			.comment = hits[i].comment,
			.title = title,
			.snippet = snippet_of(q,
					      hits[i].text ? text_of(bodies, n_bodies, hits[i].text)
							   : title,
					      a),
			.score = hits[i].score,
		};
	}
	if (rc == MD_OK && a->failed)
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	*ret = items;
	return rc;
}

static int run_filters(struct db_conn *c, const struct search_query *q, struct ticket_filter *f,
		       struct arena *a, struct search_item **ret, size_t *ret_n, int64_t *ret_total,
		       struct md_err *err)
{
	struct search_hit hits[PAGE_MAX] = { 0 };
	struct ticket_row *rows;
	size_t n;
	int rc;

	f->sort = TICKET_SORT_UPDATED;
	f->descending = true;
	rc = ticket_list(c, f, a, &rows, &n, ret_total, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		hits[i].ticket = rows[i].t.id;
	*ret_n = n;
	return show_hits(c, q, hits, n, a, ret, err);
}

int search_run(const struct work_by *by, struct db_conn *c, const char *text, int64_t offset,
	       int64_t limit, struct arena *a, struct search_item **ret, size_t *ret_n,
	       int64_t *ret_total, struct md_err *err)
{
	struct ticket_filter f = { .offset = offset, .limit = limit < PAGE_MAX ? limit : PAGE_MAX };
	struct search_query *q;
	struct search_hit *hits;
	bool more;
	size_t n, from;
	int rc = read_query(by, c, text, a, &q, &f, err);

	if (rc == MD_OK && q->n == 0)
		return run_filters(c, q, &f, a, ret, ret_n, ret_total, err);
	if (rc == MD_OK)
		rc = search_find(c, q, &f, a, &hits, &n, &more, err);
	if (rc != MD_OK)
		return rc;
	*ret_total = more || n >= TOTAL_MORE ? TOTAL_MORE : (int64_t)n;
	from = offset < (int64_t)n ? (size_t)offset : n;
	n -= from;
	*ret_n = n < (size_t)f.limit ? n : (size_t)f.limit;
	return show_hits(c, q, hits + from, *ret_n, a, ret, err);
}
